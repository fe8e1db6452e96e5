"""Names of tensors: the release's to ours, and our own for the paper's network, of which no weights are public."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor, nn

from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.forensics.objectformer.config import ObjectFormerConfig
from onlooker.methods.forensics.objectformer.model import ObjectFormer, TrunkEmbedding
from onlooker.weights.keys import KeyMap
from onlooker.weights.load import check_finite, compare_tensors

_RELEASED: Mapping[str, str] = MappingProxyType(
    {
        "obj_queries": "prototypes",
        "conv1.weight": "stem.conv.weight",
        "norm1.*": "stem.norm.*",
        "layer_{}.rpn_qpos": "stages.{}.query_offset",
        "layer_{}.rpn_kpos": "stages.{}.key_offset",
        "layer_{}.proj.to_token.*": "stages.{}.embed.depthwise.*",
        "layer_{}.proj.proj.weight": "stages.{}.embed.project.weight",
        "layer_{}.proj_norm.*": "stages.{}.embed.norm.*",
        "layer_{}.proj_token.0.weight": "stages.{}.carry.mix.weight",
        "layer_{}.proj_token.1.*": "stages.{}.carry.project.*",
        "layer_{}.proj_token.2.*": "stages.{}.carry.norm.*",
        "layer_{}.blocks.{}.encoder.enc_attn.*": "stages.{}.blocks.{}.encoder.attention.*",
        "layer_{}.blocks.{}.encoder.reason.*": "stages.{}.blocks.{}.encoder.mixing.*",
        "layer_{}.blocks.{}.encoder.enc_ffn.*": "stages.{}.blocks.{}.encoder.ffn.*",
        "layer_{}.blocks.{}.decoder.attn1.*": "stages.{}.blocks.{}.decoder.look_up.*",
        "layer_{}.blocks.{}.decoder.attn2.*": "stages.{}.blocks.{}.decoder.look_around.*",
        "layer_{}.blocks.{}.decoder.rel_pos.*": "stages.{}.blocks.{}.decoder.positions.*",
        "layer_{}.blocks.{}.decoder.ffn1.*": "stages.{}.blocks.{}.decoder.ffn1.*",
        "layer_{}.blocks.{}.decoder.ffn2.*": "stages.{}.blocks.{}.decoder.ffn2.*",
        "layer_{}.last_enc.enc_attn.*": "stages.{}.final_encoder.attention.*",
        "layer_{}.last_enc.reason.*": "stages.{}.final_encoder.mixing.*",
        "localizer_{}.deconv1.conv.*": "mask_heads.{}.up1.*",
        "localizer_{}.conv1.0.*": "mask_heads.{}.narrow.*",
        "localizer_{}.deconv2.conv.*": "mask_heads.{}.up2.*",
        "localizer_{}.conv2.1.*": "mask_heads.{}.out.*",
        "last_fc.*": "classifier.*",
    }
)

_PAPER: Mapping[str, str] = MappingProxyType(
    {
        "prototypes": "prototypes",
        **{f"{part}.*": f"{part}.*" for part in ("embeddings", "layers", "mask_head", "classifier")},
    }
)


def key_map(config: ObjectFormerConfig) -> KeyMap:
    """Released checkpoints to ours, or ours to ours for the paper's network. A training checkpoint of the release
    keeps its tensors under `model_state`, its ImageNet start under `state_dict`; both are opened."""
    return KeyMap(_PAPER if config.released is None else _RELEASED)


def load_trunk(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Fills the convolutions of every stream with a trained EfficientNet-B4, the start of the paper's training.

    Args:
        network: the paper's, with that trunk; filled in place.
        state: names as timm gives them (`tf_efficientnet_b4`); its later blocks, which are not used, are left out.
        source: for messages.

    Raises:
        ConfigError: the network has no such trunk.
        WeightsError: a key is missing or has another shape, or values are not finite; nothing is changed then.
    """
    streams = list(network.embeddings) if isinstance(network, ObjectFormer) else []
    if not streams or not all(isinstance(stream, TrunkEmbedding) for stream in streams):
        raise ConfigError('a trunk belongs to the paper\'s network with `embedding` "efficientnet_b4"')
    trunks = [stream.trunk for stream in streams if isinstance(stream, TrunkEmbedding)]
    wanted = trunks[0].state_dict()
    found = {name: tensor for name, tensor in state.items() if name in wanted}
    report = compare_tensors(found, wanted)
    if not report.fits:
        raise WeightsError(f"the trunk in `{source}` does not fit EfficientNet-B4: {report}")
    check_finite(trunks[0], found, source)
    for trunk in trunks:
        trunk.load_state_dict(found, strict=True)
