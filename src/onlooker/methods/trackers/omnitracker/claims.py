"""What the paper says, checked small, on composed clips: networks are trained on some sequences and measured on others.

Networks have no mask head and 96 x 160 pixels; each starts from ImageNet and is trained for minutes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from statistics import mean

import numpy as np
import torch

from onlooker.evaluation.claims import Claim, Scores
from onlooker.evaluation.tracking import FrameBoxes, Sequence2D, TrackingScores, score_sequences
from onlooker.methods.trackers.omnitracker.config import CONFIGS, OmniTrackerConfig, TrackingConfig
from onlooker.methods.trackers.omnitracker.data import ClipsConfig
from onlooker.methods.trackers.omnitracker.infer import OmniTracker
from onlooker.methods.trackers.omnitracker.losses import LossConfig
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork
from onlooker.methods.trackers.omnitracker.task import Mode, TrackingTask, TrackOptions
from onlooker.nn.timm_pyramid import PACKAGED_BACKBONE
from onlooker.synth.composites import CompositeClips, CompositeConfig
from onlooker.synth.masked_clips import TEST_SEQUENCES
from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
from onlooker.train.loop import train

FOLDER = "../shared/data/davis2016-val-240p"
"""Where the sequences are, seen from the repository; the layout is that of DAVIS."""

_SIZE, _BATCH, _STEPS = (96, 160), 4, 800  # steps per family
_IDENTITY_WEIGHT = 0.25  # of the identity losses; with IDOL's 2 little else is learned in so few steps
_FROZEN_STAGES = 4  # all of the backbone: less than two thirds of the time of two
_SEEDS = (30, 31, 32)  # earlier ones were looked at on the way to these settings (decision 17)
_PAIR_FRAMES, _PAIR_GAP = 4, 3  # a pair needs two frames: longer clips would only cost time
_PAIRS_TESTED = 500
_PAIR_TRAVEL = 0.1  # over 3 steps, as fast as the clips that are tracked: 0.5 over 15
_CLIPS, _FRAMES, _FRAME_S = 24, 16, 0.04  # of tracking
_JOINT_MARGIN = 3.0  # percentage points that joint training may lose
_LEARNED = 10.0  # percent that the separate networks must reach, or there is nothing to compare
# A small detector trained for minutes is rarely sure: what counts as sure is lowered for all arms alike.
_TRACKING = TrackingConfig(select_score=0.1, birth_score=0.3, update_score=0.2, match_score=0.2)


def _config(enhanced: bool = True) -> OmniTrackerConfig:
    tiny = CONFIGS["tiny-imagenet"]
    detector = replace(tiny.detector, classes=3)
    return replace(tiny, detector=detector, mask=None, enhancement=tiny.enhancement if enhanced else None)


@functools.lru_cache(maxsize=5)
def _trained(seed: int, mode: Mode, enhanced: bool = True) -> tuple[OmniTrackerNetwork, Mapping[str, float]]:
    """A network after as many steps per family as any other, and its scores on held-out pairs.

    Claims share what they have in common; nobody changes it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = OmniTrackerNetwork(_config(enhanced))
    clips = ClipsConfig(
        "composites",
        FOLDER,
        _SIZE,
        frames=_PAIR_FRAMES,
        gap=_PAIR_GAP,
        travel=_PAIR_TRAVEL,
        n_train=20_000,
        n_test=_PAIRS_TESTED,
        seed=seed,
    )
    options = TrackOptions(
        train_on=mode,
        clips=clips,
        losses=LossConfig(identity=_IDENTITY_WEIGHT),
        backbone=PACKAGED_BACKBONE,
        frozen_stages=_FROZEN_STAGES,
    )
    config = TrainConfig(
        seed=seed,
        steps=_STEPS * len(options.kinds),
        batch_size=_BATCH,
        optimiser=OptimiserConfig("adamw", 1e-3, weight_decay=1e-4),
        schedule=ScheduleConfig("cosine", warmup_steps=50),
        clip_norm=1.0,
        log_every=_STEPS,
    )
    result = train(TrackingTask(network, options), config, device="cpu")
    return network.eval(), result.metrics


def track_clips(network: OmniTrackerNetwork, tracking: TrackingConfig, clips: CompositeClips) -> TrackingScores:
    """Scores of category tracking over all clips together."""
    sequences = []
    for number in range(len(clips)):
        clip = clips[number]
        tracker = OmniTracker.from_network(network, tracking)
        boxes, visible = clip.boxes_xyxy_px(), clip.visible()
        truth, tracked = [], []
        for t, frame in enumerate(clip.frames):
            truth.append(FrameBoxes(clip.ids[visible[t]], boxes[t, visible[t]].astype(np.float64)))
            told = tracker.update(frame)
            tracked.append(FrameBoxes(told.ids, told.boxes_xyxy_px.astype(np.float64)))
        sequences.append(Sequence2D(f"clip {number}", tuple(truth), tuple(tracked), _FRAME_S))
    return score_sequences(sequences)[0]


def _clips(seed: int, absent: float) -> CompositeClips:
    """Clips of sequences that are not trained on; `absent` is the share of objects that leave and of passing boards."""
    config = CompositeConfig(size=_SIZE, n_frames=_FRAMES, exit_share=absent, board_share=absent)
    return CompositeClips(FOLDER, TEST_SEQUENCES, config, seed, length=_CLIPS)


def _run_enhancement(seed: int) -> dict[str, float]:
    with_it, without = (100 * _trained(seed, "instance", enhanced)[1]["instance"] for enhanced in (True, False))
    return {"enhanced": with_it, "plain": without}


def _both_associations(seed: int) -> dict[str, TrackingScores]:
    """One network, associated by identity and by overlap."""
    network, _ = _trained(seed, "category")
    clips = _clips(seed, absent=0.3)
    arms = {"identity": _TRACKING, "overlap": replace(_TRACKING, association="overlap")}
    return {name: track_clips(network, tracking, clips) for name, tracking in arms.items()}


def _run_hota(seed: int) -> dict[str, float]:
    return {name: scores.hota for name, scores in _both_associations(seed).items()}


def _run_idf1(seed: int) -> dict[str, float]:
    return {name: scores.idf1 for name, scores in _both_associations(seed).items()}


def _run_joint(seed: int) -> dict[str, float]:
    joint = _trained(seed, "joint")[1]
    return {
        "instance, joint": 100 * joint["instance"],
        "instance, separate": 100 * _trained(seed, "instance")[1]["instance"],
        "category, joint": 100 * joint["category"],
        "category, separate": 100 * _trained(seed, "category")[1]["category"],
    }


def _run_memory(seed: int) -> dict[str, float]:
    network, _ = _trained(seed, "category")
    clips = _clips(seed, absent=0.8)
    arms = {
        "5, newer count more": _TRACKING,
        "5, by score alone": replace(_TRACKING, memory_weights="scores"),
        "1": replace(_TRACKING, memory_length=1),
        "10, newer count more": replace(_TRACKING, memory_length=10),
    }
    return {name: track_clips(network, tracking, clips).idf1 for name, tracking in arms.items()}


def _ahead(scores: Scores, first: str, second: str, by: float = 0.0) -> bool:
    return mean(scores[first]) - mean(scores[second]) > by


def _holds_joint(scores: Scores) -> bool:
    learned = all(mean(scores[f"{k}, separate"]) >= _LEARNED for k in ("instance", "category"))
    return learned and all(
        _ahead(scores, f"{k}, joint", f"{k}, separate", -_JOINT_MARGIN) for k in ("instance", "category")
    )


_CLIPS_SAID = (
    f"composed clips of DAVIS sequences, {_SIZE[0]} x {_SIZE[1]} px, 12 to train on, 8 others to measure on (10 and 4 "
    "were at hand); in pairs, pasted objects move by up to a tenth of the width; tiny network without masks on "
    "EfficientNet-Lite0 of ImageNet, which is not trained, identity losses weighed by "
    f"{_IDENTITY_WEIGHT:g}, "
)
_PAIRS = f"{_CLIPS_SAID}{_STEPS} steps of {_BATCH} pairs per family; {_PAIRS_TESTED} held-out pairs"
_TRACKED = (
    f"{_CLIPS_SAID}{_STEPS} steps of {_BATCH} pairs, one for all arms; {_CLIPS} clips of {_FRAMES} frames to track on"
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="enhancement_finds_the_target",
        statement="Reference-guided feature enhancement tells the detector what is followed (ablation of the paper).",
        setting=f"{_PAIRS}. Some of the objects are targets; a target is found when it is among the surest outputs, as "
        "many as there are targets, with an overlap of one half. The plain network lacks the module",
        metric="targets found",
        unit="%",
        arms=("enhanced", "plain"),
        run=_run_enhancement,
        holds=lambda scores: all(a > b for a, b in zip(scores["enhanced"], scores["plain"], strict=True)),
        gate="enhanced finds more in every seed",
        seeds=_SEEDS,
        minutes=15.0,
    ),
    *(
        Claim(
            name=f"identities_beat_overlaps_in_{metric.lower()}",
            statement="Detections associated by identity make better tracks than by overlap (tracking-with-detection).",
            setting=f"{_TRACKED}. Three objects in ten leave and return, or a board passes. Both arms share "
            "detections, loop, Kalman filter and births; overlaps are matched from 0.25 on, identities from 0.2",
            metric=metric,
            unit="%",
            arms=("identity", "overlap"),
            run=run,
            holds=lambda scores: _ahead(scores, "identity", "overlap"),
            gate="identity is ahead, on average over the seeds",
            seeds=_SEEDS,
            minutes=9.0,
        )
        for metric, run in (("HOTA", _run_hota), ("IDF1", _run_idf1))
    ),
    Claim(
        name="joint_is_as_good_as_separate",
        statement="One network trained on all tasks is better on each than networks trained separately.",
        setting=f"{_PAIRS}. The joint network takes twice the steps of each separate one, half of them of each family",
        metric="objects found",
        unit="%",
        arms=("instance, joint", "instance, separate", "category, joint", "category, separate"),
        run=_run_joint,
        holds=_holds_joint,
        gate=f"joint loses less than {_JOINT_MARGIN:g} points in both families, on average over the seeds, and "
        f"separate training finds at least {_LEARNED:g} %",
        seeds=_SEEDS,
        minutes=28.0,
    ),
    Claim(
        name="memory_helps_after_absences",
        statement="A memory of several identities, newer ones counting more, keeps ids over absences.",
        setting=f"{_TRACKED}. Eight objects in ten leave and return, or a board passes",
        metric="IDF1",
        unit="%",
        arms=("5, newer count more", "5, by score alone", "1", "10, newer count more"),
        run=_run_memory,
        holds=lambda scores: _ahead(scores, "5, newer count more", "1"),
        gate="five identities are ahead of one, on average over the seeds",
        seeds=_SEEDS,
        minutes=10.0,
    ),
)
