"""The role `tracker` played by an OmniTracker network: looks, the boxes between them, gaps and cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import ConfigError, FormatError, ShapeError, UnknownNameError
from onlooker.methods.trackers.omnitracker import CONFIGS, METHOD, OmniTrackerNetwork
from onlooker.methods.trackers.omnitracker.detections import Detected, FrameTracks
from onlooker.models.own.omnitracker import OmniTracklets
from onlooker.types import Frame, TrackingResult
from onlooker.video import protocols
from onlooker.video.wiring import ModelPool, Settings, parse_role_choice


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("omnitracker")
    made = METHOD.create(CONFIGS["tiny"], 0)
    assert isinstance(made, OmniTrackerNetwork)
    made.save_pretrained(folder)
    (folder / "labels.txt").write_text("\n".join(["cat", "dog", "cow", "car", "bus", "bin", "cup"]))
    return folder


def frame(index: int, time_s: float, size: tuple[int, int] = (48, 64)) -> Frame:
    picture = np.random.default_rng(index).integers(0, 255, (*size, 3), dtype=np.uint8)
    return Frame.from_image(index, time_s, picture)


class Script:
    """Stands in for the network: what it answers, look by look."""

    def __init__(self, *answers: list[tuple[int, float, int]]) -> None:
        self.answers, self.cuts = list(answers), []

    def __call__(self, image: object, time_s: float, cut: bool) -> FrameTracks:
        import torch

        self.cuts.append(cut)
        rows = [
            Detected(uid, np.array([x, 10.0, x + 20, 30.0]), 0.8, category, torch.ones(2), None)
            for uid, x, category in self.answers.pop(0)
        ]
        return FrameTracks.of(rows, (48, 64))


def run(
    weights: Path, script: Script, monkeypatch: pytest.MonkeyPatch, n: int, cuts: tuple[int, ...] = (), hz: float = 5.0
) -> TrackingResult:
    """Frames at 25 per second."""
    tracker = OmniTracklets(str(weights), hz=hz)
    monkeypatch.setattr(tracker._tracker, "update", script)
    for index in range(n):
        tracker.update(frame(index, index / 25), index in cuts)
    return tracker.finish()


def test_boxes_between_two_looks_lie_on_a_straight_line(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(weights, Script([(4, 0.0, 1)], [(4, 10.0, 1)], [(4, 10.0, 2)]), monkeypatch, 11)
    (tracklet,) = result.tracklets
    assert result.n_detector_runs == 3
    assert tracklet.number == 1
    assert tracklet.category == "dog"
    assert tracklet.frames.tolist() == list(range(11))
    assert tracklet.boxes_xyxy_px[:6, 0].tolist() == pytest.approx([0, 2, 4, 6, 8, 10])
    assert np.flatnonzero(tracklet.detected).tolist() == [0, 5, 10]
    assert tracklet.gaps == ()
    assert result.crops[1]


def test_a_look_that_saw_nothing_leaves_a_gap(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(weights, Script([(1, 0.0, 1)], [], [(1, 10.0, 1)], [(1, 10.0, 1)]), monkeypatch, 16)
    (tracklet,) = result.tracklets
    assert tracklet.frames.tolist() == [0, *range(10, 16)]
    assert [(gap.start_s, gap.end_s, gap.kind) for gap in tracklet.gaps] == [(0.0, 0.4, "occlusion")]


def test_nothing_is_drawn_across_a_cut(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script([(1, 0.0, 1)], [(1, 30.0, 1)], [(1, 30.0, 1)])
    result = run(weights, script, monkeypatch, 9, cuts=(3,))
    assert script.cuts == [False, True, False]
    (tracklet,) = result.tracklets
    assert tracklet.frames.tolist() == [0, *range(3, 9)]
    assert [gap.kind for gap in tracklet.gaps] == ["shot"]


def test_an_object_of_one_look_among_many_is_dropped(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(weights, Script([(1, 0.0, 1)], [(2, 0.0, 1)], [(2, 0.0, 1)]), monkeypatch, 11)
    assert [len(t) for t in result.tracklets] == [6]
    alone = run(weights, Script([(1, 0.0, 1)]), monkeypatch, 1)
    assert len(alone.tracklets) == 1


def test_objects_that_are_all_gone_end_and_a_first_look_without_any_is_no_beginning(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = run(weights, Script([(1, 0.0, 1)], [(1, 5.0, 1)], [], []), monkeypatch, 16)
    assert [t.frames.tolist() for t in gone.tracklets] == [list(range(6))]
    assert gone.tracklets[0].gaps == ()
    late = run(weights, Script([], [], [(1, 0.0, 1)], [(1, 5.0, 1)]), monkeypatch, 16)
    assert [t.frames.tolist() for t in late.tracklets] == [list(range(10, 16))]
    nobody = run(weights, Script([], [], [], []), monkeypatch, 16)
    assert (nobody.tracklets, nobody.crops, nobody.n_detector_runs) == ((), {}, 4)


def test_frames_out_of_order_and_no_frames(weights: Path) -> None:
    tracker = OmniTracklets(str(weights))
    assert tracker.finish().tracklets == ()
    tracker.update(frame(3, 0.5), False)
    with pytest.raises(ShapeError, match="in order"):
        tracker.update(frame(3, 0.6), False)


def test_the_role_is_filled_by_hand_and_every_video_gets_its_own(weights: Path) -> None:
    role, choice = parse_role_choice(f"tracker=omnitracker:weights={weights},hz=2,classes=cow; cup")
    pool = ModelPool(Settings(roles={role: choice}))
    first, second = pool.tracker(), pool.tracker()
    assert first is not second
    assert isinstance(first, OmniTracklets)
    assert isinstance(first, protocols.Tracker)
    assert pool.tracker_fingerprint().startswith("omnitracker@own+")
    for index in range(3):
        first.update(frame(index, index / 2, (48, 64 + 8 * (index == 2))), False)
    assert first.finish().n_detector_runs == 3


def test_the_tracker_is_the_bundled_one_where_nothing_is_said() -> None:
    pool = ModelPool(Settings())
    assert not pool.has("tracker")
    assert pool.tracker_fingerprint().startswith("tracklets@")


def test_labels_that_are_no_text_are_named(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfe\n")
    with pytest.raises(FormatError, match=r"labels.txt: not a text file"):
        OmniTracklets(str(weights), labels=str(tmp_path / "labels.txt"))
    (tmp_path / "labels.txt").write_text("\ufeff" + "\n".join("abcdefg"), encoding="utf-8")  # as some editors save
    assert OmniTracklets(str(weights), labels=str(tmp_path / "labels.txt")).categories == tuple("abcdefg")


def test_what_is_missing_is_said(weights: Path) -> None:
    with pytest.raises(ConfigError, match="no public OmniTracker weights"):
        OmniTracklets()
    with pytest.raises(ConfigError, match="`hz`"):
        OmniTracklets(str(weights), hz=0)
    with pytest.raises(ConfigError, match="no configuration `tinny`"):
        OmniTracklets(str(weights), config="tinny")
    with pytest.raises(UnknownNameError, match="did you mean `cow`"):
        OmniTracklets(str(weights), classes="cows")
