"""Who is who from one looked-at frame to the next: tracklets of a library, or faces linked by overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from onlooker.types import BoxXYXY
from onlooker.video.authenticity.verdict import Curve

_LEAST_OVERLAP = 0.3  # ours: a face seldom moves by more between two looks a second apart
FRAMES = "frames"
"""The label of the curve of whole frames."""
_MOST_MISSED = 2  # looks a face may be away


class Seen(NamedTuple):
    """Something at one moment: `number` tells it from others, `label` says what it is; `tracklet` of a library."""

    number: int
    label: str
    box_xyxy_px: BoxXYXY
    tracklet: int | None


@dataclass(slots=True)
class _Link:
    number: int
    box: BoxXYXY
    missed: int = 0


class FaceLinker:
    """Gives faces the number they had at the look before, by overlap; the best pairs first."""

    def __init__(self) -> None:
        self._links: list[_Link] = []
        self._n = 0

    def link(self, boxes: Sequence[BoxXYXY]) -> list[Seen]:
        """Faces of the next look, in the order of `boxes`."""
        pairs = sorted(
            ((overlap(link.box, box), i, j) for i, link in enumerate(self._links) for j, box in enumerate(boxes)),
            reverse=True,
        )
        mine: dict[int, _Link] = {}
        taken: set[int] = set()
        for shared, i, j in pairs:
            if shared >= _LEAST_OVERLAP and i not in taken and j not in mine:
                mine[j] = self._links[i]
                taken.add(i)
        for i, link in enumerate(self._links):
            link.missed = 0 if i in taken else link.missed + 1
        self._links = [link for link in self._links if link.missed <= _MOST_MISSED]
        for j, box in enumerate(boxes):
            if j not in mine:
                self._n += 1
                mine[j] = _Link(self._n, box)
                self._links.append(mine[j])
            mine[j].box = box
        return [Seen(mine[j].number, f"face {mine[j].number}", box, None) for j, box in enumerate(boxes)]


def overlap(first: BoxXYXY, second: BoxXYXY) -> float:
    """Intersection over union."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / (areas[0] + areas[1] - width * height)


def owner_of(face: BoxXYXY, tracklets: Sequence[Seen]) -> Seen | None:
    """The smallest tracklet's box that holds the middle of a face."""
    x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    around = [t for t in tracklets if _holds(t.box_xyxy_px, x, y)]
    return min(around, key=lambda t: _area(t.box_xyxy_px), default=None)


def _holds(box: BoxXYXY, x: float, y: float) -> bool:
    return box[0] <= x < box[2] and box[1] <= y < box[3]


def _area(box: BoxXYXY) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


@dataclass(slots=True)
class CurveBook:
    """Collects probabilities of things through time; one curve per judge and thing."""

    _rows: dict[tuple[str, str, int | None], list[tuple[float, float, BoxXYXY | None]]] = field(default_factory=dict)

    def add(self, judge: str, thing: Seen | None, time_s: float, probability: float) -> None:
        """What a judge (`name@version`) said of a thing, or of the whole frame (`None`); of a thing judged twice at one
        time the higher counts."""
        label, tracklet, box = FRAMES, None, None
        if thing is not None:
            label, tracklet, box = thing.label, thing.tracklet, thing.box_xyxy_px
        rows = self._rows.setdefault((judge, label, tracklet), [])
        if rows and rows[-1][0] == time_s:
            if probability > rows[-1][1]:
                rows[-1] = (time_s, probability, box)
            return
        rows.append((time_s, probability, box))

    def curves(self) -> tuple[Curve, ...]:
        """Whole frames first, then things in the order they appeared."""
        made = []
        for (judge, label, tracklet), rows in self._rows.items():
            boxes = tuple(box for _, _, box in rows if box is not None)
            times, probabilities = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
            made.append(Curve(label, judge, times, probabilities, tracklet, boxes if len(boxes) == len(rows) else ()))
        return tuple(sorted(made, key=lambda curve: curve.label != FRAMES))
