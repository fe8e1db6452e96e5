"""Answer accuracy on perfect tracklets: every miss is the planner's.

    python benchmarks/oracle_questions.py [--misses]

Writes benchmarks/results/oracle_questions.json.
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
from tracking_common import fingerprint, machine, write_result

SETS = (
    "official",
    "rewordings",
    "rewordings_heldout",
    "rewordings_second",
    "rewordings_sealed",
    "absent",
    "conversations",
    "beyond",
)


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


def conversations(library: Library) -> Iterator[tuple[str, dict, Answer]]:
    for item in lines("conversations"):
        conversation = library.conversation()
        for turn, asked in enumerate(item["turns"]):
            answer = library.ask(asked["question"], videos=[clip(item["source"])], conversation=conversation)
            yield f"turn {turn + 1}", {**asked, "source": item["source"]}, answer


def run(library: Library, name: str) -> Iterator[tuple[str, dict, Answer, bool]]:
    if name == "official":
        results = official(library)
    elif name == "conversations":
        results = conversations(library)
    else:
        kind = {"absent": "kind", "beyond": "answer_kind"}.get(name, "type")
        results = single(library, name, kind)
    for group, item, answer in results:
        if name == "absent":
            right = says_none(answer.value) and answer.status != "answered"
        else:
            right = value_matches(answer.value, item["answer"], item["tolerance"])
        yield group, item, answer, right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="print every wrong answer")
    parser.add_argument("--only", choices=SETS, help="one set only; writes no result file")
    options = parser.parse_args()
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        path = oracle_library(Path(scratch) / "oracle.onlooker", all_sources())
        with Library.open(path) as library:
            for name in [options.only] if options.only else SETS:
                asked, right, started = Counter(), Counter(), time.perf_counter()
                for group, item, answer, ok in run(library, name):
                    asked[group] += 1
                    right[group] += ok
                    if options.misses and not ok:
                        print(f"[{name}/{group}] {item.get('source', '')} {item['question']!r}")
                        print(f"    expected {item.get('answer')}, got {answer.value} ({answer.status}): {answer.text}")
                total = sum(asked.values())
                result[name] = {
                    "asked": total,
                    "right": sum(right.values()),
                    "accuracy": round(sum(right.values()) / total, 4),
                    "mean_ms": round((time.perf_counter() - started) / total * 1000, 1),
                    "by_group": {g: f"{right[g]}/{asked[g]}" for g in sorted(asked)},
                }
                print(name, json.dumps(result[name]))
    if not options.only:
        data = fingerprint(QUESTIONS.glob("*.jsonl"))
        write_result("oracle_questions", {"machine": machine(), "seed": None, "questions_sha256": data, "sets": result})


if __name__ == "__main__":
    main()
