"""Clips of one's own for the task `classify`: videos and their classes from a table, cut as the paper cuts Kinetics.

Training takes a clip at a random moment and a random crop of it; the test takes the middle of both. Frames are chosen
by their true times, so a video of any rate is seen at the same pace. Item i depends on the table, the seed and i alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from onlooker.configs import real_number, whole_number
from onlooker.errors import ConfigError, FormatError
from onlooker.methods.encoders.stts.config import SttsConfig
from onlooker.methods.encoders.stts.views import ViewsConfig, cut_view, plan_views
from onlooker.train.footage import frames_at, length_s
from onlooker.train.tables import Split, class_names, fingerprint_rows, read_table, split_rows
from onlooker.types import Image

_RATE = 30  # frames a second that the official stride counts in (SlowFast's default)
_ASPECT = (3 / 4, 4 / 3)  # official, of crops in training
_TRIES = 10


@dataclass(frozen=True)
class CuttingConfig:
    """How clips are cut from videos of one's own.

    Attributes:
        held_out: share of every class for the test, where the table names no split.
        stride_s: seconds from one frame of a clip to the next; left out, the paper's: 4 frames of a thirtieth for
            MViT, 2 for Video-Swin. Smaller for short actions.
        draws: moments and crops of each video in one round of the data; the next round has the same again.
        least_area: of a random crop, as a part of the picture (official: 0.08). 1 takes the middle, as the test does.
        mirror: probability (official: 0.5). 0 where left and right matter.
    """

    held_out: float = 0.2
    stride_s: float | None = None
    draws: int = 4
    least_area: float = 0.08
    mirror: float = 0.5

    def __post_init__(self) -> None:
        whole_number("draws", self.draws)
        real_number("mirror", self.mirror, 0, 1)
        for name in ("stride_s", "held_out", "least_area"):
            value = getattr(self, name)
            if value is not None and real_number(name, value) <= 0:
                raise ConfigError(f"`{name}` is above 0, got {value}")
        if self.held_out >= 1 or self.least_area > 1:
            raise ConfigError(f"`held_out` is below 1 and `least_area` at most 1, got {self}")


class OwnClips(Dataset[dict[str, Tensor]]):
    """One split of a table. A sample holds `clip` (3, frames, H, W) and `label` ().

    Args:
        network: its sizes and number of classes.
        table: a folder of classes, `.csv` or `.jsonl`, see `onlooker.train.tables`.
        cutting: how clips are cut.
        split: "train" or "test".
        seed: of the held-out share, moments and crops.

    Raises:
        FormatError: the table cannot be used, or names a class in the test alone.
        ConfigError: the network has another number of classes.
    """

    def __init__(self, network: SttsConfig, table: str, cutting: CuttingConfig, split: Split, seed: int) -> None:
        rows = read_table(table)
        for row in rows:
            if row.label is None or row.is_picture:
                what = "no `label`" if row.label is None else "a picture, not a video"
                raise FormatError(f"{row.where}: a clip to classify is a video with a class, got {what}")
        splits = split_rows(rows, cutting.held_out, seed)
        self.class_names = class_names(splits)
        if len(self.class_names) != network.num_classes:
            raise ConfigError(
                f"`{table}` has {len(self.class_names)} classes, the network {network.num_classes}; "
                f"set `model.num_classes = {len(self.class_names)}`"
            )
        self.network, self.rows, self.cutting, self.split, self.seed = network, splits[split], cutting, split, seed
        self._lengths_s: dict[int, float] = {}
        self._stride_s = cutting.stride_s or (2 if network.swin is not None else 4) / _RATE

    def __len__(self) -> int:
        return len(self.rows) * (self.cutting.draws if self.split == "train" else 1)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Raises FormatError for a video that cannot be read or has one frame."""
        if not 0 <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)}")
        number = index % len(self.rows)
        row = self.rows[number]
        if number not in self._lengths_s:
            self._lengths_s[number] = length_s(row)
        rng = np.random.default_rng((self.seed, index)) if self.split == "train" else None
        place = 0.5 if rng is None else float(rng.uniform())
        frames = frames_at(row, clip_times(self._lengths_s[number], self.network.frames, self._stride_s, place))
        clip = middle_clip(frames, self.network) if rng is None else self._varied(frames, rng)
        return {"clip": clip, "label": torch.tensor(self.class_names.index(row.label or ""))}

    def fingerprint(self) -> str:
        """What identifies the data."""
        return f"{len(self.rows)} videos, rows and sizes {fingerprint_rows(self.rows)}"

    def _varied(self, frames: Sequence[Image], rng: np.random.Generator) -> Tensor:
        """A random crop of all frames alike, mirrored or not."""
        mirrored = rng.uniform() < self.cutting.mirror
        if self.cutting.least_area == 1:
            clip = middle_clip(frames, self.network)
        else:
            top, left, height, width = random_crop(frames[0].shape[:2], self.cutting.least_area, rng)
            cut = [frame[top : top + height, left : left + width] for frame in frames]
            clip = _resized(np.stack(cut), self.network)
        return clip.flip(-1) if mirrored else clip


def clip_times(duration_s: float, n_frames: int, stride_s: float, place: float) -> list[float]:
    """Seconds of a clip's frames.

    Args:
        duration_s: of the video; one that is shorter than the clip is stretched over it.
        n_frames, stride_s: of the clip.
        place: 0 for the start of the video, 1 for the end, of what can be chosen.
    """
    span_s = n_frames * stride_s  # the last frame is shown for a stride as well
    if duration_s <= span_s:
        return [duration_s * number / n_frames for number in range(n_frames)]
    start_s = place * (duration_s - span_s)
    return [start_s + stride_s * number for number in range(n_frames)]


def middle_clip(frames: Sequence[Image], network: SttsConfig) -> Tensor:
    """(3, T, H, W) of T frames: the middle square of the short side, as evaluation cuts it."""
    video = torch.from_numpy(np.stack(frames))
    (view,) = plan_views(len(video), (video.shape[1], video.shape[2]), network, ViewsConfig(clips=1, stride=1))
    return cut_view(video, view, network)


def random_crop(size: tuple[int, ...], least_area: float, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Top, left, height and width in pixels: a random part of the area, of an aspect from 3/4 to 4/3.

    Where no such crop fits, the largest square from the middle.
    """
    height, width = size
    for _ in range(_TRIES):
        area = height * width * rng.uniform(least_area, 1.0)
        aspect = np.exp(rng.uniform(*np.log(_ASPECT)))  # width by height
        crop_w, crop_h = max(round((area * aspect) ** 0.5), 1), max(round((area / aspect) ** 0.5), 1)
        if crop_w <= width and crop_h <= height:
            return int(rng.integers(height - crop_h + 1)), int(rng.integers(width - crop_w + 1)), crop_h, crop_w
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side, side


def _resized(video: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], network: SttsConfig) -> Tensor:
    """(T, H, W, 3) to normalised (3, T, height, width)."""
    pixels = torch.from_numpy(video).permute(0, 3, 1, 2).float() / 255  # (T, 3, H, W)
    resized = functional.interpolate(pixels, network.image_size, mode="bilinear", antialias=True, align_corners=False)
    mean, std = (torch.tensor(values).reshape(3, 1, 1, 1) for values in (network.mean, network.std))
    return (resized.transpose(0, 1) - mean) / std
