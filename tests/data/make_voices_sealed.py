"""Writes voices_sealed.jsonl: ten further voices that nothing is ever mended on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from make_beyond import C0, C2, C3, C4, C5, C9, CAMPUS, K0, K5, K12, STADT
from make_second import C1, K3, K6
from make_voices import C6, C7, C8, K1, K2, K7, K8, K9, K10, Item, write_voices

VOICES: Mapping[str, Sequence[Item]] = {
    "police officer": (
        (STADT, "Confirm the headcount across the whole tape.", "count person"),
        (K5, "What time did the van clear the area?", "end van"),
        (K5, "Suspect vehicle is the truck. First contact at what second?", "start truck"),
        (CAMPUS, "Any eyes on person 8 at the one second mark?", "visible 8 1.0"),
        (K0, "Which pedestrian was last to quit the scene?", "leaves_last pedestrian"),
        (K5, "Was the van already gone when the truck rolled in?", "before van truck"),
        (K12, "Pedestrian's direction of travel, left or right?", "direction pedestrian"),
        (K5, "Was the driver of the truck drunk?", "none"),
    ),
    "grandmother": (
        (C5, "Oh how lovely, and how many little dogs are running about, dear?", "count dog"),
        (C3, "My eyes aren't what they were; is there a cow in this film?", "exists cow"),
        (C3, "When does that nice bird come along?", "start bird"),
        (C7, "Now who's the quicker, the dog or the motorcar?", "faster dog car"),
        (C4, "Does the little dog go off before it's all over?", "gone dog 5.9"),
        (C8, "For how many seconds can I see the goat, dear?", "duration goat"),
        (C6, "And after three seconds how many people can you see, darling?", "at person 3.0"),
        (C3, "Does the bird look happy?", "none"),
    ),
    "teenager": (
        (K5, "yo how many whips in this vid", "count car"),
        (C2, "which car's zooming the most, gimme the id", "fastest car"),
        (C9, "any cats in here or nah", "exists cat"),
        (C4, "when does the doggo dip", "end dog"),
        (C0, "whats the most ppl on screen at once lol", "peak person"),
        (C3, "is the birb still there at 3s", "visible bird 3.0"),
        (C1, "cow vs camel who's bigger on avg", "larger cow camel"),
        (C4, "who pulled up last out of the ppl", "last person"),
    ),
    "scientist": (
        (C3, "Report the number of distinct taxa-bearing tracks, i.e. animals.", "count animal"),
        (C8, "Determine the onset time (s) of the goat's visibility.", "start goat"),
        (C8, "Determine the offset time (s) of the goat's visibility.", "end goat"),
        (STADT, "What is the mean residence time per person in seconds?", "mean_time person"),
        (C5, "Compute the maximal concurrent number of dogs.", "peak dog"),
        (C3, "Over the interval [0 s, 1 s], how many objects are observed?", "between * 0.0 1.0"),
        (C9, "Specify the cow's bounding box at t = 3 s.", "box cow 3.0"),
        (C1, "Which of the two, cow or car, has the higher mean velocity?", "faster cow car"),
    ),
    "insurance adjuster": (
        (K6, "How many lorries are involved in this footage?", "count truck"),
        (K2, "At which second is the cyclist first on record?", "start cyclist"),
        (K2, "How long was the truck in shot, in seconds?", "duration truck"),
        (K12, "Of the two parties, cyclist and pedestrian, who was on the scene first?", "first cyclist pedestrian"),
        (K0, "Where exactly was car 7 thirteen seconds into the clip?", "box 7 13.0"),
        (K5, "Did the cyclist and the van ever appear at one time?", "together cyclist van"),
        (K12, "Did the cyclist have the right of way?", "none"),
        (K5, "Were there vehicles other than cars, and if so how many?", "count_vehicles_but car"),
    ),
    "traffic planner": (
        (K5, "What was the vehicle throughput in total?", "count vehicle"),
        (K10, "Number of trams over the observation period?", "count tram"),
        (K3, "In the second half of the observation, how many cars pass?", "share car 0.5 1"),
        (K8, "What's the peak load, counting all objects in one frame?", "peak *"),
        (K1, "15 s into the recording, how many cars are on the road?", "at car 15.0"),
        (K5, "Do more cars than vans use this street?", "more car van"),
        (K0, "How many metres wide is the road?", "none"),
        (K3, "How many cars have left by the 3-second mark?", "leave_between car 0 3.0"),
    ),
    "translated": (
        (K5, "Since which second is the truck to see?", "start truck"),
        (K2, "How long stays the cyclist in the picture?", "duration cyclist"),
        (K10, "How many tramways does one count in the whole film?", "count tram"),
        (K12, "Goes the pedestrian to left or to right?", "direction pedestrian"),
        (K0, "At second 13, how many cars does it have?", "at car 13.0"),
        (K2, "Appears a tram in the video?", "exists tram"),
        (K6, "Who of the trucks is the most rapid?", "fastest truck"),
        (K5, "Until when can the van be seen?", "end van"),
    ),
    "dictated to a phone": (
        (C7, "hey um is there like a dog in this one", "exists dog"),
        (C4, "okay so when did the dog um first show up", "start dog"),
        (K9, "how many pedestrians at one minute and zero point seven seconds", "at pedestrian 60.7"),
        (C9, "find the car at three seconds and give me its coordinates", "box car 3.0"),
        (C5, "no wait I meant which dog came last", "last dog"),
        (K7, "what's the most things you see at the same time", "peak *"),
        (C6, "how long do we see the car for in total", "duration car"),
        (C0, "remind me to buy milk", "none"),
    ),
    "sceptic": (
        (C3, "There's no way a dog is in this clip, is there?", "exists dog"),
        (C7, "Surely the dog isn't faster than the car, is it?", "is_faster dog car"),
        (C3, "Don't tell me the cow was there at 1 second.", "visible cow 1.0"),
        (C3, "The bird and the cow never share the screen, do they?", "together bird cow"),
        (C9, "So nobody is on screen at 1 s?", "not visible person 1.0"),
        (C4, "And which of the two persons is lying to us?", "none"),
        (C5, "You can't seriously find more goats than dogs?", "more goat dog"),
        (C8, "Is it not the goat that turns up after the person?", "starts_before person goat"),
    ),
    "editor with a time line": (
        (C4, "After the dog has left, how many cars remain?", "after car dog"),
        (C4, "Before the dog arrives, which persons are in frame?", "ids_before person dog"),
        (C3, "By the midpoint, had the cow turned up?", "visible_in cow 0 2.95"),
        (C3, "Three quarters of the way in, how many objects do we have?", "at * 4.4"),
        (C3, "From 1.6 to 1.8 s, which objects are up?", "ids_between * 1.6 1.8"),
        (K5, "Does the truck make it into the last third?", "share_any truck 0.6667 1"),
        (C3, "In the first sixth of the clip, how many objects appear?", "share * 0 0.1667"),
        (C8, "A second and a half in, is the goat up yet?", "visible goat 1.5"),
    ),
}


if __name__ == "__main__":
    write_voices("voices_sealed.jsonl", VOICES, 80)
