"""What one forward costs, counted exactly: multiply-accumulates of every convolution and matrix product."""

from __future__ import annotations

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from onlooker.methods.encoders.stts.config import SttsConfig
from onlooker.methods.encoders.stts.model import Stts


def count_macs(config: SttsConfig, batch_size: int = 1) -> int:
    """Multiply-accumulates of one evaluation forward of `batch_size` clips, without computing anything.

    Counted by torch's flop counter (two flops are one multiply-accumulate): convolutions and matrix products, those of
    attention and of the scorers included; normalisations, activations, pooling by maximum and the sorting of scores
    are not. fvcore counts some of these too and gives slightly other numbers.
    """
    with torch.device("meta"):
        network = Stts(config).eval()
        clip = torch.empty(batch_size, 3, config.frames, *config.image_size)
    # The fused attention is one operator that the counter may not know; its plain form is two matrix products.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(clip)
    return int(counter.get_total_flops()) // 2


def gmacs(config: SttsConfig) -> float:
    """Billions of multiply-accumulates per clip."""
    return count_macs(config) / 1e9
