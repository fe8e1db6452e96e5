"""What happens to pictures on their way, at graded strength. Applied after forging; masks follow what moves pixels.

Grids of JPEG, blur and noise are those of IMDL-BenCo's robustness runs, resizing is ObjectFormer's protocol (survey
sheet, section 6); the others are ours. "noise_variance" and "noise_sigma" are named apart because published tables mix
them up.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.methods.forensics.media_forensics.samples import Mask, Sample
from onlooker.types import Image

_UPLOAD_PX = (2048, 1080)
_UPLOAD_QUALITY = (71, 85)


@dataclass(frozen=True, slots=True)
class Changed:
    """A picture after a perturbation; `data` are the bytes where it ends with a save as JPEG."""

    image: Image
    mask: Mask | None
    data: bytes | None = None


Change = Callable[[Sample, float, np.random.Generator], Changed]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A family of changes. `levels` from the weakest to the strongest, or as far from neutral to one side as to the
    other; `unit` of a level; `neutral` changes nothing but the save, where there is one."""

    name: str
    levels: tuple[float, ...]
    unit: str
    change: Change
    neutral: float | None = None


def perturb(sample: Sample, perturbation: Perturbation, level: float, seed: int) -> Sample:
    """The sample after a change: what a detector of JPEG may still read is kept only if the change ends with such a
    save.

    Raises:
        ConfigError: the perturbation has no such level.
    """
    if level not in perturbation.levels:
        raise ConfigError(f"levels of `{perturbation.name}` are {perturbation.levels}, got {level}")
    made = perturbation.change(sample, level, np.random.default_rng(seed))
    meta = MappingProxyType({**sample.meta, "perturbation": f"{perturbation.name} {level:g}"})
    return replace(sample, image=made.image, mask=made.mask, data=made.data, meta=meta, stored=None)


def find_perturbation(name: str) -> Perturbation:
    if name not in PERTURBATIONS:
        raise UnknownNameError("perturbation", name, PERTURBATIONS)
    return PERTURBATIONS[name]


def _jpeg(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    return _saved(sample.image, sample.mask, int(level))


def _saved(image: Image, mask: Mask | None, quality: int) -> Changed:
    data = _encoded(image, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])
    return Changed(_decoded(data), mask, data)


def _encoded(image: Image, suffix: str, options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, image[..., ::-1], options)
    if not done:
        raise ConfigError(f"a picture {image.shape} cannot be saved as `{suffix}`")
    return bytes(data)


def _decoded(data: bytes) -> Image:
    with PILImage.open(io.BytesIO(data)) as opened:
        return np.array(opened.convert("RGB"))


def _shifted_jpeg(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    """Saved, moved by some pixels off the grid, saved again: the rim is mirrored."""
    y, x = int(rng.integers(1, 8)), int(rng.integers(1, 8))
    once = _saved(sample.image, None, int(level)).image
    moved = np.pad(once[y:, x:], ((0, y), (0, x), (0, 0)), mode="symmetric")
    mask = None if sample.mask is None else np.pad(sample.mask[y:, x:], ((0, y), (0, x)), mode="symmetric")
    return _saved(moved, mask, int(level))


def _webp(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    return Changed(_decoded(_encoded(sample.image, ".webp", [cv2.IMWRITE_WEBP_QUALITY, int(level)])), sample.mask)


def _blur(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    kernel = int(level)
    blurred = sample.image if kernel == 0 else cv2.GaussianBlur(sample.image, (kernel, kernel), 0)
    return Changed(blurred, sample.mask)


def _median(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    return Changed(cv2.medianBlur(sample.image, int(level)), sample.mask)


def _sharpen(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    soft = cv2.GaussianBlur(sample.image, (0, 0), 1.0).astype(np.float32)
    image = sample.image.astype(np.float32)
    return Changed(_rounded(np.asarray(image + level * (image - soft), np.float32)), sample.mask)


def _noise_sigma(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    noise = rng.normal(0, level, sample.image.shape)
    return Changed(_rounded(np.asarray(sample.image + noise, np.float32)), sample.mask)


def _noise_variance(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    return _noise_sigma(sample, float(np.sqrt(level)), rng)


def _resize(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    return Changed(_there_and_back(sample.image, level), sample.mask)


def _there_and_back(image: Image, factor: float) -> Image:
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    back: Image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return back


def _gamma(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    return Changed(_rounded(255 * (sample.image / np.float32(255)) ** np.float32(level)), sample.mask)


def _contrast(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    return Changed(_rounded((sample.image.astype(np.float32) - 128) * np.float32(level) + 128), sample.mask)


def _saturation(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    image = sample.image.astype(np.float32)
    grey = image.mean(axis=2, keepdims=True)
    return Changed(_rounded(grey + (image - grey) * np.float32(level)), sample.mask)


def _crop(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    """A part of the sides is cut off, half of it at either end at random; the mask is cut alike."""
    height, width = sample.image.shape[:2]
    off_y, off_x = round(height * level), round(width * level)
    top, left = int(rng.integers(off_y + 1)), int(rng.integers(off_x + 1))
    part = np.s_[top : top + height - off_y, left : left + width - off_x]
    mask = None if sample.mask is None else np.ascontiguousarray(sample.mask[part])
    return Changed(np.ascontiguousarray(sample.image[part]), mask)


def _rotate(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    """Turned about the middle, rims mirrored; the mask by the nearest pixel."""
    height, width = sample.image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), level, 1.0)
    image = cv2.warpAffine(
        sample.image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    if sample.mask is None:
        return Changed(image, None)
    mask = cv2.warpAffine(
        sample.mask.astype(np.uint8),
        matrix,
        (width, height),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return Changed(image, mask > 0)


def _screenshot(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    """Shown at another size, another gamma, saved at quality 90."""
    shown = _there_and_back(sample.image, level)
    toned = _rounded(255 * (shown / np.float32(255)) ** np.float32(rng.uniform(0.9, 1.1)))
    return _saved(toned, sample.mask, 90)


def _upload(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    """A network's chain, `level` times: at most 2048, then 1080 pixels long, quality 71 to 85, only pixels kept."""
    image, mask, data = sample.image, sample.mask, None
    for turn in range(int(level)):
        most = _UPLOAD_PX[min(turn, 1)]
        height, width = image.shape[:2]
        factor = min(1.0, most / max(height, width))
        if factor < 1:
            size = round(width * factor), round(height * factor)
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            if mask is not None:
                mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        saved = _saved(image, mask, int(rng.integers(_UPLOAD_QUALITY[0], _UPLOAD_QUALITY[1] + 1)))
        image, data = saved.image, saved.data
    return Changed(image, mask, data)


def _h264(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
    """One frame of H.264 at a constant rate factor; odd sides are repeated to even ones and cut again."""
    height, width = sample.image.shape[:2]
    even = np.pad(sample.image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(int(level)), "preset": "veryfast"})
        stream.height, stream.width, stream.pix_fmt = even.shape[0], even.shape[1], "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), "rgb24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return Changed(np.ascontiguousarray(frame[:height, :width]), sample.mask)


def _rounded(values: NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


_ALL = (
    Perturbation("jpeg", (100, 90, 80, 70, 60, 50), "quality", _jpeg),
    Perturbation("blur", (0, 3, 7, 11, 15, 19, 23), "kernel in pixels", _blur, 0),
    Perturbation("noise_variance", (3, 7, 11, 15, 19, 23), "variance in grey levels squared", _noise_variance),
    Perturbation("noise_sigma", (3, 7, 11, 15, 19, 23), "standard deviation in grey levels", _noise_sigma),
    Perturbation("resize", (0.78, 0.25), "factor, and back", _resize),
    Perturbation("double_jpeg_shifted", (95, 85, 75, 65), "quality of both saves", _shifted_jpeg),
    Perturbation("webp", (95, 80, 65, 50), "quality", _webp),
    Perturbation("h264", (23, 32, 40), "constant rate factor", _h264),
    Perturbation("gamma", (0.8, 1.2), "exponent", _gamma),
    Perturbation("contrast", (0.8, 1.2), "factor", _contrast),
    Perturbation("saturation", (0.5, 1.5), "factor", _saturation),
    Perturbation("sharpen", (0.5, 1.0), "amount", _sharpen),
    Perturbation("median", (3, 5), "kernel in pixels", _median),
    Perturbation("crop", (0.05, 0.1, 0.2), "part of either side", _crop),
    Perturbation("rotate", (-2.0, 2.0), "degrees", _rotate),
    Perturbation("screenshot", (0.9, 0.75, 0.5), "factor, and back", _screenshot),
    Perturbation("upload", (1, 2, 3), "times", _upload),
)
PERTURBATIONS: Mapping[str, Perturbation] = MappingProxyType({one.name: one for one in _ALL})


def mixed(names: tuple[str, ...]) -> Perturbation:
    """Several perturbations one after another, levels of one number: 1 takes the first level of each, 2 the next. For
    DeeperForensics' mixes of two, three and four distortions."""
    parts = [find_perturbation(name) for name in names]
    if len(parts) < 2:
        raise ConfigError("a mix has two perturbations at least")
    shared = min(len(part.levels) for part in parts)

    def change(sample: Sample, level: float, rng: np.random.Generator) -> Changed:
        current = sample
        data = None
        for part in parts:
            made = part.change(current, part.levels[int(level) - 1], rng)
            current = replace(current, image=made.image, mask=made.mask, data=made.data, stored=None)
            data = made.data
        return Changed(current.image, current.mask, data)

    return Perturbation("+".join(names), tuple(float(k) for k in range(1, shared + 1)), "strength", change)
