"""Weights that a run starts from: those of an earlier stage or of pretraining, in a run folder."""

from __future__ import annotations

import torch
from torch import nn

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError
from onlooker.methods.encoders.omnivl.config import OmniVLConfig
from onlooker.methods.encoders.omnivl.networks import OmniVL, create
from onlooker.methods.encoders.omnivl.weights import TemporalStart, export_state, key_map, load_adapted
from onlooker.weights.load import load_weights, locate_weights

_WIDTH = 768  # of the paper's transformers


def start_from_folder(
    network: nn.Module, config: OmniVLConfig, folder: str, temporal_start: TemporalStart = "random", seed: int = 0
) -> None:
    """Fills `network` from a folder of ours, in place; a network on the meta device stays empty.

    Args:
        network: of `config`.
        config: see there.
        folder: with `config.json`, as runs and `save_pretrained` write it.
        temporal_start, seed: see `start_from`.

    Raises:
        ConfigError: the folder says nothing of the configuration.
        WeightsError: no weights, or weights that do not fit.
    """
    if next(network.parameters()).is_meta:
        return
    found = locate_weights(folder)
    if found.config is None:
        raise ConfigError(f"`{found.path}` has no `config.json` of ours beside it; start from the folder of a run")
    earlier = create(config_from_dict(OmniVLConfig, found.config))
    load_weights(earlier, found, key_map(earlier.config))
    start_from(network, config, earlier, temporal_start, seed)


def start_from(
    network: nn.Module, config: OmniVLConfig, earlier: OmniVL, temporal_start: TemporalStart = "random", seed: int = 0
) -> None:
    """Fills `network` from an earlier one, in place. Images only before and clips now is stage 2: it is inflated.

    Args:
        network: of `config`. Other sizes are adapted; queues must have the same size.
        config: see there.
        earlier: trained; of any head that has what `network` needs.
        temporal_start: how the projection behind temporal attention starts in stage 2.
        seed: of "random".
    """
    inflate = config.visual.takes_clips and not earlier.config.visual.takes_clips
    load_adapted(
        network,
        export_state(earlier),
        config,
        inflate=inflate,
        temporal_start=temporal_start,
        generator=torch.Generator().manual_seed(seed),
    )


@torch.no_grad()
def widen_random_start(network: nn.Module, config: OmniVLConfig) -> None:
    """Stretches random matrices to what the authors' standard deviation means at their width, in place (ours).

    0.02 is made for width 768; at width 48 it is so little that texts, and pictures, all look alike for hundreds of
    steps. Every matrix but the patches' and the queues' is multiplied by the root of 768 over the width.
    """
    factors = {"visual": (_WIDTH / config.visual.width) ** 0.5, "text": (_WIDTH / config.text.width) ** 0.5}
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1 and "patch_embed" not in name:
            visual = name.startswith(("visual_encoder", "vision_proj"))
            parameter.mul_(factors["visual" if visual else "text"])
