"""What is read from the store for people to look at."""

from __future__ import annotations

import numpy as np
import pytest

from onlooker.errors import LibraryError
from onlooker.video.report.data import Stretch, load_video, split_stretches, thin


def _load(scene):
    with scene.store.read() as connection:
        return load_video(connection, scene.video_id)


def test_all_that_is_shown_of_a_video_is_read(scene):
    data = _load(scene)
    assert [one.title for one in data.tracklets] == ["1 person", "2 car"]
    assert data.interval_s == pytest.approx(0.1)
    assert [(s.start_s, s.end_s) for s in data.shots] == [(0.0, 1.5), (1.5, 3.0)]
    assert data.speech[0].text == "hello there"
    assert data.screen_text[0].box_xyxy_px == (1.0, 2.0, 30.0, 12.0)
    assert data.sounds[0].level_db == -40.0
    assert data.tracklets[0].crop is not None
    assert data.tracklets[1].crop is None
    assert len(data.keyframes) == 1


def test_no_box_is_made_up_inside_a_gap(scene):
    car = _load(scene).tracklets[1]
    assert [(round(s.start_s, 3), round(s.end_s, 3)) for s in car.stretches] == [(0.0, 0.9), (1.5, 2.9)]
    assert car.box_at(1.2, slack_s=0.05) is None
    assert car.box_at(0.5, slack_s=0.05) == (100.0, 80.0, 150.0, 110.0)


def test_a_box_between_two_frames_lies_between_their_boxes(scene):
    person = _load(scene).tracklets[0]
    # Frame 10 has its left edge at 40, frame 11 at 43.
    assert person.box_at(1.05, slack_s=0.05) == pytest.approx((41.5, 20.0, 61.5, 60.0))
    assert person.box_at(3.5, slack_s=0.05) is None


def test_frames_that_were_not_looked_at_do_not_cut_a_tracklet():
    times = np.array([0.0, 0.5, 1.0])
    boxes = np.zeros((3, 4))
    assert len(split_stretches(times, boxes, np.array([0.0, 0.5, 1.0]))) == 1
    assert len(split_stretches(times, boxes, np.array([0.0, 0.25, 0.5, 1.0]))) == 2


def test_thinning_keeps_corners_and_drops_straight_lines():
    times = np.arange(5.0)
    left = np.array([0.0, 1.0, 2.0, 8.0, 14.0])
    boxes = np.stack([left, left, left + 10, left + 10], axis=1)
    kept = thin(Stretch(times, boxes), tolerance_px=0.5)
    assert kept.times_s.tolist() == [0.0, 2.0, 4.0]


def test_thinned_boxes_stay_within_the_tolerance():
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.02, 0.1, 300))
    boxes = np.cumsum(rng.normal(0, 3, (300, 4)), axis=0)
    kept = thin(Stretch(times, boxes), tolerance_px=2.0)
    again = np.stack([np.interp(times, kept.times_s, kept.boxes_xyxy_px[:, edge]) for edge in range(4)], axis=1)
    assert np.abs(again - boxes).max() <= 2.0
    assert len(kept.times_s) < 300


def test_unknown_video_is_refused(scene):
    with scene.store.read() as connection, pytest.raises(LibraryError):
        load_video(connection, scene.video_id + 1)
