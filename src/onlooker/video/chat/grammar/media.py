"""Rules for questions about the video as a whole: its facts, its words, its sound, its story, and about the answer."""

from __future__ import annotations

import re

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.mentions import SHADES, SIZE_WORDS
from onlooker.video.chat.grammar.subjects import measure_of
from onlooker.video.chat.grammar.words import ALL_TIME, QUESTION_WORDS, words
from onlooker.video.chat.query import (
    EvidenceQuery,
    Query,
    Refusal,
    SoundQuery,
    SummaryQuery,
    TagsQuery,
    TimePoint,
    VideoFactQuery,
    Window,
    WordsQuery,
)

EXAMPLES = (
    "Ask for example: How many cars are there? When does person 2 first appear? Where is the dog at 3 s? "
    "Which car is the fastest? What is said? How long is the video?"
)

_ORDERS = words("delete remove erase wipe send email upload post blur crop")
# Words of a question about words that are not themselves searched for.
_NOT_SEARCHED = words(
    "uttered utter pronounced heard hear saying says said speaks spoke reads reading read be can could come comes up "
    "disappear vanish leave "
    "what how many times first last out loud aloud "
    "in video the a is said mentioned spoken anything something this clip at any ever and does it there "
    "on screen written  anyone somebody someone words word text frame speech of phrase appear appears "
    "are were was there signs readable legible shown visible sign sentence until till anywhere somewhere"
)
_WHEN_SAID = words("while when once during until till as whenever after before")
_NEAR = 5  # words between "while" and "sign" or "says"
_LANGUAGES = words(
    "english french german spanish italian portuguese russian chinese japanese arabic hindi dutch polish"
)
_VOICES = words("shout yell scream whisper mumble mutter")
_SAYING = words("say show read mention have contain display feature include spell tell appear come disappear go stay")
_ADVERBS = words("ever also still really actually just even not never always already somewhere anywhere")
_ALWAYS = re.compile(
    rf"\b(?:{ALL_TIME}|the (?:whole|entire|full) (?:time|video|clip|film|way|duration)|throughout|continuously"
    r"|non-?stop|from start to (?:end|finish))\b"
)
_SORTS_OF_SIGN = words("street road traffic shop warning neon door speed wooden metal advertising name direction")
_SIGN = words("sign signs banner banners poster posters billboard billboards")
_BEFORE_NAME = words(
    "the a an any this that these those some no all every first last second third other only same which what many of "
    "is are was were there see with visible and or how one next to"
)
_EDGES = {
    Window("at", TimePoint(0.0, "share"), None): "first",
    Window("at", TimePoint(1.0, "share"), None): "last",
}
_GOING = words("disappear vanish leave")
_COMING_AND_GOING = _GOING | words("appear come")
_TAKEN_DOWN = re.compile(
    r"\b(?:go|goes|going|went|gone|come|comes|came|taken?|took) (?:down|away|off|out)\b|\bremoved\b"
)
_PASSIVE = words("mentioned said uttered spoken pronounced")
_LOUD_NOISES = words("noise racket din commotion bang")
_FEW = 6  # words: more say what they are about


def about_answer(scene: Scene) -> Query | None:
    """ "Why?", "are you sure?", "help", and orders to do something."""
    if scene.form in {"none", "list"} and scene.reading.tokens and scene.reading.tokens[0].base in _ORDERS:
        return Refusal(f"Questions are answered here; nothing is changed, made or sent. {EXAMPLES}")
    if scene.has("help") and not scene.has_subject and len(scene.reading.tokens) <= 8 and scene.form != "count":
        return Refusal(f"Questions about the videos in this library can be asked. {EXAMPLES}")
    if scene.has("why"):
        short = not scene.things and len(scene.reading.tokens) <= 8
        if short and scene.focus is not None:
            return EvidenceQuery()
        if scene.reading.word("why") or scene.reading.word("reason"):
            return Refusal("Reasons are not stored, only what is seen and heard, where and when. Ask what happens.")
    return None


def timed_by_words(scene: Scene) -> Query | None:
    """ "Who is there while the sign is up?", "how many are there when somebody says hello?": words give no time."""
    tokens = scene.reading.tokens
    for code in ("text", "speech", "silent", "loud"):
        for cue in scene.reading.cues.get(code, ()):
            near = range(cue.start - 1, max(cue.start - _NEAR, 0), -1)
            link = next((i for i in near if tokens[i].text in _WHEN_SAID), None)
            if link is None or any(tokens[i].text in QUESTION_WORDS for i in range(link + 1, cue.start)):
                continue
            asked = link == scene.reading.at("when") and scene.form == "when"
            other = scene.has("sound", "events", "count", "which") or any(m.start < link for m in scene.mentions)
            other = other or bool(scene.form == "how_long" and scene.things)
            if other and not asked:
                return Refusal(
                    "Times are not taken from what is said or written. Ask when it is said or seen, and then about "
                    "these seconds."
                )
    return None


def quoted(scene: Scene) -> Query | None:
    """Words in quotation marks, where nothing says whether they are heard or seen: what appears is seen."""
    reading = scene.reading
    if not reading.quotes or scene.has("speech", "text", "sound"):
        return None
    line = reading.word("line", "lines", "quote") and all(t.noun in {"line", "quote"} for t in scene.things)
    if line and scene.form in {"when", "list", "none"}:
        return WordsQuery("speech", "when", reading.quotes[0], scene.window)  # 'find the line "mind the gap"'
    seen = scene.has("visible", "appear", "start", "end") or scene.form == "where"
    if (
        seen
        and not any(not t.is_unknown for t in scene.things)
        and scene.form in {"when", "how_long", "yes_no", "where"}
    ):
        return _words(scene, "screen_text")
    return Refusal(f'Say whether "{reading.quotes[0]}" is meant as words said or as words written, and what of them.')


def tags(scene: Scene) -> Query | None:
    """ "What tags does the video have?"."""
    if scene.has("tag") and scene.form in {"what", "which", "list", "none"}:
        return TagsQuery(scene.subject if scene.specific else None)
    return None


def summary(scene: Scene) -> Query | None:
    """ "Summarise the video.", "what is the clip about?"."""
    if scene.has("summary") and not scene.things and scene.form not in {"count", "when", "how_long", "where"}:
        return SummaryQuery()
    return None


def speech(scene: Scene) -> Query | None:
    """What is said, when a word is said, is anybody speaking."""
    if not scene.has("speech"):
        return None
    if scene.reading.word("language", "languages", "accent", "dialect", *_LANGUAGES):
        return Refusal(f"Nothing is stored about languages and accents. {EXAMPLES}")
    if not scene.reading.quotes and any(t.base in _VOICES for t in scene.reading.tokens):
        return Refusal("How something is said is not stored, only what is said and when, and when it is loud.")
    counted = scene.form == "count" and not scene.reading.word("times", "often") and not scene.reading.quotes
    people = any(set(t.categories or ()) & set(scene.reading.people) for t in scene.things)
    if (scene.form == "which" and scene.reading.word("who", "whose", "whom")) or (counted and people):
        return Refusal("Who speaks is not stored, only what is said and when. Ask for example: when is a word said?")
    if scene.form == "where" and scene.reading.word("videos", "clips", "films", "movies", "recordings"):
        return Refusal("In which videos something is said is not listed. Ask what is said, or when, of all of them.")
    it_says = scene.reading.says("it", words("say says"))  # somebody speaks, something is written
    if scene.form == "where" or it_says or scene.reading.word("sign", "screen"):
        return _words(scene, "screen_text")
    return _words(scene, "speech")


def screen_text(scene: Scene) -> Query | None:
    """What is written, where or when some words are seen."""
    if not scene.has("text") or (scene.things and not _text_is_asked(scene)):
        return None
    return _words(scene, "screen_text")


def _text_is_asked(scene: Scene) -> bool:
    return scene.reading.says("the", frozenset({"word", "words"})) or scene.reading.word(
        "text", "written", "write", "caption", "captions", "subtitle", "subtitles", "sign", "signs", "read", "ocr"
    )


def _does_something(scene: Scene) -> str | None:
    """ "Does the sign change?": what a sign does, where it is not what it says."""
    tokens = scene.reading.tokens
    if scene.form != "yes_no" or tokens[0].base != "do":
        return None
    sign = next((i for i, t in enumerate(tokens[:-1]) if t.text in _SIGN), None)
    if sign is None or not {t.text for t in tokens[1:sign]} <= _BEFORE_NAME - {"see"}:
        return None  # "do you see a sign that says stop?"
    behind = tokens[sign + 1]
    verb = behind.is_word and behind.base not in _SAYING and behind.text not in _ADVERBS
    return behind.text if verb else None


def _throughout(scene: Scene) -> Refusal | None:
    """ "Was it quiet the whole time?" is more than that it was quiet once."""
    if scene.form != "yes_no" or not _ALWAYS.search(scene.reading.question.lower()):
        return None
    return Refusal("Whether it is so all the time is not answered. Ask when it is so, and for how long.")


def _words(scene: Scene, source: str) -> WordsQuery | Refusal:
    reading = scene.reading
    always = _throughout(scene)
    if always is not None:
        return always
    if scene.form == "count" and reading.says("how many", words("words letters characters syllables")):
        return Refusal("Words are not counted, only how often something is said or written. Ask what is said.")
    named = _before_sign(scene) if source == "screen_text" and not reading.quotes else ()
    if set(named) & (_SORTS_OF_SIGN | SHADES.keys() | SIZE_WORDS.keys()):
        return Refusal("What a sign looks like and of what sort it is is not stored, only what is written on it.")
    named = named or (_named_unknown(scene) if source == "screen_text" else ())
    phrase = reading.quotes[0] if reading.quotes else " ".join(named) or _phrase_behind(scene, source)
    done = _does_something(scene) if phrase and not reading.quotes and source == "screen_text" else None
    if done is not None:
        return Refusal(f'What is written is stored, and when and where, not whether a sign would "{done}".')
    comes = any(t.base in _COMING_AND_GOING for t in reading.tokens) or _TAKEN_DOWN.search(reading.question.lower())
    if scene.form == "yes_no" and source == "screen_text" and scene.window is not None and comes:
        return Refusal("Whether a sign comes or goes in a span is not answered. Ask when it is seen, and until when.")
    searched = set(phrase.split()) if phrase and not reading.quotes else set()
    if source == "screen_text" and searched & {"before", "after"} and scene.things:
        return Refusal("What is written is not weighed against what comes and goes. Ask when each is seen.")
    ask = scene.form if scene.form in {"count", "when", "where", "yes_no", "how_long"} else "what"
    window, pick = scene.window, _pick(scene, source, ask)
    if source == "speech" and ask == "what" and window in _EDGES:
        pick, window = _EDGES[window], None  # "what do they say at the start?": their first words
    return WordsQuery(
        "speech" if source == "speech" else "screen_text",
        ask,  # type: ignore[arg-type]
        phrase,
        window,
        pick,  # type: ignore[arg-type]
    )


def _before_sign(scene: Scene) -> tuple[str, ...]:
    """ "When does the OPEN sign disappear?": what the sign says, between the article and the noun."""
    tokens = scene.reading.tokens
    sign = next((i for i, t in enumerate(tokens) if t.text in _SIGN), 0)
    start = sign
    while start and tokens[start - 1].kind in {"word", "number"} and tokens[start - 1].text not in _BEFORE_NAME:
        start -= 1
    articled = start and tokens[start - 1].text in {"the", "a", "an", "any", "this", "that", "no"}
    return tuple(t.text for t in tokens[start:sign]) if articled else ()


def _named_unknown(scene: Scene) -> tuple[str, ...]:
    """ "What is up with the sign, how long is sale 50 visible?": what no category is called, asked of in a part of its
    own, is what is written."""
    if scene.form not in {"when", "how_long", "where"} or scene.reading.quotes:
        return ()
    asked = scene.reading.at(scene.form)
    signs = [cue.start for cue in scene.reading.cues.get("text", ())]
    apart = signs and max(signs) < asked
    named = next(
        (t for m, t in zip(scene.mentions, scene.things, strict=True) if m.start > asked and t.is_unknown), None
    )
    told = named is not None and set(named.noun.split()) <= _NOT_SEARCHED  # "the sign: how long is it readable?"
    return () if named is None or told or not apart else (*named.noun.split(), *(str(n) for n in named.numbers))


def _pick(scene: Scene, source: str, ask: str) -> str:
    """ "What was said first?", "until when can the sign be read?"; "when is it first said" is what "when" means."""
    late = scene.has("last") or any(t.text == "last" or t.base in _GOING for t in scene.reading.tokens)
    if ask == "when":
        late = late or (source == "screen_text" and _TAKEN_DOWN.search(scene.reading.question.lower()) is not None)
        closing = [t.text for t in scene.reading.tokens if t.is_word][-1:]
        until = scene.has("until_when") or closing in (["until"], ["till"]) or (late and source == "screen_text")
        return "until" if until else "last" if late else "all"
    if ask != "what":
        return "all"
    return "last" if late else "first" if scene.has("first") or scene.reading.word("first") else "all"


def _phrase_behind(scene: Scene, source: str) -> str | None:
    """Words searched for without quotation marks: "the word hello", "say hello", "talk about dogs"."""
    reading = scene.reading
    tokens = reading.tokens
    start = next((i + 1 for i, t in enumerate(tokens) if t.text in {"word", "phrase", "about"}), None)
    if start is None:
        cue = next((reading.cues[code][0] for code in ("speech", "text") if code in reading.cues), None)
        if cue is None:
            return None
        start = cue.end
        if scene.form not in {"when", "where", "yes_no", "count"}:
            return None
    taken = {i for w in reading.windows for i in range(w.start, w.end)}
    words = [t.text for i, t in enumerate(tokens[start:], start) if i not in taken and _is_searched(scene, i)]
    if source == "speech" and tokens[start - 1].text in _PASSIVE:
        words = _before_passive(scene, start - 1) or words
    kept = [w for w in words if w not in _NOT_SEARCHED]
    return " ".join(kept) or None


def _is_searched(scene: Scene, i: int) -> bool:
    """Words, and numbers that close a phrase: "SALE 50", not "said 3 times"."""
    token, behind = scene.reading.tokens[i], scene.reading.tokens[i + 1 : i + 2]
    return token.is_word or (token.kind == "number" and not any(t.is_word for t in behind))


def _before_passive(scene: Scene, verb: int) -> list[str]:
    """ "Is the dog mentioned?", "how often is the gap spoken of?": what stands between the auxiliary and the verb."""
    tokens = scene.reading.tokens
    helper = next((i for i in range(verb - 1, -1, -1) if tokens[i].base == "be"), None)
    said = range(helper + 1, verb) if helper is not None else ()
    return [tokens[i].text for i in said if tokens[i].is_word or tokens[i].kind == "number"]


def sound(scene: Scene) -> Query | None:
    """Is there sound, when is it silent or loud, what can be heard."""
    if not scene.has("sound", "silent", "loud"):
        return None
    if scene.reading.word("louder", "quieter", "noisier") or (
        scene.has("loud", "silent") and scene.reading.word("than")
    ):
        return Refusal("Levels of sound are not compared. Ask when it is loud or silent, or what is heard at a moment.")
    label = "silence" if scene.has("silent") else "loud" if scene.has("loud") else None
    if scene.reading.word("music"):
        label = "music"
    made = next((t.noun for t in scene.things if t.categories is not None or t.is_unknown), None)
    if label is None and scene.form in {"when", "how_long"} and scene.reading.says("the", _LOUD_NOISES):
        label = "loud"  # "when does the noise start?" asks for what stands out
    if label is None and made is not None and scene.form in {"yes_no", "when", "how_long"}:
        if scene.has("visible") and not scene.reading.word("sound", "sounds", "noise", "noises"):
            return None  # "I heard there is a dragon, is there?"
        label = made  # "do you hear a dog?"
    if scene.form == "when":
        part = scene.reading.word("part", "parts")  # "the quiet part" is no parting
        over = (
            scene.has("until_when", "gone")
            or (scene.has("end") and not part)
            or scene.reading.word("end", "ends", "stop", "stops", "over")
        )
        return SoundQuery("until" if over else "when", label, scene.window)
    if scene.form == "how_long":
        return SoundQuery("how_long", label, scene.window)
    always = _throughout(scene)
    if always is not None:
        return always
    if scene.form == "yes_no" and label is None:
        return SoundQuery("has_audio", None, scene.window)
    if scene.form == "yes_no":
        return SoundQuery("yes_no", label, scene.window)
    return SoundQuery("what", label, scene.window)


def _after_something(scene: Scene) -> bool:
    """ "After how long?" with something talked of: no question about the video."""
    focus, spoken = scene.focus, [t for t in scene.reading.tokens if t.is_word]
    told = (
        focus is not None and focus.subject is not None and not isinstance(focus.query, VideoFactQuery | SummaryQuery)
    )
    return told and scene.pronoun is None and len(spoken) < _FEW and scene.reading.word("after", "before", "until")


def facts(scene: Scene) -> Query | None:
    """How long, how large, how many frames, shots and cuts."""
    if scene.things or measure_of(scene.reading) is not None:
        return None
    reading = scene.reading
    for fact in ("fps", "resolution", "width", "height", "path_of_file"):
        if reading.has(fact):
            name = {"path_of_file": "path"}.get(fact, fact)
            return VideoFactQuery(name)  # type: ignore[arg-type]
    if reading.has("frames") and reading.word("frames", "frame"):
        return VideoFactQuery("n_frames")
    for fact in ("cut", "scene"):
        if fact == "cut" and reading.has(fact) and scene.form == "yes_no" and not scene.has_subject:
            return VideoFactQuery("cuts", "yes_no")
        if reading.has(fact) and scene.form in {"count", "when", "list"}:
            return VideoFactQuery("cuts" if fact == "cut" else "shots", "when" if scene.form == "when" else "value")
    bare = " ".join(t.text for t in reading.tokens if t.is_word) == "for how long"
    if scene.form == "how_long" and (bare or _after_something(scene)):
        return Refusal("Say what is meant: how long is which object visible, or how long is the video?")
    if scene.form == "how_long" and scene.pronoun is None and not reading.has("stationary", "gone", "in_motion"):
        return VideoFactQuery("duration")
    if scene.form in {"what", "list", "none"} and reading.has("how_long") and scene.pronoun is None:
        return VideoFactQuery("duration")
    return None
