"""Invariants of the trainings: what must not touch what, sizes over a run, and that losses fall."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from onlooker.errors import ConfigError, FormatError, ShapeError
from onlooker.methods.encoders.perception_encoder import METHOD, PerceptionEncoder, PerceptionEncoderConfig
from onlooker.methods.encoders.perception_encoder.alignment import tokens_config
from onlooker.methods.encoders.perception_encoder.config import TextConfig, VisionConfig
from onlooker.methods.encoders.perception_encoder.contrastive import (
    ContrastiveOptions,
    ContrastiveTask,
    MaskingConfig,
)
from onlooker.methods.encoders.perception_encoder.data import (
    AugmentConfig,
    ResolutionSchedule,
    ResolutionStage,
    SceneConfig,
    TableSamples,
    augment,
    draw_hidden,
    to_network_range,
)
from onlooker.methods.encoders.perception_encoder.distillation import DistillOptions, DistillTask
from onlooker.methods.encoders.perception_encoder.infer import PerceptionEmbedder
from onlooker.methods.encoders.perception_encoder.language import (
    DecoderConfig,
    LanguageOptions,
    LanguageTask,
    make_reader,
    real_words,
)
from onlooker.methods.encoders.perception_encoder.spatial import SpatialOptions, SpatialTask, align_spatially
from onlooker.train import OptimiserConfig, TrainConfig, train
from onlooker.train.task import Moment, Task

SCENES = SceneConfig(n_train=8, n_test=8, objects=(1, 2), wordings=(1, 2))
CORE = PerceptionEncoderConfig(
    VisionConfig(32, 3, 2, 64, patch_size=8, image_size=24, pool_heads=2, embed_dim=16),
    TextConfig(32, 1, 2, 64, embed_dim=16, context_length=20, vocabulary=256, tokenizer="world"),
)


def core(seed: int = 0) -> PerceptionEncoder:
    network = METHOD.create(CORE, seed)
    assert isinstance(network, PerceptionEncoder)
    return network


def moment(step: int = 0, total: int = 10, seed: int = 0) -> Moment:
    return Moment(step, total, torch.Generator().manual_seed(seed))


def contrastive(network: PerceptionEncoder, batch_part: float = 0.0, varied: bool = False, **fields: object) -> Task:
    masking = MaskingConfig(batch_part=batch_part)
    return ContrastiveTask(network, ContrastiveOptions(SCENES, masking=masking, varied=varied, **fields))


def eight(task: Task) -> dict[str, Tensor]:
    samples = task.datasets()["train"]
    return task.collate([samples[i] for i in range(8)])


def losses_of(task: Task, steps: int, rate: float) -> list[float]:
    torch.manual_seed(0)
    batch = eight(task)
    trained = [p for group in task.parameter_groups() for p in group.parameters]
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    task.train()
    seen = []
    for step in range(steps):
        task.before_step(moment(step, steps))
        loss = task(batch, moment(step, steps))["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        task.after_step(moment(step, steps))
        seen.append(float(loss.detach()))
    return seen


def test_masking_leaves_value_and_gradient_of_the_contrast_unchanged() -> None:
    with_it, without = contrastive(core(), 0.5), contrastive(core(), 0.0)
    assert isinstance(with_it, ContrastiveTask)
    assert isinstance(without, ContrastiveTask)
    images, tokens = torch.rand(8, 3, 24, 24) * 2 - 1, eight(without)["tokens"]
    parts = with_it.losses(images, tokens, torch.Generator().manual_seed(1))
    alone = without.losses(images, tokens, torch.Generator().manual_seed(1))
    assert set(parts) == {"contrast", "masking"}
    assert parts["contrast"].equal(alone["contrast"])
    ours = torch.autograd.grad(parts["contrast"], list(with_it.network.parameters()))
    theirs = torch.autograd.grad(alone["contrast"], list(without.network.parameters()))
    assert all(a.equal(b) for a, b in zip(ours, theirs, strict=True))


def test_masking_pulls_at_the_masked_view_and_never_at_its_target() -> None:
    task = contrastive(core(), 1.0)
    assert isinstance(task, ContrastiveTask)
    images = torch.rand(4, 3, 24, 24) * 2 - 1
    loss = task._masking(images, torch.Generator().manual_seed(3))
    loss.backward()
    gradient = task.network.visual.blocks[0].attn.qkv.weight.grad.clone()
    # The same with the target written down beforehand as plain numbers.
    task.zero_grad()
    draws = torch.Generator().manual_seed(3)
    seen = images[torch.randperm(4, generator=draws)]
    with torch.no_grad():
        target = task.network.visual.features(seen, [-1], norm=True, strip_class_token=True)[0].clone()
    hidden = draw_hidden((4, 9), 0.5, draws)
    view = task.network.visual.features(
        seen, [-1], norm=True, strip_class_token=True, masked=hidden, mask_value=task.mask_value
    )[0]
    (1 - torch.cosine_similarity(view, target, dim=-1)).mean().backward()
    assert torch.allclose(gradient, task.network.visual.blocks[0].attn.qkv.weight.grad, atol=1e-7)
    assert task.mask_value.grad.abs().sum() > 0
    assert task.network.text.proj.grad is None
    assert task.network.logit_scale.grad is None


def test_pictures_grow_at_the_steps_the_schedule_says() -> None:
    stages = (ResolutionStage(0.3, 8), ResolutionStage(0.5, 16), ResolutionStage(1.0, 24))
    task = contrastive(core(), resolution=ResolutionSchedule(stages))
    assert isinstance(task, ContrastiveTask)
    assert [task.size_at(moment(step)) for step in range(10)] == [8, 8, 8, 16, 16, 24, 24, 24, 24, 24]
    seen = []
    task.network.visual.patch_embed.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[-1]))
    for step in (0, 4, 9):
        task(eight(task), moment(step))
    assert seen == [8, 16, 24]


def test_schedule_that_does_not_end_or_does_not_fit_the_patches_is_refused() -> None:
    with pytest.raises(ConfigError, match="exactly 1"):
        ResolutionSchedule((ResolutionStage(0.5, 16),))
    with pytest.raises(ConfigError, match="20 pixels"):
        contrastive(core(), resolution=ResolutionSchedule((ResolutionStage(1.0, 20),)))


def test_scale_of_cosines_stays_at_a_hundred_at_most() -> None:
    task = contrastive(core())
    task.network.logit_scale.data.fill_(6.0)
    task.after_step(moment())
    assert float(task.network.logit_scale.detach()) == pytest.approx(math.log(100))


def test_clip_is_the_mean_of_its_frames_in_the_loss() -> None:
    task = contrastive(core())
    assert isinstance(task, ContrastiveTask)
    still = torch.rand(4, 3, 24, 24) * 2 - 1
    tokens = eight(task)["tokens"][:4]
    draws = torch.Generator()
    clip = still[:, None].expand(-1, 3, -1, -1, -1)
    assert torch.allclose(
        task.losses(still, tokens, draws)["contrast"], task.losses(clip, tokens, draws)["contrast"], atol=1e-5
    )
    shuffled = torch.rand(4, 3, 3, 24, 24)
    assert torch.allclose(
        task.losses(shuffled, tokens, draws)["contrast"],
        task.losses(shuffled.flip(1), tokens, draws)["contrast"],
        atol=1e-5,
    )


@pytest.mark.parametrize("part", [0.0, 0.5])
def test_contrastive_loss_falls_on_eight_samples(part: float) -> None:
    seen = losses_of(contrastive(core(), part), steps=25, rate=2e-3)
    assert seen[-1] < 0.6 * seen[0]


def test_spatial_loss_falls_on_eight_samples_and_the_core_stays() -> None:
    network = core()
    task = align_spatially(network, SpatialOptions(SCENES))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    seen = losses_of(task, steps=25, rate=2e-3)
    assert sum(seen[-3:]) < 0.9 * sum(seen[:3])
    assert all(tensor.equal(before[name]) for name, tensor in network.state_dict().items())
    assert not network.training


def test_student_that_copies_the_teacher_layer_has_no_semantic_loss() -> None:
    network = core()
    student = network.derived(tokens_config(CORE, layer_scale=None, drop_path=0.0))
    options = SpatialOptions(SCENES, teacher_layer=-1, locality_weight=0.0, hidden_part=0.0)
    task = SpatialTask(student, network, options)
    parts = task(eight(task), moment())
    assert float(parts["loss"].detach()) == pytest.approx(0, abs=1e-6)
    assert "locality" not in parts


def test_teacher_layer_is_the_41st_of_fifty_and_so_much_of_other_depths() -> None:
    deep = PerceptionEncoderConfig(VisionConfig(16, 10, 2, 16, patch_size=8, image_size=16, pool_heads=2))
    network = METHOD.create(deep, 0)
    assert isinstance(network, PerceptionEncoder)
    assert align_spatially(network, SpatialOptions(SCENES)).teacher_layer == 7


def test_layer_decay_halves_the_rate_from_block_to_block_and_reaches_every_parameter_once() -> None:
    task = align_spatially(core(), SpatialOptions(SCENES, layer_decay=0.5))
    rates = {id(p): group.rate for group in task.parameter_groups() for p in group.parameters}
    trained = {name: rates.pop(id(p)) for name, p in task.named_parameters() if p.requires_grad}
    assert not rates
    assert {trained[f"network.visual.blocks.{i}.attn.proj.weight"] for i in range(3)} == {0.25, 0.5, 1.0}
    assert (trained["network.visual.blocks.2.ln_1.bias"], trained["network.visual.patch_embed.weight"]) == (1.0, 0.125)
    assert trained["mask_value"] == 1.0
    assert len(align_spatially(core(), SpatialOptions(SCENES)).parameter_groups()) == 2
    with pytest.raises(ConfigError, match="layer_decay"):
        SpatialOptions(SCENES, layer_decay=0.0)


def test_distilled_student_of_another_width_comes_closer_to_its_teacher() -> None:
    teacher = core().derived(tokens_config(CORE, layer_scale=None, drop_path=0.0))
    small = PerceptionEncoderConfig(
        VisionConfig(16, 2, 2, 32, patch_size=8, image_size=24, pool="none", final_norm=False)
    )
    student = METHOD.create(small, 1)
    assert isinstance(student, PerceptionEncoder)
    seen = losses_of(DistillTask(student, teacher, DistillOptions(SCENES)), steps=25, rate=5e-3)
    assert seen[-1] < 0.7 * seen[0]


def language_task(**fields: object) -> LanguageTask:
    encoder = core().derived(tokens_config(CORE, depth=2, layer_scale=1.0, drop_path=0.0))
    torch.manual_seed(0)
    reader = make_reader(DecoderConfig(width=16, depth=1, heads=2, max_words=20))
    return LanguageTask(encoder, reader, LanguageOptions(SCENES, **fields))


def test_caption_loss_falls_on_eight_samples() -> None:
    seen = losses_of(language_task(projector_part=0.1), steps=25, rate=1e-2)
    assert seen[-1] < 0.7 * seen[0]


def test_only_the_projector_learns_in_the_first_stage() -> None:
    task = language_task(projector_part=0.5)
    for step, wanted in ((0, False), (4, False), (5, True), (9, True)):
        task.before_step(moment(step))
        task.zero_grad()
        task(eight(task), moment(step))["loss"].backward()
        assert task.projector.fc1.weight.grad is not None
        assert (task.network.visual.patch_embed.weight.grad is not None) == wanted
        assert (task.decoder.get_input_embeddings().weight.grad is not None) == wanted


def test_frozen_encoder_never_opens() -> None:
    task = language_task(projector_part=0.1, frozen="encoder")
    task.before_step(moment(9))
    assert not any(parameter.requires_grad for parameter in task.network.parameters())


def test_words_after_the_end_count_for_nothing() -> None:
    tokens = torch.tensor([[2, 7, 9, 255, 0, 0], [255, 7, 255, 255, 255, 255]])
    assert real_words(tokens, 255).tolist() == [[True] * 4 + [False] * 2, [True] * 3 + [False] * 3]
    task = language_task()
    task.eval()
    images = torch.rand(2, 3, 24, 24) * 2 - 1
    padded = torch.tensor([[2, 7, 9, 255, 0, 0], [2, 8, 255, 0, 0, 0]])
    longer = padded.clone()
    longer[0, 4:], longer[1, 3:] = 11, 12
    losses = task.word_losses(images, padded)
    assert (losses > 0).tolist() == [[True] * 3 + [False] * 2, [True] * 2 + [False] * 3]
    assert torch.allclose(losses, task.word_losses(images, longer), atol=1e-6)


def test_augmentation_off_changes_nothing_and_on_stays_in_range() -> None:
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    none = AugmentConfig(least_area=1.0, brightness=0.0, saturation=0.0, mirror=0.0)
    assert torch.allclose(augment(images, none, torch.Generator()), images, atol=1e-5)
    mirrored = AugmentConfig(least_area=1.0, brightness=0.0, saturation=0.0, mirror=1.0)
    assert torch.allclose(augment(images, mirrored, torch.Generator()), images.flip(-1), atol=1e-5)
    varied = augment(images, AugmentConfig(), torch.Generator().manual_seed(1))
    assert varied.abs().max() <= 1
    assert not torch.allclose(varied, images, atol=0.05)


def test_frames_of_a_clip_are_varied_alike() -> None:
    still = torch.rand(3, 1, 3, 16, 16).expand(-1, 4, -1, -1, -1) * 2 - 1
    varied = augment(still, AugmentConfig(), torch.Generator().manual_seed(1))
    assert varied.shape == still.shape
    assert torch.allclose(varied, varied[:, :1].expand_as(varied))


def test_hidden_patches_are_as_many_as_asked_in_every_picture() -> None:
    hidden = draw_hidden((5, 16), 0.25, torch.Generator().manual_seed(0))
    assert hidden.sum(dim=1).tolist() == [4] * 5
    assert len({tuple(row.tolist()) for row in hidden}) > 1


def test_pixels_that_are_no_bytes_are_refused() -> None:
    with pytest.raises(ShapeError, match="uint8"):
        to_network_range(torch.rand(2, 3, 8, 8), 8)
    assert to_network_range(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(-1, 3, 8, 8), 8)[
        :, 0, 0, 0
    ].tolist() == [-1, 1]


def test_table_of_files_gives_pictures_and_clips(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(np.full((10, 20, 3), 40 * number, np.uint8)).save(tmp_path / f"{number}.png")
    rows = [{"image": "1.png", "text": "one"}, {"images": ["0.png", "1.png", "2.png"], "text": "all"}]
    table = tmp_path / "pairs.jsonl"
    table.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert TableSamples(table, 8)[0]["pixels"].unique().tolist() == [40]
    clip = TableSamples(table, 8, frames=6)[1]["pixels"]
    assert clip[:, 0, 0, 0].tolist() == [0, 0, 40, 40, 80, 80]


@pytest.mark.parametrize(
    ("line", "message"), [("{", "no JSON"), ('{"text": "a"}', '"image"'), ('{"image": "a.png"}', '"text"')]
)
def test_broken_line_of_a_table_is_named(tmp_path: Path, line: str, message: str) -> None:
    table = tmp_path / "pairs.jsonl"
    table.write_text('{"image": "0.png", "text": "a"}\n' + line, encoding="utf-8")
    with pytest.raises(FormatError, match=f"line 2.*{message}"):
        TableSamples(table, 8)


def test_alignment_without_a_core_says_what_is_missing() -> None:
    network = METHOD.create(METHOD.configs["tiny-spatial"], 0)
    with pytest.raises(ConfigError, match="option `core` is missing"):
        METHOD.tasks["spatial_alignment"](network, {})
    with pytest.raises(ConfigError, match=r"`scenes\.frames` of 2 or more"):
        METHOD.tasks["video"](core(), {"scenes": {"frames": 1}})


@pytest.mark.slow
def test_trained_network_names_pictures_far_above_chance() -> None:
    scenes = SceneConfig(n_train=1000, n_test=200, objects=(1, 1), wordings=(1, 2))
    task = ContrastiveTask(core(), ContrastiveOptions(scenes, masking=MaskingConfig(batch_part=0.0), varied=False))
    config = TrainConfig(steps=400, batch_size=50, optimiser=OptimiserConfig("adamw", 3e-3), clip_norm=1.0)
    scores = train(task, config, device="cpu").metrics
    # Seventy names: 1.4 % by chance, with a standard deviation of 0.8 over 200 pictures; three of these above it.
    assert scores["zero_shot_top1_percent"] > 4
    embedder = PerceptionEmbedder.of_network(task.network, "test")
    world = scenes.world(24, "test")
    colours = ("red", "green", "blue")
    shown = [scene for scene in (world[i] for i in range(120)) if scene.main.colour in colours]
    names = embedder.classify([s.frames[0] for s in shown], colours, ["a picture of a {} square", "a {} circle"])
    right = [colours[row.argmax()] == s.main.colour for row, s in zip(names, shown, strict=True)]
    assert sum(right) > 0.6 * len(right)
