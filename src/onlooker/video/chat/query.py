"""Checked query objects: what a question means, before any SQL.

Every value that came from a person sits in a field of these classes and reaches SQL only as a bound parameter. Column
names come from tables of ours and are checked against the views when a condition is built.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from onlooker.errors import QueryError
from onlooker.video.store.views import VIEWS

HALVES = ("left", "right", "top", "bottom")
"""Sides with a half of the frame to be in; as a place, "left half"."""
TRACKLET_COLUMNS = frozenset(c.name for view in VIEWS if view.name == "tracklets" for c in view.columns)

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "like"]
Quantifier = Literal["any", "all", "none"]
Event = Literal["start", "end", "return"]
Scalar = str | int | float


@dataclass(frozen=True, slots=True)
class TimePoint:
    """A moment: seconds from the start or back from the end, a share of the length, a frame index from 0, the start or
    the last instant of a shot (`shot`, `shot_end`), or the moment of the query's anchor (`event`), known only when that
    has been looked up.

    Shots count from 1, back from the last with -1; 0 stands for the two sides of the only cut.
    """

    value: float
    base: Literal["start", "end", "share", "frame", "shot", "shot_end", "event"] = "start"


@dataclass(frozen=True, slots=True)
class Window:
    """When: one moment (`at`), or a span that may be open on one side. `said` is how the answer names it."""

    kind: Literal["at", "span"]
    start: TimePoint | None
    end: TimePoint | None


@dataclass(frozen=True, slots=True)
class Condition:
    """A restriction on a column of the `tracklets` view; one of the columns in `also` may meet it instead.

    A place is one that is stored, a third of the frame each way, or one of the `HALVES`, such as "left half". With
    `of_frame` the columns are `dx_px` and `dy_px`, either way, and `value` is a share of the width or the height.
    """

    column: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]
    also: tuple[str, ...] = ()
    of_frame: bool = False

    def __post_init__(self) -> None:
        for column in (self.column, *self.also):
            if column not in TRACKLET_COLUMNS:
                known = ", ".join(sorted(TRACKLET_COLUMNS))
                raise QueryError(f"`{column}` is not a column of tracklets; known: {known}")
        if (self.operator in {"in", "not in"}) != isinstance(self.value, tuple):
            raise QueryError(f"`in` takes several values and other operators one, got {self.operator} {self.value!r}")


@dataclass(frozen=True, slots=True)
class Rank:
    """The n-th tracklet in the order of a column; n counts from 1."""

    column: str
    descending: bool
    n: int = 1

    def __post_init__(self) -> None:
        if self.column not in TRACKLET_COLUMNS or self.n < 1:
            raise QueryError(f"cannot rank by `{self.column}` at place {self.n}")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which tracklets are meant.

    `noun` is the word the asker used, in the singular. `categories` is None for "any object" and empty for a noun that
    nothing in the library is called; `excluded` is for "not cars"; `keys` pins tracklets of earlier answers. `caveat`
    is a sentence the answer must add (a woman is stored as a person).
    """

    noun: str = "object"
    categories: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()
    label: str | None = None
    conditions: tuple[Condition, ...] = ()
    adjectives: tuple[str, ...] = ()
    rank: Rank | None = None
    plural: bool = False
    definite: bool = False
    caveat: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Nothing in the library bears this name."""
        return self.categories == () and not self.keys and self.label is None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The moment another thing comes or goes, or its whole stay, that a question takes its time from."""

    subject: Selection
    event: Literal["start", "end", "stay"]


@dataclass(frozen=True, slots=True)
class Query:
    """Base of all queries. `videos` narrows the scope to videos the question names (library keys)."""

    videos: tuple[int, ...] | None = field(default=None, kw_only=True)
    anchor: Anchor | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class CountQuery(Query):
    """How many; with `operator` and `number` a yes/no question about the count."""

    subject: Selection
    window: Window | None = None
    event: Event | None = None
    operator: Operator | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class SightingsQuery(Query):
    """How many times something is seen to come: once for every tracklet, and once more for every coming back."""

    subject: Selection
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class CountCompareQuery(Query):
    """More of one than of another: `ask` is yes/no, which of them, the difference, or the number of each."""

    first: Selection
    second: Selection
    operator: Operator = ">"
    ask: Literal["yes_no", "which", "difference", "each"] = "yes_no"
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class ExistsQuery(Query):
    """Is there any; `negated` for "is there no". `others` must be there too."""

    subject: Selection
    window: Window | None = None
    event: Event | None = None
    negated: bool = False
    others: tuple[Selection, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckQuery(Query):
    """Does something hold of the subject: of any, all or none of its tracklets."""

    subject: Selection
    holds: tuple[Condition, ...]
    quantifier: Quantifier = "any"
    said: str = ""
    event: Event | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class IsRankQuery(Query):
    """Is the subject the one that a ranked selection picks: is car 3 the fastest?"""

    subject: Selection
    ranked: Selection


@dataclass(frozen=True, slots=True)
class ListQuery(Query):
    """Which tracklets; `order_by` puts them in order, and `most` keeps so many of them from its start."""

    subject: Selection
    window: Window | None = None
    event: Event | None = None
    order_by: Rank | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class VideosQuery(Query):
    """Which videos, how many of them, or (`every`) do all of them hold the subject; any video does when it is None.

    `others` must be there too and nothing of `absent` may be; with `pick` only the videos with the most or the least of
    the subject (or, without one, the longest or the shortest) are meant, with `operator` and `number` those with so
    many.
    """

    subject: Selection | None = None
    ask: Literal["which", "count", "every"] = "which"
    others: tuple[Selection, ...] = ()
    absent: tuple[Selection, ...] = ()
    pick: Literal["most", "least"] | None = None
    operator: Operator | None = None
    number: int | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class VideosCompareQuery(Query):
    """More of the subject in the first of two videos (library keys) than in the second: yes or no, or which of them.

    Without a subject their lengths are compared.
    """

    subject: Selection | None
    pair: tuple[int, int]
    operator: Operator = ">"
    ask: Literal["yes_no", "which"] = "yes_no"
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class VideosCountQuery(Query):
    """How many of the subject every video shows that is asked about, each by itself."""

    subject: Selection
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class CategoriesQuery(Query):
    """What kinds of objects: their names, how many kinds, or the most or least common."""

    subject: Selection
    window: Window | None = None
    ask: Literal["names", "count", "most", "least"] = "names"


@dataclass(frozen=True, slots=True)
class PeakQuery(Query):
    """The most on screen at one time, or when that is."""

    subject: Selection
    ask: Literal["count", "when"] = "count"
    operator: Operator | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class MomentQuery(Query):
    """When something starts, ends, returns, or (`span`) from when to when it is seen."""

    subject: Selection
    event: Literal["start", "end", "return", "span"] = "start"
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class PlaceTimesQuery(Query):
    """When the subject is in a part of the picture, by the centre of its box."""

    subject: Selection
    place: Condition


@dataclass(frozen=True, slots=True)
class DurationQuery(Query):
    """How long the subject is visible (`share`: in percent of the video; `mean`: on average), or away in its gaps."""

    subject: Selection
    ask: Literal["visible", "gone", "mean", "share"] = "visible"


@dataclass(frozen=True, slots=True)
class AbsenceQuery(Query):
    """When, whether ever, or how long in all nothing of the subject is visible."""

    subject: Selection
    ask: Literal["when", "yes_no", "how_long"] = "when"


@dataclass(frozen=True, slots=True)
class IntervalQuery(Query):
    """The time between an event of one thing and an event of another."""

    first: Selection
    second: Selection
    first_event: Literal["start", "end"] = "start"
    second_event: Literal["start", "end"] = "start"


@dataclass(frozen=True, slots=True)
class BoxQuery(Query):
    """Where the subject is: at a moment, when it is first or last seen, or (no moment) at its best view."""

    subject: Selection
    window: Window | None = None
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class PathQuery(Query):
    """The boxes of the subject over a span."""

    subject: Selection
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class AttributeQuery(Query):
    """One column of the subject. `options` are the values the question offers ("left or right")."""

    subject: Selection
    column: str
    options: tuple[str, ...] = ()
    aggregate: Literal["each", "mean", "max", "min"] = "each"
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class CompareQuery(Query):
    """Which of several, or is the first more than the second, by one column."""

    options: tuple[Selection, ...]
    column: str
    descending: bool = True
    ask: Literal["which", "yes_no"] = "which"


@dataclass(frozen=True, slots=True)
class RelationQuery(Query):
    """A relation of two selections; the second is None for "anything else" or "the closest pair".

    Of those that are near, `nearest` means the one with the least distance, however large, and not all that are near.
    """

    first: Selection
    second: Selection | None
    relation: Literal["together", "touch", "near"]
    ask: Literal["yes_no", "when", "how_long", "distance", "who", "pair", "count"] = "yes_no"
    window: Window | None = None
    farthest: bool = False
    nearest: bool = False


@dataclass(frozen=True, slots=True)
class SideQuery(Query):
    """Which side of another something is, at a moment or most of the time they share: whether it is there, which of the
    two is, or on which of the two sides the first is."""

    first: Selection
    second: Selection
    side: Literal["left", "right", "above", "below"]
    ask: Literal["yes_no", "which", "side"] = "yes_no"
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class EdgeQuery(Query):
    """Which of the subject's tracklets is nearest to an edge of the frame at a moment."""

    subject: Selection
    edge: Literal["left", "right", "top", "bottom"]
    window: Window


@dataclass(frozen=True, slots=True)
class OvertakeQuery(Query):
    """Does the first pass the second (in a span), or when."""

    first: Selection
    second: Selection
    ask: Literal["yes_no", "when", "which"] = "yes_no"
    window: Window | None = None


ActionAsk = Literal["who", "count", "when", "how_long", "yes_no", "what"]


@dataclass(frozen=True, slots=True)
class ActionQuery(Query):
    """Who does one of the stored actions `labels`, when, how long or how many; `what` asks which of them it is.

    `said` is how the question names them, `pick` which time "when" means.
    """

    subject: Selection
    labels: tuple[str, ...]
    said: str
    ask: ActionAsk
    quantifier: Quantifier = "any"
    pick: Literal["first", "last"] = "first"
    window: Window | None = None


AuthenticityAsk = Literal["who", "count", "when", "yes_no", "most", "probability", "where", "videos"]


@dataclass(frozen=True, slots=True)
class AuthenticityQuery(Query):
    """What looks manipulated according to the judge that looked: which, how many, when, whether, how likely.

    `genuine` asks the other way round, which no judge can say; `whole` asks about a video and not about something in
    it; `said` is the word of the question, `pick` which time "when" means.
    """

    subject: Selection
    said: str
    ask: AuthenticityAsk
    genuine: bool = False
    quantifier: Quantifier = "any"
    pick: Literal["first", "last", "highest"] = "first"
    whole: bool = False
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class EventsQuery(Query):
    """What happens in a window, or what the subject does."""

    subject: Selection | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class SummaryQuery(Query):
    """The whole video in a few sentences."""


@dataclass(frozen=True, slots=True)
class WordsQuery(Query):
    """Words heard (`speech`) or seen (`screen_text`); `phrase` searches for them, `pick` takes the first or the last.

    The last time of words is when they are said for the last time, or `until` when they are heard or seen.
    """

    source: Literal["speech", "screen_text"]
    ask: Literal["what", "when", "where", "yes_no", "count", "how_long"] = "what"
    phrase: str | None = None
    window: Window | None = None
    pick: Literal["all", "first", "last", "until"] = "all"


@dataclass(frozen=True, slots=True)
class SoundQuery(Query):
    """The sound track: is there one, when is it silent or loud, what is heard."""

    ask: Literal["has_audio", "when", "until", "yes_no", "what", "how_long"] = "has_audio"
    label: str | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class VideoFactQuery(Query):
    """A column of `videos`, or the number of shots or the time of the n-th cut.

    Of shots, `shot` (from 1, the last is -1) or `pick` says which one is meant: its length, or its number.
    """

    fact: Literal["duration", "resolution", "width", "height", "fps", "n_frames", "shots", "cuts", "name", "path"]
    ask: Literal["value", "when", "yes_no", "how_long"] = "value"
    shot: int | None = None
    pick: Literal["longest", "shortest"] | None = None


@dataclass(frozen=True, slots=True)
class TagsQuery(Query):
    """What annotators say of a video or of the subject."""

    subject: Selection | None = None


@dataclass(frozen=True, slots=True)
class EvidenceQuery(Query):
    """Show what the last answer rests on."""


@dataclass(frozen=True, slots=True)
class Refusal(Query):
    """The question cannot be answered from what the library stores; `text` says why and what can be asked."""

    text: str
