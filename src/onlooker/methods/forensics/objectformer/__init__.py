"""ObjectFormer: was this picture manipulated, and where? The paper's network, and the one of the released weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Inputs, Method, Outputs
from onlooker.methods.forensics.objectformer.config import (
    CONFIGS,
    ObjectFormerConfig,
    PaperConfig,
    ReleasedConfig,
)
from onlooker.methods.forensics.objectformer.infer import ObjectFormerJudge
from onlooker.methods.forensics.objectformer.model import ObjectFormer, build_network
from onlooker.methods.forensics.objectformer.output import ObjectFormerOutput
from onlooker.methods.forensics.objectformer.released import ObjectFormerReleased
from onlooker.methods.forensics.objectformer.task import localise
from onlooker.methods.forensics.objectformer.weights import key_map

__all__ = [
    "CONFIGS",
    "METHOD",
    "ObjectFormer",
    "ObjectFormerConfig",
    "ObjectFormerJudge",
    "ObjectFormerOutput",
    "ObjectFormerReleased",
    "PaperConfig",
    "ReleasedConfig",
]

_HEIGHT, _WIDTH = 64, 72  # of the example: no multiple of the windows of the released network
_TRUNK = 71_776  # timm's EfficientNet-B4 up to a quarter of the picture's size
_RELEASED = 34_413_204  # measured on the official code
# Per layer of the paper's network, with C channels, N prototypes and MLPs of 4 C for patches and C for prototypes: two
# attentions of 4 C^2, MLPs of 8 C^2 and 2 C^2, a mixture of N^2, and 27 C of biases and normalisations.
_C, _N, _LAYERS = 256, 16, 8
_LAYER = 18 * _C**2 + _N**2 + 27 * _C
_MASK_HEAD = 9 * (2 * _C * _C + _C * _C // 2 + _C // 2) + _C + _C // 2 + 1
_STREAM = _TRUNK + 33 * _C
_PAPER = 2 * _STREAM + _N * _C + _LAYERS * _LAYER + _MASK_HEAD + 2 * _C + 1


def _example(config: ObjectFormerConfig, batch: int, generator: torch.Generator) -> Inputs:
    return {"image": torch.randn(batch, 3, _HEIGHT, _WIDTH, generator=generator)}


def _run(network: nn.Module, inputs: Inputs) -> Outputs:
    output: ObjectFormerOutput = network(**inputs)
    return {"image_logit": output.image_logit, "mask_logits": output.mask_logits}


def _output_shapes(config: ObjectFormerConfig, batch: int) -> Mapping[str, tuple[int, ...]]:
    return {"image_logit": (batch,), "mask_logits": (batch, config.masks, _HEIGHT, _WIDTH)}


def _claims() -> tuple[Claim, ...]:
    from onlooker.methods.forensics.objectformer.claims import CLAIMS

    return CLAIMS


METHOD: Method[ObjectFormerConfig] = Method(
    name="objectformer",
    config_type=ObjectFormerConfig,
    configs=CONFIGS,
    build=build_network,
    key_map=key_map,
    example=_example,
    run=_run,
    output_shapes=_output_shapes,
    tasks={"localise": localise},
    claims=_claims,
    parameter_counts={"paper": _PAPER, "released": _RELEASED},
)
