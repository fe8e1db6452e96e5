"""The experiments behind `claims.py`: small networks, trained and measured on synthetic scenes, a seed at a time.

Networks that several claims need are trained once per process.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from onlooker.evaluation.probe import probe_accuracy_percent
from onlooker.methods.encoders.perception_encoder.alignment import tokens_config
from onlooker.methods.encoders.perception_encoder.config import PerceptionEncoderConfig, TextConfig, VisionConfig
from onlooker.methods.encoders.perception_encoder.contrastive import (
    ContrastiveOptions,
    ContrastiveTask,
    MaskingConfig,
)
from onlooker.methods.encoders.perception_encoder.data import (
    ResolutionSchedule,
    ResolutionStage,
    SceneConfig,
    Split,
    to_network_range,
)
from onlooker.methods.encoders.perception_encoder.language import (
    DecoderConfig,
    LanguageOptions,
    LanguageTask,
    make_reader,
)
from onlooker.methods.encoders.perception_encoder.layer_probe import LayerCurve, probe_segmentation, probe_tracking
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.probe_data import colour_pixels, tracked_clips
from onlooker.methods.encoders.perception_encoder.spatial import SpatialOptions, align_spatially
from onlooker.synth.needle import NeedleConfig, NeedleWorld
from onlooker.train import OptimiserConfig, ScheduleConfig, Task, TrainConfig, train

CORE = PerceptionEncoderConfig(
    VisionConfig(64, 6, 4, 256, patch_size=6, image_size=48, pool_heads=4, embed_dim=64),
    TextConfig(64, 2, 4, 256, embed_dim=64, context_length=20, vocabulary=256, tokenizer="world"),
)
CORE_STEPS, CORE_BATCH = 400, 48
GROWING = ResolutionSchedule((ResolutionStage(0.7, 30), ResolutionStage(1.0, 48)))
CAPTION_STEPS, CAPTION_BATCH = 150, 32
# Twice the native size: on the native 8 by 8 grid objects are hardly three tokens wide.
PROBED_PX = 96
_TRACKED, _CHOOSING = 16, 8
_CLIPS: dict[Split, int] = {"train": 400, "test": 300}
_MIDDLE_SEED = 500  # another world for choosing a layer than for scoring it


@dataclass(frozen=True)
class AlignSetting:
    """How the student is aligned; with `searched` the first teacher is the core's best middle layer for tracking, found
    on clips of another world, as the paper picked its layer, else the one at 0.82 of the depth."""

    steps: int
    batch: int
    size_px: int
    searched: bool
    drop_path: float
    locality_weight: float


SHORT = AlignSetting(100, 16, CORE.vision.image_size, searched=False, drop_path=0.1, locality_weight=1.0)
LONG = AlignSetting(250, 8, PROBED_PX, searched=True, drop_path=0.0, locality_weight=2.0)


@dataclass(frozen=True)
class Curves:
    """The layer probe of a network for both dense tasks."""

    tracking: LayerCurve
    segmentation: LayerCurve


def scenes(seed: int) -> SceneConfig:
    """The data of all trainings: one or two objects, the two shortest captions."""
    return SceneConfig(n_train=3000, n_test=200, objects=(1, 2), wordings=(1, 2), seed=seed)


@functools.cache
def trained_core(seed: int, rope: bool = True, growing: bool = True) -> PerceptionEncoder:
    """A core network after contrastive training with the paper's ingredients, but for those switched off."""
    config = replace(CORE, vision=replace(CORE.vision, rope=rope))
    task = _contrastive(_new(config, seed), seed, growing)
    _fit(task, seed, CORE_STEPS, CORE_BATCH, rate=2e-3)
    return task.network


@functools.cache
def aligned(seed: int, setting: AlignSetting, semantic: bool = True, locality: bool = True) -> PerceptionEncoder:
    """The core of a seed after spatial alignment, with both terms or one."""
    options = SpatialOptions(
        replace(scenes(seed), objects=(2, 3), n_train=800),
        teacher_layer=middle_for_tracking(seed) if setting.searched else None,
        semantic_weight=float(semantic),
        locality_weight=setting.locality_weight if locality else 0.0,
        size_px=setting.size_px,
    )
    task = align_spatially(trained_core(seed), options, drop_path=setting.drop_path)
    _fit(task, seed, setting.steps, setting.batch, rate=1e-3)
    return task.network


@functools.cache
def core_curves(seed: int) -> Curves:
    """Layer by layer, the core of a seed."""
    return _curves(trained_core(seed), seed)


@functools.cache
def aligned_curves(seed: int, setting: AlignSetting, semantic: bool = True, locality: bool = True) -> Curves:
    """Layer by layer, the aligned network of a seed."""
    return _curves(aligned(seed, setting, semantic, locality), seed)


@functools.cache
def middle_for_tracking(seed: int) -> int:
    """The core's best layer before the last, on clips of another world."""
    clips = tracked_clips(PROBED_PX, seed + _MIDDLE_SEED, _CHOOSING)
    return _best_middle(probe_tracking(trained_core(seed), clips))


def middle_against_last_tracking(seed: int) -> dict[str, float]:
    """J&F of the best layer before the last, chosen on clips of another world, and of the last."""
    curve, chosen = core_curves(seed).tracking, middle_for_tracking(seed)
    return {"middle_layer": curve.scores[chosen], "last_layer": curve.last}


def middle_against_last_segmentation(seed: int) -> dict[str, float]:
    """The same with the mIoU of a linear probe."""
    network, curve = trained_core(seed), core_curves(seed).segmentation
    chosen = _best_middle(_segmentation(network, seed + _MIDDLE_SEED))
    return {"middle_layer": curve.scores[chosen], "last_layer": curve.last}


def alignment_tracking(seed: int, setting: AlignSetting = SHORT) -> dict[str, float]:
    """J&F of the last layer, aligned with both terms, with one, and not at all."""
    return {name: curves.tracking.last for name, curves in _alignment_arms(seed, setting).items()}


def alignment_segmentation(seed: int, setting: AlignSetting = SHORT) -> dict[str, float]:
    """The same with the mIoU of a linear probe."""
    return {name: curves.segmentation.last for name, curves in _alignment_arms(seed, setting).items()}


def alignment_best_layer(seed: int, setting: AlignSetting = SHORT) -> dict[str, float]:
    """Layers from the best to the last, mean over both dense tasks."""
    both = {"aligned": aligned_curves(seed, setting), "core": core_curves(seed)}
    last = CORE.vision.depth - 1
    return {
        name: float(np.mean([last - curve.best for curve in (curves.tracking, curves.segmentation)]))
        for name, curves in both.items()
    }


def progressive_flops(seed: int) -> dict[str, float]:
    """Trunk work of a run at growing sizes, as a part of one at the native size all along; the same for every seed.

    Counted on the L model's trunk at 98, 154 and 224 pixels for a third of the run each.
    """
    config = PerceptionEncoderConfig(
        VisionConfig(1024, 2, 16, 4096, patch_size=14, image_size=224, pool="none", final_norm=False)
    )
    with torch.device("meta"):
        network = PerceptionEncoder(config)
    counts = []
    for size in (98, 154, 224):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            for block in network.visual.blocks:
                block(torch.empty(1, (size // 14) ** 2 + 1, config.vision.width, device="meta"))
        counts.append(counter.get_total_flops())
    return {"growing": float(np.mean(counts)) / counts[-1], "native": 1.0}


def progressive_accuracy(seed: int) -> dict[str, float]:
    """Recall at 5, text to picture, of equal steps at growing sizes and at the native size."""
    return {
        "growing": _recall(trained_core(seed), seed),
        "native": _recall(trained_core(seed, growing=False), seed),
    }


def rotary_at_larger_sizes(seed: int) -> dict[str, float]:
    """Points of recall at 5 lost when pictures have 72 pixels instead of the 48 of training."""
    lost = {}
    for arm, rope in (("rotary", True), ("absolute_only", False)):
        network = trained_core(seed, rope=rope)
        lost[arm] = _recall(network, seed) - _recall(network, seed, size_px=72)
    return lost


def captions_from_frozen_encoders(seed: int) -> dict[str, float]:
    """Loss per word of a new small language model that reads a frozen encoder: aligned, and the core's last layer."""
    core = trained_core(seed)
    bare = core.derived(tokens_config(core.config, layer_scale=None, drop_path=0.0))
    depth = CORE.vision.depth - 1
    encoder = core.derived(tokens_config(core.config, depth, layer_scale=1.0, drop_path=0.1))
    options = LanguageOptions(scenes(seed))
    task = _language(encoder, options, seed)
    _fit(task, seed, CAPTION_STEPS, CAPTION_BATCH, rate=2e-3)
    return {"aligned": _caption_loss(task.network, seed), "core_last_layer": _caption_loss(bare, seed)}


def eight_frames_against_one(seed: int) -> dict[str, float]:
    """Accuracy of a linear probe on the mean vector of eight frames, and on the vector of one; four random frames of a
    clip show the shape that is asked for."""
    network = trained_core(seed).eval()
    world = NeedleConfig(size_px=CORE.vision.image_size, n_signal=4, n_distractors=(1, 1), radius=(0.17, 0.21))
    vectors, labels = {}, {}
    for split, count in _CLIPS.items():
        shown = [NeedleWorld(world, seed, split)[i] for i in range(count)]
        frames = torch.stack([torch.from_numpy(scene.frames).permute(0, 3, 1, 2) for scene in shown])
        clips = to_network_range(frames, world.size_px)  # (N, 8, 3, H, W)
        with torch.no_grad():
            rows = [network.encode_image(clip, normalize=True) for clip in clips]
        vectors[split] = torch.stack(rows)  # (N, 8, D)
        labels[split] = torch.tensor([world.classes.index(scene.label) for scene in shown])
    arms: dict[str, Callable[[Tensor], Tensor]] = {
        "eight_frames": lambda found: found.mean(dim=1),
        "one_frame": lambda found: found[:, found.shape[1] // 2],
    }
    return {
        arm: probe_accuracy_percent(
            (pick(vectors["train"]), labels["train"]), (pick(vectors["test"]), labels["test"]), len(world.classes)
        )
        for arm, pick in arms.items()
    }


def _caption_loss(encoder: PerceptionEncoder, seed: int) -> float:
    task = _language(encoder, LanguageOptions(scenes(seed), projector_part=0.0, frozen="encoder"), seed + 1)
    return _fit(task, seed, CAPTION_STEPS, CAPTION_BATCH, rate=2e-3)["caption_loss_nats"]


def _language(encoder: PerceptionEncoder, options: LanguageOptions, seed: int) -> LanguageTask:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LanguageTask(encoder, make_reader(DecoderConfig(max_words=20)), options)


def _alignment_arms(seed: int, setting: AlignSetting) -> dict[str, Curves]:
    return {
        "aligned": aligned_curves(seed, setting),
        "core": core_curves(seed),
        "semantic_only": aligned_curves(seed, setting, locality=False),
        "locality_only": aligned_curves(seed, setting, semantic=False),
    }


def _curves(network: PerceptionEncoder, seed: int) -> Curves:
    return Curves(probe_tracking(network, tracked_clips(PROBED_PX, seed, _TRACKED)), _segmentation(network, seed))


def _segmentation(network: PerceptionEncoder, seed: int) -> LayerCurve:
    return probe_segmentation(network, colour_pixels(PROBED_PX, seed, "train"), colour_pixels(PROBED_PX, seed, "test"))


def _best_middle(curve: LayerCurve) -> int:
    return int(np.argmax(curve.scores[:-1]))


def _recall(network: PerceptionEncoder, seed: int, size_px: int | None = None) -> float:
    """Recall at 5 from text to picture on the test scenes, drawn at the size asked for."""
    scores = _contrastive(network, seed, growing=False).scores_at(size_px or CORE.vision.image_size)
    return scores["forward_recall_at_5_percent"]


def _contrastive(network: PerceptionEncoder, seed: int, growing: bool) -> ContrastiveTask:
    options = ContrastiveOptions(
        scenes(seed), masking=MaskingConfig(), resolution=GROWING if growing else ResolutionSchedule()
    )
    return ContrastiveTask(network, options)


def _new(config: PerceptionEncoderConfig, seed: int) -> PerceptionEncoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PerceptionEncoder(config)


def _fit(task: Task, seed: int, steps: int, batch_size: int, rate: float) -> dict[str, float]:
    config = TrainConfig(
        seed=seed,
        steps=steps,
        batch_size=batch_size,
        optimiser=OptimiserConfig("adamw", rate, weight_decay=0.05),
        schedule=ScheduleConfig("cosine", warmup_steps=20),
        clip_norm=1.0,
    )
    return dict(train(task, config, device="cpu").metrics)
