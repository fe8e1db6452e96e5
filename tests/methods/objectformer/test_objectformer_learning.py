"""Losses and scores against values worked out by hand; data and task on few tiles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchmetrics.functional.classification import binary_auroc

from onlooker.errors import ConfigError, NothingFoundError, ShapeError, UnknownNameError, WeightsError
from onlooker.methods.forensics.objectformer import CONFIGS, ObjectFormer, ObjectFormerConfig, ObjectFormerOutput
from onlooker.methods.forensics.objectformer.config import PaperConfig
from onlooker.methods.forensics.objectformer.data import AugmentConfig, ForgedPictures, PicturesConfig, Split, normalise
from onlooker.methods.forensics.objectformer.losses import LossConfig, dice_loss, judgement_loss
from onlooker.methods.forensics.objectformer.scores import area_under_curve, f1_score, pixel_scores
from onlooker.methods.forensics.objectformer.task import LocaliseOptions, LocaliseTask, localise, mask_prior
from onlooker.synth.forgeries import BlendConfig, ForgeryConfig, Photo
from onlooker.train import Moment

SMALL = ObjectFormerConfig(
    paper=PaperConfig(embedding="stem", channels=16, heads=2, layers=1, prototypes=4, token_ffn=2), image_size=32
)
# Large masks with narrow edges: on tiles this small others may vanish.
FORGERIES = ForgeryConfig(size_px=32, kinds={"splice": 1.0}, blend=BlendConfig(area=(0.1, 0.3), feather_px=(0.5, 1.0)))
FEW = PicturesConfig(forgeries=FORGERIES, n_train=8, n_test=8)


def moment() -> Moment:
    return Moment(0, 1, torch.Generator().manual_seed(0))


def test_dice_is_that_of_the_whole_batch_with_squares_below_the_line() -> None:
    prob = torch.tensor([[1.0, 0.5], [0.0, 0.5]])
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    # overlap 1.5; squares 1 + 0.25 + 0.25 and 2; smooth 1
    assert dice_loss(prob, target).item() == pytest.approx(1 - (2 * 1.5 + 1) / (1.5 + 2 + 1))
    assert dice_loss(torch.zeros(3), torch.zeros(3)).item() == 0.0
    assert dice_loss(target, target).item() == 0.0


def test_loss_weighs_its_parts_and_adds_up_all_masks() -> None:
    masks = torch.tensor([-50.0, 50.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 2, 2)
    output = ObjectFormerOutput(torch.tensor([0.0]), masks)
    found = judgement_loss(output, torch.ones(1, 1, 2, 2), torch.ones(1), LossConfig(0.25, 2.0))
    # Dice: no overlap 1 - 1 / (4 + 1); all right 0; halves 1 - (2 * 2 + 1) / (1 + 4 + 1)
    dice = 0.8 + 0.0 + 1 / 6
    assert found["classification"].item() == pytest.approx(np.log(2))
    assert found["localisation"].item() == pytest.approx(dice, abs=1e-6)
    assert found["loss"].item() == pytest.approx(0.25 * np.log(2) + 2.0 * dice, abs=1e-6)
    entropy = judgement_loss(output, torch.ones(1, 1, 2, 2), torch.ones(1), LossConfig(mask="bce"))
    assert entropy["localisation"].item() == pytest.approx(50.0 + 0.0 + np.log(2), abs=1e-4)


def test_masks_of_another_size_are_refused() -> None:
    output = ObjectFormerOutput(torch.zeros(2), torch.zeros(2, 1, 4, 4))
    with pytest.raises(ShapeError, match=r"masks \(2, 1, 4, 4\)"):
        judgement_loss(output, torch.zeros(2, 1, 8, 8), torch.zeros(2), LossConfig())


def test_area_under_the_curve_is_torchmetrics_with_and_without_ties() -> None:
    rng = np.random.default_rng(0)
    for scores in (rng.random(200), np.round(rng.random(200), 1), np.full(200, 0.5)):
        positive = rng.random(200) < 0.3
        expected = float(binary_auroc(torch.from_numpy(scores), torch.from_numpy(positive).long()))
        assert area_under_curve(scores, positive) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(NothingFoundError, match="positives and negatives"):
        area_under_curve(np.ones(3), np.ones(3, np.bool_))


def test_pixel_scores_leave_out_what_has_nothing_to_find() -> None:
    mask = np.array([[True, False], [False, False]])
    good, bad = np.array([[0.9, 0.1], [0.2, 0.3]]), np.array([[0.1, 0.9], [0.8, 0.7]])
    empty, full = np.zeros((2, 2), np.bool_), np.ones((2, 2), np.bool_)
    found = pixel_scores([good, bad, bad, bad], [mask, mask, empty, full])
    assert found.auc == pytest.approx(0.5)  # 1 and 0
    assert found.f1 == pytest.approx(0.5)
    # Of the second map only "all ones" finds anything, F1 2 / 5; of the first the lone pixel 1: best is both at 0.05,
    # 0.4 each, or 1 and 0 at 0.5.
    assert found.best_f1 == pytest.approx(0.5)
    assert f1_score(full, mask) == pytest.approx(2 / 5)
    assert f1_score(empty, empty) == 0.0
    with pytest.raises(NothingFoundError, match="partly manipulated"):
        pixel_scores([good], [empty])
    with pytest.raises(ShapeError, match="shape of its mask"):
        pixel_scores([good], [np.ones((3, 2), np.bool_)])


def photo(name: str, split: Split) -> Photo:
    """A smooth picture with some detail, of its own colours."""
    rng = np.random.default_rng(sum(name.encode()))
    coarse = cv2.resize(rng.uniform(0, 255, (9, 9, 3)), (96, 96), interpolation=cv2.INTER_CUBIC)
    view = np.clip(coarse + rng.normal(0, 8, coarse.shape), 0, 255).astype(np.uint8)
    return Photo(name, (view,), split)


PHOTOS = (photo("a", "train"), photo("b", "train"), photo("c", "test"), photo("d", "test"))


@pytest.fixture(scope="module")
def task() -> LocaliseTask:
    torch.manual_seed(0)
    splits = {split: ForgedPictures(SMALL, FEW, split, PHOTOS) for split in ("train", "test")}
    return LocaliseTask(ObjectFormer(SMALL), LocaliseOptions(FEW), splits)


def test_samples_are_normalised_pictures_with_masks_and_labels_that_agree(task: LocaliseTask) -> None:
    samples = [task.datasets()["train"][place] for place in range(8)]
    for sample in samples:
        assert sample["image"].shape == (3, 32, 32)
        assert bool(sample["mask"].any()) == bool(sample["label"])
        assert set(sample["mask"].unique().tolist()) <= {0.0, 1.0}
    assert normalise(torch.full((1, 1, 3), 255, dtype=torch.uint8)).flatten().tolist() == pytest.approx(
        [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    )


def test_training_and_test_show_different_photos(task: LocaliseTask) -> None:
    train, test = task.data_fingerprint().split("; test ")
    photos = [set(part.split(" of ")[1].split(", ")) for part in (train, test)]
    assert photos == [{"a", "b"}, {"c", "d"}]


def test_evaluation_stands_beside_what_sees_nothing(task: LocaliseTask) -> None:
    task.eval()
    with torch.no_grad():
        scores = task.evaluate()
    assert scores[task.metric.name] == scores["pixel_auc"]
    assert {"image_auc", "pixel_f1", "mask_prior_pixel_auc", "all_ones_pixel_f1"} <= set(scores)
    assert all(0.0 <= value <= 1.0 for value in scores.values()), scores
    masks = [sample["mask"] for sample in (task.datasets()["train"][place] for place in range(8)) if sample["label"]]
    assert mask_prior(task.pictures("train"), 8).max() <= 1.0
    expected = torch.stack(masks).mean(dim=0)[0].numpy()
    assert np.allclose(mask_prior(task.pictures("train"), 8), expected)


def test_loss_has_a_gradient_for_every_part(task: LocaliseTask) -> None:
    task.train()
    batch = task.collate([task.datasets()["train"][place] for place in range(4)])
    losses = task(batch, moment())
    losses["loss"].backward()
    assert all(parameter.grad is not None for parameter in task.network.parameters())
    task.zero_grad()


def test_tiles_of_another_size_than_the_network_are_refused() -> None:
    with pytest.raises(ConfigError, match="`image_size`, 64, got 32"):
        ForgedPictures(CONFIGS["tiny"], FEW, "train")


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean `loss\.lambda_cls`"):
        localise(ObjectFormer(SMALL), {"loss": {"lambda_clas": 1.0}})
    with pytest.raises(ConfigError, match="or neither"):
        PicturesConfig(train_list="train.txt")
    with pytest.raises(ConfigError, match="`jpeg_quality`"):
        AugmentConfig(jpeg_quality=(80, 65))
    with pytest.raises(ConfigError, match="trains an ObjectFormer"):
        localise(torch.nn.Linear(1, 1), {})
    with pytest.raises(ConfigError, match="`lambda_seg`"):
        LossConfig(lambda_seg=-1.0)


def test_trunk_fills_both_streams_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    assert SMALL.paper is not None
    sizes = replace(SMALL.paper, embedding="efficientnet_b4")
    network = ObjectFormer(ObjectFormerConfig(paper=sizes, image_size=32))
    trained = {name: tensor + 1 for name, tensor in network.embeddings[0].trunk.state_dict().items()}
    later = {"blocks.6.1.bn1.weight": torch.ones(3), "conv_head.weight": torch.ones(3)}  # what is not used
    save_file(trained | later, tmp_path / "b4.safetensors")
    localise(network, {"trunk": str(tmp_path / "b4.safetensors")})
    for stream in network.embeddings:
        assert stream.trunk.conv_stem.weight.equal(trained["conv_stem.weight"])
        assert stream.trunk.blocks[1][3].conv_pw.weight.equal(trained["blocks.1.3.conv_pw.weight"])
    save_file({"conv_stem.weight": torch.zeros(48, 3, 3, 3)}, tmp_path / "cut.safetensors")
    with pytest.raises(WeightsError, match="does not fit EfficientNet-B4: missing"):
        localise(network, {"trunk": str(tmp_path / "cut.safetensors")})
    assert network.embeddings[0].trunk.conv_stem.weight.equal(trained["conv_stem.weight"])
    with pytest.raises(ConfigError, match="efficientnet_b4"):
        localise(ObjectFormer(SMALL), {"trunk": str(tmp_path / "b4.safetensors")})
