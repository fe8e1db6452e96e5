"""Fixtures of the attribute tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def library(tmp_path):
    """(store, video id, {tracklet number: id}) of a small filled library."""
    from attribute_worlds import make_library

    store, video_id, ids = make_library(tmp_path)
    yield store, video_id, ids
    store.close()
