"""A pointed thing told by tracklets; every number worked out by hand."""

import numpy as np
import pytest

from onlooker.types import TrackingResult, Tracklet
from onlooker.video.following.compose import with_tracklets
from onlooker.video.following.overlap import paired_overlap, shared_frames
from onlooker.video.following.tracks import class_tracks, with_twins
from onlooker.video.following.values import FollowedTrack

BOX, NEAR, FAR = (10, 10, 30, 30), (12, 10, 32, 30), (80, 80, 100, 100)  # BOX and NEAR overlap by 360 / 440


def pointed(boxes):
    """A followed box, 0.1 s a frame; `None` where it was not seen."""
    seen = np.array([box is not None for box in boxes])
    rows = np.array([box or (0, 0, 0, 0) for box in boxes], np.float32)
    n = len(boxes)
    return FollowedTrack(
        1, "box", None, np.arange(n), np.arange(n) * 0.1, rows, seen, seen.copy(), seen.astype(np.float32) * 0.5
    )


def tracklet(first, boxes, category="dog", score=0.9):
    n = len(boxes)
    frames = np.arange(first, first + n)
    return Tracklet(
        number=7,
        category=category,
        category_score=1.0,
        frames=frames,
        times_s=frames * 0.1,
        boxes_xyxy_px=np.array(boxes, np.float32),
        scores=np.full(n, score, np.float32),
        detected=np.arange(n) % 2 == 0,
    )


def test_a_tracklet_that_begins_as_the_thing_tells_it_on_its_frames_and_the_follower_after_it():
    told = with_tracklets(pointed([BOX] * 10), [tracklet(2, [NEAR] * 4)])
    assert told.boxes_xyxy_px.tolist() == [list(map(float, NEAR if 2 <= k < 6 else BOX)) for k in range(10)]
    assert told.seen.all()
    assert told.label == "dog"
    assert told.scores == pytest.approx([0.9 if 2 <= k < 6 else 0.5 for k in range(10)])
    assert told.measured.tolist() == [True, True, True, False, True, False, True, True, True, True]


def test_a_tracklet_somewhere_else_changes_nothing():
    before = pointed([BOX] * 5)
    told = with_tracklets(before, [tracklet(0, [FAR] * 5)])
    assert (told.boxes_xyxy_px == before.boxes_xyxy_px).all()
    assert told.label is None


def test_a_tracklet_that_begins_too_late_is_of_something_else():
    assert with_tracklets(pointed([BOX] * 20), [tracklet(10, [NEAR] * 5)]).label is None


def test_a_follower_that_left_its_tracklet_is_not_believed_after_it():
    told = with_tracklets(pointed([BOX] * 3 + [FAR] * 9), [tracklet(0, [BOX] * 8)])
    assert told.seen.tolist() == [True] * 8 + [False] * 4
    assert (told.boxes_xyxy_px[:8] == np.array(BOX)).all()
    assert (told.boxes_xyxy_px[8:] == 0).all()


def test_the_follower_fills_the_gap_between_two_tracklets_of_one_name():
    pieces = [tracklet(0, [NEAR] * 4), tracklet(8, [NEAR] * 4), tracklet(8, [BOX] * 4, category="person")]
    told = with_tracklets(pointed([BOX] * 12), pieces)
    assert told.boxes_xyxy_px[:, 0].tolist() == [12.0] * 4 + [10.0] * 4 + [12.0] * 4


def test_a_tracklet_tells_a_thing_that_the_follower_lost():
    told = with_tracklets(pointed([BOX] * 4 + [None] * 6), [tracklet(0, [BOX] * 10)])
    assert told.seen.all()


def test_frames_are_matched_by_index_and_boxes_row_by_row():
    mine, theirs = shared_frames(np.array([2, 3, 5, 9]), np.array([3, 4, 9]))
    assert (mine.tolist(), theirs.tolist()) == ([1, 3], [0, 2])
    found = paired_overlap(np.array([BOX, BOX, (0, 0, 0, 0)]), np.array([NEAR, FAR, (0, 0, 0, 0)]))
    assert found == pytest.approx([360 / 440, 0, 0])


def test_one_thing_found_as_two_tracklets_names_both():
    given = pointed([BOX] * 10)
    early, late, other = tracklet(0, [NEAR] * 3), tracklet(6, [NEAR] * 4), tracklet(0, [FAR] * 10)
    found = class_tracks(TrackingResult((early, late, other), (), {}, 0), {}, ("dog",), first_number=2)
    tracks = with_twins([given], found)
    assert [(track.number, track.same_as) for track in tracks] == [(1, (2, 3)), (2, (1,)), (3, (1,)), (4, ())]
