from __future__ import annotations

import numpy as np
import pytest

from onlooker.video.tracklets.config import MotionConfig
from onlooker.video.tracklets.motion import MotionModel

MODEL = MotionModel(MotionConfig(speed_memory_s=1e6))


def box(x: float) -> np.ndarray:
    return np.array([[x, 100.0, 20.0, 50.0]])


def test_speed_is_learned_in_px_per_second_whatever_the_steps():
    state, clock = MODEL.start(box(0.0)), 0.0
    for step in [0.04, 0.2, 0.1, 0.3, 0.05, 0.2, 0.1, 0.2]:
        clock += step
        state = MODEL.correct(MODEL.predict(state, step), box(60 * clock))
    assert state.speed[0, 0] == pytest.approx(60, rel=0.05)
    assert MODEL.predict(state, 0.5).position[0, 0] == pytest.approx(60 * (clock + 0.5), rel=0.03)


def test_two_half_steps_equal_one_whole_step():
    model = MotionModel(MotionConfig())
    state = model.correct(model.predict(model.start(box(0.0)), 0.1), box(10.0))
    whole = model.predict(state, 0.2)
    halves = model.predict(model.predict(state, 0.1), 0.1)
    assert halves.position == pytest.approx(whole.position)
    assert halves.speed == pytest.approx(whole.speed)
    assert np.all(whole.covariance[..., 0] > state.covariance[..., 0])


def test_tracks_are_filtered_independently_of_each_other():
    both = MODEL.start(np.concatenate([box(0.0), box(500.0)]))
    both = MODEL.correct(MODEL.predict(both, np.array([0.1, 0.4])), np.concatenate([box(5.0), box(490.0)]))
    alone = MODEL.correct(MODEL.predict(MODEL.start(box(500.0)), 0.4), box(490.0))
    assert both.select(np.array([1])).position == pytest.approx(alone.position)
    assert both.select(np.array([1])).covariance == pytest.approx(alone.covariance)


def test_unseen_speed_decays_so_far_predictions_stay_bounded():
    model = MotionModel(MotionConfig(speed_memory_s=1.0))
    state = model.start(box(0.0))
    moving = model.move(state, np.array([[10.0, 0.0]]), np.zeros(1), 0.1, 0.03)
    speed = moving.speed[0, 0]
    assert speed > 0
    # All the way it can still go is speed times memory.
    assert model.predict(moving, 100.0).position[0, 0] == pytest.approx(10 + speed, rel=1e-6)


def test_distance_counts_in_expected_spread():
    state = MODEL.start(box(0.0))
    near, far = MODEL.centre_distance(state, np.concatenate([box(1.0), box(60.0)]))[0]
    assert near < 1 < 9 < far
    later = MODEL.predict(state, 1.0)
    assert MODEL.centre_distance(later, box(60.0))[0, 0] < 2


def test_weak_detections_move_the_state_less():
    state = MODEL.predict(MODEL.start(box(0.0)), 0.1)
    strong, weak = (MODEL.correct(state, box(10.0), trust).position[0, 0] for trust in (1.0, 0.3))
    assert 0 < weak < strong < 10
