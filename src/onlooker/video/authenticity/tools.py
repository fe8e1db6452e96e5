"""Builds who is asked, from names: the rules, the finder of faces, and judges with weights of the user's.

The table names factories as `module:callable`, imported when they are built and not before.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol, cast

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.types import Image, Judgement
from onlooker.video.authenticity.judging import FaceFinder, PictureJudge, Rules
from onlooker.video.authenticity.pictures import Tools

Option = str | int | float | bool
_RULES = "onlooker.methods.forensics.media_forensics.rule_judge:RuleJudge"
_FACES = "onlooker.models.bundled.faces:MtcnnFaces"


@dataclass(frozen=True, slots=True)
class _Row:
    """A judge that can be named: its factory, what its pictures show, the options it takes beside `weights`."""

    factory: str
    need: Literal["face", "crop"]
    options: frozenset[str]
    smallest_px: int = 0


_JUDGES: Mapping[str, _Row] = MappingProxyType(
    {
        "m2tr": _Row("onlooker.methods.forensics.m2tr:M2trJudge", "face", frozenset({"config", "device"}), 40),
        "objectformer": _Row(
            "onlooker.methods.forensics.objectformer:ObjectFormerJudge",
            "crop",
            frozenset({"config", "view", "device"}),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class JudgeChoice:
    """A judge picked by name, with its options."""

    name: str
    options: Mapping[str, Option]


class _Calibrated(Protocol):
    """What a method's judge may say of its own numbers."""

    @property
    def threshold(self) -> float: ...
    @property
    def tested_on(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class NamedJudge:
    """A method's judge with what the room asks of it; see `judging.PictureJudge`."""

    inner: PictureJudge
    need: Literal["face", "crop"]
    smallest_px: int

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def version(self) -> str:
        return self.inner.version

    @property
    def tested_on(self) -> str | None:
        found = self._calibration
        return None if found is None else found.tested_on

    @property
    def threshold(self) -> float | None:
        found = self._calibration
        return None if found is None else found.threshold

    @property
    def _calibration(self) -> _Calibrated | None:
        return cast("_Calibrated | None", getattr(self.inner, "calibration", None))

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        return self.inner.judge(images)


def make_tools(choices: Sequence[JudgeChoice] = (), device: str = "cpu") -> Tools:
    """The rules, and judges where some are chosen; faces are looked for only if a judge asks for them.

    Args:
        choices: judges by name.
        device: where they run.

    Raises:
        UnknownNameError: no judge has the name.
        ConfigError: an option it does not take, or no weights.
        WeightsError: weights are missing, altered or do not fit.
    """
    judges = tuple(_make_judge(choice, device) for choice in choices)
    wants_faces = any(judge.need == "face" for judge in judges)
    rules, finder = _load(_RULES), _load(_FACES) if wants_faces else None
    return Tools(cast("Rules", rules()), judges, None if finder is None else cast("FaceFinder", finder()))


def _make_judge(choice: JudgeChoice, device: str) -> NamedJudge:
    if choice.name not in _JUDGES:
        raise UnknownNameError("judge", choice.name, _JUDGES)
    row = _JUDGES[choice.name]
    unknown = sorted(set(choice.options) - row.options - {"weights"})
    if unknown:
        known = ", ".join(sorted(row.options | {"weights"}))
        raise ConfigError(f"the judge `{choice.name}` has no option `{unknown[0]}`; it takes {known}")
    if "weights" not in choice.options:
        raise ConfigError(f"the judge `{choice.name}` needs weights: --judge {choice.name}:weights=FOLDER")
    options = {"device": device, **choice.options}
    return NamedJudge(cast("PictureJudge", _load(row.factory)(**options)), row.need, row.smallest_px)


def _load(place: str) -> Callable[..., object]:
    module, _, name = place.partition(":")
    return cast("Callable[..., object]", getattr(importlib.import_module(module), name))
