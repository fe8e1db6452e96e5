from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onlooker.video.tracklets.association import Fragment
from onlooker.video.tracklets.config import RelinkConfig
from onlooker.video.tracklets.relink import ends_of, find_joins, join_probability, pieces_with_partners

CONFIG = RelinkConfig()


def piece(uid: int, start_s: float, x: float, *, speed: float = 0.0, label: str = "person", shot: int = 0) -> Fragment:
    """Half a second of a walker 20 x 50 px whose left edge starts at x."""
    times = start_s + np.arange(6) * 0.1
    left = x + speed * (times - start_s)
    boxes = np.stack([left, np.full(6, 100.0), left + 20, np.full(6, 150.0)], axis=1)
    return Fragment(uid, shot, times, boxes, np.full(6, 0.9), {label: 5.4}, np.zeros((0, 4)))


def looking(fragment: Fragment, *vector: float) -> Fragment:
    return replace(fragment, appearance=np.array(vector, np.float32))


def chance(first: Fragment, second: Fragment) -> float:
    ends, starts = ends_of([first, second])
    return float(join_probability(ends.select(np.array([0])), starts.select(np.array([1])), CONFIG.neutral_cosine)[0])


def test_probability_falls_with_distance_time_size_and_label():
    base = chance(piece(0, 0.0, 100), piece(1, 1.0, 100))
    big = piece(1, 1.0, 100)
    big = replace(big, boxes_xyxy=big.boxes_xyxy * np.array([1, 1, 1.3, 1.5]))
    assert base > 0.7
    assert base > chance(piece(0, 0.0, 100), piece(1, 1.0, 140)) > chance(piece(0, 0.0, 100), piece(1, 1.0, 220))
    assert base > chance(piece(0, 0.0, 100), piece(1, 3.0, 100)) > chance(piece(0, 0.0, 100), piece(1, 8.0, 100))
    assert base > chance(piece(0, 0.0, 100), big)
    assert base > chance(piece(0, 0.0, 100), piece(1, 1.0, 100, label="dog"))


def test_walker_is_expected_where_it_was_going():
    onward = chance(piece(0, 0.0, 100, speed=100), piece(1, 1.0, 200, speed=100))
    back = chance(piece(0, 0.0, 100, speed=100), piece(1, 1.0, 100, speed=100))
    assert onward > 0.5 > back


def test_appearance_speaks_for_and_against():
    first, second = piece(0, 0.0, 100), piece(1, 2.0, 120)
    unknown = chance(first, second)
    alike = chance(looking(first, 1, 0), looking(second, 1, 0))
    unlike = chance(looking(first, 1, 0), looking(second, 0, 1))
    one_sided = chance(looking(first, 1, 0), second)
    assert alike > unknown > unlike
    assert one_sided == pytest.approx(unknown)


def test_over_a_cut_motion_says_nothing_and_appearance_all():
    first, second = piece(0, 0.0, 100), piece(1, 0.6, 100, shot=1)
    assert chance(first, second) == 0
    assert chance(looking(first, 1, 0), looking(second, 1, 0)) > 0.9
    assert chance(looking(first, 1, 0), looking(second, 0, 1)) < 0.05
    far = piece(1, 0.6, 600, shot=1)
    assert chance(looking(first, 1, 0), looking(far, 1, 0)) == pytest.approx(
        chance(looking(first, 1, 0), looking(second, 1, 0))
    )


def test_joins_are_one_to_one_and_the_best_pair_wins():
    pieces = [piece(0, 0.0, 100), piece(1, 0.0, 112), piece(2, 1.0, 101), piece(3, 1.0, 113)]
    certain = [(j.first, j.second) for j in find_joins(*ends_of(pieces), CONFIG) if j.certain]
    assert certain == [(0, 2), (1, 3)]
    contested = [pieces[0], pieces[1], pieces[2]]
    certain = [(j.first, j.second) for j in find_joins(*ends_of(contested), CONFIG) if j.certain]
    assert certain == [(0, 2)]


def test_pieces_that_overlap_in_time_or_lie_too_far_apart_are_never_joined():
    assert find_joins(*ends_of([piece(0, 0.0, 100), piece(1, 0.3, 100)]), CONFIG) == []
    late = piece(1, 0.5 + CONFIG.maximum_gap_s + 0.1, 100)
    assert find_joins(*ends_of([piece(0, 0.0, 100), late]), CONFIG) == []
    assert pieces_with_partners([piece(0, 0.0, 100), late], CONFIG) == []
    assert pieces_with_partners([piece(0, 0.0, 100), piece(1, 2.0, 500)], CONFIG) == [0, 1]


def test_thousands_of_pieces_are_compared_in_bounded_time():
    pieces = [piece(i, i * 0.9, 50.0 * (i % 11)) for i in range(3000)]
    joins = find_joins(*ends_of(pieces), CONFIG)
    firsts = [j.first for j in joins if j.certain]
    assert len(firsts) == len(set(firsts))
