"""The authors' 1475 names, sizes of every part, and the rules of their loader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from onlooker import build
from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.encoders.omnivl.config import CONFIGS, OmniVLConfig, VisualConfig
from onlooker.methods.encoders.omnivl.networks import OmniVL, create
from onlooker.methods.encoders.omnivl.weights import adapt_checkpoint, export_state, key_map, load_adapted
from onlooker.weights.keys import compare_keys
from onlooker.weights.load import load_state


def both(*names: str) -> list[str]:
    return [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]


def visual_names(prefix: str) -> list[str]:
    names = ["cls_token", "pos_embed", "time_embed", *both("patch_embed.proj", "patch_embed_3d.proj", "norm")]
    parts = (
        "norm1", "attn.qkv", "attn.proj", "temporal_norm1", "temporal_attn.qkv", "temporal_attn.proj", "temporal_fc",
        "norm2", "mlp.fc1", "mlp.fc2",
    )  # fmt: skip
    names += [f"blocks.{layer}.{name}" for layer in range(12) for name in both(*parts)]
    return [prefix + name for name in names]


def text_names(prefix: str) -> list[str]:
    names = ["embeddings.position_ids", "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"]
    names += both("embeddings.LayerNorm")
    attention = ("self.query", "self.key", "self.value", "output.dense", "output.LayerNorm")
    parts = [f"{kind}.{part}" for kind in ("attention", "crossattention") for part in attention]
    parts += ["intermediate.dense", "output.dense", "output.LayerNorm"]
    names += [f"encoder.layer.{layer}.{name}" for layer in range(12) for name in both(*parts)]
    return [prefix + name for name in names]


def decoder_names() -> list[str]:
    head = ["bias", *both("transform.dense", "transform.LayerNorm", "decoder")]
    return text_names("text_decoder.bert.") + [f"text_decoder.cls.predictions.{name}" for name in head]


def official_names() -> list[str]:
    """As the sheet lists them, written down without our code."""
    queues = [f"{name}{pair}" for name in ("image_queue", "text_queue", "idx_queue", "queue_ptr") for pair in ("", "2")]
    return [
        *visual_names("visual_encoder."), *visual_names("visual_encoder_m."), *text_names("text_encoder."),
        *text_names("text_encoder_m."), *decoder_names(),
        *both("vision_proj", "text_proj", "vision_proj_m", "text_proj_m", "itm_head"), "temp", *queues,
    ]  # fmt: skip


def on_meta(config: OmniVLConfig) -> OmniVL:
    with torch.device("meta"):
        return create(config)


def millions(network: torch.nn.Module, trained: bool = False) -> float:
    return sum(p.numel() for p in network.parameters() if p.requires_grad or not trained) / 1e6


def test_the_official_names_fill_the_paper_configuration_exactly() -> None:
    assert len(official_names()) == 1475
    network = on_meta(CONFIGS["paper"])
    report = compare_keys(official_names(), network.state_dict(), key_map(CONFIGS["paper"]))
    assert report.fits, str(report)
    assert set(export_state(network)) == {name for name in official_names() if "position_ids" not in name}


def test_names_of_the_downstream_checkpoints_fill_their_models() -> None:
    clips = [*visual_names("visual_encoder.")]
    for name, official in (
        ("caption-youcook2", clips + decoder_names()),
        ("vqa-msvd", clips + text_names("text_encoder.") + decoder_names()),
        ("embed", clips + text_names("text_encoder.") + both("vision_proj", "text_proj")),
    ):
        report = compare_keys(official, on_meta(CONFIGS[name]).state_dict(), key_map(CONFIGS[name]))
        assert report.fits, f"{name}: {report}"


def test_sizes_of_the_parts_are_those_of_the_authors_code() -> None:
    network = on_meta(CONFIGS["paper"])
    encoder = {id(p) for p in network.text_encoder.parameters()}
    own = sum(p.numel() for p in network.text_decoder.parameters() if id(p) not in encoder) / 1e6
    assert millions(network.visual_encoder) == pytest.approx(122.44, rel=0.005)
    assert millions(network.text_encoder) == pytest.approx(137.26, rel=0.005)
    assert own == pytest.approx(28.99, rel=0.005)
    assert millions(network, trained=True) == pytest.approx(289.08, rel=0.005)
    assert millions(network) == pytest.approx(549.17, rel=0.005)
    assert millions(on_meta(CONFIGS["vqa-vqav2"])) == pytest.approx(396.9, rel=0.005)
    assert millions(on_meta(CONFIGS["caption-youcook2"])) == pytest.approx(261.8, rel=0.005)
    queues = [t.numel() for n, t in network.state_dict().items() if n.endswith(("keys.vision", "keys.text"))]
    assert sum(queues) == 4 * 256 * 57600


def test_stage_two_starts_from_stage_one_and_zero_start_keeps_still_clips() -> None:
    stage1, config = create(CONFIGS["tiny-stage1"]).eval(), CONFIGS["tiny"]
    stage2 = create(config).eval()
    load_adapted(stage2, export_state(stage1), config, inflate=True, temporal_start="zero")
    image = torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    clip = image[:, :, None].expand(-1, -1, 8, -1, -1)
    with torch.no_grad():
        expected = stage1.embed_vision(image)
        torch.testing.assert_close(stage2.embed_vision(image), expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(stage2.embed_vision(clip), expected, rtol=0, atol=1e-5)
        load_adapted(stage2, export_state(stage1), config, inflate=True)
        assert (stage2.embed_vision(clip) - expected).abs().max() > 1e-5


def test_random_temporal_start_follows_its_generator() -> None:
    state, config = export_state(create(CONFIGS["tiny-stage1"])), CONFIGS["tiny"]
    name = "visual_encoder.blocks.1.temporal_fc.weight"
    first, second, other = (
        adapt_checkpoint(state, config, inflate=True, generator=torch.Generator().manual_seed(seed))[name]
        for seed in (1, 1, 2)
    )
    assert first.equal(second)
    assert not first.equal(other)


def test_a_pretrained_checkpoint_becomes_caption_question_and_embedding_models() -> None:
    pretrained = create(CONFIGS["tiny"])
    for name in ("tiny-caption", "tiny-embed", "tiny-vqa"):
        config = CONFIGS[name]
        network = create(config)
        load_adapted(network, export_state(pretrained), config)
        torch.testing.assert_close(network.visual_encoder.pos_embed, pretrained.visual_encoder.pos_embed)


def test_larger_images_other_strides_and_image_models_are_adapted() -> None:
    state = export_state(create(CONFIGS["tiny"]))
    base = CONFIGS["tiny-caption"]
    for visual in (
        replace(base.visual, image_size=64),
        replace(base.visual, num_frames=12, time_stride=4),
        replace(base.visual, num_frames=1, time_stride=1),
        replace(base.visual, backbone="vit"),
    ):
        config = replace(base, visual=visual)
        load_adapted(create(config), state, config)
    changed = adapt_checkpoint(state, replace(base, visual=replace(base.visual, num_frames=12, time_stride=4)))
    kernel = changed["visual_encoder.patch_embed_3d.proj.weight"]
    torch.testing.assert_close(kernel.sum(2), state["visual_encoder.patch_embed.proj.weight"])


def test_finetuning_retrieval_on_clips_goes_on_with_the_keys_of_clips() -> None:
    config = replace(CONFIGS["tiny"], head="retrieval", contrast=replace(CONFIGS["tiny"].contrast, kind="pairs"))
    state = export_state(create(CONFIGS["tiny"]))
    adapted = adapt_checkpoint(state, config)
    assert adapted["image_queue"].equal(state["image_queue2"])
    assert adapted["text_queue"].equal(state["text_queue2"])
    assert "idx_queue" not in adapted
    load_state(create(config), adapted, key_map(config), "memory")


def test_inflating_an_image_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match="num_frames over 1"):
        adapt_checkpoint({}, CONFIGS["tiny-stage1"], inflate=True)


def test_copies_that_should_be_shared_and_are_not_are_an_error() -> None:
    state = export_state(create(CONFIGS["tiny"]))
    name = "text_decoder.bert.embeddings.word_embeddings.weight"
    with pytest.raises(WeightsError, match="two tensors claim"):
        load_adapted(create(CONFIGS["tiny"]), {**state, name: state[name] + 1}, CONFIGS["tiny"])


@pytest.mark.parametrize("name", ["tiny", "tiny-caption", "tiny-vqa", "tiny-embed"])
def test_every_head_comes_back_from_its_folder(name: str, tmp_path: Path) -> None:
    network = create(CONFIGS[name]).eval()
    network.save_pretrained(tmp_path)
    loaded = build("omnivl", weights=tmp_path)
    assert type(loaded) is type(network)
    assert loaded.config == CONFIGS[name]
    state = loaded.state_dict()
    assert all(tensor.equal(state[key]) for key, tensor in network.state_dict().items())


def test_weights_of_an_official_file_load_by_name(tmp_path: Path) -> None:
    network = create(CONFIGS["tiny"])
    torch.save({"model": export_state(network), "epoch": 3}, tmp_path / "pretrain.pth")
    loaded = build("omnivl", "tiny", weights=tmp_path / "pretrain.pth")
    state = loaded.state_dict()
    assert all(tensor.equal(state[key]) for key, tensor in network.state_dict().items())


def test_visual_sizes_of_the_paper() -> None:
    visual = VisualConfig()
    assert (visual.grid, visual.slots, visual.takes_clips) == (14, 8, True)
