"""Running a claim over its seeds, and the record of it: every score, mean and spread, verdict, and what was run where.

A run that is stopped keeps the seeds it has finished. A record carries the digest of the code it was made with, so that
one made with older code can be told.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError, FormatError, OnlookerError
from onlooker.evaluation.claims import Claim

JUDGED_FROM = 3  # seeds; fewer say nothing about spread
_PACKAGES = ("onlooker", "torch", "torchvision", "numpy", "scipy", "transformers", "timm", "accelerate")
_PARTIAL = ".part.json"


@dataclass(frozen=True, slots=True)
class SeedScores:
    """One seed of a claim: arm -> score, and how long it took."""

    seed: int
    scores: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The record of a claim.

    Attributes:
        method, claim: names.
        statement, setting, metric, unit, gate, arms, higher_is_better: of the claim when it was run.
        runs: one per seed, in the order of the seeds.
        mean: arm -> mean over seeds.
        spread: arm -> standard deviation over seeds (n - 1); empty for a single seed.
        holds: the verdict, or `None` with fewer than three seeds.
        code: digest of the method's folder.
        finished: day of the last seed.
        machine, versions: where it ran; no names of machines, no paths.
    """

    method: str
    claim: str
    statement: str
    setting: str
    metric: str
    unit: str
    gate: str
    arms: tuple[str, ...]
    higher_is_better: bool
    runs: tuple[SeedScores, ...]
    mean: Mapping[str, float]
    spread: Mapping[str, float]
    holds: bool | None
    code: str
    finished: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]

    @property
    def seconds(self) -> float:
        """All seeds together."""
        return sum(run.seconds for run in self.runs)


@dataclass(frozen=True, slots=True)
class ClaimPlace:
    """Where a claim's code is and where its record goes.

    Attributes:
        method: name in the catalogue.
        code: the method's folder, for the digest.
        output: folder of records; the file is `output/method/claim.json`.
    """

    method: str
    code: Path
    output: Path

    def record(self, claim: str) -> Path:
        return self.output / self.method / f"{claim}.json"

    def partial(self, claim: str, seed: int) -> Path:
        """A finished seed of a run that has not come to its end. A file each: seeds may be measured side by side."""
        return self.record(claim).with_suffix(f".{seed}{_PARTIAL}")

    def partials(self, claim: str) -> list[Path]:
        """All finished seeds of a run that has not come to its end."""
        return sorted(self.record(claim).parent.glob(f"{claim}.*{_PARTIAL}"))


def run_claim(
    claim: Claim,
    place: ClaimPlace,
    seeds: Sequence[int] | None = None,
    *,
    again: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> ClaimResult:
    """Runs the seeds that have no score yet for the code as it is, and writes the record.

    Args:
        claim: what to run.
        place: whose it is and where the record goes.
        seeds: left out, the claim's own.
        again: scores that are there count for nothing.
        progress: called with one line before and after every seed.

    Raises:
        ConfigError: the claim gave other arms than it declares, or a score that is not a finite number.
    """
    wanted = tuple(claim.seeds if seeds is None else seeds)
    if not wanted:
        raise ConfigError(f"claim `{claim.name}` needs at least one seed")
    code = code_digest(place.code)
    runs = [measure_seed(claim, place, seed, again=again, progress=progress) for seed in wanted]
    result = _result(claim, place.method, runs, code)
    _write_json(place.record(claim.name), _plain(result))
    for path in place.partials(claim.name):
        path.unlink()
    return result


def measure_seed(
    claim: Claim,
    place: ClaimPlace,
    seed: int,
    *,
    again: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> SeedScores:
    """One seed's scores: those at hand for the code as it is, else measured now and kept beside the record.

    Raises:
        ConfigError: see `run_claim`.
    """
    code, told = code_digest(place.code), f"{place.method} {claim.name} seed {seed}"
    done = {} if again else _scores_at_hand(claim, place, code)
    if seed in done:
        progress(f"{told}: at hand")
        return done[seed]
    progress(f"{told}: about {claim.minutes:g} min")
    run = _run_seed(claim, seed)
    _write_json(place.partial(claim.name, seed), {"code": code, "run": _plain(run)})
    progress(f"{told}: {_scores_line(claim, run.scores)}")
    return run


def read_result(path: Path) -> ClaimResult:
    """The record in a file.

    Raises:
        FormatError: it is no record of a claim.
    """
    try:
        return config_from_dict(ClaimResult, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, AttributeError, OnlookerError) as error:
        raise FormatError(f"`{path}` is not the record of a claim: {error}; run the claim again") from error


def read_results(folder: Path, method: str) -> dict[str, ClaimResult]:
    """Claim -> record, of one method; empty where none was run."""
    files = sorted((folder / method).glob("*.json"))
    results = [read_result(path) for path in files if not path.name.endswith(_PARTIAL)]
    return {result.claim: result for result in results}


def code_digest(folder: Path) -> str:
    """Sixteen hexadecimal digits that change when any Python file of a folder does."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _scores_at_hand(claim: Claim, place: ClaimPlace, code: str) -> dict[int, SeedScores]:
    """Scores of the same code, from a finished record or from a run that was stopped."""
    found: dict[int, SeedScores] = {}
    record = place.record(claim.name)
    if record.exists():
        result = read_result(record)
        if (result.code, result.arms) == (code, claim.arms):
            found |= {run.seed: run for run in result.runs}
    for partial in place.partials(claim.name):
        content = json.loads(partial.read_text(encoding="utf-8"))
        if content["code"] == code:
            run = config_from_dict(SeedScores, content["run"])
            found[run.seed] = run
    return found


def _run_seed(claim: Claim, seed: int) -> SeedScores:
    started = time.monotonic()
    scores = {arm: float(score) for arm, score in claim.run(seed).items()}
    seconds = round(time.monotonic() - started, 1)
    if set(scores) != set(claim.arms):
        raise ConfigError(f"claim `{claim.name}` declares the arms {claim.arms} and gave {tuple(scores)}")
    bad = [arm for arm, score in scores.items() if not math.isfinite(score)]
    if bad:
        raise ConfigError(f"claim `{claim.name}`, seed {seed}: the score of `{bad[0]}` is {scores[bad[0]]}")
    return SeedScores(seed, {arm: scores[arm] for arm in claim.arms}, seconds)


def _result(claim: Claim, method: str, runs: Sequence[SeedScores], code: str) -> ClaimResult:
    scores = {arm: [run.scores[arm] for run in runs] for arm in claim.arms}
    return ClaimResult(
        method=method,
        claim=claim.name,
        statement=claim.statement,
        setting=claim.setting,
        metric=claim.metric,
        unit=claim.unit,
        gate=claim.gate,
        arms=claim.arms,
        higher_is_better=claim.higher_is_better,
        runs=tuple(runs),
        mean={arm: statistics.fmean(values) for arm, values in scores.items()},
        spread={arm: statistics.stdev(values) for arm, values in scores.items() if len(values) > 1},
        holds=bool(claim.holds(scores)) if len(runs) >= JUDGED_FROM else None,
        code=code,
        finished=date.today().isoformat(),
        machine=this_machine(),
        versions=package_versions(),
    )


def this_machine() -> dict[str, str]:
    """What matters for time, and nothing that names the machine."""
    return {
        "cores": str(os.cpu_count() or 1),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def package_versions() -> dict[str, str]:
    """Versions of what scores may depend on, where installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _scores_line(claim: Claim, scores: Mapping[str, float]) -> str:
    return ", ".join(f"{arm} {scores[arm]:.4g}" for arm in claim.arms) + f" {claim.unit}"


def _plain(value: ClaimResult | SeedScores) -> dict[str, object]:
    return dataclasses.asdict(value)


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)
