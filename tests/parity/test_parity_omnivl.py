"""OmniVL against tensors of the authors' code: every file of the golden folder, through our key map."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from onlooker.methods.encoders.omnivl.answering import OmniVLAnswerer
from onlooker.methods.encoders.omnivl.captioning import OmniVLCaptioner
from onlooker.methods.encoders.omnivl.config import (
    ContrastConfig,
    GenerationConfig,
    OmniVLConfig,
    TextConfig,
    VisualConfig,
)
from onlooker.methods.encoders.omnivl.losses import HardNegatives
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.text import encode_text, encode_text_with, token_losses, with_first
from onlooker.methods.encoders.omnivl.tokenizer import OmniVLTokenizer
from onlooker.methods.encoders.omnivl.visual import VisualEncoder, resize_positions, resize_times
from onlooker.methods.encoders.omnivl.weights import adapt_checkpoint, key_map
from onlooker.weights.load import load_state

pytestmark = pytest.mark.parity
FOLDER = Path(__file__).parents[3] / "shared" / "goldens" / "omnivl"
CLOSE: dict[str, float] = {"rtol": 0.0, "atol": 1e-4}  # README of the golden folder
TAGS = [
    "image_mixed_a0", "image_mixed_a04", "image_allcaption_a0", "image_samelabel_a0", "video_mixed_a0",
    "video_mixed_a04", "blip_image_a0", "blip_image_a04", "blip_video_a04",
]  # fmt: skip


def golden(name: str) -> dict[str, torch.Tensor]:
    path = FOLDER / f"{name}.safetensors"
    if not path.is_file():
        pytest.skip(f"the golden file {name}.safetensors is not here")
    return load_file(path)


def meta() -> dict[str, Any]:
    path = FOLDER / "meta.json"
    if not path.is_file():
        pytest.skip("the golden folder ../shared/goldens/omnivl is not here")
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def visual_config() -> VisualConfig:
    v = meta()["config"]["visual"]
    return VisualConfig(
        image_size=v["img_size"], patch_size=v["patch_size"], width=v["embed_dim"], depth=v["depth"],
        heads=v["num_heads"], mlp_ratio=v["mlp_ratio"], num_frames=v["num_frames"], time_stride=v["temporal_stride"],
    )  # fmt: skip


def golden_config(**changes: Any) -> OmniVLConfig:
    content = meta()["config"]
    t, ids = content["text"], content["ids"]
    text = TextConfig(
        vocab_size=t["vocab_size"], width=t["hidden_size"], layers=t["num_hidden_layers"],
        heads=t["num_attention_heads"], ffn=t["intermediate_size"], max_positions=t["max_position_embeddings"],
        layer_norm_eps=t["layer_norm_eps"], dropout=t["hidden_dropout_prob"], pad_id=ids["pad"], cls_id=ids["cls"],
        sep_id=ids["sep"], dec_id=ids["dec"], enc_id=ids["enc"],
    )  # fmt: skip
    contrast = ContrastConfig(queue_size=content["queue_size"], momentum=content["momentum"])
    base = OmniVLConfig(visual=visual_config(), text=text, embed_dim=content["embed_dim"], contrast=contrast)
    return replace(base, **changes)


def tokenizer(config: OmniVLConfig) -> OmniVLTokenizer:
    return OmniVLTokenizer.from_file(FOLDER / "vocab.txt", config.text)


def pretrain_model(tag: str = "") -> OmniVLPretrain:
    config = golden_config()
    state = golden("pretrain_unicl.weights")
    if tag.startswith("blip"):
        config = replace(config, contrast=replace(config.contrast, kind="pairs"))
        state = {name: tensor for name, tensor in state.items() if not name.startswith("idx_")}
    model = OmniVLPretrain(config)
    load_state(model, state, key_map(config), "pretrain_unicl")
    return model.eval()


@pytest.mark.parametrize(
    "name", ["image", "video", "image_big", "video_short", "video_oneslot", "video_odd"], ids=lambda name: name
)
def test_visual_tokens_equal_the_authors(name: str) -> None:
    encoder = VisualEncoder(visual_config()).eval()
    encoder.load_state_dict(golden("visual_encoder.weights"))
    io = golden("visual_encoder.io")
    with torch.no_grad():
        torch.testing.assert_close(encoder(io[f"in.{name}"]), io[f"out.{name}"], **CLOSE)


@pytest.mark.parametrize("name", ["image", "video"])
def test_first_block_equals_the_authors(name: str) -> None:
    encoder = VisualEncoder(visual_config()).eval()
    encoder.load_state_dict(golden("visual_encoder.weights"))
    io = golden("visual_encoder.io")
    seen = {}
    encoder.blocks[0].register_forward_hook(lambda module, args, out: seen.update(before=args[0], after=out))
    with torch.no_grad():
        encoder(io[f"in.{name}"])
        patches, _ = encoder.tokenise(io["in.video"])  # (B, N, S, D)
    torch.testing.assert_close(seen["before"], io[f"mid.{name}_block0_in"], **CLOSE)
    torch.testing.assert_close(seen["after"], io[f"mid.{name}_block0_out"], **CLOSE)
    torch.testing.assert_close(patches.transpose(1, 2).flatten(0, 1), io["mid.video_patch"], **CLOSE)


def test_tables_are_resized_as_in_the_authors_loader_and_forward() -> None:
    io = golden("interp.io")
    torch.testing.assert_close(resize_positions(io["pos.in"], (6, 6), "bicubic"), io["pos.out_6x6"], **CLOSE)
    for name, expected in io.items():
        if name.startswith("time.") and name != "time.in":
            mode = "linear" if "load" in name else "nearest"
            torch.testing.assert_close(resize_times(io["time.in"], int(name.split("_")[1]), mode), expected, **CLOSE)


def test_stage_two_made_of_stage_one_equals_the_authors() -> None:
    io = golden("inflate.io")
    config = golden_config(head="embed")
    stage1 = {name.removeprefix("stage1."): value for name, value in io.items() if name.startswith("stage1.")}
    stage2 = {name.removeprefix("stage2."): value for name, value in io.items() if name.startswith("stage2.")}
    adapted = adapt_checkpoint(stage1, config, inflate=True)
    assert set(adapted) == set(stage2)
    left = [name for name in adapted if "time_embed" in name or "temporal_fc" in name]  # the authors' stay random
    assert sorted(left) == sorted(name for name in meta()["inflate_missing"] if "visual_encoder." in name)
    for name in set(adapted) - set(left):
        torch.testing.assert_close(adapted[name], stage2[name], rtol=0, atol=1e-6)
    adapted |= {name: stage2[name] for name in left}
    encoder = VisualEncoder(config.visual).eval()
    encoder.load_state_dict({name.removeprefix("visual_encoder."): value for name, value in adapted.items()})
    image_encoder = VisualEncoder(replace(config.visual, backbone="vit")).eval()
    image_encoder.load_state_dict({name.removeprefix("visual_encoder."): value for name, value in stage1.items()})
    repeated = io["in.image"].unsqueeze(2).expand(-1, -1, config.visual.num_frames, -1, -1)
    with torch.no_grad():
        torch.testing.assert_close(image_encoder(io["in.image"]), io["out.stage1_image"], **CLOSE)
        torch.testing.assert_close(encoder(io["in.image"]), io["out.stage2_image"], **CLOSE)
        torch.testing.assert_close(encoder(repeated), io["out.stage2_repeated_video"], **CLOSE)
        torch.testing.assert_close(encoder(io["in.video"]), io["out.stage2_video"], **CLOSE)


def test_token_ids_equal_the_authors_tokeniser() -> None:
    io, config = golden("modules.io"), golden_config()
    ids = tokenizer(config).encode(meta()["caps"], length=30)
    assert torch.equal(ids, io["input_ids"])
    assert torch.equal(with_first(ids, config.text.encode_id), io["enc_ids"])
    assert torch.equal(with_first(ids, config.text.decode_id), io["dec_ids"])


def test_features_and_text_states_equal_the_authors() -> None:
    io, model = golden("modules.io"), pretrain_model()
    with torch.no_grad():
        hidden = encode_text(model.text_encoder, io["input_ids"], io["attention_mask"])
        torch.testing.assert_close(model.embed_text(io["input_ids"]), io["text_feat"], **CLOSE)
        for kind in ("image", "video"):
            torch.testing.assert_close(model.visual_encoder(io[f"in.{kind}"]), io[f"{kind}_embeds"], **CLOSE)
            torch.testing.assert_close(model.embed_vision(io[f"in.{kind}"]), io[f"{kind}_feat"], **CLOSE)
    torch.testing.assert_close(hidden, io["text_hidden"], **CLOSE)


@pytest.mark.parametrize("kind", ["image", "video"])
def test_both_decoders_equal_the_authors(kind: str) -> None:
    io, model = golden("modules.io"), pretrain_model()
    mask = io["attention_mask"]
    with torch.no_grad():
        tokens = model.visual_encoder(io[f"in.{kind}"])
        aligned = encode_text_with(model.text_encoder, io["enc_ids"], mask, tokens)
        match = model.match(tokens, io["input_ids"])
        logits = model.generation_logits(tokens, io["input_ids"])
        losses = token_losses(logits, io["dec_ids"].masked_fill(mask == 0, -100), 0.1)
    torch.testing.assert_close(aligned, io[f"align_hidden_{kind}"], **CLOSE)
    torch.testing.assert_close(match, io[f"match_logits_{kind}"], **CLOSE)
    torch.testing.assert_close(logits, io[f"gen_logits_{kind}"], **CLOSE)
    torch.testing.assert_close(losses.sum(1), io[f"gen_loss_per_sample_{kind}"], **CLOSE)
    torch.testing.assert_close(losses.sum() / mask[:, 1:].sum(), io[f"gen_loss_{kind}"], **CLOSE)


@pytest.mark.parametrize("tag", TAGS)
def test_pretraining_step_equals_the_authors(tag: str) -> None:
    io = {
        name.removeprefix(f"{tag}/"): v for name, v in golden("pretrain_steps.io").items() if name.startswith(f"{tag}/")
    }
    inputs, model = golden("modules.io"), pretrain_model(tag)
    is_clip = "video" in tag
    texts = tokenizer(model.config).encode(meta()["vcaps" if is_clip else "caps"], length=30)
    vision = inputs["in.video" if is_clip else "in.image"]
    negatives = HardNegatives(io["neg_image_idx"], io["neg_text_idx"])
    alpha = 0.4 if tag.endswith("a04") else 0.0
    model.prepare_step()
    output = model(vision, texts, io.get("in.target"), alpha, negatives)
    for name in ("loss_ita", "loss_itm", "loss_lm"):
        torch.testing.assert_close(getattr(output, name).detach(), io[name], **CLOSE)
    torch.testing.assert_close(output.match_logits.detach(), io["itm_logits"], **CLOSE)
    torch.testing.assert_close(output.weights.vision_to_text, io["weights_i2t"], **CLOSE)
    torch.testing.assert_close(output.weights.text_to_vision, io["weights_t2i"], **CLOSE)
    output.loss.backward()
    parameters = dict(model.named_parameters())
    for name in [name for name in io if name.startswith("grad.")]:
        ours = name.removeprefix("grad.")
        parameter = parameters["visual_encoder.time_embed" if ours == "time_embed" else ours]
        torch.testing.assert_close(parameter.grad, io[name], **CLOSE)
    temporal = [p.grad for name, p in parameters.items() if "visual_encoder." in name and ".temporal_" in name]
    assert all(grad is None for grad in temporal) is not is_clip
    model.finish_step(output)
    _compare_after(model, io)


def _compare_after(model: OmniVLPretrain, io: dict[str, torch.Tensor]) -> None:
    ours, names = model.state_dict(), key_map(model.config)
    after = [name for name in io if name.startswith("after.")]
    assert len(after) >= 8
    for name in after:
        torch.testing.assert_close(ours[names.ours(name.removeprefix("after."))], io[name], **CLOSE)


def caption_model() -> OmniVLCaptioner:
    config = golden_config(head="caption", generation=GenerationConfig("a picture of ", 3, 5, 14))
    model = OmniVLCaptioner(config)
    load_state(model, golden("caption.weights"), key_map(config), "caption")
    return model.eval()


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize("beams", [1, 3])
def test_captions_equal_the_authors(kind: str, beams: int) -> None:
    io, model = golden("caption.io"), caption_model()
    words = tokenizer(model.config)
    prompt = words.encode_prompt("a picture of ")
    assert len(prompt) == int(io["prompt_length"])
    ids = model.generate(io[f"in.{kind}"], prompt, replace(model.config.generation, beams=beams))
    expected = io[f"generate_ids_{kind}_beams{beams}"][::beams]  # the authors return each caption `beams` times
    assert torch.equal(ids, expected)
    texts = [words.decode(row)[len("a picture of ") :] for row in ids]
    assert texts == meta()[f"caption_{kind}_beams{beams}"][::beams]


@pytest.mark.parametrize("kind", ["image", "video"])
def test_caption_loss_equals_the_authors(kind: str) -> None:
    io, model = golden("caption.io"), caption_model()
    ids = tokenizer(model.config).encode(meta()["caption_train_text"])
    with torch.no_grad():
        loss = model(io[f"in.{kind}"], ids, int(io["prompt_length"]))
    torch.testing.assert_close(loss, io[f"train_loss_{kind}"], **CLOSE)


def vqa_results(kind: str, model: OmniVLAnswerer, io: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Everything the README says `vqa.io` holds, for images or clips."""
    words, vision = tokenizer(model.config), io[f"in.{kind}"]
    questions = words.encode(meta()["questions"])
    train = words.encode(["red", "blue square", "yes"])
    answers = with_first(words.encode(meta()["answers"]), model.config.text.decode_id)
    with torch.no_grad():
        loss = model(vision, questions, train, torch.tensor([2, 1]), torch.tensor([0.7, 0.3, 1.0]))
        ranking = model.rank(vision, questions, answers, top_k=4)
        return {
            "question ids": with_first(questions, model.config.text.encode_id),
            "question ids as tokenised": questions,
            "question mask": (questions != 0).long(),
            "answer ids": answers,
            "answer mask": (answers != 0).long(),
            "training answer ids": with_first(train, model.config.text.decode_id),
            "question states": model.read_question(vision, questions),
            "loss": loss,
            "generated": model.generate(vision, questions),
            "first logits": ranking.first_logits,
            "first probabilities": ranking.first_logits.softmax(1)[:, answers[:, 1]],
            "candidates": ranking.candidates,
            "scores": ranking.scores,
            "summed losses": -ranking.scores,
            "best": ranking.best,
        }


def test_question_model_equals_the_authors() -> None:
    io = golden("vqa.io")
    config = golden_config(head="vqa", generation=GenerationConfig("", 1, 10, 30, 1.1))
    model = OmniVLAnswerer(config)
    state = golden("vqa.weights")
    load_state(model, state, key_map(config), "vqa")
    kinds = [kind for kind in ("image", "video") if f"in.{kind}" in io]
    assert kinds
    results = {kind: vqa_results(kind, model.eval(), io) for kind in kinds}
    for name, expected in io.items():
        if name.startswith("in."):
            continue
        named = [kind for kind in kinds if kind in name] or kinds
        ours = [(what, value) for kind in named for what, value in results[kind].items()]
        same = [what for what, value in ours if value.shape == expected.shape and _near(value, expected)]
        assert same, f"nothing of ours equals `{name}` {tuple(expected.shape)}"


def _near(ours: torch.Tensor, expected: torch.Tensor) -> bool:
    if not expected.is_floating_point():
        return torch.equal(ours.long(), expected.long())
    return torch.allclose(ours.float(), expected, **CLOSE)


def test_generated_answers_equal_the_authors_words() -> None:
    io = golden("vqa.io")
    config = golden_config(head="vqa", generation=GenerationConfig("", 1, 10, 30, 1.1))
    model = OmniVLAnswerer(config)
    load_state(model, golden("vqa.weights"), key_map(config), "vqa")
    words = tokenizer(config)
    ids = model.eval().generate(io["in.image"], words.encode(meta()["questions"]))
    assert [words.decode(row) for row in ids] == meta()["vqa_generate_image"]
