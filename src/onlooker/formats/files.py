"""Reading and writing whole files: text that is text, and targets that are either the old file or the new one.

Annotation files come from other people, and so do the names of pictures in them: `check_inside` keeps such names from
leading out of the folders they may lie in.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from onlooker.errors import ConfigError, FormatError


def read_text(file: Path) -> str:
    """A whole text file.

    Raises:
        FormatError: it is missing, unreadable or not UTF-8 text.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise FormatError(f"{file}: does not exist") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{file}: not a text file (byte {error.start} is not UTF-8)") from error
    except OSError as error:
        raise FormatError(f"{file}: cannot be read ({error.strerror})") from error


def is_whole_text(text: str) -> bool:
    """Whether text can be stored: half a character cannot (an escape of JSON may give one, or a file name's bytes)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def visible(paths: Iterable[Path]) -> list[Path]:
    """Those that are not hidden, sorted: macOS leaves a `._a.txt` beside an `a.txt`, and a `.DS_Store` in a folder."""
    return sorted(path for path in paths if not path.name.startswith("."))


def portable_name(name: str) -> str | None:
    """A file's name with `/` between its parts, as files made on Windows may not have it.

    `None` for what names no file in a folder: a share in a network, which to look at is to log in to, or half a name.
    """
    plain = name.replace("\\", "/")
    return None if "\0" in plain or plain.startswith("//") else plain


def check_inside(files: Iterable[Path], folders: Sequence[Path], where: str, remedy: str) -> None:
    """Whether files that somebody else's file names lie in folders that were given, symbolic links followed.

    Args:
        folders: where they may lie, the first for the message. Given by the user: may be links themselves.
        where: the place that names the files.
        remedy: what to do, for the message.

    Raises:
        FormatError: one lies elsewhere.
    """
    allowed = [Path(os.path.realpath(folder)) for folder in folders]
    parents: dict[Path, Path] = {}
    for file in files:
        if file.parent not in parents:
            parents[file.parent] = Path(os.path.realpath(file.parent))
        real = parents[file.parent] / file.name
        if file.name in ("", "..") or real.is_symlink():
            real = Path(os.path.realpath(file))
        if not any(real.is_relative_to(folder) for folder in allowed):
            raise FormatError(f"{where}: leads to `{real}`, expected a place inside `{folders[0]}`; {remedy}")


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A path to write to; when the block ends well the file is put in place of `target`, else it is removed.

    Raises:
        ConfigError: `target` is a folder.
    """
    if target.is_dir():
        raise ConfigError(f"`{target}` is a folder; give the name of a file")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        part = Path(folder) / target.name
        yield part
        part.replace(target)


def write_text(target: Path, text: str) -> Path:
    """Write UTF-8 text so that `target` is either the old file or the new one, whole."""
    with atomic_path(target) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return target


def number_text(value: float) -> str:
    """A number as short text, exact to 1e-6: `100.1`, not `100.10000000000002`."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
