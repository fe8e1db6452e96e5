"""Contracts run over every row of the catalogue: a test that takes `method` is repeated for each of them, one that
takes `method` and `config_name` for each configuration. `pytest tests/contracts -k NAME` runs those of one method."""

from __future__ import annotations

from typing import Any

import pytest
from contract_tools import Tiny, definition_of

from onlooker.catalogue import METHODS
from onlooker.methods.definition import Method


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "config_name" in metafunc.fixturenames:
        cases = [(name, config) for name, row in METHODS.items() for config in row.configs]
        metafunc.parametrize(("method", "config_name"), cases, indirect=["method"], ids=["-".join(c) for c in cases])
    elif "method" in metafunc.fixturenames:
        metafunc.parametrize("method", list(METHODS), indirect=True)


@pytest.fixture
def method(request: pytest.FixtureRequest) -> Method[Any]:
    """What the folder of one row declares."""
    return definition_of(request.param)


@pytest.fixture
def tiny(method: Method[Any]) -> Tiny:
    """The smallest network of one method, with fresh weights."""
    return Tiny(method, method.configs["tiny"])
