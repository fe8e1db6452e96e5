"""Each recipe does what its name says, on pictures made for the test."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from onlooker.errors import ConfigError, ShapeError
from onlooker.synth.forgeries import CompressionConfig, ForgedTiles, ForgeryConfig, Photo, PostConfig, chain, faces
from onlooker.synth.forgeries.clips import ClipConfig, ForgedClips, blend_numbers
from onlooker.synth.forgeries.config import BlendConfig
from onlooker.synth.forgeries.face_shape import FIVE, five_to_68, schematic_face
from onlooker.synth.forgeries.photos import clean, split_of
from onlooker.synth.forgeries.removal import fill

LOSSLESS = CompressionConfig(camera_share=0.0, final_quality=None, donor="own")


def made_photos() -> list[Photo]:
    """Two noisy photos of their own colours: what is pasted from where can be told by the colour."""
    rng = np.random.default_rng(0)
    made = []
    for name, mean in (("made/red", (180, 90, 60)), ("made/blue", (60, 80, 190))):
        pixels = np.clip(rng.normal(mean, 25, (160, 200, 3)), 0, 255).astype(np.uint8)
        made.append(Photo(name, (pixels,), "train"))
    return made


def grown(mask: np.ndarray, by_px: int) -> np.ndarray:
    """The edge of a polygon is two pixels wide."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by_px + 1,) * 2, np.uint8)) > 0


def tiles_of(kind: str, **blend: object) -> ForgedTiles:
    config = ForgeryConfig(
        kinds={kind: 1.0}, authentic_share=0.0, compression=LOSSLESS, blend=BlendConfig(poisson_share=0.0, **blend)
    )
    return ForgedTiles(config, 0, "train", made_photos())


def test_a_splice_has_the_colours_of_its_host_and_leaves_the_rest():
    tiles = tiles_of("splice", colour_jitter=0.0, area=(0.1, 0.2), feather_px=(0.0, 0.0))
    for k in range(4):
        item = tiles[k]
        assert set(item.source_ids) == {"made/red", "made/blue"}
        outside = ~grown(item.mask, 1)
        np.testing.assert_array_equal(item.image[outside], item.original[outside])
        inside, host = item.image[item.mask].mean(axis=0), item.original[item.mask].mean(axis=0)
        assert np.abs(inside - host).max() < 12  # 120 grey levels apart before matching


def test_a_rigid_copy_is_found_again_at_its_shift_and_shifts_are_often_off_the_grid():
    tiles = tiles_of("copy_move", rigid_share=1.0, feather_px=(0.0, 0.0))
    off_grid = 0
    for k in range(12):
        item = tiles[k]
        matrix = np.array(item.provenance["matrix"])
        x, y = (int(v) for v in matrix[:, 2])
        rows, columns = np.nonzero(~grown(np.pad(~item.mask, 2, constant_values=True), 2)[2:-2, 2:-2])
        np.testing.assert_array_equal(item.image[rows, columns], item.original[rows - y, columns - x])
        assert not item.mask[rows - y, columns - x].any()  # source and copy lie apart
        off_grid += x % 8 != 0 or y % 8 != 0
    assert off_grid >= 6


@pytest.mark.parametrize("kind", ["splice", "copy_move", "removal"])
def test_matched_history_leaves_nothing_to_a_detector_of_compression(kind):
    """What was forged before the only save is the fixed point of that save, as an authentic picture is."""
    changed = {}
    for donor in ("same", "none"):
        saves = CompressionConfig((50, 50), final_quality=None, chroma=("4:4:4",), donor=donor)
        config = ForgeryConfig(kinds={kind: 1.0}, authentic_share=0.0, compression=saves)
        tiles = ForgedTiles(config, 0, "train", made_photos())
        off = []
        for k in range(6):
            image = tiles[k].image.astype(int)
            off.append(np.abs(image - chain.save_and_load(tiles[k].image, 50, "4:4:4"))[tiles[k].mask].mean())
        changed[donor] = float(np.mean(off))
    assert changed["same"] < 1.0
    assert changed["none"] > 3 * changed["same"]


@pytest.mark.parametrize("how", ["telea", "navier_stokes", "exemplar", "biharmonic"])
def test_removal_replaces_a_spot_by_its_surroundings(how):
    if how == "biharmonic":
        pytest.importorskip("skimage")
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(120, 3, (48, 48, 3)), 0, 255).astype(np.uint8)
    region = np.zeros((48, 48), bool)
    region[20:28, 18:30] = True
    image[region] = (255, 0, 0)
    made = fill(image, region, how)
    np.testing.assert_array_equal(made[~region], image[~region])
    assert np.abs(made[region].astype(int) - 120).max() < 25


def test_exemplar_filling_continues_a_pattern():
    stripes = np.repeat(np.where(np.arange(64) // 4 % 2, 200, 50)[None, :], 64, axis=0).astype(np.uint8)
    image = np.repeat(stripes[..., None], 3, axis=2)
    region = np.zeros((64, 64), bool)
    region[26:38, 20:44] = True
    damaged = image.copy()
    damaged[region] = 128
    assert np.abs(fill(damaged, region, "exemplar").astype(int) - image).mean() < 4
    assert np.abs(fill(damaged, region, "telea").astype(int) - image).mean() > 4


def test_a_self_blended_face_of_full_strength_changes_within_its_mask():
    pixels, points = np.full((128, 128, 3), 120, np.uint8), five_to_68(FIVE * 20 + np.float32(50))
    numbers = faces.SelfBlend("landmarks", (20, 0, 0), (0, 0, 0), (0, 0), "none", 2, False, (0, 0), 1.0, 1, (2, 2), 1.0)
    image, mask = faces.apply_self_blend(pixels, points, numbers)
    core = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert core.any()
    np.testing.assert_array_equal(image[core], np.broadcast_to((140, 120, 120), image[core].shape))
    rim = cv2.dilate(mask.astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
    np.testing.assert_array_equal(image[rim], pixels[rim])


def test_opening_the_mouth_moves_the_lower_lip_down_and_nothing_outside_the_face():
    rng = np.random.default_rng(0)
    pixels = cv2.GaussianBlur(rng.integers(0, 256, (128, 128, 3)).astype(np.uint8), (0, 0), 2)
    points = five_to_68(FIVE * 16 + np.array([64, 40], np.float32))
    numbers = faces.Expression(0.2, 0.0, 0.0, 0.0, 0.0)
    field, mask = faces.displacement(points, numbers, 128)
    x, y = np.rint(points[57] + np.float32([0, 0.2 * 32])).astype(int)
    assert field[y, x, 1] == pytest.approx(-0.2 * 32, rel=0.3)  # the pixel comes from above
    assert abs(field[y, x, 0]) < 1
    assert not mask[:8].any()
    image, _ = faces.apply_expression(pixels, points, numbers)
    np.testing.assert_array_equal(image[:8], pixels[:8])
    still, none = faces.apply_expression(pixels, points, faces.Expression(0, 0, 0, 0, 0))
    np.testing.assert_array_equal(still, pixels)  # the identity leaves no trace of interpolation
    assert not none.any()


def test_the_schematic_face_is_laid_on_its_five_points():
    shape = schematic_face()
    assert shape.shape == (68, 2)
    np.testing.assert_allclose(shape[36:42].mean(axis=0), FIVE[0], atol=1e-6)
    laid = five_to_68(FIVE * 10 + np.array([30, 40], np.float32))
    np.testing.assert_allclose(laid, shape * 10 + np.array([30, 40]), atol=1e-3)
    with pytest.raises(ShapeError, match="line"):
        five_to_68(np.stack([np.arange(5), np.arange(5)], axis=1).astype(np.float32))


def test_post_processing_does_the_same_to_both_classes_and_repeats():
    plan = chain.draw_post(
        PostConfig(resize_share=1.0, blur_share=1.0, noise_share=1.0, tone_share=1.0, launder_share=1.0),
        np.random.default_rng(0),
    )
    picture = made_photos()[0].views[0][:64, :64]
    np.testing.assert_array_equal(chain.apply_post(picture, plan), chain.apply_post(picture, plan))
    none = chain.draw_post(PostConfig(), np.random.default_rng(0))
    np.testing.assert_array_equal(chain.apply_post(picture, none), picture)


def test_the_phase_of_the_first_save_is_where_its_grid_begins():
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)
    window = cv2.GaussianBlur(noise, (0, 0), 3)
    tile = chain.first_save(window, chain.Save(30, "4:4:4", (3, 5)), 64).astype(np.float32).mean(axis=2)
    jumps = np.abs(np.diff(tile, axis=0)).mean(axis=1)
    by_phase = [jumps[k::8].mean() for k in range(8)]
    # Row 0 is row 3 of its block: blocks end after rows 4, 12, ..., that is between rows 4 and 5.
    assert int(np.argmax(by_phase)) == 4


def test_a_cut_after_the_last_save_moves_the_grid():
    config = ForgeryConfig(compression=CompressionConfig(crop_after_final=True))
    tiles = ForgedTiles(config, 0, "train", made_photos())
    items = [tiles[k] for k in range(12)]
    assert len({item.provenance["final_shift"] for item in items}) > 8
    for item in items[:3]:
        top, left = item.provenance["final_shift"]
        whole = chain.decode(item.final_jpeg)
        np.testing.assert_array_equal(whole[top : top + 64, left : left + 64], item.image)


def test_cleaning_breaks_the_grid_by_a_factor_that_belongs_to_the_name():
    image = np.zeros((100, 200, 3), np.uint8)
    small, factor = clean(image, "a")
    assert 0.7 <= factor <= 0.85
    assert small.shape == (round(100 * factor), round(200 * factor), 3)
    assert clean(image, "b")[1] != factor
    names = [split_of(f"photo {k}") for k in range(1000)]
    assert abs(names.count("train") - 600) < 60


def test_flickering_clips_jump_and_steady_ones_drift():
    tiles = ForgeryConfig(kinds={"self_blended": 1.0}, authentic_share=0.0)
    clips = ForgedClips(ClipConfig(tiles, 6), 0, "train", made_photos())
    rng = np.random.default_rng
    masks = {how: clips.make("self_blended", how, rng(3)).masks for how in ("steady", "flickering")}
    change = {how: np.abs(np.diff(m.astype(int), axis=0)).sum() / m.sum() for how, m in masks.items()}
    assert change["flickering"] > 1.5 * change["steady"]
    first, again = clips[4], clips[4]
    np.testing.assert_array_equal(first.frames, again.frames)
    assert first.frames.shape == first.originals.shape == (6, 64, 64, 3)
    authentic = clips.make("authentic", None, rng(1))
    np.testing.assert_array_equal(authentic.frames, authentic.originals)
    assert not authentic.masks.any()
    with pytest.raises(ConfigError):
        ClipConfig(tiles, 0)


def test_numbers_move_part_of_the_way_and_choices_stay():
    a = faces.Swap("inner", 1.0, 0.0, 7)
    b = faces.Swap("landmarks", 3.0, 0.2, 9)
    assert blend_numbers(a, b, 0.5, new_seeds=False) == faces.Swap("inner", 2.0, 0.1, 7)
    assert blend_numbers(a, b, 0.0, new_seeds=True) == faces.Swap("inner", 1.0, 0.0, 9)
