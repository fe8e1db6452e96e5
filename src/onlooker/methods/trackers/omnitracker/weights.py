"""Weights of detectors into the network: transformers' Deformable DETR, new names and old, and IDOL.

No OmniTracker weights are known, so our own names, which are transformers' where a part is its, are the layout of the
whole. `from_deformable_detr` starts from a trained detector; `idol_map` and `split_idol` read IDOL checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor
from transformers import DeformableDetrForObjectDetection

from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.trackers.omnitracker.config import PAPER, BackboneConfig, DetectorConfig, OmniTrackerConfig
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork
from onlooker.nn.timm_pyramid import PACKAGED_BACKBONE
from onlooker.weights.keys import KeyMap, translate
from onlooker.weights.load import check_finite, compare_tensors

_BACKBONE = "model.backbone.model"
_DETECTOR = ("model.", "class_embed.", "bbox_embed.")
_RESNET_50 = BackboneConfig()


def key_map(config: OmniTrackerConfig) -> KeyMap:
    """Ours to ours, and the detector's names in transformers 5, in its older files, and with timm's ResNet."""
    rules = _detector_rules(config)
    for part in ("target_embed", "identity"):
        rules[f"{part}.*"] = f"{part}.*"
    if config.enhancement is not None:
        rules["enhancement.*"] = "enhancement.*"
    if config.mask is not None:
        rules["mask_head.*"] = "mask_head.*"
    return KeyMap(rules, ignored=(f"{_BACKBONE}.{{}}.num_batches_tracked",))


def _detector_rules(config: OmniTrackerConfig) -> dict[str, str]:
    old = "model.backbone.conv_encoder.model"
    rules: dict[str, str] = {}
    if config.backbone.kind == "resnet":
        own = ("embedder.*", "encoder.*")
        rules |= {f"{_BACKBONE}.{name}": f"{_BACKBONE}.{name}" for name in own}
        if config.backbone.norm == "frozen_batch":
            rules |= _resnet_rules(_BACKBONE, config.backbone) | _resnet_rules(old, config.backbone)
    else:
        rules[f"{_BACKBONE}.*"] = f"{_BACKBONE}.*"
    for side, layers in (("encoder", config.detector.encoder_layers), ("decoder", config.detector.decoder_layers)):
        if layers:
            start = f"model.{side}.layers.{{}}"
            rules |= {f"{start}.{name}.*": f"{start}.mlp.{name}.*" for name in ("fc1", "fc2")}
    rules["model.decoder.layers.{}.self_attn.out_proj.*"] = "model.decoder.layers.{}.self_attn.o_proj.*"
    rules |= _head_rules("", config) | _head_rules("model.decoder.", config)
    rules |= {f"model.{part}.*": f"model.{part}.*" for part in ("encoder.layers", "decoder.layers", "input_proj")}
    rules["model.level_embed"] = "model.level_embed"
    names: tuple[str, ...] = ("query_position_embeddings", "reference_points")
    if config.detector.two_stage:
        names = ("enc_output", "enc_output_norm", "pos_trans", "pos_trans_norm")
    return rules | {f"model.{name}.*": f"model.{name}.*" for name in names}


def _head_rules(prefix: str, config: OmniTrackerConfig) -> dict[str, str]:
    """Heads by layer; where boxes are not refined, all layers name the same one."""
    if config.detector.box_refine:
        return {f"{prefix}{head}.{{}}.*": f"{head}.{{}}.*" for head in ("class_embed", "bbox_embed")}
    layers = range(config.detector.decoder_layers)
    return {f"{prefix}{head}.{n}.*": f"{head}.0.*" for head in ("class_embed", "bbox_embed") for n in layers}


def _resnet_rules(theirs: str, config: BackboneConfig) -> dict[str, str]:
    """Names of a ResNet in torchvision and timm to transformers'."""
    stem = f"{_BACKBONE}.embedder.embedder"
    rules = {f"{theirs}.conv1.weight": f"{stem}.convolution.weight", f"{theirs}.bn1.*": f"{stem}.normalization.*"}
    convolutions = 3 if config.layer == "bottleneck" else 2
    for stage in range(4):
        source, target = f"{theirs}.layer{stage + 1}.{{}}", f"{_BACKBONE}.encoder.stages.{stage}.layers.{{}}"
        for layer in range(convolutions):
            rules[f"{source}.conv{layer + 1}.weight"] = f"{target}.layer.{layer}.convolution.weight"
            rules[f"{source}.bn{layer + 1}.*"] = f"{target}.layer.{layer}.normalization.*"
        rules[f"{source}.downsample.0.weight"] = f"{target}.shortcut.convolution.weight"
        rules[f"{source}.downsample.1.*"] = f"{target}.shortcut.normalization.*"
    return rules


class Started(NamedTuple):
    """A network that took over a detector: `uninitialised` names what still has random or zero weights."""

    network: OmniTrackerNetwork
    uninitialised: tuple[str, ...]


def from_deformable_detr(model: DeformableDetrForObjectDetection, config: OmniTrackerConfig | None = None) -> Started:
    """OmniTracker around a trained Deformable DETR, whose outputs it keeps until it is trained itself.

    Args:
        model: transformers' class with a ResNet, its own or timm's; copied, not shared.
        config: everything that the detector does not say (enhancement, masks, identities, tracking); left out, the
            paper's. Its backbone and detector are replaced by those of `model`.

    Raises:
        ConfigError: a backbone or an option that has no counterpart here.
        WeightsError: the tensors do not fit, which names the first of them.
    """
    base = PAPER if config is None else config
    if base.backbone.timm is not None:
        raise ConfigError(
            f"a trained detector does not fill timm's `{base.backbone.timm}`; give a configuration whose backbone is a "
            f"ResNet, or start that network from `{PACKAGED_BACKBONE}`"
        )
    chosen = replace(base, backbone=_backbone_of(model), detector=_detector_of(model))
    network = OmniTrackerNetwork(chosen)
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    renamed, unknown = translate(state, key_map(chosen))
    ours = network.state_dict()
    wanted = {name: tensor for name, tensor in ours.items() if name.startswith(_DETECTOR)}
    report = compare_tensors(renamed, wanted, unknown)
    if not report.fits:
        raise WeightsError(f"this Deformable DETR does not fit: {report}")
    network.load_state_dict({**ours, **renamed}, strict=True)
    return Started(network.eval(), tuple(name for name in ours if name not in renamed))


def _backbone_of(model: DeformableDetrForObjectDetection) -> BackboneConfig:
    theirs = model.config.backbone_config
    if theirs.model_type == "resnet":
        return BackboneConfig(
            "resnet", theirs.layer_type, theirs.embedding_size, tuple(theirs.hidden_sizes), tuple(theirs.depths)
        )
    if theirs.model_type == "timm_backbone" and theirs.backbone == "resnet50":
        return _RESNET_50
    raise ConfigError(
        "a detector with a ResNet of transformers or timm's `resnet50` is taken over, "
        f"got `{getattr(theirs, 'backbone', None) or theirs.model_type}`"
    )


def _detector_of(model: DeformableDetrForObjectDetection) -> DetectorConfig:
    theirs = model.config
    if theirs.position_embedding_type != "sine" or theirs.encoder_attention_heads != theirs.decoder_attention_heads:
        raise ConfigError("sine positions and as many heads in encoder and decoder are expected")
    if theirs.encoder_ffn_dim != theirs.decoder_ffn_dim or theirs.encoder_n_points != theirs.decoder_n_points:
        raise ConfigError("encoder and decoder are expected to have equal widths and points")
    return DetectorConfig(
        dim=theirs.d_model,
        heads=theirs.encoder_attention_heads,
        points=theirs.encoder_n_points,
        levels=theirs.num_feature_levels,
        encoder_layers=theirs.encoder_layers,
        decoder_layers=theirs.decoder_layers,
        hidden=theirs.encoder_ffn_dim,
        queries=theirs.two_stage_num_proposals if theirs.two_stage else theirs.num_queries,
        classes=theirs.num_labels,
        box_refine=theirs.with_box_refine,
        two_stage=theirs.two_stage,
        dropout=theirs.dropout,
    )


def idol_map(config: OmniTrackerConfig) -> KeyMap:
    """Names of an IDOL checkpoint after `split_idol` to ours, for the configuration "idol".

    Inner names were read in IDOL's code; the outer prefix is inferred from its wrapper, and no checkpoint was at hand.
    Detectron2 writes a ResNet as stem and stages `res2` to `res5`.
    """
    body = "detr.detr"
    rules: dict[str, str] = {}
    stem, resnet = f"{_BACKBONE}.embedder.embedder", f"{body}.backbone.0.backbone"
    rules[f"{resnet}.stem.conv1.weight"] = f"{stem}.convolution.weight"
    rules[f"{resnet}.stem.conv1.norm.*"] = f"{stem}.normalization.*"
    for stage in range(4):
        source, target = f"{resnet}.res{stage + 2}.{{}}", f"{_BACKBONE}.encoder.stages.{stage}.layers.{{}}"
        for layer in range(3):
            rules[f"{source}.conv{layer + 1}.weight"] = f"{target}.layer.{layer}.convolution.weight"
            rules[f"{source}.conv{layer + 1}.norm.*"] = f"{target}.layer.{layer}.normalization.*"
        rules[f"{source}.shortcut.weight"] = f"{target}.shortcut.convolution.weight"
        rules[f"{source}.shortcut.norm.*"] = f"{target}.shortcut.normalization.*"
    names = {
        "encoder": {"self_attn": "self_attn", "norm1": "self_attn_layer_norm", "norm2": "final_layer_norm"},
        "decoder": {
            "cross_attn": "encoder_attn",
            "norm1": "encoder_attn_layer_norm",
            "norm2": "self_attn_layer_norm",
            "norm3": "final_layer_norm",
            "self_attn.out_proj": "self_attn.o_proj",
            **{f"self_attn.{part}_proj": f"self_attn.{part}_proj" for part in "qkv"},
        },
    }
    for side, inner in names.items():
        start = f"{body}.transformer.{side}.layers.{{}}"
        inner = {**inner, "linear1": "mlp.fc1", "linear2": "mlp.fc2"}
        rules |= {f"{start}.{old}.*": f"model.{side}.layers.{{}}.{new}.*" for old, new in inner.items()}
    rules |= {
        f"{body}.transformer.level_embed": "model.level_embed",
        f"{body}.transformer.reference_points.*": "model.reference_points.*",
        f"{body}.query_embed.weight": "model.query_position_embeddings.weight",
        f"{body}.input_proj.{{}}.{{}}.*": "model.input_proj.{}.{}.*",
        "detr.controller.layers.{}.*": "mask_head.controller.layers.{}.*",
        "detr.reid_embed_head.layers.{}.*": "identity.mlp.layers.{}.*",
    }
    for head in ("class_embed", "bbox_embed"):
        rules[f"{body}.{head}.{{}}.*"] = f"{head}.{{}}.*"
        rules[f"{body}.transformer.decoder.{head}.{{}}.*"] = f"{head}.{{}}.*"
    layers = {"lay3": "coarse", "lay4": "middle", "dcn": "fine", "lay1": "squeeze", "lay2": "project"}
    rules |= {f"detr.mask_head.{old}.*": f"mask_head.{new}.*" for old, new in layers.items()}
    return KeyMap(rules)


def split_idol(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state with the joined projections of the decoder's self-attention apart, as transformers has them.

    Raises:
        WeightsError: a joined projection is not three of equal size.
    """
    split: dict[str, Tensor] = {}
    for name, tensor in state.items():
        head, joined, kind = name.partition("self_attn.in_proj_")
        if not joined:
            split[name] = tensor
        elif tensor.shape[0] % 3:
            raise WeightsError(f"`{name}` should hold three projections, got shape {tuple(tensor.shape)}")
        else:
            split |= {f"{head}self_attn.{p}_proj.{kind}": part for p, part in zip("qkv", tensor.chunk(3), strict=True)}
    return split


def load_idol(network: OmniTrackerNetwork, state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Fills a network of the configuration "idol" in place; returns names of ours that keep their values.

    Raises:
        ConfigError: the network's backbone is not a ResNet.
        WeightsError: a name or shape that does not fit, NaN or infinity; nothing is changed then.
    """
    if network.config.backbone.kind != "resnet":
        raise ConfigError(f"IDOL's backbone here is a ResNet and does not fit {network.config.backbone}")
    renamed, unknown = translate(split_idol(state), idol_map(network.config))
    ours = network.state_dict()
    wanted = {name: tensor for name, tensor in ours.items() if not name.startswith(("target_embed.", "enhancement."))}
    report = compare_tensors(renamed, wanted, unknown)
    if not report.fits:
        raise WeightsError(f"this IDOL checkpoint does not fit: {report}")
    check_finite(network, renamed, "the IDOL checkpoint")
    network.load_state_dict({**ours, **renamed}, strict=True)
    return tuple(name for name in ours if name not in renamed)
