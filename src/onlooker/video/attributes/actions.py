"""What tracklets do: a recogniser's actions and a captioner's sentences over clips, each with the time it stands for.

Both read the video file once more (see `clips.py`) and exist only where a profile fills their role.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from onlooker.video.attributes.clips import Clip, ClipPlan, read_clips
from onlooker.video.attributes.registry import (
    AnnotatorSpec,
    Context,
    ModelHandle,
    Output,
    Row,
    attribute_row,
    clean_text,
)
from onlooker.video.protocols import ActionRecogniser, ClipCaptioner
from onlooker.video.store import schema

ACTION = "action"
MOTION_CAPTION = "motion_caption"
_FLOOR = 0.2  # below this an action is one guess among several (ours)
_TOP = 3
_ASKED = 5
_BATCH = 4  # clips at a time: 16 pictures of 256 px each are 3 MB
_MAX_CAPTION = 500
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Actions:
    """`action` attributes: the best few actions of every clip with their probability and its span.

    Args:
        model: names actions.
        min_score: actions below this probability are left out.
    """

    def __init__(self, model: ModelHandle[ActionRecogniser], min_score: float = _FLOOR) -> None:
        self._model, self._min_score = model, min_score

    @property
    def spec(self) -> AnnotatorSpec:
        version = "1" if self._min_score == _FLOOR else f"1 from {self._min_score:g}"
        return AnnotatorSpec("actions", version, "video", role=self._model.role, model=self._model.fingerprint)

    def run(self, context: Context) -> Output:
        rows: list[Row] = []
        for clips in _batched(read_clips(context, ClipPlan())):
            found = self._model.get().recognise([clip.images for clip in clips], _ASKED)
            for clip, tags in zip(clips, found, strict=True):
                kept = [tag for tag in sorted(tags, key=lambda t: -t.score)[:_TOP] if tag.score >= self._min_score]
                rows += [
                    attribute_row(
                        self.spec,
                        ACTION,
                        action_name(tag.label),
                        tag.score,
                        clip.tracklet_id,
                        (clip.start_s, clip.end_s),
                    )
                    for tag in kept
                ]
        return Output({schema.ATTRIBUTES: rows})


class MotionCaptions:
    """`motion_caption` attributes: a sentence per clip. The `motion` column stays what the boxes say."""

    def __init__(self, model: ModelHandle[ClipCaptioner]) -> None:
        self._model = model

    @property
    def spec(self) -> AnnotatorSpec:
        return AnnotatorSpec("motion_captions", "1", "video", role=self._model.role, model=self._model.fingerprint)

    def run(self, context: Context) -> Output:
        rows: list[Row] = []
        for clips in _batched(read_clips(context, ClipPlan())):
            texts = self._model.get().caption_clips([clip.images for clip in clips])
            for clip, text in zip(clips, texts, strict=True):
                said, span = clean_text(text, _MAX_CAPTION), (clip.start_s, clip.end_s)
                if said:
                    rows.append(attribute_row(self.spec, MOTION_CAPTION, said, 1.0, clip.tracklet_id, span))
        return Output({schema.ATTRIBUTES: rows})


def action_name(label: str) -> str:
    """A data set's name of an action in words: "WalkingWithDog" and "walking_with_dog" are "walking with dog"."""
    return clean_text(_CAMEL.sub(" ", label).replace("_", " "), 100).lower()


def _batched(clips: Iterator[Clip]) -> Iterable[list[Clip]]:
    while batch := list(islice(clips, _BATCH)):
        yield batch
