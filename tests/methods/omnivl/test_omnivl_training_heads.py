"""Finetuning: retrieval, classes, captions and answers, and the scores they are judged by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import onlooker
from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.omnivl import METHOD, OmniVLCaptioner, OmniVLDescriber, scoring
from onlooker.methods.encoders.omnivl.config import (
    ContrastConfig,
    GenerationConfig,
    Head,
    OmniVLConfig,
    TextConfig,
    VisualConfig,
)
from onlooker.methods.encoders.omnivl.data import Sources, SourcesConfig, world_tokenizer
from onlooker.methods.encoders.omnivl.finetuning import CaptionTask, FinetuneOptions, FinetuneTask
from onlooker.methods.encoders.omnivl.networks import create
from onlooker.methods.encoders.omnivl.starting import widen_random_start
from onlooker.synth.pictures import NuisanceConfig
from onlooker.synth.questions import ANSWERS
from onlooker.synth.worlds import WorldConfig
from onlooker.train import OptimiserConfig, TrainConfig, train

SMALL = OmniVLConfig(
    visual=VisualConfig(
        image_size=16, patch_size=8, width=24, depth=1, heads=2, num_frames=4, time_stride=2, drop_path=0.0
    ),
    text=TextConfig(
        vocab_size=256, width=24, layers=1, heads=2, ffn=48, max_positions=32, dropout=0.0, cls_id=2, sep_id=3
    ),
    embed_dim=8,
    contrast=ContrastConfig(queue_size=16, momentum=0.5),
    generation=GenerationConfig(beams=1, min_length=2, max_length=16),
)
SOURCES: dict[str, object] = {
    "n_test": 8,
    "text_length": 12,
    "stills": {"n_objects": [1, 1]},
    "motions": {"n_objects": [1, 1], "n_frames": 4, "actions": ["moves left", "moves right"]},
}
TASKS = [("classify", "embed"), ("caption", "caption"), ("vqa", "vqa")]
CONFIG = TrainConfig(steps=25, batch_size=8, optimiser=OptimiserConfig("adamw", 3e-3), log_every=1, clip_norm=1.0)


def network(head: Head, prompt: str = "") -> torch.nn.Module:
    torch.manual_seed(0)
    made = create(replace(SMALL, head=head, generation=replace(SMALL.generation, prompt=prompt)))
    widen_random_start(made, SMALL)
    return made


@pytest.mark.parametrize("kind", ["images", "clips"])
@pytest.mark.parametrize(("name", "head"), TASKS)
def test_finetuning_learns_eight_samples_and_is_scored(name: str, head: Head, kind: str) -> None:
    task = METHOD.tasks[name](network(head), {"kind": kind, "n_train": 8, "sources": SOURCES})
    result = train(task, CONFIG, device="cpu")
    first, last = (
        sum(event.losses["loss"] for event in part) / 3 for part in (result.history[:3], result.history[-3:])
    )
    assert last < 0.8 * first
    assert task.metric.name in result.metrics
    assert all(np.isfinite(value) for value in result.metrics.values())


@pytest.mark.parametrize("kind", ["images", "clips"])
def test_retrieval_is_finetuned_on_one_modality_without_generation(kind: str) -> None:
    numbers = {"image_text": 8, "video_text": 0} if kind == "images" else {"image_text": 0, "video_text": 8}
    task = METHOD.tasks["retrieval"](network("retrieval"), {"top_k": 3, "sources": {**SOURCES, **numbers}})
    result = train(task, replace(CONFIG, steps=3), device="cpu")
    assert result.history[0].losses["generation"] == 0
    ways = [result.metrics[f"{kind}_reranked_{way}_recall_at_1_percent"] for way in ("forward", "backward")]
    assert result.metrics["reranked_recall_at_1_percent"] == pytest.approx(sum(ways) / 2)
    with pytest.raises(ConfigError, match="on `image_text` or on `video_text`"):
        METHOD.tasks["retrieval"](network("retrieval"), {"sources": SOURCES})


@pytest.mark.parametrize("head", ["caption", "vqa", "embed", "retrieval"])
def test_finetuning_starts_from_a_pretraining_run(head: Head, tmp_path: Path) -> None:
    pretrained = network("pretrain")
    pretrained.save_pretrained(tmp_path)  # type: ignore[operator]
    name = {"embed": "classify"}.get(head, head)
    sources = {**SOURCES, "video_text": 0} if head == "retrieval" else SOURCES
    made = METHOD.tasks[name](create(replace(SMALL, head=head)), {"start": str(tmp_path), "sources": sources})
    state = pretrained.state_dict()
    for key in ("visual_encoder.pos_embed", "visual_encoder.blocks.0.attn.qkv.weight"):
        assert torch.equal(made.network.state_dict()[key], state[key])
    if head in ("caption", "vqa"):  # shared in pretraining, its own here
        word = "text_decoder.bert.embeddings.word_embeddings.weight"
        assert torch.equal(made.network.state_dict()[word], state["text_encoder.embeddings.word_embeddings.weight"])


def test_prompt_stands_before_the_caption_and_is_not_learned() -> None:
    options = FinetuneOptions(n_train=4, sources=SourcesConfig(n_test=4, text_length=12, wordings=(2,)))
    model = network("caption", "a picture of ")
    assert isinstance(model, OmniVLCaptioner)
    task = CaptionTask(model, options)
    batch = task.collate([task.datasets()["train"][index] for index in range(4)])
    seen: list[tuple[torch.Tensor, int]] = []
    model.forward = lambda vision, ids, length: seen.append((ids, length)) or vision.sum()  # type: ignore
    task(batch, None)  # type: ignore[arg-type]
    (ids, length), tokenizer = seen[0], task.sources.tokenizer
    assert length == 4  # [DEC] a picture of
    said = tokenizer.decode(batch["text_ids"][0])
    assert tokenizer.decode(ids[0]) == f"a picture of {said}"


def test_vqa_accuracy_by_hand() -> None:
    three_of_ten = ["red"] * 3 + ["blue"] * 7
    # Leaving out one of the three who said red leaves two thirds, leaving out another leaves one.
    assert scoring.vqa_accuracy_percent([" Red"], [three_of_ten]) == pytest.approx(100 * (3 * 2 / 3 + 7) / 10)
    assert scoring.vqa_accuracy_percent(["green", "blue"], [three_of_ten] * 2) == 50.0
    with pytest.raises(ShapeError, match="at least four"):
        scoring.vqa_accuracy_percent(["red"], [["red"]])


def test_answers_of_every_question_are_in_the_list_that_is_ranked() -> None:
    sources = Sources(SourcesConfig(n_test=24), SMALL.visual, world_tokenizer(SMALL.text))
    for kind in ("images", "clips"):
        assert {question.answer for question in sources.test(kind).questions} <= set(ANSWERS)  # type: ignore[arg-type]


def test_equal_captions_are_one_query_right_for_all_their_scenes() -> None:
    distinct, relevant = scoring._distinct(["a ring", "a bar", "a ring"])
    assert distinct == ["a ring", "a bar"]
    assert relevant.tolist() == [[True, False, True], [False, True, False]]


def test_clips_as_frames_are_the_mean_of_frames_and_pictures_as_clips_are_still() -> None:
    towers = network("embed").eval()
    clips = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    by_hand = torch.stack([towers.embed_vision(clips[:, :, t]) for t in range(4)]).mean(0)  # type: ignore[operator]
    by_hand = by_hand / by_hand.norm(dim=1, keepdim=True)
    torch.testing.assert_close(scoring.embed_held_out(towers, clips, "as frames"), by_hand)  # type: ignore[arg-type]
    still = clips[:, :, :1].expand(-1, -1, 4, -1, -1)
    torch.testing.assert_close(
        scoring.embed_held_out(towers, clips[:, :, 0], "as clips"),  # type: ignore[arg-type]
        towers.embed_vision(still),  # type: ignore[operator]
    )
    with pytest.raises(ShapeError, match="as frames"):
        scoring.embed_held_out(towers, clips[:, :, 0], "as frames")  # type: ignore[arg-type]


def test_a_finished_run_builds_and_describes_with_the_words_of_its_task(tmp_path: Path) -> None:
    from onlooker.training import train_recipe

    recipe = tmp_path / "small.toml"
    recipe.write_text(
        'method = "omnivl"\nconfig = "tiny-caption"\ntask = "caption"\n[task_options]\nn_train = 8\n'
        "[task_options.sources]\nn_test = 4\ntext_length = 12\n[train]\nsteps = 1\nbatch_size = 4\n"
    )
    train_recipe(recipe, tmp_path / "run", device="cpu")
    model = onlooker.build("omnivl", weights=tmp_path / "run")
    assert isinstance(model, OmniVLCaptioner)
    world_tokenizer(model.config.text).save(tmp_path / "run" / "vocab.txt")
    describer = OmniVLDescriber(weights=str(tmp_path / "run"))
    (caption,) = describer.caption([np.zeros((20, 30, 3), np.uint8)])
    assert isinstance(caption, str)


@pytest.mark.slow
def test_a_tiny_captioner_says_more_than_a_constant() -> None:
    calm = NuisanceConfig(backgrounds=("flat",), brightness=0.0, contrast=0.0, noise_std=2.0, n_specks=(0, 0))
    stills = WorldConfig(n_objects=(1, 1), shapes=("circle",), textures=("plain",), radius=(0.25, 0.3), nuisance=calm)
    sources = SourcesConfig(n_test=64, text_length=10, wordings=(2,), stills=stills)
    task: FinetuneTask = CaptionTask(network("caption"), FinetuneOptions(n_train=400, sources=sources))  # type: ignore[arg-type]
    result = train(task, replace(CONFIG, steps=200, batch_size=16, log_every=200), device="cpu")
    references = task.sources.test("images").references
    constant = max(
        scoring.caption_scores([text] * len(references), references)["cider_d"]
        for text in dict.fromkeys(group[0] for group in references)
    )
    assert result.metrics["different_captions"] > 2
    assert result.metrics["cider_d"] > 2 * constant
