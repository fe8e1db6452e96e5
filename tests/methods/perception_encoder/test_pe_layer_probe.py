"""The layer probe finds the layer that was made good, for every task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from onlooker.errors import FormatError, ShapeError
from onlooker.methods.encoders.perception_encoder import PerceptionEncoder, PerceptionEncoderConfig, VisionConfig
from onlooker.methods.encoders.perception_encoder.layer_probe import (
    LabelledPictures,
    LabelledPixels,
    LayerCurve,
    TrackedClips,
    best_layers,
    draw_curves,
    layer_tokens,
    probe_classification,
    probe_retrieval,
    probe_segmentation,
    probe_tracking,
    read_best_layers,
    write_curves,
)

CONFIG = PerceptionEncoderConfig(
    VisionConfig(8, 3, 2, 8, patch_size=4, image_size=32, pool="none", final_norm=False, class_token=False)
)


class OneGoodLayer(PerceptionEncoder):
    """Layer 1 shows the mean colour of a patch; the others are noise that knows nothing of the picture."""

    def forward_layers(
        self, images: Tensor, layers: Sequence[int], norm: bool = False, strip_class_token: bool = False
    ) -> tuple[Tensor, ...]:
        seen = torch.nn.functional.avg_pool2d(images, 4).flatten(2).transpose(1, 2)  # (B, 64, 3)
        draws = torch.Generator().manual_seed(0)
        noise = [torch.randn(len(images), 64, 3, generator=draws) for _ in layers]
        return tuple(seen if layer == 1 else noise[layer] for layer in layers)


@pytest.fixture(scope="module")
def network() -> PerceptionEncoder:
    return OneGoodLayer(CONFIG)


def pixels(count: int, seed: int) -> LabelledPixels:
    draws = torch.Generator().manual_seed(seed)
    classes = torch.randint(0, 3, (count, 8, 8), generator=draws).repeat_interleave(4, 1).repeat_interleave(4, 2)
    return LabelledPixels(torch.eye(3)[classes].permute(0, 3, 1, 2), classes, 3)


def pictures(count: int, seed: int) -> LabelledPictures:
    labels = torch.arange(count) % 3
    draws = torch.Generator().manual_seed(seed)
    images = torch.eye(3)[labels][:, :, None, None] + 0.1 * torch.randn(count, 3, 32, 32, generator=draws)
    return LabelledPictures(images, labels, 3)


def test_segmentation_is_read_off_the_good_layer(network: PerceptionEncoder) -> None:
    curve = probe_segmentation(network, pixels(6, 0), pixels(3, 1))
    assert curve.best == 1
    assert curve.scores[1] > 70  # the borders are interpolated
    assert max(curve.scores[0], curve.last) < 40


def test_masks_are_tracked_on_the_good_layer(network: PerceptionEncoder) -> None:
    masks = torch.zeros(1, 5, 32, 32, dtype=torch.int64)
    for t in range(5):
        masks[0, t, 8:20, 4 * t : 4 * t + 12] = 1
    clip = torch.eye(3)[masks[0]].permute(0, 3, 1, 2)[None]
    curve = probe_tracking(network, TrackedClips(clip, masks))
    assert curve.best == 1
    assert curve.scores[1] > 90
    assert curve.last < 50


def test_clips_without_an_object_at_the_start_are_left_out_and_alone_refused(network: PerceptionEncoder) -> None:
    with pytest.raises(ShapeError, match="first frame"):
        probe_tracking(network, TrackedClips(torch.zeros(1, 3, 3, 32, 32), torch.zeros(1, 3, 32, 32)))


def test_classes_are_read_off_and_found_again_on_the_good_layer(network: PerceptionEncoder) -> None:
    classified = probe_classification(network, pictures(30, 0), pictures(12, 1))
    assert classified.scores[1] == 100
    assert classified.best == 1
    found = probe_retrieval(network, pictures(12, 2))
    assert found.scores[1] == 100
    assert found.best == 1


def test_tokens_are_those_of_evaluation_and_the_mode_is_kept() -> None:
    torch.manual_seed(0)
    plain = PerceptionEncoder(
        PerceptionEncoderConfig(
            VisionConfig(8, 2, 2, 8, patch_size=4, image_size=8, pool="none", final_norm=False, drop_path=0.9)
        )
    ).train()
    images = torch.rand(3, 3, 8, 12)
    tokens = layer_tokens(plain, images)
    assert plain.training
    assert [tuple(t.shape) for t in tokens] == [(3, 2, 3, 8)] * 2
    wanted = plain.eval().forward_features(images, 1, strip_class_token=True)
    assert torch.allclose(tokens[1].flatten(1, 2), wanted, atol=1e-6)


def test_curves_are_written_read_and_drawn(tmp_path: Path) -> None:
    curves = [
        LayerCurve("tracking", "J&F", "%", (1.0, 3.0, 2.0)),
        LayerCurve("segmentation", "mIoU", "%", (5.0, 4.0, 5.0)),
    ]
    assert best_layers(curves) == {"tracking": 1, "segmentation": 0}
    path = write_curves(curves, tmp_path / "curves.json")
    assert read_best_layers(path) == {"tracking": 1, "segmentation": 0}
    assert json.loads(path.read_text(encoding="utf-8"))["curves"][0]["scores"] == [1.0, 3.0, 2.0]
    with Image.open(draw_curves(curves, tmp_path / "curves.png")) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert {(0x1B, 0x6C, 0xA8), (0xC8, 0x55, 0x3D)} <= colours


def test_other_files_and_curves_of_two_networks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(FormatError, match="no curves"):
        read_best_layers(tmp_path / "x.json")
    with pytest.raises(ShapeError, match=r"\[1, 2\]"):
        draw_curves([LayerCurve("a", "m", "%", (1.0,)), LayerCurve("b", "m", "%", (1.0, 2.0))], tmp_path / "x.png")
