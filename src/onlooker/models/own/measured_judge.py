"""What judges with weights of one's own share: the threshold and the rates that `onlooker calibrate` measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence, Set
from dataclasses import replace

from onlooker.configs import real_number
from onlooker.types import Image, Judgement
from onlooker.weights.measured import Standing

THRESHOLD_ONLY = "the probability is the network's own: only its threshold was measured, on files of yours"


class MeasuredJudge(ABC):
    """A judge that counts in verdicts where somebody measured it.

    Args:
        standing: what was measured of it, if anything.
        threshold: the user's own; nobody measured it.
        default: the threshold where nobody chose or measured one.
        tested_on: the test where nothing was measured, in words.
        untrue: notes of the network that are wrong once something was measured.

    Raises:
        ConfigError: a threshold out of range.
    """

    def __init__(
        self, standing: Standing, threshold: float | None, default: float, tested_on: str, untrue: Set[str]
    ) -> None:
        self._standing, self._untrue = standing, untrue
        measured = standing.measured
        chosen = default if measured is None else measured.threshold
        self._threshold = real_number("threshold", chosen if threshold is None else threshold, 0.0, 1.0)
        self._is_own = threshold is not None
        self._tested_on = tested_on if measured is None else measured.tested_on

    @property
    def standing(self) -> Standing:
        """The weights, and what was measured of them."""
        return self._standing

    @property
    def threshold(self) -> float:
        """Probability from which something is said to look manipulated."""
        return self._threshold

    @property
    def tested_on(self) -> str:
        """The files it was measured on, or the test of its training run, in words."""
        return self._tested_on

    @property
    def false_alarm_rate(self) -> float | None:
        """Of untouched files, at most this share reaches the threshold; `None` where nobody measured it."""
        measured = self._standing.measured
        return None if measured is None or self._is_own else measured.false_alarm_rate

    @property
    def found_share(self) -> float | None:
        """Share of forged files that reaches the threshold; `None` where nobody measured it."""
        measured = self._standing.measured
        return None if measured is None or self._is_own else measured.found_share

    @property
    def tested_kinds(self) -> tuple[str, ...] | None:
        """Kinds of files ("image", "video") it was measured on; `None` where it was not."""
        measured = self._standing.measured
        return None if measured is None else tuple(measured.kinds)

    @property
    def temperature(self) -> float:
        """What the network's logits are divided by."""
        return 1.0

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        """One judgement per picture, calibrated where that was fitted."""
        return [self._calibrated(said) for said in self.judge_raw(images)]

    @abstractmethod
    def judge_raw(self, images: Sequence[Image]) -> list[Judgement]:
        """As the network says it."""

    def _calibrated(self, said: Judgement) -> Judgement:
        measured, ignored = self._standing.measured, self._standing.ignored
        if measured is None:
            return said if ignored is None else replace(said, notes=(*said.notes, ignored))
        notes = tuple(note for note in said.notes if note not in self._untrue)
        notes = notes if measured.n_fitted else (*notes, THRESHOLD_ONLY)
        return replace(said, probability=measured.rescale(said.probability), notes=notes)
