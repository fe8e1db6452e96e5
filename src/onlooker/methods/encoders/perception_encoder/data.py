"""Pairs of picture or clip and text, pictures with masks, and how they are varied in training.

Two sources: the synthetic world, whose item i depends on seed, split and i alone, and files of one's own, listed in a
JSON-lines table. The paper's 5.4 billion pairs are not public.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as PilImage
from torch import Tensor
from torch.utils.data import Dataset

from onlooker.errors import ConfigError, FormatError, ShapeError
from onlooker.methods.encoders.perception_encoder.tokenizer import Tokenizer
from onlooker.synth.actions import ACTIONS
from onlooker.synth.scenes import Scene
from onlooker.synth.worlds import World, WorldConfig

Split = Literal["train", "test"]
Sample = dict[str, Tensor]
_PLACES = (0, 1, 2, 3)  # wordings that stay true when a picture is mirrored or cropped a little


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """Where samples come from.

    Attributes:
        n_train, n_test: scenes of the world.
        frames: pictures per sample; above 1 samples are clips.
        objects: least and most objects of a scene.
        wordings: which of the world's captions are used, turn by turn.
        seed: of the world.
        table: JSON-lines file of one's own instead of the world: {"image": PATH, "text": TEXT} or, for clips,
            {"images": [PATH, ...], "text": TEXT} per line, paths relative to the file.
        test_table: another of these, for evaluation.
    """

    n_train: int = 4000
    n_test: int = 256
    frames: int = 1
    objects: tuple[int, int] = (1, 3)
    wordings: tuple[int, ...] = _PLACES
    seed: int = 0
    table: str | None = None
    test_table: str | None = None

    def __post_init__(self) -> None:
        if min(self.n_train, self.n_test, self.frames) < 1:
            raise ConfigError(f"`n_train`, `n_test` and `frames` are at least 1, got {self}")
        if not self.wordings or not set(self.wordings) <= {*_PLACES, 4}:
            raise ConfigError(f"`wordings` are numbers from 0 to 4, got {self.wordings}")
        if (self.table is None) != (self.test_table is None):
            raise ConfigError("`table` and `test_table` belong together; give both or neither")

    def world(self, size_px: int, split: Split) -> World:
        """The synthetic world at a size."""
        clips = WorldConfig(size_px=size_px, n_objects=self.objects)
        if self.frames > 1:
            clips = WorldConfig(size_px=size_px, n_objects=self.objects, n_frames=self.frames, actions=ACTIONS)
        return World(clips, self.seed, split)


class SceneSamples(Dataset[Sample]):
    """Scenes of the world, each drawn once and kept.

    A sample holds `pixels` (3, H, W) or (T, 3, H, W) uint8, `tokens` (L,) int64, `masks` (H, W) or (T, H, W) uint8,
    and `pair` () int64, the number of the main object's colour and shape in `names`.
    """

    def __init__(self, scenes: SceneConfig, size_px: int, split: Split, tokenizer: Tokenizer | None = None) -> None:
        self.world = scenes.world(size_px, split)
        self.names = self.world.config.pairs
        self._wordings, self._tokenizer = scenes.wordings, tokenizer
        self._kept: list[Sample | None] = [None] * (scenes.n_train if split == "train" else scenes.n_test)

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self._kept):
            raise IndexError(f"sample {index} of {len(self._kept)}")
        kept = self._kept[index]
        if kept is None:
            kept = self._kept[index] = self._sample(self.world[index], index)
        return dict(kept)

    def _sample(self, scene: Scene, index: int) -> Sample:
        pixels = torch.from_numpy(np.ascontiguousarray(scene.frames)).permute(0, 3, 1, 2).contiguous()
        masks = torch.from_numpy(scene.instance_masks.astype(np.uint8))
        single = len(pixels) == 1
        sample = {
            "pixels": pixels[0] if single else pixels,
            "masks": masks[0] if single else masks,
            "pair": torch.tensor(self.names.index(f"{scene.main.colour} {scene.main.shape}")),
        }
        if self._tokenizer is not None:
            caption = scene.captions[self._wordings[index % len(self._wordings)]]
            sample["tokens"] = self._tokenizer([caption])[0]
        return sample


class TableSamples(Dataset[Sample]):
    """Pairs of a JSON-lines table, as `SceneConfig.table` describes it.

    A sample holds `pixels` (3, S, S) or (T, 3, S, S) uint8, squashed to the square, and `tokens` (L,) int64.

    Args:
        path: the table.
        size_px: S.
        frames: pictures per sample: evenly spread over those a line lists, with repetition where it lists fewer.
        tokenizer: left out, no `tokens`.

    Raises:
        FormatError: the file is missing or empty, or a line is not as described.
    """

    def __init__(self, path: str | Path, size_px: int, frames: int = 1, tokenizer: Tokenizer | None = None) -> None:
        self._folder, self._size, self._frames, self._tokenizer = Path(path).parent, size_px, frames, tokenizer
        if not Path(path).is_file():
            raise FormatError(f"there is no table of pairs at `{path}`")
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        self.rows = [_row(line, f"{path}, line {n}") for n, line in enumerate(lines, 1) if line.strip()]
        if not self.rows:
            raise FormatError(f"the table of pairs `{path}` is empty")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self.rows):
            raise IndexError(f"sample {index} of {len(self.rows)}")
        paths, text = self.rows[index]
        places = ((np.arange(self._frames) + 0.5) * len(paths) / self._frames).astype(int)
        pixels = torch.stack([self._read(paths[place]) for place in places])
        sample = {"pixels": pixels[0] if self._frames == 1 else pixels}
        if self._tokenizer is not None:
            sample["tokens"] = self._tokenizer([text])[0]
        return sample

    def _read(self, name: str) -> Tensor:
        try:
            with PilImage.open(self._folder / name) as picture:
                square = picture.convert("RGB").resize((self._size, self._size), PilImage.Resampling.BILINEAR)
        except OSError as error:
            raise FormatError(f"`{self._folder / name}` of the table is not a readable picture: {error}") from error
        return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()


def _row(line: str, where: str) -> tuple[tuple[str, ...], str]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise FormatError(f"{where} is no JSON: {error}") from error
    found = row.get("images", row.get("image")) if isinstance(row, dict) else None
    paths = [found] if isinstance(found, str) else found
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
        raise FormatError(f'{where} needs "image": PATH or "images": [PATH, ...], got `{line[:80]}`')
    if not isinstance(row.get("text"), str):
        raise FormatError(f'{where} needs "text": TEXT, got `{line[:80]}`')
    return tuple(paths), row["text"]


def make_samples(
    scenes: SceneConfig, size_px: int, split: Split, tokenizer: Tokenizer | None
) -> SceneSamples | TableSamples:
    """One split of either source."""
    table = scenes.table if split == "train" else scenes.test_table
    if table is not None:
        return TableSamples(table, size_px, scenes.frames, tokenizer)
    return SceneSamples(scenes, size_px, split, tokenizer)


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How pictures are varied. The paper names crop, brightness, saturation and mirroring; the strengths are ours.

    Attributes:
        least_area: least part of the picture that a crop keeps; 1 crops nothing.
        brightness, saturation: largest relative change.
        mirror: probability. 0 for captions that say left or right.
    """

    least_area: float = 0.6
    brightness: float = 0.2
    saturation: float = 0.2
    mirror: float = 0.5

    def __post_init__(self) -> None:
        if not (0 < self.least_area <= 1 and 0 <= self.mirror <= 1):
            raise ConfigError(f"`least_area` is in (0, 1] and `mirror` in [0, 1], got {self}")
        if not (0 <= self.brightness < 1 and 0 <= self.saturation <= 1):
            raise ConfigError(f"`brightness` is in [0, 1) and `saturation` in [0, 1], got {self}")


@dataclass(frozen=True, slots=True)
class ResolutionStage:
    """Pictures have `size_px` from the stage before until `until`, a part of the run in (0, 1]."""

    until: float
    size_px: int


@dataclass(frozen=True, slots=True)
class ResolutionSchedule:
    """Pictures grow during the run. No stages: always the native size.

    The paper trains at 98, 154 and 224 pixels in turn, 336 and 448 for the larger models.
    """

    stages: tuple[ResolutionStage, ...] = field(default=())

    def __post_init__(self) -> None:
        ends = [stage.until for stage in self.stages]
        if ends and (ends != sorted(set(ends)) or ends[0] <= 0 or ends[-1] != 1.0):
            raise ConfigError(f"`until` of the stages rises from above 0 to exactly 1, got {ends}")

    def size_at(self, fraction: float, native_px: int) -> int:
        """Side of pictures when `fraction` of the run is done, in [0, 1)."""
        return next((stage.size_px for stage in self.stages if fraction < stage.until), native_px)

    def check(self, patch_px: int) -> None:
        """Raises ConfigError for a size that is no multiple of the patch size."""
        for stage in self.stages:
            if stage.size_px < patch_px or stage.size_px % patch_px:
                raise ConfigError(f"stage of {stage.size_px} pixels: sizes are multiples of the patch size {patch_px}")


def to_network_range(pixels: Tensor, size_px: int) -> Tensor:
    """uint8 (..., 3, H, W) to float32 (..., 3, S, S) in [-1, 1], bilinear with antialias.

    Raises:
        ShapeError: another dtype or rank.
    """
    if pixels.dtype != torch.uint8 or pixels.ndim not in (4, 5) or pixels.shape[-3] != 3:
        raise ShapeError(f"pixels are uint8 (B, 3, H, W) or (B, T, 3, H, W), got {pixels.dtype} {tuple(pixels.shape)}")
    return resize(pixels.float() / 127.5 - 1, size_px)


def resize(images: Tensor, size_px: int) -> Tensor:
    """(..., 3, H, W) float to (..., 3, S, S)."""
    if images.shape[-2:] == (size_px, size_px):
        return images
    flat = images.flatten(0, -4)  # (B*T, 3, H, W)
    small = F.interpolate(flat, (size_px, size_px), mode="bilinear", antialias=True, align_corners=False)
    return small.reshape(*images.shape[:-2], size_px, size_px)


def augment(images: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Crops, mirrors and recolours every sample in its own way, all frames of a clip alike.

    Args:
        images: (B, 3, H, W) or (B, T, 3, H, W) float in [-1, 1].
        generator: on the CPU.

    Returns:
        As `images`, still in [-1, 1].
    """
    batch = len(images)
    draws = torch.rand(batch, 6, generator=generator).to(images.device)
    side = (config.least_area + (1 - config.least_area) * draws[:, 0]).sqrt()  # (B,) of the crop
    centres = (draws[:, 1:3] * 2 - 1) * (1 - side[:, None])  # (B, 2) in [-1, 1]
    turn = torch.where(draws[:, 3] < config.mirror, -1.0, 1.0)
    frames = images[:, None] if images.ndim == 4 else images  # (B, T, 3, H, W)
    matrix = images.new_zeros(batch, 2, 3)
    matrix[:, 0, 0], matrix[:, 1, 1], matrix[:, :, 2] = side * turn, side, centres
    flat = frames.flatten(0, 1)  # (B*T, 3, H, W)
    grid = F.affine_grid(matrix.repeat_interleave(frames.shape[1], dim=0), list(flat.shape), align_corners=False)
    varied = F.grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    varied = varied.view_as(frames)
    gain, colour = (
        (1 + strength * (draws[:, place] * 2 - 1)).view(-1, 1, 1, 1, 1)
        for place, strength in ((4, config.brightness), (5, config.saturation))
    )
    varied = ((varied + 1) * gain - 1).clamp(-1, 1)
    grey = varied.mean(dim=2, keepdim=True)
    return (grey + (varied - grey) * colour).clamp(-1, 1).view_as(images)


def draw_hidden(shape: Sequence[int], part: float, generator: torch.Generator) -> Tensor:
    """(B, N) bool, round(part * N) of every row True, drawn evenly; on the CPU."""
    batch, n_tokens = shape
    order = torch.rand(batch, n_tokens, generator=generator).argsort(dim=1)
    return order.argsort(dim=1) < round(part * n_tokens)
