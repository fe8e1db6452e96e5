"""`onlooker track` as a person calls it."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from onlooker.errors import MissingExtraError
from onlooker.media.samples import sample_video
from onlooker.synth.clips import make_clip

ALONE = ("--set", "detector=none", "--set", "appearance_embedder=none")
BOX = ("--box", "20,30,52,62")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A speckled square that walks right, two pixels a frame, 12 frames at 25 a second, 160x120."""
    ground = np.asarray(Image.fromarray(noise(1, 12, 16)).resize((160, 120), Image.Resampling.BICUBIC))
    square = np.asarray(Image.fromarray(noise(2, 6, 6)).resize((32, 32), Image.Resampling.BICUBIC))
    frames = []
    for k in range(12):
        frame = ground // 2 + 60
        frame[30:62, 20 + 2 * k : 52 + 2 * k] = square
        frames.append(frame)
    return make_clip(tmp_path_factory.mktemp("track") / "walk.mp4", frames)


def noise(seed, height, width):
    return np.random.default_rng(seed).integers(30, 220, (height, width, 3)).astype(np.uint8)


def test_a_box_is_followed_and_everything_is_written(run, clip, tmp_path):
    done = run("track", clip, *BOX, "-o", tmp_path / "out", *ALONE)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "1 thing (box): seen 0.00 to 0.44 s, 12 of 12 frames"
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["annotated.mp4", "boxes", "sheet.png", "tracks.json", "tracks.txt"]
    assert [line.rsplit("/", 1)[-1] for line in lines[1:]] == [
        "tracks.json",
        "tracks.txt",
        "boxes",
        "annotated.mp4",
        "sheet.png",
    ]
    told = json.loads((tmp_path / "out" / "tracks.json").read_text())
    assert told["tracks"][0]["boxes"][-1]["box_xyxy"] == pytest.approx([42, 30, 74, 62], abs=3)


def test_json_is_the_content_of_the_file_and_names_the_files(run, clip, tmp_path):
    done = run("track", clip, *BOX, "--at", "0.2", "--to", "0.4", "-o", tmp_path, "--json", *ALONE)
    assert done.code == 0, done.err
    told = done.json
    files = told.pop("files")
    assert told == json.loads((tmp_path / "tracks.json").read_text())
    assert [row["frame"] for row in told["tracks"][0]["boxes"]] == [5, 6, 7, 8, 9]
    assert len(files) == 5


def test_masks_of_a_data_set_in_the_folder_are_not_touched(run, clip, tmp_path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "000001.png").write_bytes(b"truth")
    done = run("track", clip, *BOX, "-o", tmp_path, *ALONE)
    assert done.code == 1
    assert "masks/000001.png` would be replaced" in done.error
    assert [p.name for p in tmp_path.iterdir()] == ["masks"]


def test_a_second_run_leaves_nothing_of_the_first_and_another_video_is_refused(run, clip, tmp_path):
    out = tmp_path / "out"
    assert run("track", clip, *BOX, *BOX, "-o", out, *ALONE).code == 0
    (out / "youtube_vis.json").write_text("{}")  # as a run with masks leaves it
    assert run("track", clip, *BOX, "-o", out, *ALONE).code == 0
    names = ["annotated.mp4", "boxes", "boxes/1.txt", "sheet.png", "tracks.json", "tracks.txt"]
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*")) == names
    other = tmp_path / clip.name
    other.write_bytes(clip.read_bytes())
    done = run("track", other, *BOX, "-o", out, *ALONE)
    assert done.code == 1
    assert f"holds what was followed in `{clip}`" in done.error


def test_a_file_name_that_is_not_utf_8_is_no_obstacle(run, clip, tmp_path):
    other = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    other.write_bytes(clip.read_bytes())
    done = run("track", other, *BOX, "-o", tmp_path / "out", *ALONE)
    assert done.code == 0, done.err
    assert (tmp_path / "out" / "sheet.png").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to follow: point at something with a box, name a class, or both"),
        (("--box", "500,500,600,600"), "outside the frame of 160x120"),
        (("--box", "9,9,9,20"), "has no extent"),
        ((*BOX, "--at", "-1"), "`at` is a second"),
        ((*BOX, "--at", "7"), "0.48 s long, there is nothing at 7 s"),
        ((*BOX, "--masks"), "--set segmenter=isvos:weights=DIR"),
        (("--class", "person"), "--set detector=NAME"),
    ],
)
def test_what_cannot_be_followed_is_said_in_a_line_and_leaves_no_folder(run, clip, tmp_path, words, said):
    done = run("track", clip, *words, "-o", tmp_path / "out", *ALONE)
    assert done.code == 1
    assert said in done.error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,x", "", "1;2;3;4"])
def test_a_box_of_other_than_four_numbers_is_wrong_use(run, clip, text):
    done = run("track", clip, "--box", text, *ALONE)
    assert done.code == 2
    assert "four numbers X1,Y1,X2,Y2" in done.err


def test_a_file_that_is_no_video_is_an_error(run, tmp_path):
    (tmp_path / "a.mp4").write_text("text")
    assert "not a video" in run("track", tmp_path / "a.mp4", *BOX, "-o", tmp_path, *ALONE).error


@pytest.mark.slow
@pytest.mark.models
def test_a_wrong_class_is_wrong_use_with_the_nearest_name(run, clip, tmp_path):
    done = run("track", clip, "--class", "persn", "-o", tmp_path, "--set", "appearance_embedder=none")
    assert done.code == 2
    assert "did you mean `person`" in done.error


@pytest.mark.models
def test_nothing_of_a_class_is_exit_code_three_with_an_empty_list(run, clip, tmp_path):
    done = run("track", clip, "--class", "giraffe", "-o", tmp_path, "--set", "appearance_embedder=none")
    assert done.code == 3
    assert "nothing was seen of: giraffe" in done.err
    assert json.loads((tmp_path / "tracks.json").read_text())["tracks"] == []


@pytest.mark.slow
@pytest.mark.models
def test_a_cyclist_who_is_hidden_for_a_second_is_one_thing_and_those_of_its_class(run, tmp_path):
    try:
        video = sample_video("bikes")
    except MissingExtraError as error:
        pytest.skip(str(error))
    words = ("--box", "380,60,505,270", "--at", "3.2", "--from", "3", "--to", "5", "--class", "person", "--json")
    told = run("track", video, *words, "-o", tmp_path).json
    pointed = told["tracks"][0]
    assert pointed["label"] == "person"
    assert pointed["same_as"]
    assert set(pointed["same_as"]) <= {track["id"] for track in told["tracks"][1:]}
