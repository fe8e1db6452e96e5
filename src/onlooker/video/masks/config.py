"""How masks are made from boxes."""

from __future__ import annotations

from dataclasses import dataclass

from onlooker.errors import ConfigError


@dataclass(frozen=True, slots=True)
class MaskConfig:
    """All values are ours; results are keyed by them.

    Attributes:
        least_overlap: a followed mask whose own box overlaps the tracker's detected box less than this (intersection
            over union) is wrong, and the object is shown anew from that box. 0 never corrects.
        max_objects: objects followed at the same time. The largest come first; the others get, frame by frame, the
            mask that their box alone gives.
        hold_s: an object without a box is still followed this long; after that its next box starts it anew.
    """

    least_overlap: float = 0.5
    max_objects: int = 32
    hold_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.least_overlap <= 1:
            raise ConfigError(f"`least_overlap` lies between 0 and 1, got {self.least_overlap}")
        if self.max_objects < 1:
            raise ConfigError(f"`max_objects` is at least 1, got {self.max_objects}")
        if not 0 <= self.hold_s < float("inf"):
            raise ConfigError(f"`hold_s` is a number of seconds, got {self.hold_s}")
