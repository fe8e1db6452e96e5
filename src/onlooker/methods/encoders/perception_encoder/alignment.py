"""What the trainings share: networks from disk, the configuration of an aligned encoder, and who learns with decay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError
from onlooker.methods.encoders.perception_encoder.config import CONFIGS, RELEASED, PerceptionEncoderConfig
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.weights import key_map
from onlooker.train.task import ParameterGroup, Task
from onlooker.weights.load import load_weights, locate_weights

_SINGLE = {"class_token", "mask_value", "positions", "logit_scale"}


def load_network(weights: str) -> PerceptionEncoder:
    """A network from a folder that a run wrote, or from a released hub name.

    Raises:
        WeightsError: nothing there, or it does not fit.
        ConfigError: the weights do not say their configuration.
    """
    found = locate_weights(weights)
    if found.config is not None:
        config = config_from_dict(PerceptionEncoderConfig, found.config)
    elif weights in RELEASED:
        config = CONFIGS[RELEASED[weights]]
    else:
        raise ConfigError(f"`{weights}` does not say its configuration; give the folder of a run, or a released name")
    with torch.random.fork_rng(devices=[]):
        network = PerceptionEncoder(config)
    load_weights(network, found, key_map(config))
    return network


def tokens_config(
    core: PerceptionEncoderConfig, depth: int | None = None, layer_scale: float | None = 0.1, drop_path: float = 0.1
) -> PerceptionEncoderConfig:
    """The configuration of an encoder aligned from `core`: its trunk, ending in tokens, without text.

    Args:
        core: where its weights come from.
        depth: blocks that are kept; left out, all.
        layer_scale: first value of the gains that are added; `None` adds none.
        drop_path: of every block.
    """
    vision = replace(
        core.vision,
        depth=core.vision.depth if depth is None else depth,
        layer_scale=layer_scale,
        drop_path=drop_path,
        pool="none",
        embed_dim=None,
        final_norm=False,
    )
    return PerceptionEncoderConfig(vision)


def fill_from(student: PerceptionEncoder, core: PerceptionEncoder) -> None:
    """Writes the core's weights into a student that shares its layout, in place; the student's own gains stay.

    Raises:
        ConfigError: a tensor of the student has no counterpart in the core, or one of another shape.
    """
    student.load_state_dict(core.derived(student.config).state_dict())


def is_weightless(network: nn.Module) -> bool:
    """Whether the network was built only to be looked at: its weights are nowhere."""
    return any(parameter.is_meta for parameter in network.parameters())


def plain_groups(task: Task, rate: Callable[[str], float] = lambda _: 1.0) -> tuple[ParameterGroup, ...]:
    """Matrices with weight decay; gains, biases, scales, positions and single tokens without.

    Args:
        task: whose parameters are meant.
        rate: factor of the learning rate by a parameter's name.
    """
    found: dict[tuple[str, float], list[nn.Parameter]] = {}
    for name, parameter in task.named_parameters():
        if parameter.requires_grad:
            decays = parameter.ndim > 1 and name.rpartition(".")[2] not in _SINGLE
            found.setdefault(("weights" if decays else "gains and biases", rate(name)), []).append(parameter)
    return tuple(
        ParameterGroup(
            name if factor == 1 else f"{name} at {factor:.3g}",
            tuple(parameters),
            weight_decay=None if name == "weights" else 0.0,
            rate=factor,
        )
        for (name, factor), parameters in sorted(found.items(), key=lambda item: (item[0][0] != "weights", -item[0][1]))
    )
