"""COCO-VID and YouTube-VIS: many videos a file, every form of mask, everything malformed refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import FormatError
from onlooker.formats.run_lengths import decode_mask, encode_mask
from onlooker.video.exchange import import_coco_vid, import_ytvis
from onlooker.video.store.store import Store

BLOCK = np.zeros((40, 60), np.bool_)
BLOCK[10:20, 30:50] = True
COUNTS = encode_mask(BLOCK).decode()

COCO = {
    "videos": [{"id": 5, "name": "street", "width": 60, "height": 40, "fps": 4}, {"id": 6, "name": "park"}],
    "images": [
        {"id": 11, "video_id": 5, "frame_id": 0, "file_name": "street/1.jpg"},
        {"id": 12, "video_id": 5, "frame_id": 1, "file_name": "street/2.jpg"},
        {"id": 13, "video_id": 5, "frame_id": 2, "file_name": "street/3.jpg"},
        {"id": 21, "video_id": 6, "frame_id": 0, "width": 80, "height": 50},
    ],
    "annotations": [
        {"id": 1, "image_id": 11, "category_id": 3, "track_id": 9, "bbox": [1.25, 2, 10, 20]},
        {"id": 2, "image_id": 13, "category_id": 3, "track_id": 9, "bbox": [3.25, 2, 10, 20], "score": 0.3},
        {"id": 3, "image_id": 21, "category_id": 4, "instance_id": 2, "bbox": [0, 0, 5, 5]},
    ],
    "categories": [{"id": 3, "name": "car"}, {"id": 4, "name": "dog"}],
}
YTVIS = {
    "videos": [
        {
            "id": 1,
            "width": 60,
            "height": 40,
            "length": 3,
            "file_names": ["ab12/00000.jpg", "ab12/00005.jpg", "ab12/00010.jpg"],
        }
    ],
    "annotations": [
        {
            "id": 31,
            "video_id": 1,
            "category_id": 2,
            "segmentations": [{"size": [40, 60], "counts": COUNTS}, None, [[5, 5, 9, 5, 9, 9, 5, 9]]],
            "bboxes": [[30, 10, 20, 10], None, None],
        },
        {
            "id": 32,
            "video_id": 1,
            "category_id": 2,
            "segmentations": [None, None, {"size": [40, 60], "counts": [0, 2400]}],
        },
    ],
    "categories": [{"id": 2, "name": "panda"}],
}


def save(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "truth.json"
    file.write_text(json.dumps(content))
    return file


def read(store: Store, sql: str) -> list[tuple]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_coco_videos_arrive_with_their_numbers_times_and_boxes(store: Store, tmp_path: Path) -> None:
    report = import_coco_vid(store, save(tmp_path, COCO))
    assert [video.name for video in report.videos] == ["street", "park"]
    assert read(store, "SELECT video, id, category, t, x1, y1, x2, y2, score FROM boxes ORDER BY video_key, t") == [
        ("street", 9, "car", 0.0, 1.25, 2.0, 11.25, 22.0, 1.0),
        ("street", 9, "car", 0.5, 3.25, 2.0, 13.25, 22.0, 0.3),
        ("park", 2, "dog", 0.0, 0.0, 0.0, 5.0, 5.0, 1.0),
    ]
    assert read(store, "SELECT video, t_start, t_end FROM gaps") == [("street", 0.0, 0.5)]
    assert read(store, "SELECT name, width, height, duration FROM videos") == [
        ("street", 60, 40, 0.75),
        ("park", 80, 50, 1 / 30),
    ]
    assert report.notes == (
        f"{tmp_path / 'truth.json'}: no frame rate given; 30 frames a second are assumed (say otherwise with `fps`)",
    )


def test_frame_ids_from_one_start_at_time_zero(store: Store, tmp_path: Path) -> None:
    content = copy.deepcopy(COCO)
    for image in content["images"]:
        image["frame_id"] += 1
    import_coco_vid(store, save(tmp_path, content))
    assert read(store, "SELECT min(t) FROM frames WHERE video = 'street'") == [(0.0,)]


def test_ytvis_masks_give_boxes_where_there_are_none(store: Store, tmp_path: Path) -> None:
    report = import_ytvis(store, save(tmp_path, YTVIS), fps=2)
    assert report.videos[0].name == "ab12"
    assert read(store, "SELECT id, t, x1, y1, x2, y2 FROM boxes ORDER BY id, t") == [
        (31, 0.0, 30.0, 10.0, 50.0, 20.0),
        (31, 1.0, 5.0, 5.0, 10.0, 10.0),
        (32, 1.0, 0.0, 0.0, 60.0, 40.0),
    ]
    masks = read(
        store, "SELECT k.number, m.frame, m.rle FROM base_masks m JOIN base_tracklets k ON k.id = m.tracklet_id"
    )
    assert [(number, frame) for number, frame, _ in masks] == [(31, 0), (31, 2), (32, 2)]
    np.testing.assert_array_equal(decode_mask(masks[0][2], 40, 60), BLOCK)
    assert decode_mask(masks[2][2], 40, 60).all()


def test_ytvis_without_a_rate_says_what_it_assumes(store: Store, tmp_path: Path) -> None:
    report = import_ytvis(store, save(tmp_path, YTVIS))
    assert "6 frames a second are assumed" in report.notes[0]
    assert read(store, "SELECT max(t) FROM frames") == [(2 / 6,)]


def test_pictures_beside_the_file_are_kept_as_crops(store: Store, tmp_path: Path) -> None:
    from PIL import Image

    for name in YTVIS["videos"][0]["file_names"]:
        path = tmp_path / "JPEGImages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40)).save(path)
    import_ytvis(store, save(tmp_path, YTVIS))
    assert read(store, "SELECT kind, count(*) FROM base_pictures GROUP BY kind") == [("crop", 3), ("keyframe", 3)]
    with pytest.raises(FormatError, match=r"`.*00000\.jpg` is not there"):
        import_ytvis(store, save(tmp_path, YTVIS), pictures=tmp_path / "elsewhere")


def test_second_import_finds_the_same_videos(store: Store, tmp_path: Path) -> None:
    first = import_coco_vid(store, save(tmp_path, COCO))
    again = import_coco_vid(store, save(tmp_path, COCO))
    assert [v.video_id for v in again.videos] == [v.video_id for v in first.videos]
    assert all(v.unchanged for v in again.videos)


def broken(content: dict, path: list, value: object) -> dict:
    changed = copy.deepcopy(content)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["videos"], ..., r"truth\.json: `videos` is missing"),
        (["videos"], {}, r"truth\.json: videos: expected a list"),
        (["videos"], [], r"images\[0\]\.video_id: expected the id of one of `videos`, got 5"),
        (["videos", 0, "width"], 0, r"videos\[0\]\.width: expected a width"),
        (["videos", 0, "fps"], -1, r"videos\[0\]\.fps: expected a frame rate above 0"),
        (["videos", 1, "id"], 5, r"videos\[1\]\.id: expected an id that no other video has"),
        (["images", 1, "video_id"], 77, r"images\[1\]\.video_id: expected the id of one of `videos`"),
        (["images", 1, "frame_id"], 0, r"images\[1\]: image 12 repeats"),
        (["annotations", 0, "bbox"], [1, 2, 0, 4], r"annotations\[0\]\.bbox: expected \[x, y, width, height\]"),
        (["annotations", 0, "bbox"], [1, 2, "a", 4], r"annotations\[0\]\.bbox\[2\]: expected a number, got \"a\""),
        (["annotations", 0, "bbox"], ..., r"annotations\[0\]: has neither `bbox` nor a mask"),
        (["annotations", 0, "track_id"], ..., "detections without tracks"),
        (["annotations", 0, "category_id"], 8, r"annotations\[0\]\.category_id: expected one of the ids"),
        (["annotations", 0, "image_id"], 99, r"annotations\[0\]\.image_id"),
        (["annotations", 1, "image_id"], 11, "track 9 has a second box"),
        (["annotations", 1, "category_id"], 4, "track 9 is a `dog` here and a `car`"),
        (
            ["annotations", 0, "segmentation"],
            {"size": [4, 6], "counts": "0"},
            r"segmentation\.size: expected \[height, width\]",
        ),
        (["annotations", 0, "segmentation"], {"size": [40, 60], "counts": "05"}, "add up to 5"),
        (["annotations", 0, "segmentation"], [[1, 2, 3]], "at least 3 corners"),
        (["categories", 0, "name"], " ", r"categories\[0\]\.name: expected text"),
        (["categories", 0, "name"], "\ud800", r"categories\[0\]\.name: expected text of whole characters"),
        (["categories", 1, "id"], 3, r"categories\[1\]\.id: expected an id that no other category has"),
        (["videos", 0, "height"], 0, r"videos\[0\]\.height: expected a height above 0, got 0"),
        (["videos", 0, "width"], 10**9, r"videos\[0\]\.width: expected at most 20000 pixels"),
        (["videos", 0, "duration_s"], -1, r"videos\[0\]\.duration_s: expected seconds above 0"),
        (["videos", 0, "length"], 10**30, r"videos\[0\]\.length: expected a whole number of sane size"),
        (["videos", 0, "fps"], 1e-300, r"truth\.json: video `street` goes on for 2e\+300 s"),
        (["annotations", 0, "track_id"], -1, r"annotations\[0\]: track number -1; they count from 0"),
        (["annotations", 0, "bbox"], [0, 0, 1e200, 1e200], r"annotations\[0\]\.bbox: expected pixels up to 1e\+09"),
    ],
)
def test_malformed_coco_is_refused_with_its_place(
    store: Store, tmp_path: Path, path: list, value: object, message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        import_coco_vid(store, save(tmp_path, broken(COCO, path, value)))
    assert read(store, "SELECT count(*) FROM base_videos") == [(0,)]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["videos", 0, "file_names"], ..., r"videos\[0\]: `file_names` is missing"),
        (["annotations", 0, "segmentations"], [None], r"segmentations: has 1 entries, its video has 3 frames"),
        (["annotations", 1, "id"], 31, "a track number that no other annotation of its video has"),
        (["annotations", 0, "video_id"], 2, r"annotations\[0\]\.video_id"),
        (["annotations", 0, "bboxes", 0], [1, 2, 3], r"bboxes\[0\]: expected \[x, y"),
        (["videos", 0, "times_s"], [0, 1, 1], "must increase together"),
    ],
)
def test_malformed_ytvis_is_refused_with_its_place(
    store: Store, tmp_path: Path, path: list, value: object, message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        import_ytvis(store, save(tmp_path, broken(YTVIS, path, value)))
    assert read(store, "SELECT count(*) FROM base_videos") == [(0,)]


def test_files_that_are_not_json_are_refused_with_their_line(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    with pytest.raises(FormatError, match="does not exist"):
        import_ytvis(store, file)
    file.write_text('{"videos": [\n  1,,\n]}')
    with pytest.raises(FormatError, match=r"x\.json:2: "):
        import_ytvis(store, file)
    file.write_text("[" * 100_000)
    with pytest.raises(FormatError, match="nested too deeply"):
        import_coco_vid(store, file)
    file.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(FormatError, match="not a text file"):
        import_coco_vid(store, file)
    file.write_text("[]")
    with pytest.raises(FormatError, match=r"x\.json: expected an object"):
        import_coco_vid(store, file)


@pytest.mark.shared_data
def test_real_masklets_come_through_as_tracklets(store: Store, data: Path, tmp_path: Path) -> None:
    content = json.loads((data / "sav-masklets" / "sav_000001_manual.json").read_text())
    height, width = content["masklet"][0][0]["size"]
    n_frames = len(content["masklet"])
    areas = [[decode_mask(m["counts"].encode(), height, width).sum() for m in row] for row in content["masklet"]]
    annotations = [
        {
            "id": k + 1,
            "video_id": 1,
            "category_id": 1,
            "segmentations": [row[k] if areas[i][k] else None for i, row in enumerate(content["masklet"])],
        }
        for k in range(len(content["masklet_id"]))
    ]
    names = [f"sav_000001/{i:05d}.jpg" for i in range(n_frames)]
    truth = {
        "videos": [{"id": 1, "width": width, "height": height, "file_names": names}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "object"}],
    }
    report = import_ytvis(store, save(tmp_path, truth), fps=6)
    present = (np.array(areas) > 0).sum(axis=0)
    assert read(store, "SELECT n_frames FROM tracklets ORDER BY id") == [(int(n),) for n in present]
    assert report.n_boxes == present.sum() == read(store, "SELECT count(*) FROM base_masks")[0][0]
