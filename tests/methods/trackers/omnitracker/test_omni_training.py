"""Losses by hand, pairs of frames, and what a step of training does."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.trackers.omnitracker import CONFIGS, METHOD, OmniTracker, OmniTrackerNetwork
from onlooker.methods.trackers.omnitracker.data import ClipsConfig, Pairs
from onlooker.methods.trackers.omnitracker.losses import LossConfig, Truth, detection_losses, dice_loss, match
from onlooker.methods.trackers.omnitracker.task import TrackingTask, TrackOptions, found_objects, track
from onlooker.synth.sprites import SHAPES
from onlooker.train.task import Moment

CLIPS = ClipsConfig(size=(64, 64), n_train=8, n_test=4)
FLAGS = ("visible", "reference_visible", "target", "prompt_valid")


def tiny(**changes: object) -> OmniTrackerNetwork:
    made = METHOD.create(replace(CONFIGS["tiny"], **changes), 0)  # type: ignore[arg-type]
    assert isinstance(made, OmniTrackerNetwork)
    return made


def truth_of(*boxes: list[float], labels: list[int], masks: Tensor | None = None) -> Truth:
    return Truth(
        torch.tensor([boxes]).reshape(1, -1, 4), torch.tensor([labels], dtype=torch.long),
        torch.ones(1, len(boxes), dtype=torch.bool), masks,
    )  # fmt: skip


def moment(step: int = 0) -> Moment:
    return Moment(step, 10, torch.Generator().manual_seed(step))


# -- losses -----------------------------------------------------------------------------------------------------


def test_matching_takes_the_cheapest_whole_and_skips_what_is_not_there() -> None:
    boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.2], [0.3, 0.3, 0.2, 0.2], [0.8, 0.8, 0.1, 0.1]]])
    truth = truth_of([0.3, 0.3, 0.2, 0.2], [0.5, 0.5, 0.2, 0.2], [0.8, 0.8, 0.1, 0.1], labels=[0, 1, 0])
    truth.valid[0, 2] = False
    pairs = match(torch.zeros(1, 3, 2), boxes, truth, LossConfig())
    found = sorted(zip(pairs.samples.tolist(), pairs.queries.tolist(), pairs.places.tolist(), strict=True))
    assert found == [(0, 0, 1), (0, 1, 0)]


def test_among_equal_boxes_the_right_class_is_matched() -> None:
    boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.2]] * 2])
    logits = torch.tensor([[[3.0, -3.0], [-3.0, 3.0]]])
    pairs = match(logits, boxes, truth_of([0.5, 0.5, 0.2, 0.2], labels=[1]), LossConfig())
    assert pairs.queries.tolist() == [1]


def test_dice_by_hand() -> None:
    sure = torch.tensor([[100.0, 100.0, -100.0, -100.0]])
    assert dice_loss(sure, torch.tensor([[1.0, 1, 0, 0]])).item() == pytest.approx(0.0)
    assert dice_loss(sure, torch.tensor([[0.0, 0, 1, 1]])).item() == pytest.approx(1 - 1 / 5)


def test_class_loss_of_fresh_outputs_is_that_of_the_prior() -> None:
    """Every query says 0.01; boxes start alike, so that exactly one target is matched per layer."""
    network = tiny()
    for head in network.class_embed:
        torch.nn.init.zeros_(head.weight)
    seen = network(torch.randn(1, 3, 64, 64))
    terms, _ = detection_losses(network, seen, truth_of([0.5, 0.5, 0.2, 0.2], labels=[2]), LossConfig(), targets=False)
    others = 0.75 * 0.01**2 * -math.log(0.99) * (20 * 7 - 1)
    expected = 2 * 2 * (0.25 * 0.99**2 * -math.log(0.01) + others)  # weight 2, two layers
    assert terms["classes"].item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("targets", [False, True])
def test_frames_without_objects_teach_that_there_is_nothing(targets: bool) -> None:
    network = tiny()
    truth = Truth(torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.long), torch.zeros(2, 0, dtype=torch.bool),
                  torch.zeros(2, 0, 64, 64, dtype=torch.bool))  # fmt: skip
    terms, pairs = detection_losses(network, network(torch.randn(2, 3, 64, 64)), truth, LossConfig(), targets=targets)
    assert len(pairs) == 0
    assert terms["classes"] > 0
    assert all(terms[name] == 0 for name in ("l1", "giou", "mask", "dice"))


def test_masks_are_taught_on_the_query_of_their_own_object() -> None:
    network = tiny()
    masks = torch.zeros(1, 2, 64, 64, dtype=torch.bool)
    masks[0, 0, :32], masks[0, 1, 32:] = True, True
    truth = truth_of([0.5, 0.25, 1.0, 0.5], [0.5, 0.75, 1.0, 0.5], labels=[0, 1], masks=masks)
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    picture = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for _ in range(25):
        terms, pairs = detection_losses(network, network(picture), truth, LossConfig(), targets=False)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
    order = pairs.queries[pairs.places.argsort()]
    halves = network.mask_logits(network(picture), order[None])[0].unflatten(1, (2, 8)).mean((2, 3))  # (2, halves)
    assert halves[0, 0] > halves[0, 1]
    assert halves[1, 1] > halves[1, 0]


def test_a_true_box_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ShapeError, match="not finite"):
        truth_of([0.5, float("nan"), 0.1, 0.1], labels=[0])


def test_two_stage_detectors_teach_their_proposals() -> None:
    network = tiny(detector=replace(CONFIGS["tiny"].detector, two_stage=True))
    terms, _ = detection_losses(
        network, network(torch.randn(1, 3, 64, 64)), truth_of([0.5, 0.5, 0.2, 0.2], labels=[2]), LossConfig(),
        targets=False,
    )  # fmt: skip
    torch.stack(list(terms.values())).sum().backward()
    assert network.model.enc_output.weight.grad is not None
    assert network.class_embed[-1].weight.grad is not None
    assert network.class_embed[-1].weight.grad.abs().max() > 0


# -- data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["instance", "category"])
def test_pairs_say_what_is_on_both_frames(task: str) -> None:
    pairs = Pairs(CONFIGS["tiny"], CLIPS, "train", task)  # type: ignore[arg-type]
    for index in range(4):
        sample = pairs[index]
        shown, target = sample["visible"], sample["target"]
        assert sample["masks"].any((1, 2))[shown].all()
        assert not sample["masks"][~shown].any()
        boxes = sample["boxes"][shown]
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        for mask, box in zip(sample["masks"][shown], boxes, strict=True):
            rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
            assert box.tolist() == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        if task == "instance":
            assert target.any()
            assert (sample["reference_visible"] | ~target).all(), "a target that its reference does not show"
            assert sample["prompt_valid"].any()
            assert (target | ~sample["prompt_valid"]).all(), "something that is no target is named"
        else:
            assert target[shown].all()


def test_prompts_are_shaken_within_bounds_and_sometimes_left_out() -> None:
    pairs = Pairs(CONFIGS["tiny"], replace(CLIPS, jitter=0.2, drop=0.5), "train", "instance")
    left_out, moved = 0, 0.0
    for index in range(8):
        sample = pairs[index]
        told = sample["prompt_valid"]
        left_out += int((sample["target"] & ~told).sum())
        boxes = sample["reference_boxes"][told]
        sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
        shift = ((sample["prompt"][told] - boxes) / sides).abs()
        moved = max(moved, float(shift.max()))
    assert left_out > 0
    assert 0.05 < moved <= 0.2 + 1e-6


def test_train_and_test_pairs_differ() -> None:
    train, test = (Pairs(CONFIGS["tiny"], CLIPS, split, "category")[0] for split in ("train", "test"))  # type: ignore[arg-type]
    assert not train["frame"].equal(test["frame"])


@pytest.mark.shared_data
def test_a_short_way_keeps_pasted_objects_near_where_they_were(shared_data: Path) -> None:
    moved = {}
    for travel in (0.0, 1.0):
        folder = str(shared_data / "davis2016-val-240p")
        pairs = Pairs(
            CONFIGS["tiny"], ClipsConfig("composites", folder, (64, 96), 4, travel=travel), "train", "category"
        )
        ways = []
        for number in range(12):
            pair = pairs[number]
            both = pair["visible"] & pair["reference_visible"]
            both[0] = False  # the scene's own object moves as it did
            ways.append((pair["boxes"] - pair["reference_boxes"])[both].abs().mean(1))
        moved[travel] = float(torch.cat(ways).mean())
    assert moved[0.0] < 0.6 * moved[1.0]


def test_composites_need_a_folder() -> None:
    with pytest.raises(ConfigError, match="needs it"):
        ClipsConfig(source="composites")


# -- the task ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def task() -> TrackingTask:
    made = track(tiny(), {"clips": {"size": [64, 64], "n_train": 8, "n_test": 4}})
    assert isinstance(made, TrackingTask)
    return made


def test_families_alternate_and_one_alone_stays(task: TrackingTask) -> None:
    assert [task.dataset_at(step) for step in range(4)] == ["instance", "category"] * 2
    alone = TrackingTask(tiny(), TrackOptions(train_on="category", clips=CLIPS))
    assert list(alone.datasets()) == ["category"]
    assert {alone.dataset_at(step) for step in range(3)} == {"category"}


@pytest.mark.parametrize(
    ("step", "taught", "left"), [(0, "target_embed", "class_embed"), (1, "class_embed", "target_embed")]
)
def test_each_family_teaches_its_own_output(task: TrackingTask, step: int, taught: str, left: str) -> None:
    samples = task.datasets()[task.dataset_at(step)]
    task.zero_grad()
    losses = task(task.collate([samples[0], samples[1]]), moment(step))
    losses["loss"].backward()
    assert losses["loss"].item() == pytest.approx(sum(float(v) for k, v in losses.items() if k != "loss"), rel=1e-5)
    gradients = {name: p.grad for name, p in task.network.named_parameters()}
    assert all(g is None for name, g in gradients.items() if name.startswith(left))
    assert all(g is not None and g.abs().max() > 0 for name, g in gradients.items() if name.startswith(taught))
    assert gradients["identity.mlp.layers.0.weight"] is not None


def test_a_step_is_repeatable(task: TrackingTask) -> None:
    samples = task.datasets()["instance"]
    batch = task.collate([samples[0], samples[1]])
    first, second = (task(batch, moment(0)) for _ in range(2))
    assert all(first[name].equal(second[name]) for name in first)


def test_pictures_that_are_not_finite_are_refused(task: TrackingTask) -> None:
    samples = task.datasets()["instance"]
    batch = task.collate([samples[0]])
    batch["reference"] = batch["reference"] / 0
    with pytest.raises(ShapeError, match="not finite"):
        task(batch, moment(0))


def test_the_backbone_learns_more_slowly_and_drops_when_asked() -> None:
    slow = TrackingTask(tiny(), TrackOptions(backbone_rate=0.1, clips=CLIPS))
    groups = {group.name: group for group in slow.parameter_groups()}
    schedule = groups["backbone"].schedule
    assert schedule is not None
    assert [schedule(step, 12) for step in (0, 7, 8, 11)] == pytest.approx([0.1, 0.1, 0.01, 0.01])
    counted = sum(len(group.parameters) for group in groups.values())
    assert counted == len([p for p in slow.parameters() if p.requires_grad])


def test_a_run_hands_out_a_name_for_every_class_of_the_network() -> None:
    task = TrackingTask(tiny(), TrackOptions(train_on="category", clips=CLIPS))
    names = task.companions()["labels.txt"].splitlines()
    classes = task.network.config.detector.classes
    assert names[:3] == list(SHAPES[:3])
    assert names[3:] == [f"class {number}" for number in range(3, classes)]
    assert OmniTracker.from_network(task.network, labels=names).labels == tuple(names)


def test_found_counts_objects_whose_box_and_class_are_right() -> None:
    network = tiny()
    seen = network(torch.zeros(1, 3, 64, 64))
    boxes, logits = seen.decoded.boxes[-1], seen.decoded.logits[-1]
    with torch.no_grad():
        boxes[0, 3], boxes[0, 4] = torch.tensor([0.5, 0.5, 0.5, 0.5]), torch.tensor([0.2, 0.2, 0.2, 0.2])
        logits[0, 3, 1], logits[0, 4, 2] = 9.0, 8.0
    batch = {
        "visible": torch.ones(1, 2, dtype=torch.bool),
        "target": torch.ones(1, 2, dtype=torch.bool),
        "labels": torch.tensor([[1, 0]]),
        "boxes": torch.tensor([[[16.0, 16, 48, 48], [6.4, 6.4, 19.2, 19.2]]]),
    }
    assert found_objects(seen, batch, 0, "category") == (1, 2), "the second has the wrong class"
    batch["labels"][0, 1] = 2
    assert found_objects(seen, batch, 0, "category") == (2, 2)


def test_evaluation_covers_what_is_trained(task: TrackingTask) -> None:
    task.eval()
    with torch.no_grad():
        scores = task.evaluate()
    assert set(scores) == {"instance", "category", "found"}
    assert scores["found"] == pytest.approx(np.mean([scores["instance"], scores["category"]]))


def test_options_that_do_not_exist_are_answered() -> None:
    with pytest.raises(LookupError, match="did you mean"):
        track(tiny(), {"train_onn": "joint"})
    with pytest.raises(ConfigError, match="OmniTrackerNetwork"):
        track(torch.nn.Linear(1, 1), {})
