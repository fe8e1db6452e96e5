"""Search in your own words: what matches by word and what is near in meaning, ranked together; and search by picture.

Scores are in [0, 1]. A match by words scores the share of the query's words that were found (1 for all, half the
share below that). Nearness in meaning is the cosine c between query and phrase, measured from the cosine b that this
query has with words it has nothing to do with: (c - b) / (1 - b). Short queries are near to everything in a sentence
space, and b takes that out, so that one threshold fits all: with all-MiniLM-L6-v2 a right name mostly scores above
0.35, a wrong one below 0.2. Common categories also stand under a short description (`glosses.py`).

A model that has pictures and texts in one space also holds the query against the look of the tracklets. Cosines of a
picture and a text are small numbers that mean nothing by themselves, so the score is what the model was trained to say:
the probability that this text, and not one of sixteen unrelated words, belongs to the picture, by a softmax at the
model's own scale. A text that fits no better than the best of those words stays at or below 0.5; chance is 1/17.

Vectors are written at ingest (subjects `tags`, `attribute` of what a tracklet does, `speech` and `screen_text`, space
`name@version` of the embedder). Where a library has none, up to `MAX_EMBEDDED` distinct phrases are embedded on the
spot and kept with the `TextSearch`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from onlooker.errors import ConfigError
from onlooker.types import FloatArray, Image
from onlooker.video.answer import Cell
from onlooker.video.glosses import GLOSSES
from onlooker.video.protocols import AppearanceEmbedder, PictureTextEmbedder, TextEmbedder
from onlooker.video.search_words import IN_SCOPE, HitKind, Match, WordIndex, shortened
from onlooker.video.store.reader import Reader
from onlooker.video.store.vectors import VectorSearch

MIN_SCORE = 0.3  # between wrong and right names; `test_the_real_sentence_model_ranks_meaning_sanely` holds it there
MIN_EXAMPLE_SCORE = 0.5  # cosine of two pictures; ours
MAX_EMBEDDED = 200  # phrases embedded during a search: a few seconds on two cores at worst
_MAX_QUERY_CHARS = 500
_NEAR = "near in meaning"
_NEAR_DEED = "near in meaning to what it does"
_LOOKS_SO = "looks like what the words say"
_SUBJECTS: dict[str, HitKind] = {
    "tags": "tracklet",
    "tag": "tracklet",
    "speech": "speech",
    "screen_text": "screen_text",
}
_DEED = "attribute"  # its key is that of the attribute; what is found is its tracklet
# Words that have as little as possible to do with one another: what a query is as near to is not what it means.
_BACKGROUND = (
    "music", "water", "window", "money", "book", "shoe", "lamp", "cloud", "number", "food", "paper", "city", "door",
    "law", "plant", "stone",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found. `tracklet` is its number in `video`; `why` says in words what matched."""

    kind: HitKind
    video: str
    tracklet: int | None
    start_s: float
    end_s: float
    score: float
    why: str

    def as_dict(self) -> dict[str, str | int | float | None]:
        return dataclasses.asdict(self)


class TextSearch:
    """Searches one library. Keeps vectors in memory between searches; notices when the library changes.

    Args:
        reader: of the library.
        embedder: of the query.
        space: where ingest put this embedder's vectors; `name@version` of the embedder by default.
    """

    def __init__(self, reader: Reader, embedder: TextEmbedder, space: str | None = None) -> None:
        self._reader, self._embedder = reader, embedder
        self._space = space or f"{embedder.name}@{embedder.version}"
        self._vectors = VectorSearch.open(reader.path)
        self._words = WordIndex(reader)
        self._known: dict[str, FloatArray] = {}  # phrase -> vector
        self._phrases: dict[tuple[tuple[int, ...], str | None], tuple[tuple[str, str], ...]] = {}

    def find(
        self, query: str, top_k: int = 10, videos: Sequence[int] | None = None, min_score: float | None = None
    ) -> list[Hit]:
        """What comes nearest to a description, best first.

        Args:
            query: any words; the first 500 characters count.
            top_k: how many at most.
            videos: keys of the videos to look in; all by default.
            min_score: leave out what scores below; `MIN_SCORE` by default.

        Raises:
            ConfigError: `top_k` is below 1, or `min_score` outside [0, 1].
        """
        least = _checked(top_k, min_score, MIN_SCORE)
        text = " ".join(query[:_MAX_QUERY_CHARS].split())
        if not text:
            return []
        scope = None if videos is None else json.dumps([int(key) for key in videos])
        (vector,) = self._embedder.embed_texts([text])
        base = float(np.median(self._embed(_BACKGROUND) @ vector))
        matches = [
            *self._words.matches(text, scope, top_k),
            *self._by_category(vector, base, top_k, scope, least),
            *self._by_meaning(vector, base, top_k, videos, scope),
            *self._by_picture(vector, top_k, videos),
        ]
        best: dict[tuple[str, int], Match] = {}
        for match in matches:
            held = best.get((match.kind, match.key))
            if match.score >= least and (held is None or match.score > held.score):
                best[match.kind, match.key] = match
        ranked = sorted(best.values(), key=lambda m: (-m.score, m.kind, m.key))[:top_k]
        return _looked_up(self._reader, ranked)

    def close(self) -> None:
        self._vectors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # -- by meaning ---------------------------------------------------------------------------------------------

    def _by_category(self, vector: FloatArray, base: float, top_k: int, scope: str | None, least: float) -> list[Match]:
        """Categories met through what they are: "vehicle with two wheels" is a bicycle."""
        names = [str(name) for (name,) in self._reader.query(_CATEGORIES, {"scope": scope}).rows]
        known = [name for name in names if name.lower() in GLOSSES]
        if not known:
            return []
        scores = self._embed([f"{name}: {GLOSSES[name.lower()]}" for name in known]) @ vector
        matches: list[Match] = []
        for name, score in zip(known, (_above(float(score), base) for score in scores), strict=True):
            if score >= least:
                rows = self._reader.query(_OF_CATEGORY, {"scope": scope, "name": name, "most": top_k}).rows
                matches += [Match("tracklet", int(str(key)), score, _NEAR) for (key,) in rows]
        return matches

    def _by_meaning(
        self, vector: FloatArray, base: float, top_k: int, videos: Sequence[int] | None, scope: str | None
    ) -> list[Match]:
        if self._space not in self._vectors.spaces():
            return self._by_meaning_now(vector, base, top_k, scope)
        hits = self._vectors.search(self._space, vector, 4 * top_k, [*_SUBJECTS, _DEED], videos)
        found = [
            Match(_SUBJECTS[hit.subject], hit.subject_id, _above(hit.score, base), _NEAR)
            for hit in hits
            if hit.subject in _SUBJECTS
        ]
        return found + [
            Match("tracklet", hit.tracklet_id, _above(hit.score, base), _NEAR_DEED)
            for hit in hits
            if hit.subject == _DEED and hit.tracklet_id is not None
        ]

    def _by_picture(self, vector: FloatArray, top_k: int, videos: Sequence[int] | None) -> list[Match]:
        """Tracklets whose look fits the query, where the embedder has pictures and texts in one space."""
        if not isinstance(self._embedder, PictureTextEmbedder):
            return []
        hits = self._vectors.search(self._space, vector, 4 * top_k, ["tracklet"], videos)
        if not hits:
            return []
        others = self._vectors.cosines(self._space, self._embed(_BACKGROUND), hits)  # (hits, words)
        cosines = np.array([hit.score for hit in hits])
        odds = np.exp(self._embedder.similarity_scale * (others - cosines[:, None])).sum(axis=1)
        chances = 1 / (1 + odds)
        return [
            Match("tracklet", hit.subject_id, float(chance), _LOOKS_SO)
            for hit, chance in zip(hits, chances, strict=True)
        ]

    def _by_meaning_now(self, vector: FloatArray, base: float, top_k: int, scope: str | None) -> list[Match]:
        """The same without stored vectors: the commonest distinct phrases are embedded here, once."""
        phrases = self._distinct_phrases(scope)
        if not phrases:
            return []
        scores = [_above(float(score), base) for score in self._embed([text for _, text in phrases]) @ vector]
        found: list[Match] = []
        for score, (subject, text) in sorted(zip(scores, phrases, strict=True), reverse=True):
            if score == 0 or len(found) >= 4 * top_k:
                break
            rows = self._reader.query(_OF_PHRASE[subject], {"scope": scope, "text": text, "most": top_k}).rows
            found += [Match(_SUBJECTS[subject], int(str(key)), score, _NEAR) for (key,) in rows]
        return found

    def _distinct_phrases(self, scope: str | None) -> tuple[tuple[str, str], ...]:
        """(subject, text) of what a library says most often, read again when it changes."""
        held = (self._reader.data_version, scope)
        if held not in self._phrases:
            rows = self._reader.query(_DISTINCT, {"scope": scope, "most": MAX_EMBEDDED}).rows
            self._phrases = {held: tuple((str(subject), str(text)) for subject, text in rows)}
        return self._phrases[held]

    def _embed(self, phrases: Sequence[str]) -> FloatArray:
        """(N, D) vectors; each distinct phrase is embedded once in the life of this search."""
        missing = [phrase for phrase in dict.fromkeys(phrases) if phrase not in self._known]
        if missing:
            self._known.update(zip(missing, self._embedder.embed_texts(missing), strict=True))
        return np.stack([self._known[phrase] for phrase in phrases])


def search_example(
    reader: Reader,
    embedder: AppearanceEmbedder,
    image: Image,
    top_k: int = 10,
    videos: Sequence[int] | None = None,
    min_score: float | None = None,
    space: str | None = None,
) -> list[Hit]:
    """Tracklets that look like a picture, best first; the score is the cosine of the two appearance vectors.

    Args:
        image: (H, W, 3) uint8 RGB, the object filling most of it.
        videos: keys of the videos to look in; all by default.
        space: where ingest put this embedder's vectors; `name@version` of the embedder by default.

    Raises:
        ConfigError: as `TextSearch.find`.
    """
    least = _checked(top_k, min_score, MIN_EXAMPLE_SCORE)
    (vector,) = embedder.embed_images([image])
    space = space or f"{embedder.name}@{embedder.version}"
    with VectorSearch.open(reader.path) as vectors:
        found = vectors.search(space, vector, top_k, ["tracklet"], videos)
    matches = [Match("tracklet", hit.subject_id, hit.score, "looks alike") for hit in found if hit.score >= least]
    return _looked_up(reader, matches)


def _checked(top_k: int, min_score: float | None, default: float) -> float:
    if top_k < 1:
        raise ConfigError(f"`top_k` is at least 1, got {top_k}")
    if min_score is not None and not 0 <= min_score <= 1:
        raise ConfigError(f"`min_score` is between 0 and 1, got {min_score}")
    return default if min_score is None else min_score


def _above(cosine: float, base: float) -> float:
    return min(1.0, max(0.0, (cosine - base) / (1.0 - base))) if base < 1 else 0.0


_LOOK = "trim(coalesce(color, '') || ' ' || category)"
_DISTINCT = f"""
SELECT subject, phrase FROM (
  SELECT 'tags' AS subject, {_LOOK} AS phrase, video_key FROM tracklets
  UNION ALL SELECT 'tag', value, video_key FROM attributes
    WHERE tracklet_key IS NOT NULL AND name IN ('tag', 'caption', 'action', 'motion_caption')
  UNION ALL SELECT 'speech', text, video_key FROM speech
  UNION ALL SELECT 'screen_text', text, video_key FROM screen_text
) WHERE {IN_SCOPE} GROUP BY subject, phrase ORDER BY count(*) DESC, subject, phrase LIMIT :most
"""  # noqa: S608
_MOST = f"AND {IN_SCOPE} ORDER BY 1 LIMIT :most"
_OF_PHRASE = {
    "tags": f"SELECT key FROM tracklets WHERE {_LOOK} = :text {_MOST}",  # noqa: S608
    "tag": "SELECT DISTINCT tracklet_key FROM attributes WHERE value = :text AND tracklet_key IS NOT NULL"  # noqa: S608
    f" AND name IN ('tag', 'caption', 'action', 'motion_caption') {_MOST}",
    "speech": f"SELECT key FROM speech WHERE text = :text {_MOST}",  # noqa: S608
    "screen_text": f"SELECT key FROM screen_text WHERE text = :text {_MOST}",  # noqa: S608
}
_CATEGORIES = f"SELECT DISTINCT category FROM peaks WHERE category <> '' AND {IN_SCOPE}"  # noqa: S608
_OF_CATEGORY = f"SELECT key FROM tracklets WHERE category = :name AND {IN_SCOPE} ORDER BY key LIMIT :most"  # noqa: S608
_TRACKLETS = (
    "SELECT key, video, id, t_start, t_end, trim(coalesce(color, '') || ' ' || category) FROM tracklets"
    " WHERE key IN (SELECT value FROM json_each(:keys))"
)
_LOOK_UP: dict[HitKind, str] = {
    "tracklet": _TRACKLETS,
    "speech": "SELECT key, video, NULL, t_start, t_end, text FROM speech"
    " WHERE key IN (SELECT value FROM json_each(:keys))",
    "screen_text": "SELECT key, video, id, t_start, t_end, text FROM screen_text"
    " WHERE key IN (SELECT value FROM json_each(:keys))",
}


def _looked_up(reader: Reader, matches: Sequence[Match]) -> list[Hit]:
    """Matches with their video, number and times, in the same order."""
    rows: dict[tuple[str, int], Sequence[Cell]] = {}
    for kind, sql in _LOOK_UP.items():
        keys = [match.key for match in matches if match.kind == kind]
        if keys:
            rows.update({(kind, int(str(row[0]))): row for row in reader.query(sql, {"keys": json.dumps(keys)}).rows})
    return [_hit(match, rows[match.kind, match.key]) for match in matches if (match.kind, match.key) in rows]


def _hit(match: Match, row: Sequence[Cell]) -> Hit:
    _, video, number, start, end, text = row
    why = match.why if match.why != _NEAR else f'near in meaning to "{shortened(str(text))}"'
    return Hit(
        kind=match.kind,
        video=str(video),
        tracklet=None if number is None else int(str(number)),
        start_s=float(str(start)),
        end_s=float(str(end)),
        score=round(match.score, 4),
        why=why,
    )
