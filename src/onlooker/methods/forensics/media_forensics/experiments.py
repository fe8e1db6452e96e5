"""Experiments behind the claims: small, seeded, on the photos at hand. Heavy imports stay inside the claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2
import numpy as np

from onlooker.evaluation.forgery import Score, bootstrap, image_auc
from onlooker.methods.forensics.media_forensics.learned import fit_detector
from onlooker.methods.forensics.media_forensics.protocols import draw_samples, run_detector
from onlooker.methods.forensics.media_forensics.rules import compression, copies, noise
from onlooker.methods.forensics.media_forensics.samples import Detector, Finding, Refusal, Sample, inspect
from onlooker.synth.forgeries.config import (
    DOUBLE_JPEG,
    DOUBLE_JPEG_HIDDEN,
    BlendConfig,
    CompressionConfig,
    ForgeryConfig,
)
from onlooker.synth.forgeries.photos import Photo, photo_sources
from onlooker.synth.forgeries.values import SPLITS, Split
from onlooker.types import FloatArray, Image

_LARGE_PX = 256
# China's temple roof, and walls of windows: pictures that repeat themselves, which claim 2 leaves out.
_REPEATING = frozenset({"sklearn/china"})
_SENSOR_STD = 0.015
_SHOT_PX = 192
_CELL_PX = 128


def mean_pixel_auc(detector: Detector, samples: list[Sample]) -> float:
    """Mean over manipulated pictures; a picture that is refused counts as chance."""
    found = []
    for one in run_detector(detector, samples):
        if one.sample.label != 1 or one.sample.mask is None:
            continue
        heat_map = None if isinstance(one.said, Refusal) else one.said.heat_map
        flat = 0.5 if heat_map is None else image_auc(heat_map.ravel(), one.sample.mask.ravel().astype(np.int64)).value
        found.append(flat)
    return float(np.mean(found))


def double_compression(detector: Detector, seed: int, count: int = 24) -> Mapping[str, float]:
    """Pixel AUC of a rule where the first save was the stronger, and where the last was."""
    photos = packaged_photos()
    made = {}
    for arm, config in (("first save stronger", DOUBLE_JPEG), ("last save stronger", DOUBLE_JPEG_HIDDEN)):
        chosen = replace(config, size_px=_LARGE_PX, authentic_share=0.0, blend=replace(config.blend, area=(0.03, 0.25)))
        made[arm] = mean_pixel_auc(detector, draw_samples(chosen, seed, "test", count, photos))
    return made


def ghosts(seed: int) -> Mapping[str, float]:
    return double_compression(compression.JpegGhost(), seed)


def quantisation(seed: int) -> Mapping[str, float]:
    return double_compression(compression.DoubleQuantisation(), seed)


def clones(seed: int, count: int = 20) -> Mapping[str, float]:
    """Percent of scaled and turned clones found, and of authentic pictures accused; photos that repeat themselves are
    left out."""
    photos = [photo for photo in packaged_photos() if photo.id not in _REPEATING]
    saves = CompressionConfig((85, 95), final_quality=(85, 98))
    blend = BlendConfig(area=(0.05, 0.12), rigid_share=0.0, feather_px=(0.5, 1.0))
    detector = copies.CopyMoveKeypoints()
    found: dict[str, list[float]] = {"clones found": [], "authentic accused": []}
    for arm, share in (("clones found", 0.0), ("authentic accused", 1.0)):
        config = ForgeryConfig(_LARGE_PX, share, {"copy_move": 1.0}, compression=saves, blend=blend)
        split: Split
        for split in ("train", "test"):
            for one in run_detector(detector, draw_samples(config, seed, split, count // 2, photos)):
                found[arm].append(100.0 * float(isinstance(one.said, Finding) and (one.said.score or 0) > 0))
    return {arm: float(np.mean(values)) for arm, values in found.items()}


def camera_patterns(seed: int, n_known: int = 20, n_asked: int = 12) -> Mapping[str, float]:
    """Correlation with a camera's pattern: lowest of its own pictures, highest of another camera's."""
    rng = np.random.default_rng((seed, 3))
    own, other = (rng.normal(0, _SENSOR_STD, (_SHOT_PX, _SHOT_PX)).astype(np.float32) for _ in range(2))
    photos = packaged_photos()
    camera = noise.estimate_pattern([_shot(own, photos, rng) for _ in range(n_known)])
    same = [noise.correlate_pattern(_shot(own, photos, rng), camera) for _ in range(n_asked)]
    different = [noise.correlate_pattern(_shot(other, photos, rng), camera) for _ in range(n_asked)]
    return {"lowest of the same camera": min(same), "highest of another camera": max(different)}


def filter_arrays(seed: int, count: int = 16) -> Mapping[str, float]:
    """Pixel AUC for patches without the trace of demosaicing; and the part of pictures WITHOUT any trace (never
    demosaiced) that are refused."""
    rng = np.random.default_rng((seed, 4))
    photos = [photo for photo in packaged_photos() if not photo.is_grey]
    detector = noise.ColourFilterArray()
    found, refused = [], []
    for _ in range(count):
        picture = _cut(photos[int(rng.integers(len(photos)))], _SHOT_PX, rng)
        forged, mask = demosaiced(picture), np.zeros(picture.shape[:2], np.bool_)
        side = int(rng.integers(48, 96))
        top, left = (int(v) for v in rng.integers(0, _SHOT_PX - side, 2))
        mask[top : top + side, left : left + side] = True
        resized = cv2.resize(
            cv2.resize(picture, None, fx=0.8, fy=0.8), picture.shape[1::-1], interpolation=cv2.INTER_CUBIC
        )
        forged[mask] = resized[mask]
        said = inspect(detector, Sample(forged))
        heat_map = None if isinstance(said, Refusal) else said.heat_map
        found.append(0.5 if heat_map is None else image_auc(heat_map.ravel(), mask.ravel().astype(np.int64)).value)
        refused.append(float(isinstance(inspect(detector, Sample(picture)), Refusal)))
    return {"pixel AUC": float(np.mean(found)), "part refused without a trace": float(np.mean(refused))}


def upsampling(seed: int, count: int = 60) -> Mapping[str, float]:
    """AUC on photos never seen: pictures whose pixels were made from half as many, against pictures of a camera."""
    made = {}
    for arm, make in (("nearest", _by_nearest), ("transposed convolution", _by_transposed)):
        sets = {}
        for split in ("train", "test"):
            sets[split] = _upsampled_set(make, SPLITS[SPLITS.index(split)], seed, count)
        detector = fit_detector("spectrum", sets["train"])
        said = [one.said for one in run_detector(detector, sets["test"])]
        scores = np.array([one.score or 0.0 for one in said if isinstance(one, Finding)])
        made[arm] = image_auc(scores, np.array([sample.label for sample in sets["test"]])).value
    return made


def intervals(seed: int, n_videos: int = 24, n_frames: int = 32) -> Mapping[str, float]:
    """Width of the interval of an AUC by whole videos and by frames. Scores of a video's frames resemble one another,
    as those of a detector do."""
    rng = np.random.default_rng((seed, 10))
    labels = np.repeat(np.arange(n_videos) % 2, n_frames)
    scores = np.repeat(rng.normal(0, 1, n_videos), n_frames) + rng.normal(0, 0.3, len(labels)) + 0.8 * labels
    video = np.repeat(np.arange(n_videos), n_frames).tolist()

    def auc(chosen: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Score:
        return image_auc(scores[chosen], labels[chosen])

    by_video = bootstrap(auc, video, n_resamples=400, seed=seed)
    by_frame = bootstrap(auc, list(range(len(labels))), n_resamples=400, seed=seed)
    return {"by videos": by_video.high - by_video.low, "by frames": by_frame.high - by_frame.low}


def packaged_photos() -> tuple[Photo, ...]:
    """Photos of installed packages alone: what is beside a checkout must not move a claim."""
    return photo_sources(())


def demosaiced(picture: Image) -> Image:
    """What a sensor behind a Bayer array and bilinear demosaicing would make of a picture."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    raw = np.where(
        rows % 2 == 0,
        np.where(columns % 2 == 0, picture[..., 0], picture[..., 1]),
        np.where(columns % 2 == 0, picture[..., 1], picture[..., 2]),
    ).astype(np.uint8)
    made: Image = cv2.cvtColor(raw, cv2.COLOR_BayerRGGB2RGB)
    return made


def _shot(pattern: FloatArray, photos: tuple[Photo, ...], rng: np.random.Generator) -> Image:
    """A picture a sensor with a fixed multiplicative pattern takes, with noise of its own."""
    scene = _cut(photos[int(rng.integers(len(photos)))], _SHOT_PX, rng).astype(np.float32)
    seen = scene * (1 + pattern[..., None]) + rng.normal(0, 1.0, scene.shape)
    return np.asarray(np.clip(np.rint(seen), 0, 255), np.uint8)


def _cut(photo: Photo, size_px: int, rng: np.random.Generator) -> Image:
    """A square of a photo with something to see in it; photos that are too small are enlarged."""
    view = photo.views[int(rng.integers(len(photo.views)))]
    if min(view.shape[:2]) < size_px:
        factor = size_px / min(view.shape[:2])
        view = cv2.resize(view, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    height, width = max(view.shape[0], size_px), max(view.shape[1], size_px)
    view = np.pad(view, ((0, height - view.shape[0]), (0, width - view.shape[1]), (0, 0)), mode="edge")
    for _ in range(20):
        top, left = int(rng.integers(height - size_px + 1)), int(rng.integers(width - size_px + 1))
        part = view[top : top + size_px, left : left + size_px]
        if float(part.std()) > 15:
            break
    return np.ascontiguousarray(part)


def _upsampled_set(make: Callable[[Image], Image], split: Split, seed: int, count: int) -> list[Sample]:
    rng = np.random.default_rng((seed, SPLITS.index(split), 5))
    photos = [photo for photo in packaged_photos() if photo.split == split and not photo.is_grey]
    samples = []
    for k in range(count):
        photo = photos[int(rng.integers(len(photos)))]
        picture = _cut(photo, _CELL_PX, rng)
        samples.append(Sample(make(picture) if k % 2 else picture, label=k % 2, source_id=photo.id))
    return samples


def _by_nearest(picture: Image) -> Image:
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    made: Image = cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return made


def _by_transposed(picture: Image) -> Image:
    """Zeros between pixels, then a kernel whose overlap is uneven: the chessboard of transposed convolutions."""
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.float32)
    wide = np.zeros((*picture.shape[:2], 3), np.float32)
    wide[::2, ::2] = small
    line = np.array([0.55, 1.0, 0.55], np.float32)
    made = cv2.sepFilter2D(wide, -1, line, line)
    return np.asarray(np.clip(np.rint(made), 0, 255), np.uint8)
