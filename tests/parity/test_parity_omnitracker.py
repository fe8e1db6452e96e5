"""OmniTracker against its sources: the identity loss (`../shared/goldens/tracking`), transformers' Deformable DETR, and
IDOL's layout written from its own modules."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import DeformableDetrConfig, DeformableDetrForObjectDetection, ResNetConfig

from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.trackers.omnitracker.config import CONFIGS, EnhancementConfig, IdentityConfig, OmniTrackerConfig
from onlooker.methods.trackers.omnitracker.identity import contrastive_loss
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork
from onlooker.methods.trackers.omnitracker.weights import from_deformable_detr, idol_map, key_map, load_idol
from onlooker.weights.load import load_state

pytestmark = pytest.mark.parity
GOLDEN = Path(__file__).parents[3] / "shared" / "goldens" / "tracking" / "reid_contrastive.pt"
TOLERANCE = 1e-5
SMALL_PARTS = OmniTrackerConfig(
    enhancement=EnhancementConfig(heads=4, hidden=32), identity=IdentityConfig(dim=16), short_side=64, long_side=128
)


def detector(seed: int = 0, **options: object) -> DeformableDetrForObjectDetection:
    """A small random one whose heads say something everywhere."""
    backbone = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    values: dict[str, object] = {
        "backbone_config": backbone, "d_model": 32, "encoder_layers": 2, "decoder_layers": 3, "num_queries": 9,
        "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
        "two_stage_num_proposals": 9, "num_labels": 5,
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = DeformableDetrForObjectDetection(DeformableDetrConfig(**{**values, **options})).eval()
        with torch.no_grad():
            for tensor in model.state_dict().values():
                if tensor.is_floating_point():
                    tensor.add_(0.05 * torch.randn_like(tensor).abs())
    return model


def pictures(seed: int = 1) -> Tensor:
    return torch.randn(2, 3, 70, 101, generator=torch.Generator().manual_seed(seed))


def assert_near(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max().item() <= TOLERANCE * max(1.0, expected.abs().max().item())


def test_identity_loss_is_that_of_the_golden_file() -> None:
    if not GOLDEN.is_file():
        pytest.skip("the golden tensors of the identity loss are not here")
    golden = torch.load(GOLDEN, weights_only=True)
    positive = golden["label"].bool()[None]
    found = contrastive_loss(golden["key"], golden["ref"], positive, ~positive)
    assert found.tolist() == pytest.approx([float(golden["loss"])], abs=TOLERANCE)


@pytest.mark.parametrize("boxes", [None, [[3.0, 4.0, 40.0, 50.0], [60.0, 10.0, 90.0, 30.0]]], ids=["map", "boxes"])
@pytest.mark.parametrize("kind", [{}, {"with_box_refine": True}, {"with_box_refine": True, "two_stage": True}], ids=str)
def test_a_detector_keeps_its_outputs_inside(kind: dict[str, bool], boxes: list[list[float]] | None) -> None:
    model = detector(**kind)
    network, fresh = from_deformable_detr(model, SMALL_PARTS)
    assert all(name.startswith(("enhancement.", "mask_head.", "identity.", "target_embed.")) for name in fresh)
    given = None if boxes is None else torch.tensor(boxes).expand(2, -1, -1)
    with torch.no_grad():
        expected = model(pictures())
        found = network(pictures(), pictures(2), given).decoded
    assert_near(found.logits[-1], expected.logits)
    assert_near(found.boxes[-1], expected.pred_boxes)
    assert_near(found.queries.transpose(0, 1)[:, -1], expected.last_hidden_state)


def test_a_detector_keeps_its_outputs_on_padded_frames() -> None:
    model = detector(with_box_refine=True)
    network = from_deformable_detr(model, SMALL_PARTS).network
    real = torch.ones(2, 70, 101, dtype=torch.bool)
    real[1, 50:] = real[1, :, 64:] = False
    with torch.no_grad():
        expected = model(pictures(), pixel_mask=real.long())
        found = network(pictures(), pictures(2), frame_valid=real).decoded
    assert_near(found.logits[-1], expected.logits)
    assert_near(found.boxes[-1], expected.pred_boxes)


def test_a_trained_enhancement_changes_what_the_detector_says() -> None:
    network = from_deformable_detr(detector(), SMALL_PARTS).network
    assert network.enhancement is not None
    with torch.no_grad():
        before = network(pictures(), pictures(2)).decoded.logits
        network.enhancement.blocks[0].output.weight.normal_(generator=torch.Generator().manual_seed(0))
        after = network(pictures(), pictures(2)).decoded.logits
    assert (after - before).abs().max() > 1e-3


def test_old_names_of_transformers_are_read() -> None:
    model = detector(with_box_refine=True)
    network = from_deformable_detr(model, SMALL_PARTS).network
    renamed = {}
    for name, tensor in network.state_dict().items():
        for new, old in ((".mlp.fc", ".fc"), ("self_attn.o_proj", "self_attn.out_proj")):
            if name.startswith("model."):
                name = name.replace(new, old)
        renamed[name] = tensor
    target = OmniTrackerNetwork(network.config)
    load_state(target, renamed, key_map(network.config), "old")
    assert all(tensor.equal(network.state_dict()[name]) for name, tensor in target.state_dict().items())


@pytest.mark.slow
def test_the_default_detector_with_a_resnet_of_timm_keeps_its_outputs() -> None:
    torch.manual_seed(0)
    model = DeformableDetrForObjectDetection(DeformableDetrConfig(num_labels=91)).eval()
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(40.1e6, rel=0.005)
    network = from_deformable_detr(model).network
    picture = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = model(picture), network(picture).decoded
    assert_near(found.logits[-1], expected.logits)
    assert_near(found.boxes[-1], expected.pred_boxes)


def test_another_backbone_is_refused_by_name() -> None:
    model = detector()
    model.config.backbone_config.model_type = "convnext"
    with pytest.raises(ConfigError, match="`convnext`"):
        from_deformable_detr(model)


def test_idol_names_fill_everything_but_the_contributions() -> None:
    """Names by the map backwards, projections joined as IDOL's attention has them."""
    with torch.device("meta"):
        ours = OmniTrackerNetwork(CONFIGS["idol"]).state_dict()
    key = idol_map(CONFIGS["idol"])
    unreached = [name for name in ours if not key.theirs(name)]
    assert all(name.startswith("target_embed.") for name in unreached)


def test_an_idol_checkpoint_loads_and_a_cut_one_is_refused() -> None:
    config = from_deformable_detr(detector(with_box_refine=True), CONFIGS["idol"]).network.config
    source, target = OmniTrackerNetwork(config), OmniTrackerNetwork(config)
    state = _as_idol(source)
    kept = load_idol(target, state)
    assert all(name.startswith("target_embed.") for name in kept)
    got = target.state_dict()
    assert all(got[name].equal(tensor) for name, tensor in source.state_dict().items() if name not in kept)
    state.pop(next(name for name in state if "lay3" in name))
    with pytest.raises(WeightsError, match=r"mask_head\.coarse"):
        load_idol(target, state)


def _as_idol(network: OmniTrackerNetwork) -> dict[str, Tensor]:
    key, state = idol_map(network.config), {}
    for name, tensor in network.state_dict().items():
        theirs = key.theirs(name)
        if theirs:
            state[theirs[0]] = tensor
    for name in [name for name in state if "self_attn.q_proj" in name]:
        parts = [state.pop(name.replace("q_proj.", f"{p}_proj.")) for p in "qkv"]
        state[name.replace("q_proj.", "in_proj_")] = torch.cat(parts)
    return state


def test_a_detector_does_not_fill_a_backbone_of_timms() -> None:
    with pytest.raises(ConfigError, match="does not fill timm's `tf_efficientnet_lite0`"):
        from_deformable_detr(detector(), CONFIGS["tiny-imagenet"])
