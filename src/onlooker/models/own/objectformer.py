"""Judges what is inside an object's box with an ObjectFormer network of one's own.

ObjectFormer: Wang et al., arXiv 2203.14681; see `onlooker.methods.forensics.objectformer`. Its probability is the
network's own and the threshold a choice, until `onlooker calibrate` measures both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from onlooker.errors import ConfigError
from onlooker.methods.forensics.objectformer.infer import NOT_CALIBRATED, ObjectFormerJudge
from onlooker.models.own.measured_judge import MeasuredJudge
from onlooker.types import Image, Judgement
from onlooker.weights.load import locate_weights
from onlooker.weights.measured import JudgeIdentity, standing_of
from onlooker.weights.verify import sha256_of

_SMALLEST_PX = 32  # fewer pixels hold no traces of anything (ours, as in the method)
_THRESHOLD = 0.5
_UNMEASURED = "nothing anybody recorded: its probabilities are not calibrated (experimental)"


class ObjectFormerCrops(MeasuredJudge):
    """Says how likely the picture inside a box was tampered with.

    Args:
        weights: a folder that training or `save_pretrained` wrote, a released checkpoint, or a hub name.
        config: name of a configuration; left out, the one beside the weights, or "released".
        view: "resize" squeezes a picture into the network's square, "tiles" judges it at its own resolution; left out,
            the configuration's.
        threshold: probability from which something is said to look manipulated; left out, the measured one, or 0.5.
            Nobody measured how often one of your own alarms for nothing.
        calibration: a file that `onlooker calibrate` wrote; left out, the one beside the weights.
        device: torch device.
        offline: refuse the network when `weights` is a hub name.

    Raises:
        ConfigError: no weights, a threshold out of range, or a device that cannot be used.
        UnknownNameError: no such configuration or view.
        WeightsError: weights or calibration cannot be read, or do not fit.
    """

    name = "objectformer"
    need: Literal["face", "crop"] = "crop"
    smallest_px = _SMALLEST_PX

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        view: Literal["resize", "tiles"] | None = None,
        threshold: float | None = None,
        calibration: str | None = None,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        if weights is None:
            raise ConfigError("objectformer needs weights: train some, or fetch a released file, and set `weights`")
        found = locate_weights(weights, offline=offline)
        digest = sha256_of(found.path)
        given = {name: value for name, value in (("config", config), ("view", view)) if value is not None}
        standing = standing_of(JudgeIdentity("objectformer", digest, given), found.path, calibration)
        self._judge = ObjectFormerJudge(found.path, config, view, device)
        super().__init__(standing, threshold, _THRESHOLD, _UNMEASURED, frozenset({NOT_CALIBRATED}))
        self._version = digest[:8]

    @property
    def version(self) -> str:
        """First digits of the weights' digest."""
        return self._version

    def judge_raw(self, images: Sequence[Image]) -> list[Judgement]:
        """As the network says it."""
        return self._judge.judge(images)
