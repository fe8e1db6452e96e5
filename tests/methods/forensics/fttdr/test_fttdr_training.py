"""Losses by hand, phases that train what they should, data of one's own, and scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image as Pil
from torch import Tensor, nn

from onlooker.errors import ConfigError, NothingFoundError, ShapeError, UnknownNameError
from onlooker.methods.forensics.fttdr import detect, restore
from onlooker.methods.forensics.fttdr.config import FrequencyConfig, FtTdrConfig, InpaintConfig, MaskNetConfig
from onlooker.methods.forensics.fttdr.data import DamageConfig, Damaged, DamagedPictures, damaged_pictures, fingerprint
from onlooker.methods.forensics.fttdr.experiments import Finder, network_config, single_config
from onlooker.methods.forensics.fttdr.infer import FtTdrRestorer
from onlooker.methods.forensics.fttdr.judges import FixedFeatures, PatchDiscriminator
from onlooker.methods.forensics.fttdr.losses import (
    MaskLossConfig,
    RestorationLossConfig,
    dice_loss,
    discriminator_hinge,
    gram,
    hole_and_valid,
    mask_cross_entropy,
    side_loss,
    style_loss,
)
from onlooker.methods.forensics.fttdr.model import FtTdr
from onlooker.methods.forensics.fttdr.scores import score_restoration
from onlooker.methods.forensics.fttdr.task import PhasesConfig, RestoreOptions, RestoreTask
from onlooker.synth.forgeries.config import ForgeryConfig
from onlooker.synth.forgeries.photos import split_of
from onlooker.train.task import Moment

SMALL = FtTdrConfig(
    image_size=32,
    mask_net=MaskNetConfig(FrequencyConfig(alpha=0.3), channels=8, blocks=1, patches=(4, 2)),
    inpaint_net=InpaintConfig(widths=(4, 6, 8), dilations=(2,), attention_side=8),
    dilate_px=1,
)
GENERATOR = torch.Generator().manual_seed(0)
BATCH = {
    "damaged": torch.rand(2, 3, 32, 32, generator=GENERATOR),
    "original": torch.rand(2, 3, 32, 32, generator=GENERATOR),
    "mask": (torch.rand(2, 1, 32, 32, generator=GENERATOR) > 0.7).float(),
}


def made(options: RestoreOptions | None = None, config: FtTdrConfig = SMALL) -> RestoreTask:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return RestoreTask(FtTdr(config), options or RestoreOptions()).train()


def moment(fraction: float) -> Moment:
    return Moment(int(fraction * 100), 100, torch.Generator())


def has_gradient(part: nn.Module) -> bool:
    return any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in part.parameters())


def test_balanced_cross_entropy_weighs_damage_by_how_much_is_sound() -> None:
    logits = torch.tensor([[[[0.5, -0.2, 1.0, 0.0]]]])
    mask = torch.tensor([[[[1.0, 0.0, 0.0, 0.0]]]])
    each = F.binary_cross_entropy_with_logits(logits, mask, reduction="none").flatten()
    assert float(mask_cross_entropy(logits, mask, "none")) == pytest.approx(float(each.mean()))
    weights = torch.tensor([1.5, 0.5, 0.5, 0.5])
    assert float(mask_cross_entropy(logits, mask, "area")) == pytest.approx(float((each * weights).mean()))
    even = torch.tensor([[[[1.0, 0.0, 1.0, 0.0]]]])
    assert mask_cross_entropy(logits, even, "area").isclose(mask_cross_entropy(logits, even, "none"))


def test_dice_is_nothing_for_the_true_mask_and_for_nothing_found_where_nothing_is() -> None:
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, :, :2] = 1.0
    logits = torch.where(mask == 1, 50.0, -50.0)
    assert float(dice_loss(logits, mask)) == pytest.approx(0.0, abs=1e-6)
    assert float(dice_loss(-logits[:1], mask[:1])) == pytest.approx(1 - 1 / 17)


def test_errors_are_split_by_the_mask_and_none_breaks_an_empty_one() -> None:
    raw, truth = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    truth[:, :, 0, 0], truth[:, 0, 1, 1] = 0.5, 0.3
    mask = torch.zeros(1, 1, 2, 2)
    mask[..., 0, 0] = 1.0
    found = hole_and_valid(raw, truth, mask)
    assert float(found.hole) == pytest.approx(0.5)
    assert float(found.valid) == pytest.approx(0.1 / 3)
    assert float(hole_and_valid(raw, truth, torch.zeros_like(mask)).hole) == 0.0
    assert float(hole_and_valid(raw, truth, torch.ones_like(mask)).valid) == 0.0


def test_sides_are_compared_with_the_averaged_truth() -> None:
    truth = torch.rand(1, 3, 4, 4, generator=GENERATOR)
    assert float(side_loss((F.avg_pool2d(truth, 2), F.avg_pool2d(truth, 4) + 0.2), truth)) == pytest.approx(0.1)
    assert float(side_loss((), truth)) == 0.0


def test_style_does_not_see_where_things_are() -> None:
    x = torch.rand(1, 2, 4, 4, generator=GENERATOR)
    assert gram(x).shape == (1, 2, 2)
    assert float(gram(x)[0, 0, 1]) == pytest.approx(float((x[0, 0] * x[0, 1]).sum() / 32))
    assert float(style_loss([x], [x.flip(-1)])) == pytest.approx(0.0, abs=1e-6)
    assert float(discriminator_hinge(torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0]))) == pytest.approx(0.75)


def test_phases_follow_one_another() -> None:
    phases = PhasesConfig(detect=0.25, restore=0.5)
    found = [phases.at(fraction) for fraction in (0.0, 0.2, 0.25, 0.5, 0.75, 0.875)]
    assert [phase for phase, _ in found] == ["detect", "detect", "restore", "restore", "both", "both"]
    assert [done for _, done in found] == pytest.approx([0.0, 0.8, 0.0, 0.5, 0.0, 0.5])
    assert PhasesConfig(0.4, 0.6).at(0.999)[0] == "restore"
    assert PhasesConfig(0.0, 1.0).at(0.0)[0] == "restore"


def test_rates_are_those_of_the_phase() -> None:
    groups = {group.name: group for group in made(RestoreOptions(phases=PhasesConfig(0.25, 0.5))).parameter_groups()}
    rates = {name: [group.schedule(step, 100) for step in (0, 24, 25, 74, 75)] for name, group in groups.items()}
    assert rates["detector"] == pytest.approx([1.0, 0.00394, 0.0, 0.0, 0.1], abs=1e-4)
    assert rates["restorer"] == pytest.approx([0.0, 0.0, 1.0, 0.00099, 0.1], abs=1e-4)
    constant = made(RestoreOptions(phases=PhasesConfig(0.5, 0.5, schedule="constant"))).parameter_groups()
    assert constant[0].schedule(49, 100) == 1.0


def test_each_phase_trains_its_own_stage_alone() -> None:
    for fraction, trained in ((0.0, (True, False)), (0.3, (False, True)), (0.6, (False, True)), (0.9, (True, True))):
        task = made(RestoreOptions(phases=PhasesConfig(0.25, 0.5, true_masks=0.5)))
        before = {name: value.clone() for name, value in task.network.mask_net.named_buffers()}
        parts = task(BATCH, moment(fraction))
        parts["loss"].backward()
        assert (has_gradient(task.network.mask_net), has_gradient(task.network.inpaint_net)) == trained
        moved = any(not value.equal(before[name]) for name, value in task.network.mask_net.named_buffers())
        assert moved == trained[0], "statistics of a stage that stands still stand still"
        assert task.network.mask_net.training


def test_the_loss_is_the_weighted_sum_of_its_parts() -> None:
    loss = RestorationLossConfig(hole=6, valid=1, side=0.5, perceptual=0.1, style=2.0)
    options = RestoreOptions(phases=PhasesConfig(0.0, 0.0), restoration_loss=loss, mask_weight=3.0)
    parts = {name: float(value.detach()) for name, value in made(options)(BATCH, moment(0.5)).items()}
    restoration = 6 * parts["hole"] + parts["valid"] + 0.5 * parts["side"]
    restoration += 0.1 * parts["perceptual"] + 2 * parts["style"]
    assert parts["loss"] == pytest.approx(restoration + 3 * (parts["cross_entropy"] + parts["dice"]), rel=1e-5)


def test_true_masks_come_first_and_found_ones_later() -> None:
    task = made(RestoreOptions(phases=PhasesConfig(0.0, 1.0, true_masks=0.5)))
    seen: list[Tensor] = []
    task.network.inpaint_net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    task(BATCH, moment(0.2))
    task(BATCH, moment(0.8))
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}
    assert (seen[0] >= BATCH["mask"]).all()
    assert len(seen[1].unique()) > 2


def test_the_two_players_do_not_train_each_other() -> None:
    loss = RestorationLossConfig(hole=0, valid=0, side=0, adversarial=1.0)
    options = RestoreOptions(phases=PhasesConfig(0.0, 1.0), restoration_loss=loss, discriminator_width=4)
    task = made(options)
    parts = task(BATCH, moment(0.0))
    parts["adversarial"].backward(retain_graph=True)
    assert has_gradient(task.network.inpaint_net)
    assert not has_gradient(task.discriminator)
    task.zero_grad()
    parts["discriminator"].backward()
    assert has_gradient(task.discriminator)
    assert not has_gradient(task.network.inpaint_net)
    assert {group.name for group in task.parameter_groups()} == {"detector", "restorer", "discriminator"}


def test_the_judge_of_patches_sees_seventy_pixels() -> None:
    judge = PatchDiscriminator(2).eval()
    picture = torch.zeros(1, 3, 256, 256, requires_grad=True)
    scores = judge(picture)
    assert scores.shape == (1, 1, 30, 30)
    scores[0, 0, 15, 15].backward()
    rows = picture.grad.abs().sum(dim=(0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_fixed_features_are_the_same_every_time_and_are_not_trained() -> None:
    first, second = FixedFeatures("random"), FixedFeatures("random")
    picture = torch.rand(1, 3, 32, 32, generator=GENERATOR)
    assert all(a.equal(b) for a, b in zip(first(picture), second(picture), strict=True))
    assert not any(parameter.requires_grad for parameter in first.parameters())
    assert not first.train().training


@pytest.mark.slow
def test_vgg_features_come_from_a_file_and_end_before_pooling(tmp_path: Path) -> None:
    from safetensors.torch import save_file
    from torchvision.models import vgg16

    torch.manual_seed(1)
    network = vgg16(weights=None).eval()
    save_file(network.state_dict(), tmp_path / "vgg16.safetensors")
    picture = torch.rand(1, 3, 32, 32)
    maps = FixedFeatures("vgg16", str(tmp_path / "vgg16.safetensors"))(picture)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (picture - mean[:, None, None]) / std[:, None, None]
    expected = [network.features[:end](x) for end in (4, 9, 16)]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(maps, expected, strict=True))


def test_a_single_stage_learns_both_all_the_time() -> None:
    stage = replace(SMALL.inpaint_net, transfer=False, mask_in_decoder=False)
    task = made(RestoreOptions(), replace(SMALL, stages="one", inpaint_net=stage))
    parts = task(BATCH, moment(0.0))
    assert float(parts["dice"].detach()) > 0
    assert float(parts["hole"].detach()) > 0
    (group,) = task.parameter_groups()
    assert [group.schedule(step, 100) for step in (0, 50)] == pytest.approx([1.0, 0.5])


def test_pictures_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ShapeError, match="not finite"):
        made()({**BATCH, "original": BATCH["original"] * float("nan")}, moment(0.0))


def test_tasks_are_the_phases_they_are_named_for() -> None:
    network = FtTdr(SMALL)
    assert detect(network, {}).metric.name == "mask_iou"
    assert restore(network, {}).options.phases.at(0.0)[0] == "restore"
    part = restore(network, {"phases": {"schedule": "constant"}}).options.phases
    assert (part.restore, part.schedule) == (1.0, "constant")
    with pytest.raises(ConfigError, match="group of settings"):
        restore(network, {"phases": 3})
    with pytest.raises(UnknownNameError, match=r"task_options\.phases\.detekt"):
        restore(network, {"phases": {"detekt": 1.0}})
    with pytest.raises(ConfigError, match="trains an `FtTdr`"):
        restore(nn.Linear(1, 1), {})


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(30):
        pixels = np.clip(rng.normal(60 + 4 * number, 20, (40, 52, 3)), 0, 255).astype(np.uint8)
        Pil.fromarray(pixels).save(tmp_path / f"{number}.png")
    return tmp_path


def test_pictures_of_ones_own_are_damaged_and_split_by_file(faces: Path) -> None:
    config = DamageConfig(ForgeryConfig(size_px=32, authentic_share=0.3), faces=str(faces), n_train=12)
    pictures = DamagedPictures(damaged_pictures(config, "train", 32), 12, kept=3)
    first = pictures[4]
    assert {name: tuple(value.shape) for name, value in first.items()} == {
        "damaged": (3, 32, 32),
        "original": (3, 32, 32),
        "mask": (1, 32, 32),
    }
    again = DamagedPictures(damaged_pictures(config, "train", 32), 12, kept=0)
    assert all(first[name].equal(again[4][name]) for name in first)
    assert not first["damaged"].equal(pictures[5]["damaged"])
    sound = [sample for sample in map(pictures.__getitem__, range(12)) if not sample["mask"].any()]
    assert 0 < len(sound) < 12
    assert all(sample["damaged"].equal(sample["original"]) for sample in sound)
    means = {
        split: {round(float(make(n).original.mean())) for n in range(12)}
        for split in ("train", "test")
        for make in [damaged_pictures(config, split, 32)]
    }
    assert not means["train"] & means["test"]
    with pytest.raises(IndexError):
        pictures[12]


def test_the_fingerprint_tells_other_pictures_and_other_settings_apart(faces: Path) -> None:
    config = DamageConfig(ForgeryConfig(size_px=32), faces=str(faces))
    first = fingerprint(config)
    assert first == fingerprint(config)
    assert first != fingerprint(replace(config, seed=1))
    (faces / "3.png").unlink()
    assert first != fingerprint(config)


def test_data_that_do_not_fit_are_refused(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="size_px"):
        damaged_pictures(DamageConfig(ForgeryConfig(size_px=64)), "train", 32)
    with pytest.raises(ConfigError, match=r"data\.contents"):
        DamageConfig(contents="x")
    with pytest.raises(ConfigError, match="n_train"):
        DamageConfig(n_train=0)
    (faces / "few").mkdir()
    Pil.new("RGB", (9, 9)).save(faces / "few" / "a.png")
    config = DamageConfig(ForgeryConfig(size_px=32), faces=str(faces / "few"))
    other = "train" if split_of("a.png") == "test" else "test"
    with pytest.raises(NothingFoundError, match=f"split `{other}`"):
        damaged_pictures(config, other, 32)


def test_scores_of_a_restorer_that_knows_the_damage() -> None:
    truth = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    image, mask = truth.copy(), np.zeros((32, 32), np.bool_)
    mask[8:16, 8:16] = True
    image[mask] = 0
    sound = Damaged(truth, np.zeros((32, 32), np.bool_), truth)
    restorer = FtTdrRestorer.from_network(FtTdr(SMALL))
    found = score_restoration(restorer, [Damaged(image, mask, truth), sound], true_masks=True)
    assert found["mask_iou"] == 100.0
    assert found["mask_boundary"] == 100.0
    assert found["false_area"] == 0.0
    assert found["psnr_hole"] < found["psnr"] < 40
    with pytest.raises(ConfigError, match="none of the pictures"):
        score_restoration(restorer, [sound])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PhasesConfig(0.7, 0.7), "parts of one run"),
        (lambda: PhasesConfig(true_masks=2.0), "true_masks"),
        (lambda: MaskLossConfig(0.0, 0.0), "not all 0"),
        (lambda: RestorationLossConfig(hole=-1.0), "0 or more"),
        (lambda: RestoreOptions(mask_weight=-1.0), "mask_weight"),
        (lambda: RestoreOptions(feature_weights="x"), "feature_weights"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_arms_of_the_claims_are_of_one_size() -> None:
    def count(config: FtTdrConfig) -> int:
        return sum(parameter.numel() for parameter in FtTdr(config).parameters())

    full = count(network_config())
    finders: tuple[Finder, ...] = ("pixels twice", "no incoherence", "convolutions")
    assert {count(network_config(finder)) for finder in finders} == {full}
    assert abs(count(network_config(filler="plain skips")) - full) < 0.03 * full
    assert abs(count(single_config()) - full) < 0.03 * full
