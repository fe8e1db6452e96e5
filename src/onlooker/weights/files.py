"""Tensors from files, without running anything that came with them."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from onlooker.errors import WeightsError

_DEPTH = 3  # a checkpoint wraps its tensors once or twice


def read_tensors(path: Path, wrappers: tuple[str, ...] = ()) -> dict[str, Tensor]:
    """Every tensor of a safetensors file, or of a pickle that holds nothing but tensors and plain values.

    Args:
        path: the file.
        wrappers: keys under which a pickled checkpoint may keep its tensors.

    Raises:
        WeightsError: there is no such file, it is damaged or empty, or unpickling it would run code.
    """
    if not path.is_file():
        raise WeightsError(f"there are no weights at `{path}`; give a file, a folder with one, or a hub name")
    if path.suffix == ".safetensors":
        try:
            tensors: dict[str, Tensor] = load_file(path)
            return tensors
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"`{path}` is not a readable safetensors file: {error}") from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"`{path}` was refused: reading it would run code that came with it ({reason}); "
            "ask for the tensors alone, as safetensors"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"`{path}` is not a readable checkpoint: {error}") from error
    return _tensors_of(content, wrappers, path)


def _tensors_of(content: object, wrappers: tuple[str, ...], path: Path) -> dict[str, Tensor]:
    for _ in range(_DEPTH):
        if not isinstance(content, Mapping):
            break
        wrapper = next((key for key in wrappers if isinstance(content.get(key), Mapping)), None)
        if wrapper is None:
            break
        content = content[wrapper]
    if not isinstance(content, Mapping):
        raise WeightsError(f"`{path}` holds a `{type(content).__name__}`, expected named tensors")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(f"`{path}` holds no tensors; its keys are {', '.join(map(str, list(content)[:5]))}")
    return tensors
