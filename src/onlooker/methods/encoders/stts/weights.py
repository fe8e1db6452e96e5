"""Names of released checkpoints to ours: SlowFast's layout for MViT, mmaction's for Video-Swin, torchvision's for both.

All three go through one map per backbone, so whichever file is at hand loads by `build("stts", weights=...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor

from onlooker.errors import WeightsError
from onlooker.methods.encoders.stts.config import SttsConfig
from onlooker.methods.encoders.stts.model import Stts
from onlooker.weights.keys import KeyMap, KeyReport, translate
from onlooker.weights.load import check_finite, compare_tensors

SCORER_RULES: Mapping[str, str] = MappingProxyType(
    {
        "score_network.in_conv.*": "scorer.inner.*",
        "score_network.out_conv.*": "scorer.outer.*",
    }
)
"""One selector of the official code to one of ours."""

_MVIT_RULES: Mapping[str, str] = MappingProxyType(
    {
        # SlowFast's layout, the released one
        "cls_token": "backbone.pos_encoding.class_token",
        "pos_embed_spatial": "backbone.pos_encoding.spatial_pos",
        "pos_embed_temporal": "backbone.pos_encoding.temporal_pos",
        "pos_embed_class": "backbone.pos_encoding.class_pos",
        "patch_embed.proj.*": "backbone.conv_proj.*",
        "blocks.{}.attn.qkv.*": "backbone.blocks.{}.attn.qkv.*",
        "blocks.{}.attn.proj.*": "backbone.blocks.{}.attn.project.0.*",
        "blocks.{}.attn.pool_q.weight": "backbone.blocks.{}.attn.pool_q.pool.weight",
        "blocks.{}.attn.pool_k.weight": "backbone.blocks.{}.attn.pool_k.pool.weight",
        "blocks.{}.attn.pool_v.weight": "backbone.blocks.{}.attn.pool_v.pool.weight",
        "blocks.{}.attn.norm_q.*": "backbone.blocks.{}.attn.pool_q.norm_act.0.*",
        "blocks.{}.attn.norm_k.*": "backbone.blocks.{}.attn.pool_k.norm_act.0.*",
        "blocks.{}.attn.norm_v.*": "backbone.blocks.{}.attn.pool_v.norm_act.0.*",
        "blocks.{}.mlp.fc1.*": "backbone.blocks.{}.mlp.0.*",
        "blocks.{}.mlp.fc2.*": "backbone.blocks.{}.mlp.3.*",
        "blocks.{}.norm1.*": "backbone.blocks.{}.norm1.*",
        "blocks.{}.norm2.*": "backbone.blocks.{}.norm2.*",
        "blocks.{}.proj.*": "backbone.blocks.{}.project.*",
        "norm.*": "backbone.norm.*",
        "head.projection.*": "classifier.*",
        "time_score_predictor.0.score_network.in_conv.*": "backbone.frame_selector.scorer.inner.*",
        "time_score_predictor.0.score_network.out_conv.*": "backbone.frame_selector.scorer.outer.*",
        "space_score_predictor.0.score_network.in_conv.*": "backbone.region_selector.scorer.inner.*",
        "space_score_predictor.0.score_network.out_conv.*": "backbone.region_selector.scorer.outer.*",
        # torchvision's layout, where it differs
        "conv_proj.*": "backbone.conv_proj.*",
        "pos_encoding.*": "backbone.pos_encoding.*",
        "blocks.{}.*": "backbone.blocks.{}.*",
        "head.1.*": "classifier.*",
    }
)

_SWIN_BACKBONE_RULES: Mapping[str, str] = MappingProxyType(
    {
        # mmaction's layout: a merger of stage i stands behind it, so stages are the even parts of ours
        "patch_embed.*": "backbone.patch_embed.*",
        "layers.0.blocks.{}.mlp.fc1.*": "backbone.features.0.{}.mlp.0.*",
        "layers.0.blocks.{}.mlp.fc2.*": "backbone.features.0.{}.mlp.3.*",
        "layers.0.blocks.{}.*": "backbone.features.0.{}.*",
        "layers.0.downsample.*": "backbone.features.1.*",
        "layers.1.blocks.{}.mlp.fc1.*": "backbone.features.2.{}.mlp.0.*",
        "layers.1.blocks.{}.mlp.fc2.*": "backbone.features.2.{}.mlp.3.*",
        "layers.1.blocks.{}.*": "backbone.features.2.{}.*",
        "layers.1.downsample.*": "backbone.features.3.*",
        "layers.2.blocks.{}.mlp.fc1.*": "backbone.features.4.{}.mlp.0.*",
        "layers.2.blocks.{}.mlp.fc2.*": "backbone.features.4.{}.mlp.3.*",
        "layers.2.blocks.{}.*": "backbone.features.4.{}.*",
        "layers.2.downsample.*": "backbone.features.5.*",
        "layers.3.blocks.{}.mlp.fc1.*": "backbone.features.6.{}.mlp.0.*",
        "layers.3.blocks.{}.mlp.fc2.*": "backbone.features.6.{}.mlp.3.*",
        "layers.3.blocks.{}.*": "backbone.features.6.{}.*",
        "norm.*": "backbone.norm.*",
        "time_score_predictor.0.score_network.in_conv.*": "backbone.frame_selector.scorer.inner.*",
        "time_score_predictor.0.score_network.out_conv.*": "backbone.frame_selector.scorer.outer.*",
    }
)

_SWIN_RULES: Mapping[str, str] = MappingProxyType(
    {
        # mmaction saves the backbone alone, or inside a recogniser
        **_SWIN_BACKBONE_RULES,
        **{f"backbone.{official}": ours for official, ours in _SWIN_BACKBONE_RULES.items()},
        "cls_head.fc_cls.*": "classifier.*",
        # torchvision's layout, where it differs
        "features.*": "backbone.features.*",
        "head.*": "classifier.*",
    }
)

# Some original MViT checkpoints keep the three apart; here they are one layer.
_FUSED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "blocks.{}.attn.qkv.weight": (
            "blocks.{}.attn.q.weight",
            "blocks.{}.attn.k.weight",
            "blocks.{}.attn.v.weight",
        ),
        "blocks.{}.attn.qkv.bias": ("blocks.{}.attn.q.bias", "blocks.{}.attn.k.bias", "blocks.{}.attn.v.bias"),
    }
)

# SlowFast keeps leading dimensions of 1 for broadcasting; torchvision does not.
_TRANSFORMS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "backbone.pos_encoding.class_token": lambda token: token.reshape(-1),
        "backbone.pos_encoding.class_pos": lambda token: token.reshape(-1),
        "backbone.pos_encoding.spatial_pos": lambda table: table.reshape(-1, table.shape[-1]),
        "backbone.pos_encoding.temporal_pos": lambda table: table.reshape(-1, table.shape[-1]),
    }
)


def key_map(config: SttsConfig) -> KeyMap:
    """The map of the configuration's backbone; released, unpruned and torchvision files go through the same."""
    if config.mvit is not None:
        return KeyMap(rules=_MVIT_RULES, fused=_FUSED, transforms=_TRANSFORMS)
    return KeyMap(rules=_SWIN_RULES)


def load_unpruned(network: Stts, state: Mapping[str, Tensor], source: str) -> None:
    """Fills all but the scorers from an unpruned checkpoint, the start of training; scorers stay as they are.

    Args:
        network: filled in place. A classifier of another number of classes is an error: build the network with the
            checkpoint's, or without one.
        state: in any layout that `key_map` knows, or ours.
        source: for messages.

    Raises:
        WeightsError: a key or shape that does not fit, NaN or infinity; nothing is changed then.
    """
    scorers = network.scorer_parameters()
    wanted = {name: value for name, value in network.state_dict().items() if name not in scorers}
    unknown: tuple[str, ...] = ()
    if len(set(state) & set(wanted)) < len(wanted) / 2:  # not our layout, not even one with a hole
        state, unknown = translate(state, key_map(network.config))
    report: KeyReport = compare_tensors(state, wanted, unknown)
    if not report.fits:
        raise WeightsError(f"the unpruned weights in `{source}` do not fit `{type(network).__name__}`: {report}")
    check_finite(network, state, source)
    network.load_state_dict({**state, **{name: value.detach() for name, value in scorers.items()}}, strict=True)


def load_torchvision(network: Stts, *, progress: bool = False) -> None:
    """Fills all but the scorers with torchvision's Kinetics-400 weights (downloaded on first use).

    Raises:
        WeightsError: the network is not MViT-B 16x4 or Video-Swin-B with 400 classes.
    """
    from torchvision.models.video import MViT_V1_B_Weights, Swin3D_B_Weights

    weights = (
        MViT_V1_B_Weights.KINETICS400_V1
        if network.config.mvit is not None
        else Swin3D_B_Weights.KINETICS400_IMAGENET22K_V1
    )
    load_unpruned(network, weights.get_state_dict(progress=progress, check_hash=True), str(weights.url))
