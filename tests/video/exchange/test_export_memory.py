"""An export holds one video at a time, however many the library has."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, event, insert

from onlooker.errors import OnlookerError
from onlooker.types import Shot, TrackingResult, Tracklet, VideoInfo
from onlooker.video.attributes.write import write_tracking
from onlooker.video.exchange import EXPORTERS
from onlooker.video.exchange.outgoing import OutgoingVideo
from onlooker.video.store.schema import MASKS
from onlooker.video.store.store import Store
from onlooker.video.store.videos import add_video, set_status

PER_VIDEO = ("mot", "webvtt", "cvat")
ONE_FILE = ("coco-vid", "ytvis", "label-studio")


@pytest.fixture
def three(store: Store) -> Store:
    times = np.arange(5) / 10
    for name, category in (("a.mp4", "zebra"), ("b.mp4", "person"), ("c.mp4", "car")):
        boxes = np.array([[1, 2, 30 + f, 60] for f in range(5)], np.float32)
        found = Tracklet(
            1, category, 0.9, np.arange(5), times, boxes, np.full(5, 0.5, np.float32), np.ones(5, bool), ()
        )
        info = VideoInfo(f"/v/{name}", 100, 80, 10.0, 0.5, 5, False, "h264", "mp4", "yuv420p")
        with store.write() as connection:
            video = add_video(connection, info, name, name, "video")
            result = TrackingResult((found,), (), {}, 0)
            write_tracking(connection, video, result, [Shot(0, 0.5)], list(enumerate(times)), (100, 80), 0.1)
            set_status(connection, video, "ready")
    return store


@contextmanager
def at_each_reading_of_boxes(look: Callable[[], None]) -> Iterator[None]:
    """Calls `look` whenever the boxes of a video are about to be read."""

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "base_boxes" in statement:
            look()

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("form", PER_VIDEO)
def test_the_second_video_is_read_only_when_the_first_is_written(three: Store, tmp_path: Path, form: str) -> None:
    written: list[int] = []

    def look() -> None:
        done = [p for p in (tmp_path / "out").rglob("*") if p.name == "gt.txt" or p.suffix in (".vtt", ".xml")]
        written.append(len(done))

    with at_each_reading_of_boxes(look):
        EXPORTERS[form](three, tmp_path / "out", None)
    assert written == [0, 1, 2]


@pytest.mark.parametrize("form", PER_VIDEO + ONE_FILE)
def test_an_export_holds_one_video_beside_the_one_it_reads(three: Store, tmp_path: Path, form: str) -> None:
    alive: list[int] = []

    def look() -> None:
        gc.collect()
        alive.append(sum(isinstance(thing, OutgoingVideo) for thing in gc.get_objects()))

    gc.freeze()  # what other tests left in memory is neither collected nor counted at every look
    try:
        with at_each_reading_of_boxes(look):
            EXPORTERS[form](three, tmp_path / "out", None)
    finally:
        gc.unfreeze()
    assert len(alive) == 3
    assert alive[0] == 0
    assert max(alive) <= 1


def test_ids_and_categories_count_through_all_videos(three: Store, tmp_path: Path) -> None:
    for form, rows in (("coco-vid", 15), ("ytvis", 3)):
        (file,) = EXPORTERS[form](three, tmp_path / form, None).files
        content = json.loads(file.read_text(encoding="utf-8"))
        assert [c["name"] for c in content["categories"]] == ["car", "person", "zebra"]
        assert [a["id"] for a in content["annotations"]] == list(range(1, rows + 1))
        assert [v["name"] for v in content["videos"]] == ["a.mp4", "b.mp4", "c.mp4"]
        assert content["annotations"][0]["category_id"] == 3


@pytest.mark.parametrize("form", ["coco-vid", "ytvis"])
def test_a_fault_in_a_later_video_leaves_the_old_file_and_nothing_beside_it(
    three: Store, tmp_path: Path, form: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "all.json").write_text("old")
    with three.write() as connection:
        connection.execute(insert(MASKS).values(tracklet_id=3, frame=0, t=0.0, area_px=1, rle=b"\xff\xff"))
    with pytest.raises((OnlookerError, ValueError)):
        EXPORTERS[form](three, folder / "all.json", None)
    assert (folder / "all.json").read_text() == "old"
    assert len(list(folder.iterdir())) == 1
