from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import MissingExtraError, ShapeError
from onlooker.evaluation.tracking import (
    FrameBoxes,
    Sequence2D,
    matched_pairs,
    rows_to_frames,
    score_sequences,
    tracklets_to_frames,
)
from onlooker.evaluation.tracking_rules import apply_kitti_rules, apply_mot17_rules, kitti_truth
from onlooker.types import Tracklet

pytest.importorskip("trackeval", reason="tracking scores need trackeval")


def frame(*rows: tuple[int, float]) -> FrameBoxes:
    """Objects (id, x) as squares of 10 px."""
    boxes = np.array([(x, 0, x + 10, 10) for _, x in rows], np.float64).reshape(-1, 4)
    return FrameBoxes(np.array([i for i, _ in rows], np.int64), boxes)


def table(path: Path) -> np.ndarray:
    return np.array([[float(v) for v in line.split(",")] for line in path.read_text().split()])


def test_perfect_output_scores_a_hundred():
    truth = tuple(frame((1, 0.0), (2, 50.0)) for _ in range(4))
    scores, _ = score_sequences([Sequence2D("s", truth, truth, 0.5)])
    assert (scores.hota, scores.mota, scores.idf1) == (pytest.approx(100), 100, 100)
    assert (scores.id_switches, scores.count_error, scores.n_truths, scores.n_tracks) == (0, 0, 2, 2)


def test_one_switch_in_four_frames_by_hand():
    truth = tuple(frame((1, 0.0)) for _ in range(4))
    tracked = (frame((7, 0.0)), frame((7, 0.0)), frame((9, 0.0)), frame((9, 0.0)))
    scores, _ = score_sequences([Sequence2D("s", truth, tracked, 0.5)])
    # MOTA = 1 - (0 misses + 0 false + 1 switch) / 4; IDF1 = 2*2 / (4 + 4); AssA = 2 / 4, HOTA = sqrt(1 * 0.5).
    assert scores.mota == pytest.approx(75)
    assert scores.idf1 == pytest.approx(50)
    assert scores.hota == pytest.approx(100 * 0.5**0.5)
    # One switch in 4 boxes of 0.5 s: 2 s in view.
    assert scores.id_switches_per_object_minute == pytest.approx(30)
    assert scores.count_error == pytest.approx(100)


def test_count_errors_of_sequences_do_not_cancel():
    one, two = (frame((1, 0.0)),), (frame((1, 0.0), (2, 50.0)),)
    scores, each = score_sequences([Sequence2D("more", one, two, 1.0), Sequence2D("less", two, one, 1.0)])
    assert scores.count_error == pytest.approx(100 * 2 / 3)
    assert (each["more"].count_error, each["less"].count_error) == (100, 50)


@pytest.mark.parametrize("empty_side", ["truth", "tracked", "both"])
def test_empty_sides_are_scored_without_warning(empty_side: str):
    full, none = (frame((1, 0.0)),) * 3, (FrameBoxes.empty(),) * 3
    truth, tracked = (none if empty_side in ("truth", "both") else full, none if empty_side != "truth" else full)
    scores, _ = score_sequences([Sequence2D("s", truth, tracked, 0.1)])
    assert scores.idf1 == 0
    assert scores.id_switches == 0


def test_unknown_package_and_bad_shapes_are_named(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ShapeError, match="at least one"):
        score_sequences([])
    with pytest.raises(ShapeError, match="1 frames of truth, 0 tracked"):
        Sequence2D("s", (frame(),), (), 0.1)
    with pytest.raises(ShapeError, match="twice"):
        frame((1, 0.0), (1, 20.0))
    monkeypatch.setitem(sys.modules, "trackeval", None)
    with pytest.raises(MissingExtraError, match="trackeval"):
        score_sequences([Sequence2D("s", (frame(),), (frame(),), 0.1)])


def test_tracklets_and_rows_become_the_same_frames():
    tracklet = Tracklet(
        3,
        "person",
        0.9,
        np.array([0, 2]),
        np.array([0.0, 0.2]),
        np.array([[0, 0, 10, 10], [5, 0, 15, 10]], np.float32),
        np.ones(2, np.float32),
        np.ones(2, bool),
    )
    rows = np.array([[1, 3, 0, 0, 10, 10, 1], [3, 3, 5, 0, 10, 10, 1]], float)
    for a, b in zip(tracklets_to_frames([tracklet], 3), rows_to_frames(rows, 3), strict=True):
        assert a.ids.tolist() == b.ids.tolist()
        assert a.boxes_xyxy.tolist() == b.boxes_xyxy.tolist()


def test_matching_needs_half_overlap():
    truth = np.array([[0.0, 0, 10, 10]])
    assert [len(r) for r in matched_pairs(truth, np.array([[0.0, 0, 10, 5]]))] == [1, 1]
    assert [len(r) for r in matched_pairs(truth, np.array([[0.0, 0, 10, 4.9]]))] == [0, 0]


def test_mot17_rules_forgive_distractors_and_drop_what_does_not_count():
    truth = frame((1, 0.0), (2, 100.0), (3, 200.0), (4, 300.0))
    classes, considered = np.array([1, 8, 1, 3]), np.array([True, False, False, False])
    tracked = frame((10, 0.0), (11, 100.0), (12, 200.0), (13, 300.0), (14, 500.0))
    kept_truth, kept = apply_mot17_rules(truth, classes, considered, tracked)
    assert kept_truth.ids.tolist() == [1]
    # 11 found a distractor; a box on an unmarked pedestrian or on a car stays and counts as false.
    assert kept.ids.tolist() == [10, 12, 13, 14]


def label(identifier: int, kind: str, x: float, truncated: int = 0, occluded: int = 0) -> tuple[str, ...]:
    return ("0", str(identifier), kind, str(truncated), str(occluded), "0", str(x), "0", str(x + 40), "40", *["0"] * 7)


def test_kitti_rules_forgive_vans_hard_objects_small_boxes_and_ignored_regions():
    rows = [
        label(1, "Car", 0),
        label(2, "Van", 100),
        label(3, "Car", 200, occluded=3),
        label(4, "Car", 300, truncated=1),
    ]
    truth = kitti_truth([*rows, label(-1, "DontCare", 400), label(5, "Pedestrian", 500)], "Car")
    boxes = [(x, 0, x + 40, 40) for x in (0, 100, 200, 300, 400, 500)] + [(600, 0, 640, 25), (700, 0, 740, 26)]
    tracked = FrameBoxes(np.arange(8), np.array(boxes, float))
    kept_truth, kept = apply_kitti_rules(truth, tracked)
    assert kept_truth.ids.tolist() == [1]
    assert kept.ids.tolist() == [0, 5, 7]


@pytest.mark.shared_data
@pytest.mark.parity
@pytest.mark.parametrize("name", ["TUD-Campus", "TUD-Stadtmitte"])
def test_published_tracker_output_gets_its_published_scores(shared_data: Path, name: str):
    golden = json.loads((shared_data.parent / "goldens" / "tracking" / "mot_tud_example.json").read_text())
    wanted = golden["values"][f"{name}/example"]
    truth = table(shared_data / "mot15-boxes" / "gt" / f"{name}.txt")
    tracked = table(shared_data / "mot15-boxes" / "example_tracker" / f"{name}.txt")
    n = int(truth[:, 0].max())
    scores, _ = score_sequences([Sequence2D(name, rows_to_frames(truth, n), rows_to_frames(tracked, n), 0.04)])
    # The two packages break ties between equal overlaps differently: at most one switch and 0.3 points apart.
    assert scores.mota == pytest.approx(100 * wanted["mota"], abs=0.3)
    assert scores.idf1 == pytest.approx(100 * wanted["idf1"], abs=0.3)
    assert abs(scores.id_switches - wanted["num_switches"]) <= 1


@pytest.mark.shared_data
@pytest.mark.parity
def test_kitti_rules_equal_the_reference_loader(shared_data: Path, tmp_path: Path):
    """The reference reads folders: write one sequence the way it wants and compare what is left after its rules."""
    datasets = pytest.importorskip("trackeval").datasets
    name, n = "0013", 60
    root = shared_data / "kitti-tracking-boxes"
    labels = [line.split() for line in (root / "gt_label_02" / f"{name}.txt").read_text().splitlines()]
    labels = [row for row in labels if int(row[0]) < n]
    found = table(root / "pointrcnn_Pedestrian_val" / f"{name}.txt")
    found = found[(found[:, 0] < n)]
    for folder in ("gt/label_02", "out/t/data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "gt" / "evaluate_tracking.seqmap.training").write_text(f"{name} empty 000000 {n:06d}\n")
    (tmp_path / "gt" / "label_02" / f"{name}.txt").write_text("\n".join(" ".join(row) for row in labels) + "\n")
    lines = [
        f"{int(r[0])} {i} pedestrian -1 -1 -10 {r[2]} {r[3]} {r[4]} {r[5]} -1 -1 -1 -1 -1 -1 -1 {r[6]}"
        for i, r in enumerate(found)
    ]
    (tmp_path / "out" / "t" / "data" / f"{name}.txt").write_text("\n".join(lines) + "\n")
    reference = datasets.Kitti2DBox(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "out"),
            "CLASSES_TO_EVAL": ["pedestrian"],
            "SPLIT_TO_EVAL": "training",
            "PRINT_CONFIG": False,
        }
    )
    wanted = reference.get_preprocessed_seq_data(reference.get_raw_seq_data("t", name), "pedestrian")
    for t in range(n):
        truth = kitti_truth([tuple(row) for row in labels if int(row[0]) == t], "Pedestrian")
        here = np.flatnonzero(found[:, 0] == t)
        kept_truth, kept = apply_kitti_rules(truth, FrameBoxes(here, found[here, 2:6]))
        assert kept_truth.boxes_xyxy == pytest.approx(wanted["gt_dets"][t].reshape(-1, 4))
        assert kept.boxes_xyxy == pytest.approx(wanted["tracker_dets"][t].reshape(-1, 4))
