"""What every method folder declares, once, as `METHOD` in its `__init__.py`: enough to build it, load official weights,
train it, and run the contract tests over it without knowing anything else about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar, cast

import torch
from torch import Tensor, nn

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError, UnknownNameError
from onlooker.evaluation.claims import Claim
from onlooker.train.task import Task
from onlooker.weights.keys import KeyMap

C = TypeVar("C")
Inputs = dict[str, Tensor]
Outputs = Mapping[str, Tensor]


@dataclass(frozen=True)
class Method(Generic[C]):
    """A method, declared.

    Attributes:
        name: its name in the catalogue.
        config_type: its frozen dataclass.
        configs: name -> configuration; "paper" and "tiny" always exist.
        build: configuration -> network with random weights, in training mode.
        key_map: configuration -> how official names become ours.
        example: (configuration, batch size, generator) -> keyword arguments of one `forward`, valid for it.
        run: (network, inputs) -> named outputs of that forward; the first dimension of each is the batch, or the output
            is listed in `not_batched`.
        output_shapes: (configuration, batch size) -> the documented shape of every output of `run`.
        tasks: name -> what recipes train; called with (network, options of the recipe's [task] table).
        not_batched: outputs of `run` that have no batch dimension (scales, losses over the batch).
        no_gradient: pattern (fnmatch) of parameter name -> why it gets no gradient in the example's forward.
        claims: loads the claims of the paper that are checked here.
        parameter_counts: configuration name -> parameters the paper or its code has, for the 0.5 % check; where only
            parts are known, their sum with what the design of the others makes.
    """

    name: str
    config_type: type[C]
    configs: Mapping[str, C]
    build: Callable[[C], nn.Module]
    key_map: Callable[[C], KeyMap]
    example: Callable[[C, int, torch.Generator], Inputs]
    run: Callable[[nn.Module, Inputs], Outputs]
    output_shapes: Callable[[C, int], Mapping[str, tuple[int, ...]]]
    tasks: Mapping[str, Callable[[nn.Module, Mapping[str, object]], Task]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    not_batched: frozenset[str] = frozenset()
    no_gradient: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    claims: Callable[[], tuple[Claim, ...]] = field(default=lambda: ())
    parameter_counts: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def resolve(self, config: str | Mapping[str, object] | object) -> C:
        """A configuration from its name, from a mapping of its fields, or from itself.

        Raises:
            UnknownNameError: no such configuration or field.
            ConfigError: neither of the three, or a value that cannot be.
        """
        if isinstance(config, str):
            if config not in self.configs:
                raise UnknownNameError(f"configuration of `{self.name}`", config, self.configs)
            return self.configs[config]
        if isinstance(config, self.config_type):
            return config
        if isinstance(config, Mapping):
            return config_from_dict(self.config_type, cast("Mapping[str, object]", config))
        raise ConfigError(
            f"a configuration of `{self.name}` is a name, a mapping or a `{self.config_type.__name__}`, "
            f"got `{type(config).__name__}`"
        )

    def create(self, config: C, seed: int) -> nn.Module:
        """A network whose random weights depend on `seed` alone; the global generator is left as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.build(config)
