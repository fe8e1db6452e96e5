"""Deformable DETR (Zhu et al. 2021) in its parts, so that something can stand between its pyramid and its encoder.

The modules are transformers'; its own forward has no place for a change of the pyramid, so they are called here one by
one. Box and class heads belong to the network around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import (
    DeformableDetrConfig,
    DeformableDetrModel,
    PretrainedConfig,
    ResNetConfig,
    SwinConfig,
    TimmBackboneConfig,
)
from transformers.models.deformable_detr.modeling_deformable_detr import (
    DeformableDetrFrozenBatchNorm2d,
    inverse_sigmoid,
)

from onlooker.methods.trackers.omnitracker.config import BackboneConfig, DetectorConfig
from onlooker.methods.trackers.omnitracker.enhancement import Pyramid
from onlooker.methods.trackers.omnitracker.mask_head import Mlp
from onlooker.nn.timm_pyramid import TimmPyramid

_STAGES = ["stage2", "stage3", "stage4"]
_FROZEN = ("embedder.", "encoder.stages.0.")  # of a ResNet with pretrained statistics, as in DETR
_GROUPS = 8


@dataclass(frozen=True)
class Decoded:
    """What L decoder layers say about B frames.

    Attributes:
        logits: (L, B, Q, C) of classes.
        target_logits: (L, B, Q) of being one of the followed objects.
        boxes: (L, B, Q, 4) cxcywh in parts of the frame.
        queries: (L, B, Q, d).
        points: (L, B, Q, 2) where each layer started to look, in parts of the frame.
        memory: encoder's maps (B, d, h, w) per level.
        proposal_logits, proposal_boxes: of a two-stage detector's encoder, (B, S, C) and (B, S, 4), else `None`.
    """

    logits: Tensor
    target_logits: Tensor
    boxes: Tensor
    queries: Tensor
    points: Tensor
    memory: tuple[Tensor, ...]
    proposal_logits: Tensor | None = None
    proposal_boxes: Tensor | None = None


@dataclass(frozen=True)
class Heads:
    """Heads by decoder layer. Layers share one where the detector does not refine boxes; a two-stage detector has one
    more, for proposals."""

    classes: nn.ModuleList
    targets: nn.ModuleList
    boxes: nn.ModuleList

    def at(self, layer: int) -> tuple[nn.Module, nn.Module, nn.Module]:
        """Class, target and box head of a layer."""
        return (
            self.classes[min(layer, len(self.classes) - 1)],
            self.targets[min(layer, len(self.targets) - 1)],
            self.boxes[min(layer, len(self.boxes) - 1)],
        )


def make_detector(backbone: BackboneConfig, config: DetectorConfig) -> DeformableDetrModel:
    """The modules with random weights."""
    # Made first: it checks name and widths.
    timms = None if backbone.timm is None else TimmPyramid(backbone.timm, backbone.widths, first=1)
    model = DeformableDetrModel(transformers_config(backbone, config))
    if timms is not None:
        # transformers exchanges batch norms for its own and drops the activations that timm's hold.
        model.backbone.model = timms
    # transformers makes this one on the CPU whatever device is asked for.
    model.level_embed = nn.Parameter(torch.randn(config.levels, config.dim))
    # transformers freezes by names that fit another library's backbones.
    for name, parameter in model.backbone.model.named_parameters():
        parameter.requires_grad_(not (backbone.norm == "frozen_batch" and name.startswith(_FROZEN)))
    if backbone.kind == "resnet" and backbone.norm == "group":
        _replace_norms(model.backbone)
    return model


def make_heads(config: DetectorConfig) -> Heads:
    """Class, target and box heads with DETR's initial values: rare objects, boxes where the query starts."""
    count = (config.decoder_layers if config.box_refine else 1) + config.two_stage
    classes = [nn.Linear(config.dim, config.classes) for _ in range(count)]
    targets = [nn.Linear(config.dim, 1) for _ in range(config.decoder_layers if config.box_refine else 1)]
    boxes = [Mlp(config.dim, config.dim, config.dim, 4) for _ in range(count)]
    prior = -math.log((1 - 0.01) / 0.01)
    for head in (*classes, *targets):
        nn.init.constant_(head.bias, prior)
    for number, box_head in enumerate(boxes):
        last = box_head.linears[-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        if number == 0 or not config.box_refine:
            nn.init.constant_(last.bias[2:], -2.0)
    return Heads(nn.ModuleList(classes), nn.ModuleList(targets), nn.ModuleList(boxes))


def transformers_config(backbone: BackboneConfig, config: DetectorConfig) -> DeformableDetrConfig:
    """The same sizes in transformers' terms."""
    return DeformableDetrConfig(
        backbone_config=_backbone_config(backbone),
        d_model=config.dim,
        num_queries=config.queries,
        two_stage_num_proposals=config.queries,
        encoder_layers=config.encoder_layers,
        decoder_layers=config.decoder_layers,
        encoder_attention_heads=config.heads,
        decoder_attention_heads=config.heads,
        encoder_ffn_dim=config.hidden,
        decoder_ffn_dim=config.hidden,
        encoder_n_points=config.points,
        decoder_n_points=config.points,
        num_feature_levels=config.levels,
        with_box_refine=config.box_refine,
        two_stage=config.two_stage,
        dropout=config.dropout,
        num_labels=config.classes,
    )


def encode(model: DeformableDetrModel, frames: Tensor, frame_valid: Tensor) -> Pyramid:
    """(B, 3, H, W) frames and (B, H, W) bool, False on padding, to projected maps f_t."""
    found = model.backbone(frames, frame_valid)
    maps = [model.input_proj[number](feature) for number, (feature, _) in enumerate(found)]
    valid = [mask for _, mask in found]
    for number in range(len(maps), model.config.num_feature_levels):
        # The first added level reads the backbone, each later one the level before.
        source = found[-1][0] if number == len(found) else maps[-1]
        maps.append(model.input_proj[number](source))
        small = nn.functional.interpolate(frame_valid[None].to(frames.dtype), size=maps[-1].shape[-2:])
        valid.append(small[0].to(torch.bool))
    return Pyramid(tuple(maps), tuple(valid))


def decode(model: DeformableDetrModel, heads: Heads, pyramid: Pyramid) -> Decoded:
    """Encoder, decoder and heads over a pyramid."""
    tokens, places, masks = [], [], []
    for number, (level, valid) in enumerate(zip(pyramid.maps, pyramid.valid, strict=True)):
        place = model.position_embedding(shape=level.shape, device=level.device, dtype=level.dtype, mask=valid)
        tokens.append(level.flatten(2).transpose(1, 2))  # (B, h*w, d)
        places.append(place.flatten(2).transpose(1, 2) + model.level_embed[number])
        masks.append(valid.flatten(1))
    sizes = [(level.shape[2], level.shape[3]) for level in pyramid.maps]
    areas = [height * width for height, width in sizes]
    starts = [sum(areas[:number]) for number in range(len(areas))]
    ratios = torch.stack([model.get_valid_ratio(valid, dtype=tokens[0].dtype) for valid in pyramid.valid], 1)
    shared = {
        "spatial_shapes": torch.tensor(sizes, device=ratios.device),
        "spatial_shapes_list": sizes,
        "level_start_index": torch.tensor(starts, device=ratios.device),
    }
    mask = torch.cat(masks, 1)  # (B, S)
    memory = model.encoder(
        inputs_embeds=torch.cat(tokens, 1),
        attention_mask=mask,
        spatial_position_embeddings=torch.cat(places, 1),
        valid_ratios=ratios,
        **shared,
    ).last_hidden_state  # (B, S, d)
    start = _start(model, heads, memory, mask, sizes)
    said = []
    hidden, reference = start.content, start.reference
    for number, layer in enumerate(model.decoder.layers):
        scale = ratios if reference.shape[-1] == 2 else torch.cat([ratios, ratios], -1)
        hidden = layer(
            hidden,
            object_queries_position_embeddings=start.place,
            reference_points=reference[:, :, None] * scale[:, None],
            encoder_hidden_states=memory,
            encoder_attention_mask=mask,
            **shared,
        )
        classes, targets, boxes = heads.at(number)
        box = _boxes(boxes(hidden), reference)
        said.append((classes(hidden), targets(hidden)[..., 0], box, hidden, reference[..., :2]))
        if model.config.with_box_refine:
            reference = box.detach()
    maps = [part.transpose(1, 2).unflatten(2, size) for part, size in zip(memory.split(areas, 1), sizes, strict=True)]
    logits, target_logits, found, queries, points = (torch.stack(part) for part in zip(*said, strict=True))
    return Decoded(
        logits, target_logits, found, queries, points, tuple(maps), start.proposal_logits, start.proposal_boxes
    )


@dataclass(frozen=True)
class _Start:
    """Where the decoder starts: (B, Q, d) content and place of queries, (B, Q, 2 or 4) reference."""

    content: Tensor
    place: Tensor
    reference: Tensor
    proposal_logits: Tensor | None = None
    proposal_boxes: Tensor | None = None


def _start(
    model: DeformableDetrModel, heads: Heads, memory: Tensor, mask: Tensor, sizes: list[tuple[int, int]]
) -> _Start:
    dim = memory.shape[-1]
    if not model.config.two_stage:
        place, content = model.query_position_embeddings.weight.split(dim, 1)
        place, content = (part[None].expand(len(memory), -1, -1) for part in (place, content))
        return _Start(content, place, model.reference_points(place).sigmoid())
    asked, proposals = model.gen_encoder_output_proposals(memory, ~mask, sizes)
    logits = heads.classes[-1](asked)  # (B, S, C)
    coordinates = heads.boxes[-1](asked) + proposals
    count = min(model.config.two_stage_num_proposals, logits.shape[1])
    best = logits[..., 0].topk(count, dim=1).indices  # the first class says "object" there
    chosen = coordinates.gather(1, best[..., None].expand(-1, -1, 4)).detach()
    embedded = model.pos_trans_norm(model.pos_trans(model.get_proposal_pos_embed(chosen)))
    place, content = embedded.split(dim, 2)
    return _Start(content, place, chosen.sigmoid(), logits, coordinates.sigmoid())


def _boxes(change: Tensor, reference: Tensor) -> Tensor:
    """(B, Q, 4) boxes: the head's change added to where the layer started."""
    start: Tensor = inverse_sigmoid(reference)
    if start.shape[-1] == 2:
        start = torch.cat([start, torch.zeros_like(start)], -1)
    return (change + start).sigmoid()


def _backbone_config(config: BackboneConfig) -> PretrainedConfig:
    if config.kind == "swin":
        return SwinConfig(
            embed_dim=config.stem,
            depths=list(config.depths),
            num_heads=list(config.heads),
            window_size=config.window,
            out_features=_STAGES,
        )
    if config.timm is not None:
        return TimmBackboneConfig(backbone=config.timm, out_indices=[-3, -2, -1])
    return ResNetConfig(
        embedding_size=config.stem,
        hidden_sizes=list(config.widths),
        depths=list(config.depths),
        layer_type=config.layer,
        out_features=_STAGES,
    )


def _replace_norms(module: nn.Module) -> None:
    """Group normalisation in place of frozen statistics."""
    for name, child in module.named_children():
        if isinstance(child, DeformableDetrFrozenBatchNorm2d):
            setattr(module, name, nn.GroupNorm(_GROUPS, child.weight.shape[0]))
        else:
            _replace_norms(child)
