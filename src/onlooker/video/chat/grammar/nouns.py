"""From a noun to categories of the library: exact value, synonym, then hypernym; a stranger stays a stranger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Literal

from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.vocabulary import phrase_of

# Words for the same thing. The first is the common category name.
RINGS: tuple[tuple[str, ...], ...] = (
    (
        "person",
        "pedestrian",
        "human",
        "human being",
        "individual",
        "walker",
        "passerby",
        "passer by",
        "people",
        "mortal",
        "soul",
    ),
    ("car", "automobile", "auto", "motorcar", "motor car", "passenger car", "motor"),
    ("truck", "lorry", "big rig", "semi truck", "articulated lorry", "hgv"),
    ("van", "minivan", "panel van", "delivery van", "cargo van", "transit van"),
    ("bus", "coach", "omnibus", "minibus", "autobus"),
    ("bicycle", "bike", "pushbike", "push bike", "pedal cycle", "cycle", "push cycle", "velocipede"),
    ("motorcycle", "motorbike", "motor bike", "motor cycle"),
    ("cyclist", "bicyclist", "bike rider", "biker", "bicycle rider", "cycle rider", "bicycler", "pedal cyclist"),
    ("tram", "streetcar", "tramway", "trolley car", "street car", "tramcar", "tram car", "trolley"),
    ("airplane", "aeroplane", "plane", "aircraft", "jet"),
    ("boat", "ship", "vessel"),
    (
        "dog",
        "hound",
        "doggy",
        "doggie",
        "canine",
        "pooch",
        "mutt",
        "mongrel",
        "doggo",
        "four legged friend",
    ),
    ("cat", "kitty", "feline", "pussycat", "puss", "moggy"),
    ("cow", "cattle", "bovine", "moo cow", "bovine animal"),
    ("horse", "steed", "equine"),
    ("sheep",),
    ("goat", "billy goat", "nanny goat", "billy"),
    (
        "bird",
        "fowl",
        "birdie",
        "avian",
        "feathered creature",
        "feathered animal",
        "feathered friend",
        "feathered one",
        "feathered being",
        "winged creature",
        "winged animal",
    ),
    ("camel", "dromedary", "ship of the desert"),
    ("rabbit", "bunny", "hare"),
    ("couch", "sofa", "settee"),
    ("tv", "television", "tv set", "tvmonitor", "tv monitor"),
    ("cell phone", "phone", "mobile phone", "mobile", "cellphone", "smartphone", "telephone"),
    ("sports ball", "ball"),
    ("dining table", "table", "diningtable"),
    ("potted plant", "plant", "pottedplant", "houseplant"),
    ("traffic light", "traffic signal", "stoplight"),
    ("fire hydrant", "hydrant"),
    ("stop sign",),
    ("parking meter",),
    ("backpack", "rucksack", "knapsack"),
    ("handbag", "purse", "hand bag"),
    ("suitcase", "luggage"),
    ("refrigerator", "fridge"),
    ("donut", "doughnut"),
    ("hair drier", "hair dryer", "hairdryer"),
    ("laptop", "notebook computer", "laptop computer"),
    ("remote", "remote control"),
    ("wine glass", "wineglass"),
    ("teddy bear", "teddy"),
    (
        "person sitting",
        "sitting person",
        "seated person",
        "person seated",
        "sitter",
        "seated human",
        "seated individual",
        "person who sit",
        "person who be sitting",
        "person sitting down",
        "sitting individual",
    ),
    (
        "misc",
        "miscellaneous",
        "miscellaneous object",
        "misc object",
        "misc item",
        "misc thing",
        "miscellaneous item",
        "miscellaneous thing",
        "miscellany",
        "misc entity",
    ),
    ("skis", "ski"),
    ("giant panda", "panda"),
)

_PEOPLE = "person|pedestrian|person sitting|sitting person|man|woman|child|boy|girl|player|runner|skater|dancer|human"
_VEHICLES = (
    "car|van|truck|bus|tram|train|motorcycle|bicycle|airplane|boat|vehicle|lorry|taxi|minibus|pickup|trailer|caravan"
    "|tractor|bike|motorbike|ambulance|police car|fire truck|scooter|moped|sedan|suv|rider vehicle|other vehicle"
)
_ANIMALS = (
    "bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe|goat|camel|deer|rabbit|pig|monkey|ape|fox|wolf|lion|tiger"
    "|leopard|duck|swan|blackswan|black swan|eagle|owl|parrot|penguin|snake|lizard|turtle|tortoise|frog|fish|shark"
    "|whale|dolphin|seal|mouse|rat|squirrel|giant panda|panda|kangaroo|crocodile|donkey|chicken|hen|rooster|goose"
    "|earless seal|hamster|hedgehog|fish|insect|bee|butterfly|spider|animal|flamingo|rhino|hippo|camel"
)
HYPERNYMS: Mapping[str, tuple[str, ...]] = {
    word: tuple(members.split("|"))
    for words, members in (
        (
            "person|people|human|individual|somebody|someone|anyone|anybody|everyone|everybody|folk|crowd|nobody",
            _PEOPLE,
        ),
        ("vehicle|motor vehicle|automotive", _VEHICLES),
        ("animal|creature|beast|critter", _ANIMALS),
        ("pet", "dog|cat|rabbit|hamster"),
        ("livestock|farm animal|cattle", "cow|sheep|goat|pig|horse|chicken"),
        ("bird", "duck|swan|blackswan|black swan|eagle|owl|parrot|penguin|chicken|goose|flamingo"),
        ("two wheeler|bike|cycle", "bicycle|motorcycle|bike|motorbike"),
        ("rider", "cyclist|rider|motorcyclist"),
        ("road user|traffic participant", _VEHICLES + "|" + _PEOPLE + "|cyclist|rider|motorcyclist"),
        ("living thing|living being", _ANIMALS + "|" + _PEOPLE + "|cyclist"),
        ("furniture", "chair|couch|bed|dining table|bench|toilet"),
        ("fruit", "apple|banana|orange"),
        ("food", "apple|banana|orange|sandwich|broccoli|carrot|hot dog|pizza|donut|cake"),
        ("ball", "sports ball|football|basketball|tennis ball"),
        ("aircraft", "airplane|helicopter|drone"),
        ("bag|baggage", "backpack|handbag|suitcase"),
    )
    for word in words.split("|")
}
# Members that count only when nothing else fits: somebody on a bicycle is a person of last resort.
LAST_RESORT: Mapping[str, tuple[str, ...]] = {"person": ("cyclist", "rider", "motorcyclist", "skier")}
# Stored as persons; the answer says that sex, age or part is not known.
GENDERED = words("man woman boy girl lady gentleman guy gal male female chap bloke fella lad lass dude")
SAID_OF_ANYBODY = words("guy gal chap bloke fella lad lass dude")
AGED = words("child kid adult grownup teenager youngster")
# What people are to whoever filmed them, which no picture shows.
ROLES = words("customer shopper client visitor guest patron player athlete runner bystander")
# Kinds of a thing that are stored as the thing; the answer says that the kind is not known.
SUBKINDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("saloon", "saloon car", "sedan", "hatchback", "estate car", "station wagon", "coupe", "family car"), "car"
    ),
    **dict.fromkeys(("pup", "puppy"), "dog"),
    "kitten": "cat",
    **dict.fromkeys(("bull", "ox", "calf", "heifer"), "cow"),
    **dict.fromkeys(("pony", "stallion", "mare", "foal"), "horse"),
    **dict.fromkeys(("lamb", "ewe"), "sheep"),
}
PERSON_WORDS = words("someone somebody anyone anybody everyone everybody nobody people folk crowd")
GENERIC = words(
    "object thing item instance target entity tracklet track element subject anything something "
    "everything nothing stuff obj"
)
_IRREGULAR_PLURALS = {
    "people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse",
    "geese": "goose", "oxen": "ox", "calves": "calf", "wolves": "wolf", "knives": "knife", "buses": "bus",
    "busses": "bus", "sheep": "sheep", "deer": "deer", "fish": "fish", "fishes": "fish", "cattle": "cattle",
    "skis": "skis", "scissors": "scissors", "passersby": "passerby", "gentlemen": "gentleman", "ladies": "lady",
    "buffaloes": "buffalo", "folks": "folk", "foxes": "fox", "lorries": "lorry", "puppies": "puppy",
    "bunnies": "bunny", "ponies": "pony", "feet": "foot", "teeth": "tooth", "leaves": "leaf", "aircraft": "aircraft",
    "livestock": "livestock", "dice": "die", "octopi": "octopus", "cacti": "cactus", "policemen": "policeman",
    "stuff": "stuff", "besides": "besides", "anything": "anything", "misc": "misc", "miscs": "misc",
    "miscellanea": "misc", "ppl": "person", "peeps": "person", "taxis": "taxi", "skies": "ski",
    "broccolis": "broccoli", "zucchinis": "zucchini",
}  # fmt: skip
_ON_BIKES = words("bike bicycle cycle pushbike")
_ON_MOTORBIKES = words("motorbike motorcycle scooter moped")
_ON = words("on riding upon")
_WHO_RIDES = words("person human individual rider") | PERSON_WORDS | GENDERED | AGED


@cache
def kind_names() -> frozenset[str]:
    """Names of kinds of things that pictures are told apart by: categories, other words for them, wider ones."""
    names = {name for ring in RINGS for name in ring} | {m for members in HYPERNYMS.values() for m in members}
    return frozenset(names | set(HYPERNYMS))


def singulars(word: str) -> tuple[str, ...]:
    """What a word may be the plural of, the likeliest first, and the word itself last: "boxes" of "box" or "boxe"."""
    if word in _IRREGULAR_PLURALS:
        return (_IRREGULAR_PLURALS[word],)
    found = []
    if word.endswith("is") and len(word) > 4:
        return (word, word[:-1])  # "tennis", but "taxis"
    if word.endswith("s") and len(word) > 2 and not word.endswith(("ss", "us")):
        if len(word) > 4 and word.endswith("ies"):
            found.append(word[:-3] + "y")
        if word.endswith(("xes", "zes", "ches", "shes", "sses", "uses")) and len(word) > 4:
            found.append(word[:-2])
        found.append(word[:-1])
        if word.endswith(("oes", "ses")):
            found.append(word[:-2])
        if word.endswith("ves"):
            found += [word[:-3] + "f", word[:-3] + "fe"]
    return tuple(dict.fromkeys((*found, word)))


def singular(word: str) -> str:
    """The likeliest singular of an English noun: a guess good enough to compare words with."""
    return singulars(word)[0]


def plural(noun: str) -> str:
    """The plural of a noun as answers write it."""
    special = {"person": "people", "man": "men", "woman": "women", "child": "children", "mouse": "mice",
               "goose": "geese", "ox": "oxen", "calf": "calves", "wolf": "wolves", "misc": "misc objects",
               "person sitting": "persons sitting", "anything": "things", "something": "things",
               "people": "people", "someone": "people", "anyone": "people"}  # fmt: skip
    if noun in special:
        return special[noun]
    if " or " in noun:
        return " or ".join(plural(part) for part in noun.split(" or "))
    last = noun.rsplit(" ", 1)[-1]
    if last in _IRREGULAR_PLURALS and _IRREGULAR_PLURALS[last] == last:
        return noun
    if last.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def is_plural(word: str) -> bool:
    """Whether a word looks like a plural."""
    return (word in _IRREGULAR_PLURALS and _IRREGULAR_PLURALS[word] != word) or singular(word) != word


def _on_something(form: tuple[str, ...]) -> tuple[str, str] | None:
    """What "person on a bike", "folk on foot" or "rider of a bicycle" is called, and the word for the person."""
    if not 3 <= len(form) <= 4 or form[0] not in _WHO_RIDES:
        return None
    if form[1:] == ("on", "foot"):
        return "pedestrian", form[0]
    if form[1] in {"who", "that"} and form[-1] in {"sitting", "seated"}:
        return "person sitting", form[0]
    on = form[1] in _ON or (form[1] == "of" and form[0] == "rider")
    if not on or (len(form) == 4 and form[2] not in {"a", "the", "their"}):
        return None
    name = "cyclist" if form[-1] in _ON_BIKES else "motorcyclist" if form[-1] in _ON_MOTORBIKES else None
    return None if name is None else (name, form[0])


@dataclass(frozen=True, slots=True)
class NounSense:
    """What a noun stands for. `categories` None: any object; (): known English, nothing of the kind is stored."""

    noun: str
    categories: tuple[str, ...] | None
    kind: Literal["exact", "synonym", "hypernym", "generic", "absent"]
    caveat: str | None = None


class Nouns:
    """Resolves nouns: first among the categories of the videos asked about, then among all of the library."""

    def __init__(self, here: Sequence[str], anywhere: Sequence[str]) -> None:
        self._here = self._by_phrase(here)
        self._anywhere = self._by_phrase(anywhere)

    @staticmethod
    def _by_phrase(categories: Sequence[str]) -> dict[tuple[str, ...], tuple[str, ...]]:
        table: dict[tuple[str, ...], tuple[str, ...]] = {}
        for category in categories:
            words = phrase_of(category)
            for phrase in dict.fromkeys((words, tuple(singular(w) for w in words))):
                table[phrase] = (*table.get(phrase, ()), category)
        return table

    @cached_property
    def words(self) -> frozenset[str]:
        """Single words that stand for something, for spelling: categories, synonyms, hypernyms."""
        names = {w for phrase in self._anywhere for w in phrase}
        names |= {w for ring in RINGS for name in ring for w in name.split()}
        names |= {w for name in HYPERNYMS for w in name.split()}
        return frozenset(names | GENERIC | GENDERED | AGED | ROLES | PERSON_WORDS)

    @cached_property
    def stored_words(self) -> frozenset[str]:
        """Words of categories that this library holds."""
        return frozenset(w for phrase in self._anywhere for w in phrase)

    def is_known(self, word: str) -> bool:
        """Whether a noun names something of this library, or anything at all ("object")."""
        sense = self.lookup((word,))
        return sense is not None and sense.categories != ()

    def is_noun(self, word: str) -> bool:
        """Whether a word names things, whether or not this library has any of them."""
        return self.lookup((word,)) is not None or word in self.words or singular(word) in self.words

    def is_stored(self, word: str) -> bool:
        """Whether a word, or its singular, is a category by itself."""
        return (word,) in self._anywhere or (singular(word),) in self._anywhere

    def lookup(self, words: Sequence[str]) -> NounSense | None:
        """The sense of a phrase of one to three words as written, or None when it is not a known noun."""
        phrase = tuple(words)
        each = tuple(singular(w) for w in phrase)
        forms = [(*phrase[:-1], one) for one in singulars(phrase[-1])]
        for form in dict.fromkeys((each, *forms, phrase)):
            sense = self._lookup_form(form)
            if sense is not None:
                return sense
        return None

    def _lookup_form(self, form: tuple[str, ...]) -> NounSense | None:
        name = " ".join(form)
        if form in self._here:
            return NounSense(name, self._here[form], "exact")
        if name in GENERIC:
            return NounSense("object", None, "generic")
        rider = _on_something(form)
        if rider is not None:
            sense, who = self._lookup_rider(*rider), rider[1]
            unseen = sense is not None and who in GENDERED | AGED
            return replace(sense, caveat=f"Whether a person is a {who} is not stored.") if sense and unseen else sense
        if name in SUBKINDS and form not in self._anywhere:
            whole = self._lookup_form((SUBKINDS[name],))
            told = whole is not None and whole.categories
            caveat = f"Whether a {SUBKINDS[name]} is a {name} is not stored."
            return replace(whole, kind="hypernym", caveat=caveat) if whole is not None and told else whole
        if name in GENDERED | AGED | ROLES and form not in self._anywhere:
            known = self._broader("person", self._here) or self._broader("person", self._anywhere)
            return NounSense(name, known, "hypernym", f"Whether a person is a {name} is not stored.")
        for table in (self._here, self._anywhere):
            if form in table:
                return NounSense(name, table[form], "exact")
            found = self._synonym(name, table)
            if found:
                return NounSense(name, found, "synonym")
            found = self._broader("person" if name in PERSON_WORDS else name, table)
            if found:
                return NounSense("person" if name in PERSON_WORDS else name, found, "hypernym")
        if name in HYPERNYMS or name in PERSON_WORDS or any(name in ring for ring in RINGS):
            return NounSense("person" if name in PERSON_WORDS else name, (), "absent")
        return None

    def _lookup_rider(self, name: str, person: str) -> NounSense | None:
        """ "Folks on bikes" where riders have a category of their own, "people on foot" where walkers have."""
        found = self._synonym(name, self._here)
        if not found and name == "cyclist":
            found = self._synonym(name, self._anywhere)
        if not found and name == "pedestrian":
            return self.lookup((person,))
        return NounSense(name, found, "synonym") if found else None

    def _synonym(self, name: str, table: Mapping[tuple[str, ...], tuple[str, ...]]) -> tuple[str, ...]:
        for ring in RINGS:
            if name in ring:
                found = tuple(c for other in ring for c in table.get(tuple(other.split()), ()))
                if found:
                    # "people" in a library of persons and pedestrians covers both.
                    return (
                        tuple(dict.fromkeys((*found, *self._broader("person", table))))
                        if ring[0] == "person"
                        else found
                    )
        return ()

    def _broader(self, name: str, table: Mapping[tuple[str, ...], tuple[str, ...]]) -> tuple[str, ...]:
        members = HYPERNYMS.get(name, ())
        found = tuple(dict.fromkeys(c for m in members for c in table.get(tuple(m.split()), ())))
        if not found:
            last = LAST_RESORT.get("person" if "person" in members else name, ())
            found = tuple(c for m in last for c in table.get((m,), ()))
        return found
