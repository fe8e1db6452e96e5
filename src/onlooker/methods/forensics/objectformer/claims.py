"""What the paper says, checked small: what the frequency stream, the prototypes and the incoherence step are worth.

All scores are of photos that training never saw, and stand beside scores of what never looks at the picture. Claims
share the networks that they train.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import mean
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from onlooker.errors import ConfigError
from onlooker.evaluation.claims import Claim, Scores
from onlooker.methods.forensics.objectformer.attention import PrenormAttention
from onlooker.methods.forensics.objectformer.config import CONFIGS, ObjectFormerConfig, PaperConfig
from onlooker.methods.forensics.objectformer.data import ForgedPictures, PicturesConfig
from onlooker.methods.forensics.objectformer.losses import LossConfig
from onlooker.methods.forensics.objectformer.model import Layer, ObjectFormer
from onlooker.methods.forensics.objectformer.task import LocaliseOptions, LocaliseTask, judge_pictures, mask_prior
from onlooker.synth.forgeries import BlendConfig, CompressionConfig, ForgeryConfig
from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
from onlooker.train.loop import train

_SEEDS = (10, 11, 12)  # no run on them was looked at before the gates were set
_STEPS, _BATCH, _RATE = 400, 16, 3e-3
_N_TRAIN, _N_TEST = 2400, 300
_LOSS = LossConfig(lambda_cls=1.0, lambda_seg=1.0, mask="bce")
_TOKEN_SIDES = (24, 32, 48, 64)  # of the map, for the price

# Hard to see and easy to learn: in pilot runs on soft, scaled and turned pastes of every history, networks from nothing
# stayed near chance for as many steps.
_PASTES = BlendConfig(
    area=(0.03, 0.35), scale=(1.0, 1.0), rotation_deg=0.0, rigid_share=1.0, feather_px=(0.0, 0.0), poisson_share=0.0
)
_LAST_SAVE = (85, 95)
# The host was saved twice, what is pasted once.
_SPLICES = ForgeryConfig(
    kinds={"splice": 1.0}, blend=_PASTES, compression=CompressionConfig(donor="none", final_quality=_LAST_SAVE)
)
# What is pasted has quality and grid of its host, so that compression says nothing about where it is.
_MATCHED = replace(_SPLICES, compression=CompressionConfig(donor="same", final_quality=_LAST_SAVE))


def _tiny() -> PaperConfig:
    paper = CONFIGS["tiny"].paper
    if paper is None:
        raise ConfigError("the configuration `tiny` describes the paper's network")
    return paper


_ARMS: Mapping[str, PaperConfig] = {
    "full": _tiny(),
    "rgb twice": replace(_tiny(), second_stream="rgb"),
    # MLPs of 7 instead of 2 times the channels bring back what the prototypes had: within 2 % of the parameters.
    "no prototypes": replace(_tiny(), prototypes=None, token_ffn=7),
    "neither": replace(_tiny(), second_stream="rgb", prototypes=None, token_ffn=7),
    "no incoherence": replace(_tiny(), incoherence_window=None),
}


class _Data(NamedTuple):
    """Pictures of one seed: training, test, and the test in which compression says nothing."""

    train: ForgedPictures
    test: ForgedPictures
    matched: ForgedPictures


@functools.lru_cache(maxsize=1)
def _data(seed: int) -> _Data:
    config, chosen = CONFIGS["tiny"], _pictures(seed)
    return _Data(
        ForgedPictures(config, chosen, "train"),
        ForgedPictures(config, chosen, "test"),
        ForgedPictures(config, replace(chosen, forgeries=_MATCHED), "test"),
    )


def _pictures(seed: int) -> PicturesConfig:
    return PicturesConfig(forgeries=_SPLICES, n_train=_N_TRAIN, n_test=_N_TEST, n_prior=_N_TRAIN, seed=seed)


@functools.lru_cache(maxsize=16)
def _scores(seed: int, arm: str) -> Mapping[str, float]:
    """Scores of a network trained from nothing; those on the matched test begin with "matched_"."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ObjectFormer(ObjectFormerConfig(paper=_ARMS[arm], image_size=64, view="tiles"))
    data = _data(seed)
    options = LocaliseOptions(pictures=_pictures(seed), loss=_LOSS)
    config = TrainConfig(
        seed=seed,
        steps=_STEPS,
        batch_size=_BATCH,
        optimiser=OptimiserConfig("adamw", _RATE, weight_decay=0.01),
        schedule=ScheduleConfig("cosine", warmup_steps=30),
        clip_norm=1.0,
        log_every=_STEPS,
    )
    task = LocaliseTask(network, options, {"train": data.train, "test": data.test})
    found = dict(train(task, config, device="cpu").metrics)
    matched = judge_pictures(network, data.matched).scores(mask_prior(data.train, _N_TRAIN))
    return found | {f"matched_{name}": value for name, value in matched.items()}


def _run_high_frequency_pixels(seed: int) -> dict[str, float]:
    full = _scores(seed, "full")
    return {
        "full": full["pixel_auc"],
        "rgb twice": _scores(seed, "rgb twice")["pixel_auc"],
        "mask prior": full["mask_prior_pixel_auc"],
    }


def _run_high_frequency_pictures(seed: int) -> dict[str, float]:
    return {arm: _scores(seed, arm)["image_auc"] for arm in ("full", "rgb twice")}


def _run_prototypes(seed: int) -> dict[str, float]:
    return {arm: _scores(seed, arm)["image_auc"] for arm in ("full", "no prototypes")}


def _run_both(seed: int) -> dict[str, float]:
    full = _scores(seed, "full")
    return {
        "full": full["pixel_f1_best_threshold"],
        "neither": _scores(seed, "neither")["pixel_f1_best_threshold"],
        "mask prior": full["mask_prior_pixel_f1_best_threshold"],
        "all ones": full["all_ones_pixel_f1"],
    }


def _run_incoherence(seed: int) -> dict[str, float]:
    return {arm: _scores(seed, arm)["pixel_auc"] for arm in ("full", "no incoherence")}


def _run_matched(seed: int) -> dict[str, float]:
    full = _scores(seed, "full")
    return {
        "full": full["matched_pixel_auc"],
        "rgb twice": _scores(seed, "rgb twice")["matched_pixel_auc"],
        "mask prior": full["matched_mask_prior_pixel_auc"],
    }


def _run_price(seed: int) -> dict[str, float]:
    """Exponents of the number of tokens that operations grow with, one layer of the paper's size; no seed is in it."""
    paper = CONFIGS["paper"].paper
    if paper is None:
        raise ConfigError("the configuration `paper` describes the paper's network")
    with torch.device("meta"):
        layer = Layer(paper)
        attention = PrenormAttention(paper.channels, paper.heads)
        prototypes = torch.empty(1, paper.prototypes or 1, paper.channels)
    ours, theirs = [], []
    for side in _TOKEN_SIDES:
        tokens = torch.empty(1, paper.streams * side * side, paper.channels, device="meta")
        ours.append(_operations(functools.partial(layer, tokens, prototypes, (side, side))))
        theirs.append(_operations(functools.partial(attention, tokens, tokens)))
    return {"prototypes": _exponent(ours), "self-attention": _exponent(theirs)}


def _operations(run: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        run()
    return float(counter.get_total_flops())


def _exponent(operations: list[float]) -> float:
    tokens = [math.log(side * side) for side in _TOKEN_SIDES]
    return float(np.polyfit(tokens, np.log(operations), 1)[0])


def _ahead(other: str, by: float) -> Callable[[Scores], bool]:
    """Full is ahead of an arm in every seed, and by so much in the mean."""

    def holds(scores: Scores) -> bool:
        pairs = list(zip(scores["full"], scores[other], strict=True))
        return all(ours > theirs for ours, theirs in pairs) and mean(a - b for a, b in pairs) >= by

    return holds


def _all(*gates: Callable[[Scores], bool]) -> Callable[[Scores], bool]:
    return lambda scores: all(gate(scores) for gate in gates)


def _holds_high_frequency_pictures(scores: Scores) -> bool:
    return _ahead("rgb twice", 0.05)(scores) and mean(scores["full"]) >= 0.6


def _holds_incoherence(scores: Scores) -> bool:
    return mean(scores["full"]) > mean(scores["no incoherence"])


def _holds_price(scores: Scores) -> bool:
    return max(scores["prototypes"]) <= 1.05 and min(scores["self-attention"]) >= 1.3


_SETTING = (
    "configuration `tiny` (0.19 million parameters, 64x64 tiles of real photos cut at their own resolution; half are "
    "authentic, the others have a region of another photo pasted in by whole pixels with a hard edge, colours matched, "
    "after the first of two saves), "
    f"{_STEPS} steps of {_BATCH} from nothing on {_N_TRAIN} tiles, cross-entropy on pictures and pixels, {_N_TEST} "
    "test tiles of other photos; arms have equal numbers of parameters within 2 % and see the same tiles in the same "
    "order; pixel scores are means over manipulated tiles; "
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="high_frequency_finds_pixels",
        statement="The high-frequency stream helps to localise (ablation: without it localisation falls)",
        setting=_SETTING + "`rgb twice` feeds the second stream the picture itself; `mask prior` is the mean mask of "
        "the training tiles",
        metric="pixel_auc",
        unit="area under the curve",
        arms=("full", "rgb twice", "mask prior"),
        run=_run_high_frequency_pixels,
        holds=_all(_ahead("rgb twice", 0.05), _ahead("mask prior", 0.05)),
        gate="full is ahead of `rgb twice` and of the mask prior in every seed, by at least 0.05 in the mean",
        seeds=_SEEDS,
        minutes=5.0,
    ),
    Claim(
        name="high_frequency_finds_pictures",
        statement="The high-frequency stream helps to detect (ablation: without it detection falls)",
        setting=_SETTING + "`rgb twice` feeds the second stream the picture itself; chance is 0.5",
        metric="image_auc",
        unit="area under the curve",
        arms=("full", "rgb twice"),
        run=_run_high_frequency_pictures,
        holds=_holds_high_frequency_pictures,
        gate="full is ahead in every seed, by at least 0.05 in the mean, and at least 0.6 in the mean",
        seeds=_SEEDS,
        minutes=0.1,
    ),
    Claim(
        name="prototypes_find_pictures",
        statement="Object prototypes help (ablation: without encoder and prototypes performance falls); here, where "
        "they are all that joins far places, for whole pictures",
        setting=_SETTING + "`no prototypes` passes tokens through wider MLPs and the incoherence step alone",
        metric="image_auc",
        unit="area under the curve",
        arms=("full", "no prototypes"),
        run=_run_prototypes,
        holds=_ahead("no prototypes", 0.05),
        gate="full is ahead in every seed, by at least 0.05 in the mean",
        seeds=_SEEDS,
        minutes=2.0,
    ),
    Claim(
        name="both_find_pixels",
        statement="Frequency stream and prototypes together localise better than a network without either",
        setting=_SETTING
        + "F1 at the one threshold per arm that suits the test set best, for every arm and prior alike; "
        "`all ones` marks every pixel",
        metric="pixel_f1_best_threshold",
        unit="F1",
        arms=("full", "neither", "mask prior", "all ones"),
        run=_run_both,
        holds=_all(_ahead("neither", 0.03), _ahead("mask prior", 0.03), _ahead("all ones", 0.03)),
        gate="full is ahead of all others in every seed, by at least 0.03 in the mean",
        seeds=_SEEDS,
        minutes=2.0,
    ),
    Claim(
        name="incoherence_finds_pixels",
        statement="Boundary-sensitive incoherence helps to localise (ablation: without it localisation falls)",
        setting=_SETTING + "`no incoherence` leaves the step out, which has no parameters",
        metric="pixel_auc",
        unit="area under the curve",
        arms=("full", "no incoherence"),
        run=_run_incoherence,
        holds=_holds_incoherence,
        gate="the mean of full is above the mean without",
        seeds=_SEEDS,
        minutes=2.0,
    ),
    Claim(
        name="not_compression_alone",
        statement="What is learned is more than a trace of compression (control of ours)",
        setting=_SETTING
        + "tested on splices whose pasted part was saved at the quality and on the grid of its host, so "
        "that a detector of compression scores as the mask prior does",
        metric="pixel_auc",
        unit="area under the curve",
        arms=("full", "rgb twice", "mask prior"),
        run=_run_matched,
        holds=_ahead("mask prior", 0.05),
        gate="full is ahead of the mask prior in every seed, by at least 0.05 in the mean",
        seeds=_SEEDS,
        minutes=0.1,
    ),
    Claim(
        name="linear_price",
        statement="Patches that speak through prototypes cost in proportion to their number (section 3.2)",
        setting="operations of one layer of configuration `paper`, two streams of 24x24 to 64x64 tokens, against "
        "self-attention of as many channels; the exponent of a straight line through their logarithms",
        metric="exponent",
        unit="power of the number of tokens",
        arms=("prototypes", "self-attention"),
        run=_run_price,
        holds=_holds_price,
        gate="at most 1.05 with prototypes, at least 1.3 without",
        higher_is_better=False,
        minutes=0.1,
    ),
)
