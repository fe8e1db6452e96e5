"""The exception tree. Every error a user can cause derives from `OnlookerError`.

OnlookerError
├── MediaError              a file could not be used as a video
│   ├── NotAVideoError      no decodable video stream (text file, audio only, empty file)
│   └── DecodeError         the stream broke before a single frame came out
├── ShapeError              an array has the wrong shape, dtype or range
├── ConfigError             a setting or recipe is unknown or out of range
├── UnknownNameError        a name is not in a table; carries the nearest known ones
├── WeightsError            weights are missing, altered or do not fit
├── MissingExtraError       an optional dependency is not installed
├── TrainingError           a run cannot go on: a loss that is no number, a checkpoint that cannot be written or read
├── LibraryError            the library file cannot be used
│   ├── LibraryBusyError    another process holds the write lock for too long
│   ├── StorageFullError    the disk is full; the transaction was rolled back
│   └── SchemaError         the file was written by a newer version or is not a library
├── QueryError              a query was refused or failed
│   ├── QueryRefusedError   not a single read of allowed views
│   └── QueryLimitError     over the time, row or byte limit
├── LanguageModelError      a language model could not be reached or did not reply
├── FormatError             an annotation file to import is malformed
│   └── NotAnAnswerError    a file to verify is no answer as `ask --json` writes it
└── NothingFoundError       the request was fine and there is nothing to return
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OnlookerError(Exception):
    """Base of all errors raised on purpose by this package."""


class MediaError(OnlookerError):
    """A file could not be used as a video."""


class NotAVideoError(MediaError):
    """The file holds no decodable video stream."""


class DecodeError(MediaError):
    """The video stream broke before a single frame could be decoded."""


class ShapeError(OnlookerError, ValueError):
    """An array has the wrong shape, dtype or range."""


class ConfigError(OnlookerError, ValueError):
    """A setting is unknown or out of range."""


class WeightsError(OnlookerError):
    """Weights are missing, altered or do not fit the network."""


class MissingExtraError(OnlookerError, ImportError):
    """An optional dependency is needed; the message names the extra to install."""


class TrainingError(OnlookerError):
    """A training run cannot go on; what was written before is kept."""


class LibraryError(OnlookerError):
    """The library file cannot be used."""


class LibraryBusyError(LibraryError):
    """Another process kept the write lock for longer than the time-out."""


class StorageFullError(LibraryError):
    """The disk is full. The transaction was rolled back; nothing earlier is lost."""


class SchemaError(LibraryError):
    """The file is not a library, or was written by a newer version."""


class QueryError(OnlookerError):
    """A query was refused or failed."""


class QueryRefusedError(QueryError):
    """The statement is not a single read of allowed views and functions."""


class QueryLimitError(QueryError):
    """The query ran over its time, row or byte limit and was stopped."""


class LanguageModelError(OnlookerError):
    """A language model behind an endpoint could not be reached, took too long, or replied without text."""


class FormatError(OnlookerError, ValueError):
    """An annotation file does not follow its format; the message says where."""


class NotAnAnswerError(FormatError):
    """What should be verified is not an answer: nothing can be said about whether it stands."""


class NothingFoundError(OnlookerError, LookupError):
    """The request was well formed and nothing matches it."""


class UnknownNameError(OnlookerError, LookupError):
    """A name is not in a table of known names.

    Args:
        kind: what the name should have been, for the message ("method", "video").
        name: what came.
        known: every name that would have been accepted.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        self.nearest = tuple(difflib.get_close_matches(str(name), self.known, n=3, cutoff=0.5))
        if self.nearest:
            hint = "did you mean " + " or ".join(f"`{n}`" for n in self.nearest) + "?"
        elif self.known:
            shown = ", ".join(f"`{n}`" for n in self.known[:8])
            hint = f"known: {shown}" + (", ..." if len(self.known) > 8 else "")
        else:
            hint = "there are none yet"
        super().__init__(f"unknown {kind} `{name}`; {hint}")
