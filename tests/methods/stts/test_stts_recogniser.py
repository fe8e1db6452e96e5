"""The recogniser: which frames and squares it looks at, what it says of them, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.encoders.stts.config import CONFIGS
from onlooker.methods.encoders.stts.flops import gmacs
from onlooker.methods.encoders.stts.infer import SttsRecogniser
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.views import View, ViewsConfig, cut_view, frame_numbers, plan_views

TINY = CONFIGS["tiny"]  # 8 frames of 64x64, 4 token frames of which 2 are kept


@pytest.fixture(scope="module")
def network() -> Stts:
    torch.manual_seed(0)
    return Stts(TINY).eval()


@pytest.fixture(scope="module")
def recogniser(network: Stts) -> SttsRecogniser:
    """Without options; it counts what its network costs when it is made."""
    return SttsRecogniser.from_network(network)


def video(count: int, height: int = 90, width: int = 120) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


@pytest.mark.parametrize(
    ("count", "clips", "expected"),
    [
        (100, 1, [[35, 39, 43, 47, 51, 55, 59, 63]]),  # the middle: 29 frames long, 71 to spare
        (31, 2, [[0, 4, 8, 12, 16, 20, 24, 28], [2, 6, 10, 14, 18, 22, 26, 30]]),
        (29, 3, [[0, 3, 7, 10, 14, 18, 21, 25]]),  # as long as a clip: stretched, one view
        (8, 1, [[0, 1, 2, 3, 4, 5, 6, 7]]),
        (3, 5, [[0, 0, 0, 1, 1, 1, 2, 2]]),
        (1, 5, [[0] * 8]),
    ],
)
def test_frames_of_clips(count: int, clips: int, expected: list[list[int]]) -> None:
    assert [found.tolist() for found in frame_numbers(count, 8, ViewsConfig(clips))] == expected


def test_squares_of_one_and_three_crops() -> None:
    (middle,) = plan_views(1, (256, 400), TINY, ViewsConfig(1, 1))
    assert middle.box_xyxy_px == pytest.approx((88.0, 16.0, 312.0, 240.0))  # 224 of a short side of 256
    boxes = [view.box_xyxy_px for view in plan_views(1, (100, 300), TINY, ViewsConfig(1, 3))]
    assert boxes == [(0.0, 0.0, 100.0, 100.0), (100.0, 0.0, 200.0, 100.0), (200.0, 0.0, 300.0, 100.0)]
    tall = [view.box_xyxy_px for view in plan_views(1, (300, 100), TINY, ViewsConfig(1, 3))]
    assert tall[2] == (0.0, 200.0, 100.0, 300.0)


def test_cut_view_holds_the_pixels_of_its_square_normalised() -> None:
    pictures = torch.zeros(2, 64, 192, 3, dtype=torch.uint8)
    pictures[1, :, 128:] = 255
    clip = cut_view(pictures, View(np.array([0, 1] * 4), (128.0, 0.0, 192.0, 64.0)), TINY)
    assert clip.shape == (3, 8, 64, 64)
    assert clip[:, 0].unique().tolist() == pytest.approx([-2.0])  # (0 - 0.45) / 0.225
    assert clip[:, 1].unique().tolist() == pytest.approx([(1 - 0.45) / 0.225])


@pytest.mark.parametrize("size", [(64, 64), (90, 120), (120, 90), (7, 500), (1, 1), (333, 251)])
def test_any_size_of_picture_gives_a_clip(size: tuple[int, int]) -> None:
    pictures = torch.zeros(1, *size, 3, dtype=torch.uint8)
    for crops in (1, 3):
        for view in plan_views(1, size, TINY, ViewsConfig(1, crops)):
            assert cut_view(pictures, view, TINY).shape == (3, 8, 64, 64)
            x1, y1, x2, y2 = view.box_xyxy_px
            assert 0 <= x1 < x2 <= size[1] + 1e-6
            assert 0 <= y1 < y2 <= size[0] + 1e-6


def test_probabilities_are_the_mean_over_views(network: Stts) -> None:
    pictures = video(40)
    views = ViewsConfig(clips=3)
    found = SttsRecogniser.from_network(network, views=views).look(pictures)
    stacked = torch.from_numpy(np.stack(pictures))
    clips = torch.stack([cut_view(stacked, view, TINY) for view in plan_views(40, (90, 120), TINY, views)])
    with torch.no_grad():
        expected = network(clips).logits.softmax(-1).mean(0)
    assert found.probabilities == pytest.approx(expected.numpy(), abs=1e-5)
    assert found.probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert len(found.looked) == 3
    assert found.gmacs == pytest.approx(3 * gmacs(TINY))


def test_kept_frames_and_regions_are_in_terms_of_the_video(network: Stts) -> None:
    (looked,) = SttsRecogniser.from_network(network, views=ViewsConfig(1)).look(video(29)).looked
    clip = cut_view(torch.from_numpy(np.stack(video(29))), looked.view, TINY)[None]
    with torch.no_grad():
        output = network(clip)
    assert output.frames is not None
    assert output.regions is not None
    first = output.frames.indices[0, 0]
    assert looked.kept_frames[0].tolist() == looked.view.frames[2 * first : 2 * first + 2].tolist()
    x1, y1, x2, y2 = looked.view.box_xyxy_px
    assert looked.regions_xyxy_px is not None
    row, column = output.regions.origins[0, 0].tolist()
    box = looked.regions_xyxy_px[0]  # 3 of 4 tokens along each side
    assert box[:2].tolist() == pytest.approx([x1 + column * (x2 - x1) / 4, y1 + row * (y2 - y1) / 4], abs=1e-3)
    assert float(box[2] - box[0]) == pytest.approx(0.75 * (x2 - x1), abs=1e-3)


def test_dial_changes_cost_and_what_is_kept_but_not_the_weights(network: Stts) -> None:
    whole = SttsRecogniser.from_network(network)
    cheap = whole.with_budget(keep_frames=1, keep_region=2)
    assert cheap.gmacs_per_view < whole.gmacs_per_view
    assert (cheap.config.kept_frames, cheap.config.kept_region) == (1, 2)
    assert cheap.look(video(5)).looked[0].kept_frames.shape == (1, 2)
    assert whole.look(video(5)).looked[0].kept_frames.shape == (2, 2)


def test_recognise_names_the_likeliest_first(network: Stts) -> None:
    recogniser = SttsRecogniser.from_network(network, labels=[f"act {i}" for i in range(8)])
    (tags, again) = recogniser.recognise([video(3), video(3)], top_k=3)
    assert tags == again
    assert len(tags) == 3
    scores = [tag.score for tag in tags]
    assert scores == sorted(scores, reverse=True)
    best = int(recogniser.look(video(3)).probabilities.argmax())
    assert tags[0].label == f"act {best}"
    with pytest.raises(ConfigError, match="top_k"):
        recogniser.recognise([video(3)], top_k=0)


def test_weights_of_a_saved_folder_bring_their_configuration(network: Stts, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    loaded = SttsRecogniser(tmp_path, keep_frames=1)
    assert loaded.config.kept_frames == 1
    expected = SttsRecogniser.from_network(network, keep_frames=1).look(video(4)).probabilities
    assert loaded.look(video(4)).probabilities == pytest.approx(expected, abs=1e-6)
    with pytest.raises(UnknownNameError, match=r"mvit-b-t0\.9-s0\.9"):
        SttsRecogniser(tmp_path, config="mvit-b-t0.9")


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "at least one frame"),
        ([np.full((8, 8, 3), np.nan)], "RGB uint8"),
        ([np.zeros((8, 8), np.uint8)], "RGB uint8"),
        ([np.zeros((8, 8, 4), np.uint8)], "RGB uint8"),
        ([np.zeros((0, 8, 3), np.uint8)], "RGB uint8"),
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)], "frame 1 is"),
    ],
)
def test_what_is_no_video_is_refused(recogniser: SttsRecogniser, frames: list[NDArray[np.uint8]], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        recogniser.look(frames)


def test_too_few_labels_are_refused(network: Stts) -> None:
    with pytest.raises(ConfigError, match="8 classes, got 2 labels"):
        SttsRecogniser.from_network(network, labels=["one", "two"])


@pytest.mark.parametrize("option", [{"keep_frames": 2.5}, {"keep_frames": "2"}, {"keep_region": True}])
def test_a_dial_that_is_no_whole_number_is_refused(
    network: Stts, recogniser: SttsRecogniser, option: dict[str, object]
) -> None:
    with pytest.raises(ConfigError, match=f"`{next(iter(option))}` is a whole number"):
        SttsRecogniser.from_network(network, **option)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="`stride` is a whole number"):
        ViewsConfig(stride=1.5)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="`top_k` is a whole number"):
        recogniser.recognise([video(3)], top_k=2.5)  # type: ignore[arg-type]
