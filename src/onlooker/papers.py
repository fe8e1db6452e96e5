"""What is known of each paper's method: recipes, sizes, claims, and what was measured. Joins the catalogue, the folders
and the records; prints nothing and, except where it says so, imports no method."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from onlooker.catalogue import METHODS, MethodEntry, find_method, load_definition
from onlooker.catalogue.toolkits import TOOLKITS, ToolkitEntry
from onlooker.errors import NothingFoundError, UnknownNameError
from onlooker.evaluation.claim_runs import ClaimPlace, ClaimResult, code_digest, measure_seed, read_results, run_claim
from onlooker.evaluation.claims import Claim

PACKAGE = Path(__file__).parent
RECORDS = PACKAGE / "claim_results"
RECIPES = PACKAGE / "recipes"


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """A claim and its record.

    Attributes:
        claim: as the folder states it now.
        result: `None` when it was never run to its end.
        stale: the record was made with other code than the folder holds now.
    """

    claim: Claim
    result: ClaimResult | None
    stale: bool


@dataclass(frozen=True, slots=True)
class PaperSummary:
    """One row of `onlooker papers list`: `run`, `held` and `failed` count records of claims; what is run and neither
    held nor failed had too few seeds."""

    name: str
    title: str
    identifier: str
    year: int
    run: int
    held: int
    failed: int


def find_paper(name: str) -> MethodEntry | ToolkitEntry:
    """The row of a method or toolkit.

    Raises:
        UnknownNameError: no such row; the message names the nearest.
    """
    if name in TOOLKITS:
        return TOOLKITS[name]
    if name not in METHODS:
        raise UnknownNameError("method", name, [*METHODS, *TOOLKITS])
    return METHODS[name]


def method_folder(name: str) -> Path:
    """Where the code of a method or toolkit is."""
    return PACKAGE / "methods" / find_paper(name).family / name


def recipes_of(name: str) -> tuple[str, ...]:
    """Names of a method's recipes."""
    return tuple(path.stem for path in sorted((RECIPES / find_method(name).name).glob("*.toml")))


def summarise_papers() -> tuple[PaperSummary, ...]:
    """Every paper with how its claims fared."""
    rows = []
    listed: list[MethodEntry | ToolkitEntry] = [*METHODS.values(), *TOOLKITS.values()]
    for row in listed:
        verdicts = [result.holds for result in read_results(RECORDS, row.name).values()]
        held, failed = verdicts.count(True), verdicts.count(False)
        paper = row.paper
        rows.append(PaperSummary(row.name, paper.title, paper.identifier, paper.year, len(verdicts), held, failed))
    return tuple(rows)


def claims_of(name: str, records: Path = RECORDS) -> tuple[ClaimStatus, ...]:
    """Every claim of a method with its record. Imports the method.

    Raises:
        UnknownNameError: no such method.
        FormatError: a record that cannot be read.
    """
    results = read_results(records, find_paper(name).name)
    code = code_digest(method_folder(name))
    found = [(claim, results.get(claim.name)) for claim in _stated_claims(name)]
    return tuple(
        ClaimStatus(claim, result, stale=result is not None and result.code != code) for claim, result in found
    )


def _stated_claims(name: str) -> tuple[Claim, ...]:
    """The claims of a method or toolkit, by importing it."""
    row = find_paper(name)
    if isinstance(row, MethodEntry):
        return load_definition(name).claims()
    module, _, attribute = row.claims.partition(":")
    found: tuple[Claim, ...] = getattr(importlib.import_module(module), attribute)
    return found


def run_claims(
    name: str,
    output: Path,
    only: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    *,
    again: bool = False,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[ClaimResult, ...]:
    """Runs claims of a method; records go to `output`. Scores that are there for this code are kept.

    Seed after seed, all claims of a seed together: they share the networks that they train.

    Args:
        name, only, seeds: what to run; left out, all claims, and each claim's own seeds.
        output: folder of records.
        again: scores that are there count for nothing.
        jobs: processes that share the seeds; with more than one, each has one thread.
        progress: called with one line before and after every seed.

    Raises:
        UnknownNameError: no such method or claim.
        NothingFoundError: the method states no claims.
    """
    claims = {one.name: one for one in _stated_claims(name)}
    if not claims:
        raise NothingFoundError(f"method `{name}` states no claims")
    for asked in only:
        if asked not in claims:
            raise UnknownNameError(f"claim of `{name}`", asked, claims)
    place = ClaimPlace(name, method_folder(name), output)
    chosen = [claims[asked] for asked in only or claims]
    wanted = {one.name: tuple(one.seeds if seeds is None else seeds) for one in chosen}
    measure = functools.partial(_measure_seed, place, wanted, again)
    every_seed = sorted({seed for asked in wanted.values() for seed in asked})
    if jobs == 1:
        for seed in every_seed:
            measure(progress, seed)
    else:
        with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_one_thread) as pool:
            # Lines of the other processes go to their standard error: a function of the caller's cannot be sent there.
            list(pool.map(functools.partial(measure, _to_stderr), every_seed))
    return tuple(run_claim(one, place, wanted[one.name], progress=progress) for one in chosen)


def _measure_seed(
    place: ClaimPlace,
    wanted: Mapping[str, Sequence[int]],
    again: bool,
    progress: Callable[[str], None],
    seed: int,
) -> None:
    for claim in _stated_claims(place.method):
        if seed in wanted.get(claim.name, ()):
            measure_seed(claim, place, seed, again=again, progress=progress)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class ConfigSize:
    """A configuration and its parameters: counted here, and stated by the paper or its code where they state it."""

    config: str
    parameters: int
    stated: float | None


def sizes_of(name: str) -> tuple[ConfigSize, ...]:
    """Every configuration with its parameters, counted on networks without values. Imports the method.

    Raises:
        UnknownNameError: no such method.
    """
    import torch

    definition = load_definition(name)
    sizes = []
    for config in definition.configs:
        with torch.device("meta"):
            network = definition.build(definition.resolve(config))
        counted = sum(parameter.numel() for parameter in network.parameters())
        sizes.append(ConfigSize(config, counted, definition.parameter_counts.get(config)))
    return tuple(sizes)
