"""Videos: filled where damage is steady, marked, whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from restoring_samples import DAMAGE, FILL, film, picture

from onlooker.errors import ConfigError, NotAVideoError, ShapeError
from onlooker.media.decode import VideoReader
from onlooker.media.marks import read_mark
from onlooker.media.video_marks import read_video_mark
from onlooker.methods.forensics.fttdr import FtTdrRestorer
from onlooker.restoring import RestoreRequest, restore
from onlooker.restoring.pictures import read_mask
from onlooker.restoring.request import plan_files
from onlooker.restoring.values import Restoration
from onlooker.restoring.videos import NEIGHBOURS, restore_video


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(restorer: FtTdrRestorer, request: RestoreRequest) -> tuple[Restoration, list[float]]:
    """What is told at the end, and the frames that were told on the way."""
    steps = restore_video(restorer, request, plan_files(request, "video"))
    told = []
    while True:
        try:
            told.append(next(steps).done)
        except StopIteration as end:
            return end.value, told


def fills(path: str) -> list[bool]:
    """Per frame, whether what was green is dark grey now."""
    with VideoReader(path) as reader:
        return [bool(abs(frame.image[13:19, 20:30].mean() - 255 * FILL) < 12) for frame in reader]


def test_damage_in_every_frame_is_filled_and_the_file_says_so(restorer: FtTdrRestorer) -> None:
    film(Path("old.mp4"), [True] * 7)
    done, told = run(restorer, RestoreRequest("old.mp4", "unused"))
    assert told == [1, 2, 3, 4, 5, 6, 7]
    assert (done.n_frames, done.n_restored_frames, done.size) == (7, 7, (60, 40))
    assert fills("old.restored.mp4") == [True] * 7
    assert done.mark is not None
    assert "of the pixels of 7 frames" in done.mark.detail
    assert read_video_mark("old.restored.mp4") == read_mark("old.restored.compare.png") == done.mark
    mask = read_mask("old.restored.mask.png", (60, 40))
    assert mask[DAMAGE].mean() > 0.95
    assert mask.mean() == pytest.approx(done.share, rel=0.2)
    assert sorted(os.listdir()) == ["old.mp4", "old.restored.compare.png", "old.restored.mask.png", "old.restored.mp4"]


def test_what_is_missed_once_stays_covered_and_a_single_flash_is_left_alone(restorer: FtTdrRestorer) -> None:
    missed = [True] * 5 + [False] + [True] * 5
    done, _ = run(restorer, RestoreRequest(film(Path("missed.mp4"), missed), "unused"))
    assert done.n_restored_frames == 11
    flash = [False] * 5 + [True] + [False] * 5
    done, _ = run(restorer, RestoreRequest(film(Path("flash.mp4"), flash), "unused"))
    assert not done.is_changed
    assert not Path("flash.restored.mp4").exists()


def test_a_video_shorter_than_the_window_is_averaged_over_what_there_is(restorer: FtTdrRestorer) -> None:
    for length in range(1, NEIGHBOURS + 2):
        done, told = run(restorer, RestoreRequest(film(Path(f"{length}.mp4"), [True] * length), "unused"))
        assert done.n_restored_frames == length == len(told)


def test_nothing_found_leaves_no_file_behind(restorer: FtTdrRestorer) -> None:
    film(Path("sound.mp4"), [False] * 4)
    done, _ = run(restorer, RestoreRequest("sound.mp4", "unused"))
    assert (done.is_changed, done.share, done.n_frames) == (False, 0, 4)
    assert os.listdir() == ["sound.mp4"]


def test_a_given_mask_holds_for_every_frame(restorer: FtTdrRestorer) -> None:
    film(Path("old.mp4"), [False] * 3)
    mask = np.zeros((40, 60), np.uint8)
    mask[DAMAGE] = 255
    Pil.fromarray(mask).save("mine.png")
    done, _ = run(restorer, RestoreRequest("old.mp4", "unused", mask=Path("mine.png")))
    assert fills("old.restored.mp4") == [True] * 3
    assert np.array_equal(read_mask("old.restored.mask.png", (60, 40)), mask > 0)
    assert done.share == pytest.approx(mask.mean() / 255)
    Pil.fromarray(mask[:9]).save("small.png")
    with pytest.raises(ShapeError, match="60x9"):
        run(restorer, RestoreRequest("old.mp4", "unused", mask=Path("small.png")))


def test_a_restored_video_is_told_and_keeps_what_it_said(restorer: FtTdrRestorer) -> None:
    film(Path("old.mp4"), [True] * 3)
    first, _ = run(restorer, RestoreRequest("old.mp4", "unused"))
    mask = np.full((40, 60), 255, np.uint8)
    Pil.fromarray(mask).save("all.png")
    again = RestoreRequest("old.restored.mp4", "unused", Path("twice.mp4"), Path("all.png"))
    done, _ = run(restorer, again)
    assert done.before == first.mark
    assert done.mark is not None
    assert "before: restored by Onlooker" in done.mark.detail


def test_what_cannot_be_is_refused(restorer: FtTdrRestorer, untrained: Path) -> None:
    film(Path("old.mp4"), [True])
    with pytest.raises(ConfigError, match="label"):
        run(restorer, RestoreRequest("old.mp4", "unused", label=True))
    with pytest.raises(ConfigError, match="written over"):
        restore(RestoreRequest("old.mp4", untrained, Path("old.mp4")))
    Path("words.txt").write_text("no video\n" * 99)
    with pytest.raises(NotAVideoError, match=r"words\.txt"):
        restore(RestoreRequest("words.txt", untrained))
    assert sorted(os.listdir()) == ["old.mp4", "words.txt"]


def test_an_error_on_the_way_leaves_no_half_video(restorer: FtTdrRestorer, monkeypatch: pytest.MonkeyPatch) -> None:
    film(Path("old.mp4"), [True] * 6)
    monkeypatch.setattr("onlooker.restoring.videos.mark_video", lambda path, mark: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(restorer, RestoreRequest("old.mp4", "unused"))
    steps = restore_video(restorer, RestoreRequest("old.mp4", ""), plan_files(RestoreRequest("old.mp4", ""), "video"))
    next(steps)
    steps.close()
    assert os.listdir() == ["old.mp4"]
    assert picture().shape == (40, 60, 3)
