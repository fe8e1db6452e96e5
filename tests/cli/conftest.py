"""Runs the `onlooker` command, in this process or as one of its own, on one small library made once."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onlooker.cli.app import main

# Everything off but the detector: the annotators have tests of their own, and loading them takes most of the time.
ROLES_OFF = ("tagger", "transcriber", "text_reader", "sound_tagger", "text_embedder", "appearance_embedder")
CHEAP = tuple(word for role in ROLES_OFF for word in ("--set", f"{role}=none"))


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """One JSON value per line of standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> str:
        """The one line on standard error that an expected failure leaves."""
        assert self.out == ""
        assert self.err.startswith("error: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        assert self.err[:-1].isprintable()
        return self.err[:-1]


Runner = Callable[..., Ran]


def run_here(*words: str | Path, stdin: str | None = None) -> Ran:
    """The command in this process: the same code from `main` on. An error that is not expected comes through."""
    out, err = io.StringIO(), io.StringIO()
    kept = sys.argv, sys.stdin
    sys.argv = ["onlooker", *map(str, words)]
    sys.stdin = io.StringIO(stdin or "")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv, sys.stdin = kept
    return Ran(code, out.getvalue(), err.getvalue())


def run_process(
    *words: str | Path, stdin: str | bytes = b"", cwd: Path | None = None, timeout_s: float = 100, **env: str
) -> Ran:
    """The installed command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "from onlooker.cli.app import main; main()", *map(str, words)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        timeout=timeout_s,
        env={**os.environ, "OMP_NUM_THREADS": "1", **env},
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="session")
def run() -> Runner:
    return run_here


@pytest.fixture(scope="session")
def process() -> Runner:
    return run_process


@pytest.fixture(scope="session")
def cheap() -> tuple[str, ...]:
    """Options that leave only the detector on."""
    return CHEAP


def write_sequence(folder: Path, name: str = "yard") -> Path:
    """Twenty frames at 10 a second, 160x120: person 3 walks right all the time, dog 7 sits from 0.5 s for one second,
    car 9 drives left during the first second and is faster than the person."""
    sequence = folder / name
    (sequence / "gt").mkdir(parents=True)
    (sequence / "img1").mkdir()
    (sequence / "seqinfo.ini").write_text(
        f"[Sequence]\nname={name}\nimDir=img1\nframeRate=10\nseqLength=20\nimWidth=160\nimHeight=120\nimExt=.jpg\n"
    )
    (sequence / "tracks.json").write_text(json.dumps({"categories": {"3": "person", "7": "dog", "9": "car"}}))
    rows = []
    for frame in range(20):
        boxes = {3: (10 + 2 * frame, 40, 20, 50)}
        if 5 <= frame < 15:
            boxes[7] = (100, 80, 24, 20)
        if frame < 10:
            boxes[9] = (120 - 8 * frame, 10, 30, 16)
        image = np.full((120, 160, 3), 90, np.uint8)
        for number, (x, y, w, h) in boxes.items():
            image[y : y + h, x : x + w] = (250, 25 * number, 0)
            rows.append(f"{frame + 1},{number},{x},{y},{w},{h},1,1,1")
        Image.fromarray(image).save(sequence / "img1" / f"{frame + 1:06d}.jpg")
    (sequence / "gt" / "gt.txt").write_text("\n".join(rows))
    return sequence


@pytest.fixture(scope="session")
def sequence(tmp_path_factory) -> Path:
    """A MOTChallenge folder with pictures, see `write_sequence`."""
    return write_sequence(tmp_path_factory.mktemp("sequence"))


@pytest.fixture(scope="session")
def shared_library(tmp_path_factory, sequence) -> Path:
    """A library with the video `yard`. Only for reading."""
    path = tmp_path_factory.mktemp("shared") / "lib.onlooker"
    assert run_here("import", "mot", sequence, "--library", path).code == 0
    return path


@pytest.fixture(scope="session")
def phone_clip(tmp_path_factory) -> Path:
    """The first second of real footage: a man talking in a moving car."""
    from onlooker.media.decode import VideoReader
    from onlooker.media.samples import sample_video
    from onlooker.synth.clips import make_clip

    with VideoReader(sample_video("carphone")) as reader:
        frames = [frame.image for frame, _ in zip(reader, range(30), strict=False)]
    return make_clip(tmp_path_factory.mktemp("phone") / "phone.mp4", frames)


@pytest.fixture
def library(shared_library, tmp_path) -> Path:
    """A copy of the shared library to change."""
    return Path(shutil.copy(shared_library, tmp_path / "lib.onlooker"))
