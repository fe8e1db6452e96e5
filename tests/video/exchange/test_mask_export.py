"""Masks leave a library as MOTS text and DAVIS pictures, apart where they share pixels, and read back as they were."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onlooker.errors import ConfigError, NothingFoundError
from onlooker.evaluation.track_files import evaluate_tracks
from onlooker.formats.davis import davis_palette, read_sequence, sequence_folders
from onlooker.formats.mots import MotsRow, read_rows
from onlooker.formats.run_lengths import decode_mask, encode_mask
from onlooker.types import Shot, TrackingResult, Tracklet, VideoInfo
from onlooker.video.attributes.write import write_tracking
from onlooker.video.exchange import export_annotations, export_davis, export_mots, export_ytvis, import_ytvis
from onlooker.video.store.masks import StoredMask, add_masks
from onlooker.video.store.store import Store
from onlooker.video.store.videos import add_video, set_status

SIZE = (24, 32)  # (height, width)
N_FRAMES = 6


def block(x: int, y: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.bool_)
    mask[y : y + height, x : x + width] = True
    return mask


# A car on all frames but the last, a person before it, a dog that shares no pixel; the person has nothing on frame 3.
MASKS: dict[int, dict[int, np.ndarray]] = {
    1: {f: block(2 + f, 4, 12, 10) for f in range(5)},
    2: {f: block(6 + f, 6, 4, 12) if f != 3 else np.zeros(SIZE, np.bool_) for f in range(1, 6)},
    3: {f: block(26, 18, 1, 1) for f in (2, 4)},
}
KINDS = {1: "car", 2: "person", 3: "dog"}
WITHOUT_OVERLAP = {1: MASKS[1], 3: MASKS[3]}


def fill(
    store: Store, masks: Mapping[int, Mapping[int, np.ndarray]], name: str = "clip.mp4", kinds: Sequence[str] = ()
) -> int:
    """A video whose objects have a box wherever they have a mask."""
    tracklets = []
    for place, (number, frames) in enumerate(masks.items()):
        listed = np.array(sorted(frames), np.int64)
        boxes = np.tile(np.array([[1, 1, 9, 9]], np.float32), (len(listed), 1))
        seen, scores = np.ones(len(listed), np.bool_), np.ones(len(listed), np.float32)
        kind = kinds[place] if kinds else KINDS[number]
        tracklets.append(Tracklet(number, kind, 1.0, listed, listed / 10, boxes, scores, seen))
    info = VideoInfo(f"/v/{name}", SIZE[1], SIZE[0], 10.0, 0.6, N_FRAMES, False, "h264", "mp4", "yuv420p")
    with store.write() as connection:
        video = add_video(connection, info, name, name, "video")
        found = TrackingResult(tuple(tracklets), (), {}, 0)
        looked = [(f, f / 10) for f in range(N_FRAMES)]
        ids = write_tracking(connection, video, found, [Shot(0, 0.6)], looked, (SIZE[1], SIZE[0]), 0.1)
        add_masks(
            connection,
            [StoredMask(ids[n], f, f / 10, encode_mask(mask)) for n, own in masks.items() for f, mask in own.items()],
        )
        set_status(connection, video, "ready")
    return video


def pixels(row: MotsRow) -> np.ndarray:
    return decode_mask(row.counts, row.height, row.width)


def test_mots_rows_have_the_pixels_classes_and_ids_and_the_smaller_mask_lies_in_front(
    store: Store, tmp_path: Path
) -> None:
    fill(store, MASKS)
    report = export_mots(store, tmp_path / "clip.txt")
    assert report.files == (tmp_path / "clip.txt",)
    assert report.notes[0] == "classes in the files: 1 is car, 3 is dog, 2 is person"
    found = {(row.frame, row.number): row for row in read_rows(tmp_path / "clip.txt")}
    wanted = {(f + 1, {1: 1001, 2: 2002, 3: 3003}[n]) for n, own in MASKS.items() for f in own} - {(4, 2002)}
    assert set(found) == wanted  # a mask of nothing is no object
    for (frame, number), row in found.items():
        place, own = frame - 1, number % 1000
        truth = MASKS[own][place]
        if own == 1:
            truth = truth & ~MASKS[2].get(place, np.zeros(SIZE, np.bool_))
        assert np.array_equal(pixels(row), truth)
        assert row.class_number == number // 1000


def test_masks_that_share_no_pixel_come_back_with_the_very_same_run_lengths(store: Store, tmp_path: Path) -> None:
    fill(store, WITHOUT_OVERLAP)
    export_mots(store, tmp_path / "clip.txt")
    counts = {(row.number % 1000, row.frame - 1): row.counts for row in read_rows(tmp_path / "clip.txt")}
    assert counts == {(n, f): encode_mask(mask) for n, own in WITHOUT_OVERLAP.items() for f, mask in own.items()}


def test_davis_has_a_picture_per_frame_with_the_numbers_and_colours_of_its_objects(
    store: Store, tmp_path: Path
) -> None:
    fill(store, MASKS)
    report = export_davis(store, tmp_path / "out")
    sequence = read_sequence(sequence_folders(tmp_path / "out")["clip.mp4"])
    assert sequence.stems == tuple(f"{f:05d}" for f in range(N_FRAMES))
    assert [file.name for file in report.files] == [*(f"{f:05d}.png" for f in range(N_FRAMES)), "objects.json"]
    for frame, labels in enumerate(sequence.labels):
        expected = np.zeros(SIZE, np.uint8)
        for number in (1, 2, 3):
            expected[MASKS[number].get(frame, np.zeros(SIZE, np.bool_))] = number
        assert np.array_equal(labels, expected)
    with Image.open(report.files[0]) as picture:
        assert picture.mode == "P"
        assert picture.getpalette()[:12] == davis_palette()[:4].ravel().tolist()
    objects = json.loads((tmp_path / "out" / "objects.json").read_text())
    assert objects == {"clip.mp4": {str(n): {"tracklet": n, "category": KINDS[n]} for n in (1, 2, 3)}}


@pytest.mark.parametrize("form", ["davis", "mots"])
def test_the_evaluator_finds_what_was_exported_perfect(store: Store, tmp_path: Path, form: str) -> None:
    if form == "mots" and find_spec("trackeval") is None:
        pytest.skip("needs trackeval")
    fill(store, MASKS)
    export_annotations(store, form, tmp_path / "out")
    score = evaluate_tracks(tmp_path / "out", tmp_path / "out", form).overall  # type: ignore[arg-type]
    assert score["J&F" if form == "davis" else "HOTA"] == pytest.approx(100)


def test_numbers_too_large_for_a_format_are_counted_anew(store: Store, tmp_path: Path) -> None:
    fill(store, {7: {0: block(1, 1, 3, 3)}, 1200: {0: block(9, 9, 3, 3), 1: block(9, 9, 2, 2)}}, kinds=("car", "car"))
    export_mots(store, tmp_path / "clip.txt")
    assert [row.number for row in read_rows(tmp_path / "clip.txt")] == [1001, 1002, 1002]
    export_davis(store, tmp_path / "out")
    labels = read_sequence(sequence_folders(tmp_path / "out")["clip.mp4"]).labels
    assert [np.unique(frame).tolist() for frame in labels[:3]] == [[0, 1, 2], [0, 2], [0]]
    objects = json.loads((tmp_path / "out" / "objects.json").read_text())["clip.mp4"]
    assert objects["2"] == {"tracklet": 1200, "category": "car"}


def test_more_objects_than_a_format_can_number_are_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 254 objects of one picture and 999 of one class take long to make: the limits come down instead.
    monkeypatch.setattr("onlooker.video.exchange.mask_write.VOID", 3)
    monkeypatch.setattr("onlooker.video.exchange.mask_write._PER_CLASS", 3)
    fill(store, {n: {0: block(n, n, 1, 1)} for n in (1, 2, 3)}, kinds=["car"] * 3)
    with pytest.raises(ConfigError, match="3 objects with masks, DAVIS numbers 2; use ytvis"):
        export_davis(store, tmp_path / "out")
    with pytest.raises(ConfigError, match="3 objects of class 1 with masks, MOTS numbers 2; use ytvis"):
        export_mots(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("export", [export_mots, export_davis])
def test_a_library_without_masks_says_how_to_make_some(store: Store, tmp_path: Path, export) -> None:
    with store.write() as connection:
        info = VideoInfo("/v/a.mp4", 32, 24, 10.0, 0.6, 6, False, "h264", "mp4", "yuv420p")
        set_status(connection, add_video(connection, info, "a", "a.mp4", "video"), "ready")
    with pytest.raises(NothingFoundError, match="--set segmenter=NAME"):
        export(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_of_several_videos_those_with_masks_are_written(store: Store, tmp_path: Path) -> None:
    fill(store, WITHOUT_OVERLAP, "a.mp4")
    fill(store, WITHOUT_OVERLAP, "b.mp4")
    with store.write() as connection:
        info = VideoInfo("/v/c.mp4", 32, 24, 10.0, 0.6, 6, False, "h264", "mp4", "yuv420p")
        set_status(connection, add_video(connection, info, "c", "c.mp4", "video"), "ready")
    assert [file.name for file in export_mots(store, tmp_path / "mots").files] == ["a.mp4.txt", "b.mp4.txt"]
    export_davis(store, tmp_path / "davis")
    assert sorted(sequence_folders(tmp_path / "davis")) == ["a.mp4", "b.mp4"]
    with pytest.raises(ConfigError, match="is one file, but 2 videos"):
        export_mots(store, tmp_path / "one.txt")


def test_masks_of_other_frames_are_not_mixed_with_new_ones(store: Store, tmp_path: Path) -> None:
    fill(store, WITHOUT_OVERLAP)
    export_davis(store, tmp_path / "out")
    export_davis(store, tmp_path / "out")
    (tmp_path / "out" / "Annotations" / "clip.mp4" / "00099.png").write_bytes(b"old")
    with pytest.raises(ConfigError, match=r"masks of other frames \(`00099.png`\)"):
        export_davis(store, tmp_path / "out")


def test_the_object_with_the_number_0_is_not_lost_among_the_ground(store: Store, tmp_path: Path) -> None:
    fill(store, {0: MASKS[1], 3: MASKS[3]}, kinds=("car", "dog"))
    export_davis(store, tmp_path)
    (labels, *_) = read_sequence(tmp_path / "Annotations" / "clip.mp4").labels
    assert np.array_equal(labels == 1, MASKS[1][0])
    objects = json.loads((tmp_path / "objects.json").read_text())["clip.mp4"]
    assert {number: told["tracklet"] for number, told in objects.items()} == {"1": 0, "2": 3}


def test_masks_of_a_data_set_are_not_replaced_and_earlier_exports_stay_known(store: Store, tmp_path: Path) -> None:
    first, second = fill(store, WITHOUT_OVERLAP, "a.mp4"), fill(store, WITHOUT_OVERLAP, "b.mp4")
    export_davis(store, tmp_path, [first])
    export_davis(store, tmp_path, [second])
    assert list(json.loads((tmp_path / "objects.json").read_text())) == ["a.mp4", "b.mp4"]
    (tmp_path / "objects.json").unlink()
    truth = tmp_path / "Annotations" / "b.mp4" / "00000.png"
    truth.write_bytes(b"truth")
    with pytest.raises(ConfigError, match="masks that were not exported from a library and would be replaced"):
        export_davis(store, tmp_path, [second])
    assert truth.read_bytes() == b"truth"


def test_ytvis_brings_masks_over_with_the_same_run_lengths(store: Store, other: Store, tmp_path: Path) -> None:
    fill(store, MASKS)
    export_ytvis(store, tmp_path / "out.json")
    import_ytvis(other, tmp_path / "out.json")

    def masks(library: Store) -> list[tuple]:
        with library.read() as connection:
            rows = connection.exec_driver_sql("SELECT id, frame, t, area, rle FROM masks ORDER BY id, frame")
            return [tuple(row) for row in rows]

    assert masks(other) == masks(store)
    assert len(masks(store)) == 12
