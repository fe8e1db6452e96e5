"""What follows things that were pointed at. `following` knows this and nothing else about who does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from onlooker.types import BoxXYXY, Detections, Frame
from onlooker.video.following.values import FollowedTrack


@runtime_checkable
class BoxFollower(Protocol):
    """Follows given boxes through one video; make a new one for the next.

    `start` is called once, then `update` with every later frame in order, then `finish`.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def gives_masks(self) -> bool: ...

    def start(self, frame: Frame, boxes: Mapping[int, BoxXYXY], found: Detections | None) -> None:
        """The frame on which the things are shown.

        Args:
            boxes: by number, inside the frame.
            found: what a detector sees on it; `None` without one.
        """
        ...

    def update(self, frame: Frame, new_shot: bool, found: Detections | None) -> None:
        """The next frame.

        Args:
            found: what a detector saw on it, where one looked at it anyway.
        """
        ...

    def finish(self) -> Mapping[int, FollowedTrack]:
        """Number -> track, from the first frame on."""
        ...


@runtime_checkable
class FollowsBoxes(Protocol):
    """A tracker (role `tracker`) that can follow given boxes, too, with the same network."""

    def box_follower(self) -> BoxFollower:
        """A follower for the same video as the tracker's."""
        ...


@runtime_checkable
class KeepsMasks(Protocol):
    """A tracker that can tell the masks of its tracklets, too, when it is asked to before the first frame."""

    @property
    def gives_masks(self) -> bool: ...
    def keep_masks(self) -> None: ...
    def masks(self) -> Mapping[int, Mapping[int, bytes]]:
        """After `finish`: number of a tracklet -> index of a frame -> compressed run lengths."""
        ...


@runtime_checkable
class NamesCategories(Protocol):
    """A tracker that says which categories it knows."""

    @property
    def categories(self) -> tuple[str, ...]: ...
