"""Tags: what a tracklet looks like, from its crops, and what a stretch of video shows, from its keyframes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from onlooker.types import Tag
from onlooker.video.attributes.pictures import count_pictures, load_pictures
from onlooker.video.attributes.registry import AnnotatorSpec, Context, ModelHandle, Output, Row, attribute_row
from onlooker.video.protocols import Tagger
from onlooker.video.store import schema

TAG = "tag"
_TOP = 5
_ASKED = 10  # per picture: a tag must be able to win on the mean without being among the best of every crop
_TRACKLET_FLOOR = 0.05  # mean probability (ours)
_SCENE_FLOOR = 0.15  # a whole frame shows many things, so weak guesses are dropped earlier (ours)
_BATCH = 16


class TrackletTags:
    """Tags of every tracklet: mean probability over its crops, the best few above a floor."""

    def __init__(self, model: ModelHandle[Tagger]) -> None:
        self._model = model

    @property
    def spec(self) -> AnnotatorSpec:
        return AnnotatorSpec("tags", "1", "crop", role=self._model.role, model=self._model.fingerprint)

    def run(self, context: Context) -> Output:
        total = count_pictures(context.store, context.video.id, "crop")
        if total == 0:
            return Output()
        tagger = self._model.get()
        seen: dict[int, list[tuple[Tag, ...]]] = defaultdict(list)
        done = 0
        for pictures in load_pictures(context.store, context.video.id, "crop", _BATCH):
            for picture, tags in zip(pictures, tagger.tag([p.image for p in pictures], _ASKED), strict=True):
                if picture.tracklet_id is not None:
                    seen[picture.tracklet_id].append(tags)
            done += len(pictures)
            context.report(done, total)
        rows: list[Row] = []
        for key, per_crop in seen.items():
            rows += [attribute_row(self.spec, TAG, t.label, t.score, key) for t in mean_tags(per_crop, _TRACKLET_FLOOR)]
        return Output({schema.ATTRIBUTES: rows})


class SceneTags:
    """Tags of keyframes, joined into spans where consecutive keyframes show the same."""

    def __init__(self, model: ModelHandle[Tagger]) -> None:
        self._model = model

    @property
    def spec(self) -> AnnotatorSpec:
        return AnnotatorSpec("scene_tags", "1", "keyframe", role=self._model.role, model=self._model.fingerprint)

    def run(self, context: Context) -> Output:
        total = count_pictures(context.store, context.video.id, "keyframe")
        if total == 0:
            return Output()
        tagger = self._model.get()
        frames: list[tuple[float, tuple[Tag, ...]]] = []
        for pictures in load_pictures(context.store, context.video.id, "keyframe", _BATCH):
            found = tagger.tag([p.image for p in pictures], _TOP)
            frames += [(picture.time_s, tags) for picture, tags in zip(pictures, found, strict=True)]
            context.report(len(frames), total)
        rows = [
            attribute_row(self.spec, TAG, label, score, span_s=(start, end))
            for label, score, start, end in tag_spans(frames, context.video.duration_s)
        ]
        return Output({schema.ATTRIBUTES: rows})


def mean_tags(per_picture: Sequence[Sequence[Tag]], floor: float, top: int = _TOP) -> list[Tag]:
    """Tags by mean probability over all pictures (absent counts 0), best first, at least `floor`."""
    sums: dict[str, float] = defaultdict(float)
    for tags in per_picture:
        for tag in tags:
            sums[tag.label] += tag.score
    means = [Tag(label, total / len(per_picture)) for label, total in sums.items()]
    kept = [tag for tag in means if tag.score >= floor]
    return sorted(kept, key=lambda tag: (-tag.score, tag.label))[:top]


def tag_spans(
    frames: Sequence[tuple[float, Iterable[Tag]]], end_s: float | None, floor: float = _SCENE_FLOOR
) -> list[tuple[str, float, float, float]]:
    """(label, best score, start, end) of every run of keyframes with a label; a keyframe stands until the next one.

    Args:
        frames: (time, tags) in time order.
        end_s: end of the video, where known.
    """
    spans: list[tuple[str, float, float, float]] = []
    open_spans: dict[str, tuple[float, float]] = {}  # label -> (score, start)
    for time_s, tags in frames:
        now = {tag.label: tag.score for tag in tags if tag.score >= floor}
        for label in [label for label in open_spans if label not in now]:
            score, start = open_spans.pop(label)
            spans.append((label, score, start, time_s))
        for label, score in now.items():
            best, start = open_spans.get(label, (0.0, time_s))
            open_spans[label] = (max(best, score), start)
    if frames:
        last = max(frames[-1][0], end_s or 0.0)
        spans += [(label, score, start, last) for label, (score, start) in open_spans.items()]
    return sorted(spans, key=lambda span: (span[2], -span[1], span[0]))
