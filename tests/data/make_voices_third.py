"""Writes voices_third.jsonl: fifteen further voices, among them ordinals, limits, exceptions and relative times.

The recipes are those of `make_voices` and the kinds below; an answer that is not clear-cut stops the script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from clips import Track
from make_beyond import C0, C2, C3, C4, C5, C9, CAMPUS, CLEAR_GAP_S, K0, K5, K12, STADT, Answer
from make_conversations import CLEAR_SPEED_RATIO
from make_second import C1, K3, K6
from make_voices import C6, C7, C8, K1, K2, K7, K8, K9, K10, K11, Item, VoicesOracle, write_voices

VOICES: Mapping[str, Sequence[Item]] = {
    "terse": (
        (K5, "first truck sighting timestamp", "start truck"),
        (K11, "qty vans", "count van"),
        (C5, "goat visible secs", "duration goat"),
        (K7, "peak cars onscreen", "peak car"),
        (C3, "cow leaves when", "end cow"),
        (C9, "objs @ 3s", "at * 3.0"),
        (C2, "car 4 heading l/r", "direction 4"),
        (K10, "2nd tram id", "nth tram 2"),
        (K12, "static car id", "still car"),
    ),
    "British and polite": (
        (K5, "I wonder whether you'd mind telling me when the lorry pops up for the first time?", "start truck"),
        (C3, "Sorry to be a nuisance, but is there a goat about?", "exists goat"),
        (C7, "Would you kindly say which is the swifter of the dog and the car?", "faster dog car"),
        (STADT, "Might one ask how many persons are about at the five-second mark?", "at person 5.0"),
        (C8, "I don't suppose you happen to know for how many seconds the goat is in the picture?", "duration goat"),
        (C4, "Do you reckon the dog has nipped off by 5.5 seconds?", "gone dog 5.5"),
        (K0, "Could I trouble you for the whereabouts of car 7 at 13 seconds?", "box 7 13.0"),
        (C5, "Is it at all possible to find out which dog turned up second?", "nth dog 2"),
    ),
    "court transcript": (
        (K2, "Q. And how many trucks did you observe in the footage, sir?", "count truck"),
        (K2, "Q. Directing your attention to the 15-second mark, was the truck visible?", "visible truck 15.0"),
        (
            K5,
            "Q. Is it your testimony that the van had departed before the truck made its entrance?",
            "before van truck",
        ),
        (C3, "Let the record reflect the time of the cow's departure.", "end cow"),
        (K12, "Q. For how long did the cyclist remain within the frame?", "duration cyclist"),
        (C9, "Q. At no point did a dog appear, is that right?", "not exists dog"),
        (K0, "Q. Which of the pedestrians was the first to leave the scene?", "leaves_first pedestrian"),
        (K12, "Q. Had the pedestrian been drinking?", "none"),
    ),
    "sports commentator": (
        (C7, "And who's got the legs here, the dog or the car?", "faster dog car"),
        (STADT, "What a field! How many people are out there all told?", "count person"),
        (STADT, "Who's setting the fastest pace out there?", "fastest person"),
        (CAMPUS, "Last one onto the pitch: which person number?", "last person"),
        (C5, "When does the goat make its debut?", "start goat"),
        (C5, "And when does the goat bow out?", "end goat"),
        (C2, "Car 3 and car 4 go head to head, which one is quicker?", "quicker 3 4"),
        (STADT, "Who's ahead on points?", "none"),
    ),
    "not a native speaker": (
        (K5, "How many vehicles are existing in the video?", "count vehicle"),
        (C3, "Since when the bird is visible?", "start bird"),
        (C3, "During how many seconds the bird is visible?", "duration bird"),
        (K12, "The pedestrian, he goes in which direction, left or right?", "direction pedestrian"),
        (C4, "What is the number of the car which is coming last?", "last car"),
        (C9, "How many objects we can see at the second number 3?", "at * 3.0"),
        (K2, "Does it exist a cyclist in this video?", "exists cyclist"),
        (K5, "The maximum of cars in the same moment is how many?", "peak car"),
    ),
    "dictated without marks": (
        (C5, "tell me how many people there are and nothing else", "count person"),
        (C8, "ok so the goat when does it disappear", "end goat"),
        (K1, "how many cars are on screen half a minute in", "at car 30.0"),
        (C6, "what time stamp does the car come on at", "start car"),
        (C1, "which one is faster is it the cow or the camel", "faster cow camel"),
        (C9, "find out if the car is still there at five point eight seconds", "visible car 5.8"),
        (K9, "how many vans are there altogether question mark", "count van"),
        (C3, "what was i going to ask oh yes does a horse show up", "exists horse"),
    ),
    "journalist": (
        (K5, "According to the footage, how many vans passed by?", "count van"),
        (K2, "Sources claim a tram was filmed. Is that so?", "exists tram"),
        (C0, "At the height of the gathering, how many people were on camera?", "peak person"),
        (K5, "What was the exact second the cyclist rode into shot?", "start cyclist"),
        (K5, "How much time elapsed between the van's arrival and the truck's?", "gap van truck"),
        (CAMPUS, "Who was the first person to exit the frame?", "leaves_first person"),
        (C9, "What happened to the driver's insurance?", "none"),
        (STADT, "How many people had left by the time the clip hit the 3-second mark?", "leave_between person 0 3.0"),
    ),
    "security guard": (
        (STADT, "Log entry: number of individuals captured.", "count person"),
        (CAMPUS, "Subject 8: time in?", "start 8"),
        (CAMPUS, "Subject 1: time out?", "end 1"),
        (CAMPUS, "Any overlap between persons 1 and 8 on camera?", "together 1 8"),
        (K8, "Did van 8 leave the premises before the 10-second mark?", "gone 8 10.0"),
        (STADT, "All clear at 3 s, or is somebody there?", "visible * 3.0"),
        (K6, "Which car loitered the longest?", "longest car"),
        (STADT, "What's person 3's name?", "none"),
    ),
    "teacher": (
        (C3, "Class, who can tell me how many different kinds of things there are?", "kinds"),
        (C1, "Which animal is moving the fastest, children?", "rank fastest animal"),
        (C8, "True or false: the goat arrives before the person.", "starts_before goat person"),
        (C2, "True or false: there are more people than cars.", "more person car"),
        (C3, "Take 3 seconds: count the objects in view.", "at * 3.0"),
        (C5, "Compare the numbers: are there as many dogs as people?", "same dog person"),
        (C4, "If we leave out the cars, how many objects are left?", "count_but car"),
        (C7, "Spelling aside, does the dog leave before the video is finished?", "gone dog 5.9"),
    ),
    "chat": (
        (C4, "lmk when the dog pops in", "start dog"),
        (C2, "sup, how many cars we got", "count car"),
        (C3, "bruh is there even a cow in this", "exists cow"),
        (STADT, "who's the speediest person ngl", "fastest person"),
        (C8, "wen does the goat bounce", "end goat"),
        (C9, "tbh how long is the car on for", "duration car"),
        (K5, "any trucks or nah", "exists truck"),
        (C1, "idk which is quicker, cow or car?", "faster cow car"),
    ),
    "long-winded": (
        (
            K2,
            "Given that I only have a minute and that my colleague insists the cyclist was hardly there, how many "
            "seconds is the cyclist on screen?",
            "duration cyclist",
        ),
        (
            C3,
            "Although the goat is there all along, which object is the last to leave, goat aside?",
            "last_off_but goat",
        ),
        (
            K5,
            "Because the insurance people keep asking me, I need to know whether a truck was recorded.",
            "exists truck",
        ),
        (K0, "While I realise the picture is rather busy, how many cars can be made out at 13 seconds?", "at car 13.0"),
        (
            C4,
            "Now that everybody agrees that there's a dog, at what second does it first come into the picture?",
            "start dog",
        ),
        (
            C5,
            "Since we were told that the animals arrived late, which animal was the last to come in?",
            "rank last animal",
        ),
        (
            K12,
            "Before we go any further, which way does the pedestrian walk, to the left or to the right?",
            "direction pedestrian",
        ),
        (C6, "Supposing I paused the clip at 3 seconds, how many objects would I see?", "at * 3.0"),
    ),
    "passive": (
        (K5, "How many cars were captured by the camera?", "count car"),
        (C3, "At what second was the cow first captured?", "start cow"),
        (C3, "Until what time was the bird recorded?", "end bird"),
        (C9, "Was any dog filmed?", "exists dog"),
        (K10, "How many trams had been recorded by the 22-second mark?", "between tram 0 22.0"),
        (C8, "For how long is the goat shown?", "duration goat"),
        (STADT, "How many people are being shown at 6 seconds?", "at person 6.0"),
        (K12, "Is the pedestrian outpaced by the cyclist?", "is_faster cyclist pedestrian"),
        (K5, "Was the truck preceded by the van?", "starts_before van truck"),
    ),
    "relative times": (
        (K1, "Half a minute in, how many cars are there?", "at car 30.0"),
        (C3, "By the time the cow turns up, is the bird on screen?", "visible bird 1.9"),
        (C3, "As soon as the cow enters, how many objects are in view?", "at * 1.9"),
        (C8, "Just before the end, at 5.8 seconds, what's on screen?", "kinds_at 5.8"),
        (C3, "One second after the cow first appears, how many objects are in view?", "at * 2.9"),
        (K9, "At the one-minute mark, how many objects are visible?", "at * 60.0"),
        (K5, "In the opening ten seconds, how many cars appear?", "between car 0 10.0"),
        (C3, "Within the closing second, which objects are visible?", "ids_between * 4.95 5.9"),
        (STADT, "During the final two seconds, how many people are there?", "between person 5.2 7.2"),
        (K5, "How many cars come into view between 5 and 8 seconds?", "enter_between car 5 8"),
        (C4, "Towards the close, at 5 seconds, is the dog in the picture?", "visible dog 5.0"),
    ),
    "ordinals and limits": (
        (K0, "Which was the second car to appear?", "nth car 2"),
        (K10, "What's the id of the third tram to come in?", "nth tram 3"),
        (K3, "When does the third car turn up?", "start_nth car 3"),
        (K10, "Which tram was the second to leave?", "nth_leave tram 2"),
        (K10, "Which tram came second to last?", "nth tram -2"),
        (K5, "Are there no fewer than 30 cars?", "at_least car 30"),
        (C2, "Are there at most two cars?", "at_most car 2"),
        (C3, "Is neither the cow nor the car visible at 5.5 seconds?", "neither cow car 5.5"),
        (C3, "Are both the cow and the bird on screen at 3 seconds?", "both cow bird 3.0"),
        (C0, "Other than the car, how many objects are there?", "count_but car"),
        (C4, "How many things apart from people show up?", "count_but person"),
        (C3, "Which objects stay for more than three seconds?", "ids_longer * 3"),
        (K0, "How many cars are on screen for under two seconds?", "shorter_than car 2"),
        (C9, "How come no horses show up: are there really none?", "not exists horse"),
        (K5, "Does exactly one van go by?", "exactly van 1"),
        (C8, "Which object is on screen for the shortest time?", "rank shortest *"),
    ),
    "weighed": (
        (C8, "How long are the goat and the person on screen together?", "shared goat person"),
        (C2, "Which car is bigger, on the whole?", "rank largest car"),
        (C5, "Which person is the smaller one?", "rank smallest person"),
        (C3, "Which is further left at 2.2 s, the bird or the cow?", "further_left bird cow 2.2"),
        (C3, "Are there just as many cows as goats?", "same cow goat"),
        (K5, "Which are there more of, cars or vans?", "more_of car van"),
        (K5, "What's the commonest kind of object?", "most_common"),
        (C1, "Does the camel cover ground faster than the cow?", "is_faster camel cow"),
        (C7, "How fast is the dog moving, in pixels per second?", "speed dog"),
        (C0, "What's the speed of person 3?", "speed 3"),
        (C8, "For what share of the clip is the goat visible, in percent?", "percent goat"),
    ),
}
CLEAR_PX = 20.0


class ThirdOracle(VoicesOracle):
    """Places in an order, limits, what is neither or both there, and shares."""

    def answered(self, recipe: str) -> tuple[Answer, float, str]:
        """Answer, tolerance and kind of a recipe."""
        what, *words = recipe.split()
        kinds: dict[str, Callable[[Sequence[str]], tuple[Answer, float, str]]] = {
            "nth": lambda w: ([self._nth(w, "start").id], 0, "ids"),
            "nth_leave": lambda w: ([self._nth(w, "end").id], 0, "ids"),
            "start_nth": lambda w: (round(self._nth(w, "start").start, 2), 0.5, "seconds"),
            "rank": lambda w: ([self._first_by(w[0], self.of(w[1])).id], 0, "ids"),
            "last_off_but": lambda w: ([self._first_by("last_off", self._but(w[0])).id], 0, "ids"),
            "at_most": lambda w: (len(self.of(w[0])) <= int(w[1]), 0, "bool"),
            "same": lambda w: (len(self.of(w[0])) == len(self.of(w[1])), 0, "bool"),
            "more_of": lambda w: (max(w, key=lambda word: len(self.of(word))), 0, "category"),
            "neither": lambda w: (not any(self.visible(word, float(w[2])) for word in w[:2]), 0, "bool"),
            "both": lambda w: (all(self.visible(word, float(w[2])) for word in w[:2]), 0, "bool"),
            "at_but": lambda w: (sum(t.box_at(self.frame(float(w[1]))) is not None for t in self._but(w[0])), 0, "int"),
            "all_time": lambda w: ([t.id for t in self.of(w[0]) if len(t.boxes) == self.last_frame()], 0, "ids"),
            "ids_longer": lambda w: (self._longer(w, 1), 0, "ids"),
            "shorter_than": lambda w: (len(self._longer(w, -1)), 0, "int"),
            "kinds": lambda w: (len({t.category for t in self.tracks.values()}), 0, "int"),
            "kinds_at": lambda w: (sorted(t.category for t in self._there(float(w[0]))), 0, "list"),
            "most_common": lambda w: (self._most_common(), 0, "category"),
            "further_left": lambda w: (self._further_left(w), 0, "category"),
            "shared": lambda w: (self._shared(w), 0.5, "seconds"),
            "speed": lambda w: (round(self.one([w[0]]).speed, 1), 5.0, "px/s"),
            "percent": lambda w: (round(100 * len(self.one([w[0]]).boxes) / self.last_frame(), 1), 2.0, "%"),
        }
        return kinds[what](words) if what in kinds else super().answered(recipe)

    def _but(self, category: str) -> list[Track]:
        return [t for t in self.tracks.values() if t.category != category]

    def _there(self, seconds: float) -> list[Track]:
        return [t for t in self.tracks.values() if self.visible(str(t.id), seconds)]

    def _nth(self, words: Sequence[str], event: str) -> Track:
        """The n-th to come or to go; AssertionError when its neighbours do so at the same time."""
        ranked = sorted(self.of(words[0]), key=lambda t: getattr(t, event))
        n = int(words[1])
        index = n - 1 if n > 0 else len(ranked) + n
        times = [getattr(t, event) for t in ranked]
        assert all(abs(times[index] - times[i]) > 1e-6 for i in range(len(times)) if i != index), words
        return ranked[index]

    def _first_by(self, what: str, tracks: Sequence[Track]) -> Track:
        """The one that stands out; AssertionError when it is not clear-cut."""
        keys: dict[str, Callable[[Track], float]] = {
            "fastest": lambda t: t.speed,
            "last": lambda t: t.start,
            "last_off": lambda t: t.end,
            "largest": lambda t: t.mean_area,
            "smallest": lambda t: 1 / t.mean_area,
            "shortest": lambda t: -t.duration,
        }
        best, second = sorted(tracks, key=keys[what], reverse=True)[:2]
        a, b = keys[what](best), keys[what](second)
        assert a > CLEAR_SPEED_RATIO * b if what in ("fastest", "largest", "smallest") else a - b > 1e-6, (what, a, b)
        return best

    def _longer(self, words: Sequence[str], sign: int) -> list[int]:
        """Tracks visible for longer, or for less, than some seconds."""
        over = {t.id: sign * (t.duration - float(words[1])) for t in self.of(words[0])}
        assert all(abs(value) > CLEAR_GAP_S for value in over.values()), words
        return sorted(i for i, value in over.items() if value > 0)

    def _most_common(self) -> str:
        (best, n), (_, second) = Counter(t.category for t in self.tracks.values()).most_common(2)
        assert n > second
        return best

    def _further_left(self, words: Sequence[str]) -> str:
        boxes = {word: self.one([word]).box_at(self.frame(float(words[2]))) for word in words[:2]}
        places = sorted((box[0] + box[2], word) for word, box in boxes.items() if box is not None)
        assert len(places) == len(boxes)
        assert places[1][0] - places[0][0] > 2 * CLEAR_PX
        return places[0][1]

    def _shared(self, words: Sequence[str]) -> float:
        a, b = (self.one([word]) for word in words)
        return round(len({box[0] for box in a.boxes} & {box[0] for box in b.boxes}) / a.fps, 2)


if __name__ == "__main__":
    write_voices("voices_third.jsonl", VOICES, 136, ThirdOracle)
