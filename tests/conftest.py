"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The ground-truth folder beside the checkout; tests that use it are also marked `shared_data`."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the ground-truth folder ../shared/data is not here")
    return SHARED_DATA
