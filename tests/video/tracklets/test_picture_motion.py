from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.ndimage import zoom as resample

from onlooker.video.tracklets.adaptive import DetectorSchedule, changed_share
from onlooker.video.tracklets.camera import STILL, camera_motion
from onlooker.video.tracklets.carry import carried_motion, smooth
from onlooker.video.tracklets.config import SamplingConfig


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(resample(rng.random((height // 4, width // 4)), 4, order=3) * 255, 0, 255).astype(np.uint8)


BIG = texture(200, 300)


def view(dx: int, dy: int) -> np.ndarray:
    """A camera of 160 x 90 that moved by (-dx, -dy), so that the world moves by (dx, dy)."""
    return BIG[50 - dy : 140 - dy, 60 - dx : 220 - dx]


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, -2), (-9, 6), (12, 0)])
def test_camera_shift_is_found(dx: int, dy: int):
    motion = camera_motion(view(0, 0), view(dx, dy))
    assert motion.shift_px == pytest.approx((dx, dy), abs=0.4)
    assert motion.share > 0.6


def test_moving_object_does_not_count_as_camera():
    after = view(2, 1).copy()
    after[20:70, 20:80] = texture(52, 60, seed=5)[:50, :60]
    assert camera_motion(view(0, 0), after).shift_px == pytest.approx((2, 1), abs=0.5)


def test_zoom_moves_points_away_from_the_centre():
    large = resample(BIG.astype(float), 1.04, order=1)
    inner = large[104 - 45 : 104 + 45, 156 - 80 : 156 + 80].clip(0, 255).astype(np.uint8)
    motion = camera_motion(BIG[55:145, 70:230], inner)
    left, right = motion.at(np.array([[10.0, 45.0], [150.0, 45.0]]), (160, 90))
    assert left[0] == pytest.approx(-2.8, abs=0.8)
    assert right[0] == pytest.approx(2.8, abs=0.8)


@pytest.mark.parametrize("shape", [(90, 160), (1, 1), (20, 200)])
def test_black_or_tiny_pictures_have_no_camera_motion(shape: tuple[int, int]):
    black = np.zeros(shape, np.uint8)
    assert camera_motion(black, black) == STILL


def test_camera_motion_takes_milliseconds_at_most():
    camera_motion(view(0, 0), view(1, 1))
    start = time.process_time()
    for _ in range(20):
        camera_motion(view(0, 0), view(1, 1))
    assert (time.process_time() - start) / 20 < 0.015


def carry(before: np.ndarray, after: np.ndarray, boxes: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(boxes)
    return carried_motion(smooth(before), smooth(after), table, np.zeros((1, len(boxes), 2)))


def test_box_is_carried_with_its_pixels_and_ground_stays():
    before, after = view(0, 0).copy(), view(0, 0).copy()
    patch = texture(24, 24, seed=9)
    before[30:54, 40:64], after[31:55, 42:66] = patch, patch
    shift, zoom = carry(before, after, [[52, 42, 24, 24], [120, 60, 24, 24]])
    assert shift[0] == pytest.approx([2, 1], abs=0.4)
    assert shift[1] == pytest.approx([0, 0], abs=0.05)
    assert zoom == pytest.approx([0, 0], abs=0.05)


def test_flicker_of_brightness_is_not_motion():
    darker = (view(0, 0) * 0.6).astype(np.uint8)
    brighter = darker + 60
    shift, _ = carry(darker, brighter, [[80, 45, 30, 30]])
    assert shift[0] == pytest.approx([0, 0], abs=0.05)


def test_blank_box_stays_at_the_first_guess():
    blank = np.full((90, 160), 128, np.uint8)
    guess = np.array([[[3.0, -1.0]], [[0.0, 0.0]]])
    shift, zoom = carried_motion(smooth(blank), smooth(blank), np.array([[50.0, 50.0, 20.0, 20.0]]), guess)
    assert shift.tolist() == [[3.0, -1.0]]
    assert zoom.tolist() == [0.0]


def test_no_boxes_and_boxes_outside_are_fine():
    assert carry(view(0, 0), view(1, 0), [[500.0, 500.0, 1.0, 1.0]])[0].shape == (1, 2)
    shift, _ = carried_motion(smooth(view(0, 0)), smooth(view(1, 0)), np.zeros((0, 4)), np.zeros((1, 0, 2)))
    assert shift.shape == (0, 2)


def runs(config: SamplingConfig, pictures, fps: float, cuts: frozenset[int] = frozenset()) -> list[int]:
    schedule = DetectorSchedule(config)
    return [i for i, grey in enumerate(pictures) if schedule.wants_run(i / fps, grey, i in cuts)]


@pytest.mark.parametrize(("fps", "hz"), [(25, 3.0), (10, 3.3), (30, 10.0), (5, 10.0)])
def test_mean_rate_is_kept_on_any_frame_rate_while_things_change(fps: float, hz: float):
    n = int(fps * 20)
    flicker = [np.full((9, 16), 255 * (i % 2) if i % 3 else i % 251, np.uint8) for i in range(n)]
    count = len(runs(SamplingConfig(detector_hz=hz, minimum_hz=hz), flicker, fps))
    assert count == pytest.approx(20 * min(hz, fps), rel=0.03)


def test_static_scene_falls_to_the_minimum_rate_and_wakes_up():
    still, other = np.zeros((9, 16), np.uint8), np.full((9, 16), 200, np.uint8)
    pictures = [still] * 50 + [other] * 50
    found = runs(SamplingConfig(detector_hz=5.0, minimum_hz=1.0), pictures, 10)
    assert found[:5] == [0, 10, 20, 30, 40]
    assert 50 in found or 51 in found


def test_new_shot_runs_at_once():
    still = [np.zeros((9, 16), np.uint8)] * 30
    assert 7 in runs(SamplingConfig(detector_hz=1.0, minimum_hz=0.5), still, 10, frozenset({7}))


def test_changed_share_counts_pixels_over_the_noise():
    before, after = np.zeros((10, 10), np.uint8), np.zeros((10, 10), np.uint8)
    after[0, :5], after[1, :5] = 5, 50
    assert changed_share(before, after, 12) == pytest.approx(0.05)
    assert changed_share(before, np.zeros((5, 5), np.uint8), 12) == 1.0
