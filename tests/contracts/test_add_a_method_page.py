"""The page on adding a method, followed to the letter in a copy of the repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "add-a-method.md"
COPIED = ("pyproject.toml", "src/onlooker", "tests/contracts", "benchmarks/claims", "docs/generate_papers.py")
_FENCE = re.compile(r"^(`{3,})(\w*)[^\n]*\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^### `([^`]+)`$", re.MULTILINE)
_NAME = "attention_mil"


def files_of(page: str) -> dict[str, str]:
    """Path below src/ -> text of the first block below its heading."""
    found = {}
    for heading in _FILE.finditer(page):
        block = _FENCE.search(page, heading.end())
        assert block is not None
        found[heading[1]] = block[3]
    return found


def block_after(page: str, heading: str) -> str:
    block = _FENCE.search(page, page.index(heading))
    assert block is not None
    return block[3]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with the method that the page adds."""
    root = tmp_path_factory.mktemp("repository")
    for name in COPIED:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "test_add_a_method_page.py"))
        else:
            shutil.copy(source, target)
    page = PAGE.read_text(encoding="utf-8")
    for name, text in files_of(page).items():
        path = root / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    add_row(root / "src" / "onlooker" / "catalogue" / "methods.py", block_after(page, "## The row"))
    return root


def add_row(table: Path, row: str) -> None:
    """Where the page says: after the last row of its family, with a comma behind it."""
    row = textwrap.indent(row.rstrip() + ",\n", "    ")
    text = table.read_text(encoding="utf-8")
    rows = text[: text.index("METHODS: Mapping")]
    last = rows.rfind('        family="encoders",')
    if last < 0:
        text = text.replace("_ROWS: tuple[MethodEntry, ...] = ()", f"_ROWS: tuple[MethodEntry, ...] = (\n{row})")
    else:
        end = text.index("\n    ),\n", last) + len("\n    ),\n")
        text = text[:end] + row + text[end:]
    table.write_text(text, encoding="utf-8")


def run(repository: Path, command: str) -> str:
    words = command.split()
    if words[0] == "onlooker":
        words = ["python", "-m", "onlooker", *words[1:]]
    assert words[0] == "python"
    environment = {**os.environ, "PYTHONPATH": str(repository / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *words[1:]], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"`{command}`\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def test_the_page_gives_the_whole_folder_and_two_recipes() -> None:
    folder = f"onlooker/methods/encoders/{_NAME}"
    files = {"__init__.py", "config.py", "model.py", "task.py", "weights.py", "claims.py", "README.md"}
    recipes = {f"onlooker/recipes/{_NAME}/{recipe}.toml" for recipe in ("paper", "tiny")}
    assert set(files_of(PAGE.read_text(encoding="utf-8"))) == {f"{folder}/{file}" for file in files} | recipes


@pytest.mark.slow
def test_the_page_followed_to_the_letter_gives_a_method_that_is_checked_trained_and_measured(repository: Path) -> None:
    commands = block_after(PAGE.read_text(encoding="utf-8"), "## Check, train, measure").splitlines()
    said = {command.split(_NAME)[0].strip(): run(repository, command) for command in commands}
    contracts, *others = said.values()
    passed = re.search(r"(\d+) passed", contracts)
    assert passed is not None, contracts
    assert int(passed[1]) >= 40
    assert "failed" not in contracts
    assert "attention_beats_mean: holds" in others[1]
    result = json.loads((repository / "runs" / _NAME / "result.json").read_text())
    assert result["metric"]["value"] > 0.9
    page = (repository / "docs" / "papers" / f"{_NAME}.md").read_text(encoding="utf-8")
    assert "### attention_beats_mean: **held**" in page
    assert "| `paper` | 457,257 | 457,257 | +0.00 % |" in page
    index = (repository / "docs" / "papers" / "README.md").read_text(encoding="utf-8")
    assert f"[{_NAME}]({_NAME}.md)" in index


@pytest.mark.slow
def test_the_use_in_its_readme_runs(repository: Path) -> None:
    readme = files_of(PAGE.read_text(encoding="utf-8"))[f"onlooker/methods/encoders/{_NAME}/README.md"]
    example = repository / "example.py"
    example.write_text(block_after(readme, "# "), encoding="utf-8")
    assert "tensor" in run(repository, "python example.py")


@pytest.mark.slow
def test_the_page_is_typed_and_styled(repository: Path) -> None:
    run(repository, f"python -m ruff check src/onlooker/methods/encoders/{_NAME}")
    run(repository, f"python -m ruff format --check src/onlooker/methods/encoders/{_NAME}")
