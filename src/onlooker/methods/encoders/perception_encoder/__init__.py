"""Perception Encoder (PE): pictures, videos and texts in one space, and the features inside the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Inputs, Method, Outputs
from onlooker.methods.encoders.perception_encoder.config import (
    CONFIGS,
    PerceptionEncoderConfig,
    TextConfig,
    VisionConfig,
)
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.weights import key_map
from onlooker.train.task import Task

__all__ = ["CONFIGS", "METHOD", "PerceptionEncoder", "PerceptionEncoderConfig", "TextConfig", "VisionConfig"]

_MILLION = 1e6
_TASKS = ("contrastive", "video", "spatial_alignment", "spatial_distillation", "language_alignment")
_COUNTS_M = {  # measured on the official code: pictures, and text with its embedding of 49408 rows
    "paper": 1882.0 + 537.2,
    "core-t16-384": 6.14 + 63.4,
    "core-s16-384": 23.8 + 63.4,
    "core-b16-224": 93.7 + 354.0,
    "core-l14-336": 317.2 + 354.0,
    "core-g14-448": 1882.0 + 537.2,
    "lang-l14-448": 291.4,
    "lang-g14-448": 1740.9,
    "spatial-t16-512": 5.7,
    "spatial-s16-512": 22.0,
    "spatial-b16-512": 86.4,
    "spatial-l14-448": 304.0,
    "spatial-g14-448": 1851.9,
}


def _example(config: PerceptionEncoderConfig, batch: int, generator: torch.Generator) -> Inputs:
    size = config.vision.image_size
    inputs = {"image": torch.rand(batch, 3, size, size, generator=generator) * 2 - 1}
    if config.text is not None:
        end = config.text.vocabulary - 1
        text = torch.randint(1, end, (batch, config.text.context_length), generator=generator)
        text[:, -1] = end
        inputs["text"] = text
    return inputs


def _run(network: nn.Module, inputs: Inputs) -> Outputs:
    outputs: Mapping[str, Tensor] = network(**inputs)
    return outputs


def _output_shapes(config: PerceptionEncoderConfig, batch: int) -> Mapping[str, tuple[int, ...]]:
    vision = config.vision
    if vision.pool == "none":
        shapes: dict[str, tuple[int, ...]] = {"tokens": (batch, vision.grid**2 + int(vision.class_token), vision.width)}
    else:
        shapes = {"image_embed": (batch, vision.output_dim)}
    if config.text is not None:
        shapes |= {"text_embed": (batch, config.text.embed_dim), "logit_scale": ()}
    return shapes


def _task(name: str) -> Callable[[nn.Module, Mapping[str, object]], Task]:
    """The task of that name; what trainings need is imported when one is made, not by those who only embed."""

    def make(network: nn.Module, options: Mapping[str, object]) -> Task:
        from onlooker.methods.encoders.perception_encoder.task import TASKS

        return TASKS[name](network, options)

    return make


def _claims() -> tuple[Claim, ...]:
    from onlooker.methods.encoders.perception_encoder.claims import CLAIMS

    return CLAIMS


METHOD: Method[PerceptionEncoderConfig] = Method(
    name="perception_encoder",
    config_type=PerceptionEncoderConfig,
    configs=CONFIGS,
    build=PerceptionEncoder,
    key_map=key_map,
    example=_example,
    run=_run,
    output_shapes=_output_shapes,
    tasks=MappingProxyType({name: _task(name) for name in _TASKS}),
    claims=_claims,
    not_batched=frozenset({"logit_scale"}),
    parameter_counts={name: millions * _MILLION for name, millions in _COUNTS_M.items()},
)
