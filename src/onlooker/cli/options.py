"""Options that several commands share, and how results reach the terminal.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

LibraryPath = Annotated[
    Path, typer.Option("--library", "-l", envvar="ONLOOKER_LIBRARY", help="The library file.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object (or one per line).")]
Videos = Annotated[
    list[str] | None, typer.Option("--video", "-v", metavar="NAME", help="Only this video; may be repeated.")
]
Profile = Annotated[str, typer.Option(help="Which set of models fills the roles: bundled or hub.")]
SetRole = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="ROLE=NAME[:KEY=VALUE,...]", help="Pick one model for a role; may be repeated."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Refuse any network access.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or mps, for models that take one.")]

DEFAULT_LIBRARY = Path("library.onlooker")
_PIPED_WIDTH = 100_000  # wider than any row: what is piped is cut nowhere


def emit(text: str) -> None:
    """A result, to standard output."""
    # A file name or argument of broken bytes holds half characters, which no encoding takes: they go out as escapes.
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


def emit_json(value: object) -> None:
    """One JSON value on one line, to standard output."""
    emit(json.dumps(value, ensure_ascii=False))


def note(text: str) -> None:
    """Anything that is not a result, to standard error."""
    sys.stderr.write(text + "\n")


def emit_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows as aligned text: full when piped, cut to the window on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Text objects: what was read in a video must not be taken for markup.
        table.add_row(*(Text("" if cell is None else _show(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)


def _show(cell: object) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else printable(str(cell))


def printable(text: str) -> str:
    """Text from a video or a user on one line, without control characters that a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def printable_lines(text: str) -> str:
    """The same for text of our own wording, which may have several lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def note_error(error: Exception) -> None:
    """What went wrong, as one line to standard error."""
    said = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        said = f"`{os.fsdecode(error.filename)}`: {error.strerror}"
    note(f"error: {printable(said)}")
