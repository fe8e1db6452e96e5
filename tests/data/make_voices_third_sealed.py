"""Writes voices_third_sealed.jsonl: nine further voices, written with voices_third and never mended on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from make_beyond import C0, C2, C3, C4, C5, C9, CAMPUS, K0, K5, K12, STADT
from make_second import C1, K3, K6
from make_voices import C6, C7, C8, K1, K2, K7, K9, K10, Item, write_voices
from make_voices_third import ThirdOracle

VOICES: Mapping[str, Sequence[Item]] = {
    "detective": (
        (K5, "Walk me through it: when did the cyclist first turn up?", "start cyclist"),
        (K5, "And the truck, when was it gone for good?", "end truck"),
        (CAMPUS, "Was person 6 already out of the picture by 1.5 seconds?", "gone 6 1.5"),
        (CAMPUS, "Who was the third to clear out?", "nth_leave person 3"),
        (K12, "Who was quicker on their way, the cyclist or the pedestrian?", "faster cyclist pedestrian"),
        (C9, "You're sure no dog ever set foot in this frame?", "not exists dog"),
        (K2, "Did anyone see who was at the wheel of the truck?", "none"),
    ),
    "impatient boss": (
        (K5, "Cars. How many. Now.", "count car"),
        (K7, "Just the peak number of objects on screen, nothing more.", "peak *"),
        (C6, "Quick: car in at what second?", "start car"),
        (C2, "Fastest car. Id. Go.", "fastest car"),
        (K10, "I haven't got all day, is there a tram or isn't there?", "exists tram"),
        (C8, "Skip the story, how long is the goat up?", "duration goat"),
        (STADT, "Headcount at 5 seconds?", "at person 5.0"),
    ),
    "shouting": (
        (C3, "WHEN DOES THE COW LEAVE???", "end cow"),
        (C7, "IS THERE A DOG!!", "exists dog"),
        (C0, "HOW MANY PEOPLE AT ONCE, MAXIMUM?!", "peak person"),
        (C5, "WHICH PERSON IS BIGGER??", "rank largest person"),
        (C1, "CAMEL OR COW, WHO'S FASTER?!", "faster camel cow"),
        (K6, "HOW MANY TRUCKS ARE THERE IN TOTAL!!!", "count truck"),
    ),
    "museum guide": (
        (C3, "If you look closely at the third second, how many objects populate the scene?", "at * 3.0"),
        (C4, "Note the dog: at what point does it join the composition?", "start dog"),
        (C3, "Which creature departs the scene last of all?", "rank last_off animal"),
        (C8, "Observe the person; towards which side do they wander, left or right?", "direction person"),
        (C9, "Does one find a horse anywhere in this piece?", "exists horse"),
        (C0, "How many distinct categories are on display?", "kinds"),
    ),
    "statistician": (
        (K5, "What proportion of the clip, in per cent, contains the truck?", "percent truck"),
        (K0, "How many cars had a dwell time below two seconds?", "shorter_than car 2"),
        (K5, "Which category is the most frequent?", "most_common"),
        (K6, "Which car has the lowest mean speed?", "slowest car"),
        (STADT, "Mean dwell time of a person, seconds?", "mean_time person"),
        (K5, "Does the count of vans exceed that of trucks?", "more van truck"),
    ),
    "radio host": (
        (K5, "So, dear listeners, how many cyclists do we get to see?", "count cyclist"),
        (C1, "First up on screen out of the car and the camel: who is it?", "first car camel"),
        (C1, "And who's last off, the car or the camel?", "later car camel"),
        (C5, "Stay tuned: at what second does the goat come on?", "start goat"),
        (K1, "Coming up on the half-minute: how many cars are there at 30 seconds?", "at car 30.0"),
    ),
    "neighbour": (
        (K5, "That big lorry, when did it come by?", "start truck"),
        (K2, "Did a young man on a bicycle go past at all?", "exists cyclist"),
        (C4, "The little dog, dear, is it still out there at the five-second mark?", "visible dog 5.0"),
        (K5, "Was there more than one van?", "at_least van 2"),
        (K12, "Which way was the person on foot going, left or right?", "direction pedestrian"),
        (STADT, "Who was out there the whole time?", "all_time person"),
    ),
    "ordinals and limits": (
        (K10, "Tell me the id of the fourth tram that appears.", "nth tram 4"),
        (K0, "When does the second pedestrian arrive?", "start_nth pedestrian 2"),
        (C0, "Are there no more than four objects?", "at_most * 4"),
        (K5, "Do at least two trucks show up?", "at_least truck 2"),
        (C3, "Excluding the goat, how many objects are there?", "count_but goat"),
        (C3, "Are neither the bird nor the person on screen at 5.5 s?", "neither bird person 5.5"),
        (C8, "Everything but the person: how many objects is that?", "count_but person"),
        (C5, "How many objects at 3 s aren't people?", "at_but person 3.0"),
        (K3, "Of all the cars, which left second?", "nth_leave car 2"),
    ),
    "times and passives": (
        (K5, "Shortly after the start, at 1.5 seconds, how many cars are there?", "at car 1.5"),
        (C3, "By second 5, has the bird left?", "gone bird 5"),
        (K5, "In the first ten seconds, is there a van?", "visible_in van 0 10"),
        (C8, "From the two-second mark to the three-second mark, how many objects do we see?", "between * 2 3"),
        (C3, "The moment the bird comes in, how many objects are there?", "at * 1.5"),
        (C9, "Four seconds before the end, is the car there?", "visible car 1.95"),
        (K9, "One minute in, how many objects are visible?", "at * 60.0"),
        (C5, "Up until the goat arrives, how many objects have been seen?", "until * goat"),
        (K5, "By how many vehicles was the street used?", "count vehicle"),
        (C3, "At which second was the cow last beheld?", "end cow"),
        (C8, "For what length of time is the goat to be seen?", "duration goat"),
        (C7, "Is the car outrun by the dog?", "is_faster dog car"),
    ),
}


if __name__ == "__main__":
    write_voices("voices_third_sealed.jsonl", VOICES, 64, ThirdOracle)
