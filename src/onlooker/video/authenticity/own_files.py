"""A folder of the user's own files, each asked exactly as `verify` asks a judge, and nothing else of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import ConfigError, DecodeError, MediaError, NothingFoundError
from onlooker.types import FloatArray, Image, Judgement
from onlooker.video.authenticity.files import verify_file
from onlooker.video.authenticity.judging import Domain, FaceFinder, Reading
from onlooker.video.authenticity.pictures import Tools
from onlooker.video.authenticity.verdict import FileKind, Verdict
from onlooker.video.authenticity.videos import curves_of
from onlooker.video.ingest.job import Progress
from onlooker.weights.measured import MeasurableJudge, rescale
from onlooker.weights.verify import sha256_of

_SHOWN = 3  # files that a message names


@dataclass(frozen=True, slots=True)
class OwnFile:
    """One file, and the digest of its content."""

    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """What the network itself said of a file.

    Attributes:
        digest: of the file's content.
        kind: image or video.
        curves: probabilities of every face through its time, or of the whole; the highest mean is the answer.
    """

    digest: str
    kind: FileKind
    curves: tuple[tuple[float, ...], ...]

    def score(self, scale: float = 1.0, shift: float = 0.0) -> float:
        """The answer `verify` gives once every probability is rescaled."""
        scaled = ([rescale(one, scale, shift) for one in curve] for curve in self.curves)
        return max(sum(curve) / len(curve) for curve in scaled)


@dataclass(frozen=True, slots=True)
class Scored:
    """All files of a folder: those the judge could judge, and how many it could not, by reason."""

    files: tuple[ScoredFile, ...]
    refused: Counter[str]


def list_files(folder: Path) -> tuple[Path, ...]:
    """Every file in a folder and the folders in it, in order of their names; hidden ones are left out.

    Raises:
        MediaError: no such folder.
        NothingFoundError: there is no file in it.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise MediaError(f"`{folder}` {what}, expected a folder of pictures or videos")
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    files = tuple(path for path in found if path.is_file())
    if not files:
        raise NothingFoundError(f"there are no files in `{folder}`; give a folder of pictures or videos")
    return files


def read_digests(folder: Path, what: str) -> Generator[Progress, None, tuple[OwnFile, ...]]:
    """The files of a folder, one of each content; `what` names them in progress.

    Raises:
        MediaError, NothingFoundError: as `list_files`.
    """
    paths, found = list_files(folder), dict[str, Path]()
    for n, path in enumerate(paths):
        yield Progress(what, "read", n, len(paths), "files")
        found.setdefault(sha256_of(path), path)
    return tuple(OwnFile(path, digest) for digest, path in found.items())


def check_apart(untouched: Sequence[OwnFile], forged: Sequence[OwnFile]) -> None:
    """Refuses files that are both untouched and forged.

    Raises:
        ConfigError: the same content in both; the message names the first three.
    """
    digests = {one.digest for one in forged}
    both = [one.path.name for one in untouched if one.digest in digests]
    if both:
        names = ", ".join(f"`{name}`" for name in both[:_SHOWN]) + (", ..." if len(both) > _SHOWN else "")
        raise ConfigError(
            f"{len(both)} files are among the untouched and among the forged ones ({names}); "
            "put every file into one of the two folders"
        )


def score_files(
    files: Sequence[OwnFile], judge: MeasurableJudge, faces: FaceFinder | None, what: str
) -> Generator[Progress, None, Scored]:
    """Asks a judge about every file; what cannot be read or judged is counted with its reason. `what` names the files
    in progress."""
    raw = _Raw(judge)
    tools, found, refused = Tools(_NoRules(), (raw,), faces), list[ScoredFile](), Counter[str]()
    for n, one in enumerate(files):
        step = Progress(what, "judge", n, len(files), "files", one.path.name)
        yield step
        try:
            verdict = yield from _within(verify_file(one.path, tools), step)
        except (MediaError, DecodeError):
            refused["neither a picture nor a video that can be read"] += 1
            continue
        curves = _curves(verdict, raw)
        if curves:
            found.append(ScoredFile(one.digest, verdict.kind, curves))
        else:
            refused[verdict.evidence[-1].refusal or "the judge said nothing"] += 1
    return Scored(tuple(found), refused)


def _within(steps: Generator[Progress, None, Verdict], step: Progress) -> Generator[Progress, None, Verdict]:
    """Steps inside of one file, told as the one step that the file is."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict
        yield step


def _curves(verdict: Verdict, judge: _Raw) -> tuple[tuple[float, ...], ...]:
    """Of a picture the highest probability alone: rescaling keeps it the highest."""
    if verdict.kind == "video":
        return tuple(curve.probabilities for curve in curves_of(judge, verdict.curves))
    said = verdict.evidence[-1].probability
    return () if said is None else ((said,),)


class _Raw:
    """A judge as its network says it, whatever was measured of it before."""

    def __init__(self, judge: MeasurableJudge) -> None:
        self._judge = judge
        self.name, self.version, self.need, self.smallest_px = judge.name, judge.version, judge.need, judge.smallest_px

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        return self._judge.judge_raw(images)


@dataclass(frozen=True, slots=True)
class _Nothing:
    """A report of no rules."""

    probability: float | None = None
    score: float | None = None
    threshold: float = 1.0
    stated_false_alarms: float = 1.0
    found_share: float = 0.0
    tested_on: str = ""
    readings: tuple[Reading, ...] = ()
    heat_map: FloatArray | None = None
    n_windows: int = 0
    outside: tuple[str, ...] = ()
    reason: str | None = "no rule was asked"
    jpeg_quality: int | None = None


class _NoRules:
    """Stands where rules would, and is silent: they take most of the time of a verdict."""

    name, version = "no_rules", "1"

    def report_file(
        self, image: Image, data: bytes | None, domain: Domain | None, most_windows: int | None
    ) -> _Nothing:
        del image, data, domain, most_windows
        return _Nothing()

    def is_useful(self, domain: Domain) -> bool:
        del domain
        return False

    def mean_probability(self, scores: Sequence[float], domain: Domain) -> float:
        raise AssertionError(f"no rules have no scores, got {len(scores)} of {domain}")
