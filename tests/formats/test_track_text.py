from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onlooker.errors import FormatError, NothingFoundError, ShapeError
from onlooker.formats import mot, mots, single_object, ytvis
from onlooker.formats.run_lengths import encode_mask

MASK = encode_mask(np.array([[1, 0, 0], [1, 1, 0]], np.bool_))
FIXTURE = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_mot_rows_survive_writing(tmp_path: Path):
    rows = [mot.MotRow(2, 1, (0.5, 1.0, 10.25, 20.0), 0.9), mot.MotRow(1, 7, (-3.0, 0.0, 4.0, 8.0), 1.0)]
    mot.write_rows(tmp_path / "a.txt", rows)
    assert (tmp_path / "a.txt").read_text() == "1,7,-3,0,7,8,1\n2,1,0.5,1,9.75,19,0.9\n"
    read = list(mot.iterate_rows(tmp_path / "a.txt"))
    assert [(r.frame, r.number, r.box_xyxy, r.confidence) for r in read] == [
        (1, 7, (-3.0, 0.0, 4.0, 8.0), 1.0),
        (2, 1, (0.5, 1.0, 10.25, 20.0), 0.9),
    ]
    mot.write_rows(tmp_path / "b.txt", [mot.MotRow(1, 1, (0, 0, 1, 1), 1.0, 3, 0.5)])
    (row,) = mot.iterate_rows(tmp_path / "b.txt")
    assert (row.class_number, row.visibility) == (3, 0.5)


def test_detections_without_ids_are_read_only_when_asked_for(tmp_path: Path):
    file = tmp_path / "det.txt"
    file.write_text("1,-1,0,0,5,5,0.9\n1,-1,9,9,5,5,0.8\n")
    assert len(list(mot.iterate_rows(file, detections=True))) == 2
    with pytest.raises(FormatError, match="without tracks"):
        list(mot.iterate_rows(file))


def test_mots_rows_survive_writing(tmp_path: Path):
    rows = (mots.MotsRow(1, 2001, 2, 2, 3, MASK), mots.MotsRow(3, 2001, 2, 2, 3, MASK))
    mots.write_rows(tmp_path / "a.txt", reversed(rows))
    assert (tmp_path / "a.txt").read_text().splitlines()[0] == "1 2001 2 2 3 021O1"
    assert mots.read_rows(tmp_path / "a.txt") == rows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 2001 2 2 3", "expected 6 parts"),
        ("1 x 2 2 3 021O1", "whole numbers"),
        ("-1 2001 2 2 3 021O1", "out of range"),
        ("1 2001 2 2 999999 021O1", "pixels"),
        ("1 2001 2 2 3 5", "add up to 5"),
        ("1 2001 2 2 3 é", "hold the byte"),
        ("1 2001 2 2 3 021O1\n1 2001 2 2 3 021O1", ":2: track 2001 has a second mask"),
        ("1 2001 2 2 3 021O1\n2 2001 2 3 2 021O1", "the first is 3x2"),
    ],
)
def test_broken_mots_rows_are_named(tmp_path: Path, line: str, message: str):
    (tmp_path / "a.txt").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        mots.read_rows(tmp_path / "a.txt")


@FIXTURE
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8", errors="replace")
    for read in (mots.read_rows, single_object.read_boxes, lambda f: list(mot.iterate_rows(f))):
        # Any other error fails the test.
        with contextlib.suppress(FormatError):
            read(tmp_path / "a.txt")


# -- one object -------------------------------------------------------------------------------------------------


def test_boxes_of_four_and_eight_numbers_in_any_separator(tmp_path: Path):
    (tmp_path / "a.txt").write_text("205\t151\t17\t50\n1,2,3,4\n5 5 10 10\n0,1,4,0,6,3,2,5\n")
    track = single_object.read_boxes(tmp_path / "a.txt")
    assert track.boxes_xyxy.tolist() == [[205, 151, 222, 201], [1, 2, 4, 6], [5, 5, 15, 15], [0, 0, 6, 5]]
    one = single_object.read_boxes(tmp_path / "a.txt", origin=1)
    assert one.boxes_xyxy[0].tolist() == [204, 150, 221, 200]


def test_absence_is_read_from_nan_empty_boxes_and_flags_beside(tmp_path: Path):
    file = tmp_path / "groundtruth.txt"
    file.write_text("1,1,5,5\nNaN,NaN,NaN,NaN\n0,0,0,0\n1,1,5,5\n1,1,5,5\n")
    assert single_object.read_boxes(file).visible.tolist() == [True, False, False, True, True]
    (tmp_path / "full_occlusion.txt").write_text("0,0,0,1,0\n")
    (tmp_path / "out_of_view.txt").write_text("0,0,0,0,1\n")
    assert single_object.read_boxes(file).visible.tolist() == [True, False, False, False, False]
    (tmp_path / "out_of_view.txt").write_text("0,0\n")
    with pytest.raises(FormatError, match=r"out_of_view.txt: expected 5 flags"):
        single_object.read_boxes(file)


def test_tracks_survive_writing_in_both_origins(tmp_path: Path):
    boxes = np.array([[0.5, 1, 10, 20], [0, 0, 0, 0], [3, 4, 5, 6]])
    track = single_object.BoxTrack(boxes, np.array([True, False, True]))
    for origin in (0, 1):
        single_object.write_boxes(tmp_path / "a.txt", track, origin=origin)
        read = single_object.read_boxes(tmp_path / "a.txt", origin=origin)
        np.testing.assert_allclose(read.boxes_xyxy, boxes)
        assert read.visible.tolist() == [True, False, True]
    assert (tmp_path / "a.txt").read_text().splitlines()[1] == "NaN,NaN,NaN,NaN"
    with pytest.raises(ShapeError, match="no width"):
        single_object.BoxTrack(np.array([[1.0, 1, 1, 4]]), np.array([True]))


def test_sequences_are_found_in_files_and_folders(tmp_path: Path):
    (tmp_path / "bag").mkdir()
    (tmp_path / "bag" / "groundtruth.txt").write_text("1,1,1,1\n")
    (tmp_path / "dog.txt").write_text("1,1,1,1\n")
    assert sorted(single_object.sequence_files(tmp_path)) == ["bag", "dog"]
    assert list(single_object.sequence_files(tmp_path / "bag")) == ["bag"]
    with pytest.raises(NothingFoundError):
        single_object.sequence_files(tmp_path / "none")


def test_sequences_are_found_in_folders_of_categories_as_lasot_has_them(tmp_path: Path):
    for place in ("airplane/airplane-1", "airplane/airplane-13", "zebra/zebra-2", "lone"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "groundtruth.txt").write_text("1,1,1,1\n")
    found = single_object.sequence_files(tmp_path)
    assert sorted(found) == ["airplane-1", "airplane-13", "lone", "zebra-2"]
    assert found["zebra-2"] == tmp_path / "zebra" / "zebra-2" / "groundtruth.txt"
    (tmp_path / "zebra" / "airplane-1").mkdir()
    (tmp_path / "zebra" / "airplane-1" / "groundtruth.txt").write_text("1,1,1,1\n")
    with pytest.raises(FormatError, match="of a sequence `airplane-1`, too"):
        single_object.sequence_files(tmp_path)


# -- tubes ------------------------------------------------------------------------------------------------------


def tubes() -> ytvis.TubeSet:
    videos = {7: ytvis.TubeVideo(7, (3, 2), ("a/0.jpg", "a/1.jpg"))}
    own = ytvis.Tube(7, 2, (MASK, None)), ytvis.Tube(7, 1, (MASK, MASK), crowd=True)
    return ytvis.TubeSet(videos, {1: "dog", 2: "cat"}, own)


def test_tubes_survive_writing(tmp_path: Path):
    ytvis.write_truth(tmp_path / "t.json", tubes())
    read = ytvis.read_truth(tmp_path / "t.json")
    assert (read.videos, read.categories, read.tubes) == (tubes().videos, tubes().categories, tubes().tubes)
    results = (ytvis.Tube(7, 2, (None, MASK), 0.25),)
    ytvis.write_results(tmp_path / "r.json", results, read.videos)
    assert ytvis.read_results(tmp_path / "r.json", read) == results
    with pytest.raises(ShapeError, match="no score"):
        ytvis.write_results(tmp_path / "r.json", [tubes().tubes[0]], read.videos)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"video_id": 8}, "the id of a video"),
        ({"category_id": 9}, "the id of a category"),
        ({"segmentations": [None]}, "has 1 masks, its video has 2 frames"),
        ({"segmentations": [{"size": [2, 2], "counts": "021O1"}, None]}, "of the video"),
        ({"segmentations": [{"size": [2, 3], "counts": "9"}, None]}, "add up to"),
        ({"score": "high"}, "a number"),
    ],
)
def test_broken_results_are_named(tmp_path: Path, change: dict, message: str):
    row = {"video_id": 7, "category_id": 2, "segmentations": [None, None], "score": 1.0} | change
    (tmp_path / "r.json").write_text(json.dumps([row]))
    with pytest.raises(FormatError, match=message):
        ytvis.read_results(tmp_path / "r.json", tubes())


def test_a_results_file_with_categories_of_its_own_is_understood_by_their_names(tmp_path: Path):
    # "cat" is 2 in the truth and 1 here; by its number it would be scored as a dog.
    own = {"categories": [{"id": 1, "name": "cat"}, {"id": 5, "name": "cow"}]}
    row = {"video_id": 7, "category_id": 1, "segmentations": [None, None], "score": 0.5}
    (tmp_path / "r.json").write_text(json.dumps(own | {"annotations": [row]}))
    assert ytvis.read_results(tmp_path / "r.json", tubes()) == (ytvis.Tube(7, 2, (None, None), 0.5),)
    (tmp_path / "r.json").write_text(json.dumps(own | {"annotations": [row | {"category_id": 5}]}))
    with pytest.raises(FormatError, match="the id of a category of the truth"):
        ytvis.read_results(tmp_path / "r.json", tubes())


def test_scores_of_a_written_set_come_back_as_results(tmp_path: Path):
    scored = ytvis.TubeSet(tubes().videos, tubes().categories, (ytvis.Tube(7, 2, (MASK, None), 0.25),))
    ytvis.write_truth(tmp_path / "t.json", scored)
    assert ytvis.read_results(tmp_path / "t.json", tubes()) == scored.tubes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category_id": 10**400}, "of sane size"),
        ({"category_id": "²"}, "a number"),
        ({"category_id": "9" * 5000}, "a number"),
        ({"segmentations": [{"size": [2, 3], "counts": "\ud800"}, None]}, "run lengths hold the byte"),
    ],
)
def test_numbers_and_letters_that_python_cannot_turn_are_refused_like_others(
    tmp_path: Path, change: dict, message: str
):
    row = {"video_id": 7, "category_id": 2, "segmentations": [None, None], "score": 1.0} | change
    (tmp_path / "r.json").write_text(json.dumps([row]))
    with pytest.raises(FormatError, match=message):
        ytvis.read_results(tmp_path / "r.json", tubes())


def test_a_file_with_an_endless_number_is_refused(tmp_path: Path):
    (tmp_path / "r.json").write_text('[{"video_id": ' + "9" * 5000 + "}]")
    with pytest.raises(FormatError, match="too long"):
        ytvis.read_results(tmp_path / "r.json", tubes())


def test_large_ids_stay_apart(tmp_path: Path):
    number = 2**60 + 1  # as a float it is 2**60
    video = {"id": number, "width": 3, "height": 2, "file_names": ["a/0.jpg"]}
    (tmp_path / "t.json").write_text(json.dumps({"videos": [video], "categories": [], "annotations": []}))
    assert list(ytvis.read_truth(tmp_path / "t.json").videos) == [number]


def test_a_box_thinner_than_written_numbers_can_say_is_still_a_box(tmp_path: Path):
    mot.write_rows(tmp_path / "a.txt", [mot.MotRow(1, 1, (5.0, 5.0, 5.0 + 1e-9, 8.0))])
    (row,) = mot.iterate_rows(tmp_path / "a.txt")
    assert row.box_xyxy == pytest.approx((5, 5, 5, 8), abs=1e-5)
    track = single_object.BoxTrack(np.array([[5.0, 5, 5 + 1e-9, 8]]), np.array([True]))
    assert single_object.read_boxes(single_object.write_boxes(tmp_path / "b.txt", track)).visible.tolist() == [True]


def test_boxes_too_large_to_reckon_with_are_named(tmp_path: Path):
    for box in ("1e308,1,1e308,2", "0,0,1e200,1e200"):  # the second has a far corner and no area
        (tmp_path / "a.txt").write_text(f"1,1,{box}\n")
        with pytest.raises(FormatError, match=r"a.txt:1: a box of .*; pixels go up to 1e\+09"):
            list(mot.iterate_rows(tmp_path / "a.txt"))
    (tmp_path / "b.txt").write_text("1,1,2,2\n1e308,1,1e308,2\n")
    with pytest.raises(FormatError, match=r"b.txt:2: .* is too large"):
        single_object.read_boxes(tmp_path / "b.txt")


def test_a_blank_line_among_boxes_does_not_move_the_frames_after_it(tmp_path: Path):
    (tmp_path / "a.txt").write_text("1,1,2,2\n\n3,3,2,2\n")
    with pytest.raises(FormatError, match=r"a.txt:2: is blank"):
        single_object.read_boxes(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text("1,1,2,2\n3,3,2,2\n\n \n")
    assert len(single_object.read_boxes(tmp_path / "a.txt")) == 2
