"""What the paper says, checked small: joint and decoupled pretraining, label data in the contrast, reranking."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import torch

from onlooker.evaluation.claims import Claim, Scores
from onlooker.methods.encoders.omnivl.config import ContrastConfig, OmniVLConfig, TextConfig, VisualConfig
from onlooker.methods.encoders.omnivl.data import Kind, Sources, SourcesConfig, world_tokenizer
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.pretraining import ContrastOptions, ContrastTask
from onlooker.methods.encoders.omnivl.scoring import View, reranked_scores, retrieval_scores, zero_shot_top1
from onlooker.methods.encoders.omnivl.starting import start_from
from onlooker.synth.pictures import NuisanceConfig
from onlooker.synth.worlds import WorldConfig
from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
from onlooker.train.loop import train

_BATCH = 32
_RATE = 3e-3
_STEPS = 400  # of every schedule
_STAGE1 = 160  # of them picture steps, where schedules have two stages
_LABEL_STEPS = 250
# Captioned pictures are scarce: with 800 of them pictures alone taught a network of this size all that pictures have to
# teach (77.2 against 75.7 for joint training, seeds 0 to 2). Set then, for seeds not looked at; see decision 9.
_PICTURES, _CAPTIONED_CLIPS, _SEEDS = 200, 400, (20, 21, 22)
_TOP_K = 8

_CALM = NuisanceConfig(backgrounds=("flat",), brightness=0.0, contrast=0.0, noise_std=2.0, n_specks=(0, 0))
# The big circle is named first: seven colours and another one of six make 42 captions of pictures.
_STILLS = WorldConfig(n_objects=(2, 2), shapes=("circle",), textures=("plain",), radius=(0.22, 0.26), nuisance=_CALM)
# Looped motion: no single frame tells what the big circle does, but that a blinking one may be hidden in it.
_MOTIONS = replace(_STILLS, n_frames=8, actions=("stays still", "shakes", "blinks", "moves left"))
_LABELLED = replace(_MOTIONS, n_objects=(1, 1))
_NETWORK = OmniVLConfig(
    visual=VisualConfig(
        image_size=32, patch_size=8, width=48, depth=2, heads=4, num_frames=8, time_stride=2, drop_path=0.0
    ),
    text=TextConfig(
        vocab_size=256, width=48, layers=1, heads=4, ffn=192, max_positions=32, dropout=0.0, cls_id=2, sep_id=3
    ),
    embed_dim=32,
    contrast=ContrastConfig(queue_size=64, momentum=0.95),
)


def _retrieval_sources(seed: int) -> Sources:
    config = SourcesConfig(
        image_text=_PICTURES,
        video_text=_CAPTIONED_CLIPS,
        n_test=128,
        wordings=(2,),
        text_length=10,
        stills=_STILLS,
        motions=_MOTIONS,
        seed=seed,
    )
    return Sources(config, _NETWORK.visual, world_tokenizer(_NETWORK.text))


def _network(seed: int, config: OmniVLConfig) -> OmniVLPretrain:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return OmniVLPretrain(config)


def _train(
    network: OmniVLPretrain, sources: Sources, numbers: SourcesConfig, steps: int, *, fresh: bool = True
) -> OmniVLPretrain:
    """`network` after so many steps on the sources that `numbers` does not leave out."""
    options = ContrastOptions(sources=numbers, top_k=0, random_start="for width" if fresh else "as built")
    config = TrainConfig(
        seed=sources.config.seed,
        steps=steps,
        batch_size=_BATCH,
        optimiser=OptimiserConfig("adamw", _RATE, weight_decay=0.05),
        schedule=ScheduleConfig("cosine", warmup_steps=10),
        clip_norm=1.0,
        log_every=steps,
    )
    train(ContrastTask(network, options, sources), config, device="cpu")
    return network


@functools.lru_cache(maxsize=8)
def _schedules(seed: int) -> dict[str, dict[str, float]]:
    """Schedule -> scores. A pure function of the seed; several claims read it."""
    sources = _retrieval_sources(seed)
    both = sources.config
    pictures, clips = replace(both, video_text=0), replace(both, image_text=0)
    images_only = _train(_network(seed, _NETWORK), sources, pictures, _STEPS)
    # Without picture steps the keys of pictures would stay noise: this arm reads its own.
    own_queue = replace(_NETWORK, contrast=replace(_NETWORK.contrast, per_modality_queue=True))
    clips_only = _train(_network(seed, own_queue), sources, clips, _STEPS)
    scratch = _train(_network(seed, _NETWORK), sources, both, _STEPS)
    first = replace(_NETWORK, visual=replace(_NETWORK.visual, backbone="vit"))
    stage1 = _train(_network(seed, first), sources, pictures, _STAGE1)
    return {
        "pictures only": _scores(images_only, sources, "as they are", "as frames"),
        "clips only": _scores(clips_only, sources, "as clips", "as they are"),
        "joint from scratch": _scores(scratch, sources),
        "decoupled": _scores(_stage2(seed, _NETWORK, stage1, sources), sources),
        "decoupled, own queue": _scores(_stage2(seed, own_queue, stage1, sources), sources),
    }


def _stage2(seed: int, config: OmniVLConfig, stage1: OmniVLPretrain, sources: Sources) -> OmniVLPretrain:
    network = _network(seed, config)
    start_from(network, config, stage1, seed=seed)
    return _train(network, sources, sources.config, _STEPS - _STAGE1, fresh=False)


def _scores(
    network: OmniVLPretrain, sources: Sources, images: View = "as they are", clips: View = "as they are"
) -> dict[str, float]:
    """Mean of both directions' recall at 1 for each kind, in percent; after reranking where both were trained on."""
    kinds: tuple[tuple[Kind, View], ...] = (("images", images), ("clips", clips))
    scores: dict[str, float] = {}
    for kind, view in kinds:
        found = retrieval_scores(network, sources, kind, view)
        scores[kind] = _both_ways(found, "")
        if images == clips == "as they are":
            scores[f"{kind} reranked"] = _both_ways(reranked_scores(network, sources, kind, _TOP_K), "reranked_")
    return scores


def _both_ways(found: dict[str, float], prefix: str) -> float:
    return mean(found[f"{prefix}{way}_recall_at_1_percent"] for way in ("forward", "backward"))


_ARMS = ("decoupled", "joint from scratch", "pictures only", "clips only")


def _run_kind(kind: Kind) -> Callable[[int], dict[str, float]]:
    def run(seed: int) -> dict[str, float]:
        return {arm: _schedules(seed)[arm][kind] for arm in _ARMS}

    return run


def _run_mean(seed: int) -> dict[str, float]:
    found = _schedules(seed)
    return {arm: mean((found[arm]["images"], found[arm]["clips"])) for arm in _ARMS[:2]}


def _run_reranking(seed: int) -> dict[str, float]:
    found = _schedules(seed)["decoupled"]
    return {
        "match logit": mean((found["images reranked"], found["clips reranked"])),
        "cosine": mean((found["images"], found["clips"])),
    }


def _run_queues(seed: int) -> dict[str, float]:
    found = _schedules(seed)
    return {"keys of pictures": found["decoupled"]["clips"], "keys of clips": found["decoupled, own queue"]["clips"]}


def _run_labels(seed: int) -> dict[str, float]:
    """Zero-shot accuracy with label data in UniVLC, without it, and with it as if labels were captions."""
    config = SourcesConfig(
        image_text=0,
        video_text=200,
        video_label=1200,
        n_test=256,
        wordings=(0,),
        text_length=12,
        motions=_LABELLED,
        seed=seed,
    )
    # Without picture steps the keys of pictures would stay noise: all arms read those of clips.
    unified = replace(_NETWORK, contrast=replace(_NETWORK.contrast, per_modality_queue=True))
    pairs = replace(unified, contrast=replace(unified.contrast, kind="pairs"))
    sources = Sources(config, unified.visual, world_tokenizer(unified.text))
    captions = replace(config, video_label=0)
    arms = {
        "UniVLC with labels": (unified, config),
        "pairs, captions only": (pairs, captions),
        "pairs, labels as captions": (pairs, config),
    }
    return {
        arm: zero_shot_top1(_train(_network(seed, network), sources, numbers, _LABEL_STEPS), sources, "clips")
        for arm, (network, numbers) in arms.items()
    }


def _first_above_all(points: float) -> Callable[[Scores], bool]:
    def holds(scores: Scores) -> bool:
        first, *others = (mean(values) for values in scores.values())
        return all(first - other > points for other in others)

    return holds


def _above_single(scores: Scores) -> bool:
    return all(mean(scores["decoupled"]) > mean(scores[arm]) for arm in ("pictures only", "clips only"))


def _no_worse(scores: Scores) -> bool:
    return mean(scores["keys of pictures"]) >= mean(scores["keys of clips"]) - 2.0


_SIZES = (
    "32x32 pixels, two blocks of width 48, clips of 8 frames in 4 slots, one text layer, queue 64, momentum 0.95, "
    f"random matrices stretched for the width, batches of {_BATCH}"
)
_SETTING = (
    f"{_SIZES}; two plain circles of 7 colours, the big one named first; {_PICTURES} captioned pictures, "
    f"{_CAPTIONED_CLIPS} captioned clips whose captions also say what the big one does (nothing, shake, blink, move "
    "left), which pictures cannot teach; "
    f"{_STEPS} steps in every schedule, decoupled spends {_STAGE1} of them on pictures alone; 128 held-out pictures "
    "and as many clips, mean of both directions; pictures only sees clips as the mean of its frames, clips only sees "
    "pictures as still clips and reads its own queue. The claims on schedules, reranking and queues share their runs"
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="joint_helps_clips",
        statement="Decoupled joint pretraining is better on video tasks than images or videos alone (abstract)",
        setting=_SETTING,
        metric="clip_recall_at_1",
        unit="%",
        arms=_ARMS,
        run=_run_kind("clips"),
        holds=_above_single,
        gate="mean of decoupled is above pictures only and above clips only",
        seeds=_SEEDS,
        minutes=8.0,
    ),
    Claim(
        name="joint_helps_pictures",
        statement="Decoupled joint pretraining is better on image tasks, too, than images or videos alone (abstract)",
        setting=_SETTING,
        metric="picture_recall_at_1",
        unit="%",
        arms=_ARMS,
        run=_run_kind("images"),
        holds=_above_single,
        gate="mean of decoupled is above pictures only and above clips only",
        seeds=_SEEDS,
        minutes=8.0,
    ),
    Claim(
        name="decoupled_beats_scratch",
        statement="Pictures first and then both is better than both from scratch (abstract, decoupled pretraining)",
        setting=_SETTING,
        metric="mean_recall_at_1",
        unit="%",
        arms=_ARMS[:2],
        run=_run_mean,
        holds=_first_above_all(0.0),
        gate="mean of decoupled is above joint from scratch; recall of pictures and of clips count the same",
        seeds=_SEEDS,
        minutes=8.0,
    ),
    Claim(
        name="reranking_raises_recall",
        statement="Ranking the nearest again by the match logit raises recall (BLIP's retrieval; ours for OmniVL)",
        setting=f"{_SETTING}; the decoupled model, the {_TOP_K} nearest are ranked again",
        metric="mean_recall_at_1",
        unit="%",
        arms=("match logit", "cosine"),
        run=_run_reranking,
        holds=_first_above_all(0.0),
        gate="mean of match logit is above cosine",
        seeds=_SEEDS,
        minutes=8.0,
    ),
    Claim(
        name="clips_read_the_keys_of_pictures",
        statement="Contrasting clips with the keys of picture steps, as the authors' code does, costs nothing (ours)",
        setting=f"{_SETTING}; stage 2 once with either queue",
        metric="clip_recall_at_1",
        unit="%",
        arms=("keys of pictures", "keys of clips"),
        run=_run_queues,
        holds=_no_worse,
        gate="mean with the keys of pictures is at most 2 points below that with the keys of clips",
        seeds=_SEEDS,
        minutes=8.0,
    ),
    Claim(
        name="labels_help_in_the_contrast",
        statement="UniVLC with label data is better than captions alone, and than labels taken as captions (UniVLC)",
        setting=(
            f"{_SIZES}; no pictures, one circle of 7 colours, 200 clips captioned with colour and action and 1200 "
            f"labelled by one of 4 actions, mixed in every batch; {_LABEL_STEPS} steps in every arm, the queue of "
            "clips; 256 held-out clips, actions named by two prompts each"
        ),
        metric="zero_shot_top1",
        unit="%",
        arms=("UniVLC with labels", "pairs, captions only", "pairs, labels as captions"),
        run=_run_labels,
        holds=_first_above_all(3.0),
        gate="mean of UniVLC with labels is more than 3 points above either other arm",
        minutes=3.0,
    ),
)
