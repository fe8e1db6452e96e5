"""Splits SQL into tokens exactly as SQLite does, so that the guard and the database read the same text.

A general SQL parser differs from SQLite in small ways (nested comments, quoting, blob literals), and each difference
is a place to hide something. So the statement is scanned here by SQLite's rules, comments are cut out, and everything
SQLite would read in its own way is refused before any parser sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from onlooker.errors import QueryRefusedError

TokenKind = Literal["space", "comment", "string", "quoted", "blob", "number", "word", "parameter", "operator"]

# Order matters: comments before operators, blob literals before words. SQLite ends an open block comment at the end of
# the text; it does not nest comments.
_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\f\r]+)
    |(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<blob>[xX]'[^']*')
    |(?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![A-Za-z_$]))
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<parameter>\?\d*|:[A-Za-z_][A-Za-z0-9_]*)
    |(?P<operator>\|\||<<|>>|<=|>=|<>|==|!=|[-+*/%=<>&|~(),.;])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its text as written, and `value`: a word in lower case or the inside of quotes."""

    kind: TokenKind
    text: str

    @property
    def value(self) -> str:
        if self.kind == "word":
            return self.text.lower()
        if self.kind in ("string", "quoted"):
            mark = self.text[-1]
            return self.text[1:-1].replace(mark * 2, mark)
        return self.text

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these unquoted words (given in lower case)."""
        return self.kind == "word" and self.value in words

    def is_operator(self, text: str) -> bool:
        return self.kind == "operator" and self.text == text


def scan(sql: str) -> list[Token]:
    """The tokens of one statement, comments and trailing semicolons left out.

    Raises:
        QueryRefusedError: on characters SQLite has no use for (NUL, letters outside ASCII in bare names, `$`, `@`),
            unclosed quotes, blob literals, or more than one statement.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            raise QueryRefusedError(_unreadable(sql, position))
        position = match.end()
        kind: TokenKind = match.lastgroup  # type: ignore[assignment]  # the group names are the kinds
        if kind == "blob":
            raise QueryRefusedError("blob literals (`x'...'`) are refused; write text in single quotes")
        if kind not in ("space", "comment"):
            tokens.append(Token(kind, match.group()))
    while tokens and tokens[-1].is_operator(";"):
        tokens.pop()
    if any(token.is_operator(";") for token in tokens):
        raise QueryRefusedError("more than one statement came; send one SELECT at a time")
    return tokens


def _unreadable(sql: str, position: int) -> str:
    char = sql[position]
    if char in "'\"`[":
        return f"a quote {char} opened at character {position + 1} is never closed"
    if char.isalnum() or not char.isascii():
        return (
            f"unexpected character {char!r} (U+{ord(char):04X}) at {position + 1}; names are plain ASCII letters, and "
            "other text belongs in single quotes"
        )
    return f"unexpected character {char!r} at {position + 1}"


def without_comments(sql: str) -> str:
    """The statement with every comment turned into a space and trailing semicolons and spaces cut off."""

    def keep(match: re.Match[str]) -> str:
        return " " if match.lastgroup == "comment" else match.group()

    # Semicolons inside quotes cannot be last, so cutting them from the end never touches a string.
    return _TOKEN.sub(keep, sql).rstrip("; \t\n\f\r").strip()
