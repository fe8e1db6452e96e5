"""M2TR: face forgeries found by patches of several sizes and a learnable filter of their spectrum."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Inputs, Method, Outputs
from onlooker.methods.forensics.m2tr.config import CONFIGS, FusionConfig, M2trConfig
from onlooker.methods.forensics.m2tr.infer import Calibration, M2trJudge, TrackJudgement
from onlooker.methods.forensics.m2tr.model import M2tr, M2trOutput, with_image_size
from onlooker.methods.forensics.m2tr.task import detect
from onlooker.methods.forensics.m2tr.weights import key_map

__all__ = [
    "CONFIGS",
    "METHOD",
    "Calibration",
    "FusionConfig",
    "M2tr",
    "M2trConfig",
    "M2trJudge",
    "M2trOutput",
    "TrackJudgement",
    "with_image_size",
]

_RELEASED, _BACKBONE = 18_611_532, 17_552_202  # counted on the official code, the backbone with its classifier


def _example(config: M2trConfig, batch: int, generator: torch.Generator) -> Inputs:
    return {"image": torch.randn(batch, 3, config.image_size, config.image_size, generator=generator)}


def _run(network: nn.Module, inputs: Inputs) -> Outputs:
    output: M2trOutput = network(**inputs)
    named: dict[str, Tensor] = {"logits": output.logits, "features": output.features}
    if output.mask_logits is not None:
        named["mask_logits"] = output.mask_logits
    return named


def _output_shapes(config: M2trConfig, batch: int) -> Mapping[str, tuple[int, ...]]:
    width = 1792  # B4
    if config.small is not None:
        width = config.small.feature_channels
    elif config.efficientnet is not None and config.efficientnet.name.endswith("lite0"):
        width = 1280
    shapes: dict[str, tuple[int, ...]] = {"logits": (batch, config.num_classes), "features": (batch, width)}
    if config.mask_head:
        shapes["mask_logits"] = (batch, 1, config.image_size, config.image_size)
    return shapes


def _claims() -> tuple[Claim, ...]:
    from onlooker.methods.forensics.m2tr.claims import CLAIMS

    return CLAIMS


METHOD: Method[M2trConfig] = Method(
    name="m2tr",
    config_type=M2trConfig,
    configs=CONFIGS,
    build=M2tr,
    key_map=key_map,
    example=_example,
    run=_run,
    output_shapes=_output_shapes,
    tasks={"detect": detect},
    claims=_claims,
    parameter_counts={"paper": _RELEASED, "paper-backbone": _BACKBONE},
)
