"""What the paper says, checked small: chosen tokens against others, the price, and the gradient of the choice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.evaluation.claims import Claim, Scores
from onlooker.methods.encoders.stts.baselines import MiddleRegion, RandomFrames, RandomRegion, UniformFrames
from onlooker.methods.encoders.stts.config import CONFIGS, Estimator, MViTConfig, SelectionConfig, SttsConfig
from onlooker.methods.encoders.stts.data import ClipsConfig
from onlooker.methods.encoders.stts.flops import count_macs
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.task import ClassifyOptions, ClassifyTask
from onlooker.methods.encoders.stts.topk import Perturbation, perturbed_top_k
from onlooker.methods.encoders.stts.weights import load_unpruned
from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
from onlooker.train.loop import train

_BATCH = 16
_TRAINED_FROM_NOTHING = 200  # steps of the unpruned start, on clips whose frames all show the class: quickly learned
_FINETUNED = 300  # steps of every arm from there, on the clips of the claim
_SEEDS = (10, 11, 12)  # earlier ones were looked at while sizes and steps were being chosen
# A difference of a point needs arms that have finished learning, and many clips. Six of eight frames failed twice, on
# the seeds above and on 20 to 22: see decision 10. Half of them were set then, for seeds not looked at.
_FINISHED, _MANY_CLIPS, _NEW_SEEDS = 600, 1500, (40, 41, 42)
_LARGE_PATCH, _SMALL_PATCH = 0.2, 0.09  # of the side; the small one is in the middle square in about every fourth frame
_RATE = 3e-3


def _network_config(frames: int, size: int, selection: SelectionConfig) -> SttsConfig:
    """Three blocks, four classes; a token for 4x4 pixels of two frames."""
    mvit = MViTConfig(embed_dim=16, depth=3, grow_at=(1, 2), kv_stride=(1, 4, 4), drop_path=0.0, head_dropout=0.0)
    return SttsConfig(frames=frames, image_size=(size, size), num_classes=4, mvit=mvit, selection=selection)


def _clips(seed: int, n_signal: int, radius: float = 0.13) -> ClipsConfig:
    return ClipsConfig(world="patch", n_train=6000, n_test=400, n_signal=n_signal, patch_radius=radius, seed=seed)


def _train_config(seed: int, steps: int) -> TrainConfig:
    return TrainConfig(
        seed=seed,
        steps=steps,
        batch_size=_BATCH,
        optimiser=OptimiserConfig("adamw", _RATE, weight_decay=0.05),
        schedule=ScheduleConfig("cosine"),
        clip_norm=1.0,
        log_every=steps,
    )


def _unpruned(seed: int, frames: int, size: int, radius: float = 0.13) -> Stts:
    """The network without selection, trained from nothing."""
    clips = _clips(seed, frames // 2, radius)
    network = _seeded(seed, _network_config(frames, size, SelectionConfig()))
    options = ClassifyOptions(clips=clips, backbone_waits=0.0, backbone_rate=1.0)
    train(ClassifyTask(network, options), _train_config(seed, _TRAINED_FROM_NOTHING), device="cpu")
    return network


def _finetuned(
    seed: int,
    start: Stts,
    selection: SelectionConfig,
    clips: ClipsConfig,
    stand_in: nn.Module | None,
    steps: int = _FINETUNED,
) -> float:
    """Top-1 in percent after finetuning from `start` with a selection, or with what stands in for its selector."""
    network = _seeded(seed, replace(start.config, selection=selection))
    if stand_in is not None and selection.time_at is not None:
        network.backbone.frame_selector = stand_in
    elif stand_in is not None:
        network.backbone.region_selector = stand_in
    load_unpruned(network, start.state_dict(), "the unpruned start")
    options = ClassifyOptions(clips=clips, backbone_waits=0.1, backbone_rate=0.3)
    result = train(ClassifyTask(network, options), _train_config(seed, steps), device="cpu")
    return result.metrics["top1"]


def _seeded(seed: int, config: SttsConfig) -> Stts:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Stts(config)


def _run_frames(seed: int) -> dict[str, float]:
    clips, selection = _clips(seed, n_signal=2), SelectionConfig(time_at=0, time_ratio=0.25, num_samples=100)
    start = _unpruned(seed, 16, 32)
    return {
        "learned": _finetuned(seed, start, selection, clips, None),
        "uniform": _finetuned(seed, start, selection, clips, UniformFrames()),
        "random": _finetuned(seed, start, selection, clips, RandomFrames(seed)),
    }


def _run_regions(seed: int) -> dict[str, float]:
    clips, selection = _clips(seed, 2, _SMALL_PATCH), SelectionConfig(space_at=0, space_ratio=0.0625, num_samples=100)
    start = _unpruned(seed, 4, 64, _LARGE_PATCH)
    return {
        "learned": _finetuned(seed, start, selection, clips, None),
        "middle": _finetuned(seed, start, selection, clips, MiddleRegion()),
        "random": _finetuned(seed, start, selection, clips, RandomRegion(seed)),
    }


_FEWER = SelectionConfig(time_at=0, time_ratio=0.5, num_samples=100)


def _run_near_full(seed: int) -> dict[str, float]:
    clips = replace(_clips(seed, n_signal=2), n_test=_MANY_CLIPS)
    start = _unpruned(seed, 16, 32)
    return {
        "selected": _finetuned(seed, start, _FEWER, clips, None, _FINISHED),
        "full": _finetuned(seed, start, SelectionConfig(), clips, None, _FINISHED),
    }


def _run_price(seed: int) -> dict[str, float]:
    """MACs and time of MViT-B 16x4 T0.9-S0.9 in those of the unpruned one."""
    full, selected = CONFIGS["mvit-b"], CONFIGS["mvit-b-t0.9-s0.9"]
    generator = torch.Generator().manual_seed(seed)
    clip = torch.randn(8, 3, full.frames, *full.image_size, generator=generator)
    networks = {name: _seeded(seed, config).eval() for name, config in (("full", full), ("selected", selected))}
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    with torch.inference_mode():
        for network in networks.values():
            network(clip[:1])  # the first call sets things up
        for name in ("full", "selected", "selected", "full"):
            started = time.perf_counter()
            networks[name](clip)
            seconds[name].append(time.perf_counter() - started)
    return {
        "multiply-accumulates": count_macs(selected) / count_macs(full),
        "clock at batch 8": sum(seconds["selected"]) / sum(seconds["full"]),
    }


def _run_gradient(seed: int) -> dict[str, float]:
    """Cosine of both estimators with central differences of the smoothed objective, over twenty random cases."""
    generator = torch.Generator().manual_seed(seed)
    cosines: dict[Estimator, list[float]] = {"full": [], "diagonal": []}
    for case in range(20):
        k = 1 if case % 2 == 0 else 3
        scores, reward = torch.rand(1, 8, generator=generator), torch.randn(1, k, 8, generator=generator)
        true = _central_differences(scores, reward, k, torch.randn(1, _SAMPLES, 8, generator=generator))
        noise = torch.randn(1, _SAMPLES, 8, generator=generator)
        for estimator, found in cosines.items():
            leaf = scores.clone().requires_grad_()
            indicator = perturbed_top_k(leaf, k, Perturbation(_SIGMA, noise=noise, estimator=estimator))
            (gradient,) = torch.autograd.grad(indicator, leaf, reward)
            found.append(float(functional.cosine_similarity(gradient, true).item()))
    return {"full": min(cosines["full"]), "diagonal": mean(cosines["diagonal"])}


_SIGMA, _SAMPLES, _STEP = 0.3, 200_000, 0.05


def _central_differences(scores: Tensor, reward: Tensor, k: int, noise: Tensor) -> Tensor:
    """(1, n) gradient of the mean reward under noise, the same draws on both sides of every score."""
    gradient = torch.zeros_like(scores)
    for place in range(scores.shape[1]):
        step = torch.zeros_like(scores)
        step[0, place] = _STEP
        ahead, behind = (
            (perturbed_top_k(moved, k, Perturbation(_SIGMA, noise=noise)) * reward).sum()
            for moved in (scores + step, scores - step)
        )
        gradient[0, place] = (ahead - behind) / (2 * _STEP)
    return gradient


def _ahead_by(points: float, *others: str) -> Callable[[Scores], bool]:
    def holds(scores: Scores) -> bool:
        return all(mean(scores["learned"]) - mean(scores[other]) >= points for other in others)

    return holds


def _holds_near_full(scores: Scores) -> bool:
    return mean(scores["selected"]) >= mean(scores["full"]) - 1.0


def _holds_price(scores: Scores) -> bool:
    return mean(scores["multiply-accumulates"]) <= 0.8 and mean(scores["clock at batch 8"]) < 1.0


def _holds_gradient(scores: Scores) -> bool:
    return min(scores["full"]) > 0.99 and mean(scores["diagonal"]) > 0.7


def _setting(steps: int, n_test: int) -> str:
    return (
        "MViT of 3 blocks, width 16, patch clips of four colours (ours); "
        f"{_TRAINED_FROM_NOTHING} steps without selection on clips that show the class in every frame, then {steps} "
        f"steps of every arm from there, batches of {_BATCH}, the same clips in the same order, {n_test} test clips; "
    )


_SETTING = _setting(_FINETUNED, 400)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="learned_frames",
        statement="Frames chosen by the learned scorer serve better than random or evenly spread ones (ablations)",
        setting=_SETTING + "32x32 pixels, 2 of 8 token frames are kept before block 0, 2 show the class",
        metric="top1",
        unit="%",
        arms=("learned", "uniform", "random"),
        run=_run_frames,
        holds=_ahead_by(20.0, "uniform", "random"),
        gate="mean of learned is at least 20 points above uniform and above random",
        seeds=_SEEDS,
        minutes=2.0,
    ),
    Claim(
        name="learned_regions",
        statement="Regions chosen by the learned scorer serve better than random or central ones (ablations)",
        setting=_SETTING
        + "64x64 pixels, 2 token frames, a 4x4 square of the 16x16 map is kept of each before block 0; "
        "patches are large at the start, then small",
        metric="top1",
        unit="%",
        arms=("learned", "middle", "random"),
        run=_run_regions,
        holds=_ahead_by(20.0, "middle", "random"),
        gate="mean of learned is at least 20 points above the middle and above random",
        seeds=_SEEDS,
        minutes=1.0,
    ),
    Claim(
        name="near_full_accuracy",
        statement="Accuracy stays within a point of the full network at a fifth less computation or better (abstract)",
        setting=_setting(_FINISHED, _MANY_CLIPS)
        + "32x32 pixels, 4 of 8 token frames are kept before block 0, 2 show the class",
        metric="top1",
        unit="%",
        arms=("selected", "full"),
        run=_run_near_full,
        holds=_holds_near_full,
        gate="mean of selected is at most 1 point below full",
        seeds=_NEW_SEEDS,
        minutes=3.0,
    ),
    Claim(
        name="price_by_the_clock",
        statement="A fifth less computation is a gain by the clock, too (Table of speeds; ours for CPU)",
        setting="MViT-B 16x4 at 224x224, T0.9-S0.9 against unpruned, batch 8, random weights, CPU, two turns",
        metric="ratio_to_full",
        unit="ratio",
        arms=("multiply-accumulates", "clock at batch 8"),
        run=_run_price,
        holds=_holds_price,
        gate="multiply-accumulates at most 0.8 of the full network's, time below 1.0 of it",
        higher_is_better=False,
        minutes=2.0,
    ),
    Claim(
        name="gradient_of_the_choice",
        statement="The perturbed top-k has a usable gradient: that of the choice smoothed by its noise (section 3.3)",
        setting=(
            f"8 scores in [0, 1], sigma {_SIGMA}, top 1 and top 3 in turn, 20 random cases, {_SAMPLES} draws, against "
            f"central differences of step {_STEP} on other draws; full is the worst case, diagonal (official) the mean"
        ),
        metric="cosine",
        unit="cosine of the angle",
        arms=("full", "diagonal"),
        run=_run_gradient,
        holds=_holds_gradient,
        gate="full above 0.99 in every case, mean of diagonal above 0.7",
        minutes=2.0,
    ),
)
