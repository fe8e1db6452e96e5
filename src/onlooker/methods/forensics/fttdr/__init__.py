"""FT-TDR: damage in pictures is found, without being told where, and restored."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Inputs, Method, Outputs
from onlooker.methods.forensics.fttdr.config import CONFIGS, FtTdrConfig
from onlooker.methods.forensics.fttdr.files import read_pixels, restore_file
from onlooker.methods.forensics.fttdr.infer import FtTdrRestorer, Restored
from onlooker.methods.forensics.fttdr.model import FtTdr, FtTdrOutput
from onlooker.methods.forensics.fttdr.task import both, detect, restore
from onlooker.methods.forensics.fttdr.weights import key_map

__all__ = [
    "CONFIGS",
    "METHOD",
    "FtTdr",
    "FtTdrConfig",
    "FtTdrOutput",
    "FtTdrRestorer",
    "Restored",
    "read_pixels",
    "restore_file",
]

# No count is published. Worked out by hand from the layers that the sheet names and the widths that are ours:
# stems 2 x 0.370 M, joining 0.131 M, six blocks of 1.969 M, decoder 0.370 M.
_MASK_NET = 13.05e6
# Encoder 9.29 M, dilated blocks 4 x 4.72 M, decoder 4.92 M, pictures 0.03 M.
_INPAINT_NET = 33.11e6


def _example(config: FtTdrConfig, batch: int, generator: torch.Generator) -> Inputs:
    return {"picture": torch.rand(batch, 3, config.image_size, config.image_size, generator=generator)}


def _run(network: nn.Module, inputs: Inputs) -> Outputs:
    output: FtTdrOutput = network(**inputs)
    return {
        "mask_logits": output.mask_logits,
        "mask": output.mask,
        "masked": output.masked,
        "raw": output.raw,
        "image": output.image,
        **{f"side_{level}": side for level, side in enumerate(output.sides, start=1)},
    }


def _output_shapes(config: FtTdrConfig, batch: int) -> Mapping[str, tuple[int, ...]]:
    size = config.image_size
    one, three = (batch, 1, size, size), (batch, 3, size, size)
    shapes = {"mask_logits": one, "mask": one, "masked": three, "raw": three, "image": three}
    levels = range(1, len(config.inpaint_net.widths)) if config.inpaint_net.side_outputs else range(0)
    return {**shapes, **{f"side_{level}": (batch, 3, size // 2**level, size // 2**level) for level in levels}}


def _claims() -> tuple[Claim, ...]:
    from onlooker.methods.forensics.fttdr.claims import CLAIMS

    return CLAIMS


METHOD: Method[FtTdrConfig] = Method(
    name="fttdr",
    config_type=FtTdrConfig,
    configs=CONFIGS,
    build=FtTdr,
    key_map=key_map,
    example=_example,
    run=_run,
    output_shapes=_output_shapes,
    tasks={"both": both, "detect": detect, "restore": restore},
    claims=_claims,
    parameter_counts={"paper": _MASK_NET + _INPAINT_NET},
)
