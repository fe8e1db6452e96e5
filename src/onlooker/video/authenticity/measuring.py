"""From the scores of untouched and forged files to a threshold, its rates, and probabilities that mean something.

What is fitted (the curve from the network's probabilities to calibrated ones) and what is stated (threshold, rates) are
of different files; the digest of a file's content decides which it is for, so neither names nor scores do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from onlooker.evaluation.alarm_rates import (
    CONFIDENCE,
    alarm_bound,
    allowed_alarms,
    files_needed,
    logit,
    threshold_above,
)
from onlooker.evaluation.forgery import image_auc
from onlooker.video.authenticity.own_files import ScoredFile
from onlooker.video.authenticity.verdict import FileKind
from onlooker.weights.measured import JudgeIdentity, KindCount, Measured

_FIT_SHARE = 3  # every third file is for fitting
_FIT_LEAST = 10  # ours: files of either class that two numbers are fitted on
_STEEPEST = 50.0  # of the curve, per standard deviation of the logits
_KINDS: tuple[FileKind, ...] = ("image", "video")
_WORDS = {"image": "picture", "video": "video"}
_INSIDE = 1e-9
_USEFUL_AUC = 0.75  # ours: below, a judge is experimental
_LONGEST_NAME = 60


class _Curve(NamedTuple):
    scale: float = 1.0
    shift: float = 0.0
    n_files: int = 0


def measure(
    judge: JudgeIdentity,
    need: str,
    untouched: Sequence[ScoredFile],
    forged: Sequence[ScoredFile],
    false_alarms: float,
    names: tuple[str, str | None],
) -> tuple[Measured, tuple[str, ...]]:
    """The measurement, and notes on what was left out.

    A kind of file, pictures or videos, of which there are too few to state the rate is left out: the threshold is one
    for all kinds, and its rate holds for each of those that are left.

    Args:
        judge: which one.
        need: "face" or "crop".
        untouched, forged: what it said of files it could judge.
        false_alarms: share of untouched files that may reach the threshold.
        names: of both folders.

    Raises:
        ConfigError: too few untouched files of every kind, or too many that the judge is quite sure of.
    """
    kinds, notes = _measurable(untouched, false_alarms)
    quiet = [one for one in untouched if one.kind in kinds]
    loud = [one for one in forged if one.kind in kinds]
    curve, stated_quiet, stated_loud, why = _fit(quiet, loud, false_alarms)  # the rest is of files it never saw
    measured = _state(judge, curve, false_alarms, {kind: _of(stated_quiet, kind) for kind in kinds}, stated_loud)
    if measured.found_share is not None and measured.found_share <= measured.false_alarm_rate:
        notes = (*notes, "hardly more forged than untouched files reach the threshold: this judge tells little here")
    return replace(measured, tested_on=_tested_on(measured, need, names)), (*notes, *why)


def _state(
    judge: JudgeIdentity,
    curve: _Curve,
    false_alarms: float,
    quiet: Mapping[FileKind, Sequence[ScoredFile]],
    loud: Sequence[ScoredFile],
) -> Measured:
    """Threshold and rates, of files the curve was not fitted on; words are still missing."""
    scores = {kind: _scores(files, curve) for kind, files in quiet.items()}
    allowed = {kind: allowed_alarms(len(scores[kind]), false_alarms) for kind in scores}
    threshold = max(threshold_above(scores[kind], allowed[kind]) for kind in scores)
    counts: dict[str, KindCount] = {
        kind: KindCount(
            len(scores[kind]), int((scores[kind] >= threshold).sum()), alarm_bound(allowed[kind], len(scores[kind]))
        )
        for kind in scores
    }
    found = _scores(loud, curve)
    everything = np.concatenate([*scores.values(), found])
    labels = np.concatenate([np.zeros(len(everything) - len(found), int), np.ones(len(found), int)])
    auc = image_auc(everything, labels)
    return Measured(
        judge=judge,
        threshold=threshold,
        false_alarms_asked=false_alarms,
        confidence=CONFIDENCE,
        kinds=counts,
        tested_on="",
        n_forged=len(found),
        n_found=int((found >= threshold).sum()),
        auc=auc.value if auc.is_defined else None,
        scale=curve.scale,
        shift=curve.shift,
        n_fitted=curve.n_files,
    )


def _of(files: Sequence[ScoredFile], kind: FileKind) -> list[ScoredFile]:
    return [one for one in files if one.kind == kind]


def _measurable(untouched: Sequence[ScoredFile], false_alarms: float) -> tuple[tuple[FileKind, ...], tuple[str, ...]]:
    """Kinds of which there are enough files, and a note on each other that is there."""
    needed = files_needed(false_alarms)
    counts = {kind: sum(one.kind == kind for one in untouched) for kind in _KINDS}
    kinds = tuple(kind for kind in _KINDS if counts[kind] >= needed)
    if not kinds:
        allowed_alarms(max(counts.values()), false_alarms)  # raises, and says how many it takes
    left = [f"{n} {_plural(kind, n)}" for kind, n in counts.items() if n and kind not in kinds]
    return kinds, tuple(f"{one} were left out: a rate of their own takes {needed}" for one in left)


class _Fitted(NamedTuple):
    """The curve, the files that are left to state with, and why there is no curve, if there is none."""

    curve: _Curve
    quiet: list[ScoredFile]
    loud: list[ScoredFile]
    notes: tuple[str, ...] = ()


def _fit(quiet: list[ScoredFile], loud: list[ScoredFile], false_alarms: float) -> _Fitted:
    if not loud:
        return _Fitted(_Curve(), quiet, loud, ("without forged files nobody knows what it finds",))
    (fit_quiet, left_quiet), (fit_loud, left_loud) = _split(quiet), _split(loud)
    needed = files_needed(false_alarms)
    enough = all(sum(one.kind == kind for one in left_quiet) >= needed for kind in {one.kind for one in quiet})
    if not enough or min(len(fit_quiet), len(fit_loud)) < _FIT_LEAST:
        least = max(needed * _FIT_SHARE // (_FIT_SHARE - 1) + 1, _FIT_SHARE * _FIT_LEAST)
        why = f"probabilities were not fitted, which takes {least} untouched and {_FIT_SHARE * _FIT_LEAST} forged files"
        return _Fitted(_Curve(), quiet, loud, (why,))
    curve = fit_curve(fit_quiet, fit_loud)
    flat = "probabilities were not fitted: forged files do not get higher ones"
    return _Fitted(curve, left_quiet, left_loud, () if curve.n_files else (flat,))


def _split(files: Sequence[ScoredFile]) -> tuple[list[ScoredFile], list[ScoredFile]]:
    """Every third file of each kind in the order of digests, and the others."""
    parts: tuple[list[ScoredFile], list[ScoredFile]] = ([], [])
    for kind in _KINDS:
        ordered = sorted((one for one in files if one.kind == kind), key=lambda one: one.digest)
        for place, one in enumerate(ordered):
            parts[0 if place % _FIT_SHARE == 0 else 1].append(one)
    return parts


def fit_curve(quiet: Sequence[ScoredFile], loud: Sequence[ScoredFile]) -> _Curve:
    """Platt's logistic curve through the answers of whole files, both classes weighing the same, with his targets.

    The curve is applied to every look, and what is made likely is the answer that `verify` makes of looks, so it fits
    videos, whose answer is a mean, as well as pictures. A curve that falls is given up: a judge is never turned round.
    """
    files = [*quiet, *loud]
    target = np.array([1 / (len(quiet) + 2)] * len(quiet) + [(len(loud) + 1) / (len(loud) + 2)] * len(loud))
    weight = np.array([0.5 / len(quiet)] * len(quiet) + [0.5 / len(loud)] * len(loud))
    logits = np.array([logit(one.score()) for one in files])
    middle, spread = float(logits.mean()), float(logits.std())
    if spread < _INSIDE:
        return _Curve()

    def surprise(numbers: NDArray[np.float64]) -> float:
        scale = float(numbers[0]) / spread
        p = np.clip(_scores(files, _Curve(scale, float(numbers[1]) - scale * middle)), _INSIDE, 1 - _INSIDE)
        return float(-(weight * (target * np.log(p) + (1 - target) * np.log(1 - p))).sum())

    best = minimize(
        surprise, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.0, _STEEPEST), (-_STEEPEST, _STEEPEST)]
    )
    steepness, shift = float(best.x[0]), float(best.x[1])
    if steepness < 1e-3:
        return _Curve()
    return _Curve(steepness / spread, shift - steepness * middle / spread, len(files))


def _scores(files: Sequence[ScoredFile], curve: _Curve) -> NDArray[np.float64]:
    return np.array([one.score(curve.scale, curve.shift) for one in files], np.float64)


def _tested_on(measured: Measured, need: str, names: tuple[str, str | None]) -> str:
    """To follow "tested on"."""
    faces = " with faces" if need == "face" else ""
    parts = [
        f"{count.n_untouched} untouched {_plural(kind, count.n_untouched)}{faces} of the folder `{_name(names[0])}`, "
        f"{count.n_alarms} of which {'reaches' if count.n_alarms == 1 else 'reach'} the threshold"
        for kind, count in measured.kinds.items()
    ]
    if measured.auc is None:
        return "; ".join([*parts, "nobody measured what it finds"])
    parts.append(f"{measured.n_forged} forged files of `{_name(names[1])}`, AUC {measured.auc:.2f}")
    return "; ".join(parts) + (" (experimental)" if measured.auc < _USEFUL_AUC else "")


def _name(folder: str | None) -> str:
    return "".join(c if c.isprintable() and c != "`" else "_" for c in folder or "")[:_LONGEST_NAME]


def _plural(kind: str, n: int) -> str:
    return _WORDS[kind] if n == 1 else f"{_WORDS[kind]}s"
