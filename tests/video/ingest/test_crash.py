"""Ingests that are killed, doubled or starved of disk: the library is whole or silent about the video, never half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onlooker.synth.clips import make_clip
from onlooker.video.store import Store

HERE = Path(__file__).parent
CHILD = """
import resource, signal, sys
sys.path.insert(0, {here!r})
import test_pipeline as doubles
from onlooker.errors import OnlookerError
from onlooker.video.store import Store
from pathlib import Path
if {limit}:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
print("ready", flush=True)
sys.stdin.readline()
try:
    with Store.open(Path({library!r})) as store:
        tools = doubles.toolbox(doubles.RedBoxDetector(), doubles.NameAnnotator())
        print(doubles.add(store, tools, Path({clip!r})).status)
except OnlookerError as error:
    print(type(error).__name__, error)
    sys.exit(1)
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    from test_pipeline import red_box_frames

    return make_clip(tmp_path / "clip.mp4", red_box_frames(25, step=3) * 8, [index / 25 for index in range(200)])


def start(library: Path, clip: Path, limit: int = 0) -> subprocess.Popen[str]:
    """A child that has loaded everything and waits for one line to begin."""
    code = CHILD.format(here=str(HERE), library=str(library), clip=str(clip), limit=limit)
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def end(child: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and output of a child that was let go, its pipes closed."""
    said, _ = child.communicate(timeout=60)
    return child.returncode, said


def visible(library: Path) -> tuple[int, int]:
    """(videos, tracklets) that questions can see."""
    with Store.open(library) as store, store.read() as connection:
        videos = connection.exec_driver_sql("SELECT count(*) FROM videos").scalar_one()
        return int(videos), int(connection.exec_driver_sql("SELECT count(*) FROM tracklets").scalar_one())


def _kill_many(library: Path, clip: Path, n_kills: int, seed: int) -> None:
    started = time.monotonic()
    whole = start(library.with_name("whole.onlooker"), clip)
    begun = time.monotonic()
    go(whole)
    assert end(whole)[0] == 0
    takes = time.monotonic() - begun
    truth = visible(library.with_name("whole.onlooker"))
    assert truth[0] == 1
    rng = random.Random(seed)
    for _ in range(n_kills):
        child = start(library, clip)
        go(child)
        time.sleep(rng.uniform(0, takes))
        child.send_signal(signal.SIGKILL)
        end(child)
        assert visible(library) in ((0, 0), truth)
    last = start(library, clip)
    go(last)
    assert end(last)[0] == 0
    assert visible(library) == truth
    assert time.monotonic() - started < 600


def test_kill_nine_leaves_the_video_whole_or_invisible_and_a_new_run_finishes_it(tmp_path: Path, clip: Path) -> None:
    _kill_many(tmp_path / "library.onlooker", clip, n_kills=3, seed=1)


@pytest.mark.slow
def test_kill_nine_at_many_moments(tmp_path: Path, clip: Path) -> None:
    _kill_many(tmp_path / "library.onlooker", clip, n_kills=40, seed=2)


def test_two_ingests_of_one_file_at_once_give_one_video(tmp_path: Path, clip: Path) -> None:
    library = tmp_path / "library.onlooker"
    children = [start(library, clip) for _ in range(2)]
    for child in children:
        go(child)
    assert [end(child)[0] for child in children] == [0, 0]
    assert visible(library)[0] == 1
    alone = tmp_path / "alone.onlooker"
    single = start(alone, clip)
    go(single)
    end(single)
    assert visible(library) == visible(alone)


def test_a_full_disk_is_a_typed_error_and_loses_nothing_that_was_there(tmp_path: Path, clip: Path) -> None:
    from test_pipeline import red_box_frames

    library = tmp_path / "library.onlooker"
    first = make_clip(tmp_path / "first.mp4", red_box_frames(10), [index / 10 for index in range(10)])
    child = start(library, first)
    go(child)
    assert end(child)[0] == 0
    before = visible(library)
    limit = 60_000  # bytes a file may grow to: enough to open the library, too little for the rows of one video
    child = start(library, clip, limit=limit)
    go(child)
    code, said = end(child)
    assert code == 1
    assert said.startswith("StorageFullError")
    assert visible(library) == before
