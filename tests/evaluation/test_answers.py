import pytest

from onlooker.evaluation.answers import Expected, says_none, value_matches
from onlooker.video.answer import Value


@pytest.mark.parametrize(
    ("value", "expected", "tolerance", "right"),
    [
        (5, 5, 0, True),
        (5, 4, 0, False),
        (1.9, 2.3, 0.5, True),
        (1.9, 2.41, 0.5, False),
        (True, 1, 0, True),
        (False, 0, 0, True),
        (True, 0, 0, False),
        (True, 2, 0, False),
        ([4], 4, 0, True),
        ([4, 5], 4, 0, False),
        ([2, 1], [1, 2], 0, True),
        ("Car", "car", 0, True),
        ("car", 1, 0, False),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.004], 0, True),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0], 0, False),
        (["dog", "car"], ["car", "dog"], 0, True),
        (None, None, 0, True),
        (None, 0, 0, False),
        (0, None, 0, False),
    ],
)
def test_values_are_compared_by_what_they_mean(value: Value, expected: Expected, tolerance: float, right: bool) -> None:
    assert value_matches(value, expected, tolerance) is right


@pytest.mark.parametrize(
    ("value", "nothing"),
    [(None, True), (False, True), (0, True), ([], True), (True, False), ([3], False), (0.4, False)],
)
def test_only_empty_values_say_none(value: Value, nothing: bool) -> None:
    assert says_none(value) is nothing
