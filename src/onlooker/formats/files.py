"""Reading and writing whole files: text that is text, and targets that are either the old file or the new one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
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
