"""ISVOS: segmentation of given objects through a video, by memory and instance queries."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Inputs, Method, Outputs
from onlooker.methods.trackers.isvos.config import CONFIGS, IsvosConfig
from onlooker.methods.trackers.isvos.infer import IsvosSegmenter
from onlooker.methods.trackers.isvos.model import ClipOutput, Isvos
from onlooker.methods.trackers.isvos.session import IsvosSession, Segmentation
from onlooker.methods.trackers.isvos.task import follow
from onlooker.methods.trackers.isvos.weights import from_mask2former, key_map, load_xmem

__all__ = [
    "CONFIGS",
    "METHOD",
    "Isvos",
    "IsvosConfig",
    "IsvosSegmenter",
    "IsvosSession",
    "Segmentation",
    "from_mask2former",
    "load_xmem",
]

_FRAMES, _OBJECTS, _HEIGHT, _WIDTH = 3, 2, 64, 96  # of the example
# Measured on the libraries' classes: Mask2Former R-50 with 80 classes; XMem without its hidden state, and its key
# encoder, which is shared here. The contributions have no published count; theirs follows from the layers above.
_MASK2FORMER, _XMEM, _SHARED = 44.02e6, 59.8e6, 8.5e6
_ENHANCEMENT, _PATHS = 0.95e6, 2.95e6


def _example(config: IsvosConfig, batch: int, generator: torch.Generator) -> Inputs:
    masks = torch.rand(batch, _OBJECTS, _HEIGHT, _WIDTH, generator=generator) > 0.7
    frames = torch.randn(batch, _FRAMES, 3, _HEIGHT, _WIDTH, generator=generator)
    return {"frames": frames, "masks": masks.float()}


def _run(network: nn.Module, inputs: Inputs) -> Outputs:
    output: ClipOutput = network(**inputs)
    clip = inputs["frames"].shape[:2]
    return {
        "logits": output.logits,
        "class_logits": torch.unflatten(output.class_logits[-1], 0, clip),
        "mask_logits": torch.unflatten(output.mask_logits[-1], 0, clip),
    }


def _output_shapes(config: IsvosConfig, batch: int) -> Mapping[str, tuple[int, ...]]:
    proposals = (batch, _FRAMES, config.instances.queries)
    return {
        "logits": (batch, _FRAMES - 1, _OBJECTS + 1, _HEIGHT, _WIDTH),
        "class_logits": (*proposals, config.instances.classes + 1),
        "mask_logits": (*proposals, _HEIGHT // 4, _WIDTH // 4),
    }


def _claims() -> tuple[Claim, ...]:
    from onlooker.methods.trackers.isvos.claims import CLAIMS

    return CLAIMS


METHOD: Method[IsvosConfig] = Method(
    name="isvos",
    config_type=IsvosConfig,
    configs=CONFIGS,
    build=Isvos,
    key_map=key_map,
    example=_example,
    run=_run,
    output_shapes=_output_shapes,
    tasks={"follow": follow},
    claims=_claims,
    parameter_counts={
        "paper": _MASK2FORMER + _XMEM - _SHARED + _ENHANCEMENT + _PATHS,
        "paper-no-queries": _MASK2FORMER + _XMEM - _SHARED + _PATHS,
        "paper-single-path": _MASK2FORMER + _XMEM - _SHARED + _ENHANCEMENT,
    },
)
