"""What leaves a library comes back equal, up to the loss each format states."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from onlooker.errors import ConfigError, NothingFoundError
from onlooker.formats.run_lengths import encode_mask
from onlooker.types import Gap, Shot, TrackingResult, Tracklet, VideoInfo
from onlooker.video.attributes.write import write_tracking
from onlooker.video.exchange import (
    EXPORTERS,
    export_coco_vid,
    export_csv,
    export_cvat,
    export_label_studio,
    export_mot,
    export_parquet,
    export_webvtt,
    export_ytvis,
    import_coco_vid,
    import_mot,
    import_ytvis,
)
from onlooker.video.store.masks import StoredMask, add_masks
from onlooker.video.store.schema import SPEECH
from onlooker.video.store.store import Store
from onlooker.video.store.videos import add_video, set_status

# A variable-rate clip: ten frames at 30 a second, then ten at 10 a second. A rate cannot tell these times.
TIMES = [i / 30 for i in range(10)] + [10 / 30 + i / 10 for i in range(10)]
BOXES = "SELECT id, category, frame, t, x1, y1, x2, y2, score FROM boxes ORDER BY id, t"
LOSSLESS = {"coco-vid": (export_coco_vid, import_coco_vid), "ytvis": (export_ytvis, import_ytvis)}


def tracklet(number: int, category: str, frames: list[int], score: float, gaps: tuple[Gap, ...] = ()) -> Tracklet:
    n = len(frames)
    boxes = np.array([[5.1 * number, 20, 30.3 + frame, 60] for frame in frames], np.float32)
    times = np.array([TIMES[f] for f in frames])
    scores, seen = np.full(n, score, np.float32), np.ones(n, np.bool_)
    return Tracklet(number, category, 0.9, np.array(frames, np.int64), times, boxes, scores, seen, gaps)


@pytest.fixture
def filled(store: Store) -> Store:
    gap = Gap(TIMES[3], TIMES[12], "occlusion", 0.8)
    tracklets = (tracklet(2, "person", [1, 2, 3, 12, 13], 0.5, (gap,)), tracklet(5, "fire hydrant", [0], 1.0))
    info = VideoInfo("/v/clip é.mp4", 100, 80, 15.0, TIMES[-1] + 0.1, 20, True, "h264", "mp4", "yuv420p")
    with store.write() as connection:
        video = add_video(connection, info, "aa", "clip é.mp4", "video")
        result = TrackingResult(tracklets, (), {}, 0)
        frames = list(enumerate(TIMES))
        ids = write_tracking(connection, video, result, [Shot(0, TIMES[-1] + 0.1)], frames, (100, 80), 1 / 30)
        mask = np.zeros((80, 100), np.bool_)
        mask[30:40, 20:25] = True
        add_masks(connection, [StoredMask(ids[2], 2, TIMES[2], encode_mask(mask))])
        words = "stop --> here\n\nNOTE <b>&"
        connection.execute(insert(SPEECH).values(video_id=video, start_s=0.5, end_s=61.25, text=words, confidence=1))
        set_status(connection, video, "ready")
    return store


def read(store: Store, sql: str) -> list[tuple]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def same(found: list[tuple], wanted: list[tuple]) -> None:
    assert [row[:3] for row in found] == [row[:3] for row in wanted]
    np.testing.assert_allclose([row[3:] for row in found], [row[3:] for row in wanted], atol=2e-6)


@pytest.mark.parametrize("name", LOSSLESS)
def test_json_formats_keep_boxes_scores_masks_times_and_names(
    filled: Store, other: Store, tmp_path: Path, name: str
) -> None:
    leave, enter = LOSSLESS[name]
    report = leave(filled, tmp_path / "out.json")
    assert report.files == (tmp_path / "out.json",)
    again = enter(other, tmp_path / "out.json")
    assert again.notes == ()
    same(read(other, BOXES), read(filled, BOXES))
    for sql in (
        "SELECT name, width, height, n_frames, fps, round(duration, 6) FROM videos",
        "SELECT frame, t FROM frames",
        "SELECT id, frame, t, area, height, width, rle FROM masks",
        "SELECT id, round(t_start, 6), round(t_end, 6) FROM gaps",
    ):
        assert read(other, sql) == read(filled, sql), sql


def test_mot_keeps_boxes_numbers_categories_and_uneven_times(filled: Store, other: Store, tmp_path: Path) -> None:
    export_mot(filled, tmp_path / "out")
    import_mot(other, tmp_path / "out")
    without_score = BOXES.replace(", score", "")
    same(read(other, without_score), read(filled, without_score))
    assert read(other, "SELECT DISTINCT score FROM boxes") == [(1.0,)]
    for sql in ("SELECT name, width, height, n_frames, fps, duration FROM videos", "SELECT frame, t FROM frames"):
        assert read(other, sql) == read(filled, sql), sql
    first = (tmp_path / "out" / "gt" / "gt.txt").read_text().splitlines()[0]
    assert first.split(",")[:2] == ["1", "5"]
    assert (tmp_path / "out" / "gt" / "labels.txt").read_text() == "fire hydrant\nperson\n"


def test_the_truth_of_a_data_set_is_not_replaced_and_an_earlier_export_is(filled: Store, tmp_path: Path) -> None:
    export_mot(filled, tmp_path / "out")
    export_mot(filled, tmp_path / "out")
    truth = tmp_path / "MOT17-02" / "gt" / "gt.txt"
    truth.parent.mkdir(parents=True)
    truth.write_text("mine")
    for header in (None, "[Sequence]\nframeRate=30\n"):
        if header is not None:
            (truth.parent.parent / "seqinfo.ini").write_text(header)
        with pytest.raises(ConfigError, match=r"gt.txt` was not exported from a library and would be replaced"):
            export_mot(filled, tmp_path / "MOT17-02")
    assert truth.read_text() == "mine"


@pytest.mark.shared_data
def test_mot_truth_survives_import_and_export_to_the_last_digit(store: Store, data: Path, tmp_path: Path) -> None:
    source = data / "kitti-tracking-boxes" / "mot"
    folder = tmp_path / "in"
    (folder / "gt").mkdir(parents=True)
    (folder / "gt" / "gt.txt").write_bytes((source / "0001.txt").read_bytes())
    (folder / "tracks.json").write_bytes((source / "0001.json").read_bytes())
    import_mot(store, folder)
    export_mot(store, tmp_path / "out")

    def rows(file: Path) -> set[tuple[float, ...]]:
        return {tuple(round(float(v), 6) for v in line.split(",")[:6]) for line in file.read_text().split()}

    assert rows(tmp_path / "out" / "gt" / "gt.txt") == rows(folder / "gt" / "gt.txt")
    written = json.loads((tmp_path / "out" / "tracks.json").read_text())["categories"]
    assert written == json.loads((folder / "tracks.json").read_text())["categories"]


def test_csv_and_parquet_hold_the_same_rows_as_the_views(filled: Store, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    export_csv(filled, tmp_path / "csv")
    export_parquet(filled, tmp_path / "parquet")
    wanted = read(filled, BOXES)
    with (tmp_path / "csv" / "boxes.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = [
        (int(r["id"]), r["category"], int(r["frame"]), *(float(r[c]) for c in ("t", "x1", "y1", "x2", "y2", "score")))
        for r in rows
    ]
    assert found == wanted
    table = pq.read_table(tmp_path / "parquet" / "boxes.parquet").to_pylist()
    columns = ("id", "category", "frame", "t", "x1", "y1", "x2", "y2", "score")
    assert [tuple(r[c] for c in columns) for r in table] == wanted
    tracklets = pq.read_table(tmp_path / "parquet" / "tracklets.parquet")
    assert tracklets.num_rows == 2
    assert tracklets.column("video").to_pylist() == ["clip é.mp4"] * 2


def test_webvtt_words_cannot_end_their_cue(filled: Store, tmp_path: Path) -> None:
    export_webvtt(filled, tmp_path / "out.vtt")
    text = (tmp_path / "out.vtt").read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n\n")
    blocks = text.strip().split("\n\n")[1:]
    assert blocks == [
        "tracklet-5-1\n00:00:00.000 --> 00:00:00.033\n#5 fire hydrant",
        "tracklet-2-1\n00:00:00.033 --> 00:00:00.133\n#2 person",
        "speech-1\n00:00:00.500 --> 00:01:01.250\nstop --&gt; here NOTE &lt;b&gt;&amp;",
        "tracklet-2-2\n00:00:00.533 --> 00:00:00.667\n#2 person",
    ]
    export_webvtt(filled, tmp_path / "speech.vtt", cues="speech")
    assert (tmp_path / "speech.vtt").read_text(encoding="utf-8").count("-->") == 1


def test_cvat_boxes_end_where_the_object_leaves(filled: Store, tmp_path: Path) -> None:
    export_cvat(filled, tmp_path / "out.xml")
    root = ET.parse(tmp_path / "out.xml").getroot()
    assert root.findtext("version") == "1.1"
    assert [label.findtext("name") for label in root.iter("label")] == ["fire hydrant", "person"]
    track = root.find("track[@id='2']")
    assert track is not None
    assert [(int(b.get("frame", "")), b.get("outside")) for b in track] == [
        (1, "0"),
        (2, "0"),
        (3, "0"),
        (4, "1"),
        (12, "0"),
        (13, "0"),
        (14, "1"),
    ]
    stored = {(row[2]): row[4:8] for row in read(filled, BOXES) if row[0] == 2}
    for box in track:
        if box.get("outside") == "0":
            corners = [float(box.get(k, "")) for k in ("xtl", "ytl", "xbr", "ybr")]
            np.testing.assert_allclose(corners, stored[int(box.get("frame", ""))], atol=1e-6)


def test_label_studio_counts_frames_from_one_and_stops_at_gaps(filled: Store, tmp_path: Path) -> None:
    export_label_studio(filled, tmp_path / "out.json")
    (task,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert task["data"]["video"] == "/v/clip é.mp4"
    region = task["predictions"][0]["result"][0]
    assert (region["type"], region["value"]["labels"], region["value"]["framesCount"]) == (
        "videorectangle",
        ["person"],
        20,
    )
    sequence = region["value"]["sequence"]
    assert [(k["frame"], k["enabled"]) for k in sequence] == [(2, True), (3, True), (4, False), (13, True), (14, False)]
    assert (sequence[0]["x"], sequence[0]["y"], sequence[0]["height"]) == (pytest.approx(10.2, abs=1e-4), 25.0, 50.0)


def test_several_videos_go_into_a_folder_of_safe_names(filled: Store, tmp_path: Path) -> None:
    info = VideoInfo("/v/b.mp4", 100, 80, 10.0, 1.0, 10, False, "h264", "mp4", "yuv420p")
    with filled.write() as connection:
        for sha, name in (("bb", "../up/CLIP é.mp4"), ("cc", ".._up_clip É.mp4"), ("dd", "not ready")):
            video = add_video(connection, info, sha, name, "video")
            if name != "not ready":
                set_status(connection, video, "ready")
    report = export_webvtt(filled, tmp_path / "out")
    assert [file.relative_to(tmp_path / "out").as_posix() for file in report.files] == [
        "clip é.mp4.vtt",
        "_up_CLIP é.mp4.vtt",
        "_up_clip É.mp4 (2).vtt",
    ]
    assert len(export_mot(filled, tmp_path / "mot").files) == 15
    with pytest.raises(ConfigError, match="is one file, but 3 videos"):
        export_cvat(filled, tmp_path / "one.xml")


def test_failed_write_leaves_the_old_file(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.xml"
    target.write_text("old")

    def broken(self: Path, *args: object, **kwargs: object) -> int:
        self.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(OSError, match="No space"):
        export_cvat(filled, target)
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".out")] == []


@pytest.mark.parametrize("name", EXPORTERS)
def test_empty_library_has_nothing_to_export(store: Store, tmp_path: Path, name: str) -> None:
    with pytest.raises(NothingFoundError, match="no finished video"):
        EXPORTERS[name](store, tmp_path / "out")
