"""Several questions in one conversation, each answer held against what it should be."""

from __future__ import annotations

from onlooker.evaluation.answers import value_matches
from onlooker.video.library import Library

Turns = list[tuple[str, object]]


def talk(library: Library, video: str, turns: Turns, tolerance: float = 0.15) -> None:
    """Asks one after the other; `None` stands for a refusal, numbers may be off by the tolerance."""
    conversation = library.conversation()
    for question, value in turns:
        answer = library.ask(question, videos=[video], conversation=conversation)
        if value is None:
            assert answer.status == "cannot_answer", (question, answer.text)
        else:
            assert answer.status != "cannot_answer", (question, answer.text)
            assert value_matches(answer.value, value, tolerance), (question, answer.text)
