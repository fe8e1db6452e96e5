"""Relations asked of a span, of the street world. Worked out from how its things move (see `street_world.STREET`):

Car 1 has x1 = 10 + 108 t until 5 s, is 60 px wide and 40 px high from y 100; car 2 stands at x 300 to 380, y 60 to 110.
Edges overlap across for 2.13 < t < 3.43 (frames 2.2 to 3.4); they are 36.7 px apart (a twentieth of the diagonal) at
1.79 s and 3.77 s; centres pass at 2.78 s. Persons 3 (2 to 4 s, 6 to 8 s) and 4 (1 to 9 s) approach each other.
"""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer

STREET = (1,)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        # touching
        ("Did car 1 overlap car 2 in the first 3 seconds?", True),
        ("Did car 1 overlap car 2 in the first 2 seconds?", False),
        ("Did car 1 overlap car 2 after 4 seconds?", False),
        ("Do car 1 and car 2 touch between 3 and 5 seconds?", True),
        ("How long do car 1 and car 2 touch between 2 and 3 s?", 0.9),  # 2.2 to 3.0: nine frames
        ("When do car 1 and car 2 touch after 2.5 s?", 2.5),
        ("When do car 1 and car 2 touch after 3.45 s?", None),
        ("How many objects does car 2 touch after 5 s?", 0),
        # near
        ("Was car 1 near car 2 between 1 and 1.7 seconds?", False),
        ("Was car 1 near car 2 between 1 and 2 seconds?", True),
        ("Was car 1 near car 2 after 3.8 s?", False),
        ("Was the car near the person between 2 and 4 seconds?", False),
        # how far: at 4 s centres are 132 px and 35 px apart, at 2 s 84 px and 35 px
        ("How close do car 1 and car 2 get after 4 seconds?", 136.561),
        ("How close do car 1 and car 2 get before 2 seconds?", 91.0),
        # person 3 is at (215, 190) at 8 s, car 2 at (340, 85); car 1 is gone
        ("Which object is nearest to car 2 in the last 3 seconds?", [3]),
        ("Which object is nearest to car 2 before 3 s?", [1]),
        ("Which two objects are closest to each other after 6 s?", [3, 4]),
        # together
        ("Were car 1 and person 3 visible together in the first second?", False),
        ("Were car 1 and person 3 visible together before 3 seconds?", True),
        ("Were person 3 and person 4 on screen together between 4.5 and 5.5 seconds?", False),  # 3 is away
        ("How long are car 1 and car 2 together after 3 seconds?", 2.1),  # 3.0 to 5.0
        ("How many objects are visible with car 2 after 5.5 seconds?", 3),
        ("Which objects are visible at the same time as dog 5 after 5 seconds?", [2, 4]),
        # which side, at spans and at moments that are no plain second
        ("Is car 1 left of car 2 in the last 7 seconds?", False),
        ("Is car 1 left of car 2 between 0 and 2 seconds?", True),
        ("Is car 1 left of car 2 before the middle?", True),  # 28 frames of 51
        ("Is car 1 left of car 2 at 40% of the video?", False),  # 4.04 s
        ("Is car 1 left of car 2 in frame 20?", True),
        # passing
        ("Does car 1 overtake car 2 in the first second?", False),
        ("Does car 1 overtake car 2 after 4 seconds?", False),
        ("Does car 1 overtake car 2 between 2 and 4 seconds?", True),
        ("When does car 1 pass car 2 before 2 seconds?", None),
        # spans that start or end with a third thing: person 3 comes at 2 s, car 1 leaves at 5 s, the dog comes at 9 s
        ("Was car 1 near car 2 after person 3 appears?", True),
        ("Did car 1 touch car 2 before person 3 appears?", False),
        ("Did car 1 overtake car 2 before person 3 appears?", False),
        ("Were person 3 and person 4 visible together after the dog appears?", False),
    ],
)
def test_a_relation_is_looked_for_inside_the_span_only(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    expected = pytest.approx(value, abs=1e-3) if isinstance(value, float) else value
    found = sorted(answer.value) if isinstance(answer.value, list) else answer.value
    assert found == expected, answer.text
    assert answer.status in {"answered", "no_evidence"}
    assert answer.sql is not None


def test_which_objects_were_together_names_both_members_of_every_pair(answerer: Answerer) -> None:
    answer = answerer.answer("Which objects were together after 9.5 seconds?", STREET)
    assert sorted(answer.value) == [2, 5], answer.text


def test_the_moment_that_is_cited_lies_inside_the_span(answerer: Answerer) -> None:
    answer = answerer.answer("Do car 1 and car 2 touch between 3 and 5 seconds?", STREET)
    (evidence,) = answer.evidence
    assert evidence.frame_s == pytest.approx(3.0)
    assert evidence.end_s == pytest.approx(3.5), "five frames: 3.0 to 3.4"


@pytest.mark.parametrize(
    "question",
    ["Did car 1 touch car 2 between 2.51 and 2.58 s?", "How close do car 1 and car 2 get from 2.51 to 2.58 s?"],
)
def test_a_span_between_two_frames_is_not_answered(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.status == "cannot_answer"
    assert answer.value is None


def test_something_out_of_sight_in_the_span_is_not_said_to_be_missing_altogether(answerer: Answerer) -> None:
    answer = answerer.answer("Is car 1 left of car 2 in the second half?", STREET)
    assert answer.status == "no_evidence"
    assert answer.text.startswith("Not seen from the middle on")
