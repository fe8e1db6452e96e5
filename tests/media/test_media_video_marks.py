"""Marks in mp4 files: written behind everything, read back, harmless to players."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import ConfigError, DecodeError
from onlooker.media.decode import VideoReader
from onlooker.media.encode import VideoWriter
from onlooker.media.marks import Mark
from onlooker.media.video_marks import mark_video, read_video_mark

MARK = Mark("restored", "Onlooker <1>", 'a "guess" & no more')


@pytest.fixture
def film(tmp_path: Path) -> Path:
    with VideoWriter(tmp_path / "film.mp4", (16, 16)) as writer:
        for number in range(3):
            writer.write(np.full((16, 16, 3), 50 * number, np.uint8), number / 10)
    return tmp_path / "film.mp4"


def test_a_marked_video_says_so_and_plays_as_before(film: Path) -> None:
    before = film.read_bytes()
    assert read_video_mark(film) is None
    mark_video(film, MARK)
    assert read_video_mark(film) == MARK
    assert film.read_bytes()[: len(before)] == before
    with VideoReader(film) as reader:
        assert [round(float(frame.image.mean())) for frame in reader] == pytest.approx([0, 50, 100], abs=3)
        assert reader.problem is None


def test_boxes_beyond_four_gigabytes_and_without_an_end_are_understood(tmp_path: Path) -> None:
    long = tmp_path / "long.mp4"
    long.write_bytes(struct.pack(">I4sQ", 1, b"mdat", 20) + b"data" + struct.pack(">I4s", 8, b"free"))
    mark_video(long, MARK)
    assert read_video_mark(long) == MARK
    open_ended = tmp_path / "open.mp4"
    open_ended.write_bytes(struct.pack(">I4s", 0, b"mdat") + b"data")
    with pytest.raises(ConfigError, match="no whole mp4"):
        mark_video(open_ended, MARK)


@pytest.mark.parametrize("data", [b"", b"abc", b"text " * 50, struct.pack(">I4sI", 9, b"uuid", 7), b"\0" * 64])
def test_files_that_are_no_mp4_have_no_mark_and_get_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(data)
    assert read_video_mark(path) is None
    with pytest.raises(ConfigError, match="no whole mp4"):
        mark_video(path, MARK)
    assert path.read_bytes() == data


def test_other_types_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one of"):
        mark_video(tmp_path / "film.mkv", MARK)
    with pytest.raises(DecodeError, match="cannot be read"):
        read_video_mark(tmp_path / "film.mp4")
