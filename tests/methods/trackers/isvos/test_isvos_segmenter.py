"""Following objects: prompts, newcomers, absences, budgets and pictures of any size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.trackers.isvos.bank import MemoryBank, Remembered
from onlooker.methods.trackers.isvos.config import CONFIGS, InstanceConfig, IsvosConfig, MemoryConfig
from onlooker.methods.trackers.isvos.framing import Framing, labels_of
from onlooker.methods.trackers.isvos.infer import IsvosSegmenter
from onlooker.methods.trackers.isvos.instances import InstanceView
from onlooker.methods.trackers.isvos.keys import Keys
from onlooker.methods.trackers.isvos.memory import affinity, readout, similarity
from onlooker.methods.trackers.isvos.model import Isvos
from onlooker.methods.trackers.isvos.prompts import mask_of_box, mask_of_point
from onlooker.types import Image

TINY = replace(CONFIGS["tiny"], short_side=64, instances=InstanceConfig(64, 6, 1, 1, 3, 4, 32, 32))
SIZE = (50, 83)


def network(config: IsvosConfig = TINY) -> Isvos:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Isvos(config)


@pytest.fixture(scope="module")
def segmenter() -> IsvosSegmenter:
    return IsvosSegmenter.from_network(network())


def frame(seed: int, size: tuple[int, int] = SIZE) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def block(top: int, left: int, height: int = 12, width: int = 15, size: tuple[int, int] = SIZE) -> NDArray[np.bool_]:
    mask = np.zeros(size, np.bool_)
    mask[top : top + height, left : left + width] = True
    return mask


def remembered(values: list[float], ids: tuple[int, ...] = (1,), key: float = 0.0) -> Remembered:
    """One location per frame; the value of every object is the number given."""
    return Remembered(torch.full((1, 1), key), None, ids, torch.tensor(values).view(len(ids), 1, 1))


def test_masks_come_back_per_object_in_the_size_of_the_frame(segmenter: IsvosSegmenter) -> None:
    session = segmenter.start(frame(0), {4: block(5, 5), 2: block(30, 40)})
    assert session.ids == (4, 2)
    assert np.array_equal(session.masks[4], block(5, 5))
    found = session.step(frame(1))
    assert list(found) == [4, 2]
    assert all(mask.shape == SIZE and mask.dtype == np.bool_ for mask in found.values())
    assert not (found[4] & found[2]).any()


def test_probabilities_are_resized_before_the_best_is_taken(segmenter: IsvosSegmenter) -> None:
    session = segmenter.start(
        frame(0, (130, 101)), {1: block(5, 5, size=(130, 101)), 3: block(60, 40, size=(130, 101))}
    )
    found = session.segment(frame(1, (130, 101)))
    shares = found.probabilities()
    assert shares.shape == (3, 130, 101)
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, atol=1e-5)
    assert np.array_equal(np.array([0, 1, 3])[shares.argmax(axis=0)], found.labels)
    assert np.array_equal(found.index_mask, found.labels)


def test_following_does_not_depend_on_how_objects_are_ordered_or_numbered(segmenter: IsvosSegmenter) -> None:
    a, b = (
        segmenter.start(frame(0), {1: block(5, 5), 2: block(30, 40)}),
        segmenter.start(frame(0), {9: block(30, 40), 5: block(5, 5)}),
    )
    for seed in range(1, 7):  # a frame is stored on the way
        first, second = a.segment(frame(seed)).probabilities(), b.segment(frame(seed)).probabilities()
        np.testing.assert_allclose(first, second[[0, 2, 1]], atol=1e-4)


def test_two_sessions_do_not_meet(segmenter: IsvosSegmenter) -> None:
    alone = segmenter.start(frame(0), {1: block(5, 5)})
    expected = [alone.step(frame(seed))[1] for seed in range(1, 7)]
    one, other = segmenter.start(frame(0), {1: block(5, 5)}), segmenter.start(frame(9), {1: block(20, 20)})
    for seed, mask in enumerate(expected, start=1):
        other.step(frame(seed + 20))
        assert np.array_equal(one.step(frame(seed))[1], mask)


def test_a_frame_that_repeats_keeps_its_masks_for_ever() -> None:
    """With the first frame alone in memory nothing can drift; repeats of it in memory are as good as one."""
    still = frame(0)
    session = IsvosSegmenter.from_network(network(), MemoryConfig(max_frames=0)).start(still, {1: block(5, 5)})
    first = session.step(still)[1]
    assert all(np.array_equal(session.step(still)[1], first) for _ in range(12))
    bank = MemoryBank(MemoryConfig(top_k=None))
    bank.store_first(remembered([3.0]))
    keys = Keys(torch.zeros(1, 1, 1, 1), None, None)
    before = bank.read(keys, (1,))
    for _ in range(5):
        bank.store(remembered([3.0]))
    torch.testing.assert_close(bank.read(keys, (1,)), before)


def test_without_objects_nothing_is_found_and_nothing_is_asked() -> None:
    segmenter = IsvosSegmenter.from_network(network())
    session = segmenter.start(frame(0), {})
    assert session.step(frame(1)) == {}
    assert session.memory_bytes == 0
    assert not session.segment(frame(2)).labels.any()
    assert session.add({3: block(5, 5)})[3].sum() == 12 * 15
    assert list(session.step(frame(3))) == [3]


def test_an_object_with_an_empty_first_mask_is_listed_and_never_found(segmenter: IsvosSegmenter) -> None:
    session = segmenter.start(frame(0), {1: np.zeros(SIZE, np.bool_), 2: block(5, 5)})
    for seed in range(1, 7):
        found = session.step(frame(seed))
        assert list(found) == [1, 2]
        assert not found[1].any()
    assert session.segment(frame(8)).probabilities().shape == (3, *SIZE)
    session.add({1: block(20, 20)})
    assert session.masks[1].sum() == 12 * 15


def test_a_newcomer_takes_its_pixels_and_leaves_others_their_memory(segmenter: IsvosSegmenter) -> None:
    session = segmenter.start(frame(0), {1: block(5, 5, 40, 60)})
    session.step(frame(1))
    before = session.memory_frames
    masks = session.add({2: block(10, 10)})
    assert np.array_equal(masks[2], block(10, 10))
    assert not (masks[1] & masks[2]).any()
    assert session.memory_frames == before + 1
    assert list(session.step(frame(2))) == [1, 2]
    with pytest.raises(ConfigError, match="object 2 is followed already"):
        session.add({2: block(0, 0)})


def test_a_removed_object_is_forgotten(segmenter: IsvosSegmenter) -> None:
    session = segmenter.start(frame(0), {1: block(5, 5), 2: block(30, 40)})
    session.step(frame(1))
    whole = session.memory_bytes
    session.remove(1)
    assert session.memory_bytes < whole
    assert list(session.masks) == [2]
    alone = segmenter.start(frame(0), {1: block(5, 5), 2: block(30, 40)})
    alone.remove(1)
    alone.step(frame(1))
    assert list(session.step(frame(2))) == [2]
    with pytest.raises(UnknownNameError, match="unknown object `7`"):
        session.remove(7)
    session.remove(2)
    assert session.step(frame(3)) == {}
    assert session.memory_bytes == 0


def test_an_object_that_was_gone_for_fifty_frames_is_still_looked_for() -> None:
    """An untrained network finds nothing on purpose: its answers are bent to ground for a while."""
    net = network()
    session = IsvosSegmenter.from_network(net).start(frame(0), {1: block(5, 5)})
    usual = net.decoder.pred.bias.detach().clone()
    with torch.no_grad():
        net.decoder.pred.bias.fill_(-1e4)
    stored = session.memory_frames
    assert not any(session.step(frame(seed))[1].any() for seed in range(50))
    assert session.memory_frames == stored, "frames without the object must not be remembered as ground"
    with torch.no_grad():
        net.decoder.pred.bias.copy_(usual + 1e4)
    assert session.step(frame(60))[1].all()


@pytest.mark.parametrize("size", [(1, 1), (33, 32), (97, 31), (480, 20), (64, 200)])
def test_frames_of_any_size_and_shape(segmenter: IsvosSegmenter, size: tuple[int, int]) -> None:
    mask = np.zeros(size, np.bool_)
    mask[size[0] // 2, size[1] // 2] = True  # an object of one pixel
    session = segmenter.start(frame(0, size), {1: mask})
    assert session.step(frame(1, size))[1].shape == size
    assert session.memory_frames >= 1


def test_frames_may_change_their_size_on_the_way(segmenter: IsvosSegmenter) -> None:
    session = segmenter.start(frame(0), {1: block(5, 5)})
    for size in ((20, 31), (90, 150), SIZE):
        assert session.step(frame(1, size))[1].shape == size


def test_black_frames_give_finite_answers(segmenter: IsvosSegmenter) -> None:
    black = np.zeros((*SIZE, 3), np.uint8)
    session = segmenter.start(black, {1: block(5, 5)})
    assert np.isfinite(session.segment(black).probabilities()).all()


def test_two_hundred_objects(segmenter: IsvosSegmenter) -> None:
    masks = {k + 1: block(4 * (k // 20), 4 * (k % 20), 3, 3) for k in range(200)}
    session = segmenter.start(frame(0), masks)
    assert len(session.step(frame(1))) == 200


def test_overlapping_prompts_give_the_pixel_to_the_smaller_object(segmenter: IsvosSegmenter) -> None:
    session = segmenter.start(frame(0), {1: block(0, 0, 30, 30), 2: block(5, 5, 4, 4)})
    assert session.masks[2].sum() == 16
    assert session.masks[1].sum() == 900 - 16


def test_void_is_ground_and_label_maps_go_in_and_out(segmenter: IsvosSegmenter) -> None:
    first = np.where(block(5, 5), 7, 0).astype(np.uint8)
    first[40:, :] = 255
    frames = [frame(seed) for seed in range(4)]
    found = segmenter.follow(frames, first)
    assert found.shape == (4, *SIZE)
    assert found.dtype == np.uint8
    assert np.array_equal(found[0], np.where(first == 255, 0, first))
    assert set(np.unique(found)) <= {0, 7}
    with pytest.raises(ShapeError, match="all of one size"):
        segmenter.follow([frame(0), frame(1, (20, 20))], first)


@pytest.mark.parametrize("number", [-1, 256, 300])
def test_ids_that_no_byte_holds_are_refused(segmenter: IsvosSegmenter, number: int) -> None:
    first = np.zeros(frame(0).shape[:2], np.int64)
    first[4:12, 4:12] = number
    with pytest.raises(ShapeError, match=str(number)):
        segmenter.follow([frame(0)], first)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (block(0, 0, size=(10, 10)), r"must be bool \(50, 83\), got bool \(10, 10\)"),
        (block(0, 0).astype(np.uint8), "got uint8"),
        ((90.0, 5.0, 99.0, 9.0), "outside the frame of 83x50"),
        ((-9.0, -9.0, -1.0, -1.0), "outside the frame"),
        ((30.0, 5.0, 20.0, 9.0), "x1 < x2"),
        ((83.0, 5.0), "outside the frame"),
        ((1.0, float("nan")), "a box of 4 or a point of 2"),
        ((1.0, 2.0, 3.0), "a box of 4 or a point of 2"),
    ],
)
def test_prompts_that_do_not_fit_the_frame_are_refused(segmenter: IsvosSegmenter, prompt: object, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        segmenter.start(frame(0), {1: prompt})


@pytest.mark.parametrize("number", [0, -1, True, "1"])
def test_ids_are_whole_numbers_from_one(segmenter: IsvosSegmenter, number: object) -> None:
    with pytest.raises(ConfigError, match="numbered from 1"):
        segmenter.start(frame(0), {number: block(0, 0)})


@pytest.mark.parametrize(
    "bad", [frame(0)[..., 0], frame(0).astype(np.float32), np.dstack([frame(0), frame(0)[..., :1]]), frame(0)[:0]]
)
def test_frames_that_are_not_rgb_are_refused(segmenter: IsvosSegmenter, bad: NDArray[np.generic]) -> None:
    with pytest.raises(ShapeError, match="RGB uint8"):
        segmenter.start(bad, {})
    session = segmenter.start(frame(0), {1: block(5, 5)})
    with pytest.raises(ShapeError, match="RGB uint8"):
        session.step(bad)


def proposals(framing: Framing, masks: list[NDArray[np.bool_]], kinds: list[tuple[float, float]]) -> InstanceView:
    """A view with masks given at a quarter of the input's size."""
    logits = torch.stack([torch.where(torch.from_numpy(mask), 9.0, -9.0) for mask in masks])[None]
    nothing = torch.zeros(1, 1, 1, 1)
    return InstanceView(nothing, (nothing, nothing), nothing, (logits,), (torch.tensor([kinds]),))


def test_a_box_takes_the_proposal_like_it_or_is_filled() -> None:
    size, framing = (64, 96), Framing.fit((64, 96), 64)
    diamond = np.abs(np.arange(16)[:, None] - 7.5) + np.abs(np.arange(24)[None] - 11.5) < 5
    whole = np.ones((16, 24), np.bool_)
    view = proposals(framing, [whole, diamond], [(0.0, 0.0), (0.0, 0.0)])
    found = mask_of_box((28.0, 12.0, 68.0, 52.0), size, framing, view)
    assert found.sum() < 0.7 * 40 * 40
    assert found[32, 48]
    assert not found[14, 30]
    filled = mask_of_box((2.0, 3.0, 12.4, 9.0), size, framing, view)
    assert np.array_equal(filled, block(3, 2, 6, 11, size))
    cut = mask_of_box((-5.0, 60.0, 4.0, 80.0), size, framing, view)
    assert np.array_equal(cut, block(60, 0, 4, 4, size))


def test_a_point_takes_the_likeliest_proposal_over_it_or_a_disk() -> None:
    size, framing = (64, 96), Framing.fit((64, 96), 64)
    left, all_of_it = np.zeros((16, 24), np.bool_), np.ones((16, 24), np.bool_)
    left[:, :10] = True
    view = proposals(framing, [all_of_it, left], [(-4.0, 4.0), (4.0, -4.0)])
    found = mask_of_point((10.0, 30.0), size, framing, view)
    assert found[:, :36].all()
    assert not found[:, 44:].any()
    nothing_there = proposals(framing, [left], [(4.0, -4.0)])
    disk = mask_of_point((80.0, 30.0), size, framing, nothing_there)
    assert disk[30, 80]
    assert 1 <= disk.sum() <= 9


def test_boxes_and_points_start_objects(segmenter: IsvosSegmenter) -> None:
    session = segmenter.start(frame(0), {1: (5.0, 5.0, 30.0, 40.0), 2: (70.0, 20.0)})
    assert session.masks[1].any()
    assert not session.masks[1][:, 31:].any()
    assert session.masks[2].any()
    session.step(frame(1))
    assert session.add({3: (40.0, 2.0, 60.0, 20.0)})[3].any()


@pytest.mark.parametrize("size", [(480, 854), (854, 480), (240, 428), (2160, 3840), (31, 33)])
def test_pictures_are_padded_evenly_and_come_back_in_their_size(size: tuple[int, int]) -> None:
    framing = Framing.fit(size, 480)
    height, width = framing.input_size
    assert height % 32 == width % 32 == 0
    assert min(framing.height, framing.width) == min(480, *size)
    assert abs(framing.left - framing.right) <= 1
    assert abs(framing.top - framing.bottom) <= 1
    ramp = torch.linspace(0, 1, framing.width).expand(1, framing.height, framing.width)
    padded = torch.nn.functional.pad(ramp, (framing.left, framing.right, framing.top, framing.bottom), value=9.0)
    (back,) = framing.maps_to_picture(padded, size)
    assert back.shape == size
    assert float(back.max()) <= 1.0, "padding leaked into the picture"
    x, y = framing.place_to_input(size[1], size[0], size)
    assert (x, y) == (framing.width + framing.left, framing.height + framing.top)


def test_labels_are_the_first_of_the_largest() -> None:
    maps = iter([torch.tensor([[0.5, 0.2]]), torch.tensor([[0.5, 0.3]]), torch.tensor([[0.1, 0.9]])])
    assert labels_of(maps).tolist() == [[0, 2]]


def test_memory_reads_an_object_from_the_frames_it_was_seen_in() -> None:
    bank = MemoryBank(MemoryConfig(top_k=None))
    bank.store_first(remembered([1.0, 10.0], (1, 2)))
    bank.store(remembered([3.0], (1,)))
    keys = Keys(torch.zeros(1, 1, 1, 1), None, None)
    assert bank.read(keys, (2, 1)).flatten().tolist() == pytest.approx([10.0, 2.0])


def test_reading_in_small_chunks_equals_reading_at_once() -> None:
    generator = torch.Generator().manual_seed(1)
    keys = [Keys(*(torch.rand(1, c, 3, 5, generator=generator) + 0.1 for c in (4, 1, 4))) for _ in range(3)]
    values = torch.randn(3, 2, 7, 3, 5, generator=generator)
    bank = MemoryBank(MemoryConfig(top_k=6, chunk_megabytes=1e-3))
    bank.store_first(Remembered.of(keys[0], (1, 2), values[0]))
    bank.store(Remembered.of(keys[1], (1, 2), values[1]))
    asked = keys[2]
    past = torch.cat([k.key.flatten(2) for k in keys[:2]], dim=2)
    scale = torch.cat([k.shrinkage.flatten(2) for k in keys[:2]], dim=2)
    weights = affinity(similarity(past, asked.key.flatten(2), scale, asked.selection.flatten(2)), 6)
    expected = readout(weights, torch.cat([values[0].flatten(2), values[1].flatten(2)], dim=2)[None])
    torch.testing.assert_close(bank.read(asked, (1, 2)).flatten(2), expected[0], atol=1e-5, rtol=1e-5)


def test_a_thousand_frames_stay_within_the_budget_and_the_first_is_never_pushed_out() -> None:
    frame_bytes = remembered([0.0]).n_bytes
    budget = 5 * frame_bytes
    bank = MemoryBank(MemoryConfig(max_frames=None, max_megabytes=budget / 2**20, top_k=None))
    bank.store_first(remembered([1.0]))
    for number in range(1000):
        bank.store(remembered([float(number)]))
        bank.store_last(remembered([0.0]))
        assert bank.n_bytes <= budget
    bank.forget_last()
    found = bank.read(Keys(torch.zeros(1, 1, 1, 1), None, None), (1,))
    assert float(found) == pytest.approx((1 + 996 + 997 + 998 + 999) / 5)


def test_memory_of_a_long_video_is_flat(segmenter: IsvosSegmenter) -> None:
    bounded = IsvosSegmenter.from_network(network(), MemoryConfig(every=1, max_frames=3, keep_last=True))
    session = bounded.start(frame(0), {1: block(5, 5, 30, 40)})
    sizes = []
    for seed in range(12):
        session.step(frame(seed))
        sizes.append(session.memory_frames)
    assert max(sizes) <= 5
    session.cut()


def test_first_frames_beyond_the_budget_are_an_error_that_says_what_to_do() -> None:
    segmenter = IsvosSegmenter.from_network(network(), MemoryConfig(max_megabytes=0.005))
    with pytest.raises(ConfigError, match=r"`memory\.max_megabytes` is 0\.005; raise it"):
        segmenter.start(frame(0), {1: block(5, 5)})


def test_the_frame_before_counts_until_the_next_and_not_across_a_cut() -> None:
    segmenter = IsvosSegmenter.from_network(network(), MemoryConfig(every=50, keep_last=True))
    session = segmenter.start(frame(0), {1: block(5, 5, 40, 60)})
    masks = [session.step(frame(seed))[1] for seed in (1, 2)]
    assert all(mask.any() for mask in masks)
    assert session.memory_frames == 2
    session.cut()
    assert session.memory_frames == 1


def test_weights_from_a_folder_follow_like_the_network_they_came_from(tmp_path: Path) -> None:
    net = network()
    net.save_pretrained(tmp_path)
    loaded = IsvosSegmenter(str(tmp_path), max_frames=2, max_megabytes=9.0, short_side=64)
    assert loaded.name == "isvos"
    assert len(loaded.version) == 8
    expected = IsvosSegmenter.from_network(net).start(frame(0), {1: block(5, 5)}).step(frame(1))
    assert np.array_equal(loaded.start(frame(0), {1: block(5, 5)}).step(frame(1))[1], expected[1])
    with pytest.raises(ConfigError, match="no public ISVOS weights"):
        IsvosSegmenter()
    with pytest.raises(UnknownNameError, match="did you mean `tiny`"):
        IsvosSegmenter(str(tmp_path), config="tinny")
    with pytest.raises(ConfigError, match="at least 32"):
        IsvosSegmenter(str(tmp_path), short_side=8)
