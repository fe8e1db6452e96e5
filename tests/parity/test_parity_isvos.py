"""ISVOS against its sources: XMem's memory functions (`../shared/goldens/tracking`), transformers' Mask2Former, and a
plain restatement of XMem on torchvision's ResNets."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet
from transformers import Mask2FormerForUniversalSegmentation

from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.trackers.isvos.config import (
    CONFIGS,
    BackboneConfig,
    InstanceConfig,
    IsvosConfig,
    MatchingConfig,
    Similarity,
)
from onlooker.methods.trackers.isvos.instances import mask2former_config
from onlooker.methods.trackers.isvos.layers import ResidualBlock
from onlooker.methods.trackers.isvos.memory import affinity, readout, similarity
from onlooker.methods.trackers.isvos.model import Isvos
from onlooker.methods.trackers.isvos.weights import from_mask2former, load_xmem

pytestmark = pytest.mark.parity
GOLDEN = Path(__file__).parents[3] / "shared" / "goldens" / "tracking" / "xmem_memory.pt"
TOLERANCE = 1e-5
SMALL = IsvosConfig(
    backbone=BackboneConfig("bottleneck", 64, (256, 512, 1024, 64), (3, 4, 6, 1)),
    instances=InstanceConfig(64, 5, 3, 1, 3, 4, 32, 32),
)
FRAMES = torch.randn(1, 3, 3, 64, 96, generator=torch.Generator().manual_seed(1))
MASKS = (torch.rand(1, 2, 64, 96, generator=torch.Generator().manual_seed(2)) > 0.6).float()


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    if not GOLDEN.is_file():
        pytest.skip("the golden tensors of XMem's memory are not here")
    stored = torch.load(GOLDEN, weights_only=True)
    return {name: value for name, value in stored.items() if isinstance(value, Tensor)}


def assert_near(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max().item() <= TOLERANCE * max(1.0, expected.abs().max().item())


def flat(golden: dict[str, Tensor], name: str) -> Tensor:
    return golden[name].flatten(2)


def test_similarity_plain(golden: dict[str, Tensor]) -> None:
    assert_near(similarity(flat(golden, "mk"), flat(golden, "qk")), golden["sim_l2"])


def test_similarity_with_shrinkage_and_selection(golden: dict[str, Tensor]) -> None:
    found = similarity(*(flat(golden, name) for name in ("mk", "qk", "ms", "qe")))
    assert_near(found, golden["sim_full"])


@pytest.mark.parametrize(("top_k", "name"), [(None, "aff_l2"), (5, "aff_top5")])
def test_affinity(golden: dict[str, Tensor], top_k: int | None, name: str) -> None:
    assert_near(affinity(golden["sim_l2"], top_k), golden[name])


def test_readout(golden: dict[str, Tensor]) -> None:
    expected = golden["readout_l2"]
    found = readout(golden["aff_l2"], flat(golden, "mv").unsqueeze(1))
    assert_near(found.view(expected.shape), expected)


def test_from_keys_and_values_to_readout(golden: dict[str, Tensor]) -> None:
    weights = affinity(similarity(flat(golden, "mk"), flat(golden, "qk")))
    assert_near(
        readout(weights, flat(golden, "mv").unsqueeze(1)).view(golden["readout_l2"].shape), golden["readout_l2"]
    )


@pytest.fixture(scope="module")
def mask2former() -> Mask2FormerForUniversalSegmentation:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = Mask2FormerForUniversalSegmentation(mask2former_config(SMALL.backbone, SMALL.instances))
        return shaken(model).eval()


def shaken(module: Any) -> Any:
    """Random statistics, gains and biases, so that a mixed-up tensor shows."""
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and tensor.ndim <= 1 and "criterion" not in name:
            tensor.add_(0.1 * torch.rand_like(tensor))
    return module


def test_instance_branch_equals_the_mask2former_it_came_from(mask2former: Mask2FormerForUniversalSegmentation) -> None:
    started = from_mask2former(mask2former, SMALL)
    pictures = FRAMES[0]
    with torch.no_grad():
        expected = mask2former(pictures, output_hidden_states=True)
        found = started.network.eval().look(pictures, heads=True)
    assert found.instances is not None
    assert_near(found.instances.queries, expected.transformer_decoder_last_hidden_state)
    assert_near(found.instances.class_logits[-1], expected.class_queries_logits)
    assert_near(found.instances.mask_logits[-1], expected.masks_queries_logits)
    assert_near(found.instances.pixel_embedding, expected.pixel_decoder_last_hidden_state)
    for ours, theirs in zip(found.stages, expected.encoder_hidden_states, strict=True):
        assert_near(ours, theirs)
    assert started.uninitialised
    assert not any(name.startswith("instances.") for name in started.uninitialised)


def test_other_backbones_are_refused(mask2former: Mask2FormerForUniversalSegmentation) -> None:
    from transformers import Mask2FormerConfig

    swin = Mask2FormerConfig()
    model = mask2former
    before, model.config = model.config, swin
    try:
        with pytest.raises(ConfigError, match="ResNet, got `swin`"):
            from_mask2former(model)
    finally:
        model.config = before
    with pytest.raises(ConfigError, match="does not fill timm's `tf_efficientnet_lite0`"):
        from_mask2former(model, CONFIGS["tiny-imagenet"])


class PlainXMem(nn.Module):
    """XMem restated from its description, with torchvision's ResNets and XMem's parameter names."""

    def __init__(self, channels: int = 5) -> None:
        super().__init__()
        self.key_encoder = trunk(resnet.resnet50(), 3, ("res2", "layer2", "layer3"))
        self.value_encoder = trunk(resnet.resnet18(), channels, ("layer1", "layer2", "layer3"))
        self.value_encoder.fuser = fuser(1024 + 256)
        self.value_encoder.hidden_reinforce = named(transform=nn.Conv2d(512 + 64, 192, 3, padding=1))
        self.key_proj = named(
            key_proj=nn.Conv2d(1024, 64, 3, padding=1),
            d_proj=nn.Conv2d(1024, 1, 3, padding=1),
            e_proj=nn.Conv2d(1024, 64, 3, padding=1),
        )
        up_16_8 = named(skip_conv=nn.Conv2d(512, 512, 3, padding=1), out_conv=ResidualBlock(512, 256))
        up_8_4 = named(skip_conv=nn.Conv2d(256, 256, 3, padding=1), out_conv=ResidualBlock(256, 256))
        hidden = named(
            g16_conv=nn.Conv2d(512, 256, 1),
            g8_conv=nn.Conv2d(256, 256, 1),
            g4_conv=nn.Conv2d(257, 256, 1),
            transform=nn.Conv2d(256 + 64, 192, 3, padding=1),
        )
        self.decoder = named(
            fuser=fuser(1024 + 512 + 64), hidden_update=hidden, up_16_8=up_16_8, up_8_4=up_8_4,
            pred=nn.Conv2d(256, 1, 3, padding=1),
        )  # fmt: skip

    def forward(self, frames: Tensor, masks: Tensor) -> Tensor:
        """Probabilities (2, K+1, H, W) of frames 1 and 2 of one clip."""
        seen = [run_trunk(self.key_encoder, frame[None], ("res2", "layer2", "layer3")) for frame in frames]
        keys, values, answers = [], [], []
        current = masks
        for t, maps in enumerate(seen):
            f16 = maps[-1]
            key, selection = self.key_proj.key_proj(f16), self.key_proj.e_proj(f16).sigmoid()
            if t > 0:
                current = self.segment(maps, self.read(key, selection, keys, values))
                answers.append(current)
                current = current[1:]
            keys.append((key, self.key_proj.d_proj(f16) ** 2 + 1))
            values.append([self.value(frames[t], f16, current, k) for k in range(len(masks))])
        return torch.stack(answers)

    def read(self, key: Tensor, selection: Tensor, keys: list, values: list) -> list[Tensor]:
        height, width = key.shape[-2:]
        found = [key.new_zeros(512, height, width) for _ in values[0]]
        for y in range(height):
            for x in range(width):
                asked, counts = key[0, :, y, x, None, None], selection[0, :, y, x, None, None]
                near = [-s[0, 0] * ((k[0] - asked) ** 2 * counts).sum(0) / 8 for k, s in keys]
                weights = torch.stack(near).flatten().softmax(0)
                for place, out in enumerate(found):
                    remembered = torch.stack([frame[place][0] for frame in values], dim=1).flatten(1)
                    out[:, y, x] = remembered @ weights
        return found

    def value(self, frame: Tensor, f16: Tensor, masks: Tensor, k: int) -> Tensor:
        others = sum((mask for j, mask in enumerate(masks) if j != k), torch.zeros_like(masks[0]))
        channels = torch.cat([frame, masks[k][None], others[None]])[:5]
        maps = run_trunk(self.value_encoder, channels[None], ("layer1", "layer2", "layer3"))
        return fuse(self.value_encoder.fuser, torch.cat([f16, maps[-1]], 1))

    def segment(self, maps: list[Tensor], memory: list[Tensor]) -> Tensor:
        f4, f8, f16 = maps
        each = []
        for read in memory:
            hidden = read.new_zeros(1, 64, *read.shape[-2:])
            g = fuse(self.decoder.fuser, torch.cat([f16, read[None], hidden], 1))
            for up, skip in ((self.decoder.up_16_8, f8), (self.decoder.up_8_4, f4)):
                larger = F.interpolate(g, scale_factor=2, mode="bilinear", align_corners=False)
                g = up.out_conv(larger + up.skip_conv(skip))
            logit = F.interpolate(self.decoder.pred(F.relu(g)), scale_factor=4, mode="bilinear", align_corners=False)
            each.append(logit.sigmoid()[0, 0])
        p = torch.stack(each)
        p = torch.cat([(1 - p).prod(0, keepdim=True), p]).clamp(1e-7, 1 - 1e-7)
        return (p / (1 - p)).log().softmax(0)


def named(**parts: nn.Module) -> nn.Module:
    module = nn.Module()
    for name, part in parts.items():
        module.add_module(name, part)
    return module


def trunk(network: resnet.ResNet, channels: int, names: tuple[str, ...]) -> nn.Module:
    first = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    stages = dict(zip(names, (network.layer1, network.layer2, network.layer3), strict=True))
    return named(conv1=first, bn1=network.bn1, **stages)


def run_trunk(module: nn.Module, x: Tensor, names: tuple[str, ...]) -> list[Tensor]:
    x = F.max_pool2d(module.bn1(module.conv1(x)).relu(), 3, 2, 1)
    maps = []
    for name in names:
        x = module.get_submodule(name)(x)
        maps.append(x)
    return maps


def fuser(in_dim: int) -> nn.Module:
    gate = named(mlp=nn.Sequential(nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 512)))
    space = named(spatial=named(conv=nn.Conv2d(2, 1, 7, padding=3)))
    return named(
        block1=ResidualBlock(in_dim, 512),
        attention=named(ChannelGate=gate, SpatialGate=space),
        block2=ResidualBlock(512, 512),
    )


def fuse(module: nn.Module, x: Tensor) -> Tensor:
    x = module.block1(x)
    mlp = module.attention.ChannelGate.mlp
    gate = mlp(F.adaptive_avg_pool2d(x, 1)) + mlp(F.adaptive_max_pool2d(x, 1))
    y = x * gate.sigmoid()[:, :, None, None]
    place = torch.stack([y.max(1).values, y.mean(1)], 1)
    y = y * module.attention.SpatialGate.spatial.conv(place).sigmoid()
    return module.block2(x + y)


@pytest.fixture(scope="module")
def untrained() -> Isvos:
    """To be copied, which takes a tenth of drawing the weights anew."""
    return Isvos(SMALL)


@pytest.fixture
def network(untrained: Isvos) -> Isvos:
    return copy.deepcopy(untrained)


@pytest.fixture(scope="module")
def xmem() -> PlainXMem:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return shaken(PlainXMem()).eval()


def test_restated_xmem_has_the_published_size(xmem: PlainXMem) -> None:
    assert len(xmem.state_dict()) == 412
    assert sum(p.numel() for p in xmem.parameters()) == pytest.approx(62.2e6, rel=2e-3)
    assert tuple(xmem.state_dict()["decoder.fuser.block1.conv1.weight"].shape) == (512, 1600, 3, 3)


def test_memory_branch_equals_the_xmem_it_came_from(xmem: PlainXMem, network: Isvos) -> None:
    """Contributions start at zero, so the whole of ISVOS answers like XMem without a hidden state. In double precision:
    distances of random keys are large, and float32 leaves 3e-5 of a probability open."""
    network.eval()
    left = load_xmem(network, xmem.state_dict())
    with torch.no_grad():
        expected = copy.deepcopy(xmem).double()(FRAMES[0].double(), MASKS[0].double())
        found = network.double()(FRAMES.double(), MASKS.double()).logits[0].softmax(dim=1)
    assert_near(found, expected)
    backbone = "instances.model.pixel_level_module.encoder"
    shared = [name for name in left if name.startswith(backbone)]
    assert all(name.startswith(f"{backbone}.encoder.stages.3.") for name in shared)
    others = {name.split(".")[0] for name in left}
    assert others == {"instances", "enhancement", "paths"}


def test_xmem_without_its_key_encoder_leaves_the_backbone_alone(xmem: PlainXMem, network: Isvos) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items() if name.startswith("instances.")}
    left = load_xmem(network, xmem.state_dict(), backbone=False)
    after = network.state_dict()
    assert all(after[name].equal(value) for name, value in before.items())
    assert set(before) <= set(left)


@pytest.mark.parametrize("kind", ["plain", "shrinkage", "selection"])
def test_xmem_fits_every_similarity(xmem: PlainXMem, kind: Similarity) -> None:
    network = Isvos(IsvosConfig(SMALL.backbone, instances=SMALL.instances, matching=MatchingConfig(similarity=kind)))
    left = load_xmem(network, xmem.state_dict())
    assert not any(name.startswith("key_proj.") for name in left)


def test_single_object_xmem_gets_a_channel_of_zeros_for_others(xmem: PlainXMem, network: Isvos) -> None:
    state = dict(xmem.state_dict())
    state["value_encoder.conv1.weight"] = state["value_encoder.conv1.weight"][:, :4]
    load_xmem(network, state)
    weight = network.value_encoder.backbone.embedder.embedder.convolution.weight
    assert weight[:, :4].equal(state["value_encoder.conv1.weight"])
    assert not weight[:, 4].any()


def test_a_cut_xmem_changes_nothing_and_names_what_is_missing(xmem: PlainXMem, network: Isvos) -> None:
    state = dict(xmem.state_dict())
    del state["decoder.pred.bias"]
    before = network.decoder.pred.weight.clone()
    with pytest.raises(WeightsError, match=r"missing: `decoder\.pred\.bias`"):
        load_xmem(network, state)
    assert network.decoder.pred.weight.equal(before)
