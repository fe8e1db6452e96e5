"""Map-style datasets of tensors on top of the worlds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from onlooker.errors import ConfigError
from onlooker.synth.needle import NeedleWorld
from onlooker.synth.scenes import Scene
from onlooker.synth.words import WordTokenizer
from onlooker.synth.worlds import World

Sample = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Pixels in [0, 1] minus `mean`, divided by `std`, per colour."""

    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __call__(self, frames: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Tensor:
        """(T, H, W, 3) uint8 to (T, 3, H, W) float32."""
        pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (self.mean, self.std))
        return (pixels - mean) / std


class SceneDataset(Dataset[Sample]):
    """Scenes `[0, length)` of a world through a function that makes tensors of a scene.

    Args:
        world: where scenes come from.
        length: number of samples.
        to_sample: scene and its index to named tensors; must depend on these alone.
    """

    def __init__(self, world: World | NeedleWorld, length: int, to_sample: Callable[[Scene, int], Sample]) -> None:
        if length < 1:
            raise ConfigError(f"a dataset holds at least one scene, got {length}")
        self.world, self.length, self.to_sample = world, length, to_sample

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < self.length:
            raise IndexError(f"sample {index} of {self.length}")
        return self.to_sample(self.world[index], index)


@dataclass(frozen=True, slots=True)
class Captioned:
    """Scene to `pixels` (3, H, W) or, for clips, (T, 3, H, W), `tokens` (L,) int64, `label` and `action` () int64.

    Attributes:
        tokenizer, length: make the tokens.
        labels: shapes in the order of their numbers.
        actions: likewise.
        wordings: which captions are used, turn by turn over the index.
    """

    tokenizer: WordTokenizer
    length: int
    labels: tuple[str, ...]
    actions: tuple[str, ...]
    wordings: tuple[int, ...] = (0, 1, 2, 3, 4)
    normalise: Normalisation = Normalisation()

    def __call__(self, scene: Scene, index: int) -> Sample:
        caption = scene.captions[self.wordings[index % len(self.wordings)]]
        pixels = self.normalise(scene.frames)
        return {
            "pixels": pixels[0] if len(pixels) == 1 else pixels,
            "tokens": torch.tensor(self.tokenizer.encode(caption, self.length)),
            "label": torch.tensor(self.labels.index(scene.label)),
            "action": torch.tensor(self.actions.index(scene.action)),
        }


@dataclass(frozen=True, slots=True)
class Labelled:
    """Scene to `pixels` as in `Captioned`, `label` () int64, `signal` (T,) bool and `masks` (T, H, W) int64.

    Attributes:
        classes: names in the order of their numbers.
        name_of: what is classified: `lambda scene: scene.label` or `.action`.
    """

    classes: tuple[str, ...]
    name_of: Callable[[Scene], str]
    normalise: Normalisation = Normalisation()

    def __call__(self, scene: Scene, index: int) -> Sample:
        pixels = self.normalise(scene.frames)
        return {
            "pixels": pixels[0] if len(pixels) == 1 else pixels,
            "label": torch.tensor(self.classes.index(self.name_of(scene))),
            "signal": torch.from_numpy(scene.signal_frames.copy()),
            "masks": torch.from_numpy(scene.instance_masks.astype(np.int64)),
        }


class Rendered(Dataset[Sample]):
    """Samples kept in memory."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = tuple(samples)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]


def materialise(dataset: SceneDataset, n: int | None = None) -> Rendered:
    """Render the first `n` samples, all when `None`, once."""
    if n is not None and not 1 <= n <= len(dataset):
        raise ConfigError(f"between 1 and {len(dataset)} samples can be rendered, got {n}")
    return Rendered([dataset[i] for i in range(len(dataset) if n is None else n)])
