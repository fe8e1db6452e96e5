"""Builds who is asked, from names: the rules, the finder of faces, and judges with weights of the user's."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from onlooker import catalogue
from onlooker.errors import ConfigError
from onlooker.video.authenticity.judging import FaceFinder, PictureJudge, Rules, traits_of
from onlooker.video.authenticity.pictures import Tools

Option = str | int | float | bool
_RULES = "onlooker.methods.forensics.media_forensics.rule_judge:RuleJudge"  # no role: it reads files, not pictures


@dataclass(frozen=True, slots=True)
class JudgeChoice:
    """A row of the role `authenticity_judge` picked by name, with its options."""

    name: str
    options: Mapping[str, Option]


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
    faces = None
    if any(traits_of(judge).wants_faces for judge in judges):
        finder = catalogue.PROFILES["bundled"]["face_finder"]
        faces = cast("FaceFinder", catalogue.create("face_finder", finder, {}))
    return Tools(_rules(), judges, faces)


def _make_judge(choice: JudgeChoice, device: str) -> PictureJudge:
    entry = catalogue.find_role_entry("authenticity_judge", choice.name)
    if entry.profile == "own" and "weights" not in choice.options:
        raise ConfigError(f"the judge `{choice.name}` needs weights: --judge {choice.name}:weights=FOLDER")
    session = {"device": device} if "device" in entry.session_options else {}
    return cast("PictureJudge", catalogue.create(entry.role, choice.name, {**session, **choice.options}))


def _rules() -> Rules:
    module, _, name = _RULES.partition(":")
    factory: Callable[[], object] = getattr(importlib.import_module(module), name)
    return cast("Rules", factory())
