"""Questions answered through a language model: it writes the query, the guard checks it, the rows make the answer.

A reply that is refused or fails goes back to the model with the reason, at most `max_tries` times; then the grammar
answers. A model that cannot be reached hands over at once. The value, the evidence and the words come from the rows by
the rules of `rows_to_answer.py`; a `Narrator` may only reword them (`narrator.py`).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from onlooker.errors import ConfigError, LanguageModelError, QueryError
from onlooker.video.answer import Answer
from onlooker.video.chat.prompting import Proposal, first_messages, read_reply, repair_messages
from onlooker.video.chat.rows_to_answer import Found, answer_from_rows
from onlooker.video.chat.scoping import limit_to_videos

if TYPE_CHECKING:
    from onlooker.video.chat.conversation import Conversation
    from onlooker.video.chat.narrator import Narrator
    from onlooker.video.protocols import LanguageModel
    from onlooker.video.store.reader import Reader

    Fallback = Callable[[Reader, str, tuple[int, ...] | None, Conversation | None], Answer]

_LOG = logging.getLogger(__name__)
_CATEGORIES = (
    "SELECT category, sum(n_tracklets) AS n FROM peaks WHERE category <> '' GROUP BY category ORDER BY n DESC LIMIT 200"
)


class LLMPlanner:
    """Answers with a language model first and the grammar as the safety net.

    `Answer.planner` says who answered: "llm", or "llm->grammar" after the model failed.

    Args:
        language_model: writes the query.
        max_tries: replies asked for before the grammar takes over.
        narrator: rewords the answer; without one the words are ours.
        fallback: answers when the model fails; the grammar by default.
    """

    def __init__(
        self,
        language_model: LanguageModel,
        max_tries: int = 3,
        narrator: Narrator | None = None,
        fallback: Fallback | None = None,
    ) -> None:
        if max_tries < 1:
            raise ConfigError(f"`max_tries` is at least 1, got {max_tries}")
        self._model, self._max_tries = language_model, max_tries
        self._narrator, self._fallback = narrator, fallback

    def answer(
        self,
        reader: Reader,
        question: str,
        scope: tuple[int, ...] | None = None,
        conversation: Conversation | None = None,
    ) -> Answer:
        """Answer from the library.

        Args:
            reader: the guarded connection.
            question: plain language.
            scope: keys of the videos to look at; `None` is all. Held by rewriting the query, whatever the model wrote.
            conversation: what was asked before; updated with this answer.
        """
        try:
            answer = self._ask_model(reader, question, scope, conversation)
        except LanguageModelError as error:
            _LOG.warning("the language model failed, the grammar answers: %s", error)
            return self._by_grammar(reader, question, scope, conversation, str(error))
        except QueryError as error:
            _LOG.info("no usable query in %d tries, the grammar answers: %s", self._max_tries, error)
            reason = f"no usable query in {self._max_tries} tries"
            return self._by_grammar(reader, question, scope, conversation, reason)
        answer = answer if self._narrator is None else self._narrator.reworded(answer)
        if conversation is not None:
            conversation.forget()  # what the grammar took "it" to be is older than this answer
            conversation.answer = answer
        return answer

    def _ask_model(
        self, reader: Reader, question: str, scope: tuple[int, ...] | None, conversation: Conversation | None
    ) -> Answer:
        """The answer of the first reply that holds.

        Raises:
            LanguageModelError: the model cannot be reached or does not reply.
            QueryError: the last reply was refused or failed.
        """
        before = conversation.answer if conversation is not None else None
        messages = first_messages(question, _categories(reader, scope), before)
        problem: QueryError | None = None
        for _ in range(self._max_tries):
            reply = self._model.complete(messages)
            try:
                found = _run(read_reply(reply), reader, scope)
                return answer_from_rows(question, found, reader, planner="llm")
            except QueryError as error:
                problem = error
                messages += repair_messages(reply, str(error))
        assert problem is not None
        raise problem

    def _by_grammar(
        self,
        reader: Reader,
        question: str,
        scope: tuple[int, ...] | None,
        conversation: Conversation | None,
        reason: str,
    ) -> Answer:
        fallback = self._fallback
        if fallback is None:
            from onlooker.video.chat.answering import answer_question

            fallback = answer_question
        answer = fallback(reader, question, scope, conversation)
        note = f"(Answered without the language model: {reason})"
        return dataclasses.replace(answer, planner="llm->grammar", text=f"{answer.text} {note}".strip())


def _categories(reader: Reader, scope: tuple[int, ...] | None) -> list[str]:
    sql = _CATEGORIES if scope is None else limit_to_videos(_CATEGORIES, scope)
    return [str(row[0]) for row in reader.query(sql).rows]


def _run(proposal: Proposal, reader: Reader, scope: tuple[int, ...] | None) -> Found:
    checked = reader.checked(proposal.sql)
    sql = checked.sql if scope is None else limit_to_videos(checked.sql, scope)
    return Found(sql, reader.query(sql), proposal.answer_type, proposal.unit)


class OpenAIChat:
    """A language model behind an OpenAI-compatible endpoint: Ollama, vLLM, llama.cpp, LM Studio or a hosted one.

    Args:
        base_url: for example `http://localhost:11434`; `/v1` is added where no path is given.
        model: the model's name there.
        api_key: needed by hosted endpoints only. Never read from the environment.
        timeout_s: for one reply, from the request to its last byte.
    """

    def __init__(self, base_url: str, model: str, api_key: str | None = None, timeout_s: float = 60.0) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigError(f"expected an address such as http://localhost:11434/v1, got `{base_url}`")
        self._base_url = base_url.rstrip("/") + ("/v1" if parts.path in ("", "/") else "")
        self._model, self._api_key, self._timeout_s = model, api_key, timeout_s

    @property
    def name(self) -> str:
        return self._model

    @property
    def version(self) -> str:
        return urlsplit(self._base_url).netloc

    def complete(self, messages: Iterable[tuple[str, str]], max_tokens: int = 512) -> str:
        """One reply, at temperature 0.

        Raises:
            LanguageModelError: no connection, a time-out, an error status, or a reply without text.
        """
        import openai

        with openai.OpenAI(
            base_url=self._base_url, api_key=self._api_key or "none", timeout=self._timeout_s, max_retries=0
        ) as client:
            try:
                reply = client.chat.completions.create(
                    model=self._model,
                    messages=[{"role": role, "content": text} for role, text in messages],  # type: ignore[misc]
                    temperature=0.0,
                    max_tokens=max_tokens,
                )
            except openai.APITimeoutError as error:
                raise LanguageModelError(f"no reply from {self.version} within {self._timeout_s:g} s") from error
            except openai.APIConnectionError as error:
                raise LanguageModelError(f"{self._base_url} cannot be reached; is the server running?") from error
            except (openai.OpenAIError, ValueError) as error:  # ValueError: the body is not JSON
                raise LanguageModelError(f"{self.version} answered with an error: {_first_line(error)}") from error
        return _text_of(reply, self.version)


def _first_line(error: Exception) -> str:
    lines: Sequence[str] = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _text_of(reply: object, server: str) -> str:
    """The text of the first choice. Servers that are not quite compatible leave parts of the reply out."""
    choices = getattr(reply, "choices", None)
    message = getattr(choices[0], "message", None) if choices else None
    content = getattr(message, "content", None)
    if not isinstance(content, str):
        raise LanguageModelError(f"{server} replied without text; is it an OpenAI-compatible chat endpoint?")
    return content
