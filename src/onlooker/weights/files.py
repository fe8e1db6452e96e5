"""Tensors from files, without running anything that came with them."""

from __future__ import annotations

import pickle
import pickletools
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from onlooker.errors import WeightsError

_DEPTH = 3  # a checkpoint wraps its tensors once or twice
_CODE = ("GLOBAL", "Trying to call", "can not be", "unsupported class")  # how torch words that a pickle names code
_HARMLESS = ("torch", "collections", "_codecs", "numpy")  # modules whose names files of tensors are made of
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})  # opcodes that call what a pickle names


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
    if path.stat().st_size == 0:
        raise WeightsError(f"`{path}` is empty; it was cut off while it was written or copied")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    return _tensors_of(_read_pickle(path), wrappers, path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            notes: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"`{path}` is not a readable safetensors file: {error}") from error
    if not tensors:
        raise WeightsError(f"`{path}` holds no tensors")
    # Tied parameters are stored once; the notes say which other name has the same tensor.
    return tensors | {name: tensors[kept] for name, kept in notes.items() if kept in tensors and name not in tensors}


def _read_pickle(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # other pickle protocols read just as well, or are refused
            content: object = torch.load(path, map_location="cpu", weights_only=True)
            return content
    except pickle.UnpicklingError as error:
        reason = _reason(error)
        called = _called_by(path)
        if called is not None:
            reason = f"it calls `{called}`"
        if called is not None or any(word in reason for word in _CODE):
            raise WeightsError(
                f"`{path}` was refused: reading it would run code that came with it ({reason}); "
                "ask for the tensors alone, as safetensors"
            ) from error
        raise _unreadable(path, error) from error
    except Exception as error:  # a damaged pickle can fail in any way, and each of them means the same
        raise _unreadable(path, error) from error


def _called_by(path: Path) -> str | None:
    """What a plain pickle would call, read without running it; `None` for other files.

    Torch stops at the first opcode it does not know, which newer pickles have before any name, and says no more.
    """
    named: list[str] = []
    try:
        with path.open("rb") as file:
            for opcode, argument, _ in pickletools.genops(file):
                if opcode.name in ("GLOBAL", "INST"):
                    named = str(argument).split(" ")
                elif opcode.name in _CALLS and len(named) > 1 and named[-2].split(".")[0] not in _HARMLESS:
                    return ".".join(named[-2:])
                elif isinstance(argument, str):
                    named.append(argument)
    except (ValueError, OSError, MemoryError, OverflowError, UnicodeDecodeError):  # what damaged pickles raise
        return None
    return None


def _unreadable(path: Path, error: Exception) -> WeightsError:
    why = f"{type(error).__name__}: {_reason(error)}"
    return WeightsError(f"`{path}` is not a readable checkpoint: it is damaged or no file of tensors ({why})")


def _reason(error: Exception) -> str:
    """The one line that says what was met, out of a page of advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [
        line for line in lines if not line.startswith(("Weights only", "Please file", "Check the doc", "(1)", "(2)"))
    ]
    return (telling or lines or [type(error).__name__])[0][:200]


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
