"""Where results go, and what they must not replace."""

import json

import pytest

from onlooker.errors import ConfigError
from onlooker.video.following.folder import check_folder, remove_left_over

OURS = '{"video": {"path": "%s", "width": 64}, "asked": {}, "models": {}, "tracks": []}\n'


def test_a_place_that_cannot_hold_results_is_refused_and_nothing_is_made(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match="--out"):
            check_folder(place, tmp_path / "clip.mp4")
    check_folder(tmp_path / "new" / "deep", tmp_path / "clip.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["masks/00003.png", "masks/000001.png", "boxes/7.txt", "tracks.txt", "annotated.mp4"])
@pytest.mark.parametrize(
    "told", [None, "", '{"tracks": []}', '{"video": ["clip.mp4"]}', '{"video": {"path": 3}}', "[["]
)
def test_files_of_somebody_else_that_would_be_replaced_are_a_reason_to_stop(tmp_path, name, told):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    if told is not None:
        (tmp_path / "tracks.json").write_text(told)
    with pytest.raises(ConfigError, match=r"would be replaced, and is not of an earlier `onlooker track`.*--out"):
        check_folder(tmp_path, tmp_path / "clip.mp4")
    assert (tmp_path / name).read_text() == "mine"


def test_other_files_may_lie_in_the_folder(tmp_path):
    (tmp_path / "masks").mkdir()
    for name in ("notes.txt", "masks/mine.png", "masks/0001.png"):
        (tmp_path / name).touch()
    check_folder(tmp_path, tmp_path / "clip.mp4")


def test_results_of_the_same_video_are_replaced_and_those_of_another_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tracks.json").write_text(OURS % "clip.mp4")
    (tmp_path / "tracks.txt").touch()
    check_folder(tmp_path, tmp_path / "clip.mp4")
    with pytest.raises(ConfigError, match=r"holds what was followed in `clip.mp4`.*--out"):
        check_folder(tmp_path, tmp_path / "other" / "clip.mp4")


def test_what_an_earlier_run_wrote_and_this_one_did_not_goes(tmp_path):
    for place in ("boxes", "masks"):
        (tmp_path / place).mkdir()
    for name in ("tracks.json", "sheet.png", "youtube_vis.json", "boxes/1.txt", "masks/00000.png", "masks/mine.png"):
        (tmp_path / name).write_text(json.dumps(name))
    remove_left_over(tmp_path, [tmp_path / "tracks.json"])
    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*"))
    assert left == ["masks", "masks/mine.png", "tracks.json"]
