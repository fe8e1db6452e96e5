"""Laws over generated questions: any category in any template, any wording of a time, any polite opening, any case."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from onlooker.video.chat.grammar import QuestionReader, plan
from onlooker.video.chat.grammar.nouns import plural
from onlooker.video.chat.query import (
    BoxQuery,
    CountQuery,
    DurationQuery,
    ExistsQuery,
    ListQuery,
    MomentQuery,
    PeakQuery,
    Query,
    Refusal,
)
from onlooker.video.chat.vocabulary import VideoName, Vocabulary

CATEGORIES = tuple(
    """person car dog cat bird horse truck bus tram bicycle motorcycle boat airplane giraffe zebra umbrella kite taxi
    skateboard bottle banana chair clock vase scissors drone tractor knife mouse sheep broccoli wolf fox traffic_light
    fire_hydrant hot_dog Giant_Panda potted_plant teddy_bear tennis_racket person_sitting""".split()  # noqa: SIM905
)
TEMPLATES: tuple[tuple[type[Query], tuple[str, ...]], ...] = (
    (CountQuery, ("How many {s} are there?", "number of {s}", "Count the {s}.", "how many {s} can you see")),
    (ExistsQuery, ("Is there a {c}?", "any {s}?", "does a {c} appear", "Can you see a {c} in the video?")),
    (MomentQuery, ("When does the {c} first appear?", "when is the {c} last seen", "at what time does the {c} leave?")),
    (DurationQuery, ("How long is the {c} visible?", "for how many seconds do we see the {c}")),
    (BoxQuery, ("Where is the {c} at {t}?", "What are the coordinates of the {c} at {t}?", "at {t}, where is the {c}")),
    (ListQuery, ("Which {c} is the fastest?", "What is the id of the last {c} to enter?", "largest {c}?")),
    (PeakQuery, ("What is the largest number of {s} visible at the same time?", "most {s} at once?")),
)
OPENINGS = ("", "please ", "Could you tell me, ", "Hi there! ", "I would like to know: ", "ok so ")


def times(seconds: int) -> tuple[str, ...]:
    """Wordings of one moment."""
    clock = f"{seconds // 60}:{seconds % 60:02d}"
    return (
        f"{seconds} s",
        f"{seconds} seconds",
        f"{seconds}sec",
        f"{seconds}.00 s",
        clock,
        f"t = {seconds}",
        f"second {seconds}",
    )


def reader_of(categories: list[str]) -> QuestionReader:
    return QuestionReader(Vocabulary((VideoName(1, "clip", 600.0),), tuple(categories), {}), None, tuple(categories))


READER = reader_of(CATEGORIES)


@settings(max_examples=400, deadline=None)
@given(
    category=st.sampled_from(CATEGORIES),
    family=st.sampled_from(TEMPLATES),
    seconds=st.integers(1, 300),
    opening=st.sampled_from(OPENINGS),
    data=st.data(),
)
def test_any_category_fits_any_template(
    category: str, family: tuple[type[Query], tuple[str, ...]], seconds: int, opening: str, data: st.DataObject
) -> None:
    kind, templates = family
    template = data.draw(st.sampled_from(templates))
    wording = data.draw(st.sampled_from(times(seconds)))
    name = category.lower().replace("_", " ")
    question = opening + template.format(c=name, s=plural(name), t=wording)
    question = data.draw(st.sampled_from([question, question.upper(), question.rstrip("?.")]))
    query = plan(READER.read(question), None).query
    assert isinstance(query, kind), (question, query)
    subject = query.subject  # type: ignore[attr-defined]
    assert category in (subject.categories or ()), (question, subject)
    if kind is BoxQuery:
        assert query.window.start.value == seconds, question  # type: ignore[attr-defined]


@settings(max_examples=200, deadline=None)
@given(
    family=st.sampled_from(TEMPLATES),
    stranger=st.sampled_from(["dragon", "unicorn", "submarine", "violin", "pyramid"]),
    data=st.data(),
)
def test_a_stranger_in_any_template_stays_a_stranger(
    family: tuple[type[Query], tuple[str, ...]], stranger: str, data: st.DataObject
) -> None:
    template = data.draw(st.sampled_from(family[1]))
    query = plan(READER.read(template.format(c=stranger, s=stranger + "s", t="3 s")), None).query
    subject = getattr(query, "subject", None)
    assert isinstance(query, Refusal) or (subject is not None and subject.is_unknown and subject.noun == stranger)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert plan(READER.read(text), None).query is not None
