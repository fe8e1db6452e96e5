"""What the claims run: small networks trained on composed clips, and how they follow clips of other sequences."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from onlooker.errors import NothingFoundError
from onlooker.evaluation.segmentation import video_scores
from onlooker.methods.trackers.isvos.config import CONFIGS, InstanceConfig, IsvosConfig, MemoryConfig
from onlooker.methods.trackers.isvos.data import Clip, ClipsConfig, test_clips
from onlooker.methods.trackers.isvos.infer import IsvosSegmenter
from onlooker.methods.trackers.isvos.instances import InstanceBranch
from onlooker.methods.trackers.isvos.losses import BootstrapConfig
from onlooker.methods.trackers.isvos.model import Isvos
from onlooker.methods.trackers.isvos.task import FollowOptions, FollowTask
from onlooker.nn.timm_pyramid import PACKAGED_COCO_BACKBONE
from onlooker.synth.composites import CompositeConfig
from onlooker.synth.masked_clips import TEST_SEQUENCES, MaskedPictures
from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
from onlooker.train.loop import train
from onlooker.types import Image

Arm = Literal["full", "no queries", "one path"]
Kind = Literal["look-alikes", "lone objects"]
SIZE = (192, 320)
START_STEPS, STEPS, BATCH, N_TRAIN = 1200, 300, 4, 1500
_START_SEED = 100  # all networks share one start, as the paper's share one Mask2Former
_FOLDER = Path(__file__).parents[6] / "shared" / "data" / "davis2016-val-240p"

# Half of the training clips hold twins; boards and exits hide objects for a while.
_TRAINED_ON = CompositeConfig(
    n_pasted=(1, 2), heights=(0.6, 0.95), travel=0.2, twin_share=0.7, board_share=0.3, exit_share=0.2
)
_STARTED_ON = replace(_TRAINED_ON, n_pasted=(1, 3), heights=(0.3, 0.95), colour_gain=0.4, invented_share=0.4)
_TESTED_ON: dict[Kind, CompositeConfig] = {
    "look-alikes": replace(_TRAINED_ON, n_pasted=(2, 2), twin_share=1.0, board_share=0.7),
    "lone objects": replace(_TRAINED_ON, n_pasted=(1, 1), twin_share=0.0, board_share=0.0, exit_share=0.0),
}


def davis_folder() -> Path:
    """The real pictures beside the checkout.

    Raises:
        NothingFoundError: they are not there.
    """
    if not _FOLDER.is_dir():
        raise NothingFoundError("claims of ISVOS need ../shared/data/davis2016-val-240p, which is not here")
    return _FOLDER


def network_config(arm: Arm) -> IsvosConfig:
    """The tiny network on the backbone that knows COCO, with a smaller instance branch, one switch off."""
    tiny = replace(
        CONFIGS["tiny-coco"],
        short_side=SIZE[0],
        instances=InstanceConfig(64, 12, 1, 1, 3, 4, 128, 128),
        memory=MemoryConfig(every=3),
    )
    if arm == "no queries":
        return replace(tiny, matching=replace(tiny.matching, query_enhancement=False))
    return replace(tiny, multi_path=False) if arm == "one path" else tiny


def _clips(seed: int, composites: CompositeConfig, n_test: int, test_frames: int) -> ClipsConfig:
    return ClipsConfig(
        source="composites",
        folder=str(davis_folder()),
        size=SIZE,
        kept=N_TRAIN,
        n_train=N_TRAIN,
        n_test=n_test,
        test_frames=test_frames,
        composites=composites,
        seed=seed,
    )


def _made(arm: Arm, seed: int) -> Isvos:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Isvos(network_config(arm))


@functools.lru_cache(maxsize=1)
def started() -> InstanceBranch:
    """An instance branch that learned by itself, on clips with invented objects besides. Nobody changes it."""
    clips = replace(
        _clips(_START_SEED, _STARTED_ON, n_test=1, test_frames=3), frames=2, kept=0, n_train=START_STEPS * BATCH
    )
    options = FollowOptions(
        clips=clips,
        instance_steps=START_STEPS,
        points=512,
        backbone=PACKAGED_COCO_BACKBONE,
        backbone_rate=0.1,
        frozen_stages=2,
    )
    network = _made("full", _START_SEED)
    _train(FollowTask(network, options), _START_SEED, START_STEPS, 1.5e-3)
    return network.instances


@functools.lru_cache(maxsize=9)
def trained(arm: Arm, seed: int) -> Isvos:
    """A network after training; claims that share an arm share it. Nobody changes it."""
    network = _made(arm, seed)
    network.instances.load_state_dict(started().state_dict())
    options = FollowOptions(
        clips=_clips(seed, _TRAINED_ON, n_test=1, test_frames=3),
        still_steps=STEPS // 4,
        bootstrap=BootstrapConfig(STEPS // 4, 3 * STEPS // 4, 0.25),
        instance_weight=0.1,
        instance_frames=1,
        points=256,
        instance_rate=0.5,
        frozen_stages=4,
    )
    _train(FollowTask(network, options), seed, STEPS, 2e-3)
    return network.eval()


def _train(task: FollowTask, seed: int, steps: int, rate: float) -> None:
    config = TrainConfig(
        seed=seed,
        steps=steps,
        batch_size=BATCH,
        optimiser=OptimiserConfig("adamw", rate, weight_decay=0.05),
        schedule=ScheduleConfig("cosine", warmup_steps=10),
        clip_norm=1.0,
        log_every=steps,
    )
    train(task, config, device="cpu")


def composed(kind: Kind, seed: int, n_clips: int, frames: int) -> list[Clip]:
    """Clips of the test sequences that show something to follow on their first frame."""
    config = _clips(seed, _TESTED_ON[kind], n_test=n_clips, test_frames=frames)
    make, number = test_clips(config), 0
    found: list[Clip] = []
    while len(found) < n_clips:
        clip = make(number)
        number += 1
        if len(np.unique(clip.labels[0])) > (2 if kind == "look-alikes" else 1):
            found.append(clip)
    return found


def held_out_videos(frames: int, *, to_and_fro: bool = False) -> list[Clip]:
    """The real test sequences, their first frames; or played to and fro until there are so many."""
    pictures = MaskedPictures(davis_folder(), TEST_SEQUENCES, height_px=SIZE[0])
    videos = []
    for name in pictures.sequences:
        last = pictures.n_frames(name) - 1
        read = [pictures.read(name, t) for t in range(min(frames, last + 1))]
        if to_and_fro:
            read = [read[last - abs(last - t % (2 * last))] for t in range(frames)]
        videos.append(Clip(np.stack([one.image for one in read]), np.stack([one.labels for one in read])))
    return videos


Follower = Callable[[Sequence[Image], NDArray[np.uint8]], NDArray[np.uint8]]


def score(follow: Follower, clips: Sequence[Clip]) -> float:
    """Mean J&F in percent."""
    found = [video_scores(follow(list(clip.frames), clip.labels[0]), clip.labels) for clip in clips]
    return float(np.mean([one.j_and_f_percent for one in found]))


def follower(network: Isvos, memory: MemoryConfig | None = None) -> Follower:
    """A network as a function of frames and first labels."""
    return IsvosSegmenter.from_network(network, memory).follow
