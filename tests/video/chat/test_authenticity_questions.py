"""What looks manipulated: many wordings, what is no such question, and never a word that something is real."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from judged_world import JUDGE, TESTED_ON, make_world

from onlooker.video.answer import Answer
from onlooker.video.chat.answering import Answerer
from onlooker.video.chat.conversation import Conversation
from onlooker.video.chat.query import AuthenticityQuery
from onlooker.video.library import Library
from onlooker.video.store.reader import Reader

DATA = Path(__file__).parents[2] / "data"
# `news`, one minute: person 1 looks manipulated from 40 s on, person 2 never, person 3 (Anna, until 28 s) always;
# person 4 showed no face; car 5 and dog 6 have none. `clean`: nobody looks manipulated. `plain`: nobody looked.


def lines(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


ASKED = lines("authenticity.jsonl")
OTHER = [str(line["question"]) for line in lines("authenticity_other.jsonl")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(make_world(tmp_path_factory.mktemp("judged")), create=False) as library:
        yield library


def ask(library: Library, question: str, *videos: str) -> Answer:
    answer = library.ask(question, videos=list(videos) or ["news"])
    checked = library.verify_answer(answer.to_json())
    assert checked.ok, checked.drift
    return answer


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked["question"])
def test_every_wording_is_answered_and_stands_when_run_again(world: Library, asked: dict[str, object]) -> None:
    answer = ask(world, str(asked["question"]))
    assert (answer.value, answer.status) == (asked["value"], asked.get("status", "answered")), answer.text
    assert type(answer.value) is type(asked["value"])
    if answer.status == "answered":
        assert f"according to {JUDGE}, tested on {TESTED_ON}." in answer.text
        assert re.search(r"probability 0\.\d\d|\(0\.\d\d\)", answer.text)
        assert answer.evidence
        assert all(item.kind == "judgement" and item.box_xyxy_px and item.quote for item in answer.evidence)
    assert not re.search(
        r"\b(?:is|are|looks?) (?:real|authentic|genuine)\b", answer.text.replace("What is real no", "")
    )


@pytest.mark.parametrize("question", OTHER)
def test_real_and_fake_of_other_things_stay_with_the_other_rules(world: Library, question: str) -> None:
    with Reader.open(world.path) as reader:
        query = Answerer(reader).plan(question, (1,)).query
    assert not isinstance(query, AuthenticityQuery)
    assert "looks manipulated" not in world.ask(question, videos=["news"]).text


def test_evidence_is_the_most_suspicious_moment_with_the_judged_box(world: Library) -> None:
    (item,) = ask(world, "which faces look manipulated after 00:40?").evidence
    assert (item.video, item.tracklet, item.frame_s, item.quote) == ("news", 1, 40.0, "probability 0.90")
    assert item.box_xyxy_px == (50.0, 20.0, 130.0, 100.0)


def test_the_threshold_and_single_moments_are_told_where_nothing_is_found(world: Library) -> None:
    answer = ask(world, "which faces look manipulated?", "clean")
    assert (answer.status, answer.value) == ("answered", [])
    assert "None of 2 judged people looks manipulated" in answer.text
    assert "the highest is person 2, probability 0.32 (mean of 4 moments, highest 0.70), threshold 0.5" in answer.text
    assert "Single moments reach it, person 2 at 4 s (0.70)" in answer.text
    assert "a low probability does not make anything authentic" in answer.text
    assert ask(world, "does anyone look fake?", "clean").value is False
    assert ask(world, "how many faces are fake?", "clean").value == 0
    assert ask(world, "is nobody fake?", "clean").value is True


def test_when_names_single_moments_even_where_the_mean_stays_low(world: Library) -> None:
    answer = ask(world, "when does person 1 look manipulated?")
    assert "6 of its 16 judged moments do: 40, 44, 48, 52, 56, 60 s" in answer.text
    assert "Its mean, 0.40, stays below the threshold 0.5" in answer.text
    assert [item.frame_s for item in answer.evidence] == [40.0, 44.0, 48.0, 52.0, 56.0, 60.0]


@pytest.mark.parametrize("question", ["which faces look fake?", "is person 1 real?", "when does person 1 look fake?"])
def test_a_video_no_judge_has_looked_at_says_how_to_run_one(world: Library, question: str) -> None:
    answer = ask(world, question, "plain")
    assert (answer.status, answer.value) == ("cannot_answer", None)
    assert "No judge of authenticity has looked in plain" in answer.text
    assert "--set authenticity_judge=m2tr:weights=DIR" in answer.text


def test_over_a_library_videos_that_were_not_looked_at_are_told(world: Library) -> None:
    answer = ask(world, "which faces look manipulated?", "news", "clean", "plain")
    assert answer.value == [3]
    assert answer.text.endswith("1 of the 3 videos were not looked at by a judge.")
    assert "Anna in news" in answer.text
    assert ask(world, "which videos contain fake faces?", "news", "clean").value == ["news"]


def test_not_judged_is_told_apart_from_a_low_probability(world: Library) -> None:
    assert "Person 4 was not judged: no face found." in ask(world, "is person 4 fake?").text
    assert "Not judged: person 4 (no face found)." in ask(world, "who looks fake?").text
    assert "judged is 0–28 s" in ask(world, "is person 3 fake after 40 s?").text


def test_what_is_not_there_is_not_judged(world: Library) -> None:
    assert ask(world, "is the elephant fake?").status == "no_evidence"
    assert ask(world, "is person 9 a deepfake?").status == "no_evidence"


@pytest.mark.parametrize(
    "turns",
    [
        [("does anyone look fake?", True), ("when?", 0.0), ("is she real?", False)],
        [("is person 2 fake?", False), ("and person 1?", False), ("what about after 40 s?", True), ("when?", 40.0)],
        [("how many people are there?", 4), ("which of them look fake?", [3]), ("how many?", 1)],
        [("when does person 1 first appear?", 0.0), ("is he fake after 40 s?", True), ("where?", [50, 20, 130, 100])],
        [("which faces look manipulated after 0:40?", [1]), ("is his face fake at 0:10?", False)],
        [("show the most suspicious face", [3]), ("does it look fake after 20 s?", True)],
        [("is person 2 fake?", False), ("is that real?", None)],
    ],
)
def test_a_conversation_keeps_its_thread(world: Library, turns: list[tuple[str, object]]) -> None:
    talk = Conversation()
    with Reader.open(world.path) as reader:
        answerer = Answerer(reader)
        for question, value in turns:
            answer = answerer.answer(question, (1,), talk)
            assert answer.value == value, (question, answer.text)


def test_a_changed_probability_is_drift(world: Library) -> None:
    answer = json.loads(world.ask("is person 3 fake?", videos=["news"]).to_json())
    answer["evidence"][0]["box_xyxy_px"][0] += 5
    assert not world.verify_answer(json.dumps(answer)).ok
    answer = json.loads(world.ask("is person 3 fake?", videos=["news"]).to_json())
    answer["text"] = answer["text"].replace("0.80", "0.95")
    assert not world.verify_answer(json.dumps(answer)).ok
