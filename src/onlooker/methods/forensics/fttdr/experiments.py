"""Networks and pictures of the claims: what is trained, on what, how it is scored. Trained once per arm and seed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np
import torch

from onlooker.evaluation.restoration import psnr_db
from onlooker.methods.forensics.fttdr.config import CONFIGS, FrequencyConfig, FtTdrConfig, InpaintConfig
from onlooker.methods.forensics.fttdr.data import DamageConfig, Damaged, DamagedPictures, damaged_pictures
from onlooker.methods.forensics.fttdr.infer import FtTdrRestorer
from onlooker.methods.forensics.fttdr.model import FtTdr
from onlooker.methods.forensics.fttdr.scores import score_restoration
from onlooker.methods.forensics.fttdr.task import PhasesConfig, RestoreOptions, RestoreTask
from onlooker.synth.forgeries.config import CompressionConfig, Content, CorruptionConfig, ForgeryConfig
from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
from onlooker.train.loop import train
from onlooker.train.task import SampleDataset

Finder = Literal["frequency", "pixels twice", "no incoherence", "convolutions"]
Filler = Literal["top-down", "plain skips"]
Arm = Literal["ft-tdr", "no frequency", "single stage"]
Test = Literal["seen", "unseen", "photos", "large", "sound"]

FINDING_STEPS, FILLING_STEPS = 600, 300
# A step of the single stage costs as much as one of the filler: the same work in all.
SINGLE_STEPS = 450
BATCH, N_TRAIN, N_TEST = 8, 2000, 60
SEEN: tuple[Content, ...] = ("photo", "noise")
_WIDTHS, _SINGLE_WIDTHS = (16, 32, 64), (18, 36, 72)  # 0.45 million parameters in all, either way
_TESTS: Mapping[Test, tuple[tuple[Content, ...], tuple[float, float], float]] = MappingProxyType(
    {  # what shows, how large the damage is, part of sound pictures
        "seen": (SEEN, (0.02, 0.5), 0.0),
        "unseen": (("constant", "text"), (0.02, 0.5), 0.0),
        "photos": (("photo",), (0.02, 0.5), 0.0),
        "large": (SEEN, (0.3, 0.6), 0.0),
        "sound": (SEEN, (0.02, 0.5), 1.0),
    }
)


def network_config(finder: Finder = "frequency", filler: Filler = "top-down") -> FtTdrConfig:
    """The tiny network with narrower restoration; arms differ in one switch and hardly in size."""
    tiny = CONFIGS["tiny"]
    mask_net, inpaint_net = tiny.mask_net, replace(tiny.inpaint_net, widths=_WIDTHS)
    if finder == "pixels twice":
        mask_net = replace(mask_net, frequency=FrequencyConfig(second_view="pixels"))
    elif finder == "no incoherence":
        mask_net = replace(mask_net, incoherence=False)
    elif finder == "convolutions":
        mask_net = replace(mask_net, attention="convolution")
    if filler == "plain skips":
        inpaint_net = replace(inpaint_net, transfer=False, mask_in_decoder=False, side_outputs=False)
    return replace(tiny, mask_net=mask_net, inpaint_net=inpaint_net)


def single_config() -> FtTdrConfig:
    """One generator for picture and mask, of the size of both stages together."""
    stage = InpaintConfig(_SINGLE_WIDTHS, (2, 4), transfer=False, mask_in_decoder=False, attention_side=16)
    return replace(CONFIGS["tiny"], stages="one", inpaint_net=stage)


def data(seed: int, test: Test | None = None) -> DamageConfig:
    """Pictures to train on, or those of a test."""
    contents, area, sound = (SEEN, (0.02, 0.5), 0.2) if test is None else _TESTS[test]
    tiles = ForgeryConfig(
        authentic_share=sound,
        kinds={"corruption": 1.0},
        # What shows in the damage was never compressed, the photo was: with one history for both, a network of this
        # size finds next to nothing of pasted photos in so few steps, and no arm could be told from another.
        compression=CompressionConfig(camera_quality=(55, 80), final_quality=(88, 98), donor="none"),
        corruption=CorruptionConfig(contents=contents, area=area),
    )
    return DamageConfig(tiles, n_train=N_TRAIN, n_test=1, kept=N_TRAIN, seed=seed)


@functools.lru_cache(maxsize=8)
def test_pictures(seed: int, test: Test) -> list[Damaged]:
    """Of photos that training does not show. Nobody changes them."""
    make = damaged_pictures(data(seed, test), "test", CONFIGS["tiny"].image_size)
    return [make(number) for number in range(N_TEST)]


@functools.lru_cache(maxsize=12)
def finder(arm: Finder, seed: int) -> FtTdr:
    """A network whose stage 1 is trained. Nobody changes it."""
    return _trained(network_config(arm), PhasesConfig(1.0, 0.0), FINDING_STEPS, seed)


@functools.lru_cache(maxsize=6)
def filler(arm: Filler, seed: int) -> FtTdr:
    """A network whose stage 2 is trained, on true masks: so it serves whichever stage 1 finds them."""
    return _trained(network_config(filler=arm), PhasesConfig(0.0, 1.0, true_masks=1.0), FILLING_STEPS, seed)


@functools.lru_cache(maxsize=9)
def restorer(arm: Arm, seed: int) -> FtTdrRestorer:
    """Both stages joined, or the single one."""
    if arm == "single stage":
        return FtTdrRestorer.from_network(_trained(single_config(), PhasesConfig(0.0, 0.0), SINGLE_STEPS, seed))
    found = finder("frequency" if arm == "ft-tdr" else "pixels twice", seed)
    joined = FtTdr(found.config)
    fills = {key: value for key, value in filler("top-down", seed).state_dict().items() if key.startswith("inpaint_")}
    joined.load_state_dict({**found.state_dict(), **fills})
    return FtTdrRestorer.from_network(joined)


@functools.lru_cache(maxsize=64)
def scores(arm: Arm, seed: int, test: Test) -> Mapping[str, float]:
    """See `score_restoration`."""
    return score_restoration(restorer(arm, seed), test_pictures(seed, test))


def finder_scores(arm: Finder, seed: int, test: Test) -> Mapping[str, float]:
    """Of stage 1; what stage 2, untrained, makes of it says nothing."""
    return score_restoration(FtTdrRestorer.from_network(finder(arm, seed)), test_pictures(seed, test))


def filler_scores(arm: Filler, seed: int, test: Test) -> Mapping[str, float]:
    """Of stage 2, given the true masks."""
    pictures = test_pictures(seed, test)
    return score_restoration(FtTdrRestorer.from_network(filler(arm, seed)), pictures, true_masks=True)


def telea_psnr(seed: int, test: Test) -> float:
    """Of whole pictures whose found damage is filled by a classical method (Telea 2004, radius 3)."""
    judge, values = restorer("ft-tdr", seed), []
    for picture in test_pictures(seed, test):
        mask = judge.restore(picture.image).mask.astype(np.uint8)
        values.append(psnr_db(cv2.inpaint(picture.image, mask, 3, cv2.INPAINT_TELEA), picture.original, 255))
    return float(np.mean(values))


@functools.lru_cache(maxsize=1)
def _pictures(seed: int) -> DamagedPictures:
    """What all arms of a seed are trained on: made once, not once per arm."""
    return DamagedPictures(damaged_pictures(data(seed), "train", CONFIGS["tiny"].image_size), N_TRAIN, N_TRAIN)


class _ArmTask(RestoreTask):
    """The task on pictures that are shared between arms."""

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"damaged": _pictures(self.options.data.seed)}


def _trained(config: FtTdrConfig, phases: PhasesConfig, steps: int, seed: int) -> FtTdr:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FtTdr(config)
    run = TrainConfig(
        seed=seed,
        steps=steps,
        batch_size=BATCH,
        optimiser=OptimiserConfig("adamw", 2e-3, weight_decay=0.01),
        schedule=ScheduleConfig("constant"),
        clip_norm=1.0,
        log_every=steps,
    )
    train(_ArmTask(network, RestoreOptions(data=data(seed), phases=phases)), run, device="cpu")
    return network.eval()
