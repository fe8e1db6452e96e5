"""Official names to ours, and the changes the authors' loader makes when a checkpoint starts another model.

The official file is `{"model": state}`; tensors that two parts share stand in it twice, and once here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn

from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.encoders.omnivl.config import OmniVLConfig
from onlooker.methods.encoders.omnivl.visual import resize_positions, resize_times
from onlooker.weights.keys import KeyMap
from onlooker.weights.load import load_state

TemporalStart = Literal["random", "zero"]

_QUEUES: Mapping[str, str] = MappingProxyType(
    {
        "image_queue": "image_step_keys.vision",
        "text_queue": "image_step_keys.text",
        "idx_queue": "image_step_keys.ids",
        "queue_ptr": "image_step_keys.pointer",
        "image_queue2": "clip_step_keys.vision",
        "text_queue2": "clip_step_keys.text",
        "idx_queue2": "clip_step_keys.ids",
        "queue_ptr2": "clip_step_keys.pointer",
    }
)
_TOWERS: Mapping[str, str] = MappingProxyType(
    {
        "visual_encoder.*": "visual_encoder.*",
        "text_encoder.*": "text_encoder.*",
        "vision_proj.*": "vision_proj.*",
        "text_proj.*": "text_proj.*",
    }
)
_MOMENTUM: Mapping[str, str] = MappingProxyType(
    {
        "visual_encoder_m.*": "visual_encoder_m.*",
        "text_encoder_m.*": "text_encoder_m.*",
        "vision_proj_m.*": "vision_proj_m.*",
        "text_proj_m.*": "text_proj_m.*",
        "itm_head.*": "itm_head.*",
        "temp": "temp",
    }
)
_SHARED_DECODER: Mapping[str, str] = MappingProxyType(
    {
        "text_decoder.bert.embeddings.*": "text_encoder.embeddings.*",
        "text_decoder.bert.encoder.layer.{}.crossattention.*": "text_encoder.encoder.layer.{}.crossattention.*",
        "text_decoder.bert.encoder.layer.{}.intermediate.*": "text_encoder.encoder.layer.{}.intermediate.*",
        "text_decoder.bert.encoder.layer.{}.output.*": "text_encoder.encoder.layer.{}.output.*",
        "text_decoder.cls.predictions.decoder.weight": "text_encoder.embeddings.word_embeddings.weight",
        "text_decoder.cls.predictions.decoder.bias": "text_decoder.cls.predictions.bias",
        "text_decoder.*": "text_decoder.*",
    }
)
_OWN_DECODER: Mapping[str, str] = MappingProxyType(
    {
        "text_decoder.cls.predictions.decoder.weight": "text_decoder.bert.embeddings.word_embeddings.weight",
        "text_decoder.cls.predictions.decoder.bias": "text_decoder.cls.predictions.bias",
        "text_decoder.*": "text_decoder.*",
    }
)
_IGNORED = (
    "text_encoder.embeddings.position_ids",  # counts up; the library makes it
    "text_encoder_m.embeddings.position_ids",
    "text_decoder.bert.embeddings.position_ids",
)


def key_map(config: OmniVLConfig) -> KeyMap:
    """Names of the authors' class for this head."""
    if config.head == "caption":
        rules = {"visual_encoder.*": "visual_encoder.*", **_OWN_DECODER}
    elif config.head == "vqa":
        rules = {"visual_encoder.*": "visual_encoder.*", "text_encoder.*": "text_encoder.*", **_OWN_DECODER}
    elif config.head == "embed":
        rules = dict(_TOWERS)
    elif config.head == "retrieval":
        rules = {**_TOWERS, **_MOMENTUM, **_queue_names(config)}
    else:
        decoder = _SHARED_DECODER if config.share_weights else _OWN_DECODER
        rules = {**_TOWERS, **_MOMENTUM, **_queue_names(config), **decoder}
    return KeyMap(rules=MappingProxyType(rules), ignored=_IGNORED)


def adapt_checkpoint(
    state: Mapping[str, Tensor],
    config: OmniVLConfig,
    *,
    inflate: bool = False,
    temporal_start: TemporalStart = "random",
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """A checkpoint of another size, stage or head, made to fit `config`. Nothing is changed in place.

    Resized: positions (bicubic), time slots (linear). Dropped: parts the head does not have. A tokeniser of clips for
    another stride is made anew of the one for images.

    Args:
        state: official names (`export_state` writes them) of a whole model or of more parts than are needed.
        config: what the result is for.
        inflate: the state is of stage 1 (images only) and `config` of stage 2: tokeniser of clips and temporal
            attention are made of the spatial ones. The projection behind temporal attention and the time slots are
            not in the state; they start as in a new model.
        temporal_start: "random" is how the authors' code starts that projection; "zero" makes the inflated model
            equal to the image model on every single frame.
        generator: of "random"; torch's own when `None`.

    Returns:
        Official names, for `load_state` with `key_map(config)`.

    Raises:
        ConfigError: `inflate` for a configuration without clips.
        WeightsError: a shape that cannot be adapted.
    """
    if inflate and not config.visual.takes_clips:
        raise ConfigError("`inflate` makes a model of clips: it needs backbone `timesformer` and num_frames over 1")
    adapted = {name: tensor for name, tensor in state.items() if name.split(".")[0] in _parts(config)}
    if config.head == "retrieval" and config.visual.takes_clips and not inflate:
        # Finetuning on clips goes on with the keys of clips (ids and pointers stay, as in the authors' loader).
        for name in ("image_queue", "text_queue"):
            if f"{name}2" in adapted:
                adapted[name] = adapted[f"{name}2"]
    for part in ("visual_encoder.", "visual_encoder_m."):
        if f"{part}pos_embed" in adapted:
            _adapt_visual(adapted, part, config)
            if inflate:
                _inflate(adapted, part, config)
                _start_temporal(adapted, part, config, temporal_start, generator)
    return adapted


def load_adapted(
    network: nn.Module,
    state: Mapping[str, Tensor],
    config: OmniVLConfig,
    *,
    inflate: bool = False,
    temporal_start: TemporalStart = "random",
    generator: torch.Generator | None = None,
) -> None:
    """`adapt_checkpoint`, then a strict load into `network`, in place; arguments and errors as there."""
    adapted = adapt_checkpoint(state, config, inflate=inflate, temporal_start=temporal_start, generator=generator)
    load_state(network, adapted, key_map(config), "the adapted checkpoint")


def export_state(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers of a model of this folder under official names, shared ones under all their names.

    The tensors are those of the network, not copies.
    """
    official = {ours: name for name, ours in _QUEUES.items()}
    state = {name: parameter.detach() for name, parameter in network.named_parameters(remove_duplicate=False)}
    state |= {name: tensor for name, tensor in network.state_dict().items() if name not in state}
    return {official.get(name, name): tensor for name, tensor in state.items()}


def _queue_names(config: OmniVLConfig) -> dict[str, str]:
    labelled = config.contrast.kind == "unified"
    return {name: ours for name, ours in _QUEUES.items() if labelled or not name.startswith("idx_")}


def _parts(config: OmniVLConfig) -> set[str]:
    """First words of the official names the head has."""
    return {rule.split(".")[0] for rule in key_map(config).rules}


def _adapt_visual(state: dict[str, Tensor], part: str, config: OmniVLConfig) -> None:
    """Sizes of one visual encoder, in place."""
    visual = config.visual
    state[f"{part}pos_embed"] = resize_positions(
        state[f"{part}pos_embed"], (visual.grid, visual.grid), "bicubic"
    ).contiguous()
    times = f"{part}time_embed"
    if visual.backbone == "vit":
        dropped = [times, *(name for name in state if name.startswith(f"{part}blocks.") and ".temporal_" in name)]
        for name in dropped:
            state.pop(name, None)
    elif times in state:
        state[times] = resize_times(state[times], visual.slots, "linear").contiguous()
    kernel = f"{part}patch_embed_3d.proj.weight"
    if not visual.takes_clips:
        state.pop(kernel, None)
        state.pop(f"{part}patch_embed_3d.proj.bias", None)
    elif kernel in state and state[kernel].shape[2] != visual.time_stride:
        state[kernel] = _repeat_in_time(state, part, visual.time_stride)


def _inflate(state: dict[str, Tensor], part: str, config: OmniVLConfig) -> None:
    """3D patches and temporal attention of the spatial ones, in place."""
    state[f"{part}patch_embed_3d.proj.weight"] = _repeat_in_time(state, part, config.visual.time_stride)
    state[f"{part}patch_embed_3d.proj.bias"] = state[f"{part}patch_embed.proj.bias"].clone()
    for name in [name for name in state if name.startswith(f"{part}blocks.")]:
        for spatial, temporal in ((".attn.", ".temporal_attn."), (".norm1.", ".temporal_norm1.")):
            if spatial in name:
                state[name.replace(spatial, temporal)] = state[name].clone()


def _repeat_in_time(state: Mapping[str, Tensor], part: str, stride: int) -> Tensor:
    """(D, 3, stride, p, p) of (D, 3, p, p): a still clip gives what the image gives."""
    name = f"{part}patch_embed.proj.weight"
    if name not in state:
        raise WeightsError(f"the patches of clips are made of `{name}`, which is missing")
    return state[name].unsqueeze(2).repeat(1, 1, stride, 1, 1) / stride


def _start_temporal(
    state: dict[str, Tensor],
    part: str,
    config: OmniVLConfig,
    start: TemporalStart,
    generator: torch.Generator | None,
) -> None:
    """What no image model has, where the state has none either, in place."""
    visual = config.visual
    like = state[f"{part}pos_embed"]
    state.setdefault(f"{part}time_embed", like.new_zeros(1, visual.slots, visual.width))
    for layer in range(visual.depth):
        weight = like.new_zeros(visual.width, visual.width)
        if start == "random":
            nn.init.trunc_normal_(weight, std=0.02, generator=generator)
        state.setdefault(f"{part}blocks.{layer}.temporal_fc.weight", weight)
        state.setdefault(f"{part}blocks.{layer}.temporal_fc.bias", like.new_zeros(visual.width))
