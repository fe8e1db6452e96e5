"""Vectors for search: the look of tracklets and keyframes, and the meaning of phrases, speech and screen text.

A space is named by the model and its version, so vectors of different models never meet. Vectors are kept as float16 of
unit length: the error of a cosine is below 0.001.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from onlooker.errors import ConfigError
from onlooker.types import FloatArray
from onlooker.video.attributes.pictures import count_pictures, load_pictures
from onlooker.video.attributes.registry import AnnotatorSpec, Context, ModelHandle, Output, Row
from onlooker.video.protocols import AppearanceEmbedder, TextEmbedder
from onlooker.video.store import schema
from onlooker.video.store.vectors import vector_to_blob

_BATCH = 16
_TEXT_BATCH = 64


class LookVectors:
    """The look of every tracklet (mean of its crops) and of every keyframe.

    Args:
        model: maps pictures to vectors.
        crops_per_tracklet: the dial between cost and quality: at most so many crops of a tracklet are embedded, the
            best first. All that were kept when `None`. The cost is one forward per crop and keyframe.

    Raises:
        ConfigError: `crops_per_tracklet` is below 1.
    """

    def __init__(self, model: ModelHandle[AppearanceEmbedder], crops_per_tracklet: int | None = None) -> None:
        if crops_per_tracklet is not None and crops_per_tracklet < 1:
            raise ConfigError(f"`crops_per_tracklet` is at least 1, got {crops_per_tracklet}")
        self._model, self._per_tracklet = model, crops_per_tracklet

    @property
    def spec(self) -> AnnotatorSpec:
        model = self._model
        version = "1" if self._per_tracklet is None else f"1 of {self._per_tracklet} crops"
        return AnnotatorSpec(
            "look_vectors", version, "crop", subjects=("tracklet", "keyframe"), role=model.role, model=model.fingerprint
        )

    def run(self, context: Context) -> Output:
        video_id = context.video.id
        most = self._per_tracklet
        total = count_pictures(context.store, video_id, "crop", most) + count_pictures(
            context.store, video_id, "keyframe"
        )
        if total == 0:
            return Output()
        embedder = self._model.get()
        sums: dict[int, NDArray[np.float64]] = {}
        rows: list[Row] = []
        done = 0
        for pictures in load_pictures(context.store, video_id, "crop", _BATCH, most):
            for picture, vector in zip(pictures, embedder.embed_images([p.image for p in pictures]), strict=True):
                if picture.tracklet_id is not None:
                    sums[picture.tracklet_id] = sums.get(picture.tracklet_id, np.zeros(embedder.dim)) + vector
            done += len(pictures)
            context.report(done, total)
        rows += [self._row("tracklet", key, key, vector) for key, vector in sums.items()]
        for pictures in load_pictures(context.store, video_id, "keyframe", _BATCH):
            vectors = embedder.embed_images([p.image for p in pictures])
            rows += [self._row("keyframe", p.id, None, v) for p, v in zip(pictures, vectors, strict=True)]
            done += len(pictures)
            context.report(done, total)
        return Output({schema.EMBEDDINGS: rows})

    def _row(self, subject: str, key: int, tracklet_id: int | None, vector: NDArray[np.floating]) -> Row:
        return _vector_row(subject, key, tracklet_id, self._model.fingerprint, vector)


class TextVectors:
    """The meaning of each tracklet's phrase (subject `tags`), of what it does (subject `attribute`: actions and motion
    captions), of speech and of screen text.

    Args:
        model: the text embedder.
        after: the annotators that write tags, appearance, actions, speech and screen text.
    """

    def __init__(self, model: ModelHandle[TextEmbedder], after: Sequence[AnnotatorSpec] = ()) -> None:
        self._model, self._after = model, tuple(after)

    @property
    def spec(self) -> AnnotatorSpec:
        return AnnotatorSpec(
            "text_vectors",
            "1",
            "geometry",
            subjects=("tags", "attribute", "speech", "screen_text"),
            role=self._model.role,
            model=self._model.fingerprint,
            after=self._after,
        )

    def run(self, context: Context) -> Output:
        texts = [*_phrases(context), *_deeds(context), *_lines(context)]
        if not texts:
            return Output()
        # The same phrase stands for many tracklets; it is embedded once.
        unique = list(dict.fromkeys(text for *_, text in texts))
        embedder = self._model.get()
        vectors: dict[str, FloatArray] = {}
        for start in range(0, len(unique), _TEXT_BATCH):
            chunk = unique[start : start + _TEXT_BATCH]
            vectors.update(zip(chunk, embedder.embed_texts(chunk), strict=True))
            context.report(min(start + _TEXT_BATCH, len(unique)), len(unique))
        space = self._model.fingerprint
        rows = [_vector_row(subject, key, owner, space, vectors[text]) for subject, key, owner, text in texts]
        return Output({schema.EMBEDDINGS: rows})


def _vector_row(subject: str, key: int, tracklet_id: int | None, space: str, vector: NDArray[np.floating]) -> Row:
    return {
        "tracklet_id": tracklet_id,
        "subject": subject,
        "subject_id": key,
        "space": space,
        "vector": vector_to_blob(vector),
    }


def _phrases(context: Context) -> list[tuple[str, int, int | None, str]]:
    """(subject, key, tracklet, phrase) of every tracklet: its colour, category, name and tags."""
    k, a = schema.TRACKLETS.c, schema.ATTRIBUTES.c
    with context.store.read() as connection:
        tracklets = connection.execute(
            select(k.id, k.category, k.color, k.label).where(k.video_id == context.video.id).order_by(k.id)
        ).all()
        tags = connection.execute(
            select(a.tracklet_id, a.value)
            .where(a.video_id == context.video.id, a.name == "tag", a.tracklet_id.is_not(None))
            .order_by(a.tracklet_id, a.score.desc())
        ).all()
    by_key: dict[int, list[str]] = defaultdict(list)
    for key, value in tags:
        by_key[key].append(value)
    found = []
    for key, category, color, label in tracklets:
        words = " ".join(filter(None, (color, category)))
        phrase = ", ".join([words, *([label] if label else []), *by_key[key][:3]])
        found.append(("tags", key, key, phrase))
    return found


def _deeds(context: Context) -> list[tuple[str, int, int | None, str]]:
    """What models of clips say that tracklets do."""
    a = schema.ATTRIBUTES.c
    query = select(a.id, a.tracklet_id, a.value).where(
        a.video_id == context.video.id, a.name.in_(("action", "motion_caption")), a.tracklet_id.is_not(None)
    )
    with context.store.read() as connection:
        rows = connection.execute(query.order_by(a.id)).all()
    return [("attribute", key, owner, text) for key, owner, text in rows]


def _lines(context: Context) -> list[tuple[str, int, int | None, str]]:
    s, x = schema.SPEECH.c, schema.SCREEN_TEXT.c
    video_id = context.video.id
    with context.store.read() as connection:
        speech = connection.execute(select(s.id, s.text).where(s.video_id == video_id).order_by(s.id)).all()
        seen = connection.execute(
            select(x.id, x.tracklet_id, x.text).where(x.video_id == video_id).order_by(x.id)
        ).all()
    heard: list[tuple[str, int, int | None, str]] = [("speech", key, None, text) for key, text in speech]
    return heard + [("screen_text", key, owner, text) for key, owner, text in seen]
