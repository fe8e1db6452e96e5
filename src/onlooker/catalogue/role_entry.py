"""What a row of the table of role implementations says, and which roles there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from onlooker.weights.verify import PackagedFile

Option = str | int | float | bool
Profile = Literal["bundled", "hub", "own", "plugin"]
Role = Literal[
    "detector",
    "tracker",
    "segmenter",
    "appearance_embedder",
    "text_embedder",
    "tagger",
    "captioner",
    "action_recogniser",
    "clip_captioner",
    "face_finder",
    "authenticity_judge",
    "transcriber",
    "sound_tagger",
    "text_reader",
    "language_model",
]
ROLES: tuple[str, ...] = get_args(Role)
ENTRY_POINT_GROUP = "onlooker.roles"


@dataclass(frozen=True, slots=True)
class HubModel:
    """Weights of a public model hub: repository, revision, and what a download costs in megabytes, about."""

    repository: str
    revision: str
    megabytes: int


@dataclass(frozen=True, slots=True)
class RoleEntry:
    """One implementation of one role.

    Attributes:
        name: what people write after `ROLE=`.
        version: part of the key of every stored result; changes when outputs change.
        role: which job.
        factory: `module:callable`, imported only by `create`.
        profile: where the weights come from; "own" are those the user trained.
        weights: packaged files, or a hub model, or nothing.
        code_licence, weights_licence: SPDX names.
        extra: the optional dependency group that must be installed, if any.
        note: what a user should know before choosing it.
        defaults: options the row passes to the factory unless the user sets them.
        session_options: options of the factory that a session fills by itself ("device", "offline").
    """

    name: str
    version: str
    role: str
    factory: str
    profile: Profile
    weights: tuple[PackagedFile, ...] | HubModel = ()
    code_licence: str = "Apache-2.0"
    weights_licence: str | None = None
    extra: str | None = None
    note: str = ""
    defaults: tuple[tuple[str, Option], ...] = ()
    session_options: tuple[str, ...] = ()
