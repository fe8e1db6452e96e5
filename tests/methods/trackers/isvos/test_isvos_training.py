"""Clips for training, and the task that learns from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from onlooker.errors import ConfigError, NothingFoundError, ShapeError, UnknownNameError
from onlooker.methods.trackers.isvos import METHOD
from onlooker.methods.trackers.isvos.config import CONFIGS, InstanceConfig
from onlooker.methods.trackers.isvos.data import (
    ClipsConfig,
    StillConfig,
    TrainingSet,
    followed,
    move_still,
    normalise,
    training_clips,
)
from onlooker.methods.trackers.isvos.data import test_clips as clips_for_tests
from onlooker.methods.trackers.isvos.losses import BootstrapConfig
from onlooker.methods.trackers.isvos.model import Isvos
from onlooker.methods.trackers.isvos.task import FollowOptions, FollowTask, object_masks
from onlooker.train import Moment, OptimiserConfig, TrainConfig, train
from onlooker.train.config import ScheduleConfig

TINY = replace(CONFIGS["tiny"], short_side=64, instances=InstanceConfig(64, 6, 1, 1, 3, 4, 32, 32))
CLIPS = ClipsConfig(n_train=16, n_test=1, test_frames=4)


def make_task(options: FollowOptions) -> FollowTask:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FollowTask(Isvos(TINY), options)


def moment(step: int = 0) -> Moment:
    return Moment(step, 100, torch.Generator().manual_seed(step))


def test_followed_objects_are_in_the_first_frame_and_numbered_from_one() -> None:
    labels = torch.tensor([[[0, 5, 9, 255, 0]], [[3, 5, 9, 255, 0]]])
    found = followed(labels, 2, np.random.default_rng(0))
    assert sorted(found[0].unique().tolist()) == [0, 1, 2, 255]
    assert found[1, 0, 0] == 0, "who comes later cannot be named on the first frame"
    only = followed(labels, 1, np.random.default_rng(0))
    assert sorted(only.unique().tolist()) == [0, 1, 255]


def test_normalised_pictures_have_the_values_of_imagenet_networks() -> None:
    grey = np.full((2, 3, 3), 255, np.uint8)
    found = normalise(grey)
    assert found.shape == (3, 2, 3)
    assert found[:, 0, 0].tolist() == pytest.approx([0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225], rel=1e-5)


def test_a_still_picture_moves_with_its_labels_and_starts_as_it_is() -> None:
    picture, labels = torch.zeros(3, 64, 64), torch.zeros(64, 64, dtype=torch.int64)
    picture[:, 20:44, 16:40], labels[20:44, 16:40] = 1.0, 4
    frames, ids = move_still(picture, labels, 4, StillConfig(), np.random.default_rng(3))
    torch.testing.assert_close(frames[0], picture)
    assert ids[0].equal(labels)
    assert not ids[1].equal(labels)
    assert set(ids.unique().tolist()) == {0, 4}
    shown = frames[:, 0] > 0.5
    assert float((shown == (ids == 4)).float().mean()) > 0.98, "picture and labels moved apart"


def test_samples_are_clips_of_the_training_world_and_test_clips_are_others() -> None:
    sample = TrainingSet(CLIPS, training_clips(CLIPS), still=False)[3]
    assert sample["frames"].shape == (3, 3, 64, 64)
    assert sample["labels"].shape == sample["instances"].shape == (3, 64, 64)
    assert int(sample["labels"].max()) <= CLIPS.objects
    assert not np.array_equal(training_clips(CLIPS)(0).frames[0], clips_for_tests(CLIPS)(0).frames[0])
    assert clips_for_tests(CLIPS)(0).frames.shape == (4, 64, 64, 3)


def test_kept_clips_are_the_same_clips() -> None:
    kept = TrainingSet(replace(CLIPS, kept=4), training_clips(CLIPS), still=True)
    plain = TrainingSet(CLIPS, training_clips(CLIPS), still=True)
    for _ in range(2):
        assert kept[2]["frames"].equal(plain[2]["frames"])


@pytest.mark.shared_data
def test_composites_of_training_and_test_come_from_other_sequences(shared_data: Path) -> None:
    folder = str(shared_data / "davis2016-val-240p")
    config = ClipsConfig("composites", folder, size=(64, 96), n_train=4, n_test=2, test_frames=3)
    clip = training_clips(config)(1)
    assert clip.frames.shape == (3, 64, 96, 3)
    assert clip.labels.any()
    assert clips_for_tests(config)(0).labels.shape == (3, 64, 96)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": (60, 60)}, "multiples of 32"),
        ({"size": (64, 96)}, "squares"),
        ({"frames": 1}, "2 frames"),
        ({"source": "composites"}, "belongs to the source `composites`"),
        ({"folder": "x"}, "belongs to the source `composites`"),
        ({"n_test": 0}, "`n_test` from 1"),
    ],
)
def test_clips_that_cannot_be_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ClipsConfig(**values)


def test_a_missing_folder_of_pictures_is_said() -> None:
    with pytest.raises(NothingFoundError, match="no pictures to compose"):
        training_clips(ClipsConfig("composites", "/no/such/folder", (64, 96)))


def test_single_pictures_come_first_and_moving_ones_after() -> None:
    task = make_task(FollowOptions(CLIPS, still_steps=5, points=64))
    assert [task.dataset_at(step) for step in (0, 4, 5, 50)] == ["still", "still", "moving", "moving"]


def test_the_first_frame_is_always_read_and_memory_is_bounded_in_training() -> None:
    task = make_task(FollowOptions(CLIPS, memory_frames=2, points=64))
    for step in range(20):
        plan = task._plan(6, moment(step))
        assert [read[0] for read in plan] == [0] * 5
        assert all(len(set(read)) == len(read) <= 2 and max(read) < t for t, read in enumerate(plan, start=1))
    assert {read for step in range(20) for read in task._plan(6, moment(step))[4][1:]} == {1, 2, 3, 4}


def test_predicted_masks_and_not_true_ones_reach_memory() -> None:
    """Changing the truth of the frames in between changes the loss, and nothing that is predicted."""
    task = make_task(FollowOptions(CLIPS, points=64)).eval()
    batch = task.collate([task.datasets()["moving"][i] for i in range(2)])
    seen: list[torch.Tensor] = []
    task.network.register_forward_hook(lambda module, given, output: seen.append(output.logits))
    with torch.no_grad():
        task(batch, moment())
        task({**batch, "labels": torch.cat([batch["labels"][:, :1], 0 * batch["labels"][:, 1:]], dim=1)}, moment())
    assert seen[0].equal(seen[1])


def test_memory_learns_through_later_frames() -> None:
    task = make_task(FollowOptions(CLIPS, instance_weight=0.0, points=64))
    batch = task.collate([task.datasets()["moving"][i] for i in range(2)])
    frames = batch["frames"].clone().requires_grad_()
    masks = object_masks(batch["labels"][:, 0], 2)
    task.network(frames, masks, memory=[[0], [1]]).logits[:, 1].sum().backward()
    assert frames.grad is not None
    assert bool(frames.grad[:, 1].any()), "what frame 1 put into memory is cut off from the loss on frame 2"


def test_instance_loss_can_look_at_fewer_frames_or_none() -> None:
    batch = None
    for options, there in ((FollowOptions(CLIPS, instance_frames=1, points=64), True),
                           (FollowOptions(CLIPS, instance_weight=0.0, points=64), False)):  # fmt: skip
        task = make_task(options)
        batch = batch or task.collate([task.datasets()["moving"][i] for i in range(2)])
        losses = task(batch, moment())
        assert ("instances" in losses) == there
        assert losses["loss"].isfinite()


def test_nan_in_a_clip_is_refused() -> None:
    task = make_task(FollowOptions(CLIPS, points=64))
    batch = task.collate([task.datasets()["moving"][0]])
    batch["frames"][0, 1, 0, 3, 3] = float("nan")
    with pytest.raises(ShapeError, match="not finite"):
        task(batch, moment())


def test_unknown_options_are_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean `task_options\.still_steps`"):
        METHOD.tasks["follow"](Isvos(TINY), {"stil_steps": 3})
    with pytest.raises(ConfigError, match="trains an `Isvos`"):
        METHOD.tasks["follow"](torch.nn.Linear(1, 1), {})


def test_training_and_scoring_run_to_the_end_and_repeat() -> None:
    config = TrainConfig(seed=1, steps=2, batch_size=2, optimiser=OptimiserConfig(learning_rate=1e-3))
    results = [train(make_task(FollowOptions(CLIPS, still_steps=1, points=64)), config, device="cpu") for _ in range(2)]
    assert results[0].metrics == results[1].metrics
    assert set(results[0].metrics) == {"j", "f", "j_and_f"}


@pytest.mark.slow
def test_a_trained_network_follows_and_does_not_drift_on_a_still_video() -> None:
    options = FollowOptions(
        replace(CLIPS, n_train=8, kept=8), still_steps=0, bootstrap=BootstrapConfig(200, 201), points=64
    )
    task = make_task(options)
    schedule = ScheduleConfig("cosine", warmup_steps=5)
    train(task, TrainConfig(0, 150, 8, optimiser=OptimiserConfig(learning_rate=2e-3), schedule=schedule, clip_norm=1.0))
    from onlooker.methods.trackers.isvos.infer import IsvosSegmenter

    clip = training_clips(CLIPS)(0)
    number = int(np.unique(clip.labels[0])[1])
    mask = clip.labels[0] == number
    session = IsvosSegmenter.from_network(task.network).start(clip.frames[0], {number: mask})
    overlaps = []
    for _ in range(30):
        found = session.step(clip.frames[0])[number]
        overlaps.append((found & mask).sum() / (found | mask).sum())
    assert overlaps[0] > 0.6
    assert overlaps[-1] > overlaps[0] - 0.1


def test_the_instance_branch_may_learn_by_itself_first() -> None:
    task = make_task(FollowOptions(CLIPS, instance_steps=4, still_steps=2, bootstrap=BootstrapConfig(1, 2), points=64))
    assert [task.dataset_at(step) for step in range(7)] == ["still", *["moving"] * 2, *["still"] * 3, "moving"]
    batch = {name: value[None] for name, value in task.datasets()["moving"][0].items()}
    task(batch, moment(3))["loss"].backward()
    touched = {name.split(".")[0] for name, p in task.network.named_parameters() if p.grad is not None}
    assert touched == {"instances"}
    assert set(task(batch, moment(4))) == {"pixels", "dice", "instances", "loss"}
    with pytest.raises(ConfigError, match="0 or more"):
        FollowOptions(CLIPS, instance_steps=-1)
