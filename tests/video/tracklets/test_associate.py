from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracklet_worlds import detections

from onlooker.errors import ConfigError, ShapeError
from onlooker.types import Detections
from onlooker.video.tracklets import TrackletConfig, associate
from onlooker.video.tracklets.config import MatchConfig, RelinkConfig, SamplingConfig
from onlooker.video.tracklets.matching import clean_detections

SIZE = (640, 480)


def walker(
    x: float, y: float, score: float = 0.9, label: str = "person"
) -> tuple[float, float, float, float, float, str]:
    return (x, y, x + 20, y + 50, score, label)


def times(n: int, fps: float = 10.0) -> list[float]:
    return [i / fps for i in range(n)]


def test_crossing_walkers_keep_their_ids_through_the_crossing():
    frames = [detections([walker(100 + 8 * i, 100), walker(340 - 8 * i, 112)]) for i in range(30)]
    result = associate(frames, times(30), SIZE)
    assert [t.number for t in result.tracklets] == [1, 2]
    first, second = result.tracklets
    assert first.boxes_xyxy_px[:, 0].tolist() == pytest.approx([100 + 8 * i for i in range(30)])
    assert second.boxes_xyxy_px[:, 0].tolist() == pytest.approx([340 - 8 * i for i in range(30)])


def test_missed_object_is_not_dropped_and_its_boxes_are_carried_between():
    seen = [i for i in range(20) if not 8 <= i <= 11]
    frames = [detections([walker(100 + 5 * i, 100)] if i in seen else []) for i in range(20)]
    (only,) = associate(frames, times(20), SIZE).tracklets
    assert only.frames.tolist() == list(range(20))
    assert np.flatnonzero(~only.detected).tolist() == [8, 9, 10, 11]
    # Linear between frame 7 (x = 135) and frame 12 (x = 160).
    assert only.boxes_xyxy_px[8:12, 0].tolist() == pytest.approx([140, 145, 150, 155], abs=1e-3)
    assert only.gaps == ()


def test_longer_absence_becomes_a_gap_with_probability_and_no_boxes_inside():
    frames = [detections([walker(100, 100)] if i < 20 or i >= 32 else []) for i in range(60)]
    (only,) = associate(frames, times(60), SIZE).tracklets
    (gap,) = only.gaps
    assert (gap.start_s, gap.end_s, gap.kind) == (pytest.approx(1.9), pytest.approx(3.2), "occlusion")
    assert 0.5 <= gap.probability < 1
    assert not set(only.frames.tolist()) & set(range(20, 32))


def test_unlikely_return_is_a_link_or_nothing_but_never_joined():
    frames = [detections([walker(100, 100)] if i < 20 else [walker(500, 300)] if i >= 32 else []) for i in range(60)]
    result = associate(frames, times(60), SIZE)
    assert len(result.tracklets) == 2
    assert all(link.probability < RelinkConfig().join_probability for link in result.links)


def test_lower_bar_turns_a_certain_join_into_a_link():
    frames = [detections([walker(100, 100)] if i < 20 or i >= 32 else []) for i in range(60)]
    config = TrackletConfig(relink=RelinkConfig(join_probability=0.999))
    result = associate(frames, times(60), SIZE, config)
    assert len(result.tracklets) == 2
    assert [(link.first, link.second) for link in result.links] == [(1, 2)]


def test_category_is_the_score_weighted_vote_when_labels_flip():
    labels = ["car", "truck", "car", "truck", "car", "truck"]
    scores = [0.9, 0.5, 0.9, 0.5, 0.9, 0.6]
    frames = [detections([walker(100, 100, s, name)]) for s, name in zip(scores, labels, strict=True)]
    (only,) = associate(frames, times(6), SIZE).tracklets
    assert only.category == "car"
    assert only.category_score == pytest.approx(2.7 / 4.3 * np.mean(scores), abs=1e-5)


def test_two_labels_of_one_object_become_one_candidate_with_both_votes():
    found = detections([(0, 0, 100, 100, 0.6, "horse"), (2, 0, 100, 100, 0.7, "cow")])
    candidates = clean_detections(found, MatchConfig())
    assert candidates.labels == ("cow",)
    assert candidates.votes[0] == pytest.approx({"cow": 0.7, "horse": 0.6})


def test_short_weak_false_positive_is_not_reported():
    frames = [detections([walker(100, 100)] + ([walker(400, 300, 0.55)] if i in (7, 8) else [])) for i in range(20)]
    assert len(associate(frames, times(20), SIZE).tracklets) == 1


def test_single_frame_reports_what_could_start_a_track():
    found = detections([walker(200, 100, 0.6), walker(100, 100, 0.9), walker(400, 100, 0.3)])
    result = associate([found], [0.0], SIZE)
    assert [float(t.boxes_xyxy_px[0, 0]) for t in result.tracklets] == [100, 200]


@pytest.mark.parametrize("n_frames", [0, 1, 5])
def test_nothing_detected_gives_no_tracklets(n_frames: int):
    result = associate([Detections.empty()] * n_frames, times(n_frames), SIZE)
    assert result.tracklets == ()
    assert result.links == ()


def test_one_pixel_object_and_broken_boxes_do_not_upset():
    broken = [(np.nan, 0, 5, 5, 0.9, "a"), (50, 50, 50, 80, 0.9, "a"), (90, 90, 80, 80, 0.9, "a")]
    frames = [detections([(10, 10, 11, 11, 0.9, "bird"), *broken]) for _ in range(5)]
    (only,) = associate(frames, times(5), SIZE).tracklets
    assert only.category == "bird"
    assert only.boxes_xyxy_px.tolist() == [[10, 10, 11, 11]] * 5


def test_variable_rate_does_not_break_a_steady_walker():
    clock = np.cumsum([0.0] + [0.03, 0.3, 0.05, 0.2] * 6).tolist()
    frames = [detections([walker(100 + 100 * t, 100)]) for t in clock]
    assert len(associate(frames, clock, SIZE).tracklets) == 1


def test_object_that_speeds_up_until_its_boxes_no_longer_overlap_stays_one_track():
    steps = np.minimum(6 + 3 * np.arange(20), 26)
    frames = [detections([walker(20 + float(x), 100)]) for x in np.cumsum(steps)]
    assert len(associate(frames, times(20), SIZE).tracklets) == 1


def test_hidden_object_does_not_take_over_its_neighbour():
    frames = []
    for i in range(30):
        front, back = walker(200, 100), walker(188, 100)
        frames.append(detections([front] if 10 <= i < 14 else [front, back]))
    result = associate(frames, times(30), SIZE)
    assert len(result.tracklets) == 2
    assert {float(np.ptp(t.boxes_xyxy_px[:, 0])) for t in result.tracklets} == {0.0}


def test_numbers_follow_first_appearance_then_left_edge():
    frames = [
        detections([walker(300, 100), walker(100, 100)] + ([walker(200, 100)] if i >= 3 else [])) for i in range(10)
    ]
    result = associate(frames, times(10), SIZE)
    assert [float(t.boxes_xyxy_px[0, 0]) for t in result.tracklets] == [100, 300, 200]


boxes = st.tuples(
    st.integers(0, 300),
    st.integers(0, 200),
    st.integers(5, 80),
    st.integers(5, 80),
    st.sampled_from([0.2, 0.5, 0.5, 0.9]),
    st.sampled_from(["person", "car"]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(boxes, max_size=6), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_order_of_detections_does_not_matter(rows, random):
    straight = [detections([(x, y, x + w, y + h, s, name) for x, y, w, h, s, name in frame]) for frame in rows]
    shuffled = [d.select(random.sample(range(len(d)), len(d))) for d in straight]
    a, b = (associate(d, times(len(rows)), SIZE) for d in (straight, shuffled))
    assert len(a.tracklets) == len(b.tracklets)
    for one, other in zip(a.tracklets, b.tracklets, strict=True):
        assert one.category == other.category
        assert one.frames.tolist() == other.frames.tolist()
        assert one.boxes_xyxy_px.tolist() == other.boxes_xyxy_px.tolist()
    assert a.links == b.links


def test_hundreds_of_objects_do_not_take_seconds_per_frame():
    grid = [(float(x), float(y)) for x in range(0, 640, 32) for y in range(0, 480, 32)]
    frames = [detections([(x + i, y, x + i + 20, y + 20, 0.9, "bird") for x, y in grid]) for i in range(10)]
    start = time.process_time()
    result = associate(frames, times(10), (700, 480))
    assert time.process_time() - start < 3.0
    assert len(result.tracklets) == len(grid) == 300


def test_a_burst_of_doubles_within_a_moment_is_less_evidence_than_the_same_spread_out():
    def tracklets(fps: float) -> int:
        frames = [detections([walker(400, 300, 0.55)] if 10 <= i < 14 else []) for i in range(40)]
        return len(associate(frames, times(40, fps), SIZE).tracklets)

    assert (tracklets(100.0), tracklets(5.0)) == (0, 1)


def test_wrong_lengths_and_times_are_named():
    with pytest.raises(ShapeError, match="2 times for 1 frames"):
        associate([Detections.empty()], [0.0, 1.0], SIZE)
    with pytest.raises(ShapeError, match="increase"):
        associate([Detections.empty()] * 2, [0.0, 0.0], SIZE)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="detector_hz"):
        SamplingConfig(detector_hz=0)
    with pytest.raises(ConfigError, match="minimum_hz"):
        SamplingConfig(detector_hz=1.0, minimum_hz=2.0)
    with pytest.raises(ConfigError, match="low <= high"):
        MatchConfig(low_score=0.9)
    faster = TrackletConfig().at_detector_hz(9.0)
    assert (faster.sampling.detector_hz, faster.sampling.minimum_hz) == (9.0, pytest.approx(3.0))
    assert replace(faster, sampling=SamplingConfig()) == TrackletConfig()
