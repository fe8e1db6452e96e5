"""Writes docs/results.md from the files in benchmarks/results: `python docs/generate_results.py`.

Every number on that page comes from a file a script in benchmarks/ wrote. A test keeps page and files equal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
        "rewordings_third": "one voice a question, from search box to small talk; the planner was mended on these",
        "rewordings_sealed_second": "other voices again; the planner is not mended on these",
        "absent": "about things that are not there: right is only “none”",
        "absent_second": "the same in the voices of the third set; the planner was mended on these",
        "absent_sealed": "the same again; the planner is not mended on these",
        "conversations": "follow-ups with pronouns and ellipses, turn by turn",
        "conversations_second": "longer ones: one second later, the one before that, the same for the dogs",
        "beyond": "other kinds: yes or no, intervals, orders, comparisons, lists",
        "beyond_second": "the same kinds and a few more in the third set's voices; the planner was mended on these",
        "voices": "14 voices, from shop owner to typist in a hurry, all kinds; the planner was mended on these",
        "voices_sealed": "ten further voices; the planner is not mended on these",
    }
    looks = json.loads((RESULTS / "oracle_questions_first_looks.json").read_text(encoding="utf-8"))["sets"]
    rows = [
        (name, _of(found), f"{100 * found['accuracy']:.1f} %", _of(looks.get(name)), meaning.get(name, ""))
        for name, found in result["sets"].items()
    ]
    return table(("set", "right", "", "when first asked", "what it is"), rows) + _FIRST_LOOKS


_FIRST_LOOKS = """

A set answers honestly only once, before anything is mended on it; those first looks are kept in
`benchmarks/results/oracle_questions_first_looks.json` and never written again. Of the sets before the third only the
final numbers were kept."""


def _of(found: Mapping[str, Any] | None) -> str | None:
    return None if found is None else f"{found['right']} of {found['asked']}"


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


def baselines(result: Mapping[str, Any]) -> str:
    """What simple trackers reach on the real sequences."""
    masks, single = result["video_objects"]["found"], result["single_object"]["found"]
    names = {"copy": "first mask copied", "dis": "carried along DIS flow", "farneback": "carried along Farneback flow"}
    rows = [
        (names[key], *(round(masks[key][part]["J&F"], 1) for part in ("held out", "all")), found)
        for key, found in ((key, masks[key]["processor_ms_per_frame"]) for key in names)
    ]
    n_held_out, n = len(masks["held_out"]), len(masks["sequences"])
    columns = ("DAVIS 2016, J&F", f"{n_held_out} held-out sequences", f"all {n} at hand", "ms per frame")
    parts = [table(columns, rows), _single_object(single, ("first box kept", "correlation"))]
    linked = {f"MOT15 {name}": found for name, found in result["people"]["found"].items()}
    linked |= {"MOT17-mini": result["crowds"]["found"], "KITTI cars and vans": result["cars"]["found"]}
    fields = ("HOTA", "MOTA", "IDF1", "id_switches", "count_error")
    rows = [(name, *(found[field] for field in fields)) for name, found in linked.items()]
    columns = ("public detections linked by overlap", "HOTA", "MOTA", "IDF1", "switches", "count error %")
    return "\n\n".join([*parts, table(columns, rows)]) + f"\n\nSize: {result['limits']}."


def _single_object(found: Mapping[str, Any], ways: Sequence[str]) -> str:
    rows = [
        (name, way, each[way]["success_auc"], each[way]["precision_20px"])
        for name, each in found.items()
        for way in ways
    ]
    return table(("one object", "way", "success AUC", "precision at 20 px"), rows)


def on_real(result: Mapping[str, Any]) -> str:
    """Networks of one's own on sequences they were not trained on, beside the simple ways."""
    simple = json.loads((RESULTS / "tracking_baselines.json").read_text(encoding="utf-8"))
    masks = simple["video_objects"]["found"]
    rows = [
        (name, *(masks[key]["held out"][field] for field in ("J", "F", "J&F")))
        for key, name in (("copy", "first mask copied"), ("farneback", "carried along Farneback flow"))
    ]
    rows += [(name, *(row[field] for field in ("J", "F", "J&F"))) for name, row in _found(result, "masks")]
    parts = [table(("DAVIS, held-out sequences", "J", "F", "J&F"), rows)]
    single = simple["single_object"]["found"]
    ways = {way: [each[way] for each in single.values()] for way in ("first box kept", "correlation")}
    rows = [
        (way, *(_mean_field(each, field) for field in ("success_auc", "precision_20px"))) for way, each in ways.items()
    ]
    rows += [(name, row["success_auc"], row["precision_20px"]) for name, row in _found(result, "one object")]
    parts.append(table((f"OTB and VOT, {len(single)} sequences", "success AUC", "precision at 20 px"), rows))
    fields = ("HOTA", "MOTA", "IDF1", "id_switches", "count_error")
    rows = [("public detections linked by overlap", *(simple["crowds"]["found"][field] for field in fields))]
    rows += [(name, *(row[field] for field in fields)) for name, row in _found(result, "crowds")]
    parts.append(table(("MOT17-mini, 12 frames", "HOTA", "MOTA", "IDF1", "switches", "count error %"), rows))
    trained = [f"{name}: {_trained(row)}" for name, row in result["networks"].items()]
    composed = f" Composed clips are made of {', '.join(result['trained_on'])}." if result["trained_on"] else ""
    parts.append(f"{'; '.join(trained)}.{composed}")
    return "\n\n".join(parts)


def _found(result: Mapping[str, Any], role: str) -> list[tuple[str, Mapping[str, Any]]]:
    """(tracker, scores) of the parts of one role."""
    kept = [(name.removesuffix(f", {role}"), row) for name, row in result.items() if name.endswith(f", {role}")]
    return [(name, row["found"]) for name, row in kept if "not_measured" not in row["found"]]


def _mean_field(rows: Sequence[Mapping[str, float]], field: str) -> float:
    return sum(row[field] for row in rows) / len(rows)


def _trained(row: Mapping[str, Any]) -> str:
    clips = row.get("clips", {})
    return f"`{row.get('config')}`, {row.get('steps')} steps of {row.get('batch_size')} clips ({clips.get('source')})"


def trackers_cost(result: Mapping[str, Any]) -> str:
    """Speed of trackers beside their detector, and memory by length of video."""
    first = next(iter(result["ways"].values()))["rows"]
    rows = []
    for name, way in result["ways"].items():
        last, flat = way["rows"][-1], "yes" if way["flat"] else "no"
        speed = (last["frames_per_second"], last["processor_ms_per_frame"], way["of_detector_alone"])
        rows.append((name, *speed, *(f"{row['peak_mb']:.0f}" for row in way["rows"]), flat))
    lengths = [f"MB at {row['frames']} frames" for row in first]
    columns = ("tracker", "frames per second", "processor ms per frame", "times its detector alone", *lengths, "flat")
    return f"{first[0]['clip']}, {result['threads']} threads. {result['bar']}.\n\n{table(columns, rows)}"


def oracle_curve(result: Mapping[str, Any]) -> str:
    """Accuracy of answers by type against HOTA."""
    summary = result["summary"]
    levels = [f"HOTA {level:g}" for level in summary["levels"]]
    rows = [(kind, *(f"{share:.0f}" for share in shares)) for kind, shares in summary["by_type"].items()]
    alone = {
        kind: [result[f"{group}: kinds alone"]["found"][kind] for group in ("pictures", "detections")]
        for kind in result["pictures: kinds alone"]["found"]
    }
    types = sorted(summary["by_type"].keys() - {"all"})
    columns = ("answers right, %", *levels)
    parts = [
        "![Answers right by type of question against HOTA](pictures/oracle_curve.png)",
        curve_says(summary),
        table(columns, rows),
        "One kind of error alone, all at about the same HOTA:",
        table(("kind of error", "HOTA", "all", *types), [_alone(kind, runs, types) for kind, runs in alone.items()]),
        "Real trackers, and degraded truth of the same clips at the same HOTA:",
        table(
            ("tracker", "clips", "HOTA", "right %", "degraded truth, right %", "objects never found %", "there %"),
            [_beside(row) for row in summary["trackers"]],
        ),
        f"HOTA counts a box under another category as nothing found. Size: {result['limits']}.",
    ]
    return "\n\n".join(parts)


def curve_says(summary: Mapping[str, Any]) -> str:
    """Two sentences, every number and every verdict from the summary; and what the sheet expected."""
    by_type, levels, rows = summary["by_type"], summary["levels"], summary["trackers"]
    place = levels.index(50.0)
    types = {kind: shares[place] for kind, shares in by_type.items() if kind != "all"}
    best, worst = max(types, key=lambda k: types[k]), min(types, key=lambda k: types[k])
    falls = [kind for kind, rises in summary["rises_with_hota"].items() if kind != "all" and not rises]
    always = "at every step" if summary["rises_with_hota"]["all"] else "but not at every step"
    but = f" ({', '.join(falls)} not at every step)" if falls else ""
    ahead = [row["points_ahead"] for row in rows]
    if max(ahead) < 0:
        side = f"{-max(ahead):.0f} to {-min(ahead):.0f} points fewer"
    elif min(ahead) > 0:
        side = f"{min(ahead):.0f} to {max(ahead):.0f} points more"
    else:
        side = f"between {-min(ahead):.0f} points fewer and {max(ahead):.0f} more"
    lost = [row["objects_never_found"] for row in rows]
    there = [row["objects_never_found_at_same_hota"] for row in rows]
    holds = summary["expected_order_holds_at"]
    expected = " > ".join(summary["expected_order"])
    first = (
        f"The share of right answers rises with HOTA {always}{but}: all types together go from "
        f"{by_type['all'][-1]:.0f} % at HOTA {levels[-1]:g} over {by_type['all'][place]:.0f} % at 50 to "
        f"{by_type['all'][0]:.0f} % on perfect tracks, and at 50 {best} keeps {types[best]:.0f} %, {worst} "
        f"{types[worst]:.0f} %."
    )
    second = (
        f"Real trackers answer {side} right than degraded truth of the same HOTA: they never find {min(lost):.0f} to "
        f"{max(lost):.0f} % of the objects under their own name, degraded truth {min(there):.0f} to {max(there):.0f} %."
    )
    where = f"at HOTA {', '.join(f'{level:g}' for level in holds)}" if holds else "at no level"
    return f"{first} {second}\n\nExpected was {expected}; that order holds {where}."


def _alone(kind: str, runs: Sequence[Mapping[str, Any]], types: Sequence[str]) -> tuple[object, ...]:
    reached = [run for run in runs if "not_reached" not in run]
    if not reached:
        return (kind, "not reached")
    answers = {name: [run["answers"][name] for run in reached if name in run["answers"]] for name in types}
    shares = [sum(r for r, _ in counts) / sum(n for _, n in counts) for counts in answers.values() if counts]
    total = [counts for each in answers.values() for counts in each]
    everything = 100 * sum(r for r, _ in total) / sum(n for _, n in total)
    hota = sum(run["hota"] for run in reached) / len(reached)
    return (kind, f"{hota:.1f}", f"{everything:.0f}", *(f"{100 * share:.0f}" for share in shares))


def _beside(row: Mapping[str, Any]) -> tuple[object, ...]:
    clips = {"pictures": "composed", "detections": "real, public detections"}[row["group"]]
    shares = (row["accuracy"], row["accuracy_at_same_hota"])
    lost = (row["objects_never_found"], row["objects_never_found_at_same_hota"])
    return (row["tracker"], clips, *(f"{value:.1f}" for value in (row["hota"], *shares, *lost)))


def follow_boxes(result: Mapping[str, Any]) -> str:
    """Ways to follow a box when nobody has trained a follower."""
    parts = []
    for part in ("OTB and VOT", "DAVIS, boxes around masks", "composites"):
        fields = ("success_auc", "told_wrong", "lost_wrong", "absent_told", "ms_per_frame")
        found = result[part]["found"]
        rows = [(way, *(row[field] for field in fields)) for way, row in found.items()]
        first = next(iter(found.values()))
        title = f"{part}, {len(first['each'])} things, {first['n_frames']} frames"
        columns = ("success AUC", "told wrong %", "lost wrong %", "absence told %", "ms a frame")
        parts.append(table((title, *columns), rows))
    parts.append(
        f"Told wrong: {result['told_wrong']}. Lost wrong: {result['lost_wrong']}. Absence told: "
        f"{result['absent_told']}. The detector looks {result['detector_hz']:g} times a second; milliseconds are "
        "of processor time, measured beside other work. Thresholds of filter and default were chosen while looking at "
        "DAVIS and at composites; OTB and VOT were only measured."
    )
    return "\n\n".join(parts)


def follow_bare_ground(result: Mapping[str, Any]) -> str:
    """Whether boxes in which nothing stands slide on to what passes."""
    columns = (
        "what is compared",
        "boxes",
        "frames",
        "told as seen %",
        "told on an object %",
        "boxes ever on an object",
    )
    rows = []
    for way, n in result["ways"].items():
        shares = (100 * n[field] / n["frames"] for field in ("seen", "on_object"))
        rows.append((way, n["boxes"], n["frames"], *(f"{share:.1f}" for share in shares), n["slid"]))
    return f"{table(columns, rows)}\n\n{result['what']}"


def forensics(result: Mapping[str, Any]) -> str:
    """One table per plan: who finds what, what is left elsewhere, and who passes the control."""
    parts = [
        "AUC of forged against untouched pictures; splits share no photo. `all kinds` stands with its 95 percent "
        "interval over photos; `kind left out` is the mean over kinds that a detector was not trained on; `perturbed` "
        "is the mean over all levels of all perturbations. The control fails whoever sees compression alone."
    ]
    return "\n\n".join([*parts, *(_forensics_plan(plan) for plan in result["plans"])]) + _forensics_end(result)


def _forensics_plan(plan: Mapping[str, Any]) -> str:
    kinds = list(plan["plan"]["tiles"]["kinds"])
    rows = []
    for name, control in plan["controls"].items():
        found = [row for row in plan["rows"] if row["detector"] == name and row["metric"] == "image auc"]
        within = {row["tested_on"]: row for row in found if row["protocol"] == "within"}
        whole = within["all kinds"]
        rows.append(
            (
                name,
                _interval(whole),
                *(_rounded(within[kind]["value"]) for kind in kinds),
                _mean(row["value"] for row in found if row["protocol"] == "cross-manipulation"),
                _mean(row["value"] for row in found if row["protocol"] == "cross-source"),
                _mean(row["value"] for row in found if row["protocol"] == "robustness"),
                "fails" if control["only_compression"] else "passes",
            )
        )
    columns = (plan["plan"]["name"], "all kinds", *kinds, "kind left out", "other saves", "perturbed", "control")
    return table(columns, rows)


def _forensics_end(result: Mapping[str, Any]) -> str:
    conditions = f", {result['conditions']}" if result["conditions"] else ""
    return f"\n\nThe whole took {result['minutes']:g} minutes{conditions}. Photos: {len(result['photos'])}."


def small_judge(result: Mapping[str, Any]) -> str:
    """A judge that learned some kinds of manipulation, asked about others."""
    rows = [
        (name, "learned" if name in result["learned"] else "never seen", _interval({"value": found["auc"], **found}))
        for name, found in result["kinds"].items()
    ]
    rows += [(f"all {name} kinds", "", _interval({"value": f["auc"], **f})) for name, f in result["together"].items()]
    control = result["control"]
    return table(("manipulation", "in training", "AUC on new photos"), rows) + (
        f"\n\n{result['what']}; {result['training']['steps']} steps. Verdict: {result['verdict']}. Control: "
        f"{control['forgery_auc']:g}, {'passes' if control['passes'] else 'fails'}."
    )


def _interval(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "refuses"
    if found["low"] is None:
        return _rounded(found["value"])
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _mean(values: Iterable[float | None]) -> str:
    defined = [value for value in values if value is not None]
    return _rounded(sum(defined) / len(defined)) if defined else ""


SECTIONS: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("Answers on perfect tracklets", "oracle_questions", "benchmarks/oracle_questions.py", questions),
    (
        "Tracking public detections",
        "tracking_public_detections",
        "benchmarks/tracking_public_detections.py",
        public_detections,
    ),
    ("Fewer detector runs", "tracking_speed_accuracy", "benchmarks/tracking_speed_accuracy.py", speed_accuracy),
    (
        "Simple trackers on real sequences",
        "tracking_baselines",
        "benchmarks/tracking_baselines.py",
        baselines,
    ),
    ("Following a box without weights", "follow_boxes", "benchmarks/follow_boxes.py", follow_boxes),
    (
        "Following a box in which nothing stands",
        "follow_bare_ground",
        "benchmarks/follow_bare_ground.py",
        follow_bare_ground,
    ),
    (
        "Networks on real sequences they were not trained on",
        "trackers_on_real",
        "benchmarks/trackers_on_real.py",
        on_real,
    ),
    ("What trackers cost", "trackers_cost", "benchmarks/trackers_cost.py", trackers_cost),
    ("Answers against tracks", "oracle_curve", "benchmarks/oracle_curve.py", oracle_curve),
    ("Questions in a large library", "ask_speed", "benchmarks/ask_speed.py", ask_speed),
    ("What an ingest costs", "ingest_cost", "benchmarks/ingest_cost.py", ingest_cost),
    ("Detectors of manipulations", "forensics", "benchmarks/forensics_report.py", forensics),
    ("A small judge, asked about what it never saw", "small_judge", "benchmarks/small_judge.py", small_judge),
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
