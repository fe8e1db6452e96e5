"""`onlooker ingest` with networks of one's own on videos that show nothing, change or break off.

The networks are tiny and untrained: OmniTracker is made to take every detection for good, so that there are tracklets,
or none, so that there are not; what it finds means nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import onlooker
from onlooker.methods.trackers.isvos import CONFIGS as ISVOS
from onlooker.methods.trackers.isvos import Isvos
from onlooker.methods.trackers.omnitracker import CONFIGS as OMNITRACKER
from onlooker.methods.trackers.omnitracker import OmniTrackerNetwork, TrackingConfig
from onlooker.synth.clips import make_clip, moving_squares
from onlooker.types import Image
from onlooker.video.wiring import Settings, parse_role_choice

SIZE = (64, 48)
SQUARES, BLACK = moving_squares(6, SIZE), np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
NO_MORE = ("tagger", "transcriber", "text_reader", "sound_tagger", "text_embedder", "appearance_embedder")


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    torch.manual_seed(0)
    eager = TrackingConfig(select_score=0.0, birth_score=0.0, update_score=0.0, match_score=0.0)
    never = TrackingConfig(select_score=1.0, birth_score=1.0)
    for name, tracking in (("eager", eager), ("never", never)):
        config = dataclasses.replace(OMNITRACKER["tiny"], short_side=64, long_side=128, tracking=tracking)
        OmniTrackerNetwork(config).save_pretrained(folder / name)
    Isvos(dataclasses.replace(ISVOS["tiny"], short_side=64)).save_pretrained(folder / "isvos")
    return folder


def ingest(networks: Path, tracker: str, video: Path, status: str = "ready") -> onlooker.Library:
    """An open library with the video in it: boxes of OmniTracker, masks of ISVOS."""
    words = [f"tracker=omnitracker:weights={networks / tracker},hz=25", f"segmenter=isvos:weights={networks / 'isvos'}"]
    words += [f"{role}=none" for role in NO_MORE]
    settings = Settings(roles=dict(map(parse_role_choice, words)))
    library = onlooker.Library.open(video.with_suffix(".onlooker"), settings=settings)
    report = library.add(video).result()
    assert report.status == status
    return library


def checked(library: onlooker.Library, size: tuple[int, int] = SIZE) -> int:
    """Number of tracklets, after what is stored was looked at."""
    boxes = library.sql("SELECT x1, y1, x2, y2 FROM boxes").rows
    for x1, y1, x2, y2 in boxes:
        assert 0 <= x1 < x2 <= size[0]
        assert 0 <= y1 < y2 <= size[1]
    assert set(library.sql("SELECT DISTINCT height, width FROM masks").rows) <= {(size[1], size[0])}
    assert library.sql("SELECT count(*) FROM masks WHERE area <= 0").rows == ((0,),)
    stray = "SELECT count(*) FROM masks LEFT JOIN boxes USING (id, frame) WHERE boxes.id IS NULL"
    assert library.sql(stray).rows == ((0,),)
    return int(library.sql("SELECT count(*) FROM tracklets").rows[0][0])


@pytest.mark.parametrize(
    "images",
    [SQUARES, [BLACK] * 6, SQUARES[:2] + [BLACK] * 3 + SQUARES[2:4], SQUARES[:1], [BLACK] * 2 + SQUARES[:3]],
    ids=["squares", "black", "black amid", "one frame", "black first"],
)
def test_boxes_and_masks_of_odd_videos_are_sound(networks: Path, tmp_path: Path, images: Sequence[Image]) -> None:
    with ingest(networks, "eager", make_clip(tmp_path / "odd.mp4", images)) as library:
        assert checked(library) > 0


def test_a_video_in_which_nothing_is_found_is_ready_and_says_so(networks: Path, tmp_path: Path) -> None:
    with ingest(networks, "never", make_clip(tmp_path / "none.mp4", SQUARES)) as library:
        assert checked(library) == 0
        assert library.sql("SELECT count(*) FROM masks").rows == ((0,),)


def test_a_file_that_changes_its_size_keeps_that_of_its_first_frame(networks: Path, tmp_path: Path) -> None:
    half = [np.ascontiguousarray(image[::2, ::2]) for image in SQUARES]
    (tmp_path / "joined.ts").write_bytes(
        make_clip(tmp_path / "a.ts", SQUARES).read_bytes() + make_clip(tmp_path / "b.ts", half).read_bytes()
    )
    # Where the two were joined a packet is missing, which is told.
    with ingest(networks, "eager", tmp_path / "joined.ts", "partial") as library:
        assert checked(library) > 0
        assert library.sql("SELECT count(DISTINCT frame) FROM boxes").rows == ((12,),)
