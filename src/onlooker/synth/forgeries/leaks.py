"""What a detector could learn instead of the manipulation: measured on the data itself, reported with every result.

Every number is what somebody scores who does not look at the picture, or looks at nothing but its bytes or its mean
colours. 0.5 is chance (sheet `forgery_data.md`, section D).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import JpegImagePlugin

from onlooker.errors import MissingExtraError, ShapeError
from onlooker.evaluation.forgery import Score, count_pixels, f1, image_auc, mean_score, undefined
from onlooker.synth.forgeries.values import ForgedImage, Mask
from onlooker.types import FloatArray

_FOLDS = 5


@dataclass(frozen=True, slots=True)
class LeakReport:
    """Priors and leaks of a data set.

    Attributes:
        file_auc: of a linear classifier on size of the file, tables, sampling, dimensions, metadata.
        colour_auc: of a linear classifier on mean and spread of the colours.
        centre_prior_auc: pixel AUC of the mean training mask as the prediction for every test picture.
        all_ones_f1: pixel F1 of "everything is manipulated".
        shared_photos: photos that are in both sets.
    """

    file_auc: Score
    colour_auc: Score
    centre_prior_auc: Score
    all_ones_f1: Score
    shared_photos: tuple[str, ...]


def measure_leaks(train: Sequence[ForgedImage], test: Sequence[ForgedImage]) -> LeakReport:
    """Leaks of a pair of sets; tiles of one size.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        ShapeError: a set is empty.
    """
    if not train or not test:
        raise ShapeError("leaks are measured on a training and a test set, one is empty")
    everything = [*train, *test]
    labels = np.array([item.label for item in everything])
    shared = {name for item in train for name in item.source_ids} & {name for item in test for name in item.source_ids}
    return LeakReport(
        linear_auc(np.array([file_features(item) for item in everything]), labels),
        linear_auc(np.array([colour_features(item) for item in everything]), labels),
        centre_prior_auc([item.mask for item in train], [item.mask for item in test]),
        all_ones_f1([item.mask for item in test]),
        tuple(sorted(shared)),
    )


def file_features(item: ForgedImage) -> list[float]:
    """[bytes, sum of the luma table, chroma sampling, height, width, any metadata] of the last save."""
    height, width = item.image.shape[:2]
    data = item.final_jpeg
    if data is None:
        return [0.0, 0.0, 0.0, height, width, 0.0]
    with PILImage.open(io.BytesIO(data)) as opened:
        tables = getattr(opened, "quantization", {0: [0]})
        sampling = JpegImagePlugin.get_sampling(opened)
        return [
            len(data),
            float(sum(tables[0])),
            float(sampling),
            opened.height,
            opened.width,
            float("exif" in opened.info),
        ]


def colour_features(item: ForgedImage) -> list[float]:
    """Mean and spread of the three channels in Lab."""
    lab = cv2.cvtColor(item.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return [*lab.mean(axis=0).tolist(), *lab.std(axis=0).tolist()]


def linear_auc(features: NDArray[np.float64], labels: NDArray[np.integer]) -> Score:
    """AUC of a logistic regression on features, every sample judged by a model that did not see it (five folds)."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise MissingExtraError("leaks need scikit-learn: pip install 'onlooker[forensics]'") from error
    if min(np.bincount(labels, minlength=2)) < _FOLDS:
        return undefined(f"fewer than {_FOLDS} samples of a class")
    model = make_pipeline(StandardScaler(), LogisticRegression())
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    found = cross_val_predict(model, features, labels, cv=folds, method="decision_function")
    return image_auc(np.asarray(found), labels)


def centre_prior_auc(train: Sequence[Mask], test: Sequence[Mask]) -> Score:
    """Pixel AUC, over all pixels of manipulated test pictures, of the mean training mask."""
    known, judged = [m for m in train if m.any()], [m for m in test if m.any()]
    if not known or not judged:
        return undefined("no manipulated picture")
    prior: FloatArray = np.mean(known, axis=0, dtype=np.float32)
    if any(mask.shape != prior.shape for mask in judged):
        raise ShapeError("masks of several sizes have no common prior")
    truth = np.concatenate([mask.ravel() for mask in judged])
    return image_auc(np.tile(prior.ravel(), len(judged)), truth.astype(np.int64))


def all_ones_f1(masks: Sequence[Mask]) -> Score:
    """Mean F1 over manipulated pictures of calling every pixel manipulated."""
    return mean_score([f1(count_pixels(np.ones_like(mask), mask)) for mask in masks if mask.any()])
