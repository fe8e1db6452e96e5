"""The loop: matching, births and deaths, lost targets, cuts, and input nobody would wish for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.trackers.omnitracker import CONFIGS, METHOD, OmniTracker, OmniTrackerNetwork, TrackingConfig
from onlooker.methods.trackers.omnitracker import tracking as loop
from onlooker.methods.trackers.omnitracker.detections import Found, mask_nms
from onlooker.methods.trackers.omnitracker.motion import BoxMotion, box_overlaps
from onlooker.methods.trackers.omnitracker.tracking import TrackState, bi_softmax, match, new_trajectory

A, B = [10.0, 10.0, 30.0, 30.0], [60.0, 10.0, 80.0, 30.0]
EAGER = TrackingConfig(select_score=0.0, birth_score=0.0, update_score=0.0, match_score=0.0)


@pytest.fixture(scope="module")
def network() -> OmniTrackerNetwork:
    made = METHOD.create(CONFIGS["tiny"], 0).eval()
    assert isinstance(made, OmniTrackerNetwork)
    return made


def tracker(network: OmniTrackerNetwork, config: TrackingConfig = EAGER) -> OmniTracker:
    return OmniTracker.from_network(network, config)


def frames(count: int, size: tuple[int, int] = (48, 64), seed: int = 0) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 255, (*size, 3), dtype=np.uint8) for _ in range(count)]


def detected(*boxes: list[float], identities: torch.Tensor, scores: list[float] | None = None) -> Found:
    n = len(boxes)
    marks = np.array(scores or [0.9] * n)
    return Found(np.array(boxes).reshape(-1, 4), marks, np.ones((n, 7)) * marks[:, None], identities, None)


def following(*boxes: list[float], task: str = "category", **options: object) -> TrackState:
    """A state whose k-th trajectory remembers 6 times the k-th unit vector."""
    state = TrackState(task, TrackingConfig(**options))  # type: ignore[arg-type]
    for k, box in enumerate(boxes):
        trajectory = new_trajectory(state, k + 1, np.array(box), np.zeros(7))
        trajectory.memory.remember(6 * torch.eye(4)[k], 0.9)
        state.trajectories.append(trajectory)
    return state


def matched(state: TrackState, found: Found) -> list[tuple[int, int]]:
    return sorted(match(state, [t.motion.box for t in state.trajectories], found))


# -- matching ---------------------------------------------------------------------------------------------------


def test_similarity_is_the_mean_of_both_softmaxes() -> None:
    keys, seen = torch.eye(2), torch.tensor([[1.0, 0.0]])
    e = np.e
    assert bi_softmax(keys, seen)[:, 0].tolist() == pytest.approx([(e / (e + 1) + 1) / 2, (1 / (e + 1) + 1) / 2])


def test_identities_decide_between_two_boxes_that_both_overlap() -> None:
    near = [12.0, 10.0, 32.0, 30.0]
    found = detected(A, near, identities=6 * torch.eye(4)[[1, 0]])
    assert matched(following(A, near), found) == [(0, 1), (1, 0)]
    assert matched(following(A, near, association="overlap"), found) == [(0, 0), (1, 1)]


def test_a_pair_the_gate_forbids_is_not_assigned_even_when_nothing_else_is_left() -> None:
    """Hungarian matching assigns every row something; a forbidden pair has to be taken out again."""
    far = detected(B, identities=6 * torch.eye(4)[:1])
    assert matched(following(A), far) == []
    assert matched(following(A, gate_iou=None), far) == [(0, 0)]


def test_a_forbidden_pair_does_not_push_out_an_allowed_one() -> None:
    """Track 0 looks most like the far detection; the near one is still its own."""
    identities = torch.stack([6 * torch.eye(4)[0], 3 * torch.eye(4)[0]])
    assert matched(following(A), detected(B, A, identities=identities)) in ([], [(0, 1)])
    assert matched(following(A, match_score=0.0), detected(B, A, identities=identities)) == [(0, 1)]


def test_a_long_lost_trajectory_is_found_anywhere_again() -> None:
    state = following(A)
    state.trajectories[0].unseen = 11
    assert matched(state, detected(B, identities=6 * torch.eye(4)[:1])) == [(0, 0)]


def test_a_given_object_that_was_lost_is_found_anywhere_at_once() -> None:
    state, found = following(A, task="instance"), detected(B, identities=6 * torch.eye(4)[:1])
    assert matched(state, found) == []
    state.trajectories[0].unseen = 1
    assert matched(state, found) == [(0, 0)]


def test_a_given_object_that_was_lost_is_not_the_first_weak_detection_anywhere() -> None:
    """Similarity alone cannot refuse: with one object it is a half at least."""
    weak = detected(B, identities=6 * torch.eye(4)[3:], scores=[0.4])
    for bar, pairs in ((0.5, []), (0.3, [(0, 0)])):
        state = following(A, task="instance", birth_score=bar)
        state.trajectories[0].unseen = 1
        assert matched(state, weak) == pairs


def test_similar_but_not_similar_enough_is_no_match() -> None:
    found = detected(A, [11.0, 11.0, 31.0, 31.0], identities=torch.zeros(2, 4))
    assert matched(following(A, B, match_score=0.6), found) == []


def test_nothing_to_match_is_no_error() -> None:
    nothing = detected(identities=torch.zeros(0, 4))
    assert matched(following(A), nothing) == []
    assert matched(following(), nothing) == []
    assert matched(following(), detected(A, identities=torch.zeros(1, 4))) == []


def test_the_order_of_detections_does_not_matter() -> None:
    identities = 6 * torch.eye(4)[[0, 1]]
    straight = matched(following(A, B), detected(A, B, identities=identities))
    turned = matched(following(A, B), detected(B, A, identities=identities.flip(0)))
    assert straight == [(0, 0), (1, 1)]
    assert turned == [(0, 1), (1, 0)]


def test_of_two_masks_that_overlap_the_surer_stays_and_empty_ones_are_told_apart_by_boxes() -> None:
    masks = torch.zeros(6, 4, 4, dtype=torch.bool)
    masks[0, :2], masks[1, :2], masks[2, 1:] = True, True, True
    boxes = torch.tensor([A, A, A, B, B, [9.0, 9.0, 9.5, 9.5]])
    assert mask_nms(masks, boxes, 0.7).tolist() == [0, 2, 3, 5]


# -- motion -----------------------------------------------------------------------------------------------------


def test_a_moving_box_is_expected_ahead_and_a_restarted_one_where_it_is() -> None:
    motion = BoxMotion(np.array(A), "linear")
    for step in range(1, 12):
        motion.predict(0.04)
        motion.correct(np.array(A) + np.array([3.0 * step, 0, 3.0 * step, 0]))
    assert motion.predict(0.04)[0] == pytest.approx(10 + 36, abs=1.0)
    motion.restart(np.array(A))
    assert motion.predict(0.04).tolist() == pytest.approx(A)
    still = BoxMotion(np.array(A), "still")
    still.correct(np.array(B))
    assert still.predict(1.0).tolist() == B


def test_overlaps_of_boxes_without_area_are_zero() -> None:
    point = np.array([[5.0, 5.0, 5.0, 5.0]])
    assert box_overlaps(point, point).tolist() == [[0.0]]
    assert box_overlaps(np.array([A]), np.array([A, B])).tolist() == [[1.0, 0.0]]


def test_a_cut_forgets_speed_and_expects_nothing_where_it_was(network: OmniTrackerNetwork) -> None:
    moving = tracker(network)
    moving.begin()
    for frame in frames(3):
        moving.update(frame)
    boxes = [t.motion.box.copy() for t in moving.state.trajectories]
    loop._arrive(moving.state, loop.FrameInput(torch.zeros(3, 48, 64), (48, 64), None, new_shot=True))
    for trajectory, box in zip(moving.state.trajectories, boxes, strict=True):
        assert trajectory.ungated
        assert trajectory.motion.predict(0.04).tolist() == pytest.approx(box.tolist())
    assert moving.state.before is None


# -- births and deaths ------------------------------------------------------------------------------------------


def scripted(monkeypatch: pytest.MonkeyPatch, script: list[Found]) -> None:
    """The network's detections are replaced; everything else of the loop runs."""
    queue = iter(script)
    monkeypatch.setattr(loop, "find", lambda *args: next(queue))


def test_an_object_keeps_its_id_over_a_gap_and_dies_after_the_patience(
    network: OmniTrackerNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, none = detected(A, identities=6 * torch.eye(64)[:1]), detected(identities=torch.zeros(0, 64))
    scripted(monkeypatch, [own, none, none, own, none, none, none, own])
    follow = tracker(network, TrackingConfig(patience=2))
    ids = [follow.update(frame).ids.tolist() for frame in frames(8)]
    assert ids == [[1], [], [], [1], [], [], [], [2]]


def test_doubtful_detections_start_nothing_but_continue(
    network: OmniTrackerNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = 6 * torch.eye(64)[:1]
    scripted(monkeypatch, [detected(A, identities=identity, scores=[s]) for s in (0.4, 0.6, 0.2)])
    follow = tracker(network, TrackingConfig())
    assert [follow.update(frame).ids.tolist() for frame in frames(3)] == [[], [1], [1]]
    assert len(follow.state.trajectories[0].memory) == 1, "a weak detection was remembered"


@pytest.mark.parametrize(("bound", "ids"), [(1.0, [[1], [1, 2]]), (0.5, [[1], [1]])])
def test_a_double_of_a_followed_object_starts_nothing_above_the_bound(
    network: OmniTrackerNetwork, monkeypatch: pytest.MonkeyPatch, bound: float, ids: list[list[int]]
) -> None:
    beside = [12.0, 10.0, 32.0, 30.0]  # overlaps A by 9 / 11
    one, two = (6 * torch.eye(64)[k : k + 1] for k in range(2))
    scripted(monkeypatch, [detected(A, identities=one), detected(A, beside, identities=torch.cat([one, two]))])
    follow = tracker(network, TrackingConfig(birth_overlap=bound))
    assert [follow.update(frame).ids.tolist() for frame in frames(2)] == ids


def test_doubles_among_the_newborn_start_one_trajectory() -> None:
    found = detected(A, [11.0, 10.0, 31.0, 30.0], B, identities=torch.zeros(3, 4))
    born = loop._births(following(birth_overlap=0.5), found, set())
    assert [column for _, column in born] == [0, 2]


def test_overlap_is_of_masks_where_there_are_masks_and_else_of_boxes_of_one_class() -> None:
    found = detected(A, A, A, identities=torch.zeros(3, 4))
    found.class_scores[2, 3] = 1.0
    assert found.overlap(0, [1]) == 1.0
    assert found.overlap(0, [2]) == 0.0, "a rider is no double of the horse"
    assert found.overlap(0, []) == 0.0
    logits = torch.full((3, 2, 4), -1.0)
    logits[0, :, :2], logits[1, :, 1:3] = 1.0, 1.0
    masked = replace(found, mask_logits=logits)
    assert masked.overlap(0, [1, 2]) == pytest.approx(1 / 3)
    assert masked.overlap(2, [2]) == 0.0, "nothing overlaps an empty mask"


def test_given_objects_are_told_while_absent_and_nothing_else_is_born(
    network: OmniTrackerNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = tracker(network, TrackingConfig())
    first, *rest = frames(4)
    follow.start(first, boxes=np.array([A]))
    tokens = follow.state.trajectories[0].tokens
    none = detected(identities=torch.zeros(0, 64))
    identity = follow.state.trajectories[0].memory.key()
    assert identity is not None
    back = detected(B, A, identities=torch.stack([identity, -identity]))
    scripted(monkeypatch, [none, none, back])
    told = [follow.update(frame) for frame in rest]
    assert [t.present.tolist() for t in told] == [[False], [False], [True]]
    assert [t.scores[0] for t in told[:2]] == [0.0, 0.0]
    assert [t.boxes_xyxy_px[0].tolist() for t in told[:2]] == [A, A], "an absent object has no speed"
    assert not told[0].mask(0).any()  # type: ignore[union-attr]
    assert tokens is not None, "a lost target has nothing to refer to"
    assert told[2].ids.tolist() == [1]
    assert told[2].boxes_xyxy_px[0].tolist() == B


def test_while_all_targets_are_lost_the_detector_still_refers_to_them(network: OmniTrackerNetwork) -> None:
    follow = tracker(network, TrackingConfig(select_score=1.0))  # nothing is ever found
    first, *rest = frames(3)
    follow.start(first, boxes=np.array([A]))
    before = follow.state.trajectories[0].tokens
    for frame in rest:
        assert follow.update(frame).present.tolist() == [False]
    after = follow.state.trajectories[0].tokens
    assert before is not None
    assert after is before


def test_both_families_go_through_the_same_forward(
    network: OmniTrackerNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    original = OmniTrackerNetwork.look

    def spy(self: OmniTrackerNetwork, pyramid: object, reference: object, size: object) -> object:
        seen.append([t.shape[1] for t in reference.tokens])  # type: ignore[attr-defined]
        return original(self, pyramid, reference, size)  # type: ignore[arg-type]

    monkeypatch.setattr(OmniTrackerNetwork, "look", spy)
    first, second = frames(2)
    follow = tracker(network)
    follow.start(first, boxes=np.array([A, B]))
    follow.update(second)
    follow.begin()
    follow.update(first)
    assert seen[0] == seen[1] == [2 * 49] * 4
    assert seen[2] == [6 * 8, 3 * 4, 2 * 2, 1 * 1]


# -- what people do ---------------------------------------------------------------------------------------------


def test_no_target_outside_targets_and_targets_of_one_pixel(network: OmniTrackerNetwork) -> None:
    first, second = frames(2)
    follow = tracker(network)
    assert len(follow.start(first, boxes=np.zeros((0, 4)))) == 0
    assert len(follow.update(second)) == 0
    odd = np.array([[-20.0, -20, -5, -5], [3, 3, 4, 4], [50, 40, 90, 90], [7, 7, 7, 7]])
    told = follow.start(first, boxes=odd)
    assert told.present.tolist() == [False, True, True, False]
    assert told.boxes_xyxy_px[2].tolist() == [50, 40, 64, 48]
    told = follow.update(second)
    assert told.present[[0, 3]].tolist() == [False, False]
    assert np.isfinite(told.boxes_xyxy_px).all()


def test_a_target_given_twice_is_told_twice(network: OmniTrackerNetwork) -> None:
    first, second = frames(2)
    follow = tracker(network)
    follow.start(first, boxes=np.array([A, B, A, A]), ids=(7, 3, 5, 9))
    told = follow.update(second)
    assert told.ids.tolist() == [3, 5, 7, 9]
    assert told.present[1] == told.present[2] == told.present[3]
    assert told.boxes_xyxy_px[1].tolist() == told.boxes_xyxy_px[2].tolist() == told.boxes_xyxy_px[3].tolist()
    assert len(follow.state.trajectories) == 2


def test_masks_say_boxes_and_an_empty_one_is_absent(network: OmniTrackerNetwork) -> None:
    first, second = frames(2)
    masks = np.zeros((2, 48, 64), np.bool_)
    masks[0, 5:15, 20:40] = True
    follow = tracker(network)
    told = follow.start(first, masks=masks)
    assert told.boxes_xyxy_px[0].tolist() == [20, 5, 40, 15]
    assert told.present.tolist() == [True, False]
    found = told.mask(0)
    assert found is not None
    assert np.array_equal(found, masks[0])
    assert follow.update(second).present[1] == np.False_


def test_two_hundred_targets_and_a_smaller_frame(network: OmniTrackerNetwork) -> None:
    corners = np.random.default_rng(0).uniform(0, 30, (200, 2))
    follow = tracker(network)
    follow.start(frames(1)[0], boxes=np.concatenate([corners, corners + 8], 1))
    told = follow.update(frames(1, (24, 32), seed=1)[0])
    assert told.ids.tolist() == list(range(1, 201))
    absent = ~told.present
    assert told.present.sum() <= 20, "more objects than queries"
    assert (told.boxes_xyxy_px[absent][:, 2] <= 32 + 1e-3).all(), "boxes stayed in pixels of the larger frame"


def test_black_and_tiny_frames_give_finite_answers(network: OmniTrackerNetwork) -> None:
    follow = tracker(network)
    for frame in (np.zeros((48, 64, 3), np.uint8), np.zeros((1, 1, 3), np.uint8), np.zeros((5, 300, 3), np.uint8)):
        told = follow.update(frame)
        assert np.isfinite(told.boxes_xyxy_px).all()
        assert np.isfinite(told.scores).all()
        assert told.label_map().shape == frame.shape[:2]


def test_grey_and_alpha_are_taken_and_floats_are_not(network: OmniTrackerNetwork) -> None:
    grey = np.full((48, 64), 90, np.uint8)
    colour = np.repeat(grey[:, :, None], 3, 2)
    expected = tracker(network).update(colour).boxes_xyxy_px
    alpha = np.concatenate([colour, np.zeros((48, 64, 1), np.uint8)], 2)
    for frame in (grey, grey[:, :, None], alpha):
        assert np.array_equal(tracker(network).update(frame).boxes_xyxy_px, expected)
    for wrong in (colour.astype(np.float32), colour[:0], np.zeros((4, 4, 2), np.uint8)):
        with pytest.raises(ShapeError, match="RGB uint8"):
            tracker(network).update(wrong)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "boxes or masks"),
        ({"boxes": np.zeros((2, 3))}, r"\(K, 4\)"),
        ({"boxes": np.array([[0.0, 0, np.nan, 4]])}, "finite"),
        ({"boxes": np.array([A]), "ids": (0,)}, "positive ids"),
        ({"boxes": np.array([A, B]), "ids": (2, 2)}, "different"),
        ({"masks": np.zeros((1, 4, 4), np.bool_)}, r"masks \(K, 48, 64\)"),
        ({"boxes": np.array([A]), "masks": np.zeros((2, 48, 64), np.bool_)}, "1 boxes and 2 masks"),
    ],
)
def test_targets_that_cannot_be_are_refused(
    network: OmniTrackerNetwork, given: dict[str, NDArray[np.float64]], words: str
) -> None:
    with pytest.raises(ShapeError, match=words):
        tracker(network).start(frames(1)[0], **given)  # type: ignore[arg-type]


def test_time_goes_forward_and_classes_have_names(network: OmniTrackerNetwork) -> None:
    follow = tracker(network)
    follow.update(frames(1)[0], 1.0)
    with pytest.raises(ShapeError, match=r"1\.0 s after 1\.0 s"):
        follow.update(frames(1)[0], 1.0)
    for no_time in (float("nan"), float("inf")):
        with pytest.raises(ShapeError, match="a finite number of seconds"):
            follow.update(frames(1)[0], no_time)
        with pytest.raises(ShapeError, match="a finite number of seconds"):
            tracker(network).start(frames(1)[0], boxes=np.array([A]), time_s=no_time)
    with pytest.raises(UnknownNameError, match="did you mean `class 3`"):
        follow.begin(["clas 3"])
    follow.begin(["class 2"])
    told = follow.update(frames(1)[0])
    assert len(told)
    assert set(told.categories) == {2}
    with pytest.raises(ConfigError, match="7 classes, got 1 labels"):
        OmniTracker.from_network(network, labels=["only"])


def test_two_videos_in_turn_do_not_meet(network: OmniTrackerNetwork) -> None:
    one, other = tracker(network), tracker(network)
    alone = [tracker_told.boxes_xyxy_px for tracker_told in map(tracker(network).update, frames(3))]
    for frame, expected, noise in zip(frames(3), alone, frames(3, seed=9), strict=True):
        other.update(noise)
        assert np.array_equal(one.update(frame).boxes_xyxy_px, expected)


def test_a_network_without_masks_or_enhancement_tracks_boxes() -> None:
    from dataclasses import replace

    for config in (replace(CONFIGS["tiny"], mask=None), replace(CONFIGS["tiny"], enhancement=None)):
        made = METHOD.create(config, 0).eval()
        assert isinstance(made, OmniTrackerNetwork)
        follow = tracker(made)
        first, second = frames(2)
        follow.start(first, boxes=np.array([A]))
        told = follow.update(second)
        assert told.ids.tolist() == [1]
        assert (told.mask(0) is None) == (config.mask is None and bool(told.present[0]))
