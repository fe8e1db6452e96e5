"""Pretraining through the shared loop: order of momentum copies and queues, stages, sources, stopping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.encoders.omnivl import METHOD
from onlooker.methods.encoders.omnivl.config import ContrastConfig, OmniVLConfig, TextConfig, VisualConfig
from onlooker.methods.encoders.omnivl.data import Sources, SourcesConfig, class_prompts, world_tokenizer
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.pretraining import ContrastOptions, ContrastTask
from onlooker.methods.encoders.omnivl.starting import start_from, widen_random_start
from onlooker.synth.worlds import WorldConfig
from onlooker.train import Moment, OptimiserConfig, TrainConfig, train

SMALL = OmniVLConfig(
    visual=VisualConfig(
        image_size=16, patch_size=8, width=24, depth=1, heads=2, num_frames=4, time_stride=2, drop_path=0.0
    ),
    text=TextConfig(
        vocab_size=256, width=24, layers=1, heads=2, ffn=48, max_positions=32, dropout=0.0, cls_id=2, sep_id=3
    ),
    embed_dim=8,
    contrast=ContrastConfig(queue_size=16, momentum=0.5),
)
STAGE1 = replace(SMALL, visual=replace(SMALL.visual, backbone="vit"))
ALL = SourcesConfig(
    image_text=12,
    video_text=12,
    image_label=12,
    video_label=12,
    n_test=8,
    text_length=12,
    stills=WorldConfig(n_objects=(1, 1)),
    motions=WorldConfig(n_objects=(1, 1), n_frames=4, actions=("moves left", "moves right")),
)
CONFIG = TrainConfig(
    steps=6, batch_size=4, optimiser=OptimiserConfig("adamw", 1e-3, weight_decay=0.1), log_every=1, clip_norm=1.0
)


def network(config: OmniVLConfig = SMALL, seed: int = 0) -> OmniVLPretrain:
    torch.manual_seed(seed)
    return OmniVLPretrain(config)


def task(config: OmniVLConfig = SMALL, sources: SourcesConfig = ALL, **options: object) -> ContrastTask:
    return ContrastTask(network(config), ContrastOptions(sources=sources, top_k=4, **options))  # type: ignore[arg-type]


def moment(step: int, total: int = 10) -> Moment:
    return Moment(step, total, torch.Generator().manual_seed(step))


def batch_of(made: ContrastTask, name: str, size: int = 4) -> dict[str, torch.Tensor]:
    return made.collate([made.datasets()[name][index] for index in range(size)])


def test_ids_of_labelled_pictures_and_clips_never_meet_and_captions_have_none() -> None:
    sources = Sources(ALL, SMALL.visual, world_tokenizer(SMALL.text))
    pictures = {int(sources.labelled("images")[i]["target"]) for i in range(12)}
    clips = {int(sources.labelled("clips")[i]["target"]) for i in range(12)}
    assert pictures <= set(range(1, 11))
    assert clips == {11, 12}  # two actions after ten shapes
    for kind in ("images", "clips"):
        assert {int(sources.captioned(kind)[i]["target"]) for i in range(12)} == {0}  # type: ignore[arg-type]


def test_labelled_samples_say_their_class_in_a_prompt_and_nothing_else() -> None:
    sources = Sources(ALL, SMALL.visual, world_tokenizer(SMALL.text))
    names = {number: name for name, number in sources.class_ids("clips").items()}
    for index in range(4):
        sample = sources.labelled("clips")[index]
        said = sources.tokenizer.decode(sample["text_ids"])
        assert said == class_prompts(names[int(sample["target"])], "clips")[index % 2]
    assert class_prompts("oval", "images")[0] == "a picture of an oval"


def test_no_word_of_the_worlds_is_unknown_to_the_tokenizer() -> None:
    tokenizer = world_tokenizer(SMALL.text)
    sources = Sources(replace(ALL, text_length=30), SMALL.visual, tokenizer)
    unknown = tokenizer.vocabulary.index("[UNK]")
    for kind in ("images", "clips"):
        held_out = sources.test(kind)  # type: ignore[arg-type]
        texts = [text for group in held_out.references for text in group]
        texts += [question.text for question in held_out.questions]
        texts += [prompt for name in held_out.class_names for prompt in class_prompts(name, kind)]  # type: ignore[arg-type]
        assert not (sources.ids(texts) == unknown).any()


def test_steps_take_turns_and_each_is_all_pictures_or_all_clips() -> None:
    by_modality, by_source = task(), task(batches="by source")
    assert [by_modality.dataset_at(step) for step in range(4)] == ["images", "clips"] * 2
    assert [by_source.dataset_at(step) for step in range(4)] == list(by_source.datasets())
    assert list(by_source.datasets()) == ["images", "labelled images", "clips", "labelled clips"]
    for made in (by_modality, by_source):
        for name, data in made.datasets().items():
            shape = (3, 16, 16) if "images" in name else (3, 4, 16, 16)
            assert {tuple(data[index]["vision"].shape) for index in range(12)} == {shape}
    mixed = by_modality.datasets()["images"]
    assert len(mixed) == 24  # type: ignore[arg-type]
    assert {int(mixed[index]["target"]) > 0 for index in range(24)} == {True, False}


def test_alpha_rises_over_the_first_part_of_the_run_and_stays() -> None:
    made = task(alpha=0.4, alpha_ramp=0.2)
    assert [made.alpha_at(moment(step)) for step in (0, 1, 2, 9)] == pytest.approx([0.0, 0.2, 0.4, 0.4])
    assert task(alpha_ramp=0.0).alpha_at(moment(0)) == 0.4


def test_momentum_copies_move_before_the_loss_and_keys_enter_the_queue_after_it() -> None:
    made = task().train()
    model = made.network
    with torch.no_grad():
        model.vision_proj.weight.add_(1.0)
    online, kept = model.vision_proj.weight.clone(), model.vision_proj_m.weight.clone()
    queue = model.image_step_keys.vision.clone()
    made.before_step(moment(0))
    moved = model.vision_proj_m.weight
    torch.testing.assert_close(moved, (online + kept) / 2)  # momentum 0.5
    batch = batch_of(made, "images")
    made(batch, moment(0))
    assert torch.equal(model.image_step_keys.vision, queue)
    made.after_step(moment(0))
    tokens = model.visual_encoder_m(batch["vision"])[:, 0]
    keys = functional.normalize(model.vision_proj_m(tokens), dim=-1)
    torch.testing.assert_close(model.image_step_keys.vision[:, :4], keys.T)
    assert torch.equal(model.image_step_keys.vision[:, 4:], queue[:, 4:])
    assert model.image_step_keys.class_ids()[:4].tolist() == batch["target"].tolist()
    assert int(model.clip_step_keys.pointer) == 0


def test_scoring_a_batch_leaves_the_queues_alone() -> None:
    made = task().eval()
    before = made.network.image_step_keys.vision.clone()
    with torch.no_grad():
        made(batch_of(made, "images"), moment(0))
    made.after_step(moment(0))
    assert torch.equal(made.network.image_step_keys.vision, before)


def test_picture_steps_leave_the_temporal_parts_alone_even_under_weight_decay() -> None:
    made = task(sources=replace(ALL, video_text=0, video_label=0))
    before = {name: value.clone() for name, value in made.network.visual_encoder.named_parameters()}
    train(made, CONFIG, device="cpu")
    for name, value in made.network.visual_encoder.named_parameters():
        untouched = "temporal" in name or "patch_embed_3d" in name
        assert torch.equal(value, before[name]) is untouched, name


@pytest.mark.parametrize("kind", ["images", "clips"])
def test_loss_falls_on_eight_samples(kind: str) -> None:
    only = {"video_text": 0} if kind == "images" else {"image_text": 0}
    numbers = replace(ALL, image_text=8, video_text=8, image_label=0, video_label=0)
    made = task(sources=replace(numbers, **only), alpha=0.0)  # type: ignore[arg-type]
    widen_random_start(made.network, made.network.config)
    config = replace(CONFIG, steps=40, batch_size=8, optimiser=OptimiserConfig("adamw", 3e-3))
    history = train(made, config, device="cpu").history
    for part, fall in (("loss", 2.0), ("contrast", 0.3), ("generation", 1.0)):
        first = sum(event.losses[part] for event in history[:4]) / 4
        last = sum(event.losses[part] for event in history[-4:]) / 4
        assert last < first - fall, part


def test_a_stopped_and_resumed_run_is_equal_to_one_that_ran_on_queues_and_copies_too(tmp_path: Path) -> None:
    class Stopped(Exception):
        """The plug was pulled."""

    def pull(event: object) -> None:
        if event.step == 3:  # type: ignore[attr-defined]
            raise Stopped

    through, cut, resumed = task(), task(), task()
    at_once = train(through, CONFIG, device="cpu")
    with pytest.raises(Stopped):
        train(cut, replace(CONFIG, checkpoint_every=1), tmp_path / "run", progress=pull, device="cpu")
    with torch.no_grad():
        for tensor in [*resumed.parameters(), resumed.network.image_step_keys.vision]:
            tensor.zero_()
    result = train(resumed, replace(CONFIG, checkpoint_every=1), tmp_path / "run", device="cpu")
    assert [event.step for event in result.history] == [4, 5, 6]
    assert [event.losses for event in result.history] == [event.losses for event in at_once.history[3:]]
    for name, value in through.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name
    assert result.metrics == at_once.metrics


def test_stage_two_starts_as_the_inflated_stage_one(tmp_path: Path) -> None:
    first = network(STAGE1, seed=1).eval()
    first.save_pretrained(tmp_path)
    second = task(start=str(tmp_path), temporal_start="zero").network.eval()
    pictures = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    still = pictures.unsqueeze(2).expand(-1, -1, 4, -1, -1)
    expected = first.embed_vision(pictures)
    torch.testing.assert_close(second.embed_vision(pictures), expected)
    torch.testing.assert_close(second.embed_vision(still), expected, atol=1e-5, rtol=0)
    for name, value in second.visual_encoder.named_parameters():
        assert torch.equal(second.visual_encoder_m.get_parameter(name), value) or "temporal_fc" in name
        if ".temporal_attn." in name:
            assert torch.equal(value, first.visual_encoder.get_parameter(name.replace("temporal_", "")))
    torch.testing.assert_close(second.image_step_keys.text, first.image_step_keys.text)


def test_the_authors_random_start_of_stage_two_depends_on_its_seed_alone() -> None:
    first = network(STAGE1, seed=1)
    made = []
    for seed in (5, 5, 6):
        second = network(seed=int(torch.randint(100, ())))
        start_from(second, SMALL, first, seed=seed)
        made.append(second.visual_encoder.get_parameter("blocks.0.temporal_fc.weight").detach())
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert 0.015 < float(made[0].std()) < 0.025


def test_wide_start_stretches_online_parts_and_copies_alike_but_neither_patches_nor_queues() -> None:
    plain, wide = network(), network()
    widen_random_start(wide, SMALL)
    factor = (768 / 24) ** 0.5
    torch.testing.assert_close(wide.text_proj.weight, plain.text_proj.weight * factor)
    torch.testing.assert_close(wide.text_proj_m.weight, wide.text_proj.weight)
    assert torch.equal(wide.visual_encoder.patch_embed.proj.weight, plain.visual_encoder.patch_embed.proj.weight)
    assert torch.equal(wide.image_step_keys.vision, plain.image_step_keys.vision)


def test_pixels_that_are_not_finite_are_refused() -> None:
    made = task()
    batch = batch_of(made, "clips")
    batch["vision"][0, 0, 0, 0, 0] = torch.nan
    with pytest.raises(ShapeError, match="not finite"):
        made(batch, moment(0))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sources": {"image_text": 0, "video_text": 0}}, "all sources have 0 samples"),
        ({"alpha": 1.5}, "`alpha` is in"),
        ({"start": "somewhere", "random_start": "for width"}, "leave one of them out"),
    ],
)
def test_options_that_cannot_be_are_explained(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        METHOD.tasks["pretrain"](network(), options)


def test_unknown_options_wrong_heads_and_clips_without_their_network_are_named() -> None:
    with pytest.raises(UnknownNameError, match="alfa"):
        METHOD.tasks["pretrain"](network(), {"alfa": 0.4})
    with pytest.raises(ConfigError, match="needs a network with the head `retrieval`, got `pretrain`"):
        METHOD.tasks["retrieval"](network(), {})
    with pytest.raises(ConfigError, match="need a network that takes clips"):
        METHOD.tasks["pretrain"](network(STAGE1), {})
