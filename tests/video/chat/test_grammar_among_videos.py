"""Questions that choose among videos. `street.mp4` has 2 cars, 2 people and 1 dog, `yard` 1 dog and 1 bicycle."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer

STREET, YARD = "street.mp4", "yard"


@pytest.mark.parametrize(
    ("question", "value"),
    [
        # what is shown in them, and what is not
        ("Which videos contain a dog?", [STREET, YARD]),
        ("which clip has no people in it", [YARD]),
        ("Which videos do not contain a bicycle?", [STREET]),
        ("how many of the clips are without any cars?", 1),
        ("Which video has a dog but no car?", [YARD]),
        ("which film shows both a car and a dog", [STREET]),
        ("Which videos show a cat or a bicycle?", [YARD]),
        ("Which videos have neither a car nor a person?", [YARD]),
        ("In how many videos is there a person?", 1),
        ("Which video has a red car?", [STREET]),
        # the most and the least of it, or so many
        ("which video has the most people?", [STREET]),
        ("Which clip has the fewest people?", [YARD]),
        ("which of the two videos has more cars", [STREET]),
        ("Which video has the largest number of dogs?", [STREET, YARD]),
        ("In which videos are there exactly two cars?", [STREET]),
        ("Which videos have more than one dog?", []),
        ("In which video is there a dog at 9.5 s?", [STREET]),
        # how long they are: both 10.1 s
        ("Which is the longest video?", [STREET, YARD]),
        ("what is the shortest clip?", [STREET, YARD]),
        # all of them
        ("Is there a dog in every video?", True),
        ("do all the clips have a car?", False),
        ("Do both street.mp4 and yard have a bicycle?", False),
        # one against another
        ("Does street.mp4 have more people than yard?", True),
        ("does the video yard have more cars than street.mp4?", False),
        ("Are there as many dogs in yard as in street.mp4?", True),
        ("Are there fewer bicycles in street.mp4 than in yard?", True),
        ("are there more cars in yard or in street.mp4?", STREET),
        ("Are there more dogs in yard or in street.mp4?", None),
        ("which video has more people, street.mp4 or yard?", STREET),
        ("which has more dogs, yard or street.mp4?", None),
        ("does yard have as many dogs as street.mp4?", True),
        ("is street.mp4 longer than yard?", False),
        # each by itself
        ("how many dogs in street.mp4 and how many in yard?", [1, 1]),
        ("how many cars are in yard and how many cars are in street.mp4", [0, 2]),
        ("how many dogs are there in each video?", [1, 1]),
        ("how many dogs at 3 s in each of the videos?", [0, 1]),
        ("how many red cars do street.mp4 and yard have respectively", [1, 0]),
    ],
)
def test_videos_are_chosen_by_what_they_show(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question)
    assert (answer.value, answer.status != "cannot_answer") == (value, True), answer.text
    assert answer.sql


@pytest.mark.parametrize(
    "question",
    [
        "In which video does the dog move fastest?",
        "In which video does a dog appear first?",
        "Which video is the largest?",
        "Which video has the most people at the same time?",
        "Which video has two dogs and a car?",
        "Does the video yard have more cars and people than street.mp4?",
        "how many dogs in street.mp4, how many bicycles in yard?",
        "are there people in street.mp4 and bicycles in the yard?",
    ],
)
def test_what_videos_are_not_chosen_by_is_refused(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question)
    assert (answer.value, answer.status) == (None, "cannot_answer"), answer.text


def test_the_first_named_video_is_the_first_compared(answerer: Answerer) -> None:
    """Names are looked for longest first; the order of the question must survive that."""
    reading = answerer._question_reader(None).read("Does the clip yard have more dogs than street.mp4?")
    assert reading.videos == (2, 1)


def test_counted_videos_are_cited(answerer: Answerer) -> None:
    answer = answerer.answer("Which clip has the fewest people?")
    assert [e.video for e in answer.evidence] == [YARD]
    assert "0" in answer.text


@pytest.mark.parametrize(
    ("question", "videos"),
    [
        ("does either video show a person and a bicycle?", []),  # people in one, the bicycle in the other
        ("is there a clip with a dog and a bicycle?", [YARD]),
    ],
)
def test_two_things_in_one_video_are_looked_for_in_the_same_one(
    answerer: Answerer, question: str, videos: list[str]
) -> None:
    assert answerer.answer(question).value == videos
