"""What recipes train: the five tasks, made of a network and the options of the recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import nn

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError
from onlooker.methods.encoders.perception_encoder.alignment import fill_from, is_weightless, load_network
from onlooker.methods.encoders.perception_encoder.contrastive import ContrastiveOptions, ContrastiveTask
from onlooker.methods.encoders.perception_encoder.distillation import DistillOptions, DistillTask
from onlooker.methods.encoders.perception_encoder.language import (
    DecoderConfig,
    LanguageOptions,
    LanguageTask,
    make_reader,
)
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.spatial import SpatialOptions, SpatialTask
from onlooker.train.task import Task

Options = Mapping[str, object]
_VIDEO_FRAMES = 8  # section 2 of the paper


def contrastive(network: nn.Module, options: Options) -> Task:
    """The task `contrastive`: pretraining on pictures and texts.

    Raises:
        UnknownNameError, ConfigError: an option that does not exist, or a value that cannot be.
    """
    return _contrastive(_checked(network), config_from_dict(ContrastiveOptions, options))


def video(network: nn.Module, options: Options) -> Task:
    """The task `video`: the same on clips of eight frames, unless the options say otherwise."""
    scenes = options.get("scenes", {})
    if not isinstance(scenes, Mapping):
        raise ConfigError(f"option `scenes` is a table, got `{scenes!r}`")
    filled = {**options, "scenes": {"frames": _VIDEO_FRAMES, **scenes}}
    found = config_from_dict(ContrastiveOptions, filled)
    if found.scenes.frames < 2:
        raise ConfigError(f"`video` needs `scenes.frames` of 2 or more, got {found.scenes.frames}")
    return _contrastive(_checked(network), found)


def spatial_alignment(network: nn.Module, options: Options) -> Task:
    """The task `spatial_alignment`; `core` says where the student and its first teacher come from."""
    student, found = _checked(network), config_from_dict(SpatialOptions, options)
    if is_weightless(student):
        return SpatialTask(student, _unfilled(student), found)
    core = load_network(_named(found.core, "core", "spatial alignment starts from a trained core network"))
    fill_from(student, core)
    return SpatialTask(student, core, found)


def spatial_distillation(network: nn.Module, options: Options) -> Task:
    """The task `spatial_distillation`; `teacher` is an encoder that was aligned."""
    student, found = _checked(network), config_from_dict(DistillOptions, options)
    if is_weightless(student):
        return DistillTask(student, _unfilled(student), found)
    teacher = load_network(_named(found.teacher, "teacher", "distillation needs an aligned encoder"))
    return DistillTask(student, teacher, found)


def language_alignment(network: nn.Module, options: Options) -> Task:
    """The task `language_alignment`; `core` says where the encoder comes from."""
    encoder, found = _checked(network), config_from_dict(LanguageOptions, options)
    if is_weightless(encoder):
        return LanguageTask(encoder, make_reader(DecoderConfig()), found)
    fill_from(encoder, load_network(_named(found.core, "core", "language alignment starts from a trained core")))
    return LanguageTask(encoder, make_reader(found.decoder), found)


TASKS: Mapping[str, Callable[[nn.Module, Options], Task]] = MappingProxyType(
    {
        "contrastive": contrastive,
        "video": video,
        "spatial_alignment": spatial_alignment,
        "spatial_distillation": spatial_distillation,
        "language_alignment": language_alignment,
    }
)


def _contrastive(network: PerceptionEncoder, options: ContrastiveOptions) -> ContrastiveTask:
    if options.start is not None and not is_weightless(network):
        fill_from(network, load_network(options.start))
    return ContrastiveTask(network, options)


def _unfilled(network: PerceptionEncoder) -> PerceptionEncoder:
    """Another of the same sizes, to look at."""
    with torch.device("meta"):
        return PerceptionEncoder(network.config)


def _checked(network: nn.Module) -> PerceptionEncoder:
    if not isinstance(network, PerceptionEncoder):
        raise ConfigError(f"these tasks train a `PerceptionEncoder`, got `{type(network).__name__}`")
    return network


def _named(weights: str | None, option: str, why: str) -> str:
    if weights is None:
        raise ConfigError(f"option `{option}` is missing: {why}; give the folder of a run or a released name")
    return weights
