"""Words seen on keyframes, joined over consecutive ones, with the tracklet that bears them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from onlooker.types import BoxXYXY, TextRegion
from onlooker.video.attributes.pictures import Picture, count_pictures, load_pictures
from onlooker.video.attributes.registry import AnnotatorSpec, Context, ModelHandle, Output, Row, clean_text
from onlooker.video.protocols import TextReader
from onlooker.video.store import schema

_SAME_TEXT = 0.8  # similarity of readings of the same words (ours)
_SAME_PLACE = 0.3  # box overlap that lets less similar readings be the same words (ours)
_ALIKE_IN_PLACE = 0.6
_HELD_BY = 0.8  # share of the text box that must lie inside a tracklet's box (ours)
_LONGEST_HOLD_S = 2.0  # a keyframe vouches for text at most this long after it (ours)
_NEAR_S = 1.0


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Words on screen from `start_s` to `end_s`; text, score and box are of the surest reading, at `best_s`."""

    text: str
    score: float
    box_xyxy_px: BoxXYXY
    start_s: float
    end_s: float
    best_s: float


class ScreenText:
    """Words seen on keyframes, into `base_screen_text`."""

    def __init__(self, model: ModelHandle[TextReader]) -> None:
        self._model = model

    @property
    def spec(self) -> AnnotatorSpec:
        model = self._model
        return AnnotatorSpec(
            "screen_text", "1", "keyframe", tables=(schema.SCREEN_TEXT,), role=model.role, model=model.fingerprint
        )

    def run(self, context: Context) -> Output:
        total = count_pictures(context.store, context.video.id, "keyframe")
        if total == 0:
            return Output()
        reader = self._model.get()
        readings: list[tuple[float, list[TextRegion]]] = []
        for pictures in load_pictures(context.store, context.video.id, "keyframe", 8):
            for picture in pictures:
                readings.append((picture.time_s, _read(reader, picture)))
                context.report(len(readings), total)
        end_s = context.video.duration_s or context.video.decoded_until_s
        rows = [_row(span, _holder(context, span)) for span in text_spans(readings, end_s)]
        return Output({schema.SCREEN_TEXT: rows})


def _read(reader: TextReader, picture: Picture) -> list[TextRegion]:
    """Regions in pixels of the full frame; pictures may have been kept smaller."""
    x1, y1, x2, y2 = picture.box_xyxy_px
    sx, sy = (x2 - x1) / picture.image.shape[1], (y2 - y1) / picture.image.shape[0]
    found = []
    for region in reader.read(picture.image):
        text = clean_text(region.text, 300)
        if any(c.isalnum() for c in text):
            a, b, c, d = region.box_xyxy_px
            found.append(replace(region, text=text, box_xyxy_px=(a * sx, b * sy, c * sx, d * sy)))
    return found


def text_spans(readings: Sequence[tuple[float, Sequence[TextRegion]]], end_s: float | None) -> list[TextSpan]:
    """Join readings of the same words on consecutive keyframes.

    Args:
        readings: (time, regions) of every keyframe in time order. Words last until the next keyframe, or for two
            seconds where that is sooner.
        end_s: end of the video, where known.
    """
    closed: list[TextSpan] = []
    current: list[TextSpan] = []
    for index, (time_s, regions) in enumerate(readings):
        following = readings[index + 1][0] if index + 1 < len(readings) else (end_s or time_s)
        hold = max(time_s, min(following, time_s + _LONGEST_HOLD_S))
        waiting, following_spans = list(current), []
        for region in regions:
            match = max(waiting, key=lambda span: _likeness(span, region), default=None)
            if match is not None and _likeness(match, region) > 0:
                waiting.remove(match)
                following_spans.append(_extended(match, region, time_s, hold))
            else:
                following_spans.append(TextSpan(region.text, region.score, region.box_xyxy_px, time_s, hold, time_s))
        closed += waiting
        current = following_spans
    return sorted(closed + current, key=lambda span: (span.start_s, span.box_xyxy_px[1], span.box_xyxy_px[0]))


def _likeness(span: TextSpan, region: TextRegion) -> float:
    """Above 0 when the region shows the span's words again; the larger the surer."""
    likeness = difflib.SequenceMatcher(None, span.text.casefold(), region.text.casefold(), autojunk=False).ratio()
    overlap = box_iou(span.box_xyxy_px, region.box_xyxy_px)
    same = likeness >= _SAME_TEXT or (likeness >= _ALIKE_IN_PLACE and overlap >= _SAME_PLACE)
    return likeness + overlap if same else 0.0


def _extended(span: TextSpan, region: TextRegion, time_s: float, hold_s: float) -> TextSpan:
    if region.score > span.score:
        return TextSpan(region.text, region.score, region.box_xyxy_px, span.start_s, hold_s, time_s)
    return replace(span, end_s=hold_s)


def box_iou(a: BoxXYXY, b: BoxXYXY) -> float:
    """Intersection over union of two boxes."""
    shared = _shared(a, b)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0 else 0.0


def _shared(a: BoxXYXY, b: BoxXYXY) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


def _area(box: BoxXYXY) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _holder(context: Context, span: TextSpan) -> int | None:
    """The tracklet whose box holds the words when they were read; the smallest of several."""
    b, k = schema.BOXES.c, schema.TRACKLETS.c
    x1, y1, x2, y2 = span.box_xyxy_px
    query = (
        select(k.id, b.t, b.x1, b.y1, b.x2, b.y2)
        .join_from(schema.BOXES, schema.TRACKLETS, k.id == b.tracklet_id)
        .where(k.video_id == context.video.id, k.t_start <= span.best_s + _NEAR_S, k.t_end >= span.best_s - _NEAR_S)
        .where(b.t.between(span.best_s - _NEAR_S, span.best_s + _NEAR_S), b.x1 < x2, b.x2 > x1, b.y1 < y2, b.y2 > y1)
    )
    with context.store.read() as connection:
        rows = connection.execute(query).all()
    nearest: dict[int, tuple[float, BoxXYXY]] = {}
    for key, t, *box in rows:
        off = abs(t - span.best_s)
        if key not in nearest or off < nearest[key][0]:
            nearest[key] = (off, (box[0], box[1], box[2], box[3]))
    needed = _HELD_BY * _area(span.box_xyxy_px)
    holding = [(_area(box), key) for key, (_, box) in nearest.items() if _shared(box, span.box_xyxy_px) >= needed > 0]
    return min(holding)[1] if holding else None


def _row(span: TextSpan, tracklet_id: int | None) -> Row:
    x1, y1, x2, y2 = (float(v) for v in span.box_xyxy_px)
    return {
        "tracklet_id": tracklet_id,
        "start_s": span.start_s,
        "end_s": span.end_s,
        "text": span.text,
        "score": min(1.0, max(0.0, float(span.score))),
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
    }
