"""Writes docs/results.md from the files in benchmarks/results: `python docs/generate_results.py`.

Every number on that page comes from a file a script in benchmarks/ wrote. A test keeps page and files equal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
TARGET = Path(__file__).with_name("results.md")
HEAD = """# Results

<!-- made by docs/generate_results.py from benchmarks/results; edit there -->

What was measured, with which script, on which machine. Each table is drawn from one file in `benchmarks/results`, which
also holds seed, versions and a fingerprint of the data. `make bench` measures everything again.
"""
Table = tuple[Sequence[str], Sequence[Sequence[object]]]


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return (
        f"{value:.1f}"
        if isinstance(value, float) and abs(value) >= 10
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def questions(result: Mapping[str, Any]) -> str:
    meaning = {
        "official": "verified questions of the ground-truth packs, in one conversation per clip",
        "rewordings": "re-wordings written by somebody who had not seen the planner; the planner was mended on these",
        "rewordings_heldout": "more of them, other sentence shapes; the planner was mended on these, too",
        "rewordings_second": "22 voices, from lawyer to sports commentator; the planner was mended on these",
        "rewordings_sealed": "the same 22 voices, other sentences; never looked at while mending",
        "absent": "about things that are not there: right is only “none”",
        "conversations": "follow-ups with pronouns and ellipses, turn by turn",
        "beyond": "other kinds: yes or no, intervals, orders, comparisons, lists",
    }
    rows = [
        (name, f"{found['right']} of {found['asked']}", f"{100 * found['accuracy']:.1f} %", meaning.get(name, ""))
        for name, found in result["sets"].items()
    ]
    return table(("set", "right", "", "what it is"), rows)


def public_detections(result: Mapping[str, Any]) -> str:
    rows = []
    for data in ("mot15", "kitti-car", "kitti-pedestrian"):
        for way, name in (("ours", "ours"), ("bytetrack", "ByteTrack, best of the settings tried")):
            found = result[data][way]["all"]
            rows.append((data, name, found["hota"], found["idf1"], found["mota"], found["id_switches"]))
    return table(("detections", "tracker", "HOTA", "IDF1", "MOTA", "id switches"), rows)


def speed_accuracy(result: Mapping[str, Any]) -> str:
    rows = [
        (
            f"{row['detector_hz']:g} Hz",
            f"{row['times_faster']:.1f}",
            row["idf1"],
            row["hota"],
            -row["idf1_lost_to_bytetrack_on_every_frame"],
            "yes" if row["bar_met"] else "no",
        )
        for row in result["speed_against_idf1"]
    ]
    columns = ("detector rate", "times faster", "IDF1", "HOTA", "IDF1 gained on every-frame ByteTrack", "bar met")
    every = next(row for row in result["speed_on_bikes"]["rows"] if row["way"].startswith("every frame"))
    decode = next(row for row in result["speed_on_bikes"]["rows"] if row["way"] == "decode only")
    bar = f"The bar: {result['bar']}. Decoding alone takes {100 * decode['seconds'] / every['seconds']:.1f} % of the "
    return table(columns, rows) + f"\n\n{bar}time of detecting on every frame.\n\n" + full_pipeline(result)


def full_pipeline(result: Mapping[str, Any]) -> str:
    """Scores of the whole pipeline at the default rate, on both kinds of clips."""
    composed = [row for row in result["composites"]["ours"] if row["detector_hz"] == 3.0]
    rows = [(f"composites, 3 Hz, {row['joins']}", *_scores(row["known objects"])) for row in composed]
    rows += [(f"MOT17-mini, {name}", *_scores(found)) for name, found in result["mot17_mini"].items()]
    return table(("full pipeline, bundled detector", "HOTA", "IDF1", "switches / object minute", "count error %"), rows)


def _scores(found: Mapping[str, Any]) -> tuple[object, ...]:
    return found["hota"], found["idf1"], found["id_switches_per_object_minute"], found["count_error"]


def ask_speed(result: Mapping[str, Any]) -> str:
    size, warm, cold = result["library"], result["warm"], result["cold_ask"]
    rows = [
        ("questions in one process, median", f"{warm['p50_ms']} ms"),
        ("95 of 100 are quicker than", f"{warm['p95_ms']} ms"),
        ("slowest", f"{warm['max_ms']} ms"),
        ("`onlooker ask` as a cold process, median", f"{cold['median_s']} s"),
    ]
    what = f"{size['videos']:,} videos, {size['tracklets']:,} tracklets, {size['boxes']:,} boxes (synthesised)."
    return what + "\n\n" + table((f"{warm['questions']} questions of 20 kinds", "time"), rows)


def ingest_cost(result: Mapping[str, Any]) -> str:
    rows = []
    for name, run in result["runs"].items():
        models = sum(run["models_s"].values())
        again = run["second_ingest"]
        rows.append(
            (
                name,
                run["total_s"],
                run["decode_s"],
                round(models, 2),
                f"{100 * run['overhead_share']:.0f} %",
                f"{run['peak_memory_mb']:.0f} MB",
                f"{again['status']}, {again['seconds']} s",
            )
        )
    columns = ("clip", "ingest s", "decode s", "models s", "everything else", "peak memory", "second ingest")
    return table(columns, rows)


SECTIONS: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("Answers on perfect tracklets", "oracle_questions", "benchmarks/oracle_questions.py", questions),
    (
        "Tracking public detections",
        "tracking_public_detections",
        "benchmarks/tracking_public_detections.py",
        public_detections,
    ),
    ("Fewer detector runs", "tracking_speed_accuracy", "benchmarks/tracking_speed_accuracy.py", speed_accuracy),
    ("Questions in a large library", "ask_speed", "benchmarks/ask_speed.py", ask_speed),
    ("What an ingest costs", "ingest_cost", "benchmarks/ingest_cost.py", ingest_cost),
)


def render() -> str:
    """The page, from the result files that are there."""
    parts = [HEAD]
    for title, name, script, section in SECTIONS:
        path = RESULTS / f"{name}.json"
        if path.exists():
            result = json.loads(path.read_text(encoding="utf-8"))
            machine = result["machine"]
            where = f"`{script}`, {machine['cpu_count']} cores {machine['architecture']}, Python {machine['python']}."
            parts.append(f"## {title}\n\n{where}\n\n{section(result)}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
