"""Overlap, suppression and clipping on boxes worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.models.boxes import check_image, make_detections, pairwise_iou, suppress
from onlooker.models.coco import COCO_NAMES, coco_spelling

BOXES = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [0, 0, 10, 10], [20, 20, 20, 30]], np.float32)


def test_iou_of_half_shifted_squares_is_a_third_and_empty_boxes_give_zero() -> None:
    iou = pairwise_iou(BOXES, BOXES)
    assert iou[0, 1] == pytest.approx(1 / 3)
    assert iou[0, 2] == 1
    assert iou[3, 3] == 0
    assert pairwise_iou(BOXES[:0], BOXES).shape == (0, 4)


def test_suppression_keeps_the_best_of_each_label_and_order_of_input_does_not_matter() -> None:
    scores = np.array([0.6, 0.9, 0.8, 0.1], np.float32)
    labels = ["a", "a", "b", "a"]
    assert suppress(BOXES, scores, labels, 0.3, 1.0).tolist() == [1, 2, 3]
    assert suppress(BOXES, scores, labels, 0.5, 0.9).tolist() == [1, 2, 3]
    assert suppress(BOXES, scores, labels, 0.5, 1.0).tolist() == [1, 2, 0, 3]
    shuffled = [3, 0, 2, 1]
    kept = suppress(BOXES[shuffled], scores[shuffled], [labels[i] for i in shuffled], 0.3, 1.0)
    assert [shuffled[i] for i in kept] == [1, 2, 3]


def test_boxes_are_clipped_and_those_outside_disappear() -> None:
    boxes = np.array([[-5, -5, 5, 5], [100, 0, 120, 10], [90, 40, 130, 70]], np.float32)
    found = make_detections(boxes, np.array([0.5, 0.4, 1.2], np.float32), ["a", "b", "c"], (100, 50))
    assert found.labels == ("a", "c")
    assert found.boxes_xyxy_px.tolist() == [[0, 0, 5, 5], [90, 40, 100, 50]]
    assert found.scores.tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_anything_but_rgb_bytes_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="uint8"):
        check_image(image)


def test_coco_has_80_names_at_the_official_ids() -> None:
    assert len(COCO_NAMES) == len(set(COCO_NAMES.values())) == 80
    assert (COCO_NAMES[1], COCO_NAMES[18], COCO_NAMES[44], COCO_NAMES[90]) == ("person", "dog", "bottle", "toothbrush")
    assert not {12, 26, 29, 30, 45, 66, 68, 69, 71, 83} & set(COCO_NAMES)
    assert coco_spelling("sofa") == "couch"
    assert coco_spelling("zebra") == "zebra"
