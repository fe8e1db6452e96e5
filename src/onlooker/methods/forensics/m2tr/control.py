"""A control for detectors: forgeries whose compression says nothing. Whoever learned compression alone fails it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from onlooker.methods.forensics.m2tr.scores import ranking_auc
from onlooker.synth.forgeries.config import MATCHED_HISTORY, CompressionConfig, ForgeryConfig
from onlooker.synth.forgeries.tiles import ForgedTiles
from onlooker.types import Image

Score = Callable[[Sequence[Image]], NDArray[np.floating]]
"""RGB uint8 pictures to one number each, higher where a forgery is likelier."""

LEAST_AUC = 0.6
"""From here on a detector passes (ours). With 200 pictures guessing stays below it 99 times out of 100."""
_STRONG, _WEAK = (30, 45), (90, 98)


@dataclass(frozen=True)
class ControlResult:
    """What a detector did.

    Attributes:
        forgery_auc: forged against authentic pictures that share every statistic of compression.
        compression_auc: how well its score tells strongly from weakly saved pictures, all of them authentic, in
            [0.5, 1]. High alone is no failure: forgeries are harder to see in bad pictures.
        passes: whether it finds forgeries at all.
    """

    forgery_auc: float
    compression_auc: float

    @property
    def passes(self) -> bool:
        return self.forgery_auc >= LEAST_AUC


def compression_control(score: Score, size_px: int = 64, seed: int = 0, n_pictures: int = 200) -> ControlResult:
    """Runs the control on photos of the split "test".

    Args:
        score: the detector.
        size_px: side of the pictures.
        seed: of the pictures.
        n_pictures: of the forgery part; as many again are saved strongly and weakly.
    """
    tiles = ForgedTiles(replace(MATCHED_HISTORY, size_px=size_px), seed, "test")
    items = [tiles[place] for place in range(n_pictures)]
    found = score([item.image for item in items])
    forged = np.array([item.label == 1 for item in items])
    followed = ranking_auc(*_by_compression(score, size_px, seed, n_pictures))
    return ControlResult(ranking_auc(found, forged), max(followed, 1.0 - followed))


def _by_compression(
    score: Score, size_px: int, seed: int, n_pictures: int
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Scores of authentic pictures, and which of them were saved strongly."""
    scores = []
    for quality in (_STRONG, _WEAK):
        tiles = authentic_tiles(size_px, quality, seed)
        scores.append(score([tiles[place].image for place in range(n_pictures // 2)]))
    strong = np.arange(len(scores[0]) + len(scores[1])) < len(scores[0])
    return np.concatenate(scores), strong


def authentic_tiles(size_px: int, final_quality: tuple[int, int], seed: int) -> ForgedTiles:
    """Untouched pictures of the test photos, saved within a range of qualities."""
    config = ForgeryConfig(
        size_px=size_px, authentic_share=1.0, compression=CompressionConfig(final_quality=final_quality)
    )
    return ForgedTiles(config, seed, "test")
