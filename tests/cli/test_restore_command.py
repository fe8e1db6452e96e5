"""`onlooker restore`: what it prints, its exit codes, and one line for everything that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pil
from restoring_samples import DAMAGE, SMALL, film, picture

from onlooker.media.marks import Mark, read_mark, save_marked
from onlooker.methods.forensics.fttdr import FtTdr


@pytest.fixture(scope="module")
def finds_nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights whose stage 1 is sure that everything is sound."""
    torch.manual_seed(0)
    network = FtTdr(SMALL)
    assert network.mask_net is not None
    last = network.mask_net.decoder[-1]
    assert isinstance(last, torch.nn.Conv2d)
    assert last.bias is not None
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, -9.0)
    folder = tmp_path_factory.mktemp("weights")
    network.save_pretrained(folder)
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Pil.fromarray(picture()).save("old.jpg")
    mask = np.zeros((40, 60), np.uint8)
    mask[DAMAGE] = 255
    Pil.fromarray(mask).save("mine.png")
    return tmp_path


def test_a_picture_is_restored_told_and_marked(run, finds_nothing, here):
    ran = run("restore", "old.jpg", "--weights", finds_nothing, "--mask", "mine.png", "-o", "new.png", "--label")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "old.jpg: 9.00% of the pixels filled in, 1 region",
        "  16,10 to 34,22: 9.00%",
        "wrote new.png",
        "wrote new.mask.png",
        "wrote new.compare.png",
    ]
    assert "9.00% of the pixels" in read_mark("new.png").detail


def test_json_says_the_same_and_that_a_picture_was_restored_before(run, finds_nothing, here):
    save_marked(picture(), "old.png", Mark("restored", "Other\x1b[31m tool", "the sky"))
    words = ("restore", "old.png", "-w", finds_nothing, "--mask", "mine.png")
    said = run(*words, "--json").json
    assert said["share"] == pytest.approx(0.09)
    assert said["regions"] == [{"box_xyxy_px": [16, 10, 34, 22], "share": pytest.approx(0.09)}]
    assert said["before"]["detail"] == "the sky"
    assert said["mark"]["kind"] == "restored"
    assert (said["restored"], said["mask"], said["kind"]) == ("old.restored.png", "old.restored.mask.png", "picture")
    told = run(*words).out
    assert "old.png says of itself: restored by Other" in told
    assert "\x1b" not in told


def test_nothing_found_is_exit_code_three_and_no_file(run, finds_nothing, here):
    ran = run("restore", "old.jpg", "--weights", finds_nothing)
    assert ran.code == 3
    assert ran.err == "error: nothing found; nothing was written\n"
    assert ran.out == "old.jpg: 0.00% of the pixels filled in, 0 regions\n"
    ran = run("restore", "old.jpg", "--weights", finds_nothing, "--json")
    assert ran.code == 3
    assert json.loads(ran.out)["restored"] is None
    assert sorted(path.name for path in here.iterdir()) == ["mine.png", "old.jpg"]


def test_a_video_is_restored(run, finds_nothing, here):
    film(Path("old.mp4"), [True] * 3)
    ran = run("restore", "old.mp4", "--weights", finds_nothing, "--mask", "mine.png", "-o", ".")
    assert ran.code == 0
    first, *_, last = ran.out.splitlines()
    assert first == "old.mp4: 9.00% of the pixels of 3 frames filled in, in 3 of them; 1 region"
    assert last == "wrote old.restored.compare.png"


def test_without_weights_it_says_how_to_get_some(run, here):
    ran = run("restore", "old.jpg")
    assert ran.code == 2
    assert "onlooker train fttdr/tiny" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("old.jpg", "-w", "nowhere"), "onlooker train fttdr/tiny"),
        (("old.jpg", "-w", "."), "onlooker train fttdr/tiny"),
        (("none.jpg", "-w", "{weights}"), "no file `none.jpg`"),
        ((".", "-w", "{weights}"), "is a folder"),
        (("old.jpg", "-w", "{weights}", "-o", "old.jpg"), "written over"),
        (("old.jpg", "-w", "{weights}", "-o", "x.gif"), "written as .png or .webp"),
        (("old.jpg", "-w", "{weights}", "-o", "none/x.png"), "no folder `none`"),
        (("old.jpg", "-w", "{weights}", "--mask", "none.png"), "no file `none.png`"),
        (("old.jpg", "-w", "{weights}", "--short-side", "5"), "short_side"),
        (("old.jpg", "-w", "{weights}", "--device", "abacus"), "abacus"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(run, finds_nothing, here, words, message):
    ran = run("restore", *(word.format(weights=finds_nothing) for word in words))
    assert ran.code in (1, 2)
    assert message in ran.error
    assert sorted(path.name for path in here.iterdir()) == ["mine.png", "old.jpg"]
