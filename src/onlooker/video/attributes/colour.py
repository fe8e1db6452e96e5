"""Colour names of tracklets from their crops; for persons of upper and lower body as well.

Where masks are stored they say what is foreground. The bundled profile has none, so there the object is told from its
surroundings by unmixing: the colours inside the box, weighted towards its centre, minus the share of them that the ring
just outside the box explains. The object's own colour survives even where the background has it too. An object that
covers little of its box and stands before water or leaves that look different inside the box is misjudged. Crops of one
tracklet vote with their quality. A score is the share of foreground pixels with that name. Lighting is not corrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onlooker.types import BoxXYXY, Image
from onlooker.video.attributes.colour_names import ACHROMATIC, COLOUR_NAMES, ColourTable
from onlooker.video.attributes.crop_masks import Mask, masks_of
from onlooker.video.attributes.pictures import Picture, load_crops
from onlooker.video.attributes.registry import AnnotatorSpec, Context, Output, Row, attribute_row
from onlooker.video.store import schema

Floats = NDArray[np.float64]
Part = Literal["color", "upper_color", "lower_color"]

PERSON = "person"
# Rows of the box, as shares of its height. The head is left out of a person's colour: hair and skin are no clothes.
_BANDS: dict[Part, tuple[float, float]] = {"color": (0.0, 1.0), "upper_color": (0.2, 0.5), "lower_color": (0.55, 0.9)}
_PERSON_BAND = (0.2, 0.9)
_STANDING_FROM = 1.4  # height over width: below it a person sits, lies or is cut, and has no bands
_BACKGROUND_SHARE = (0.25, 0.7)  # of the weighted box, least and most: a car fills its box, a swan does not (ours)
_CHROMATIC_GAIN = 1.4  # windows, tyres, shade and highlights have no hue, so hue counts more
_TOP = 3
_LEAST_SHARE = 0.1  # names below this share are not stored


@dataclass(frozen=True, slots=True)
class ColourShare:
    """A colour name and the share of the foreground that has it."""

    name: str
    share: float


class ColourAnnotator:
    """Fills `color`, `upper_color` and `lower_color` from the kept crops.

    Args:
        masks: the stage that gives tracklets masks: where it ran anew, colours are due again.
    """

    def __init__(self, masks: AnnotatorSpec | None = None) -> None:
        self._table = ColourTable()
        self._after = () if masks is None else (masks,)

    @property
    def spec(self) -> AnnotatorSpec:
        columns = ("color", "upper_color", "lower_color")
        return AnnotatorSpec("colour", "1", "crop", columns=columns, after=self._after)

    def run(self, context: Context) -> Output:
        tracklets = context.tracklets()
        rows: list[Row] = []
        columns: dict[int, Row] = {}
        for done, (key, crops) in enumerate(load_crops(context.store, context.video.id)):
            if key in tracklets:
                found = self.colours_of(crops, tracklets[key].category == PERSON, masks_of(context, crops))
                columns[key] = {part: shares[0].name for part, shares in found.items()}
                rows += [
                    attribute_row(self.spec, part, share.name, share.share, key)
                    for part, shares in found.items()
                    for share in shares
                ]
            context.report(done + 1, len(tracklets))
        # One statement updates all, so every row names every column.
        full = {key: {part: values.get(part) for part in self.spec.columns} for key, values in columns.items()}
        return Output({schema.ATTRIBUTES: rows}, full)

    def colours_of(
        self, crops: Sequence[Picture], is_person: bool, masks: Mapping[int, Mask] | None = None
    ) -> dict[Part, tuple[ColourShare, ...]]:
        """Best names first, at most three per part; a part that cannot be seen is left out.

        Args:
            crops: views of one tracklet; they vote with their quality.
            is_person: whether to name upper and lower body too.
            masks: the object's pixels, (h, w), by picture id, where they are known.
        """
        parts: tuple[Part, ...] = ("color", "upper_color", "lower_color") if is_person else ("color",)
        found = {}
        for part in parts:
            votes = np.zeros(len(COLOUR_NAMES))
            for crop in crops:
                if crop.inner_xyxy is None or (part != "color" and not _stands(crop.inner_xyxy)):
                    continue
                band = _PERSON_BAND if part == "color" and is_person else _BANDS[part]
                votes += max(crop.quality, 0.05) * self.shares(
                    crop.image, crop.inner_xyxy, band, (masks or {}).get(crop.id)
                )
            if votes.sum() > 0:
                found[part] = _ranked(votes / votes.sum())
        return found

    def shares(
        self, image: Image, inner: BoxXYXY, band: tuple[float, float] = (0.0, 1.0), mask: Mask | None = None
    ) -> Floats:
        """(13,) share of each colour name in the foreground of a band of the box; zeros when nothing is left.

        Args:
            image: (H, W, 3) RGB crop with some context around the box.
            inner: the box inside it.
            band: top and bottom of the looked-at rows as shares of the box height.
            mask: (H, W) the object's pixels; by default they are told from the surroundings.
        """
        x1, y1, x2, y2 = inner
        top, bottom = y1 + band[0] * (y2 - y1), y1 + band[1] * (y2 - y1)
        rows, columns = np.arange(image.shape[0]) + 0.5, np.arange(image.shape[1]) + 0.5
        in_rows = (rows >= top) & (rows < bottom)
        in_columns = (columns >= x1) & (columns < x2)
        if not (in_rows.any() and in_columns.any()):
            return np.zeros(len(COLOUR_NAMES))
        bins = self._table.bins(image)
        core = np.ix_(in_rows, in_columns)
        if mask is not None:
            shown = bins[core][mask[core]]
            return self._unmixed(np.bincount(shown, minlength=self._table.size).astype(np.float64), shown[:0])
        # Only the surroundings at the same height explain a band: sky is beside the head, road beside the feet.
        near = in_rows if band != (0.0, 1.0) else np.ones(len(rows), bool)
        ring_mask = near[:, None] & ~(((rows >= y1) & (rows < y2))[:, None] & in_columns[None, :])
        weight = _bump(rows, y1, y2)[:, None] * _bump(columns, x1, x2)[None, :]
        inside: Floats = np.zeros(self._table.size)
        np.add.at(inside, bins[core].ravel(), weight[core].ravel())
        return self._unmixed(inside, bins[ring_mask])

    def _unmixed(self, inside: Floats, ring: NDArray[np.integer]) -> Floats:
        """Names of what is inside and not explained by the ring.

        Histograms are compared per coarse colour: a background has the same colours in slightly other shades.
        """
        share = inside / max(inside.sum(), 1e-9)
        if len(ring) >= 20:
            around = np.bincount(ring, minlength=self._table.size) / len(ring)
            coarse = self._table.coarse
            outside: Floats = np.bincount(coarse, weights=around).astype(np.float64)
            present: Floats = np.bincount(coarse, weights=share).astype(np.float64)
            explained = outside * _background_share(present, outside)
            left = np.divide(np.maximum(present - explained, 0), present, out=np.zeros_like(present), where=present > 0)
            share = share * left[coarse]
        total = share.sum()
        if total < 1e-9:
            return np.zeros(len(COLOUR_NAMES))
        named = np.bincount(self._table.names, weights=share / total, minlength=len(COLOUR_NAMES))
        return np.asarray(named, dtype=np.float64)


def _background_share(present: Floats, outside: Floats) -> float:
    """How much of the box is background: the median, over the ring's pixels, of how often their colour is inside."""
    seen = np.flatnonzero(outside)
    ratio = present[seen] / outside[seen]
    order = np.argsort(ratio)
    middle = int(np.searchsorted(np.cumsum(outside[seen][order]), 0.5))
    return float(np.clip(ratio[order][min(middle, len(order) - 1)], *_BACKGROUND_SHARE))


def _stands(inner: BoxXYXY) -> bool:
    return (inner[3] - inner[1]) >= _STANDING_FROM * (inner[2] - inner[0])


def _bump(at: NDArray[np.floating], low: float, high: float) -> Floats:
    """Weight 1 in the middle of [low, high), falling to 0.1 at its ends."""
    half = max((high - low) / 2, 1e-6)
    return np.asarray(np.exp(-2.3 * ((at - (low + high) / 2) / half) ** 2), dtype=np.float64)


def _ranked(shares: Floats) -> tuple[ColourShare, ...]:
    """The names that matter, best first; the first is always given, so that nothing visible stays without a colour."""
    gain = np.array([1.0 if name in ACHROMATIC else _CHROMATIC_GAIN for name in COLOUR_NAMES])
    order = np.argsort(-shares * gain, kind="stable")[:_TOP]
    kept = [i for rank, i in enumerate(order) if rank == 0 or shares[i] >= _LEAST_SHARE]
    return tuple(ColourShare(COLOUR_NAMES[i], float(shares[i])) for i in kept)
