"""Weights of other models to start from, under the authors' names: BLIP's image encoder and TimeSformer, as
transformers has them. (The text parts have the same names there, after their prefix.)

BLIP knows images alone: give the result to `load_adapted` with `inflate=True` for a model of clips.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor

from onlooker.errors import WeightsError
from onlooker.weights.keys import KeyMap, translate

_BLIP = KeyMap(
    MappingProxyType(
        {
            "embeddings.class_embedding": "cls_token",
            "embeddings.position_embedding": "pos_embed",
            "embeddings.patch_embedding.*": "patch_embed.proj.*",
            "encoder.layers.{}.self_attn.qkv.*": "blocks.{}.attn.qkv.*",
            "encoder.layers.{}.self_attn.projection.*": "blocks.{}.attn.proj.*",
            "encoder.layers.{}.layer_norm1.*": "blocks.{}.norm1.*",
            "encoder.layers.{}.layer_norm2.*": "blocks.{}.norm2.*",
            "encoder.layers.{}.mlp.*": "blocks.{}.mlp.*",
            "post_layernorm.*": "norm.*",
        }
    )
)
_TIMESFORMER = KeyMap(
    MappingProxyType(
        {
            "embeddings.cls_token": "cls_token",
            "embeddings.position_embeddings": "pos_embed",
            "embeddings.time_embeddings": "time_embed",
            "embeddings.patch_embeddings.projection.*": "patch_embed_3d.proj.*",
            "encoder.layer.{}.attention.attention.qkv.*": "blocks.{}.attn.qkv.*",
            "encoder.layer.{}.attention.output.dense.*": "blocks.{}.attn.proj.*",
            "encoder.layer.{}.temporal_attention.attention.qkv.*": "blocks.{}.temporal_attn.qkv.*",
            "encoder.layer.{}.temporal_attention.output.dense.*": "blocks.{}.temporal_attn.proj.*",
            "encoder.layer.{}.temporal_layernorm.*": "blocks.{}.temporal_norm1.*",
            "encoder.layer.{}.temporal_dense.*": "blocks.{}.temporal_fc.*",
            "encoder.layer.{}.layernorm_before.*": "blocks.{}.norm1.*",
            "encoder.layer.{}.layernorm_after.*": "blocks.{}.norm2.*",
            "encoder.layer.{}.intermediate.dense.*": "blocks.{}.mlp.fc1.*",
            "encoder.layer.{}.output.dense.*": "blocks.{}.mlp.fc2.*",
            "layernorm.*": "norm.*",
        }
    )
)


def from_blip_vision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of `VisualEncoder`, backbone "vit", of a `BlipVisionModel`'s.

    Raises:
        WeightsError: names that are not of such a model.
    """
    return _renamed(state, _BLIP, "BlipVisionModel")


def from_timesformer(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of `VisualEncoder`, backbone "timesformer", of a `TimesformerModel`'s.

    Frames of one time slot are channels there (3 * stride, colour first). The tokeniser of images, which it lacks, is
    the sum of the clips' over time: a still clip and its image become the same tokens.

    Raises:
        WeightsError: names that are not of such a model.
    """
    renamed = _renamed(state, _TIMESFORMER, "TimesformerModel")
    kernel = renamed["patch_embed_3d.proj.weight"]  # (D, 3 * stride, p, p)
    kernel = kernel.reshape(kernel.shape[0], 3, -1, *kernel.shape[2:])  # (D, 3, stride, p, p)
    renamed["patch_embed_3d.proj.weight"] = kernel
    renamed["patch_embed.proj.weight"] = kernel.sum(2)
    renamed["patch_embed.proj.bias"] = renamed["patch_embed_3d.proj.bias"].clone()
    return renamed


def _renamed(state: Mapping[str, Tensor], names: KeyMap, source: str) -> dict[str, Tensor]:
    renamed, unknown = translate(state, names)
    if unknown or "pos_embed" not in renamed:
        raise WeightsError(f"this is not the state of a `{source}`; unknown: {', '.join(unknown[:5]) or 'none'}")
    return renamed
