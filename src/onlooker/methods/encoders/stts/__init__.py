"""STTS: video transformers that drop the frames and regions they do not need."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Inputs, Method, Outputs
from onlooker.methods.encoders.stts.config import CONFIGS, MViTConfig, SelectionConfig, SttsConfig, SwinConfig
from onlooker.methods.encoders.stts.infer import SttsRecogniser
from onlooker.methods.encoders.stts.model import Stts, SttsOutput, with_budget
from onlooker.methods.encoders.stts.task import classify
from onlooker.methods.encoders.stts.weights import key_map

__all__ = [
    "CONFIGS",
    "METHOD",
    "MViTConfig",
    "SelectionConfig",
    "Stts",
    "SttsConfig",
    "SttsOutput",
    "SttsRecogniser",
    "SwinConfig",
    "with_budget",
]

_MVIT, _MVIT_SCORERS = 36.61e6, 0.30e6  # paper: 36.6 M; scorers measured on the official code
_SWIN = 88.05e6  # torchvision's count of the same network


def _example(config: SttsConfig, batch: int, generator: torch.Generator) -> Inputs:
    return {"clip": torch.randn(batch, 3, config.frames, *config.image_size, generator=generator)}


def _run(network: nn.Module, inputs: Inputs) -> Outputs:
    output: SttsOutput = network(**inputs)
    named: dict[str, Tensor] = {"features": output.features}
    if output.logits is not None:
        named["logits"] = output.logits
    if output.frames is not None:
        named |= {"kept_frames": output.frames.indices, "frame_scores": output.frames.scores}
    if output.regions is not None:
        named |= {"region_origins": output.regions.origins, "region_scores": output.regions.scores}
    return named


def _output_shapes(config: SttsConfig, batch: int) -> Mapping[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    if config.mvit is not None:
        shapes["features"] = (batch, config.mvit.channels_at(config.mvit.depth))
    elif config.swin is not None:
        halvings = 2 ** (len(config.swin.depths) - 1)
        height, width = (-(-size // halvings) for size in config.first_map)
        shapes["features"] = (batch, config.swin.embed_dim * halvings, config.kept_frames, height, width)
    if config.num_classes is not None:
        shapes["logits"] = (batch, config.num_classes)
    if config.selection.time_at is not None:
        shapes |= {"kept_frames": (batch, config.kept_frames), "frame_scores": (batch, config.token_frames)}
    if config.kept_region is not None:
        frames, anchors = config.frames_at_space, config.anchors
        shapes |= {"region_origins": (batch, frames, 2), "region_scores": (batch, frames, anchors)}
    return shapes


def _claims() -> tuple[Claim, ...]:
    from onlooker.methods.encoders.stts.claims import CLAIMS

    return CLAIMS


METHOD: Method[SttsConfig] = Method(
    name="stts",
    config_type=SttsConfig,
    configs=CONFIGS,
    build=Stts,
    key_map=key_map,
    example=_example,
    run=_run,
    output_shapes=_output_shapes,
    tasks={"classify": classify},
    no_gradient={"backbone.*_selector.scorer.outer.4.bias": "scores are stretched to [0, 1]: a shift changes nothing"},
    claims=_claims,
    parameter_counts={
        name: _SWIN if config.swin is not None else _MVIT + _MVIT_SCORERS * (config.selection.time_at is not None)
        for name, config in CONFIGS.items()
        if name != "tiny"
    },
)
