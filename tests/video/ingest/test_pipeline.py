"""The whole ingest with a real decoder, tracker and store, and a small detector that sees red boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import LibraryBusyError, NotAVideoError
from onlooker.synth.clips import make_clip
from onlooker.types import Detections, Image
from onlooker.video.attributes.registry import AnnotatorSpec, Context, Output, attribute_row
from onlooker.video.ingest import IngestReport, Job, ingest_video
from onlooker.video.ingest.pipeline import Toolbox
from onlooker.video.protocols import Tracker
from onlooker.video.store import Store, list_videos
from onlooker.video.store.edits import split_tracklet
from onlooker.video.store.schema import ATTRIBUTES, BOXES, PICTURES, TRACKLETS
from onlooker.video.tracklets import TrackletTracker

FPS = 10.0


class RedBoxDetector:
    """Finds the one red thing in a picture."""

    name, version, categories = "red-box", "1", ("car",)

    def __init__(self) -> None:
        self.n_images = 0

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        self.n_images += len(images)
        return [self._one(image.astype(int)) for image in images]

    def _one(self, image: np.ndarray) -> Detections:
        rows, columns = np.nonzero((image[..., 0] > 150) & (image[..., 1] < 90))
        if len(rows) < 20:
            return Detections.empty()
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(np.array([box], np.float32), np.array([0.9], np.float32), ("car",))


class NameAnnotator:
    """Writes one attribute per tracklet; can be told to break."""

    def __init__(self, breaks: bool = False) -> None:
        self.spec = AnnotatorSpec("namer", "1", "geometry")
        self.breaks, self.n_runs = breaks, 0

    def run(self, context: Context) -> Output:
        self.n_runs += 1
        if self.breaks:
            raise RuntimeError("the power went out")
        rows = [attribute_row(self.spec, "nick", "red one", 1.0, key) for key in context.tracklets()]
        return Output(inserts={ATTRIBUTES: rows})


def red_box_frames(n: int, step: int = 4) -> list[Image]:
    frames = []
    for index in range(n):
        picture = np.full((96, 160, 3), 60, np.uint8)
        picture[30:60, 10 + step * index : 50 + step * index] = (220, 20, 20)
        frames.append(picture)
    return frames


def toolbox(detector: RedBoxDetector, *annotators: NameAnnotator, version: str = "t@1") -> Toolbox:
    def make() -> Tracker:
        return TrackletTracker(detector, None)

    return Toolbox(version, "red-box@1", make, annotators)


def add(store: Store, tools: Toolbox, path: Path) -> IngestReport:
    return Job(ingest_video(store, tools, path)).result()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "library.onlooker")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = red_box_frames(20)
    return make_clip(tmp_path / "clip.mp4", frames, [index / FPS for index in range(20)])


def count(store: Store, table: object) -> int:
    from sqlalchemy import func, select

    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_a_clip_becomes_one_tracklet_with_a_box_on_every_frame_where_it_is(store: Store, clip: Path) -> None:
    report = add(store, toolbox(RedBoxDetector(), NameAnnotator()), clip)
    assert (report.status, report.video, report.n_tracklets, report.n_frames) == ("ready", "clip.mp4", 1, 20)
    with store.read() as connection:
        boxes = connection.execute(BOXES.select().order_by(BOXES.c.t)).mappings().all()
        tracklet = connection.execute(TRACKLETS.select()).mappings().one()
    assert [round(box["t"], 3) for box in boxes] == [round(index / FPS, 3) for index in range(20)]
    # The box moves 4 px a frame from x1 = 10: within two pixels of the truth everywhere, also between detections.
    assert max(abs(box["x1"] - (10 + 4 * index)) for index, box in enumerate(boxes)) < 2.0
    assert tracklet["direction"] == "right"
    assert tracklet["speed_px_s"] == pytest.approx(40.0, rel=0.05)
    assert count(store, PICTURES) >= 2  # crops and a keyframe
    assert count(store, ATTRIBUTES) == 1


def test_the_detector_is_not_run_on_every_frame(store: Store, clip: Path) -> None:
    detector = RedBoxDetector()
    report = add(store, toolbox(detector), clip)
    assert report.n_detector_runs == detector.n_images < 20


def test_a_second_ingest_computes_nothing(store: Store, clip: Path) -> None:
    add(store, toolbox(RedBoxDetector(), NameAnnotator()), clip)
    detector, annotator = RedBoxDetector(), NameAnnotator()
    report = add(store, toolbox(detector, annotator), clip)
    assert (report.status, report.n_tracklets, report.seconds) == ("unchanged", 1, {})
    assert (detector.n_images, annotator.n_runs) == (0, 0)


def test_a_finished_video_is_kept_when_settings_change_and_replaced_only_when_asked(store: Store, clip: Path) -> None:
    add(store, toolbox(RedBoxDetector(), NameAnnotator()), clip)
    other, detector = toolbox(RedBoxDetector(), NameAnnotator(), version="t@2"), RedBoxDetector()
    kept = add(store, toolbox(detector, NameAnnotator(), version="t@2"), clip)
    assert (kept.status, kept.outdated, detector.n_images) == ("unchanged", True, 0)
    report = Job(ingest_video(store, other, clip, again=True)).result()
    assert (report.status, report.outdated) == ("ready", False)
    assert (count(store, TRACKLETS), count(store, ATTRIBUTES)) == (1, 1)


def test_an_ingest_dropped_while_decoding_leaves_no_trace(
    store: Store, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onlooker.video.ingest.decode_pass._REPORT_EVERY_S", 0.0)
    steps = ingest_video(store, toolbox(RedBoxDetector()), clip)
    while next(steps).stage != "track":
        pass
    steps.close()
    with store.read() as connection:
        assert list_videos(connection) == []


def test_after_a_broken_annotator_the_video_is_hidden_and_only_what_is_missing_runs_again(
    store: Store, clip: Path
) -> None:
    with pytest.raises(RuntimeError, match="power"):
        add(store, toolbox(RedBoxDetector(), NameAnnotator(breaks=True)), clip)
    with store.read() as connection:
        assert [video.status for video in list_videos(connection)] == ["ingesting"]
        assert connection.exec_driver_sql("SELECT count(*) FROM videos").scalar_one() == 0
    detector = RedBoxDetector()
    report = add(store, toolbox(detector, NameAnnotator()), clip)
    assert (report.status, detector.n_images, count(store, TRACKLETS)) == ("ready", 0, 1)


def test_the_same_content_under_another_name_is_the_same_video(store: Store, clip: Path) -> None:
    add(store, toolbox(RedBoxDetector()), clip)
    copy = clip.with_name("copy.mp4")
    copy.write_bytes(clip.read_bytes())
    assert add(store, toolbox(RedBoxDetector()), copy).status == "unchanged"
    assert count(store, TRACKLETS) == 1


def test_another_video_of_the_same_name_is_kept_apart(store: Store, clip: Path, tmp_path: Path) -> None:
    add(store, toolbox(RedBoxDetector()), clip)
    (tmp_path / "other").mkdir()
    other = make_clip(tmp_path / "other" / "clip.mp4", red_box_frames(12, step=2), [i / FPS for i in range(12)])
    assert add(store, toolbox(RedBoxDetector()), other).video == "clip.mp4 (2)"


def test_a_file_that_breaks_off_is_partial_and_says_how_far_it_got(store: Store, tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mkv", red_box_frames(25, step=3), [i / FPS for i in range(25)])
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    report = add(store, toolbox(RedBoxDetector()), cut)
    assert report.status == "partial"
    assert report.problem
    with store.read() as connection:
        (video,) = list_videos(connection)
    assert video.status == "partial"
    assert 0 < (video.decoded_until_s or 0) < 2.5


def _text(path: Path) -> None:
    path.write_text("not a video")


@pytest.mark.parametrize("write", [Path.touch, _text])
def test_a_file_that_is_no_video_changes_nothing(store: Store, tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "fake.mp4"
    write(path)
    with pytest.raises(NotAVideoError, match="fake"):
        add(store, toolbox(RedBoxDetector()), path)
    with store.read() as connection:
        assert list_videos(connection) == []


def test_the_detector_is_let_go_before_the_annotators_run(store: Store, clip: Path) -> None:
    order: list[str] = []

    class Watching(NameAnnotator):
        def run(self, context: Context) -> Output:
            order.append("namer")
            return super().run(context)

    tools = replace(toolbox(RedBoxDetector(), Watching()), release=order.append)
    add(store, tools, clip)
    assert order == ["detector", "namer"]


def test_a_library_finds_its_files_from_any_folder(
    store: Store, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    add(store, toolbox(RedBoxDetector()), Path(clip.name))
    with store.read() as connection:
        assert [video.path for video in list_videos(connection)] == [str(clip)]


class Interrupted(NameAnnotator):
    """Something else happens once, after it has looked and before its rows are written."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def run(self, context: Context) -> Output:
        found = super().run(context)
        if self.n_runs == 1:
            self._meanwhile()
        return found


def test_a_slower_ingest_of_the_same_file_leaves_the_tracklets_of_the_quicker_one(store: Store, clip: Path) -> None:
    slow = ingest_video(store, toolbox(RedBoxDetector(), NameAnnotator()), clip)
    while next(slow).stage != "track":  # it has looked for the file in the library and begun to decode
        pass
    add(store, toolbox(RedBoxDetector(), NameAnnotator()), clip)
    with store.read() as connection:
        before = connection.execute(TRACKLETS.select()).all()
        assert [video.status for video in list_videos(connection)] == ["ready"]
    Job(slow).result()
    with store.read() as connection:
        assert connection.execute(TRACKLETS.select()).all() == before
        assert [video.status for video in list_videos(connection)] == ["ready"]
    assert count(store, ATTRIBUTES) == 1


def test_tracklets_that_came_while_an_annotator_worked_are_annotated_too(store: Store, clip: Path) -> None:
    def split() -> None:
        with store.write() as connection:
            split_tracklet(connection, 1, 1, 1.0)

    annotator = Interrupted(split)
    add(store, toolbox(RedBoxDetector(), annotator), clip)
    assert (annotator.n_runs, count(store, TRACKLETS), count(store, ATTRIBUTES)) == (2, 2, 2)


def test_an_ingest_overtaken_by_one_with_other_settings_does_not_call_the_video_finished(
    store: Store, clip: Path
) -> None:
    def track_anew() -> None:
        with pytest.raises(RuntimeError, match="power"):
            add(store, toolbox(RedBoxDetector(), NameAnnotator(breaks=True), version="t@2"), clip)

    annotator = Interrupted(track_anew)
    with pytest.raises(LibraryBusyError, match=r"another ingest reads `clip\.mp4`"):
        add(store, toolbox(RedBoxDetector(), annotator), clip)
    assert annotator.n_runs == 2  # what it found the first time was about other tracklets
    with store.read() as connection:
        assert [video.status for video in list_videos(connection)] == ["ingesting"]
