"""Files of tracks that are odd but whole, and options that do not fit: the right numbers, or a reason."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onlooker.errors import ConfigError, FormatError, UnknownNameError
from onlooker.evaluation.track_files import TrackOptions, evaluate_tracks
from onlooker.formats.run_lengths import encode_mask

ROWS = "1,1,10,10,20,20,1\n2,1,12,10,20,20,1\n"


def text(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def mots_row(frame: int, number: int, rows: slice, kind: int = 2) -> str:
    mask = np.zeros((20, 30), np.bool_)
    mask[rows, 2:8] = True
    return f"{frame} {number} {kind} 20 30 {encode_mask(mask).decode()}\n"


def masks(folder: Path, frames: list[np.ndarray]) -> Path:
    folder.mkdir(parents=True)
    for t, frame in enumerate(frames):
        Image.fromarray(frame.astype(np.uint8)).save(folder / f"{t:05d}.png")
    return folder


@pytest.mark.parametrize(
    ("format_", "options", "said"),
    [
        ("mots", TrackOptions(rules="mot17"), "`--rules` belongs to mot; leave it out for mots"),
        ("mot", TrackOptions(one_object=True), "`--one-object` belongs to davis"),
        ("davis", TrackOptions(first_pixel=1), "`--first-pixel` belongs to sot"),
        ("ytvis", TrackOptions(fps=25), "`--fps` belongs to mot and mots"),
    ],
)
def test_an_option_that_a_format_has_no_use_for_is_refused(tmp_path, format_, options, said):
    with pytest.raises(ConfigError, match=said):
        evaluate_tracks(tmp_path, tmp_path, format_, options)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(fps):
    with pytest.raises(ConfigError, match="`fps` is a number of frames a second above 0, got"):
        TrackOptions(fps=fps)


def test_unknown_rules_and_formats_are_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(UnknownNameError, match="mot20"):
        TrackOptions(rules="mot20")
    with pytest.raises(UnknownNameError, match="did you mean `mots`"):
        evaluate_tracks(tmp_path, tmp_path, "motss")


@pytest.mark.parametrize("length", ["seqLength=1000000000\n", "seqLength=9999999\n"])
def test_frames_in_millions_cost_nothing_and_change_no_score(tmp_path, length):
    pytest.importorskip("trackeval")
    found = text(tmp_path / "p.txt", ROWS + "9999999,1,0,0,5,5,1\n")
    truth = text(tmp_path / "S" / "gt" / "gt.txt", ROWS).parent.parent
    text(truth / "seqinfo.ini", "[Sequence]\n" + length)
    overall = evaluate_tracks(found, truth, "mot").overall
    assert overall["MOTA"] == pytest.approx(50)  # two found, and one box where nothing is
    found = text(tmp_path / "m.txt", mots_row(1, 2001, slice(2, 8)) + mots_row(9999999, 2001, slice(2, 8)))
    text(truth / "gt" / "gt.txt", mots_row(1, 2001, slice(2, 8)))
    overall = evaluate_tracks(found, truth, "mots").overall
    assert overall["MOTSA"] == pytest.approx(0)  # one found, and one mask where nothing is


def test_a_frame_after_the_truth_says_where_the_length_belongs(tmp_path):
    truth = text(tmp_path / "t.txt", ROWS)
    with pytest.raises(FormatError, match=r"p.txt:1: frame 3, but the truth .* ends at 2; .* `seqLength`"):
        evaluate_tracks(text(tmp_path / "p.txt", "3,1,0,0,5,5,1\n"), truth, "mot")


def test_masks_that_share_pixels_are_named_by_their_own_id(tmp_path):
    truth = text(tmp_path / "t.txt", mots_row(1, 2001, slice(2, 8)))
    found = text(tmp_path / "p.txt", mots_row(1, 0, slice(2, 8)) + mots_row(1, 7, slice(7, 9)))
    with pytest.raises(FormatError, match=r"p.txt: frame 1: the mask of 7 shares pixels"):
        evaluate_tracks(found, truth, "mots")


def test_a_sequence_of_masks_without_any_object_is_in_the_table(tmp_path):
    pytest.importorskip("trackeval")
    for side in ("p", "t"):
        text(tmp_path / side / "a.txt", mots_row(1, 2001, slice(2, 8)))
        text(tmp_path / side / "b.txt", "")
    report = evaluate_tracks(tmp_path / "p", tmp_path / "t", "mots")
    assert list(report.sequences) == ["a", "b"]
    assert report.overall["sMOTSA"] == 100
    text(tmp_path / "p" / "b.txt", mots_row(1, 2001, slice(2, 8)))
    with pytest.raises(FormatError, match=r"p/b.txt: frame 1, but the truth .*t/b.txt` is empty"):
        evaluate_tracks(tmp_path / "p", tmp_path / "t", "mots")


def test_a_truth_of_masks_that_cannot_be_judged_is_named_and_not_the_prediction(tmp_path):
    thing = np.pad(np.ones((4, 4)), 4)
    found = masks(tmp_path / "found" / "s", [thing] * 3).parent
    late = masks(tmp_path / "late" / "s", [thing * 0, thing, thing]).parent
    with pytest.raises(FormatError, match=r"late/s: the first mask shows no object"):
        evaluate_tracks(found, late, "davis", TrackOptions(one_object=True))
    short = masks(tmp_path / "short" / "s", [thing] * 2).parent
    with pytest.raises(FormatError, match=r"short/s: has 2 masks; .* give 3 or more"):
        evaluate_tracks(short, short, "davis")


def test_void_stays_void_on_a_grey_mask_that_shows_nothing_else(tmp_path):
    thing = np.pad(np.ones((4, 4)), 4)
    void = np.where(np.arange(12) == 0, 255, 0)[:, None] + np.zeros(12)
    truth = masks(tmp_path / "truth" / "s", [np.maximum(thing, void), void, np.maximum(thing, void)]).parent
    found = masks(tmp_path / "found" / "s", [thing, thing * 0, thing]).parent
    assert evaluate_tracks(found, truth, "davis").overall["J"] == 100


def test_categories_that_cannot_be_told_apart_are_refused(tmp_path):
    video = {"id": 1, "width": 4, "height": 4, "file_names": ["1.jpg"]}
    for categories, said in (
        ([{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}], r"categories\[1\].id: expected an id that no other"),
        ([{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}], "several categories are called `cat`"),
    ):
        content = {"videos": [video], "categories": categories, "annotations": []}
        truth = text(tmp_path / "t.json", json.dumps(content))
        with pytest.raises(FormatError, match=said):
            evaluate_tracks(truth, truth, "ytvis")


@pytest.mark.parametrize("side", ["found", "truth"])
@pytest.mark.parametrize("format_", ["mot", "mots", "sot", "davis"])
def test_what_macos_leaves_in_a_folder_is_no_sequence(tmp_path, format_, side):
    if format_ in ("mot", "mots"):
        pytest.importorskip("trackeval")
    content = {"mot": ROWS, "mots": mots_row(1, 2001, slice(2, 8)), "sot": "0,0,10,10\n" * 3}
    for folder in ("found", "truth"):
        for name in ("a", "b"):
            if format_ == "davis":
                masks(tmp_path / folder / name, [np.pad(np.ones((4, 4)), 4)] * 3)
            else:
                text(tmp_path / folder / f"{name}.txt", content[format_])
    clean = evaluate_tracks(tmp_path / "found", tmp_path / "truth", format_)
    root = tmp_path / side
    for name in (".DS_Store", "._a.txt", "._a", "a/._00000.png", "a/.DS_Store", ".cache/groundtruth.txt"):
        if not name.startswith("a/") or format_ == "davis":
            text(root / name, "\0\5\26\7")
    if format_ in ("mot", "mots"):
        text(root / ".Trashes" / "gt" / "gt.txt", "junk")
    if format_ == "davis":
        masks(root / ".Trashes", [np.ones((4, 4))])
    assert evaluate_tracks(tmp_path / "found", tmp_path / "truth", format_) == clean


def test_the_only_sequences_of_masks_and_boxes_are_paired_and_it_is_said(tmp_path):
    for folder, name in (("found", "a"), ("truth", "b")):
        masks(tmp_path / folder / name, [np.pad(np.ones((4, 4)), 4)] * 3)
        text(tmp_path / f"{folder}.txt", "0,0,10,10\n" * 3)
    report = evaluate_tracks(tmp_path / "found", tmp_path / "truth", "davis")
    assert report.notes == (
        "the only sequence of the predictions, `a`, is scored against the only one of the truth, `b`, "
        "whatever their names",
    )
    (note,) = evaluate_tracks(tmp_path / "found.txt", tmp_path / "truth.txt", "sot").notes
    assert "`found`, is scored against the only one of the truth, `truth`" in note
