"""Outputs of `show` and `export`: never in place of what they are made from, and pictures of odd boxes and names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onlooker.errors import ConfigError, NothingFoundError
from onlooker.synth.clips import make_clip, moving_squares
from onlooker.types import Shot, TrackingResult, Tracklet, VideoInfo
from onlooker.video.attributes.write import write_tracking
from onlooker.video.exchange import export_annotations, import_mot
from onlooker.video.report.show import KINDS, ShowRequest, show
from onlooker.video.store import Store
from onlooker.video.store.videos import add_video, content_hash, set_status

HEADER = "[Sequence]\nname=S\nframeRate=5\nimWidth=100\nimHeight=80\n"
ROWS = (
    "1,1,-50,-50,300,300,1,1,1\n"  # larger than the picture
    "1,2,200,200,5,5,1,1,1\n"  # outside of it
    "1,3,0.2,0.2,0.3,0.3,1,1,1\n"  # thinner than a pixel
    "1,4,99.8,70,5,5,1,1,1\n"  # a pixel at the border
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    folder = tmp_path / "S"
    for below in ("gt", "img1"):
        (folder / below).mkdir(parents=True)
    (folder / "gt" / "gt.txt").write_text(ROWS)
    (folder / "seqinfo.ini").write_text(HEADER)
    Image.new("RGB", (100, 80), (200, 0, 0)).save(folder / "img1" / "000001.png")
    with Store.open(tmp_path / "lib.onlooker") as opened:
        import_mot(opened, folder)
        yield opened


def run(steps) -> None:
    for _ in steps:
        pass


@pytest.mark.parametrize(
    ("track", "size"), [(None, (100, 80)), (1, (100, 80)), (3, (1, 1)), (4, (1, 5))], ids=["all", "1", "3", "4"]
)
@pytest.mark.parametrize("name", ["view.jpg", "view.png", "view.xyz", "view"])
def test_views_of_odd_boxes_under_odd_names(store: Store, tmp_path: Path, track, size, name):
    run(show(store, ShowRequest("crop", output=tmp_path / name, at_s=0.0, track=track)))
    with Image.open(tmp_path / name) as view:
        assert view.size == size
        assert view.format == ("PNG" if name.endswith("png") else "JPEG")


def test_a_kept_view_is_of_the_kind_that_its_name_says(store: Store, tmp_path: Path):
    for name, kind in (("best.png", "PNG"), ("best.jpg", "JPEG")):
        run(show(store, ShowRequest("crop", output=tmp_path / name, track=1)))
        with Image.open(tmp_path / name) as view:
            assert view.format == kind


def test_a_box_outside_the_picture_is_nothing_to_show(store: Store, tmp_path: Path):
    with pytest.raises(NothingFoundError, match=r"tracklet 2.* is outside the picture at 0\.00 s"):
        run(show(store, ShowRequest("crop", output=tmp_path / "view.jpg", at_s=0.0, track=2)))
    assert not (tmp_path / "view.jpg").exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("link", [False, True])
def test_the_library_is_not_replaced_by_what_is_shown_of_it(store: Store, tmp_path: Path, kind, link):
    target = store.path
    if link:
        target = tmp_path / "other.png"
        target.symlink_to(store.path)
    crop = {"at_s": 0.0} if kind == "crop" else {}
    with pytest.raises(ConfigError, match="is the library itself"):
        run(show(store, ShowRequest(kind, output=target, **crop)))
    assert store.path.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("form", ["coco-vid", "ytvis", "cvat", "webvtt", "label-studio", "mot", "csv"])
def test_the_library_is_not_replaced_by_an_export_of_it(store: Store, form):
    with pytest.raises(ConfigError, match="is the library itself"):
        export_annotations(store, form, store.path)
    assert store.path.read_bytes().startswith(b"SQLite format 3")


def test_a_video_is_not_replaced_wherever_it_is_now(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mp4", moving_squares(5))
    moved = tmp_path / "moved.mp4"
    shutil.copy(clip, moved)
    info = VideoInfo(str(clip), 128, 96, 25.0, 0.2, 5, False, "h264", "mp4", "yuv420p")
    frames = np.arange(5)
    boxes, ones = np.tile(np.array([[1, 1, 9, 9]], np.float32), (5, 1)), np.ones(5, np.float32)
    track = Tracklet(1, "car", 1.0, frames, frames / 25, boxes, ones, np.ones(5, np.bool_))
    with Store.open(tmp_path / "lib.onlooker") as store:
        with store.write() as connection:
            video = add_video(connection, info, content_hash(clip), "clip.mp4", "video")
            found = TrackingResult((track,), (), {}, 0)
            listed = [(int(f), f / 25) for f in frames]
            write_tracking(connection, video, found, [Shot(0, 0.2)], listed, (128, 96), 0.04)
            set_status(connection, video, "ready")
        for target in (clip, moved):
            with pytest.raises(ConfigError, match="is the video itself"):
                run(show(store, ShowRequest("video", output=target, source=moved)))
        with pytest.raises(ConfigError, match="is the video itself"):
            export_annotations(store, "ytvis", clip)
        assert clip.read_bytes() == moved.read_bytes()
