"""The folder of every method, its row in the catalogue and its declaration say the same."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from contract_tools import folder_of, module_of

from onlooker.catalogue import METHODS, ROLES, find_method, list_methods
from onlooker.errors import UnknownNameError
from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Method

PACKAGE = Path(str(importlib.util.find_spec("onlooker").submodule_search_locations[0]))
REQUIRED = {"__init__.py", "config.py", "model.py", "weights.py", "claims.py", "README.md"}
NAMELESS = re.compile(r"(^|_)(utils?|helpers?|common|misc|tools|base|legacy|old|new|v\d+)(_|\.|$)")
LONGEST_FILE, LONGEST_FUNCTION, MOST_EXPORTS, LONGEST_SUMMARY = 500, 60, 10, 100


def test_row_and_folder_agree(method: Method[Any]) -> None:
    row = METHODS[method.name]
    assert row.name == method.name
    assert set(row.configs) == set(method.configs), "the catalogue's row and the folder name other configurations"
    assert {"paper", "tiny"} <= set(method.configs)
    assert folder_of(method) == PACKAGE / "methods" / row.family / row.name
    assert row.definition == f"onlooker.methods.{row.family}.{row.name}:METHOD"
    assert set(row.roles) <= set(ROLES), f"roles that do not exist: {sorted(set(row.roles) - set(ROLES))}"


def test_row_is_fit_for_printing(method: Method[Any]) -> None:
    row = METHODS[method.name]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", row.name)
    assert "\n" not in row.summary
    assert 10 <= len(row.summary) <= LONGEST_SUMMARY
    assert not row.summary.endswith(".")
    assert re.fullmatch(r"\d{4}\.\d{4,5}|10\.\d{4,}/\S+", row.paper.identifier), "an arXiv number or a DOI"
    assert 1990 <= row.paper.year <= 2100
    assert row.paper.code is None or re.fullmatch(r"[\w.-]+/[\w.-]+", row.paper.code)
    assert row.paper.title
    assert row.paper.code_licence
    assert row.paper.weights


def test_extra_can_be_installed(method: Method[Any]) -> None:
    project = PACKAGE.parents[1] / "pyproject.toml"
    extra = METHODS[method.name].extra
    if extra is not None and project.exists():
        assert extra in tomllib.loads(project.read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def test_configurations_are_frozen(method: Method[Any]) -> None:
    for config in method.configs.values():
        assert type(config) is method.config_type
        assert type(config).__dataclass_params__.frozen
        hash(config)


def test_folder_exports_few_names_that_exist(method: Method[Any]) -> None:
    module = module_of(method)
    exported = list(module.__all__)
    assert "METHOD" in exported
    assert len(exported) <= MOST_EXPORTS
    assert len(set(exported)) == len(exported)
    assert all(hasattr(module, name) for name in exported)


def test_files_have_names_that_say_what_they_hold(method: Method[Any]) -> None:
    files = {path.name for path in folder_of(method).iterdir() if path.name != "__pycache__"}
    assert files >= REQUIRED, f"missing: {sorted(REQUIRED - files)}"
    strange = [name for name in files if not name.endswith(".py") and name != "README.md"]
    assert not strange, f"a method folder is flat and holds code and one page: {strange}"
    nameless = [name for name in files if NAMELESS.search(name)]
    assert not nameless, f"names that say nothing: {nameless}"
    assert ("task.py" in files) == bool(method.tasks), "`task.py` is there when, and only when, recipes train something"


def test_files_and_functions_are_short(method: Method[Any]) -> None:
    for path in sorted(folder_of(method).glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= LONGEST_FILE, f"`{path.name}` has over {LONGEST_FILE} lines; split it by idea"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                lines = node.end_lineno - node.lineno + 1
                assert lines < LONGEST_FUNCTION, f"`{node.name}` in `{path.name}` has {lines} lines"


def test_model_file_opens_with_its_paper(method: Method[Any]) -> None:
    opening = ast.get_docstring(ast.parse((folder_of(method) / "model.py").read_text(encoding="utf-8"))) or ""
    assert METHODS[method.name].paper.identifier in opening, "`model.py` opens with the paper's title and identifier"


def test_readme_is_one_page_that_names_the_method(method: Method[Any]) -> None:
    text = (folder_of(method) / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert method.name in text
    assert METHODS[method.name].paper.identifier in text
    assert 10 <= text.count("\n") <= 160


def test_claims_are_told_apart_and_fixed_beforehand(method: Method[Any]) -> None:
    claims = method.claims()
    assert len({claim.name for claim in claims}) == len(claims)
    for claim in claims:
        assert claim.name == claim.name.lower()
        assert len(set(claim.arms)) == len(claim.arms) >= 1
        assert claim.statement
        assert claim.setting
        assert claim.gate
        assert claim.unit
        assert len(set(claim.seeds)) == len(claim.seeds)
        assert _verdict_needs_the_scores(claim), f"claim `{claim.name}` holds, or fails, whatever was measured"


def _verdict_needs_the_scores(claim: Claim) -> bool:
    def verdict(scores: Mapping[str, list[float]]) -> bool:
        return claim.holds(scores)

    values = [-1e6, -1.0, 0.0, 0.25, 0.5, 1.0, 100.0, 1e6]
    found = set()
    for first in values:
        for rest in values:
            scores = {arm: [first if place == 0 else rest] * 3 for place, arm in enumerate(claim.arms)}
            found.add(bool(verdict(scores)))
    return found == {True, False}


def test_rows_are_grouped_by_family() -> None:
    families = [row.family for row in METHODS.values()]
    assert [f for place, f in enumerate(families) if place == 0 or families[place - 1] != f] == list(
        dict.fromkeys(families)
    )
    for family in dict.fromkeys(families):
        assert {row.family for row in list_methods(family)} == {family}


def test_unknown_methods_and_families_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown method `no_such_method`"):
        find_method("no_such_method")
    with pytest.raises(UnknownNameError, match="unknown family `no_such_family`"):
        list_methods("no_such_family")


LOAD_ONE_BY_ONE = """
import sys
from onlooker import catalogue

folders = {row.definition.partition(":")[0] for row in catalogue.METHODS.values()}
for name, row in catalogue.METHODS.items():
    before = set(sys.modules)
    own = row.definition.partition(":")[0]
    assert own not in before, f"`{name}` was imported by a method before it"
    catalogue.load_definition(name)
    new = set(sys.modules) - before
    strangers = [module for module in new if any((module + ".").startswith(other + ".") for other in folders - {own})]
    assert not strangers, f"`{name}` imports {strangers}"
"""


@pytest.mark.slow
def test_building_one_method_imports_no_other() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD_ONE_BY_ONE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-600:]
