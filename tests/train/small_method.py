"""A method around `small_task`, and the command with it in the catalogue (as a script, for launchers)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from small_task import SmallTask
from torch import nn

from onlooker.catalogue import methods
from onlooker.catalogue.methods import MethodEntry, Paper
from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError
from onlooker.methods.definition import Method
from onlooker.weights.keys import KeyMap


@dataclass(frozen=True)
class SmallConfig:
    """Hidden width."""

    width: int = 16

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ConfigError(f"`width` must be positive, got {self.width}")


@dataclass(frozen=True)
class Options:
    """Of the task `fit`."""

    dropout: float = 0.0


def build(config: SmallConfig) -> nn.Module:
    return nn.Sequential(nn.Linear(6, config.width), nn.Tanh(), nn.Dropout(0.0), nn.Linear(config.width, 1))


def fit(network: nn.Module, options: Mapping[str, object]) -> SmallTask:
    task = SmallTask()
    network[2].p = config_from_dict(Options, options, "task_options.").dropout
    task.network = network
    return task


METHOD = Method(
    name="small",
    config_type=SmallConfig,
    configs={"paper": SmallConfig(64), "tiny": SmallConfig(8)},
    build=build,
    key_map=lambda config: KeyMap({"*": "*"}),
    example=lambda config, n, generator: {"input": torch.randn(n, 6, generator=generator)},
    run=lambda network, inputs: {"y": network(**inputs)},
    output_shapes=lambda config, n: {"y": (n, 1)},
    tasks={"fit": fit},
)
ROW = MethodEntry(
    name="small",
    family="encoders",
    definition="small_method:METHOD",
    summary="a regression",
    roles=(),
    configs=("paper", "tiny"),
    paper=Paper("None", "none", 2000, None, "none", "none"),
)
CATALOGUE = MappingProxyType({"small": ROW})
RECIPE = """
method = "small"
config = "tiny"
task = "fit"
[train]
steps = 12
batch_size = 8
checkpoint_every = 4
log_every = 4
[train.optimiser]
learning_rate = 0.01
"""

if __name__ == "__main__":
    from onlooker.cli.app import main

    methods.METHODS = CATALOGUE
    main()
