"""The folder of a run: what it holds, what survives a full disk, a kill and a signal, and whom it refuses."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_task import SmallTask

from onlooker.errors import ConfigError, StorageFullError, TrainingError
from onlooker.train import TrainConfig, train
from onlooker.train.checkpoint import Progress, Snapshot, read_newest, write_checkpoint
from onlooker.train.record import RunIdentity
from onlooker.train.toml_text import to_toml

CONFIG = TrainConfig(steps=12, batch_size=8, log_every=1, checkpoint_every=4)
IDENTITY = RunIdentity("small", {"width": 16}, {"method": "small", "model": {"width": 16}})


def lines(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def checkpoints(folder):
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def snapshot(step, size=4):
    tensors = {"w": torch.full((size,), float(step))}
    extra = {"task": {}, "optimiser": {"m": torch.ones(size)}, "scaler": None}
    return Snapshot(Progress(step, 1.5, {"train": step}), tensors, None, extra)


def test_a_finished_run_is_complete(tmp_path):
    task = SmallTask()
    result = train(task, replace(CONFIG, ema_decay=0.9), tmp_path / "run", identity=IDENTITY)
    folder = tmp_path / "run"
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoints", "config.json", "log.jsonl", "model.safetensors", "recipe.toml", "result.json"
    ]  # fmt: skip
    assert checkpoints(folder) == ["step-000008", "step-000012"]
    stored = load_file(folder / "model.safetensors")
    assert all(torch.equal(stored[name], tensor) for name, tensor in task.network.state_dict().items())
    assert json.loads((folder / "config.json").read_text()) == {"onlooker_method": "small", "config": {"width": 16}}
    written = json.loads((folder / "result.json").read_text())
    assert written["metric"]["value"] == written["metrics"]["error"] == result.value
    assert (written["weights"], written["seed"], written["n_parameters"]) == ("average", 0, 6 * 16 + 16 + 16 + 1)
    assert len(written["recipe_digest"]) == 64
    assert [line["step"] for line in lines(folder)] == list(range(1, 13))
    assert lines(folder)[-1]["losses"] == pytest.approx(result.history[-1].losses)
    recipe = tomllib.loads((folder / "recipe.toml").read_text())
    assert (recipe["method"], recipe["train"]["steps"]) == ("small", 12)


def test_a_finished_run_is_read_back_and_not_run_again(tmp_path):
    first = train(SmallTask(), CONFIG, tmp_path)
    task = SmallTask()
    with torch.no_grad():
        task.network[0].weight.zero_()
    again = train(task, CONFIG, tmp_path)
    assert (again.metrics, again.status, again.history) == (first.metrics, "finished", ())
    assert task.evaluate() == first.metrics
    fresh = train(SmallTask(), CONFIG, tmp_path, resume=False)
    assert len(fresh.history) == 12


def test_optimiser_state_is_readable_without_running_code(tmp_path):
    train(SmallTask(), CONFIG, tmp_path)
    state = torch.load(tmp_path / "checkpoints" / "step-000012" / "optimiser.pt", weights_only=True)
    assert len(state["optimiser"]["param_groups"]) == 2


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path, monkeypatch):
    real, calls = os.fsync, []

    def fsync(handle):
        calls.append(handle)
        if "step-000008" in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageFullError, match=r"no room to write `.*step-000008`; the last good checkpoint stays"):
        train(SmallTask(), CONFIG, tmp_path)
    monkeypatch.undo()
    assert checkpoints(tmp_path) == ["step-000004"]
    through, resumed = train(SmallTask(), CONFIG), train(SmallTask(), CONFIG, tmp_path)
    assert resumed.history[0].step == 5
    assert resumed.metrics == through.metrics


@pytest.mark.parametrize("fails", ["tensors", "optimiser"])
def test_a_write_that_the_system_refuses_is_typed_and_leaves_the_last_good_one(tmp_path, fails):
    write_checkpoint(tmp_path, snapshot(1), keep=2)
    big = snapshot(2)
    if fails == "tensors":
        big = replace(big, tensors={"w": torch.ones(100_000)})
    else:
        big = replace(big, extra={**big.extra, "optimiser": {"m": torch.ones(100_000)}})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(StorageFullError, match="step-000002"):
            write_checkpoint(tmp_path, big, keep=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]
    assert read_newest(tmp_path).progress == Progress(1, 1.5, {"train": 1})


def test_leftovers_of_a_killed_write_are_passed_over_and_cleared(tmp_path):
    write_checkpoint(tmp_path, snapshot(3), keep=2)
    leftover = tmp_path / ".partial-step-000009"
    leftover.mkdir()
    (leftover / "task.safetensors").write_bytes(b"half")
    assert read_newest(tmp_path).progress.step == 3
    assert not leftover.exists()


def test_only_the_newest_checkpoints_stay_also_past_a_million_steps(tmp_path):
    for step in (999_998, 999_999, 1_000_000):
        write_checkpoint(tmp_path, snapshot(step), keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-1000000", "step-999999"]
    assert read_newest(tmp_path).tensors["w"][0] == 1_000_000


def test_a_damaged_checkpoint_is_named_with_what_to_do(tmp_path):
    write_checkpoint(tmp_path, snapshot(3), keep=2)
    (tmp_path / "step-000003" / "task.safetensors").write_bytes(b"junk")
    with pytest.raises(TrainingError, match=r"checkpoint `.*step-000003` cannot be read.*delete it to go on"):
        read_newest(tmp_path)


def test_tied_weights_are_stored_under_both_names(tmp_path):
    tensor = torch.arange(6.0)
    tied = replace(snapshot(1), tensors={"a": tensor, "b": tensor, "half": tensor[:3]})
    write_checkpoint(tmp_path, tied, keep=1)
    found = read_newest(tmp_path).tensors
    assert torch.equal(found["a"], found["b"])
    assert found["half"].tolist() == [0.0, 1.0, 2.0]


def test_another_recipe_is_refused_and_nothing_is_touched(tmp_path):
    train(SmallTask(), CONFIG, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for resume in (True, False):
        with pytest.raises(ConfigError, match=r"another recipe: `train.batch_size` is `8` there and `4` here"):
            train(SmallTask(), replace(CONFIG, batch_size=4), tmp_path, resume=resume)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    # How often something is written is no other run.
    assert train(SmallTask(), replace(CONFIG, checkpoint_every=6, log_every=3), tmp_path).status == "finished"


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(ConfigError, match=r"holds `thesis.doc` and no run of ours"):
        train(SmallTask(), CONFIG, tmp_path, resume=False)
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


def test_log_is_cut_back_to_the_step_the_run_resumes_from(tmp_path):
    def pull(event):
        if event.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(SmallTask(), CONFIG, tmp_path, progress=pull)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 8, "los')
    assert checkpoints(tmp_path) == ["step-000004"]
    train(SmallTask(), CONFIG, tmp_path)
    assert [line["step"] for line in lines(tmp_path)] == list(range(1, 13))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_and_leaves_a_checkpoint(tmp_path, number):
    config = replace(CONFIG, checkpoint_every=None)

    def ask_to_stop(event):
        if event.step == 5:
            os.kill(os.getpid(), number)

    handler = signal.getsignal(number)
    stopped = train(SmallTask(), config, tmp_path, progress=ask_to_stop)
    assert (stopped.status, stopped.step, stopped.metrics) == ("interrupted", 6, {})
    assert checkpoints(tmp_path) == ["step-000006"]
    assert not (tmp_path / "result.json").exists()
    assert signal.getsignal(number) is handler
    on = train(SmallTask(), config, tmp_path)
    assert (on.status, on.history[0].step) == ("finished", 7)
    assert on.metrics == train(SmallTask(), config).metrics


SCRIPT = """
import sys
from pathlib import Path
from small_task import SmallTask
from onlooker.train import TrainConfig, train
train(SmallTask(), TrainConfig(steps=10**6, batch_size=4, checkpoint_every=1), Path(sys.argv[1]), device="cpu")
"""


def test_a_kill_at_any_moment_leaves_a_readable_checkpoint(tmp_path):
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], env={**os.environ, "PYTHONPATH": path})
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "checkpoints").glob("step-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    run.kill()
    run.wait()
    found = read_newest(tmp_path / "checkpoints")
    assert found is not None
    assert found.progress.step >= 2
    assert found.progress.counters == {"train": found.progress.step}


def test_state_that_is_no_tensor_is_kept_too(tmp_path):
    class Counting(SmallTask):
        rounds = 0

        def after_step(self, moment):
            self.rounds += 1

        def get_extra_state(self):
            return {"rounds": self.rounds}

        def set_extra_state(self, state):
            self.rounds = state["rounds"]

    def pull(event):
        if event.step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(Counting(), CONFIG, tmp_path, progress=pull)
    task = Counting()
    train(task, CONFIG, tmp_path)
    assert task.rounds == 12


def test_toml_text_reads_back_as_it_was():
    values = {
        "name": 'a "quoted"\n\\ \x7f\u00e9 name', "flag": True, "whole": 3, "tiny": 1e-07, "round": 2.0, "none": None,
        "list": [1, 2.5, "x", [True]], "inner": {"deep": {"a.b c": 1}, "empty": {}, "rows": [{"k": 1, "gone": None}]},
    }  # fmt: skip
    wanted = {**values, "inner": {**values["inner"], "rows": [{"k": 1}]}}
    del wanted["none"]
    assert tomllib.loads(to_toml(values)) == wanted
    with pytest.raises(ConfigError, match=r"setting `a.b` cannot be written as TOML"):
        to_toml({"a": {"b": object()}})
