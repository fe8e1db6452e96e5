"""One decode for boxes and classes, on small drawn videos with a detector that finds what is red."""

from collections.abc import Mapping

import numpy as np
import pytest
from follow_worlds import SIZE, THING, RedDetector, frame_of, overlap, picture, speckled

from onlooker.errors import ConfigError, DecodeError, NotAVideoError, UnknownNameError
from onlooker.formats.run_lengths import mask_box
from onlooker.synth.clips import make_clip
from onlooker.types import Detections
from onlooker.video.following import passes
from onlooker.video.following.correlation import FilterConfig
from onlooker.video.following.looking import Overheard
from onlooker.video.following.passes import FollowTools, Outliner, follow_video
from onlooker.video.following.pointed import PointedConfig, PointedFollower
from onlooker.video.following.request import FollowRequest
from onlooker.video.following.segmented import SegmentedFollower
from onlooker.video.masks.config import MaskConfig
from onlooker.video.tracklets import TrackletTracker
from onlooker.video.tracklets.config import SamplingConfig, TrackletConfig

RED = np.zeros((24, 20, 3), np.uint8) + np.array([240, 20, 20], np.uint8)
STILL = (60, 20)


def world(n=20):
    """A red thing walks right along the bottom, a speckled one stands at the top."""
    return [picture({(20 + 4 * k, 100): RED, STILL: THING}) for k in range(n)]


def red_box(k):
    return (20.0 + 4 * k, 100.0, 40.0 + 4 * k, 124.0)


STILL_BOX = (60.0, 20.0, 96.0, 48.0)


def tools(request, detector=None, follower=None, outliner=None):
    heard = Overheard(detector or RedDetector())
    config = TrackletConfig(sampling=SamplingConfig(detector_hz=8.0))
    given = follower or PointedFollower(PointedConfig(FilterConfig(patch_px=64)))
    return FollowTools(
        detector=heard,
        tracker=TrackletTracker(heard, None, config),
        follower=given if request.boxes else None,
        composed=isinstance(given, PointedFollower),
        outliner=outliner,
        categories=heard.categories,
        models={"detector": "red@1"},
    )


def run(request, make=tools):
    steps = follow_video(request, make)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("follow") / "yard.mp4", world())


def test_boxes_and_classes_come_from_one_decode_and_one_detector_pass(clip, monkeypatch):
    opened, detector = [], RedDetector()
    real = passes.VideoReader
    monkeypatch.setattr(passes, "VideoReader", lambda path: opened.append(path) or real(path))
    both = FollowRequest(clip, (STILL_BOX, red_box(0)), classes=("Person",))
    result = run(both, lambda request: tools(request, detector))
    assert opened == [clip]
    assert detector.n_looks <= 8  # 0.8 s at 8 looks a second; the follower paid for none of its own
    still, walker, found = result.tracks
    assert [(t.number, t.source, t.label) for t in result.tracks] == [
        (1, "box", None),
        (2, "box", "person"),
        (3, "class", "person"),
    ]
    assert (still.same_as, walker.same_as, found.same_as) == ((), (3,), (2,))
    assert len(result.frames) == len(walker.frames) == 20
    assert overlap(still.boxes_xyxy_px[-1], STILL_BOX) > 0.7
    assert overlap(walker.boxes_xyxy_px[-1], red_box(19)) > 0.7


def test_boxes_belong_to_the_nearest_frame_and_are_followed_from_there(clip):
    result = run(FollowRequest(clip, (red_box(10),), at_s=0.41))  # frames are 0.04 s apart: frame 10 is at 0.40 s
    (track,) = result.tracks
    assert track.frames.tolist() == list(range(10, 20))
    assert len(result.frames) == 20
    later = run(FollowRequest(clip, (red_box(11),), at_s=0.43))
    assert later.tracks[0].frames[0] == 11


def test_only_the_wanted_stretch_is_looked_at_under_the_file_s_own_frame_numbers(clip):
    result = run(FollowRequest(clip, (red_box(5),), at_s=0.2, from_s=0.2, to_s=0.4))
    assert [frame for frame, _ in result.frames] == [5, 6, 7, 8, 9]
    assert result.end_s == pytest.approx(0.4)


def test_the_last_frame_can_be_pointed_at(clip):
    (track,) = run(FollowRequest(clip, (red_box(19),), at_s=0.79)).tracks
    assert track.frames.tolist() == [19]


def test_a_time_after_the_end_is_refused_even_when_the_container_promised_more(clip, monkeypatch):
    monkeypatch.setattr(passes, "check_against_video", lambda request, info: request.boxes)
    with pytest.raises(ConfigError, match=r"boxes are of 3 s, but the video ends at 0\.80 s"):
        run(FollowRequest(clip, (STILL_BOX,), at_s=3.0))
    with pytest.raises(ConfigError, match=r"ends at 0\.80 s: there is nothing from 3 s on"):
        run(FollowRequest(clip, classes=("car",), from_s=3.0))


def test_an_unknown_class_names_the_nearest_before_anything_is_decoded(clip, monkeypatch):
    monkeypatch.setattr(passes, "VideoReader", None)
    with pytest.raises(UnknownNameError, match="did you mean `person`"):
        run(FollowRequest(clip, classes=("persn",)))


def test_models_are_not_built_for_a_request_that_does_not_fit_the_video(clip):
    with pytest.raises(ConfigError, match="outside the frame"):
        run(FollowRequest(clip, ((500, 500, 510, 510),)), lambda request: pytest.fail("built"))


def test_a_class_that_is_not_there_has_no_tracks(clip):
    assert run(FollowRequest(clip, classes=("dog",))).tracks == ()


def test_a_class_that_is_not_on_the_first_frame_begins_when_it_comes(tmp_path):
    empty = [picture({STILL: THING})] * 8
    path = make_clip(tmp_path / "late.mp4", empty + world(12))
    (track,) = run(FollowRequest(path, classes=("person",))).tracks
    assert track.frames[track.measured][0] == 8
    assert track.frames[0] > 2  # drawn back over no more than the frames nobody looked at
    assert overlap(track.boxes_xyxy_px[-1], red_box(11)) > 0.5


def test_files_that_are_no_videos_are_refused(tmp_path):
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("not a video")
    for path in (empty, text, tmp_path / "missing.mp4"):
        with pytest.raises((NotAVideoError, DecodeError)):
            run(FollowRequest(path, classes=("person",)))


def test_a_file_that_breaks_off_gives_what_it_has_and_says_so(clip, tmp_path):
    whole = make_clip(tmp_path / "whole.ts", world(40))
    path = tmp_path / "half.ts"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10 // 188 * 188 + 90])
    result = run(FollowRequest(path, (red_box(0),)))
    assert 5 <= len(result.frames) < 40
    assert len(result.tracks[0].frames) == len(result.frames)


def test_boxes_are_of_the_turned_picture(tmp_path):
    images = [np.rot90(image) for image in world(6)]  # stored a quarter turn off, turned back when shown
    path = make_clip(tmp_path / "phone.mp4", [np.ascontiguousarray(i) for i in images], rotation_deg=90)
    result = run(FollowRequest(path, (red_box(0),)))
    assert (result.info.width, result.info.height) == SIZE
    assert overlap(result.tracks[0].boxes_xyxy_px[-1], red_box(5)) > 0.7


def test_times_of_a_variable_rate_are_those_of_the_file(tmp_path):
    stamps = [0.0, 0.04, 0.08, 0.5, 0.54, 1.0]
    path = make_clip(tmp_path / "vfr.mp4", world(6), stamps)
    (track,) = run(FollowRequest(path, (red_box(3),), at_s=0.45)).tracks
    assert track.times_s == pytest.approx([0.5, 0.54, 1.0], abs=1e-3)


def test_a_cut_is_told_and_what_is_not_in_the_new_shot_is_lost(tmp_path):
    other = speckled(5, *SIZE, grain=30)
    path = make_clip(tmp_path / "cut.mp4", world(8) + [other] * 8)
    result = run(FollowRequest(path, (STILL_BOX,)))
    assert result.cuts_s == pytest.approx((0.32,), abs=1e-3)
    assert result.tracks[0].seen.tolist() == [True] * 8 + [False] * 8


def test_a_file_that_changes_its_size_keeps_the_coordinates_of_its_first_frame(tmp_path):
    first = make_clip(tmp_path / "a.ts", world(6)).read_bytes()
    half = [np.ascontiguousarray(image[::2, ::2]) for image in world(6)]
    path = tmp_path / "joined.ts"
    path.write_bytes(first + make_clip(tmp_path / "b.ts", half).read_bytes())
    result = run(FollowRequest(path, (STILL_BOX,)))
    assert (result.info.width, result.info.height) == SIZE
    assert len(result.tracks[0].frames) == len(result.frames) == 12


class RedSegmenter:
    """Knows no more than what is red: gives every object the red pixels inside a margin around its last mask."""

    name, version = "red-masks", "1"

    def start(self, frame, prompts):
        return _RedSession(frame, prompts)


class _RedSession:
    def __init__(self, frame, prompts) -> None:
        self.ids, self.cuts = tuple(prompts), 0
        self.masks: Mapping[int, np.ndarray] = self.step(frame)

    def step(self, frame):
        image = frame.astype(int)
        red = (image[..., 0] > 200) & (image[..., 1] < 90)
        self.masks = dict.fromkeys(self.ids, red)
        return self.masks

    def cut(self):
        self.cuts += 1

    def add(self, prompts):
        self.ids += tuple(prompts)
        return self.masks

    def remove(self, number):
        self.ids = tuple(known for known in self.ids if known != number)


def test_a_segmenter_outlines_what_was_found_by_class(clip):
    outliner = Outliner(RedSegmenter(), MaskConfig())
    result = run(FollowRequest(clip, classes=("person",)), lambda request: tools(request, outliner=outliner))
    (track,) = result.tracks
    assert result.gives_masks
    assert sorted(track.masks) == track.frames.tolist()
    x1, y1, x2, y2 = mask_box(track.masks[10], SIZE[1], SIZE[0])
    assert (x1, y1, x2, y2) == pytest.approx(red_box(10), abs=1)


def test_a_segmenter_gives_masks_and_the_box_around_them_and_loses_what_has_no_mask(tmp_path):
    gone = [picture({STILL: THING})] * 3
    path = make_clip(tmp_path / "red.mp4", world(5) + gone)
    result = run(
        FollowRequest(path, (red_box(0),)),
        lambda request: tools(request, follower=SegmentedFollower(RedSegmenter())),
    )
    (track,) = result.tracks
    assert result.gives_masks
    assert track.seen.tolist() == [True] * 5 + [False] * 3
    assert track.boxes_xyxy_px[4] == pytest.approx(red_box(4), abs=1)
    assert sorted(track.masks) == [0, 1, 2, 3, 4]
    assert track.scores is None


def test_what_a_detector_says_of_one_frame_is_asked_for_once():
    detector = RedDetector()
    heard = Overheard(detector)
    frames = [_frame(0), _frame(1)]
    assert heard.heard(frames[0]) is None
    assert len(heard.detect([frames[0].image])[0]) == 1
    assert isinstance(heard.heard(frames[0]), Detections)
    assert heard.heard(frames[1]) is None
    heard.looked_at(frames[0])
    assert detector.n_looks == 1
    heard.looked_at(frames[1])
    assert detector.n_looks == 2


def _frame(index):
    return frame_of(index, world(2)[index])
