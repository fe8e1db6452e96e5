"""Base forms of the verbs the grammar knows: "appeared", "appearing" and "appears" are all "appear"."""

from __future__ import annotations

_REGULAR = """
abandon accelerate allow answer appear approach arrive ask belong block bump cease check clash climb close collide
compare compute consist contain count cover crash cross cruise cycle depart depict describe detect determine display
disappear dress drop edge elapse emerge encounter end enter enumerate exist exit explain expect face fade feature
figure finish float follow glance glide halt happen head hover hurry identify idle include indicate inform intersect
involve join jog jump kick last linger list listen load locate look loom march materialise materialize measure meet
mention merge move name need notice observe occlude occupy occur overlap overtake own park pass pause pick place play
point pop possess print proceed process pronounce provide pull race reach reappear recede re-appear reckon record
re-emerge reemerge re-enter reenter regard register relate remain report rest return roam roll rush sail scan seem
share show slip slow spell spot star start stay step stop stroll summarise summarize surface talk tally tell touch
tour track transcribe travel traverse turn utter vanish view visit wait walk wander watch whisper wish witness yell
want state step chat converse film capture surpass crop resurface outpace end visualise visualize zoom wheel pedal
follow contact hide near neighbour surround bounce locate specify calculate estimate shift drift glimpse sight populate
dwell loiter lurk dawdle crawl inhabit reside outstrip outdistance discover perceive furnish supply grant offer exceed
knock potter mill mess outlast outlive outstay precede succeed chase pursue overhaul nip dash dart sneak scarper
"""
_IRREGULAR = {
    "be": "is are was were am been being",
    "have": "has had having",
    "do": "does did done doing",
    "go": "goes went gone going",
    "come": "comes came coming",
    "see": "sees saw seen seeing",
    "get": "gets got gotten getting",
    "run": "runs ran running",
    "drive": "drives drove driven driving",
    "ride": "rides rode ridden riding",
    "fly": "flies flew flown flying",
    "swim": "swims swam swum swimming",
    "say": "says said saying",
    "speak": "speaks spoke spoken speaking",
    "write": "writes wrote written writing",
    "read": "reads reading",
    "wear": "wears wore worn wearing",
    "stand": "stands stood standing",
    "sit": "sits sat",
    "leave": "leaves leaving",
    "find": "finds found finding",
    "give": "gives gave given giving",
    "show": "shown",
    "stay": "staying",
    "keep": "keeps kept keeping",
    "hear": "hears heard hearing",
    "make": "makes made making",
    "take": "takes took taken taking",
    "begin": "begins began begun beginning",
    "spend": "spends spent spending",
    "hit": "hits hitting",
    "hold": "holds held holding",
    "hide": "hid hidden hides hiding",
    "become": "becomes became becoming",
    "draw": "draws drew drawn drawing",
    "let": "lets letting",
    "lose": "loses lost losing",
    "mean": "means meant meaning",
    "overtake": "overtook overtaken",
    "run into": "",
    "stop": "stopped stopping",
    "think": "thinks thought thinking",
    "know": "knows knew known knowing",
    "cut": "cuts cutting",
    "set": "sets setting",
    "outrun": "outruns outran outrunning",
    "beat": "beats beaten beating",
    "withdraw": "withdrew withdrawn",
    "wind": "winds wound winding",
    "hang": "hangs hung hanging",
    "creep": "creeps crept creeping",
    "behold": "beholds beheld beholding",
    "catch": "catches caught catching",
    "travel": "travelling travelled traveling traveled",
    "speed": "speeds sped speeding",
    "can": "could",
    "will": "would",
    "shall": "should",
    "lie": "lies lay lain lying",
}
_DOUBLED = frozenset(
    ["drop", "slip", "pop", "spot", "stop", "step", "jog", "star", "hit", "run", "cut", "chat", "bump", "crop", "scan"]
)
# Forms that mean something else more often than the verb.
_NOT_FORMS = frozenset({"parking", "meeting", "building", "stars"})


def _forms(verb: str) -> tuple[str, ...]:
    """Third person, past and -ing forms of a regular verb."""
    third = verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")
    stem = verb
    if verb.endswith("y") and verb[-2] not in "aeiou":
        third, stem = verb[:-1] + "ies", verb[:-1] + "i"
    elif verb.endswith("e"):
        stem = verb[:-1]
    elif (verb in _DOUBLED and verb[-1] not in "hrkt") or verb in {"spot", "cut", "hit", "chat", "star"}:
        stem = verb + verb[-1]
    ing = (verb if verb.endswith("y") else stem) + "ing"
    return third, stem + "ed", ing


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for verb in _REGULAR.split():
        table[verb] = verb
        table.update(dict.fromkeys(_forms(verb), verb))
    for verb, forms in _IRREGULAR.items():
        table[verb] = verb
        table.update(dict.fromkeys(forms.split(), verb))
    return {form: verb for form, verb in table.items() if form not in _NOT_FORMS}


BASE_FORMS = _table()


def base_form(word: str) -> str:
    """The base form of a known verb form, or the word itself."""
    return BASE_FORMS.get(word, word)
