"""Where views of a video are taken: which of its frames, and which square of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from onlooker.configs import whole_number
from onlooker.errors import ConfigError
from onlooker.methods.encoders.stts.config import SttsConfig

_SHORT_SIDE = 256 / 224  # of the resized picture, in sides of the crop: 256 for 224


@dataclass(frozen=True)
class ViewsConfig:
    """How many views are averaged (paper: 5 x 1 for MViT, 4 x 3 for Video-Swin).

    Attributes:
        clips: moments, evenly spread over the video; a video no longer than one clip has one.
        crops: squares along the longer side: 1 takes the middle, 3 both ends and the middle.
        stride: frames between two frames of a clip (16x4: every fourth).
    """

    clips: int = 5
    crops: int = 1
    stride: int = 4

    def __post_init__(self) -> None:
        whole_number("clips", self.clips)
        whole_number("stride", self.stride)
        if self.crops not in (1, 3):
            raise ConfigError(f"`crops` is 1 or 3, got {self.crops}")


@dataclass(frozen=True)
class View:
    """One clip cut from a video.

    Attributes:
        frames: (T,) numbers of the video's frames.
        box_xyxy_px: the square, in pixels of the video's frames; it may end between two pixels.
    """

    frames: NDArray[np.int64]
    box_xyxy_px: tuple[float, float, float, float]


def plan_views(n_frames: int, size: tuple[int, int], config: SttsConfig, views: ViewsConfig) -> tuple[View, ...]:
    """Views of a video of `n_frames` pictures of (height, width) `size`.

    A video shorter than a clip is stretched over it: its frames are repeated evenly, a single image fills the clip.
    """
    boxes = _boxes(size, config.image_size, views.crops)
    return tuple(View(frames, box) for frames in frame_numbers(n_frames, config.frames, views) for box in boxes)


def frame_numbers(n_frames: int, wanted: int, views: ViewsConfig) -> tuple[NDArray[np.int64], ...]:
    """`wanted` frame numbers per clip, ascending."""
    span = (wanted - 1) * views.stride + 1
    if n_frames <= span:
        return (np.floor(np.linspace(0, n_frames, wanted, endpoint=False)).astype(np.int64),)
    last = n_frames - span
    # A single clip is taken from the middle, several from both ends and between.
    starts = [last // 2] if views.clips == 1 else np.round(np.linspace(0, last, views.clips)).astype(int).tolist()
    return tuple(start + views.stride * np.arange(wanted) for start in starts)


def cut_view(video: Tensor, view: View, config: SttsConfig) -> Tensor:
    """One normalised clip.

    Args:
        video: (N, H, W, 3) uint8.
        view: from `plan_views`.
        config: sizes and normalisation.

    Returns:
        (3, T, height, width) float32.
    """
    frames = video[torch.from_numpy(view.frames)].permute(0, 3, 1, 2).float() / 255  # (T, 3, H, W)
    height, width = config.image_size
    x1, y1, x2, y2 = view.box_xyxy_px
    scale_y, scale_x = height / (y2 - y1), width / (x2 - x1)
    whole = (max(round(frames.shape[2] * scale_y), height), max(round(frames.shape[3] * scale_x), width))
    resized = functional.interpolate(frames, size=whole, mode="bilinear", antialias=True, align_corners=False)
    top = min(round(y1 * scale_y), whole[0] - height)
    left = min(round(x1 * scale_x), whole[1] - width)
    crop = resized[:, :, top : top + height, left : left + width].transpose(0, 1)  # (3, T, height, width)
    mean, std = (torch.tensor(values).reshape(3, 1, 1, 1) for values in (config.mean, config.std))
    return (crop - mean) / std


def _boxes(size: tuple[int, int], crop: tuple[int, int], crops: int) -> tuple[tuple[float, float, float, float], ...]:
    """Boxes of the crop's shape. One crop leaves a rim, as 224 of 256 does; three fill the shorter side."""
    height, width = size
    scale = max(crop[0] / height, crop[1] / width) * (_SHORT_SIDE if crops == 1 else 1.0)  # crop pixels per pixel
    box_h, box_w = crop[0] / scale, crop[1] / scale
    rest_y, rest_x = height - box_h, width - box_w
    places = (0.5,) if crops == 1 else (0.0, 0.5, 1.0)
    boxes = []
    for place in places:
        top = rest_y * (place if rest_y > rest_x else 0.5)
        left = rest_x * (0.5 if rest_y > rest_x else place)
        boxes.append((left, top, left + box_w, top + box_h))
    return tuple(boxes)
