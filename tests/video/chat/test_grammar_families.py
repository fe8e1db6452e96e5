"""Families of wordings that were once misread: sides, denials, places in an order, who, and what nobody can know.

In `street.mp4`: red car 1 goes right (0-5 s), blue car 2 is parked (0-10 s), person 3 (red above, black below) goes
right (2-8 s), person 4, Anna (blue, grey), goes left (1-9 s), dog 5 goes right (9-10 s).
"""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer
from onlooker.video.chat.conversation import Conversation

STREET = (1,)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        # "top" is a side of the picture, or a garment
        ("Does anything come from the top?", False),
        ("is anything at the top right at 3 s?", False),
        ("Which object is at the top of the picture at 3 s?", [2]),
        ("who has a red top?", [3]),
        # from one side to the other is a way to go
        ("Which objects go from left to right?", [1, 3, 5]),
        ("does Anna walk from right to left?", True),
        ("Does car 1 drive from right to left?", False),
        ("How many people move from the right to the left?", 1),
        ("does car 1 go left or right?", "right"),
        ("which car starts out there and leaves to the right?", [1]),
        ("Who comes in on the left and goes out on the right?", []),
        ("which person enters from the left?", [3]),
        ("is there neither a cat nor a horse?", True),
        # what is denied
        ("How many cars are not moving to the left?", 2),
        ("how many people don't stand still?", 2),
        ("How many non-red cars are there?", 1),
        ("Which objects are neither cars nor people?", [5]),
        ("How many objects are neither people nor dogs?", 2),
        ("name the cars that are not stationary", [1]),
        ("what people are there?", [4, 3]),
        ("What vehicles are in the video?", [1, 2]),
        ("what animals can be seen at 9.5 s?", [5]),
        ("what cars move right?", [1]),
        ("what animal is in the video", [5]),
        ("What car is the fastest?", [1]),
        ("Show me the people that are not moving left", [3]),
        ("which objects that are not moving to the right are there?", [2, 4]),
        ("people that are not moving to the right", True),
        ("cars that are not moving?", True),
        ("How many cars that are not red are there?", 1),
        ("show the objects which are not people", [1, 2, 5]),
        ("is there an animal that is not a dog?", False),
        ("is there anything other than a car?", True),
        ("Are there any objects which aren't people?", True),
        # "who" is a person
        ("Who is moving to the right?", [3]),
        ("who stands still?", []),
        ("who is there?", [4, 3]),
        ("Who can be seen?", [4, 3]),
        ("Who leaves first?", [3]),
        ("who or what leaves first?", [1]),
        ("who is with the dog?", [4]),
        ("Is Anna ever in the picture with the dog?", True),
        # places in an order
        ("Which person comes later?", [3]),
        ("which car leaves earlier?", [1]),
        ("What is the second fastest object?", [3]),
        ("Who is the second fastest?", [4]),
        ("Which people enter in the first 3 seconds?", [4, 3]),
        ("What shows up after person 3?", [5]),
        ("which object appears right after Anna?", [3]),
        ("what came just before the dog?", [3]),
        ("What appears first in the video?", [1]),
        # all the time
        ("what is visible from start to finish?", [2]),
        ("Which object is in view from beginning to end?", [2]),
        ("what is always there?", [2]),
        # two that share a noun
        ("Which is faster, the red or the blue car?", "car"),
        # how long a way takes
        ("How long does it take car 1 to cross?", 5.1),
        ("how long does it take until the dog appears?", 9.0),
        ("How much later does Anna come than car 1?", 1.0),
        # words read and heard
        ("is there a sign that says exit", True),
        ("Do you see a sign that says stop?", False),
        ("until when can exit be read?", 5.0),
        ("what do they say at the start", "Mind the gap"),
        ("what is said at the end?", "Here comes the dog"),
        ("when does the silence end?", 5.5),
        ("when does the silence begin?", 4.0),
        # a "no" before the noun of a clause
        ("how many vehicles are there that are no dogs", 2),
        ("which objects are no cars and no people?", [5]),
        ("list the objects which are no people", [1, 2, 5]),
        # near a side is a place, near a thing is a distance
        ("which car is near the top", [2]),
        ("what is near car 1 at 3 s?", [2]),
        ("who is near car 2?", []),
        ("which object is closest to the dog at 9.5 s?", [2]),
        # how far it goes, how big it is
        ("which cars drive across the picture?", [1]),
        ("does car 2 cross the whole picture?", False),
        ("does anything cross the frame from left to right?", True),
        ("is car 2 small?", False),
        ("how many cars are big?", 0),
        ("how many cars are not big?", 2),
        # which one it is
        ("what animal is it?", ["dog"]),
        ("what animal was that at the end?", ["dog"]),
        ("what kind of animal is dog 5?", "dog"),
        # its own stay, its times
        ("Does anybody stay for the whole video?", False),
        ("does anything stay from start to end?", True),
        ("where is car 1 at the end of its stay", [550.0, 100.0, 610.0, 140.0]),
        ("when does person 3 appear for the second time?", 6.0),
        ("when does car 1 go away again", 5.0),
        # limits without a question word
        ("more than two people at 3 s?", False),
        ("more then one person at 3 s?", True),
        ("at least one dog at 9.5 s?", True),
        # one or the other
        ("is there a car or a truck?", True),
        ("is there a truck or a car?", True),
        ("is there a truck or a bus?", False),
        ("is car 1 or car 2 there at 7 s?", True),
        ("car or bus?", True),
        ("how many cars are red or blue", 2),
        ("how many red or green cars are there?", 1),
        ("who wears red or green?", [3]),
        # in few words
        ("persons max", 2),
        ("dog enter from?", "inside"),
        ("how long do we have to wait until the dog comes?", 9.0),
        # as it is typed
        ("can you tell me weather there is a dog", True),
        ("i think there where 3 dogs, is that right?", False),
        ("I would be grateful for the number of cars.", 2),
        ("is there an exit sign", True),
        ("when does the exit sign disappear", 5.0),
        ("hw many cars r there", 2),
        ("wot colour is car 2", "blue"),
        ("what is there the most of?", "car"),
        ("list the people in order of appearance", [4, 3]),
        ("where is the dog mostly?", [100.0, 300.0, 160.0, 340.0]),
    ],
)
def test_the_wording_is_read_as_meant(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.value == (pytest.approx(value) if isinstance(value, float) else value), answer.text
    assert answer.status != "cannot_answer"


@pytest.mark.parametrize(
    "question",
    [
        "How far away is car 1?",
        # one thing there and another not: the second is not to be dropped
        "is there a car but no dog?",
        "Is there a dog and not a car?",
        "are there people without a car?",
        "how tall is Anna?",
        "Is the video any good?",
        "who is Anna's sister?",
        "How many people are outside?",
        "how many people are there on average?",
        "Is there a woman?",
        "are there any kids?",
        "what language do they speak?",
        "Who says mind the gap?",
        "do you hear a dog?",
        "Is there any music?",
        "What will happen next?",
        "what is going to happen after the end?",
        "Which object is closest to the bottom?",
        "delete the video",
        "could you erase Anna?",
        "How many objects are not red cars?",
        "which person is the strongest?",
        "which people are facing the camera?",
        "how many words are spoken?",
        "Is it louder at 6 s than at 2 s?",
        "how many colours are there?",
        "What is the most common colour?",
        "which colour do most cars have?",
        "Which car is fluffier?",
        "is Anna a good walker?",
        "is somebody winning?",
        "Do car 1 and Anna go the same way?",
        "are the people of different sizes?",
        "How much later does the last person come than the first?",
        # toward another thing; the camera is all that is known
        "does car 1 approach car 2?",
        "Is the red car driving away from the blue car?",
        "does person 3 get closer to Anna?",
        "is the dog following person 3?",
        "does Anna follow the dog?",
        # from what speed on
        "is the dog fast?",
        "who moves slowly?",
        "is it faster then?",
        "is Anna as fast as person 3?",
        "is person 3 in the video as long as Anna?",
        "is there a faster car?",
        "could the car have been faster?",
        "did anyone hurry?",
        "who stands in the way of the dog?",
        "who goes in the same direction as the dog?",
        "whose car is the red one?",
        "did the dog come with Anna?",
        "what would happen if the dog ran away?",
        "does Anna speak french?",
        "does Anna end up on the left?",
        "does car 1 start on the left side?",
        "is the number of cars even?",
        "is the number of cars three?",
        "not the cars but the dogs, how many?",
        # at two times, or in parts of the time
        "who is visible at 3 s but not at 5 s?",
        "how many people are there in each half?",
        "how many people come per minute?",
        # of some of them, or of two kinds with more said of one
        "half of the people wear red?",
        "how many red cars and blue cars?",
        "is there a red car or a blue dog?",
        "who was there the whole second half?",
        "who wears red and who wears blue?",
        # what happens in no box
        "is there an accident?",
        "what do you think about Anna?",
        "when are there no people any more",
        "before the dog?",
        # alone, the only one, for the first time
        "how long is the dog alone?",
        "when is Anna alone?",
        "was Anna the only one at 7 s?",
        "how long is person 3 there the first time?",
        "when does person 3 leave the first time?",
        # no place in the picture
        "where does Anna live?",
        "where is person 3 from?",
        "where do the people look?",
        # how signs look
        "is there a street sign?",
        "when is the red sign visible?",
        "which species is the red dog?",
        "what dog is it?",
        "when does car 1 cross the picture?",
    ],
)
def test_what_nobody_can_know_is_refused(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert (answer.value, answer.status) == (None, "cannot_answer"), answer.text


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("does car 1 move left?", "540 px right"),
        ("does car 1 cross the picture?", "540 px across"),
        ("is car 2 small?", "1.7 % of the frame"),
        ("what is next to the dog at 9.5 s?", "305.4 px"),
        ("how many cars are red or blue?", "2 red or blue cars"),
    ],
)
def test_the_reason_of_an_answer_is_measured(answerer: Answerer, question: str, told: str) -> None:
    """A reason read from columns that were not fetched said 0 px, or unknown."""
    assert told in answerer.answer(question, STREET).text


def test_no_woman_where_there_is_nobody(answerer: Answerer) -> None:
    """Whether a person is a woman is not stored, but without people there is none."""
    assert answerer.answer("Is there a woman?", (2,)).value is False


@pytest.mark.parametrize(
    "turns",
    [
        [
            ("How many cars are there?", 2),
            ("what colours are they?", ["blue", "red"]),
            ("when does the second one leave?", 10.0),
        ],
        [("Which car is faster?", [1]), ("and the slower one?", [2])],
        [("When does the dog appear?", 9.0), ("what else is there at that moment?", ["car", "dog", "person"])],
        [("When does car 1 leave?", 5.0), ("who is there then?", [4])],
        [("When does the dog appear?", 9.0), ("what is in the video?", None), ("how long does it stay?", 1.1)],
    ],
)
def test_what_was_talked_of_is_kept(answerer: Answerer, turns: list[tuple[str, object]]) -> None:
    talk = Conversation()
    for question, value in turns:
        answer = answerer.answer(question, STREET, talk)
        if value is not None:
            assert answer.value == (pytest.approx(value) if isinstance(value, float) else value), answer.text


def test_the_other_one_is_not_the_one_talked_of(answerer: Answerer) -> None:
    talk = Conversation()
    answerer.answer("Which car is faster?", STREET, talk)
    answer = answerer.answer("and the slower one, what colour is it?", STREET, talk)
    assert answer.status == "cannot_answer", answer.text
