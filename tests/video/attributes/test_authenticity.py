"""Judgements of tracklets: which moments, of what pixels, and what is said where nothing can be judged."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge_worlds import Finder, Judge, annotator, held, make_world, rows

from onlooker.errors import ConfigError, MediaError
from onlooker.types import Detections
from onlooker.video.attributes.authenticity import Authenticity
from onlooker.video.attributes.faces import find_face
from onlooker.video.attributes.looks import LookPlan, choose_looks, cut, widened
from onlooker.video.attributes.pipeline import run_annotator
from onlooker.video.attributes.pool import PoolModels, make_annotators
from onlooker.video.reasons import NO_FACE, NO_FINDER, NO_PICTURES, NOT_A_PERSON, NOT_READ
from onlooker.video.store import schema
from onlooker.video.store.edits import delete_tracklet, merge_tracklets, split_tracklet
from onlooker.video.store.reader import Reader


@pytest.fixture
def world(tmp_path):
    store, video_id = make_world(tmp_path)
    yield store, video_id
    store.close()


def sql(store, text):
    with Reader.open(store.path) as reader:
        return list(reader.query(text, {}).rows)


# -- what is stored -----------------------------------------------------------------------------------------------


def test_the_curve_has_times_boxes_and_probabilities_of_the_pixels_of_those_times(world):
    store, video_id = world
    assert run_annotator(store, video_id, annotator(Judge())) == 9  # 8 moments and the judge's own row
    found = rows(store)
    assert len(found) == 8
    for t, probability, reason, box in found:
        assert probability == pytest.approx(2 * 10 * t / 38, abs=0.08)  # the ground is 40 + 2 a frame
        assert reason is None
        assert box[0] == pytest.approx(10 + 40 * t, abs=3)


def test_views_tell_the_curve_the_mean_and_the_judge(world):
    store, video_id = world
    run_annotator(store, video_id, annotator(Judge(threshold=0.3)))
    curve = [p for _, p, _, _ in rows(store)]
    columns = "id, mean, highest, looks_manipulated, n_judged, n_moments, reason, judge, threshold, tested_on"
    ((number, mean, highest, looks, *rest),) = sql(store, f"SELECT {columns} FROM verdicts")
    assert (number, looks) == (1, 1)
    assert (mean, highest) == (pytest.approx(np.mean(curve)), max(curve))
    assert rest == [8, 8, None, "scripted@1", 0.3, "scripted pictures"]
    assert sql(store, "SELECT judge, finder, need FROM judges") == [("scripted@1", None, "crop")]
    late = sql(store, "SELECT t, probability, notes FROM judgements WHERE t > 1 ORDER BY t")
    assert [row[1] for row in late] == curve[-len(late) :]
    assert {row[2] for row in late} == {"a note"}


def test_a_second_run_does_nothing_and_another_judge_takes_the_place_of_the_first(world):
    store, video_id = world
    first = Judge()
    run_annotator(store, video_id, annotator(first))
    assert run_annotator(store, video_id, annotator(Judge())) is None
    second = Judge(need="face", version="2")
    run_annotator(store, video_id, annotator(second))
    assert sql(store, "SELECT judge FROM judges") == [("scripted@2",)]
    assert len(rows(store)) == 1
    assert run_annotator(store, video_id, annotator(second, Finder())) == 9  # a finder makes it due again


def test_pixels_reach_the_judge_as_the_file_has_them(world):
    store, video_id = world
    judge = Judge()
    run_annotator(store, video_id, annotator(judge))
    # 40 x 30, a tenth more: no resizing to a model's size, no JPEG in between.
    assert all(abs(w - 44) <= 3 and abs(h - 33) <= 3 for h, w in judge.seen)
    faces = Judge(need="face")
    run_annotator(store, video_id, annotator(faces, Finder(12)))
    assert all(h == w and abs(w - 12 * 1.3) <= 2 for h, w in faces.seen)
    assert all(box[3] - box[1] == pytest.approx(12) for *_, box in rows(store))  # what is stored is the face itself


# -- what cannot be judged is told apart from a low probability ------------------------------------------------------


def reasons(store):
    assert all(probability is None for _, probability, _, _ in rows(store))
    return [reason for _, _, reason, _ in rows(store)]


def test_without_a_finder_no_part_of_a_person_is_taken_for_a_face(world):
    store, video_id = world
    judge = Judge(need="face")
    run_annotator(store, video_id, annotator(judge))
    assert reasons(store) == [NO_FINDER]
    assert judge.seen == []
    verdict = sql(store, "SELECT mean, looks_manipulated, n_judged, n_moments, reason FROM verdicts")
    assert verdict == [(None, None, 0, 1, NO_FINDER)]


@pytest.mark.parametrize(("side", "reason"), [(0, NO_FACE), (12, "the face is smaller than 64 px")])
def test_no_face_and_a_small_face_are_stored_as_not_judged(world, side, reason):
    store, video_id = world
    judge = Judge(need="face", smallest_px=64)
    run_annotator(store, video_id, annotator(judge, Finder(side)))
    assert reasons(store) == [reason] * 8
    assert judge.seen == []


def test_a_thing_has_no_face_and_a_face_needs_no_finder(tmp_path):
    for folder, category in (("a", "car"), ("b", "face")):
        (tmp_path / folder).mkdir()
        store, video_id = make_world(tmp_path / folder, category)
        run_annotator(store, video_id, annotator(Judge(need="face"), Finder() if category == "car" else None))
        if category == "car":
            assert reasons(store) == [NOT_A_PERSON]
        else:
            assert [p is not None for _, p, _, _ in rows(store)] == [True] * 8
        store.close()


def test_a_file_that_is_gone_is_an_error_and_an_import_without_pictures_is_a_reason(world):
    store, video_id = world
    with store.read() as connection:
        path = connection.execute(schema.VIDEOS.select()).one().path
    os.rename(path, path + ".gone")
    with pytest.raises(MediaError, match="no longer at"):
        run_annotator(store, video_id, annotator(Judge()))
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE base_videos SET source = 'mot'")
    run_annotator(store, video_id, annotator(Judge()))
    assert reasons(store) == [NO_PICTURES] * 8


def test_a_frame_behind_the_end_of_the_file_is_told(world):
    store, video_id = world
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE base_boxes SET frame = frame + 1000 WHERE t > 1")
    run_annotator(store, video_id, annotator(Judge()))
    told = [reason for _, _, reason, _ in rows(store)]
    assert told == [None] * told.count(None) + [NOT_READ] * told.count(NOT_READ)
    assert {None, NOT_READ} == set(told)


# -- moments and faces ----------------------------------------------------------------------------------------------


def table(times, sizes=None, detected=None):
    n = len(times)
    size = np.full(n, 10.0) if sizes is None else np.asarray(sizes, float)
    seen = np.ones(n) if detected is None else np.asarray(detected, float)
    zero = np.zeros(n)
    return np.column_stack([np.arange(n), times, zero, zero, size, size, seen])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 20.0), min_size=1, max_size=60), st.integers(1, 20))
def test_moments_are_few_in_order_and_over_the_whole_time(steps, most):
    times = np.cumsum(steps)
    looks = choose_looks(7, table(times), LookPlan(most))
    chosen = [look.time_s for look in looks]
    assert 1 <= len(chosen) <= most
    assert chosen == sorted(set(chosen))
    assert {look.tracklet_id for look in looks} == {7}
    if len(chosen) > 1:  # somebody looked in the first and in the last part
        length = times[-1] - times[0]
        assert chosen[0] <= times[0] + length / 2
        assert chosen[-1] >= times[-1] - length / 2


def test_the_largest_box_of_every_part_is_taken_and_a_carried_one_counts_half():
    looks = choose_looks(1, table([0.0, 0.1, 0.2, 0.3], [10, 12, 20, 30], [1, 1, 1, 0]), LookPlan(2, 0.15))
    assert [look.frame for look in looks] == [1, 3]
    looks = choose_looks(1, table([0.0, 0.1, 0.2, 0.3], [10, 12, 25, 30], [1, 1, 1, 0]), LookPlan(2, 0.15))
    assert [look.frame for look in looks] == [1, 2]
    assert choose_looks(1, table([]), LookPlan()) == []
    with pytest.raises(ConfigError, match="`most` >= 1"):
        LookPlan(0)


def test_a_face_goes_to_the_one_whose_head_it_is():
    picture = np.zeros((200, 200, 3), np.uint8)

    class Two:
        name, version = "two", "1"

        def __init__(self, *faces):
            self.faces = faces

        def find(self, images):
            boxes = np.array(self.faces, np.float32).reshape(-1, 4)
            return [Detections(boxes, np.ones(len(boxes), np.float32), ("face",) * len(boxes))]

    front, behind = (40.0, 50.0, 100.0, 190.0), (80.0, 20.0, 140.0, 160.0)
    corner = cut(picture, widened(front, 1.15))[1]

    def face_at(x, y):
        return [x - corner[0] - 8, y - corner[1] - 8, x - corner[0] + 8, y - corner[1] + 8]

    assert find_face(picture, front, [behind], Two(face_at(70, 64))) == (62, 56, 78, 72)
    assert find_face(picture, front, [behind], Two(face_at(105, 45))) is None  # inside both boxes; the other one's
    assert find_face(picture, front, [], Two(face_at(100, 60), face_at(70, 64))) == (62, 56, 78, 72)
    assert find_face(picture, front, [(40.0, 50.0, 100.0, 190.0)], Two(face_at(70, 64))) is None  # as likely


def test_a_cut_stays_inside_the_picture_and_is_never_empty():
    picture = np.zeros((20, 30, 3), np.uint8)
    assert cut(picture, (-5.0, -5.0, 4.2, 100.0))[0].shape == (20, 5, 3)
    assert cut(picture, (40.0, 40.0, 50.0, 50.0))[0].shape == (1, 1, 3)
    assert widened((10.0, 10.0, 20.0, 30.0), 2.0, square=True) == (-5.0, 0.0, 35.0, 40.0)


# -- edits and the pool ---------------------------------------------------------------------------------------------


def test_edits_move_judgements_with_their_boxes(world):
    store, video_id = world
    run_annotator(store, video_id, annotator(Judge()))
    before = sql(store, "SELECT t, probability FROM judgements ORDER BY t")
    with store.write() as connection:
        new = split_tracklet(connection, video_id, 1, 1.0)
    parts = dict(sql(store, "SELECT id, mean FROM verdicts"))
    assert parts[1] == pytest.approx(np.mean([p for t, p in before if t < 1]))
    assert parts[new] == pytest.approx(np.mean([p for t, p in before if t >= 1]))
    with store.write() as connection:
        merge_tracklets(connection, video_id, [1, new])
    assert sql(store, "SELECT t, probability FROM judgements ORDER BY t") == before
    with store.write() as connection:
        delete_tracklet(connection, video_id, 1)
    assert sql(store, "SELECT t FROM judgements") == []


def test_a_judge_is_in_the_pool_only_where_its_role_is_filled():
    plain = make_annotators(PoolModels())
    judged = make_annotators(PoolModels(authenticity_judge=held(Judge())))
    assert {a.spec.name for a in judged} - {a.spec.name for a in plain} == {"authenticity"}
    assert not any(isinstance(a, Authenticity) for a in make_annotators(PoolModels(face_finder=held(Finder()))))
    (one,) = [a for a in judged if isinstance(a, Authenticity)]
    assert one.spec.full_version == "1 | scripted@1"
