"""The folder of a run: who it belongs to, log, checkpoints, final weights and result.

recipe.toml        everything the run was made from
log.jsonl          one object per event
checkpoints/       see `checkpoint.py`
model.safetensors  final weights of the network      config.json  method and configuration, for `onlooker.build`
result.json        scores, seconds, versions; written last: where it is, the run is finished
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tomllib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from onlooker.configs import config_to_dict
from onlooker.errors import ConfigError, TrainingError
from onlooker.train.averaging import MovingAverage
from onlooker.train.checkpoint import (
    Progress,
    Snapshot,
    read_newest,
    storage_errors,
    write_checkpoint,
    write_tensors,
    write_text,
)
from onlooker.train.config import TrainConfig
from onlooker.train.record import LogEvent, RunIdentity, TrainResult
from onlooker.train.task import Task
from onlooker.train.toml_text import to_toml

if TYPE_CHECKING:
    from torch.amp.grad_scaler import GradScaler
    from torch.optim import Optimizer

__all__ = ["Progress", "RunFolder"]

RECIPE_FILE = "recipe.toml"
LOG_FILE = "log.jsonl"
RESULT_FILE = "result.json"
CHECKPOINTS = "checkpoints"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
_OURS = (RECIPE_FILE, LOG_FILE, RESULT_FILE, CHECKPOINTS, WEIGHTS_FILE, CONFIG_FILE)
# Settings that change what is written and how fast, but no number of the run.
_WITHOUT_EFFECT = ("eval_every", "checkpoint_every", "keep_checkpoints", "log_every", "n_workers")


class RunFolder:
    """A run's folder. Reads on every process, writes on the main one.

    Args:
        folder: may not exist yet.
        config: of the run.
        identity: what the run is; without it, the task's class stands for the recipe.
        task: class of the task.
        main: whether this is the process that writes.
    """

    def __init__(
        self, folder: Path, config: TrainConfig, identity: RunIdentity | None, task: type[Task], *, main: bool
    ) -> None:
        self.folder, self._config, self._identity, self._main = Path(folder), config, identity, main
        described = {"task": f"{task.__module__}.{task.__qualname__}"} if identity is None else dict(identity.recipe)
        self._recipe: dict[str, object] = {**described, "train": config_to_dict(config)}
        self._digest = recipe_digest(self._recipe)

    def claim(self, resume: bool) -> None:
        """Makes the folder this run's own.

        Raises:
            ConfigError: it holds another run, or files that no run of ours left there.
        """
        if not self._main:
            return
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._refuse_others()
            if not resume:
                self._clear()
            write_text(self.folder / RECIPE_FILE, to_toml(self._recipe))

    def finished(self, task: Task, averaged: bool) -> TrainResult | None:
        """The result of a run that is over, with its weights put into `task.network`; `None` where it is not.

        Raises:
            TrainingError: the result or the weights cannot be read.
        """
        path = self.folder / RESULT_FILE
        if not path.is_file():
            return None
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            task.network.load_state_dict(load_file(self.folder / WEIGHTS_FILE), strict=True)
            scores = {
                name: float("nan") if value is None else float(value) for name, value in stored["metrics"].items()
            }
            step, seconds = int(stored["step"]), float(stored["seconds"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise TrainingError(f"the finished run in `{self.folder}` cannot be read: {error}") from error
        weights: Literal["average", "last step"] = "average" if averaged else "last step"
        return TrainResult("finished", step, task.metric, scores, weights, seconds, (), self.folder)

    def restore(
        self, task: Task, optimiser: Optimizer, average: MovingAverage | None, scaler: GradScaler | None
    ) -> Progress | None:
        """Fills everything from the newest checkpoint and cuts the log back to it; `None` where there is none.

        Raises:
            TrainingError: the checkpoint is damaged or does not fit.
        """
        snapshot = read_newest(self.folder / CHECKPOINTS)
        step = 0 if snapshot is None else snapshot.progress.step
        if self._main:
            self._cut_log(step)
        if snapshot is None:
            return None
        extra = snapshot.extra
        try:
            task.load_state_dict({**snapshot.tensors, **_mapping(extra["task"])}, strict=True)
            optimiser.load_state_dict(dict(_mapping(extra["optimiser"])))
            if average is not None:
                average.load(snapshot.average or {})
            if scaler is not None and extra["scaler"] is not None:
                scaler.load_state_dict(dict(_mapping(extra["scaler"])))
        except (RuntimeError, KeyError, ValueError) as error:
            raise TrainingError(f"the checkpoint of step {step} does not fit the task: {error}") from error
        return snapshot.progress

    def save(
        self,
        progress: Progress,
        task: Task,
        optimiser: Optimizer,
        average: MovingAverage | None,
        scaler: GradScaler | None,
    ) -> None:
        """Writes a checkpoint.

        Raises:
            StorageFullError, TrainingError: it cannot be written; the last good one stays.
        """
        if not self._main:
            return
        state = task.state_dict()
        extra = {
            "task": {name: value for name, value in state.items() if not isinstance(value, Tensor)},
            "optimiser": optimiser.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
        }
        snapshot = Snapshot(progress, _tensors(task), None if average is None else average.state(), extra)
        write_checkpoint(self.folder / CHECKPOINTS, snapshot, self._config.keep_checkpoints)

    def append(self, event: LogEvent) -> None:
        """One line of the log."""
        with storage_errors(self.folder / LOG_FILE), (self.folder / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(event.to_dict()) + "\n")

    def finish(self, result: TrainResult, task: Task, n_processes: int) -> None:
        """Writes final weights, their configuration and, last, the result."""
        if not self._main:
            return
        network = task.network
        described = {
            **({} if self._identity is None else {"method": self._identity.method}),
            **result.to_dict(),
            "seed": self._config.seed,
            "data_fingerprint": task.data_fingerprint(),
            "recipe_digest": self._digest,
            "n_parameters": sum(parameter.numel() for parameter in network.parameters()),
            "n_processes": n_processes,
            "device": next((parameter.device.type for parameter in network.parameters()), "cpu"),
            "versions": _versions(),
        }
        with storage_errors(self.folder):
            partial = self.folder / f".partial-{WEIGHTS_FILE}"
            try:
                write_tensors(partial, _tensors(network))
                partial.replace(self.folder / WEIGHTS_FILE)
            finally:
                partial.unlink(missing_ok=True)
            if self._identity is not None:
                content = {"onlooker_method": self._identity.method, "config": dict(self._identity.config)}
                write_text(self.folder / CONFIG_FILE, json.dumps(content, indent=2) + "\n")
            for name, text in task.companions().items():
                write_text(self.folder / name, text)
            write_text(self.folder / RESULT_FILE, json.dumps(described, indent=2) + "\n")

    def _refuse_others(self) -> None:
        path = self.folder / RECIPE_FILE
        if not path.is_file():
            found = next((item.name for item in self.folder.iterdir()), None)
            if found is not None:
                raise ConfigError(f"`{self.folder}` holds `{found}` and no run of ours; choose a new folder")
            return
        try:
            stored = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"`{path}` is not a readable recipe: {error}; choose a new folder") from error
        if recipe_digest(stored) != self._digest:
            raise ConfigError(
                f"`{self.folder}` holds a run of another recipe: {_first_difference(stored, self._recipe)}; "
                "choose a new folder"
            )

    def _clear(self) -> None:
        for name in _OURS:
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _cut_log(self, step: int) -> None:
        """Lines after `step` come again: the run goes on from there."""
        path = self.folder / LOG_FILE
        if not path.is_file():
            return
        kept = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                logged = json.loads(line)["step"]
            except ValueError:
                break  # the line that was being written when the run was killed
            if logged <= step:
                kept.append(line + "\n")
        with storage_errors(path):
            write_text(path, "".join(kept))


def recipe_digest(recipe: Mapping[str, object]) -> str:
    """SHA-256 of everything in a recipe that decides numbers; the same for a recipe and its copy on disk."""
    text = json.dumps(_deciding(recipe), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _deciding(recipe: Mapping[str, object]) -> dict[str, object]:
    train = {name: value for name, value in _mapping(recipe["train"]).items() if name not in _WITHOUT_EFFECT}
    plain = _without_none({**recipe, "train": train})
    assert isinstance(plain, dict)
    return plain


def _without_none(value: object) -> object:
    """As TOML keeps it: what is absent is left out, and lists are lists."""
    if isinstance(value, Mapping):
        return {str(key): _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in value]
    return value


def _first_difference(stored: Mapping[str, object], wanted: Mapping[str, object]) -> str:
    there, here = _flat(_without_none(stored)), _flat(_without_none(wanted))
    for name in sorted({*there, *here}):
        if there.get(name) != here.get(name) and name.removeprefix("train.") not in _WITHOUT_EFFECT:
            return f"`{name}` is `{there.get(name)}` there and `{here.get(name)}` here"
    return "they differ"


def _flat(value: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(value, Mapping):
        return {prefix[:-1]: value}
    return {name: item for key, inner in value.items() for name, item in _flat(inner, f"{prefix}{key}.").items()}


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TrainingError(f"expected a table, got `{type(value).__name__}`")
    return value


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}


def _versions() -> dict[str, str]:
    return {
        "onlooker": metadata.version("onlooker"),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }
