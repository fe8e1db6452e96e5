"""What the visual encoder does with images, clips, slots and sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.omnivl.config import VisualConfig
from onlooker.methods.encoders.omnivl.visual import VisualEncoder, resize_positions, resize_times

SMALL = VisualConfig(
    image_size=16, patch_size=8, width=24, depth=2, heads=2, num_frames=6, time_stride=2, drop_path=0.0
)


def encoder(config: VisualConfig = SMALL) -> VisualEncoder:
    torch.manual_seed(0)
    return VisualEncoder(config).eval()


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def make_still(network: VisualEncoder) -> VisualEncoder:
    """No temporal part, and patches of clips that see a still clip as its image."""
    with torch.no_grad():
        for block in network.blocks:
            block.temporal_fc.weight.zero_()
        weight = network.patch_embed.proj.weight
        network.patch_embed_3d.proj.weight.copy_(weight[:, :, None].expand(-1, -1, 2, -1, -1) / 2)
        network.patch_embed_3d.proj.bias.copy_(network.patch_embed.proj.bias)
    return network


def test_still_clip_without_temporal_part_has_the_images_class_token() -> None:
    network = make_still(encoder())
    image = noise(2, 3, 16, 16)
    clip = image[:, :, None].expand(-1, -1, 6, -1, -1)
    with torch.no_grad():
        torch.testing.assert_close(network(clip)[:, 0], network(image)[:, 0], rtol=0, atol=1e-5)
        fresh = encoder()
        fresh.patch_embed_3d.load_state_dict(network.patch_embed_3d.state_dict())
        assert (fresh(clip)[:, 0] - fresh(image)[:, 0]).abs().max() > 1e-4  # the authors' start is not zero


def test_tokens_of_a_clip_go_patch_by_patch_and_slot_by_slot() -> None:
    network = make_still(encoder())
    clip = noise(1, 3, 6, 16, 16)
    patches, grid = network.tokenise(clip)
    assert patches.shape == (1, 4, 3, 24)
    assert grid == (2, 2)
    other = clip.clone()
    other[:, :, 2:4, 8:, :8] += 1  # slot 1 of patch 2 (row 1, column 0)
    changed = (network.tokenise(other)[0] - patches).abs().sum(-1)[0] > 0
    assert changed.nonzero().tolist() == [[2, 1]]
    seen: dict[str, torch.Tensor] = {}
    network.blocks[0].register_forward_pre_hook(lambda module, args: seen.update(x=args[0]))
    network(clip)
    before = seen["x"]
    network(other)
    assert (seen["x"] - before).abs().sum(-1)[0].nonzero().tolist() == [[1 + 2 * 3 + 1]]  # 1 + n * S + s


def test_clip_of_one_slot_skips_temporal_attention() -> None:
    network = encoder()
    clip = noise(2, 3, 2, 16, 16)
    with torch.no_grad():
        before = network(clip)
        for block in network.blocks:
            block.temporal_fc.bias.add_(5.0)
        assert network(clip).equal(before)
        assert not network(noise(2, 3, 4, 16, 16)).isnan().any()


def test_images_get_time_slot_zero() -> None:
    network = encoder()
    image = noise(1, 3, 16, 16)
    with torch.no_grad():
        before = network(image)
        network.time_embed[:, 1:] += 1
        assert network(image).equal(before)
        network.time_embed[:, 0, :12] += 1
        assert not torch.allclose(network(image), before)


def test_frames_that_do_not_fill_a_slot_are_dropped() -> None:
    clip = noise(1, 3, 5, 16, 16)
    network = encoder()
    with torch.no_grad():
        assert network(clip).equal(network(clip[:, :, :4]))


def test_position_table_follows_the_shape_of_the_input_not_only_the_count() -> None:
    table = torch.arange(17.0)[None, :, None]
    wide = resize_positions(table, (2, 8), "nearest")[0, 1:, 0].view(2, 8)
    assert wide.tolist() == [[1, 1, 2, 2, 3, 3, 4, 4], [9, 9, 10, 10, 11, 11, 12, 12]]
    assert resize_positions(table, (4, 4), "nearest") is table


def test_time_table_at_load_is_the_mean_of_the_middle_and_in_forward_the_first() -> None:
    table = torch.arange(8.0)[None, :, None]
    assert resize_times(table, 1, "linear").item() == 3.5
    assert resize_times(table, 1, "nearest").item() == 0


def test_mean_pooling_takes_all_tokens() -> None:
    network = encoder(replace(SMALL, pool="mean"))
    tokens = noise(2, 5, 24)
    torch.testing.assert_close(network.pool(tokens), tokens.mean(1))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 1, 16, 16), r"must be \(B, 3, H, W\)"),
        ((3, 16, 16), r"must be \(B, 3, H, W\)"),
        ((2, 3, 17, 16), "multiples of the patch size 8"),
        ((2, 3, 0, 16, 16), "at least 2 frames"),
        ((2, 3, 1, 16, 16), "at least 2 frames"),
    ],
)
def test_sizes_that_cannot_be_are_named(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        encoder()(torch.zeros(shape))


def test_whole_numbers_and_clips_for_an_image_model_are_refused() -> None:
    with pytest.raises(ShapeError, match="normalised floats"):
        encoder()(torch.zeros(1, 3, 16, 16, dtype=torch.uint8))
    for config in (replace(SMALL, backbone="vit"), replace(SMALL, num_frames=1, time_stride=1)):
        with pytest.raises(ShapeError, match="no tokeniser for clips"):
            encoder(config)(torch.zeros(1, 3, 6, 16, 16))


@pytest.mark.parametrize(
    "change", [{"width": 25}, {"image_size": 20}, {"time_stride": 7}, {"num_frames": 1}, {"drop_path": 1.0}]
)
def test_configurations_that_cannot_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        replace(SMALL, **change)
