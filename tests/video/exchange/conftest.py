from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onlooker.video.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "lib.onlooker") as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """A second library, to import into what was exported from the first."""
    with Store.open(tmp_path / "other.onlooker") as opened:
        yield opened


@pytest.fixture
def data() -> Path:
    folder = Path(__file__).parents[3] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("needs the ground truth folder ../shared/data")
    return folder
