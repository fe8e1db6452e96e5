"""Writes conversations.jsonl: follow-up questions whose answers come from the ground-truth boxes.

Each turn is a sentence and a short recipe ("end 3", "fastest person"). The recipe is computed twice, in Python over the
tracks and in SQL over the same boxes, and the two must agree before anything is written.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable

from clips import Track, database, load, write_lines

Answer = int | float | str | list[float] | None
SEED = 7
TIMES_TOLERANCE = 0.5
CLEAR_SPEED_RATIO = 1.1
FEW_PIXELS = 20.0

DAVIS = "davis-composites/comp-"
KITTI = "kitti-tracking-boxes/"
CAMPUS = "mot15-boxes/TUD-Campus"
STADT = "mot15-boxes/TUD-Stadtmitte"
MOT17 = "mot17-mini/MOT17-02-FRCNN"

# Source, then (what is typed, recipe). A track is an id, a category with one track, or "fastest/last/longest CATEGORY".
CONVERSATIONS: list[tuple[str, list[tuple[str, str]]]] = [
    (
        DAVIS + "03",
        [
            ("When does the bird first appear?", "start bird"),
            ("and when is it last seen?", "end bird"),
            ("how long is it visible?", "duration bird"),
            ("what about the car?", "duration car"),
        ],
    ),
    (
        CAMPUS,
        [
            ("How many persons are there?", "count person"),
            ("how many of them are visible at 0.68 seconds?", "at person 0.68"),
            ("and at 2.12?", "at person 2.12"),
        ],
    ),
    (
        DAVIS + "03",
        [
            ("Is there a cow in this clip?", "exists cow"),
            ("When does it come in?", "start cow"),
            ("Where is it at 3.2 seconds?", "box cow 3.2"),
            ("Does it move left or right?", "direction cow"),
        ],
    ),
    (
        DAVIS + "02",
        [
            ("how many cars?", "count car"),
            ("which one is the fastest?", "fastest car"),
            ("when does it leave?", "end fastest car"),
        ],
    ),
    (
        KITTI + "0005",
        [
            ("Is there a truck?", "exists truck"),
            ("when does it show up", "start truck"),
            ("and the van?", "start van"),
            ("how long is the truck visible", "duration truck"),
            ("and the other one?", "duration van"),
        ],
    ),
    (
        KITTI + "0005",
        [
            ("How many cars are visible at 7.4 s?", "at car 7.4"),
            ("and at 22.2 s?", "at car 22.2"),
            ("what about cyclists?", "at cyclist 22.2"),
        ],
    ),
    (
        KITTI + "0000",
        [
            ("How many vans are there in this video?", "count van"),
            ("Which is the quickest?", "fastest van"),
            ("How long is it on screen?", "duration fastest van"),
        ],
    ),
    (
        KITTI + "0000",
        [
            ("tell me how many pedestrians there are", "count pedestrian"),
            ("who came in last?", "last pedestrian"),
            ("when was that?", "start last pedestrian"),
        ],
    ),
    (
        MOT17,
        [
            ("number of people?", "count person"),
            ("who's the fastest of them?", "fastest person"),
            ("where is that person at 0.07 s?", "box fastest_person 0.07"),
        ],
    ),
    (
        DAVIS + "00",
        [
            ("When does the car show up?", "start car"),
            ("when does it disappear?", "end car"),
            ("Which way does it go, left or right?", "direction car"),
        ],
    ),
    (
        DAVIS + "00",
        [
            ("How many people appear?", "count person"),
            ("and cars?", "count car"),
            ("and birds?", "count bird"),
            ("any dragons?", "exists dragon"),
        ],
    ),
    (
        CAMPUS,
        [
            ("When is person 3 last seen?", "end 3"),
            ("and person 2?", "end 2"),
            ("how long is that one visible?", "duration 2"),
        ],
    ),
    (
        CAMPUS,
        [
            ("Which person enters last?", "last person"),
            ("At what time?", "start last person"),
            ("How long does he stay?", "duration last person"),
        ],
    ),
    (
        STADT,
        [
            ("How many people are there in total?", "count person"),
            ("Which of them is the fastest?", "fastest person"),
            ("When does this person leave?", "end fastest person"),
            ("and the last one to enter, which is it?", "last person"),
        ],
    ),
    (
        STADT,
        [
            ("When does person 10 first appear?", "start 10"),
            ("For how long is it visible?", "duration 10"),
            ("Is it moving left or right?", "direction 10"),
        ],
    ),
    (
        STADT,
        [
            ("What is the largest number of objects at the same time?", "peak *"),
            ("how many are there overall?", "count *"),
        ],
    ),
    (
        DAVIS + "03",
        [
            ("Which is faster, the goat or the bird?", "faster goat bird"),
            ("When does it first appear?", "start bird"),
            ("and the other one?", "start goat"),
        ],
    ),
    (
        DAVIS + "03",
        [
            ("Where is the goat at 3 seconds?", "box goat 3.0"),
            ("and the car?", "box car 3.0"),
            ("And the person?", "box person 3.0"),
        ],
    ),
    (
        DAVIS + "03",
        [
            ("Does the bird move left or right?", "direction bird"),
            ("And the cow?", "direction cow"),
            ("the car?", "direction car"),
        ],
    ),
    (
        DAVIS + "03",
        [
            ("how many objects are visible at 1.5 seconds?", "at * 1.5"),
            ("how about 4.5 seconds?", "at * 4.5"),
            ("and only cows?", "at cow 4.5"),
        ],
    ),
    (
        DAVIS + "02",
        [
            ("Is there a dog?", "exists dog"),
            ("How long can we see it?", "duration dog"),
            ("what about the bird, how long is that one visible?", "duration bird"),
            ("Which of them is faster?", "faster dog bird"),
        ],
    ),
    (
        DAVIS + "02",
        [
            ("Which car enters last?", "last car"),
            ("When does it enter?", "start last car"),
            ("when is it gone?", "end last car"),
            ("And how long did we see it?", "duration last car"),
        ],
    ),
    (
        DAVIS + "05",
        [
            ("Which dog is fastest?", "fastest dog"),
            ("Does it go left or right?", "direction fastest dog"),
            ("And the goat?", "direction goat"),
        ],
    ),
    (
        DAVIS + "05",
        [
            ("How many dogs are there?", "count dog"),
            ("And people?", "count person"),
            ("Which one of those is the fastest?", "fastest person"),
            ("When does it first show up?", "start fastest person"),
        ],
    ),
    (
        DAVIS + "04",
        [
            ("Are there any dogs?", "exists dog"),
            ("when does it come into view?", "start dog"),
            ("and how long does it stay?", "duration dog"),
        ],
    ),
    (
        DAVIS + "04",
        [
            ("Which person is in view longest?", "longest person"),
            ("when is that person last seen?", "end longest person"),
        ],
    ),
    (
        DAVIS + "09",
        [
            ("When does the cow appear?", "start cow"),
            ("The car?", "start car"),
            ("So which of the two appears first?", "first cow car"),
            ("and which is faster?", "faster cow car"),
        ],
    ),
    (
        DAVIS + "09",
        [
            ("Is there a camel in the clip?", "exists camel"),
            ("a cow?", "exists cow"),
            ("how long is it visible for?", "duration cow"),
        ],
    ),
    (
        KITTI + "0005",
        [
            ("When does the cyclist enter?", "start cyclist"),
            ("when does he leave?", "end cyclist"),
            ("Does he end up left or right of where he started?", "direction cyclist"),
            ("where is he at 13.2 seconds?", "box cyclist 13.2"),
        ],
    ),
    (
        KITTI + "0005",
        [
            ("How long is car 8 visible?", "duration 8"),
            ("And car 10?", "duration 10"),
            ("what about number 7?", "duration 7"),
        ],
    ),
    (
        KITTI + "0005",
        [
            ("which object is visible the longest?", "longest *"),
            ("for how many seconds is it visible?", "duration longest *"),
            ("what's its bounding box at 14.8 s?", "box longest_* 14.8"),
        ],
    ),
    (
        KITTI + "0005",
        [
            ("What's the id of the last car to enter?", "last car"),
            ("When does it enter?", "start last car"),
        ],
    ),
    (
        KITTI + "0012",
        [
            ("How many cars are in this video?", "count car"),
            ("and pedestrians?", "count pedestrian"),
            ("When does the pedestrian appear?", "start pedestrian"),
            ("Does it move left or right?", "direction pedestrian"),
        ],
    ),
    (
        KITTI + "0012",
        [
            ("which is faster, the cyclist or the pedestrian?", "faster cyclist pedestrian"),
            ("how long is it visible?", "duration cyclist"),
            ("and the other?", "duration pedestrian"),
        ],
    ),
    (
        KITTI + "0013",
        [
            ("How many cyclists are there?", "count cyclist"),
            ("how many pedestrians?", "count pedestrian"),
            ("at most how many of those are visible at once?", "peak pedestrian"),
        ],
    ),
    (
        KITTI + "0013",
        [
            ("When is the van first seen?", "start van"),
            ("Until when?", "end van"),
        ],
    ),
    (
        KITTI + "0000",
        [
            ("When does pedestrian 13 appear?", "start 13"),
            ("When does pedestrian 3 disappear?", "end 3"),
            ("How long is this one visible?", "duration 3"),
        ],
    ),
    (
        KITTI + "0000",
        [
            ("How many objects are visible at 3.8 s?", "at * 3.8"),
            ("and how many of them are vans?", "at van 3.8"),
            ("how many cyclists?", "at cyclist 3.8"),
        ],
    ),
    (
        MOT17,
        [
            ("Where is person 2 at 0.07 seconds?", "box 2 0.07"),
            ("and person 9?", "box 9 0.07"),
            ("how long is this person visible?", "duration 9"),
        ],
    ),
    (
        MOT17,
        [
            ("Any cars in the video?", "exists car"),
            ("and people?", "exists person"),
            ("how many?", "count person"),
        ],
    ),
]


class Oracle:
    """Answers recipes about one clip, in Python and again in SQL."""

    def __init__(self, tracks: dict[int, Track]) -> None:
        """Keep the tracks and build the two SQL tables."""
        self.tracks = tracks
        self.con: sqlite3.Connection = database(tracks)

    def of(self, category: str) -> list[Track]:
        """Tracks of a category, "*" for all."""
        return [t for t in self.tracks.values() if category in ("*", t.category)]

    def one(self, words: list[str]) -> Track:
        """The track meant by an id, a category with a single track, or a superlative and a category."""
        if len(words) == 2:
            return self.tracks[self.superlative(*words)]
        if words[0].isdigit():
            return self.tracks[int(words[0])]
        (track,) = self.of(words[0])
        return track

    def superlative(self, which: str, category: str) -> int:
        """Id of the fastest, last to enter or longest visible track; AssertionError when it is not clear-cut."""
        keys: dict[str, Callable[[Track], float]] = {
            "fastest": lambda t: t.speed,
            "last": lambda t: t.start,
            "longest": lambda t: t.duration,
        }
        columns = {"fastest": "speed", "last": "t_start", "longest": "n_frames"}
        ranked = sorted(self.of(category), key=keys[which], reverse=True)
        best, second = keys[which](ranked[0]), keys[which](ranked[1])
        assert best > (CLEAR_SPEED_RATIO * second if which == "fastest" else second), (which, category)
        column = columns[which]
        sql = f"select id from tracklets where ? in ('*', category) order by {column} desc limit 1"
        self.agree(sql, (category,), ranked[0].id)
        return ranked[0].id

    def agree(self, sql: str, parameters: tuple[object, ...], expected: object) -> None:
        """AssertionError when SQL gives another answer than Python."""
        rows = self.con.execute(sql, parameters).fetchall()
        got = None if not rows else rows[0][0] if len(rows[0]) == 1 else list(rows[0])
        assert got == expected or (isinstance(got, float) and abs(got - float(str(expected))) < 1e-6), (got, expected)

    def span(self, what: str, words: list[str]) -> float:
        """Start, end or duration of a track in seconds."""
        track = self.one(words)
        value = {"start": track.start, "end": track.end, "duration": track.duration}[what]
        column = {"start": "t_start", "end": "t_end", "duration": "duration"}[what]
        self.agree(f"select {column} from tracklets where id = ?", (track.id,), value)
        return value

    def number(self, what: str, words: list[str]) -> int:
        """Count of tracks, tracks at a time, or the peak of concurrent ones."""
        category, tracks = words[0], self.of(words[0])
        if what in ("count", "exists"):
            value = len(tracks) if what == "count" else int(bool(tracks))
            shape = "count(*)" if what == "count" else "count(*) > 0"
            self.agree(f"select {shape} from tracklets where ? in ('*', category)", (category,), value)
            return value
        joined = "from boxes join tracklets on id = tracklet_id where ? in ('*', category)"
        if what == "peak":
            frames = sorted({b[0] for t in tracks for b in t.boxes})
            value = max(sum(t.box_at(f) is not None for t in tracks) for f in frames)
            self.agree(f"select max(n) from (select count(*) n {joined} group by frame)", (category,), value)
            return value
        frame = self.frame(float(words[1]))
        value = sum(t.box_at(frame) is not None for t in tracks)
        nearest = "frame = (select frame from boxes order by abs(t - ?), frame limit 1)"
        self.agree(f"select count(*) {joined} and {nearest}", (category, float(words[1])), value)
        return value

    def frame(self, seconds: float) -> int:
        """The frame nearest to a time."""
        fps = next(iter(self.tracks.values())).fps
        return round(seconds * fps) + 1

    def box(self, words: list[str]) -> list[float]:
        """Box of a track at a time."""
        track, seconds = self.one(words[0].split("_")), float(words[1])
        box = track.box_at(self.frame(seconds))
        assert box is not None, words
        sql = "select x1, y1, x2, y2 from boxes where tracklet_id = ? order by abs(t - ?) limit 1"
        self.agree(sql, (track.id, seconds), box)
        return box

    def direction(self, words: list[str]) -> str:
        """Left or right, from the first to the last centre."""
        track = self.one(words)
        shift = track.centres[-1][0] - track.centres[0][0]
        assert abs(shift) > FEW_PIXELS, words
        ends = "select (x1 + x2) / 2 from boxes where tracklet_id = ? order by frame"
        sql = f"select case when ({ends} desc limit 1) > ({ends} limit 1) then 'right' else 'left' end"
        value = "right" if shift > 0 else "left"
        self.agree(sql, (track.id, track.id), value)
        return value

    def either(self, what: str, words: list[str]) -> str:
        """Category of the faster or of the earlier of two tracks."""
        a, b = self.one(words[:1]), self.one(words[1:])
        if what == "faster":
            assert max(a.speed, b.speed) > CLEAR_SPEED_RATIO * min(a.speed, b.speed), words
            value, order = (a if a.speed > b.speed else b).category, "speed desc"
        else:
            assert abs(a.start - b.start) > TIMES_TOLERANCE, words
            value, order = (a if a.start < b.start else b).category, "t_start"
        self.agree(f"select category from tracklets where id in (?, ?) order by {order}", (a.id, b.id), value)
        return value

    def answer(self, recipe: str) -> tuple[Answer, float]:
        """Answer and tolerance of a recipe."""
        what, *words = recipe.split()
        if what in ("start", "end", "duration"):
            return round(self.span(what, words), 2), TIMES_TOLERANCE
        if what in ("count", "exists", "peak", "at"):
            return self.number(what, words), 0
        if what in ("fastest", "last", "longest"):
            return self.superlative(what, words[0]), 0
        if what == "box":
            return self.box(words), 0
        return (self.direction(words) if what == "direction" else self.either(what, words)), 0


def main() -> None:
    """Compute, cross-check and write every conversation, in a seeded order."""
    items = []
    for source, turns in CONVERSATIONS:
        oracle, answered = Oracle(load(source)), []
        for question, recipe in turns:
            answer, tolerance = oracle.answer(recipe)
            answered.append({"question": question, "answer": answer, "tolerance": tolerance})
        items.append({"source": source, "turns": answered})
    random.Random(SEED).shuffle(items)
    write_lines("conversations.jsonl", items)


if __name__ == "__main__":
    main()
