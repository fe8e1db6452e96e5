"""Geometry against numbers worked out by hand, and against the definitions of the ground-truth question files."""

from __future__ import annotations

import csv
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onlooker.errors import ShapeError
from onlooker.types import Gap, Shot, Tracklet
from onlooker.video.attributes.geometry import Scene, direction_of, smoothed, tracklet_geometry
from onlooker.video.attributes.relations import pair_geometry, peaks_of

COMPOSITES = Path(__file__).parents[3] / "../shared/data/davis-composites"
FPS = 10.0


def tracklet(boxes, first=0, number=1, category="car", gaps=(), frames=None, fps=FPS, scores=None):
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    frames = np.arange(first, first + len(boxes)) if frames is None else np.asarray(frames)
    return Tracklet(
        number,
        category,
        0.9,
        frames.astype(np.int64),
        frames / fps,
        boxes.astype(np.float32),
        np.ones(len(boxes), np.float32) if scores is None else np.asarray(scores, np.float32),
        np.ones(len(boxes), bool),
        tuple(gaps),
    )


def moving(start, step, n, size=(40, 20)):
    """n boxes of `size` whose centre goes from `start` by `step` each frame."""
    centres = np.asarray(start, float) + np.arange(n)[:, None] * np.asarray(step, float)
    half = np.asarray(size, float) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def scene(first=0, last=99, shots=(), size=(640, 480)):
    return Scene(*size, 1 / FPS, first, last, tuple(shots))


def test_columns_of_a_straight_path_are_the_hand_worked_numbers():
    # 3-4-5 triangle: 11 boxes, each step (6, 8) px -> 10 px a step, 100 px path, 1.0 s between first and last box.
    g = tracklet_geometry(tracklet(moving((100, 100), (6, 8), 11), first=20), scene())
    assert (g.path_px, g.net_px, g.dx_px, g.dy_px) == pytest.approx((100, 100, 60, 80))
    assert g.speed_px_s == pytest.approx(100)
    assert g.speed_rel_s == pytest.approx(100 / 800)  # the diagonal of 640x480 is 800
    assert (g.t_start, g.t_end, g.visible_s, g.n_boxes) == pytest.approx((2.0, 3.0, 1.1, 11))
    assert (g.direction, g.stationary, g.approach) == ("down-right", 0, "steady")
    assert g.area_rel == pytest.approx(800 / 307200)
    assert (g.size, g.enters_from, g.leaves_to) == ("small", "inside", "inside")


def test_speed_leaves_gaps_out_of_the_time_but_not_of_the_path():
    # Boxes on frames 0, 1, 11: path 10 + 90 px, (3 - 1) intervals of 0.1 s.
    boxes = np.concatenate([moving((100, 100), (10, 0), 2), moving((200, 100), (0, 0), 1)])
    g = tracklet_geometry(tracklet(boxes, frames=[0, 1, 11], gaps=[Gap(0.1, 1.1, "occlusion", 0.8)]), scene())
    assert g.speed_px_s == pytest.approx(500)
    assert g.visible_s == pytest.approx(0.3)
    assert (g.n_gaps, g.identity) == (1, 0.8)
    assert "Out of sight from 0.1 s to 1.1 s." in g.motion


def test_one_box_has_no_speed_and_no_direction():
    g = tracklet_geometry(tracklet([[10, 10, 50, 50]], first=5), scene())
    assert (g.speed_px_s, g.path_px, g.direction, g.stationary, g.approach) == (0, 0, "none", 1, None)
    assert g.visible_s == pytest.approx(0.1)


def test_identity_is_the_product_of_gap_probabilities():
    gaps = [Gap(0.1, 0.2, "occlusion", 0.5), Gap(0.3, 0.4, "shot", 0.4)]
    g = tracklet_geometry(tracklet(moving((100, 100), (0, 0), 9), gaps=gaps), scene())
    assert g.identity == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("angle_deg", "name"),
    [
        (0, "right"),
        (44, "down-right"),
        (22, "right"),
        (23, "down-right"),
        (90, "down"),
        (180, "left"),
        (-180, "left"),
        (-135, "up-left"),
        (-90, "up"),
        (-45, "up-right"),
        (135, "down-left"),
    ],
)
def test_direction_names_the_sector_with_y_downwards(angle_deg, name):
    angle = math.radians(angle_deg)
    assert direction_of(100 * math.cos(angle), 100 * math.sin(angle), 5) == name


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(20, 200), n=st.integers(2, 80))
def test_detector_jitter_never_reads_as_motion(seed, size, n):
    # 4 % of the box per edge and frame is what a detector on a parked car gives.
    noise = np.random.default_rng(seed).normal(0, 0.04 * size, (n, 4))
    boxes = moving((300, 200), (0, 0), n, (size, size)) + np.clip(noise, -0.08 * size, 0.08 * size)
    g = tracklet_geometry(tracklet(boxes), scene())
    assert (g.stationary, g.direction) == (1, "none")
    assert g.path_px >= g.net_px


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(20, 120))
def test_a_slow_walk_under_jitter_is_motion_with_the_right_direction(seed, size):
    noise = np.random.default_rng(seed).normal(0, 0.03 * size, (60, 4))
    boxes = moving((500, 200), (-0.02 * size, 0), 60, (size, size)) + np.clip(noise, -0.06 * size, 0.06 * size)
    g = tracklet_geometry(tracklet(boxes), scene())
    assert (g.stationary, g.direction) == (0, "left")


def test_there_and_back_is_moving_without_a_direction():
    out = moving((100, 200), (5, 0), 31)
    g = tracklet_geometry(tracklet(np.concatenate([out, out[-2::-1]])), scene())
    assert (g.stationary, g.direction) == (0, "none")
    assert "moves right at 50 px/s until" in g.motion
    assert "then moves left at 50 px/s" in g.motion


def test_entry_and_exit_edges():
    across = moving((15, 240), (20, 0), 32)
    g = tracklet_geometry(tracklet(across, first=10), scene())
    assert (g.enters_from, g.leaves_to, g.direction) == ("left", "right", "right")
    g = tracklet_geometry(tracklet(moving((300, 5), (0, 15), 32), first=10), scene())
    assert (g.enters_from, g.leaves_to) == ("top", "bottom")


def test_a_person_cut_by_the_bottom_edge_still_enters_from_the_left():
    boxes = np.array([[0, 200, 10 + 12 * i, 480] if i < 8 else [12 * i - 86, 200, 10 + 12 * i, 480] for i in range(30)])
    g = tracklet_geometry(tracklet(boxes, first=10), scene())
    assert g.enters_from == "left"


def test_a_late_detection_near_the_edge_counts_as_entering():
    g = tracklet_geometry(tracklet(moving((50, 240), (15, 0), 20), first=10), scene())  # 30 px from the left edge
    assert g.enters_from == "left"
    slow = tracklet_geometry(tracklet(moving((300, 240), (4, 0), 20), first=10), scene())
    assert slow.enters_from == "inside"


def test_present_on_first_and_last_frame_is_start_and_end_even_at_an_edge():
    g = tracklet_geometry(tracklet(moving((15, 240), (6, 0), 100)), scene())
    assert (g.enters_from, g.leaves_to) == ("start", "end")


def test_a_cut_is_not_an_entrance():
    shots = [Shot(0.0, 2.0), Shot(2.0, 10.0)]
    after = tracklet_geometry(tracklet(moving((15, 240), (20, 0), 20), first=20), scene(shots=shots))
    before = tracklet_geometry(tracklet(moving((425, 240), (10, 0), 20)), scene(shots=shots))
    assert after.enters_from == "inside"
    assert before.leaves_to == "inside"


def growing(ratio, n=30):
    side = 60 * np.sqrt(ratio) ** np.linspace(0, 1, n)
    return np.stack([320 - side / 2, 240 - side / 2, 320 + side / 2, 240 + side / 2], axis=1)


@pytest.mark.parametrize(
    ("ratio", "word"), [(4.0, "approaching"), (0.25, "receding"), (1.2, "steady"), (1 / 1.2, "steady")]
)
def test_approach_follows_the_area(ratio, word):
    g = tracklet_geometry(tracklet(growing(ratio)), scene())
    assert g.approach == word
    assert g.stationary == (word == "steady")


def test_one_wild_box_does_not_make_an_approach():
    boxes = growing(1.0)
    boxes[-1] = [100, 50, 600, 470]
    assert tracklet_geometry(tracklet(boxes), scene()).approach == "steady"


def test_growing_out_of_the_frame_edge_is_not_approaching():
    # A bus drives in from the left at constant size: its visible width grows, its height does not.
    boxes = np.array([[max(0, 20 * i - 400), 200, 20 * i + 10, 300] for i in range(18)])
    assert tracklet_geometry(tracklet(boxes, first=5), scene()).approach == "steady"


def test_place_is_where_most_of_the_time_is_spent():
    boxes = np.concatenate([moving((50, 50), (0, 0), 4), moving((320, 240), (0, 0), 6), moving((600, 470), (0, 0), 5)])
    assert tracklet_geometry(tracklet(boxes), scene()).place == "centre"
    assert tracklet_geometry(tracklet(boxes[:5]), scene()).place == "top left"
    outside = tracklet_geometry(tracklet(moving((700, 500), (0, 0), 3)), scene())
    assert outside.place == "bottom right"


def test_size_thresholds():
    def size(side):
        return tracklet_geometry(tracklet(moving((320, 240), (0, 0), 3, (side, side))), scene()).size

    assert [size(s) for s in (55, 56, 175, 176)] == ["small", "medium", "medium", "large"]


def test_best_view_avoids_boxes_cut_by_the_edge():
    boxes = np.array([[0, 100, 80, 200], [50, 100, 130, 190], [200, 100, 270, 180]], float)
    assert tracklet_geometry(tracklet(boxes), scene()).best_t == pytest.approx(0.1)


def test_exact_boxes_are_used_to_the_last_bit_and_checked():
    exact = moving((100.123456789, 7.000000001), (0.1, 0.3), 5)
    g = tracklet_geometry(tracklet(exact), scene(), exact)
    assert g.dx_px == pytest.approx(0.4, abs=1e-12)
    with pytest.raises(ShapeError, match=r"expected exact boxes \(5, 4\) for tracklet 1, got \(4, 4\)"):
        tracklet_geometry(tracklet(exact), scene(), exact[:4])


def test_motion_text_tells_the_story_with_times():
    boxes = np.concatenate([moving((15, 240), (8, 0), 30), moving((255, 240), (0, 0), 31)])
    g = tracklet_geometry(tracklet(boxes, first=12), scene())
    assert g.motion == (
        "enters from the left at 1.2 s, moves right at 80 px/s until 4.2 s, then stands still, is last seen at 7.2 s."
    )


def test_motion_text_stays_short_for_a_restless_object():
    rng = np.random.default_rng(0)
    boxes = moving((320, 240), (0, 0), 2000) + np.repeat(np.cumsum(rng.normal(0, 15, (2000, 2)), 0), 2, 0).reshape(
        2000, 4
    )
    assert len(tracklet_geometry(tracklet(boxes), scene()).motion) < 600


def test_smoothing_keeps_a_straight_line_straight():
    line = np.stack([np.arange(20.0), 2 * np.arange(20.0)], axis=1)
    np.testing.assert_allclose(smoothed(line, 7), line)


def test_frame_size_and_interval_are_checked():
    with pytest.raises(ShapeError, match="above 0, got 640x480, 0"):
        Scene(640, 480, 0, 0, 1)


def test_pair_columns_are_the_hand_worked_numbers():
    a = tracklet(moving((100, 100), (0, 0), 5, (20, 20)), first=0, number=1)
    # On frames 2..6 the other comes: centres 160, 140, 120, (frames 2, 3, 4), then 100, 80 when a is gone.
    b = tracklet(moving((160, 100), (-20, 0), 5, (20, 20)), first=2, number=2)
    far = tracklet(moving((100, 100), (0, 0), 3), first=50, number=3)
    pairs = pair_geometry([a, b, far], [t.boxes_xyxy_px.astype(float) for t in (a, b, far)], 0.1)
    assert len(pairs) == 1
    p = pairs[0]
    assert (p.first, p.second) == (0, 1)
    assert (p.together_s, p.first_t, p.last_t) == pytest.approx((0.3, 0.2, 0.4))
    assert (p.min_distance_px, p.min_distance_t, p.min_gap_px) == pytest.approx((20, 0.4, 0))
    assert (p.overlap_s, p.overlap_t, p.max_iou) == (0, None, 0)  # touching edges share no area


def test_overlap_of_a_pair():
    a = tracklet([[0, 0, 10, 10]] * 3)
    b = tracklet([[30, 40, 40, 50], [5, 0, 15, 10], [5, 0, 15, 10]], number=2)
    (p,) = pair_geometry([a, b], [t.boxes_xyxy_px.astype(float) for t in (a, b)], 0.1)
    assert p.max_iou == pytest.approx(50 / 150)
    assert (p.overlap_s, p.overlap_t) == pytest.approx((0.2, 0.1))
    assert p.min_distance_px == pytest.approx(5)
    only_first = pair_geometry(
        [a, tracklet([[34, 50, 44, 60]])], [a.boxes_xyxy_px, np.array([[34.0, 50, 44, 60]])], 0.1
    )
    assert only_first[0].min_gap_px == pytest.approx(math.hypot(24, 40))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 7))
def test_pairs_agree_with_a_plain_loop(seed, count):
    rng = np.random.default_rng(seed)
    tracklets = []
    for number in range(count):
        frames = np.sort(rng.choice(12, rng.integers(1, 8), replace=False))
        corner = rng.integers(0, 30, (len(frames), 2))
        boxes = np.concatenate([corner, corner + rng.integers(1, 25, (len(frames), 2))], 1)
        tracklets.append(tracklet(boxes, frames=frames, number=number + 1))
    found = {
        (p.first, p.second): p
        for p in pair_geometry(tracklets, [t.boxes_xyxy_px.astype(float) for t in tracklets], 0.1)
    }
    for i in range(count):
        for j in range(i + 1, count):
            a, b = tracklets[i], tracklets[j]
            common = sorted(set(a.frames.tolist()) & set(b.frames.tolist()))
            assert ((i, j) in found) == bool(common)
            if not common:
                continue
            distances, overlaps = [], []
            for f in common:
                p, q = a.boxes_xyxy_px[a.frames == f][0], b.boxes_xyxy_px[b.frames == f][0]
                distances.append(math.dist((p[:2] + p[2:]) / 2, (q[:2] + q[2:]) / 2))
                overlaps.append(min(p[2], q[2]) > max(p[0], q[0]) and min(p[3], q[3]) > max(p[1], q[1]))
            row = found[i, j]
            assert row.together_s == pytest.approx(len(common) * 0.1)
            assert row.overlap_s == pytest.approx(sum(overlaps) * 0.1)
            assert row.min_distance_px == pytest.approx(min(distances))
            assert row.min_distance_t == pytest.approx(common[distances.index(min(distances))] / FPS)
            assert row.overlap_t == (pytest.approx(common[overlaps.index(True)] / FPS) if any(overlaps) else None)


def test_peaks_count_tracklets_on_one_frame():
    cars = [tracklet([[0, 0, 9, 9]] * 3, first=f, number=f + 1) for f in (0, 2, 2)]
    dog = tracklet([[0, 0, 9, 9]] * 2, first=9, number=9, category="dog")
    peaks = {p.category: p for p in peaks_of([*cars, dog])}
    assert (peaks["car"].n_tracklets, peaks["car"].peak, peaks["car"].peak_t) == (3, 3, pytest.approx(0.2))
    assert (peaks["dog"].peak, peaks["dog"].peak_t) == (1, pytest.approx(0.9))
    assert (peaks[""].n_tracklets, peaks[""].peak) == (4, 3)
    assert peaks_of([]) == []


@pytest.mark.shared_data
@pytest.mark.skipif(not COMPOSITES.is_dir(), reason="needs the ground truth folder ../shared/data")
def test_speed_and_duration_follow_the_oracle_definitions():
    fps = 24.0
    for clip in ("comp-00", "comp-03"):
        rows: dict[int, list[tuple[float, ...]]] = {}
        for r in csv.reader((COMPOSITES / clip / "gt/gt.txt").read_text().splitlines()):
            if float(r[6]) != 0:
                x, y, w, h = map(float, r[2:6])
                rows.setdefault(int(r[1]), []).append((int(r[0]), x, y, x + w, y + h))
        assert json.loads((COMPOSITES / clip / "tracks.json").read_text())["categories"].keys() == {
            str(k) for k in rows
        }
        for boxes in rows.values():
            boxes.sort()
            data = np.array(boxes)
            centres = [((b[1] + b[3]) / 2, (b[2] + b[4]) / 2) for b in boxes]
            path = sum(math.dist(p, q) for p, q in itertools.pairwise(centres))
            mine = tracklet(data[:, 1:], frames=data[:, 0] - 1, fps=fps)
            g = tracklet_geometry(mine, Scene(854, 480, 1 / fps, 0, 100), data[:, 1:])
            assert g.speed_px_s == pytest.approx(path / max((len(boxes) - 1) / fps, 1e-9), rel=1e-12)
            assert g.visible_s == pytest.approx(len(boxes) / fps)
