from pathlib import Path

import pytest

from onlooker.errors import NotAVideoError, NothingFoundError
from onlooker.video.ingest import find_videos_below


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_a_folder_gives_its_videos_sorted_without_hidden_or_other_files(tmp_path: Path) -> None:
    for name in ("b.MP4", "a.mkv", "sub/c.webm", ".hidden.mp4", ".git/d.mp4", "notes.txt"):
        _touch(tmp_path / name)
    found = [str(path.relative_to(tmp_path)) for path in find_videos_below([tmp_path])]
    assert found == ["a.mkv", "b.MP4", "sub/c.webm"]


def test_a_file_named_twice_or_through_a_link_is_read_once(tmp_path: Path) -> None:
    clip = _touch(tmp_path / "clip.mp4")
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    assert find_videos_below([clip, clip, link, tmp_path]) == [clip]


def test_a_named_file_is_taken_whatever_its_ending(tmp_path: Path) -> None:
    clip = _touch(tmp_path / "clip.bin")
    assert find_videos_below([clip]) == [clip]


def test_a_folder_without_videos_says_what_was_looked_for(tmp_path: Path) -> None:
    _touch(tmp_path / "notes.txt")
    with pytest.raises(NothingFoundError, match=r"no video below .*\.mp4"):
        find_videos_below([tmp_path])


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotAVideoError, match=r"gone\.mp4` does not exist"):
        find_videos_below([tmp_path / "gone.mp4"])
