"""Why a moment of a tracklet was not judged: the words that are stored, and that answers, sheets and pages repeat."""

from __future__ import annotations

NO_FINDER = "no face found: no face finder is set"
NO_FACE = "no face found"
NOT_A_PERSON = "not a person: the judge looks at faces"
NOT_READ = "the frame could not be read"
NO_PICTURES = "the pictures of the video are not at hand"


def too_small(what: str, smallest_px: int) -> str:
    """ "The face is smaller than 64 px"."""
    return f"{what} is smaller than {smallest_px} px"
