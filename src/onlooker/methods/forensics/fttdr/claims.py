"""What the paper says, checked small: frequencies, two stages, top-down refinement, and what blind costs.

Networks have 0.45 million parameters, pictures are tiles of 64 pixels of 13 photos or fewer, not faces: numbers say
whether an effect is seen at this size, and nothing about the paper's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import mean

from onlooker.evaluation.claims import Claim, Scores

_SEEDS = (10, 11, 12)  # seeds 0 and 1 were looked at while data, sizes and steps were being chosen
_ARMS = ("ft-tdr", "no frequency", "single stage")


def _run_three(metric: str) -> Callable[[int], Mapping[str, float]]:
    def run(seed: int) -> Mapping[str, float]:
        from onlooker.methods.forensics.fttdr.experiments import scores

        return {
            "ft-tdr": scores("ft-tdr", seed, "seen")[metric],
            "no frequency": scores("no frequency", seed, "seen")[metric],
            "single stage": scores("single stage", seed, "seen")[metric],
        }

    return run


def _run_frequency(seed: int) -> Mapping[str, float]:
    from onlooker.methods.forensics.fttdr.experiments import finder_scores

    return {
        "frequency": finder_scores("frequency", seed, "photos")["mask_iou"],
        "pixels twice": finder_scores("pixels twice", seed, "photos")["mask_iou"],
    }


def _run_incoherence(seed: int) -> Mapping[str, float]:
    from onlooker.methods.forensics.fttdr.experiments import finder_scores

    return {
        "incoherence": finder_scores("frequency", seed, "seen")["mask_boundary"],
        "no incoherence": finder_scores("no incoherence", seed, "seen")["mask_boundary"],
    }


def _run_attention(seed: int) -> Mapping[str, float]:
    from onlooker.methods.forensics.fttdr.experiments import finder_scores

    return {
        "patches": finder_scores("frequency", seed, "large")["mask_iou"],
        "convolutions": finder_scores("convolutions", seed, "large")["mask_iou"],
    }


def _run_refinement(seed: int) -> Mapping[str, float]:
    from onlooker.methods.forensics.fttdr.experiments import filler_scores

    return {
        "top-down": filler_scores("top-down", seed, "seen")["psnr_hole"],
        "plain skips": filler_scores("plain skips", seed, "seen")["psnr_hole"],
    }


def _run_blind(seed: int) -> Mapping[str, float]:
    from onlooker.methods.forensics.fttdr.experiments import scores, telea_psnr

    return {
        "blind": scores("ft-tdr", seed, "large")["psnr"],
        "found masks, Telea": telea_psnr(seed, "large"),
        "damaged": scores("ft-tdr", seed, "large")["psnr_damaged"],
    }


def _run_finding(seed: int) -> Mapping[str, float]:
    from onlooker.methods.forensics.fttdr.experiments import filler_scores, scores

    return {
        "blind": scores("ft-tdr", seed, "seen")["psnr"],
        "true masks": filler_scores("top-down", seed, "seen")["psnr"],
    }


def _run_unseen(seed: int) -> Mapping[str, float]:
    from onlooker.methods.forensics.fttdr.experiments import scores

    return {
        "unseen contents": scores("ft-tdr", seed, "unseen")["mask_iou"],
        "seen contents": scores("ft-tdr", seed, "seen")["mask_iou"],
    }


def _run_sound(seed: int) -> Mapping[str, float]:
    from onlooker.methods.forensics.fttdr.experiments import restorer, test_pictures

    judge = restorer("ft-tdr", seed)
    return {"changed": 100 * mean(float(judge.restore(one.image).mask.mean()) for one in test_pictures(seed, "sound"))}


def _ahead(least: float, first: str, *others: str) -> Callable[[Scores], bool]:
    def holds(scores: Scores) -> bool:
        return all(mean(scores[first]) - mean(scores[other]) >= least for other in others)

    return holds


def _holds_unseen(scores: Scores) -> bool:
    return mean(scores["unseen contents"]) >= 0.5 * mean(scores["seen contents"])


def _holds_sound(scores: Scores) -> bool:
    return mean(scores["changed"]) < 1.0


_DATA = (
    "tiles of 64 pixels of real photos (13 for training and 10 others for the test where the shared videos are at "
    "hand, else those of packages), strokes and rectangles that show part of another photo or noise, soft edges, half "
    "of what shows matched in colour, the photo saved before as JPEG 55 to 80 and what shows in the damage never, "
    "clean and damaged saved alike as JPEG 88 to 98, a fifth of training sound; "
)
_STAGES = (
    "stage 1: 600 steps, stage 2: 300 steps on true masks, batches of 8, from nothing, the same pictures in all arms; "
    "60 test tiles"
)
_THREE = (
    _DATA + _STAGES + ", damage of 2 to 50 %; no frequency: the second stem sees the picture again; single stage: one "
    "generator of equal size for picture and mask, 450 steps, which cost as much as both stages"
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="finds_better",
        statement="Looking at frequencies and working in two stages find the damage better (contributions 1 and 2)",
        setting=_THREE,
        metric="mask_iou",
        unit="%",
        arms=_ARMS,
        run=_run_three("mask_iou"),
        holds=_ahead(1.0, *_ARMS),
        gate="mean at least 1 point above either ablation",
        seeds=_SEEDS,
        minutes=8.0,
    ),
    Claim(
        name="restores_better_in_psnr",
        statement="Looking at frequencies and working in two stages restore better (contributions 1 and 2)",
        setting=_THREE + "; whole pictures, found masks",
        metric="psnr",
        unit="dB",
        arms=_ARMS,
        run=_run_three("psnr"),
        holds=_ahead(0.1, *_ARMS),
        gate="mean at least 0.1 dB above either ablation",
        seeds=_SEEDS,
        minutes=0.5,
    ),
    Claim(
        name="restores_better_in_ssim",
        statement="Looking at frequencies and working in two stages restore better (contributions 1 and 2)",
        setting=_THREE + "; whole pictures, found masks",
        metric="ssim",
        unit="SSIM",
        arms=_ARMS,
        run=_run_three("ssim"),
        holds=_ahead(0.002, *_ARMS),
        gate="mean at least 0.002 above either ablation",
        seeds=_SEEDS,
        minutes=0.5,
    ),
    Claim(
        name="frequencies_find_photos",
        statement="High frequencies show what was pasted where colours do not (frequency anomaly detector)",
        setting=_DATA + _STAGES + ", all damage showing part of another photo; the second stem sees the picture again",
        metric="mask_iou",
        unit="%",
        arms=("frequency", "pixels twice"),
        run=_run_frequency,
        holds=_ahead(1.0, "frequency", "pixels twice"),
        gate="mean at least 1 point above seeing the picture twice",
        seeds=_SEEDS,
        minutes=0.5,
    ),
    Claim(
        name="incoherence_sharpens",
        statement="Local contextual incoherence makes boundaries of the found damage better (abstract)",
        setting=_DATA + _STAGES,
        metric="boundary_f",
        unit="%",
        arms=("incoherence", "no incoherence"),
        run=_run_incoherence,
        holds=_ahead(0.5, "incoherence", "no incoherence"),
        gate="mean at least 0.5 points above without",
        seeds=_SEEDS,
        minutes=2.0,
    ),
    Claim(
        name="attention_finds_large_damage",
        statement="Attention between patches finds large damage better than convolutions of equal size (stage 1)",
        setting=_DATA + _STAGES + ", damage of 30 to 60 %",
        metric="mask_iou",
        unit="%",
        arms=("patches", "convolutions"),
        run=_run_attention,
        holds=_ahead(1.0, "patches", "convolutions"),
        gate="mean at least 1 point above convolutions",
        seeds=_SEEDS,
        minutes=2.0,
    ),
    Claim(
        name="top_down_fills_better",
        statement="Restoring features level by level from sound places beats plain skip connections (stage 2)",
        setting=_DATA + _STAGES + ", true masks; plain skips: no copying, no mask in the decoder, no side outputs",
        metric="psnr_of_the_damage",
        unit="dB",
        arms=("top-down", "plain skips"),
        run=_run_refinement,
        holds=_ahead(0.2, "top-down", "plain skips"),
        gate="mean at least 0.2 dB above plain skips, damaged pixels alone",
        seeds=_SEEDS,
        minutes=3.0,
    ),
    Claim(
        name="blind_restoration_pays",
        statement="Large damage restored blindly is nearer to the truth than it was, or than filled classically (ours)",
        setting=_DATA + _STAGES + ", damage of 30 to 60 %, whole pictures; Telea fills what stage 1 found",
        metric="psnr",
        unit="dB",
        arms=("blind", "found masks, Telea", "damaged"),
        run=_run_blind,
        holds=_ahead(0.0, "blind", "found masks, Telea", "damaged"),
        gate="mean at least that of Telea on the found masks and that of the damaged pictures",
        seeds=_SEEDS,
        minutes=0.5,
    ),
    Claim(
        name="blind_comes_near_given_masks",
        statement="Blind restoration comes near restoration with given masks (section 4; the distance is ours)",
        setting=_DATA + _STAGES + ", damage of 2 to 50 %, whole pictures",
        metric="psnr",
        unit="dB",
        arms=("blind", "true masks"),
        run=_run_finding,
        holds=_ahead(-3.0, "blind", "true masks"),
        gate="mean at most 3 dB below that with true masks",
        seeds=_SEEDS,
        minutes=0.5,
    ),
    Claim(
        name="unseen_damage",
        statement="Damage of a kind that training did not show is found as well (ours)",
        setting=_DATA + _STAGES + ", of one colour and letters, against the contents of training",
        metric="mask_iou",
        unit="%",
        arms=("unseen contents", "seen contents"),
        run=_run_unseen,
        holds=_holds_unseen,
        gate="mean at least half of that on seen contents",
        seeds=_SEEDS,
        minutes=0.5,
    ),
    Claim(
        name="sound_pictures_stay",
        statement="A sound picture is left as it is (ours)",
        setting=_DATA + _STAGES + ", all sound",
        metric="changed_area",
        unit="% of the pixels",
        arms=("changed",),
        run=_run_sound,
        holds=_holds_sound,
        gate="mean below 1 %",
        higher_is_better=False,
        seeds=_SEEDS,
        minutes=0.5,
    ),
)
