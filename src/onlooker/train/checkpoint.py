"""Checkpoints: written beside the last good one and put in place by a rename, so that no stop leaves half of one.

checkpoints/step-000500/
    task.safetensors        every tensor of the task: networks, heads, queues
    average.safetensors     moving average, where there is one
    optimiser.pt            optimiser, scaler, and what of the task is no tensor; reads with `weights_only=True`
    progress.json           steps, batches taken of each dataset, seconds
"""

from __future__ import annotations

import errno
import json
import os
import pickle
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from onlooker.errors import StorageFullError, TrainingError

TASK_FILE = "task.safetensors"
AVERAGE_FILE = "average.safetensors"
OPTIMISER_FILE = "optimiser.pt"
PROGRESS_FILE = "progress.json"
_PARTIAL = ".partial-"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NAME = re.compile(r"step-(\d+)")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: optimiser steps done.
        seconds: of training so far.
        counters: dataset -> batches taken of it.
    """

    step: int
    seconds: float
    counters: Mapping[str, int]


@dataclass(frozen=True)
class Snapshot:
    """Everything a run needs to go on.

    Attributes:
        progress: how far it is.
        tensors: of the task.
        average: of the network, if one is kept.
        extra: "optimiser", "scaler" and "task" (what is no tensor) as plain values and tensors.
    """

    progress: Progress
    tensors: Mapping[str, Tensor]
    average: Mapping[str, Tensor] | None
    extra: Mapping[str, object]


def write_checkpoint(folder: Path, snapshot: Snapshot, keep: int) -> Path:
    """Writes `folder/step-N`, then deletes all but the newest `keep`.

    Raises:
        StorageFullError: the disk is full; earlier checkpoints are as they were.
        TrainingError: it cannot be written for another reason.
    """
    name = f"step-{snapshot.progress.step:06d}"
    target, partial = folder / name, folder / f"{_PARTIAL}{name}"
    with storage_errors(target):
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            write_tensors(partial / TASK_FILE, snapshot.tensors)
            if snapshot.average is not None:
                write_tensors(partial / AVERAGE_FILE, snapshot.average)
            _write_pickle(partial / OPTIMISER_FILE, snapshot.extra)
            write_text(partial / PROGRESS_FILE, json.dumps(asdict(snapshot.progress)))
            _settle(partial)
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
            _settle(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        for old in _checkpoints(folder)[:-keep]:
            shutil.rmtree(old)
    return target


def read_newest(folder: Path) -> Snapshot | None:
    """The newest checkpoint in `folder`, or `None`. Leftovers of a write that was cut off are deleted.

    Raises:
        TrainingError: it is damaged.
    """
    for leftover in folder.glob(f"{_PARTIAL}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    checkpoints = _checkpoints(folder)
    if not checkpoints:
        return None
    newest = checkpoints[-1]
    try:
        progress = Progress(**json.loads((newest / PROGRESS_FILE).read_text(encoding="utf-8")))
        tensors = load_file(newest / TASK_FILE)
        has_average = (newest / AVERAGE_FILE).is_file()
        average = load_file(newest / AVERAGE_FILE) if has_average else None
        extra = torch.load(newest / OPTIMISER_FILE, map_location="cpu", weights_only=True)
    except (OSError, ValueError, TypeError, EOFError, RuntimeError, pickle.UnpicklingError, SafetensorError) as error:
        raise TrainingError(
            f"checkpoint `{newest}` cannot be read: {error}; delete it to go on from the one before it"
        ) from error
    return Snapshot(progress, tensors, average, extra)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A safetensors file that is on the disk when this returns.

    Raises:
        OSError: it cannot be written.
    """
    try:
        save_file(_apart(tensors), path)
    except SafetensorError as error:
        # The library hands the system's error on as text only.
        code = re.search(r"os error (\d+)", str(error))
        raise OSError(int(code[1]) if code else errno.EIO, str(error), str(path)) from error
    _settle(path)


def write_text(path: Path, text: str) -> None:
    """A text file that replaces what was there at once or not at all."""
    partial = path.with_name(f"{_PARTIAL}{path.name}")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def storage_errors(place: Path) -> Iterator[None]:
    """Errors of the file system as errors of ours.

    Raises:
        StorageFullError: no room is left, or the file may not grow.
        TrainingError: anything else the file system says.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"no room to write `{place}`; the last good checkpoint stays, free some space and run again"
            ) from error
        raise TrainingError(f"cannot write `{place}`: {error.strerror or error}") from error


def _write_pickle(path: Path, content: Mapping[str, object]) -> None:
    with path.open("wb") as file:
        try:
            torch.save(dict(content), file)
        except RuntimeError as error:
            # torch reports a failed write of its archive without the system's reason, which is chained to it at best.
            reason = error.__context__
            if isinstance(reason, OSError):
                raise reason from error
            raise OSError(errno.EIO, str(error), str(path)) from error
        file.flush()
        os.fsync(file.fileno())


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors on the CPU, none sharing memory with another (safetensors refuses tied weights)."""
    seen: set[int] = set()
    apart = {}
    for name, tensor in tensors.items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        apart[name] = own.clone() if place in seen else own
        seen.add(place)
    return apart


def _checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    found = [(int(match[1]), path) for path in folder.glob("step-*") if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def _settle(path: Path) -> None:
    """What was written there is on the disk, not only on its way."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
