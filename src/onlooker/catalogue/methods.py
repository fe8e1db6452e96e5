"""The one table of methods, as plain data. `build` imports the folder of the method it is asked for and no other."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeVar

from onlooker.errors import ConfigError, MissingExtraError, UnknownNameError

if TYPE_CHECKING:
    from typing import Any

    from torch import nn

    from onlooker.methods.definition import Method
    from onlooker.weights.keys import KeyReport
    from onlooker.weights.load import FoundWeights

C = TypeVar("C")
Family = Literal["encoders", "trackers", "videolm", "forensics", "generation", "learning"]
Stability = Literal["experimental", "stable"]


@dataclass(frozen=True, slots=True)
class Paper:
    """What a method comes from.

    Attributes:
        title, identifier, year: as published; the identifier is an arXiv number or a DOI.
        code: official repository, `owner/name`, if there is one.
        code_licence: SPDX name, or "none".
        weights: where official weights are and under which licence; says so when there are none.
    """

    title: str
    identifier: str
    year: int
    code: str | None
    code_licence: str
    weights: str


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """One method.

    Attributes:
        name: what `build` takes.
        family: the folder under `methods/`.
        definition: `module:NAME` of its `Method`, imported only when asked for.
        summary: one line, for `onlooker methods`.
        roles: roles of the application it can play.
        configs: names of its configurations; a test keeps them equal to the folder's.
        paper: where it comes from.
        extra: the optional dependency group it needs, if any.
        stability: promoted when parity or claims hold and its page exists.
    """

    name: str
    family: Family
    definition: str
    summary: str
    roles: tuple[str, ...]
    configs: tuple[str, ...]
    paper: Paper
    extra: str | None = None
    stability: Stability = "experimental"


_ROWS: tuple[MethodEntry, ...] = (
    MethodEntry(
        name="perception_encoder",
        family="encoders",
        definition="onlooker.methods.encoders.perception_encoder:METHOD",
        summary="Pictures, videos and texts in one space; features of any layer for tracking, segmentation and depth",
        roles=("appearance_embedder", "text_embedder"),
        configs=(
            "paper",
            "tiny",
            "tiny-lang",
            "tiny-spatial",
            "core-t16-384",
            "core-s16-384",
            "core-b16-224",
            "core-l14-336",
            "core-g14-448",
            "lang-l14-448",
            "lang-g14-448",
            "spatial-t16-512",
            "spatial-s16-512",
            "spatial-b16-512",
            "spatial-l14-448",
            "spatial-g14-448",
        ),
        paper=Paper(
            title="Perception Encoder: The best visual embeddings are not at the output of the network",
            identifier="2504.13181",
            year=2025,
            code="facebookresearch/perception_models",
            code_licence="Apache-2.0",
            weights="facebook/PE-{Core,Lang,Spatial}-* on the Hugging Face hub, Apache-2.0",
        ),
    ),
    MethodEntry(
        name="omnivl",
        family="encoders",
        definition="onlooker.methods.encoders.omnivl:METHOD",
        summary="One encoder for images and clips, taught by captions and labels: retrieval, captions, answers",
        roles=("captioner", "appearance_embedder", "text_embedder"),
        configs=(
            "paper",
            "tiny",
            "stage1",
            "stage1-large",
            "caption-coco",
            "caption-youcook2",
            "retrieval-image",
            "retrieval-video",
            "vqa-vqav2",
            "vqa-msrvtt",
            "vqa-msvd",
            "embed",
            "tiny-stage1",
            "tiny-caption",
            "tiny-vqa",
            "tiny-embed",
        ),
        paper=Paper(
            title="OmniVL: One Foundation Model for Image-Language and Video-Language Tasks",
            identifier="2209.07526",
            year=2022,
            code="yiwengxie/Chat-Video",
            code_licence="MIT",
            weights="none are public",
        ),
    ),
    MethodEntry(
        name="stts",
        family="encoders",
        definition="onlooker.methods.encoders.stts:METHOD",
        summary="Action recognition that looks at the frames and regions worth it; compute is a dial",
        roles=(),
        configs=(
            "paper",
            "tiny",
            "mvit-b",
            "mvit-b-t0.9-s0.9",
            "mvit-b-t0.8-s0.9",
            "mvit-b-t0.6-s0.9",
            "mvit-b-t0.5-s0.7",
            "mvit-b-t0.4-s0.6",
            "videoswin-b",
            "videoswin-b-t0.9",
            "videoswin-b-t0.8",
            "videoswin-b-t0.6",
            "videoswin-b-t0.5",
            "videoswin-b-t0.4",
        ),
        paper=Paper(
            title="Efficient Video Transformers with Spatial-Temporal Token Selection",
            identifier="2111.11591",
            year=2022,
            code="wangjk666/STTS",
            code_licence="MIT",
            weights="on a file server only, MIT; "
            "unpruned starts are torchvision's mvit_v1_b and swin3d_b, BSD-3-Clause",
        ),
    ),
    MethodEntry(
        name="isvos",
        family="trackers",
        definition="onlooker.methods.trackers.isvos:METHOD",
        summary="Masks of given objects through a video: memory matching helped by instance segmentation",
        roles=("segmenter",),
        configs=("paper", "tiny", "tiny-imagenet", "tiny-coco", "paper-no-queries", "paper-single-path", "tiny-full"),
        paper=Paper(
            title="Look Before You Match: Instance Understanding Matters in Video Object Segmentation",
            identifier="2212.06826",
            year=2023,
            code=None,
            code_licence="none",
            weights="none are public; parts start from Mask2Former R-50 and XMem checkpoints, both MIT",
        ),
    ),
    MethodEntry(
        name="omnitracker",
        family="trackers",
        definition="onlooker.methods.trackers.omnitracker:METHOD",
        summary="Given objects and objects of known classes through a video: one detector, one loop",
        roles=("tracker",),
        configs=(
            "paper",
            "tiny",
            "tiny-imagenet",
            "swin-t",
            "swin-l",
            "per-level",
            "boxes",
            "two-stage",
            "no-refine",
            "idol",
        ),
        paper=Paper(
            title="OmniTracker: Unifying Object Tracking by Tracking-with-Detection",
            identifier="2303.12079",
            year=2023,
            code=None,
            code_licence="none",
            weights="none are public; starts from Deformable DETR (SenseTime/deformable-detr, Apache-2.0)",
        ),
    ),
    MethodEntry(
        name="m2tr",
        family="forensics",
        definition="onlooker.methods.forensics.m2tr:METHOD",
        summary="Face forgeries, and where: patches of several sizes, and a learnable filter of their spectrum",
        roles=(),
        configs=("paper", "tiny", "paper-mask", "paper-backbone"),
        paper=Paper(
            title="M2TR: Multi-modal Multi-scale Transformers for Deepfake Detection",
            identifier="2104.09770",
            year=2022,
            code="wangjk666/M2TR-Multi-modal-Multi-scale-Transformers-for-Deepfake-Detection",
            code_licence="MIT",
            weights="on a file server only, MIT; the backbone starts from timm/tf_efficientnet_b4.ap_in1k, Apache-2.0",
        ),
    ),
    MethodEntry(
        name="fttdr",
        family="forensics",
        definition="onlooker.methods.forensics.fttdr:METHOD",
        summary="Damage in pictures of faces is found without being told where, and restored; files say so",
        roles=(),
        configs=("paper", "tiny", "tiny-no-frequency", "tiny-plain-skips"),
        paper=Paper(
            title="FT-TDR: Frequency-guided Transformer and Top-Down Refinement Network for Blind Face Inpainting",
            identifier="2108.04424",
            year=2022,
            code=None,
            code_licence="none",
            weights="none are public",
        ),
    ),
    MethodEntry(
        name="objectformer",
        family="forensics",
        definition="onlooker.methods.forensics.objectformer:METHOD",
        summary="Was a picture manipulated, and where: patches and high frequencies against object prototypes",
        roles=(),
        configs=("paper", "tiny", "released", "tiny-released"),
        paper=Paper(
            title="ObjectFormer for Image Manipulation Detection and Localization",
            identifier="2203.14681",
            year=2022,
            code="wdrink/Objectformer",
            code_licence="none",
            weights="on a file server only, without a licence (CASIAv2, IMD20); they belong to another network than "
            "the paper's: configuration `released`",
        ),
    ),
)

METHODS: Mapping[str, MethodEntry] = MappingProxyType({row.name: row for row in _ROWS})
"""Name -> row, in the order of the families."""


def list_methods(family: str | None = None) -> tuple[MethodEntry, ...]:
    """Every method, or those of one family.

    Raises:
        UnknownNameError: no method belongs to such a family.
    """
    families = {row.family for row in METHODS.values()}
    if family is not None and family not in families:
        raise UnknownNameError("family", family, sorted(families))
    return tuple(row for row in METHODS.values() if family in (None, row.family))


def find_method(name: str) -> MethodEntry:
    """The row of a method.

    Raises:
        UnknownNameError: no such method; the message names the nearest.
    """
    if name not in METHODS:
        raise UnknownNameError("method", name, METHODS)
    return METHODS[name]


def load_definition(name: str) -> Method[Any]:
    """Imports a method's folder and returns what it declares.

    Raises:
        UnknownNameError: no such method.
        MissingExtraError: an optional dependency is not installed.
    """
    row = find_method(name)
    module, _, attribute = row.definition.partition(":")
    try:
        found: Method[Any] = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        how = f'run `pip install "onlooker[{row.extra}]"`' if row.extra else "reinstall `onlooker`"
        raise MissingExtraError(f"method `{name}` cannot be imported: {error}; {how}") from error
    return found


def build(
    name: str,
    config: str | Mapping[str, object] | object | None = None,
    weights: str | Path | None = None,
    *,
    seed: int = 0,
    offline: bool = False,
) -> nn.Module:
    """A network of a method, in evaluation mode, on the CPU, in float32.

    Args:
        name: a row of `METHODS`.
        config: name of a configuration ("paper", "tiny", ...), a mapping of its fields, or the dataclass itself. Left
            out, the one stored beside `weights`, or "paper".
        weights: a folder written by training or `save_pretrained`, a file in our layout or the official one
            (safetensors, or a pickle that holds nothing but tensors), or a hub name. Left out, random from `seed`.
        seed: of the random initialisation; the global generator is left as it was.
        offline: refuse the network; without it, only a hub name reaches for the network.

    Raises:
        UnknownNameError: no such method, configuration or field; the message names the nearest.
        WeightsError: the weights are missing, unsafe, or do not fit, with the first missing and surplus keys.
    """
    definition = load_definition(name)
    from onlooker.weights.load import load_weights, locate_weights  # torch: only when something is built

    found = locate_weights(weights, offline=offline) if weights is not None else None
    chosen = _chosen_config(definition, config, found)
    network = definition.create(chosen, seed)
    if found is not None:
        load_weights(network, found, definition.key_map(chosen))
    return network.eval()


def compare_weights(
    name: str,
    weights: str | Path,
    config: str | Mapping[str, object] | object | None = None,
    *,
    offline: bool = False,
) -> KeyReport:
    """What weights have against a method's network: missing, surplus and mismatched tensors, all of them.

    Arguments and errors are those of `build`; weights that do not fit are no error here.
    """
    import torch

    from onlooker.weights.files import read_tensors
    from onlooker.weights.load import fit_state, locate_weights

    definition = load_definition(name)
    found = locate_weights(weights, offline=offline)
    chosen = _chosen_config(definition, config, found)
    with torch.device("meta"):
        network = definition.build(chosen)
    key_map = definition.key_map(chosen)
    return fit_state(network, read_tensors(found.path, key_map.wrappers), key_map)[1]


def _chosen_config(
    definition: Method[C], config: str | Mapping[str, object] | object | None, found: FoundWeights | None
) -> C:
    """The configuration asked for, else the one beside the weights, else "paper"."""
    if found is not None and found.method not in (None, definition.name):
        raise ConfigError(
            f"`{found.path}` holds weights of `{found.method}`, not of `{definition.name}`; build that method instead"
        )
    if config is not None or found is None or found.config is None:
        return definition.resolve("paper" if config is None else config)
    try:
        return definition.resolve(found.config)
    except (ConfigError, UnknownNameError) as error:
        raise ConfigError(
            f"the configuration beside `{found.path}` is none of `{definition.name}`: {error}; "
            "build the method these weights are of"
        ) from error
