"""What things do is answered from stored actions with their spans, and not at all where none are stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from action_world import make_world

from onlooker.video.answer import Answer
from onlooker.video.chat.grammar.deeds import DeedFinder, verb_stems
from onlooker.video.chat.grammar.tokens import tokenise
from onlooker.video.library import Library

# `park`, 4 s: person 1 runs (0-4 s) and waves (2-4), person 2 eats a burger, person 3 dances (1-3) and waves (3-4),
# dog 4 jumps (2.5-4), dog 5 runs and jumps (0-2), car 6 does nothing anybody named. `road`: nobody looked.


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(make_world(tmp_path_factory.mktemp("actions")), create=False) as library:
        yield library


def ask(library: Library, question: str, video: str = "park") -> Answer:
    answer = library.ask(question, videos=[video])
    assert library.verify_answer(answer.to_json()).ok
    return answer


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("who is running?", [1]),
        ("who runs?", [1]),
        ("who ran?", [1]),
        ("who is runing?", [1]),
        ("find people waving", [1, 3]),
        ("which dogs are running?", [5]),
        ("show me the running dogs", [5]),
        ("which dogs are jumping after 2.2 s?", [4]),
        ("which dogs are jumping between 0 and 1 s?", [5]),
        ("what animals are jumping?", [5, 4]),
        ("how many people are dancing?", 1),
        ("how many dogs jump?", 2),
        ("how many objects are running?", 2),
        ("when does the man wave?", 2.0),
        ("when does person 3 wave?", 3.0),
        ("when does dog 4 last jump?", 2.5),
        ("how long does person 1 run?", 4.0),
        ("is person 1 running?", True),
        ("is person 2 running?", False),
        ("are all dogs jumping?", True),
        ("are all people running?", False),
        ("did any dog jump?", True),
        ("is the red person running?", True),
        ("what is the person eating?", "eating burger"),
        ("is person 1 running or eating?", "running"),
    ],
)
def test_stored_actions_answer(world: Library, question: str, value: object) -> None:
    answer = ask(world, question)
    assert (answer.status, answer.value) == ("answered", value)
    assert all(item.kind == "attribute" for item in answer.evidence)


def test_evidence_is_the_stored_action_with_its_joined_span(world: Library) -> None:
    (item,) = ask(world, "who is running?").evidence
    # Two windows of the recogniser, 0-2 s and 2-4 s, are one run.
    assert (item.video, item.tracklet, item.start_s, item.end_s, item.quote) == ("park", 1, 0.0, 4.0, "running")


def test_a_span_without_the_action_has_nobody(world: Library) -> None:
    answer = ask(world, "who is waving between 0 and 1 s?")
    assert answer.value == []
    assert "eating burger" in answer.text  # what is stored instead


@pytest.mark.parametrize(
    "question",
    [
        "who is swimming?",  # no action of that name
        "who is not running?",
        "who is running near the car?",
        "how many people are running and how many are waving?",
        "how many people are running and waving?",
        "where is the running person?",
        "what color is the running dog?",
        "how fast is the running dog?",
        "who is eating a pizza?",
        "who is running into the frame?",
        "who stops running?",
        "are two people running?",
        "which video shows somebody dancing?",
        "who is running the fastest?",
        "is the car running?",  # nothing is stored of what the car does
    ],
)
def test_more_than_the_action_is_refused(world: Library, question: str) -> None:
    assert ask(world, question).status == "cannot_answer"


@pytest.mark.parametrize("question", ["who is running?", "is person 1 running?", "how many people are dancing?"])
def test_a_video_in_which_nobody_looked_for_actions_says_so(world: Library, question: str) -> None:
    answer = ask(world, question, "road")
    assert answer.status == "cannot_answer"
    assert "not stored" in answer.text


def test_what_somebody_does_names_actions_first_and_the_way_of_the_boxes_behind(world: Library) -> None:
    answer = ask(world, "what is person 1 doing?")
    assert answer.text.startswith("person 1 (0–4 s): running (0–4 s, 0.90) and waving hand (2–4 s, 0.40); moves right")
    assert {item.kind for item in answer.evidence} == {"tracklet", "attribute"}
    assert "waving" not in ask(world, "what is person 1 doing at 1 s?").text


def test_without_actions_the_way_of_the_boxes_answers_as_before(world: Library) -> None:
    assert ask(world, "what is person 1 doing?", "road").text == "person 1 (0–4 s): stands still."


def found(question: str, *labels: str) -> list[tuple[str, ...]]:
    return [deed.labels for deed in DeedFinder(labels, frozenset({"man"})).find(tokenise(question), frozenset())]


def test_verbs_meet_in_any_form() -> None:
    for forms in (("runs", "running", "ran"), ("spinning", "spins", "spun"), ("waving", "waves", "waved")):
        assert all(verb_stems(forms[0]) & verb_stems(other) for other in forms)
    assert not verb_stems("sing") & verb_stems("sign")


@pytest.mark.parametrize(
    ("question", "labels"),
    [
        ("who is playing guitar", [("playing guitar",)]),
        ("who is playing", []),
        ("who is playing the violin", []),
        ("is he dancing", [("swing dancing", "dancing ballet")]),
        ("who is dancing ballet", [("dancing ballet",)]),
        ("what is written here", []),
        ("the writing on the wall", []),
        ("is the running man here", [("running on treadmill",)]),
        ("what is the running time", []),
    ],
)
def test_only_stored_actions_in_the_place_of_a_verb_are_found(question: str, labels: list[tuple[str, ...]]) -> None:
    stored = ("playing guitar", "swing dancing", "dancing ballet", "writing", "running on treadmill")
    assert found(question, *stored) == labels
