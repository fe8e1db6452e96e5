"""Tracks get the numbers people would use for them, and answers are judged as the sheet says."""

import numpy as np
import pytest

from asked_tracks import is_right, numbered_like, tracking_to_rows, write_sequence
from degraded_tracks import Rows, Scene
from onlooker.types import TrackingResult
from onlooker.video.exchange.mot_read import read_mot


def rows(*entries: tuple[int, int, float]) -> Rows:
    """Rows of (frame, id, x): boxes of 10x10 at (x, 0)."""
    frames, ids, x = (np.array(values) for values in zip(*entries, strict=True))
    low = np.stack([x, np.zeros(len(x))], axis=1).astype(float)
    return Rows(frames, ids, np.concatenate([low, low + 10], axis=1), np.repeat("car", len(x)))


def test_the_longer_of_two_pieces_keeps_the_objects_number() -> None:
    truth = rows((0, 7, 0), (1, 7, 0), (2, 7, 0))
    named = numbered_like(truth, rows((0, 1, 0), (1, 2, 1), (2, 2, 1)))
    assert named.ids.tolist()[1:] == [7, 7]
    assert named.ids[0] > 7


def test_a_track_of_nothing_never_gets_a_true_number() -> None:
    truth = rows((0, 1, 0), (0, 2, 50))
    named = numbered_like(truth, rows((0, 1, 50), (0, 2, 200)))
    assert named.ids[0] == 2
    assert named.ids[1] not in (1, 2)


def test_overlap_below_one_half_is_no_pair() -> None:
    # 10 wide and moved by 4: 6 / 14 is below one half; moved by 3 it is 7 / 13.
    truth = rows((0, 1, 0))
    assert numbered_like(truth, rows((0, 9, 4))).ids[0] != 1
    assert numbered_like(truth, rows((0, 9, 3))).ids[0] == 1


@pytest.mark.parametrize(("moved", "right"), [(0.0, True), (3.0, True), (4.0, False)])
def test_a_box_is_right_when_it_overlaps_by_one_half(moved: float, right: bool) -> None:
    item = {"type": "trajectory", "answer": [0.0, 0.0, 10.0, 10.0], "tolerance": 0}
    assert is_right(item, [moved, 0.0, 10.0 + moved, 10.0]) is right


def test_no_box_is_no_answer_to_where_something_was() -> None:
    item = {"type": "trajectory", "answer": [0.0, 0.0, 10.0, 10.0], "tolerance": 0}
    assert not is_right(item, None)
    assert not is_right(item, [1, 2])


def test_other_answers_keep_their_tolerance() -> None:
    item = {"type": "temporal", "answer": 2.0, "tolerance": 0.5}
    assert is_right(item, 2.5)
    assert not is_right(item, 2.6)


def test_a_written_clip_is_read_back_as_it_was(tmp_path) -> None:
    tracks = rows((0, 3, 0.25), (1, 3, 1.5), (1, 8, 50))
    made = write_sequence(Scene("pack/clip", tracks, 4, 12.5, (320, 200)), tracks, tmp_path / "clip")
    notes: list[str] = []
    video = read_mot(made, None, notes)
    assert notes == []
    assert (video.name, video.info.n_frames, video.info.fps, video.info.width) == ("clip", 4, 12.5, 320)
    assert [(t.number, t.category, t.frames.tolist()) for t in video.tracks] == [(3, "car", [0, 1]), (8, "car", [1])]
    assert video.tracks[0].boxes_xyxy_px.tolist() == [[0.25, 0, 10.25, 10], [1.5, 0, 11.5, 10]]


def test_a_tracker_that_found_nothing_gives_no_rows() -> None:
    assert len(tracking_to_rows(TrackingResult((), (), {}, 0))) == 0
