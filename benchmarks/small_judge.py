"""Is a small judge worth shipping? `python benchmarks/small_judge.py [--keep FOLDER]` trains one and finds out.

M2TR's tiny network learns from four kinds of manipulation, compressed and blurred in many ways, and is then asked about
two kinds that it never saw, on photos that it never saw. What decides is its AUC there: below 0.6 nothing is worth
shipping, below 0.75 it is an experiment. The result goes to benchmarks/results/small_judge.json; `--keep` leaves
weights, configuration and calibration in a folder, whatever the result.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from common import machine, rounded, write_result
from onlooker.configs import config_to_dict
from onlooker.evaluation.forgery import bootstrap, image_auc
from onlooker.methods.forensics.m2tr import CONFIGS, METHOD, M2tr
from onlooker.methods.forensics.m2tr.augment import AugmentConfig
from onlooker.methods.forensics.m2tr.control import compression_control
from onlooker.methods.forensics.m2tr.data import ForgedPictures, PicturesConfig
from onlooker.methods.forensics.m2tr.infer import M2trJudge
from onlooker.methods.forensics.m2tr.losses import LossConfig
from onlooker.methods.forensics.m2tr.model import fake_probability
from onlooker.methods.forensics.m2tr.task import PACKAGED_BACKBONE, DetectOptions, DetectTask, see
from onlooker.synth.forgeries import CompressionConfig, ForgeryConfig, Photo, PostConfig, photo_sources
from onlooker.synth.forgeries.values import SPLITS
from onlooker.train import TrainConfig, train
from onlooker.train.config import OptimiserConfig, ScheduleConfig
from onlooker.train.record import RunIdentity
from onlooker.types import Image

SEEN = ("splice", "self_blended", "face_swap", "reenactment")
UNSEEN = ("copy_move", "removal")
WORTH_SHIPPING, NOT_EXPERIMENTAL = 0.6, 0.75
_SAVES = CompressionConfig(camera_quality=(60, 95), camera_share=0.7, aligned_share=0.5, final_quality=(50, 98))
_POST = PostConfig(resize_share=0.3, blur_share=0.2, noise_share=0.2, tone_share=0.2, launder_share=0.1)
_AUGMENT = AugmentConfig(
    crop=0.0, flip=0.5, turn=0.0, colour=0.05, tone=0.2, blur=0.1, noise=0.1, holes=0.0, save=0.3, save_quality=(50, 90)
)


def tiles(kinds: Sequence[str]) -> ForgeryConfig:
    """Half untouched, half of the kinds; all through the same chain of saves."""
    return ForgeryConfig(kinds=dict.fromkeys(kinds, 1.0), compression=_SAVES, post=_POST)


def trained(steps: int, n_train: int, n_test: int, seed: int, photos: Sequence[Photo], folder: Path) -> DetectTask:
    """A judge, its temperature and threshold set on validation photos of the kinds it learned; weights in a folder."""
    network = METHOD.create(CONFIGS["tiny"], seed)
    assert isinstance(network, M2tr)
    data = PicturesConfig(tiles(SEEN), n_train, n_test, n_test, seed, _AUGMENT, draws=4)
    splits = {split: ForgedPictures(network.config, data, split, photos) for split in SPLITS}
    options = DetectOptions(data, LossConfig(gamma=0.0, centre_weight=0.0), PACKAGED_BACKBONE)
    task = DetectTask(network, options, splits)
    config = TrainConfig(
        seed=seed,
        steps=steps,
        batch_size=16,
        clip_norm=1.0,
        optimiser=OptimiserConfig("adamw", 2e-3, 0.01),
        schedule=ScheduleConfig("cosine", warmup_steps=20),
    )
    train(task, config, folder, device="cpu", identity=RunIdentity("m2tr", config_to_dict(network.config)))
    return task


def auc_on(network: M2tr, kinds: Sequence[str], count: int, seed: int, photos: Sequence[Photo]) -> dict[str, object]:
    """AUC on test photos of some kinds against untouched ones, with its interval over photos."""
    data = PicturesConfig(tiles(kinds), 1, 1, count, seed)
    pictures = ForgedPictures(network.config, data, "test", photos)
    seen = see(network, pictures)
    scores, labels = fake_probability(seen.logits).double().numpy(), seen.fake.numpy().astype(np.int64)
    hosts = [pictures.tiles[place].source_ids[0] for place in range(count)]
    found = bootstrap(lambda k: image_auc(scores[k], labels[k]), hosts, n_resamples=400, seed=seed)
    return {"auc": found.value, "low": found.low, "high": found.high, "photos": found.n_units, "tiles": count}


def control(network: M2tr, photos: Sequence[Photo]) -> dict[str, float | bool]:
    """The control that detectors of compression fail."""
    judge = M2trJudge.from_network(network)

    def score(images: Sequence[Image]) -> np.ndarray:
        return np.array([said.probability for said in judge.judge(images)])

    found = compression_control(score, photos=photos)
    return {"forgery_auc": found.forgery_auc, "compression_auc": found.compression_auc, "passes": found.passes}


def verdict(unseen: float) -> str:
    if unseen < WORTH_SHIPPING:
        return "not worth shipping"
    return "experimental" if unseen < NOT_EXPERIMENTAL else "useful"


def measure(asked: argparse.Namespace, folder: Path) -> Mapping[str, object]:
    photos = photo_sources()
    started = time.perf_counter()
    task = trained(asked.steps, asked.train_tiles, asked.test_tiles, asked.seed, photos, folder)
    network = task.network.eval()
    shown = {kind: auc_on(network, [kind], asked.test_tiles, asked.seed + 1, photos) for kind in (*SEEN, *UNSEEN)}
    together = {
        name: auc_on(network, kinds, 2 * asked.test_tiles, asked.seed + 2, photos)
        for name, kinds in (("seen", SEEN), ("unseen", UNSEEN))
    }
    unseen = float(str(together["unseen"]["auc"]))
    return {
        "what": "M2TR, configuration tiny, on tiles of 64 pixels",
        "learned": SEEN,
        "never_saw": UNSEEN,
        "verdict": verdict(unseen),
        "together": together,
        "kinds": shown,
        "control": control(network, photos),
        "training": {"steps": asked.steps, "tiles": asked.train_tiles, "seed": asked.seed},
        "minutes": (time.perf_counter() - started) / 60,
        "photos": {split: [photo.id for photo in photos if photo.split == split] for split in SPLITS},
        "data": task.data_fingerprint(),
        "machine": machine(("onlooker", "torch", "timm", "numpy", "opencv-python-headless", "scikit-image")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--train-tiles", type=int, default=4000)
    parser.add_argument("--test-tiles", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for weights, configuration and calibration")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        result = measure(asked, asked.keep or Path(spare) / "run")
    write_result("small_judge", dict(rounded(result)))  # type: ignore[arg-type]
    print(result["verdict"], result["together"])


if __name__ == "__main__":
    main()
