"""What an ingest costs: time by stage, overhead outside decode and models, peak memory against video length.

    python benchmarks/ingest_cost.py [--minutes 10]

Each ingest runs in a process of its own, so that peak memory is its own. Models are timed by wrapping the calls of the
roles; decoding by a decode-only pass of the same file in the same run. Writes benchmarks/results/ingest_cost.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from onlooker.media.samples import sample_video
from onlooker.video.wiring import ModelPool
from tracking_common import RESULTS, fingerprint, machine, write_result

ROLE_CALLS = {
    "detector": "detect",
    "appearance_embedder": "embed_images",
    "tagger": "tag",
    "text_embedder": "embed_texts",
    "transcriber": "transcribe",
    "sound_tagger": "tag_sound",
    "text_reader": "read",
}


def timed_models(pool: ModelPool) -> dict[str, float]:
    """Makes each call of every model of the pool add its time to the returned table."""
    spent = dict.fromkeys(ROLE_CALLS, 0.0)
    for role, call in ROLE_CALLS.items():
        model = pool.get(role, object)
        setattr(model, call, _timed(getattr(model, call), role, spent))
    return spent


def _timed(original: Callable[..., object], role: str, spent: dict[str, float]) -> Callable[..., object]:
    def wrapped(*args: object, **options: object) -> object:
        started = time.perf_counter()
        try:
            return original(*args, **options)
        finally:
            spent[role] += time.perf_counter() - started

    return wrapped


def warm_up(pool: ModelPool) -> None:
    """First calls load weights; that is start-up and not the cost of a video."""
    import numpy as np

    picture = np.zeros((240, 320, 3), np.uint8)
    calls = {"detector": [picture], "appearance_embedder": [picture], "tagger": [picture], "text_embedder": ["x"]}
    for role, argument in calls.items():
        getattr(pool.get(role, object), ROLE_CALLS[role])(argument)
    pool.get("text_reader", object).read(picture)
    pool.get("transcriber", object).transcribe(np.zeros(16_000, np.float32))


def decode_only(path: Path) -> float:
    from onlooker.media.decode import VideoReader

    started = time.perf_counter()
    with VideoReader(path) as reader:
        for frame in reader:
            frame.grey()
    return time.perf_counter() - started


def measure(path: Path) -> dict[str, object]:
    """Runs in the child: one decode, one ingest, and one ingest again."""
    from onlooker.video.library import Library

    decode_s = decode_only(path)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "l.onlooker"
        with Library.open(file) as library:
            # The session keeps its models here, so that their loading and their calls can be told apart.
            library.models.release = lambda role: None  # type: ignore[method-assign]
            warm_up(library.models)
            spent = timed_models(library.models)
            started = time.perf_counter()
            report = library.add(path).result()
            total = time.perf_counter() - started
            started = time.perf_counter()
            again = library.add(path).result()
            again_s = time.perf_counter() - started
        size = file.stat().st_size
    models = sum(spent.values())
    return {
        "total_s": round(total, 2),
        "decode_s": round(decode_s, 2),
        "models_s": {role: round(value, 2) for role, value in spent.items()},
        "overhead_share": round(max(0.0, total - decode_s - models) / total, 3),
        "stages_s": report.seconds,
        "n_frames": report.n_frames,
        "n_tracklets": report.n_tracklets,
        "n_detector_runs": report.n_detector_runs,
        "second_ingest": {"status": again.status, "seconds": round(again_s, 2), "stages": again.seconds},
        "library_bytes": size,
    }


def repeated(source: Path, minutes: float, target: Path) -> Path:
    """The sample again and again until it is `minutes` long, copied without re-encoding."""
    import av

    with av.open(str(source)) as first:
        stream = first.streams.video[0]
        seconds = float(stream.duration * stream.time_base)
    times = max(1, round(minutes * 60 / seconds))
    with av.open(str(target), "w") as output:
        copy, offset = None, 0
        for _ in range(times):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                copy = copy or output.add_stream_from_template(video)
                last = 0
                for packet in container.demux(video):
                    if packet.dts is None:
                        continue
                    last = max(last, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + offset, packet.dts + offset, copy
                    output.mux(packet)
                offset += last
    return target


def in_child(path: Path) -> dict[str, object]:
    """Time from one child, peak memory from another that ingests as a user does."""
    found = json.loads(_child("--child", path))
    return {**found, "peak_memory_mb": json.loads(_child("--memory", path))}


def _child(what: str, path: Path) -> str:
    out = subprocess.run([sys.executable, __file__, what, str(path)], check=True, capture_output=True, text=True)
    return out.stdout.splitlines()[-1]


def peak_memory(path: Path) -> float:
    """Runs in a child: MB at the highest point of one ingest."""
    from onlooker.video.library import Library

    with tempfile.TemporaryDirectory() as scratch, Library.open(Path(scratch) / "l.onlooker") as library:
        library.add(path).result()
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only-memory", action="store_true", help="keep the times of the result file")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(json.dumps(peak_memory(options.memory)))
        return
    if options.child:
        print(json.dumps(measure(options.child)))
        return
    source = sample_video("bikes")
    before = json.loads((RESULTS / "ingest_cost.json").read_text())["runs"] if options.only_memory else {}
    with tempfile.TemporaryDirectory() as scratch:
        clips = {"bikes": source}
        for minutes in (options.minutes / 2, options.minutes):
            clips[f"{minutes:g} min"] = repeated(source, minutes, Path(scratch) / f"{minutes:g}.mp4")
        runs = {
            name: {**before[name], "peak_memory_mb": json.loads(_child("--memory", clip))} if before else in_child(clip)
            for name, clip in clips.items()
        }
    write_result(
        "ingest_cost", {"machine": machine(), "seed": None, "data_sha256": fingerprint([source]), "runs": runs}
    )
    print(json.dumps(runs, indent=1))


if __name__ == "__main__":
    main()
