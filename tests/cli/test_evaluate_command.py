from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from typer.testing import CliRunner

from onlooker.cli import app as command
from onlooker.cli.app import app
from onlooker.cli.evaluating import RulesName, TrackFormatName
from onlooker.errors import FormatError, NothingFoundError
from onlooker.evaluation.track_files import Rules, TrackFormat, TrackOptions, evaluate_tracks
from onlooker.formats import davis, mot, mots, single_object, ytvis
from onlooker.formats.run_lengths import encode_mask

pytest.importorskip("trackeval", reason="tracking scores need trackeval")


def rows(shift: float = 0.0, frames: int = 4, number: int = 1) -> list[mot.MotRow]:
    return [mot.MotRow(t, number, (shift, 0, shift + 10, 10), 1.0) for t in range(1, frames + 1)]


def run(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["evaluate", "track", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        mot.write_rows(tmp_path / "truth" / f"{name}.txt", rows())
    mot.write_rows(tmp_path / "found" / "a.txt", rows(number=9))
    mot.write_rows(tmp_path / "found" / "b.txt", [*rows(frames=2), *rows(frames=4, number=2)[2:]])
    return tmp_path


def test_names_of_formats_and_rules_are_those_of_the_library():
    assert tuple(name.value for name in TrackFormatName) == get_args(TrackFormat)
    assert tuple(name.value for name in RulesName) == get_args(Rules)


def test_boxes_as_json_with_every_sequence(boxes: Path):
    code, out, _ = run(boxes / "found", boxes / "truth", "--format", "mot", "--fps", "2", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["sequences"]["a"]["IDF1"] == 100
    assert report["sequences"]["b"]["id_switches"] == 1
    # One switch in 2 s in view; 2 tracks for 1 truth.
    assert report["sequences"]["b"]["id_switches_per_object_minute"] == pytest.approx(30)
    assert report["sequences"]["b"]["count_error"] == 100
    assert report["overall"]["MOTA"] == pytest.approx(100 * (8 - 1) / 8)


def test_boxes_as_a_table_without_rates_nobody_knows(boxes: Path):
    code, out, _ = run(boxes / "found", boxes / "truth", "--format", "mot")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["sequence", "a", "b", "overall"]
    assert "nan" not in out.lower()
    assert evaluate_tracks(boxes / "found", boxes / "truth", "mot").overall["id_switches_per_object_minute"] is None


def test_the_only_sequences_of_both_sides_are_paired_and_it_is_said(boxes: Path):
    mot.write_rows(boxes / "mine" / "x.txt", rows())
    for words in ((), ("--json",)):
        code, out, err = run(boxes / "mine", boxes / "truth" / "a.txt", "--format", "mot", *words)
        assert code == 0
        said = "the only sequence of the predictions, `x`, is scored against the only one of the truth, `a`"
        assert [said in line for line in err.splitlines()] == [True]
    assert said in json.loads(out)["notes"][0]
    assert evaluate_tracks(boxes / "found" / "a.txt", boxes / "truth" / "a.txt", "mot").notes == ()


def test_missing_and_surplus_sequences_and_late_frames_are_errors(boxes: Path):
    (boxes / "found" / "b.txt").rename(boxes / "found" / "c.txt")
    with pytest.raises(FormatError, match=r"found` lacks 1 of the sequences .*: b"):
        evaluate_tracks(boxes / "found", boxes / "truth", "mot")
    mot.write_rows(boxes / "found" / "b.txt", rows())
    with pytest.raises(FormatError, match=r"truth` lacks 1 .*: c"):
        evaluate_tracks(boxes / "found", boxes / "truth", "mot")
    mot.write_rows(boxes / "late.txt", rows(frames=5))
    with pytest.raises(FormatError, match=r"late.txt:5: frame 5, but the truth .* ends at 4"):
        evaluate_tracks(boxes / "late.txt", boxes / "truth" / "a.txt", "mot")
    with pytest.raises(NothingFoundError, match="does not exist"):
        evaluate_tracks(boxes / "nowhere", boxes / "truth", "mot")


def test_exit_codes_tell_failure_usage_and_nothing_found(boxes: Path, monkeypatch: pytest.MonkeyPatch):
    def code_of(*words: str | Path) -> int:
        monkeypatch.setattr("sys.argv", ["onlooker", "evaluate", "track", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            command.main()
        return int(left.value.code or 0)

    (boxes / "bad.txt").write_text("1,1,0,0\n")
    assert code_of(boxes / "found", boxes / "truth", "--format", "mot") == 0
    assert code_of(boxes / "bad.txt", boxes / "truth" / "a.txt", "--format", "mot") == 1
    assert code_of(boxes / "found", boxes / "truth", "--format", "mott") == 2
    assert code_of(boxes / "nowhere", boxes / "truth", "--format", "mot") == 3


def test_an_empty_file_is_a_tracker_that_found_nothing(boxes: Path):
    (boxes / "none.txt").write_text("")
    report = evaluate_tracks(boxes / "none.txt", boxes / "truth" / "a.txt", "mot")
    assert (report.overall["MOTA"], report.overall["tracks"]) == (0, 0)


def test_truth_without_an_object_is_nothing_found_and_no_table_of_zeros(tmp_path: Path):
    mot.write_rows(tmp_path / "found.txt", rows(frames=1))
    (tmp_path / "none.txt").write_text("")
    (tmp_path / "ignored.txt").write_text("1,1,0,0,5,5,0,1,1\n")
    (tmp_path / "car.txt").write_text("1,1,0,0,5,5,1,3,1\n")
    for name, options in (("none", None), ("ignored", None), ("car", TrackOptions(rules="mot17"))):
        with pytest.raises(NothingFoundError, match=rf"{name}.txt`: holds no object .* looked for a row whose seventh"):
            evaluate_tracks(tmp_path / "found.txt", tmp_path / f"{name}.txt", "mot", options)
    assert evaluate_tracks(tmp_path / "found.txt", tmp_path / "car.txt", "mot").overall["true_tracks"] == 1
    ground = np.zeros((2, 8, 8), np.uint8)
    davis.write_sequence(tmp_path / "masks" / "a", ground)
    ignored = encode_mask(np.ones((4, 4), np.bool_))
    mots.write_rows(tmp_path / "regions.txt", [mots.MotsRow(1, 10000, mots.IGNORED, 4, 4, ignored)])
    (tmp_path / "box.txt").write_text("0,0,5,5\n")
    (tmp_path / "absent.txt").write_text("0,0,0,0\n")
    crowd = {"id": 1, "video_id": 1, "category_id": 1, "iscrowd": 1, "bboxes": [[0, 0, 4, 4]], "areas": [16]}
    crowd["segmentations"] = [{"size": [4, 4], "counts": ignored.decode()}]
    videos = [{"id": 1, "width": 4, "height": 4, "length": 1, "file_names": ["a/0.jpg"]}]
    (tmp_path / "crowd.json").write_text(
        json.dumps({"videos": videos, "categories": [{"id": 1, "name": "x"}], "annotations": [crowd]})
    )
    (tmp_path / "results.json").write_text("[]")
    for found, truth, form, said in (
        ("masks", "masks", "davis", "not ground"),
        ("none.txt", "regions.txt", "mots", "class other than 10"),
        ("box.txt", "absent.txt", "sot", "box with an area"),
        ("results.json", "crowd.json", "ytvis", "no crowd"),
    ):
        with pytest.raises(NothingFoundError, match=f"looked for .*{said}"):
            evaluate_tracks(tmp_path / found, tmp_path / truth, form)  # type: ignore[arg-type]


def test_rules_of_mot17_are_applied_on_request_and_hinted_at(tmp_path: Path):
    distractor = [mot.MotRow(1, 5, (50, 0, 60, 10), 1.0, 8, 1.0)]
    gt = tmp_path / "S" / "gt" / "gt.txt"
    mot.write_rows(gt, [*(mot.MotRow(1, 1, (0, 0, 10, 10), 1.0, 1, 1.0),), *distractor])
    (tmp_path / "S" / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\nseqLength=3\n")
    mot.write_rows(tmp_path / "r.txt", [mot.MotRow(1, 1, (0, 0, 10, 10)), mot.MotRow(1, 2, (50, 0, 60, 10))])
    plain = evaluate_tracks(tmp_path / "r.txt", tmp_path / "S", "mot")
    assert plain.overall["true_tracks"] == 2
    assert "forgives" in plain.notes[1]
    ruled = evaluate_tracks(tmp_path / "r.txt", tmp_path / "S", "mot", TrackOptions(rules="mot17"))
    assert (ruled.overall["true_tracks"], ruled.overall["tracks"], len(ruled.notes)) == (1, 1, 1)


def test_masks_of_davis(tmp_path: Path):
    truth = np.zeros((4, 12, 12), np.uint8)
    truth[:, 2:6, 2:6], truth[:, 8:, 8:] = 1, 2
    for side, labels in (("t", truth), ("p", np.where(truth == 2, 0, truth))):
        davis.write_sequence(tmp_path / side / "dog", labels)
        davis.write_sequence(tmp_path / side / "cat", truth)
    report = evaluate_tracks(tmp_path / "p", tmp_path / "t", "davis")
    # Over objects, not over sequences: three of four are right; half of them in `dog`.
    assert (report.overall["J&F"], report.overall["objects"]) == (75, 4)
    assert report.sequences["dog"]["J"] == 50
    (tmp_path / "p" / "dog" / "00002.png").unlink()
    with pytest.raises(FormatError, match=r"dog: lacks `00002\.png` \(3 masks predicted, 4 in the truth\)"):
        evaluate_tracks(tmp_path / "p", tmp_path / "t", "davis")


def test_masks_of_mots(tmp_path: Path):
    mask, other = np.zeros((2, 6, 8), bool)
    mask[:3], other[3:] = True, True
    truth = [mots.MotsRow(t, 2001, 2, 6, 8, encode_mask(mask)) for t in (1, 2, 3)]
    cars = [mots.MotsRow(t, 1001, 1, 6, 8, encode_mask(other)) for t in (1, 2, 3)]
    mots.write_rows(tmp_path / "t.txt", [*truth, *cars])
    mots.write_rows(tmp_path / "p.txt", [*truth[:2], *cars])
    report = evaluate_tracks(tmp_path / "p.txt", tmp_path / "t.txt", "mots")
    assert report.sequences["t class 1"]["sMOTSA"] == 100
    assert report.sequences["t class 2"]["sMOTSA"] == pytest.approx(200 / 3)
    mots.write_rows(tmp_path / "p.txt", [*truth, mots.MotsRow(2, 2002, 2, 6, 8, encode_mask(mask))])
    with pytest.raises(FormatError, match=r"p\.txt: frame 2: .* shares pixels"):
        evaluate_tracks(tmp_path / "p.txt", tmp_path / "t.txt", "mots")
    mots.write_rows(tmp_path / "p.txt", [mots.MotsRow(4, 2001, 2, 6, 8, encode_mask(mask))])
    with pytest.raises(FormatError, match="frame 4, but the truth"):
        evaluate_tracks(tmp_path / "p.txt", tmp_path / "t.txt", "mots")


def test_tubes_and_single_boxes(tmp_path: Path):
    counts = encode_mask(np.ones((2, 3), bool))
    truth = ytvis.TubeSet({1: ytvis.TubeVideo(1, (3, 2), ("v/0.jpg",))}, {1: "dog"}, (ytvis.Tube(1, 1, (counts,)),))
    ytvis.write_truth(tmp_path / "t.json", truth)
    ytvis.write_results(tmp_path / "p.json", [ytvis.Tube(1, 1, (counts,), 0.5)], truth.videos)
    assert evaluate_tracks(tmp_path / "p.json", tmp_path / "t.json", "ytvis").overall["AP"] == pytest.approx(100)
    track = single_object.BoxTrack(np.array([[0.0, 0, 10, 10]] * 3), np.ones(3, bool))
    single_object.write_boxes(tmp_path / "bag" / "groundtruth.txt", track)
    single_object.write_boxes(tmp_path / "bag.txt", track)
    report = evaluate_tracks(tmp_path / "bag.txt", tmp_path / "bag", "sot")
    assert report.overall["success_AUC"] == pytest.approx(100 * 20 / 21)
    (tmp_path / "bag.txt").write_text("0,0,1,1\n")
    with pytest.raises(FormatError, match="1 frames predicted, 3 in the truth"):
        evaluate_tracks(tmp_path / "bag.txt", tmp_path / "bag", "sot")


def test_a_truth_whose_first_pixel_is_one_fits_boxes_that_count_from_nought(run, tmp_path):
    (tmp_path / "mine.txt").write_text("0,0,10,10\n4,4,10,10\n")
    (tmp_path / "groundtruth_rect.txt").write_text("1,1,10,10\n5,5,10,10\n")
    words = ("evaluate", "track", tmp_path / "mine.txt", tmp_path / "groundtruth_rect.txt", "--format", "sot", "--json")
    exact = run(*words, "--first-pixel", "1").json["overall"]
    assert exact["success_AUC"] == pytest.approx(100 * 20 / 21)  # no overlap exceeds the last threshold, 1
    assert run(*words).json["overall"]["success_AUC"] < exact["success_AUC"]
    assert run(*words, "--first-pixel", "2").code == 2


def test_objects_that_come_after_the_first_frame_are_said_not_to_be_judged(run, tmp_path):
    labels = np.zeros((4, 6, 8), np.uint8)
    labels[:, 1:4, 1:4], labels[2:, 4:, 5:] = 1, 2
    for side in ("mine", "true"):
        davis.write_sequence(tmp_path / side / "dog", labels)
    done = run("evaluate", "track", tmp_path / "mine", tmp_path / "true", "--format", "davis")
    assert done.code == 0
    assert "objects [2] come after the first frame" in done.err
