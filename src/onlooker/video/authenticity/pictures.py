"""The verdict on a picture file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onlooker.types import BoxXYXY, FloatArray, Image, Judgement
from onlooker.video.attributes.looks import cut_to_judge
from onlooker.video.authenticity.heat import fit_map, shrunk
from onlooker.video.authenticity.judging import (
    FaceFinder,
    PictureJudge,
    Report,
    Rules,
    Vote,
    judge_evidence,
    loudest,
    refused_evidence,
    rule_evidence,
    status_of,
    traits_of,
    vote_of,
)
from onlooker.video.authenticity.opening import OpenedPicture, open_picture, unlike_tested, upright
from onlooker.video.authenticity.picture_facts import picture_facts, picture_mark
from onlooker.video.authenticity.provenance import read_provenance
from onlooker.video.authenticity.verdict import Evidence, Fact, FileKind, Sight, Verdict

NOTHING_CALIBRATED = "nothing that is calibrated could judge it"
_NO_FACE = "no face was found, and it judges faces only"
_MOST_FACES = 32  # ours: the largest ones; a crowd of tiny faces says little


@dataclass(frozen=True, slots=True)
class Tools:
    """Who is asked.

    Attributes:
        rules: the classical rules.
        judges: networks, if any.
        faces: needed by judges of faces; `None` where there are none.
    """

    rules: Rules
    judges: tuple[PictureJudge, ...] = ()
    faces: FaceFinder | None = None

    @property
    def wants_faces(self) -> bool:
        """Whether a judge asks for faces."""
        return any(traits_of(judge).wants_faces for judge in self.judges)


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """What one judge said of a picture: `evidence`, its `vote` where it counts, a map in the picture's size, and
    judgements of single faces with their boxes."""

    evidence: Evidence
    vote: Vote | None
    heat_map: FloatArray | None
    faces: tuple[tuple[BoxXYXY, float], ...] = ()


def verify_picture(path: str | Path, tools: Tools) -> Verdict:
    """Looks for traces of manipulation in a picture file.

    Args:
        path: of the file.
        tools: who is asked.

    Raises:
        MediaError: missing, no picture, or too large.
        DecodeError: damaged.
    """
    opened = open_picture(path)
    report = tools.rules.report_file(opened.image, opened.file_bytes, None, None)
    seen = upright(opened.image, opened.orientation)
    boxes = find_faces(tools, seen)
    asked = [ask(judge, seen, boxes, "image") for judge in tools.judges]
    vote = loudest([*_rule_votes(report), *(one.vote for one in asked if one.vote is not None)])
    evidence = (*rule_evidence(tools.rules, report, _looked_at(report)), *(one.evidence for one in asked))
    facts = picture_facts(opened, report.jpeg_quality)
    if tools.wants_faces:
        facts = (*facts, Fact("faces", len(boxes)))
    return Verdict(
        file=str(path),
        kind="image",
        status=status_of(vote),
        probability=None if vote is None else vote.probability,
        threshold=None if vote is None else vote.threshold,
        false_alarm_rate=None if vote is None else vote.false_alarm_rate,
        found_share=None if vote is None else vote.found_share,
        tested_on=None if vote is None else vote.tested_on,
        evidence=evidence,
        outside_reasons=tuple(dict.fromkeys((*unlike_tested(opened), *report.outside))),
        reason=None if vote is not None else report.reason or NOTHING_CALIBRATED,
        facts=facts,
        provenance=read_provenance(path),
        mark=picture_mark(opened),
        sight=_sight(opened, seen, report, asked),
    )


def find_faces(tools: Tools, image: Image) -> tuple[BoxXYXY, ...]:
    """Boxes of faces, the largest first; none where no judge asks for faces or nobody finds them."""
    if tools.faces is None or not tools.wants_faces:
        return ()
    rows = tools.faces.find([image])[0].boxes_xyxy_px.tolist()
    boxes = [(float(x1), float(y1), float(x2), float(y2)) for x1, y1, x2, y2 in rows]
    return tuple(sorted(boxes, key=lambda box: -(box[2] - box[0]) * (box[3] - box[1]))[:_MOST_FACES])


def ask(judge: PictureJudge, image: Image, faces: Sequence[BoxXYXY], kind: FileKind) -> Asked:
    """What a judge says of a picture that is a file or a look at one: of every face where it judges faces, else of the
    whole."""
    traits = traits_of(judge)
    if not traits.wants_faces:
        said = judge.judge([image])[0]
        told = judge_evidence(judge, said.probability, kind, _sentence(said, "the whole picture"), said.notes)
        return Asked(told, vote_of(judge, said.probability, kind), said.heat_map)
    large = [box for box in faces if max(box[2] - box[0], box[3] - box[1]) >= traits.smallest_px]
    if not large:
        why = _NO_FACE if not faces else f"all faces are below {traits.smallest_px} pixels"
        return Asked(refused_evidence(judge, why), None, None)
    judged = judge.judge([cut_to_judge(image, box, is_face=True)[0] for box in large])
    best = max(judged, key=lambda one: one.probability)
    what = "a face" if len(large) == 1 else f"the likeliest of {len(large)} faces"
    told = judge_evidence(judge, best.probability, kind, _sentence(best, what), best.notes)
    pairs = tuple((box, one.probability) for box, one in zip(large, judged, strict=True))
    return Asked(told, vote_of(judge, best.probability, kind), _face_map(image, large, judged), pairs)


def _sentence(said: Judgement, what: str) -> str:
    return f"the network's answer on {what}" + (f", like {said.kind}" if said.kind else "")


def _face_map(image: Image, boxes: Sequence[BoxXYXY], judged: Sequence[Judgement]) -> FloatArray:
    """Every face as bright as it is suspicious; with a map of its own, half as bright where that finds nothing."""
    heat = np.zeros(image.shape[:2], np.float32)
    for box, said in zip(boxes, judged, strict=True):
        x1, y1, x2, y2 = (max(round(end), 0) for end in box)
        face = np.zeros_like(heat)
        face[y1:y2, x1:x2] = 0.5 if said.heat_map is not None else 1.0
        if said.heat_map is not None:
            seen, (left, top) = cut_to_judge(image, box, is_face=True)
            window = np.s_[top : top + seen.shape[0], left : left + seen.shape[1]]
            face[window] *= 1 + fit_map(said.heat_map, (seen.shape[0], seen.shape[1]))
        heat = np.maximum(heat, face * np.float32(said.probability))
    return heat


def _rule_votes(report: Report) -> list[Vote]:
    if report.probability is None:
        return []
    return [
        Vote(report.probability, report.threshold, report.stated_false_alarms, report.found_share, report.tested_on)
    ]


def _looked_at(report: Report) -> str:
    return "the whole picture" if report.n_windows <= 1 else f"{report.n_windows} windows of the picture"


def _sight(opened: OpenedPicture, seen: Image, report: Report, asked: Sequence[Asked]) -> Sight | None:
    """The picture as people see it with what counts of the maps; those of others only where nothing counts."""
    maps = [] if report.heat_map is None else [upright(report.heat_map, opened.orientation)]
    maps += [one.heat_map for one in asked if one.heat_map is not None and (one.vote is not None or not maps)]
    if not maps:
        return None
    shape = maps[0].shape[0], maps[0].shape[1]
    whole = np.maximum.reduce([fit_map(one, shape) for one in maps])
    return Sight(shrunk(seen, shape), whole)
