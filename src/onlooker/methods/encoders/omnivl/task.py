"""The tasks of recipes, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from torch import nn

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError
from onlooker.methods.encoders.omnivl.answering import OmniVLAnswerer
from onlooker.methods.encoders.omnivl.captioning import OmniVLCaptioner
from onlooker.methods.encoders.omnivl.embedding import OmniVLEmbedder
from onlooker.methods.encoders.omnivl.finetuning import CaptionTask, ClassifyTask, FinetuneOptions, VqaTask
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.pretraining import ContrastOptions, ContrastTask, RetrievalTask
from onlooker.train.task import Task

N = TypeVar("N", bound=nn.Module)


def pretrain(network: nn.Module, options: Mapping[str, object]) -> Task:
    """All losses on whatever sources the options name. Errors as `config_from_dict`, and ConfigError for another head;
    so are those of the tasks below."""
    return ContrastTask(
        _checked(network, OmniVLPretrain, "pretrain", "pretrain"), config_from_dict(ContrastOptions, options)
    )


def retrieval(network: nn.Module, options: Mapping[str, object]) -> Task:
    """Finetuning for retrieval."""
    return RetrievalTask(
        _checked(network, OmniVLPretrain, "retrieval", "retrieval"), config_from_dict(ContrastOptions, options)
    )


def classify(network: nn.Module, options: Mapping[str, object]) -> Task:
    """Finetuning for classes."""
    return ClassifyTask(
        _checked(network, OmniVLEmbedder, "classify", "embed"), config_from_dict(FinetuneOptions, options)
    )


def caption(network: nn.Module, options: Mapping[str, object]) -> Task:
    """Finetuning for captions."""
    return CaptionTask(
        _checked(network, OmniVLCaptioner, "caption", "caption"), config_from_dict(FinetuneOptions, options)
    )


def vqa(network: nn.Module, options: Mapping[str, object]) -> Task:
    """Finetuning for questions."""
    return VqaTask(_checked(network, OmniVLAnswerer, "vqa", "vqa"), config_from_dict(FinetuneOptions, options))


TASKS: Mapping[str, Callable[[nn.Module, Mapping[str, object]], Task]] = MappingProxyType(
    {"pretrain": pretrain, "retrieval": retrieval, "classify": classify, "caption": caption, "vqa": vqa}
)


def _checked(network: nn.Module, kind: type[N], task: str, head: str) -> N:
    found = getattr(getattr(network, "config", None), "head", type(network).__name__)
    if not isinstance(network, kind) or found != head:
        raise ConfigError(f"the task `{task}` needs a network with the head `{head}`, got `{found}`")
    return network
