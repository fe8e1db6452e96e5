"""How often `onlooker verify` suspects untouched photos: `python benchmarks/verify_false_alarms.py`.

Whole test photos of the pool, of which the calibration saw nothing, saved in the ways files come: JPEG once at several
qualities, twice, sent around (shrunk and saved strongly), PNG. One verdict each by the rules at the shipped threshold;
shares with 95 percent intervals over photos. Beside it, made forgeries of 256 pixels: what the same threshold finds in
pictures of several windows. Takes about a minute of one core.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable

import numpy as np
from PIL import Image as Pil

from common import machine, rounded, write_result
from onlooker.evaluation.forgery import Score, bootstrap
from onlooker.methods.forensics.media_forensics.protocols import sample_of
from onlooker.methods.forensics.media_forensics.rule_judge import RuleJudge
from onlooker.methods.forensics.media_forensics.samples import Sample
from onlooker.synth.forgeries import ForgeryConfig, photo_sources
from onlooker.synth.forgeries.photos import photos_of
from onlooker.synth.forgeries.tiles import ForgedTiles
from onlooker.types import Image

SEED = 31


def jpeg(image: Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    Pil.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def opened(data: bytes) -> Image:
    with Pil.open(io.BytesIO(data)) as picture:
        return np.array(picture)


def once(quality: int) -> Callable[[Image], Sample]:
    def save(image: Image) -> Sample:
        data = jpeg(image, quality)
        return Sample(opened(data), data)

    return save


def twice(image: Image) -> Sample:
    data = jpeg(opened(jpeg(image, 75)), 92)
    return Sample(opened(data), data)


def sent_around(image: Image) -> Sample:
    height, width = image.shape[:2]
    small = Pil.fromarray(opened(jpeg(image, 90))).resize((round(width * 0.8), round(height * 0.8)))
    data = jpeg(np.asarray(small), 75)
    return Sample(opened(data), data)


WAYS: dict[str, Callable[[Image], Sample]] = {
    "jpeg 95": once(95),
    "jpeg 85": once(85),
    "jpeg 75": once(75),
    "jpeg 75, then 92": twice,
    "sent around": sent_around,
    "png": Sample,
}


def share(suspected: list[bool], photos: list[str]) -> dict[str, object]:
    hits = np.array(suspected)
    found = bootstrap(lambda k: Score(float(hits[k].mean()), None), photos, n_resamples=400, seed=SEED)
    return {"pictures": len(hits), "suspected": found.value, "low": found.low, "high": found.high}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forged", type=int, default=48, help="tiles of 256 pixels")
    arguments = parser.parse_args()
    judge = RuleJudge()
    photos = [photo for photo in photos_of(photo_sources(), "test") if not photo.is_grey]
    ways: dict[str, object] = {}
    told: dict[bool, tuple[list[bool], list[str]]] = {True: ([], []), False: ([], [])}
    for name, save in WAYS.items():
        suspected, ids, not_judged = [], [], 0
        for photo in photos:
            report = judge.report(save(photo.views[0]))
            if report.probability is None:
                not_judged += 1
                continue
            suspected.append(report.probability >= report.threshold)
            ids.append(photo.id)
            told[name != "png"][0].append(suspected[-1])
            told[name != "png"][1].append(photo.id)
        ways[name] = {"not_judged": not_judged} if not ids else {**share(suspected, ids), "not_judged": not_judged}
        print(name, ways[name], flush=True)
    tiles = ForgedTiles(ForgeryConfig(256), SEED, "test")
    by_kind: dict[str, list[bool]] = {}
    for k in range(arguments.forged):
        sample = sample_of(tiles[k])
        report = judge.report(sample)
        if report.probability is not None:
            by_kind.setdefault(str(sample.manipulation), []).append(report.probability >= report.threshold)
    result = {
        "what": __doc__,
        "seed": SEED,
        "machine": machine(("numpy", "opencv-python-headless", "pillow")),
        "photos": [photo.id for photo in photos],
        "calibration": {domain: judge.combination(domain).fingerprint for domain in ("jpeg", "pixels")},  # type: ignore[arg-type]
        "stated_false_alarms": judge.combination("jpeg").stated_false_alarms,
        "untouched": {
            "all jpeg": share(*told[True]) if told[True][0] else None,
            "all png": share(*told[False]) if told[False][0] else None,
            **ways,
        },
        "made_256_px": {kind: {"pictures": len(v), "suspected": float(np.mean(v))} for kind, v in by_kind.items()},
    }
    write_result("verify_false_alarms", rounded(result))  # type: ignore[arg-type]
    print(rounded(result["untouched"]), rounded(result["made_256_px"]))


if __name__ == "__main__":
    main()
