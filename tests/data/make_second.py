"""Writes conversations_second.jsonl and beyond_second.jsonl: the voices of the third round, answered from the boxes.

The recipes are those of `make_conversations` and `make_beyond`, and a few kinds more; an answer that is not clear-cut
stops the script.
"""

from __future__ import annotations

from clips import load, write_lines
from make_beyond import C0, C2, C3, C4, C5, C9, CAMPUS, CLEAR_GAP_S, K0, K5, K12, STADT, Answer, BeyondOracle
from make_conversations import CLEAR_SPEED_RATIO, DAVIS, KITTI

C1 = DAVIS + "01"
K3, K6 = KITTI + "0003", KITTI + "0006"

CONVERSATIONS: list[tuple[str, list[tuple[str, str]]]] = [
    (
        DAVIS + "04",
        [
            ("Hello! How many cars turn up in here, please?", "count car"),
            ("and the same for dogs?", "count dog"),
            ("OK, and when does that one first come along?", "start dog"),
            ("how long was it there?", "duration dog"),
            ("which way did it go, left or right?", "direction dog"),
        ],
    ),
    (
        DAVIS + "09",
        [
            ("Is it the cow or the car that's moving faster?", "faster cow car"),
            ("when's it first in view?", "start car"),
            ("And the other one?", "start cow"),
            ("Until when can it be seen?", "end cow"),
        ],
    ),
    (
        KITTI + "0002",
        [
            ("A cyclist rides through this, right?", "exists cyclist"),
            ("From what second?", "start cyclist"),
            ("Till when?", "end cyclist"),
            ("So for how long altogether?", "duration cyclist"),
            ("Same question for the lorry.", "duration truck"),
        ],
    ),
    (
        KITTI + "0000",
        [
            ("vans 0.6s count", "at van 0.6"),
            ("same at 13 s", "at van 13"),
            ("cars?", "at car 13"),
            ("and one second later?", "at car 14"),
        ],
    ),
    (
        CAMPUS,
        [
            ("I'd like to know who's last to walk in.", "last person"),
            ("At which second was that?", "start last person"),
            ("Give me their box at 2.4 s.", "box last_person 2.4"),
        ],
    ),
    (
        STADT,
        [
            ("Which of the folks is the speediest?", "fastest person"),
            ("When do they go away?", "end fastest person"),
            ("And person 5?", "end 5"),
            ("For how long had that person been visible?", "duration 5"),
        ],
    ),
    (
        DAVIS + "08",
        [
            ("Can a goat be seen here?", "exists goat"),
            ("Is it heading left or right?", "direction goat"),
            ("What about the person?", "direction person"),
            ("Does a tiger appear too?", "exists tiger"),
        ],
    ),
    (
        KITTI + "0012",
        [
            ("Who's first on screen, the pedestrian or the cyclist?", "first pedestrian cyclist"),
            ("Where's he at 2 seconds?", "box cyclist 2.0"),
            ("And at 3.5?", "box cyclist 3.5"),
            ("What's the other one's position then?", "box pedestrian 3.5"),
        ],
    ),
    (
        KITTI + "0006",
        [
            ("number of objects tracked", "count *"),
            ("How many of these are lorries?", "count truck"),
            ("Of those, which one's the quickest?", "fastest truck"),
            ("How long's it around?", "duration fastest truck"),
            ("and when does it disappear?", "end fastest truck"),
        ],
    ),
    (
        DAVIS + "05",
        [
            ("Which dog moves the fastest?", "fastest dog"),
            ("And among the persons?", "fastest person"),
            ("When did that one enter?", "start fastest person"),
            ("And leave?", "end fastest person"),
        ],
    ),
    (
        KITTI + "0010",
        [
            ("How many trams pass by?", "count tram"),
            ("How many at most at the same time?", "peak tram"),
            ("How about trucks: how many in total?", "count truck"),
            ("When is it last spotted?", "end truck"),
        ],
    ),
    (
        KITTI + "0005",
        [
            ("Tell me when the van arrives.", "start van"),
            ("...and departs?", "end van"),
            ("Does the truck turn up as well?", "exists truck"),
            ("How many seconds is that in sight?", "duration truck"),
            ("Which of the two showed up earlier?", "first van truck"),
        ],
    ),
]

QUESTIONS: list[tuple[str, str, str]] = [
    (C3, "Can the bird be made out at the three-second mark?", "visible bird 3.0"),
    (C0, "At 00:00:05 the car's still on screen, isn't it?", "visible car 5.0"),
    (K5, "I'd like to know whether the van's in shot 7.4 seconds in.", "visible van 7.4"),
    (CAMPUS, "person 8 visible 1s?", "visible 8 1.0"),
    (CAMPUS, "Had person 1 already gone by the 2-second mark?", "gone 1 2.0"),
    (C3, "In the opening second, how many objects come into sight?", "between * 0.0 1.0"),
    (K5, "How many motorcars are on view between 5s and 10s?", "between car 5.0 10.0"),
    (K0, "Count the cars seen from 00:00:11 to 00:00:12.2.", "between car 11.0 12.2"),
    (STADT, "between the 5th and the 6th second, how many people can be observed?", "between person 5.0 6.0"),
    (C2, "Past the five-second mark, how many objects do we still see?", "between * 5.0 99"),
    (K3, "Over the first four seconds, how many cars appear?", "between car 0 4.0"),
    (C4, "How many objects show up in the opening half second?", "between * 0 0.5"),
    (C0, "persons at once, max", "peak person"),
    (K0, "Tell me the most vans we ever see together.", "peak van"),
    (K5, "In the fullest frame, how many cars?", "peak car"),
    (C2, "Which motorcar is in view first?", "enters_first car"),
    (K0, "Which of the pedestrians is last to go?", "leaves_last pedestrian"),
    (C4, "The car which departs earliest: id?", "leaves_first car"),
    (CAMPUS, "Whose exit comes first?", "leaves_first person"),
    (C2, "Which car dawdles the most?", "slowest car"),
    (K12, "Which of the cars isn't moving?", "still car"),
    (STADT, "Who's slowest?", "slowest person"),
    (C0, "The object with the least speed is which?", "slowest *"),
    (C0, "Person 3: going left or right?", "direction 3"),
    (K0, "Is car 8 travelling leftward or rightward?", "direction 8"),
    (C3, "The bird's quicker than the goat, right?", "is_faster bird goat"),
    (C2, "Is car 3 slower than car 4?", "is_slower 3 4"),
    (K12, "Would you say the pedestrian outpaces the cyclist?", "is_faster pedestrian cyclist"),
    (CAMPUS, "Between person 3 and person 5, who is the faster one?", "quicker 3 5"),
    (C3, "Are the bird and the cow ever on display simultaneously?", "together bird cow"),
    (K5, "Do van and truck never meet on screen, or do they at some point appear together?", "together van truck"),
    (CAMPUS, "Was person 1 ever in the frame alongside person 8?", "together 1 8"),
    (C9, "Between the car and the cow, which is the bigger one on average?", "larger car cow"),
    (C3, "Which one's smaller on average, the goat or the car?", "smaller goat car"),
    (K12, "What sorts of things got tracked?", "categories"),
    (C2, "Name every category of object, please.", "categories"),
    (C0, "Do people outnumber cars?", "more person car"),
    (K0, "Are there fewer vans than cars?", "more car van"),
    (C5, "There are more goats than dogs, correct?", "more goat dog"),
    (STADT, "Box of person 9 four seconds in, please.", "box 9 4.0"),
    (K5, "Whereabouts was car 13 eighteen seconds in?", "box 13 18.0"),
    (C3, "How many objects remain by the end of the clip?", "at_end *"),
    (K0, "How many motorcars are left in the final frame?", "at_end car"),
    (C3, "Which object never leaves the screen?", "never_leaves *"),
    (K5, "Has the van gone before the truck comes?", "before van truck"),
    (C3, "Was the car gone by the time the cow turned up?", "before car cow"),
    (K5, "By how many seconds does the truck's first appearance come after the van's?", "gap van truck"),
    (CAMPUS, "What's the average visible time per person, in seconds?", "mean_time person"),
    (K5, "The longest-staying car is visible for how many seconds?", "longest_time car"),
    (K6, "How many cars come in after the nine-second mark?", "enter_between car 9.0 99"),
    (K3, "How many cars leave before 3 seconds are up?", "leave_between car 0 3.0"),
    (C1, "Does the camel come in before the car does?", "starts_before camel car"),
]


class SecondOracle(BeyondOracle):
    """The kinds of the first `beyond` set, and those that only this one has."""

    def answered(self, recipe: str) -> tuple[Answer, float, str]:
        """Answer, tolerance and kind of a recipe."""
        what, *words = recipe.split()
        if what == "gone":
            end = self.one(words[:1]).end
            assert abs(end - float(words[1])) > CLEAR_GAP_S, recipe
            return end < float(words[1]), 0, "bool"
        if what == "is_slower":
            return not self.compare("is_faster", *words), 0, "bool"
        if what == "starts_before":
            a, b = self.one(words[:1]), self.one(words[1:])
            assert abs(a.start - b.start) > CLEAR_GAP_S, recipe
            return a.start < b.start, 0, "bool"
        if what == "quicker":
            return [int(words[0] if self.compare("is_faster", *words) else words[1])], 0, "ids"
        if what == "smaller":
            larger = self.compare("larger", *words)
            return next(word for word in words if word != larger), 0, "category"
        if what in ("still", "never_leaves"):
            return self.standing_out(what, words[0]), 0, "ids"
        if what in ("enter_between", "leave_between"):
            return self.crossing(what, words[0], float(words[1]), float(words[2])), 0, "int"
        return self.beyond(recipe)

    def standing_out(self, what: str, category: str) -> list[int]:
        """The one id that does not move at all, or that has a box on every frame of the clip."""
        (track,) = [
            t
            for t in self.of(category)
            if (t.speed < 1 / CLEAR_SPEED_RATIO if what == "still" else len(t.boxes) == self.last_frame())
        ]
        return [track.id]

    def crossing(self, what: str, category: str, start: float, end: float) -> int:
        """Tracks that enter or leave in an interval; AssertionError when one does so near its borders."""
        times = [t.start if what == "enter_between" else t.end for t in self.of(category)]
        assert all(min(abs(time - start), abs(time - end)) > 1e-6 for time in times if time > 0), (what, times)
        return sum(start < time < end for time in times)


def main() -> None:
    """Compute and write every conversation and every question."""
    conversations = []
    for source, turns in CONVERSATIONS:
        oracle, answered = SecondOracle(load(source)), []
        for question, recipe in turns:
            answer, tolerance = oracle.answer(recipe)
            answered.append({"question": question, "answer": answer, "tolerance": tolerance})
        conversations.append({"source": source, "turns": answered})
    write_lines("conversations_second.jsonl", conversations)
    items = []
    for source, question, recipe in QUESTIONS:
        answer, tolerance, kind = SecondOracle(load(source)).answered(recipe)
        item = {"source": source, "question": question, "answer": answer, "tolerance": tolerance}
        items.append({**item, "answer_kind": kind})
    write_lines("beyond_second.jsonl", items)


if __name__ == "__main__":
    main()
