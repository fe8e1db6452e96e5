"""Questions about perfect tracklets: what is wrong here is the planner's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from onlooker.evaluation.answers import says_none, value_matches
from onlooker.video.library import Library

pytestmark = pytest.mark.shared_data
QUESTIONS = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def oracle(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    from oracle import all_sources, oracle_library

    path = oracle_library(tmp_path_factory.mktemp("oracle") / "oracle.onlooker", all_sources())
    with Library.open(path, create=False) as library:
        yield library


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (QUESTIONS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def clip(source: str) -> str:
    return source.split("/")[1]


def wrong_answers(library: Library, name: str) -> list[str]:
    found = []
    for item in read(name):
        answer = library.ask(item["question"], videos=[clip(item["source"])])
        if not value_matches(answer.value, item["answer"], item["tolerance"]):
            found.append(f"{item['source']} {item['question']!r}: expected {item['answer']}, got {answer.value}")
    return found


def test_every_official_question_is_answered_right_within_one_conversation_per_clip(oracle: Library) -> None:
    from clips import official

    from oracle import all_sources

    wrong = []
    for source in all_sources():
        conversation = oracle.conversation()
        for item in official(source):
            answer = oracle.ask(item["question"], videos=[clip(source)], conversation=conversation)
            if not value_matches(answer.value, item["answer"], item["tolerance"]):
                wrong.append(f"{source} {item['question']!r}: expected {item['answer']}, got {answer.value}")
            assert answer.sql
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "most_wrong"),
    [
        ("rewordings", 0.02),
        ("rewordings_heldout", 0.05),
        ("rewordings_third", 0.01),
        ("rewordings_sealed_second", 0.15),
        ("beyond", 0.0),
        ("beyond_second", 0.02),
        ("voices", 0.04),
        ("voices_sealed", 0.27),
        ("voices_third", 0.03),
        ("voices_third_sealed", 0.22),
    ],
)
def test_other_wordings_are_answered_right(oracle: Library, name: str, most_wrong: float) -> None:
    wrong = wrong_answers(oracle, name)
    assert len(wrong) <= most_wrong * len(read(name)), "\n".join(wrong)


@pytest.mark.parametrize("name", ["absent", "absent_second"])
def test_what_is_not_there_is_answered_none(oracle: Library, name: str) -> None:
    wrong = []
    for item in read(name):
        answer = oracle.ask(item["question"], videos=[clip(item["source"])])
        if not says_none(answer.value) or answer.status == "answered":
            wrong.append(f"{item['question']!r}: {answer.status} {answer.value}: {answer.text}")
    assert wrong == []


@pytest.mark.parametrize("name", ["conversations", "conversations_second"])
def test_follow_ups_mean_what_was_talked_about(oracle: Library, name: str) -> None:
    wrong = []
    for item in read(name):
        conversation = oracle.conversation()
        for turn in item["turns"]:
            answer = oracle.ask(turn["question"], videos=[clip(item["source"])], conversation=conversation)
            if not value_matches(answer.value, turn["answer"], turn["tolerance"]):
                wrong.append(f"{item['source']} {turn['question']!r}: expected {turn['answer']}, got {answer.value}")
    assert wrong == []


def test_the_statement_of_an_answer_gives_its_rows_again(oracle: Library) -> None:
    for item in read("beyond")[::4]:
        answer = oracle.ask(item["question"], videos=[clip(item["source"])])
        assert answer.sql is not None
        assert oracle.sql(answer.sql).rows == answer.rows
