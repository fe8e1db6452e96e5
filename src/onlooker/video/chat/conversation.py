"""What a conversation remembers: the last query, what it was about, and its answer."""

from __future__ import annotations

from dataclasses import dataclass

from onlooker.video.answer import Answer
from onlooker.video.chat.grammar.context import Focus


@dataclass(slots=True)
class Conversation:
    """State of one conversation; a new one for every chat. Only `answer_question` changes it."""

    focus: Focus | None = None
    answer: Answer | None = None

    def forget(self) -> None:
        """Starts anew."""
        self.focus, self.answer = None, None
