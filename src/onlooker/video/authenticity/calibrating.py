"""What a judge with weights of the user's own is worth on files of the user's own: `onlooker calibrate`."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onlooker.configs import config_to_dict, real_number
from onlooker.errors import ConfigError, NothingFoundError, WeightsError
from onlooker.evaluation.alarm_rates import CONFIDENCE, best_rate, files_needed
from onlooker.steps import run_out
from onlooker.video.authenticity.judging import PictureJudge
from onlooker.video.authenticity.measuring import measure
from onlooker.video.authenticity.own_files import OwnFile, Scored, check_apart, read_digests, score_files
from onlooker.video.authenticity.tools import JudgeChoice, make_tools
from onlooker.video.ingest.job import Progress
from onlooker.weights.measured import CALIBRATION_FILE, MeasurableJudge, Measured, Standing, write_measured
from onlooker.weights.verify import sha256_of

_OWN = ("threshold", "calibration")  # options of a judge that a calibration replaces


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """What to measure.

    Attributes:
        judge: which one, with its weights.
        untouched: a folder of files nobody manipulated.
        forged: a folder of forged ones; `None` where there are none.
        false_alarms: share of untouched files that may reach the threshold.
        output: the file to write; left out, `calibration.json` beside the weights.
        device: where the judge runs.

    Raises:
        ConfigError: a share out of range, or an option that a calibration replaces.
    """

    judge: JudgeChoice
    untouched: Path
    forged: Path | None = None
    false_alarms: float = 0.05
    output: Path | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        real_number("false_alarms", self.false_alarms, 0.001, 0.5)
        for name in _OWN:
            if name in self.judge.options:
                raise ConfigError(f"leave `{name}` out of the judge: a calibration sets it; `--output` names its file")


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What came out.

    Attributes:
        measured: what was written.
        file: where.
        kept: where what was there before went, if anything was.
        notes: what a reader must know: files that could not be judged, what could not be fitted and why.
    """

    measured: Measured
    file: Path
    kept: Path | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON: the measurement with what follows from it, where it went, and the notes."""
        return {
            **config_to_dict(self.measured),
            "false_alarm_rate": self.measured.false_alarm_rate,
            "found_share": self.measured.found_share,
            "file": str(self.file),
            "kept": None if self.kept is None else str(self.kept),
            "notes": list(self.notes),
        }


def calibrate_steps(request: CalibrationRequest) -> Generator[Progress, None, CalibrationReport]:
    """Measures a judge and writes the calibration; yields progress.

    Raises:
        ConfigError: the judge cannot be measured, there are too few files, or the same ones in both folders.
        MediaError: a folder is not there.
        NothingFoundError: a folder is empty, or none of its untouched files could be judged.
        WeightsError: weights are missing, do not fit, or changed meanwhile.
    """
    untouched = yield from read_digests(request.untouched, "untouched files")
    forged: tuple[OwnFile, ...] = ()
    if request.forged is not None:
        forged = yield from read_digests(request.forged, "forged files")
        check_apart(untouched, forged)
    _check_enough(len(untouched), request, "there are")
    tools = make_tools([request.judge], request.device)
    judge, target = _judge_and_target(request, tools.judges[0])
    quiet = yield from score_files(untouched, judge, tools.faces, "untouched files")
    if not quiet.files:
        raise NothingFoundError(_nothing_judged(quiet, request.untouched))
    most = max(sum(one.kind == kind for one in quiet.files) for kind in ("image", "video"))
    _check_enough(most, request, _judged_words(quiet))
    loud = yield from score_files(forged, judge, tools.faces, "forged files")
    names = (request.untouched.resolve().name, None if request.forged is None else request.forged.resolve().name)
    measured, notes = measure(judge.standing.judge, judge.need, quiet.files, loud.files, request.false_alarms, names)
    if sha256_of(judge.standing.weights) != judge.standing.judge.weights_sha256:
        raise WeightsError(f"`{judge.standing.weights}` changed while it was measured; run `onlooker calibrate` again")
    kept = write_measured(target, measured, judge.temperature)
    notes = (*_refusals(quiet, "untouched"), *_refusals(loud, "forged"), *notes)
    return CalibrationReport(measured, target, kept, notes)


def calibrate(request: CalibrationRequest) -> CalibrationReport:
    """The same from end to end, for who needs no progress."""
    return run_out(calibrate_steps(request))


def _judge_and_target(request: CalibrationRequest, judge: PictureJudge) -> tuple[MeasurableJudge, Path]:
    """The judge, and the file to write, which is known to be writable before hours are spent."""
    if not isinstance(judge, MeasurableJudge):
        raise ConfigError(
            f"the judge `{judge.name}` keeps no calibration: it offers no `judge_raw` and `standing`; "
            "m2tr and objectformer do"
        )
    target = request.output or _beside(judge.standing, str(request.judge.options["weights"]))
    if target.is_dir():
        raise ConfigError(f"`{target}` is a folder; give the name of a file")
    place = next(one for one in (target.absolute().parent, *target.absolute().parents) if one.exists())
    if not os.access(place, os.W_OK):
        raise ConfigError(f"`{place}` cannot be written to; name another place with `--output`")
    return judge, target


def _beside(standing: Standing, weights: str) -> Path:
    if not Path(weights).expanduser().exists():
        raise ConfigError(
            f"the weights `{weights}` are from the hub: name a file with `--output` and give it to the judge as "
            "`calibration=FILE`"
        )
    return standing.weights.parent / CALIBRATION_FILE


def _check_enough(n_files: int, request: CalibrationRequest, words: str) -> None:
    needed = files_needed(request.false_alarms)
    if n_files >= needed:
        return
    lowest = best_rate(n_files)
    way = f", or ask for `--false-alarms {lowest + 0.005:.2f}`" if lowest + 0.005 <= 0.5 else ""
    raise ConfigError(
        f"a false alarm rate of {request.false_alarms:g} can be stated from {needed} different untouched pictures (or "
        f"{needed} videos) on, with {100 * CONFIDENCE:.0f} percent confidence; {words} {n_files} in "
        f"`{request.untouched}`: add {needed - n_files}{way}"
    )


def _judged_words(scored: Scored) -> str:
    n_refused = sum(scored.refused.values())
    return "of the more frequent kind there are" if not n_refused else f"{n_refused} could not be judged, there are"


def _nothing_judged(scored: Scored, folder: Path) -> str:
    why = "; ".join(f"{n}: {reason}" for reason, n in scored.refused.most_common(3))
    return f"none of the untouched files in `{folder}` could be judged ({why})"


def _refusals(scored: Scored, what: str) -> Sequence[str]:
    return [f"{n} {what} files were left out: {reason}" for reason, n in scored.refused.most_common()]
