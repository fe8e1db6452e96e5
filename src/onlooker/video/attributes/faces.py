"""Which of the faces found near somebody is theirs.

The box of a person often holds a second face: somebody behind, or in front. A face goes to the one whose head it most
likely is, and to nobody where another one is as likely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from onlooker.types import BoxXYXY, Image
from onlooker.video.attributes.looks import cut, widened
from onlooker.video.protocols import FaceFinder

# Ours. Detectors cut hair off, so a head may lie a little outside its box.
_AROUND = 1.15
_HEAD_AT = 0.1  # where the middle of a head is expected, in shares of the box's height from its top
_CLEARLY = 0.8  # another one is less likely when its distance times this is still more


def find_face(image: Image, body: BoxXYXY, others: Sequence[BoxXYXY], finder: FaceFinder) -> BoxXYXY | None:
    """The box of the face of somebody; `None` where none is found that is theirs.

    Args:
        image: (H, W, 3) uint8, the whole frame.
        body: the box of that person.
        others: the boxes of all others on the frame.
        finder: looks for faces in the cut around `body`.
    """
    picture, (x, y) = cut(image, widened(body, _AROUND))
    (found,) = finder.find([picture])
    faces = [(x1 + x, y1 + y, x2 + x, y2 + y) for x1, y1, x2, y2 in found.boxes_xyxy_px.tolist()]
    own = [(distance, face) for face in faces if (distance := _head_distance(face, body)) is not None]
    for distance, face in sorted(own):
        rivals = (_head_distance(face, other) for other in others)
        if all(rival is None or rival * _CLEARLY > distance for rival in rivals):
            return face
    return None


def _head_distance(face: BoxXYXY, body: BoxXYXY) -> float | None:
    """From the middle of a face to where the head of a body is expected, in heights of the body; `None` outside it."""
    left, top, right, bottom = widened(body, _AROUND)
    x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    if not (left <= x < right and top <= y < bottom):
        return None
    height = body[3] - body[1]
    return math.hypot(x - (body[0] + body[2]) / 2, y - (body[1] + _HEAD_AT * height)) / max(height, 1.0)
