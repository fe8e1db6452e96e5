"""Reading JSON that others wrote: every value knows where it stands, so that complaints can say so."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import FormatError
from onlooker.formats.files import is_whole_text
from onlooker.formats.mot import LARGEST_PX

_MOST_DIGITS = 18  # of a whole number that is written as text; ours
_FIRST_TOO_LARGE = 2**63  # for a whole number in a database


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a JSON file and the path to it, as in `truth.json: videos[3].width`."""

    value: object
    where: str
    inside: bool = False  # not the root: further steps are joined by a dot

    @classmethod
    def read(cls, file: Path) -> Node:
        """The root of a JSON file.

        Raises:
            FormatError: it is missing, not text or not JSON; with the line.
        """
        try:
            return cls(json.loads(file.read_text(encoding="utf-8-sig")), str(file))
        except FileNotFoundError as error:
            raise FormatError(f"{file}: does not exist") from error
        except UnicodeDecodeError as error:
            raise FormatError(f"{file}: not a text file (byte {error.start} is not UTF-8)") from error
        except json.JSONDecodeError as error:
            raise FormatError(f"{file}:{error.lineno}: {error.msg} (column {error.colno})") from error
        except RecursionError as error:
            raise FormatError(f"{file}: nested too deeply") from error
        except ValueError as error:  # Python reads no whole number of thousands of digits
            raise FormatError(f"{file}: holds a number that is too long to be one ({error})") from error
        except OSError as error:
            raise FormatError(f"{file}: cannot be read ({error.strerror})") from error

    def wrong(self, expected: str) -> FormatError:
        """The error that says what should have been here."""
        shown = json.dumps(self.value, ensure_ascii=False)
        return FormatError(f"{self.where}: expected {expected}, got {shown[:60]}{'…' if len(shown) > 60 else ''}")

    def get(self, key: str) -> Node | None:
        """The value under `key`; `None` where it is missing or null."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        found = self.value.get(key)
        return None if found is None else Node(found, self.where + ("." if self.inside else ": ") + key, inside=True)

    def field(self, key: str) -> Node:
        """The value under `key`, which must be there."""
        found = self.get(key)
        if found is None:
            raise FormatError(f"{self.where}: `{key}` is missing")
        return found

    def items(self) -> Iterator[Node]:
        """The members of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for place, value in enumerate(self.value):
            yield Node(value, f"{self.where}[{place}]", inside=True)

    def number(self) -> float:
        """A finite number."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self.wrong("a number")
        try:
            number = float(self.value)
        except OverflowError as error:
            raise self.wrong("a number of sane size") from error
        if not math.isfinite(number):
            raise self.wrong("a number")
        return number

    def integer(self) -> int:
        """A whole number; text of digits counts, some tools write ids so."""
        if isinstance(self.value, str) and self.value.isdecimal() and len(self.value) <= _MOST_DIGITS:
            return int(self.value)
        number = self.number()
        if number != int(number):
            raise self.wrong("a whole number")
        # Not by way of the float: ids above 2^53 would run together.
        whole = self.value if isinstance(self.value, int) else int(number)
        if not -_FIRST_TOO_LARGE <= whole < _FIRST_TOO_LARGE:
            raise self.wrong("a whole number of sane size")
        return whole

    def text(self) -> str:
        """Text that is not blank."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong("text")
        if not is_whole_text(self.value):
            raise self.wrong("text of whole characters")
        return self.value.strip()

    def box_xywh(self) -> tuple[float, float, float, float]:
        """`[x, y, width, height]` as `(x1, y1, x2, y2)`."""
        numbers = [item.number() for item in self.items()]
        if len(numbers) != 4 or numbers[2] <= 0 or numbers[3] <= 0:
            raise self.wrong("[x, y, width, height] with a width and a height above 0")
        if max(map(abs, numbers)) > LARGEST_PX:
            raise self.wrong(f"pixels up to {LARGEST_PX:g}")
        x, y, width, height = numbers
        return x, y, x + width, y + height
