"""Writes beyond.jsonl: questions of kinds the official sets do not have, answered from the ground-truth boxes.

Each question has a short recipe; an answer that is not clear-cut (a near tie, a frame's difference) stops the script.
"""

from __future__ import annotations

from clips import Track, load, write_lines
from make_conversations import CLEAR_SPEED_RATIO, Oracle

Answer = bool | int | float | str | list[float] | list[int] | list[str]
CLEAR_GAP_S = 0.15

C0, C2, C3, C4, C5, C9 = (f"davis-composites/comp-0{n}" for n in (0, 2, 3, 4, 5, 9))
CAMPUS, STADT = "mot15-boxes/TUD-Campus", "mot15-boxes/TUD-Stadtmitte"
K0, K5, K12, K13 = (f"kitti-tracking-boxes/00{n}" for n in ("00", "05", "12", "13"))

QUESTIONS: list[tuple[str, str, str]] = [
    (C3, "Is the bird visible at 3 seconds?", "visible bird 3.0"),
    (C3, "is the cow on screen at 1.0 s", "visible cow 1.0"),
    (C0, "Can you see the car at 4.8 seconds?", "visible car 4.8"),
    (K5, "At 7.4 s, is the van in view?", "visible van 7.4"),
    (K5, "is there a cyclist on screen at 15 seconds?", "visible cyclist 15.0"),
    (CAMPUS, "Is person 8 visible at 1 second?", "visible 8 1.0"),
    (C3, "How many objects are seen between 0 and 1 seconds?", "between * 0.0 1.0"),
    (C2, "how many different objects appear between 0.5 s and 1.1 s", "between * 0.5 1.1"),
    (K5, "How many cars can be seen between 5 and 10 seconds?", "between car 5.0 10.0"),
    (K0, "number of distinct cars visible from 11 to 12.2 seconds", "between car 11.0 12.2"),
    (STADT, "From 5 s to 6 s, how many people are visible?", "between person 5.0 6.0"),
    (CAMPUS, "How many different people show up in the first second?", "between person 0.0 1.0"),
    (C0, "What is the largest number of persons visible at the same time?", "peak person"),
    (K5, "max number of cars on screen at once?", "peak car"),
    (K0, "At most how many vans are in view together?", "peak van"),
    (K13, "What's the highest number of pedestrians in a single frame?", "peak pedestrian"),
    (C5, "how many dogs at once, at most?", "peak dog"),
    (C3, "Which object leaves last?", "leaves_last *"),
    (C0, "id of the first car to appear?", "enters_first car"),
    (C2, "Which car appears first?", "enters_first car"),
    (K0, "Which pedestrian leaves last?", "leaves_last pedestrian"),
    (K0, "Which car is the first to enter?", "enters_first car"),
    (C4, "What's the id of the car that leaves first?", "leaves_first car"),
    (CAMPUS, "Which person disappears first?", "leaves_first person"),
    (STADT, "who leaves first?", "leaves_first person"),
    (C5, "Which dog is the first to come in?", "enters_first dog"),
    (C2, "Which car is the slowest?", "slowest car"),
    (C5, "id of the slowest person", "slowest person"),
    (K0, "Tell me which pedestrian moves the slowest.", "slowest pedestrian"),
    (STADT, "who is the slowest person?", "slowest person"),
    (K12, "slowest car?", "slowest car"),
    (C0, "Which object moves the slowest?", "slowest *"),
    (C0, "Which way does person 3 move, left or right?", "direction 3"),
    (C0, "direction of person 4?", "direction 4"),
    (C2, "Does car 4 go left or right?", "direction 4"),
    (CAMPUS, "Is person 2 heading left or right?", "direction 2"),
    (STADT, "Does object 7 move to the left or to the right?", "direction 7"),
    (K0, "in which direction does car 8 travel, left or right", "direction 8"),
    (C3, "Is the bird faster than the goat?", "is_faster bird goat"),
    (C3, "is the car faster than the cow?", "is_faster car cow"),
    (C2, "Does car 3 move faster than car 4?", "is_faster 3 4"),
    (K5, "Is the van quicker than the cyclist?", "is_faster van cyclist"),
    (CAMPUS, "is person 3 faster than person 5", "is_faster 3 5"),
    (K12, "Does the pedestrian move faster than the cyclist?", "is_faster pedestrian cyclist"),
    (C3, "Do the bird and the cow appear together at any time?", "together bird cow"),
    (K5, "Are the van and the truck ever visible together?", "together van truck"),
    (K5, "Is the cyclist ever on screen at the same time as the van?", "together cyclist van"),
    (CAMPUS, "Are person 1 and person 8 ever in view together?", "together 1 8"),
    (CAMPUS, "do person 4 and person 7 share the screen at any time?", "together 4 7"),
    (K0, "Is pedestrian 3 ever visible together with pedestrian 13?", "together 3 13"),
    (C3, "Which is larger on average, the goat or the car?", "larger goat car"),
    (C2, "which one is bigger on average, the dog or the bird?", "larger dog bird"),
    (K5, "On average, which is bigger: the van or the cyclist?", "larger van cyclist"),
    (C9, "Which has the larger average box, the car or the cow?", "larger car cow"),
    (C3, "What categories are there?", "categories"),
    (K5, "which kinds of objects appear in the video?", "categories"),
    (C2, "List the categories of the tracked objects.", "categories"),
    (K12, "what types of objects are in this clip", "categories"),
    (C0, "Are there more cars than persons?", "more car person"),
    (K0, "Are there more cars than vans?", "more car van"),
    (K13, "are there more pedestrians than cars?", "more pedestrian car"),
    (C5, "Does the clip have more goats than dogs?", "more goat dog"),
    (C2, "Give me the bounding box of car 4 at 2.5 seconds.", "box 4 2.5"),
    (C0, "Where exactly is person 3 at 2.0 s?", "box 3 2.0"),
    (STADT, "what are the coordinates of person 9 at 4 seconds", "box 9 4.0"),
    (K5, "position of car 13 at 18.0 sec?", "box 13 18.0"),
    (K0, "At 13 seconds, where is car #7?", "box 7 13.0"),
    (CAMPUS, "How many people are still visible at the end?", "at_end person"),
    (C3, "how many objects are on screen when the clip ends?", "at_end *"),
    (K0, "How many cars are still in view at the end of the video?", "at_end car"),
    (STADT, "number of persons visible in the last frame", "at_end person"),
    (K5, "Does the van leave before the truck appears?", "before van truck"),
    (K5, "is the cyclist gone before the truck shows up?", "before cyclist truck"),
    (C3, "Does the car leave before the cow appears?", "before car cow"),
    (CAMPUS, "Has person 1 left by the time person 8 appears?", "before 1 8"),
    (C3, "How many seconds after the goat does the cow first appear?", "gap goat cow"),
    (K5, "How many seconds pass between the first appearance of the van and that of the truck?", "gap van truck"),
    (K5, "How long does the longest visible car stay on screen?", "longest_time car"),
    (CAMPUS, "On average, how many seconds is a person visible?", "mean_time person"),
    (C0, "For how long on average are persons visible?", "mean_time person"),
]


class BeyondOracle(Oracle):
    """Recipes of the kinds that only this set has."""

    def last_frame(self) -> int:
        """The last frame with any box."""
        return max(t.boxes[-1][0] for t in self.tracks.values())

    def group(self, word: str) -> list[Track]:
        """One track by its id, or every track of a category."""
        return [self.tracks[int(word)]] if word.isdigit() else self.of(word)

    def count_between(self, category: str, start: float, end: float) -> int:
        """Distinct tracks with a box in an interval, the same whether or not its borders belong to it."""

        def seen(margin: float) -> int:
            return sum(
                any(start - margin <= (b[0] - 1) / t.fps <= end + margin for b in t.boxes) for t in self.of(category)
            )

        assert seen(1e-6) == seen(-1e-6), (category, start, end)
        return seen(1e-6)

    def extreme(self, what: str, category: str) -> list[int]:
        """The id that is first or last in some order, in a list; AssertionError on a tie."""
        keys = {
            "enters_first": lambda t: t.start,
            "leaves_first": lambda t: t.end,
            "leaves_last": lambda t: -t.end,
            "slowest": lambda t: t.speed,
        }
        ranked = sorted(self.of(category), key=keys[what])
        if len(ranked) > 1:
            best, second = keys[what](ranked[0]), keys[what](ranked[1])
            clear = second > CLEAR_SPEED_RATIO * best if what == "slowest" else second - best > 1e-6
            assert clear, (what, category, best, second)
        return [ranked[0].id]

    def compare(self, what: str, first: str, second: str) -> Answer:
        """Two tracks, or two categories, against each other."""
        a, b = self.group(first), self.group(second)
        if what == "more":
            return len(a) > len(b)
        if what == "together":
            frames = [{box[0] for t in side for box in t.boxes} for side in (a, b)]
            return bool(frames[0] & frames[1])
        (x,), (y,) = a, b
        if what == "gap":
            return round(abs(y.start - x.start), 2)
        if what == "before":
            assert abs(y.start - x.end) > CLEAR_GAP_S, (first, second)
            return x.end < y.start
        left, right = (x.speed, y.speed) if what == "is_faster" else (x.mean_area, y.mean_area)
        assert max(left, right) > CLEAR_SPEED_RATIO * min(left, right), (what, first, second)
        return left > right if what == "is_faster" else (x if left > right else y).category

    def visible(self, word: str, seconds: float) -> bool:
        """Whether a box lies on the frame nearest to a time; AssertionError when a neighbouring frame disagrees."""
        frame = self.frame(seconds)
        near = {any(t.box_at(f) is not None for t in self.group(word)) for f in (frame - 1, frame, frame + 1)}
        assert len(near) == 1, (word, seconds)
        return near.pop()

    def beyond(self, recipe: str) -> tuple[Answer, float, str]:
        """Answer, tolerance and kind of a recipe."""
        what, *words = recipe.split()
        if what == "visible":
            return self.visible(words[0], float(words[1])), 0, "bool"
        if what == "between":
            return self.count_between(words[0], float(words[1]), float(words[2])), 0, "int"
        if what == "peak":
            return self.number(what, words), 0, "int"
        if what == "at_end":
            frame = self.last_frame()
            return sum(t.box_at(frame) is not None for t in self.of(words[0])), 0, "int"
        if what in ("enters_first", "leaves_first", "leaves_last", "slowest"):
            return self.extreme(what, words[0]), 0, "ids"
        if what == "direction":
            return self.direction(words), 0, "string"
        if what == "categories":
            return sorted({t.category for t in self.tracks.values()}), 0, "list"
        if what == "box":
            return self.box(words), 0, "box"
        if what in ("longest_time", "mean_time"):
            spans = [t.duration for t in self.of(words[0])]
            return round(max(spans) if what == "longest_time" else sum(spans) / len(spans), 2), 0.5, "seconds"
        kinds = {"gap": "seconds", "larger": "category"}
        return self.compare(what, *words), 0.5 if what == "gap" else 0, kinds.get(what, "bool")


def main() -> None:
    """Compute and write every item."""
    items = []
    for source, question, recipe in QUESTIONS:
        answer, tolerance, kind = BeyondOracle(load(source)).beyond(recipe)
        item = {"source": source, "question": question, "answer": answer, "tolerance": tolerance}
        items.append({**item, "answer_kind": kind})
    write_lines("beyond.jsonl", items)


if __name__ == "__main__":
    main()
