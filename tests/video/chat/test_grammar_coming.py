"""Who comes and goes at a moment. In `street.mp4`: car 1 leaves at 5 s, car 2 never; person 3 is there from 2 to 8 s,
Anna (4) from 1 to 9 s, dog 5 from 9 s to the last frame."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer

STREET = (1,)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        # at about that second
        ("which objects leave at 5 s", [1]),
        ("who leaves at 5 s?", []),
        ("does anybody leave at 5 s?", False),
        ("does car 1 leave at 7 s?", False),
        ("how many people arrive at 2 s", 1),
        ("how many people arrive at 3 s", 0),
        ("who leaves when the dog comes?", [4]),
        ("who comes between 1.5 and 3 s?", [3]),
        ("what leaves in the first 6 seconds?", [1]),
        # any time before
        ("which objects have left at 7 s", [1]),
        ("which objects are gone at 8.5 s", [1, 3]),
        ("has car 1 left at 7 s?", True),
        ("who had come in at 1.5 s?", [4]),
        ("is car 1 no longer there at 7 s?", True),
        ("is the dog no longer there at 3 s?", False),
        # what is there until the last frame does not leave
        ("which cars leave in the last 3 seconds", []),
        ("how many objects leave in the second half?", 2),
        ("does the dog leave after 5 s?", False),
        # who is there then is not who comes
        ("who is there at 5 s?", [4]),
        ("how many of the people who came from the left are visible at 3 s?", 1),
        # what is not there
        ("when is person 3 not visible?", 0.0),
        ("how long is Anna not there?", 2.0),
    ],
)
def test_coming_and_going_is_no_being_there(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.value == (pytest.approx(value, abs=0.15) if isinstance(value, float) else value), answer.text
    assert answer.status != "cannot_answer"


def test_nobody_leaving_is_not_said_to_be_nobody(answerer: Answerer) -> None:
    assert "no person was found leaving between" in answerer.answer("who leaves at 5 s?", STREET).text
