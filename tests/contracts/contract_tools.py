"""What the contract tests share: a method built small and run the way its declaration says."""

from __future__ import annotations

import copy
import functools
import importlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from onlooker.catalogue import METHODS, load_definition
from onlooker.methods.definition import Method

BATCHES = (2, 3)  # a dimension that follows both is a batch
_MADE: dict[tuple[str, str, int], nn.Module] = {}


@functools.cache
def definition_of(name: str) -> Method[Any]:
    return load_definition(name)


def folder_of(method: Method[Any]) -> Path:
    """Where the code of a method is."""
    return Path(str(module_of(method).__file__)).parent


def module_of(method: Method[Any]) -> ModuleType:
    return importlib.import_module(METHODS[method.name].definition.partition(":")[0])


def generator(*seed: object) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(repr(seed).encode()))


@dataclass(frozen=True)
class Tiny:
    """One configuration of a method, built and run the way its declaration says."""

    method: Method[Any]
    config: Any

    def network(self, seed: int = 0) -> nn.Module:
        return self.method.create(self.config, seed)

    def copied_network(self, seed: int = 0) -> nn.Module:
        """What `network` gives, copied from one made before: for tests that are not about how it is made."""
        key = (self.method.name, repr(self.config), seed)
        if key not in _MADE:
            _MADE[key] = self.network(seed)
        return copy.deepcopy(_MADE[key])

    def inputs(self, batch: int, seed: int = 0) -> dict[str, Tensor]:
        return self.method.example(self.config, batch, generator(self.method.name, batch, seed))

    def run(self, network: nn.Module, inputs: dict[str, Tensor], noise_seed: int = 0) -> dict[str, Tensor]:
        """Outputs; what the network draws from the global generator depends on `noise_seed` alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(noise_seed)
            return dict(self.method.run(network, inputs))

    @property
    def rows_per_sample(self) -> dict[str, int]:
        """Input -> rows of its first dimension that one sample owns; 0 where it does not follow the batch."""
        first, second = (self.inputs(batch) for batch in BATCHES)
        return {name: _rows_per_sample(name, first[name], second[name]) for name in first}

    def take(self, inputs: Mapping[str, Tensor], samples: list[int]) -> dict[str, Tensor]:
        """Inputs of some samples only, in the order asked for."""
        owned = self.rows_per_sample
        return {name: _take(tensor, samples, owned[name]) for name, tensor in inputs.items()}


def _rows_per_sample(name: str, first: Tensor, second: Tensor) -> int:
    if first.ndim == 0 or first.shape[0] == second.shape[0]:
        return 0
    rows = second.shape[0] - first.shape[0]
    batches_fit = first.shape[0] == BATCHES[0] * rows and second.shape[0] == BATCHES[1] * rows
    assert batches_fit, f"first dimension of input `{name}` follows the batch unevenly: {first.shape}, {second.shape}"
    return rows


def _take(tensor: Tensor, samples: list[int], rows: int) -> Tensor:
    if rows == 0:
        return tensor
    return torch.cat([tensor[sample * rows : (sample + 1) * rows] for sample in samples])


def assert_near(found: Tensor, expected: Tensor, what: str, tolerance: float = 1e-5) -> None:
    """Equal within `tolerance` of the largest expected value (at least 1); whole numbers are equal."""
    assert found.shape == expected.shape, f"{what}: {tuple(found.shape)} against {tuple(expected.shape)}"
    if not expected.is_floating_point():
        assert found.equal(expected), f"{what}: {found} against {expected}"
        return
    scale = max(1.0, float(expected.detach().abs().max())) if expected.numel() else 1.0
    error = float((found - expected).detach().abs().max()) if expected.numel() else 0.0
    assert error <= tolerance * scale, f"{what}: differs by {error:.2e} where values reach {scale:.2e}"
