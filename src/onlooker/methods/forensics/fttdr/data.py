"""Damaged pictures with their masks and originals: tiles of real photos, or pictures of one's own.

The paper trains on aligned faces (FFHQ, CelebA-HQ), which are not shipped. The faces in packages are too few to learn
from, so that tiles of arbitrary photos take their place by default; a folder of aligned faces is one setting away.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageOps
from torch import Tensor

from onlooker.configs import config_to_dict
from onlooker.errors import ConfigError, NothingFoundError
from onlooker.media.images import list_pictures, read_picture
from onlooker.synth.forgeries import chain
from onlooker.synth.forgeries.config import CompressionConfig, ForgeryConfig
from onlooker.synth.forgeries.corruptions import damage
from onlooker.synth.forgeries.photos import photo_sources, split_of
from onlooker.synth.forgeries.tiles import ForgedTiles
from onlooker.train.task import SampleDataset
from onlooker.types import Image

Split = Literal["train", "test"]


class Damaged(NamedTuple):
    """`image` and `original` (S, S, 3) uint8; `mask` (S, S) bool, of nothing where the picture is sound."""

    image: Image
    mask: NDArray[np.bool_]
    original: Image


Maker = Callable[[int], Damaged]


def _tiles() -> ForgeryConfig:
    return ForgeryConfig(
        authentic_share=0.1,
        kinds={"corruption": 1.0},
        compression=CompressionConfig(camera_quality=(70, 95), final_quality=(70, 95)),
    )


@dataclass(frozen=True)
class DamageConfig:
    """Where damaged pictures come from.

    Attributes:
        tiles: what they are like; `size_px` is the network's `image_size`.
        folders: more photos than those of packages to cut tiles from, see
            `onlooker.synth.forgeries.photos.photo_sources`.
        faces: a folder of aligned faces of one's own, taken whole instead of tiles. Of `tiles`, damage, part of sound
            pictures and the last save still count.
        contents: a folder of photos that show in their damage; left out, other faces do.
        n_train, n_test: pictures of each split; the splits share no photo.
        kept: training pictures that stay in memory once made.
        seed: another seed, other pictures.
    """

    tiles: ForgeryConfig = field(default_factory=_tiles)
    folders: tuple[str, ...] | None = None
    faces: str | None = None
    contents: str | None = None
    n_train: int = 4000
    n_test: int = 40
    kept: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.n_train, self.n_test) < 1 or self.kept < 0:
            raise ConfigError(f"`n_train` and `n_test` are positive, `kept` 0 or more, got {self}")
        if self.contents is not None and self.faces is None:
            raise ConfigError("`data.contents` belongs to `data.faces`; tiles show each other's photos")


class DamagedPictures(SampleDataset):
    """Sample i: "damaged" and "original" (3, S, S) float32 in [0, 1], "mask" (1, S, S) of 0 and 1, 1 where damaged.

    Args:
        make: number -> picture.
        length: how many there are.
        kept: so many stay in memory once made.
    """

    def __init__(self, make: Maker, length: int, kept: int) -> None:
        self._length = length
        self._make = functools.lru_cache(maxsize=kept)(make) if kept else make

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if not 0 <= index < self._length:
            raise IndexError(f"picture {index} of {self._length}")
        made = self._make(index)
        return {
            "damaged": image_to_tensor(made.image),
            "original": image_to_tensor(made.original),
            "mask": torch.from_numpy(made.mask[None].astype(np.float32)),
        }


def image_to_tensor(image: Image) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255


def damaged_pictures(config: DamageConfig, split: Split, image_size: int) -> Maker:
    """Number -> picture of a split.

    Raises:
        ConfigError: tiles of another size than the network's pictures, or tiles that are not damaged.
        MissingExtraError: too few photos are installed.
        NotAVideoError, NothingFoundError: a folder of one's own is not there, or holds no picture of the split.
    """
    if config.tiles.size_px != image_size:
        raise ConfigError(
            f"`data.tiles.size_px` is the network's `image_size` {image_size}, got {config.tiles.size_px}"
        )
    if config.faces is not None:
        return _own_pictures(config, split)
    photos = photo_sources() if config.folders is None else photo_sources(config.folders)
    tiles = ForgedTiles(config.tiles, config.seed, split, photos)

    def make(number: int) -> Damaged:
        tile = tiles[number]
        if tile.original is None:
            raise ConfigError(f"a picture to restore needs its original; tiles of kind `{tile.kind}` have none")
        return Damaged(tile.image, tile.mask, tile.original)

    return make


def fingerprint(config: DamageConfig) -> str:
    """Digest of settings and of the pictures by name: which photos there are differs from machine to machine."""
    if config.faces is not None:
        folders = [config.faces] if config.contents is None else [config.faces, config.contents]
        names = [path.name for folder in folders for path in list_pictures(folder)]
    else:
        photos = photo_sources() if config.folders is None else photo_sources(config.folders)
        names = [photo.id for photo in photos]
    said = json.dumps([config_to_dict(config), names], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _own_pictures(config: DamageConfig, split: Split) -> Maker:
    faces = _paths(config.faces, split)
    contents = faces if config.contents is None else _paths(config.contents, split)
    size, tiles = config.tiles.size_px, config.tiles

    def make(number: int) -> Damaged:
        rng = np.random.default_rng((config.seed, split == "test", number))
        picture = _square(faces[int(rng.integers(len(faces)))], size)
        other = _square(contents[int(rng.integers(len(contents)))], size)
        image, mask = picture, np.zeros((size, size), np.bool_)
        if rng.random() >= tiles.authentic_share:
            found = damage(picture, other, tiles.corruption, rng)
            image, mask = found.image, found.mask
        final = chain.draw_final(tiles.compression, rng)
        return Damaged(chain.last_save(image, final)[0], mask, chain.last_save(picture, final)[0])

    return make


def _paths(folder: str | None, split: Split) -> list[Path]:
    """Pictures of a split, by the hash of their names; validation pictures are trained on."""
    assert folder is not None
    found = [path for path in list_pictures(folder) if (split_of(path.name) == "test") == (split == "test")]
    if not found:
        raise NothingFoundError(f"no picture in `{folder}` falls to the split `{split}`; give more pictures")
    return found


def _square(path: Path, size: int) -> Image:
    """The middle square of a picture, (size, size, 3) uint8."""
    picture = Pil.fromarray(read_picture(path))
    return np.asarray(ImageOps.fit(picture, (size, size), Pil.Resampling.LANCZOS))
