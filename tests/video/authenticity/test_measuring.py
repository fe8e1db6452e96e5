"""From scores to a threshold, its rates and a curve: what is fitted is not what is stated."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from authenticity_doubles import BrightnessJudge, FixedFaces, moving, scene
from PIL import Image as Pil

from onlooker.errors import ConfigError, MediaError, NothingFoundError
from onlooker.evaluation.alarm_rates import sigmoid
from onlooker.types import Image, Judgement
from onlooker.video.authenticity.files import verify_file
from onlooker.video.authenticity.measuring import fit_curve, measure
from onlooker.video.authenticity.own_files import (
    OwnFile,
    ScoredFile,
    check_apart,
    list_files,
    read_digests,
    score_files,
)
from onlooker.video.authenticity.pictures import Tools
from onlooker.video.authenticity.videos import VideoLook
from onlooker.weights.measured import JudgeIdentity, Measured

JUDGE = JudgeIdentity("brightness", "00" * 32)


def end_of(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def scored(logits, kind="image", salt="") -> list[ScoredFile]:
    return [
        ScoredFile(hashlib.sha256(f"{salt}{kind}{n}".encode()).hexdigest(), kind, ((sigmoid(float(x)),),))
        for n, x in enumerate(logits)
    ]


def measured(quiet, loud=(), rate=0.2) -> tuple[Measured, tuple[str, ...]]:
    return measure(JUDGE, "crop", quiet, list(loud), rate, ("mine", "fakes"))


def test_untouched_files_alone_give_threshold_and_rate() -> None:
    found, notes = measured(scored(np.linspace(-3, 3, 40)), rate=0.2)
    count = found.kinds["image"]
    assert (count.n_untouched, count.n_alarms) == (40, 3)  # P(at most 3 of 40 at 0.2) = 0.028, of 4 it is 0.076
    assert 0.15 < count.bound <= 0.2
    assert (found.found_share, found.auc, found.scale, found.n_fitted) == (None, None, 1.0, 0)
    assert "40 untouched pictures of the folder `mine`, 3 of which reach the threshold" in found.tested_on
    assert any("nobody knows what it finds" in note for note in notes)


def test_forged_files_are_counted_at_the_threshold_and_the_curve_is_of_other_files() -> None:
    rng = np.random.default_rng(0)
    quiet, loud = scored(rng.normal(0, 1, 90)), scored(rng.normal(2, 1, 60), salt="f")
    found, notes = measured(quiet, loud)
    assert (found.kinds["image"].n_untouched, found.n_forged, found.n_fitted) == (60, 40, 50)
    assert found.auc == pytest.approx(0.92, abs=0.06)
    assert found.found_share is not None
    assert 0.4 < found.found_share < 1
    # Both classes alike, normal at 0 and 2 with spread 1: the true curve is sigmoid(2 x - 2).
    assert (found.scale, found.shift) == (pytest.approx(2, abs=0.8), pytest.approx(-2, abs=0.9))
    assert notes == ()


def test_a_judge_that_is_wrong_is_not_turned_round() -> None:
    rng = np.random.default_rng(1)
    quiet, loud = scored(rng.normal(1, 1, 90)), scored(rng.normal(0, 1, 60), salt="f")
    found, notes = measured(quiet, loud)
    assert (found.scale, found.shift, found.n_fitted) == (1.0, 0.0, 0)
    assert found.auc is not None
    assert found.auc < 0.4
    assert "experimental" in found.tested_on
    assert any("do not get higher" in note for note in notes)
    assert any("tells little" in note for note in notes)


def test_the_curve_is_fitted_to_what_verify_says_of_videos() -> None:
    """A mean of looks, bent, is not the bent mean."""
    rng = np.random.default_rng(2)

    def clips(middle: float) -> list[ScoredFile]:
        looks = [[sigmoid(x) for x in rng.normal(middle, 2, 5)] for _ in range(60)]
        return [ScoredFile(f"{middle}{n}", "video", (tuple(one),)) for n, one in enumerate(looks)]

    quiet, loud = clips(0.0), clips(1.0)
    curve = fit_curve(quiet, loud)
    assert curve.scale > 1
    mean = np.mean([one.score(curve.scale, curve.shift) for one in [*quiet, *loud]])
    assert mean == pytest.approx(0.5, abs=0.03)
    two_faces = ScoredFile("x", "video", ((0.2, 0.4), (0.5, 0.3)))
    assert two_faces.score() == pytest.approx(0.4)


def test_a_kind_of_which_there_are_few_is_left_out_and_the_rate_holds_for_each_that_is_left() -> None:
    few = [*scored(np.linspace(-3, 0, 20)), *scored([5.0, 5.0], "video")]
    found, notes = measured(few)
    assert list(found.kinds) == ["image"]
    assert found.threshold < 0.6  # the two loud videos did not raise it
    assert any("2 videos were left out" in note for note in notes)
    both = [*scored(np.linspace(-3, 0, 22)), *scored(np.linspace(0, 3, 22), "video")]
    found, _ = measured(both)
    assert {kind: count.n_alarms for kind, count in found.kinds.items()} == {"image": 0, "video": 1}
    with pytest.raises(ConfigError, match="needs 14 untouched files, got 13"):
        measured([*scored(np.zeros(13)), *scored(np.zeros(12), "video")])


def test_too_few_files_for_a_curve_leave_the_threshold() -> None:
    found, notes = measured(scored(np.linspace(-3, 3, 16)), scored([4.0, 5.0], salt="f"))
    assert (found.n_fitted, found.n_forged, found.n_found, found.kinds["image"].n_untouched) == (0, 2, 2, 16)
    assert any("not fitted, which takes 30 untouched and 30 forged files" in note for note in notes)


def test_names_of_files_and_folders_stay_out_of_words() -> None:
    found, _ = measure(JUDGE, "face", scored(np.linspace(-1, 1, 14)), [], 0.2, ("my\x1b[31m`folder", None))
    assert "14 untouched pictures with faces of the folder `my_[31m_folder`" in found.tested_on


class RawBrightness(BrightnessJudge):
    def judge_raw(self, images: list[Image]) -> list[Judgement]:
        return super().judge(images)

    def judge(self, images: list[Image]) -> list[Judgement]:
        raise AssertionError("what was measured before must not be measured again")


def test_files_get_the_answer_verify_gives(tmp_path: Path, write_clip, deaf_rules) -> None:
    Pil.fromarray(scene(200, 300)).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("words")
    clip = write_clip(moving(60), "walk.mp4")
    boxes = FixedFaces([(5, 5, 60, 60), (40, 20, 100, 80)])
    files = end_of(read_digests(tmp_path, "files"))
    found = end_of(score_files(files, RawBrightness("face", 20), boxes, "files"))
    assert found.refused == Counter({"neither a picture nor a video that can be read": 1})
    for one, path in zip(found.files, (tmp_path / "a.png", clip), strict=True):
        verdict = end_of(verify_file(path, Tools(deaf_rules, (BrightnessJudge("face", 20),), boxes), VideoLook()))
        said = next(e for e in verdict.evidence if e.name == "brightness")
        assert one.kind == verdict.kind
        assert one.score() == pytest.approx(said.probability, abs=1e-12)
    none = end_of(score_files(files[:1], RawBrightness("face", 20), FixedFaces([]), "files"))
    assert none.files == ()
    assert next(iter(none.refused)) == "no face was found, and it judges faces only"


def test_folders_are_walked_without_what_is_hidden_and_each_content_once(tmp_path: Path) -> None:
    for name in ("b.png", "deep/a.png", ".hidden.png", ".cache/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("same" if name != "b.png" else "other")
    (tmp_path / "again.png").write_text("same")
    (tmp_path / "empty").mkdir()
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere")
    assert [path.name for path in list_files(tmp_path)] == ["again.png", "b.png", "a.png"]
    assert [one.path.name for one in end_of(read_digests(tmp_path, "files"))] == ["again.png", "b.png"]
    with pytest.raises(NothingFoundError, match="there are no files"):
        list_files(tmp_path / "empty")
    with pytest.raises(MediaError, match="is a file, expected a folder"):
        list_files(tmp_path / "b.png")
    with pytest.raises(MediaError, match="is not there"):
        list_files(tmp_path / "gone")


def test_files_that_are_both_untouched_and_forged_are_refused() -> None:
    mine, fakes = [OwnFile(Path("a.jpg"), "1"), OwnFile(Path("b.jpg"), "2")], [OwnFile(Path("c.jpg"), "2")]
    with pytest.raises(ConfigError, match=r"1 files are among .* \(`b.jpg`\)"):
        check_apart(mine, fakes)
    check_apart(mine[:1], fakes)
