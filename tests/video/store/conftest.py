from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onlooker.types import VideoInfo
from onlooker.video.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "lib.onlooker", busy_timeout_s=5) as opened:
        yield opened


@pytest.fixture
def info() -> VideoInfo:
    return VideoInfo("/videos/clip.mp4", 640, 360, 25.0, 4.0, 100, True, "h264", "mp4", "yuv420p")
