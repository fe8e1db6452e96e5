"""Writes voices.jsonl: one voice a group, from the shop owner to the typist in a hurry, answered from the boxes.

The recipes are those of `make_second` and the kinds below, most of them about spans, exceptions and two things weighed
against each other; an answer that is not clear-cut stops the script. The recipe "none" is a question that nothing
stored can answer: only a refusal is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from clips import Track, load, write_lines
from make_beyond import C0, C2, C3, C4, C5, C9, CAMPUS, CLEAR_GAP_S, K0, K5, K12, STADT, Answer
from make_conversations import DAVIS, KITTI
from make_second import C1, K3, K6, SecondOracle

C6, C7, C8 = DAVIS + "06", DAVIS + "07", DAVIS + "08"
K1, K2, K4, K7, K8, K9 = (KITTI + f"{n:04d}" for n in (1, 2, 4, 7, 8, 9))
K10, K11, K13 = (KITTI + f"{n:04d}" for n in (10, 11, 13))

Item = tuple[str, str, str]
VOICES: Mapping[str, Sequence[Item]] = {
    "shop owner": (
        (STADT, "How many customers did my camera catch?", "count person"),
        (STADT, "Who was the last shopper to walk in? Number please.", "last person"),
        (CAMPUS, "Busiest it ever got on my camera: how many people at the same time?", "peak person"),
        (STADT, "How long does customer 8 hang about?", "duration 8"),
        (CAMPUS, "At what second did person 4 clear off?", "end 4"),
        (STADT, "How many folks are still on the premises when the recording stops?", "at_end person"),
        (STADT, "Is anybody on camera at 3 sec?", "visible * 3.0"),
        (CAMPUS, "Did person 8 turn up after person 1 had already left?", "before 1 8"),
        (STADT, "How many people came in after the first three seconds?", "enter_between person 3.0 99"),
        (CAMPUS, "Did somebody nick something from the shelf?", "none"),
        (STADT, "Time person 7 leaves my shop?", "end 7"),
    ),
    "wildlife ranger": (
        (C3, "How many animals did the camera trap log?", "count animal"),
        (C8, "Any goat sighting on this trap?", "exists goat"),
        (C8, "Log the first sighting of the goat in seconds.", "start goat"),
        (C3, "How long did the bird linger in the field of view?", "duration bird"),
        (C3, "Did the goat and the cow ever share the frame?", "together goat cow"),
        (C9, "Has a wolf been recorded?", "exists wolf"),
        (C5, "How many dogs were roaming about at once, at the very most?", "peak dog"),
        (C1, "Heading of the camel: left or right?", "direction camel"),
        (C8, "Which animal did we spot first, the bird or the goat?", "first bird goat"),
        (C3, "When did we lose sight of the cow?", "end cow"),
        (C3, "Is the goat a female?", "none"),
    ),
    "sports coach": (
        (STADT, "Who's my quickest runner?", "fastest person"),
        (STADT, "Which of the people has the lowest speed?", "slowest person"),
        (C2, "Car 3 against car 4: who has more pace?", "quicker 3 4"),
        (C7, "Is the dog outrunning the car?", "is_faster dog car"),
        (CAMPUS, "How many players are on the pitch at 1.0 s?", "at person 1.0"),
        (STADT, "Sub off: when does person 8 leave the field of play?", "end 8"),
        (STADT, "How much time did person 5 spend on screen?", "duration 5"),
        (CAMPUS, "Give me the coordinates for person 2 at one second flat.", "box 2 1.0"),
        (C5, "Which dog came on first?", "enters_first dog"),
        (STADT, "On average, how long does a player stay out there?", "mean_time person"),
        (C8, "Bird versus goat over the clip: who wins on speed?", "faster bird goat"),
        (STADT, "What's the score?", "none"),
    ),
    "child": (
        (C7, "is there a doggy", "exists dog"),
        (C5, "how many doggies are there??", "count dog"),
        (C9, "can you see a moo cow in it", "exists cow"),
        (C3, "wheres the birdie at 3 seconds", "box bird 3.0"),
        (C4, "how many cars r there", "count car"),
        (C4, "does the doggy go away before the end", "gone dog 5.9"),
        (C7, "who is faster the car or the doggie", "faster car dog"),
        (C3, "did a dinosaur come", "exists dinosaur"),
        (C6, "how many people are there when its 3 seconds", "at person 3.0"),
        (C3, "is the cow there at the very end", "visible cow 5.9"),
        (C5, "which doggy came last", "last dog"),
    ),
    "not a native speaker": (
        (K5, "How much cars it has in the video?", "count car"),
        (K5, "In which second the truck is appearing first time?", "start truck"),
        (K2, "The cyclist, how long time he is visible?", "duration cyclist"),
        (K0, "How many of cars there are at second 13?", "at car 13.0"),
        (K4, "It gives a tram in this film?", "exists tram"),
        (K6, "Which truck is most fast?", "fastest truck"),
        (K12, "To which side is going the pedestrian, left or right?", "direction pedestrian"),
        (K5, "Until which second one sees the van?", "end van"),
        (K9, "Please to say the maximum quantity of objects in same time.", "peak *"),
        (K2, "Who comes before, the van or the cyclist?", "first van cyclist"),
        (K0, "Where finds itself car 7 at 13 seconds?", "box 7 13.0"),
        (K10, "Which tram came the last?", "last tram"),
    ),
    "lawyer": (
        (K5, "State for the record the number of motor vehicles depicted.", "count vehicle"),
        (K2, "At what time did the cyclist first come within view of the camera?", "start cyclist"),
        (K2, "Isn't it true that a van was recorded?", "exists van"),
        (K5, "I put it to you that the van was gone before the truck arrived. Correct?", "before van truck"),
        (K12, "For what period was the pedestrian within view, expressed in seconds?", "duration pedestrian"),
        (K0, "Kindly state the last moment at which pedestrian 3 was observed.", "end 3"),
        (K5, "Was the cyclist at any time present together with the truck?", "together cyclist truck"),
        (
            K12,
            "Of the pedestrian and the cyclist, which was travelling at the greater speed?",
            "faster pedestrian cyclist",
        ),
        (K12, "Was the pedestrian at fault?", "none"),
        (K3, "How many cars departed the scene prior to the 3-second mark?", "leave_between car 0 3.0"),
        (K2, "Did the van precede the cyclist into the frame?", "starts_before van cyclist"),
    ),
    "search box": (
        (K1, "car total", "count car"),
        (K7, "max simultaneous objs", "peak *"),
        (K10, "last tram id", "last tram"),
        (K8, "van 8 exit time", "end 8"),
        (K13, "cyclists 5 s count", "at cyclist 5.0"),
        (K11, "fastest pedestrian", "fastest pedestrian"),
        (C9, "cow xyxy 3s", "box cow 3.0"),
        (C6, "car duration sec", "duration car"),
        (C3, "bird direction l/r", "direction bird"),
        (C1, "camel enter t", "start camel"),
        (C1, "cow v car speed, which", "faster cow car"),
        (K6, "trucks present y/n", "exists truck"),
    ),
    "polite and long-winded": (
        (
            K5,
            "I do hope this isn't too much bother, but might you let me know how many cars one can find in here "
            "altogether?",
            "count car",
        ),
        (
            C3,
            "If it wouldn't be too much trouble, I'd be ever so grateful to know when the cow first wanders in.",
            "start cow",
        ),
        (
            C8,
            "Good afternoon, I was hoping somebody could let me know the length of time, in seconds, that the goat "
            "remains visible. Many thanks!",
            "duration goat",
        ),
        (C9, "Terribly sorry to bother you again; at three seconds, how many objects are there?", "at * 3.0"),
        (C2, "Would you be a dear and tell me which car is the fastest, by its id?", "fastest car"),
        (K2, "Forgive my ignorance, but does a tram feature anywhere in this recording?", "exists tram"),
        (C5, "Might I enquire as to which of the two dogs was the later to arrive?", "last dog"),
        (
            C1,
            "Whenever you have a moment, could you possibly provide the box of the camel three seconds in?",
            "box camel 3.0",
        ),
        (
            K0,
            "I'd be much obliged if you could point out the final moment at which the cyclist is seen.",
            "end cyclist",
        ),
        (
            C4,
            "May I kindly ask whether the dog ends up more to the left or more to the right compared with where it "
            "began?",
            "direction dog",
        ),
        (
            K8,
            "It would be splendid if you could tell me the highest number of objects that are on screen "
            "simultaneously.",
            "peak *",
        ),
        (
            C8,
            "Perhaps you could clarify for me whether it's the person or the goat that shows up sooner?",
            "first person goat",
        ),
    ),
    "slips of the keyboard": (
        (K5, "hwo many cars aer there", "count car"),
        (K2, "wehn does the cyclsit first apear", "start cyclist"),
        (K5, "how lnog is the van visibel", "duration van"),
        (C3, "is thier a goat in teh video", "exists goat"),
        (K0, "how many vnas at the sametime max", "peak van"),
        (C2, "fastset car id", "fastest car"),
        (K12, "wich moves faster, the cylist or the pedestrain", "faster cyclist pedestrian"),
        (C7, "cordinates of the dog at 3.0 secnds", "box dog 3.0"),
        (K10, "last trma to entre?", "last tram"),
        (C9, "how mnay objets at 3 secs", "at * 3.0"),
        (C1, "does the caml end up left or rihgt of where it strated", "direction camel"),
        (K5, "last time the turck is seeen", "end truck"),
    ),
    "British or American": (
        (K2, "When does the lorry roll up?", "start truck"),
        (K10, "How many streetcars run through the shot?", "count tram"),
        (C4, "Did y'all catch a pup in this one?", "exists dog"),
        (K2, "When's the last we see of the chap on the bike?", "end cyclist"),
        (K6, "How many big rigs show?", "count truck"),
        (K5, "How long's the lorry knocking about on screen?", "duration truck"),
        (C7, "Which is nippier, the motorcar or the dog?", "faster car dog"),
        (K0, "At 13 seconds, how many autos are out there?", "at car 13.0"),
        (K12, "Was there ever a bloke on foot?", "exists pedestrian"),
    ),
    "orders": (
        (C3, "List the ids of all objects visible at 1.0 seconds.", "ids_at * 1.0"),
        (C2, "Name the slowest car.", "slowest car"),
        (C9, "Report the time at which the car drives off screen.", "end car"),
        (C0, "Find out how many persons were in frame together at the most.", "peak person"),
        (C4, "Single out the person who entered last.", "last person"),
        (K5, "Locate the cyclist 13.2 seconds in.", "box cyclist 13.2"),
        (K12, "Decide: is the pedestrian moving left or right?", "direction pedestrian"),
        (C6, "Enumerate the categories.", "categories"),
        (K0, "Show how many seconds the cyclist is on for.", "duration cyclist"),
    ),
    "negations": (
        (C3, "Is the cow not visible at 1 second?", "not visible cow 1.0"),
        (C4, "Which objects are not visible at 1.0 seconds?", "ids_not_at * 1.0"),
        (C3, "How many objects are not cars?", "count_but car"),
        (K2, "Isn't there a tram?", "exists tram"),
        (C3, "Do the bird and the cow never appear together?", "not together bird cow"),
        (C3, "Which object doesn't leave before the clip is over?", "never_leaves *"),
        (C4, "Are there no dogs here?", "not exists dog"),
        (C3, "Which objects are not animals? Give their ids.", "ids_but animal"),
        (K12, "Is it false that a cyclist appears?", "not exists cyclist"),
        (K0, "How many vehicles other than cars are there?", "count van"),
        (K5, "Without the cars, how many objects remain?", "count_but car"),
        (C4, "Apart from the dog, who enters last?", "last_but dog"),
    ),
    "comparisons": (
        (C3, "Does the goat stay on screen longer than the cow?", "is_longer goat cow"),
        (K5, "By how many do cars exceed vans?", "difference car van"),
        (C3, "Which lasts longer on screen, the bird or the cow?", "longer bird cow"),
        (C1, "Does the car enter earlier than the camel?", "starts_before car camel"),
        (C9, "Are there at least three persons?", "at_least person 3"),
        (K0, "Are there exactly two pedestrians?", "exactly pedestrian 2"),
        (C1, "Who sticks around until later, the camel or the car?", "later camel car"),
        (K0, "Is the number of vans smaller than the number of cars?", "more car van"),
        (C2, "Does car 3 leave later than car 4?", "is_later 3 4"),
        (K5, "Which is there for less time, the van or the truck?", "shorter van truck"),
    ),
    "times": (
        (K3, "In the last third of the video, how many cars are seen?", "share car 0.6667 1"),
        (K5, "How many cars show up in the first quarter?", "share car 0 0.25"),
        (C3, "Halfway through, how many objects are on screen?", "at * 3.0"),
        (K2, "Is the cyclist visible halfway through the clip?", "visible cyclist 11.65"),
        (K5, "Between 5 and 10 s, is there a cyclist?", "visible_in cyclist 5 10"),
        (C3, "How many objects are there after the cow has gone?", "after * cow"),
        (C4, "Once car 5 has left, how many cars can still be seen?", "after car 5"),
        (K5, "How many cars were seen before the truck showed up?", "until car truck"),
        (C8, "Two seconds in, is the goat there?", "visible goat 2.0"),
        (C8, "1.5 seconds before the end, how many objects are visible?", "at * 4.45"),
        (C4, "At the moment the dog enters, how many cars are visible?", "at car 1.8"),
        (C3, "From second 2.2 onward, does any new object come in?", "any enter_between * 2.2 99"),
        (K1, "a quarter of a minute in, how many cars?", "at car 15.0"),
        (K9, "At 1 min 0.7 s, how many pedestrians?", "at pedestrian 60.7"),
        (K5, "Does the truck come in during the second half?", "enters_share truck 0.5 1"),
        (C4, "Does the dog appear within two seconds of the start?", "visible_in dog 0 2.0"),
        (K0, "From 11 to 12.2 s inclusive, which cars do we have?", "ids_between car 11.0 12.2"),
    ),
}
GROUPS = {"animal": ("bird", "camel", "cow", "dog", "goat"), "vehicle": ("car", "van", "truck", "tram")}
OF_CONVERSATIONS = (
    "count",
    "exists",
    "at",
    "start",
    "end",
    "duration",
    "fastest",
    "last",
    "longest",
    "faster",
    "first",
)
SHARE_MARGIN_S = 0.11


class VoicesOracle(SecondOracle):
    """Groups of categories, exceptions, parts of the clip, and lengths of stay against each other."""

    def of(self, category: str) -> list[Track]:
        """Tracks of a category, of a group of categories, or "*" for all."""
        if category in GROUPS:
            return [t for t in self.tracks.values() if t.category in GROUPS[category]]
        return super().of(category)

    def answered(self, recipe: str) -> tuple[Answer, float, str]:
        """Answer, tolerance and kind of a recipe."""
        what, *words = recipe.split()
        if what == "none":
            return None, 0, "none"  # type: ignore[return-value]
        if what in ("not", "any"):
            inner, _, _ = self.answered(" ".join(words))
            return (not inner) if what == "not" else bool(inner), 0, "bool"
        kinds: dict[str, Callable[[Sequence[str]], tuple[Answer, str]]] = {
            "ids_at": self._ids_at,
            "ids_not_at": self._ids_at,
            "ids_between": self._ids_between,
            "visible_in": lambda w: (self.count_between(w[0], float(w[1]), float(w[2])) > 0, "bool"),
            "share": lambda w: (len(self._in_share(w)), "int"),
            "share_any": lambda w: (bool(self._in_share(w)), "bool"),
            "enters_share": self._enters_share,
            "after": lambda w: (len(self._around(w, after=True)), "int"),
            "until": lambda w: (len(self._around(w, after=False)), "int"),
            "ids_before": lambda w: (sorted(self._around(w, after=False)), "ids"),
            "count_vehicles_but": lambda w: (len(self.of("vehicle")) - len(self.of(w[0])), "int"),
        }
        if what in kinds:
            value, kind = kinds[what](words if what != "ids_not_at" else [*words, "not"])
            return value, 0, kind
        return self._weighed(what, words) or self._excepted(what, words) or self._earlier(recipe)

    def _earlier(self, recipe: str) -> tuple[Answer, float, str]:
        """A recipe of the first two rounds; a group of categories is counted here, in Python alone."""
        what, first = recipe.split()[:2] if " " in recipe else (recipe, "")
        if what in OF_CONVERSATIONS:
            if what == "count" and first in GROUPS:
                return len(self.of(first)), 0, "int"
            answer, tolerance = self.answer(recipe)
            return answer, tolerance, what
        return super().answered(recipe)

    def _ids_at(self, words: Sequence[str]) -> tuple[Answer, str]:
        frame = self.frame(float(words[1]))
        near = [{t.id for t in self.of(words[0]) if t.box_at(f) is not None} for f in (frame - 1, frame, frame + 1)]
        assert near[0] == near[1] == near[2], words
        everything = {t.id for t in self.of(words[0])}
        return sorted(everything - near[1] if words[-1] == "not" else near[1]), "ids"

    def _seen(self, word: str, start: float, end: float) -> list[int]:
        return sorted(t.id for t in self.of(word) if any(start <= (b[0] - 1) / t.fps <= end for b in t.boxes))

    def _ids_between(self, words: Sequence[str]) -> tuple[Answer, str]:
        start, end = float(words[1]), float(words[2])
        assert len(self._seen(words[0], start, end)) == self.count_between(words[0], start, end)
        return self._seen(words[0], start, end), "ids"

    def _in_share(self, words: Sequence[str]) -> list[int]:
        """Tracks seen in a part of the clip; AssertionError when a frame more or less makes a difference."""
        length = max(t.end for t in self.tracks.values())
        start, end = (float(w) * length for w in words[1:3])
        outer = self._seen(words[0], start - SHARE_MARGIN_S, end + SHARE_MARGIN_S)
        assert outer == self._seen(words[0], start + SHARE_MARGIN_S, end - SHARE_MARGIN_S), words
        return outer

    def _enters_share(self, words: Sequence[str]) -> tuple[Answer, str]:
        length, track = max(t.end for t in self.tracks.values()), self.one([words[0]])
        return float(words[1]) * length < track.start < float(words[2]) * length, "bool"

    def _around(self, words: Sequence[str], after: bool) -> list[int]:
        """Other tracks seen after one has gone, or before it came."""
        other = self.one([words[1]])
        others = [t for t in self.of(words[0]) if t.id != other.id]
        return [t.id for t in others if (t.end > other.end if after else t.start < other.start)]

    def _weighed(self, what: str, words: Sequence[str]) -> tuple[Answer, float, str] | None:
        """Two tracks by how long or how late they are visible; two numbers."""
        if what == "difference":
            return len(self.of(words[0])) - len(self.of(words[1])), 0, "int"
        if what in ("at_least", "exactly"):
            count, number = len(self.of(words[0])), int(words[1])
            return count >= number if what == "at_least" else count == number, 0, "bool"
        measures: dict[str, Callable[[Track], float]] = {
            "longer": lambda t: t.duration,
            "shorter": lambda t: -t.duration,
            "later": lambda t: t.end,
        }
        name = what.removeprefix("is_")
        if name not in measures:
            return None
        a, b = self.one([words[0]]), self.one([words[1]])
        first, second = measures[name](a), measures[name](b)
        assert abs(first - second) > CLEAR_GAP_S, (what, words)
        if what != name:
            return first > second, 0, "bool"
        return (a if first > second else b).category, 0, "category"

    def _excepted(self, what: str, words: Sequence[str]) -> tuple[Answer, float, str] | None:
        """Everything but some category."""
        if what not in ("count_but", "ids_but", "last_but"):
            return None
        barred = {t.id for t in self.of(words[0])}
        rest = [t for t in self.tracks.values() if t.id not in barred]
        if what == "last_but":
            latest = max(t.start for t in rest)
            (track,) = [t for t in rest if t.start == latest]
            return [track.id], 0, "ids"
        return (len(rest), 0, "int") if what == "count_but" else (sorted(t.id for t in rest), 0, "ids")


def write_voices(
    name: str, voices: Mapping[str, Sequence[Item]], expected: int, oracle: type[VoicesOracle] = VoicesOracle
) -> None:
    """Compute and write every question of every voice.

    Raises AssertionError when there are not as many as expected, or one of them twice.
    """
    items = []
    for voice, asked in voices.items():
        for source, question, recipe in asked:
            answer, tolerance, kind = oracle(load(source)).answered(recipe)
            item = {"source": source, "voice": voice, "question": question, "answer": answer, "tolerance": tolerance}
            items.append({**item, "answer_kind": kind})
    assert len(items) == expected, f"{len(items)} questions, not {expected}"
    assert len({(i["source"], i["question"].lower()) for i in items}) == expected
    write_lines(name, items)


if __name__ == "__main__":
    write_voices("voices.jsonl", VOICES, 161)
