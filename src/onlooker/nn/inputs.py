"""What a network is handed, checked before it runs: a message that says what to do instead of an error from inside.

Values are looked at on the CPU alone: elsewhere the question would make the device wait.
"""

from __future__ import annotations

import torch
from torch import Tensor

from onlooker.errors import ShapeError


def check_pixels(pixels: Tensor, weight: Tensor, what: str) -> None:
    """Refuses pixels that the first layer cannot take; ranks and sizes are the method's own.

    Args:
        pixels: of any shape, one sample or more along the first dimension.
        weight: of the first layer.
        what: how messages call them ("a clip").

    Raises:
        ShapeError: no tensor, no sample, no floats, other floats than the weights' (autocast converts), NaN, infinity.
    """
    if not isinstance(pixels, Tensor):
        raise ShapeError(f"{what} is a torch tensor, got `{type(pixels).__name__}`; `torch.from_numpy` makes one")
    if not pixels.is_floating_point():
        raise ShapeError(f"{what} holds normalised floats, got {pixels.dtype}; divide by 255, subtract the mean")
    if not pixels.shape[0]:
        raise ShapeError(f"{what} needs a sample at least, got {tuple(pixels.shape)}")
    if pixels.dtype != weight.dtype and not torch.is_autocast_enabled(pixels.device.type):
        raise ShapeError(f"{what} is {pixels.dtype}, weights are {weight.dtype}; convert with `.to({weight.dtype})`")
    if pixels.device.type == "cpu" and not bool(torch.isfinite(pixels).all()):
        raise ShapeError(f"{what} holds NaN or infinity; look for a division by zero where its pixels were made")


def check_token_ids(ids: Tensor, vocabulary: int) -> None:
    """Refuses ids outside 0 to `vocabulary` - 1.

    Raises:
        ShapeError: there is one; the message shows it.
    """
    if ids.device.type != "cpu" or not ids.numel():
        return
    low, high = (int(end) for end in ids.aminmax())
    if low < 0 or high >= vocabulary:
        outside = low if low < 0 else high
        raise ShapeError(f"token ids are from 0 to {vocabulary - 1}, got {outside}; is it another model's tokenizer?")
