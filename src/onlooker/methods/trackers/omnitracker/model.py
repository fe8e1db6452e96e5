"""OmniTracker: one network and one loop for following given objects and objects of known classes.

Wang et al., "OmniTracker: Unifying Object Tracking by Tracking-with-Detection", 2303.12079. No official code or weights
are known. The tracker hands the detector what it followed, as reference tokens (`enhancement`); the detector hands the
tracker boxes, masks and identities. Deformable DETR is transformers'; masks and identities follow IDOL
(wjf5203/VNext, Apache-2.0, another implementation).

Ours where the paper is silent: a class-agnostic "target" output per query beside the class logits, so that one
detector serves both families; normalisation before the branches of the enhancement, whose last layers start at zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import box_convert

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.trackers.omnitracker.config import OmniTrackerConfig
from onlooker.methods.trackers.omnitracker.detector import Decoded, Heads, decode, encode, make_detector, make_heads
from onlooker.methods.trackers.omnitracker.enhancement import (
    Pyramid,
    Reference,
    ReferenceEnhancement,
    box_tokens,
    pooled_tokens,
)
from onlooker.methods.trackers.omnitracker.identity import IdentityHead
from onlooker.methods.trackers.omnitracker.mask_head import MaskHead
from onlooker.weights.saving import SavedNetwork


@dataclass(frozen=True)
class Seen:
    """What the network makes of B frames.

    Attributes:
        decoded: the detector's answer, layer by layer.
        pyramid: of the frames as they are; what the next frame refers to.
        mask_features: (B, c, h, w), or `None` without a mask head.
        size: (height, width) of the frames, padding included.
    """

    decoded: Decoded
    pyramid: Pyramid
    mask_features: Tensor | None
    size: tuple[int, int]


class OmniTrackerNetwork(SavedNetwork):
    """Detector, enhancement, mask head and identity head.

    Args:
        config: sizes.
    """

    def __init__(self, config: OmniTrackerConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.detector.dim
        self.model = make_detector(config.backbone, config.detector)
        heads = make_heads(config.detector)
        self.class_embed, self.target_embed, self.bbox_embed = heads.classes, heads.targets, heads.boxes
        self.enhancement = None
        if config.enhancement is not None:
            self.enhancement = ReferenceEnhancement(dim, config.detector.levels, config.enhancement)
        self.mask_head = None if config.mask is None else MaskHead(dim, config.mask)
        self.identity = IdentityHead(dim, config.identity)

    def forward(
        self,
        frames: Tensor,
        references: Tensor | None = None,
        boxes: Tensor | None = None,
        boxes_valid: Tensor | None = None,
        frame_valid: Tensor | None = None,
    ) -> Seen:
        """Looks at frames with their reference frames at hand.

        Args:
            frames: (B, 3, H, W), ImageNet mean and standard deviation.
            references: (B, 3, H, W) frames before; left out, each frame refers to itself, as at the start of a video.
            boxes: (B, K, 4) tracked objects on the reference frames, xyxy in pixels: instance tracking. Left out, the
                whole reference is pooled: category tracking.
            boxes_valid: (B, K) bool; left out, all boxes count.
            frame_valid: (B, H, W) bool, False on padding of frames and references.

        Raises:
            ShapeError: wrong ranks, sizes or dtypes.
        """
        pyramid = self.encode(frames, frame_valid)
        before = pyramid
        if references is not None:
            if references.shape != frames.shape:
                raise ShapeError(f"references {tuple(references.shape)} and frames {tuple(frames.shape)} differ")
            before = self.encode(references, frame_valid)
        size = (frames.shape[2], frames.shape[3])
        return self.look(pyramid, self.refer(before, size, boxes, boxes_valid), size)

    def encode(self, frames: Tensor, frame_valid: Tensor | None = None) -> Pyramid:
        """Features f_t of (B, 3, H, W) frames, before any enhancement."""
        if frames.ndim != 4 or frames.shape[1] != 3 or 0 in frames.shape or not frames.is_floating_point():
            raise ShapeError(f"expected float frames (B, 3, H, W), got {frames.dtype} {tuple(frames.shape)}")
        size = (frames.shape[0], *frames.shape[2:])
        if frame_valid is None:
            frame_valid = torch.ones(size, dtype=torch.bool, device=frames.device)
        if frame_valid.shape != size or frame_valid.dtype != torch.bool:
            raise ShapeError(f"expected `frame_valid` {size} bool, got {tuple(frame_valid.shape)} {frame_valid.dtype}")
        return encode(self.model, frames, frame_valid)

    def refer(
        self, before: Pyramid, size: tuple[int, int], boxes: Tensor | None, boxes_valid: Tensor | None = None
    ) -> Reference | None:
        """What frames refer to.

        Args:
            before: of the reference frames.
            size: (height, width) of those frames in pixels.
            boxes, boxes_valid: as in `forward`.

        Returns:
            Tokens, or `None` for a network without enhancement.
        """
        if self.config.enhancement is None:
            return None
        if boxes is None:
            return pooled_tokens(before, self.config.enhancement)
        if boxes.ndim != 3 or boxes.shape[-1] != 4:
            raise ShapeError(f"expected boxes (B, K, 4), got {tuple(boxes.shape)}")
        if boxes_valid is None:
            boxes_valid = torch.ones(boxes.shape[:2], dtype=torch.bool, device=boxes.device)
        parts = boxes / boxes.new_tensor([size[1], size[0], size[1], size[0]])
        return box_tokens(before, parts, boxes_valid, self.config.enhancement)

    def look(self, pyramid: Pyramid, reference: Reference | None, size: tuple[int, int]) -> Seen:
        """Detects on features, enhanced by a reference where there is one."""
        enhanced = pyramid
        if self.enhancement is not None and reference is not None:
            enhanced = self.enhancement(pyramid, reference)
        decoded = decode(self.model, Heads(self.class_embed, self.target_embed, self.bbox_embed), enhanced)
        features = None if self.mask_head is None else self.mask_head.features(decoded.memory)
        return Seen(decoded, pyramid, features, size)

    def mask_logits(self, seen: Seen, chosen: Tensor, layer: int = -1) -> Tensor:
        """(B, N, h, w) logits of the masks of chosen queries, at about a quarter of the frame's size.

        Args:
            seen: of B frames.
            chosen: (B, N) places of queries.
            layer: of the decoder.

        Raises:
            ConfigError: the network has no mask head.
        """
        if self.mask_head is None or seen.mask_features is None:
            raise ConfigError("this network has no mask head; build one with `mask`")
        decoded = seen.decoded
        queries, points = gather(decoded.queries[layer], chosen), gather(decoded.points[layer], chosen)
        logits: Tensor = self.mask_head(seen.mask_features, queries, points.detach(), seen.size)
        return logits

    def identities(self, seen: Seen, chosen: Tensor | None = None) -> Tensor:
        """(B, N, D) of chosen queries (B, N) of the last layer, or of all."""
        queries, boxes = seen.decoded.queries[-1], seen.decoded.boxes[-1]
        if chosen is not None:
            queries, boxes = gather(queries, chosen), gather(boxes, chosen)
        found: Tensor = self.identity(queries, boxes, seen.pyramid)
        return found


def gather(rows: Tensor, chosen: Tensor) -> Tensor:
    """(B, N, D): rows (B, Q, D) at places (B, N)."""
    return rows.gather(1, chosen[..., None].expand(-1, -1, rows.shape[-1]))


def boxes_px(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., 4) cxcywh in parts of a frame of (height, width) pixels to xyxy in its pixels."""
    corners: Tensor = box_convert(boxes, "cxcywh", "xyxy")
    return corners * corners.new_tensor([size[1], size[0], size[1], size[0]])
