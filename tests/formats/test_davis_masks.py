from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from onlooker.errors import FormatError, NothingFoundError, ShapeError
from onlooker.formats.davis import davis_palette, read_sequence, sequence_folders, write_sequence


def save(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


def test_first_colours_are_those_of_the_data_set():
    # From the PNGs of DAVIS 2017: ground, dark red, dark green, olive, dark blue; and the void colour.
    assert davis_palette()[:5].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert davis_palette()[255].tolist() == [224, 224, 192]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))))
def test_ids_and_void_survive_writing(tmp_path: Path, labels: np.ndarray):
    for old in tmp_path.glob("*.png"):
        old.unlink()
    write_sequence(tmp_path, labels)
    read = read_sequence(tmp_path)
    np.testing.assert_array_equal(read.labels, labels)
    assert read.stems == tuple(f"{t:05d}" for t in range(len(labels)))
    with Image.open(tmp_path / "00000.png") as picture:
        assert picture.mode == "P"
        assert picture.getpalette()[:6] == [0, 0, 0, 128, 0, 0]


def test_grey_of_two_values_is_one_object_and_other_grey_is_ids(tmp_path: Path):
    save(tmp_path / "a" / "0.png", np.array([[0, 255], [255, 0]], np.uint8))
    save(tmp_path / "b" / "0.png", np.array([[0, 2], [255, 1]], np.uint8))
    assert read_sequence(tmp_path / "a").labels[0].tolist() == [[0, 1], [1, 0]]
    assert read_sequence(tmp_path / "b").labels[0].tolist() == [[0, 2], [255, 1]]


def test_grey_of_two_values_is_void_where_another_grey_mask_holds_ids(tmp_path: Path):
    save(tmp_path / "0.png", np.array([[0, 255]], np.uint8))
    save(tmp_path / "1.png", np.array([[2, 255]], np.uint16))
    assert read_sequence(tmp_path).labels.tolist() == [[[0, 255]], [[2, 255]]]
    save(tmp_path / "1.png", np.array([[0, 300]], np.uint16))
    with pytest.raises(FormatError, match=r"1\.png: holds the number 300; the ids of a mask go from 0 to 255"):
        read_sequence(tmp_path)


def test_colours_of_the_palette_keep_their_places(tmp_path: Path):
    # Only object 2 is seen: numbering by appearance would call it 1.
    save(tmp_path / "0.png", np.array([[[0, 0, 0], [0, 128, 0]]], np.uint8))
    assert read_sequence(tmp_path).labels.tolist() == [[[0, 2]]]


def test_peoples_own_colours_keep_their_number_over_frames(tmp_path: Path):
    white, pink = [255, 255, 255], [255, 0, 200]
    save(tmp_path / "0.png", np.array([[[0, 0, 0], pink, pink]], np.uint8))
    save(tmp_path / "1.png", np.array([[white, [0, 0, 0], pink]], np.uint8))
    assert read_sequence(tmp_path).labels.tolist() == [[[0, 1, 1]], [[2, 0, 1]]]


def test_palette_colours_after_own_ones_are_refused_where_ids_would_clash(tmp_path: Path):
    save(tmp_path / "0.png", np.array([[[255, 0, 200]]], np.uint8))
    save(tmp_path / "1.png", np.array([[[128, 0, 0]]], np.uint8))
    with pytest.raises(FormatError, match=r"1\.png: mixes colours"):
        read_sequence(tmp_path)


def test_soft_edges_other_sizes_and_broken_files_are_named(tmp_path: Path):
    save(tmp_path / "soft" / "0.png", np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8))
    with pytest.raises(FormatError, match="colours; an object has one"):
        read_sequence(tmp_path / "soft")
    save(tmp_path / "sizes" / "0.png", np.zeros((2, 3), np.uint8))
    save(tmp_path / "sizes" / "1.png", np.zeros((3, 2), np.uint8))
    with pytest.raises(FormatError, match=r"1\.png: is 2x3, 0\.png is 3x2"):
        read_sequence(tmp_path / "sizes")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    with pytest.raises(FormatError, match="not a readable mask"):
        read_sequence(tmp_path / "broken")
    with pytest.raises(FormatError, match="there is no PNG"):
        read_sequence(tmp_path)


def test_layouts_of_the_data_set_are_found(tmp_path: Path):
    for name in ("dog", "cat"):
        save(tmp_path / "Annotations" / "480p" / name / "00000.png", np.zeros((2, 2), np.uint8))
    assert list(sequence_folders(tmp_path)) == ["cat", "dog"]
    assert list(sequence_folders(tmp_path / "Annotations" / "480p")) == ["cat", "dog"]
    assert list(sequence_folders(tmp_path / "Annotations" / "480p" / "dog")) == ["dog"]
    with pytest.raises(NothingFoundError, match="no folder"):
        sequence_folders(tmp_path / "nowhere")


def test_what_cannot_be_written_is_refused(tmp_path: Path):
    with pytest.raises(ShapeError, match="from 0 to 255"):
        write_sequence(tmp_path, np.full((1, 2, 2), 256))
    with pytest.raises(ShapeError, match="2 masks and 1 names"):
        write_sequence(tmp_path, np.zeros((2, 2, 2), int), ["a"])
