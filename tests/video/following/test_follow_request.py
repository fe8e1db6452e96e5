"""What may be asked to be followed."""

from pathlib import Path

import pytest

from onlooker.errors import ConfigError
from onlooker.types import VideoInfo
from onlooker.video.following.request import FollowRequest, check_against_video

BOX = (10.0, 10.0, 30.0, 30.0)
FILE = Path("a.mp4")


def info(duration_s=2.0, size=(100, 80)):
    return VideoInfo("a.mp4", *size, 25.0, duration_s, None, False, "h264", "mp4", "yuv420p")


def test_asking_for_nothing_is_refused():
    with pytest.raises(ConfigError, match=r"nothing to follow.*box.*class"):
        FollowRequest(FILE)


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((30, 10, 10, 30), "no extent"),
        ((10, 10, 10, 30), "no extent"),
        ((10, 30, 30, 30), "no extent"),
        ((float("nan"), 0, 5, 5), "finite"),
        ((0, 0, float("inf"), 5), "finite"),
    ],
)
def test_a_box_without_extent_or_of_no_numbers_is_refused_by_its_place(box, words):
    with pytest.raises(ConfigError, match=f"box 2 .*{words}"):
        FollowRequest(FILE, (BOX, box))


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"at_s": -1.0}, "`at` is a second"),
        ({"from_s": float("nan")}, "`from` is a second"),
        ({"from_s": 3.0, "at_s": 3.0, "to_s": 2.0}, "`to` must be later"),
        ({"at_s": 5.0, "to_s": 5.0}, "not in the stretch"),
        ({"at_s": 0.5, "from_s": 1.0}, "not in the stretch"),
    ],
)
def test_times_that_cannot_be_are_refused(times, words):
    with pytest.raises(ConfigError, match=words):
        FollowRequest(FILE, (BOX,), **times)


def test_the_time_of_boxes_does_not_bind_a_request_without_boxes():
    assert FollowRequest(FILE, classes=("person",), from_s=3.0).at_s == 0.0


def test_a_box_partly_outside_is_cut_and_one_outside_is_refused_with_the_frame_size():
    partly = FollowRequest(FILE, ((-5.0, 60.0, 20.0, 200.0),))
    assert check_against_video(partly, info()) == ((0.0, 60.0, 20.0, 80.0),)
    for box in ((100.0, 0.0, 120.0, 20.0), (0.0, -20.0, 20.0, 0.0)):
        with pytest.raises(ConfigError, match=r"box 1, .* outside the frame of 100x80"):
            check_against_video(FollowRequest(FILE, (box,)), info())


def test_a_time_after_the_end_is_refused_before_anything_is_decoded():
    with pytest.raises(ConfigError, match=r"2\.00 s long, there is nothing at 2\.5 s"):
        check_against_video(FollowRequest(FILE, (BOX,), at_s=2.5), info())
    # A container that does not say how long it is has to be decoded to know.
    assert check_against_video(FollowRequest(FILE, (BOX,), at_s=2.5), info(duration_s=None)) == (BOX,)


def test_a_thousand_boxes_are_the_most():
    assert len(FollowRequest(FILE, (BOX,) * 1000).boxes) == 1000
    with pytest.raises(ConfigError, match="at most 1000"):
        FollowRequest(FILE, (BOX,) * 1001)
