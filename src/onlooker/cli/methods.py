"""Commands about the methods from papers: methods, papers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.options import AsJson, emit, emit_json, emit_table, note

if TYPE_CHECKING:
    from onlooker.catalogue import MethodEntry
    from onlooker.evaluation.claim_runs import ClaimResult
    from onlooker.papers import ClaimStatus, ConfigSize

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A name from `onlooker methods`.")]
_Family = Annotated[str | None, typer.Option("--family", "-f", help="Only this family, like encoders.")]
_VERDICTS = {True: "holds", False: "FAILS", None: "too few seeds"}


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    methods = typer.Typer(
        invoke_without_command=True, rich_markup_mode=None, help="The methods from papers that can be built."
    )
    methods.callback()(methods_list)
    methods.command("show")(methods_show)
    papers = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Papers, their claims, what was measured.")
    papers.command("list")(papers_list)
    papers.command("show")(papers_show)
    papers.command("run")(papers_run)
    app.add_typer(methods, name="methods")
    app.add_typer(papers, name="papers")


# -- methods ----------------------------------------------------------------------------------------------------


def methods_list(context: typer.Context, family: _Family = None, as_json: AsJson = False) -> None:
    """List the methods from papers."""
    if context.invoked_subcommand is not None:
        return
    from onlooker.catalogue import list_methods

    rows = list_methods(family)
    if as_json:
        emit_json([dataclasses.asdict(row) for row in rows])
    else:
        columns = ("name", "family", "stability", "what it does")
        emit_table(columns, [(row.name, row.family, row.stability, row.summary) for row in rows])


def methods_show(name: _Name, as_json: AsJson = False) -> None:
    """Show one method: paper, configurations with their sizes, recipes, claims."""
    from onlooker.catalogue import find_method
    from onlooker.papers import claims_of, recipes_of, sizes_of

    row, sizes, recipes, claims = find_method(name), sizes_of(name), recipes_of(name), claims_of(name)
    if as_json:
        said = {"recipes": recipes, "claims": [_claim_json(status) for status in claims]}
        emit_json({**dataclasses.asdict(row), "configs": [dataclasses.asdict(size) for size in sizes], **said})
        return
    emit_table(("", ""), [*_about(row), ("recipes", ", ".join(f"{name}/{recipe}" for recipe in recipes))])
    emit("")
    emit_table(("configuration", "parameters", "stated"), [_size_row(size) for size in sizes])
    emit("")
    emit_table(("claim", "measured"), [(status.claim.name, _verdict(status)) for status in claims])


def _about(row: MethodEntry) -> list[tuple[str, str]]:
    paper = row.paper
    return [
        ("name", row.name),
        ("what it does", row.summary),
        ("family", row.family),
        ("stability", row.stability),
        ("paper", f"{paper.title} ({paper.year}), {paper.identifier}"),
        ("code", f"{paper.code} ({paper.code_licence})" if paper.code else "none published"),
        ("weights", paper.weights),
        ("roles", ", ".join(row.roles)),
    ]


def _size_row(size: ConfigSize) -> tuple[str, str, str]:
    return size.config, f"{size.parameters:,}", "" if size.stated is None else f"{size.stated:,.0f}"


# -- papers -----------------------------------------------------------------------------------------------------


def papers_list(as_json: AsJson = False) -> None:
    """List the papers and how their claims fared."""
    from onlooker.papers import summarise_papers

    rows = summarise_papers()
    if as_json:
        emit_json([dataclasses.asdict(row) for row in rows])
    else:
        columns = ("name", "title", "year", "identifier", "claims run", "held", "failed")
        emit_table(columns, [(r.name, r.title, r.year, r.identifier, r.run, r.held, r.failed) for r in rows])


def papers_show(name: _Name, as_json: AsJson = False) -> None:
    """Show a paper's claims and what was measured of each."""
    from onlooker.papers import claims_of, find_paper

    paper, claims = find_paper(name).paper, claims_of(name)
    if as_json:
        emit_json({"name": name, **dataclasses.asdict(paper), "claims": [_claim_json(status) for status in claims]})
        return
    emit(f"{paper.title} ({paper.year}), {paper.identifier}")
    if not claims:
        emit("no claims are stated")
    for status in claims:
        emit(f"\n{status.claim.name}: {_verdict(status)}")
        emit(f"  {status.claim.statement}\n  here: {status.claim.setting}\n  holds when: {status.claim.gate}")
        if status.result is not None:
            _emit_scores(status.result)


def papers_run(
    name: _Name,
    claim: Annotated[
        list[str] | None, typer.Option("--claim", "-c", help="This claim only (repeatable); left out, all of them.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many seeds, from 0; left out, the claim's own.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the records.")] = Path("onlooker-claims"),
    jobs: Annotated[int, typer.Option(min=1, help="Processes that share the seeds, one thread each.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure a paper's claims here. Finished seeds are kept when it is stopped."""
    from onlooker.papers import run_claims

    chosen = None if seeds is None else range(seeds)
    results = run_claims(name, output, claim or (), chosen, jobs=jobs, progress=note)
    if as_json:
        emit_json([dataclasses.asdict(result) for result in results])
        return
    for result in results:
        emit(f"{result.claim}: {_VERDICTS[result.holds]}")
        _emit_scores(result)


def _claim_json(status: ClaimStatus) -> Mapping[str, object]:
    claim = status.claim
    texts = {key: getattr(claim, key) for key in ("name", "statement", "setting", "metric", "unit", "gate", "arms")}
    measured = None if status.result is None else dataclasses.asdict(status.result)
    return {**texts, "minutes": claim.minutes, "measured": measured, "stale": status.stale}


def _verdict(status: ClaimStatus) -> str:
    if status.result is None:
        return "not run yet"
    return _VERDICTS[status.result.holds] + (", with older code" if status.stale else "")


def _emit_scores(result: ClaimResult) -> None:
    spread = result.spread
    rows = [(arm, f"{result.mean[arm]:.4g}", f"{spread[arm]:.2g}" if arm in spread else "") for arm in result.arms]
    emit_table(("arm", f"{result.metric} ({result.unit})", "spread"), rows)
    emit(f"{len(result.runs)} seeds, {result.seconds / 60:.1f} min, {result.finished}")
