"""Run lengths: known strings, and that nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from onlooker.errors import ShapeError
from onlooker.formats.run_lengths import (
    check_runs,
    counts_to_runs,
    decode_mask,
    encode_mask,
    mask_area,
    mask_box,
    polygons_to_counts,
    runs_to_counts,
)


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_masks_survive_encoding(mask: np.ndarray) -> None:
    counts = encode_mask(mask)
    np.testing.assert_array_equal(decode_mask(counts, *mask.shape), mask)
    assert mask_area(counts) == mask.sum()


@given(st.lists(st.integers(0, 2**30), max_size=20))
def test_runs_survive_compression(runs: list[int]) -> None:
    assert counts_to_runs(runs_to_counts(runs)) == runs


def test_runs_go_down_the_columns_and_start_with_zeros() -> None:
    mask = np.array([[1, 0, 0], [1, 1, 0]], np.bool_)
    # columns: 1 1 | 0 1 | 0 0 -> no zeros, two ones, one zero, one one, two zeros
    assert counts_to_runs(encode_mask(mask)) == [0, 2, 1, 1, 2]
    # 0 2 1, then 1 - 2 = -1 (all five bits set: 31 + 48 = "O"), then 2 - 1 = 1
    assert encode_mask(mask) == b"021O1"


def test_long_runs_take_more_than_one_character() -> None:
    # 100 = 00011 00100: low group 4 with "more follows" (36 + 48 = "T"), then 3 ("3")
    assert runs_to_counts([100]) == b"T3"
    assert counts_to_runs(b"T3") == [100]


def test_box_encloses_the_mask_with_exclusive_ends() -> None:
    mask = np.zeros((10, 20), np.bool_)
    mask[3:5, 7:12] = True
    assert mask_box(encode_mask(mask), 10, 20) == (7.0, 3.0, 12.0, 5.0)
    assert mask_box(encode_mask(np.zeros((10, 20), np.bool_)), 10, 20) is None


def test_polygons_are_joined() -> None:
    counts = polygons_to_counts([[1, 1, 3, 1, 3, 3, 1, 3], [6, 6, 8, 6, 8, 8, 6, 8]], 10, 10)
    mask = decode_mask(counts, 10, 10)
    assert mask[1:4, 1:4].all()
    assert mask[6:9, 6:9].all()
    assert mask.sum() == 18


@pytest.mark.parametrize(
    ("counts", "message"), [(b"T", "break off"), (b"\x10", "byte 16"), (b"5", "add up to 5"), (b"021O2", "add up to 7")]
)
def test_broken_counts_are_refused(counts: bytes, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        decode_mask(counts, 2, 3)


@pytest.mark.shared_data
def test_sav_masklets_decode_to_their_stated_areas(shared_data: Path) -> None:
    content = json.loads((shared_data / "sav-masklets" / "sav_000001_manual.json").read_text())
    areas, frames = np.zeros((2, int(content["masklet_num"])))
    for row in content["masklet"]:
        for place, item in enumerate(row):
            packed = item["counts"].encode()
            height, width = item["size"]
            mask = decode_mask(packed, height, width)
            assert encode_mask(mask) == packed
            areas[place] += mask.sum()
            frames[place] += mask.any()
    mean = areas / frames  # the file's mean is over the frames where the object is seen
    np.testing.assert_allclose(mean, content["masklet_size_abs"], rtol=1e-6)


def test_a_value_without_end_is_refused_at_once():
    with pytest.raises(ShapeError, match="a value of more than 60 bits"):
        counts_to_runs(b"o" * 10_000_000)
    assert counts_to_runs(runs_to_counts([0, 2**59, 1])) == [0, 2**59, 1]


def test_a_negative_length_is_named_and_not_a_sum_that_is_right():
    with pytest.raises(ShapeError, match="run lengths hold -5; a length is 0 or more"):
        check_runs([-5, 11], 2, 3)
