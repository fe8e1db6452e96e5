"""Scores, calibration, and a run from recipe to judge."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.forensics.m2tr.config import FusionConfig, M2trConfig, SmallConfig
from onlooker.methods.forensics.m2tr.data import PicturesConfig
from onlooker.methods.forensics.m2tr.infer import M2trJudge
from onlooker.methods.forensics.m2tr.losses import LossConfig
from onlooker.methods.forensics.m2tr.model import M2tr
from onlooker.methods.forensics.m2tr.scores import (
    best_iou,
    best_threshold,
    equal_error_rate,
    fit_temperature,
    mask_scores,
    ranking_auc,
)
from onlooker.methods.forensics.m2tr.task import DetectOptions, DetectTask, detect
from onlooker.synth.forgeries.config import ForgeryConfig
from onlooker.synth.forgeries.photos import Photo
from onlooker.synth.forgeries.values import SPLITS
from onlooker.train import Moment, OptimiserConfig, TrainConfig, train

SMALL = M2trConfig(
    image_size=32,
    fusion=FusionConfig(depth=1),
    small=SmallConfig(texture_channels=8, widths=(8,), feature_channels=8),
    mask_head=True,
)
PICTURES = PicturesConfig(ForgeryConfig(size_px=32, kinds={"splice": 1.0}), n_train=16, n_validation=12, n_test=12)


def texture(number: int) -> Photo:
    """A picture of waves, instead of a photo that takes a while to read."""
    y, x = np.mgrid[:120, :120] / (4.0 + number)
    waves = [np.sin(x + shade) + np.cos(y * (1 + shade)) for shade in range(3)]
    split = SPLITS[number % 3]
    return Photo(f"waves/{number}", (np.uint8(127 + 60 * np.stack(waves, axis=-1)),), split)


PHOTOS = tuple(texture(number) for number in range(9))


@pytest.fixture(autouse=True)
def _own_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onlooker.methods.forensics.m2tr.data.photo_sources", lambda: PHOTOS)


def task(loss: LossConfig | None = None, config: M2trConfig = SMALL) -> DetectTask:
    torch.manual_seed(0)
    return DetectTask(M2tr(config), DetectOptions(PICTURES, loss or LossConfig()))


def test_ranking_auc_by_hand_with_ties_and_one_class() -> None:
    positive = np.array([True, True, False, False])
    assert ranking_auc(np.array([0.9, 0.4, 0.5, 0.1]), positive) == 0.75  # one of four pairs is in the wrong order
    assert ranking_auc(np.array([0.5, 0.5, 0.5, 0.5]), positive) == 0.5
    assert ranking_auc(np.array([0.9, 0.4, 0.4, 0.1]), positive) == 0.875
    assert math.isnan(ranking_auc(np.array([0.1, 0.2]), np.array([True, True])))


def test_equal_error_rate_by_hand() -> None:
    positive = np.array([True, True, True, True, False, False, False, False])
    assert equal_error_rate(np.array([9, 8, 7, 6, 4, 3, 2, 1.0]), positive) == 0.0
    assert equal_error_rate(np.array([9, 8, 7, 2.5, 6, 3, 2, 1.0]), positive) == 0.25  # one wrong on either side
    assert math.isnan(equal_error_rate(np.array([1.0]), np.array([True])))


def test_mask_scores_by_hand() -> None:
    masks = np.zeros((1, 4, 4), np.bool_)
    masks[0, :2] = True  # eight pixels
    found = np.zeros((1, 4, 4))
    found[0, 1:3] = 0.8  # half of them, and as many outside
    scores = mask_scores(found, masks)
    assert scores.iou == pytest.approx(4 / 12)
    assert scores.f1 == pytest.approx(8 / 16)
    assert scores.auc == pytest.approx(0.5)
    assert math.isnan(mask_scores(found[:0], masks[:0]).iou)
    with pytest.raises(ShapeError):
        mask_scores(found, masks[:, :2])


def test_best_iou_takes_the_threshold_that_suits_and_no_answer_is_every_pixel() -> None:
    masks = np.zeros((2, 4, 4), np.bool_)
    masks[:, :2] = True  # eight of sixteen pixels
    faint = np.where(masks, 0.02, 0.01)  # right, but far below one half
    assert best_iou(faint, masks) == 1.0
    assert best_iou(np.zeros((2, 4, 4)), masks) == 0.5
    with pytest.raises(ShapeError):
        best_iou(faint, masks[:1])


@pytest.mark.parametrize("true", [0.5, 1.0, 4.0])
def test_temperature_finds_the_one_that_labels_were_drawn_at(true: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(20_000, 2, generator=generator)
    labels = torch.multinomial((logits / true).softmax(-1), 1, generator=generator)[:, 0]
    assert fit_temperature(logits, labels) == pytest.approx(true, rel=0.06)
    assert fit_temperature(logits[:0], labels[:0]) == 1.0


def test_threshold_lies_between_the_classes_and_near_one_half_where_it_can() -> None:
    fake = torch.tensor([False, False, True, True])
    assert best_threshold(torch.tensor([0.1, 0.2, 0.8, 0.9]), fake) == 0.5
    assert best_threshold(torch.tensor([0.6, 0.7, 0.8, 0.9]), fake) == pytest.approx(0.75)
    assert best_threshold(torch.tensor([0.6, 0.7]), torch.tensor([True, True])) == 0.5


def test_a_run_ends_in_weights_and_a_calibration_that_the_judge_uses(tmp_path: Path) -> None:
    started = task()
    config = TrainConfig(steps=3, batch_size=8, optimiser=OptimiserConfig(learning_rate=1e-2))
    result = train(started, config, folder=tmp_path / "run", device="cpu")
    wanted = {"auc", "equal_error_rate", "accuracy", "accuracy_at_threshold", "temperature", "mask_iou", "mask_f1"}
    assert wanted <= set(result.metrics)
    stored = json.loads((tmp_path / "run" / "calibration.json").read_text())
    assert stored["temperature"] == pytest.approx(result.metrics["temperature"])
    assert "12 forgeries" in stored["tested_on"]
    judge = M2trJudge(tmp_path / "run", SMALL)
    assert judge.calibration is not None
    assert judge.calibration.temperature == pytest.approx(stored["temperature"])
    assert judge.calibration.tested_on == stored["tested_on"]
    sample = started.datasets()["train"][0]
    with torch.no_grad():
        logits = started.network.eval()(sample["image"][None]).logits / stored["temperature"]
    tile = started._pictures["train"].tiles[0].image  # type: ignore[union-attr]
    assert judge.judge([tile])[0].probability == pytest.approx(float(logits.softmax(-1)[0, 1]), abs=1e-6)


def test_evaluation_does_not_touch_the_test_for_temperature_or_threshold() -> None:
    started = task().eval()
    with torch.no_grad():
        before = started.evaluate()
    started._pictures["test"].tiles = started._pictures["train"].tiles  # type: ignore[union-attr]
    with torch.no_grad():
        after = started.evaluate()
    assert before["temperature"] == after["temperature"]


def test_parts_of_the_loss_are_logged_and_nan_is_refused() -> None:
    started = task()
    batch = started.collate([started.datasets()["train"][place] for place in range(4)])
    moment = Moment(0, 1, torch.Generator().manual_seed(0))
    assert set(started(batch, moment)) == {"loss", "focal", "mask", "centre", "accuracy"}
    released = task(LossConfig(mask_weight=0.0, centre_weight=0.0))
    assert set(released(batch, moment)) == {"loss", "focal", "accuracy"}
    with pytest.raises(ShapeError, match="not finite"):
        started({**batch, "image": batch["image"] * torch.nan}, moment)


def test_batches_whose_masks_nobody_knows_teach_the_rest() -> None:
    started = task()
    batch = started.collate([started.datasets()["train"][place] for place in range(4)])
    batch["has_mask"] = torch.zeros(4, dtype=torch.bool)
    parts = started(batch, Moment(0, 1, torch.Generator().manual_seed(0)))
    assert float(parts["mask"].detach()) == 0.0
    assert parts["loss"].isfinite()


def test_unknown_options_and_other_networks_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="mask_weight"):
        detect(M2tr(SMALL), {"loss": {"mask_weigth": 1.0}})
    with pytest.raises(ConfigError, match="trains an `M2tr`"):
        detect(nn.Linear(1, 1), {})
    with pytest.raises(ConfigError, match="`n_test` is at least 1"):
        replace(PICTURES, n_test=0)
