"""The network's parts against values worked out otherwise, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.m2tr.config import CONFIGS, EfficientNetConfig, FusionConfig, M2trConfig, SmallConfig
from onlooker.methods.forensics.m2tr.fusion import (
    CrossModalityFusion,
    FourierFilter,
    FusionBlock,
    PatchAttention,
    SpatialWeights,
)
from onlooker.methods.forensics.m2tr.model import M2tr, fake_probability, sample_filter, with_image_size

TINY = CONFIGS["tiny"]
SMALL = SmallConfig(texture_channels=8, widths=(8,), feature_channels=8)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(config: M2trConfig) -> M2tr:
    torch.manual_seed(0)
    return M2tr(config).eval()


def slow_attention(module: PatchAttention, x: Tensor) -> Tensor:
    """Patch by patch, as the paper words it."""
    q, k, v = module.query(x), module.key(x), module.value(x)
    width, size = x.shape[1] // len(module.divisors), x.shape[2]
    found = torch.zeros_like(x)
    for chunk, divisor in enumerate(module.divisors):
        channels, side = slice(chunk * width, (chunk + 1) * width), size // divisor
        windows = [
            (slice(r * side, (r + 1) * side), slice(c * side, (c + 1) * side))
            for r in range(divisor)
            for c in range(divisor)
        ]
        for sample in range(len(x)):
            for rows, columns in windows:
                mine = q[sample, channels, rows, columns].flatten()
                scores = torch.stack([mine @ k[sample, channels, r, c].flatten() for r, c in windows])
                weights = (scores / len(mine) ** 0.5).softmax(0)
                found[sample, channels, rows, columns] = sum(
                    weight * v[sample, channels, r, c] for weight, (r, c) in zip(weights, windows, strict=True)
                )
    return module.output(found)


def test_patches_attend_as_when_written_out_patch_by_patch() -> None:
    torch.manual_seed(0)
    module = PatchAttention(8, (1, 2, 4, 8), 0.2).eval()
    x = drawn(2, 8, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(module(x), slow_attention(module, x), atol=1e-5, rtol=1e-5)


def test_queries_of_the_largest_patch_change_nothing_as_there_is_one_patch() -> None:
    torch.manual_seed(0)
    module = PatchAttention(8, (1, 2, 4, 8), 0.2).eval()
    x = drawn(1, 8, 16, 16)
    with torch.no_grad():
        before = module(x)
        module.query.weight[:2] += 1.0  # the first of four chunks
        assert module(x).equal(before)
        module.query.weight[2:4] += 1.0
        assert not module(x).allclose(before, atol=1e-4)


def test_a_filter_of_ones_changes_nothing_and_one_of_phases_shifts_the_map() -> None:
    module, x = FourierFilter(3, 8), drawn(2, 3, 8, 8)
    with torch.no_grad():
        module.weight[..., 0], module.weight[..., 1] = 1.0, 0.0
        torch.testing.assert_close(module(x), x, atol=1e-6, rtol=1e-6)
        angle = -2 * torch.pi * torch.fft.fftfreq(8)[:, None, None] * 3  # three rows down
        module.weight[..., 0], module.weight[..., 1] = angle.cos(), angle.sin()
        torch.testing.assert_close(module(x), x.roll(3, dims=2), atol=1e-5, rtol=1e-5)


def test_the_filter_works_in_float32_whatever_comes() -> None:
    module, x = FourierFilter(2, 8), drawn(1, 2, 8, 8)
    found = module(x.bfloat16())
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), module(x.bfloat16().float()).bfloat16().float())


def test_fusion_asks_every_place_of_the_other_stream() -> None:
    torch.manual_seed(0)
    module = CrossModalityFusion(4, 0.2).eval()
    x, other = drawn(1, 4, 6, 6), drawn(1, 4, 6, 6, seed=1)
    q, k, v = module.query(x).flatten(2)[0], module.key(other).flatten(2)[0], module.value(other).flatten(2)[0]
    weights = (q.T @ k / 4**0.5).softmax(-1)  # (36, 36)
    expected = x + module.output((v @ weights.T).reshape(1, 4, 6, 6))
    torch.testing.assert_close(module(x, other), expected, atol=1e-5, rtol=1e-5)


class Largest(TorchDispatchMode):
    """Elements of the largest tensor that anything gives out."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for tensor in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(tensor, Tensor):
                self.numel = max(self.numel, tensor.numel())
        return found


def test_fusion_never_holds_all_pairs_of_places() -> None:
    module = CrossModalityFusion(4, 0.2).eval()
    x = drawn(1, 4, 40, 40)
    with torch.no_grad(), Largest() as largest:
        module(x, x)
    assert largest.numel < 1600 * 1600 / 10


def test_the_second_stream_reads_what_the_attention_gives_out_and_can_be_left_out() -> None:
    x = drawn(2, 8, 16, 16)
    torch.manual_seed(0)
    block = FusionBlock(8, 16, FusionConfig()).eval()
    with torch.no_grad():
        after = x + block.attention(x)
        after = after + block.feed_forward(after)
        assert block.fusion is not None
        assert block.frequency is not None
        assert block(x).equal(block.fusion(after, block.frequency(after)))
        alone = FusionBlock(8, 16, FusionConfig(second_stream="none")).eval()
        kept = {name: value for name, value in block.state_dict().items() if name in alone.state_dict()}
        alone.load_state_dict(kept)
        assert alone(x).equal(after)


def test_plain_differs_from_fourier_by_the_filter_alone() -> None:
    fourier, plain = (
        set(M2tr(replace(TINY, fusion=FusionConfig(depth=1, second_stream=stream))).state_dict())
        for stream in ("fourier", "plain")
    )
    assert fourier - plain == {"layers.0.frequency.filter.weight"}
    assert plain < fourier


def test_one_scale_has_as_many_parameters_as_four() -> None:
    many, one = (
        sum(p.numel() for p in M2tr(replace(TINY, fusion=FusionConfig(patch_divisors=divisors))).parameters())
        for divisors in ((1, 2, 4, 8), (4, 4, 4, 4))
    )
    assert many == one


def test_weights_of_places_are_as_many_as_those_of_frequencies_and_belong_to_one_size() -> None:
    fourier, spatial = (
        M2tr(replace(TINY, fusion=FusionConfig(second_stream=stream))) for stream in ("fourier", "spatial")
    )
    theirs, ours = (sum(p.numel() for p in built.parameters()) for built in (spatial, fourier))
    assert 0.99 * ours < theirs < ours
    module, x = SpatialWeights(2, 4), drawn(1, 2, 4, 4)
    with torch.no_grad():
        module.weight.fill_(1.0)
        module.weight[1, 2, 3] = -2.0
        changed = module(x)
    assert changed[0, 1, 2, 3] == -2.0 * x[0, 1, 2, 3]
    assert int((changed != x).sum()) == 1
    with pytest.raises(ConfigError, match="belong to one size"):
        with_image_size(spatial, 96)


def test_a_backbone_that_is_cut_short_ends_with_its_last_stage() -> None:
    config = M2trConfig(image_size=64, efficientnet=EfficientNetConfig("tf_efficientnet_lite0", stages=3))
    built = network(config)
    x = built.backbone.textures(drawn(1, 3, 64, 64))
    with torch.no_grad():
        assert built.backbone.features(x).equal(built.backbone.net.blocks[2](x))
    assert built.backbone.feature_channels == 40
    for stages in (2, 8):
        with torch.device("meta"), pytest.raises(ConfigError, match=f"3 to 7 of the stages, got {stages}"):
            M2tr(replace(config, efficientnet=EfficientNetConfig("tf_efficientnet_lite0", stages=stages)))


@pytest.mark.parametrize(
    ("name", "channels", "stages"),
    [
        ("tf_efficientnet_b0", 24, 2),
        pytest.param("tf_efficientnet_b7", 48, 2, marks=pytest.mark.slow),
        ("efficientnet_lite0", 24, 2),
        pytest.param("mobilenetv2_100", 24, 2, marks=pytest.mark.slow),
    ],
)
def test_other_efficientnets_are_cut_at_stride_four(name: str, channels: int, stages: int) -> None:
    """The official code cuts behind six blocks, which is stride 16 in B0 and the middle of a stage in B7."""
    config = M2trConfig(image_size=64, efficientnet=EfficientNetConfig(name), fusion=FusionConfig(depth=1))
    with torch.device("meta"):
        built = M2tr(config)
        output = built(torch.empty(1, 3, 64, 64))
        assert built.backbone.textures(torch.empty(1, 3, 64, 64)).shape == (1, channels, 16, 16)
    assert built.backbone.cut == stages
    assert output.logits.shape == (1, 2)


@pytest.mark.parametrize(
    ("name", "message"),
    [("efficientnet_b99", "timm knows no network `efficientnet_b99`"), ("resnet18", "not built like an EfficientNet")],
)
def test_backbones_that_do_not_fit_are_named(name: str, message: str) -> None:
    with torch.device("meta"), pytest.raises(ConfigError, match=message):
        M2tr(M2trConfig(image_size=64, efficientnet=EfficientNetConfig(name)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 300}, "multiple of 32, got 300"),
        ({"image_size": 64, "fusion": FusionConfig(patch_divisors=(1, 2, 4, 32))}, "`image_size` 128 can"),
        ({"small": SMALL}, "exactly one backbone"),
        ({"efficientnet": None}, "exactly one backbone"),
        ({"std": (0.2, 0.0, 0.2)}, "`std` is positive"),
        ({"num_classes": 1}, "`num_classes` is at least 2"),
        ({"dropout": float("nan")}, "`dropout` is a finite number"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(CONFIGS["paper"], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(1, 3, 96, 96), r"\(B, 3, 64, 64\), got \(1, 3, 96, 96\).*with_image_size"),
        (torch.zeros(1, 1, 64, 64), r"got \(1, 1, 64, 64\)"),
        (torch.zeros(1, 4, 64, 64), r"got \(1, 4, 64, 64\)"),
        (torch.zeros(3, 64, 64), r"got \(3, 64, 64\)"),
        (torch.zeros(0, 3, 64, 64), "needs a sample"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), "normalised floats"),
        (torch.full((1, 3, 64, 64), torch.nan), "NaN"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.float64), "weights are torch.float32"),
    ],
    ids=["size", "grey", "alpha", "rank", "none", "bytes", "nan", "double"],
)
def test_pictures_that_cannot_be_judged_are_refused(image: Tensor, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        network(TINY)(image)


def test_an_all_black_picture_gives_finite_numbers() -> None:
    output = network(TINY)(torch.zeros(1, 3, 64, 64))
    assert output.logits.isfinite().all()
    assert output.mask_logits is not None
    assert output.mask_logits.isfinite().all()


def test_logits_are_raw_and_the_same_in_training_and_evaluation_but_for_noise() -> None:
    quiet = M2trConfig(image_size=64, small=SmallConfig(texture_channels=16), dropout=0.0, fusion=FusionConfig(depth=0))
    built = network(quiet)
    for module in built.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # statistics of the last batch
    image = drawn(4, 3, 64, 64)
    with torch.no_grad():
        in_training = built.train()(image).logits
        in_evaluation = built.eval()(image).logits
    torch.testing.assert_close(in_evaluation, in_training, atol=0.05, rtol=0.05)  # up to the unbiased variance
    assert float(in_evaluation.min()) < 0.0  # no sigmoid, unlike the official head


def test_probability_of_all_fake_classes_together_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0], [2.0, -2.0], [-60.0, 60.0]])
    assert fake_probability(logits).tolist() == pytest.approx([0.5, 1 / (1 + 2.718281828**4), 1.0])
    assert fake_probability(logits, 4.0)[1].item() == pytest.approx(1 / (1 + 2.718281828))
    assert fake_probability(torch.zeros(1, 3)).item() == pytest.approx(2 / 3)


def test_a_filter_for_another_size_does_the_same_to_a_frequency_both_maps_have() -> None:
    """A filter that keeps low frequencies keeps a slow wave and takes a fast one, at twice the size as well."""
    weight = torch.zeros(8, 5, 1, 2)
    weight[..., 0] = (torch.fft.fftfreq(8).abs()[:, None, None] <= 0.25).float()
    sampled = sample_filter(weight, 16)
    assert sampled.shape == (16, 9, 1, 2)
    assert sampled[::2, ::2].equal(weight)  # the known frequencies, untouched
    rows = torch.fft.fftfreq(16)
    assert sampled[rows.abs() <= 0.25, :, 0, 0].min() == 1.0
    assert sampled[rows.abs() >= 0.375, :, 0, 0].max() == 0.0
    assert sample_filter(weight, 8).equal(weight)
    assert sample_filter(sampled, 8).equal(weight)


def test_a_network_for_another_size_shares_every_weight_but_the_filters() -> None:
    built = network(TINY)
    larger = with_image_size(built, 96)
    assert larger.config.image_size == 96
    assert not larger.training
    for name, value in larger.state_dict().items():
        if not name.endswith("filter.weight"):
            assert value.equal(built.state_dict()[name]), name
    assert larger(torch.zeros(1, 3, 96, 96)).logits.isfinite().all()
    again = with_image_size(built, 64)
    image = drawn(1, 3, 64, 64)
    assert again(image).logits.equal(built(image).logits)
    with pytest.raises(ConfigError, match="multiple of 32"):
        with_image_size(built, 100)
