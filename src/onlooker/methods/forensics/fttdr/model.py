"""FT-TDR: damage in a picture of a face is found without being told where, then restored.

"FT-TDR: Frequency-guided Transformer and Top-Down Refinement Network for Blind Face Inpainting", 2108.04424. Stage 1
looks at the picture and at its high frequencies, where what was put on a face shows, and marks it; stage 2 gets the
picture with white in place of the damage and fills it level by level, from coarse to fine. There is neither official
code nor weights, and the paper's text was not at hand: what is our reading is listed in the README.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from onlooker.errors import ShapeError
from onlooker.methods.forensics.fttdr.config import FtTdrConfig
from onlooker.methods.forensics.fttdr.inpaint_net import InpaintNet, Pictures, dilate
from onlooker.methods.forensics.fttdr.mask_net import MaskNet
from onlooker.nn.inputs import check_pixels
from onlooker.weights.saving import SavedNetwork


@dataclass(frozen=True)
class FtTdrOutput:
    """A picture looked through. Pictures are in [0, 1].

    Attributes:
        mask_logits: (B, 1, H, W), positive where damaged.
        mask: (B, 1, H, W) in [0, 1], what was restored: found or given, and grown.
        masked: (B, 3, H, W), what stage 2 saw: white where damaged.
        raw: (B, 3, H, W), stage 2's picture.
        image: (B, 3, H, W), `raw` inside the mask and the given picture outside.
        sides: pictures of the deeper levels, (B, 3, H/2^l, W/2^l).
    """

    mask_logits: Tensor
    mask: Tensor
    masked: Tensor
    raw: Tensor
    image: Tensor
    sides: tuple[Tensor, ...]


class FtTdr(SavedNetwork):
    """Blind restoration of pictures.

    Args:
        config: sizes and switches.
    """

    def __init__(self, config: FtTdrConfig) -> None:
        super().__init__()
        self.config = config
        self.inpaint_net = InpaintNet(config)
        self.mask_net = MaskNet(config.mask_net) if config.stages == "two" else None

    def forward(self, picture: Tensor, mask: Tensor | None = None) -> FtTdrOutput:
        """Finds and restores.

        Args:
            picture: (B, 3, H, W) in [0, 1]; H and W multiples of `config.multiple`.
            mask: (B, 1, H, W) in [0, 1], 1 where damaged: restored as it is, instead of what is found. It is not grown.

        Raises:
            ShapeError: other ranks, sizes or types, NaN, or values outside [0, 1].
        """
        check_picture(picture, next(self.parameters()), self.config.multiple)
        if mask is not None:
            check_mask(mask, picture)
        if self.mask_net is None:
            return self._at_once(picture, mask)
        logits = self.find(picture)
        return self.fill(picture, self.used_mask(logits) if mask is None else mask, logits)

    def find(self, picture: Tensor) -> Tensor:
        """Logits (B, 1, H, W) of damage in (B, 3, H, W), values in [0, 1]."""
        if self.mask_net is not None:
            found: Tensor = self.mask_net(picture * 2 - 1)
            return found
        return self._at_once(picture, None).mask_logits

    def used_mask(self, logits: Tensor) -> Tensor:
        """(B, 1, H, W): soft in training, so that stage 2 teaches stage 1, else 0 or 1; grown in both cases."""
        found = logits.sigmoid()
        return dilate(found if self.training else (found >= self.config.threshold).to(found), self.config.dilate_px)

    def fill(self, picture: Tensor, mask: Tensor, logits: Tensor) -> FtTdrOutput:
        """Restores a picture (B, 3, H, W) where `mask` (B, 1, H, W) says so; `logits` are passed on.

        A single stage sees the damage itself; the mask then only decides what is pasted.
        """
        if self.mask_net is None:
            return self._at_once(picture, mask)
        masked = picture * (1 - mask) + mask  # page: I_bin = I_con * (1 - M) + M
        return _joined(picture, masked, mask, self.inpaint_net(masked * 2 - 1, mask), logits)

    def _at_once(self, picture: Tensor, mask: Tensor | None) -> FtTdrOutput:
        pictures: Pictures = self.inpaint_net(picture * 2 - 1, torch.zeros_like(picture[:, :1]))
        assert pictures.mask_logits is not None
        used = self.used_mask(pictures.mask_logits) if mask is None else mask
        return _joined(picture, picture, used, pictures, pictures.mask_logits)


def _joined(picture: Tensor, masked: Tensor, mask: Tensor, pictures: Pictures, logits: Tensor) -> FtTdrOutput:
    """Everything in [0, 1]: white is 1 here and +1 inside stage 2."""
    raw = (pictures.raw + 1) / 2
    return FtTdrOutput(
        mask_logits=logits,
        mask=mask,
        masked=masked,
        raw=raw,
        image=picture * (1 - mask) + raw * mask,
        sides=tuple((side + 1) / 2 for side in pictures.sides),
    )


def check_picture(picture: Tensor, weight: Tensor, multiple: int) -> None:
    """Raises ShapeError unless a picture (B, 3, H, W) in [0, 1] fits the network."""
    check_pixels(picture, weight, "a picture")
    if picture.ndim != 4 or picture.shape[1] != 3:
        raise ShapeError(f"expected pictures (B, 3, H, W), got {tuple(picture.shape)}")
    if 0 in picture.shape or picture.shape[-1] % multiple or picture.shape[-2] % multiple:
        raise ShapeError(
            f"height and width must be multiples of {multiple}, got {tuple(picture.shape[-2:])}; "
            "`FtTdrRestorer` takes pictures of any size"
        )
    if picture.device.type == "cpu" and not 0.0 <= float(picture.min()) <= float(picture.max()) <= 1.0:
        raise ShapeError(
            f"pixels are in [0, 1], got {float(picture.min()):.3g} to {float(picture.max()):.3g}; white must be 1"
        )


def check_mask(mask: Tensor, picture: Tensor) -> None:
    """Raises ShapeError unless a mask (B, 1, H, W) in [0, 1] fits the picture."""
    wanted = (picture.shape[0], 1, *picture.shape[-2:])
    if tuple(mask.shape) != wanted or mask.dtype != picture.dtype:
        raise ShapeError(f"expected a mask {wanted} of {picture.dtype}, got {tuple(mask.shape)} of {mask.dtype}")
    if mask.device.type == "cpu" and not bool(((mask >= 0) & (mask <= 1)).all()):
        raise ShapeError("a mask is in [0, 1], 1 where damaged")
