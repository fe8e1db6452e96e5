"""A judgement that could not be shown or compared is refused when it is made."""

from __future__ import annotations

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.types import Judgement


def test_a_judgement_keeps_what_it_was_given() -> None:
    heat_map = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    found = Judgement(0.25, heat_map, "splice", ("small",))
    assert (found.probability, found.kind, found.notes) == (0.25, "splice", ("small",))
    assert found.heat_map is heat_map
    assert Judgement(1.0).heat_map is None


@pytest.mark.parametrize("probability", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_probability_out_of_range_is_refused(probability: float) -> None:
    with pytest.raises(ShapeError, match=r"in \[0, 1\], got"):
        Judgement(probability)


@pytest.mark.parametrize(
    "heat_map",
    [
        np.zeros((2, 3, 1), np.float32),
        np.zeros((0, 3), np.float32),
        np.zeros((2, 3), np.float64),
        np.full((2, 3), 1.5, np.float32),
        np.full((2, 3), np.nan, np.float32),
    ],
    ids=["rank", "empty", "double", "above one", "nan"],
)
def test_a_heat_map_that_is_none_is_refused(heat_map: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="heat map is"):
        Judgement(0.5, heat_map)
