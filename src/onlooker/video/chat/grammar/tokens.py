"""A question as a list of tokens: unicode and contractions evened out, numbers read, quotations kept whole."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from onlooker.video.chat.grammar.verbs import base_form

Kind = Literal["word", "number", "clock", "quote", "mark"]

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "«": '"', "»": '"', "„": '"'})
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_LARGEST = 1e15  # a number beyond it is read as this one: nothing counted, numbered or timed comes near
_CONTRACTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"\bcan't\b|\bcannot\b|\bcan not\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\bain't\b", "is not"),
        (r"n't\b", " not"),
        (r"\b(does|do|did|is|are|was|were|has|have|had)nt\b", r"\1 not"),
        (r"\b(what|who|where|when|how|there|here|that|it|he|she|which)'s\b", r"\1 is"),
        (r"\b(what|who|where|how|there)s\b", r"\1 is"),
        (r"'re\b", " are"),
        (r"'ve\b", " have"),
        (r"'ll\b", " will"),
        (r"'m\b", " am"),
        (r"'d\b", " would"),
        (r"\bhowmany\b|\bhowm any\b|\bho wmany\b|\bhow (?:may|man|mny|manny|meny|mani)\b", "how many"),
        (r"\bhow (?:log|lon|lng)\b", "how long"),
        (r"\b(see|hear|understand|read|remember|recall|get) (?:it )?right that\b", r"\1 that"),
        (r"\bany1\b", "anyone"),
        (r"\bsome1\b", "someone"),
        (r"\bevery1\b", "everyone"),
        (r"\baint\b", "is not"),
        (r"\bout of (?=(?:(?:the|these|those|all) )*(?:two|three|four|both|all|them|these|those|\d)\b)", "of "),
        (r"\bw/o\b", "without"),
        (r"\bw/ ?(?=[a-z])", "with "),
        (r"\bwich\b", "which"),
        (r"\bwot\b", "what"),
        (r"\bh(?:w|o|wo|oow|iw|pw) (?=(?:many|much|long|fast|big|often)\b)", "how "),
        (r"\br (?=(?:there|they|the|visible|in|on|here)\b)", "are "),
        (r"\b(?:pls|plz|plse|pleas)\b", "please"),
        (r"\bno one\b|\bno-one\b", "nobody"),
        (
            r"\b(more|less|fewer|(?:long|short|fast|slow|quick|bigg|small|larg|earli|lat|soon|high|low)er) then"
            r"(?= (?:the|a|an|all|any|every|one|two|three|four|five|six|ten|\d|[a-z]+ \d)\b)",
            r"\1 than",
        ),
        (r"\b(know|tell|ask|asking|see|check|wonder|sure|me|say) weather\b", r"\1 whether"),
        (r"\bwether\b", "whether"),
        (
            r"\bhow long (?:do|did|must|should) (?:we|i|you|one) (?:have to |need to )?wait(?= (?:until|till|before) )",
            "how long",
        ),
        (r"\bthere where\b", "there were"),
        # "Goes away again": away as before it came, no second time.
        (
            r"\b((?:go|goes|went|gone|going) (?:away|out|off)|leaves?|left|leaving|disappears?|disappeared|"
            r"vanish(?:es|ed)?|exits?|exited) again\b",
            r"\1",
        ),
        (r"\bin between\b", "between"),
        (r"\bgone by(?= (?:the|then|when|\d))", "departed by"),  # not "to go by"
    )
)
# Behind these "right" is a side or a direction.
_BEFORE_RIGHT = (
    r"the|to|or|and|on|at|far|more|further|top|bottom|upper|lower|go|goes|going|went|drove|rode|ran|runn?(?:s|ing)?"
    r"|(?:mov|driv|rid)(?:e|es|ed|ing)|(?:turn|walk|head|look|step|veer|steer|point|fac)(?:e|s|es|ed|ing)?"
)
_STAY = r"(?:its|his|her|their|the|this) (?:own )?(?:stay|visit|presence|appearance|time on screen|screen time)\b"
# Notations that stand for words: lists of coordinates, formulas, blanks to fill in, spoken decimals.
_NOTATIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"[(\[]?\bx ?_?1\b\s*,?\s*y ?_?1\b\s*,?\s*x ?_?2\b\s*,?\s*(?:and\s*)?y ?_?2\b[)\]]?", " coordinates "),
        (r"\bmin ?\( ?(?:t|time|frame) ?\)", " first seen "),
        (r"\bmax ?\( ?(?:t|time|frame) ?\)", " last seen "),
        (r"\b(?:category|class|label|type) ?={1,2} ?", " "),
        (r"^(?:n|num|nr) (?=[a-z]{3})", "number of "),
        (r"\b(first|last)[ _]t\b", r"\1 seen"),
        (r"\bt[ _](first|last)\b", r"\1 seen"),
        (
            r"\b(video|clip|footage|film|recording) (?:without|free of|devoid of|empty of)(?: an?| any)?\b",
            r"\1 with no",
        ),
        (
            r"(?:, ?|\b(?:leaving|setting|putting) )((?:the |all )?[a-z]+(?: \d+)?) aside(?= ?[,.?]|$)",
            r", apart from \1",
        ),
        (
            r"\b(?:does|do|did) (?:the|this|my) (?:video|clip|film|footage|recording|movie) "
            r"(end|start)(?: off)? with (.+?)(?= ?\?|$)",
            r"is there \2 at the \1",
        ),
        # "Overtaken by 7" names another car.
        (
            r"(?<!overtaken )(?<!outrun )(?<!passed )\b(by|until|till|before|after|since) (\d+(?:\.\d+)?)"
            r"(?= ?(?:[?!,]|\.(?!\d)|$))",
            r"\1 \2 s",
        ),
        # "The slow one of the two": the slowest of them.
        (
            r"\bthe (slow|fast|quick|small)(?= (?:one|ones|[a-z]+) of (?:the )?(?:two|both|three|four|them)\b)",
            r"the \1est",
        ),
        (r"\bl ?/ ?r\b", "left or right"),
        # "It disappears, right? For how long?": a tag, no side.
        (
            rf"(?<![\w'])(?!(?:{_BEFORE_RIGHT})\b)([\w']+),? right\?(?= \S)",
            r"\1,",
        ),
        (r"(?<=[a-z\d]) v\.? (?=[a-z])", " vs "),
        (r"\b(present|there|visible|in it) or (?:absent|missing|gone)\b", r"\1"),
        (r"\b(?:messed|fiddled|meddled|tinkered|interfered) with\b", "tampered with"),
        (rf"\b(?:at|by|towards?) the (?:very )?end of {_STAY}", "last seen"),
        (rf"\b(?:at|in) the (?:very )?(?:beginning|start) of {_STAY}", "first seen"),
        (r"(?<=\d)'s\b", ""),  # "car 3's box" is no box at 3 s
        (r"\bvery (?=(?:first|last|end|beginning|start|same|moment|most|final|earliest|latest|instant)\b)", ""),
        (r"(?:\b(?:no|nr|num|nbr)\b\.?|#) of\b", "number of"),
        (r"_{2,}|\.{3,}|…", " what "),
        (r"(?<=\d)-(?=(?:s|secs?|seconds?|ms|milliseconds?|min|minutes?)\b)", " "),
        (r"\b(speed|time|size|duration|count|number|seconds?)-?wise\b", r"in terms of \1"),
        (r"\bnumber one(?= (?:among|amongst|of|in|on|for|by|when)\b)", "top"),
    )
)
_TOKEN = re.compile(
    r"""
    (?P<quote>"[^"]+"|(?<![\w'])'[^']+'(?!\w))
  | (?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)
  | (?P<ordinal>\d+(?:st|nd|rd|th)\b)
  | (?P<number>\d+(?:[.,]\d+)?|(?<![\w.])\.\d+)
  | (?P<word>[^\W\d_]+(?:[-'][^\W\d_]+)*)
  | (?P<mark>[?.,;:!()\[\]=#%/&@+_-])
    """,
    re.VERBOSE,
)
_UNITS_OF_TEN = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBER_WORDS = {word: n for n, word in enumerate(_UNITS_OF_TEN)} | {w: 20 + 10 * n for n, w in enumerate(_TENS)}
NUMBER_WORDS |= {"nought": 0, "naught": 0}
_SHORT_FORMS = {"sec": "second", "secs": "seconds", "min": "minute", "mins": "minutes", "msec": "milliseconds"}
ORDINAL_WORDS = {
    word: n
    for n, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
        ],
        start=1,
    )
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, mark or quotation.

    `text` is lower case, `base` the base form of a verb ("left" stays: it is a side too), `number` the value of a
    number, `ordinal` True for "3rd". `start` and `end` are offsets into the normalised question.
    """

    text: str
    base: str
    kind: Kind
    start: int
    end: int
    number: float | None = None
    ordinal: bool = False

    @property
    def is_word(self) -> bool:
        return self.kind == "word"


def normalise(question: str) -> str:
    """Lower case, plain quotes and dashes, contractions written out, one space between words."""
    text = unicodedata.normalize("NFKC", question).translate(_QUOTES).translate(_DASHES).lower()
    for pattern, replacement in (*_CONTRACTIONS, *_NOTATIONS):
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def tokenise(text: str) -> list[Token]:
    """Tokens of a normalised question. Number words and ordinals become numbers; hyphenated ones are joined."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup or "word", match.group()
        tokens += _read(kind, found, match.start())
    return _join_decimals(_join_tens(tokens))


def _read(kind: str, found: str, start: int) -> list[Token]:
    end = start + len(found)
    if kind == "quote":
        return [Token(found[1:-1].strip(), "", "quote", start, end)]
    if kind == "clock":
        return [Token(found, "", "clock", start, end, clock_seconds(found))]
    if kind == "ordinal":
        return [Token(found, "", "number", start, end, min(float(found[:-2]), _LARGEST), ordinal=True)]
    if kind == "number":
        return [Token(found, "", "number", start, end, min(float(found.replace(",", ".")), _LARGEST))]
    if kind == "word":
        return _read_word(found, start)
    return [Token(found, found, "mark", start, end)]


def _read_word(found: str, start: int) -> list[Token]:
    if found.endswith(("'s", "s'")):
        # "the car's colour": the owner is the car. Whether the s is a plural is left to the noun reader.
        owner = found[:-2] if found.endswith("'s") else found[:-1]
        return [*_read_word(owner, start), Token("'s", "'s", "mark", start + len(owner), start + len(found))]
    parts = found.split("-")
    if len(parts) > 1 and not _is_compound(parts):
        tokens, offset = [], start
        for part in parts:
            if part:
                tokens += _read_word(part, offset)
            offset += len(part) + 1
        return tokens
    end = start + len(found)
    found = _SHORT_FORMS.get(found, found)
    if found in NUMBER_WORDS:
        return [Token(found, found, "number", start, end, float(NUMBER_WORDS[found]))]
    return [Token(found, base_form(found), "word", start, end)]


def _is_compound(parts: list[str]) -> bool:
    """Words that keep their hyphen: "re-appear", "t-shirt"."""
    return parts[0] in {"re", "t", "x"} and len(parts) == 2


def _join_tens(tokens: list[Token]) -> list[Token]:
    """ "twenty" "five" becomes 25."""
    joined: list[Token] = []
    for token in tokens:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.text in _TENS
            and token.text in NUMBER_WORDS
            and last.number is not None
            and token.number is not None
            and 0 < token.number < 10
        ):
            text = f"{last.text} {token.text}"
            joined[-1] = Token(text, text, "number", last.start, token.end, last.number + token.number)
        else:
            joined.append(token)
    return joined


def _join_decimals(tokens: list[Token]) -> list[Token]:
    """ "zero" "point" "zero" "seven" becomes 0.07, and so does "at point oh seven"."""
    joined: list[Token] = []
    i = 0
    while i < len(tokens):
        led = tokens[i].number is not None and i + 2 < len(tokens) and tokens[i + 1].text == "point"
        bare = tokens[i].text == "point" and i > 0 and tokens[i - 1].text in {"at", "@", "time", "exactly"}
        j = behind = i + 2 if led else i + 1
        while (led or bare) and j < len(tokens) and _digits(tokens[j]) and (led or tokens[j].text.isalpha()):
            j += 1
        if j > behind and (led or bare):
            whole = int(tokens[i].number or 0) if led else 0
            value = float(f"{whole}.{''.join(_digits(t) or '' for t in tokens[behind:j])}")
            joined.append(Token(str(value), "", "number", tokens[i].start, tokens[j - 1].end, value))
            i = j
        else:
            joined.append(tokens[i])
            i += 1
    return joined


def _digits(token: Token) -> str | None:
    """The digits of a number said behind a decimal point: "oh" is a zero there."""
    if token.text in {"oh", "o"}:
        return "0"
    if token.kind != "number" or token.number is None or token.ordinal or token.number not in range(100):
        return None
    return str(int(token.number))


def clock_seconds(text: str) -> float:
    """Seconds of "1:05" (minutes:seconds) or "1:00:05"."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = min(seconds * 60 + float(part), _LARGEST)
    return seconds
