"""`OmniTracker`: frames in, tracks out, one at a time; given objects or objects of known classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.trackers.omnitracker.config import CONFIGS, OmniTrackerConfig, TrackingConfig
from onlooker.methods.trackers.omnitracker.detections import FrameTracks
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork
from onlooker.methods.trackers.omnitracker.targets import Targets, start_targets
from onlooker.methods.trackers.omnitracker.tracking import FrameInput, TrackState, track_frame
from onlooker.methods.trackers.omnitracker.weights import key_map
from onlooker.nn.device import check_device
from onlooker.types import Image
from onlooker.weights.load import load_weights, locate_weights

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, as all its networks are trained."""


class OmniTracker:
    """Follows objects through one video after another.

    `start` begins with given objects, `begin` with classes; `update` takes the next frame of either. All that is known
    of the video is in `state`; the network holds none of it.

    Args:
        weights: a folder of ours, a file in a layout that `key_map` knows, or a hub name.
        config: name of a configuration or the configuration; left out, the one stored beside the weights, or "paper".
        tracking: how the loop decides; left out, the configuration's.
        labels: names of the classes; left out, "class 0" and so on.
        device: where it runs.
        offline: refuse the network where `weights` is a hub name.

    Raises:
        UnknownNameError: no such configuration.
        WeightsError: the weights are missing or do not fit.
        ConfigError: labels that are not as many as the classes, or a device that cannot be used.
    """

    name = "omnitracker"
    version = "1"

    def __init__(
        self,
        weights: str | Path,
        config: str | OmniTrackerConfig | None = None,
        tracking: TrackingConfig | None = None,
        labels: Sequence[str] | None = None,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        check_device(device)
        found = locate_weights(weights, offline=offline)
        chosen = _chosen_config(config, found.config)
        network = OmniTrackerNetwork(chosen)
        load_weights(network, found, key_map(chosen))
        self._set_up(network.to(device), tracking, labels)

    @classmethod
    def from_network(
        cls,
        network: OmniTrackerNetwork,
        tracking: TrackingConfig | None = None,
        labels: Sequence[str] | None = None,
    ) -> OmniTracker:
        """The same around a network that is at hand; its tensors are shared."""
        made = cls.__new__(cls)
        made._set_up(network, tracking, labels)
        return made

    def begin(self, classes: Sequence[str] | None = None) -> None:
        """A new video: every object of the named classes, of all when left out, from the next frame on.

        Raises:
            UnknownNameError: no such class; the message names the nearest.
        """
        numbers = None
        if classes is not None:
            unknown = next((name for name in classes if name not in self.labels), None)
            if unknown is not None:
                raise UnknownNameError("class", unknown, self.labels)
            numbers = tuple(self.labels.index(name) for name in classes)
        self.state = TrackState("category", self._tracking, classes=numbers)

    def start(
        self,
        frame: Image,
        boxes: NDArray[np.floating] | None = None,
        masks: NDArray[np.bool_] | None = None,
        ids: Sequence[int] | None = None,
        time_s: float | None = None,
    ) -> FrameTracks:
        """A new video with given objects.

        A target outside the frame or with an empty mask was never seen, and is told as absent on every frame. Targets
        with equal boxes and masks are followed as one and told under all their ids. No target at all is allowed.

        Args:
            frame: first frame, RGB uint8 (H, W, 3); grey (H, W) and RGBA are taken, too.
            boxes: (K, 4) xyxy in pixels.
            masks: (K, H, W) bool, beside the boxes or in their place.
            ids: of the targets; from 1 when left out.
            time_s: of the frame.

        Raises:
            ShapeError: neither boxes nor masks, or a shape, dtype or number that cannot be.
        """
        made = self._input(frame, time_s, new_shot=False)
        targets = Targets.given(made.size, boxes, masks, None if ids is None else tuple(ids))
        self.state, tracks = start_targets(self._network, self._tracking, made, targets)
        return tracks

    def update(self, frame: Image, time_s: float | None = None, new_shot: bool = False) -> FrameTracks:
        """The next frame; without a `start` or `begin` before it, all classes are followed from here on.

        Args:
            frame: as in `start`. It may have another size than the one before; boxes are brought over in proportion.
            time_s: later than all before; left out, frames are 0.04 s apart.
            new_shot: whether a cut lies before it: nothing is expected to be where it was.

        Raises:
            ShapeError: not a picture, or a time that is not later or no number.
        """
        before = self.state.time_s
        if time_s is not None and before is not None and time_s <= before:
            raise ShapeError(f"frames come in order of time: got {time_s} s after {before} s")
        return track_frame(self._network, self.state, self._input(frame, time_s, new_shot))

    @property
    def config(self) -> OmniTrackerConfig:
        """Of the network."""
        config: OmniTrackerConfig = self._network.config
        return config

    def _set_up(
        self, network: OmniTrackerNetwork, tracking: TrackingConfig | None, labels: Sequence[str] | None
    ) -> None:
        self._network = network.eval()
        self._tracking = network.config.tracking if tracking is None else tracking
        classes = network.config.detector.classes
        self.labels = tuple(labels) if labels is not None else tuple(f"class {n}" for n in range(classes))
        if len(self.labels) != classes:
            raise ConfigError(f"the network has {classes} classes, got {len(self.labels)} labels")
        self.state = TrackState("category", self._tracking)

    def _input(self, frame: Image, time_s: float | None, new_shot: bool) -> FrameInput:
        picture = as_rgb(frame)
        if time_s is not None and not math.isfinite(time_s):
            raise ShapeError(f"the time of a frame is a finite number of seconds, got {time_s}")
        device = next(self._network.parameters()).device
        pixels = to_input(picture, self.config).to(device)
        return FrameInput(pixels, (picture.shape[0], picture.shape[1]), time_s, new_shot)


def as_rgb(frame: Image) -> Image:
    """RGB uint8 (H, W, 3) of a picture that may be grey (H, W) or (H, W, 1), or have an alpha channel, which is left
    out.

    Raises:
        ShapeError: anything else, floats and with them NaN among it.
    """
    array = np.asarray(frame)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.dtype != np.uint8 or 0 in array.shape:
        raise ShapeError(f"a frame is RGB uint8 (H, W, 3), got {array.dtype} {array.shape}; bring floats to 0..255")
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array[:, :, :3]


def to_input(picture: Image, config: OmniTrackerConfig) -> Tensor:
    """(3, h, w): the picture normalised, made smaller where it is larger than the configuration's sides."""
    pixels = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255.0
    height, width = picture.shape[:2]
    factor = min(1.0, config.short_side / min(height, width), config.long_side / max(height, width))
    if factor < 1.0:
        size = (max(1, round(height * factor)), max(1, round(width * factor)))
        pixels = F.interpolate(pixels, size=size, mode="bilinear", align_corners=False, antialias=True)
    mean, std = (torch.tensor(values)[None, :, None, None] for values in (MEAN, STD))
    return ((pixels - mean) / std)[0]


def _chosen_config(config: str | OmniTrackerConfig | None, stored: Mapping[str, object] | None) -> OmniTrackerConfig:
    if isinstance(config, OmniTrackerConfig):
        return config
    if config is None:
        return CONFIGS["paper"] if stored is None else config_from_dict(OmniTrackerConfig, stored)
    if config not in CONFIGS:
        raise UnknownNameError("configuration of `omnitracker`", config, CONFIGS)
    return CONFIGS[config]
