"""The experiments behind `claims.py`: small networks, trained and measured on synthetic scenes, a seed at a time.

Networks that several claims need are trained once per process.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
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
from onlooker.synth.worlds import World, WorldConfig
from onlooker.train import OptimiserConfig, ScheduleConfig, Task, TrainConfig, train

CORE = PerceptionEncoderConfig(
    VisionConfig(64, 6, 4, 256, patch_size=6, image_size=48, pool_heads=4, embed_dim=64),
    TextConfig(64, 2, 4, 256, embed_dim=64, context_length=20, vocabulary=256, tokenizer="world"),
)
CORE_STEPS, CORE_BATCH, CORE_SCENES = 400, 48, 3000
GROWING = ResolutionSchedule((ResolutionStage(0.7, 30), ResolutionStage(1.0, 48)))
# Dense tasks need finer patches: at 6 pixels objects are hardly three tokens wide, and no layer differs from another.
DENSE = replace(CORE, vision=replace(CORE.vision, patch_size=4))
DENSE_STEPS, DENSE_SCENES = 800, 8000
DENSE_GROWING = ResolutionSchedule((ResolutionStage(0.7, 32), ResolutionStage(1.0, 48)))
ALIGN_STEPS, ALIGN_BATCH = 600, 16
# The cosine of the first term, any heavier, keeps the student from the second teacher's borders (decision 8).
SEMANTIC_WEIGHT, LOCALITY_WEIGHT = 0.1, 2.0
# With one rate for all blocks every layer of so small a network rises, and none stays behind the last (decision 8).
LAYER_DECAY = 0.5
CAPTION_STEPS, CAPTION_BATCH = 150, 32
PROBED_PX = CORE.vision.image_size
SEARCHED, OTHERS = ("red", "green", "blue", "yellow"), ("purple", "cyan", "orange")
_TRACKED, _CHOOSING = 48, 8
_CLIPS: dict[Split, int] = {"train": 400, "test": 300}
_N_SHOWN = 4  # of eight frames
_MIDDLE_SEED = 500  # another world for choosing a layer than for scoring it


@dataclass(frozen=True)
class Curves:
    """The layer probe of a network for both dense tasks."""

    tracking: LayerCurve
    segmentation: LayerCurve


def scenes(seed: int, count: int = CORE_SCENES) -> SceneConfig:
    """The data of all trainings: one or two objects, the two shortest captions."""
    return SceneConfig(n_train=count, n_test=200, objects=(1, 2), wordings=(1, 2), seed=seed)


@functools.cache
def trained_core(seed: int, rope: bool = True, growing: bool = True) -> PerceptionEncoder:
    """A core network after contrastive training with the paper's ingredients, but for those switched off."""
    config = replace(CORE, vision=replace(CORE.vision, rope=rope))
    task = _contrastive(_new(config, seed), scenes(seed), GROWING if growing else ResolutionSchedule())
    _fit(task, seed, CORE_STEPS, CORE_BATCH, rate=2e-3)
    return task.network


@functools.cache
def dense_core(seed: int) -> PerceptionEncoder:
    """The core of finer patches, which the dense tasks look into."""
    task = _contrastive(_new(DENSE, seed), scenes(seed, DENSE_SCENES), DENSE_GROWING)
    _fit(task, seed, DENSE_STEPS, CORE_BATCH, rate=2e-3)
    return task.network


@functools.cache
def aligned(seed: int, semantic: bool = True, locality: bool = True) -> PerceptionEncoder:
    """The dense core of a seed after spatial alignment, with both terms or one."""
    options = SpatialOptions(
        replace(scenes(seed), objects=(2, 3), n_train=800),
        teacher_layer=middle_for_tracking(seed),
        semantic_weight=SEMANTIC_WEIGHT if semantic else 0.0,
        locality_weight=LOCALITY_WEIGHT if locality else 0.0,
        layer_decay=LAYER_DECAY,
    )
    task = align_spatially(dense_core(seed), options, drop_path=0.0)
    _fit(task, seed, ALIGN_STEPS, ALIGN_BATCH, rate=1e-3)
    return task.network


@functools.cache
def core_curves(seed: int) -> Curves:
    """Layer by layer, the dense core of a seed."""
    return _curves(dense_core(seed), seed)


@functools.cache
def aligned_curves(seed: int, semantic: bool = True, locality: bool = True) -> Curves:
    """Layer by layer, the aligned network of a seed."""
    return _curves(aligned(seed, semantic, locality), seed)


@functools.cache
def middle_for_tracking(seed: int) -> int:
    """The dense core's best layer before the last, on clips of another world."""
    clips = tracked_clips(PROBED_PX, seed + _MIDDLE_SEED, _CHOOSING)
    return _best_middle(probe_tracking(dense_core(seed), clips))


def middle_against_last_tracking(seed: int) -> dict[str, float]:
    """J&F of the best layer before the last, chosen on clips of another world, and of the last."""
    curve, chosen = core_curves(seed).tracking, middle_for_tracking(seed)
    return {"middle_layer": curve.scores[chosen], "last_layer": curve.last}


def middle_against_last_segmentation(seed: int) -> dict[str, float]:
    """The same with the mIoU of a linear probe."""
    network, curve = dense_core(seed), core_curves(seed).segmentation
    chosen = _best_middle(_segmentation(network, seed + _MIDDLE_SEED))
    return {"middle_layer": curve.scores[chosen], "last_layer": curve.last}


def alignment_tracking(seed: int) -> dict[str, float]:
    """J&F of the last layer, aligned with both terms, with one, and not at all."""
    return {name: curves.tracking.last for name, curves in _alignment_arms(seed).items()}


def alignment_segmentation(seed: int) -> dict[str, float]:
    """The same with the mIoU of a linear probe."""
    return {name: curves.segmentation.last for name, curves in _alignment_arms(seed).items()}


def alignment_lost_at_the_end(seed: int) -> dict[str, float]:
    """Points from the best layer to the last, mean over both dense tasks."""
    return {
        name: float(np.mean([max(c.scores) - c.last for c in (curves.tracking, curves.segmentation)]))
        for name, curves in _aligned_and_core(seed).items()
    }


def alignment_best_layer(seed: int) -> dict[str, float]:
    """Layers from the best to the last, mean over both dense tasks."""
    last = DENSE.vision.depth - 1
    return {
        name: float(np.mean([last - c.best for c in (curves.tracking, curves.segmentation)]))
        for name, curves in _aligned_and_core(seed).items()
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
    clip show an object of the colour that is asked for."""
    network = trained_core(seed).eval()
    vectors, labels = {}, {}
    for split, count in _CLIPS.items():
        frames, labels[split] = _searched_clips(seed, split, count)
        with torch.no_grad():
            rows = [network.encode_image(clip, normalize=True) for clip in frames]
        vectors[split] = torch.stack(rows)  # (N, 8, D)
    arms: dict[str, Callable[[Tensor], Tensor]] = {
        "eight_frames": lambda found: found.mean(dim=1),
        "one_frame": lambda found: found[:, found.shape[1] // 2],
    }
    return {
        arm: probe_accuracy_percent(
            (pick(vectors["train"]), labels["train"]), (pick(vectors["test"]), labels["test"]), len(SEARCHED)
        )
        for arm, pick in arms.items()
    }


def _searched_clips(seed: int, split: Split, count: int) -> tuple[Tensor, Tensor]:
    """Clips (N, 8, 3, H, W) in [-1, 1] whose frames show one object each, a new one every time; in four random frames
    it has the colour that is the class (N,), in the others one that is no class."""
    px = CORE.vision.image_size
    rng = np.random.default_rng((seed, ("train", "test").index(split)))
    shown, hidden = (
        World(WorldConfig(size_px=px, n_objects=(1, 1), colours=colours), seed + offset, split)
        for colours, offset in ((SEARCHED, _MIDDLE_SEED), (OTHERS, 2 * _MIDDLE_SEED))
    )
    by_colour: dict[str, list[NDArray[np.uint8]]] = {colour: [] for colour in SEARCHED}
    for i in range(_N_SHOWN * count * 2):  # more than are needed: colours are drawn, not counted out
        scene = shown[i]
        by_colour[scene.tracks[0].colour].append(scene.frames[0])
    clips, labels = [], []
    for n in range(count):
        label = int(rng.integers(len(SEARCHED)))
        frames = [by_colour[SEARCHED[label]].pop() for _ in range(_N_SHOWN)]
        frames += [hidden[(8 - _N_SHOWN) * n + k].frames[0] for k in range(8 - _N_SHOWN)]
        clips.append(np.stack(frames)[rng.permutation(8)])
        labels.append(label)
    pixels = torch.from_numpy(np.stack(clips)).permute(0, 1, 4, 2, 3)
    return to_network_range(pixels, px), torch.tensor(labels)


def _caption_loss(encoder: PerceptionEncoder, seed: int) -> float:
    task = _language(encoder, LanguageOptions(scenes(seed), projector_part=0.0, frozen="encoder"), seed + 1)
    return _fit(task, seed, CAPTION_STEPS, CAPTION_BATCH, rate=2e-3)["caption_loss_nats"]


def _language(encoder: PerceptionEncoder, options: LanguageOptions, seed: int) -> LanguageTask:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LanguageTask(encoder, make_reader(DecoderConfig(max_words=20)), options)


def _alignment_arms(seed: int) -> dict[str, Curves]:
    return {
        **_aligned_and_core(seed),
        "semantic_only": aligned_curves(seed, locality=False),
        "locality_only": aligned_curves(seed, semantic=False),
    }


def _aligned_and_core(seed: int) -> dict[str, Curves]:
    return {"aligned": aligned_curves(seed), "core": core_curves(seed)}


def _curves(network: PerceptionEncoder, seed: int) -> Curves:
    return Curves(probe_tracking(network, tracked_clips(PROBED_PX, seed, _TRACKED)), _segmentation(network, seed))


def _segmentation(network: PerceptionEncoder, seed: int) -> LayerCurve:
    return probe_segmentation(network, colour_pixels(PROBED_PX, seed, "train"), colour_pixels(PROBED_PX, seed, "test"))


def _best_middle(curve: LayerCurve) -> int:
    return int(np.argmax(curve.scores[:-1]))


def _recall(network: PerceptionEncoder, seed: int, size_px: int | None = None) -> float:
    """Recall at 5 from text to picture on the test scenes, drawn at the size asked for."""
    scores = _contrastive(network, scenes(seed), ResolutionSchedule()).scores_at(size_px or CORE.vision.image_size)
    return scores["forward_recall_at_5_percent"]


def _contrastive(network: PerceptionEncoder, data: SceneConfig, resolution: ResolutionSchedule) -> ContrastiveTask:
    return ContrastiveTask(network, ContrastiveOptions(data, masking=MaskingConfig(), resolution=resolution))


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
