"""Perception Encoder against stored tensors of the official code, and against timm's and open_clip's own modules."""

import json
from dataclasses import replace
from pathlib import Path

import open_clip
import pytest
import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from onlooker.methods.encoders.perception_encoder.config import (
    CONFIGS,
    PerceptionEncoderConfig,
    config_from_official,
)
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.rope import grid_angles, rotate
from onlooker.methods.encoders.perception_encoder.tokenizer import make_tokenizer
from onlooker.methods.encoders.perception_encoder.weights import from_timm, key_map
from onlooker.weights.load import load_state

GOLDENS = Path(__file__).parents[3] / "shared" / "goldens" / "perception_encoder"
FEATURES, ROPE, LOGITS, GRADIENTS = 1e-5, 1e-6, 1e-4, 1e-4

pytestmark = pytest.mark.parity


def golden(name: str) -> tuple[PerceptionEncoder, dict[str, Tensor]]:
    """The official model `name` with its weights through our key map, and its inputs and outputs."""
    files = [GOLDENS / f"{name}.{part}.safetensors" for part in ("weights", "io")]
    for file in files:
        if not file.is_file():
            pytest.skip(f"`{file.name}` is not in ../shared/goldens/perception_encoder")
    arguments = json.loads((GOLDENS / "configs.json").read_text())[name]
    config = config_from_official(arguments.get("vision", arguments), arguments.get("text"))
    network = PerceptionEncoder(config).eval()
    load_state(network, load_file(files[0]), key_map(config), name)
    return network, load_file(files[1])


def worst(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).detach().abs().max())


@torch.no_grad()
def test_core_embeddings_equal_the_official_ones() -> None:
    network, io = golden("clip_cls")
    assert worst(network.encode_image(io["image"]), io["image_embed"]) <= FEATURES
    assert worst(network.encode_text(io["tokens"]), io["text_embed"]) <= FEATURES
    both = network(io["image"], io["tokens"])
    assert worst(both["image_embed"], io["image_embed_norm"]) <= FEATURES
    assert worst(both["text_embed"], io["text_embed_norm"]) <= FEATURES
    assert worst(both["logit_scale"], io["logit_scale_exp"]) <= FEATURES
    logits = both["logit_scale"] * both["image_embed"] @ both["text_embed"].T
    assert worst(logits, io["logits_per_image"]) <= LOGITS


@torch.no_grad()
def test_video_is_the_mean_of_frames_in_the_official_order_of_normalisation() -> None:
    network, io = golden("clip_cls")
    assert worst(network.encode_video(io["video"]), io["video_embed"]) <= FEATURES
    assert worst(network.encode_video(io["video"], normalize=True), io["video_embed_normframes"]) <= FEATURES


@torch.no_grad()
def test_features_of_every_stored_layer_equal_the_official_ones() -> None:
    network, io = golden("clip_cls")
    image = io["image"]
    assert worst(network.forward_features(image), io["feats_last_nonorm"]) <= FEATURES
    assert worst(network.forward_features(image, norm=True), io["feats_last_norm"]) <= FEATURES
    layers = network.forward_layers(image, [-2, 1])
    assert worst(layers[0], io["feats_layer_minus2"]) <= FEATURES
    assert worst(layers[1], io["feats_layer1"]) <= FEATURES
    assert worst(network.forward_features(image, norm=True, strip_class_token=True), io["feats_stripcls"]) <= FEATURES


@torch.no_grad()
def test_pictures_off_the_native_grid_equal_the_official_ones() -> None:
    network, io = golden("clip_cls")
    assert worst(network.encode_image(io["image_rect"]), io["rect_embed"]) <= FEATURES
    assert worst(network.forward_features(io["image_rect"], norm=True), io["rect_feats"]) <= FEATURES


@torch.no_grad()
def test_attention_pooling_equals_the_official_one() -> None:
    network, io = golden("clip_cls")
    assert network.visual.pool is not None
    assert worst(network.visual.pool(io["attn_pool_in"]), io["attn_pool_out"]) <= FEATURES


@torch.no_grad()
def test_rotary_angles_and_rotation_equal_the_official_ones() -> None:
    _, io = golden("clip_cls")
    angles = grid_angles(5, 9, 16, class_token=True, device=torch.device("cpu"))  # (46, 8)
    assert worst(angles.repeat_interleave(2, dim=-1)[None], io["rope_freq_5x9_cls"]) <= ROPE
    turns = torch.polar(torch.ones_like(angles), angles)
    for side in ("q", "k"):
        assert worst(rotate(io[f"rope_{side}"], turns), io[f"rope_{side}_out"]) <= ROPE


@torch.no_grad()
def test_vision_without_a_class_token_equals_the_official_one() -> None:
    network, io = golden("vision_nocls")
    assert network.config.vision.mlp_hidden == 376
    assert worst(network.encode_image(io["image"]), io["embed"]) <= FEATURES
    assert worst(network.forward_features(io["image"], norm=True), io["feats_norm"]) <= FEATURES
    assert worst(network.encode_image(io["image_big"]), io["big_embed"]) <= FEATURES
    assert worst(network.forward_features(io["image_big"]), io["big_feats"]) <= FEATURES
    angles = grid_angles(4, 4, 16, class_token=False, device=torch.device("cpu"))
    assert worst(angles.repeat_interleave(2, dim=-1)[None], io["rope_freq_4x4_nocls"]) <= ROPE


def test_lang_layout_with_gains_equals_the_official_one_and_its_gradients() -> None:
    network, io = golden("vision_lang_ls")
    image = io["image"].clone().requires_grad_()
    tokens = network(image)["tokens"]
    assert worst(tokens, io["out"]) <= FEATURES
    assert worst(network.forward_features(image, strip_class_token=True), io["out_strip"]) <= FEATURES
    loss = tokens.square().mean()
    assert worst(loss, io["loss"].reshape(())) <= FEATURES
    loss.backward()
    assert image.grad is not None
    close(image.grad, io["grad_image"])
    close(network.visual.patch_embed.weight.grad, io["grad_conv1"])
    last = network.visual.blocks[-1]
    errors = []
    for gain in (last.gain_1, last.gain_2):
        assert gain.grad is not None
        errors.append(relative(gain.grad, io["grad_gamma_last"]))
    assert min(errors) <= GRADIENTS


def relative(ours: Tensor, theirs: Tensor) -> float:
    return worst(ours, theirs) / float(theirs.abs().max())


def close(ours: Tensor | None, theirs: Tensor) -> None:
    assert ours is not None
    assert relative(ours, theirs) <= GRADIENTS


def shaken(module: nn.Module) -> nn.Module:
    """Random weights everywhere, so that no bias or gain is at a value that hides a misplaced tensor."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "head.bias" not in name:  # the official projection has none; timm keeps it at zero
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.02)
    return module.eval()


def from_library(config: PerceptionEncoderConfig, module: nn.Module) -> PerceptionEncoder:
    network = PerceptionEncoder(config).eval()
    load_state(network, from_timm(module.state_dict()), key_map(config), "the library's module")
    return network


def picture(*size: int) -> Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(5)) * 2 - 1


@pytest.mark.parametrize(
    ("name", "theirs", "depth"),
    [
        ("core-t16-384", "vit_pe_core_tiny_patch16_384", 12),
        ("core-b16-224", "vit_pe_core_base_patch16_224", 3),
        pytest.param("core-g14-448", "vit_pe_core_gigantic_patch14_448", 1, marks=pytest.mark.slow),
        ("lang-l14-448", "vit_pe_lang_large_patch14_448", 2),
        ("spatial-t16-512", "vit_pe_spatial_tiny_patch16_512", 4),
    ],
)
@torch.no_grad()
def test_picture_side_equals_the_one_in_timm(name: str, theirs: str, depth: int) -> None:
    """At the released widths and heads; smaller pictures and fewer blocks keep it quick."""
    released = CONFIGS[name].vision
    size = 4 * released.patch_size
    vision = replace(released, depth=depth, image_size=size)
    module = shaken(timm.create_model(theirs, depth=depth, img_size=size, ref_feat_shape=(4, 4)))
    network = from_library(PerceptionEncoderConfig(vision), module)
    images = picture(2, 3, size, size)
    expected = module(images) if vision.pool == "attention" else module.forward_features(images)
    assert relative(network.visual(images), expected) <= FEATURES


@torch.no_grad()
def test_both_sides_equal_those_in_open_clip() -> None:
    with torch.random.fork_rng(devices=[]):
        module = shaken(open_clip.create_model("PE-Core-T-16-384"))
    config = CONFIGS["core-t16-384"]
    network = from_library(config, module)
    assert config.text is not None
    tokens = make_tokenizer(config.text)(["a red car", "", "two dogs on a lawn, seen from above"])
    assert relative(network.encode_text(tokens), module.encode_text(tokens)) <= FEATURES
    images = picture(1, 3, 384, 384)
    assert relative(network.encode_image(images), module.encode_image(images)) <= FEATURES
    assert worst(network.scale(), module.logit_scale.exp()) <= FEATURES * float(network.scale())


@pytest.mark.parametrize(("name", "theirs"), [("core-b16-224", "PE-Core-B-16"), ("paper", "PE-Core-bigG-14-448")])
def test_token_ids_equal_those_of_open_clip(name: str, theirs: str) -> None:
    text = CONFIGS[name].text
    assert text is not None
    texts = ["A RED car!", "", "  naïve café 🚗 &amp; 3.5 km/h ", "word " * 100, "don't"]
    ours = make_tokenizer(text)(texts)
    assert ours.equal(open_clip.get_tokenizer(theirs)(texts))
    assert ours.shape == (5, text.context_length)
    assert ours[1, :3].tolist() == [49406, 49407, 0]
    assert ours[3, -1] == 49407
