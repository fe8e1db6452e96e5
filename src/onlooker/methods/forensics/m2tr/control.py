"""A control for detectors: forgeries whose compression says nothing. Whoever learned compression alone fails it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.methods.forensics.m2tr.scores import ranking_auc
from onlooker.synth.forgeries.config import MATCHED_HISTORY, CompressionConfig, ForgeryConfig
from onlooker.synth.forgeries.photos import Photo, photo_sources
from onlooker.synth.forgeries.tiles import ForgedTiles
from onlooker.types import Image

Score = Callable[[Sequence[Image]], NDArray[np.floating]]
"""RGB uint8 pictures to one number each, higher where a forgery is likelier."""

LEAST_AUC = 0.6
"""From here on a detector passes (ours). With 200 pictures guessing stays below it 99 times out of 100."""
STRONG, WEAK = (30, 45), (90, 98)
"""JPEG qualities of the saves whose difference a detector should not live on."""


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


def compression_control(
    score: Score, size_px: int = 64, seed: int = 0, n_pictures: int = 200, photos: Sequence[Photo] | None = None
) -> ControlResult:
    """Runs the control on photos of the split "test".

    Args:
        score: the detector.
        size_px: side of the pictures.
        seed: of the pictures.
        n_pictures: of the forgery part; as many again are saved strongly and weakly.
        photos: pictures are of; left out, all that are installed.
    """
    photos = photo_sources() if photos is None else photos
    tiles = ForgedTiles(replace(MATCHED_HISTORY, size_px=size_px), seed, "test", photos)
    items = [tiles[place] for place in range(n_pictures)]
    found = score([item.image for item in items])
    forged = np.array([item.label == 1 for item in items])
    shown = {strong: saved_pictures(size_px, strong, seed, n_pictures // 2, photos) for strong in (True, False)}
    scores = np.concatenate([score(shown[True]), score(shown[False])])
    followed = ranking_auc(scores, np.arange(len(scores)) < len(shown[True]))
    return ControlResult(ranking_auc(found, forged), max(followed, 1.0 - followed))


def saved_pictures(size_px: int, strong: bool, seed: int, n_pictures: int, photos: Sequence[Photo]) -> list[Image]:
    """Untouched pictures of the test photos saved once, the same ones strongly or weakly."""
    saved = CompressionConfig(camera_share=0.0, final_quality=STRONG if strong else WEAK)
    tiles = ForgedTiles(ForgeryConfig(size_px, authentic_share=1.0, compression=saved), seed, "test", photos)
    return [tiles[place].image for place in range(n_pictures)]


def emptiness(images: Sequence[Image]) -> NDArray[np.float64]:
    """What fails the control: a detector of compression and of nothing else. Its score is the share of the frequencies
    of 8x8 blocks that saves took away.

    Args:
        images: (H, W, 3) uint8 each, sides multiples of 8.
    """
    return np.array([_emptied(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)) for image in images])


def _emptied(grey: NDArray[np.float32]) -> float:
    blocks = grey.reshape(grey.shape[0] // 8, 8, -1, 8).transpose(0, 2, 1, 3).reshape(-1, 8, 8)
    frequencies = np.stack([cv2.dct(block) for block in blocks])
    return float((np.abs(frequencies) < 1.0).mean())
