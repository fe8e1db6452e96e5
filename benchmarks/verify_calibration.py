"""Makes the calibration that `onlooker verify` judges by: `python benchmarks/verify_calibration.py [--tiles N]`.

Made forgeries (splice, copy-move, removal) and untouched tiles of the photo pool, in three domains: JPEG files, pixels
without a JPEG (saved without loss, or cut out of one), frames of compressed video. Weights, curve and threshold come
from training and validation photos, each scored by a model of other photos; test photos are measured once. Only rules:
no network takes part. Writes the file that ships with the package, and the same numbers to benchmarks/results.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from common import machine, rounded, write_result
from onlooker.configs import config_to_dict
from onlooker.methods.forensics.media_forensics import combining
from onlooker.methods.forensics.media_forensics.fitting import Scored, fit_combination
from onlooker.methods.forensics.media_forensics.protocols import sample_of
from onlooker.methods.forensics.media_forensics.rule_judge import (
    UNEVEN,
    WHOLE_RULES,
    WINDOW_RULES,
    numbers_of,
    read_whole,
    read_window,
    score_of,
    why_not,
)
from onlooker.methods.forensics.media_forensics.samples import Sample
from onlooker.methods.forensics.media_forensics.windows import WINDOW_PX
from onlooker.synth.forgeries import ForgeryConfig, photo_sources
from onlooker.synth.forgeries.config import CompressionConfig, PostConfig
from onlooker.synth.forgeries.photos import Photo
from onlooker.synth.forgeries.tiles import ForgedTiles
from onlooker.types import Image

STATED = 0.05
SEED = 20
# Most pictures keep the traces of their saves; some were never saved before, cropped, resized or sent around.
_POST = PostConfig(resize_share=0.05, noise_share=0.05, launder_share=0.05)
_SAVES = CompressionConfig((50, 90), camera_share=0.85, aligned_share=0.9, final_quality=(75, 98))
_JPEG = ForgeryConfig(WINDOW_PX, compression=_SAVES, post=_POST)
_CUT = replace(_JPEG, compression=replace(_SAVES, crop_after_final=True))
_LOSSLESS = replace(_JPEG, compression=replace(_SAVES, final_quality=None))
# Data of a domain: (configuration of tiles, what happens to a tile behind its last save).
DOMAINS: dict[str, tuple[tuple[ForgeryConfig, str], ...]] = {
    "jpeg": ((_JPEG, "as it is"),),
    "pixels": ((_LOSSLESS, "pixels"), (_CUT, "pixels")),
    "video": ((_LOSSLESS, "h264"),),
}
# Part of the tiles asked for: where little is to be found, fewer say so, too.
SHARES = {"jpeg": 1.0, "pixels": 0.5, "video": 0.4}
WORDS = {
    "jpeg": "JPEG files",
    "pixels": "pictures saved without loss, and cut-outs of JPEG pictures",
    "video": "frames of H.264 video",
}


def through_h264(image: Image, rng: np.random.Generator) -> Image:
    """The second frame of three of a still video at a quality drawn from 18 to 30."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": str(rng.integers(18, 31)), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
        stream.thread_count = 1
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as read:
        frames = [frame.to_ndarray(format="rgb24") for frame in read.decode(video=0)]
    return frames[1]


def finish(item: Sample, end: str, rng: np.random.Generator) -> Sample:
    if end == "as it is":
        return item
    image = through_h264(item.image, rng) if end == "h264" else item.image
    return Sample(image, None, item.label, None, item.source_id, None, item.manipulation)


def score_tiles(domain: str, split: str, count: int, photos: Sequence[Photo]) -> Scored:
    """Rules on `count` tiles of a split; flat tiles are left out, as the judge refuses them."""
    scores, labels, names, kinds = [], [], [], []
    parts = DOMAINS[domain]
    for config, end in parts:
        tiles = ForgedTiles(config, SEED, split, photos)  # type: ignore[arg-type]
        for k in range(count // len(parts)):
            sample = finish(sample_of(tiles[k]), end, np.random.default_rng((SEED, k)))
            if why_not(sample.image) is not None:
                continue
            whole = {name: score_of(one) for name, one in read_whole(sample).items()}
            scores.append({**numbers_of(read_window(sample)), **whole})
            labels.append(sample.label or 0)
            names.append(sample.source_id)
            kinds.append(sample.manipulation or "authentic")
    return Scored(tuple(scores), np.array(labels, np.int64), tuple(names), tuple(kinds))


def joined(parts: Sequence[Scored]) -> Scored:
    return Scored(
        tuple(s for p in parts for s in p.scores),
        np.concatenate([p.labels for p in parts]),
        tuple(s for p in parts for s in p.photos),
        tuple(s for p in parts for s in p.kinds),
    )


def fingerprint_of(domain: str, count: int, photos: Sequence[Photo]) -> str:
    told = json.dumps([config_to_dict(config) for config, _ in DOMAINS[domain]], sort_keys=True)
    digest = hashlib.sha256(f"{told} seed {SEED} {count} tiles".encode())
    for photo in photos:
        digest.update(photo.id.encode() + photo.split.encode())
        for view in photo.views:
            digest.update(view.tobytes())
    return digest.hexdigest()


def fit_domain(
    domain: str, count: int, photos: Sequence[Photo], kept: Callable[[str, str, int], Scored]
) -> dict[str, object]:
    count = round(count * SHARES[domain])
    own = joined([kept(domain, "train", count * 2 // 3), kept(domain, "validation", count // 3)])
    test = kept(domain, "test", count // 2)
    n = len(set(own.photos))
    tested_on = (
        f"{WORDS[domain]}: tiles of {WINDOW_PX} pixels, half of them with a splice, copy or removal made here; fitted "
        f"on {len(own.labels)} tiles of {n} photos, tested on {len(test.labels)} of {len(set(test.photos))} others"
    )
    rules = (*(name + end for name in WINDOW_RULES for end in ("", UNEVEN)), *WHOLE_RULES)
    told = [name for name in rules if any(one[name] is not None for one in own.scores)]
    found = fit_combination(told, own, test, STATED, tested_on, fingerprint_of(domain, count, photos), SEED)
    return config_to_dict(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=480, help="to make it from; half as many to test it")
    parser.add_argument("--cache", type=Path, help="folder of scores from an earlier run")
    arguments = parser.parse_args()
    photos = photo_sources()
    started = time.perf_counter()

    def kept(domain: str, split: str, count: int) -> Scored:
        place = None if arguments.cache is None else arguments.cache / f"{domain}-{split}-{count}.pickle"
        if place is not None and place.is_file():
            return pickle.loads(place.read_bytes())
        made = score_tiles(domain, split, count, photos)
        print(f"{domain} {split}: {len(made.labels)} tiles, {time.perf_counter() - started:.0f} s", flush=True)
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(pickle.dumps(made))
        return made

    domains = {domain: rounded(fit_domain(domain, arguments.tiles, photos, kept), 5) for domain in DOMAINS}
    packages = ("numpy", "opencv-python-headless", "pillow", "av")
    shipped = Path(combining.__file__).with_name(combining.FILE)
    shipped.write_text(json.dumps({"made_by": "benchmarks/verify_calibration.py", "domains": domains}, indent=1) + "\n")
    shown = ("threshold", "stated_false_alarms", "useful", "tested_on", "fingerprint", "test", "rules", "weights")
    brief = {d: {k: v for k, v in one.items() if k in shown} for d, one in domains.items()}  # type: ignore[attr-defined]
    write_result("verify_calibration", {"what": __doc__, "seed": SEED, "machine": machine(packages), "domains": brief})
    print(json.dumps(brief, indent=1))


if __name__ == "__main__":
    main()
