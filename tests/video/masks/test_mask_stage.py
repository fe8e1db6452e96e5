"""Masks of an ingest: every box has one, they are made once, and a stage that was cut off is repeated as a whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mask_worlds import FPS, SIZE, ColourSegmenter, clip_of, mask_stage, toolbox, two_tracks

from onlooker.errors import MediaError
from onlooker.formats.run_lengths import decode_mask, encode_mask
from onlooker.video.attributes.registry import AnnotatorSpec, Context, Output
from onlooker.video.ingest import IngestReport, Job, ingest_video
from onlooker.video.masks.config import MaskConfig
from onlooker.video.masks.spool import MaskSpool
from onlooker.video.masks.stage import MaskStage, segment_video
from onlooker.video.store import Store
from onlooker.video.store.edits import delete_tracklet, merge_tracklets
from onlooker.video.store.masks import StoredMask

HERE = Path(__file__).parent
TRACKS = two_tracks()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "library.onlooker") as opened:
        yield opened


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clip_of(TRACKS, tmp_path / "clip.mp4")


def add(store: Store, clip: Path, stage: MaskStage | None, *annotators: object) -> IngestReport:
    return Job(ingest_video(store, toolbox(TRACKS, stage, *annotators), clip)).result()


def read(store: Store, sql: str) -> list[tuple]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_every_box_gets_the_mask_of_its_object_at_its_time(store: Store, clip: Path) -> None:
    segmenter = ColourSegmenter()
    report = add(store, clip, mask_stage(segmenter))
    assert report.status == "ready"
    assert report.seconds["masks"] > 0
    assert read(store, "SELECT id, frame, t FROM masks ORDER BY id, frame") == read(
        store, "SELECT id, frame, t FROM boxes ORDER BY id, frame"
    )
    for number, frame, area, rle in read(store, "SELECT id, frame, area, rle FROM masks"):
        truth = np.zeros(SIZE[::-1], np.bool_)
        x1, y1, x2, y2 = (int(edge) for edge in TRACKS[number][frame])
        truth[y1:y2, x1:x2] = True
        found = decode_mask(rle.encode(), *SIZE[::-1])
        assert (found & truth).sum() / (found | truth).sum() > 0.9  # the clip is compressed
        assert area == found.sum()
    # 1 is followed from its first box, 2 comes in at frame 3 and goes after its last one.
    assert segmenter.log[:4] == [("start", 1), ("step", 1), ("step", 1), ("step", 1)]
    assert segmenter.log[4] == ("add", 2)
    assert segmenter.log[10:] == [("remove", 2), ("step", 1), ("step", 1), ("step", 1), ("remove", 1)]


def test_progress_counts_frames_and_the_record_names_the_segmenter(store: Store, clip: Path) -> None:
    tools = toolbox(TRACKS, mask_stage(ColourSegmenter()))
    told = [step for step in ingest_video(store, tools, clip) if step.stage == "masks"]
    assert (told[0].done, told[0].total, told[0].unit) == (0, 12, "frames")
    assert (told[-1].done, told[-1].total) == (12, 12)
    ((role, model),) = read(store, "SELECT role, model FROM annotators WHERE annotator = 'masks'")
    assert (role, model) == ("segmenter", "colour@1")


def test_a_second_ingest_makes_no_mask_and_another_segmenter_replaces_them(store: Store, clip: Path) -> None:
    add(store, clip, mask_stage(ColourSegmenter()))
    before = read(store, "SELECT id, frame, rle FROM masks")
    again = ColourSegmenter()
    assert add(store, clip, mask_stage(again)).status == "unchanged"
    assert add(store, clip, None).status == "unchanged"  # nobody asks for masks: they stay
    assert (again.log, read(store, "SELECT id, frame, rle FROM masks")) == ([], before)
    other = ColourSegmenter("2")
    assert set(add(store, clip, mask_stage(other)).seconds) == {"masks"}
    assert other.log
    assert read(store, "SELECT id, frame, rle FROM masks") == before
    led = mask_stage(other, MaskConfig(max_objects=1))
    assert set(add(store, clip, led).seconds) == {"masks"}


class Looker:
    """An annotator that builds on masks."""

    def __init__(self, masks: AnnotatorSpec) -> None:
        self.spec = AnnotatorSpec("looker", "1", "crop", after=(masks,))
        self.n_masks: list[int] = []

    def run(self, context: Context) -> Output:
        self.n_masks += [row[0] for row in read(context.store, "SELECT count(*) FROM base_masks")]
        return Output()


def test_annotators_find_the_masks_made_and_are_due_again_with_new_ones(store: Store, clip: Path) -> None:
    stage = mask_stage(ColourSegmenter())
    looker = Looker(stage.spec)
    add(store, clip, stage, looker)
    assert looker.n_masks == [18]
    other = mask_stage(ColourSegmenter("2"))
    assert set(add(store, clip, other, Looker(other.spec)).seconds) == {"masks", "looker"}


def test_a_dropped_stage_leaves_nothing_and_is_repeated_without_tracking_anew(store: Store, clip: Path) -> None:
    job = ingest_video(store, toolbox(TRACKS, mask_stage(ColourSegmenter())), clip)
    for step in job:
        if step.stage == "masks":
            job.close()
            break
    assert read(store, "SELECT count(*) FROM base_masks") == [(0,)]
    assert read(store, "SELECT count(*) FROM videos") == [(0,)]
    report = add(store, clip, mask_stage(ColourSegmenter()))
    assert set(report.seconds) == {"masks"}
    assert read(store, "SELECT count(*) FROM masks") == [(18,)]


CHILD = """
import sys, time
sys.path.insert(0, {here!r})
import mask_worlds as worlds
from onlooker.video.ingest import ingest_video
from onlooker.video.store import Store
from pathlib import Path

class Slow(worlds.ColourSession):
    def step(self, frame):
        print("masks", flush=True)
        time.sleep(0.05)
        return super().step(frame)

with Store.open(Path({library!r})) as store:
    stage = worlds.mask_stage(worlds.ColourSegmenter(session=Slow))
    for _ in ingest_video(store, worlds.toolbox(worlds.two_tracks(), stage), Path({clip!r})):
        pass
"""


@pytest.mark.slow
def test_kill_nine_amid_masks_keeps_the_tracks_and_a_new_run_makes_all_masks(tmp_path: Path, clip: Path) -> None:
    library = tmp_path / "killed.onlooker"
    code = CHILD.format(here=str(HERE), library=str(library), clip=str(clip))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(3):
        assert child.stdout.readline() == "masks\n"
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=60)
    with Store.open(library) as store:
        assert read(store, "SELECT count(*) FROM base_masks") == [(0,)]
        assert read(store, "SELECT count(*) FROM base_boxes") == [(18,)]
        assert set(add(store, clip, mask_stage(ColourSegmenter())).seconds) == {"masks"}
        assert read(store, "SELECT count(*) FROM masks") == [(18,)]


def test_an_edit_made_meanwhile_is_seen_and_a_deleted_tracklet_gets_no_masks(store: Store, clip: Path) -> None:
    add(store, clip, None)
    video = read(store, "SELECT key FROM videos")[0][0]
    segmenter = ColourSegmenter()
    steps = segment_video(store, video, mask_stage(segmenter))
    next(steps)
    with store.write() as connection:
        delete_tracklet(connection, video, 2)
    assert list(steps)[-1] == (12, 12)
    assert read(store, "SELECT id, count(*) FROM masks GROUP BY id") == [(1, 12)]
    assert [call[0] for call in segmenter.log].count("start") == 1  # nothing to do again


def test_a_merge_made_meanwhile_makes_the_stage_begin_again(store: Store, clip: Path) -> None:
    add(store, clip, None)
    video = read(store, "SELECT key FROM videos")[0][0]
    segmenter = ColourSegmenter()
    steps = segment_video(store, video, mask_stage(segmenter))
    next(steps)
    with store.write() as connection:
        merge_tracklets(connection, video, [1, 2])
    assert list(steps)[-1] == (12, 12)
    assert [call[0] for call in segmenter.log].count("start") == 2
    assert read(store, "SELECT id, count(*) FROM masks GROUP BY id") == [(1, 12)]


def test_a_video_whose_file_is_gone_keeps_the_masks_it_has(store: Store, clip: Path) -> None:
    add(store, clip, mask_stage(ColourSegmenter()))
    video = read(store, "SELECT key FROM videos")[0][0]
    clip.unlink()
    with pytest.raises(MediaError, match="no longer at"):
        list(segment_video(store, video, mask_stage(ColourSegmenter("2"))))
    assert read(store, "SELECT count(*) FROM masks") == [(18,)]


def test_a_video_without_objects_finishes_without_asking_the_segmenter(store: Store, tmp_path: Path) -> None:
    empty = clip_of({}, tmp_path / "empty.mp4")
    segmenter = ColourSegmenter()
    report = Job(ingest_video(store, toolbox({}, mask_stage(segmenter)), empty)).result()
    assert (report.status, segmenter.log) == ("ready", [])


def test_a_spool_gives_back_what_was_written_from_memory_and_from_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    masks = [StoredMask(k, k // 3, k / FPS, encode_mask(rng.random((9, 7)) > 0.5)) for k in range(40)]
    for limit in (1, 2**20):
        monkeypatch.setattr("onlooker.video.masks.spool._IN_MEMORY", limit)
        with MaskSpool() as spool:
            for mask in masks:
                spool.write(mask)
            assert list(spool.read()) == masks
