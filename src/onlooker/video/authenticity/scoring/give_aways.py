"""What tells forged from real files without looking at a picture: a judge of such a set can score well by cheating."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from onlooker.evaluation.forgery import image_auc
from onlooker.video.authenticity.scoring.predictions import Prediction

_LEAST = 0.1  # ours: difference of shares, or of an AUC from chance, below which nobody is warned
_LEAST_FILES = 5  # of either class: of fewer, any difference is chance


def give_aways(predictions: Sequence[Prediction]) -> list[str]:
    """Warnings, in words; empty where the classes are alike.

    Args:
        predictions: of files as they are, one of each.
    """
    by_label = [[one for one in predictions if one.label == label] for label in (0, 1)]
    if min(map(len, by_label)) < _LEAST_FILES:
        return []
    real, forged = by_label
    warnings = [*_formats(real, forged)]
    saved = [[one.jpeg_quality for one in group if one.jpeg_quality is not None] for group in by_label]
    warnings += _ranks("JPEG quality", saved[0], saved[1], "a median of {} in real, {} in forged pictures")
    sizes = [[one.size_px[0] * one.size_px[1] for one in group] for group in by_label]
    warnings += _ranks("size in pixels", sizes[0], sizes[1], "a median of {:,} in real, {:,} in forged pictures")
    return warnings


def _formats(real: Sequence[Prediction], forged: Sequence[Prediction]) -> list[str]:
    counts = [Counter(one.file_format for one in group) for group in (real, forged)]
    sizes = len(real), len(forged)
    for name in sorted(counts[0] | counts[1]):
        shares = counts[0][name] / sizes[0], counts[1][name] / sizes[1]
        both = (counts[0][name] + counts[1][name]) / sum(sizes)
        noise = math.sqrt(both * (1 - both) * (1 / sizes[0] + 1 / sizes[1]))
        if abs(shares[0] - shares[1]) > max(_LEAST, 2 * noise):
            return [
                f"the classes differ in file format: {_told(counts[0])} among the real, {_told(counts[1])} among the "
                "forged; a judge can read that instead of the manipulation"
            ]
    return []


def _ranks(what: str, real: Sequence[int], forged: Sequence[int], medians: str) -> list[str]:
    if min(len(real), len(forged)) < _LEAST_FILES:
        return []
    labels = np.repeat([0, 1], [len(real), len(forged)])
    auc = image_auc(np.array([*real, *forged], np.float64), labels).value
    noise = math.sqrt((len(labels) + 1) / (12 * len(real) * len(forged)))
    if abs(auc - 0.5) <= max(_LEAST, 2 * noise):
        return []
    told = medians.format(int(np.median(real)), int(np.median(forged)))
    return [
        f"the classes differ in {what}: it alone tells them apart with AUC {max(auc, 1 - auc):.2f} ({told}); a judge "
        "can read that instead of the manipulation"
    ]


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.most_common())
