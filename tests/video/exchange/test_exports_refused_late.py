"""Of several videos, one that a format cannot carry is found before the first file is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import ConfigError
from onlooker.formats.run_lengths import encode_mask
from onlooker.types import Shot, TrackingResult, Tracklet, VideoInfo
from onlooker.video.attributes.write import write_tracking
from onlooker.video.exchange import EXPORTERS, export_annotations, export_davis, export_mot, export_mots
from onlooker.video.store.masks import StoredMask, add_masks
from onlooker.video.store.store import Store
from onlooker.video.store.videos import add_video, set_status

SIZE = (8, 8)
FOLDERS = {"mots": "b.mp4.txt", "webvtt": "b.mp4.vtt", "cvat": "b.mp4.xml", "davis": "objects.json"}
FOLDERS |= {"mot": "b.mp4/times.csv", "csv": "boxes.csv", "parquet": "boxes.parquet"}


def fill(store: Store, name: str, numbers: Sequence[int]) -> int:
    """A video with one box and one mask of a pixel for each number."""
    one = np.ones(1)
    tracklets = tuple(
        Tracklet(n, "car", 1.0, np.array([0]), one * 0, np.array([[1, 1, 5, 5]], np.float32), one.astype(np.float32),
                 np.ones(1, np.bool_))
        for n in numbers
    )  # fmt: skip
    info = VideoInfo(f"/v/{name}", SIZE[1], SIZE[0], 10.0, 0.1, 1, False, "h264", "mp4", "yuv420p")
    with store.write() as connection:
        video = add_video(connection, info, name, name, "video")
        found = TrackingResult(tracklets, (), {}, 0)
        ids = write_tracking(connection, video, found, [Shot(0, 0.1)], [(0, 0.0)], (SIZE[1], SIZE[0]), 0.1)
        mask = np.zeros(SIZE, np.bool_)
        mask[0, 0] = True
        add_masks(connection, [StoredMask(ids[n], 0, 0.0, encode_mask(mask)) for n in numbers])
        set_status(connection, video, "ready")
    return video


def below(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_too_many_objects_in_a_later_video_leave_nothing_behind(store: Store, tmp_path: Path) -> None:
    fill(store, "a.mp4", [1, 2])
    fill(store, "b.mp4", range(1, 256))
    with pytest.raises(ConfigError, match=r"`b.mp4` has 255 objects with masks, DAVIS numbers 254"):
        export_davis(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_too_many_ids_in_a_later_video_leave_nothing_behind(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onlooker.video.exchange.mask_write._PER_CLASS", 3)
    fill(store, "a.mp4", [1, 2])
    fill(store, "b.mp4", [1, 2, 3])
    with pytest.raises(ConfigError, match=r"`b.mp4` has 3 objects of class 1 with masks"):
        export_mots(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_masks_of_other_frames_in_a_later_video_leave_the_first_as_it_was(store: Store, tmp_path: Path) -> None:
    fill(store, "a.mp4", [1])
    second = fill(store, "b.mp4", [1])
    export_davis(store, tmp_path, [second])
    (tmp_path / "Annotations" / "b.mp4" / "00009.png").write_bytes(b"old")
    before = below(tmp_path / "Annotations")
    with pytest.raises(ConfigError, match="masks of other frames"):
        export_davis(store, tmp_path)
    assert below(tmp_path / "Annotations") == before
    (tmp_path / "Annotations" / "b.mp4" / "00009.png").rename(tmp_path / "Annotations" / "b.mp4" / "._00000.png")
    export_davis(store, tmp_path)  # what macOS leaves is no mask


@pytest.mark.parametrize("form", FOLDERS)
def test_a_place_that_a_folder_has_is_found_before_anything_is_written(store: Store, tmp_path: Path, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    fill(store, "a.mp4", [1])
    fill(store, "b.mp4", [1])
    (tmp_path / "out" / FOLDERS[form]).mkdir(parents=True)
    with pytest.raises(ConfigError, match="is a folder, but a file of that name is to be written; give another place"):
        export_annotations(store, form, tmp_path / "out")
    assert below(tmp_path / "out") == []


@pytest.mark.parametrize("form", ["mots", "webvtt", "cvat", "davis", "mot"])
def test_a_place_inside_a_file_is_refused_before_anything_is_written(store: Store, tmp_path: Path, form: str) -> None:
    fill(store, "a.mp4", [1])
    fill(store, "b.mp4", [1])
    blocked = {"davis": tmp_path / "out" / "Annotations" / "b.mp4", "mot": tmp_path / "out" / "b.mp4"}
    file = blocked.get(form, tmp_path / "out")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        export_annotations(store, form, tmp_path / "out")
    assert below(tmp_path / "out") in ([], [str(file.relative_to(tmp_path / "out"))])
    assert file.read_text() == "mine"


@pytest.mark.parametrize("name", ["seqinfo.ini", "gt/gt.txt", "gt/labels.txt", "tracks.json", "times.csv"])
def test_no_file_of_a_data_set_is_replaced_by_a_mot_export(store: Store, tmp_path: Path, name: str) -> None:
    fill(store, "a.mp4", [1])
    file = tmp_path / "test-01" / name
    file.parent.mkdir(parents=True)
    file.write_text("[Sequence]\nframeRate=30\n")
    with pytest.raises(ConfigError, match=rf"{name}` was not exported from a library and would be replaced"):
        export_mot(store, tmp_path / "test-01")
    assert below(tmp_path / "test-01") == [name]


def test_a_mot_export_that_was_cut_off_can_be_repeated(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, "a.mp4", [1])
    from onlooker.video.exchange import mot_write

    whole = mot_write.write_text

    def cut(target: Path, text: str) -> Path:
        if target.name == "labels.txt":
            raise OSError("disk is full")
        return whole(target, text)

    monkeypatch.setattr(mot_write, "write_text", cut)
    with pytest.raises(OSError, match="full"):
        export_mot(store, tmp_path / "out")
    monkeypatch.undo()
    export_mot(store, tmp_path / "out")
    assert len(below(tmp_path / "out")) == 5


@pytest.mark.parametrize("form", EXPORTERS)
def test_an_export_can_be_repeated_over_itself(store: Store, tmp_path: Path, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    fill(store, "a.mp4", [1])
    fill(store, "b.mp4", [1])
    first = export_annotations(store, form, tmp_path / "out")
    assert export_annotations(store, form, tmp_path / "out") == first


@pytest.mark.parametrize(
    ("form", "name", "content"),
    [
        ("csv", "boxes.csv", "frame,x,y\n"),
        ("csv", "tracklets.csv", ""),
        ("parquet", "boxes.parquet", "mine"),
        ("davis", "objects.json", '{"a": 1}'),
        ("davis", "objects.json", "mine"),
    ],
)
def test_a_file_that_happens_to_have_the_name_of_an_output_is_not_replaced(
    store: Store, tmp_path: Path, form: str, name: str, content: str
) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    fill(store, "a.mp4", [1])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text(content)
    with pytest.raises(ConfigError, match=rf"{name}` was not exported from a library and would be replaced"):
        export_annotations(store, form, tmp_path / "out")
    assert below(tmp_path / "out") == [name]
    assert (tmp_path / "out" / name).read_text() == content
