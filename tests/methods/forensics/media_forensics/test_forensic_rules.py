"""Every rule on a picture made to show its trace, and on one where it must refuse."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image as PILImage
from scipy.fft import dctn

from onlooker.errors import MediaError, UnknownNameError
from onlooker.evaluation.forgery import image_auc
from onlooker.methods.forensics.media_forensics import RULES, Finding, Refusal, Sample, find_rule, inspect, open_sample
from onlooker.methods.forensics.media_forensics.experiments import demosaiced
from onlooker.methods.forensics.media_forensics.rules import blocks, compression, copies, noise
from onlooker.methods.forensics.media_forensics.samples import Need


def scene(seed: int, size: int = 192, blur: float = 1.5) -> np.ndarray:
    """Coloured noise with structure at several scales: textured, nothing repeats."""
    rng = np.random.default_rng(seed)
    made = np.zeros((size, size, 3), np.float32)
    for scale, weight in ((1, 25), (4, 40), (16, 70)):
        rough = rng.normal(0, 1, (size // scale + 1, size // scale + 1, 3)).astype(np.float32)
        made += weight * cv2.resize(rough, (size, size), interpolation=cv2.INTER_CUBIC)
    made = cv2.GaussianBlur(made, (0, 0), blur)
    return np.clip(128 + made * (45 / made.std()), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> bytes:
    out = io.BytesIO()
    PILImage.fromarray(image).save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def loaded(data: bytes) -> np.ndarray:
    return np.array(PILImage.open(io.BytesIO(data)).convert("RGB"))


def spliced(first: int, last: int) -> tuple[Sample, np.ndarray]:
    """A host saved at `first`, a patch that never was, all saved at `last`."""
    host, mask = loaded(jpeg(scene(1), first)), np.zeros((192, 192), bool)
    mask[60:130, 40:120] = True
    forged = np.where(mask[..., None], scene(2), host)
    data = jpeg(forged, last)
    return Sample(loaded(data), data, 1, mask), mask


def pixel_auc(finding: Finding | Refusal, mask: np.ndarray) -> float:
    assert isinstance(finding, Finding)
    assert finding.heat_map is not None
    return image_auc(finding.heat_map.ravel(), mask.ravel().astype(int)).value


@pytest.mark.parametrize(("name", "least"), [("double_quantisation", 0.9), ("jpeg_ghost", 0.75)])
def test_a_patch_that_was_saved_once_less_is_found_and_lost_under_a_stronger_last_save(name, least):
    sample, mask = spliced(60, 92)
    assert pixel_auc(inspect(find_rule(name), sample), mask) > least
    hidden, mask = spliced(92, 60)
    said = inspect(find_rule(name), hidden)
    assert isinstance(said, Refusal) or pixel_auc(said, mask) < 0.7


def test_double_quantisation_finds_the_step_of_the_first_save():
    sample, _ = spliced(60, 92)
    said = inspect(compression.DoubleQuantisation(), sample)
    assert isinstance(said, Finding)
    assert said.values["first_step"] in blocks.standard_table(60)[:2, :2]


def test_a_ghost_shows_the_quality_of_the_first_save():
    sample, _ = spliced(60, 92)
    said = inspect(compression.JpegGhost(), sample)
    assert isinstance(said, Finding)
    assert abs(said.values["quality"] - 60) <= 2


def test_error_level_is_higher_where_a_picture_was_saved_less_often():
    quiet = loaded(jpeg(loaded(jpeg(scene(1, blur=4.0), 90)), 90))
    mask = np.zeros((192, 192), bool)
    mask[60:130, 40:120] = True
    noisy = np.clip(quiet + np.random.default_rng(0).normal(0, 6, quiet.shape), 0, 255).astype(np.uint8)
    data = jpeg(np.where(mask[..., None], noisy, quiet), 90)
    assert pixel_auc(inspect(compression.ErrorLevel(), Sample(loaded(data), data)), mask) > 0.8


def test_the_grid_is_missed_where_it_was_moved():
    host, mask = loaded(jpeg(scene(1), 30)), np.zeros((192, 192), bool)
    mask[40:140, 40:140] = True
    forged = np.where(mask[..., None], np.roll(host, (3, 5), axis=(0, 1)), host)
    said = inspect(compression.BlockGrid(), Sample(forged))
    assert pixel_auc(said, mask) > 0.85
    assert isinstance(said, Finding)
    assert (said.values["phase_x"], said.values["phase_y"]) == (0, 0)
    assert isinstance(inspect(compression.BlockGrid(), Sample(scene(1))), Refusal)


@pytest.mark.parametrize("name", ["error_level", "jpeg_ghost", "double_quantisation"])
def test_rules_of_jpeg_refuse_what_is_none(name):
    image = scene(3)
    out = io.BytesIO()
    PILImage.fromarray(image).save(out, "PNG")
    for sample in (Sample(image), Sample(image, out.getvalue()), Sample(image[:64, :64], jpeg(image, 80))):
        said = inspect(find_rule(name), sample)
        assert isinstance(said, Refusal)
        assert "JPEG" in said.reason


def test_foreign_noise_stands_out():
    image, mask = scene(1, blur=3.0), np.zeros((192, 192), bool)
    mask[50:120, 70:150] = True
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 5, image.shape), 0, 255).astype(np.uint8)
    forged = np.where(mask[..., None], noisy, image)
    assert pixel_auc(inspect(noise.NoiseLevel(), Sample(forged)), mask) > 0.85
    assert pixel_auc(inspect(noise.SrmResidual(), Sample(forged)), mask) > 0.75


def test_a_patch_without_a_filter_array_shows_and_a_picture_without_any_is_refused():
    picture, mask = scene(4, blur=0.7), np.zeros((192, 192), bool)
    mask[60:120, 60:120] = True
    forged = np.where(mask[..., None], cv2.resize(cv2.resize(picture, (150, 150)), (192, 192)), demosaiced(picture))
    assert pixel_auc(inspect(noise.ColourFilterArray(), Sample(forged)), mask) > 0.9
    assert isinstance(inspect(noise.ColourFilterArray(), Sample(picture)), Refusal)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_clone_is_found_at_both_places_and_nothing_in_the_authentic_picture(mirrored):
    image = scene(5, 256, 1.2)
    patch = image[20:110, 20:110]
    forged = image.copy()
    forged[140:230, 130:220] = patch[:, ::-1] if mirrored else patch
    said = inspect(copies.CopyMoveKeypoints(), Sample(forged))
    assert isinstance(said, Finding)
    assert said.heat_map is not None
    marked = said.heat_map > 0.5
    assert marked[30:100, 30:100].mean() > 0.6
    assert marked[150:220, 140:210].mean() > 0.6
    assert marked[:, 230:].mean() < 0.1
    clean = inspect(copies.CopyMoveKeypoints(), Sample(image))
    assert isinstance(clean, Finding)
    assert clean.score == 0.0


def test_a_camera_is_known_by_its_pattern():
    rng = np.random.default_rng(0)
    own, other = rng.normal(0, 0.02, (2, 128, 128, 1))

    def shot(pattern: np.ndarray, seed: int) -> np.ndarray:
        flat = cv2.GaussianBlur(scene(seed, 128), (0, 0), 3).astype(float)
        return np.clip(flat * (1 + pattern) + rng.normal(0, 1, flat.shape), 0, 255).astype(np.uint8)

    camera = noise.estimate_pattern([shot(own, k) for k in range(10)])
    same, different = noise.correlate_pattern(shot(own, 20), camera), noise.correlate_pattern(shot(other, 20), camera)
    assert same > 0.2
    assert abs(different) < 0.05
    assert isinstance(noise.PatternDetector(camera).inspect(Sample(scene(1, 64))), Refusal)


def test_metadata_tells_editors_and_foreign_thumbnails(tmp_path):
    image, other = scene(1), scene(9)
    exif = PILImage.Exif()
    exif[0x0131] = "Adobe Photoshop 25.0"
    path = tmp_path / "edited.jpg"
    PILImage.fromarray(image).save(path, quality=75, exif=exif)
    said = inspect(find_rule("metadata"), open_sample(path))
    assert isinstance(said, Finding)
    assert said.score == 0.5
    assert "Photoshop" in said.evidence
    assert "standard table of quality 75" in said.evidence
    PILImage.fromarray(other).save(path, quality=75)
    plain = inspect(find_rule("metadata"), open_sample(path))
    assert isinstance(plain, Finding)
    assert plain.score == 0.0
    assert isinstance(inspect(find_rule("metadata"), Sample(image)), Refusal)


def test_pictures_with_nothing_in_them_are_refused_or_innocent():
    for value in (0, 128, 255):
        black = np.full((96, 96, 3), value, np.uint8)
        for name in RULES:
            said = inspect(find_rule(name), Sample(black, jpeg(black, 90)))
            assert isinstance(said, Refusal) or said.score is None or said.score < 0.5, (name, value)


def test_tiny_pictures_are_refused_with_a_reason():
    tiny = scene(0, 20)[:16, :16]
    for name in RULES:
        said = inspect(find_rule(name), Sample(tiny, jpeg(tiny, 90)))
        assert isinstance(said, Refusal) or name == "metadata"


def test_tables_are_libjpegs():
    out = jpeg(scene(0, 64), 50)
    assert blocks.read_jpeg(out).quality == 50
    np.testing.assert_array_equal(blocks.read_jpeg(out).table, blocks.standard_table(50))
    assert blocks.standard_table(50)[0, 0] == 16
    np.testing.assert_array_equal(blocks.read_jpeg(jpeg(scene(0, 64), 91)).table, blocks.standard_table(91))


def test_block_transform_is_the_orthonormal_one():
    block = scene(0, 64)[:8, 8:16, 0].astype(np.float32)
    found = blocks.block_dct(scene(0, 64)[..., 0].astype(np.float32))[0, 1]
    np.testing.assert_allclose(found, dctn(block - 128, norm="ortho"), atol=1e-3)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16", "1"])
def test_pictures_of_every_mode_open(tmp_path, mode):
    grey = np.tile(np.linspace(0, 255, 64, dtype=np.uint8), (48, 1))
    path = tmp_path / ("a.tif" if mode in ("CMYK", "I;16") else "a.png")
    if mode == "I;16":
        PILImage.fromarray(grey.astype(np.uint16) * 257).save(path)
    else:
        PILImage.fromarray(grey).convert("RGB").convert(mode).save(path)
    sample = open_sample(path)
    assert sample.image.shape == (48, 64, 3)
    if mode != "1":
        assert np.abs(sample.image.mean(axis=2) - grey).mean() < 20  # a palette of few colours is coarse


def test_a_rotated_jpeg_is_shown_upright_and_is_no_jpeg_to_its_blocks(tmp_path):
    exif = PILImage.Exif()
    exif[0x0112] = 6
    path = tmp_path / "rotated.jpg"
    PILImage.fromarray(scene(0, 64)[:48]).save(path, exif=exif)
    sample = open_sample(path)
    assert sample.image.shape == (64, 48, 3)
    assert sample.lacks(Need.JPEG) is not None


def test_broken_and_missing_files_are_errors(tmp_path):
    path = tmp_path / "cut.jpg"
    path.write_bytes(jpeg(scene(0), 90)[:400])
    with pytest.raises(MediaError, match=r"cut\.jpg"):
        open_sample(path)
    with pytest.raises(MediaError, match="missing"):
        open_sample(tmp_path / "missing.png")
    with pytest.raises(UnknownNameError, match="jpeg_ghost"):
        find_rule("jpeg_ghosts")
