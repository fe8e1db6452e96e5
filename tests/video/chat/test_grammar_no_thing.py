"""That none was found is said of things one could see, never of verbs, adjectives and comparatives."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer

STREET = (1,)


@pytest.mark.parametrize(
    "question",
    [
        "what time does the shop close",
        "does the bakery open at 5 s?",
        "when do they close",
        "when does the bell ring",
        "how often does the bell ring?",
        "when does the postman deliver?",
        "does the picture shake",
        "does a fox bark?",
        "how many foxes bark",
        "can you zoom in",
        "can i trust this video",
        "is this smoother than before?",
        "is it darker",
        "does it get quieter after 9",
        "will it rain",
        "is this live?",
    ],
)
def test_what_is_no_thing_is_not_said_to_be_missing(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.status == "cannot_answer", answer.text


@pytest.mark.parametrize(
    "question",
    [
        "is it a fox",
        "can a fox be seen",
        "can foxes be seen",
        "do you see foxes",
        "did you notice a fox?",
        "will there be foxes",
        "does a fox appear",
        "does this video have foxes?",
        "could this be a fox?",
        "does it show a fox or a wolf",
        "do the foxes leave?",
        "any foxes",
        "fox?",
        "how many foxes are there",
        "when does a fox come",
    ],
)
def test_of_a_thing_it_is_said_that_none_was_found(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.status == "no_evidence", answer.text
    assert "no fox" in answer.text
