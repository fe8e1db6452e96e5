"""The branch that looks: a Mask2Former whose backbone is the one of the whole network.

The network is transformers' (2112.01527); here its parts are called one by one, so that backbone stages and the pixel
decoder's maps can be used by the memory branch, and its class head can be left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import Mask2FormerConfig, Mask2FormerModel, ResNetConfig, TimmBackboneConfig

from onlooker.methods.trackers.isvos.config import BackboneConfig, InstanceConfig, Norm
from onlooker.methods.trackers.isvos.layers import adapt_norm_, resnet_config
from onlooker.nn.timm_pyramid import TimmPyramid, timms_name


@dataclass(frozen=True)
class InstanceView:
    """What the branch says about B pictures of H x W pixels.

    Attributes:
        queries: (B, N, d), one per proposal.
        pyramid: pixel decoder's maps (B, d, h, w) at strides 16 and 8.
        pixel_embedding: (B, d, H/4, W/4).
        mask_logits: of every prediction, (B, N, H/4, W/4) each, the last one last.
        class_logits: likewise (B, N, classes + 1), "no object" last; empty when the head was left out.
    """

    queries: Tensor
    pyramid: tuple[Tensor, Tensor]
    pixel_embedding: Tensor
    mask_logits: tuple[Tensor, ...]
    class_logits: tuple[Tensor, ...]


class InstanceBranch(nn.Module):
    """Mask2Former in its parts.

    Args:
        backbone: shared by both branches.
        config: of the branch itself.
        norm: of the backbone, where it is a ResNet.
    """

    def __init__(self, backbone: BackboneConfig, config: InstanceConfig, norm: Norm) -> None:
        super().__init__()
        # Made first: it checks name and widths.
        timms = None if backbone.timm is None else TimmPyramid(backbone.timm, backbone.widths)
        self.model = Mask2FormerModel(mask2former_config(backbone, config))
        if timms is None:
            adapt_norm_(self.model.pixel_level_module.encoder, norm)
        else:
            self.model.pixel_level_module.encoder = timms
        # transformers makes this one on the CPU whatever device is asked for.
        self.model.pixel_level_module.decoder.level_embed = nn.Parameter(torch.randn(3, config.dim))
        self.class_predictor = nn.Linear(config.dim, config.classes + 1)

    @property
    def backbone(self) -> nn.Module:
        """What both branches look with."""
        encoder: nn.Module = self.model.pixel_level_module.encoder
        return encoder

    def stages(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Backbone features at strides 4, 8, 16 and 32 of (B, 3, H, W)."""
        maps = self.backbone(pictures)
        return tuple(maps if isinstance(self.backbone, TimmPyramid) else maps.feature_maps)

    def forward(self, stages: tuple[Tensor, ...], heads: bool) -> InstanceView:
        """Proposals from backbone features; `heads` says whether their classes are wanted."""
        pixels = self.model.pixel_level_module.decoder(stages)
        found = self.model.transformer_module(
            multi_scale_features=pixels.multi_scale_features,
            mask_features=pixels.mask_features,
            output_hidden_states=heads,
        )
        classes = found.intermediate_hidden_states if heads else ()  # (N, B, d) each
        _, at_16, at_8 = pixels.multi_scale_features
        return InstanceView(
            queries=found.last_hidden_state,
            pyramid=(at_16, at_8),
            pixel_embedding=pixels.mask_features,
            mask_logits=tuple(found.masks_queries_logits),
            class_logits=tuple(self.class_predictor(states.transpose(0, 1)) for states in classes),
        )


def mask2former_config(backbone: BackboneConfig, config: InstanceConfig) -> Mask2FormerConfig:
    """The same sizes in transformers' terms."""
    return Mask2FormerConfig(
        backbone_config=_backbone_config(backbone),
        feature_size=config.dim,
        mask_feature_size=config.dim,
        hidden_dim=config.dim,
        encoder_feedforward_dim=config.encoder_hidden,
        encoder_layers=config.encoder_layers,
        decoder_layers=config.decoder_layers,
        num_attention_heads=config.heads,
        dim_feedforward=config.decoder_hidden,
        num_queries=config.queries,
        num_labels=config.classes,
    )


def _backbone_config(backbone: BackboneConfig) -> ResNetConfig | TimmBackboneConfig:
    if backbone.timm is None:
        return resnet_config(backbone)
    return TimmBackboneConfig(backbone=timms_name(backbone.timm), out_indices=[-4, -3, -2, -1])


def sizes_of(config: Mask2FormerConfig) -> tuple[BackboneConfig, InstanceConfig]:
    """Our sizes of a transformers configuration with a ResNet backbone."""
    resnet = cast("Any", config.backbone_config)
    backbone = BackboneConfig(
        resnet.layer_type, resnet.embedding_size, tuple(resnet.hidden_sizes), tuple(resnet.depths)
    )
    instances = InstanceConfig(
        dim=config.hidden_dim,
        queries=config.num_queries,
        classes=config.num_labels,
        encoder_layers=config.encoder_layers,
        decoder_layers=config.decoder_layers,
        heads=config.num_attention_heads,
        encoder_hidden=config.encoder_feedforward_dim,
        decoder_hidden=config.dim_feedforward,
    )
    return backbone, instances
