"""Which tracklets look manipulated: a judge's probability for a bounded number of moments of each.

What is stored is the curve, moment by moment; the verdict of a tracklet is the mean of its moments (the views work it
out, so merging and splitting tracklets needs nothing done again). A moment that could not be judged is stored with the
reason: that no face was found says nothing about a face.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from onlooker.errors import MediaError
from onlooker.types import BoxXYXY, Frame, Image, Judgement
from onlooker.video.attributes.faces import find_face
from onlooker.video.attributes.looks import Look, LookPlan, boxes_on, cut_to_judge, plan_looks, read_frames
from onlooker.video.attributes.registry import AnnotatorSpec, Context, ModelHandle, Output, Row, clean_text
from onlooker.video.protocols import AuthenticityJudge, FaceFinder
from onlooker.video.reasons import NO_FACE, NO_FINDER, NO_PICTURES, NOT_A_PERSON, NOT_READ, too_small
from onlooker.video.store import schema

AUTHENTICITY = "authenticity"
FACES = frozenset({"face", "head"})  # categories whose box is a face already
PEOPLE = frozenset(
    """
person/pedestrian/man/woman/boy/girl/child/player/rider/cyclist/motorcyclist/skier/human/person sitting/sitting person
""".strip().split("/")
)
_BATCH = 16
_MAX_NOTES = 500


@dataclass(frozen=True, slots=True)
class _Cut:
    """A picture on its way to the judge, and the box it stands for."""

    look: Look
    box_xyxy_px: BoxXYXY
    image: Image


class Authenticity:
    """Rows of `base_judgements`, and the judge's own row of `base_judges`.

    Args:
        judge: says how likely a picture was manipulated.
        finder: finds faces, for a judge that needs them; without one, only tracklets that are faces are judged.
        plan: which moments.
    """

    def __init__(
        self,
        judge: ModelHandle[AuthenticityJudge],
        finder: ModelHandle[FaceFinder] | None = None,
        plan: LookPlan | None = None,
    ) -> None:
        self._judge, self._finder, self._plan = judge, finder, plan or LookPlan()

    @property
    def spec(self) -> AnnotatorSpec:
        plan = "" if self._plan == LookPlan() else f" {self._plan.most} of {self._plan.every_s:g} s"
        faces = "" if self._finder is None else f" faces {self._finder.fingerprint}"
        return AnnotatorSpec(
            AUTHENTICITY,
            f"1{plan}{faces}",
            "video",
            tables=(schema.JUDGES, schema.JUDGEMENTS),
            role=self._judge.role,
            model=self._judge.fingerprint,
        )

    def run(self, context: Context) -> Output:
        judge = self._judge.get()
        tracklets = context.tracklets()
        looked_at = {key: one.category for key, one in tracklets.items()}
        refused = {key: reason for key, category in looked_at.items() if (reason := self._refusal(judge, category))}
        first = LookPlan(1, self._plan.every_s)
        rows = [_unjudged(look, refused[look.tracklet_id]) for look in plan_looks(context.store, list(refused), first)]
        looks = plan_looks(context.store, [key for key in tracklets if key not in refused], self._plan)
        rows += _Run(context, judge, self._finder, looked_at, looks).rows()
        return Output({schema.JUDGES: [self._judge_row(judge)], schema.JUDGEMENTS: rows})

    def _refusal(self, judge: AuthenticityJudge, category: str) -> str | None:
        """Why a tracklet of this category is not looked at at all."""
        if judge.need == "crop" or category in FACES:
            return None
        if category not in PEOPLE:
            return NOT_A_PERSON
        return NO_FINDER if self._finder is None else None

    def _judge_row(self, judge: AuthenticityJudge) -> Row:
        return {
            "judge": self._judge.fingerprint,
            "finder": None if self._finder is None else self._finder.fingerprint,
            "need": judge.need,
            "threshold": float(judge.threshold),
            "tested_on": clean_text(judge.tested_on, _MAX_NOTES),
        }


class _Run:
    """One pass over the frames of a video."""

    def __init__(
        self,
        context: Context,
        judge: AuthenticityJudge,
        finder: ModelHandle[FaceFinder] | None,
        categories: Mapping[int, str],
        looks: list[Look],
    ) -> None:
        self._context, self._judge, self._finder = context, judge, finder
        self._categories, self._looks = categories, looks
        self._waiting: list[_Cut] = []
        self._rows: list[Row] = []

    def rows(self) -> list[Row]:
        """A row for every look."""
        by_frame: dict[int, list[Look]] = defaultdict(list)
        for look in self._looks:
            by_frame[look.frame].append(look)
        bodies = self._bodies(set(by_frame))
        done, missing = 0, NOT_READ
        try:
            for frame in read_frames(self._context, set(by_frame)):
                for look in by_frame.pop(frame.index, ()):
                    self._take(look, frame, bodies)
                    done += 1
                self._context.report(done, len(self._looks))
        except MediaError:
            if self._context.video.source == "video":
                raise
            missing = NO_PICTURES
        self._judge_waiting()
        return self._rows + [_unjudged(look, missing) for looks in by_frame.values() for look in looks]

    def _bodies(self, frames: set[int]) -> Mapping[int, list[Look]]:
        if self._judge.need == "crop" or self._finder is None:
            return {}
        people = [key for key, category in self._categories.items() if category in PEOPLE]
        return boxes_on(self._context.store, people, frames)

    def _take(self, look: Look, frame: Frame, bodies: Mapping[int, list[Look]]) -> None:
        """Cuts out what is to be judged, or writes down why there is nothing."""
        box = self._region(look, frame, bodies)
        if box is None:
            self._rows.append(_unjudged(look, NO_FACE))
            return
        is_face = self._judge.need == "face"
        if max(box[2] - box[0], box[3] - box[1]) < self._judge.smallest_px:
            why = too_small("the face" if is_face else "it", self._judge.smallest_px)
            self._rows.append(_unjudged(look, why, box))
            return
        picture, _ = cut_to_judge(frame.image, box, is_face)
        self._waiting.append(_Cut(look, box, picture))
        if len(self._waiting) >= _BATCH:
            self._judge_waiting()

    def _region(self, look: Look, frame: Frame, bodies: Mapping[int, list[Look]]) -> BoxXYXY | None:
        if self._judge.need == "crop" or self._categories[look.tracklet_id] in FACES:
            return look.box_xyxy_px
        assert self._finder is not None, "people are not looked at without a finder"
        others = [b.box_xyxy_px for b in bodies.get(frame.index, ()) if b.tracklet_id != look.tracklet_id]
        return find_face(frame.image, look.box_xyxy_px, others, self._finder.get())

    def _judge_waiting(self) -> None:
        judged = self._judge.judge([one.image for one in self._waiting]) if self._waiting else []
        self._rows += [_judged(one, found) for one, found in zip(self._waiting, judged, strict=True)]
        self._waiting = []


def _judged(one: _Cut, found: Judgement) -> Row:
    notes = clean_text("; ".join(found.notes), _MAX_NOTES) or None
    kind = None if found.kind is None else clean_text(found.kind, _MAX_NOTES)
    more = {"probability": float(found.probability), "reason": None, "kind": kind, "notes": notes}
    return {**_place(one.look, one.box_xyxy_px), **more}


def _unjudged(look: Look, reason: str, box: BoxXYXY | None = None) -> Row:
    more = {"probability": None, "reason": reason, "kind": None, "notes": None}
    return {**_place(look, box or look.box_xyxy_px), **more}


def _place(look: Look, box: BoxXYXY) -> Row:
    edges = dict(zip(("x1", "y1", "x2", "y2"), (float(v) for v in box), strict=True))
    return {"tracklet_id": look.tracklet_id, "frame": look.frame, "t": look.time_s, **edges}
