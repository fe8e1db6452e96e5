"""OmniVL's question model and image encoder against transformers' BLIP and TimeSformer classes, small and random."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from transformers import (
    BlipConfig,
    BlipForQuestionAnswering,
    BlipVisionConfig,
    BlipVisionModel,
    TimesformerConfig,
    TimesformerModel,
)

from onlooker.methods.encoders.omnivl.answering import OmniVLAnswerer
from onlooker.methods.encoders.omnivl.config import GenerationConfig, OmniVLConfig, TextConfig, VisualConfig
from onlooker.methods.encoders.omnivl.start_weights import from_blip_vision, from_timesformer
from onlooker.methods.encoders.omnivl.text import with_first
from onlooker.methods.encoders.omnivl.visual import VisualEncoder
from onlooker.methods.encoders.omnivl.weights import key_map
from onlooker.weights.load import load_state

pytestmark = pytest.mark.parity
VISUAL = VisualConfig(
    image_size=32, patch_size=8, width=48, depth=3, heads=4, num_frames=8, time_stride=2, drop_path=0.0
)
TEXT = TextConfig(vocab_size=48, width=32, layers=2, heads=4, ffn=64, max_positions=64, dropout=0.0, cls_id=2, sep_id=3)
STILL = replace(VISUAL, backbone="vit")
ANSWER = GenerationConfig(beams=1, min_length=4, max_length=12, repetition_penalty=1.1)
QUESTIONS = torch.tensor([[2, 17, 18, 19, 3], [2, 20, 21, 8, 3]])


def shaken(network: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Weights large enough that nothing vanishes."""
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=noise), alpha=0.1)
    return network.eval()


def image_batch() -> Tensor:
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(5))


def blip_vision_config() -> BlipVisionConfig:
    return BlipVisionConfig(
        hidden_size=48, intermediate_size=192, num_hidden_layers=3, num_attention_heads=4, image_size=32, patch_size=8,
        layer_norm_eps=1e-6, hidden_act="gelu",
    )  # fmt: skip


def models() -> tuple[OmniVLAnswerer, BlipForQuestionAnswering]:
    """The library's question model with random weights, and ours with the same."""
    text = {
        "vocab_size": 48, "hidden_size": 32, "encoder_hidden_size": 48, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64, "layer_norm_eps": 1e-12,
        "hidden_act": "gelu", "bos_token_id": 46, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0,
        "label_smoothing": 0.1,
    }  # fmt: skip
    library = BlipForQuestionAnswering(BlipConfig(text_config=text, vision_config=blip_vision_config().to_dict()))
    # The library sizes the answer decoder's cross-attention for images; it reads question states.
    for layer in library.text_decoder.bert.encoder.layer:
        layer.crossattention.self.key = torch.nn.Linear(32, 32)
        layer.crossattention.self.value = torch.nn.Linear(32, 32)
    shaken(library, 1)
    state = {f"visual_encoder.{n}": t for n, t in from_blip_vision(library.vision_model.state_dict()).items()}
    for part in ("text_encoder", "text_decoder"):
        tensors = getattr(library, part).state_dict().items()
        state |= {f"{part}.{name}": tensor for name, tensor in tensors if "pooler" not in name}
    model = OmniVLAnswerer(OmniVLConfig(head="vqa", visual=STILL, text=TEXT, generation=ANSWER))
    load_state(model, state, key_map(model.config), "the library")
    return model.eval(), library


def test_question_states_and_answers_equal_the_library() -> None:
    model, library = models()
    vision, ids = image_batch(), with_first(QUESTIONS, TEXT.encode_id)
    with torch.no_grad():
        states = model.read_question(vision, QUESTIONS)
        expected = library.text_encoder(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            encoder_hidden_states=library.vision_model(vision).last_hidden_state,
        )[0]
        torch.testing.assert_close(states, expected, rtol=0, atol=1e-5)
        library.decoder_start_token_id = TEXT.decode_id
        generated = library.generate(
            ids, vision, torch.ones_like(ids), max_length=12, min_length=4, num_beams=1, repetition_penalty=1.1,
            do_sample=False,
        )  # fmt: skip
    assert torch.equal(model.generate(vision, QUESTIONS), generated)


def test_answer_loss_equals_the_library_for_questions_without_padding() -> None:
    model, library = models()
    vision, answers = image_batch(), torch.tensor([[2, 5, 6, 3], [2, 7, 9, 3]])
    ids, start = with_first(QUESTIONS, TEXT.encode_id), with_first(answers, TEXT.decode_id)
    with torch.no_grad():
        ours = model(vision, QUESTIONS, answers, torch.tensor([1, 1]), torch.ones(2))
        theirs = library(ids, vision, attention_mask=torch.ones_like(ids), labels=start).loss
    torch.testing.assert_close(ours, theirs * 3, rtol=0, atol=1e-5)  # ours sums over the three tokens


def test_padding_of_a_question_changes_neither_loss_nor_ranking() -> None:
    (model, _), vision = models(), image_batch()
    padded = torch.cat([QUESTIONS, torch.zeros(2, 4, dtype=torch.int64)], 1)
    answers, ones = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]]), torch.tensor([1, 1])
    with torch.no_grad():
        plain = model(vision, QUESTIONS, answers, ones, ones.float())
        with_padding = model(vision, padded, answers, ones, ones.float())
        scores = [model.rank(vision, questions, answers, 2).scores for questions in (QUESTIONS, padded)]
    torch.testing.assert_close(with_padding, plain, rtol=0, atol=1e-5)
    torch.testing.assert_close(scores[1], scores[0], rtol=0, atol=1e-5)


def test_image_tokens_equal_the_library() -> None:
    library = shaken(BlipVisionModel(blip_vision_config()), 2)
    encoder = VisualEncoder(STILL).eval()
    encoder.load_state_dict(from_blip_vision(library.state_dict()))
    with torch.no_grad():
        torch.testing.assert_close(encoder(image_batch()), library(image_batch()).last_hidden_state, rtol=0, atol=1e-5)


def test_clip_tokens_equal_the_library_and_a_still_clip_starts_like_its_image() -> None:
    config = TimesformerConfig(
        image_size=32, patch_size=8, num_channels=6, num_frames=4, hidden_size=48, num_hidden_layers=3,
        num_attention_heads=4, intermediate_size=192, layer_norm_eps=1e-6, hidden_act="gelu",
    )  # fmt: skip
    library = shaken(TimesformerModel(config), 3)
    encoder = VisualEncoder(VISUAL).eval()
    encoder.load_state_dict(from_timesformer(library.state_dict()))
    clip = torch.randn(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(7))
    packed = clip.view(2, 3, 4, 2, 32, 32).permute(0, 2, 1, 3, 4, 5).reshape(2, 4, 6, 32, 32)
    still = image_batch()[:, :, None].expand(-1, -1, 2, -1, -1)
    with torch.no_grad():
        torch.testing.assert_close(encoder(clip), library(packed).last_hidden_state, rtol=0, atol=1e-5)
        torch.testing.assert_close(encoder.tokenise(still)[0], encoder.tokenise(image_batch())[0], rtol=0, atol=1e-5)
