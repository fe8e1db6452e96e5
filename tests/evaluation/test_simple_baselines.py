from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onlooker.errors import ConfigError, ShapeError
from onlooker.evaluation.baselines import (
    LinkConfig,
    copy_first_mask,
    correlate_template,
    keep_box,
    link_boxes,
    propagate_by_flow,
)
from onlooker.evaluation.mask_tracking import labels_to_boxes
from onlooker.evaluation.single_object import score_single_object
from onlooker.evaluation.tracking import FrameBoxes, Sequence2D, TrackingScores, score_sequences
from onlooker.evaluation.video_objects import mean_objects, score_video_objects
from onlooker.formats import davis, mot, single_object


def square(x: float, y: float = 0.0, side: float = 10.0) -> tuple[float, float, float, float]:
    return (x, y, x + side, y + side)


def ids(frames: tuple[FrameBoxes, ...]) -> list[list[int]]:
    return [frame.ids.tolist() for frame in frames]


def test_ids_follow_their_boxes_whatever_their_order():
    frames = [np.array([square(0), square(50)]), np.array([square(51), square(1)])]
    assert ids(link_boxes(frames)) == [[1, 2], [2, 1]]


def test_velocity_carries_a_fast_box_over_a_gap_and_standing_still_does_not():
    seen = [np.array([square(4.0 * t)]) for t in range(6)]
    frames = [*seen, np.zeros((0, 4)), np.zeros((0, 4)), np.array([square(4.0 * 8)])]
    assert ids(link_boxes(frames))[-1] == [1]
    assert ids(link_boxes(frames, LinkConfig(velocity="none")))[-1] == [2]


def test_a_track_ends_after_the_longest_gap():
    frames = [np.array([square(0)]), *[np.zeros((0, 4))] * 3, np.array([square(0)])]
    assert ids(link_boxes(frames, LinkConfig(longest_gap=3)))[-1] == [1]
    assert ids(link_boxes(frames, LinkConfig(longest_gap=2)))[-1] == [2]


def test_overlap_below_the_least_is_another_object():
    frames = [np.array([square(0)]), np.array([square(6)])]  # 4 of 16 pixels across
    assert ids(link_boxes(frames, LinkConfig(least_iou=0.26)))[-1] == [2]
    assert ids(link_boxes(frames, LinkConfig(least_iou=0.24)))[-1] == [1]
    with pytest.raises(ShapeError, match=r"boxes \(N, 4\)"):
        link_boxes([np.zeros(4)])
    with pytest.raises(ConfigError):
        LinkConfig(least_iou=0)


def picture(x: int, y: int = 20) -> np.ndarray:
    """A textured square on a textured ground, both fixed, the square at (x, y)."""
    rng = np.random.default_rng(0)
    ground = rng.integers(90, 130, (12, 16, 3)).astype(np.uint8).repeat(6, 0).repeat(6, 1)  # (72, 96, 3)
    ground[y : y + 16, x : x + 16] = rng.integers(0, 255, (4, 4, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    return ground


def test_correlation_follows_what_it_was_shown():
    frames = [picture(10 + 5 * t) for t in range(8)]
    track = correlate_template(frames, square(10, 20, 16))
    assert np.abs(track.boxes_xyxy[:, 0] - (10 + 5 * np.arange(8))).max() <= 1.5
    with pytest.raises(ShapeError, match="less than 2x2"):
        correlate_template(frames, square(200, 20))


def test_correlation_survives_black_frames_and_a_target_that_left():
    frames = [picture(10), np.zeros((72, 96, 3), np.uint8), picture(60)]
    track = correlate_template(frames, square(10, 20, 16))
    assert track.boxes_xyxy[1].tolist() == track.boxes_xyxy[0].tolist()
    assert len(track) == 3


@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_flow_carries_a_mask_and_a_copy_does_not(method: str):
    frames = [picture(10 + 3 * t) for t in range(8)]
    truth = np.zeros((8, 72, 96), np.uint8)
    for t in range(8):
        truth[t, 20:36, 10 + 3 * t : 26 + 3 * t] = 7
    carried = score_video_objects(propagate_by_flow(frames, truth[0], method), truth)[7]
    copied = score_video_objects(copy_first_mask(truth[0], 8), truth)[7]
    assert carried.j.mean > 70
    assert copied.j.mean < 40
    with pytest.raises(ShapeError, match="labels' size"):
        propagate_by_flow(frames, truth[0][:10], method)


def test_boxes_around_labels():
    numbers, boxes = labels_to_boxes(np.array([[0, 3, 3], [0, 0, 3], [5, 0, 0]]))
    assert numbers.tolist() == [3, 5]
    assert boxes.tolist() == [[1, 0, 3, 2], [0, 2, 1, 3]]


# -- floors of the sheets, on the data handed over --------------------------------------------------------------

SOT_FLOORS = {
    "OTB-Crossing": 0.040,
    "OTB-Diving": 0.350,
    "OTB-DragonBaby": 0.263,
    "VOT15-bag": 0.076,
    "VOT15-ball1": 0.047,
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", SOT_FLOORS)
def test_frozen_boxes_score_the_floor_of_the_sheet(shared_data: Path, name: str):
    folder = shared_data / "sot-otb-vot" / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not here")
    (file,) = single_object.sequence_files(folder).values()
    truth = single_object.read_boxes(file)
    x1, y1, x2, y2 = truth.boxes_xyxy[0].tolist()
    scores = score_single_object(keep_box((x1, y1, x2, y2), len(truth)), truth)
    assert scores.success_auc / 100 == pytest.approx(SOT_FLOORS[name], abs=0.0006)


def frames_of(rows: list[mot.MotRow], n_frames: int) -> tuple[FrameBoxes, ...]:
    made = []
    for t in range(1, n_frames + 1):
        here = [row for row in rows if row.frame == t]
        boxes = np.array([row.box_xyxy for row in here], np.float64).reshape(-1, 4)
        made.append(FrameBoxes(np.array([row.number for row in here], np.int64), boxes))
    return tuple(made)


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "mota", "idf1"), [("TUD-Campus", 57.1, 56.5), ("TUD-Stadtmitte", 70.8, 67.9)])
def test_linking_public_detections_reaches_the_floor_of_the_sheet(
    shared_data: Path, name: str, mota: float, idf1: float
):
    pytest.importorskip("trackeval")
    root = shared_data / "mot15-boxes"
    truth = list(mot.iterate_rows(root / "gt" / f"{name}.txt"))
    found = mot.iterate_rows(root / "det" / f"{name}.txt", detections=True)
    # Detections the detector is not sure of are left out (ours).
    sure = [row for row in found if row.confidence is not None and row.confidence >= 0.7]
    n = max(row.frame for row in truth)
    boxes = [np.array([r.box_xyxy for r in sure if r.frame == t], np.float64).reshape(-1, 4) for t in range(1, n + 1)]
    scores, _ = score_sequences([Sequence2D(name, frames_of(truth, n), link_boxes(boxes), 0.04)])
    assert scores.mota >= mota
    assert scores.idf1 >= idf1


@pytest.mark.shared_data
def test_perfect_boxes_linked_by_overlap_score_as_the_sheet_says(shared_data: Path):
    pytest.importorskip("trackeval")
    files = sorted((shared_data / "davis-composites").glob("comp-*/gt/gt.txt"))
    sequences = []
    for file in files:
        rows = list(mot.iterate_rows(file))
        truth = frames_of(rows, max(row.frame for row in rows))
        linked = link_boxes([frame.boxes_xyxy for frame in truth], LinkConfig(longest_gap=1))
        sequences.append(Sequence2D(file.parent.parent.name, truth, linked, 0.1))
    scores: TrackingScores = score_sequences(sequences)[0]
    # The sheet's 99.1, 94.3, 96.5 are over 16 clips, of which some may be kept apart.
    assert scores.mota == pytest.approx(99.1, abs=0.5)
    assert scores.idf1 == pytest.approx(94.3, abs=2.0)
    assert scores.hota == pytest.approx(96.5, abs=1.5)


@pytest.mark.shared_data
@pytest.mark.slow
def test_first_masks_score_the_floor_and_flow_beats_them(shared_data: Path):
    root = shared_data / "davis2016-val-240p"
    copied, carried = [], []
    folders = davis.sequence_folders(root)
    for name, folder in folders.items():
        truth = davis.read_sequence(folder).labels
        copied.append(score_video_objects(copy_first_mask(truth[0], len(truth)), truth, one_object=True)[1])
        frames = [np.asarray(Image.open(f)) for f in sorted((root / "JPEGImages" / name).glob("*.jpg"))]
        carried.append(score_video_objects(propagate_by_flow(frames, truth[0]), truth, one_object=True)[1])
    floor, flow = mean_objects(copied), mean_objects(carried)
    assert flow.j_and_f > floor.j_and_f + 5
    if len(folders) < 20:
        pytest.skip(f"the sheet's floor is over 20 sequences, {len(folders)} are here")
    assert floor.j.mean == pytest.approx(26.8, abs=0.06)
    assert floor.f.mean == pytest.approx(25.0, abs=0.06)
