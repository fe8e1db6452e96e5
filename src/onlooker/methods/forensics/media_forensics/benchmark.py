"""The whole comparison: contestants x manipulations x protocols x perturbations, as rows that a report is drawn from.

Everything is seeded; a plan says how much is run, and two plans (small tiles for networks, large pictures for rules)
make the published report; `running` runs them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from onlooker.errors import ConfigError
from onlooker.evaluation.forgery import Score
from onlooker.methods.forensics.media_forensics.attacks import PGD, Differentiable, projected_gradient
from onlooker.methods.forensics.media_forensics.controls import ControlReport, control_samples
from onlooker.methods.forensics.media_forensics.perturbations import find_perturbation, perturb
from onlooker.methods.forensics.media_forensics.protocols import (
    Contestant,
    Evaluation,
    calibrate,
    draw_samples,
    evaluate,
    run_detector,
    sample_of,
)
from onlooker.methods.forensics.media_forensics.samples import Detector, Sample
from onlooker.synth.forgeries.config import CompressionConfig, ForgeryConfig
from onlooker.synth.forgeries.leaks import LeakReport, measure_leaks
from onlooker.synth.forgeries.photos import Photo
from onlooker.synth.forgeries.tiles import ForgedTiles

_SHOWN_IMAGES = ("auc", "equal_error_rate", "balanced_accuracy", "calibration_error")
_SHOWN_PIXELS = ("f1", "best_f1", "iou", "best_iou", "auc")
_SHOWN_POOLED = ("f1", "best_f1", "iou", "best_iou")
_SWEEP: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "jpeg": (100, 90, 80, 70, 60, 50),
        "blur": (3, 7, 15),
        "noise_sigma": (3, 7, 15),
        "resize": (0.78, 0.25),
        "webp": (80, 50),
        "double_jpeg_shifted": (85, 65),
        "upload": (1, 2),
    }
)


@dataclass(frozen=True)
class BenchmarkPlan:
    """How much is run.

    Attributes:
        name: of the plan, in rows.
        tiles: what is judged; kinds are the columns of the tables.
        n_train, n_validation, n_test: tiles of each.
        other_sources: name -> saves of the cross-source protocol: tested on, never trained on.
        sweep: perturbation -> levels of the robustness protocol.
        attacks: strengths of attacks on contestants that hand out their gradients, on as many tiles.
        n_swept: test tiles that are perturbed.
        leave_one_out: trained contestants are fitted anew without each kind and tested on it.
        n_resamples: of intervals.
        seed: of everything.
    """

    name: str
    tiles: ForgeryConfig = field(default_factory=ForgeryConfig)
    n_train: int = 800
    n_validation: int = 300
    n_test: int = 400
    other_sources: Mapping[str, CompressionConfig] = field(
        default_factory=lambda: MappingProxyType(
            {
                "strongly compressed": CompressionConfig(final_quality=(40, 60)),
                "never saved before": CompressionConfig(camera_share=0.0),
            }
        )
    )
    sweep: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: _SWEEP)
    attacks: tuple[float, ...] = (1, 2, 4)
    n_swept: int = 120
    leave_one_out: bool = True
    n_resamples: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.n_train, self.n_validation, self.n_test, self.n_swept, self.n_resamples) < 1:
            raise ConfigError(f"every number of a plan is at least 1, got {self}")
        for name, levels in self.sweep.items():
            unknown = set(levels) - set(find_perturbation(name).levels)
            if unknown:
                raise ConfigError(f"`{name}` has no levels {sorted(unknown)}, only {find_perturbation(name).levels}")

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(name for name, weight in self.tiles.kinds.items() if weight > 0)


@dataclass(frozen=True)
class Row:
    """One number of the report. `level` is `None` outside of sweeps; `low` and `high` bound 95 percent, where they were
    made; `refused` of `n_samples` were refused."""

    plan: str
    protocol: str
    detector: str
    trained_on: str
    tested_on: str
    perturbation: str | None
    level: float | None
    metric: str
    value: float
    low: float | None
    high: float | None
    note: str | None
    n_samples: int
    refused: int


@dataclass(frozen=True)
class BenchmarkReport:
    """Everything that was measured.

    Attributes:
        plan: what was asked for.
        rows: the numbers.
        leaks: what the data gives away without looking.
        controls: detector -> the control of `controls.py`.
        refusals: detector -> reason -> how often, over all protocols.
        failures: detector -> what it is known to get wrong.
        shown: test samples with what each detector said, for pictures of the report.
        seconds: contestant -> time for fitting and judging; "data" for tiles.
    """

    plan: BenchmarkPlan
    rows: tuple[Row, ...]
    leaks: LeakReport
    controls: Mapping[str, ControlReport]
    refusals: Mapping[str, Mapping[str, int]]
    failures: Mapping[str, str]
    shown: tuple[tuple[Sample, Mapping[str, object]], ...]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class PlanData:
    """Samples of a plan, drawn once for all contestants."""

    train: list[Sample]
    validation: list[Sample]
    test: list[Sample]
    others: Mapping[str, list[Sample]]
    swept: Mapping[tuple[str, float], list[Sample]]
    control: tuple[list[Sample], list[Sample]]
    leaks: LeakReport


def draw(plan: BenchmarkPlan, photos: Sequence[Photo] | None) -> PlanData:
    """All samples of a plan."""
    train_tiles = ForgedTiles(plan.tiles, plan.seed, "train", photos)
    test_tiles = ForgedTiles(plan.tiles, plan.seed, "test", photos)
    trained_on = [train_tiles[k] for k in range(plan.n_train)]
    tested_on = [test_tiles[k] for k in range(plan.n_test)]
    test = [sample_of(tile) for tile in tested_on]
    return PlanData(
        [sample_of(tile) for tile in trained_on],
        draw_samples(plan.tiles, plan.seed, "validation", plan.n_validation, photos),
        test,
        {
            name: draw_samples(replace(plan.tiles, compression=saves), plan.seed, "test", plan.n_swept, photos)
            for name, saves in plan.other_sources.items()
        },
        {
            (name, level): [perturb(s, find_perturbation(name), level, k) for k, s in enumerate(test[: plan.n_swept])]
            for name, levels in plan.sweep.items()
            for level in levels
        },
        control_samples(plan.tiles.size_px, plan.n_swept, plan.seed, photos),
        measure_leaks(trained_on, tested_on),
    )


class Book:
    """Rows and reasons of one contestant."""

    def __init__(self, plan: BenchmarkPlan, detector: str) -> None:
        self.plan, self.detector = plan, detector
        self.rows: list[Row] = []
        self.reasons: dict[str, int] = {}

    def judge(self, contestant: Contestant, detector: Detector, data: PlanData) -> None:
        """Fills the book with all protocols."""
        everything = "/".join(self.plan.kinds) if contestant.is_trained else "nothing"
        calibration = calibrate(run_detector(detector, data.validation))
        outcomes = run_detector(detector, data.test)
        self._add("within", everything, "all kinds", None, evaluate(outcomes, calibration, self.plan.n_resamples))
        for kind in self.plan.kinds:
            own = [one for one in outcomes if one.sample.manipulation in (kind, "authentic")]
            self._add("within", everything, kind, None, evaluate(own, calibration, self.plan.n_resamples))
        if contestant.is_trained and self.plan.leave_one_out and len(self.plan.kinds) > 1:
            self._leave_out(contestant, data)
        for name, samples in data.others.items():
            found = evaluate(run_detector(detector, samples), calibration, self.plan.n_resamples)
            self._add("cross-source", everything, name, None, found)
        for (name, level), samples in data.swept.items():
            found = evaluate(run_detector(detector, samples), calibration, self.plan.n_resamples)
            self._add("robustness", everything, "all kinds", (name, level), found)
        if isinstance(detector, Differentiable):
            for strength in self.plan.attacks:
                hit = projected_gradient(detector, data.test[: self.plan.n_swept], strength, seed=self.plan.seed)
                found = evaluate(run_detector(detector, hit), calibration, self.plan.n_resamples)
                self._add("robustness", everything, "all kinds", (PGD, strength), found)

    def _leave_out(self, contestant: Contestant, data: PlanData) -> None:
        for kind in self.plan.kinds:
            known = [s for s in data.train if s.manipulation != kind]
            detector = contestant.fit(known, self.plan.seed)
            tested = [s for s in data.test if s.manipulation in (kind, "authentic")]
            without = "/".join(other for other in self.plan.kinds if other != kind)
            found = evaluate(run_detector(detector, tested), None, self.plan.n_resamples)
            self._add("cross-manipulation", without, kind, None, found)

    def _add(
        self, protocol: str, trained_on: str, tested_on: str, change: tuple[str, float] | None, found: Evaluation
    ) -> None:
        for reason, count in found.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        scores: dict[str, Score] = {
            f"image {name}": found.images[name] for name in _SHOWN_IMAGES if name in found.images
        }
        if found.pixels is not None:
            scores |= {f"pixel {name}": found.pixels.tampered[name] for name in _SHOWN_PIXELS}
            for name in _SHOWN_POOLED:
                scores[f"pixel {name}, all pictures pooled"] = found.pixels.pooled[name]
            scores["pixels accused on authentic"] = found.pixels.authentic["false_alarm_pixels"]
        for metric, score in scores.items():
            bounds = (
                (found.auc.low, found.auc.high) if metric == "image auc" and found.auc is not None else (None, None)
            )
            self.rows.append(
                Row(
                    self.plan.name, protocol, self.detector, trained_on, tested_on,
                    change[0] if change else None, change[1] if change else None,
                    metric, score.value, bounds[0], bounds[1], score.note, found.n_samples, found.n_refused,
                )
            )  # fmt: skip


def picked(samples: Sequence[Sample], kinds: Sequence[str], count: int) -> list[Sample]:
    """Samples of all kinds in turn, authentic ones among them."""
    wanted = [*kinds, "authentic"]
    by_kind = {kind: [s for s in samples if s.manipulation == kind] for kind in wanted}
    rounds = [by_kind[kind][k] for k in range(count) for kind in wanted if k < len(by_kind[kind])]
    return rounds[:count]


def area_under_sweep(rows: Sequence[Row], detector: str, perturbation: str, metric: str = "image auc") -> float | None:
    """Mean of a metric over the levels of a perturbation, each level alike; `None` where none is defined."""
    values = [
        row.value
        for row in rows
        if (row.protocol, row.detector, row.perturbation, row.metric) == ("robustness", detector, perturbation, metric)
    ]
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else None
