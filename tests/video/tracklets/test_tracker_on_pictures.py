from __future__ import annotations

import numpy as np
import pytest
from tracklet_worlds import HEIGHT, WIDTH, ColourEmbedder, TruthDetector, World

from onlooker.errors import ShapeError
from onlooker.media.images import from_jpeg
from onlooker.types import Crop, Frame, TrackingResult
from onlooker.video.protocols import Tracker
from onlooker.video.tracklets import TrackletConfig, TrackletTracker
from onlooker.video.tracklets.config import CropConfig, RelinkConfig, SamplingConfig
from onlooker.video.tracklets.crops import CropKeeper, shrink_image

FPS = 25.0


def run(
    world: World, n: int, hz: float = 2.0, *, blind=lambda _: False, cuts=(), embedder=None, config=None
) -> tuple[TrackingResult, TruthDetector]:
    detector = TruthDetector(world, blind)
    tracker = TrackletTracker(detector, embedder, config or TrackletConfig().at_detector_hz(hz))
    for i in range(n):
        detector.time_s = i / FPS
        tracker.update(world.frame(i, i / FPS), i in cuts)
    return tracker.finish(), detector


def test_tracker_satisfies_the_role():
    assert isinstance(TrackletTracker(TruthDetector(World([]))), Tracker)


def test_few_runs_give_a_box_near_truth_on_every_frame():
    world = World([lambda t: (20 + 60 * t, 60), lambda t: (250 - 50 * t, 120)])
    result, detector = run(world, 100)
    assert result.n_detector_runs == detector.n_runs == pytest.approx(8, abs=1)
    assert [t.frames.tolist() for t in result.tracklets] == [list(range(100))] * 2
    for tracklet, who in zip(result.tracklets, (0, 1), strict=True):
        truth = np.array([world.boxes(t)[who] for t in tracklet.times_s])
        assert np.abs(tracklet.boxes_xyxy_px - truth).max() < 5
        assert tracklet.detected.sum() == result.n_detector_runs


def test_carried_boxes_follow_a_bounce_that_interpolation_cannot_know():
    # The detector runs each second and always finds it at x = 100; between, it goes 50 px away and back.
    world = World([lambda t: (100 + 50 * np.sin(np.pi * t) ** 2, 70)])
    errors = {}
    for carry_hz in (0.0, 25.0):
        config = TrackletConfig(sampling=SamplingConfig(detector_hz=1.0, minimum_hz=1.0, carry_hz=carry_hz))
        result, _ = run(world, 100, config=config)
        (only,) = result.tracklets
        truth = np.array([world.boxes(t)[0] for t in only.times_s])
        errors[carry_hz] = float(np.abs(only.boxes_xyxy_px - truth)[:, 0].mean())
    assert errors[25.0] < 0.5 * errors[0.0]


def test_detector_misses_do_not_split_the_track():
    world = World([lambda t: (20 + 60 * t, 60)])
    result, _ = run(world, 100, hz=5.0, blind=lambda t: 1.0 < t < 1.9)
    (only,) = result.tracklets
    assert only.frames.tolist() == list(range(100))


def test_same_picture_over_a_cut_is_joined_only_with_appearance():
    world = World([lambda _: (100, 60)])
    alone, _ = run(world, 100, cuts=(50,))
    assert len(alone.tracklets) == 2
    joined, _ = run(world, 100, cuts=(50,), embedder=ColourEmbedder())
    (only,) = joined.tracklets
    assert [(g.kind, g.start_s, g.end_s) for g in only.gaps] == [("shot", 49 / FPS, 50 / FPS)]
    assert only.frames.tolist() == list(range(100))


def test_different_things_on_both_sides_of_a_cut_stay_apart():
    world = World([lambda t: (100, 60) if t < 2 else None, lambda t: (100, 60) if t >= 2 else None])
    result, _ = run(world, 100, cuts=(50,), embedder=ColourEmbedder())
    assert len(result.tracklets) == 2


def test_tracklet_does_not_live_over_a_cut():
    world = World([lambda t: (100, 60) if t < 2 else None])
    result, _ = run(world, 100, hz=1.0, cuts=(50,))
    (only,) = result.tracklets
    assert int(only.frames[-1]) == 49


def test_object_gone_between_two_runs_lives_half_the_time_between():
    world = World([lambda t: (100, 60) if t < 1.3 else None])
    config = TrackletConfig(sampling=SamplingConfig(detector_hz=1.0, minimum_hz=1.0))
    (only,) = run(world, 60, config=config)[0].tracklets
    assert float(only.times_s[only.detected][-1]) == pytest.approx(1.0)
    assert float(only.times_s[-1]) == pytest.approx(1.5, abs=0.05)


def test_unchanged_picture_proves_that_the_object_is_still_there():
    world = World([lambda t: (100, 60) if t < 1.3 else None])
    config = TrackletConfig(sampling=SamplingConfig(detector_hz=2.0, minimum_hz=0.2))
    result, detector = run(world, 60, config=config)
    (only,) = result.tracklets
    assert int(only.detected.sum()) == 1
    assert float(only.times_s[-1]) == pytest.approx(1.3, abs=0.05)
    assert detector.n_runs == 2


def test_black_video_and_video_without_frames_have_no_tracklets():
    result, detector = run(World([]), 50)
    assert result.tracklets == ()
    assert result.crops == {}
    assert detector.n_runs >= 1
    assert TrackletTracker(TruthDetector(World([]))).finish() == TrackingResult((), (), {}, 0)


def test_one_frame_video_reports_its_object():
    result, _ = run(World([lambda _: (100, 60)]), 1)
    (only,) = result.tracklets
    assert only.frames.tolist() == [0]
    assert only.boxes_xyxy_px.tolist() == [[100, 60, 130, 90]]


def test_change_of_picture_size_is_survived_as_a_cut():
    detector = TruthDetector(World([]))
    tracker = TrackletTracker(detector)
    for i, side in enumerate([64, 64, 32, 1]):
        tracker.update(Frame.from_image(i, i / FPS, np.zeros((side, side, 3), np.uint8)), i == 0)
    assert tracker.finish().n_detector_runs == 3


def test_frames_out_of_order_are_refused():
    tracker = TrackletTracker(TruthDetector(World([])))
    tracker.update(World([]).frame(3, 1.0), True)
    with pytest.raises(ShapeError, match="index 2"):
        tracker.update(World([]).frame(2, 1.1), False)


def test_crops_show_the_object_with_context_and_know_where_it_is():
    result, _ = run(World([lambda t: (50 + 40 * t, 60)]), 100)
    crops = result.crops[1]
    assert 1 <= len(crops) <= CropConfig().per_tracklet
    assert [c.quality for c in crops] == sorted((c.quality for c in crops), reverse=True)
    for crop in crops:
        assert crop.image.shape == (36, 36, 3)
        assert crop.inner_xyxy == (3, 3, 33, 33)
        assert crop.box_xyxy_px[0] == round(50 + 40 * crop.time_s)


def test_crop_touching_the_border_loses_to_a_whole_one():
    result, _ = run(World([lambda t: (-15 + 60 * t, 60)]), 75, config=TrackletConfig(crops=CropConfig(per_tracklet=1)))
    (crop,) = result.crops[1]
    assert crop.box_xyxy_px[0] > 2


def offered(budget_mb: float, uids: int, offers: int) -> tuple[CropKeeper, dict[int, tuple[Crop, ...]]]:
    """A keeper that was offered noise, the worst case of JPEG, round robin for some objects, ever better."""
    keeper = CropKeeper(CropConfig(per_tracklet=4, budget_mb=budget_mb, minimum_apart_s=0.0))
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    for i in range(offers):
        frame = Frame.from_image(i, i / FPS, image)
        keeper.offer(i % uids, frame, np.array([10.0, 10.0, 110.0, 110.0]), 0.5 + 0.4 * i / offers)
        assert keeper.held_bytes <= budget_mb * 1e6
    return keeper, dict(keeper.collect({uid: uid + 1 for uid in range(uids)}))


def test_crop_memory_stays_inside_its_budget():
    keeper, kept = offered(0.1, uids=10, offers=40)
    assert 0 < keeper.held_bytes <= 0.1e6
    assert set(kept) == set(range(1, 11))
    for crops in kept.values():
        for crop in crops:
            assert max(crop.inner_xyxy) <= max(crop.image.shape[:2])


def test_a_budget_too_small_for_every_object_keeps_the_best_seen():
    _, kept = offered(0.02, uids=10, offers=10)
    assert 0 < len(kept) < 10
    assert 10 in kept, "the last one was the best seen"


def test_kept_views_look_as_the_picture_did():
    across, down = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    image = np.stack([across * 255 // WIDTH, down * 255 // HEIGHT, np.full_like(across, 40)], axis=2).astype(np.uint8)
    keeper = CropKeeper(CropConfig(context=0.0))
    keeper.offer(7, Frame.from_image(0, 0.0, image), np.array([20.0, 20.0, 100.0, 100.0]), 0.9)
    (crop,) = keeper.collect({7: 1})[1]
    assert np.abs(crop.image.astype(int) - image[20:100, 20:100]).mean() < 2
    assert crop.jpeg is not None
    assert np.array_equal(from_jpeg(crop.jpeg), crop.image)


@pytest.mark.parametrize(("shape", "longest"), [((1000, 500), 256), ((300, 1), 256), ((700, 1200), 256), ((5, 5), 256)])
def test_shrunk_image_keeps_its_aspect(shape: tuple[int, int], longest: int):
    small = shrink_image(np.full((*shape, 3), 90, np.uint8), longest)
    assert max(small.shape[:2]) <= longest
    expected = max(1.0, min(shape) * min(1.0, longest / max(shape)))
    assert min(small.shape[:2]) == pytest.approx(expected, abs=1.01)
    assert np.all(small == 90)


def test_uncertain_join_over_a_cut_is_a_link_between_numbers():
    world = World([lambda _: (100, 60)])
    config = TrackletConfig(relink=RelinkConfig(join_probability=0.9999, link_probability=0.1))
    result, _ = run(world, 100, cuts=(50,), embedder=ColourEmbedder(), config=config)
    assert [(link.first, link.second) for link in result.links] == [(1, 2)]
