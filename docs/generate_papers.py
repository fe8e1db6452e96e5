"""Writes docs/papers: one page per method and an index: `python docs/generate_papers.py [METHOD ...]`.

Pages are drawn from the catalogue, the folders of the methods, the records of claims (src/onlooker/claim_results) and
of speed (benchmarks/results/speed). Parameters are counted on networks without values and kept beside the pages in
sizes.json, so that a test that keeps pages and sources equal need not build the large ones; contract tests count them.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onlooker.catalogue import METHODS, MethodEntry
from onlooker.catalogue.toolkits import TOOLKITS, ToolkitEntry
from onlooker.evaluation.claim_runs import ClaimResult
from onlooker.papers import (
    RECIPES,
    ClaimStatus,
    ConfigSize,
    claims_of,
    find_paper,
    method_folder,
    recipes_of,
    sizes_of,
)

ROOT = Path(__file__).parents[1]
TARGET = Path(__file__).with_name("papers")
SIZES = TARGET / "sizes.json"
SPEED = ROOT / "benchmarks" / "results" / "speed"
NOTE = "<!-- made by docs/generate_papers.py; edit the method's folder and run it again -->"
INDEX_HEAD = f"""# Papers

{NOTE}

Every method here comes from a paper and has a page: what it is for, how equality with the official code was checked,
how large its configurations are, and which of the paper's claims were measured here, failures included.

"""
VERDICTS = {True: "**held**", False: "**did not hold**", None: "too few seeds"}


def render() -> dict[str, str]:
    """File name -> text, for every page."""
    sizes = json.loads(SIZES.read_text(encoding="utf-8")) if SIZES.exists() else {}
    pages = {
        f"{name}.md": page(row, [ConfigSize(**size) for size in sizes.get(name, [])]) for name, row in METHODS.items()
    }
    pages |= {f"{name}.md": toolkit_page(row) for name, row in TOOLKITS.items()}
    return {"README.md": index(), **pages}


def index() -> str:
    rows = []
    for name, row in (*METHODS.items(), *TOOLKITS.items()):
        verdicts = [None if status.result is None else status.result.holds for status in claims_of(name)]
        fared = f"{verdicts.count(True)} held, {verdicts.count(False)} not, of {len(verdicts)}"
        rows.append((f"[{name}]({name}.md)", row.family, row.paper.title, row.paper.year, fared))
    return INDEX_HEAD + table(("method", "family", "paper", "year", "claims"), rows) + "\n"


def page(row: MethodEntry, sizes: Sequence[ConfigSize]) -> str:
    claims = claims_of(row.name)
    parts = [f"# {row.name}\n\n{NOTE}\n\n{_paper(row)}"]
    parts.append(f"## What it is for\n\n{_purpose(row)}")
    parts.append(f"## Equality with the official code\n\n{_parity(row.name)}")
    parts.append(f"## Configurations\n\n{_sizes(sizes)}")
    parts.append(f"## Claims\n\n{_claims(row.name, claims)}")
    speed = SPEED / f"{row.name}.json"
    if speed.exists():
        parts.append(f"## Speed\n\n{_speed(row.name, json.loads(speed.read_text(encoding='utf-8')))}")
    parts.append(f"## Recipes\n\n{_recipes(row.name)}")
    return "\n\n".join(parts) + "\n"


def toolkit_page(row: ToolkitEntry) -> str:
    """A paper without a network: what it is for, and its claims."""
    paper, readme = row.paper, method_folder(row.name) / "README.md"
    parts = [
        f"# {row.name}\n\n{NOTE}",
        f"{paper.title}, {paper.year}, [{paper.identifier}](https://arxiv.org/abs/{paper.identifier})",
        "A toolkit: there is no network to build, no weights to load, nothing to train.",
        f"## What it is for\n\n{row.summary}. "
        f"[Use, differences from the paper, how it was checked](../../{readme.relative_to(ROOT).as_posix()}).",
        f"## Claims\n\n{_claims(row.name, claims_of(row.name))}",
    ]
    return "\n\n".join(parts) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _paper(row: MethodEntry) -> str:
    paper = row.paper
    where = (
        f"https://arxiv.org/abs/{paper.identifier}"
        if "/" not in paper.identifier
        else f"https://doi.org/{paper.identifier}"
    )
    code = f"[{paper.code}](https://github.com/{paper.code}), {paper.code_licence}" if paper.code else "none published"
    return (
        f"{paper.title}, {paper.year}, [{paper.identifier}]({where})\n\n"
        f"- official code: {code}\n- official weights: {paper.weights}\n- stability here: {row.stability}"
    )


def _purpose(row: MethodEntry) -> str:
    readme = method_folder(row.name) / "README.md"
    roles = f" In the application: {', '.join(f'`{role}`' for role in row.roles)}." if row.roles else ""
    link = f"[Use, differences from the paper, how it was checked](../../{readme.relative_to(ROOT).as_posix()})."
    return f"{row.summary}.{roles} {link}"


def _parity(name: str) -> str:
    """What the parity test compares, read off the names of its tests and their cases."""
    path = ROOT / "tests" / "parity" / f"test_parity_{name}.py"
    if not path.exists():
        return "Not compared yet."
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    tests = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    lines = [f"- {node.name.removeprefix('test_').replace('_', ' ')}{_cases(node)}" for node in tests]
    return (
        f"`tests/parity/{path.name}` holds it, at the tolerances written there, against golden tensors made with the "
        "official code or against a library's implementation:\n\n" + "\n".join(lines)
    )


def _cases(test: ast.FunctionDef) -> str:
    """Words in the lists that a test is repeated over: golden files and configurations."""
    lists = [
        call.args[1]
        for call in test.decorator_list
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.parametrize"
    ]
    texts = [node.value for cases in lists for node in ast.walk(cases) if isinstance(node, ast.Constant)]
    words = list(dict.fromkeys(f"`{text}`" for text in texts if isinstance(text, str) and text))
    return f" ({', '.join(words)})" if words else ""


def _sizes(sizes: Sequence[ConfigSize]) -> str:
    rows = []
    for size in sizes:
        apart = None if size.stated is None else f"{100 * (size.parameters - size.stated) / size.stated:+.2f} %"
        stated = None if size.stated is None else f"{size.stated:,.0f}"
        rows.append((f"`{size.config}`", f"{size.parameters:,}", stated, apart))
    return table(("configuration", "parameters", "expected from the sources", "apart"), rows)


def _claims(name: str, claims: Sequence[ClaimStatus]) -> str:
    if not claims:
        return "None stated."
    run = (
        f"`python benchmarks/claims/run.py {name}` measures them again; `onlooker papers run {name}` does so elsewhere."
    )
    return "\n\n".join([run, *(_claim(name, status) for status in claims)])


def _claim(name: str, status: ClaimStatus) -> str:
    claim, result = status.claim, status.result
    verdict = "not run yet" if result is None else VERDICTS[result.holds]
    lines = [
        f"### {claim.name}: {verdict}",
        "",
        claim.statement,
        "",
        f"- setting here: {claim.setting}",
        f"- counts as held when: {claim.gate}",
    ]
    if result is not None:
        lines += [f"- {_where(result)}", "", _scores(result)]
    return "\n".join(lines)


def _scores(result: ClaimResult) -> str:
    rows = []
    for arm in result.arms:
        spread = result.spread.get(arm)
        mean = f"{result.mean[arm]:.4g}" + ("" if spread is None else f" ± {spread:.2g}")
        rows.append((arm, mean, ", ".join(f"{run.scores[arm]:.4g}" for run in result.runs)))
    better = "higher" if result.higher_is_better else "lower"
    measure = f"{result.metric} ({result.unit}, {better} is better)"
    return table(("arm", f"{measure}, mean ± standard deviation", "seed by seed"), rows)


def _where(result: ClaimResult) -> str:
    machine, versions = result.machine, result.versions
    torch = f", torch {versions['torch']}" if "torch" in versions else ""
    return (
        f"run on {result.finished}: {len(result.runs)} seeds in {result.seconds / 60:.1f} min, "
        f"{machine['cores']} cores {machine['architecture']}, Python {machine['python']}{torch}, code `{result.code}`"
    )


def _speed(name: str, result: Mapping[str, Any]) -> str:
    """Every table the method's own script wrote; a column that only some rows have is empty in the others."""
    machine = result["machine"]
    packages = ", ".join(f"{package} {version}" for package, version in machine["packages"].items() if version)
    where = f"{machine['cpu_count']} cores {machine['architecture']}, Python {machine['python']}, {packages}"
    parts = [f"`python benchmarks/speed/run.py {name}` on {where}: {result['what']}."]
    for title, rows in result.items():
        if not isinstance(rows, list) or not rows:
            continue
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if title != "rows":
            parts.append(f"### {title.replace('_', ' ').capitalize()}")
        parts.append(table(columns, [[row.get(column) for column in columns] for row in rows]))
    return "\n\n".join(parts)


def _recipes(name: str) -> str:
    parts = []
    for recipe in recipes_of(name):
        text = (RECIPES / name / f"{recipe}.toml").read_text(encoding="utf-8").rstrip()
        parts.append(f"`onlooker train {name}/{recipe}`\n\n```toml\n{text}\n```")
    return "\n\n".join(parts) or "None yet."


def write(names: Sequence[str]) -> None:
    """Every page, with the parameters of some methods counted anew."""
    TARGET.mkdir(exist_ok=True)
    stored = json.loads(SIZES.read_text(encoding="utf-8")) if SIZES.exists() else {}
    counted = {name: [dataclasses.asdict(size) for size in sizes_of(name)] for name in names}
    sizes = {name: (stored | counted)[name] for name in METHODS if name in stored | counted}
    SIZES.write_text(json.dumps(sizes, indent=1) + "\n", encoding="utf-8")
    pages = render()
    for stale in set(TARGET.glob("*.md")) - {TARGET / name for name in pages}:
        stale.unlink()
    for name, text in pages.items():
        (TARGET / name).write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", nargs="*", help="count parameters of these only; left out, of all")
    asked = [find_paper(name).name for name in parser.parse_args().method]
    # A toolkit has no parameters: its page is drawn as all are.
    write([name for name in asked if name in METHODS] if asked else list(METHODS))


if __name__ == "__main__":
    main()
