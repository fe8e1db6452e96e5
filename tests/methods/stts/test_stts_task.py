"""Finetuning: who learns when, how the noise fades, what the targets are, and what the clips hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.encoders.stts.config import MViTConfig, SelectionConfig, SttsConfig
from onlooker.methods.encoders.stts.data import ClipsConfig, make_clips
from onlooker.methods.encoders.stts.losses import MixConfig, mix_clips, soft_cross_entropy
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.task import ClassifyOptions, ClassifyTask, classify, cosine
from onlooker.train import Moment, OptimiserConfig, TrainConfig, train

SMALL = SttsConfig(
    frames=4,
    image_size=(32, 32),
    num_classes=4,
    mvit=MViTConfig(embed_dim=16, depth=2, grow_at=(1,), kv_stride=(1, 4, 4), drop_path=0.0, head_dropout=0.0),
    selection=SelectionConfig(time_at=0, time_ratio=0.5, space_at=1, space_ratio=0.5, num_samples=20),
)
CLIPS = ClipsConfig(world="patch", n_train=16, n_test=8, n_signal=1)


def network(config: SttsConfig = SMALL) -> Stts:
    torch.manual_seed(0)
    return Stts(config)


def moment(step: int, total: int) -> Moment:
    return Moment(step, total, torch.Generator().manual_seed(step))


def test_backbone_stands_still_bit_by_bit_while_it_waits_and_learns_afterwards() -> None:
    start = network()
    before = {name: value.clone() for name, value in start.state_dict().items()}
    scorers = set(start.scorer_parameters())
    task = ClassifyTask(start, ClassifyOptions(clips=CLIPS, backbone_waits=0.5))
    seen: list[dict[str, torch.Tensor]] = []
    original = task.after_step
    task.after_step = lambda at: (  # type: ignore[method-assign]
        original(at),
        seen.append({name: value.clone() for name, value in task.network.state_dict().items()}),
    )[0]
    config = TrainConfig(steps=4, batch_size=4, optimiser=OptimiserConfig(learning_rate=1e-2, weight_decay=0.1))
    train(task, config, device="cpu")
    waited, learned = seen[1], seen[3]
    rest = [name for name in before if name not in scorers]
    assert all(waited[name].equal(before[name]) for name in rest)
    assert any(not waited[name].equal(before[name]) for name in scorers)
    assert any(not learned[name].equal(before[name]) for name in rest)


def test_rates_follow_the_papers_two_groups() -> None:
    groups = {group.name: group for group in ClassifyTask(network(), ClassifyOptions(clips=CLIPS)).parameter_groups()}
    scorer, backbone = groups["scorers"].schedule, groups["backbone"].schedule
    assert scorer is not None
    assert backbone is not None
    assert (scorer(0, 20), backbone(0, 20), backbone(2, 20)) == (1.0, 0.0, 0.0)  # 3 of 20 epochs
    assert backbone(3, 20) == 0.1  # a tenth of the rate, as long as the cosine is above it
    assert scorer(10, 20) == pytest.approx(0.01 + 0.99 * 0.5)
    assert backbone(19, 20) == pytest.approx(cosine(19, 20, 0.01))
    assert backbone(19, 20) < 0.1
    assert groups["scorers gains and biases"].weight_decay == 0.0
    assert all(parameter.ndim > 1 for parameter in (*groups["scorers"].parameters, *groups["backbone"].parameters))


def test_noise_falls_in_a_straight_line_to_nothing() -> None:
    task = ClassifyTask(network(), ClassifyOptions(clips=CLIPS))
    assert [task.sigma_at(moment(step, 4)) for step in range(4)] == pytest.approx([0.1, 0.075, 0.05, 0.025])
    assert task.sigma_at(moment(4, 4)) == 0.0


def test_a_step_depends_on_its_moment_alone() -> None:
    task = ClassifyTask(network(), ClassifyOptions(clips=CLIPS, mix=MixConfig(0.8, 1.0, 0.5, 0.1))).train()
    batch = task.collate([task.datasets()["train"][i] for i in range(4)])
    first, second = task(batch, moment(1, 9)), task(batch, moment(1, 9))
    assert first["loss"].equal(second["loss"])
    assert not first["loss"].equal(task(batch, moment(2, 9))["loss"])


def test_soft_cross_entropy_equals_torch_on_hard_and_soft_targets() -> None:
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 3, 1, 1, 2])
    hard = functional.one_hot(labels, 4).float()
    assert float(soft_cross_entropy(logits, hard)) == pytest.approx(float(functional.cross_entropy(logits, labels)))
    smooth = hard * 0.9 + 0.1 / 4
    expected = functional.cross_entropy(logits, labels, label_smoothing=0.1)
    assert float(soft_cross_entropy(logits, smooth)) == pytest.approx(float(expected))


def test_mixup_blends_clips_as_their_targets_say() -> None:
    clips = torch.stack([torch.zeros(3, 2, 4, 4), torch.ones(3, 2, 4, 4)])
    mixed, targets = mix_clips(clips, torch.tensor([0, 1]), 2, MixConfig(mixup=0.8), moment(3, 9).generator)
    assert mixed[0].unique().numel() == 1
    assert float(targets[0, 1]) == pytest.approx(float(mixed[0].mean()), abs=1e-6)
    assert targets.sum(-1).tolist() == pytest.approx([1.0, 1.0])
    assert clips[0].abs().max() == 0.0


def test_cutmix_pastes_as_many_pixels_as_its_targets_say() -> None:
    clips = torch.stack([torch.zeros(3, 2, 16, 16), torch.ones(3, 2, 16, 16)])
    for step in range(6):
        mixed, targets = mix_clips(clips, torch.tensor([0, 1]), 2, MixConfig(cutmix=1.0), moment(step, 9).generator)
        assert set(mixed.unique().tolist()) <= {0.0, 1.0}
        assert float(targets[0, 1]) == pytest.approx(float(mixed[0].mean()), abs=1e-6)
        assert float(targets[1, 0]) == pytest.approx(1 - float(mixed[1].mean()), abs=1e-6)


def test_without_mixing_clips_and_labels_stay() -> None:
    clips, labels = torch.randn(3, 3, 2, 4, 4), torch.tensor([2, 0, 1])
    mixed, targets = mix_clips(clips, labels, 3, MixConfig(), moment(0, 1).generator)
    assert mixed.equal(clips)
    assert targets.argmax(-1).equal(labels)
    assert targets.max(-1).values.tolist() == [1.0, 1.0, 1.0]


def test_clips_with_nan_are_refused() -> None:
    task = ClassifyTask(network(), ClassifyOptions(clips=CLIPS))
    clip = torch.zeros(1, 3, 4, 32, 32)
    clip[0, 0, 0, 0, 0] = torch.nan
    with pytest.raises(ShapeError, match="not finite"):
        task({"clip": clip, "label": torch.tensor([0])}, moment(0, 1))


@pytest.mark.parametrize("world", ["patch", "needle"])
def test_clips_show_their_class_in_so_many_token_frames(world: str) -> None:
    config = replace(SMALL, frames=8)
    options = ClipsConfig(world=world, n_train=4, n_test=4, n_signal=2)  # type: ignore[arg-type]
    train_clips, test_clips = make_clips(config, options, "train"), make_clips(config, options, "test")
    for clips in (train_clips, test_clips):
        sample = clips[1]
        assert sample["clip"].shape == (3, 8, 32, 32)
        assert sample["signal"].shape == (4,)
        assert int(sample["signal"].sum()) == 2
        assert sample["clip"][:, 0::2].equal(sample["clip"][:, 1::2])  # a token frame is one picture
    assert not train_clips[1]["clip"].equal(test_clips[1]["clip"])
    assert train_clips[1]["clip"].equal(make_clips(config, options, "train")[1]["clip"])
    with pytest.raises(IndexError):
        train_clips[4]


def test_patch_is_where_and_when_its_sample_says() -> None:
    """The strong colour is the only one that is far from grey."""
    clips = make_clips(replace(SMALL, frames=8), ClipsConfig(world="patch", n_train=20, n_signal=2), "train")
    for place in range(20):
        sample = clips[place]
        pictures = sample["clip"][:, ::2] * 0.225 + 0.45  # (3, T, H, W)
        colourful = pictures.max(0).values - pictures.min(0).values > 0.55
        assert colourful.flatten(1).any(1).tolist() == sample["signal"].tolist()
        for frame in sample["signal"].nonzero().flatten().tolist():
            rows, columns = colourful[frame].nonzero(as_tuple=True)
            found = torch.tensor([rows.float().mean() + 0.5, columns.float().mean() + 0.5]) / 32
            assert (found - sample["centre"][frame]).abs().max() < 0.05


def test_start_from_an_unpruned_file_fills_all_but_the_scorers(tmp_path: Path) -> None:
    unpruned = network(replace(SMALL, selection=SelectionConfig()))
    with torch.no_grad():
        for parameter in unpruned.parameters():
            parameter.add_(1.0)
    save_file(unpruned.state_dict(), tmp_path / "unpruned.safetensors")
    fresh = network()
    task = classify(network(), {"unpruned": str(tmp_path / "unpruned.safetensors")})
    assert isinstance(task.network, Stts)
    scorers = fresh.scorer_parameters()
    for name, value in task.network.state_dict().items():
        assert value.equal(fresh.state_dict()[name] if name in scorers else unpruned.state_dict()[name]), name


def test_unknown_option_and_wrong_values_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="backbone_waits"):
        classify(network(), {"backbone_wait": 0.1})
    with pytest.raises(ConfigError, match="part in"):
        classify(network(), {"backbone_rate": 2.0})
    with pytest.raises(ConfigError, match="num_classes"):
        ClassifyTask(network(replace(SMALL, num_classes=None)), ClassifyOptions())
    with pytest.raises(ConfigError, match="trains an `Stts`"):
        classify(nn.Linear(1, 1), {})


def test_evaluation_counts_ranks() -> None:
    torchmetrics = pytest.importorskip("torchmetrics.functional.classification")
    task = ClassifyTask(network(replace(SMALL, num_classes=8)), ClassifyOptions(clips=replace(CLIPS, n_test=40))).eval()
    with torch.no_grad():
        found = task.evaluate()
        samples = [make_clips(task.network.config, task.options.clips, "test")[i] for i in range(40)]
        logits = task.network(torch.stack([sample["clip"] for sample in samples])).logits
    labels = torch.stack([sample["label"] for sample in samples])
    for k in (1, 5):
        expected = torchmetrics.multiclass_accuracy(logits, labels, 8, average="micro", top_k=k)
        assert found[f"top{k}"] == pytest.approx(float(expected) * 100, abs=1e-3)
