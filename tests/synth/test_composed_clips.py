"""Composed, real and still clips over a small data set painted here: discs that move over a plain ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onlooker.errors import ConfigError, FormatError, NothingFoundError, ShapeError, UnknownNameError
from onlooker.synth.composites import INVENTED, CompositeClips, CompositeConfig
from onlooker.synth.masked_clips import (
    CATEGORIES,
    CATEGORY_OF,
    CLEAN_SCENES,
    TEST_SEQUENCES,
    TRAIN_SEQUENCES,
    MaskedClip,
    MaskedPictures,
    box_of,
)
from onlooker.synth.real_clips import RealClipConfig, RealClips, StillClips

NAMES = {"cows": (200, 40, 40), "drift-chicane": (40, 200, 40), "bmx-trees": (40, 40, 200)}
SIZE = (64, 96)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("davis")
    for place, (name, colour) in enumerate(NAMES.items()):
        for part in ("JPEGImages", "Annotations"):
            (root / part / name).mkdir(parents=True)
        for t in range(12):
            y, x = np.mgrid[:90, :150]
            disc = (y - 45) ** 2 + (x - 40 - 5 * t) ** 2 < 15**2
            picture = np.full((90, 150, 3), 90 + 20 * place, np.uint8)
            picture[disc] = colour
            Image.fromarray(picture).save(root / "JPEGImages" / name / f"{t:05d}.jpg", quality=95)
            mask = Image.fromarray(disc.astype(np.uint8))
            mask.putpalette([0, 0, 0, 128, 0, 0])
            mask.save(root / "Annotations" / name / f"{t:05d}.png")
    return root


def clips(folder: Path, seed: int = 0, **changes: object) -> CompositeClips:
    return CompositeClips(folder, tuple(NAMES), CompositeConfig(size=SIZE, **changes), seed)


def test_split_of_the_sheet_keeps_train_and_test_apart():
    named = "blackswan, car-shadow, dog, goat, kite-surf, libby, parkour, scooter-black"
    assert ", ".join(sorted(TEST_SEQUENCES)) == named
    assert not set(TEST_SEQUENCES) & set(TRAIN_SEQUENCES)
    assert len(TRAIN_SEQUENCES) == 12
    assert set(CATEGORY_OF.values()) == set(CATEGORIES)
    for part in (TEST_SEQUENCES, TRAIN_SEQUENCES):
        assert {CATEGORY_OF[name] for name in part} == set(CATEGORIES)
        assert CLEAN_SCENES & set(part)


def test_a_clip_depends_on_seed_and_number_alone(folder: Path):
    first, again, other = clips(folder, 3), clips(folder, 3), clips(folder, 4)
    _ = again[5]  # what was made before does not matter
    for number in (0, 7):
        a, b = first[number], again[number]
        np.testing.assert_array_equal(a.frames, b.frames)
        np.testing.assert_array_equal(a.labels, b.labels)
    assert not np.array_equal(first[0].frames, other[0].frames)
    assert not np.array_equal(first[0].frames, first[1].frames)


def test_masks_show_the_colour_of_their_object(folder: Path):
    """The truth is where the object is: inside its mask pixels are near its own colour, with a margin for edges."""
    made = clips(folder, colour_gain=0.0, board_share=0.0, heights=(0.3, 0.5), twin_share=0.0)
    n = 0
    for number in range(12):
        clip = made[number]
        kinds = {CATEGORY_OF[name]: colour for name, colour in NAMES.items()}
        for place, category in enumerate(clip.categories):
            pixels = clip.frames[clip.labels == clip.ids[place]].astype(int)
            close = np.abs(pixels - kinds[category]).max(axis=1) < 60
            assert close.mean() > 0.7, (number, category)
            n += len(pixels)
        ground = clip.frames[clip.labels == 0].astype(int)
        assert (np.ptp(ground, axis=1) > 90).mean() < 0.03  # no object without a mask
    assert n > 10_000


def test_objects_run_out_and_come_back(folder: Path):
    made = clips(folder, n_frames=14, exit_share=1.0, board_share=0.0, n_pasted=(1, 1))
    gaps = [clip.gaps().sum(axis=0) for clip in (made[i] for i in range(10))]
    assert sum((gap > 0).any() for gap in gaps) >= 7
    assert max(int(gap.max()) for gap in gaps) >= 3


def test_a_board_hides_objects_for_a_while(folder: Path):
    config = {"n_frames": 12, "exit_share": 0.0, "n_pasted": (1, 2), "heights": (0.2, 0.3), "travel": 0.1}
    with_board, without = clips(folder, board_share=1.0, **config), clips(folder, board_share=0.0, **config)
    hidden = [sum(int(made[i].gaps().any()) for i in range(16)) for made in (with_board, without)]
    assert hidden[0] >= 4
    assert hidden[0] > 2 * hidden[1]


def test_twins_are_of_one_category_and_named(folder: Path):
    made = clips(folder, twin_share=1.0, n_pasted=(2, 2), exit_share=0.0, board_share=0.0)
    named = 0
    for number in range(10):
        clip = made[number]
        for a, b in clip.twins:
            kinds = dict(zip(clip.ids.tolist(), clip.categories, strict=True))
            assert kinds[a] == kinds[b]
            named += 1
    assert named >= 7
    assert not any(clips(folder, twin_share=0.0)[i].twins for i in range(10))


def test_invented_objects_keep_their_shape_and_are_of_no_category(folder: Path):
    made = clips(folder, invented_share=1.0, n_pasted=(1, 1), heights=(0.4, 0.6), exit_share=0.0, board_share=0.0)
    shapes = []
    for number in range(12):
        clip = made[number]
        assert INVENTED in clip.categories
        pasted = clip.labels == clip.ids[clip.categories.index(INVENTED)]
        seen = [box_of(mask) for mask in pasted if mask.any()]
        inside = [box for box in seen if box[0] > 0 and box[1] > 0 and box[2] < SIZE[1] and box[3] < SIZE[0]]
        ratios = [(box[2] - box[0]) / (box[3] - box[1]) for box in inside]
        assert np.ptp(ratios or [0.0]) < 0.25, "a rigid object changed its shape"
        shapes += ratios[:1]
    assert np.std(shapes) > 0.2, "all look alike"
    assert all(INVENTED not in clips(folder)[number].categories for number in range(12))


def test_invented_twins_look_alike(folder: Path):
    made = clips(folder, invented_share=1.0, n_pasted=(2, 2), twin_share=1.0, heights=(0.4, 0.4), travel=0.0)
    paired = [clip for clip in map(made.__getitem__, range(20)) if clip.twins]
    assert paired
    for clip in paired:
        means = [clip.frames[0][clip.labels[0] == number].mean(axis=0) for number in clip.twins[0]]
        if np.isfinite(means).all():
            np.testing.assert_allclose(*means, atol=45)


def test_late_objects_are_not_there_at_first(folder: Path):
    made = clips(folder, late_share=1.0, n_pasted=(2, 2), n_frames=10, board_share=0.0, exit_share=0.0)
    assert all(not made[i].visible()[0].all() for i in range(5))
    given = made[0].from_frame(0)
    assert given.visible()[0].all()
    assert set(np.unique(given.labels)) <= {0, *given.ids.tolist()}


def test_clips_say_what_they_hold(folder: Path):
    clip = clips(folder)[1]
    assert clip.frames.shape == (8, *SIZE, 3)
    assert clip.ids.tolist() == list(range(1, len(clip.ids) + 1))
    seen, boxes, masks = clip.visible(), clip.boxes_xyxy_px(), clip.masks()
    for t in range(8):
        for k in range(len(clip.ids)):
            wanted = box_of(masks[t, k])
            assert (wanted is not None) == seen[t, k]
            assert boxes[t, k].tolist() == list(wanted or (0, 0, 0, 0))


def test_gaps_lie_between_two_sights():
    labels = np.zeros((5, 2, 2), np.uint8)
    labels[[0, 3], 0, 0] = 4
    clip = MaskedClip(np.zeros((5, 2, 2, 3), np.uint8), labels, np.array([4]), ("dog",))
    assert clip.gaps()[:, 0].tolist() == [False, True, True, False, False]
    with pytest.raises(ShapeError, match="1 ids and 0 categories"):
        MaskedClip(clip.frames, labels, np.array([4]), ())


def test_two_hundred_objects_and_one_frame_are_no_trouble(folder: Path):
    clip = clips(folder, n_pasted=(200, 200), n_frames=1, heights=(0.1, 0.2), smallest_px=1)[0]
    assert len(clip) == 1
    assert 20 < len(clip.ids) <= 201


def test_decoded_pictures_stay_within_their_room(folder: Path):
    small = MaskedPictures(folder, tuple(NAMES), cache_mb=0.2)
    first = small.read("cows", 0)
    for name in NAMES:
        for t in range(12):
            small.read(name, t)
            assert small.cached_bytes <= 0.2 * 2**20
    np.testing.assert_array_equal(small.read("cows", 0).image, first.image)
    none = MaskedPictures(folder, tuple(NAMES), cache_mb=0)
    none.read("cows", 0)
    assert none.cached_bytes == 0


def test_missing_sequences_are_left_out_and_none_at_all_is_an_error(folder: Path, tmp_path: Path):
    assert MaskedPictures(folder, TRAIN_SEQUENCES).sequences == ("bmx-trees", "cows", "drift-chicane")
    with pytest.raises(NothingFoundError, match="holds none of the sequences"):
        MaskedPictures(tmp_path, TRAIN_SEQUENCES)
    with pytest.raises(UnknownNameError, match="did you mean `cows`"):
        MaskedPictures(folder, TRAIN_SEQUENCES).read("cow", 0)
    (tmp_path / "JPEGImages" / "dog").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "JPEGImages" / "dog" / "00000.jpg")
    with pytest.raises(FormatError, match=r"00000\.png: does not exist"):
        MaskedPictures(tmp_path, TEST_SEQUENCES)


@pytest.mark.parametrize(
    "changes",
    [
        {"twin_share": 1.5},
        {"n_pasted": (3, 1)},
        {"heights": (0.0, 0.5)},
        {"n_frames": 0},
        {"n_pasted": (1, 500)},
        {"travel": -0.1},
        {"travel": float("nan")},
        {"travel": float("inf")},
    ],
)
def test_settings_out_of_range_are_refused(changes: dict):
    with pytest.raises(ConfigError):
        CompositeConfig(**changes)


@pytest.mark.parametrize("maker", [RealClips, StillClips])
def test_real_and_still_clips_show_object_and_mask_together(folder: Path, maker: type):
    made, again = (maker(folder, tuple(NAMES), RealClipConfig(size=(48, 80)), 1) for _ in range(2))
    for number in range(6):
        clip = made[number]
        assert clip.frames.shape == (3, 48, 80, 3)
        np.testing.assert_array_equal(clip.frames, again[number].frames)
        assert clip.visible()[0].all()
        inside = clip.frames[clip.labels == 1].astype(int)
        outside = clip.frames[clip.labels == 0].astype(int)
        assert np.median(np.ptp(inside, axis=1)) > 90
        assert np.median(np.ptp(outside, axis=1)) < 60
    with pytest.raises(IndexError):
        made[1000]


def test_still_clips_move_and_gaps_of_real_clips_are_bounded(folder: Path):
    still = StillClips(folder, ("cows",), RealClipConfig(size=(48, 80)), 0)[0]
    assert not np.array_equal(still.labels[0], still.labels[1])
    slow = RealClips(folder, ("cows",), RealClipConfig(size=(45, 75), largest_gap=1, smallest_crop=1.0), 0)
    for number in range(5):
        boxes = slow[number].boxes_xyxy_px()[:, 0]
        centres = (boxes[:, 0] + boxes[:, 2]) / 2
        # The disc moves 5 px of 90 a frame; the clip shows 75 of 150 px, half as many pixels.
        assert np.abs(np.abs(np.diff(centres)) - 2.5).max() < 1.6


@pytest.mark.shared_data
def test_real_sequences_compose(shared_data: Path):
    made = CompositeClips(shared_data / "davis2016-val-240p", TRAIN_SEQUENCES, CompositeConfig(), 0)
    clip = made[0]
    assert clip.frames.shape == (8, 160, 288, 3)
    assert not set(made.pictures.sequences) & set(TEST_SEQUENCES)
    assert clip.visible().any()
