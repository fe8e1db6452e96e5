"""Networks of the claims: what is trained on what, and how it is scored. Trained once per seed, quality and arm.

All arms start from the same ImageNet weights, see the same tiles in the same order, and take the same number of steps.
Nothing in the data was compressed before it was forged, so that histories of compression say nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from onlooker.methods.forensics.m2tr.augment import NO_AUGMENT
from onlooker.methods.forensics.m2tr.config import CONFIGS, FusionConfig, M2trConfig
from onlooker.methods.forensics.m2tr.control import compression_control, emptiness
from onlooker.methods.forensics.m2tr.data import ForgedPictures, PicturesConfig, to_pixels
from onlooker.methods.forensics.m2tr.losses import LossConfig
from onlooker.methods.forensics.m2tr.model import M2tr, fake_probability
from onlooker.methods.forensics.m2tr.scores import Numbers, best_iou, ranking_auc
from onlooker.methods.forensics.m2tr.task import PACKAGED_BACKBONE, DetectOptions, DetectTask, Seen
from onlooker.synth.forgeries.config import BlendConfig, CompressionConfig, ForgeryConfig, PostConfig
from onlooker.synth.forgeries.photos import Photo, photo_sources
from onlooker.synth.forgeries.values import SPLITS, Split
from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
from onlooker.train.loop import train
from onlooker.types import Image

Quality = Literal["strong", "none"]
Arm = Literal["full", "weights of places", "one scale", "backbone", "no mask loss"]

STEPS, BATCH, RATE = 240, 16, 1e-3
N_TRAIN, N_TEST = 2000, 800
_DEPTH = CONFIGS["tiny"].fusion.depth
_FUSIONS: Mapping[Arm, FusionConfig] = MappingProxyType(
    {
        "full": FusionConfig(depth=_DEPTH),
        "weights of places": FusionConfig(depth=_DEPTH, second_stream="spatial"),
        "one scale": FusionConfig(depth=_DEPTH, patch_divisors=(4, 4, 4, 4)),
        "backbone": FusionConfig(depth=0),
        "no mask loss": FusionConfig(depth=_DEPTH),
    }
)
# Pasted by whole pixels with an edge of about one: what is left to see is where two photos meet.
_BLEND = BlendConfig(
    area=(0.05, 0.35), scale=(1.0, 1.0), rotation_deg=0.0, rigid_share=1.0, feather_px=(0.0, 0.5), poisson_share=0.0
)
_MIRRORED = replace(NO_AUGMENT, flip=0.5)
_STRONG = (30, 50)  # JPEG quality; the heavy compression of face videos is as strong
_SHRUNK = PostConfig(resize_share=1.0, resize=(0.7, 0.95))


def arm_config(arm: Arm) -> M2trConfig:
    """The tiny network with the parts of an arm."""
    return replace(CONFIGS["tiny"], fusion=_FUSIONS[arm])


def forgeries(quality: Quality) -> ForgeryConfig:
    """Splices of photos that were never compressed; "strong" resizes and compresses both classes afterwards."""
    saves = CompressionConfig(camera_share=0.0, donor="none", final_quality=_STRONG if quality == "strong" else None)
    post = _SHRUNK if quality == "strong" else PostConfig()
    return ForgeryConfig(kinds={"splice": 1.0}, compression=saves, blend=_BLEND, post=post)


@functools.lru_cache(maxsize=1)
def _photos() -> tuple[Photo, ...]:
    return photo_sources()


def pictures_config(seed: int, quality: Quality) -> PicturesConfig:
    """The data of a seed."""
    return PicturesConfig(
        forgeries(quality), n_train=N_TRAIN, n_validation=2, n_test=N_TEST, seed=seed, augment=_MIRRORED, draws=2
    )


@functools.lru_cache(maxsize=2)
def _pictures(seed: int, quality: Quality) -> Mapping[Split, ForgedPictures]:
    chosen = pictures_config(seed, quality)
    return {split: ForgedPictures(CONFIGS["tiny"], chosen, split, _photos()) for split in SPLITS}


@functools.lru_cache(maxsize=32)
def trained(seed: int, quality: Quality, arm: Arm) -> M2tr:
    """A network in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = M2tr(arm_config(arm)).to(memory_format=torch.channels_last)  # a third faster on a CPU
    loss = LossConfig(gamma=0.0, mask_weight=0.0 if arm == "no mask loss" else 1.0, centre_weight=0.0)
    options = DetectOptions(pictures_config(seed, quality), loss, PACKAGED_BACKBONE)
    config = TrainConfig(
        seed=seed,
        steps=STEPS,
        batch_size=BATCH,
        optimiser=OptimiserConfig("adamw", RATE, weight_decay=0.01),
        schedule=ScheduleConfig("cosine", warmup_steps=20),
        clip_norm=1.0,
        log_every=STEPS,
    )
    train(DetectTask(network, options, _pictures(seed, quality)), config, device="cpu")
    return network.eval()


@functools.lru_cache(maxsize=32)
def test_answers(seed: int, quality: Quality, arm: Arm) -> Seen:
    """What an arm made of the test photos of its own quality."""
    task = DetectTask(trained(seed, quality, arm), DetectOptions(), _pictures(seed, quality))
    return task.see("test")


def picture_auc(seed: int, quality: Quality, arm: Arm) -> float:
    """Area under the curve of test pictures, in [0, 1]."""
    seen = test_answers(seed, quality, arm)
    return ranking_auc(fake_probability(seen.logits).numpy(), seen.fake.numpy())


def pixel_scores(seed: int, quality: Quality) -> Mapping[str, float]:
    """Intersection over union of the network's masks on forged test pictures at the threshold that suits them best,
    and of two answers that look at nothing: the mean training mask, likewise at its best threshold, and every pixel."""
    seen = test_answers(seed, quality, "full")
    if seen.mask_probabilities is None:
        raise AssertionError("the tiny network has a mask head")
    shown = seen.fake.numpy()
    masks, found = seen.masks.numpy()[shown], seen.mask_probabilities.numpy()[shown]
    prior = np.broadcast_to(_mean_mask(seed, quality), masks.shape)
    return {
        "full": best_iou(found, masks),
        "mask prior": best_iou(prior, masks),
        "every pixel": best_iou(np.ones_like(found), masks),
    }


def _mean_mask(seed: int, quality: Quality) -> NDArray[np.float64]:
    train_pictures = _pictures(seed, quality)["train"]
    tiles = (train_pictures.tiles[place] for place in range(N_TRAIN))
    shares: NDArray[np.float64] = np.stack([tile.mask for tile in tiles if tile.label]).astype(np.float64).mean(axis=0)
    return shares


def control_scores(seed: int, quality: Quality) -> Mapping[str, float]:
    """AUC on the control, in which forged and authentic share every statistic of their saves: of the network, and of a
    detector that knows compression alone."""
    network = trained(seed, quality, "full")

    def score(images: Sequence[Image]) -> Numbers:
        with torch.inference_mode():
            parts = [
                network(torch.stack([to_pixels(image, network.config) for image in images[start : start + 32]])).logits
                for start in range(0, len(images), 32)
            ]
        return fake_probability(torch.cat(parts)).numpy()

    return {
        "full": compression_control(score, seed=seed, photos=_photos()).forgery_auc,
        "compression alone": compression_control(emptiness, seed=seed, photos=_photos()).forgery_auc,
    }
