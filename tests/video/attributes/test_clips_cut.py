"""Clips of tracklets: which windows, which pixels, one decode, and what happens when the file is not there."""

from __future__ import annotations

import numpy as np
import pytest
from clip_worlds import ingest, red_box_clip, toolbox
from sqlalchemy import update

from onlooker.errors import ConfigError, MediaError
from onlooker.media.decode import VideoReader
from onlooker.video.attributes.clips import ClipPlan, plan_windows, read_clips, windows_of
from onlooker.video.attributes.registry import Context
from onlooker.video.store import Store, list_videos, schema

SIZE = (320, 240)


def track(times, x=100.0, step=0.0, side=40.0):
    """(N, 6) boxes of one square object whose left edge moves by `step` a box; 10 frames a second."""
    times = np.asarray(times, np.float64)
    left = x + step * np.arange(len(times))
    return np.stack([times, np.round(times * 10), left, 0 * left + 80, left + side, 0 * left + 80 + side], axis=1)


def spans(windows):
    return [(round(w.start_s, 3), round(w.end_s, 3)) for w in windows]


def test_a_short_tracklet_is_one_window_with_frames_evenly_over_it():
    (window,) = windows_of(7, track(np.arange(31) / 10), SIZE, ClipPlan(n_frames=4))
    assert spans([window]) == [(0.0, 3.0)]
    assert window.frames.tolist() == [0, 10, 20, 30]
    assert window.tracklet_id == 7


def test_long_tracklets_are_windows_that_follow_each_other_without_a_hole():
    windows = windows_of(1, track(np.arange(251) / 10), SIZE, ClipPlan(n_frames=4))
    # 25 s are three windows of 8.33 s, on frames.
    assert spans(windows) == [(0.0, 8.4), (8.4, 16.7), (16.7, 25.0)]


def test_windows_grow_when_there_would_be_too_many():
    windows = windows_of(1, track(np.arange(1001) / 10), SIZE, ClipPlan(max_windows=4))
    assert spans(windows) == [(0.0, 25.0), (25.0, 50.0), (50.0, 75.0), (75.0, 100.0)]


def test_no_window_runs_across_an_absence():
    times = np.concatenate([np.arange(21) / 10, 6 + np.arange(11) / 10])
    assert spans(windows_of(1, track(times), SIZE, ClipPlan())) == [(0.0, 2.0), (6.0, 7.0)]


def test_boxes_a_second_apart_are_no_absence_and_one_box_is_no_clip():
    assert spans(windows_of(1, track([0.0, 2.0, 4.0]), SIZE, ClipPlan())) == [(0.0, 4.0)]
    assert windows_of(1, track([3.0]), SIZE, ClipPlan()) == []


def test_more_absences_than_windows_keep_the_longest_in_order_of_time():
    times = np.concatenate([10 * k + np.arange(5 + 5 * (k % 3)) / 10 for k in range(6)])
    kept = windows_of(1, track(times), SIZE, ClipPlan(max_windows=2))
    assert spans(kept) == [(20.0, 21.4), (50.0, 51.4)]


def test_the_square_has_one_size_stays_inside_and_holds_the_object():
    boxes = track(np.arange(31) / 10, x=0.0, step=9.0)  # from the left edge to 310, past the right one
    boxes[:, 4] = np.minimum(boxes[:, 4], SIZE[0])
    (window,) = windows_of(1, boxes, SIZE, ClipPlan(n_frames=8))
    cuts = window.crops_xyxy_px
    assert {tuple(c[2:] - c[:2]) for c in cuts} == {(60, 60)}  # 1.5 times 40
    assert cuts.min() >= 0
    assert (cuts[:, 2] <= SIZE[0]).all()
    rows = [int(np.flatnonzero(boxes[:, 1] == frame)[0]) for frame in window.frames]
    assert (cuts[:, 0] <= boxes[rows, 2]).all()
    assert (cuts[:, 2] >= boxes[rows, 4]).all()


def test_jitter_of_boxes_does_not_shake_the_square():
    boxes = track(np.arange(41) / 10)
    boxes[:, [2, 4]] += np.where(np.arange(41) % 2 == 0, 3, -3)[:, None]
    (window,) = windows_of(1, boxes, SIZE, ClipPlan(n_frames=16))
    assert np.ptp(window.crops_xyxy_px[1:-1, 0]) <= 1


def test_an_object_larger_than_the_frame_gives_the_whole_frame():
    (window,) = windows_of(1, track([0.0, 0.1], x=0.0, side=400.0), SIZE, ClipPlan(n_frames=2))
    assert window.crops_xyxy_px.tolist() == [[0, 0, 320, 240]] * 2


@pytest.mark.parametrize("wrong", [{"n_frames": 1}, {"window_s": 0.0}, {"context": 0.5}, {"max_windows": 0}])
def test_plans_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError, match="clips need"):
        ClipPlan(**wrong)


@pytest.fixture
def world(tmp_path):
    """(store, path of the clip, function that makes a context)."""
    path = red_box_clip(tmp_path / "clip.mp4")
    store = Store.open(tmp_path / "library.onlooker")
    ingest(store, toolbox(), path)

    def context():
        with store.read() as connection:
            return Context(store, list_videos(connection)[0], lambda done, total: None)

    yield store, path, context
    store.close()


def test_clips_show_the_object_on_the_frames_of_their_window(world):
    _, path, context = world
    (clip,) = read_clips(context(), ClipPlan(n_frames=4))
    assert (clip.start_s, round(clip.end_s, 2)) == (0.0, 1.9)
    assert {image.shape for image in clip.images} == {(60, 60, 3)}  # 1.5 times the 40 px of the box
    # The ground says which frame it is: 40 + 2 * index.
    ground = [int(np.median(image[:8].mean(axis=2))) for image in clip.images]
    assert np.allclose(ground, [40, 52, 66, 78], atol=3)
    middle = np.stack([image[25:35, 25:35] for image in clip.images[1:3]]).mean(axis=(0, 1, 2))
    assert middle[0] > 180 > 80 > middle[1]
    assert path.exists()


def test_the_file_is_decoded_once_and_no_further_than_needed(world, monkeypatch):
    store, _, context = world
    seen = []
    plain = VideoReader.__iter__
    monkeypatch.setattr(VideoReader, "__iter__", lambda self: (seen.append(f.index) or f for f in plain(self)))
    with store.write() as connection:  # the object is gone after frame 9
        connection.execute(schema.BOXES.delete().where(schema.BOXES.c.frame > 9))
    assert len(list(read_clips(context()))) == 1
    assert seen == list(range(10))


def test_a_file_that_is_gone_or_another_one_is_told_apart(world, tmp_path):
    _, path, context = world
    held = context()
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(MediaError, match="its content differs"):
        list(read_clips(held))
    path.unlink()
    with pytest.raises(MediaError, match="no longer at"):
        list(read_clips(held))


def test_imported_videos_without_pictures_have_no_clips(world):
    store, path, context = world
    with store.write() as connection:
        connection.execute(update(schema.VIDEOS).values(source="mot", path=str(path.parent / "annotations")))
    assert plan_windows(store, context().video, ClipPlan())
    assert list(read_clips(context())) == []
