"""What `onlooker calibrate` measured of a judge of pictures, in `calibration.json` beside its weights.

The file is that of a training run (`temperature`, `threshold`, `tested_on`, which methods read by themselves) with a
section `measured`, which only the application reads. A measurement holds for the weights and settings it was made with:
with others it is not used, and the judge says so.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from onlooker.configs import config_from_dict, config_to_dict, real_number, whole_number
from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.evaluation.alarm_rates import logit, sigmoid
from onlooker.formats.files import write_text
from onlooker.types import Image, Judgement

CALIBRATION_FILE = "calibration.json"
_SECTION = "measured"


@dataclass(frozen=True, slots=True)
class JudgeIdentity:
    """What a measurement belongs to.

    Attributes:
        name: of the judge.
        weights_sha256: of its weight file.
        settings: options that change what it says, as they were given.
    """

    name: str
    weights_sha256: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KindCount:
    """Untouched files of one kind: how many were judged, how many of them reached the threshold, and the upper bound
    of the share that does."""

    n_untouched: int
    n_alarms: int
    bound: float

    def __post_init__(self) -> None:
        whole_number("n_untouched", self.n_untouched)
        whole_number("n_alarms", self.n_alarms, 0, self.n_untouched)
        real_number("bound", self.bound, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, all of it on files that nothing was fitted on.

    Attributes:
        judge: what it belongs to.
        threshold: of the probability after `scale` and `shift`.
        false_alarms_asked: what the threshold was set for.
        confidence: with which the bounds hold.
        kinds: one row per kind of file of which there were enough; the judge counts for no other.
        tested_on: all of it in words.
        n_forged, n_found, auc: forged files, how many reach the threshold, how well both are told apart; `None` where
            there were none.
        scale, shift: probability = sigmoid(scale * logit(the network's) + shift), fitted on `n_fitted` other files; 1
            and 0 where nothing was fitted.
        n_fitted: files it was fitted on.
    """

    judge: JudgeIdentity
    threshold: float
    false_alarms_asked: float
    confidence: float
    kinds: Mapping[str, KindCount]
    tested_on: str
    n_forged: int = 0
    n_found: int = 0
    auc: float | None = None
    scale: float = 1.0
    shift: float = 0.0
    n_fitted: int = 0

    def __post_init__(self) -> None:
        real_number("threshold", self.threshold, 0.0, 1.0)
        real_number("false_alarms_asked", self.false_alarms_asked, 0.0, 1.0)
        real_number("confidence", self.confidence, 0.0, 1.0)
        real_number("scale", self.scale, 1e-9)
        real_number("shift", self.shift)
        whole_number("n_forged", self.n_forged, 0)
        whole_number("n_found", self.n_found, 0, self.n_forged)
        whole_number("n_fitted", self.n_fitted, 0)
        unknown = [kind for kind in self.kinds if kind not in ("image", "video")]
        if unknown:
            raise UnknownNameError("kind of file", unknown[0], ("image", "video"))
        if not self.kinds:
            raise ConfigError("a measurement is of at least one kind of file, got none")

    @property
    def false_alarm_rate(self) -> float:
        """The highest of the kinds' upper bounds."""
        return max(count.bound for count in self.kinds.values())

    @property
    def found_share(self) -> float | None:
        """Of the forged files; `None` of none."""
        return self.n_found / self.n_forged if self.n_forged else None

    def rescale(self, probability: float) -> float:
        """The network's probability as the calibrated one."""
        return rescale(probability, self.scale, self.shift)

    @property
    def unscaled_threshold(self) -> float:
        """The threshold for the network's own probabilities."""
        if (self.scale, self.shift) == (1.0, 0.0):
            return self.threshold
        return sigmoid((logit(self.threshold) - self.shift) / self.scale)


def rescale(probability: float, scale: float, shift: float) -> float:
    """sigmoid(scale * logit(probability) + shift); exactly the probability for 1 and 0."""
    return probability if (scale, shift) == (1.0, 0.0) else sigmoid(scale * logit(probability) + shift)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a judge stands to what was measured of it.

    Attributes:
        judge: which one.
        weights: its weight file.
        measured: what is used; `None` where nothing fits.
        temperature: that goes with `measured`.
        ignored: why a measurement that is there is not used, in words.
    """

    judge: JudgeIdentity
    weights: Path
    measured: Measured | None = None
    temperature: float = 1.0
    ignored: str | None = None


@runtime_checkable
class MeasurableJudge(Protocol):
    """A judge that `onlooker calibrate` can measure."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def need(self) -> Literal["face", "crop"]: ...
    @property
    def smallest_px(self) -> int: ...
    @property
    def standing(self) -> Standing: ...
    @property
    def temperature(self) -> float: ...
    def judge_raw(self, images: Sequence[Image]) -> list[Judgement]:
        """As the network says it, without what was measured before."""
        ...


def standing_of(judge: JudgeIdentity, weights: Path, calibration: str | Path | None = None) -> Standing:
    """Looks for a measurement of a judge.

    Args:
        judge: which one.
        weights: its weight file.
        calibration: the file to read; left out, that beside the weights, where there is one.

    Raises:
        WeightsError: the file given is missing or holds no measurement, or what is there cannot be used.
    """
    path = weights.parent / CALIBRATION_FILE if calibration is None else Path(calibration).expanduser()
    found = _read(path) if path.is_file() else None
    if found is None and calibration is not None:
        raise WeightsError(f"`{path}` is no file that `onlooker calibrate` wrote; give one that it did")
    if found is None:
        return Standing(judge, weights)
    measured, temperature = found
    if measured.judge == judge:
        return Standing(judge, weights, measured, temperature)
    other = "weights" if measured.judge.weights_sha256 != judge.weights_sha256 else "settings"
    other = f"another judge, `{measured.judge.name}`" if measured.judge.name != judge.name else f"other {other}"
    why = f"the calibration `{path.name}` was measured with {other} and is not used: run `onlooker calibrate` again"
    return Standing(judge, weights, ignored=why)


def write_measured(target: Path, measured: Measured, temperature: float = 1.0) -> Path | None:
    """Writes a calibration in one step; what was there is kept under the next free name, which is returned.

    Raises:
        ConfigError: the target is a folder.
    """
    content = {
        "temperature": temperature,
        "threshold": measured.unscaled_threshold,
        "tested_on": measured.tested_on,
        _SECTION: config_to_dict(measured),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    kept = None
    if target.is_file() and target.read_bytes() != text.encode():
        numbered = (target.with_name(f"{target.stem}-{n}{target.suffix}") for n in range(1, 10_000))
        kept = next(path for path in numbered if not path.exists())
        shutil.copy2(target, kept)
    write_text(target, text)
    return kept


def _read(path: Path) -> tuple[Measured, float] | None:
    """The measurement and the temperature of a calibration; `None` where a training run wrote it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        section = content.get(_SECTION) if isinstance(content, dict) else None
        if section is None:
            return None
        if not isinstance(section, dict):
            raise ConfigError(f"`{_SECTION}` is a table, got `{section!r:.40}`")
        temperature = real_number("temperature", content.get("temperature", 1.0), 1e-3, 1e3)
        return config_from_dict(Measured, section), temperature
    except (OSError, ValueError, UnknownNameError) as error:  # ConfigError is a ValueError
        raise WeightsError(f"the calibration `{path}` cannot be used: {error}; delete it to go without") from error
