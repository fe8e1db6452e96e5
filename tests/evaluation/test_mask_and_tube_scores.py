from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.evaluation.mask_tracking import MaskFrame, combine_masks, mask_iou, mask_overlaps, score_masks
from onlooker.evaluation.tubes import score_tubes, tube_overlaps
from onlooker.formats.run_lengths import encode_mask
from onlooker.formats.ytvis import Tube, TubeSet, TubeVideo

needs_trackeval = pytest.mark.skipif(find_spec("trackeval") is None, reason="needs trackeval")


def labels(*rows: tuple[int, slice]) -> np.ndarray:
    """A map of 10x20 with ids in ranges of columns, ten pixels high."""
    made = np.zeros((10, 20), np.int64)
    for number, columns in rows:
        made[:, columns] = number
    return made


def test_overlaps_of_maps_by_hand():
    truth = labels((5, slice(0, 4)), (2, slice(10, 14)))
    tracked = labels((9, slice(2, 6)))
    a, b, iou = mask_iou(truth, tracked)
    assert (a.tolist(), b.tolist()) == ([2, 5], [9])
    # Columns 2 and 3 of 0..5.
    assert iou.tolist() == [[0.0], [pytest.approx(2 / 6)]]


@needs_trackeval
def test_soft_accuracy_counts_overlap_and_hard_accuracy_does_not():
    truth = np.stack([labels((1, slice(0, 8)))] * 4)
    tracked = np.stack([labels((3, slice(0, 6)))] * 3 + [labels((4, slice(0, 8)))])
    scores = score_masks("s", truth, tracked)
    # Three masks of overlap 6/8, one of 1, and one switch, of four truths.
    assert scores.mota == pytest.approx(100 * (4 - 1) / 4)
    assert scores.smota == pytest.approx(100 * (3 * 0.75 + 1 - 1) / 4)
    assert scores.id_switches == 1


def test_unmatched_masks_in_ignore_regions_are_forgiven_and_matched_ones_stay():
    ignore = labels((1, slice(0, 12))) > 0
    tracked = labels((7, slice(0, 4)), (8, slice(6, 10)), (9, slice(11, 16)))
    frame = MaskFrame(labels((1, slice(0, 4))), tracked, ignore)
    sequence = mask_overlaps("s", [frame], 0.1)
    # 7 found its truth, 8 lies inside, 9 has one column of five inside.
    assert sequence.tracked_ids[0].tolist() == [7, 9]


def test_masks_that_share_pixels_are_refused():
    a, b = labels((1, slice(0, 4))) > 0, labels((1, slice(3, 5))) > 0
    with pytest.raises(ShapeError, match="of 2 shares pixels"):
        combine_masks([a, b], [1, 2], a.shape)


@needs_trackeval
@pytest.mark.parity
def test_mask_tracking_equals_the_reference_on_its_own_files(tmp_path: Path):
    """Truth, an ignore region and a noisy tracker as files; the reference reads and scores them from there."""
    trackeval = pytest.importorskip("trackeval")
    pytest.importorskip("pycocotools")
    from onlooker.evaluation.track_files import evaluate_tracks
    from onlooker.formats import mots

    rng = np.random.default_rng(1)
    truth_rows, rows = [], []
    for t in range(1, 13):
        true, found = np.zeros((40, 60), int), np.zeros((40, 60), int)
        for k in range(4):
            x, y = 4 + 2 * t + 6 * k, 8 * k + 2
            true[y : y + 7, x : x + 9] = k + 1
            dx, dy = rng.integers(-2, 3, 2)
            if rng.random() < 0.85:
                found[max(y + dy, 0) : y + dy + 7, max(x + dx, 0) : x + dx + 9] = 11 + k + 10 * (t > 6 and k == 2)
        found[0:2, 50:60] = 40
        region = np.zeros((40, 60), bool)
        region[0:3, 45:] = true[0:3, 45:] == 0
        ids = [int(n) for n in np.unique(true) if n]
        truth_rows += [mots.MotsRow(t, 2000 + n, 2, 40, 60, encode_mask(true == n)) for n in ids]
        truth_rows.append(mots.MotsRow(t, 10000, 10, 40, 60, encode_mask(region)))
        rows += [mots.MotsRow(t, int(n), 2, 40, 60, encode_mask(found == n)) for n in np.unique(found) if n]
    gt, out = tmp_path / "gt" / "S" / "gt", tmp_path / "out" / "t" / "data"
    mots.write_rows(gt / "gt.txt", truth_rows)
    (gt.parent / "seqinfo.ini").write_text("[Sequence]\nname=S\nseqLength=12\nframeRate=10\n")
    mots.write_rows(out / "S.txt", rows)
    (tmp_path / "gt" / "seqmap.txt").write_text("name\nS\n")
    reference = trackeval.datasets.MOTSChallenge(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "out"),
            "SEQMAP_FILE": str(tmp_path / "gt" / "seqmap.txt"),
            "SKIP_SPLIT_FOL": True,
            "PRINT_CONFIG": False,
        }
    )
    data = reference.get_preprocessed_seq_data(reference.get_raw_seq_data("t", "S"), "pedestrian")
    clear = trackeval.metrics.CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
    hota = trackeval.metrics.HOTA().eval_sequence(data)
    report = evaluate_tracks(out / "S.txt", tmp_path / "gt" / "S", "mots")
    assert report.overall["sMOTSA"] == pytest.approx(100 * clear["sMOTA"])
    assert report.overall["MOTSA"] == pytest.approx(100 * clear["MOTA"])
    assert report.overall["id_switches"] == clear["IDSW"] > 0
    assert report.overall["HOTA"] == pytest.approx(100 * hota["HOTA"].mean())


# -- tubes ------------------------------------------------------------------------------------------------------

VIDEO = TubeVideo(1, (20, 10), ("0", "1"))


def tube(category: int, *columns: slice | None, score: float | None = None, crowd: bool = False) -> Tube:
    counts = tuple(None if c is None else encode_mask(labels((1, c)) > 0) for c in columns)
    return Tube(1, category, counts, score, crowd)


def test_overlap_of_tubes_sums_over_frames_first():
    true, found = tube(1, slice(0, 4), slice(0, 4)), tube(1, slice(0, 4), None)
    # 40 pixels of 80; a mean over frames would give the same by chance, so the second frame's truth grows.
    assert tube_overlaps([found], [true], VIDEO).tolist() == [[0.5]]
    grown = tube(1, slice(0, 4), slice(0, 12))
    assert tube_overlaps([found], [grown], VIDEO).tolist() == [[0.25]]


def test_average_precision_by_hand():
    truth = TubeSet({1: VIDEO}, {1: "a", 2: "b"}, (tube(1, slice(0, 4), slice(0, 4)), tube(1, slice(9, 13), None)))
    results = [
        tube(1, slice(0, 4), slice(0, 4), score=0.9),
        tube(1, slice(16, 20), None, score=0.8),
        tube(1, slice(9, 13), None, score=0.7),
    ]
    scores = score_tubes(results, truth)
    # Right, wrong, right: precision 1 up to recall 0.5 (51 of 101 points), then 2/3; the same at every overlap.
    assert scores.ap == pytest.approx(100 * (51 + 50 * 2 / 3) / 101)
    assert (scores.ar1, scores.ar10) == (50, 100)
    assert list(scores.ap_by_category) == ["a"]


def test_no_truth_is_none_and_no_result_is_nought():
    empty = TubeSet({1: VIDEO}, {1: "a"}, ())
    assert score_tubes([tube(1, slice(0, 4), None, score=1.0)], empty).ap is None
    some = TubeSet({1: VIDEO}, {1: "a"}, (tube(1, slice(0, 4), None),))
    assert score_tubes([], some).ap == 0
    with pytest.raises(ShapeError, match="no score"):
        score_tubes([tube(1, slice(0, 4), None)], some)


@pytest.mark.parity
def test_tubes_score_as_the_reference_scores_boxes():
    """The reference with its overlaps replaced by ours (checked by hand above): matching, ties, crowds, summing up."""
    coco, cocoeval = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    import contextlib
    import io

    rng = np.random.default_rng(5)
    videos = {v: TubeVideo(v, (20, 10), ("0", "1")) for v in (1, 2, 3)}

    def draw(video: int, score: float | None, crowd: bool) -> Tube:
        place, long = int(rng.integers(0, 4)) * 4, int(rng.integers(3, 6))
        made = tube(int(rng.integers(1, 3)), slice(place, place + long), slice(place, place + 4))
        return Tube(video, made.category, made.counts, score, crowd)

    true = tuple(draw(v, None, rng.random() < 0.15) for v in videos for _ in range(5))
    # Scores with ties.
    results = [draw(v, float(rng.integers(1, 8)) / 8, False) for v in videos for _ in range(9)]
    ours = score_tubes(results, TubeSet(videos, {1: "a", 2: "b"}, true))

    with contextlib.redirect_stdout(io.StringIO()):
        base = coco.COCO()
        base.dataset = {
            "images": [{"id": v} for v in videos],
            "categories": [{"id": 1}, {"id": 2}],
            "annotations": [
                {"id": n + 1, "image_id": t.video, "category_id": t.category, "iscrowd": int(t.crowd)}
                | {"area": 1, "bbox": [0, 0, 1, 1], "place": n}
                for n, t in enumerate(true)
            ],
        }
        base.createIndex()
        rows = [
            {"image_id": t.video, "category_id": t.category, "score": t.score, "bbox": [0, 0, 1, 1], "place": n}
            for n, t in enumerate(results)
        ]
        run = cocoeval.COCOeval(base, base.loadRes(rows), "bbox")
        run.params.maxDets = [1, 10, 100]

        def overlaps(video: int, category: int) -> np.ndarray | list:
            found, wanted = run._dts[video, category], run._gts[video, category]
            if not found or not wanted:
                return []
            order = np.argsort([-d["score"] for d in found], kind="mergesort")
            return tube_overlaps(
                [results[found[i]["place"]] for i in order], [true[g["place"]] for g in wanted], videos[video]
            )

        run.computeIoU = overlaps
        run.evaluate()
        run.accumulate()
        run.summarize()
    wanted = [100 * run.stats[i] for i in (0, 1, 2, 6, 7)]
    assert [ours.ap, ours.ap50, ours.ap75, ours.ar1, ours.ar10] == pytest.approx(wanted)
    assert 0 < wanted[0] < 100
