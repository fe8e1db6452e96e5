"""The one table of role implementations, as plain data. Importing it imports no model and opens no file.

A role is a job in the application ("detector"); a row says who can do it, which weights it needs and under which
licence. A profile picks one row per role. Packages of other people add rows through the entry-point group
`onlooker.roles`: the entry's name is `ROLE.NAME`, its value `module:callable`; nothing of them is imported before use.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import MappingProxyType
from typing import Literal, get_args

from onlooker.errors import ConfigError, MissingExtraError, UnknownNameError
from onlooker.weights import bundled
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


_BUNDLED: tuple[RoleEntry, ...] = (
    RoleEntry(
        name="ssd-mobilenet-v2",
        version="2018.03.29",
        role="detector",
        factory="onlooker.models.bundled.ssd_detector:SsdDetector",
        profile="bundled",
        weights=(bundled.SSD_GRAPH, bundled.SSD_GRAPH_TEXT),
        weights_licence="Apache-2.0",
        note="COCO's 80 categories at 300 px. Objects under a tenth of the frame are missed; `tiles=2` finds more.",
    ),
    RoleEntry(
        name="efficientnet-lite0",
        version="57934424+128px",
        role="appearance_embedder",
        factory="onlooker.models.bundled.efficientnet:EfficientNetLite",
        profile="bundled",
        weights=(bundled.EFFICIENTNET_LITE0,),
        weights_licence="Apache-2.0",
        note="A vector per crop; at 128 px it tells objects apart as well as at 224 and is several times faster.",
        defaults=(("input_px", 128),),
        session_options=("device",),
    ),
    RoleEntry(
        name="efficientnet-lite0",
        version="57934424",
        role="tagger",
        factory="onlooker.models.bundled.efficientnet:EfficientNetLite",
        profile="bundled",
        weights=(bundled.EFFICIENTNET_LITE0,),
        weights_licence="Apache-2.0",
        note="ImageNet's 1,000 names; good at what fills the crop, weak on tiny objects and on people.",
        session_options=("device",),
    ),
    RoleEntry(
        name="minilm-l6-v2",
        version="53aa5117",
        role="text_embedder",
        factory="onlooker.models.bundled.minilm:MiniLm",
        profile="bundled",
        weights=(bundled.MINILM_ZIP,),
        weights_licence="Apache-2.0",
        note="English sentences; runs in numpy and starts in a fifth of a second.",
    ),
    RoleEntry(
        name="whisper-tiny.en",
        version="1a5afae0",
        role="transcriber",
        factory="onlooker.models.bundled.whisper:WhisperTiny",
        profile="bundled",
        weights=(
            bundled.WHISPER_WEIGHTS,
            bundled.WHISPER_CONFIG,
            bundled.WHISPER_TOKENIZER,
            bundled.WHISPER_VOCABULARY,
            bundled.SILERO_VAD,
        ),
        weights_licence="MIT",
        note="English only. Faster than real time; names and noisy speech are often wrong.",
    ),
    RoleEntry(
        name="sound-level",
        version="1",
        role="sound_tagger",
        factory="onlooker.models.bundled.sound_level:SoundLevel",
        profile="bundled",
        note="No network: silence, quiet, sound or loud by level. It does not name sounds.",
    ),
    RoleEntry(
        name="pp-ocr-small",
        version="v6",
        role="text_reader",
        factory="onlooker.models.bundled.rapidocr_reader:RapidOcrReader",
        profile="bundled",
        weights=(bundled.PP_OCR_FINDER, bundled.PP_OCR_READER, bundled.PP_OCR_ANGLE),
        weights_licence="Apache-2.0",
        note="Latin and Chinese text; accents are often lost.",
    ),
    RoleEntry(
        name="smollm2-135m",
        version="b179c952",
        role="language_model",
        factory="onlooker.models.bundled.smollm:SmolLm",
        profile="bundled",
        weights=(bundled.SMOLLM2_GGUF,),
        weights_licence="Apache-2.0",
        extra="local-llm",
        note="Rephrases and classifies; too small to write SQL unaided. No stage asks for it yet: take it from Python.",
        session_options=("device",),
    ),
)


def _hub(role: Role, name: str, factory: str, source: HubModel, licence: str, note: str) -> RoleEntry:
    return RoleEntry(
        name=name,
        version=source.revision,
        role=role,
        factory=f"onlooker.models.hub.{factory}",
        profile="hub",
        weights=source,
        weights_licence=licence,
        note=note,
        defaults=(("model", source.repository), ("revision", source.revision)),
        session_options=("device", "offline"),
    )


def _perception(role: Role, note: str) -> RoleEntry:
    """Perception Encoder as one of the methods here; weights of one's own by `weights=DIR`."""
    source = HubModel("facebook/PE-Core-B16-224", "main", 1790)
    return RoleEntry(
        name="perception-encoder",
        version=source.revision,
        role=role,
        factory="onlooker.methods.encoders.perception_encoder.infer:PerceptionEmbedder",
        profile="hub",
        weights=source,
        weights_licence="Apache-2.0",
        note=note,
        defaults=(("weights", source.repository),),
        session_options=("device", "offline"),
    )


_SIGLIP2 = HubModel("google/siglip2-base-patch16-224", "main", 1500)
_HUB: tuple[RoleEntry, ...] = (
    _hub(
        "detector",
        "rtdetr-v2-r18",
        "object_detector:HubDetector",
        HubModel("PekingU/rtdetr_v2_r18vd", "main", 81),
        "Apache-2.0",
        "COCO's 80 categories, much better on small objects; several times slower on a CPU.",
    ),
    _hub(
        "detector",
        "grounding-dino-tiny",
        "grounding_dino:GroundingDino",
        HubModel("IDEA-Research/grounding-dino-tiny", "main", 690),
        "Apache-2.0",
        "Any categories you name, as `categories=dog. red car`; seconds a frame on a CPU.",
    ),
    _hub(
        "segmenter",
        "sam2",
        "sam2:Sam2Segmenter",
        HubModel("facebook/sam2.1-hiera-tiny", "main", 156),
        "Apache-2.0",
        "Follows the masks of given objects at 1024 px; seconds a frame on a CPU, and more for every object. Larger "
        "ones by `model=facebook/sam2.1-hiera-small`.",
    ),
    _hub(
        "captioner",
        "smolvlm2-500m",
        "captioner:ChatCaptioner",
        HubModel("HuggingFaceTB/SmolVLM2-500M-Video-Instruct", "main", 2030),
        "Apache-2.0",
        "A sentence per picture; seconds each on a CPU.",
    ),
    _hub(
        "captioner",
        "llava-onevision-0.5b",
        "captioner:ChatCaptioner",
        HubModel("llava-hf/llava-onevision-qwen2-0.5b-ov-hf", "main", 1790),
        "Apache-2.0",
        "A sentence per picture, more detail and more memory than SmolVLM2.",
    ),
    _hub(
        "appearance_embedder",
        "siglip2-base",
        "siglip:SigLip",
        _SIGLIP2,
        "Apache-2.0",
        "Pictures and text in one space: use it for the text role as well.",
    ),
    _hub(
        "text_embedder",
        "siglip2-base",
        "siglip:SigLip",
        _SIGLIP2,
        "Apache-2.0",
        "Meets pictures embedded by the same model; weaker than MiniLM between two texts.",
    ),
    _perception(
        "appearance_embedder",
        "Pictures and text in one space: use it for the text role as well. Your own weights: `weights=DIR` in both.",
    ),
    _perception("text_embedder", "Meets pictures embedded by the same model: search finds what things look like."),
    _hub(
        "appearance_embedder",
        "pe-core-base",
        "pe_core:PeCore",
        HubModel("timm/vit_pe_core_base_patch16_224.fb", "main", 375),
        "Apache-2.0",
        "Perception Encoder's picture side.",
    ),
    _hub(
        "transcriber",
        "whisper-base",
        "whisper:HubWhisper",
        HubModel("openai/whisper-base", "main", 290),
        "Apache-2.0",
        "99 languages; slower than the bundled model.",
    ),
    _hub(
        "sound_tagger",
        "ast-audioset",
        "sound_tagger:AudioSpectrogramTagger",
        HubModel("MIT/ast-finetuned-audioset-10-10-0.4593", "main", 346),
        "BSD-3-Clause",
        "527 kinds of sound.",
    ),
)


def _omnivl(role: Role, what: str) -> RoleEntry:
    """OmniVL as one of the methods here; there are no public weights."""
    return RoleEntry(
        name="omnivl",
        version="own",
        role=role,
        factory="onlooker.methods.encoders.omnivl.infer:OmniVLDescriber",
        profile="own",
        note=f"{what} No public weights exist: train some and set `weights=DIR`.",
        session_options=("device", "offline"),
    )


_OWN: tuple[RoleEntry, ...] = (
    _omnivl("captioner", "A sentence per picture or clip, with weights of the head `caption` or `pretrain`."),
    _omnivl("appearance_embedder", "Pictures, clips and text in one space: use it for the text role as well."),
    _omnivl("text_embedder", "Meets pictures embedded by the same weights."),
    _omnivl("clip_captioner", "A sentence for every clip of an object; the file is decoded once more."),
    RoleEntry(
        name="stts",
        version="own",
        role="action_recogniser",
        factory="onlooker.models.own.stts:SttsActions",
        profile="own",
        note="Names what objects do, clip by clip; the file is decoded once more. The compute dial is `keep_frames` "
        "and `keep_region`, shares in (0, 1]. Train weights and set `weights=DIR`.",
        session_options=("device", "offline"),
    ),
    # Judges of authenticity. No profile has one by default; a bundled one would be a row of `_BUNDLED` and a line in
    # `PROFILES`.
    RoleEntry(
        name="m2tr",
        version="own",
        role="authenticity_judge",
        factory="onlooker.models.own.m2tr:M2trFaces",
        profile="own",
        note="How likely faces were forged; needs a `face_finder`. Experimental: the number holds for forgeries like "
        "those it was trained on. Train weights and set `weights=DIR`; `threshold` replaces the one beside them.",
        session_options=("device", "offline"),
    ),
    RoleEntry(
        name="objectformer",
        version="own",
        role="authenticity_judge",
        factory="onlooker.models.own.objectformer:ObjectFormerCrops",
        profile="own",
        note="How likely the picture inside an object's box was tampered with, whatever the object is. Experimental "
        "and not calibrated. Train weights, or take a released checkpoint, and set `weights=DIR`.",
        session_options=("device", "offline"),
    ),
    RoleEntry(
        name="isvos",
        version="own",
        role="segmenter",
        factory="onlooker.methods.trackers.isvos.infer:IsvosSegmenter",
        profile="own",
        note="Follows the masks of given objects; start from masks, boxes or points. Memory is bounded by `max_frames` "
        "and `max_megabytes`. Train weights and set `weights=DIR`.",
        session_options=("device", "offline"),
    ),
    RoleEntry(
        name="omnitracker",
        version="own",
        role="tracker",
        factory="onlooker.models.own.omnitracker:OmniTracklets",
        profile="own",
        note="Finds and follows objects with one network, in place of detector and association. Train weights and set "
        "`weights=DIR`; `hz` is how often per second it looks.",
        session_options=("device", "offline"),
    ),
)

_ENTRIES: Mapping[tuple[str, str], RoleEntry] = MappingProxyType({(e.role, e.name): e for e in _BUNDLED + _HUB + _OWN})

PROFILES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "bundled": MappingProxyType(
            {
                "detector": "ssd-mobilenet-v2",
                "appearance_embedder": "efficientnet-lite0",
                "tagger": "efficientnet-lite0",
                "text_embedder": "minilm-l6-v2",
                "transcriber": "whisper-tiny.en",
                "sound_tagger": "sound-level",
                "text_reader": "pp-ocr-small",
            }
        ),
        "hub": MappingProxyType(
            {
                "detector": "rtdetr-v2-r18",
                "appearance_embedder": "siglip2-base",
                "tagger": "efficientnet-lite0",
                "text_embedder": "minilm-l6-v2",
                "captioner": "smolvlm2-500m",
                "transcriber": "whisper-base",
                "sound_tagger": "ast-audioset",
                "text_reader": "pp-ocr-small",
            }
        ),
    }
)
"""Profile -> role -> name. Roles a profile leaves out are not filled."""


def profile(name: str) -> Mapping[str, str]:
    """Role -> name of the implementations a profile picks.

    Raises:
        UnknownNameError: no such profile.
    """
    if name not in PROFILES:
        raise UnknownNameError("profile", name, PROFILES)
    return PROFILES[name]


def check_role(role: str) -> None:
    """Raises UnknownNameError unless `role` is one of ROLES."""
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)


def role_entries(role: str | None = None) -> tuple[RoleEntry, ...]:
    """Every implementation of a role, or of all roles: our own first, then those of plugins.

    Raises:
        UnknownNameError: no such role.
    """
    if role is not None:
        check_role(role)
    known = [*_ENTRIES.values(), *(e for e in _plugin_entries() if (e.role, e.name) not in _ENTRIES)]
    return tuple(entry for entry in known if role is None or entry.role == role)


def find_role_entry(role: str, name: str) -> RoleEntry:
    """The row of one implementation. A plugin cannot replace one of our own names.

    Raises:
        UnknownNameError: no such role, or no such implementation of it.
    """
    check_role(role)
    if (role, name) in _ENTRIES:
        return _ENTRIES[role, name]
    for entry in role_entries(role):
        if entry.name == name:
            return entry
    raise UnknownNameError(role.replace("_", " "), name, [entry.name for entry in role_entries(role)])


def _plugin_entries() -> Iterator[RoleEntry]:
    """Rows of installed plugins, read from package metadata alone. Names that are not `ROLE.NAME` are left out."""
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        role, _, name = point.name.partition(".")
        if role in ROLES and name:
            package = point.dist
            yield RoleEntry(
                name=name,
                version=package.version if package is not None else "0",
                role=role,
                factory=point.value,
                profile="plugin",
                code_licence=_licence_of(package),
                note=f"from the package `{package.name}`" if package is not None else "from a plugin",
            )


def _licence_of(package: metadata.Distribution | None) -> str:
    """What a package says of its licence, or "unknown"."""
    if package is not None:
        for field in ("License-Expression", "License"):
            if field in package.metadata:
                return package.metadata[field]
    return "unknown"


def create(role: str, name: str, options: Mapping[str, Option]) -> object:
    """Builds one implementation; of all model modules only its own is imported.

    Args:
        role: one of ROLES.
        name: one of its implementations.
        options: arguments of the factory by name; they replace the row's defaults.

    Raises:
        UnknownNameError: no such role or implementation.
        ConfigError: an option the factory does not take, or of the wrong type.
        MissingExtraError: an optional dependency is not installed.
    """
    entry = find_role_entry(role, name)
    factory = _import_factory(entry)
    merged = {**dict(entry.defaults), **options}
    _check_options(entry, factory, merged)
    return factory(**merged)


def _import_factory(entry: RoleEntry) -> Callable[..., object]:
    module, _, attribute = entry.factory.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        how = f'run `pip install "onlooker[{entry.extra}]"`' if entry.extra else "reinstall `onlooker`"
        if entry.profile == "plugin":
            how = "reinstall the plugin"
        raise MissingExtraError(f"{entry.role} `{entry.name}` cannot be imported: {error}; {how}") from error
    except AttributeError as error:
        raise ConfigError(f"{entry.role} `{entry.name}`: `{module}` has no `{attribute}`") from error
    factory: Callable[..., object] = found
    return factory


def _check_options(entry: RoleEntry, factory: Callable[..., object], options: Mapping[str, Option]) -> None:
    """Refuses unknown option names and values whose type the factory's signature excludes."""
    parameters = inspect.signature(factory, eval_str=True).parameters
    for key, value in options.items():
        if key not in parameters:
            raise ConfigError(f"{entry.role} `{entry.name}`: {UnknownNameError('option', key, parameters)}")
        expected = parameters[key].annotation
        if expected is not inspect.Parameter.empty and not _fits(value, expected):
            shown = getattr(expected, "__name__", str(expected))
            raise ConfigError(f"{entry.role} `{entry.name}`: option `{key}` must be {shown}, got `{value!r}`")


def _fits(value: Option, expected: object) -> bool:
    """Whether a value suits an annotation made of str, int, float, bool and None; whole numbers are floats too."""
    if get_args(expected):
        accepted = get_args(expected)
        kinds = [kind for kind in accepted if isinstance(kind, type) or get_args(kind)]
        return value in accepted or any(_fits(value, kind) for kind in kinds)
    if isinstance(value, bool) or expected is bool:
        return isinstance(value, bool) and expected is bool
    if expected is float:
        return isinstance(value, (int, float))
    return isinstance(value, expected) if isinstance(expected, type) else True
