"""Names of the official checkpoints, and of timm's and open_clip's copies of them, to ours.

Core files hold both sides, pictures under `visual.` and text without a prefix; lang and spatial files hold the picture
side alone, with or without `visual.`. All may sit under "state_dict" or "weights" and carry "module.".
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from onlooker.errors import WeightsError
from onlooker.methods.encoders.perception_encoder.config import PerceptionEncoderConfig, VisionConfig
from onlooker.weights.keys import KeyMap, translate

_VISION = {
    "conv1.weight": "patch_embed.weight",
    "ln_pre.*": "ln_pre.*",
}
_CLASS_TOKEN = {"class_embedding": "class_token"}
_POSITIONS = {"positional_embedding": "positions"}
_GAINS = {
    "transformer.resblocks.{}.ls_1.gamma": "blocks.{}.gain_1",
    "transformer.resblocks.{}.ls_2.gamma": "blocks.{}.gain_2",
}
_FINAL_NORM = {"ln_post.*": "ln_post.*"}
_POOL = {
    "attn_pool.probe": "pool.probe",
    "attn_pool.attn.in_proj_weight": "pool.qkv.weight",
    "attn_pool.attn.in_proj_bias": "pool.qkv.bias",
    "attn_pool.attn.out_proj.*": "pool.proj.*",
    "attn_pool.layernorm.*": "pool.norm.*",
    "attn_pool.mlp.c_fc.*": "pool.mlp.fc1.*",
    "attn_pool.mlp.c_proj.*": "pool.mlp.fc2.*",
}
_PROJECTION = {"proj": "proj"}
_TEXT = {
    "token_embedding.weight": "token_embedding.weight",
    "positional_embedding": "positions",
    "ln_final.*": "ln_final.*",
    "text_projection": "proj",
}
_BLOCK = {
    "transformer.resblocks.{}.ln_1.*": "blocks.{}.ln_1.*",
    "transformer.resblocks.{}.attn.in_proj_weight": "blocks.{}.attn.qkv.weight",
    "transformer.resblocks.{}.attn.in_proj_bias": "blocks.{}.attn.qkv.bias",
    "transformer.resblocks.{}.attn.out_proj.*": "blocks.{}.attn.proj.*",
    "transformer.resblocks.{}.ln_2.*": "blocks.{}.ln_2.*",
    "transformer.resblocks.{}.mlp.c_fc.*": "blocks.{}.mlp.fc1.*",
    "transformer.resblocks.{}.mlp.c_proj.*": "blocks.{}.mlp.fc2.*",
}


def key_map(config: PerceptionEncoderConfig) -> KeyMap:
    """Official names to ours, for the parts that the configuration has."""
    vision = _vision_rules(config.vision)
    if config.text is None:
        rules = {official: f"visual.{ours}" for official, ours in vision.items()}
        return KeyMap(rules, prefixes=("module.", "visual."))
    rules = {f"visual.{official}": f"visual.{ours}" for official, ours in vision.items()}
    rules |= {official: f"text.{ours}" for official, ours in (_TEXT | _BLOCK).items()}
    return KeyMap(rules | {"logit_scale": "logit_scale"})


def _vision_rules(config: VisionConfig) -> dict[str, str]:
    parts = (
        (_CLASS_TOKEN, config.class_token),
        (_POSITIONS, config.absolute_positions),
        (_GAINS, config.layer_scale is not None),
        (_FINAL_NORM, config.final_norm),
        (_POOL, config.pool == "attention"),
        (_PROJECTION, config.embed_dim is not None),
    )
    rules = _VISION | _BLOCK
    for part, is_there in parts:
        rules = rules | part if is_there else rules
    return rules


_TIMM = {
    "patch_embed.proj.weight": "patch_embed.weight",
    "cls_token": "class_token",
    "pos_embed": "positions",
    "norm_pre.*": "ln_pre.*",
    "blocks.{}.norm1.*": "blocks.{}.ln_1.*",
    "blocks.{}.attn.*": "blocks.{}.attn.*",
    "blocks.{}.norm2.*": "blocks.{}.ln_2.*",
    "blocks.{}.mlp.*": "blocks.{}.mlp.*",
    "blocks.{}.gamma_1": "blocks.{}.gain_1",
    "blocks.{}.gamma_2": "blocks.{}.gain_2",
    "norm.*": "ln_post.*",
    "attn_pool.latent": "pool.probe",
    "attn_pool.*": "pool.*",
    "head.weight": "proj",
}
_OPEN_CLIP_TRUNK = "visual.trunk."


def is_timm_layout(names: Mapping[str, Tensor]) -> bool:
    """Whether tensors are named as in timm's `vit_pe_*` or open_clip's `PE-Core-*`."""
    return any(name.removeprefix(_OPEN_CLIP_TRUNK) == "patch_embed.proj.weight" for name in names)


def from_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of timm's `vit_pe_*` (pictures alone) or open_clip's `PE-Core-*` (both sides) under our names.

    The two split the pooling's matrix into q | kv, transpose the projection and give it a bias, which must be zero.

    Raises:
        WeightsError: a name that neither has, or a projection with a bias, for which this network has no place.
    """
    both = any(name.startswith(_OPEN_CLIP_TRUNK) for name in state)
    prefix = _OPEN_CLIP_TRUNK if both else ""
    rules = {f"{prefix}{timm}": f"visual.{ours}" for timm, ours in _TIMM.items()}
    if both:
        rules |= {f"text.{official}": f"text.{ours}" for official, ours in (_TEXT | _BLOCK).items()}
        rules["logit_scale"] = "logit_scale"
    bias = state.get(f"{prefix}head.bias")
    if bias is not None and bool(bias.any()):
        raise WeightsError(f"`{prefix}head.bias` is not zero: these are not weights of Perception Encoder")
    key_map = KeyMap(
        rules,
        ignored=(f"{prefix}head.bias",),
        transforms={
            "visual.class_token": torch.flatten,
            "visual.positions": lambda table: table.flatten(0, 1),
            "visual.proj": lambda matrix: matrix.T.contiguous(),
        },
        prefixes=(),
    )
    renamed, unknown = translate(state, key_map)
    if unknown:
        raise WeightsError(f"`{unknown[0]}` is no name of timm's Perception Encoder, and {len(unknown) - 1} more")
    for kind in ("weight", "bias"):
        parts = [renamed.pop(f"visual.pool.{part}.{kind}", None) for part in ("q", "kv")]
        found = [part for part in parts if part is not None]
        if found:
            renamed[f"visual.pool.qkv.{kind}"] = torch.cat(found)
    return renamed
