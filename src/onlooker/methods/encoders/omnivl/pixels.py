"""Pictures and frames as people have them to what the encoder takes: square, normalised, sampled in time.

As in the authors' demos, the aspect is not kept. Where their demos leave a case open: grey becomes equal channels,
transparency is laid over black, a clip's last frame is repeated until it fills a time slot (nothing of a clip is
dropped), and a clip with more frames than the model has places for is sampled evenly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import resize

from onlooker.errors import ShapeError
from onlooker.methods.encoders.omnivl.config import VisualConfig
from onlooker.types import Image

MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's
STD = (0.26862954, 0.26130258, 0.27577711)


def images_to_batch(images: Sequence[Image], config: VisualConfig) -> Tensor:
    """(B, 3, S, S) normalised pixels of pictures of any sizes.

    Raises:
        ShapeError: a picture that `image_to_rgb` refuses.
    """
    return torch.stack([_square(image_to_rgb(image), config.image_size) for image in images])


def clip_to_batch(frames: Sequence[Image], config: VisualConfig) -> Tensor:
    """(1, 3, T, S, S) normalised pixels of one clip; T is a multiple of `time_stride`, at most `num_frames`.

    Raises:
        ShapeError: no frame, frames of different sizes, or a frame that `image_to_rgb` refuses.
    """
    if len(frames) == 0:
        raise ShapeError("a clip needs at least one frame, got none")
    sizes = {tuple(np.shape(frame)[:2]) for frame in frames}
    if len(sizes) > 1:
        raise ShapeError(f"the frames of a clip must have one size, got {sorted(sizes)}")
    chosen = [frames[place] for place in frame_places(len(frames), config.num_frames, config.time_stride)]
    squares = [_square(image_to_rgb(frame), config.image_size) for frame in chosen]
    return torch.stack(squares, 1)[None]


def frame_places(n_frames: int, most: int, stride: int) -> list[int]:
    """Which frames of a clip are looked at.

    Args:
        n_frames: of the clip, at least 1.
        most: frames the model has places for.
        stride: frames of a time slot.

    Returns:
        All of them, the last repeated until the slot is full; or, from a longer clip, the middles of as many equal
        parts as fill the model's whole slots.
    """
    whole = most // stride * stride
    if n_frames > whole:
        return [int((part + 0.5) * n_frames / whole) for part in range(whole)]
    padded = -(-n_frames // stride) * stride
    return [min(place, n_frames - 1) for place in range(padded)]


def image_to_rgb(image: Image) -> Image:
    """(H, W, 3) of grey (H, W) or (H, W, 1), RGB, or RGBA (laid over black).

    Raises:
        ShapeError: another shape, no pixels, or not uint8.
    """
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise ShapeError(f"pictures are uint8 from 0 to 255, got {array.dtype} of shape {array.shape}")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ShapeError(f"pictures are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) with pixels, got {np.shape(image)}")
    if array.shape[2] == 4:
        opacity = array[:, :, 3:].astype(np.float32) / 255
        return np.rint(array[:, :, :3] * opacity).astype(np.uint8)
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def _square(image: Image, side: int) -> Tensor:
    """(3, side, side), bicubic, normalised."""
    pixels = torch.from_numpy(np.array(image, order="C")).permute(2, 0, 1)  # a copy: pictures may be read-only
    resized: Tensor = resize(pixels, [side, side], InterpolationMode.BICUBIC, antialias=True)
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    return (resized.float() / 255 - mean) / std
