"""MOTChallenge folders: what is read, what is left out, what is refused."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest

from onlooker.errors import FormatError
from onlooker.video.exchange import import_mot
from onlooker.video.store.store import Store

HEADER = "[Sequence]\nname=toy\nimDir=img1\nframeRate=10\nseqLength=10\nimWidth=300\nimHeight=100\nimExt=.jpg\n"


def sequence(tmp_path: Path, rows: str, header: str | None = HEADER, tracks: str | None = None) -> Path:
    folder = tmp_path / "toy"
    (folder / "gt").mkdir(parents=True)
    if header is not None:
        (folder / "seqinfo.ini").write_text(header)
    if tracks is not None:
        (folder / "tracks.json").write_text(tracks)
    (folder / "gt" / "gt.txt").write_text(rows)
    return folder


def read(store: Store, sql: str) -> list[tuple]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_boxes_come_out_exactly_as_they_went_in(store: Store, tmp_path: Path) -> None:
    report = import_mot(store, sequence(tmp_path, "3,7,296.74,-12.3,10.01,20.02,1,1,1\n"))
    assert read(store, "SELECT id, frame, t, x1, y1, x2, y2, score FROM boxes") == [
        (7, 2, 0.2, 296.74, -12.3, 296.74 + 10.01, -12.3 + 20.02, 1.0)
    ]
    assert (report.videos[0].name, report.n_tracklets, report.n_boxes) == ("toy", 1, 1)


def test_every_frame_of_the_sequence_was_looked_at(store: Store, tmp_path: Path) -> None:
    import_mot(store, sequence(tmp_path, "3,7,1,1,5,5,1,1,1\n"))
    assert read(store, "SELECT count(*), min(t), max(t) FROM frames") == [(10, 0.0, 0.9)]
    assert read(store, "SELECT n_frames, duration, fps, width, height, has_audio FROM videos") == [
        (10, 1.0, 10.0, 300, 100, 0)
    ]
    assert read(store, "SELECT t_start, t_end FROM shots") == [(0.0, 1.0)]


def test_absence_becomes_a_certain_gap(store: Store, tmp_path: Path) -> None:
    import_mot(store, sequence(tmp_path, "1,1,1,1,5,5,1,1,1\n5,1,9,1,5,5,1,1,1\n2,1,3,1,5,5,1,1,1\n"))
    assert read(store, "SELECT t_start, t_end, kind, probability FROM gaps") == [(0.1, 0.4, "occlusion", 1.0)]
    assert read(store, "SELECT n_frames, round(duration, 6), identity FROM tracklets") == [(3, 0.3, 1.0)]


def test_rows_marked_zero_and_distractors_are_no_objects(store: Store, tmp_path: Path) -> None:
    rows = "1,1,1,1,5,5,0,1,1\n1,2,1,1,5,5,1,8,1\n1,3,1,1,5,5,1,12,1\n1,4,1,1,5,5,1,7,1\n1,5,1,1,5,5,1,4,1\n"
    report = import_mot(store, sequence(tmp_path, rows))
    assert read(store, "SELECT id, category FROM tracklets ORDER BY id") == [(4, "person"), (5, "bicycle")]
    assert [note.split(": ")[1] for note in report.notes] == [
        "2 rows of distractors and occluders were left out",
        "1 rows marked 0 were left out",
    ]


@pytest.mark.parametrize(
    "row", ["1,1,1,1,5,5", "1,1,1,1,5,5,1,-1,-1,-1", "1 1 1 1 5 5 0.5 8 2 3", "1,1,1,1,5,5,1,-1,1"]
)
def test_rows_without_a_class_are_persons(store: Store, tmp_path: Path, row: str) -> None:
    import_mot(store, sequence(tmp_path, row))
    assert read(store, "SELECT category FROM tracklets") == [("person",)]


def test_tracks_json_names_categories_over_the_class_column(store: Store, tmp_path: Path) -> None:
    rows = "1,1,1,1,5,5,1,7,1\n1,2,1,1,5,5,1,8,1\n1,3,1,1,5,5,1,1,1\n"
    report = import_mot(store, sequence(tmp_path, rows, tracks='{"categories": {"1": "bird", "2": "dog"}}'))
    assert read(store, "SELECT id, category FROM tracklets ORDER BY id") == [(1, "bird"), (2, "dog"), (3, "object")]
    assert "tracks without a category" in report.notes[0]


def test_cvat_labels_name_the_classes(store: Store, tmp_path: Path) -> None:
    folder = sequence(tmp_path, "1,1,1,1,5,5,1,9,1\n1,2,1,1,5,5,1,2,1\n")
    (folder / "gt" / "labels.txt").write_text("\n".join(f"kind {i}" for i in range(1, 10)))
    import_mot(store, folder)
    assert read(store, "SELECT category FROM tracklets ORDER BY id") == [("kind 9",), ("kind 2",)]


def test_result_file_keeps_its_scores(store: Store, tmp_path: Path) -> None:
    folder = sequence(tmp_path, "")
    (folder / "gt" / "gt.txt").unlink()
    (folder / "toy.txt").write_text("1,1,1,1,5,5,0.9,-1,-1,-1\n2,1,1,1,5,5,-1,-1,-1,-1\n")
    import_mot(store, folder)
    assert read(store, "SELECT score FROM boxes ORDER BY t") == [(0.9,), (1.0,)]


def test_what_macos_leaves_is_neither_a_sequence_nor_a_result(store: Store, tmp_path: Path) -> None:
    folder = sequence(tmp_path, "")
    (folder / "gt" / "gt.txt").unlink()
    (folder / "result.txt").write_text("1,1,1,1,5,5,0.9\n")
    (folder / "._result.txt").write_bytes(b"\0\5")
    shutil.copytree(folder, tmp_path / ".Trashes")
    report = import_mot(store, tmp_path)
    assert [video.n_boxes for video in report.videos] == [1]


def test_header_may_lack_everything_but_the_rate(store: Store, tmp_path: Path) -> None:
    report = import_mot(store, sequence(tmp_path, "4,1,10,20,30.5,40,1\n", "[Sequence]\nframeRate=5\n"), name="mine")
    assert read(store, "SELECT name, n_frames, width, height, duration FROM videos") == [("mine", 4, 41, 60, 0.8)]
    assert "41x60 is taken" in report.notes[0]


def test_pictures_decide_how_long_it_is_and_are_kept(store: Store, tmp_path: Path) -> None:
    from PIL import Image

    folder = sequence(tmp_path, "1,1,100,20,40,50,1,1,1\n2,1,110,20,40,50,1,1,1\n")
    (folder / "img1").mkdir()
    for number in (1, 2, 3):
        Image.new("RGB", (300, 100), (200, 0, 0)).save(folder / "img1" / f"{number:06d}.jpg")
    import_mot(store, folder)
    assert read(store, "SELECT n_frames FROM videos") == [(3,)]
    rows = read(store, "SELECT kind, tracklet_id, t, width, height, inner FROM base_pictures ORDER BY kind, t")
    assert rows == [
        ("crop", 1, 0.0, 48, 60, "[4.0, 5.0, 44.0, 55.0]"),
        ("crop", 1, 0.1, 48, 60, "[4.0, 5.0, 44.0, 55.0]"),
        ("keyframe", None, 0.0, 300, 100, None),
        ("keyframe", None, 0.1, 300, 100, None),
        ("keyframe", None, 0.2, 300, 100, None),
    ]


def test_second_import_of_the_same_folder_changes_nothing(store: Store, tmp_path: Path) -> None:
    folder = sequence(tmp_path, "1,1,1,1,5,5,1,1,1\n")
    first = import_mot(store, folder)
    again = import_mot(store, folder)
    assert again.videos[0].unchanged
    assert again.videos[0].video_id == first.videos[0].video_id
    (folder / "gt" / "gt.txt").write_text("1,1,1,1,5,6,1,1,1\n")
    assert import_mot(store, folder).videos[0].name == "toy (2)"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,1,1,1,5,5,1\n1,1,2\n", r"gt\.txt:2: expected at least 6 numbers"),
        ("1,1,x,1,5,5,1\n", r"gt\.txt:1: .*'x'"),
        ("0,1,1,1,5,5,1\n", r"gt\.txt:1: frame 0; frames count from 1"),
        ("1.5,1,1,1,5,5,1\n", r"gt\.txt:1: frame `1\.5` is not a whole number"),
        ("1,-1,1,1,5,5,0.9\n", r"gt\.txt:1: track id -1; these are detections"),
        ("1,1,1,1,0,5,1\n", r"gt\.txt:1: box of width 0"),
        ("1,1,nan,1,5,5,1\n", r"gt\.txt:1: every number must be finite"),
        ("1,1,1,1,5,5,1\n\n1,1,2,2,5,5,1\n", r"gt\.txt:3: track 1 has a second box on frame 1"),
        ("1e30,1,1,1,5,5,1\n", r"gt\.txt:1: frame `1e\+30` is not a whole number"),
        ("1,1e300,1,1,5,5,1\n", r"gt\.txt:1: track id `1e\+300`"),
    ],
)
def test_malformed_rows_are_refused_with_their_line(store: Store, tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        import_mot(store, sequence(tmp_path, rows))
    assert read(store, "SELECT count(*) FROM base_videos") == [(0,)]


@pytest.mark.parametrize(
    ("header", "tracks", "message"),
    [
        ("[Sequence]\nname=x\n", None, "needs `frameRate=`"),
        (None, None, "needs `frameRate=`"),
        ("[Sequence]\nframeRate=fast\n", None, "`frameRate` is `fast`"),
        ("[Sequence]\nframeRate=0\n", None, "expected a number above 0"),
        ("frameRate=10\n", None, "no section headers"),
        ("[Other]\nframeRate=10\n", None, r"expected a section `\[Sequence\]`"),
        (HEADER, "{\n]", r"tracks\.json:2: "),
        (HEADER, "[1]", "expected .*categories"),
        (HEADER, '{"categories": {"one": "dog"}}', "expected track number: category, got `one`"),
        (HEADER, '{"categories": {"1": 3}}', "got `1`: 3"),
        (HEADER, '{"categories": {"%s": "dog"}}' % ("9" * 5000), "expected track number: category, got `9{60}`"),
        ("[Sequence]\nname=x\n", '{"categories": {}, "fps": 1%s}' % ("0" * 400), "needs `frameRate=`"),
        (HEADER, '{"categories": {"1": %s}}' % ("9" * 5000), "holds a number that is too long to be one"),
        (HEADER + "frameInterval=1e-320\n", None, "toy: video `toy` has a frame every .* s; is its frame rate"),
        (HEADER, '{"categories": {"1": "\\ud800"}}', r'got `1`: "\\ud800'),
        (
            HEADER.replace("seqLength=10", "seqLength=1e300"),
            None,
            r"seqinfo\.ini: a sequence of 1e\+300 frames; it has",
        ),
        (HEADER.replace("=300", "=0.5"), None, r"seqinfo\.ini: a picture of 0\.5x100 pixels"),
        (HEADER.replace("=300", "=1e18"), None, r"seqinfo\.ini: a picture of 1e\+18x100 pixels"),
        (HEADER.replace("=10\n", "=1e-300\n"), None, r"toy: video `toy` goes on for .* s; is its frame rate or time"),
    ],
)
def test_malformed_companions_are_refused(
    store: Store, tmp_path: Path, header: str | None, tracks: str | None, message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        import_mot(store, sequence(tmp_path, "1,1,1,1,5,5,1,1,1\n", header, tracks))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ("1,5\n2,4\n", r"times\.csv:3: .*frames and seconds increase"),
        ("inf,5\n", r"times\.csv:2: frame `inf` is not a whole number"),
        ("1,0\n", r"times\.csv: lacks frame 2, on which track 1 has a box"),
    ],
)
def test_times_that_go_back_or_lack_a_frame_are_refused(store: Store, tmp_path: Path, times: str, message: str) -> None:
    folder = sequence(tmp_path, "1,1,1,1,5,5,1,1,1\n2,1,1,1,5,5,1,1,1\n")
    (folder / "times.csv").write_text("frame,seconds\n" + times)
    with pytest.raises(FormatError, match=message):
        import_mot(store, folder)


def test_pictures_that_count_from_nought_are_in_the_order_of_their_numbers(store: Store, tmp_path: Path) -> None:
    from PIL import Image

    folder = sequence(tmp_path, "3,1,10,10,50,50,1,1,1\n")
    (folder / "img1").mkdir()
    for number in range(11):
        Image.new("L", (300, 100), 255 * (number == 2)).save(folder / "img1" / f"{number}.png")
    import_mot(store, folder)
    ((jpeg,),) = read(store, "SELECT jpeg FROM base_pictures WHERE kind = 'crop'")
    with Image.open(io.BytesIO(jpeg)) as crop:
        assert crop.convert("L").getextrema() == (255, 255)


def test_pictures_of_frames_that_nobody_looked_at_are_left_out(store: Store, tmp_path: Path) -> None:
    from PIL import Image

    folder = sequence(tmp_path, "1,1,1,1,50,50,1,1,1\n3,1,1,1,50,50,1,1,1\n")
    (folder / "times.csv").write_text("frame,seconds\n1,0\n3,0.2\n")
    (folder / "img1").mkdir()
    for number in (1, 2, 3):
        Image.new("RGB", (300, 100)).save(folder / "img1" / f"{number}.jpg")
    import_mot(store, folder)
    assert read(store, "SELECT frame FROM base_pictures WHERE kind = 'keyframe'") == [(0,), (2,)]


def test_pictures_that_are_named_by_times_are_counted_and_not_numbered(store: Store, tmp_path: Path) -> None:
    from PIL import Image

    folder = sequence(tmp_path, "2,1,1,1,50,50,1,1,1\n", HEADER.replace("img1", "x" * 5000, 1))
    import_mot(store, folder)  # a name that no file has
    header = folder / "seqinfo.ini"
    header.write_text(HEADER)
    (folder / "img1").mkdir()
    for moment in (1_700_000_000_000, 1_700_000_000_100):
        Image.new("RGB", (300, 100)).save(folder / "img1" / f"{moment}.jpg")
    import_mot(store, folder)
    assert read(store, "SELECT n_frames FROM videos ORDER BY key") == [(10,), (2,)]


def test_a_time_lapse_of_years_is_no_obstacle(store: Store, tmp_path: Path) -> None:
    rows = "".join(f"{t},1,{10 * t},1,5,5,1,1,1\n" for t in range(1, 11))
    import_mot(store, sequence(tmp_path, rows, HEADER.replace("frameRate=10", "frameRate=0.0000001")))
    assert read(store, "SELECT max(t) FROM boxes") == [(9e7,)]


def test_a_blank_line_among_labels_keeps_its_number(store: Store, tmp_path: Path) -> None:
    folder = sequence(tmp_path, "1,1,1,1,5,5,1,3,1\n")
    (folder / "gt" / "labels.txt").write_text("cat\n\ndog\n\n")
    import_mot(store, folder)
    assert read(store, "SELECT category FROM tracklets") == [("dog",)]
    (folder / "gt" / "gt.txt").write_text("1,1,1,1,5,5,1,2,1\n")
    with pytest.raises(FormatError, match=r"gt\.txt:1: class 2, but line 2 of `labels.txt` is blank"):
        import_mot(store, folder)


def test_a_folder_whose_name_is_not_utf_8_is_refused_with_what_to_do(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"s\xe9q")
    sequence(tmp_path, "1,1,1,1,5,5,1,1,1\n").rename(folder)
    with pytest.raises(FormatError, match=r"not valid text.*rename it"):
        import_mot(store, folder)


def test_folders_that_are_no_sequence_are_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="expected a MOTChallenge sequence folder"):
        import_mot(store, tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="holds neither"):
        import_mot(store, tmp_path / "empty")
    folder = sequence(tmp_path, "1,1,1,1,5,5,1\n")
    (folder / "gt" / "gt.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not a text file"):
        import_mot(store, folder)
    (folder / "gt" / "gt.txt").unlink()
    with pytest.raises(FormatError, match=r"expected `gt/gt\.txt` or one result file"):
        import_mot(store, folder)


def test_broken_picture_stops_the_import_before_anything_is_written(store: Store, tmp_path: Path) -> None:
    folder = sequence(tmp_path, "1,1,1,1,5,5,1,1,1\n")
    (folder / "img1").mkdir()
    (folder / "img1" / "000001.jpg").write_bytes(b"no picture")
    with pytest.raises(FormatError, match="not a readable picture"):
        import_mot(store, folder)
    assert read(store, "SELECT count(*) FROM base_videos") == [(0,)]


def test_one_bad_sequence_keeps_all_others_out(store: Store, tmp_path: Path) -> None:
    for name, rows in (("a", "1,1,1,1,5,5,1"), ("b", "1,1,1,1,5,-5,1")):
        (tmp_path / "set" / name / "gt").mkdir(parents=True)
        (tmp_path / "set" / name / "seqinfo.ini").write_text(HEADER)
        (tmp_path / "set" / name / "gt" / "gt.txt").write_text(rows)
    with pytest.raises(FormatError, match=r"b/gt/gt\.txt:1"):
        import_mot(store, tmp_path / "set")
    assert read(store, "SELECT count(*) FROM base_videos") == [(0,)]


@pytest.mark.shared_data
def test_composites_keep_their_numbers_and_categories(store: Store, data: Path) -> None:
    folder = data / "davis-composites" / "comp-00"
    report = import_mot(store, folder)
    assert read(store, "SELECT id, category FROM tracklets ORDER BY id") == [
        (1, "bird"),
        (2, "person"),
        (3, "person"),
        (4, "person"),
        (5, "car"),
    ]
    lines = (folder / "gt" / "gt.txt").read_text().split()
    wanted = sorted((int(v[0]) - 1, int(v[1]), *map(float, v[2:6])) for v in (line.split(",") for line in lines))
    found = read(store, "SELECT frame, id, x1, y1, x2 - x1, y2 - y1 FROM boxes ORDER BY frame, id")
    assert found == wanted
    assert report.n_boxes == len(lines)
    assert read(store, "SELECT count(*) FROM base_pictures WHERE kind = 'keyframe'") == [(12,)]


@pytest.mark.shared_data
def test_mot17_rules_leave_the_people_that_count(store: Store, data: Path) -> None:
    import_mot(store, data / "mot17-mini" / "train")
    query = "SELECT video, count(*), group_concat(DISTINCT category) FROM tracklets GROUP BY video"
    assert read(store, query) == [("MOT17-02-FRCNN", 22, "person"), ("MOT17-04-FRCNN", 42, "person")]
    assert read(store, "SELECT n_frames FROM videos ORDER BY key") == [(4,), (8,)]


@pytest.mark.shared_data
def test_mot15_truth_is_all_persons(store: Store, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "TUD-Campus"
    (folder / "gt").mkdir(parents=True)
    shutil.copy(data / "mot15-boxes" / "gt" / "TUD-Campus.txt", folder / "gt" / "gt.txt")
    (folder / "seqinfo.ini").write_text("[Sequence]\nframeRate=25\n")
    report = import_mot(store, folder)
    assert (report.n_tracklets, report.n_boxes) == (8, 359)
    assert read(store, "SELECT DISTINCT category FROM tracklets") == [("person",)]
