"""Errors put into perfect tracks are seeded, of the kind that was asked for, and reach the score that was asked for."""

import dataclasses

import numpy as np
import pytest

from degraded_tracks import KINDS, Rows, Scene, degrade, reach_hota, score_rows
from onlooker.errors import ConfigError

N_FRAMES, N_OBJECTS = 30, 6


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Six boxes of 40x40 that walk to the right in rows 60 px apart, 10 frames a second; three cars, three dogs."""
    frames = np.repeat(np.arange(N_FRAMES), N_OBJECTS)
    ids = np.tile(np.arange(1, N_OBJECTS + 1), N_FRAMES)
    low = np.stack([5.0 * frames, 60.0 * (ids - 1)], axis=1)
    names = np.where(ids <= 3, "car", "dog")
    return Scene(
        "pack/walk", Rows(frames, ids, np.concatenate([low, low + 40], axis=1), names), N_FRAMES, 10.0, (640, 400)
    )


def same(a: Rows, b: Rows) -> bool:
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(Rows))


def test_no_amount_leaves_the_truth_and_scores_one_hundred(scene: Scene) -> None:
    tracks = degrade(scene, 0.0, seed=3)
    assert same(tracks, scene.truth)
    assert score_rows([scene], [tracks]).hota == pytest.approx(100)


def test_a_seed_gives_the_same_errors_and_another_seed_others(scene: Scene) -> None:
    assert same(degrade(scene, 0.5, seed=1), degrade(scene, 0.5, seed=1))
    assert not same(degrade(scene, 0.5, seed=1), degrade(scene, 0.5, seed=2))


def test_two_scenes_of_one_seed_do_not_share_their_errors(scene: Scene) -> None:
    other = dataclasses.replace(scene, name="pack/other")
    assert not same(degrade(scene, 0.5, seed=1), degrade(other, 0.5, seed=1))


def test_the_wanted_hota_is_reached_within_half_a_point(scene: Scene) -> None:
    # With this seed one swap jumps over the level, and boxes must shake more than the rest is wrong.
    scenes = [dataclasses.replace(scene, name=f"pack/{number}") for number in range(2)]
    reached = reach_hota(scenes, 65.0, seed=0)
    assert reached.shaking > reached.amount
    assert reached.scores.hota == pytest.approx(65.0, abs=0.5)
    tracks = [degrade(s, reached.amount, 0, shaking=reached.shaking) for s in scenes]
    assert all(same(a, b) for a, b in zip(tracks, reached.tracks, strict=True))
    assert score_rows(scenes, tracks).hota == reached.scores.hota


def test_a_score_inside_a_jump_is_refused_where_nothing_can_shake(scene: Scene) -> None:
    # One object and new ids alone: the score falls in steps.
    lone = dataclasses.replace(scene, truth=scene.truth.select(scene.truth.ids == 1))
    with pytest.raises(ConfigError, match=r"leave a HOTA of \d+\.\d at amount .* and jump 95"):
        reach_hota([lone], 95.0, 0, ("new ids",))


def test_a_larger_amount_misses_every_box_that_a_smaller_one_misses(scene: Scene) -> None:
    def there(amount: float) -> set[tuple[int, int]]:
        rows = degrade(scene, amount, 0, ("missing boxes",))
        return set(zip(rows.frames.tolist(), rows.ids.tolist(), strict=True))

    few, many = there(1.0), there(0.4)
    assert few < many < set(zip(scene.truth.frames.tolist(), scene.truth.ids.tolist(), strict=True))


def test_missing_boxes_change_no_box_and_no_id_that_stays(scene: Scene) -> None:
    rows = degrade(scene, 0.6, 0, ("missing boxes",))
    for frame, number, box in zip(rows.frames, rows.ids, rows.boxes_xyxy, strict=True):
        at = (scene.truth.frames == frame) & (scene.truth.ids == number)
        assert np.array_equal(scene.truth.boxes_xyxy[at][0], box)


def test_shaking_moves_boxes_alone_and_leaves_them_a_size(scene: Scene) -> None:
    rows = degrade(scene, 6.0, 0, ("shaking boxes",))
    assert np.array_equal(rows.ids, scene.truth.ids)
    assert (rows.boxes_xyxy[:, 2:] > rows.boxes_xyxy[:, :2]).all()
    assert not np.array_equal(rows.boxes_xyxy, scene.truth.boxes_xyxy)


def test_swaps_keep_the_number_of_tracks_and_the_category_of_every_id(scene: Scene) -> None:
    rows = degrade(scene, 2.0, 0, ("swapped ids",))
    assert np.array_equal(rows.boxes_xyxy, scene.truth.boxes_xyxy)
    assert set(rows.ids.tolist()) == set(range(1, N_OBJECTS + 1))
    assert not np.array_equal(rows.ids, scene.truth.ids)
    assert all(len(set(rows.categories[rows.ids == number].tolist())) == 1 for number in range(1, N_OBJECTS + 1))


def test_new_ids_are_used_by_one_object_each(scene: Scene) -> None:
    rows = degrade(scene, 2.0, 0, ("new ids",))
    pairs = set(zip(rows.ids.tolist(), scene.truth.ids.tolist(), strict=True))
    assert len(pairs) == len(np.unique(rows.ids)) > N_OBJECTS


def test_false_tracks_add_rows_under_ids_of_their_own(scene: Scene) -> None:
    rows = degrade(scene, 2.0, 0, ("false tracks",))
    added = rows.select(rows.ids > N_OBJECTS)
    assert same(rows.select(rows.ids <= N_OBJECTS), scene.truth)
    assert len(added) > 0
    assert added.frames.max() < N_FRAMES


def test_every_kind_alone_lowers_the_score(scene: Scene) -> None:
    alone = {kind: score_rows([scene], [degrade(scene, 1.0, 0, (kind,))]).hota for kind in KINDS}
    assert max(alone.values()) < 99


def test_a_box_under_another_name_finds_nothing_unless_names_do_not_count(scene: Scene) -> None:
    renamed = dataclasses.replace(scene.truth, categories=np.where(scene.truth.ids <= 3, "dog", "car"))
    assert score_rows([scene], [renamed]).hota == pytest.approx(0)
    assert score_rows([scene], [renamed], by_category=False).hota == pytest.approx(100)


def test_a_score_that_a_kind_cannot_reach_is_refused_with_the_lowest_it_reaches(scene: Scene) -> None:
    with pytest.raises(ConfigError, match=r"false tracks leave a HOTA of \d+\.\d at amount 8\.0000; 5 is not reached"):
        reach_hota([scene], 5.0, 0, ("false tracks",))


def test_an_unknown_kind_is_refused(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="rain"):
        degrade(scene, 1.0, 0, ("rain",))
