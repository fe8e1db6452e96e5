"""Pairs of frames with the truth about them, from the sprite world or from composed real clips.

An instance sample names some of the objects on its reference frame as targets; their boxes there are shaken and
sometimes left out, so that the network does not trust its reference blindly (ours). A category sample names none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onlooker.errors import ConfigError
from onlooker.methods.trackers.omnitracker.config import OmniTrackerConfig, TrackTask
from onlooker.methods.trackers.omnitracker.infer import to_input
from onlooker.synth.actions import ACTIONS
from onlooker.synth.composites import CompositeClips, CompositeConfig
from onlooker.synth.masked_clips import CATEGORIES, TEST_SEQUENCES, TRAIN_SEQUENCES
from onlooker.synth.sprites import SHAPES
from onlooker.synth.worlds import World, WorldConfig
from onlooker.train.task import SampleDataset
from onlooker.types import Image

Split = Literal["train", "test"]


@dataclass(frozen=True)
class ClipsConfig:
    """The data.

    Attributes:
        source: "world" makes sprites; "composites" needs `folder`, a data set in the layout of DAVIS.
        folder: of composites.
        size: (height, width) of frames; the world makes squares and takes the smaller side.
        frames: of a clip.
        gap: largest step between the two frames of a pair.
        travel: longest way of an object pasted into a composite over a clip, in parts of the width. Clips for pairs are
            short: a way that is slow over a second is fast over four frames.
        n_train, n_test: pairs.
        objects: places for objects in a sample; clips hold no more.
        jitter: largest shift and growth of a target's box on the reference frame, in parts of its sides.
        drop: share of targets that are not named on the reference frame.
        seed: another seed, other clips.
    """

    source: Literal["world", "composites"] = "world"
    folder: str | None = None
    size: tuple[int, int] = (96, 96)
    frames: int = 8
    gap: int = 3
    travel: float = 0.5
    n_train: int = 4000
    n_test: int = 64
    objects: int = 6
    jitter: float = 0.1
    drop: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.source == "composites") != (self.folder is not None):
            raise ConfigError("`clips.folder` belongs to the source `composites`, which needs it")
        if min(self.size) < 32 or self.frames < 4 or not 1 <= self.gap < self.frames or self.objects < 2:
            raise ConfigError(f"`clips` needs sides of 32, 4 frames, a gap within them and 2 objects, got {self}")
        if self.travel < 0:
            raise ConfigError(f"`clips.travel` is 0 or more, got {self.travel}")
        if min(self.n_train, self.n_test) < 1 or not 0 <= self.jitter < 0.5 or not 0 <= self.drop < 1:
            raise ConfigError(f"`clips` needs samples, a jitter in [0, 0.5) and a drop in [0, 1), got {self}")


@dataclass(frozen=True, eq=False)
class LabelledClip:
    """A clip of either source.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        masks: (T, K, H, W) bool.
        boxes: (T, K, 4) float32 xyxy in pixels, zeros where an object is not seen.
        visible: (T, K) bool.
        labels: (K,) class numbers.
    """

    frames: Image
    masks: NDArray[np.bool_]
    boxes: NDArray[np.float32]
    visible: NDArray[np.bool_]
    labels: NDArray[np.int64]


class Clips:
    """Clips by number, of one split.

    Args:
        config: see there.
        split: of the data; sequences or scenes of the two are apart.
    """

    def __init__(self, config: ClipsConfig, split: Split) -> None:
        self.config = config
        self.names = CATEGORIES if config.source == "composites" else SHAPES[:_SHAPES]
        self._composites: CompositeClips | None = None
        self._world: World | None = None
        if config.source == "composites" and config.folder is not None:
            pasted = (1, min(3, config.objects - 1))
            made = CompositeConfig(size=config.size, n_frames=config.frames, n_pasted=pasted, travel=config.travel)
            sequences = TRAIN_SEQUENCES if split == "train" else TEST_SEQUENCES
            self._composites = CompositeClips(config.folder, sequences, made, config.seed, length=10**9)
        else:
            self._world = World(_world_config(config), config.seed, split)

    def __getitem__(self, number: int) -> LabelledClip:
        if self._composites is not None:
            clip = self._composites[number]
            return LabelledClip(clip.frames, clip.masks(), clip.boxes_xyxy_px(), clip.visible(), clip.category_index)
        assert self._world is not None
        scene = self._world[number]
        ids = np.arange(1, len(scene.tracks) + 1)
        boxes = np.stack([track.boxes_xyxy_px for track in scene.tracks], axis=1)
        return LabelledClip(
            frames=scene.frames,
            masks=scene.instance_masks[:, None] == ids[:, None, None],
            boxes=np.nan_to_num(boxes).astype(np.float32),
            visible=np.stack([track.visible for track in scene.tracks], axis=1),
            labels=np.array([self.names.index(track.shape) for track in scene.tracks], np.int64),
        )


_SHAPES = 3  # classes of the world, as many as composites have


def _world_config(config: ClipsConfig) -> WorldConfig:
    return WorldConfig(
        size_px=min(config.size),
        n_frames=config.frames,
        n_objects=(2, min(4, config.objects)),
        shapes=SHAPES[:_SHAPES],
        actions=ACTIONS,
        others="any",
    )


class Pairs(SampleDataset):
    """Pair i of frames, as tensors padded to `objects` places.

    "frame" and "reference" (3, H, W); "boxes" and "reference_boxes" (K, 4) xyxy in pixels; "visible" and
    "reference_visible" (K,); "labels" (K,); "masks" (K, H, W) of the frame; "target" (K,) which ones are to be
    followed (all of them in category samples); "prompt" (K, 4) and "prompt_valid" (K,) what is said about targets on
    the reference frame.

    Args:
        network: for how pictures are made inputs.
        config: see there.
        split: of the data.
        task: which family samples are for.
    """

    def __init__(self, network: OmniTrackerConfig, config: ClipsConfig, split: Split, task: TrackTask) -> None:
        self._network, self._config, self._task, self._split = network, config, task, split
        self._clips = Clips(config, split)

    @property
    def class_names(self) -> tuple[str, ...]:
        """By class number."""
        return tuple(self._clips.names)

    def __len__(self) -> int:
        return self._config.n_train if self._split == "train" else self._config.n_test

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        clip = self._clips[index]
        rng = np.random.default_rng([self._config.seed, index, self._task == "instance", 7])
        first, second = self._frames(clip, rng)
        count = min(clip.masks.shape[1], self._config.objects)
        target = np.ones(count, np.bool_)
        if self._task == "instance":
            named = np.flatnonzero(clip.visible[first, :count])
            target = np.zeros(count, np.bool_)
            if len(named):
                target[rng.choice(named, size=rng.integers(1, len(named) + 1), replace=False)] = True
        prompt, prompt_valid = self._prompt(clip.boxes[first, :count], target & clip.visible[first, :count], rng)
        sample = {
            "boxes": clip.boxes[second, :count],
            "reference_boxes": clip.boxes[first, :count],
            "visible": clip.visible[second, :count],
            "reference_visible": clip.visible[first, :count],
            "labels": clip.labels[:count],
            "masks": clip.masks[second, :count],
            "target": target,
            "prompt": prompt,
            "prompt_valid": prompt_valid,
        }
        places = self._config.objects
        padded = {name: _pad(torch.from_numpy(np.ascontiguousarray(v)), places) for name, v in sample.items()}
        frames = {"frame": clip.frames[second], "reference": clip.frames[first]}
        return {name: to_input(picture, self._network) for name, picture in frames.items()} | padded

    def _frames(self, clip: LabelledClip, rng: np.random.Generator) -> tuple[int, int]:
        """Reference frame, from which something is to be followed where there is such a one, and the frame."""
        shown = np.flatnonzero(clip.visible.any(axis=1))
        first = int(rng.choice(shown)) if len(shown) else 0
        near = [t for t in range(len(clip.frames)) if 0 < abs(t - first) <= self._config.gap]
        return first, int(rng.choice(near))

    def _prompt(
        self, boxes: NDArray[np.float32], named: NDArray[np.bool_], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Shaken boxes, and which of them are told; one target at least is."""
        sides = np.concatenate([boxes[:, 2:] - boxes[:, :2]] * 2, axis=1)
        shaken = boxes + rng.uniform(-1, 1, boxes.shape) * self._config.jitter * sides
        told = named & (rng.random(len(boxes)) >= self._config.drop)
        if named.any() and not told.any():
            told[np.flatnonzero(named)[0]] = True
        return shaken.astype(np.float32), told


def _pad(values: Tensor, places: int) -> Tensor:
    """(K, ...) to (places, ...), filled up with zeros."""
    return torch.cat([values, values.new_zeros(places - len(values), *values.shape[1:])])
