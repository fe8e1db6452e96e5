"""Ingests that are killed, doubled or starved of disk: the library is whole or silent about the video, never half."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from onlooker.synth.clips import make_clip
from onlooker.video.store import Store

# Loads everything once and splits off a process for every ingest: what is killed or starved is a real one all the same.
PARENT = """
import json, os, resource, signal, sys
sys.path.insert(0, sys.argv[1])
import test_pipeline as doubles
from onlooker.errors import OnlookerError
from onlooker.video.store import Store
from pathlib import Path

def ingest(library, clip, limit):
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        with Store.open(Path(library)) as store:
            tools = doubles.toolbox(doubles.RedBoxDetector(), doubles.NameAnnotator())
            return 0, doubles.add(store, tools, Path(clip)).status
    except OnlookerError as error:
        return 1, f"{type(error).__name__} {error}"

for line in sys.stdin:
    wanted = json.loads(line)
    if "end" in wanted:
        print(os.waitstatus_to_exitcode(os.waitpid(wanted["end"], 0)[1]), flush=True)
        continue
    child = os.fork()
    if child:
        print(child, flush=True)
        continue
    code = 70  # of an error nobody expects
    try:
        code, said = ingest(wanted["library"], wanted["clip"], wanted["limit"])
        Path(wanted["out"]).write_text(said)
    finally:
        os._exit(code)
"""


@dataclass(frozen=True)
class Child:
    """One ingest on its way, and the file in which it says how it went."""

    pid: int
    said: Path


@dataclass(frozen=True)
class Parent:
    """The process whose children ingest."""

    process: subprocess.Popen[str]

    def _ask(self, **wanted: object) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(wanted) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, library: Path, clip: Path, limit: int = 0) -> Child:
        """An ingest that has just begun; none of its files may grow above `limit` bytes, if that is not 0."""
        out = library.with_name(f"said-{time.monotonic_ns()}")
        return Child(self._ask(library=str(library), clip=str(clip), limit=limit, out=str(out)), out)

    def end(self, child: Child) -> tuple[int, str]:
        """Exit code and last words of a child, waited for."""
        code = self._ask(end=child.pid)
        return code, child.said.read_text() if child.said.exists() else ""


@pytest.fixture(scope="module")
def parent() -> Iterator[Parent]:
    words = [sys.executable, "-c", PARENT, str(Path(__file__).parent)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}  # no thread may run where a process splits in two
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        yield Parent(process)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from test_pipeline import red_box_frames

    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return make_clip(path, red_box_frames(25, step=3) * 8, [index / 25 for index in range(200)])


def visible(library: Path) -> tuple[int, int]:
    """(videos, tracklets) that questions can see."""
    with Store.open(library) as store, store.read() as connection:
        videos = connection.exec_driver_sql("SELECT count(*) FROM videos").scalar_one()
        return int(videos), int(connection.exec_driver_sql("SELECT count(*) FROM tracklets").scalar_one())


def _kill_many(parent: Parent, library: Path, clip: Path, n_kills: int, seed: int) -> None:
    started = time.monotonic()
    whole = library.with_name("whole.onlooker")
    assert parent.end(parent.start(whole, clip))[0] == 0
    takes = time.monotonic() - started
    truth = visible(whole)
    assert truth[0] == 1
    rng = random.Random(seed)
    for _ in range(n_kills):
        child = parent.start(library, clip)
        time.sleep(rng.uniform(0, takes))
        os.kill(child.pid, signal.SIGKILL)
        parent.end(child)
        assert visible(library) in ((0, 0), truth)
    assert parent.end(parent.start(library, clip))[0] == 0
    assert visible(library) == truth
    assert time.monotonic() - started < 600


def test_kill_nine_leaves_the_video_whole_or_invisible_and_a_new_run_finishes_it(
    parent: Parent, tmp_path: Path, clip: Path
) -> None:
    _kill_many(parent, tmp_path / "library.onlooker", clip, n_kills=3, seed=1)


@pytest.mark.slow
def test_kill_nine_at_many_moments(parent: Parent, tmp_path: Path, clip: Path) -> None:
    _kill_many(parent, tmp_path / "library.onlooker", clip, n_kills=40, seed=2)


def test_two_ingests_of_one_file_at_once_give_one_video(parent: Parent, tmp_path: Path, clip: Path) -> None:
    library = tmp_path / "library.onlooker"
    children = [parent.start(library, clip) for _ in range(2)]
    assert [parent.end(child)[0] for child in children] == [0, 0]
    assert visible(library)[0] == 1
    alone = tmp_path / "alone.onlooker"
    parent.end(parent.start(alone, clip))
    assert visible(library) == visible(alone)


def test_a_full_disk_is_a_typed_error_and_loses_nothing_that_was_there(
    parent: Parent, tmp_path: Path, clip: Path
) -> None:
    from test_pipeline import red_box_frames

    library = tmp_path / "library.onlooker"
    first = make_clip(tmp_path / "first.mp4", red_box_frames(10), [index / 10 for index in range(10)])
    assert parent.end(parent.start(library, first))[0] == 0
    before = visible(library)
    # Bytes a file may grow to: enough to open the library, too little for the rows of one video.
    code, said = parent.end(parent.start(library, clip, limit=60_000))
    assert code == 1
    assert said.startswith("StorageFullError")
    assert visible(library) == before
