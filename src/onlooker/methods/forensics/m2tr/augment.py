"""What happens to a face crop in training, after the official list: crop, flip, turn, one change of colour from each
group, one blur, noise, holes and a JPEG save. Both classes go through it alike.

Out of the official list are fog, rain, snow, sun flare and glass blur: they need drawings of their own and no face
video shows them. Probabilities within the groups are ours; the official ones are those of its library.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from onlooker.configs import real_number
from onlooker.errors import ConfigError
from onlooker.types import Image

Mask = NDArray[np.bool_]
Change = Callable[[Image, np.random.Generator], Image]


@dataclass(frozen=True)
class AugmentConfig:
    """How often what happens.

    Attributes:
        crop: probability of a random crop of 7/8 of the side (official: 0.5).
        flip: of left and right exchanged (official: 0.5).
        turn: of a rotation by up to `turn_deg` degrees either way (official: up to 10).
        colour, tone, blur, noise, holes, save: of one change from each group.
        save_quality: JPEG quality of the save (official: 65 to 80).
    """

    crop: float = 0.5
    flip: float = 0.5
    turn: float = 0.3
    turn_deg: float = 10.0
    colour: float = 0.1
    tone: float = 0.3
    blur: float = 0.1
    noise: float = 0.1
    holes: float = 0.1
    save: float = 0.3
    save_quality: tuple[int, int] = (65, 80)

    def __post_init__(self) -> None:
        for name in ("crop", "flip", "turn", "colour", "tone", "blur", "noise", "holes", "save"):
            real_number(f"augment.{name}", getattr(self, name), 0.0, 1.0)
        real_number("augment.turn_deg", self.turn_deg, 0.0, 180.0)
        if not 1 <= self.save_quality[0] <= self.save_quality[1] <= 100:
            raise ConfigError(f"`augment.save_quality` is (least, most) within [1, 100], got {self.save_quality}")


NO_AUGMENT = AugmentConfig(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def augment(image: Image, mask: Mask, config: AugmentConfig, rng: np.random.Generator) -> tuple[Image, Mask]:
    """A changed copy in the same size.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) bool; moves with the picture.
        config: how often what happens.
        rng: of every draw. Each step draws from a stream of its own, so that one setting does not move the others.
    """
    streams = iter(rng.spawn(9))
    if (stream := next(streams)).random() < config.crop:
        image, mask = _cropped(image, mask, stream)
    if next(streams).random() < config.flip:
        image, mask = image[:, ::-1], mask[:, ::-1]
    if (stream := next(streams)).random() < config.turn:
        image, mask = _turned(image, mask, float(stream.uniform(-config.turn_deg, config.turn_deg)))
    image = np.ascontiguousarray(image)
    groups: tuple[tuple[float, Sequence[Change]], ...] = (
        (config.colour, (_dropped_channel, _grey)),
        (config.tone, (_brightness, _saturation, _equalised, _gamma, _sharpened)),
        (config.blur, (_box_blurred, _motion_blurred, _gaussian_blurred)),
        (config.noise, (_noisy,)),
        (config.holes, (_holed,)),
    )
    for (share, changes), stream in zip(groups, streams, strict=False):
        if stream.random() < share:
            image = changes[int(stream.integers(len(changes)))](image, stream)
    if (stream := next(streams)).random() < config.save:
        image = _saved(image, int(stream.integers(config.save_quality[0], config.save_quality[1] + 1)))
    return image, np.ascontiguousarray(mask)


def resize_picture(image: Image, size: int) -> Image:
    """(H, W, 3) to (size, size, 3): in a straight line between pixels as in the official code; by area where the
    picture is more than twice as large, which would leave pixels out otherwise (ours)."""
    if image.shape[:2] == (size, size):
        return image
    shrinks = max(image.shape[:2]) > 2 * size
    resized: Image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized


def resize_mask(mask: Mask, size: int) -> Mask:
    """(H, W) to (size, size), the nearest pixel."""
    if mask.shape == (size, size):
        return mask
    # "Exact" takes the nearest centre; the plain way rounds down, half a pixel away from the picture.
    resized: Image = cv2.resize(mask.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    inside: Mask = resized > 0
    return inside


def _cropped(image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
    """Enlarged to 8/7 of the size and cut back (official)."""
    side = image.shape[0]
    large = round(side * 8 / 7)
    top, left = (int(start) for start in rng.integers(large - side + 1, size=2))
    window = np.s_[top : top + side, left : left + side]
    return resize_picture(image, large)[window], resize_mask(mask, large)[window]


def _turned(image: Image, mask: Mask, degrees: float) -> tuple[Image, Mask]:
    height, width = mask.shape
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
    size, border = (width, height), cv2.BORDER_REFLECT_101
    turned: Image = cv2.warpAffine(np.ascontiguousarray(image), turn, size, borderMode=border)
    moved: Image = cv2.warpAffine(mask.astype(np.uint8), turn, size, flags=cv2.INTER_NEAREST, borderMode=border)
    inside: Mask = moved > 0
    return turned, inside


def _to_uint8(image: NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)


def _dropped_channel(image: Image, rng: np.random.Generator) -> Image:
    made = image.copy()
    made[..., int(rng.integers(3))] = 0
    return made


def _grey(image: Image, rng: np.random.Generator) -> Image:
    grey: Image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    made: Image = np.repeat(grey[..., None], 3, axis=2)
    return made


def _brightness(image: Image, rng: np.random.Generator) -> Image:
    shift, factor = rng.uniform(-51, 51), rng.uniform(0.8, 1.2)  # a fifth each way, as the official library's default
    return _to_uint8((image.astype(np.float32) - 128) * factor + 128 + shift)


def _saturation(image: Image, rng: np.random.Generator) -> Image:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
    hue, saturation = rng.uniform(-10, 10), rng.uniform(0.7, 1.3)
    hsv[..., 0] = (hsv[..., 0] + hue) % 180  # OpenCV counts hue in steps of two degrees
    hsv[..., 1] = np.clip(hsv[..., 1] * saturation, 0, 255)
    made: Image = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    return made


def _equalised(image: Image, rng: np.random.Generator) -> Image:
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(float(rng.uniform(1.0, 4.0)), (8, 8)).apply(np.ascontiguousarray(lab[..., 0]))
    made: Image = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return made


def _gamma(image: Image, rng: np.random.Generator) -> Image:
    return _to_uint8(255.0 * (image / 255.0) ** rng.uniform(0.8, 1.2))


def _sharpened(image: Image, rng: np.random.Generator) -> Image:
    blurred = cv2.GaussianBlur(image, (0, 0), 1.0).astype(np.float32)
    return _to_uint8(image + rng.uniform(0.2, 0.8) * (image - blurred))


def _box_blurred(image: Image, rng: np.random.Generator) -> Image:
    made: Image = cv2.blur(image, (3, 3))
    return made


def _motion_blurred(image: Image, rng: np.random.Generator) -> Image:
    kernel = np.zeros((5, 5), np.float32)
    if rng.random() < 0.5:
        kernel[2] = 0.2
    else:
        kernel[:, 2] = 0.2
    made: Image = cv2.filter2D(image, -1, kernel)
    return made


def _gaussian_blurred(image: Image, rng: np.random.Generator) -> Image:
    made: Image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 1.5)))
    return made


def _noisy(image: Image, rng: np.random.Generator) -> Image:
    return _to_uint8(image + rng.normal(0.0, rng.uniform(3.0, 7.0), image.shape))


def _holed(image: Image, rng: np.random.Generator) -> Image:
    made, side = image.copy(), max(image.shape[0] // 16, 1)
    for _ in range(int(rng.integers(1, 9))):
        top, left = (int(start) for start in rng.integers(image.shape[0] - side + 1, size=2))
        made[top : top + side, left : left + side] = 0
    return made


def _saved(image: Image, quality: int) -> Image:
    buffer = io.BytesIO()
    Pil.fromarray(image).save(buffer, "JPEG", quality=quality)
    with Pil.open(buffer) as opened:
        return np.asarray(opened.convert("RGB"))
