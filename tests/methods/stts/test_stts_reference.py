"""Selection against the plain form of the official description: unfolded windows and whole one-hot tensors."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.methods.encoders.stts.config import MViTConfig, SelectionConfig, SttsConfig, SwinConfig
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.selection import RegionSelector
from onlooker.methods.encoders.stts.swin import SwinTrunk
from onlooker.methods.encoders.stts.topk import Perturbation

SIGMA = 0.1


def plain_indicator(scores: Tensor, k: int, noise: Tensor) -> Tensor:
    """(B, k, n), with the official diagonal gradient attached by its formula."""
    best = (scores.detach()[:, None] + SIGMA * noise).topk(k, dim=-1).indices.sort(dim=-1).values
    one_hot = functional.one_hot(best, scores.shape[1]).to(scores.dtype)  # (B, S, k, n)
    slope = (one_hot * noise[:, :, None]).mean(1) / SIGMA
    return one_hot.mean(1) + slope * (scores - scores.detach())[:, None]


def plain_regions(selector: RegionSelector, x: Tensor, size: tuple[int, int], side: int, noise: Tensor) -> Tensor:
    """(R, H*W, C) maps to (R, side*side, C), by unfolding as the official code does it."""
    (height, width), channels = size, x.shape[2]
    stride = max((height - side) // 2, 1), max((width - side) // 2, 1)
    scores = selector.scorer(x).reshape(-1, 1, height, width)
    anchors = functional.unfold(scores, side, stride=stride).mean(1)
    low, high = anchors.min(-1, keepdim=True).values, anchors.max(-1, keepdim=True).values
    indicator = plain_indicator((anchors - low) / (high - low + 1e-5), 1, noise)
    maps = x.transpose(1, 2).reshape(-1, channels, height, width)
    windows = functional.unfold(maps, side, stride=stride).transpose(1, 2)  # (R, A, C*side*side), channels first
    mixed = torch.einsum("bka,bad->bkd", indicator, windows)
    return mixed.reshape(-1, channels, side * side).transpose(1, 2)


@pytest.mark.parametrize(("size", "side"), [((4, 4), 3), ((7, 7), 3), ((5, 8), 4)])
def test_regions_and_gradients_equal_the_unfolded_form(size: tuple[int, int], side: int) -> None:
    # The plain form in double precision: in single, its own gradients are off by 1e-4 on some processors.
    torch.manual_seed(0)
    selector, noise_seed = RegionSelector(16).double(), torch.Generator().manual_seed(7)
    x = torch.randn(6, size[0] * size[1], 16, dtype=torch.float64)
    anchors = 1
    for length in size:
        anchors *= (length - side) // max((length - side) // 2, 1) + 1
    noise = torch.randn(6, 200, anchors, generator=noise_seed, dtype=torch.float64)
    weight = torch.randn(6, side * side, 16, dtype=torch.float64)
    found: list[list[Tensor]] = []
    for ours in (True, False):
        leaf = x.clone().requires_grad_()
        if ours:
            kept, _ = selector(leaf.reshape(2, 3, *size, 16), side, Perturbation(SIGMA, noise=noise))
            kept = kept.reshape(6, side * side, 16)
        else:
            kept = plain_regions(selector, leaf, size, side, noise)
        trained = [parameter for parameter in selector.parameters() if parameter.requires_grad]
        found.append([kept.detach(), *torch.autograd.grad((kept * weight).sum(), [leaf, *trained])])
    for mine, plain in zip(*found, strict=True):
        assert (mine - plain).abs().max() <= 1e-5 * max(1.0, float(plain.abs().max()))


class _Recorder(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, x: Tensor, thw: tuple[int, int, int]) -> tuple[Tensor, tuple[int, int, int]]:
        self.shapes.append((x.shape[1], *thw))
        output: tuple[Tensor, tuple[int, int, int]] = self.block(x, thw)
        return output


def test_blocks_meet_fewer_frames_and_smaller_maps_after_selection() -> None:
    """8 frames of 64x64: 4 token frames of 16x16, two kept; 4x4 before block 4, 3x3 kept; the class token stays."""
    selection = SelectionConfig(time_at=0, time_ratio=0.5, space_at=4, space_ratio=0.6)
    mvit = MViTConfig(embed_dim=16, depth=6, grow_at=(1, 3), drop_path=0.0, head_dropout=0.0)
    network = Stts(SttsConfig(frames=8, image_size=(64, 64), num_classes=3, mvit=mvit, selection=selection)).eval()
    recorders = [_Recorder(block) for block in network.backbone.blocks]  # type: ignore[union-attr, arg-type]
    network.backbone.blocks = nn.ModuleList(recorders)
    with torch.no_grad():
        network(torch.randn(1, 3, 8, 64, 64))
    shapes = [recorder.shapes[0] for recorder in recorders]
    assert shapes[0] == (1 + 2 * 256, 2, 16, 16)
    assert shapes[4] == (1 + 2 * 9, 2, 3, 3)
    assert shapes[5] == (1 + 2 * 9, 2, 3, 3)


@pytest.mark.parametrize(("ratio", "kept"), [(0.5625, 4), (0.9, 7), (1.0, 8)])
def test_swin_computes_the_kept_frames_as_if_there_were_no_others(ratio: float, kept: int) -> None:
    torch.manual_seed(0)
    swin = SwinConfig(embed_dim=16, depths=(2, 1), num_heads=(1, 2), window_size=(4, 7, 7), drop_path=0.0)
    config = SttsConfig(frames=16, image_size=(56, 56), num_classes=None, swin=swin)
    config = replace(config, selection=SelectionConfig(time_at=0, time_ratio=ratio))
    network = Stts(config).eval()
    trunk = network.backbone
    assert isinstance(trunk, SwinTrunk)
    clip = torch.randn(2, 3, 16, 56, 56)
    with torch.no_grad():
        output = network(clip)
        assert output.frames is not None
        assert output.frames.indices.shape == (2, kept)
        for sample in range(2):
            tokens = trunk.patch_embed(clip[sample : sample + 1])[:, output.frames.indices[sample]]
            expected = trunk.norm(trunk.features(tokens)).permute(0, 4, 1, 2, 3)
            assert torch.allclose(output.features[sample : sample + 1], expected, atol=1e-5)


def test_scorers_of_both_kinds_learn_from_the_loss_alone() -> None:
    torch.manual_seed(0)
    selection = SelectionConfig(time_at=0, time_ratio=0.5, space_at=1, space_ratio=0.5, num_samples=50)
    mvit = MViTConfig(embed_dim=16, depth=2, grow_at=(1,), kv_stride=(1, 4, 4), drop_path=0.0, head_dropout=0.0)
    network = Stts(SttsConfig(frames=8, image_size=(32, 32), num_classes=3, mvit=mvit, selection=selection))
    output = network(torch.randn(2, 3, 8, 32, 32), sigma=0.2)
    functional.cross_entropy(output.logits, torch.tensor([0, 2])).backward()
    for name, parameter in network.scorer_parameters().items():
        if parameter.requires_grad:
            assert parameter.grad is not None
            assert parameter.grad.abs().max() > 0, name
    network.zero_grad()
    output = network(torch.randn(2, 3, 8, 32, 32), sigma=0.0)
    functional.cross_entropy(output.logits, torch.tensor([0, 2])).backward()
    assert all(p.grad is None or p.grad.abs().max() == 0 for p in network.scorer_parameters().values())
