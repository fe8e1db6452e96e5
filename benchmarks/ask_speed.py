"""How long a question takes in a large library: 1,000 videos, 100,000 tracklets, 5 million boxes.

    python benchmarks/ask_speed.py [--library FILE]

Makes the library with `synthesise_library.py` unless one is given. Times (a) questions of every type inside one
process after start, each question asked once so that nothing is answered from a cache, and (b) `onlooker ask` as a cold
process. Writes benchmarks/results/ask_speed.json.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from onlooker.video.library import Library
from tracking_common import machine, write_result

SEED = 0
N_QUESTIONS = 300
N_COLD = 7
TEMPLATES = (
    "How many {c}s are there?",
    "How many {c}s are visible at {t} seconds?",
    "How many objects are visible at {t} seconds?",
    "Is there a {c} in this video?",
    "How many {k} {c}s are there?",
    "When does {c} {n} first appear?",
    "For how many seconds is {c} {n} visible?",
    "Where is {c} {n} at {t} seconds?",
    "What is the fastest {c}?",
    "Which {c} is visible the longest?",
    "What is the largest number of {c}s visible at the same time?",
    "What is the largest number of objects visible at the same time?",
    "Which moves faster, {c} {n} or {c} {m}?",
    "Which {c}s enter from the left?",
    "What colour is {c} {n}?",
    "Are a {c} and a {d} visible at the same time?",
    "Does a {c} touch a {d}?",
    "What is said about {w}?",
    "Is there a dragon?",
    "What categories are there?",
)


def questions(library: Library) -> list[tuple[str, list[str] | None]]:
    """Seeded questions of every type; half about one video, half about the whole library."""
    rng = random.Random(SEED)
    categories = [row[0] for row in library.sql("SELECT DISTINCT category FROM peaks WHERE category <> ''").rows]
    colours = [row[0] for row in library.sql("SELECT DISTINCT color FROM tracklets WHERE color IS NOT NULL").rows]
    videos = [video.name for video in library.videos()]
    asked = []
    for index in range(N_QUESTIONS):
        c, d = rng.sample(categories, 2)
        text = TEMPLATES[index % len(TEMPLATES)].format(
            c=c, d=d, k=rng.choice(colours), n=rng.randint(1, 90), m=rng.randint(1, 90),
            t=round(rng.uniform(0, 20), 1), w=rng.choice(("parking", "weather", "coffee")),
        )  # fmt: skip
        asked.append((text, [rng.choice(videos)] if (index // len(TEMPLATES)) % 2 else None))
    return asked


def percentile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 1)


def warm(path: Path) -> dict[str, object]:
    with Library.open(path, create=False) as library:
        asked = questions(library)
        library.ask("How many videos are there?")
        times: dict[str, list[float]] = {"one video": [], "whole library": []}
        slowest: list[tuple[float, str]] = []
        for text, videos in asked:
            started = time.perf_counter()
            library.ask(text, videos=videos)
            taken = (time.perf_counter() - started) * 1000
            times["one video" if videos else "whole library"].append(taken)
            slowest.append((round(taken, 1), text if videos else f"{text} (whole library)"))
    every = [value for values in times.values() for value in values]
    return {
        "questions": len(every),
        "p50_ms": percentile(every, 0.5),
        "p95_ms": percentile(every, 0.95),
        "max_ms": round(max(every), 1),
        **{f"{scope} p50_ms": percentile(values, 0.5) for scope, values in times.items()},
        **{f"{scope} p95_ms": percentile(values, 0.95) for scope, values in times.items()},
        "slowest": sorted(slowest, reverse=True)[:8],
    }


def cold(path: Path) -> dict[str, float]:
    command = [str(Path(sys.executable).with_name("onlooker")), "ask", "How many cars are there?", "--json"]
    times = []
    for _ in range(N_COLD):
        started = time.perf_counter()
        subprocess.run([*command, "--library", str(path)], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return {"runs": N_COLD, "median_s": round(statistics.median(times), 2), "max_s": round(max(times), 2)}


def size(path: Path) -> dict[str, object]:
    with Library.open(path, create=False) as library:
        counts = library.sql("SELECT count(*), sum(n_frames) FROM tracklets").rows[0]
        return {
            "videos": len(library.videos()),
            "tracklets": counts[0],
            "boxes": counts[1],
            "bytes": path.stat().st_size,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, help="use this library instead of making one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = options.library or Path(scratch) / "large.onlooker"
        if options.library is None:
            script = Path(__file__).with_name("synthesise_library.py")
            subprocess.run([sys.executable, str(script), str(path)], check=True)
        result = {"machine": machine(), "seed": SEED, "library": size(path), "warm": warm(path), "cold_ask": cold(path)}
    write_result("ask_speed", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
