"""From a folder that `save_pretrained` wrote to masks that are asked for, drawn and exported: what a user does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from mask_worlds import SIZE, ScriptedTracker, clip_of, two_tracks

import onlooker
from onlooker.formats.davis import read_sequence, sequence_folders
from onlooker.formats.run_lengths import decode_mask
from onlooker.media.images import read_picture
from onlooker.video.exchange import export_davis
from onlooker.video.ingest import Job, ingest_video
from onlooker.video.report.show import ShowRequest, show
from onlooker.video.wiring import ModelPool, make_toolbox

N_FRAMES = 6
TRACKS = {**two_tracks(N_FRAMES), 3: {2: (100.0, 10.0, 101.0, 11.0), 3: (100.0, 10.0, 101.0, 11.0)}}  # 3 is a pixel


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    onlooker.build("isvos", config="tiny", seed=0).save_pretrained(folder / "weights")
    choice = onlooker.RoleChoice("isvos", {"weights": str(folder / "weights"), "short_side": 64})
    pool = ModelPool(onlooker.Settings(roles={"segmenter": choice}))
    # The bundled detector does not know coloured blocks; all of the rest is what `onlooker ingest` builds.
    tools = make_toolbox(pool)
    tools = dataclasses.replace(tools, make_tracker=lambda: ScriptedTracker(TRACKS), annotators=tools.annotators[:1])
    clip = clip_of(TRACKS, folder / "clip.mp4", N_FRAMES)
    with onlooker.Library.open(folder / "library.onlooker") as opened:
        report = Job(ingest_video(opened.store, tools, clip)).result()
    assert (report.status, report.n_tracklets) == ("ready", 3)
    return folder / "library.onlooker"


def test_masks_of_the_network_are_those_of_boxes_and_can_be_asked_for(library: Path) -> None:
    with onlooker.Library.open(library) as opened:
        rows = opened.sql("SELECT id, frame, area, height, width, rle FROM masks ORDER BY id, frame").rows
        boxes = set(opened.sql("SELECT id, frame FROM boxes").rows)
        models = opened.ask("how many cars are there?").models
    assert {row[0] for row in rows} == {1, 2, 3}
    assert {row[:2] for row in rows} <= boxes
    assert models["segmenter"].startswith("isvos@own+")
    by_frame: dict[object, np.ndarray] = {}
    for _, frame, area, height, width, rle in rows:
        assert (height, width) == (SIZE[1], SIZE[0])
        mask = decode_mask(str(rle).encode(), height, width)  # type: ignore[arg-type]
        assert mask.sum() == area > 0
        assert not (by_frame.get(frame, False) & mask).any()  # type: ignore[operator]
        by_frame[frame] = by_frame.get(frame, False) | mask  # type: ignore[operator]


def test_what_is_shown_and_exported_are_those_masks(library: Path, tmp_path: Path) -> None:
    with onlooker.Library.open(library) as opened:
        shown = []
        for masks in (True, False):
            list(show(opened.store, ShowRequest("crop", output=tmp_path / "f.png", at_s=0.3, masks=masks)))
            shown.append(read_picture(tmp_path / "f.png").astype(int))
        export_davis(opened.store, tmp_path / "davis")
        rows = opened.sql("SELECT id, rle FROM masks WHERE frame = 3").rows
    labels = read_sequence(sequence_folders(tmp_path / "davis")["clip.mp4"]).labels[3]
    tinted = np.abs(shown[0] - shown[1]).max(axis=2) > 8
    assert rows
    for number, rle in rows:
        mask = decode_mask(str(rle).encode(), SIZE[1], SIZE[0])
        assert np.array_equal(labels == number, mask)
    # Labels and boxes lie above masks, and the clip's colours are near some of the palette's.
    assert (tinted & (labels > 0)).sum() > 0.5 * (labels > 0).sum()
    assert not tinted[labels == 0].any()
