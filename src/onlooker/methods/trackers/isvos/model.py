"""ISVOS: objects are followed by matching against a space-time memory, after an instance segmentation of the frame.

"Look Before You Match: Instance Understanding Matters in Video Object Segmentation", 2212.06826. Memory alone confuses
look-alikes; so queries of an instance branch (Mask2Former) enrich the keys that are matched, and its high-resolution
features enter the mask decoder. No official code or weights are known; the memory branch follows XMem
(hkchengrex/XMem, MIT) without its hidden state, the instance branch is transformers' Mask2Former.

What the paper leaves open is inferred and listed in the README. Both contributions start from zero, so that an ablation
is the same class with one switch off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from onlooker.errors import ShapeError
from onlooker.methods.trackers.isvos.config import STRIDE, IsvosConfig
from onlooker.methods.trackers.isvos.decoder import MaskDecoder, MultiPath, Paths, aggregate
from onlooker.methods.trackers.isvos.instances import InstanceBranch, InstanceView
from onlooker.methods.trackers.isvos.keys import KeyProjection, Keys, enhancement
from onlooker.methods.trackers.isvos.memory import affinity, readout, similarity
from onlooker.methods.trackers.isvos.values import ValueEncoder
from onlooker.weights.saving import SavedNetwork


@dataclass(frozen=True)
class FrameView:
    """All that is known of B frames before memory is asked.

    Attributes:
        stages: backbone features at strides 4, 8, 16, 32.
        keys: to ask with, and to remember under.
        paths: maps for the mask decoder, or `None`.
        instances: proposals, or `None` where nobody needed them.
    """

    stages: tuple[Tensor, ...]
    keys: Keys
    paths: Paths | None
    instances: InstanceView | None


@dataclass(frozen=True)
class ClipOutput:
    """A clip followed from its first masks.

    Attributes:
        logits: (B, T-1, K+1, H, W), ground first, of the frames after the first.
        class_logits, mask_logits: of the instance branch, one per prediction layer: (B*T, N, classes + 1) and
            (B*T, N, H/4, W/4), frames of a clip beside each other.
    """

    logits: Tensor
    class_logits: tuple[Tensor, ...]
    mask_logits: tuple[Tensor, ...]


class Isvos(SavedNetwork):
    """Segmentation of given objects through a video.

    Args:
        config: sizes and switches.
    """

    def __init__(self, config: IsvosConfig) -> None:
        super().__init__()
        self.config = config
        features = config.backbone.widths[2]
        self.instances = InstanceBranch(config.backbone, config.instances, config.norm)
        self.key_proj = KeyProjection(features, config.matching)
        self.value_encoder = ValueEncoder(config)
        self.decoder = MaskDecoder(config)
        # After all that ablations share, which so start from the same weights.
        self.enhancement = enhancement(features, config) if config.matching.query_enhancement else None
        self.paths = MultiPath(config) if config.multi_path else None

    def forward(
        self,
        frames: Tensor,
        masks: Tensor,
        present: Tensor | None = None,
        memory: Sequence[Sequence[int]] | None = None,
    ) -> ClipOutput:
        """Follows objects through a clip; what was predicted is what is remembered, as at inference.

        Args:
            frames: (B, T, 3, H, W), normalised as for ImageNet, H and W multiples of 32, T >= 2.
            masks: (B, K, H, W) in [0, 1], of the first frame.
            present: (B, K) bool; False for places that fill up a batch. Left out, all are objects.
            memory: for each frame from the second on, which earlier frames it may read; left out, all.

        Raises:
            ShapeError: other ranks or sizes.
        """
        check_clip(frames, masks)
        batch, length = frames.shape[:2]
        view = self.look(frames.flatten(0, 1), heads=True)
        assert view.instances is not None
        sought = masks.new_ones(masks.shape[:2], dtype=torch.bool) if present is None else present
        values = [self._values(frames, view, 0, masks * sought[:, :, None, None])]
        logits = []
        for t in range(1, length):
            read = range(t) if memory is None else memory[t - 1]
            probabilities = self._follow(view, t, (batch, length), [(s, values[s]) for s in read], sought)
            logits.append(aggregate(probabilities))
            if t < length - 1:
                values.append(self._values(frames, view, t, logits[-1].softmax(dim=1)[:, 1:]))
        return ClipOutput(torch.stack(logits, dim=1), view.instances.class_logits, view.instances.mask_logits)

    def look(self, pictures: Tensor, heads: bool = False) -> FrameView:
        """Everything about frames that does not depend on memory.

        Args:
            pictures: (B, 3, H, W), H and W multiples of 32.
            heads: whether the proposals' classes are wanted; masks of followed objects are the same either way.
        """
        stages = self.instances.stages(pictures)
        wanted = heads or self.enhancement is not None or self.paths is not None
        instances = self.instances(stages, heads) if wanted else None
        features = stages[2]
        if self.enhancement is not None and instances is not None:
            features = self.enhancement(features, instances)
        paths = self.paths(instances) if self.paths is not None and instances is not None else None
        return FrameView(stages, self.key_proj(features), paths, instances)

    def decode(self, view: FrameView, memory: Tensor) -> Tensor:
        """Probabilities (B, K, H, W) of each object by itself from what was read, (B, K, D, H/16, W/16)."""
        logits: Tensor = self.decoder(memory, view.stages, view.paths)
        return logits.sigmoid()

    def _values(self, frames: Tensor, view: FrameView, t: int, masks: Tensor) -> Tensor:
        """(B, K, D, h*w) of frame t of every clip."""
        features = torch.unflatten(view.stages[2], 0, frames.shape[:2])[:, t]
        values: Tensor = self.value_encoder(frames[:, t], features, masks).flatten(3)
        return values

    def _follow(
        self, view: FrameView, t: int, clip: tuple[int, int], memory: list[tuple[int, Tensor]], sought: Tensor
    ) -> Tensor:
        """(B, K, H, W) probabilities of each object by itself in frame t."""
        here = _frame_of(view, t, clip)
        key = torch.unflatten(view.keys.key, 0, clip)  # (B, T, C, h, w)
        past = [frame for frame, _ in memory]
        remembered = key[:, past].transpose(1, 2).flatten(2)  # (B, C, S*h*w)
        shrinkage = view.keys.shrinkage
        if shrinkage is not None:
            shrinkage = torch.unflatten(shrinkage, 0, clip)[:, past].transpose(1, 2).flatten(2)  # (B, 1, S*h*w)
        selection = None if here.keys.selection is None else here.keys.selection.flatten(2)
        weights = affinity(similarity(remembered, here.keys.key.flatten(2), shrinkage, selection))
        found = readout(weights, torch.cat([values for _, values in memory], dim=-1))  # (B, K, D, h*w)
        probabilities = self.decode(here, torch.unflatten(found, 3, here.keys.key.shape[-2:]))
        return probabilities * sought[:, :, None, None]


def check_clip(frames: Tensor, masks: Tensor) -> None:
    """Raises ShapeError unless a clip (B, T, 3, H, W) and its first masks (B, K, H, W) fit the network."""
    fits = frames.ndim == 5 and masks.ndim == 4 and frames.shape[2] == 3 and frames.shape[1] >= 2
    if not fits or frames.shape[0] != masks.shape[0] or frames.shape[-2:] != masks.shape[-2:]:
        raise ShapeError(
            "expected frames (B, T, 3, H, W) with T >= 2 and masks (B, K, H, W) of their size, "
            f"got {tuple(frames.shape)} and {tuple(masks.shape)}"
        )
    if frames.shape[-1] % STRIDE or frames.shape[-2] % STRIDE or 0 in frames.shape:
        raise ShapeError(f"height and width must be multiples of {STRIDE}, got {tuple(frames.shape[-2:])}; pad them")
    if not (frames.is_floating_point() and masks.is_floating_point()):
        raise ShapeError(f"frames and masks are floats, got {frames.dtype} and {masks.dtype}")


def _frame_of(view: FrameView, t: int, clip: tuple[int, int]) -> FrameView:
    """Frame t of every clip, from a view of all frames (B*T)."""

    def part(x: Tensor) -> Tensor:
        return torch.unflatten(x, 0, clip)[:, t]

    keys = Keys(*(None if x is None else part(x) for x in view.keys))  # type: ignore[arg-type]
    paths = None if view.paths is None else (part(view.paths[0]), part(view.paths[1]), part(view.paths[2]))
    return FrameView(tuple(part(stage) for stage in view.stages), keys, paths, None)
