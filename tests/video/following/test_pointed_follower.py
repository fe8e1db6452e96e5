"""Following boxes with what a picture itself tells, and with a detector's help."""

import numpy as np
import pytest
from follow_worlds import GROUND, SIZE, STEP_S, THING, frame_of, overlap, picture, speckled

from onlooker.errors import ConfigError
from onlooker.types import Detections
from onlooker.video.following.correlation import FilterConfig
from onlooker.video.following.pointed import PointedConfig, PointedFollower


def box_at(x, y, patch=THING):
    return (float(x), float(y), float(x + patch.shape[1]), float(y + patch.shape[0]))


def follow(images, box, found=None, cuts=(), config=None):
    """The track of one box; `found` is index -> Detections."""
    found = found or {}
    follower = PointedFollower(config or PointedConfig(FilterConfig(patch_px=64)))  # coarse is quick
    follower.start(frame_of(0, images[0]), {1: box}, found.get(0))
    for index, image in enumerate(images[1:], start=1):
        follower.update(frame_of(index, image), index in cuts, found.get(index))
    return follower.finish()[1]


def detections(*boxes, label="dog"):
    n = len(boxes)
    return Detections(np.array(boxes, np.float32).reshape(n, 4), np.full(n, 0.8, np.float32), (label,) * n)


def test_a_moving_thing_stays_in_its_box():
    places = [(40 + 3 * k, 50 + k) for k in range(25)]
    track = follow([picture({place: THING}) for place in places], box_at(40, 50))
    assert track.seen.all()
    assert min(overlap(track.boxes_xyxy_px[k], box_at(*places[k])) for k in range(25)) > 0.7
    assert track.label is None
    assert track.times_s == pytest.approx(np.arange(25) * STEP_S)


def test_a_thing_that_vanishes_is_lost_at_once_and_recognised_elsewhere_when_it_returns():
    here, there = picture({(40, 50): THING}), picture({(140, 90): THING})
    track = follow([here] * 5 + [GROUND] * 15 + [there] * 12, box_at(40, 50))
    assert track.seen[:5].all()
    assert not track.seen[5:20].any()
    assert (track.boxes_xyxy_px[5:20] == 0).all()
    assert track.seen[-3:].all()
    assert overlap(track.boxes_xyxy_px[-1], box_at(140, 90)) > 0.6


def test_another_thing_in_the_place_of_a_lost_one_is_not_taken_for_it():
    other = speckled(77, 36, 28)
    track = follow([picture({(40, 50): THING})] * 5 + [picture({(40, 50): other})] * 15, box_at(40, 50))
    assert not track.seen[8:].any()


def test_a_thing_that_seems_to_be_back_for_a_moment_was_not_back():
    here = picture({(40, 50): THING})
    track = follow([here] * 4 + [GROUND] * 6 + [here] + [GROUND] * 4 + [here] * 6, box_at(40, 50))
    assert track.seen.tolist() == [True] * 4 + [False] * 11 + [True] * 6
    assert (track.boxes_xyxy_px[10] == 0).all()


def test_the_same_shape_in_other_colours_is_not_taken_for_a_lost_thing():
    # Bare road between two lines has the shape of many a part of a car.
    other = (THING // 2 + np.array([5, 125, 60])).astype(np.uint8)
    away = [GROUND] * 6 + [picture({(120, 80): other})] * 14
    images = [picture({(40, 50): THING})] * 4 + away
    track = follow(images, box_at(40, 50))
    assert not track.seen[4:].any()
    blind = PointedConfig(FilterConfig(patch_px=64), colours=0.0, found_colours=0.0)
    assert follow(images, box_at(40, 50), config=blind).seen[-4:].all()  # the filter alone takes it


def test_a_box_whose_colours_slowly_become_others_is_lost():
    tint = [np.linspace(0, 1, 40)[k] * np.array([-60.0, 70.0, 70.0]) for k in range(40)]
    images = [picture({(40, 50): np.clip(THING + t, 0, 255).astype(np.uint8)}) for t in tint]
    track = follow(images, box_at(40, 50))
    assert track.seen[:8].all()
    assert not track.seen[-5:].any()


def test_a_little_more_light_loses_nothing():
    images = [np.clip(picture({(40, 50): THING}).astype(int) + k, 0, 255).astype(np.uint8) for k in range(20)]
    assert follow(images, box_at(40, 50)).seen.all()


def test_what_lies_where_the_thing_was_is_not_learnt_as_the_thing():
    # The thing fades into the ground over two seconds: every step is small, and the filter would go along.
    steps = np.linspace(1.0, 0.0, 50)
    images = [(w * picture({(40, 50): THING}) + (1 - w) * GROUND).astype(np.uint8) for w in steps]
    track = follow(images + [GROUND] * 10, box_at(40, 50))
    assert track.seen[:20].all()
    assert not track.seen[-10:].any()


def test_a_thing_that_walks_out_of_the_picture_is_not_seen_outside():
    places = [(150 + 4 * k, 60) for k in range(18)]  # its left edge passes the border at 200 on frame 13
    track = follow([picture({place: THING}) for place in places], box_at(150, 60))
    assert track.seen[:8].all()
    assert not track.seen[14:].any()
    assert track.boxes_xyxy_px[track.seen].max() <= SIZE[0]


def test_black_frames_show_nothing_and_are_survived():
    image, black = picture({(40, 50): THING}), np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    track = follow([image] * 4 + [black] * 4 + [image] * 6, box_at(40, 50))
    assert not track.seen[4:8].any()
    assert track.seen[-4:].all()


def test_after_a_cut_a_thing_is_told_only_when_it_is_recognised():
    image = picture({(40, 50): THING})
    elsewhere = speckled(5, *SIZE, grain=12)
    track = follow([image] * 4 + [elsewhere] * 6 + [image] * 6, box_at(40, 50), cuts=(4, 10))
    assert not track.seen[4:10].any()
    assert track.seen[10:].all()


def test_a_box_of_one_pixel_is_followed_or_lost_but_never_breaks():
    image = GROUND.copy()
    image[60, 70] = (255, 0, 0)
    track = follow([image] * 6, (70.0, 60.0, 71.0, 61.0))
    assert track.seen.all()
    assert np.isfinite(track.boxes_xyxy_px).all()
    assert track.boxes_xyxy_px[-1] == pytest.approx((70, 60, 71, 61), abs=1.5)


def test_two_hundred_things_are_followed_at_once():
    rng = np.random.default_rng(0)
    boxes = {n: tuple(map(float, (x, y, x + 12, y + 10))) for n, (x, y) in enumerate(rng.integers(0, 120, (200, 2)), 1)}
    follower = PointedFollower(PointedConfig(FilterConfig(patch_px=32)))
    follower.start(frame_of(0, GROUND), boxes, None)
    follower.update(frame_of(1, GROUND), False, None)
    tracks = follower.finish()
    assert sorted(tracks) == list(range(1, 201))
    assert sum(bool(track.seen[1]) for track in tracks.values()) > 150  # on one and the same picture
    assert PointedFollower().finish() == {}


def test_detections_of_the_thing_put_the_box_right_and_name_it():
    places = [(40 + 3 * k, 50) for k in range(20)]
    images = [picture({place: THING}) for place in places]
    found = {k: detections(box_at(*places[k])) for k in range(0, 20, 4)}
    track = follow(images, box_at(40, 50), found)
    assert track.label == "dog"
    assert track.boxes_xyxy_px[16] == pytest.approx(box_at(*places[16]), abs=0.01)


def test_a_thing_that_comes_into_a_box_of_bare_ground_is_not_what_was_given():
    images = [picture({})] * 4 + [picture({(20 + 5 * k, 50): THING}) for k in range(8)]
    box = box_at(40, 50)
    found = {k: detections(box_at(20 + 5 * (k - 4), 50)) for k in range(4, 12)}  # fully inside the box on frame 8
    track = follow(images, box, found)
    assert track.label is None
    assert not track.seen[7:].any()


def test_a_box_that_is_part_of_a_detection_keeps_its_place_in_it():
    image = picture({(40, 50): THING})
    part, whole = (44.0, 52.0, 76.0, 74.0), box_at(40, 50)
    moved = picture({(52, 58): THING})
    track = follow([image, moved], part, {0: detections(whole), 1: detections(box_at(52, 58))})
    assert track.boxes_xyxy_px[1] == pytest.approx((56, 60, 88, 82), abs=0.01)


def test_a_detection_that_hardly_covers_the_box_has_nothing_to_do_with_it():
    image = picture({(40, 50): THING})
    large = (0.0, 0.0, 190.0, 130.0)
    track = follow([image] * 6, box_at(40, 50), {k: detections(large) for k in range(6)})
    assert track.label is None
    assert overlap(track.boxes_xyxy_px[-1], box_at(40, 50)) > 0.8


def test_thresholds_out_of_order_are_refused():
    with pytest.raises(ConfigError, match="peaks must not fall"):
        PointedConfig(lost_peak=0.5)
