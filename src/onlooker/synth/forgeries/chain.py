"""Saves and post-processing around a manipulation. Both classes pass through the same functions in the same order."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from onlooker.errors import MediaError
from onlooker.synth.forgeries.config import Chroma, CompressionConfig, PostConfig, QualityRange
from onlooker.types import FloatArray, Image

_SUBSAMPLING = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}
# Room around a tile for the first save: one unit of 4:2:0, so that an aligned tile is aligned in chroma as well.
MARGIN_PX = 16
_LAUNDER_QUALITY = (71, 85)
_LAUNDER_SCALE = (0.6, 0.9)


def to_uint8(image: FloatArray) -> Image:
    """The one rounding of this room, for authentic and forged alike."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def encode_jpeg(image: Image, quality: int, chroma: Chroma) -> bytes:
    """A baseline JPEG with libjpeg's tables and no metadata: byte for byte what Pillow writes, in half the time."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SUBSAMPLING[chroma]]
    done, data = cv2.imencode(".jpg", image[..., ::-1], options)
    if not done:
        raise MediaError(f"a picture {image.shape} could not be saved as JPEG")
    return bytes(data)


def decode(data: bytes) -> Image:
    """(H, W, 3) RGB.

    Raises:
        MediaError: no picture.
    """
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if read is None:
        raise MediaError(f"{len(data)} bytes are no picture that can be read")
    return np.ascontiguousarray(read[..., ::-1])


def save_and_load(image: Image, quality: int, chroma: Chroma) -> Image:
    return decode(encode_jpeg(image, quality, chroma))


@dataclass(frozen=True, slots=True)
class Save:
    """A first save: `quality` (`None`: never compressed), `chroma`, and the `phase` (y, x) of the tile's first pixel on
    the 8x8 grid of this save."""

    quality: int | None
    chroma: Chroma
    phase: tuple[int, int]


def draw_quality(found: QualityRange, rng: np.random.Generator) -> int:
    return int(rng.integers(found[0], found[1] + 1))


def draw_chroma(config: CompressionConfig, rng: np.random.Generator) -> Chroma:
    return config.chroma[int(rng.integers(len(config.chroma)))]


def draw_camera(config: CompressionConfig, rng: np.random.Generator) -> Save:
    """The first save of a host."""
    quality = draw_quality(config.camera_quality, rng) if rng.random() < config.camera_share else None
    phase = (0, 0) if rng.random() < config.aligned_share else draw_phase(rng)
    return Save(quality, draw_chroma(config, rng), phase)


def draw_phase(rng: np.random.Generator) -> tuple[int, int]:
    """Any phase but (0, 0)."""
    number = int(rng.integers(1, 64))
    return number // 8, number % 8


def tile_corner(phase: tuple[int, int]) -> tuple[int, int]:
    """(y, x) of a tile in its window, so that it begins at `phase` of the window's 8x8 grid."""
    return MARGIN_PX + phase[0] - 8 * (phase[0] > 0), MARGIN_PX + phase[1] - 8 * (phase[1] > 0)


def first_save(window: Image, save: Save, size_px: int) -> Image:
    """The tile (size_px, size_px, 3) of `window` after a first save.

    Args:
        window: (size_px + 2 * MARGIN_PX, same, 3); the tile begins at `MARGIN_PX` less the phase.
    """
    saved = window if save.quality is None else save_and_load(window, save.quality, save.chroma)
    top, left = tile_corner(save.phase)
    return np.ascontiguousarray(saved[top : top + size_px, left : left + size_px])


@dataclass(frozen=True, slots=True)
class PostPlan:
    """Post-processing with every number drawn; `None` leaves a step out."""

    resize: float | None
    blur_px: float | None
    noise_std: float | None
    noise_seed: int
    brightness: float | None
    contrast: float | None
    launder: tuple[float, int] | None


def draw_post(config: PostConfig, rng: np.random.Generator) -> PostPlan:
    """Draws the same numbers whatever is left out, so that one setting does not move the others."""
    draws = rng.random(5)
    resize, blur, noise = (float(rng.uniform(*found)) for found in (config.resize, config.blur_px, config.noise_std))
    seed, brightness, contrast = int(rng.integers(2**31)), float(rng.uniform(-25, 25)), float(rng.uniform(0.9, 1.1))
    launder = float(rng.uniform(*_LAUNDER_SCALE)), draw_quality(_LAUNDER_QUALITY, rng)
    toned = draws[3] < config.tone_share
    return PostPlan(
        resize if draws[0] < config.resize_share else None,
        blur if draws[1] < config.blur_share else None,
        noise if draws[2] < config.noise_share else None,
        seed,
        brightness if toned else None,
        contrast if toned else None,
        launder if draws[4] < config.launder_share else None,
    )


def apply_post(image: Image, plan: PostPlan) -> Image:
    """`image` after the plan; the size stays. The same plan does the same to every image."""
    made = image
    if plan.resize is not None:
        made = resize_and_back(made, plan.resize)
    if plan.blur_px is not None and plan.blur_px > 0:
        made = cv2.GaussianBlur(made, (0, 0), plan.blur_px)
    if plan.brightness is not None and plan.contrast is not None:
        made = to_uint8((made.astype(np.float32) - 128) * np.float32(plan.contrast) + 128 + np.float32(plan.brightness))
    if plan.noise_std is not None:
        noise = np.random.default_rng(plan.noise_seed).normal(0, plan.noise_std, made.shape)
        made = to_uint8((made + noise).astype(np.float32))
    if plan.launder is not None:
        made = launder(made, *plan.launder)
    return made


def resize_and_back(image: Image, factor: float) -> Image:
    """Area averaging down, cubic up."""
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    back: Image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return back


def launder(image: Image, factor: float, quality: int) -> Image:
    """What uploading to a social network does: downscaled, saved with 4:2:0, shown at the old size."""
    height, width = image.shape[:2]
    size = max(8, round(width * factor)), max(8, round(height * factor))
    saved = save_and_load(cv2.resize(image, size, interpolation=cv2.INTER_AREA), quality, "4:2:0")
    back: Image = cv2.resize(saved, (width, height), interpolation=cv2.INTER_CUBIC)
    return back


@dataclass(frozen=True, slots=True)
class FinalSave:
    """The last save: `quality` (`None`: without loss), `chroma`, and `shift` (y, x), how far into the saved picture the
    tile begins; (0, 0) unless the tile is cut out afterwards."""

    quality: int | None
    chroma: Chroma
    shift: tuple[int, int]


def draw_final(config: CompressionConfig, rng: np.random.Generator) -> FinalSave:
    quality = None if config.final_quality is None else draw_quality(config.final_quality, rng)
    number = int(rng.integers(64))
    shift = (number // 8, number % 8) if config.crop_after_final else (0, 0)
    return FinalSave(quality, draw_chroma(config, rng), shift)


def last_save(image: Image, save: FinalSave) -> tuple[Image, bytes | None]:
    """The picture as it is read again, and the bytes of the file; `None` for a lossless save.

    With a shift the file is larger than the tile: the tile is mirrored outwards by it, saved, and cut out.
    """
    if save.quality is None:
        return image, None
    top, left = save.shift
    padded = np.pad(image, ((top, 8 - top if top else 0), (left, 8 - left if left else 0), (0, 0)), mode="symmetric")
    data = encode_jpeg(padded, save.quality, save.chroma)
    height, width = image.shape[:2]
    return np.ascontiguousarray(decode(data)[top : top + height, left : left + width]), data
