"""What no follower may break on: the same hard videos for the one without weights and for both networks.

The networks are tiny and untrained, so where they see a thing means nothing; that they go through, tell every frame,
and tell nothing impossible is what is tested.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from follow_worlds import SIZE, THING, picture

from onlooker.formats.run_lengths import decode_mask
from onlooker.methods.trackers.isvos import CONFIGS as ISVOS
from onlooker.methods.trackers.isvos import Isvos
from onlooker.methods.trackers.omnitracker import CONFIGS as OMNITRACKER
from onlooker.methods.trackers.omnitracker import OmniTrackerNetwork, TrackingConfig
from onlooker.synth.clips import make_clip
from onlooker.types import BoxXYXY, Image
from onlooker.video.following.request import FollowRequest
from onlooker.video.following.tools import follow
from onlooker.video.following.values import FollowResult
from onlooker.video.following.write import as_dict, write_masks, write_tracks
from onlooker.video.wiring import ModelPool, Settings, parse_role_choice

BOX = (40.0, 50.0, 76.0, 78.0)  # of the thing in `here`
HERE, BLACK = picture({(40, 50): THING}), np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
FOLLOWERS = ("alone", "omnitracker", "isvos")


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelPool]:
    """Roles as `--set` fills them. OmniTracker takes every detection for good, so that there is something to tell."""
    folder = tmp_path_factory.mktemp("networks")
    torch.manual_seed(0)
    eager = TrackingConfig(select_score=0.0, birth_score=0.0, update_score=0.0, match_score=0.0)
    small = dataclasses.replace(OMNITRACKER["tiny"], short_side=64, long_side=128, tracking=eager)
    OmniTrackerNetwork(small).save_pretrained(folder / "omnitracker")
    Isvos(dataclasses.replace(ISVOS["tiny"], short_side=64)).save_pretrained(folder / "isvos")
    words = {
        "alone": ("detector=none", "appearance_embedder=none"),
        "omnitracker": (f"tracker=omnitracker:weights={folder / 'omnitracker'},hz=25",),
        "isvos": (f"segmenter=isvos:weights={folder / 'isvos'}",),
    }
    return {name: ModelPool(Settings(roles=dict(map(parse_role_choice, said)))) for name, said in words.items()}


def checked(result: FollowResult, n_boxes: int, folder: Path) -> FollowResult:
    """The result, after everything that holds for any video was looked at and everything was written."""
    size = (result.info.height, result.info.width)
    assert [track.number for track in result.tracks if track.source == "box"] == list(range(1, n_boxes + 1))
    for track in result.tracks[:n_boxes]:
        assert track.frames.tolist() == [index for index, _ in result.frames][-len(track.frames) :]
        boxes = track.boxes_xyxy_px[track.seen]
        assert np.isfinite(boxes).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes >= 0).all()
        assert (boxes <= np.array([size[1], size[0]] * 2)).all()
        assert not track.boxes_xyxy_px[~track.seen].any()
        assert set(track.masks) <= set(track.frames[track.seen].tolist())
        assert all(decode_mask(mask, *size).any() for mask in track.masks.values())
    request = FollowRequest(Path(result.info.path), (BOX,))
    json.dumps(as_dict(request, result), allow_nan=False)
    write_tracks(folder, request, result)
    if result.gives_masks:
        write_masks(folder, result)
    return result


def run(
    pool: ModelPool, folder: Path, images: Sequence[Image], boxes: Sequence[BoxXYXY] = (BOX,), at_s: float = 0.0
) -> FollowResult:
    clip = make_clip(folder / "clip.mp4", images)
    result = checked(follow(pool, FollowRequest(clip, tuple(boxes), at_s)), len(boxes), folder)
    assert len(result.frames) == len(images)
    return result


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_target_that_leaves_and_returns_is_told_on_every_frame(
    pools: dict[str, ModelPool], name: str, tmp_path: Path
) -> None:
    (track,) = run(pools[name], tmp_path, [HERE] * 3 + [picture({})] * 8 + [HERE] * 6).tracks
    assert len(track.frames) == 17
    if name == "alone":  # the one that needs no training knows what it saw
        assert track.seen.tolist() == [True] * 3 + [False] * 8 + [True] * 6


@pytest.mark.parametrize("name", FOLLOWERS)
def test_black_frames_are_survived(pools: dict[str, ModelPool], name: str, tmp_path: Path) -> None:
    (track,) = run(pools[name], tmp_path, [HERE] * 2 + [BLACK] * 4 + [HERE] * 2).tracks
    assert len(track.frames) == 8
    assert track.seen[0]


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_box_on_a_black_first_frame_is_told_there(pools: dict[str, ModelPool], name: str, tmp_path: Path) -> None:
    (track,) = run(pools[name], tmp_path, [BLACK] * 2 + [HERE] * 3).tracks
    assert track.seen[0]
    assert len(track.frames) == 5


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_video_of_one_frame_has_one_box(pools: dict[str, ModelPool], name: str, tmp_path: Path) -> None:
    (track,) = run(pools[name], tmp_path, [HERE]).tracks
    assert track.seen.tolist() == [True]


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_thing_of_one_pixel(pools: dict[str, ModelPool], name: str, tmp_path: Path) -> None:
    (track,) = run(pools[name], tmp_path, [HERE] * 4, [(70.0, 60.0, 71.0, 61.0)]).tracks
    assert len(track.frames) == 4


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_box_that_is_given_twice_is_told_twice(pools: dict[str, ModelPool], name: str, tmp_path: Path) -> None:
    first, second = run(pools[name], tmp_path, [HERE] * 4, [BOX, BOX]).tracks
    np.testing.assert_array_equal(first.seen, second.seen)
    np.testing.assert_array_equal(first.boxes_xyxy_px, second.boxes_xyxy_px)
    assert first.masks == second.masks


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_box_that_is_partly_outside_is_cut_to_the_frame(
    pools: dict[str, ModelPool], name: str, tmp_path: Path
) -> None:
    (track,) = run(pools[name], tmp_path, [HERE] * 3, [(-30.0, -20.0, 12.0, 16.0)]).tracks
    assert track.boxes_xyxy_px[0, :2].tolist() == [0.0, 0.0]


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLLOWERS)
def test_two_hundred_things(pools: dict[str, ModelPool], name: str, tmp_path: Path) -> None:
    places = np.random.default_rng(0).integers(0, 120, (200, 2)).tolist()
    boxes = [(float(x), float(y), x + 12.0, y + 10.0) for x, y in places]
    assert len(run(pools[name], tmp_path, [HERE] * 2, boxes).tracks) == 200


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_file_that_changes_its_size(pools: dict[str, ModelPool], name: str, tmp_path: Path) -> None:
    first = make_clip(tmp_path / "a.ts", [HERE] * 3).read_bytes()
    half = make_clip(tmp_path / "b.ts", [np.ascontiguousarray(HERE[::2, ::2])] * 3).read_bytes()
    (tmp_path / "joined.ts").write_bytes(first + half)
    request = FollowRequest(tmp_path / "joined.ts", (BOX,))
    result = checked(follow(pools[name], request), 1, tmp_path)
    assert (result.info.width, result.info.height) == SIZE
    assert len(result.frames) == 6


def test_classes_of_a_network_are_told_beside_boxes_on_black_frames_too(
    pools: dict[str, ModelPool], tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", [BLACK] * 2 + [HERE] * 2)
    asked = tuple(f"class {number}" for number in range(7))
    result = checked(follow(pools["omnitracker"], FollowRequest(clip, (BOX,), 0.0, asked), masks=True), 1, tmp_path)
    assert {track.source for track in result.tracks} == {"box", "class"}
