"""Loads networks and their pre-processing from a folder, strictly.

transformers warns about missing or surplus tensors and goes on with random numbers in their place; here that is an
error. Only safetensors are read and no code that came with a model is run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from transformers import PreTrainedModel

from onlooker.errors import MissingExtraError, WeightsError
from onlooker.nn.device import check_device
from onlooker.weights.hub_cache import local_folder

T = TypeVar("T")
_FAULTS = ("missing_keys", "unexpected_keys", "mismatched_keys")


class FromPretrained(Protocol):
    """The auto classes of transformers."""

    def from_pretrained(self, folder: Path, **options: object) -> object: ...


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model's files on disk and the name to report for it."""

    path: Path
    name: str
    revision: str


def open_folder(model: str, revision: str, offline: bool) -> ModelFolder:
    """Finds or fetches a model.

    Args:
        model: hub name `owner/model`, or a local folder.
        revision: branch, tag or commit of the hub; a commit pins the model for good.
        offline: refuse the network.

    Raises:
        WeightsError: not a folder, not cached while offline, or the download failed.
    """
    return ModelFolder(local_folder(model, revision, offline), Path(model).name.lower(), revision)


def load_part(folder: ModelFolder, load: Callable[[Path], T]) -> T:
    """Runs a loader of a tokenizer or processor on the folder.

    Raises:
        WeightsError: a file is missing or does not say what it should.
        MissingExtraError: the model needs a package that is not installed; the message names it.
    """
    try:
        return load(folder.path)
    except ImportError as error:
        raise MissingExtraError(f"`{folder.name}` needs another package: {error}") from error
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"`{folder.path}` is not a usable model folder: {error}; save it with `save_pretrained` or fetch it again"
        ) from error


def load_network(folder: ModelFolder, auto_class: FromPretrained, device: torch.device) -> PreTrainedModel:
    """The network in float32, in evaluation mode, on `device`.

    Raises:
        WeightsError: the folder holds no such model, or its tensors and the network disagree.
    """

    def load(path: Path) -> tuple[PreTrainedModel, dict[str, list[str]]]:
        loaded = auto_class.from_pretrained(
            path, dtype=torch.float32, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        assert isinstance(loaded, tuple)
        return loaded

    network, report = load_part(folder, load)
    faults = {kind: sorted(map(str, report.get(kind, ()))) for kind in _FAULTS}
    found = [f"{kind.replace('_', ' ')}: `{keys[0]}` and {len(keys) - 1} more" for kind, keys in faults.items() if keys]
    if found:
        raise WeightsError(f"the weights in `{folder.path}` do not fit the network: {'; '.join(found)}")
    return network.to(device).eval()


class HubModel:
    """What all models from a folder share: where their files lie, the name to report and where the network runs.

    Args:
        model: hub name or folder.
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.

    Raises:
        ConfigError: the device cannot be used.
        WeightsError: the model cannot be found or fetched.
    """

    def __init__(self, model: str, revision: str, offline: bool, device: str) -> None:
        self._device = torch.device(check_device(device))
        self._folder = open_folder(model, revision, offline)

    @property
    def name(self) -> str:
        """Last part of the hub name or the folder, in lower case."""
        return self._folder.name

    @property
    def version(self) -> str:
        """The revision asked for."""
        return self._folder.revision
