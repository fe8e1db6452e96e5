"""Checks the re-worded question sets against the official questions they come from.

Run as a script: exits with a message on the first fault, else says how many lines were checked.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from clips import load, official, read_lines

EXPECTED = {
    "rewordings.jsonl": 320,
    "rewordings_heldout.jsonl": 160,
    "rewordings_second.jsonl": 220,
    "rewordings_sealed.jsonl": 220,
    "rewordings_third.jsonl": 270,
    "rewordings_sealed_second.jsonl": 160,
}
EVENLY_SPREAD = (
    "rewordings_second.jsonl",
    "rewordings_sealed.jsonl",
    "rewordings_third.jsonl",
    "rewordings_sealed_second.jsonl",
)
TYPES = 10
CLIPS = 28
KEYS = {"source", "type", "original", "question", "answer", "tolerance"}
OTHER_EXPECTED = {
    "absent.jsonl": 120,
    "absent_second.jsonl": 60,
    "absent_sealed.jsonl": 20,
    "conversations.jsonl": 40,
    "conversations_second.jsonl": 12,
    "beyond.jsonl": 80,
    "beyond_second.jsonl": 52,
    "voices.jsonl": 161,
    "voices_sealed.jsonl": 80,
    "voices_third.jsonl": 136,
    "voices_third_sealed.jsonl": 64,
}
ABSENT_KINDS = {"existence", "count", "temporal", "duration", "where", "which", "colour"}


def check_file(name: str, expected: int) -> set[str]:
    """Check one set; returns its questions in lower case, without end marks.

    Raises AssertionError naming the faulty line.
    """
    items = read_lines(name)
    assert len(items) == expected, f"{name}: {len(items)} lines, not {expected}"
    known = {source: official(source) for source in {item["source"] for item in items}}
    asked: set[tuple[str, str]] = set()
    for item in items:
        assert set(item) == KEYS, item
        wanted = [item["type"], item["original"], item["answer"], item["tolerance"]]
        pairs = [[q["type"], q["question"], q["answer"], q["tolerance"]] for q in known[item["source"]]]
        assert wanted in pairs, f"{name}: no such official item: {item}"
        assert item["question"].strip(" ?.").lower() != item["original"].strip(" ?.").lower(), f"not re-worded: {item}"
        assert (item["source"], item["question"]) not in asked, f"twice: {item}"
        asked.add((item["source"], item["question"]))
    return {" ".join(question.lower().split()).strip(" ?.!") for _, question in asked}


def check_spread(name: str) -> None:
    """Every type must have the same number of lines, and every clip at least one.

    Raises AssertionError naming the file.
    """
    items = read_lines(name)
    per_type = Counter(item["type"] for item in items)
    assert len(per_type) == TYPES, f"{name}: {per_type}"
    assert len(set(per_type.values())) == 1, f"{name}: not even: {per_type}"
    sources = {item["source"] for item in items}
    assert len(sources) == CLIPS, f"{name}: {len(sources)} clips, not {CLIPS}"


def check_absent(name: str) -> None:
    """No item about an absent object may name a category the clip has.

    Raises AssertionError naming the faulty line.
    """
    for item in read_lines(name):
        assert item["kind"] in ABSENT_KINDS, item
        words = item["question"].lower().replace("?", " ").split()
        for category in {t.category for t in load(item["source"]).values()}:
            assert not {category, category + "s"} & set(words), f"{category} is there: {item}"


def main() -> None:
    """Check every set of this folder."""
    questions = {name: check_file(name, expected) for name, expected in EXPECTED.items()}
    for one, other in combinations(questions, 2):
        shared = questions[one] & questions[other]
        assert not shared, f"in {one} and in {other}: {shared}"
    for name in EVENLY_SPREAD:
        check_spread(name)
    for name, expected in OTHER_EXPECTED.items():
        assert len(read_lines(name)) == expected, f"{name}: {len(read_lines(name))} lines, not {expected}"
    for name in ("absent.jsonl", "absent_second.jsonl", "absent_sealed.jsonl"):
        check_absent(name)
    print(f"{sum(EXPECTED.values()) + sum(OTHER_EXPECTED.values())} lines checked, all sound")


if __name__ == "__main__":
    main()
