"""`ObjectFormerJudge`: pictures of any size in; how likely each was manipulated, and where, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError, UnknownNameError
from onlooker.media.images import read_picture
from onlooker.methods.forensics.objectformer.config import CONFIGS, ObjectFormerConfig, View
from onlooker.methods.forensics.objectformer.data import normalise
from onlooker.methods.forensics.objectformer.model import ObjectFormer, build_network
from onlooker.methods.forensics.objectformer.released import ObjectFormerReleased
from onlooker.methods.forensics.objectformer.views import cut_tiles, join_heat, plan_tiles, resize_heat, to_rgb8
from onlooker.methods.forensics.objectformer.weights import key_map
from onlooker.nn.device import check_device
from onlooker.types import Image, Judgement
from onlooker.weights.load import load_weights, locate_weights

_PIXELS_AT_ONCE = 2**18
_MOST_TILES = 1024  # ours: about 4 million pixels in tiles of 64, a minute or so on two cores
_STRONGEST = 0.1  # ours: part of a picture's tiles whose mean logit speaks for it
_FLAT_STD = 1.0  # ours: grey levels; less is a picture of one colour
_SMALL_PX = 32  # what is smaller holds too few pixels for traces of anything

NOT_CALIBRATED = "the probability is the network's own, not calibrated"


class ObjectFormerJudge:
    """Judges pictures. The number is the network's own: it is not calibrated, and holds for pictures like those the
    network was trained on. A low one means that nothing was found, not that the picture is authentic.

    Args:
        weights: a folder of ours, a released checkpoint, or a hub name.
        config: name of a configuration or the configuration; left out, that beside the weights, or "released".
        view: "resize" squeezes a picture into one square, "tiles" judges squares at the picture's own resolution and
            lets the most suspicious tenth of them speak; left out, the configuration's.
        device: where it runs.

    Raises:
        ConfigError: the device cannot be used.
        UnknownNameError: no such configuration or view.
        WeightsError: the weights are missing or do not fit.
    """

    name = "objectformer"
    version = "1"

    def __init__(
        self,
        weights: str | Path,
        config: str | ObjectFormerConfig | None = None,
        view: View | None = None,
        device: str = "cpu",
    ) -> None:
        check_device(device)
        found = locate_weights(weights)
        chosen = _chosen_config(config, found.config)
        network = build_network(chosen)
        load_weights(network, found, key_map(chosen))
        self._set_up(network.to(device), view)

    @classmethod
    def from_network(cls, network: ObjectFormer | ObjectFormerReleased, view: View | None = None) -> ObjectFormerJudge:
        """The same around a network that is at hand; its tensors are shared."""
        made = cls.__new__(cls)
        made._set_up(network, view)
        return made

    @property
    def config(self) -> ObjectFormerConfig:
        """Of the network."""
        return self._network.config

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        """One judgement per picture, in order.

        Args:
            images: RGB (H, W, 3) uint8. Grey (H, W), transparency (dropped) and uint16 are taken, too.

        Raises:
            ShapeError: not such a picture; floats, and with them NaN, are refused.
        """
        return [self._judge_one(to_rgb8(image)) for image in images]

    def judge_file(self, path: str | Path) -> Judgement:
        """A picture file: turned upright as its EXIF says, any colour space and depth; of an animation the first frame.

        Raises:
            DecodeError: the file is missing or no picture.
        """
        return self._judge_one(read_picture(path))

    def _set_up(self, network: ObjectFormer | ObjectFormerReleased, view: View | None) -> None:
        if view not in (None, "resize", "tiles"):
            raise UnknownNameError("view", str(view), ("resize", "tiles"))
        self._network = network.eval()
        self._view: View = network.config.view if view is None else view

    def _judge_one(self, image: Image) -> Judgement:
        size = (image.shape[0], image.shape[1])
        notes = _notes(image)
        if self._view == "resize":
            side = self.config.image_size
            method = cv2.INTER_AREA if min(size) > side else cv2.INTER_LINEAR
            square = np.asarray(cv2.resize(image, (side, side), interpolation=method), np.uint8)
            logits, heat = self._forward([square])
            if size != (side, side):
                notes += (f"squeezed from {size[1]}x{size[0]} to {side}x{side} pixels: fine traces may be lost",)
            return Judgement(_sigmoid(float(logits[0])), resize_heat(heat[0], size), None, notes)
        plan = plan_tiles(size, self.config.image_size, _MOST_TILES)
        if plan.size != size:
            notes += (f"shrunk from {size[1]}x{size[0]} to {plan.size[1]}x{plan.size[0]}: fine traces may be lost",)
        elif min(size) < plan.side:
            notes += (f"mirrored outwards to {plan.side} pixels, which the network was trained on",)
        logits, heat = self._forward(cut_tiles(image, plan))
        strongest = np.sort(logits)[-max(round(_STRONGEST * plan.count), 1) :]
        return Judgement(_sigmoid(float(strongest.mean())), join_heat(heat, plan, size), None, notes)

    def _forward(self, squares: Sequence[Image]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Logits (n,) and heat maps (n, side, side) of squares of the network's size."""
        at_once = max(_PIXELS_AT_ONCE // self.config.image_size**2, 1)
        device = next(self._network.parameters()).device
        logits: list[NDArray[np.float64]] = []
        heat: list[NDArray[np.float32]] = []
        with torch.inference_mode():
            for start in range(0, len(squares), at_once):
                pixels = torch.from_numpy(np.stack(squares[start : start + at_once]))
                output = self._network(normalise(pixels).to(device))
                logits.append(output.image_logit.double().cpu().numpy())
                heat.append(output.mask_prob[:, 0].float().cpu().numpy())
        return np.concatenate(logits), np.concatenate(heat)


def _notes(image: Image) -> tuple[str, ...]:
    """What a reader must know before believing a judgement."""
    notes: tuple[str, ...] = (NOT_CALIBRATED,)
    if float(image.std()) < _FLAT_STD:
        notes += ("the picture is of one colour: there is nothing to judge",)
    if min(image.shape[:2]) < _SMALL_PX:
        notes += (f"the picture is {image.shape[1]}x{image.shape[0]} pixels: too small to hold traces",)
    return notes


def _sigmoid(logit: float) -> float:
    return float(torch.tensor(logit, dtype=torch.float64).sigmoid())


def _chosen_config(config: str | ObjectFormerConfig | None, stored: Mapping[str, object] | None) -> ObjectFormerConfig:
    if isinstance(config, ObjectFormerConfig):
        return config
    if config is None:
        return CONFIGS["released"] if stored is None else config_from_dict(ObjectFormerConfig, stored)
    if not isinstance(config, str):
        raise ConfigError(f"`config` is a name or an `ObjectFormerConfig`, got `{type(config).__name__}`")
    if config not in CONFIGS:
        raise UnknownNameError("configuration of `objectformer`", config, CONFIGS)
    return CONFIGS[config]
