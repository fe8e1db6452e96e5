"""The `onlooker` command. Thin: every command reads arguments, calls one library function, prints one value.

Exit codes: 0 ok, 1 failure, 2 usage, 3 nothing found, 130 interrupted.
"""

from __future__ import annotations

import copy
import io
import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command_name

from onlooker import __version__
from onlooker.cli import (
    asking,
    calibrating,
    evaluating,
    exchanging,
    ingesting,
    looking,
    managing,
    methods,
    restoring,
    tracking,
    training,
    verifying,
)
from onlooker.cli.options import note_error
from onlooker.errors import NotAnAnswerError, NothingFoundError, OnlookerError, UnknownNameError

app = typer.Typer(
    name="onlooker",
    help="Ask questions about videos and get answers with proof. Offline, on a CPU.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _part in (
    ingesting,
    asking,
    looking,
    tracking,
    verifying,
    calibrating,
    restoring,
    exchanging,
    managing,
    training,
    evaluating,
    methods,
):
    _part.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"onlooker {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what happens, to standard error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ask questions about videos and get answers with proof. Offline, on a CPU."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )


def main() -> None:
    """Runs the command; an expected error becomes one line on standard error and an exit code."""
    _settle_streams()
    # Its warnings speak to programmers: that a ResNet is untried with Mask2Former alarms who only wants masks.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        _part_for(sys.argv[1:])(prog_name="onlooker")
    except OnlookerError as error:
        note_error(error)
        wrong_use = isinstance(error, UnknownNameError | NotAnAnswerError)
        sys.exit(3 if isinstance(error, NothingFoundError) else 2 if wrong_use else 1)
    except OSError as error:
        # A place that cannot be read or written, a name that is too long: the user's to mend, not ours.
        note_error(error)
        sys.exit(1)


def _part_for(words: Sequence[str]) -> typer.Typer:
    """The application with only the command that is called: to read the signatures of all takes a third of a start.

    With all of them where an option comes first, for the list in the help, or no such command is there, for the
    nearest name.
    """
    called = words[0] if words else ""
    part = copy.copy(app)
    part.registered_commands = [
        command
        for command in app.registered_commands
        if called == (command.name or get_command_name(command.callback.__name__ if command.callback else ""))
    ]
    part.registered_groups = [group for group in app.registered_groups if called == group.name]
    return part if part.registered_commands or part.registered_groups else app


def _settle_streams() -> None:
    """Pipes speak UTF-8 whatever the locale, and broken bytes that are piped in are no reason to stop."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors=errors)
