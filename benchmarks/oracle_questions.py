"""Answer accuracy on perfect tracklets: every miss is the planner's.

    python benchmarks/oracle_questions.py [--misses]
    python benchmarks/oracle_questions.py --first-look rewordings_third --note "who wrote it, and how"

Writes benchmarks/results/oracle_questions.json. A first look is the very first run of a set, before anything was mended
on it: it is written once to benchmarks/results/oracle_questions_first_looks.json and never again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from onlooker.evaluation.answers import says_none, value_matches
from onlooker.video.answer import Answer
from onlooker.video.library import Library
from oracle import QUESTIONS, all_sources, oracle_library
from tracking_common import RESULTS, fingerprint, machine, write_result

SETS = (
    "official",
    "rewordings",
    "rewordings_heldout",
    "rewordings_second",
    "rewordings_sealed",
    "rewordings_third",
    "rewordings_sealed_second",
    "absent",
    "absent_second",
    "absent_sealed",
    "conversations",
    "conversations_second",
    "beyond",
    "beyond_second",
    "voices",
    "voices_sealed",
    "voices_third",
    "voices_third_sealed",
)
FIRST_LOOKS = RESULTS / "oracle_questions_first_looks.json"


def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (QUESTIONS / f"{name}.jsonl").read_text().splitlines()]


def clip(source: str) -> str:
    return source.split("/")[1]


def official(library: Library) -> Iterator[tuple[str, dict, Answer]]:
    """All official questions of a clip in one conversation: no question may be hijacked by the one before."""
    from clips import official as questions_of  # type: ignore[import-not-found]

    for source in all_sources():
        conversation = library.conversation()
        for item in questions_of(source):
            answer = library.ask(item["question"], videos=[clip(source)], conversation=conversation)
            yield item["type"], item, answer


def single(library: Library, name: str, kind: str) -> Iterator[tuple[str, dict, Answer]]:
    for item in lines(name):
        yield item[kind], item, library.ask(item["question"], videos=[clip(item["source"])])


def conversations(library: Library, name: str) -> Iterator[tuple[str, dict, Answer]]:
    for item in lines(name):
        conversation = library.conversation()
        for turn, asked in enumerate(item["turns"]):
            answer = library.ask(asked["question"], videos=[clip(item["source"])], conversation=conversation)
            yield f"turn {turn + 1}", {**asked, "source": item["source"]}, answer


def run(library: Library, name: str) -> Iterator[tuple[str, dict, Answer, bool]]:
    family = name.split("_")[0]
    if name == "official":
        results = official(library)
    elif family == "conversations":
        results = conversations(library, name)
    else:
        kind = {"absent": "kind", "beyond": "answer_kind", "voices": "voice"}.get(family, "type")
        results = single(library, name, kind)
    for group, item, answer in results:
        if family == "absent":
            right = says_none(answer.value) and answer.status != "answered"
        else:
            right = value_matches(answer.value, item["answer"], item["tolerance"])
        yield group, item, answer, right


def measure(library: Library, name: str, show_misses: bool) -> dict[str, object]:
    """Ask one set; what was right, in all and by group, and what the wrong answers claimed: something, or that there is
    nothing of the kind; the others of them were refusals."""
    asked, right, claimed, denied, started = Counter(), Counter(), 0, 0, time.perf_counter()
    for group, item, answer, ok in run(library, name):
        asked[group] += 1
        right[group] += ok
        claimed += not ok and answer.status == "answered"
        denied += not ok and answer.status == "no_evidence"
        if show_misses and not ok:
            print(f"[{name}/{group}] {item.get('source', '')} {item['question']!r}")
            print(f"    expected {item.get('answer')}, got {answer.value} ({answer.status}): {answer.text}")
    total = sum(asked.values())
    return {
        "asked": total,
        "right": sum(right.values()),
        "accuracy": round(sum(right.values()) / total, 4),
        "wrong_and_answered": claimed,
        "wrong_and_none": denied,
        "mean_ms": round((time.perf_counter() - started) / total * 1000, 1),
        "by_group": {g: f"{right[g]}/{asked[g]}" for g in sorted(asked)},
    }


def keep_first_look(found: dict[str, dict[str, object]], note: str) -> None:
    """Add sets to the file of first looks.

    Raises SystemExit when one of them is in it already: a second look is not a first one.
    """
    kept = json.loads(FIRST_LOOKS.read_text())["sets"] if FIRST_LOOKS.exists() else {}
    again = sorted(kept.keys() & found.keys())
    if again:
        raise SystemExit(f"{again} had their first look already: see {FIRST_LOOKS}")
    kept |= {name: {**result, "note": note} for name, result in found.items()}
    data = fingerprint(QUESTIONS / f"{name}.jsonl" for name in kept)
    write_result(FIRST_LOOKS.stem, {"machine": machine(), "seed": None, "questions_sha256": data, "sets": kept})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="print every wrong answer")
    parser.add_argument("--only", choices=SETS, nargs="+", help="these sets only; writes no result file")
    parser.add_argument("--first-look", choices=SETS, nargs="+", help="these sets only, kept as their first look")
    parser.add_argument("--note", default="", help="kept beside a first look: who wrote the set, and how")
    options = parser.parse_args()
    result: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        path = oracle_library(Path(scratch) / "oracle.onlooker", all_sources())
        with Library.open(path) as library:
            for name in options.first_look or options.only or SETS:
                result[name] = measure(library, name, options.misses)
                print(name, json.dumps(result[name]))
    if options.first_look:
        keep_first_look(result, options.note)
    elif not options.only:
        data = fingerprint(QUESTIONS.glob("*.jsonl"))
        write_result("oracle_questions", {"machine": machine(), "seed": None, "questions_sha256": data, "sets": result})


if __name__ == "__main__":
    main()
