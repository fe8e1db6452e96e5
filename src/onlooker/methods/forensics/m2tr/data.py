"""Pictures to learn from: the project's own forgeries of real photos, or faces of one's own by an index.

The paper trains on FaceForensics++, Celeb-DF and its own SR-DF, none of which can be shipped. Item i of a data set
depends on its settings, its split and i alone. Splits share no photo; indexes that share a video are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from onlooker.configs import real_number, whole_number
from onlooker.errors import ConfigError, FormatError, MediaError
from onlooker.media.images import read_picture
from onlooker.methods.forensics.m2tr.augment import (
    NO_AUGMENT,
    AugmentConfig,
    Mask,
    augment,
    resize_mask,
    resize_picture,
)
from onlooker.methods.forensics.m2tr.config import M2trConfig
from onlooker.methods.forensics.m2tr.indexes import FaceRow, Labels, Layout, check_disjoint, n_classes, read_index
from onlooker.synth.forgeries.config import ForgeryConfig
from onlooker.synth.forgeries.photos import Photo, photo_sources
from onlooker.synth.forgeries.tiles import ForgedTiles, TileCache
from onlooker.synth.forgeries.values import SPLITS, Split
from onlooker.types import Image

_MASK_LEVEL = 127  # masks are saved with loss in some releases


@dataclass(frozen=True)
class IndexConfig:
    """Faces of one's own, cropped.

    Attributes:
        root: folder that paths are relative to.
        train, test: index files.
        layout, labels: see `indexes.read_index`.
        held_out: share of the training videos that temperature and threshold are set on, so that the test is not.
    """

    root: str
    train: str
    test: str
    layout: Layout = "faceforensics"
    labels: Labels = "binary"
    held_out: float = 0.1

    def __post_init__(self) -> None:
        real_number("index.held_out", self.held_out, 0.01, 0.5)


@dataclass(frozen=True)
class PicturesConfig:
    """A data set.

    Attributes:
        forgeries: what the project's own forgeries are drawn from.
        n_train, n_validation, n_test: pictures of each split of them.
        seed: of forgeries and augmentation.
        augment: what happens to pictures in training.
        draws: differently augmented copies of every picture in one round of the data.
        index: faces of one's own instead; `forgeries` and the numbers then say nothing.
    """

    forgeries: ForgeryConfig = field(default_factory=ForgeryConfig)
    n_train: int = 2000
    n_validation: int = 200
    n_test: int = 400
    seed: int = 0
    augment: AugmentConfig = NO_AUGMENT
    draws: int = 1
    index: IndexConfig | None = None

    def __post_init__(self) -> None:
        for name in ("n_train", "n_validation", "n_test", "draws"):
            whole_number(name, getattr(self, name))
        whole_number("seed", self.seed, least=0)

    def length(self, split: Split) -> int:
        """Forgeries of a split."""
        return {"train": self.n_train, "validation": self.n_validation, "test": self.n_test}[split]


class ForgedPictures(Dataset[dict[str, Tensor]]):
    """Forgeries of real photos. A sample holds `image` (3, S, S) float32, normalised, `label` (), `mask` (S, S) bool
    and `has_mask` (), which is always true.

    Args:
        network: its sizes.
        config: see there.
        split: only "train" is augmented.
        photos: left out, all that are installed; given, several splits read them once.

    Raises:
        ConfigError: the forgeries have another size than the network's pictures, or it tells more than two classes.
        MissingExtraError: no photos are installed.
    """

    def __init__(
        self, network: M2trConfig, config: PicturesConfig, split: Split, photos: Sequence[Photo] | None = None
    ) -> None:
        if config.forgeries.size_px != network.image_size:
            raise ConfigError(
                f"forgeries are {config.forgeries.size_px} px, the network takes {network.image_size}; "
                f"set `forgeries.size_px = {network.image_size}`"
            )
        if network.num_classes != 2:
            raise ConfigError(f"forgeries are real or fake, the network has {network.num_classes} classes")
        self.network, self.config, self.split = network, config, split
        self.tiles = TileCache(ForgedTiles(config.forgeries, config.seed, split, photos), config.length(split))

    def __len__(self) -> int:
        return len(self.tiles) * (self.config.draws if self.split == "train" else 1)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        _check_index(index, len(self))
        tile = self.tiles[index % len(self.tiles)]
        image, mask = tile.image, tile.mask
        if self.split == "train":
            image, mask = augment(image, mask, self.config.augment, _rng(self.config.seed, index))
        return to_sample(image, mask, tile.label, True, self.network)

    def fingerprint(self) -> str:
        """What identifies the data."""
        return f"{len(self.tiles)} {self.tiles.tiles.fingerprint}"


class IndexedFaces(Dataset[dict[str, Tensor]]):
    """Faces of one's own. Samples as those of `ForgedPictures`; `has_mask` is false for a fake whose mask is not there,
    which the loss then leaves out (the official code takes it for a blank one).

    Args:
        rows: of one split.
        network: its sizes.
        config: seed and augmentation.
        split: only "train" is augmented.
    """

    def __init__(self, rows: Sequence[FaceRow], network: M2trConfig, config: PicturesConfig, split: Split) -> None:
        self.rows, self.network, self.config, self.split = tuple(rows), network, config, split

    def __len__(self) -> int:
        return len(self.rows) * (self.config.draws if self.split == "train" else 1)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Raises FormatError for a picture or mask that cannot be read."""
        _check_index(index, len(self))
        row, size = self.rows[index % len(self.rows)], self.network.image_size
        try:
            image = resize_picture(read_picture(row.file), size)
            mask = np.zeros((size, size), np.bool_)
            if row.mask is not None:
                mask = resize_mask(read_picture(row.mask).max(axis=2) > _MASK_LEVEL, size)
        except MediaError as error:
            raise FormatError(f"{row.where}: {error}") from error
        if self.split == "train":
            image, mask = augment(image, mask, self.config.augment, _rng(self.config.seed, index))
        return to_sample(image, mask, row.label, row.label == 0 or row.mask is not None, self.network)

    def fingerprint(self) -> str:
        """What identifies the data: names, labels and sizes of the files."""
        digest = hashlib.sha256()
        for row in self.rows:
            digest.update(f"{row.video}/{row.file.name} {row.label} {row.file.stat().st_size}\n".encode())
        return f"{len(self.rows)} faces {digest.hexdigest()[:16]}"


def make_pictures(network: M2trConfig, config: PicturesConfig) -> Mapping[Split, ForgedPictures | IndexedFaces]:
    """Every split of a data set, in the sizes of a network.

    Raises:
        FormatError: an index cannot be used, or its splits share a source.
        ConfigError: the network has another number of classes, or see the data set.
    """
    if config.index is None:
        photos = None if config.forgeries.hosts == "small_faces" else photo_sources()
        return {split: ForgedPictures(network, config, split, photos) for split in SPLITS}
    if network.num_classes != n_classes(config.index.labels):
        raise ConfigError(
            f"labels `{config.index.labels}` are {n_classes(config.index.labels)} classes, the network has "
            f"{network.num_classes}"
        )
    rows = _index_rows(config.index, config.seed)
    return {split: IndexedFaces(rows[split], network, config, split) for split in SPLITS}


def _index_rows(index: IndexConfig, seed: int) -> dict[Split, tuple[FaceRow, ...]]:
    given = read_index(index.train, index.root, index.layout, index.labels)
    test = read_index(index.test, index.root, index.layout, index.labels)
    check_disjoint(given, test, index.layout)
    held = {row.video for row in given if _share(row.video, seed) < index.held_out}
    train = tuple(row for row in given if row.video not in held)
    validation = tuple(row for row in given if row.video in held)
    if not train or not validation:
        raise FormatError(f"`{index.train}` has too few videos to hold out a share of {index.held_out:g}")
    return {"train": train, "validation": validation, "test": test}


def _share(video: str, seed: int) -> float:
    """In [0, 1), from the name alone: a video stays where it is when others come."""
    return int.from_bytes(hashlib.sha256(f"{seed} {video}".encode()).digest()[:8]) / 2**64


def to_sample(image: Image, mask: Mask, label: int, has_mask: bool, network: M2trConfig) -> dict[str, Tensor]:
    """A picture of the network's size, its mask and label as tensors."""
    return {
        "image": to_pixels(image, network),
        "label": torch.tensor(label),
        "mask": torch.from_numpy(mask.copy()),
        "has_mask": torch.tensor(has_mask),
    }


def to_pixels(image: Image, network: M2trConfig) -> Tensor:
    """(H, W, 3) RGB uint8 to (3, H, W) float32, normalised."""
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (network.mean, network.std))
    return (pixels - mean) / std


def _rng(seed: int, index: int) -> np.random.Generator:
    return np.random.default_rng((seed, index, 5))


def _check_index(index: int, length: int) -> None:
    if not 0 <= index < length:
        raise IndexError(f"picture {index} of {length}")
