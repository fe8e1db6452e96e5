"""Verdicts on videos: curves through time, who is who, odd clips."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from authenticity_doubles import BrightnessJudge, FixedFaces, moving, scene

from onlooker.errors import ConfigError, DecodeError, MediaError, NotAVideoError
from onlooker.media.marks import Mark
from onlooker.media.video_marks import mark_video
from onlooker.methods.forensics.media_forensics.rule_judge import RuleJudge
from onlooker.types import Detections, Image
from onlooker.video.authenticity.files import verify_file
from onlooker.video.authenticity.following import FaceLinker, Seen, overlap, owner_of
from onlooker.video.authenticity.pictures import Tools
from onlooker.video.authenticity.verdict import MarkFact, Verdict
from onlooker.video.authenticity.videos import VideoLook, verify_video

T = TypeVar("T")


def finish(steps: Generator[object, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def judged(path: Path, tools: Tools, **look: object) -> Verdict:
    return finish(verify_video(path, tools, VideoLook(**look)))  # type: ignore[arg-type]


def brightening(n: int = 20) -> list[Image]:
    """Dark at first, bright at the end."""
    ground = scene(96, 128).astype(np.float32) / 255
    return [np.clip((0.2 + 0.75 * k / (n - 1)) * 220 + 20 * ground, 0, 255).astype(np.uint8) for k in range(n)]


def test_the_curve_follows_the_frames_on_the_videos_own_clock(write_clip, deaf_rules: RuleJudge) -> None:
    times = np.cumsum([0, *[4, 12] * 9, 4]).tolist()
    path = write_clip(brightening(20), "uneven.mp4", times)
    judge = BrightnessJudge(tested_on="brightness", threshold=0.9, false_alarm_rate=0.01)
    verdict = judged(path, Tools(deaf_rules, (judge,)), every_s=0.01)
    curve = next(one for one in verdict.curves if one.label == "frames")
    np.testing.assert_allclose(curve.times_s, np.array(times) / 100, atol=0.011)
    assert curve.probabilities[-1] > curve.probabilities[0] + 0.4
    assert verdict.probability == pytest.approx(curve.mean)
    assert verdict.status == "nothing_found"
    assert verdict.sight is not None
    assert verdict.sight.time_s == pytest.approx(times[-1] / 100, abs=0.02)  # the brightest frame


def test_what_a_judge_notes_at_every_look_is_told_once(write_clip, deaf_rules: RuleJudge) -> None:
    verdict = judged(write_clip(moving(50)), Tools(deaf_rules, (BrightnessJudge(),)), every_s=0.5)
    said = next(one for one in verdict.evidence if one.name == "brightness")
    assert len(said.caveats) == len(set(said.caveats)) == 2


def test_looks_are_as_far_apart_as_asked(write_clip, rules: RuleJudge) -> None:
    verdict = judged(write_clip(moving(25), "a.mp4"), Tools(rules), every_s=0.4)
    curve = verdict.curves[0]
    assert curve.times_s == pytest.approx((0.0, 0.4, 0.8))
    assert verdict.status in ("nothing_found", "manipulation_suspected")
    assert verdict.probability is not None


def test_every_look_is_refused_out_of_range() -> None:
    for every_s in (0.0, -1.0, 1e9, float("nan")):
        with pytest.raises(ConfigError, match="every"):
            VideoLook(every_s)


def test_rules_of_no_use_on_video_are_asked_once_and_do_not_count(write_clip, deaf_rules: RuleJudge) -> None:
    verdict = judged(write_clip(moving(25), "a.mp4"), Tools(deaf_rules), every_s=0.2)
    assert verdict.status == "not_judged"
    assert verdict.curves == ()
    assert any(one.name == "noise_level" for one in verdict.evidence)
    assert next(one for one in verdict.facts if one.name == "looks").value == 5


class WalkingFaces(FixedFaces):
    """Two faces that walk a little from look to look; the second leaves after four looks."""

    def __init__(self) -> None:
        super().__init__([])
        self.look = 0

    def find(self, images: Sequence[Image]) -> list[Detections]:
        x = 3 * self.look
        rows = [(10 + x, 10, 50 + x, 50), (120 - x, 40, 160 - x, 80)][: 2 if self.look < 4 else 1]
        self.look += 1
        return [Detections(np.array(rows, np.float32), np.ones(len(rows), np.float32), ("face",) * len(rows))]


def test_faces_keep_their_number_and_get_a_curve_each(write_clip, deaf_rules: RuleJudge) -> None:
    frames = [np.where(np.arange(176)[None, :, None] < 100, 40, 220).astype(np.uint8).repeat(96, 0) for _ in range(24)]
    frames = [np.broadcast_to(frame[:, :, :1], (96, 176, 3)).copy() for frame in frames]
    judge = BrightnessJudge("face", 20, "faces", 0.7, 0.02)
    verdict = judged(write_clip(frames, "two.mp4"), Tools(deaf_rules, (judge,), WalkingFaces()), every_s=0.16)
    curves = {one.label: one for one in verdict.curves}
    assert set(curves) == {"frames", "face 1", "face 2"}
    assert len(curves["face 1"].times_s) == 6
    assert len(curves["face 2"].times_s) == 4
    assert curves["face 2"].mean > curves["face 1"].mean
    assert verdict.probability == pytest.approx(curves["face 2"].mean)
    assert verdict.status == "manipulation_suspected"
    assert curves["face 1"].boxes_xyxy_px[0] == (10, 10, 50, 50)


def test_links_by_hand() -> None:
    linker = FaceLinker()
    assert [one.number for one in linker.link([(0, 0, 10, 10), (50, 0, 60, 10)])] == [1, 2]
    assert [one.number for one in linker.link([(51, 0, 61, 10), (1, 0, 11, 10)])] == [2, 1]
    assert [one.number for one in linker.link([])] == []
    assert [one.number for one in linker.link([(1, 0, 11, 10)])] == [1]  # away for one look
    for _ in range(3):
        linker.link([])
    assert [one.number for one in linker.link([(1, 0, 11, 10)])] == [3]  # away too long
    assert overlap((0, 0, 10, 10), (0, 0, 10, 5)) == pytest.approx(0.5)
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0.0


def test_a_face_belongs_to_the_smallest_tracklet_around_it() -> None:
    around = [Seen(1, "tracklet 1 (car)", (0, 0, 100, 100), 1), Seen(2, "tracklet 2 (person)", (20, 0, 60, 100), 2)]
    assert owner_of((30, 10, 40, 20), around) == around[1]
    assert owner_of((80, 10, 90, 20), around) == around[0]
    assert owner_of((300, 10, 310, 20), around) is None


class OneTracklet:
    """A tracklet that stands at the right until half a second."""

    def at(self, time_s: float) -> Sequence[Seen]:
        return [Seen(7, "tracklet 7 (person)", (64, 0, 128, 96), 7)] if time_s < 0.5 else []


@pytest.mark.parametrize("need", ["crop", "face"])
def test_tracklets_of_a_library_name_the_curves(write_clip, deaf_rules: RuleJudge, need: str) -> None:
    judge = BrightnessJudge(need, 10, "anything", 0.5, 0.01)
    faces = FixedFaces([(80.0, 20.0, 110.0, 60.0), (5.0, 5.0, 30.0, 40.0)])
    path = write_clip(moving(25), "a.mp4")
    verdict = judged(path, Tools(deaf_rules, (judge,), faces), every_s=0.2, tracks=OneTracklet())
    curves = {one.label: one for one in verdict.curves}
    assert set(curves) == {"frames", "tracklet 7 (person)"}
    assert curves["tracklet 7 (person)"].tracklet == 7
    assert curves["tracklet 7 (person)"].times_s == pytest.approx((0.0, 0.2, 0.4))


def test_one_frame_is_a_video(write_clip, rules: RuleJudge) -> None:
    verdict = judged(write_clip(moving(1), "one.mp4"), Tools(rules))
    assert verdict.probability is not None
    assert len(verdict.curves[0].times_s) == 1


def test_a_black_video_is_not_judged(write_clip, rules: RuleJudge) -> None:
    verdict = judged(write_clip([np.zeros((96, 128, 3), np.uint8)] * 10, "black.mp4"), Tools(rules))
    assert verdict.status == "not_judged"
    assert "one colour" in (verdict.reason or "")


def test_a_cut_off_video_is_judged_as_far_as_it_goes_and_says_so(write_clip, tmp_path: Path, rules: RuleJudge) -> None:
    whole = write_clip(moving(50), "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    verdict = judged(tmp_path / "cut.mkv", Tools(rules), every_s=0.5)
    assert verdict.probability is not None
    assert verdict.problem is not None


def test_a_video_without_its_index_is_cut_off_not_something_else(write_clip, tmp_path: Path, tools: Tools) -> None:
    whole = write_clip(moving(20), "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DecodeError, match="is cut off: it begins like an MP4 video"):
        finish(verify_file(tmp_path / "cut.mp4", tools))


def test_the_mark_of_a_restored_video_is_told(write_clip, rules: RuleJudge) -> None:
    path = write_clip(moving(5))
    assert judged(path, Tools(rules)).mark is None
    mark_video(path, Mark("restored", "a network", "filled 3\x1b[31m percent"))
    assert judged(path, Tools(rules)).mark == MarkFact("restored", "a network", "filled 3 [31m percent")


def test_the_length_of_the_video_is_told(write_clip, deaf_rules: RuleJudge) -> None:
    verdict = judged(write_clip(moving(50)), Tools(deaf_rules))
    length = next(one for one in verdict.facts if one.name == "duration_s")
    assert length.value == pytest.approx(2.0, abs=0.05)


def test_the_content_decides_what_a_file_is(write_clip, tmp_path: Path, tools: Tools) -> None:
    clip = write_clip(moving(5), "clip.mp4")
    (tmp_path / "clip.jpg").write_bytes(clip.read_bytes())
    assert finish(verify_file(tmp_path / "clip.jpg", tools)).kind == "video"
    from PIL import Image as Pil

    Pil.fromarray(scene(96, 96)).save(tmp_path / "picture.png")
    (tmp_path / "picture.mp4").write_bytes((tmp_path / "picture.png").read_bytes())
    assert finish(verify_file(tmp_path / "picture.mp4", tools)).kind == "image"


def test_what_is_neither_is_refused(tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "words.mp4").write_text("words, many words\n" * 50)
    with pytest.raises(MediaError, match="neither a picture nor a video"):
        finish(verify_file(tmp_path / "words.mp4", tools))
    with pytest.raises(NotAVideoError):
        finish(verify_video(tmp_path / "words.mp4", tools))
