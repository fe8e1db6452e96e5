"""How well pictures were judged: ranking, errors and masks, and the temperature that makes probabilities honest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import rankdata
from torch import Tensor
from torch.nn import functional

from onlooker.errors import ShapeError

Numbers = NDArray[np.floating]
Flags = NDArray[np.bool_]
_TEMPERATURES = (0.05, 20.0)  # beyond these a validation set says that it is too small, not how sure the network is


def ranking_auc(scores: Numbers, positive: Flags) -> float:
    """Probability that a positive outranks a negative, ties counted half; NaN where one of the two is missing."""
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    if not n_positive or not n_negative:
        return math.nan
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def equal_error_rate(scores: Numbers, positive: Flags) -> float:
    """Mean of both error rates at the threshold where they differ least; NaN where a class is missing."""
    if not positive.any() or positive.all():
        return math.nan
    thresholds = np.concatenate([np.unique(scores), [np.inf]])
    missed = np.array([(scores[positive] < t).mean() for t in thresholds])
    alarmed = np.array([(scores[~positive] >= t).mean() for t in thresholds])
    best = int(np.argmin(np.abs(missed - alarmed)))
    return float((missed[best] + alarmed[best]) / 2)


@dataclass(frozen=True)
class MaskScores:
    """How well masks were found, on manipulated pictures alone.

    Attributes:
        iou, f1: mean over pictures at a threshold of 0.5.
        auc: over all of their pixels together.
    """

    iou: float
    f1: float
    auc: float


def mask_scores(probabilities: Numbers, masks: Flags) -> MaskScores:
    """Scores of (N, H, W) probabilities against masks, none of which is empty; NaN without pictures."""
    if probabilities.shape != masks.shape:
        raise ShapeError(f"masks {masks.shape} and probabilities {probabilities.shape} are of one shape")
    if not len(masks):
        return MaskScores(math.nan, math.nan, math.nan)
    found = probabilities >= 0.5
    both = (found & masks).sum(axis=(1, 2))
    sizes = found.sum(axis=(1, 2)) + masks.sum(axis=(1, 2))
    auc = ranking_auc(probabilities.reshape(-1), masks.reshape(-1))
    return MaskScores(float((both / (sizes - both)).mean()), float((2 * both / sizes).mean()), auc)


def best_iou(probabilities: Numbers, masks: Flags, thresholds: int = 50) -> float:
    """Mean intersection over union at the one threshold that suits these pictures best.

    Args:
        probabilities: (N, H, W), any scale: thresholds are tried at equal steps of their quantiles.
        masks: (N, H, W), none of which is empty.
        thresholds: how many are tried.

    Raises:
        ShapeError: shapes differ.
    """
    if probabilities.shape != masks.shape:
        raise ShapeError(f"masks {masks.shape} and probabilities {probabilities.shape} are of one shape")
    tried = np.unique(np.quantile(probabilities, np.linspace(0.0, 1.0, thresholds, endpoint=False)))
    return max(_mean_iou(probabilities >= threshold, masks) for threshold in tried)


def _mean_iou(found: Flags, masks: Flags) -> float:
    return float(((found & masks).sum(axis=(1, 2)) / (found | masks).sum(axis=(1, 2))).mean())


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature at which softmax probabilities explain the labels best (Guo et al., 1706.04599, section 4.2).

    Args:
        logits: (N, classes) of pictures that were not trained on.
        labels: (N,) class numbers.

    Returns:
        In [0.05, 20]; 1 without pictures.
    """
    if not len(labels):
        return 1.0
    raw = logits.detach().double()

    def surprise(log_temperature: float) -> float:
        return float(functional.cross_entropy(raw / math.exp(log_temperature), labels))

    low, high = (math.log(end) for end in _TEMPERATURES)
    found = minimize_scalar(surprise, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    return math.exp(float(found.x))


def best_threshold(probabilities: Tensor, fake: Tensor) -> float:
    """The probability from which a picture is called fake so that both classes together have the fewest errors, each
    class weighted alike (Youden's index); halfway between two pictures' probabilities, 0.5 where a class is missing."""
    if not bool(fake.any()) or bool(fake.all()):
        return 0.5
    known = torch.unique(probabilities.double())
    candidates = torch.cat([(known[1:] + known[:-1]) / 2, known.new_tensor([0.5])])
    called = probabilities.double()[None] >= candidates[:, None]  # (candidates, N)
    right = called[:, fake].double().mean(dim=1) + (~called[:, ~fake]).double().mean(dim=1)
    best = candidates[right == right.max()]
    return float(best[(best - 0.5).abs().argmin()])  # of several equal ones, the nearest to 0.5
