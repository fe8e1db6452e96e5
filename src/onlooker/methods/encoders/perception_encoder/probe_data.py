"""Synthetic scenes as the layer probe takes them. Train and test scenes never meet those of the trainings: theirs is
another seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from onlooker.methods.encoders.perception_encoder.data import to_network_range
from onlooker.methods.encoders.perception_encoder.layer_probe import LabelledPictures, LabelledPixels, TrackedClips
from onlooker.synth.actions import ACTIONS
from onlooker.synth.scenes import Scene, Track
from onlooker.synth.sprites import COLOURS, SHAPES
from onlooker.synth.worlds import World, WorldConfig

Split = Literal["train", "test"]
_SEED_OFFSET = 10_000
_COUNTS = {"train": 80, "test": 80}


def shape_pixels(size_px: int, seed: int, split: Split) -> LabelledPixels:
    """Scenes of two or three objects; the class of a pixel is the shape of the object it belongs to."""
    return _labelled_pixels(size_px, seed, split, SHAPES, lambda track: track.shape)


def colour_pixels(size_px: int, seed: int, split: Split) -> LabelledPixels:
    """The same with colours."""
    return _labelled_pixels(size_px, seed, split, tuple(COLOURS), lambda track: track.colour)


def shape_pictures(size_px: int, seed: int, split: Split) -> LabelledPictures:
    """Scenes whose class is the shape of the main object."""
    scenes = _scenes(World(WorldConfig(size_px=size_px), seed + _SEED_OFFSET, split), _COUNTS[split])
    labels = torch.tensor([SHAPES.index(scene.label) for scene in scenes])
    return LabelledPictures(torch.stack([_images(s, size_px)[0] for s in scenes]), labels, len(SHAPES))


def tracked_clips(size_px: int, seed: int, count: int, split: Split = "test") -> TrackedClips:
    """Clips of eight frames in which two or three objects act."""
    config = WorldConfig(size_px=size_px, n_objects=(2, 3), n_frames=8, actions=ACTIONS, others="any", motion="once")
    scenes = _scenes(World(config, seed + _SEED_OFFSET, split), count)
    masks = torch.stack([torch.from_numpy(scene.instance_masks.astype(np.int64)) for scene in scenes])
    return TrackedClips(torch.stack([_images(scene, size_px) for scene in scenes]), masks)


def _labelled_pixels(
    size_px: int, seed: int, split: Split, names: tuple[str, ...], name_of: Callable[[Track], str]
) -> LabelledPixels:
    world = World(WorldConfig(size_px=size_px, n_objects=(2, 3)), seed + _SEED_OFFSET, split)
    scenes = _scenes(world, _COUNTS[split])
    classes = torch.stack([_classes(scene, names, name_of) for scene in scenes])
    return LabelledPixels(torch.stack([_images(s, size_px)[0] for s in scenes]), classes, len(names) + 1)


def _classes(scene: Scene, names: tuple[str, ...], name_of: Callable[[Track], str]) -> Tensor:
    """(H, W) class numbers from 1, 0 for ground."""
    table = np.array([0] + [1 + names.index(name_of(track)) for track in scene.tracks])
    return torch.from_numpy(table[scene.instance_masks[0]])


def _scenes(world: World, count: int) -> list[Scene]:
    return [world[i] for i in range(count)]


def _images(scene: Scene, size_px: int) -> Tensor:
    """(T, 3, H, W) float in [-1, 1]."""
    return to_network_range(torch.from_numpy(scene.frames).permute(0, 3, 1, 2), size_px)
