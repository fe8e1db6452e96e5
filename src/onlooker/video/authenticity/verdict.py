"""The verdict on a file and everything it rests on. It never says "authentic": at most that nothing was found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from onlooker.errors import ShapeError
from onlooker.types import BoxXYXY, FloatArray, Image

FileKind = Literal["image", "video"]
Status = Literal["manipulation_suspected", "nothing_found", "not_judged"]
FactValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the file says or shows of itself.

    Attributes:
        name: short, like "encoder".
        value: as found; `None` where the file does not say.
        note: what it means, where it means something.
        notable: a reader should look at it. Never proof: everything in a file can be removed or invented.
    """

    name: str
    value: FactValue
    note: str = ""
    notable: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one rule or judge says.

    Attributes:
        name, version: of it; results are told by `name@version`.
        score: as it measures; `None` where it refuses or has only a probability.
        probability: that the file was manipulated, by its own calibration; `None` where it has none.
        tested_on: the data its probability was measured on, in words; `None` where nobody measured.
        sentence: what was found.
        refusal: why it says nothing; `None` where it says something.
        counts: whether it takes part in the verdict; only what is calibrated and applies does.
        caveats: where it is known to be wrong, and what it noted itself.
        is_rule: one of the classical rules by itself, in no verdict but together with the others.
    """

    name: str
    version: str
    score: float | None
    probability: float | None
    tested_on: str | None
    sentence: str
    refusal: str | None = None
    counts: bool = False
    caveats: tuple[str, ...] = ()
    is_rule: bool = False

    def __post_init__(self) -> None:
        if self.probability is not None and not 0.0 <= self.probability <= 1.0:
            raise ShapeError(f"a probability is in [0, 1], got {self.probability} of `{self.name}`")

    @property
    def key(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Curve:
    """Probabilities through time, of whole frames or of one tracklet.

    Attributes:
        label: what it is of: "frames", "face 1", "tracklet 7 (person)".
        judge: `name@version` of who judged.
        times_s: on the video's own clock, increasing.
        probabilities: one per time.
        tracklet: the number of a tracklet in the library, if it is one.
        boxes_xyxy_px: where it was, one per time; empty for whole frames.
    """

    label: str
    judge: str
    times_s: tuple[float, ...]
    probabilities: tuple[float, ...]
    tracklet: int | None = None
    boxes_xyxy_px: tuple[BoxXYXY, ...] = ()

    def __post_init__(self) -> None:
        if len(self.times_s) != len(self.probabilities) or len(self.boxes_xyxy_px) not in (0, len(self.times_s)):
            raise ShapeError(f"a curve has a probability per time, got {len(self.times_s)}, {len(self.probabilities)}")

    @property
    def mean(self) -> float:
        """Of the probabilities; NaN for none."""
        return math.fsum(self.probabilities) / len(self.probabilities) if self.probabilities else math.nan


@dataclass(frozen=True, slots=True)
class Provenance:
    """Content credentials (C2PA) of a file.

    Attributes:
        state: "absent"; "valid" (signed, unchanged since, but the signer is unknown to us), "trusted" (and known),
            "invalid" (broken or changed since), "not_checked" (there are some, and what checks them is not installed).
        signer: who signed, as the certificate says.
        tool: what made the claim.
        time: of signing, where there is one.
        actions: what the signer says was done, in order.
        source_type: IPTC's digital source type, where the signer tells.
        problems: what the check found.
        note: a sentence for a reader.
    """

    state: Literal["absent", "valid", "trusted", "invalid", "not_checked"]
    signer: str | None = None
    tool: str | None = None
    time: str | None = None
    actions: tuple[str, ...] = ()
    source_type: str | None = None
    problems: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class MarkFact:
    """The mark of generated or restored media in a file's metadata (`onlooker.media.marks`)."""

    kind: str
    by: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sight:
    """The picture a heat map belongs to. `time_s` is `None` for a still picture; `heat_map` (H, W) in [0, 1]."""

    image: Image = field(repr=False)
    heat_map: FloatArray = field(repr=False)
    time_s: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in one file.

    Attributes:
        file: the path as given.
        kind: image or video; what was looked at of an animation is told among the facts.
        status: "manipulation_suspected" where something that is calibrated reached its threshold; "nothing_found" where
            nothing did; "not_judged" where nothing calibrated could judge.
        probability: calibrated, of the one that speaks loudest; `None` when not judged.
        threshold: probability from which on manipulation is suspected.
        false_alarm_rate: share of untouched files of the tested kind that reach the threshold: what it was set for, or
            what was measured, whichever is higher.
        found_share: share of made forgeries that are found at that threshold: what "nothing found" is worth.
        tested_on: the data both were measured on.
        evidence: everything that was asked, whether it counts or not.
        outside_tested_domain, outside_reasons: the file is unlike what the probability was measured on.
        reason: why it was not judged.
        curves: of a video: whole frames first, then tracklets.
        facts: of container and codec.
        provenance: content credentials.
        mark: of generated or restored media.
        sight: the picture with its heat map; the most suspicious frame of a video.
        heat_map_file, curve_file: where `write_verdict` put pictures.
        problem: what is wrong with the file, where it could be judged all the same.
    """

    file: str
    kind: FileKind
    status: Status
    probability: float | None
    threshold: float | None
    false_alarm_rate: float | None
    found_share: float | None
    tested_on: str | None
    evidence: tuple[Evidence, ...]
    outside_reasons: tuple[str, ...] = ()
    reason: str | None = None
    curves: tuple[Curve, ...] = ()
    facts: tuple[Fact, ...] = ()
    provenance: Provenance = Provenance("absent")
    mark: MarkFact | None = None
    sight: Sight | None = field(default=None, compare=False, repr=False)
    heat_map_file: str | None = None
    curve_file: str | None = None
    problem: str | None = None

    def __post_init__(self) -> None:
        if (self.probability is None) != (self.status == "not_judged"):
            raise ShapeError(f"a verdict has a probability unless it is `not_judged`, got {self.status}")
        if self.probability is not None:
            suspected = self.threshold is not None and self.probability >= self.threshold
            if suspected != (self.status == "manipulation_suspected"):
                raise ShapeError(f"probability {self.probability} and threshold {self.threshold} are not {self.status}")

    @property
    def outside_tested_domain(self) -> bool:
        """Whether the file is unlike what the probability was measured on."""
        return bool(self.outside_reasons)


def verdict_as_dict(verdict: Verdict) -> dict[str, object]:
    """Plain data for JSON: everything but the pictures."""
    plain = {name: _plain(getattr(verdict, name)) for name in _FIELDS if name != "sight"}
    place = list(plain).index("outside_reasons")
    items = list(plain.items())
    items.insert(place, ("outside_tested_domain", verdict.outside_tested_domain))
    if verdict.kind == "video":
        items.append(("heat_map_time_s", None if verdict.sight is None else verdict.sight.time_s))
    return dict(items)


_FIELDS = tuple(one.name for one in dataclasses.fields(Verdict))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
