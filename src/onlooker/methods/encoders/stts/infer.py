"""`SttsRecogniser`: RGB frames in, class probabilities out, with what was looked at and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models.video import MViT_V1_B_Weights

from onlooker.configs import config_from_dict, whole_number
from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.encoders.stts.config import CONFIGS, SttsConfig
from onlooker.methods.encoders.stts.flops import gmacs
from onlooker.methods.encoders.stts.model import Stts, SttsOutput, with_budget
from onlooker.methods.encoders.stts.views import View, ViewsConfig, cut_view, plan_views
from onlooker.methods.encoders.stts.weights import key_map
from onlooker.nn.device import check_device
from onlooker.types import Image, Tag
from onlooker.weights.load import load_weights, locate_weights

_VIEWS_AT_ONCE = 4


@dataclass(frozen=True)
class Looked:
    """What one view kept.

    Attributes:
        view: which frames and which square of the video the view is.
        kept_frames: (k, f) numbers of the video's frames behind each kept token frame, f of them per token; all of
            the view's where none is dropped.
        frame_scores: (T,) in [0, 1] per token frame, or `None`.
        regions_xyxy_px: (k', 4) square kept of each token frame that was there when regions were chosen, in pixels of
            the video's frames, or `None` where whole frames are kept.
    """

    view: View
    kept_frames: NDArray[np.int64]
    frame_scores: NDArray[np.float32] | None
    regions_xyxy_px: NDArray[np.float32] | None


@dataclass(frozen=True)
class Recognition:
    """A video, recognised.

    Attributes:
        probabilities: (classes,) float32, mean over views, sum 1.
        looked: one per view.
        gmacs: billions of multiply-accumulates that all views took.
    """

    probabilities: NDArray[np.float32]
    looked: tuple[Looked, ...]
    gmacs: float


class SttsRecogniser:
    """Names what happens in clips, at a price that can be dialled.

    Args:
        weights: a folder of ours, a file in a layout that `key_map` knows, or a hub name.
        config: name of a configuration or the configuration; left out, the one stored beside the weights, or "paper".
        keep_frames, keep_region: token frames kept, and side of the square kept in tokens; left out, the
            configuration's.
        views: what is averaged; left out, the paper's for the backbone.
        labels: class names; left out, those of Kinetics-400 for 400 classes, else "class 0" and so on.
        device: where it runs.

    Raises:
        ConfigError: the configuration has no classifier or no scorer for what the dial asks, a number is not whole or
            out of range, labels are too few, or the device cannot be used.
        WeightsError: the weights are missing or do not fit.
    """

    name = "stts"
    version = "1"

    def __init__(
        self,
        weights: str | Path,
        config: str | SttsConfig | None = None,
        keep_frames: int | None = None,
        keep_region: int | None = None,
        views: ViewsConfig | None = None,
        labels: Sequence[str] | None = None,
        device: str = "cpu",
    ) -> None:
        check_device(device)
        found = locate_weights(weights)
        chosen = _chosen_config(config, found.config)
        network = Stts(chosen)
        load_weights(network, found, key_map(chosen))
        self._set_up(network.to(device), keep_frames, keep_region, views, labels)

    @classmethod
    def from_network(
        cls,
        network: Stts,
        keep_frames: int | None = None,
        keep_region: int | None = None,
        views: ViewsConfig | None = None,
        labels: Sequence[str] | None = None,
    ) -> SttsRecogniser:
        """The same around a network that is at hand; its tensors are shared."""
        made = cls.__new__(cls)
        made._set_up(network, keep_frames, keep_region, views, labels)
        return made

    def with_budget(self, keep_frames: int | None = None, keep_region: int | None = None) -> SttsRecogniser:
        """The same weights, shared, at another price: the compute dial."""
        return SttsRecogniser.from_network(self._network, keep_frames, keep_region, self._views, self.labels)

    @property
    def gmacs_per_view(self) -> float:
        """Billions of multiply-accumulates of one view."""
        return self._gmacs

    @property
    def config(self) -> SttsConfig:
        """Of the network, with what it keeps."""
        return self._network.config

    def look(self, frames: Sequence[Image]) -> Recognition:
        """Recognises one video.

        Args:
            frames: RGB uint8 pictures (H, W, 3) of one size in the order of time, one or more. Sixteen are taken,
                every fourth one; a shorter video is stretched, a single image is seen standing still.

        Raises:
            ShapeError: no frame, frames of different sizes, or not RGB uint8 (floats and with them NaN are refused).
        """
        video = _stacked(frames)
        views = plan_views(len(video), (video.shape[1], video.shape[2]), self.config, self._views)
        total = np.zeros(len(self.labels), np.float64)
        looked: list[Looked] = []
        for start in range(0, len(views), _VIEWS_AT_ONCE):
            part = views[start : start + _VIEWS_AT_ONCE]
            output = self._forward(torch.stack([cut_view(video, view, self.config) for view in part]))
            if output.logits is not None:
                total += output.logits.double().softmax(dim=-1).sum(dim=0).cpu().numpy()
            looked += [_looked(view, output, row, self.config) for row, view in enumerate(part)]
        return Recognition((total / len(views)).astype(np.float32), tuple(looked), self._gmacs * len(views))

    def recognise(self, clips: Sequence[Sequence[Image]], top_k: int = 5) -> list[tuple[Tag, ...]]:
        """Per clip the likeliest classes, best first, with probabilities.

        Raises:
            ConfigError: `top_k` is below 1.
            ShapeError: as `look`.
        """
        whole_number("top_k", top_k)
        found = []
        for clip in clips:
            probabilities = self.look(clip).probabilities
            best = np.argsort(-probabilities, kind="stable")[:top_k]
            found.append(tuple(Tag(self.labels[i], min(float(probabilities[i]), 1.0)) for i in best))
        return found

    def _set_up(
        self,
        network: Stts,
        keep_frames: int | None,
        keep_region: int | None,
        views: ViewsConfig | None,
        labels: Sequence[str] | None,
    ) -> None:
        classes = network.config.num_classes
        if classes is None:
            raise ConfigError("recognition needs a network with `num_classes`")
        if keep_frames is not None or keep_region is not None:
            network = with_budget(network, keep_frames, keep_region)
        self._network = network.eval()
        default = ViewsConfig() if network.config.mvit is not None else ViewsConfig(clips=4, crops=3, stride=2)
        self._views = default if views is None else views
        self.labels = tuple(labels) if labels is not None else _default_labels(classes)
        if len(self.labels) != classes:
            raise ConfigError(f"the network has {classes} classes, got {len(self.labels)} labels")
        self._gmacs = gmacs(network.config)

    def _forward(self, clips: Tensor) -> SttsOutput:
        device = next(self._network.parameters()).device
        with torch.inference_mode():
            output: SttsOutput = self._network(clips.to(device))
        return output


def _chosen_config(config: str | SttsConfig | None, stored: Mapping[str, object] | None) -> SttsConfig:
    if isinstance(config, SttsConfig):
        return config
    if config is None:
        return CONFIGS["paper"] if stored is None else config_from_dict(SttsConfig, stored)
    if config not in CONFIGS:
        raise UnknownNameError("configuration of `stts`", config, CONFIGS)
    return CONFIGS[config]


def _default_labels(classes: int) -> tuple[str, ...]:
    kinetics: tuple[str, ...] = tuple(MViT_V1_B_Weights.KINETICS400_V1.meta["categories"])
    return kinetics if classes == len(kinetics) else tuple(f"class {number}" for number in range(classes))


def _stacked(frames: Sequence[Image]) -> Tensor:
    """(N, H, W, 3) uint8, checked."""
    if len(frames) == 0:
        raise ShapeError("a video needs at least one frame, got none")
    first = np.asarray(frames[0])
    for place, frame in enumerate(frames):
        array = np.asarray(frame)
        if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or 0 in array.shape:
            raise ShapeError(
                f"frame {place} must be RGB uint8 of shape (H, W, 3), got {array.dtype} of shape {array.shape}; "
                "repeat a grey picture three times, bring floats to 0 to 255"
            )
        if array.shape != first.shape:
            raise ShapeError(f"frames of one size expected: frame {place} is {array.shape}, the first {first.shape}")
    return torch.from_numpy(np.stack([np.asarray(frame) for frame in frames]))


def _looked(view: View, output: SttsOutput, row: int, config: SttsConfig) -> Looked:
    """What sample `row` of a batch kept, in numbers of the video."""
    behind = view.frames.reshape(config.token_frames, -1)  # (T, f)
    kept, scores, regions = np.arange(config.token_frames), None, None
    if output.frames is not None:
        kept = output.frames.indices[row].cpu().numpy()
        scores = output.frames.scores[row].float().cpu().numpy()
    if output.regions is not None:
        x1, y1, x2, y2 = view.box_xyxy_px
        per_row, per_column = (y2 - y1) / output.regions.token_map[0], (x2 - x1) / output.regions.token_map[1]
        origins = output.regions.origins[row].cpu().numpy()  # (k', 2)
        top, left = y1 + origins[:, 0] * per_row, x1 + origins[:, 1] * per_column
        side = output.regions.side
        regions = np.stack([left, top, left + side * per_column, top + side * per_row], axis=1).astype(np.float32)
    return Looked(view, behind[kept], scores, regions)
