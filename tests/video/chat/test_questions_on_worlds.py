"""Re-wordings about small worlds made by hand: colours, clothes, words heard and read, judged faces, stored actions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import action_world
import judged_world
import pytest
import street_world

from onlooker.evaluation.answers import value_matches
from onlooker.video.library import Library

DATA = Path(__file__).parents[2] / "data"
VIDEOS = {"street": "street.mp4", "judged": "news", "actions": "park"}
TOLERANCE_S = 0.3


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Library]]:
    folder = tmp_path_factory.mktemp("worlds")
    paths = {
        "street": street_world.make_world(folder / "street.onlooker"),
        "judged": judged_world.make_world(folder),
        "actions": action_world.make_world(folder),
    }
    with ExitStack() as stack:
        yield {name: stack.enter_context(Library.open(path, create=False)) for name, path in paths.items()}


@pytest.mark.parametrize(("name", "most_wrong", "most_claimed"), [("worlds", 4, 1), ("worlds_sealed", 2, 0)])
def test_other_wordings_are_answered_right(
    worlds: dict[str, Library], name: str, most_wrong: int, most_claimed: int
) -> None:
    wrong, claimed = [], 0
    for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        library, videos = worlds[item["world"]], [VIDEOS[item["world"]]]
        conversation = library.conversation()
        for question in item["after"]:
            library.ask(question, videos=videos, conversation=conversation)
        answer = library.ask(item["question"], videos=videos, conversation=conversation)
        if not value_matches(answer.value, item["answer"], TOLERANCE_S):
            claimed += answer.status == "answered"
            wrong.append(f"{item['question']!r}: expected {item['answer']}, got {answer.value}: {answer.text}")
    assert len(wrong) <= most_wrong, "\n".join(wrong)
    assert claimed <= most_claimed, "\n".join(wrong)
