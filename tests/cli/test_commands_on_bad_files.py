"""Files no one should have: each ends in one line or in a correct library, and nothing that was there is lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from onlooker.synth.clips import Sound, make_clip, make_sound, moving_squares, tone

NAMES = [
    "ünï 🚲.mp4", "new\nline.mp4", "-dash.mp4", "\x1b[31mred\x1b]0;title\x07.mp4", "'; DROP TABLE base_videos; --.mp4",
    "<b>[bold]&lt;<script>.mp4", "x" * 250 + ".mp4", "é" * 120 + ".mp4", "a b%20?#&*.mp4", "a b%20*#&?.mp4",
    "file:http:.mp4", " .mp4", "\u202egnp.mp4", "CON.mp4", "%s%n.mp4", "{0}.mp4", "\\.mp4",
]  # fmt: skip


def write_odd_videos(folder: Path) -> dict[str, dict[str, object]]:
    """Playable files of every oddity, and what `videos --json` has to say of each."""
    squares = moving_squares(12)
    whole = make_clip(folder / "whole.mp4", squares, sound=Sound(tone(0.5))).read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    matroska = make_clip(folder / "whole.mkv", squares).read_bytes()
    (folder / "cut.mkv").write_bytes(matroska[: len(matroska) * 2 // 3])
    make_clip(folder / "one.mp4", squares[:1])
    make_clip(folder / "uneven.mp4", squares, times_s=[0, 0.1, 0.5, 0.6, 1, 1.5, 1.6, 3, 3.1, 3.2, 5, 5.1])
    make_clip(folder / "turned.mp4", squares, rotation_deg=90)
    make_clip(folder / "ten.mp4", squares, pixel_format="yuv420p10le")
    make_clip(folder / "odd.mkv", moving_squares(6, (63, 47)), pixel_format="yuv444p")
    make_clip(folder / "dot.mkv", moving_squares(6, (2, 2)), pixel_format="yuv444p")
    make_clip(folder / "strip.mp4", moving_squares(3, (1000, 16)))
    make_clip(folder / "moving.gif", squares, codec="gif", pixel_format="rgb8")
    make_clip(folder / "black.mp4", [np.zeros((48, 64, 3), np.uint8)] * 5)
    write_growing(folder / "growing.ts")
    size = {"width": 64, "height": 48}
    return {
        "whole.mp4": {**size, "status": "ready", "has_audio": True},
        "cut.mp4": {**size, "status": "partial"},
        "whole.mkv": {**size, "status": "ready", "has_audio": False},
        "cut.mkv": {**size, "status": "partial"},
        "one.mp4": {**size, "status": "ready"},
        "uneven.mp4": {**size, "status": "ready", "duration_s": pytest.approx(5.2, abs=0.5)},
        "turned.mp4": {"width": 48, "height": 64, "status": "ready"},
        "ten.mp4": {**size, "status": "ready"},
        "odd.mkv": {"width": 63, "height": 47, "status": "ready"},
        "dot.mkv": {"width": 2, "height": 2, "status": "ready"},
        "strip.mp4": {"width": 1000, "height": 16, "status": "ready"},
        "moving.gif": {**size, "status": "ready"},
        "black.mp4": {**size, "status": "ready", "n_tracklets": 0},
        "growing.ts": {**size, "status": "ready"},
    }


def write_growing(path: Path) -> Path:
    """A transport stream whose pictures become larger half-way: two streams of one codec, one after the other."""
    parts = []
    for number, size in enumerate(((64, 48), (128, 96))):
        start = number * 0.4
        times = [start + k / 25 for k in range(10)]
        part = make_clip(path.with_name(f"part{number}.ts"), moving_squares(10, size), times_s=times)
        parts.append(part.read_bytes())
        part.unlink()
    path.write_bytes(b"".join(parts))
    return path


@pytest.fixture(scope="module")
def odd(run, cheap, tmp_path_factory):
    """All odd videos and all odd names, read by one command into one library."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "clips").mkdir()
    wanted = write_odd_videos(folder / "clips")
    for number, name in enumerate(NAMES):
        # Each its own content: the same bytes under two names are one video.
        clip = make_clip(folder / "made.mp4", moving_squares(2, seed=number + 1))
        clip.rename(folder / "clips" / name)
    os.mkfifo(folder / "clips" / "pipe.mp4")
    ran = run("ingest", folder / "clips", "--json", "-l", folder / "lib.onlooker", *cheap)
    return folder, wanted, ran


@pytest.mark.slow
@pytest.mark.models
def test_every_odd_video_is_read_as_what_it_is(run, odd):
    folder, wanted, ran = odd
    failed = [Path(event["path"]).name for event in ran.lines if event["event"] == "error"]
    assert failed == ["pipe.mp4"]
    found = {video["name"]: video for video in run("videos", "--json", "-l", folder / "lib.onlooker").json}
    for name, properties in wanted.items():
        assert {key: found[name][key] for key in properties} == properties, name
    assert set(found) == set(wanted) | set(NAMES)


@pytest.mark.slow
@pytest.mark.models
def test_no_odd_name_reaches_the_terminal_as_a_command_or_a_line_of_its_own(run, process, odd):
    folder, wanted, _ = odd
    library = folder / "lib.onlooker"
    for words in (["videos"], ["export", "webvtt", folder / "vtt"], ["ask", "How long are the videos?", "--why"]):
        ran = process(*words, "-l", library)
        assert ran.code in (0, 3), ran.err
        assert not any(c in ran.out + ran.err for c in "\x1b\x07\u202e")
    lines = process("videos", "-l", library).out.splitlines()
    assert len(lines) == 1 + len(wanted) + len(NAMES)


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize("name", NAMES)
def test_every_odd_name_can_be_asked_for_and_shown(run, odd, tmp_path, name):
    library = odd[0] / "lib.onlooker"
    answer = run("ask", "How many cars are there?", f"--video={name}", "--json", "-l", library)
    assert answer.json["status"] in ("answered", "no_evidence")
    assert run("tracks", f"--video={name}", "-l", library).code in (0, 3)
    ran = run("show", "--kind", "timeline", "-o", tmp_path, "--json", "-l", library, "--", name)
    assert ran.code == 0, ran.err
    (shown,) = ran.json
    assert Path(shown["path"]).parent == tmp_path
    assert [str(path) for path in tmp_path.iterdir()] == [shown["path"]]


@pytest.mark.slow
@pytest.mark.models
def test_show_of_many_videos_writes_as_many_files(run, odd, tmp_path):
    folder, wanted, _ = odd
    ran = run("show", "--kind", "timeline", "-o", tmp_path, "--json", "-l", folder / "lib.onlooker")
    assert ran.code == 0, ran.err
    assert len(ran.json) == len(wanted) + len(NAMES) == len(list(tmp_path.iterdir()))


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize("form", ["mot", "webvtt", "cvat", "csv", "coco-vid", "ytvis", "label-studio", "parquet"])
def test_export_keeps_odd_names_inside_its_folder_and_apart(run, odd, tmp_path, form):
    folder, wanted, _ = odd
    ran = run("export", form, tmp_path / "out", "--json", "-l", folder / "lib.onlooker")
    assert ran.code == 0
    files = [Path(file).resolve() for file in ran.json]
    assert len(set(files)) == len(files)
    assert all(file.is_relative_to(tmp_path.resolve()) and file.is_file() for file in files)
    if form == "webvtt":
        assert len(files) == len(wanted) + len(NAMES)


def bad(folder: Path, name: str) -> Path:
    """One unusable input."""
    path = folder / name
    if name == "empty.mp4":
        path.write_bytes(b"")
    elif name == "zeros.mp4":
        path.write_bytes(bytes(5000))
    elif name == "text.mp4":
        path.write_text("once upon a time\n" * 50)
    elif name == "head.mp4":
        path.write_bytes(make_clip(folder / "whole.mp4", moving_squares(3)).read_bytes()[:40])
    elif name == "sound.mp4":
        make_sound(path, Sound(tone(0.5)))
    elif name in ("folder.mp4", "folder"):
        path.mkdir()
    elif name == "pipe.mp4":
        os.mkfifo(path)
    elif name == "loop.mp4":
        path.symlink_to(path)
    return path


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("empty.mp4", 1, "is empty"), ("zeros.mp4", 1, "not a video"), ("text.mp4", 1, "not a video"),
        ("head.mp4", 1, "no video"), ("sound.mp4", 1, "only audio"), ("folder.mp4", 3, "no video below"),
        ("folder", 3, "no video below"), ("pipe.mp4", 1, "not a regular file"), ("loop.mp4", 1, "loop.mp4"),
        ("none.mp4", 1, "does not exist"), ("x" * 5000, 1, "too long"), ("/dev/null", 1, "not a regular file"),
        ("/dev/zero", 1, "not a regular file"), ("\udcff.mp4", 1, "does not exist"),
    ],
)  # fmt: skip
def test_what_is_no_video_is_refused_in_one_line_and_nothing_is_lost(run, cheap, library, tmp_path, name, code, said):
    before = run("sql", "SELECT * FROM boxes", "--json", "-l", library).json
    path = bad(tmp_path, name)
    ran = run("ingest", path, "-l", library, *cheap)
    assert ran.code == code
    assert said in ran.error
    as_json = run("ingest", path, "-l", library, "--json", *cheap)
    assert as_json.code == code
    assert all(event["event"] == "error" for event in as_json.lines)
    assert run("sql", "SELECT * FROM boxes", "--json", "-l", library).json == before


@pytest.mark.parametrize("name", ["text.mp4", "head.mp4", "none.mp4"])
def test_first_ingest_of_nothing_but_bad_files_makes_no_library(run, cheap, tmp_path, name):
    path = bad(tmp_path, name)
    for words in ([path], [path, "--json"], [path, bad(tmp_path, "empty.mp4")]):
        assert run("ingest", *words, "-l", tmp_path / "lib.onlooker", *cheap).code == 1
    assert [p for p in tmp_path.iterdir() if p.name.startswith("lib")] == []


def test_a_name_of_broken_bytes_is_refused_by_name(process, cheap, tmp_path):
    clip = make_clip(tmp_path / "a.mp4", moving_squares(2))
    broken = clip.rename(tmp_path / "\udcff.mp4")
    ran = process("ingest", broken, "--json", "-l", tmp_path / "lib", *cheap)
    assert ran.code == 1
    assert "not valid text" in ran.lines[0]["message"]
    assert "Traceback" not in ran.err


def broken_library(folder: Path, kind: str) -> Path:
    path = folder / "broken"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("dear diary " * 500)
    elif kind == "sqlite":
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE tracklets (mine)")
        connection.execute("INSERT INTO tracklets VALUES ('precious')")
        connection.commit()
        connection.close()
    elif kind == "nowhere":
        path = folder / "no" / "such" / "folder" / "lib"
    elif kind == "device":
        path = Path("/dev/null")
    elif kind == "long":
        path = folder / ("x" * 300)
    return path


@pytest.mark.parametrize("kind", ["folder", "text", "sqlite", "nowhere", "device", "long"])
def test_what_is_no_library_is_refused_and_left_as_it_is(run, cheap, sequence, tmp_path, kind):
    clip = make_clip(tmp_path / "a.mp4", moving_squares(2))
    path = broken_library(tmp_path, kind)
    before = [sorted(tmp_path.rglob("*")), *(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())]
    for words in (
        ("ask", "How many?"), ("videos",), ("db", "info"), ("db", "gc"), ("edit", "log"), ("remove", "x"),
        ("ingest", clip, *cheap), ("import", "mot", sequence), ("export", "csv", tmp_path / "out"), ("show",),
    ):  # fmt: skip
        ran = run(*words, "-l", path)
        assert (words, ran.code) == (words, 1)
        assert ran.error
    after = [sorted(tmp_path.rglob("*")), *(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())]
    assert after == before


@pytest.mark.slow
def test_without_rights_a_library_is_read_and_not_written(shared_library, sequence, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    library = Path(shutil.copy(shared_library, folder / "lib.onlooker"))
    secret = make_clip(folder / "secret.mp4", moving_squares(2))
    secret.chmod(0)
    library.chmod(0o444)
    folder.chmod(0o555)
    # The superuser may write everywhere, unless that right is taken from the process.
    tied = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if tied and shutil.which("setpriv") is None:
        pytest.skip("needs setpriv when run by the superuser")

    def bound(*words: str | Path, into: Path = library) -> subprocess.CompletedProcess[str]:
        code = "from onlooker.cli.app import main; main()"
        command = [*tied, sys.executable, "-c", code, *map(str, words), "-l", str(into)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    try:
        assert json.loads(bound("ask", "How many dogs are there?", "--json").stdout)["value"] == 1
        for words in (
            ("ingest", secret),
            ("edit", "delete", "yard", "3"),
            ("remove", "yard"),
            ("import", "mot", sequence),
        ):
            ran = bound(*words)
            assert (words, ran.returncode) == (words, 1)
            assert ran.stderr.startswith("error: ")
            assert ran.stderr.count("\n") == 1
        fresh = bound("import", "mot", sequence, into=folder / "new.onlooker")
        assert "cannot be written" in fresh.stderr
        assert json.loads(bound("tracks", "--json").stdout)[0]["id"] == 3
    finally:
        folder.chmod(0o755)


MOT_FAULTS = {
    "no-rows": {"gt/gt.txt": ""},
    "words": {"gt/gt.txt": "one,two,three"},
    "short": {"gt/gt.txt": "1,1,5"},
    "nan": {"gt/gt.txt": "1,1,nan,5,5,5,1,1,1"},
    "zero-size": {"gt/gt.txt": "1,1,5,5,0,0,1,1,1"},
    "frame-0": {"gt/gt.txt": "0,1,5,5,5,5,1,1,1"},
    "huge-frame": {"gt/gt.txt": "999999999999,1,5,5,5,5,1,1,1"},
    "twice": {"gt/gt.txt": "1,1,5,5,5,5,1,1,1\n1,1,6,6,5,5,1,1,1"},
    "binary": {"gt/gt.txt": "\x00\x01\x02"},
    "no-rate": {"gt/gt.txt": "1,1,5,5,5,5,1,1,1", "seqinfo.ini": "[Sequence]\nname=x\n"},
    "rate-0": {"gt/gt.txt": "1,1,5,5,5,5,1,1,1", "seqinfo.ini": "[Sequence]\nframeRate=0\nimWidth=9\nimHeight=9\n"},
    "bad-ini": {"gt/gt.txt": "1,1,5,5,5,5,1,1,1", "seqinfo.ini": "frameRate=10"},
    "bad-json": {"gt/gt.txt": "1,1,5,5,5,5,1,1,1", "tracks.json": "{"},
    "deep-json": {"gt/gt.txt": "1,1,5,5,5,5,1,1,1", "tracks.json": "[" * 100_000},
}


@pytest.mark.parametrize("fault", MOT_FAULTS)
def test_a_broken_mot_folder_is_refused_whole(run, library, tmp_path, fault):
    folder = tmp_path / "broken"
    (folder / "gt").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\nimWidth=64\nimHeight=48\nseqLength=5\n")
    for name, content in MOT_FAULTS[fault].items():
        (folder / name).write_text(content)
    ran = run("import", "mot", folder, "-l", library)
    if ran.code == 0:
        # Nothing in it is nothing found in it: a video without objects.
        assert fault in ("no-rows", "zero-size")
    else:
        assert ran.code == 1
        assert ran.error
        assert [v["name"] for v in run("videos", "--json", "-l", library).json] == ["yard"]


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", "{", "[" * 100_000, '{"videos": 1}', '{"videos": [{}]}', "\x00"]
)
@pytest.mark.parametrize("form", ["coco-vid", "ytvis"])
def test_a_broken_json_file_is_refused_whole(run, library, tmp_path, form, content):
    file = tmp_path / "a.json"
    file.write_text(content)
    ran = run("import", form, file, "-l", library)
    assert ran.code == 1
    assert ran.error
    assert [v["name"] for v in run("videos", "--json", "-l", library).json] == ["yard"]


def test_five_hundred_tracks_are_counted_named_and_listed(run, tmp_path):
    folder = tmp_path / "crowd"
    (folder / "gt").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\nimWidth=1920\nimHeight=1080\nseqLength=30\n")
    rows = [
        f"{frame},{number},{number * 3},{number * 2},20,40,1,1,1" for number in range(1, 501) for frame in range(1, 11)
    ]
    (folder / "gt" / "gt.txt").write_text("\n".join(rows))
    library = tmp_path / "lib"
    assert run("import", "mot", folder, "-l", library).out == "crowd: 500 tracklets, 5000 boxes\n"
    answer = run("ask", "How many people are there?", "--json", "-l", library).json
    assert answer["value"] == 500
    assert len(answer["text"]) < 2000
    assert run("ask", "How many people are visible at 0.5 seconds?", "--json", "-l", library).json["value"] == 500
    assert len(run("tracks", "--json", "-l", library).json) == 500
    assert len(run("tracks", "--limit", "7", "--json", "-l", library).json) == 7
    assert run("ask", "When does person 499 first appear?", "--json", "-l", library).json["value"] == 0.0


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.timeout(1500)
def test_memory_stays_flat_over_an_hour(cheap, tmp_path):
    """An hour and ten minutes at one frame a second; most of the memory is the models, whatever the length.

    A look every twenty seconds keeps the test within minutes.
    """

    def peak_mb(n_frames: int) -> float:
        clip = tmp_path / f"{n_frames}.mp4"
        images = moving_squares(50, (160, 120))
        with av.open(str(clip), "w") as container:
            stream = container.add_stream("libx264", rate=1)
            stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
            for k in range(n_frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(images[k % 50], format="rgb24")))
            container.mux(stream.encode(None))
        code = (
            "import resource, sys\nfrom onlooker.cli.app import main\ntry:\n main()\nexcept SystemExit as end:\n"
            " assert not end.code\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        )
        words = [sys.executable, "-c", code, "ingest", str(clip), "--json", "--detector-hz", "0.05", *cheap]
        library = str(tmp_path / f"{n_frames}.onlooker")
        done = subprocess.run([*words, "-l", library], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout.splitlines()[-1])["n_frames"] == n_frames
        return int(done.stderr.split()[-1]) / (1024 if resource.getpagesize() else 1)

    assert peak_mb(4200) < peak_mb(120) + 120
