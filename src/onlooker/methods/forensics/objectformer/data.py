"""Pictures for the task `localise`: manipulations of real photos made here, or lists in the form of the release.

Item i depends on the settings and i alone; training passes over the same pictures again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from onlooker.configs import real_number, whole_number
from onlooker.errors import ConfigError
from onlooker.media.images import from_jpeg, to_jpeg
from onlooker.methods.forensics.objectformer.config import ObjectFormerConfig
from onlooker.methods.forensics.objectformer.lists import load_pair, read_list
from onlooker.methods.forensics.objectformer.output import MEAN, STD
from onlooker.synth.forgeries import ForgedTiles, ForgeryConfig, Photo, TileCache
from onlooker.types import Image

Split = Literal["train", "test"]
_LARGER = 434 / 380  # release: pictures are resized to 434 pixels before a crop of 380
_COLOUR = 0.2  # ours: largest relative change of brightness and contrast
_NOISE = 0.02  # ours: largest standard deviation, of RGB in [0, 1]


@dataclass(frozen=True)
class AugmentConfig:
    """What happens to listed pictures in training, each with a probability (kinds: release; probabilities: ours).

    Attributes:
        mirror: left and right exchanged.
        colour: brightness and contrast changed.
        noise: Gaussian noise added.
        jpeg: compressed once more.
        jpeg_quality: of that, least and most (release).
    """

    mirror: float = 0.5
    colour: float = 0.3
    noise: float = 0.3
    jpeg: float = 0.3
    jpeg_quality: tuple[int, int] = (65, 80)

    def __post_init__(self) -> None:
        for name in ("mirror", "colour", "noise", "jpeg"):
            real_number(name, getattr(self, name), 0.0, 1.0)
        if not 1 <= self.jpeg_quality[0] <= self.jpeg_quality[1] <= 95:
            raise ConfigError(f"`jpeg_quality` is least and most from 1 to 95, got {self.jpeg_quality}")


@dataclass(frozen=True)
class PicturesConfig:
    """The data.

    Attributes:
        train_list, test_list: index files of one's own, both or none; without them, manipulations are made.
        augment: of listed pictures in training.
        forgeries: what is made; `size_px` is the network's `image_size`.
        n_train, n_test: pictures of each split; of lists, training passes this often over its lines in turn, and the
            test takes so many at most.
        n_prior: training masks that the mask prior is the mean of, at most.
        seed: of everything drawn.
    """

    train_list: str | None = None
    test_list: str | None = None
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    forgeries: ForgeryConfig = field(default_factory=ForgeryConfig)
    n_train: int = 2000
    n_test: int = 200
    n_prior: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("n_train", self.n_train)
        whole_number("n_prior", self.n_prior)
        whole_number("n_test", self.n_test, 2)
        whole_number("seed", self.seed, 0)
        if (self.train_list is None) != (self.test_list is None):
            raise ConfigError("give `train_list` and `test_list`, or neither; a test on the training list says nothing")


class ForgedPictures(Dataset[dict[str, Tensor]]):
    """Tiles of one split, made when first asked for and kept; samples as `to_sample` makes them.

    Training and test are of different photos.

    Args:
        network: for whose `image_size` they are.
        pictures: what is made.
        split: "train" or "test".
        photos: what tiles are cut from; left out, those of installed packages and shared folders.

    Raises:
        ConfigError: tiles are of another size than the network's pictures.
    """

    def __init__(
        self,
        network: ObjectFormerConfig,
        pictures: PicturesConfig,
        split: Split,
        photos: Sequence[Photo] | None = None,
    ) -> None:
        size = pictures.forgeries.size_px
        if size != network.image_size:
            raise ConfigError(f"`forgeries.size_px` is the network's `image_size`, {network.image_size}, got {size}")
        tiles = ForgedTiles(pictures.forgeries, pictures.seed, split, photos)
        self.fingerprint = tiles.fingerprint
        self._cache = TileCache(tiles, pictures.n_train if split == "train" else pictures.n_test)

    def __len__(self) -> int:
        return len(self._cache)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        made = self._cache[index]
        return to_sample(made.image, made.mask, made.label)


class ListedPictures(Dataset[dict[str, Tensor]]):
    """Pictures of a list, squeezed into the network's square as the release does; samples as `to_sample` makes them.

    In training they are made a little larger, cropped at random and changed; the test sees them as they are.

    Raises:
        FormatError: the list cannot be used.
    """

    def __init__(self, network: ObjectFormerConfig, pictures: PicturesConfig, path: str, split: Split) -> None:
        self.rows = read_list(path)
        self.size, self.split, self.augment = network.image_size, split, pictures.augment
        self.seed = pictures.seed
        self.length = pictures.n_train if split == "train" else min(pictures.n_test, len(self.rows))
        lines = "\n".join(f"{row.image.name} {row.is_fake} {row.image.stat().st_size}" for row in self.rows)
        self.fingerprint = f"{len(self.rows)} pictures {hashlib.sha256(lines.encode()).hexdigest()[:16]}"

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if not 0 <= index < self.length:
            raise IndexError(f"picture {index} of {self.length}")
        row = self.rows[index % len(self.rows)]
        image, mask = load_pair(row)
        if self.split == "train":
            rng = np.random.default_rng((self.seed, index))
            image, mask = _crop(*resize_pair(image, mask, round(self.size * _LARGER)), self.size, rng)
            image, mask = _changed(image, mask, self.augment, rng)
        else:
            image, mask = resize_pair(image, mask, self.size)
        return to_sample(image, mask, int(row.is_fake))


Pictures = ForgedPictures | ListedPictures


def make_pictures(network: ObjectFormerConfig, pictures: PicturesConfig, split: Split) -> Pictures:
    """One split, in the size of a network; errors as those of the data set."""
    path = pictures.train_list if split == "train" else pictures.test_list
    if path is not None:
        return ListedPictures(network, pictures, path, split)
    return ForgedPictures(network, pictures, split)


def to_sample(image: Image, mask: NDArray[np.bool_], label: int) -> dict[str, Tensor]:
    """`image` (3, H, W) normalised floats, `mask` (1, H, W) of 0 and 1, and `label` ()."""
    return {  # of copies: decoded pictures cannot be written to, which torch does not like
        "image": normalise(torch.from_numpy(np.array(image))),
        "mask": torch.from_numpy(np.array(mask)).float()[None],
        "label": torch.tensor(float(label)),
    }


def normalise(pixels: Tensor) -> Tensor:
    """(..., H, W, 3) uint8 to (..., 3, H, W) floats of about unit spread."""
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (MEAN, STD))
    return (pixels.movedim(-1, -3).float() / 255.0 - mean) / std


def resize_pair(image: Image, mask: NDArray[np.bool_], side: int) -> tuple[Image, NDArray[np.bool_]]:
    """Both squeezed into a square; the mask stays black and white."""
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR)
    marked = cv2.resize(mask.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, np.uint8), marked.astype(np.bool_)


def _crop(
    image: Image, mask: NDArray[np.bool_], side: int, rng: np.random.Generator
) -> tuple[Image, NDArray[np.bool_]]:
    top, left = (int(rng.integers(image.shape[axis] - side + 1)) for axis in (0, 1))
    return image[top : top + side, left : left + side], mask[top : top + side, left : left + side]


def _changed(
    image: Image, mask: NDArray[np.bool_], config: AugmentConfig, rng: np.random.Generator
) -> tuple[Image, NDArray[np.bool_]]:
    """Every number is drawn whatever is left out, so that one probability does not move the other draws."""
    chances = rng.random(4)
    contrast, brightness = 1.0 + rng.uniform(-_COLOUR, _COLOUR), rng.uniform(-_COLOUR, _COLOUR) * 255
    spread, noise = rng.uniform(0, _NOISE) * 255, rng.standard_normal(image.shape)
    quality = int(rng.integers(config.jpeg_quality[0], config.jpeg_quality[1] + 1))
    pixels = image.astype(np.float64)
    if chances[0] < config.mirror:
        pixels, mask = pixels[:, ::-1], mask[:, ::-1]
    if chances[1] < config.colour:
        pixels = (pixels - 128) * contrast + 128 + brightness
    if chances[2] < config.noise:
        pixels = pixels + spread * noise
    image = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    if chances[3] < config.jpeg:
        image = from_jpeg(to_jpeg(image, quality))
    return image, mask
