"""Video-Swin-B with frames dropped on the way.

Liu et al., "Video Swin Transformer", 2106.13230; all parts are torchvision's (`SwinTransformer3d`). Its windows shrink
when fewer frames are left than a window holds; more than one window, they are padded to whole windows, at a cost: 9
kept frames are computed as 16.
"""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models.video import SwinTransformer3d

from onlooker.methods.encoders.stts.config import SttsConfig, SwinConfig, frames_to_keep
from onlooker.methods.encoders.stts.selection import FrameChoice, FrameSelector, RegionChoice
from onlooker.methods.encoders.stts.topk import Perturbation


class SwinTrunk(nn.Module):
    """Clip to the normalised map of features.

    Args:
        config: with `swin`.
    """

    def __init__(self, config: SttsConfig, swin: SwinConfig) -> None:
        super().__init__()
        self.selection = config.selection
        whole = SwinTransformer3d(
            patch_size=list(swin.patch_size),
            embed_dim=swin.embed_dim,
            depths=list(swin.depths),
            num_heads=list(swin.num_heads),
            window_size=list(swin.window_size),
            stochastic_depth_prob=swin.drop_path,
            num_classes=1,  # the classifier is ours
        )
        self.patch_embed, self.features, self.norm = whole.patch_embed, whole.features, whole.norm
        time_at = config.selection.time_at
        self.frame_selector: nn.Module | None = None if time_at is None else FrameSelector(swin.embed_dim * 2**time_at)
        self.width = int(whole.num_features)

    def forward(
        self, clip: Tensor, perturbation: Perturbation | None
    ) -> tuple[Tensor, FrameChoice | None, RegionChoice | None]:
        """(B, 3, T, H, W) to (B, width, T', H/32, W/32), and the frames chosen; regions are never."""
        x = self.patch_embed(clip)  # (B, T/2, H/4, W/4, C)
        frames: FrameChoice | None = None
        for place, part in enumerate(self.features):
            # Stages and the mergers between them alternate: stage i is part 2i.
            if self.frame_selector is not None and place == 2 * (self.selection.time_at or 0):
                x, frames = self._select(self.frame_selector, x, perturbation)
            x = part(x)
        return self.norm(x).permute(0, 4, 1, 2, 3), frames, None

    def _select(self, selector: nn.Module, x: Tensor, perturbation: Perturbation | None) -> tuple[Tensor, FrameChoice]:
        frames, height, width = x.shape[1:4]
        kept, choice = selector(x.flatten(2, 3), frames_to_keep(frames, self.selection.time_ratio), perturbation)
        return kept.reshape(*kept.shape[:2], height, width, kept.shape[3]), choice  # (B, k, H, W, C)
