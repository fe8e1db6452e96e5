"""Masks of given objects through a video: `IsvosSegmenter`.

segmenter = IsvosSegmenter("path/to/weights")
session = segmenter.start(first_frame, {1: mask, 2: (x1, y1, x2, y2), 3: (x, y)})
for frame in frames:
    masks = session.step(frame)  # {1: (H, W) bool, ...}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onlooker.configs import config_from_dict, real_number, whole_number
from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.trackers.isvos.config import CONFIGS, STRIDE, IsvosConfig, MemoryConfig
from onlooker.methods.trackers.isvos.model import Isvos
from onlooker.methods.trackers.isvos.prompts import Prompt
from onlooker.methods.trackers.isvos.session import IsvosSession
from onlooker.methods.trackers.isvos.weights import key_map
from onlooker.nn.device import check_device
from onlooker.types import Image
from onlooker.weights.load import load_weights, locate_weights
from onlooker.weights.verify import sha256_of

_VOID = 255


class IsvosSegmenter:
    """Segments objects that were shown once, in every later frame.

    Args:
        weights: a folder that training or `save_pretrained` wrote, or a file in our layout.
        config: name of a configuration; left out, the one beside the weights.
        short_side: longest short side of frames inside the network, in pixels; left out, the configuration's.
        max_frames: frames kept in memory besides the first ones; left out, the configuration's.
        max_megabytes: of memory, never more; left out, the configuration's.
        device: torch device.
        offline: refuse the network when `weights` is a hub name.

    Raises:
        ConfigError: no weights, a bound out of range, or a device that cannot be used.
        WeightsError: the weights cannot be read, or do not fit.
    """

    name = "isvos"

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        short_side: int | None = None,
        max_frames: int | None = None,
        max_megabytes: float | None = None,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        if weights is None:
            raise ConfigError("there are no public ISVOS weights to fetch: train some and give their folder, `weights`")
        check_device(device)
        found = locate_weights(weights, offline=offline)
        chosen = _config(config, found.config, found.path)
        network = Isvos(chosen)
        load_weights(network, found, key_map(chosen))
        memory = chosen.memory
        if max_frames is not None:
            memory = replace(memory, max_frames=whole_number("max_frames", max_frames, 0))
        if max_megabytes is not None:
            memory = replace(memory, max_megabytes=real_number("max_megabytes", max_megabytes))
        self._set_up(network.to(device), memory, short_side, sha256_of(found.path)[:8])

    @classmethod
    def from_network(
        cls, network: Isvos, memory: MemoryConfig | None = None, *, short_side: int | None = None
    ) -> IsvosSegmenter:
        """Around a network at hand, which is put into evaluation mode; bounds left out are its configuration's."""
        made = cls.__new__(cls)
        made._set_up(network, network.config.memory if memory is None else memory, short_side, "own")
        return made

    @property
    def version(self) -> str:
        """First digits of the weights' digest; "own" for a network that was passed."""
        return self._version

    def start(self, frame: Image, prompts: Mapping[int, Prompt]) -> IsvosSession:
        """A new video.

        Args:
            frame: the frame on which objects are shown, RGB uint8 (H, W, 3).
            prompts: id -> mask (H, W) bool, box (x1, y1, x2, y2) or point (x, y), in pixels of the frame; may be empty.

        Raises:
            ShapeError: not a frame, or a prompt that does not fit it.
            ConfigError: an id below 1, or more objects than the memory can hold.
        """
        return IsvosSession(self._network, self._memory, self._short_side, frame, prompts)

    def follow(self, frames: Sequence[Image], first: NDArray[np.integer]) -> NDArray[np.uint8]:
        """A whole video from the label map of its first frame.

        Args:
            frames: T of them.
            first: (H, W), 0 for ground, 255 for void, else ids.

        Returns:
            (T, H, W) uint8; the first is `first` without void.

        Raises:
            ShapeError: no frame, frames that differ in size, labels of another size, or ids that no byte holds.
        """
        if len(frames) == 0 or any(frame.shape != frames[0].shape for frame in frames):
            raise ShapeError("a video has one frame at least, all of one size")
        numbers = [int(number) for number in np.unique(first) if number not in (0, _VOID)]
        if numbers and not 0 < min(numbers) <= max(numbers) < _VOID:
            raise ShapeError(f"label maps hold ids from 1 to {_VOID - 1}, got {numbers[0]} to {numbers[-1]}")
        session = self.start(frames[0], {number: first == number for number in numbers})
        found = [np.where(first == _VOID, 0, first).astype(np.uint8)]
        found += [session.segment(frame).index_mask for frame in frames[1:]]
        return np.stack(found)

    def _set_up(self, network: Isvos, memory: MemoryConfig, short_side: int | None, version: str) -> None:
        side = whole_number("short_side", network.config.short_side if short_side is None else short_side, STRIDE)
        self._network, self._memory, self._short_side, self._version = network.eval(), memory, side, version


def _config(name: str | None, stored: Mapping[str, object] | None, path: Path) -> IsvosConfig:
    if name is not None:
        if name not in CONFIGS:
            raise UnknownNameError("configuration of `isvos`", name, CONFIGS)
        return CONFIGS[name]
    if stored is None:
        raise ConfigError(f"no configuration lies beside `{path}`; name one with `config=`")
    return config_from_dict(IsvosConfig, stored)
