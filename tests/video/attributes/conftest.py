"""Makes the helper module of this folder importable and gives a filled library."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def library(tmp_path):
    from attribute_worlds import make_library

    store, video_id, ids = make_library(tmp_path)
    yield store, video_id, ids
    store.close()
