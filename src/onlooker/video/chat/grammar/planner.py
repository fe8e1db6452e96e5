"""From a reading to a query: rules tried in order, from the most particular to the most general."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from onlooker.video.chat.grammar import (
    absence,
    acting,
    again,
    among_videos,
    authenticity,
    bare_asks,
    comparisons,
    doubts,
    follow_up,
    interactions,
    media,
    motion,
    namings,
    no_thing,
    objects,
    orders,
    parts,
    ranking,
    relations,
    shots,
    stays,
    timing,
)
from onlooker.video.chat.grammar.context import Focus, Scene
from onlooker.video.chat.grammar.garments import with_garments
from onlooker.video.chat.grammar.oversight import overlooked
from onlooker.video.chat.grammar.reading import Reading
from onlooker.video.chat.query import EvidenceQuery, Query

Rule = Callable[[Scene], Query | None]
RULES: tuple[Rule, ...] = (
    media.about_answer,
    orders.ordered,
    follow_up.pointing_nowhere,
    doubts.doubtful,
    no_thing.no_thing,
    parts.of_things,
    interactions.unseen,
    authenticity.judged,
    acting.acting,
    namings.more_than_a_noun,
    absence.absence,
    among_videos.counted,
    among_videos.compared,
    among_videos.within_one,
    among_videos.videos,
    shots.about_shots,
    media.timed_by_words,
    media.quoted,
    media.tags,
    media.summary,
    media.speech,
    media.screen_text,
    media.sound,
    media.facts,
    objects.unsupported,
    timing.between_two,
    relations.overtaking,
    timing.placed,
    motion.choice,
    comparisons.counts_of_each,
    comparisons.counts_compared,
    comparisons.options_compared,
    relations.sides,
    relations.company,
    relations.pairs,
    ranking.ranked,
    motion.looks,
    objects.peak,
    objects.kinds,
    objects.events,
    objects.by_form,
)


# Questions that lean on the one before come first.
LEANING: tuple[Rule, ...] = (
    again.narrowed_again,
    bare_asks.asked_again,
    again.words_again,
    again.who_else,
    again.what_else,
    follow_up.around_that,
    follow_up.next_in_turn,
    follow_up.elliptic,
    follow_up.changed_event,
    follow_up.among,
    follow_up.both_of_them,
)


@dataclass(frozen=True, slots=True)
class Planned:
    """The query of a question and how sure the reading is, in [0, 1]."""

    query: Query
    certainty: float


def plan(reading: Reading, focus: Focus | None) -> Planned:
    """The query of the first rule that fits; the last rule always does."""
    reading = with_garments(reading)
    scene = follow_up.bare(Scene.of(reading, focus))
    whole = scene.reading.suspicion is not None  # asks by itself, however short
    rules = () if whole else LEANING
    leaning = next((query for rule in rules if (query := rule(scene)) is not None), None)
    if leaning is not None:
        return Planned(follow_up.carried(replace(leaning, videos=reading.videos), scene), 0.9)
    for rule in RULES:
        query = rule(scene)
        if query is not None:
            certainty = 1.0 - 0.05 * len(reading.corrections) - 0.1 * bool(reading.strangers)
            query = replace(query, videos=query.videos or reading.videos)
            stay = stays.during(scene, query)
            if stay is None and scene.clause is not None:
                query = replace(query, anchor=scene.clause.anchor)
            query = stay or overlooked(scene, query) or query
            query = follow_up.with_window_of_them(query, scene)
            if scene.pronoun is not None or isinstance(query, EvidenceQuery):
                query = follow_up.carried(query, scene)
            return Planned(query, max(certainty, 0.3))
    raise AssertionError("the last rule answers every reading")
