"""Clips of real sequences as they are, and make-believe clips of one still picture.

`RealClips` draws frames with a step between them. `StillClips` shows one picture under a new affine map on every frame,
the usual first stage of training video object segmentation (Oh et al. 2019, "STM", section 3.4). Item `i` depends on
(`seed`, `i`) alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from onlooker.errors import ConfigError
from onlooker.synth import paste
from onlooker.synth.masked_clips import CATEGORY_OF, LabelMap, MaskedClip, MaskedPictures
from onlooker.types import Image


@dataclass(frozen=True, slots=True)
class RealClipConfig:
    """Clips of real or still pictures.

    Attributes:
        size: (height, width) in pixels; the picture is cropped to this shape.
        n_frames: frames of a clip.
        largest_gap: largest step between neighbouring frames of a real clip; each step is drawn from 1 to it.
        smallest_crop: the crop's height is drawn from this part of the largest possible to all of it.
        rotation_deg, shear_deg, zoom, shift: a still picture's change on every frame is up to plus or minus this;
            `zoom` is a factor's logarithm, `shift` a part of the size.
        colour_gain: channels are multiplied by up to 1 plus or minus this, frame by frame for stills.
        tries: crops drawn until one shows a quarter of the objects' pixels on the first frame; the last is the largest.
    """

    size: tuple[int, int] = (128, 224)
    n_frames: int = 3
    largest_gap: int = 5
    smallest_crop: float = 0.6
    rotation_deg: float = 15.0
    shear_deg: float = 10.0
    zoom: float = 0.2
    shift: float = 0.1
    colour_gain: float = 0.15
    tries: int = 5

    def __post_init__(self) -> None:
        amounts = (self.rotation_deg, self.shear_deg, self.zoom, self.shift)
        if min(self.size) < 8 or self.n_frames < 1 or self.largest_gap < 1 or self.tries < 1 or min(amounts) < 0:
            raise ConfigError(f"a size, a number or an amount is out of range: {self}")
        if not (0 < self.smallest_crop <= 1 and 0 <= self.colour_gain < 1 and self.shear_deg < 60):
            raise ConfigError(f"a crop, a gain or a shear is out of range: {self}")


class _PictureClips:
    """Pictures with masks that clips are drawn from.

    Args:
        folder: root of a data set in the layout of DAVIS.
        sequences: those to draw from; missing ones are left out.
        length: what `len` says.

    Raises:
        NothingFoundError: the folder holds none of the sequences.
    """

    def __init__(
        self,
        folder: str | Path,
        sequences: tuple[str, ...],
        config: RealClipConfig | None = None,
        seed: int = 0,
        *,
        length: int = 1000,
        cache_mb: float = 200.0,
    ) -> None:
        self.config, self.seed, self._length = config or RealClipConfig(), seed, length
        # One and a half times the clip's height: crops lose nothing, and the cache holds more.
        height = round(1.5 * self.config.size[0])
        self.pictures = MaskedPictures(folder, sequences, height_px=height, cache_mb=cache_mb)

    def __len__(self) -> int:
        return self._length

    def _draw(self, i: int) -> tuple[np.random.Generator, str]:
        """The generator of clip `i`, and the sequence it is drawn from."""
        if not 0 <= i < self._length:
            raise IndexError(f"clip {i} of {self._length}")
        rng = np.random.default_rng([self.seed, i])
        return rng, self.pictures.sequences[int(rng.integers(len(self.pictures.sequences)))]


class RealClips(_PictureClips):
    """Clips of real sequences with a step between frames, cropped, perhaps mirrored or backwards."""

    def __getitem__(self, i: int) -> MaskedClip:
        rng, name = self._draw(i)
        steps = rng.integers(1, self.config.largest_gap + 1, self.config.n_frames - 1)
        order = np.concatenate([[0], np.cumsum(steps)])
        spare = self.pictures.n_frames(name) - int(order[-1])
        # A sequence too short for the steps is passed through at its own pace, the last frame held.
        order = order + int(rng.integers(spare)) if spare > 0 else np.arange(len(order))
        order = np.minimum(order, self.pictures.n_frames(name) - 1)
        if rng.random() < 0.5:
            order = order[::-1]
        read = [self.pictures.read(name, int(index)) for index in order]
        window = _draw_window(read[0].labels, self.config, rng)
        made = [paste.crop_resized(p.image, p.labels, window, self.config.size) for p in read]
        return _finish(made, name, bool(rng.random() < 0.5))


class StillClips(_PictureClips):
    """Clips of one picture, moved by a new affine map on every frame; the mask goes with it."""

    def __getitem__(self, i: int) -> MaskedClip:
        rng, name = self._draw(i)
        picture = self.pictures.read(name, int(rng.integers(self.pictures.n_frames(name))))
        window = _draw_window(picture.labels, self.config, rng)
        image, labels = paste.crop_resized(picture.image, picture.labels, window, self.config.size)
        made = [_moved(image, labels, self.config, rng) for _ in range(self.config.n_frames)]
        return _finish(made, name, bool(rng.random() < 0.5))


def _draw_window(
    labels: LabelMap, config: RealClipConfig, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of a crop in the shape of the clip that shows enough of the objects, if it can."""
    height, width = labels.shape
    shape = config.size[1] / config.size[0]
    largest = min(height, width / shape)
    for left_tries in range(config.tries, 0, -1):
        part = float(rng.uniform(config.smallest_crop, 1.0)) if left_tries > 1 else 1.0
        high, wide = largest * part, largest * part * shape
        left, top = float(rng.uniform(0, width - wide + 1e-9)), float(rng.uniform(0, height - high + 1e-9))
        window = left, top, min(left + wide, width), min(top + high, height)
        inside = labels[int(top) : int(top + high), int(left) : int(left + wide)]
        if 4 * np.count_nonzero(inside) >= np.count_nonzero(labels):
            break
    return window


def _moved(image: Image, labels: LabelMap, config: RealClipConfig, rng: np.random.Generator) -> tuple[Image, LabelMap]:
    """A picture and its labels under one random affine map; what comes in from outside is mean colour and ground."""
    height, width = labels.shape
    turn = np.deg2rad(rng.uniform(-config.rotation_deg, config.rotation_deg))
    shear = np.tan(np.deg2rad(rng.uniform(-config.shear_deg, config.shear_deg)))
    zoom = np.exp(rng.uniform(-config.zoom, config.zoom))
    shift = rng.uniform(-config.shift, config.shift, 2) * (width, height)
    gain = rng.uniform(1 - config.colour_gain, 1 + config.colour_gain, 3)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    inverse = np.linalg.inv(zoom * turned @ np.array([[1, shear], [0, 1]]))
    centre = np.array([width / 2, height / 2])
    offset = centre - inverse @ (centre + shift)
    # Pillow wants the map from the new picture to the old.
    data = (*inverse[0], offset[0], *inverse[1], offset[1])
    mean = tuple(int(v) for v in image.mean(axis=(0, 1)))
    size, affine = (width, height), PILImage.Transform.AFFINE
    seen = PILImage.fromarray(image).transform(size, affine, data, PILImage.Resampling.BILINEAR, fillcolor=mean)
    mask = PILImage.fromarray(labels).transform(size, affine, data, PILImage.Resampling.NEAREST, fillcolor=0)
    return np.clip(np.asarray(seen) * gain, 0, 255).astype(np.uint8), np.asarray(mask)


def _finish(made: list[tuple[Image, LabelMap]], name: str, mirrored: bool) -> MaskedClip:
    frames, labels = np.stack([frame for frame, _ in made]), np.stack([mask for _, mask in made])
    if mirrored:
        frames, labels = frames[:, :, ::-1].copy(), labels[:, :, ::-1].copy()
    ids = np.array([n for n in np.unique(labels).tolist() if n], np.int64)
    return MaskedClip(frames, labels, ids, (CATEGORY_OF.get(name, name),) * len(ids))
