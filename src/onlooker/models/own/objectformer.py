"""Judges what is inside an object's box with an ObjectFormer network of one's own.

ObjectFormer: Wang et al., arXiv 2203.14681; see `onlooker.methods.forensics.objectformer`. Its probability is the
network's own: nothing calibrates it, so the threshold is a choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from onlooker.configs import real_number
from onlooker.errors import ConfigError
from onlooker.methods.forensics.objectformer.infer import ObjectFormerJudge
from onlooker.types import Image, Judgement
from onlooker.weights.load import locate_weights
from onlooker.weights.verify import sha256_of

_SMALLEST_PX = 32  # fewer pixels hold no traces of anything (ours, as in the method)
_THRESHOLD = 0.5


class ObjectFormerCrops:
    """Says how likely the picture inside a box was tampered with.

    Args:
        weights: a folder that training or `save_pretrained` wrote, a released checkpoint, or a hub name.
        config: name of a configuration; left out, the one beside the weights, or "released".
        view: "resize" squeezes a picture into the network's square, "tiles" judges it at its own resolution; left out,
            the configuration's.
        threshold: probability from which something is said to look manipulated.
        device: torch device.
        offline: refuse the network when `weights` is a hub name.

    Raises:
        ConfigError: no weights, a threshold out of range, or a device that cannot be used.
        UnknownNameError: no such configuration or view.
        WeightsError: the weights cannot be read, or do not fit.
    """

    name = "objectformer"
    need: Literal["face", "crop"] = "crop"
    smallest_px = _SMALLEST_PX
    tested_on = "nothing anybody recorded: its probabilities are not calibrated (experimental)"

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        view: Literal["resize", "tiles"] | None = None,
        threshold: float = _THRESHOLD,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        if weights is None:
            raise ConfigError("objectformer needs weights: train some, or fetch a released file, and set `weights`")
        found = locate_weights(weights, offline=offline)
        self._judge = ObjectFormerJudge(found.path, config, view, device)
        self._version = sha256_of(found.path)[:8]
        self._threshold = real_number("threshold", threshold, 0.0, 1.0)

    @property
    def version(self) -> str:
        """First digits of the weights' digest."""
        return self._version

    @property
    def threshold(self) -> float:
        """Probability from which something is said to look manipulated."""
        return self._threshold

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        """One judgement per picture."""
        return self._judge.judge(images)
