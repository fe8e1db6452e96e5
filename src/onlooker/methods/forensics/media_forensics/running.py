"""Runs plans of the benchmark, in one process or in several that share the contestants."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType

import cv2

from onlooker.errors import ConfigError
from onlooker.methods.forensics.media_forensics.benchmark import (
    BenchmarkPlan,
    BenchmarkReport,
    Book,
    PlanData,
    Row,
    draw,
    picked,
)
from onlooker.methods.forensics.media_forensics.controls import ControlReport, run_control
from onlooker.methods.forensics.media_forensics.protocols import Contestant, run_detector
from onlooker.methods.forensics.media_forensics.samples import Finding, Refusal, Sample
from onlooker.synth.forgeries.leaks import LeakReport
from onlooker.synth.forgeries.photos import Photo

Entry = tuple[BenchmarkPlan, Sequence[Contestant]]


def run_benchmark(
    plan: BenchmarkPlan,
    contestants: Sequence[Contestant],
    photos: Sequence[Photo] | None = None,
    *,
    n_shown: int = 8,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> BenchmarkReport:
    """One plan; see `run_benchmarks`."""
    return run_benchmarks([(plan, contestants)], photos, n_shown=n_shown, jobs=jobs, progress=progress)[0]


def run_benchmarks(
    entries: Sequence[Entry],
    photos: Sequence[Photo] | None = None,
    *,
    n_shown: int = 8,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> list[BenchmarkReport]:
    """Runs plans.

    Args:
        entries: plans, each with who takes part; names of a plan's contestants differ.
        photos: `None` reads `photo_sources()`.
        n_shown: test samples kept with what was said of them.
        jobs: processes that share the contestants of all plans in their order, one thread each. Each draws the data for
            itself, and contestants must then be picklable. Numbers are those of one process.
        progress: called with a line per step.

    Raises:
        ConfigError: two contestants of one name, or none.
        MissingExtraError: too few photos.
    """
    for _, contestants in entries:
        names = [one.name for one in contestants]
        if not names or len(set(names)) != len(names) or jobs < 1:
            raise ConfigError(f"contestants have names of their own and jobs are 1 or more, got {names} and {jobs}")
    plans = [plan for plan, _ in entries]
    tasks = [(k, one) for k, (_, contestants) in enumerate(entries) for one in contestants]
    judged: dict[tuple[int, str], _Judged] = {}

    def note(k: int, name: str, one: _Judged) -> None:
        judged[k, name] = one
        progress(f"{plans[k].name}: {name} in {one.seconds:.0f} s")

    if jobs == 1:
        bench = _Bench(plans, photos)
        for k, contestant in tasks:
            note(k, contestant.name, bench.judge(k, contestant, n_shown))
    else:
        with ProcessPoolExecutor(jobs, get_context("spawn"), _set_up, (plans, photos)) as pool:
            sent = {pool.submit(_judge_here, k, one, n_shown): (k, one.name) for k, one in tasks}
            for future in as_completed(sent):
                note(*sent[future], future.result())
    return [
        _report(plan, {one.name: judged[k, one.name] for one in contestants})
        for k, (plan, contestants) in enumerate(entries)
    ]


@dataclass(frozen=True)
class _Judged:
    """All of one contestant, with what it says of the samples that are shown, and what all of a plan share."""

    rows: list[Row]
    control: ControlReport
    reasons: dict[str, int]
    known_failures: str
    said: list[Finding | Refusal]
    seconds: float
    shown: list[Sample]
    leaks: LeakReport
    data_seconds: float


class _Bench:
    """Plans with their data, drawn when first needed."""

    def __init__(self, plans: Sequence[BenchmarkPlan], photos: Sequence[Photo] | None) -> None:
        self._plans, self._photos = plans, photos
        self._drawn: dict[int, tuple[PlanData, float]] = {}

    def judge(self, k: int, contestant: Contestant, n_shown: int) -> _Judged:
        """A contestant in plan k."""
        plan = self._plans[k]
        data, data_seconds = self._data(k)
        begun = time.perf_counter()
        detector = contestant.fit(data.train, plan.seed)
        book = Book(plan, contestant.name)
        book.judge(contestant, detector, data)
        control = run_control(detector, *data.control, plan.seed)
        shown = picked(data.test, plan.kinds, n_shown)
        said = [one.said for one in run_detector(detector, shown)]
        seconds = time.perf_counter() - begun
        return _Judged(
            book.rows, control, book.reasons, detector.known_failures, said, seconds, shown, data.leaks, data_seconds
        )

    def _data(self, k: int) -> tuple[PlanData, float]:
        if k not in self._drawn:
            begun = time.perf_counter()
            data = draw(self._plans[k], self._photos)
            self._drawn[k] = data, time.perf_counter() - begun
        return self._drawn[k]


def _report(plan: BenchmarkPlan, judged: dict[str, _Judged]) -> BenchmarkReport:
    first = next(iter(judged.values()))
    return BenchmarkReport(
        plan,
        tuple(row for one in judged.values() for row in one.rows),
        first.leaks,
        {name: one.control for name, one in judged.items()},
        {name: one.reasons for name, one in judged.items()},
        {name: one.known_failures for name, one in judged.items()},
        tuple((sample, {name: one.said[k] for name, one in judged.items()}) for k, sample in enumerate(first.shown)),
        {"data": first.data_seconds} | {name: one.seconds for name, one in judged.items()},
    )


_here: list[_Bench] = []
"""In a process of a pool: its bench."""


def _set_up(plans: Sequence[BenchmarkPlan], photos: Sequence[Photo] | None) -> None:
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _here.append(_Bench(plans, photos))


def _judge_here(k: int, contestant: Contestant, n_shown: int) -> _Judged:
    return _here[0].judge(k, contestant, n_shown)


def _read_only(values: dict[object, object]) -> MappingProxyType[object, object]:
    return MappingProxyType(values)


def _packed(mapping: MappingProxyType[object, object]) -> tuple[Callable[..., object], tuple[dict[object, object]]]:
    return _read_only, (dict(mapping),)


# Plans and findings hold read-only views of mappings, which processes cannot send to each other otherwise.
ForkingPickler.register(MappingProxyType, _packed)
