"""SAM 2 through the real loading code, on a tiny random network of the official class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_hub_models as tiny
import torch
from transformers import Sam2VideoModel, Sam2VideoProcessor

from onlooker.catalogue import create
from onlooker.errors import ConfigError, ShapeError, UnknownNameError, WeightsError
from onlooker.models.hub.sam2 import Sam2Segmenter
from onlooker.video.protocols import Segmenter, SegmenterSession

RNG = np.random.default_rng(0)
STILL = RNG.integers(0, 255, (48, 80, 3), np.uint8)
FRAMES = [np.roll(STILL, 2 * k, axis=1) for k in range(9)]
BOX, POINT = (5.0, 5.0, 40.0, 40.0), (50.0, 20.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.sam2_folder(tmp_path_factory.mktemp("sam2"))


@pytest.fixture(scope="module")
def segmenter(folder: Path) -> Sam2Segmenter:
    made = create("segmenter", "sam2", {"model": str(folder), "offline": True})
    assert isinstance(made, Sam2Segmenter)
    return made


@pytest.fixture(scope="module")
def reference(folder: Path) -> list[dict[int, np.ndarray]]:
    """(H, W) logits by object and frame as transformers gives them, with all it ever computed kept."""
    network = Sam2VideoModel.from_pretrained(folder).eval()
    processor = Sam2VideoProcessor.from_pretrained(folder)
    session = processor.init_video_session()
    processor.add_inputs_to_inference_session(session, 0, 1, input_boxes=[[list(BOX)]], original_size=(48, 80))
    found = []
    for place, frame in enumerate(FRAMES):
        pixels = processor(images=frame, input_data_format="channels_last", return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            output = network(inference_session=session, frame=pixels, frame_idx=place)
        (logits,) = processor.post_process_masks([output.pred_masks], [[48, 80]], binarize=False)
        found.append({1: logits[0, 0].numpy()})
    return found


def test_the_forgetting_session_finds_what_the_keeping_one_does(
    segmenter: Sam2Segmenter, reference: list[dict[int, np.ndarray]]
) -> None:
    session = segmenter.start(FRAMES[0], {1: BOX})
    for place, frame in enumerate(FRAMES):
        masks = session.masks if place == 0 else session.step(frame)
        np.testing.assert_array_equal(masks[1], reference[place][1] > 0)
        np.testing.assert_allclose(session._claims[masks[1]], reference[place][1][masks[1]], atol=1e-4)
    assert 0 < session.masks[1].sum() < session.masks[1].size


def test_memory_ends_where_no_later_frame_reads(segmenter: Sam2Segmenter) -> None:
    session = segmenter.start(FRAMES[0], {1: BOX, 2: POINT})
    sizes = []
    for stop in (5, 7, 9):
        for frame in FRAMES[stop - (4 if stop == 5 else 2) : stop]:
            session.step(frame)
        held = [m.output_dict_per_obj[0] for m in session._objects.values()]
        tensors = [
            value
            for outputs in held
            for entry in (*outputs["cond_frame_outputs"].values(), *outputs["non_cond_frame_outputs"].values())
            for value in entry.values()
        ]
        sizes.append(sum(tensor.numel() * tensor.element_size() for tensor in tensors))
        assert all(not m.processed_frames for m in session._objects.values())
    assert sizes[0] == sizes[1] == sizes[2]


def test_objects_come_and_go_alone_and_never_share_a_pixel(segmenter: Sam2Segmenter) -> None:
    assert isinstance(segmenter, Segmenter)
    session = segmenter.start(FRAMES[0], {})
    assert isinstance(session, SegmenterSession)
    assert session.step(FRAMES[1]) == {}
    first = session.add({4: BOX})
    both = session.add({2: POINT})
    assert session.ids == (4, 2)
    assert (first[4] & ~both[4] & ~both[2]).sum() == 0  # pixels of 4 that went can only have gone to 2
    for frame in FRAMES[2:4]:
        masks = session.step(frame)
        assert not (masks[4] & masks[2]).any()
    session.remove(4)
    assert set(session.masks) == {2}
    alone = segmenter.start(FRAMES[3], {4: BOX}).masks[4]
    again = session.add({4: BOX})
    assert session.ids == (2, 4)
    assert not (again[4] & ~alone).any()  # shown anew it remembers nothing of before; 2 may have the surer claim
    session.cut()
    assert set(session.step(FRAMES[4])) == {2, 4}
    with pytest.raises(UnknownNameError, match="unknown object `9`; known: `2`, `4`"):
        session.remove(9)
    with pytest.raises(ConfigError, match="followed already"):
        session.add({4: BOX})


def test_given_masks_are_believed_and_one_of_nothing_waits_to_be_shown(segmenter: Sam2Segmenter) -> None:
    large, small, nothing = (np.zeros((48, 80), np.bool_) for _ in range(3))
    large[5:40, 5:60] = True
    small[10:20, 10:20] = True
    session = segmenter.start(FRAMES[0], {1: small, 2: large, 3: nothing})
    assert session.ids == (1, 2, 3)
    np.testing.assert_array_equal(session.masks[1], small)
    np.testing.assert_array_equal(session.masks[2], large & ~small)
    assert not session.step(FRAMES[1])[3].any()
    assert session.add({3: BOX})[3].shape == (48, 80)
    assert session.ids == (1, 2, 3)


def test_boxes_and_points_in_arrays_are_not_taken_for_masks(segmenter: Sam2Segmenter) -> None:
    told = segmenter.start(FRAMES[0], {1: BOX, 2: POINT}).masks
    arrays = {1: np.array(BOX), 2: np.array(POINT)}
    for number, mask in segmenter.start(FRAMES[0], arrays).masks.items():  # type: ignore[arg-type]
        np.testing.assert_array_equal(mask, told[number])


def test_one_pixel_and_another_size_are_followed(segmenter: Sam2Segmenter) -> None:
    wide = np.zeros((300, 500, 3), np.uint8)
    pixel = np.zeros((300, 500), np.bool_)
    pixel[20, 30] = True  # 0.03 of a pixel of the network
    session = segmenter.start(wide, {1: pixel})
    np.testing.assert_array_equal(session.masks[1], pixel)
    assert session.step(wide)[1].shape == (300, 500)
    assert session.step(FRAMES[0])[1].shape == (48, 80)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ((1.0, 2.0, 3.0), "a mask, a box of 4 or a point"),
        ((10.0, 10.0, 10.0, 20.0), "x1 < x2"),
        ((90.0, 5.0, 99.0, 9.0), "outside the frame of 80x48"),
        ((80.0, 5.0), "outside the frame of 80x48"),
        ((float("nan"), 5.0), "a mask, a box of 4"),
        (np.zeros((48, 80), np.uint8), r"must be bool \(48, 80\), got uint8"),
        (np.zeros((4, 4), np.bool_), r"must be bool \(48, 80\)"),
    ],
)
def test_prompts_that_do_not_fit_are_named(segmenter: Sam2Segmenter, prompt: object, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        segmenter.start(FRAMES[0], {1: prompt})  # type: ignore[dict-item]


def test_ids_and_frames_that_are_none_are_refused(segmenter: Sam2Segmenter) -> None:
    with pytest.raises(ConfigError, match="numbered from 1"):
        segmenter.start(FRAMES[0], {0: BOX})
    with pytest.raises(ShapeError, match="RGB images"):
        segmenter.start(FRAMES[0][..., 0], {1: BOX})


def test_weights_that_do_not_fit_are_an_error(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    tensors.pop("no_memory_embedding")
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="missing keys: `no_memory_embedding`"):
        create("segmenter", "sam2", {"model": str(tmp_path), "offline": True})
