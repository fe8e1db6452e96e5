"""From a question in plain English to a checked query, without a language model."""

from onlooker.video.chat.grammar.context import Focus
from onlooker.video.chat.grammar.planner import Planned, plan
from onlooker.video.chat.grammar.reading import QuestionReader, Reading

__all__ = ["Focus", "Planned", "QuestionReader", "Reading", "plan"]
