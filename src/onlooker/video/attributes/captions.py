"""The look of a tracklet in words: a captioner's sentence where the profile has one, else one put together.

The built-in sentence says only what the colour, the tags and the boxes say, so every word of it can be traced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from onlooker.types import Image
from onlooker.video.attributes.pictures import load_crops
from onlooker.video.attributes.registry import (
    AnnotatorSpec,
    Context,
    ModelHandle,
    Output,
    Row,
    attribute_row,
    clean_text,
)
from onlooker.video.protocols import Captioner
from onlooker.video.store import schema

CAPTION = "caption"
_MAX_CAPTION = 500
_TAG_FROM = 0.2  # tags below this are guesses, and a sentence sounds sure (ours)
_MOSTLY_FROM = 0.4  # share of the foreground (ours)
_CAPTION_BATCH = 4


class Captions:
    """A captioner's sentence for the best crop of every tracklet: `caption` attributes and the `appearance` column."""

    def __init__(self, model: ModelHandle[Captioner]) -> None:
        self._model = model

    @property
    def spec(self) -> AnnotatorSpec:
        model = self._model
        return AnnotatorSpec("captions", "1", "crop", columns=("appearance",), role=model.role, model=model.fingerprint)

    def run(self, context: Context) -> Output:
        total = len(context.tracklets())
        texts: dict[int, str] = {}
        waiting: list[tuple[int, Image]] = []
        for key, crops in load_crops(context.store, context.video.id):
            waiting.append((key, crops[0].image))
            if len(waiting) == _CAPTION_BATCH:
                texts.update(self._caption(waiting))
                waiting = []
                context.report(len(texts), total)
        if waiting:
            texts.update(self._caption(waiting))
        kept = {key: text for key, text in texts.items() if text}
        rows = [attribute_row(self.spec, CAPTION, text, 1.0, key) for key, text in kept.items()]
        return Output({schema.ATTRIBUTES: rows}, {key: {"appearance": text} for key, text in kept.items()})

    def _caption(self, crops: Sequence[tuple[int, Image]]) -> dict[int, str]:
        texts = self._model.get().caption([image for _, image in crops])
        return {key: clean_text(text, _MAX_CAPTION) for (key, _), text in zip(crops, texts, strict=True)}


class AppearanceText:
    """The built-in sentence, for profiles without a captioner.

    Args:
        after: the annotators that write colours and tags.
    """

    def __init__(self, after: Sequence[AnnotatorSpec] = ()) -> None:
        self._after = tuple(after)

    @property
    def spec(self) -> AnnotatorSpec:
        return AnnotatorSpec("appearance", "1", "geometry", columns=("appearance",), after=self._after)

    def run(self, context: Context) -> Output:
        k, a = schema.TRACKLETS.c, schema.ATTRIBUTES.c
        with context.store.read() as connection:
            tracklets = connection.execute(
                select(k.id, k.category, k.size, k.place, k.color, k.upper_color, k.lower_color)
                .where(k.video_id == context.video.id)
                .order_by(k.number)
            ).all()
            said = connection.execute(
                select(a.tracklet_id, a.name, a.value, a.score)
                .where(a.video_id == context.video.id, a.tracklet_id.is_not(None), a.name.in_(("color", "tag")))
                .order_by(a.score.desc())
            ).all()
        attributes: dict[int, list[tuple[str, str, float]]] = defaultdict(list)
        for key, name, value, score in said:
            attributes[key].append((name, value, score))
        columns: dict[int, Row] = {}
        for key, category, size, place, *colours in tracklets:
            parts = dict(zip(("color", "upper_color", "lower_color"), colours, strict=True))
            columns[key] = {"appearance": appearance_sentence(category, size, place, parts, attributes[key])}
        context.report(len(columns), len(columns))
        return Output({}, columns)


def appearance_sentence(
    category: str,
    size: str,
    place: str,
    colours: Mapping[str, str | None],
    attributes: Sequence[tuple[str, str, float]],
) -> str:
    """For example "a mostly red car, medium, centre; looks like: minivan".

    Args:
        category, size, place: columns of the tracklet.
        colours: its `color`, `upper_color` and `lower_color`.
        attributes: (name, value, score) of its colours and tags, best first.
    """
    colour = colours.get("color")
    shares = {value: score for name, value, score in attributes if name == "color"}
    described = category
    if colour is not None:
        described = f"{'mostly ' if shares.get(colour, 0.0) >= _MOSTLY_FROM else 'partly '}{colour} {category}"
    article = "an" if described[:1].lower() in "aeiou" else "a"
    parts = [f"{article} {described}"]
    upper, lower = colours.get("upper_color"), colours.get("lower_color")
    if upper and lower and upper != lower:
        parts.append(f"{upper} above and {lower} below")
    elif (upper or lower) and upper != lower:
        parts.append(f"{upper or lower} {'above' if upper else 'below'}")
    parts += [size, place]
    tags = [value for name, value, score in attributes if name == "tag" and score >= _TAG_FROM and value != category]
    text = ", ".join(parts)
    return clean_text(f"{text}; looks like: {', '.join(tags[:2])}" if tags else text, _MAX_CAPTION)
