"""Given boxes followed by an OmniTracker network, beside the classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.formats.run_lengths import decode_mask
from onlooker.methods.trackers.omnitracker import CONFIGS, METHOD, OmniTrackerNetwork
from onlooker.methods.trackers.omnitracker.detections import Detected, FrameTracks
from onlooker.models.own.omnitracker import OmniTracklets
from onlooker.models.own.omnitracker_boxes import OmniBoxes
from onlooker.types import Frame
from onlooker.video.following import protocols
from onlooker.video.following.request import FollowRequest
from onlooker.video.following.tools import make_follow_tools
from onlooker.video.wiring import ModelPool, Settings, parse_role_choice

SIZE = (48, 64)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("omnitracker_boxes")
    made = METHOD.create(CONFIGS["tiny"], 0)
    assert isinstance(made, OmniTrackerNetwork)
    made.save_pretrained(folder)
    (folder / "labels.txt").write_text("\n".join(["cat", "dog", "cow", "car", "bus", "bin", "cup"]))
    return folder


def frame(index: int) -> Frame:
    picture = np.random.default_rng(index).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
    return Frame.from_image(index, index / 25, picture)


class Scripted:
    """Answers of the network, look by look: x of the one box, or `None` for an absent one; the mask is its left half
    of the frame."""

    def __init__(self, *answers: float | None) -> None:
        self.answers, self.cuts = list(answers), []

    def __call__(self, image: object, time_s: float, cut: bool) -> FrameTracks:
        import torch

        self.cuts.append(cut)
        x = self.answers.pop(0)
        logits = torch.full(SIZE, -5.0)
        logits[:, :32] = 5.0
        row = Detected(3, np.array([x or 0.0, 10.0, (x or 0.0) + 20, 30.0]), 0.8, 1, torch.ones(2), logits)
        absent = row._replace(score=0.0, identity=None, mask_logits=None)
        return FrameTracks.of([row if x is not None else absent], SIZE)


def test_boxes_are_told_on_looks_between_them_and_not_where_the_thing_is_absent(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = OmniTracklets(str(weights), hz=12.5).box_follower()
    assert isinstance(follower, OmniBoxes)
    follower.start(frame(0), {3: (0.0, 10.0, 20.0, 30.0)}, None)
    monkeypatch.setattr(follower._tracker, "update", script := Scripted(8.0, None, 4.0))
    for index in range(1, 7):
        follower.update(frame(index), False, None)
    track = follower.finish()[3]
    assert track.boxes_xyxy_px[:3, 0].tolist() == pytest.approx([0, 4, 8])  # looks at 0, 2, 4, 6
    assert track.seen.tolist() == [True, True, True, False, False, False, True]
    assert track.measured.tolist() == [True, False, True, False, False, False, True]
    assert track.label == "dog"
    assert decode_mask(track.masks[2], *SIZE)[:, :32].all()
    assert decode_mask(track.masks[2], *SIZE).sum() == 48 * 32
    assert script.cuts == [False] * 3


def test_the_first_mask_stays_inside_the_box_that_was_given(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = OmniTracklets(str(weights)).box_follower()
    script = Scripted(8.0)
    monkeypatch.setattr(follower._tracker, "start", lambda image, boxes, ids, time_s: script(image, time_s, False))
    follower.start(frame(0), {3: (20.5, 10.0, 40.0, 30.0)}, None)
    inside = np.zeros(SIZE, np.bool_)
    inside[10:30, 20:32] = True  # the network's mask is the left half of the frame
    np.testing.assert_array_equal(decode_mask(follower.finish()[3].masks[0], *SIZE), inside)


def test_a_cut_is_looked_at_at_once(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = OmniTracklets(str(weights), hz=1.0).box_follower()
    follower.start(frame(0), {3: (0.0, 10.0, 20.0, 30.0)}, None)
    monkeypatch.setattr(follower._tracker, "update", script := Scripted(8.0))
    follower.update(frame(1), False, None)
    follower.update(frame(2), True, None)
    assert script.cuts == [True]


def test_boxes_and_classes_share_the_network_and_no_state(weights: Path) -> None:
    tracker = OmniTracklets(str(weights), hz=25.0)
    follower = tracker.box_follower()
    assert follower._tracker._network is tracker._tracker._network
    before = tracker._tracker.state
    follower.start(frame(0), {1: (5.0, 5.0, 30.0, 30.0), 2: (40.0, 2.0, 60.0, 20.0)}, None)
    follower.update(frame(1), False, None)
    assert tracker._tracker.state is before
    assert sorted(follower.finish()) == [1, 2]
    assert follower.gives_masks


def test_masks_of_classes_are_kept_by_number_when_asked_for(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = OmniTracklets(str(weights), hz=25.0)
    tracker.keep_masks()
    monkeypatch.setattr(tracker._tracker, "update", Scripted(8.0, 9.0))
    for index in range(2):
        tracker.update(frame(index), False)
    (tracklet,) = tracker.finish().tracklets
    masks = tracker.masks()
    assert list(masks) == [tracklet.number]
    assert sorted(masks[tracklet.number]) == [0, 1]


def test_a_follower_needs_a_start(weights: Path) -> None:
    with pytest.raises(ShapeError, match="call `start` first"):
        OmniTracklets(str(weights)).box_follower().update(frame(0), False, None)


def test_the_role_tracker_follows_boxes_and_classes_of_a_request(weights: Path) -> None:
    role, choice = parse_role_choice(f"tracker=omnitracker:weights={weights},hz=25")
    pool = ModelPool(Settings(roles={role: choice}))
    request = FollowRequest(Path("a.mp4"), ((1.0, 1.0, 9.0, 9.0),), classes=("cow",))
    made = make_follow_tools(pool, request, masks=True)
    assert isinstance(made.follower, OmniBoxes)
    assert isinstance(made.tracker, protocols.FollowsBoxes)
    assert isinstance(made.tracker, protocols.KeepsMasks)
    assert made.categories is not None
    assert "cow" in made.categories
    assert made.gives_masks
    assert not made.composed
    assert made.detector is None
    assert "tracker" in made.models
