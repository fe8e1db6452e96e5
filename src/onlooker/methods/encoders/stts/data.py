"""Clips in which a choice pays: the class shows in few frames ("needle"), or in a small moving patch ("patch").

Ours; the paper trains on Kinetics-400, which is not shipped: a table of videos of one's own takes the place of these
worlds (`own_clips.py`). Item i of a data set depends on its seed, its split and i alone.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from onlooker.errors import ConfigError
from onlooker.methods.encoders.stts.config import SttsConfig
from onlooker.methods.encoders.stts.own_clips import CuttingConfig, OwnClips
from onlooker.synth.needle import NeedleConfig, NeedleWorld
from onlooker.synth.pictures import NuisanceConfig

Split = Literal["train", "test"]
World = Literal["needle", "patch"]
_SPLITS = {"train": 0, "test": 1}


@dataclass(frozen=True)
class ClipsConfig:
    """A data set of small clips.

    Attributes:
        world: "needle" or "patch", see `NeedleClips` and `PatchClips`.
        n_train, n_test: clips of each split.
        n_signal: token frames of a clip that show its class.
        patch_radius: of a patch, as a part of the shorter side.
        seed: of all clips, and of what is held out and cut from a table.
        table: videos of one's own instead of the world: a folder with a folder per class, a `.csv` or a `.jsonl`, see
            `onlooker.train.tables`. The settings of the world then say nothing.
        cutting: how clips are cut from them.
    """

    world: World = "needle"
    n_train: int = 2000
    n_test: int = 500
    n_signal: int = 2
    patch_radius: float = 0.13
    seed: int = 0
    table: str | None = None
    cutting: CuttingConfig = field(default_factory=CuttingConfig)

    def __post_init__(self) -> None:
        if min(self.n_train, self.n_test, self.n_signal) < 1:
            raise ConfigError(f"`n_train`, `n_test` and `n_signal` are at least 1, got {self}")
        if not 0.02 <= self.patch_radius <= 0.5:
            raise ConfigError(f"`patch_radius` is a part in [0.02, 0.5], got {self.patch_radius}")


class NeedleClips(Dataset[dict[str, Tensor]]):
    """Clips of `onlooker.synth.needle`: a sprite whose shape is the class in `n_signal` of the token frames, others
    with distractors alone.

    A sample holds `clip` (3, frames, H, W), `label` () and `signal` (T,), true where a token frame shows the needle.
    """

    def __init__(self, network: SttsConfig, clips: ClipsConfig, split: Split) -> None:
        if network.image_size[0] != network.image_size[1]:
            raise ConfigError(f"needle clips are square, the network takes {network.image_size}")
        shapes = NeedleConfig().classes
        if network.num_classes is None or not 2 <= network.num_classes <= len(shapes):
            raise ConfigError(f"needle clips have 2 to {len(shapes)} classes, the network {network.num_classes}")
        self.network = network
        self.length = clips.n_train if split == "train" else clips.n_test
        needle = NeedleConfig(
            size_px=network.image_size[0],
            n_frames=network.token_frames,
            n_signal=clips.n_signal,
            classes=shapes[: network.num_classes],
            n_distractors=(1, 1),
            radius=(0.22, 0.3),
            nuisance=NuisanceConfig(),
        )
        self.world = NeedleWorld(needle, clips.seed, split)
        self.class_names = self.world.config.classes

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        _check_index(index, self.length)
        scene = self.world[index]
        return {
            "clip": to_clip(scene.frames, self.network),
            "label": torch.tensor(self.world.config.classes.index(scene.label)),
            "signal": torch.from_numpy(scene.signal_frames.copy()),
        }


class PatchClips(Dataset[dict[str, Tensor]]):
    """A patch of a strong colour wanders over a noisy grey ground; the colour is the class.

    The patch is there in `n_signal` of the token frames. Patches of dull colours, three of them in every frame and one
    more where the strong one is away, say nothing. A sample holds `clip` (3, frames, H, W), `label` (), `signal` (T,),
    true where a token frame shows the patch, and `centre` (T, 2), its row and column as parts of height and width.
    """

    def __init__(self, network: SttsConfig, clips: ClipsConfig, split: Split) -> None:
        if network.num_classes is None or not 2 <= network.num_classes <= 8:
            raise ConfigError(f"patch clips have 2 to 8 classes, the network {network.num_classes}")
        if clips.n_signal > network.token_frames:
            raise ConfigError(f"`n_signal` is at most {network.token_frames} token frames, got {clips.n_signal}")
        self.network, self.classes, self.n_signal = network, network.num_classes, clips.n_signal
        self.radius, self.margin = clips.patch_radius * min(network.image_size), clips.patch_radius
        self.length = clips.n_train if split == "train" else clips.n_test
        self.class_names = tuple(f"hue {round(360 * place / self.classes)}" for place in range(self.classes))
        self.seed = (clips.seed, _SPLITS[split])

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        _check_index(index, self.length)
        rng = np.random.default_rng((*self.seed, index, 2))
        frames, (height, width) = self.network.token_frames, self.network.image_size
        label = int(rng.integers(self.classes))
        signal = np.zeros(frames, np.bool_)
        signal[rng.permutation(frames)[: self.n_signal]] = True
        picture = rng.normal(0.35, 0.06, (frames, height, width, 1)).repeat(3, axis=3)
        always = np.ones_like(signal)
        for shown in (always, always, always, ~signal):
            dull = colorsys.hsv_to_rgb(
                float(rng.uniform()), float(rng.uniform(0.1, 0.35)), float(rng.uniform(0.4, 0.7))
            )
            _draw(picture, _walk(frames, self.margin, rng), shown, dull, self.radius)
        walk = _walk(frames, self.margin, rng)
        _draw(picture, walk, signal, colorsys.hsv_to_rgb(label / self.classes, 0.9, 0.9), self.radius)
        picture += rng.normal(0.0, 0.03, picture.shape)
        return {
            "clip": to_clip(np.clip(picture * 255, 0, 255).astype(np.uint8), self.network),
            "label": torch.tensor(label),
            "signal": torch.from_numpy(signal),
            "centre": torch.from_numpy(walk.astype(np.float32)),
        }


def make_clips(network: SttsConfig, clips: ClipsConfig, split: Split) -> NeedleClips | PatchClips | OwnClips:
    """One split of a data set, in the sizes of a network; errors as those of the data set."""
    if clips.table is not None:
        return OwnClips(network, clips.table, clips.cutting, split, clips.seed)
    if clips.world == "needle":
        return NeedleClips(network, clips, split)
    return PatchClips(network, clips, split)


def to_clip(frames: NDArray[np.uint8], network: SttsConfig) -> Tensor:
    """(T, H, W, 3) RGB pictures to a normalised (3, frames, H, W) clip, each picture repeated to fill a token frame."""
    pixels = torch.from_numpy(frames).permute(3, 0, 1, 2).float() / 255
    mean, std = (torch.tensor(values).reshape(3, 1, 1, 1) for values in (network.mean, network.std))
    return ((pixels - mean) / std).repeat_interleave(network.frames // frames.shape[0], dim=1)


def _walk(frames: int, margin: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T, 2) places of a patch on a straight line through the picture, as parts of it, `margin` away from its edges."""
    start, end = rng.uniform(margin, 1.0 - margin, (2, 2))
    end = np.clip(end, start - 0.3, start + 0.3)
    walk: NDArray[np.float64] = start + (end - start) * np.linspace(0.0, 1.0, frames)[:, None]
    return walk


def _draw(
    picture: NDArray[np.float64],
    walk: NDArray[np.float64],
    shown: NDArray[np.bool_],
    colour: tuple[float, float, float],
    radius: float,
) -> None:
    """Draws a disc of `radius` pixels into those frames of (T, H, W, 3) where it is shown, in place."""
    height, width = picture.shape[1:3]
    rows, columns = np.mgrid[:height, :width]
    for place in np.flatnonzero(shown):
        row, column = walk[place]
        inside = (rows + 0.5 - row * height) ** 2 + (columns + 0.5 - column * width) ** 2 <= radius**2
        picture[place][inside] = colour


def _check_index(index: int, length: int) -> None:
    if not 0 <= index < length:
        raise IndexError(f"clip {index} of {length}")
