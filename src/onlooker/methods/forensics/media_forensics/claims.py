"""What the survey says of classical detectors and of evaluation, checked where it is cheap. Numbers are those of its
sheet, section 9. Claims 6 to 9 need trained networks and are part of the benchmark instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import mean

from onlooker.evaluation.claims import Claim, Scores

_PHOTOS = "cleaned photos of installed packages, split by photo"


def _experiment(name: str) -> Callable[[int], Mapping[str, float]]:
    """Imports the experiments only when a seed is run."""

    def run(seed: int) -> Mapping[str, float]:
        from onlooker.methods.forensics.media_forensics import experiments

        runs: Mapping[str, Callable[[int], Mapping[str, float]]] = {
            "ghosts": experiments.ghosts,
            "quantisation": experiments.quantisation,
            "clones": experiments.clones,
            "camera_patterns": experiments.camera_patterns,
            "filter_arrays": experiments.filter_arrays,
            "upsampling": experiments.upsampling,
            "intervals": experiments.intervals,
        }
        return runs[name](seed)

    return run


def _between(least: float, most: float) -> Callable[[Scores], bool]:
    """The first save's AUC is at least `least` and the last save's at most `most`, in the mean."""

    def holds(scores: Scores) -> bool:
        return mean(scores["first save stronger"]) >= least and mean(scores["last save stronger"]) <= most

    return holds


def _holds_clones(scores: Scores) -> bool:
    return mean(scores["clones found"]) >= 60 and mean(scores["authentic accused"]) <= 10


def _holds_patterns(scores: Scores) -> bool:
    pairs = zip(scores["lowest of the same camera"], scores["highest of another camera"], strict=True)
    return all(own > other for own, other in pairs)


def _holds_arrays(scores: Scores) -> bool:
    return min(scores["pixel AUC"]) >= 0.85 and min(scores["part refused without a trace"]) >= 0.8


def _holds_upsampling(scores: Scores) -> bool:
    return min(*scores["nearest"], *scores["transposed convolution"]) >= 0.9


def _holds_intervals(scores: Scores) -> bool:
    return all(frames < 0.5 * videos for videos, frames in zip(scores["by videos"], scores["by frames"], strict=True))


_DOUBLE = (
    f"24 splices of 256 pixels a seed from {_PHOTOS} (test photos), pasted without any save into a host saved once, "
    "then saved at 88 to 95 over a host of 50 to 65, or at 50 to 65 over one of 90 to 95; the rules were set on other "
    "draws of such photos"
)
CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="double_quantisation_localises",
        statement="Double quantisation localises a splice when the host's first save was stronger than the last, and "
        "is lost when the last was stronger (claim 1).",
        setting=_DOUBLE,
        metric="mean pixel AUC",
        unit="of 1",
        arms=("first save stronger", "last save stronger"),
        run=_experiment("quantisation"),
        holds=_between(0.8, 0.6),
        gate="at least 0.8 in the first case and at most 0.6 in the second, in the mean over seeds",
        minutes=0.2,
    ),
    Claim(
        name="ghosts_localise",
        statement="JPEG ghosts localise a splice when the host's first save was stronger than the last, and are lost "
        "when the last was stronger (claim 1).",
        setting=_DOUBLE,
        metric="mean pixel AUC",
        unit="of 1",
        arms=("first save stronger", "last save stronger"),
        run=_experiment("ghosts"),
        holds=_between(0.7, 0.6),
        gate="at least 0.7 in the first case and at most 0.6 in the second, in the mean over seeds",
        minutes=0.3,
    ),
    Claim(
        name="clones_are_found",
        statement="Keypoints find turned and scaled clones on textured photos and nothing on authentic ones (claim 2).",
        setting=f"20 pictures of 256 pixels a seed and arm from {_PHOTOS}, without the one photo of repeated roof tiles"
        "; clones of 5 to 12 percent of the area, up to 15 degrees, 0.7 to 1.4 times, some mirrored, saved at 85 to 98"
        "; the rule was set on other draws of these photos",
        metric="pictures with a finding",
        unit="percent",
        arms=("clones found", "authentic accused"),
        run=_experiment("clones"),
        holds=_holds_clones,
        gate="at least 60 percent of the clones and at most 10 percent of the authentic, in the mean over seeds",
        minutes=0.3,
    ),
    Claim(
        name="cameras_are_told_apart",
        statement="A fixed pattern estimated from 20 pictures correlates with the same camera's and not with another's "
        "(claim 3).",
        setting=f"simulated sensors, multiplicative pattern of 0.015, over {_PHOTOS} of 192 pixels; 12 pictures asked "
        "of each",
        metric="normalised correlation",
        unit="of 1",
        arms=("lowest of the same camera", "highest of another camera"),
        run=_experiment("camera_patterns"),
        holds=_holds_patterns,
        gate="the lowest correlation of the same camera is above the highest of the other, for every seed",
        minutes=0.1,
    ),
    Claim(
        name="missing_filter_array_shows",
        statement="A resized patch without the trace of demosaicing shows in a demosaiced photo (claim 4).",
        setting=f"16 photos a seed ({_PHOTOS}) of 192 pixels, bilinear demosaicing, a resized square pasted, no save; "
        "and the photos themselves, which were never demosaiced at this size",
        metric="pixel AUC; part refused",
        unit="of 1",
        arms=("pixel AUC", "part refused without a trace"),
        run=_experiment("filter_arrays"),
        holds=_holds_arrays,
        gate="pixel AUC of at least 0.85 and at least 80 percent of the others refused, for every seed",
        minutes=0.1,
    ),
    Claim(
        name="upsampling_shows_in_the_spectrum",
        statement="A linear model on the spectrum tells up-sampled pictures from a camera's (claim 5).",
        setting=f"60 pictures of 128 pixels of training photos, 60 of test photos ({_PHOTOS}), half of each made from "
        "half as many pixels",
        metric="image AUC",
        unit="of 1",
        arms=("nearest", "transposed convolution"),
        run=_experiment("upsampling"),
        holds=_holds_upsampling,
        gate="at least 0.9 for both ways and every seed",
        minutes=0.2,
    ),
    Claim(
        name="frames_make_intervals_too_narrow",
        statement="An interval drawn over frames is narrower than one over videos (claim 10).",
        setting="24 made-up videos of 32 frames whose scores resemble one another",
        metric="width of the 95 percent interval of the AUC",
        unit="of 1",
        arms=("by videos", "by frames"),
        run=_experiment("intervals"),
        holds=_holds_intervals,
        gate="less than half as wide, for every seed",
        higher_is_better=True,
        minutes=0.1,
    ),
)
