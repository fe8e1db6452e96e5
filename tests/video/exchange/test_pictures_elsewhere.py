"""Files of other people name pictures: what lies outside of the folder that was given stays outside of the library."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from onlooker.errors import ConfigError, FormatError, MediaError
from onlooker.video.exchange import import_coco_vid, import_mot, import_ytvis
from onlooker.video.source import open_frames
from onlooker.video.store import list_videos
from onlooker.video.store.store import Store

ROWS = "1,1,2,2,20,20,1,1,1\n2,1,4,2,20,20,1,1,1\n"


def picture(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 40), (200, 0, 0)).save(file)
    return file


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Pictures that nobody gave away."""
    for name in ("000001.jpg", "000002.jpg"):
        picture(tmp_path / "private" / name)
    return tmp_path / "private"


def sequence(folder: Path, image_folder: str = "img1") -> Path:
    (folder / "gt").mkdir(parents=True)
    (folder / "gt" / "gt.txt").write_text(ROWS)
    header = f"[Sequence]\nname=toy\nimDir={image_folder}\nframeRate=10\nimWidth=60\nimHeight=40\n"
    (folder / "seqinfo.ini").write_text(header)
    return folder


def ytvis(file: Path, *names: str) -> Path:
    video = {"id": 1, "width": 60, "height": 40, "file_names": list(names)}
    tube = {"id": 1, "video_id": 1, "category_id": 1, "bboxes": [[2, 2, 20, 20]] * len(names)}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"videos": [video], "annotations": [tube], "categories": [{"id": 1, "name": "dog"}]}))
    return file


def coco(file: Path, *names: str) -> Path:
    images = [{"id": i, "video_id": 1, "frame_id": i, "file_name": name} for i, name in enumerate(names)]
    boxes = [
        {"id": i, "image_id": i, "category_id": 1, "track_id": 1, "bbox": [2, 2, 20, 20]} for i in range(len(names))
    ]
    content = {"videos": [{"id": 1, "width": 60, "height": 40}], "images": images, "annotations": boxes}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content | {"categories": [{"id": 1, "name": "dog"}]}))
    return file


def kept(store: Store) -> list[tuple[int, int]]:
    """(videos, pictures) in the library."""
    with store.read() as connection:
        counts = "SELECT (SELECT count(*) FROM base_videos), (SELECT count(*) FROM base_pictures)"
        return [tuple(row) for row in connection.exec_driver_sql(counts)]


@pytest.mark.parametrize("named", ["../private", "../set/../private", "..\\private", "{private}", "img1/../../private"])
def test_a_header_does_not_fetch_pictures_from_elsewhere(
    store: Store, tmp_path: Path, private: Path, named: str
) -> None:
    folder = sequence(tmp_path / "set", named.format(private=private))
    (folder / "img1").mkdir()
    with pytest.raises(
        FormatError, match=r"seqinfo.ini: `imDir`: leads to `.*private`, expected .* inside `.*set`; if"
    ):
        import_mot(store, folder)
    assert kept(store) == [(0, 0)]


def test_a_header_that_names_a_share_in_a_network_is_refused_without_a_look(store: Store, tmp_path: Path) -> None:
    folder = sequence(tmp_path / "set", "\\\\server\\share")
    with pytest.raises(FormatError, match=r"`imDir` is `\\\\server\\share`, expected a folder inside"):
        import_mot(store, folder)


def test_links_in_a_sequence_folder_do_not_lead_out_of_it(store: Store, tmp_path: Path, private: Path) -> None:
    whole = sequence(tmp_path / "whole")
    (whole / "img1").symlink_to(private)
    with pytest.raises(FormatError, match=r"expected a place inside `.*whole`; .* `pictures`"):
        import_mot(store, whole)
    single = sequence(tmp_path / "single")
    picture(single / "img1" / "000001.jpg")
    (single / "img1" / "000002.jpg").symlink_to(private / "000002.jpg")
    with pytest.raises(FormatError, match=r"img1: leads to `.*000002.jpg`"):
        import_mot(store, single)
    assert kept(store) == [(0, 0)]


def test_sequences_given_together_may_share_pictures_and_the_folder_given_may_be_a_link(
    store: Store, tmp_path: Path
) -> None:
    picture(tmp_path / "train" / "A" / "img1" / "000001.jpg")
    sequence(tmp_path / "train" / "A")
    sequence(tmp_path / "train" / "B", "../A/img1")
    (tmp_path / "link").symlink_to(tmp_path / "train")
    import_mot(store, tmp_path / "link")
    assert kept(store) == [(2, 4)]  # a keyframe and a crop each, of one picture


def test_a_folder_of_pictures_that_the_user_names_may_be_anywhere(store: Store, tmp_path: Path, private: Path) -> None:
    folder = sequence(tmp_path / "set", "../elsewhere")
    import_mot(store, folder)  # nothing is there
    assert kept(store) == [(1, 0)]
    (folder / "gt" / "gt.txt").write_text(ROWS + "2,2,4,2,20,20,1,1,1\n")
    import_mot(store, folder, pictures=private)
    assert kept(store) == [(2, 5)]
    with pytest.raises(FormatError, match="gt: holds no pictures"):
        import_mot(store, folder, pictures=folder / "gt")
    sequence(tmp_path / "two" / "a")
    sequence(tmp_path / "two" / "b")
    with pytest.raises(ConfigError, match="holds 2 sequences; `pictures` is the folder of one"):
        import_mot(store, tmp_path / "two", pictures=private)


def test_what_is_no_picture_file_is_not_opened(store: Store, tmp_path: Path) -> None:
    folder = sequence(tmp_path / "set")
    for name in ("000001.jpg", "000002.jpg"):
        picture(folder / "img1" / name)
    (folder / "img1" / "._000001.jpg").write_bytes(b"left by macOS")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "img1" / "000003.jpg")  # to read it would wait for ever
    import_mot(store, folder)
    assert kept(store) == [(1, 4)]


def test_pictures_of_a_stored_sequence_are_not_fetched_from_elsewhere_later(
    store: Store, tmp_path: Path, private: Path
) -> None:
    folder = sequence(tmp_path / "set")
    picture(folder / "img1" / "000001.jpg")
    import_mot(store, folder)
    with store.read() as connection:
        (video,) = list_videos(connection)
    header = folder / "seqinfo.ini"
    header.write_text(header.read_text().replace("img1", "../private"))
    with pytest.raises(MediaError, match=r"leads to `.*private`.*`--source PATH`"), open_frames(video) as frames:
        next(frames)
    with open_frames(video, private) as frames:
        assert len(list(frames)) == 2


@pytest.mark.parametrize("write", [ytvis, coco])
@pytest.mark.parametrize("named", ["../private/000001.jpg", "..\\private\\000001.jpg", "{private}/000001.jpg"])
def test_json_does_not_fetch_pictures_from_elsewhere(
    store: Store, tmp_path: Path, private: Path, write, named: str
) -> None:
    import_ = import_ytvis if write is ytvis else import_coco_vid
    file = write(tmp_path / "set" / "truth.json", named.format(private=private))
    said = (
        r"videos\[0\]: the name of a picture: leads to `.*private/000001.jpg`, expected .* inside `.*set`; .*`pictures`"
    )
    with pytest.raises(FormatError, match=said):
        import_(store, file)
    with pytest.raises(FormatError, match=said):
        import_(store, file, pictures=tmp_path / "set")
    assert kept(store) == [(0, 0)]
    import_(store, file, pictures=tmp_path / "private")
    assert kept(store) == [(1, 2)]


def test_links_beside_a_json_file_do_not_lead_away(store: Store, tmp_path: Path, private: Path) -> None:
    file = ytvis(tmp_path / "set" / "truth.json", "000001.jpg", "000002.jpg")
    (tmp_path / "set" / "JPEGImages").symlink_to(private)
    with pytest.raises(FormatError, match=r"leads to `.*private/000001.jpg`"):
        import_ytvis(store, file)
    import_ytvis(store, file, pictures=tmp_path / "set" / "JPEGImages")  # the user said so
    assert kept(store) == [(1, 4)]


def test_names_that_stay_inside_or_name_no_file_are_no_obstacle(store: Store, tmp_path: Path) -> None:
    inside = picture(tmp_path / "set" / "JPEGImages" / "a" / "1.jpg")
    import_ytvis(store, ytvis(tmp_path / "set" / "1.json", "a\\..\\a\\1.jpg"))
    import_ytvis(store, ytvis(tmp_path / "set" / "2.json", str(inside)))
    assert kept(store) == [(2, 4)]
    # Annotations whose pictures are on another machine.
    report = import_ytvis(store, ytvis(tmp_path / "set" / "3.json", "C:\\data\\dog\\1.jpg"))
    assert [video.name for video in report.videos] == ["dog"]
    import_ytvis(store, ytvis(tmp_path / "set" / "4.json", "x" * 5000 + "/1.jpg"))
    assert kept(store) == [(4, 4)]
    for name in ("//server/share/1.jpg", "\\\\server\\share\\1.jpg", "a\0.jpg"):
        with pytest.raises(FormatError, match=r"file_names\[0\]: expected the name of a picture in a folder"):
            import_ytvis(store, ytvis(tmp_path / "set" / "5.json", name))


@pytest.mark.parametrize("named", ["1.jpg", "../JPEGImages/1.jpg"])
def test_pictures_beside_a_folder_of_annotations_are_found(store: Store, tmp_path: Path, named: str) -> None:
    picture(tmp_path / "set" / "JPEGImages" / "1.jpg")
    import_ytvis(store, ytvis(tmp_path / "set" / "Annotations" / "truth.json", named))
    assert kept(store) == [(1, 2)]


def test_what_else_lies_beside_a_folder_of_annotations_stays_there(store: Store, tmp_path: Path, private: Path) -> None:
    with pytest.raises(FormatError, match=r"expected a place inside `.*annotations`"):
        import_ytvis(store, ytvis(tmp_path / "annotations" / "a.json", "../private/000001.jpg"))
    (tmp_path / "images").symlink_to(private)
    for name in ("000001.jpg", "../images/000001.jpg"):
        with pytest.raises(FormatError, match=r"leads to `.*private/000001.jpg`"):
            import_ytvis(store, ytvis(tmp_path / "annotations" / "a.json", name))
    assert kept(store) == [(0, 0)]


def test_a_picture_of_more_pixels_than_memory_holds_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 100)
    picture(tmp_path / "set" / "1.jpg")
    with pytest.raises(FormatError, match=r"1.jpg: not a readable picture .*decompression bomb"):
        import_ytvis(store, ytvis(tmp_path / "set" / "truth.json", "1.jpg"))
