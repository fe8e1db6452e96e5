"""The verdict on a video file: facts of its packets, one decoding pass, rules and judges at a look every so often."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from onlooker.errors import ConfigError
from onlooker.media.decode import VideoReader
from onlooker.media.probe import probe
from onlooker.media.video_marks import read_video_mark
from onlooker.types import BoxXYXY, FloatArray, Frame, Image, VideoInfo
from onlooker.video.attributes.looks import cut_to_judge
from onlooker.video.authenticity.following import FRAMES, CurveBook, FaceLinker, Seen, owner_of
from onlooker.video.authenticity.heat import fit_map, shrunk
from onlooker.video.authenticity.judging import (
    PictureJudge,
    Report,
    Vote,
    judge_evidence,
    loudest,
    refused_evidence,
    rule_evidence,
    status_of,
    traits_of,
    vote_of,
)
from onlooker.video.authenticity.picture_facts import mark_fact
from onlooker.video.authenticity.pictures import NOTHING_CALIBRATED, Asked, Tools, ask, find_faces
from onlooker.video.authenticity.provenance import read_provenance
from onlooker.video.authenticity.verdict import Curve, Evidence, Fact, Sight, Verdict
from onlooker.video.authenticity.video_facts import RepeatWatch, container_facts, repeat_facts
from onlooker.video.ingest.job import Progress

_MOST_LOOKS = 120  # ours: of a long video, looks are further apart
_MOST_WINDOWS = 24  # of a frame
_LEAST_CROP_PX = 32
_TESTED_CODECS = ("h264",)


class TrackSource(Protocol):
    """Who is where in a video."""

    def at(self, time_s: float) -> Sequence[Seen]:
        """Everything seen at a moment."""
        ...


@dataclass(frozen=True, slots=True)
class VideoLook:
    """How a video is looked at.

    Attributes:
        every_s: seconds between two looks; further apart where that would be more than 120 looks.
        tracks: tracklets of a library; `None` links faces from look to look.
    """

    every_s: float = 1.0
    tracks: TrackSource | None = None

    def __post_init__(self) -> None:
        if not 0.01 <= self.every_s <= 3600:
            raise ConfigError(f"`every` is 0.01 to 3600 seconds, got {self.every_s}")


def verify_video(path: str | Path, tools: Tools, look: VideoLook | None = None) -> Generator[Progress, None, Verdict]:
    """Looks for traces of manipulation in a video file; yields progress, returns the verdict.

    Args:
        path: of the file.
        tools: who is asked.
        look: how often, and whose tracklets.

    Raises:
        NotAVideoError: no decodable video stream.
        DecodeError: not one frame can be decoded.
    """
    look = look or VideoLook()
    place = Path(path)
    info, facts = probe(place), container_facts(place)
    every_s = max(look.every_s, (info.duration_s or 0.0) / _MOST_LOOKS)
    watch, looks, next_s = RepeatWatch(), _Looks(tools, look.tracks), 0.0
    with VideoReader(place) as reader:
        for frame in reader:
            watch.look(frame)
            if frame.time_s >= next_s:
                looks.look(frame)
                next_s = frame.time_s + every_s - 1e-6
            yield Progress(place.name, "check", frame.time_s, info.duration_s, "s")
        problem = reader.problem
    length = Fact("duration_s", None if info.duration_s is None else round(info.duration_s, 3))
    facts = (length, *facts, *repeat_facts(watch.result()), Fact("looks", looks.n, f"one every {every_s:g} s"))
    return looks.verdict(info, facts, problem)


@dataclass(slots=True)
class _Looks:
    """What was said at every look."""

    tools: Tools
    tracks: TrackSource | None
    n: int = 0
    book: CurveBook = field(default_factory=CurveBook)
    linker: FaceLinker = field(default_factory=FaceLinker)
    scores: list[float] = field(default_factory=list)
    report: Report | None = None  # of the frame where the rules are loudest, or of the first one
    sight: Sight | None = None
    loudness: float = -1.0
    notes: dict[str, list[str]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    def look(self, frame: Frame) -> None:
        """One frame."""
        self.n += 1
        image = frame.image
        self._ask_rules(image, frame.time_s)
        faces = find_faces(self.tools, image)
        around = tuple(self.tracks.at(frame.time_s)) if self.tracks is not None else ()
        known = _named(faces, around) if self.tracks is not None else self.linker.link(faces)
        who = {one.box_xyxy_px: one for one in known}
        for judge in self.tools.judges:
            self._ask_judge(judge, ask(judge, image, faces, "video"), who, image, frame.time_s)
            if not traits_of(judge).wants_faces:
                self._ask_of_tracklets(judge, image, around, frame.time_s)

    def _ask_rules(self, image: Image, time_s: float) -> None:
        rules = self.tools.rules
        if self.report is not None and not rules.is_useful("video"):
            return
        report = rules.report_file(image, None, "video", _MOST_WINDOWS)
        if report.probability is None or report.score is None:
            self.report = self.report or report
            return
        self.scores.append(report.score)
        self.book.add(f"{rules.name}@{rules.version}", None, time_s, report.probability)
        if self.report is None or self.report.score is None or report.score > self.report.score:
            self.report = report
        self._keep_sight(image, report.heat_map, report.probability, time_s)

    def _ask_judge(
        self, judge: PictureJudge, asked: Asked, who: dict[BoxXYXY, Seen], image: Image, time_s: float
    ) -> None:
        key, said = asked.evidence.key, asked.evidence
        if said.probability is None:
            self.refusals[key] = said.refusal or NOTHING_CALIBRATED
            return
        self.notes.setdefault(key, []).extend(said.caveats)
        self.book.add(key, None, time_s, said.probability)
        for box, probability in asked.faces:
            seen = who.get(box)
            if seen is not None:
                self.book.add(key, seen, time_s, probability)
        self._keep_sight(image, asked.heat_map, said.probability, time_s)

    def _ask_of_tracklets(self, judge: PictureJudge, image: Image, around: Sequence[Seen], time_s: float) -> None:
        crops = [(one, cut_to_judge(image, one.box_xyxy_px, is_face=False)[0]) for one in around]
        least = max(_LEAST_CROP_PX, traits_of(judge).smallest_px)
        large = [(one, crop) for one, crop in crops if min(crop.shape[:2]) >= least]
        if not large:
            return
        key = f"{judge.name}@{judge.version}"
        for (one, _), said in zip(large, judge.judge([crop for _, crop in large]), strict=True):
            self.book.add(key, one, time_s, said.probability)

    def _keep_sight(self, image: Image, heat: FloatArray | None, probability: float, time_s: float) -> None:
        if heat is None or probability <= self.loudness:
            return
        shape = heat.shape[0], heat.shape[1]
        self.loudness, self.sight = probability, Sight(shrunk(image, shape).copy(), fit_map(heat, shape), time_s)

    def verdict(self, info: VideoInfo, facts: tuple[Fact, ...], problem: str | None) -> Verdict:
        """All looks together."""
        curves = self.book.curves()
        evidence, votes = list(self._rule_part()), []
        if self.scores and self.report is not None:
            mean = self.tools.rules.mean_probability(self.scores, "video")
            r = self.report
            votes.append(Vote(mean, r.threshold, r.stated_false_alarms, r.found_share, r.tested_on))
        for judge in self.tools.judges:
            said, vote = self._judge_part(judge, curves)
            evidence.append(said)
            votes += [] if vote is None else [vote]
        best = loudest(votes)
        reason = None if self.report is None else self.report.reason
        return Verdict(
            file=info.path,
            kind="video",
            status=status_of(best),
            probability=None if best is None else best.probability,
            threshold=None if best is None else best.threshold,
            false_alarm_rate=None if best is None else best.false_alarm_rate,
            found_share=None if best is None else best.found_share,
            tested_on=None if best is None else best.tested_on,
            evidence=tuple(evidence),
            outside_reasons=self._outside(info),
            reason=None if best is not None else reason or NOTHING_CALIBRATED,
            curves=curves,
            facts=facts,
            provenance=read_provenance(info.path),
            mark=mark_fact(read_video_mark(info.path)),
            sight=self.sight,
            problem=problem,
        )

    def _rule_part(self) -> tuple[Evidence, ...]:
        if self.report is None:
            return ()
        together, *alone = rule_evidence(self.tools.rules, self.report, "the frame where they are loudest")
        if self.scores:
            mean = self.tools.rules.mean_probability(self.scores, "video")
            words = f"all rules together, the mean of {len(self.scores)} frames"
            together = replace(together, probability=mean, score=float(np.mean(self.scores)), sentence=words)
        return (together, *alone)

    def _judge_part(self, judge: PictureJudge, curves: Sequence[Curve]) -> tuple[Evidence, Vote | None]:
        """A judge of faces is as sure as of the likeliest face through its time; another as of the mean frame."""
        key = f"{judge.name}@{judge.version}"
        used = max(curves_of(judge, curves), key=lambda curve: curve.mean, default=None)
        if used is None:
            return refused_evidence(judge, self.refusals.get(key, NOTHING_CALIBRATED)), None
        what = "whole frames" if used.label == FRAMES else used.label
        looks = "look" if len(used.times_s) == 1 else "looks"
        words = f"the network's answer, the mean of {len(used.times_s)} {looks} at {what}"
        told = judge_evidence(judge, used.mean, "video", words, self.notes.get(key, ()))
        return told, vote_of(judge, used.mean, "video")

    def _outside(self, info: VideoInfo) -> tuple[str, ...]:
        reasons = [] if self.report is None else list(self.report.outside)
        if info.codec not in _TESTED_CODECS:
            reasons.insert(0, f"codec: {info.codec} was not among the tested ones ({', '.join(_TESTED_CODECS)})")
        return tuple(dict.fromkeys(reasons))


def curves_of(judge: PictureJudge, curves: Sequence[Curve]) -> list[Curve]:
    """The curves of a judge of which the highest mean is its answer: those of faces where it judges faces and some were
    linked, else that of whole frames."""
    own = [curve for curve in curves if curve.judge == f"{judge.name}@{judge.version}"]
    things = [curve for curve in own if curve.label != FRAMES] if traits_of(judge).wants_faces else []
    return things or [curve for curve in own if curve.label == FRAMES]


def _named(faces: Sequence[BoxXYXY], around: Sequence[Seen]) -> list[Seen]:
    """Faces with the tracklet they are of; those of none are left out."""
    owners = [(face, owner_of(face, around)) for face in faces]
    return [owner._replace(box_xyxy_px=face) for face, owner in owners if owner is not None]
