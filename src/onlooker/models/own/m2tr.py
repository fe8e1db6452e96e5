"""Judges faces with an M2TR network of one's own.

M2TR: Wang et al., arXiv 2104.09770; see `onlooker.methods.forensics.m2tr`. Temperature, threshold and the data of the
test lie beside the weights as `calibration.json`, where a training run wrote them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from onlooker.configs import real_number
from onlooker.errors import ConfigError
from onlooker.methods.forensics.m2tr.infer import Calibration, M2trJudge
from onlooker.models.own.m2tr_tested import words_on_test
from onlooker.types import Image, Judgement
from onlooker.weights.load import locate_weights
from onlooker.weights.verify import sha256_of

_SMALLEST_PX = 64  # below, what a forgery leaves is gone after enlarging (ours, as in the method)


class M2trFaces:
    """Says how likely faces were forged.

    Args:
        weights: a folder that training or `save_pretrained` wrote, a file in our or the official layout, or a hub name.
        config: name of a configuration; left out, the one beside the weights, or "paper".
        threshold: probability from which a face is said to look manipulated; left out, the one beside the weights, or
            0.5.
        device: torch device.
        offline: refuse the network when `weights` is a hub name.

    Raises:
        ConfigError: no weights, a threshold out of range, or a configuration or device that cannot be used.
        WeightsError: weights or calibration cannot be read, or do not fit.
    """

    name = "m2tr"
    need: Literal["face", "crop"] = "face"
    smallest_px = _SMALLEST_PX

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        threshold: float | None = None,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        if weights is None:
            raise ConfigError("m2tr needs weights: train some, or fetch the authors', and give them as `weights`")
        found = locate_weights(weights, offline=offline)
        self._judge = M2trJudge(found.path, config, device=device)
        self._version = sha256_of(found.path)[:8]
        calibration = self._judge.calibration or Calibration()
        chosen = calibration.threshold if threshold is None else threshold
        self._threshold = real_number("threshold", chosen, 0.0, 1.0)
        self._tested_on = words_on_test(found.path.parent, calibration.tested_on)

    @property
    def version(self) -> str:
        """First digits of the weights' digest."""
        return self._version

    @property
    def threshold(self) -> float:
        """Probability from which a face is said to look manipulated."""
        return self._threshold

    @property
    def tested_on(self) -> str:
        """The test pictures of the training run, in words."""
        return self._tested_on

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        """One judgement per picture of a face with a margin."""
        return self._judge.judge(images)
