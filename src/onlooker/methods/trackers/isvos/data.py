"""Clips with masks for training and for scores: composed from real pictures, drawn, or made of a single picture."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from onlooker.errors import ConfigError, NothingFoundError
from onlooker.methods.trackers.isvos.config import STRIDE
from onlooker.synth.actions import ACTIONS
from onlooker.synth.composites import CompositeClips, CompositeConfig
from onlooker.synth.masked_clips import TEST_SEQUENCES, TRAIN_SEQUENCES
from onlooker.synth.worlds import World, WorldConfig
from onlooker.train.task import SampleDataset
from onlooker.types import Image

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Labels = NDArray[np.uint8]
_FIRST_TEST = 1_000_000  # numbers of clips; no training set is so large
_CLIPS = 2_000_000


class Clip(NamedTuple):
    """`frames` (T, H, W, 3) uint8 RGB and `labels` (T, H, W) uint8: 0 ground, 255 void, else the object's id."""

    frames: Image
    labels: Labels


@dataclass(frozen=True)
class StillConfig:
    """How a single picture moves. Each frame is warped by itself, from the picture as it is.

    Attributes:
        turn_deg, shear_deg: largest either way.
        zoom: largest relative change of size.
        shift: largest, in parts of the side.
    """

    turn_deg: float = 20.0
    shear_deg: float = 10.0
    zoom: float = 0.2
    shift: float = 0.15


@dataclass(frozen=True)
class ClipsConfig:
    """Where clips come from.

    Attributes:
        source: "sprites" are drawn and need no files; "composites" are put together from the sequences of a folder in
            the layout of DAVIS, training and test sequences apart.
        folder: of the composites' pictures.
        size: (height, width), multiples of 32; sprites are square.
        frames: of a training clip.
        objects: most objects followed in a training clip; others are ground.
        gap: largest step between frames of a training clip, in frames of the source.
        kept: training clips that stay in memory once made, for runs that see them often.
        n_train, n_test: clips. `test_frames`: of a test clip.
        composites: what composed clips are like; size and frames are those above.
        still: how single pictures move, for the first stage.
        seed: another seed, other clips.
    """

    source: Literal["sprites", "composites"] = "sprites"
    folder: str | None = None
    size: tuple[int, int] = (64, 64)
    frames: int = 3
    objects: int = 2
    gap: int = 3
    kept: int = 0
    n_train: int = 4000
    n_test: int = 8
    test_frames: int = 8
    composites: CompositeConfig = field(default_factory=CompositeConfig)
    still: StillConfig = field(default_factory=StillConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        if any(side < STRIDE or side % STRIDE for side in self.size):
            raise ConfigError(f"`clips.size` must be multiples of {STRIDE}, got {self.size}")
        if self.frames < 2 or self.objects < 1 or self.gap < 1 or self.test_frames < 3:
            raise ConfigError(f"clips have 2 frames and 1 object at least, test clips 3 frames, got {self}")
        if not 1 <= self.n_train <= _FIRST_TEST or self.n_test < 1 or self.kept < 0:
            raise ConfigError(f"`clips.n_train` is in [1, {_FIRST_TEST}], `n_test` from 1, `kept` from 0, got {self}")
        if (self.source == "composites") != (self.folder is not None):
            raise ConfigError("`clips.folder` belongs to the source `composites`, which needs it")
        if self.source == "sprites" and self.size[0] != self.size[1]:
            raise ConfigError(f"sprites are drawn on squares, got {self.size}")


Maker = Callable[[int], Clip]


def training_clips(config: ClipsConfig) -> Maker:
    """Number -> clip of `config.frames` frames.

    Raises:
        NothingFoundError: the folder of composites is not there.
    """
    if config.source == "composites":
        return _composites(config, TRAIN_SEQUENCES, config.frames, config.seed)
    length = max(4, 1 + (config.frames - 1) * config.gap)
    world = World(_sprites(config, length), config.seed, "train")

    def make(number: int) -> Clip:
        scene = world[number]
        step = int(np.random.default_rng((config.seed, number)).integers(1, config.gap + 1))
        frames = slice(0, (config.frames - 1) * step + 1, step)
        return Clip(scene.frames[frames], scene.instance_masks[frames].astype(np.uint8))

    return make


def test_clips(config: ClipsConfig) -> Maker:
    """Number -> clip of `config.test_frames` frames, of sequences or scenes that training does not show."""
    if config.source == "composites":
        make = _composites(config, TEST_SEQUENCES, config.test_frames, config.seed + 1)
        return lambda number: make(number + _FIRST_TEST)
    world = World(_sprites(config, max(4, config.test_frames)), config.seed, "test")

    def make_sprites(number: int) -> Clip:
        scene = world[number]
        return Clip(scene.frames[: config.test_frames], scene.instance_masks[: config.test_frames].astype(np.uint8))

    return make_sprites


class TrainingSet(SampleDataset):
    """Sample i: "frames" (T, 3, H, W) normalised; "labels" (T, H, W) with the followed objects as 1..K; "instances"
    (T, H, W) with all objects.

    Args:
        config: the data.
        make: number -> clip.
        still: whether the clip's first picture is made to move instead of the clip itself.
    """

    def __init__(self, config: ClipsConfig, make: Maker, *, still: bool) -> None:
        self._config, self._still = config, still
        self._make = functools.lru_cache(maxsize=config.kept)(make) if config.kept else make

    def __len__(self) -> int:
        return self._config.n_train

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        config, rng = self._config, np.random.default_rng((self._config.seed, index, int(self._still)))
        clip = self._make(index)
        frames, labels = normalise(clip.frames), torch.from_numpy(clip.labels.astype(np.int64))
        if self._still:
            frames, labels = move_still(frames[0], labels[0], config.frames, config.still, rng)
        if rng.random() < 0.5:
            frames, labels = frames.flip(-1), labels.flip(-1)
        return {"frames": frames, "labels": followed(labels, config.objects, rng), "instances": labels}


def followed(labels: Tensor, objects: int, rng: np.random.Generator) -> Tensor:
    """Labels with at most `objects` of those in the first frame, numbered from 1 in random order; others are ground."""
    seen = [number for number in torch.unique(labels[0]).tolist() if number not in (0, 255)]
    chosen = rng.permutation(np.asarray(seen, np.int64))[:objects].tolist()
    kept = torch.where(labels == 255, 255, 0)
    for place, number in enumerate(chosen):
        kept[labels == number] = place + 1
    return kept


def normalise(frames: Image) -> Tensor:
    """(..., H, W, 3) uint8 to (..., 3, H, W) float32, as ImageNet networks take pictures."""
    pixels = torch.from_numpy(np.ascontiguousarray(frames)).movedim(-1, -3).float() / 255
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    return (pixels - mean[:, None, None]) / std[:, None, None]


def move_still(
    picture: Tensor, labels: Tensor, frames: int, config: StillConfig, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """A pseudo clip: one picture (3, H, W) and its labels (H, W) under random affine maps, the first frame as it is."""
    maps = [torch.eye(2, 3)] + [_affine(config, rng) for _ in range(frames - 1)]
    theta = torch.stack(maps)  # (T, 2, 3)
    height, width = labels.shape
    grid = F.affine_grid(theta, [frames, 1, height, width], align_corners=False)
    moved = F.grid_sample(picture.expand(frames, -1, -1, -1), grid, padding_mode="reflection", align_corners=False)
    numbers = labels[None, None].float().expand(frames, -1, -1, -1)
    ids = F.grid_sample(numbers, grid, mode="nearest", padding_mode="reflection", align_corners=False)
    return moved, ids[:, 0].round().long()


def _affine(config: StillConfig, rng: np.random.Generator) -> Tensor:
    """(2, 3) from a frame's places to the picture's, both in [-1, 1]."""
    turn, shear = (np.deg2rad(rng.uniform(-most, most)) for most in (config.turn_deg, config.shear_deg))
    zoom = 1 + rng.uniform(-config.zoom, config.zoom)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = turned @ np.array([[1.0, np.tan(shear)], [0.0, 1.0]]) / zoom
    shift = rng.uniform(-2 * config.shift, 2 * config.shift, 2)
    return torch.from_numpy(np.concatenate([linear, shift[:, None]], axis=1)).float()


def _sprites(config: ClipsConfig, frames: int) -> WorldConfig:
    """Two or three objects that hide one another."""
    return WorldConfig(
        size_px=config.size[0], n_frames=frames, n_objects=(2, 3), actions=ACTIONS, others="any", min_gap=0.7
    )


def _composites(config: ClipsConfig, sequences: tuple[str, ...], frames: int, seed: int) -> Maker:
    if config.folder is None or not Path(config.folder).is_dir():
        raise NothingFoundError(f"there are no pictures to compose clips from at `{config.folder}`")
    composed = replace(config.composites, size=config.size, n_frames=frames, source_gap=config.gap)
    clips = CompositeClips(config.folder, sequences, composed, seed, length=_CLIPS)

    def make(number: int) -> Clip:
        clip = clips[number]
        return Clip(clip.frames, clip.labels)

    return make
