"""Everything a page, a sheet or an annotated video shows of one video, read from the store in a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, Table, select

from onlooker.types import BoxXYXY, Gap, Shot, SoundSegment, SpeechSegment
from onlooker.video.report.verdicts import ShownVerdict, load_verdicts
from onlooker.video.store.schema import (
    ATTRIBUTES,
    BOXES,
    FRAMES,
    GAPS,
    PICTURES,
    SCREEN_TEXT,
    SHOTS,
    SOUNDS,
    SPEECH,
    TRACKLETS,
)
from onlooker.video.store.videos import StoredVideo, get_video

Floats = NDArray[np.float64]
_TAGS_SHOWN = 5  # ours: more than a handful of tags is noise on a page


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG kept from the decode: the crop of a tracklet or a whole frame. Size in pixels of the picture."""

    t: float
    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Boxes on looked-at frames in a row: between two of them a box may be interpolated, between two stretches not.

    `times_s` (N,) increasing, `boxes_xyxy_px` (N, 4), N >= 1.
    """

    times_s: Floats
    boxes_xyxy_px: Floats

    @property
    def start_s(self) -> float:
        return float(self.times_s[0])

    @property
    def end_s(self) -> float:
        return float(self.times_s[-1])


@dataclass(frozen=True, slots=True)
class ScreenText:
    """Words seen, where and for how long. `tracklet` is the number of the one that carries them."""

    start_s: float
    end_s: float
    text: str
    score: float
    box_xyxy_px: BoxXYXY
    tracklet: int | None


@dataclass(frozen=True, slots=True)
class ShownTracklet:
    """One tracklet as people see it; `stretches` hold all of its boxes, in time order.

    `carried_s` (N,) are the times of those boxes that no detector saw: carried between two detections.
    """

    number: int
    label: str | None
    category: str
    category_score: float
    t_start: float
    t_end: float
    visible_s: float
    identity: float
    speed_px_s: float
    direction: str
    colors: tuple[str, ...]
    appearance: str | None
    motion: str | None
    tags: tuple[str, ...]
    gaps: tuple[Gap, ...]
    stretches: tuple[Stretch, ...]
    carried_s: Floats
    crop: Picture | None
    verdict: ShownVerdict | None = None

    @property
    def title(self) -> str:
        """`3 person`, or with a given name `3 Anna`."""
        return f"{self.number} {self.label or self.category}"

    def box_at(self, t: float, slack_s: float) -> BoxXYXY | None:
        """The box at a time, interpolated inside a stretch; `None` where the tracklet is not visible.

        Args:
            t: seconds.
            slack_s: how far beyond an end of a stretch its last box still holds (half a frame interval).
        """
        for stretch in self.stretches:
            if stretch.start_s - slack_s <= t <= stretch.end_s + slack_s:
                edges = [float(np.interp(t, stretch.times_s, stretch.boxes_xyxy_px[:, edge])) for edge in range(4)]
                return (edges[0], edges[1], edges[2], edges[3])
        return None


@dataclass(frozen=True, slots=True)
class VideoData:
    """One video with all that is shown of it.

    Attributes:
        duration_s: length; where the container did not say, up to the last frame looked at.
        interval_s: typical time between two looked-at frames.
    """

    video: StoredVideo
    duration_s: float
    interval_s: float
    shots: tuple[Shot, ...]
    tracklets: tuple[ShownTracklet, ...]
    speech: tuple[SpeechSegment, ...]
    screen_text: tuple[ScreenText, ...]
    sounds: tuple[SoundSegment, ...]
    keyframes: tuple[Picture, ...]


def load_video(connection: Connection, video_id: int) -> VideoData:
    """Reads one video from base tables.

    Args:
        connection: from `Store.read()`.
        video_id: key of the video.

    Raises:
        LibraryError: the library holds no such video.
    """
    video = get_video(connection, video_id)
    times = np.array([row["t"] for row in _rows(connection, FRAMES, video_id)], np.float64)
    interval_s = float(np.median(np.diff(times))) if len(times) > 1 else 0.04
    shots = tuple(Shot(row["start_s"], row["end_s"]) for row in _rows(connection, SHOTS, video_id))
    ends = [video.duration_s or 0.0, video.decoded_until_s or 0.0, float(times[-1]) if len(times) else 0.0]
    tracklets = _tracklets(connection, video_id, times)
    numbers = {row["id"]: row["number"] for row in _rows(connection, TRACKLETS, video_id)}
    return VideoData(
        video=video,
        duration_s=ends[0] or max(ends),
        interval_s=interval_s,
        shots=shots,
        tracklets=tracklets,
        speech=tuple(
            SpeechSegment(row["start_s"], row["end_s"], row["text"], row["confidence"])
            for row in _rows(connection, SPEECH, video_id)
        ),
        screen_text=tuple(_screen_text(row, numbers) for row in _rows(connection, SCREEN_TEXT, video_id)),
        sounds=tuple(
            SoundSegment(row["start_s"], row["end_s"], row["label"], row["score"], row["level_db"])
            for row in _rows(connection, SOUNDS, video_id)
        ),
        keyframes=_keyframes(connection, video_id),
    )


_ORDER = {
    FRAMES.name: (FRAMES.c.t,),
    SHOTS.name: (SHOTS.c.number,),
    TRACKLETS.name: (TRACKLETS.c.number,),
    SPEECH.name: (SPEECH.c.start_s, SPEECH.c.id),
    SCREEN_TEXT.name: (SCREEN_TEXT.c.start_s, SCREEN_TEXT.c.id),
    SOUNDS.name: (SOUNDS.c.start_s, SOUNDS.c.id),
}


def _rows(connection: Connection, table: Table, video_id: int) -> Sequence[RowMapping]:
    query = select(table).where(table.c.video_id == video_id).order_by(*_ORDER[table.name])
    return connection.execute(query).mappings().all()


def _screen_text(row: RowMapping, numbers: Mapping[int, int]) -> ScreenText:
    box = (row["x1"], row["y1"], row["x2"], row["y2"])
    carrier = numbers.get(row["tracklet_id"]) if row["tracklet_id"] is not None else None
    return ScreenText(row["start_s"], row["end_s"], row["text"], row["score"], box, carrier)


def _keyframes(connection: Connection, video_id: int) -> tuple[Picture, ...]:
    query = (
        select(PICTURES.c.t, PICTURES.c.jpeg, PICTURES.c.width, PICTURES.c.height)
        .where(PICTURES.c.video_id == video_id, PICTURES.c.kind == "keyframe")
        .order_by(PICTURES.c.t)
    )
    return tuple(Picture(*row) for row in connection.execute(query))


def _tracklets(connection: Connection, video_id: int, frame_times: Floats) -> tuple[ShownTracklet, ...]:
    boxes = _boxes(connection, video_id)
    crops = _best_crops(connection, video_id)
    tags = _tags(connection, video_id)
    verdicts = load_verdicts(connection, video_id)
    gaps: defaultdict[int, list[Gap]] = defaultdict(list)
    query = select(GAPS).join(TRACKLETS).where(TRACKLETS.c.video_id == video_id).order_by(GAPS.c.start_s)
    for row in connection.execute(query).mappings():
        gaps[row["tracklet_id"]].append(Gap(row["start_s"], row["end_s"], row["kind"], row["probability"]))
    return tuple(
        ShownTracklet(
            number=row["number"],
            label=row["label"],
            category=row["category"],
            category_score=row["category_score"],
            t_start=row["t_start"],
            t_end=row["t_end"],
            visible_s=row["visible_s"],
            identity=row["identity"],
            speed_px_s=row["speed_px_s"],
            direction=row["direction"],
            colors=_colors(row),
            appearance=row["appearance"],
            motion=row["motion"],
            tags=tuple(tags.get(row["id"], ())),
            gaps=tuple(gaps.get(row["id"], ())),
            stretches=split_stretches(*boxes[row["id"]][:2], frame_times),
            carried_s=boxes[row["id"]][2],
            crop=crops.get(row["id"]),
            verdict=verdicts.get(row["id"]),
        )
        for row in _rows(connection, TRACKLETS, video_id)
        if row["id"] in boxes
    )


def _colors(row: RowMapping) -> tuple[str, ...]:
    """Main colour; for persons what the upper and the lower body wear, where these differ."""
    upper, lower = row["upper_color"], row["lower_color"]
    if upper is None and lower is None:
        return (row["color"],) if row["color"] else ()
    if upper == lower:
        return (upper,)
    return tuple(f"{part} {colour}" for part, colour in (("upper", upper), ("lower", lower)) if colour)


def _boxes(connection: Connection, video_id: int) -> dict[int, tuple[Floats, Floats, Floats]]:
    """By tracklet key: times (N,), boxes (N, 4) and the times of those that no detector saw."""
    edges = (BOXES.c.x1, BOXES.c.y1, BOXES.c.x2, BOXES.c.y2)
    query = (
        select(BOXES.c.tracklet_id, BOXES.c.t, *edges, BOXES.c.detected)
        .join(TRACKLETS)
        .where(TRACKLETS.c.video_id == video_id)
        .order_by(BOXES.c.tracklet_id, BOXES.c.t)
    )
    table = np.array(connection.execute(query).all(), np.float64).reshape(-1, 7)
    if not len(table):
        return {}
    starts = np.flatnonzero(np.diff(table[:, 0])) + 1
    parts = np.split(table, starts)
    return {int(part[0, 0]): (part[:, 1], part[:, 2:6], part[part[:, 6] == 0, 1]) for part in parts}


def _best_crops(connection: Connection, video_id: int) -> dict[int, Picture]:
    query = (
        select(PICTURES.c.tracklet_id, PICTURES.c.t, PICTURES.c.jpeg, PICTURES.c.width, PICTURES.c.height)
        .where(PICTURES.c.video_id == video_id, PICTURES.c.kind == "crop", PICTURES.c.tracklet_id.is_not(None))
        .order_by(PICTURES.c.quality.desc(), PICTURES.c.id)
    )
    best: dict[int, Picture] = {}
    for key, *picture in connection.execute(query):
        best.setdefault(key, Picture(*picture))
    return best


def _tags(connection: Connection, video_id: int) -> dict[int, list[str]]:
    query = (
        select(ATTRIBUTES.c.tracklet_id, ATTRIBUTES.c.value)
        .where(ATTRIBUTES.c.video_id == video_id, ATTRIBUTES.c.name == "tag", ATTRIBUTES.c.tracklet_id.is_not(None))
        .order_by(ATTRIBUTES.c.score.desc(), ATTRIBUTES.c.id)
    )
    found: defaultdict[int, list[str]] = defaultdict(list)
    for key, value in connection.execute(query):
        if len(found[key]) < _TAGS_SHOWN and value not in found[key]:
            found[key].append(value)
    return found


def split_stretches(times_s: Floats, boxes_xyxy_px: Floats, frame_times_s: Floats) -> tuple[Stretch, ...]:
    """Boxes cut wherever a looked-at frame between two of them has none.

    Args:
        times_s: (N,) increasing times of the boxes, N >= 1.
        boxes_xyxy_px: (N, 4).
        frame_times_s: (M,) increasing times of all frames that were looked at.
    """
    places = np.searchsorted(frame_times_s, times_s - 1e-6)
    cuts = np.flatnonzero(np.diff(places) > 1) + 1
    parts = zip(np.split(times_s, cuts), np.split(boxes_xyxy_px, cuts), strict=True)
    return tuple(Stretch(times, boxes) for times, boxes in parts)


def thin(stretch: Stretch, tolerance_px: float) -> Stretch:
    """As few of a stretch's boxes as keep every left-out edge within `tolerance_px` of its interpolation."""
    times, boxes = stretch.times_s, stretch.boxes_xyxy_px
    keep = np.zeros(len(times), np.bool_)
    keep[[0, -1]] = True
    open_parts = [(0, len(times) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        share = (times[inner] - times[first]) / (times[last] - times[first])
        line = boxes[first] + share[:, None] * (boxes[last] - boxes[first])
        errors = np.abs(boxes[inner] - line).max(axis=1)
        worst = int(errors.argmax())
        if errors[worst] > tolerance_px:
            middle = first + 1 + worst
            keep[middle] = True
            open_parts += [(first, middle), (middle, last)]
    return Stretch(times[keep], boxes[keep])
