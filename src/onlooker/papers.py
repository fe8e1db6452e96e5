"""What is known of each paper's method: recipes, sizes, claims, and what was measured. Joins the catalogue, the folders
and the records; prints nothing and, except where it says so, imports no method."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from onlooker.catalogue import METHODS, MethodEntry, find_method, load_definition
from onlooker.catalogue.toolkits import TOOLKITS, ToolkitEntry
from onlooker.errors import NothingFoundError, UnknownNameError
from onlooker.evaluation.claim_runs import ClaimPlace, ClaimResult, code_digest, read_results, run_claim
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
    claim: str | None = None,
    seeds: Sequence[int] | None = None,
    *,
    again: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[ClaimResult, ...]:
    """Runs one claim of a method, or all; records go to `output`. Scores that are there for this code are kept.

    Raises:
        UnknownNameError: no such method or claim.
        NothingFoundError: the method states no claims.
    """
    claims = {one.name: one for one in _stated_claims(name)}
    if not claims:
        raise NothingFoundError(f"method `{name}` states no claims")
    if claim is not None and claim not in claims:
        raise UnknownNameError(f"claim of `{name}`", claim, claims)
    place = ClaimPlace(name, method_folder(name), output)
    chosen = claims.values() if claim is None else [claims[claim]]
    return tuple(run_claim(one, place, seeds, again=again, progress=progress) for one in chosen)


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
