"""Judges faces with an M2TR network of one's own.

M2TR: Wang et al., arXiv 2104.09770; see `onlooker.methods.forensics.m2tr`. Temperature, threshold and the data of the
test lie beside the weights as `calibration.json`, where a training run wrote them, and how often the threshold alarms
for nothing, where `onlooker calibrate` measured that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from onlooker.errors import ConfigError
from onlooker.methods.forensics.m2tr.infer import NOT_CALIBRATED, Calibration, M2trJudge
from onlooker.models.own.m2tr_tested import words_on_test
from onlooker.models.own.measured_judge import MeasuredJudge
from onlooker.types import Image, Judgement
from onlooker.weights.load import locate_weights
from onlooker.weights.measured import JudgeIdentity, Standing, standing_of
from onlooker.weights.verify import sha256_of

_SMALLEST_PX = 64  # below, what a forgery leaves is gone after enlarging (ours, as in the method)


class M2trFaces(MeasuredJudge):
    """Says how likely faces were forged.

    Args:
        weights: a folder that training or `save_pretrained` wrote, a file in our or the official layout, or a hub name.
        config: name of a configuration; left out, the one beside the weights, or "paper".
        threshold: probability from which a face is said to look manipulated; left out, the one beside the weights, or
            0.5. Nobody measured how often one of your own alarms for nothing.
        calibration: a file that `onlooker calibrate` wrote; left out, the one beside the weights.
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
        calibration: str | None = None,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        if weights is None:
            raise ConfigError("m2tr needs weights: train some, or fetch the authors', and give them as `weights`")
        found = locate_weights(weights, offline=offline)
        digest = sha256_of(found.path)
        identity = JudgeIdentity("m2tr", digest, {} if config is None else {"config": config})
        standing = standing_of(identity, found.path, calibration)
        self._judge = M2trJudge(found.path, config, calibration=_method_calibration(standing), device=device)
        trained = self._judge.calibration or Calibration()
        tested_on = words_on_test(found.path.parent, trained.tested_on)
        super().__init__(standing, threshold, trained.threshold, tested_on, frozenset({NOT_CALIBRATED}))
        self._version = digest[:8]

    @property
    def version(self) -> str:
        """First digits of the weights' digest."""
        return self._version

    @property
    def temperature(self) -> float:
        """What the network's logits are divided by."""
        return (self._judge.calibration or Calibration()).temperature

    def judge_raw(self, images: Sequence[Image]) -> list[Judgement]:
        """As the network says it."""
        return self._judge.judge(images)


def _method_calibration(standing: Standing) -> Calibration | None:
    """What the method goes by: `None` leaves it to what a training run wrote beside the weights."""
    if standing.measured is not None:
        return Calibration(standing.temperature, standing.measured.unscaled_threshold, standing.measured.tested_on)
    return Calibration() if standing.ignored is not None else None  # nothing of a file that is about other weights
