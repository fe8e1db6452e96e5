"""What must not change a run: micro-batches, a stop, loader processes, the number of processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_task import N_SAMPLES, SmallTask

from onlooker.errors import ConfigError
from onlooker.train import OptimiserConfig, TrainConfig, train
from onlooker.train.order import SampleOrder, Share

CONFIG = TrainConfig(steps=12, batch_size=8, log_every=1, optimiser=OptimiserConfig(learning_rate=1e-2))


def curve(result):
    return [event.losses["loss"] for event in result.history]


def weights(task):
    return torch.cat([parameter.detach().flatten() for parameter in task.network.parameters()])


@pytest.mark.parametrize("optimiser", ["adamw", "lamb", "sgd"])
def test_micro_batches_add_up_to_the_large_batch(optimiser):
    config = replace(CONFIG, optimiser=OptimiserConfig(optimiser, 1e-2))
    whole, parts = SmallTask(), SmallTask()
    at_once = train(whole, config)
    in_parts = train(parts, replace(config, micro_batches=4))
    assert curve(in_parts) == pytest.approx(curve(at_once), abs=1e-6)
    torch.testing.assert_close(weights(parts), weights(whole), atol=1e-6, rtol=0)
    assert not torch.equal(weights(whole), weights(SmallTask()))


@pytest.mark.parametrize("optimiser", ["adamw", "lamb", "sgd"])
@pytest.mark.parametrize("stop_at", [5, 8])
def test_a_stopped_and_resumed_run_is_bit_equal_to_one_that_ran_on(tmp_path, optimiser, stop_at):
    config = replace(CONFIG, optimiser=OptimiserConfig(optimiser, 1e-2), ema_decay=0.8, micro_batches=2, clip_norm=0.5)
    through = SmallTask(dropout=0.3, alternate=True, noise=0.1)
    at_once = train(through, config)
    train_until(tmp_path / "run", config, stop_at)
    resumed = SmallTask(dropout=0.3, alternate=True, noise=0.1)
    with torch.no_grad():  # what a resumed run begins with must not matter
        for parameter in resumed.parameters():
            parameter.zero_()
    result = train(resumed, config, tmp_path / "run")
    assert curve(result) == curve(at_once)[stop_at:]
    assert torch.equal(weights(resumed), weights(through))
    assert torch.equal(resumed.queue, through.queue)
    assert result.metrics == at_once.metrics


class Stopped(Exception):
    """The plug was pulled."""


def train_until(folder, config, step):
    def pull(event):
        if event.step == step:
            raise Stopped

    task = SmallTask(dropout=0.3, alternate=True, noise=0.1)
    with pytest.raises(Stopped):
        train(task, replace(config, checkpoint_every=1, log_every=1), folder, progress=pull)


def test_datasets_that_take_turns_are_each_gone_through_in_order_also_after_a_stop(tmp_path):
    config = replace(CONFIG, batch_size=2, steps=15)
    through = SmallTask(alternate=True)
    train(through, config)
    train_until(tmp_path, config, 7)
    resumed = SmallTask(alternate=True)
    train(resumed, config, tmp_path)
    # Steps 2, 5, 8, ... are the other dataset's: 5 batches of 2 are its 10 samples, once each.
    assert sorted(through.points["other"].seen) == list(range(10))
    assert len(set(through.points["train"].seen)) == 20
    for name, batches_before in (("train", 5), ("other", 2)):
        assert resumed.points[name].seen == through.points[name].seen[2 * batches_before :]


def test_seed_decides_the_curve_and_the_callers_generator_is_left_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = train(SmallTask(dropout=0.5), CONFIG)
    assert torch.equal(torch.rand(2), expected)
    torch.rand(5)
    again = train(SmallTask(dropout=0.5), CONFIG)
    other = train(SmallTask(dropout=0.5), replace(CONFIG, seed=1))
    assert curve(first) == curve(again)
    assert curve(first) != curve(other)


def test_loader_processes_change_no_number():
    here = train(SmallTask(alternate=True), replace(CONFIG, steps=6, micro_batches=2))
    loaded = train(SmallTask(alternate=True), replace(CONFIG, steps=6, micro_batches=2, n_workers=1))
    assert curve(loaded) == curve(here)


def test_every_sample_comes_once_per_epoch_though_batches_span_epochs():
    order = SampleOrder(0, "train", N_SAMPLES, 9)
    stream = [index for number in range(8) for index in order.batch(number)]
    epochs = [stream[start : start + N_SAMPLES] for start in range(0, 72, N_SAMPLES)]
    assert all(sorted(epoch) == list(range(N_SAMPLES)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert SampleOrder(0, "train", N_SAMPLES, 9).batch(5) == stream[45:54]
    assert SampleOrder(0, "other", N_SAMPLES, 9).batch(0) != stream[:9]
    # A batch larger than the dataset takes it several times.
    assert sorted(SampleOrder(0, "train", 2, 6).batch(0)) == [0, 0, 0, 1, 1, 1]


def test_processes_and_micro_batches_share_a_batch_without_overlap():
    batch = list(range(12))
    shares = [Share(process, 2, 3).of(batch) for process in (0, 1)]
    assert shares == [[[0, 1], [4, 5], [8, 9]], [[2, 3], [6, 7], [10, 11]]]


# One interpreter that imports once and then splits in two: half the cost of two, and no thread is running yet.
SCRIPT = """
import json, os, sys
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
from small_task import SmallTask
from test_training_invariants import CONFIG, curve, weights
from onlooker.train import train
folder = Path(sys.argv[1])
child = os.fork()
rank = int(child != 0)
os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
task = SmallTask(alternate=True)
result = train(task, replace(CONFIG, micro_batches=2, clip_norm=0.5, ema_decay=0.5), folder / "run", device="cpu")
found = {"curve": curve(result), "weights": weights(task).tolist(), "metrics": result.metrics}
(folder / f"{rank}.json").write_text(json.dumps(found))
torch.distributed.destroy_process_group()
if child:
    sys.exit(os.waitpid(child, 0)[1])
"""


def test_two_processes_equal_one(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    two = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    env = {**os.environ, **two, "PYTHONPATH": path, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr[-3000:]
    main, other = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    alone = SmallTask(alternate=True)
    expected = train(alone, replace(CONFIG, micro_batches=4, clip_norm=0.5, ema_decay=0.5))
    assert main["curve"] == pytest.approx(curve(expected), abs=1e-6)
    assert other["curve"] == []  # the main process alone writes the log
    for found in (main, other):
        torch.testing.assert_close(torch.tensor(found["weights"]), weights(alone), atol=1e-6, rtol=0)
        assert found["metrics"] == pytest.approx(expected.metrics, abs=1e-6)


def test_a_batch_that_cannot_be_shared_out_is_refused():
    with pytest.raises(
        ConfigError, match=r"`train.batch_size` \(9\) must be a multiple of `train.micro_batches` \(2\)"
    ):
        TrainConfig(batch_size=9, micro_batches=2)
