"""The paper's statements that are checked here. Gates were fixed before the runs; failures stay on record."""

from __future__ import annotations

import statistics

from onlooker.evaluation.claims import Claim, Scores
from onlooker.methods.encoders.perception_encoder import experiments as run

_SEEDS = (20, 21, 22)  # settings were chosen on others
_DENSE_SEEDS = (40, 41, 42)  # 20 to 22 and 30 to 32 were looked at with other settings of alignment (decision 8)
_CORE = (
    f"A {run.CORE.vision.depth}-layer core of width {run.CORE.vision.width} on 48-pixel scenes of the synthetic world, "
    f"{run.CORE_STEPS} steps of {run.CORE_BATCH} pairs, sizes 30 then 48, masking, crops, mirrors and colour jitter."
)
_DENSE = (
    f"The same with patches of {run.DENSE.vision.patch_size} pixels, {run.DENSE_STEPS} steps, sizes 32 then 48. Frozen "
    "features: masks of the first frame propagated through 8-frame clips of two or three acting objects (J&F), or a "
    "linear probe to the colour of the object at a pixel (mIoU)."
)
_ALIGNED = (
    f"{run.ALIGN_STEPS} steps of {run.ALIGN_BATCH} scenes; the first teacher, at weight {run.SEMANTIC_WEIGHT:g}, is "
    f"the layer that tracks best on clips of another seed, the second, at {run.LOCALITY_WEIGHT:g}, the true instance "
    f"masks; each block learns at {run.LAYER_DECAY:g} of the rate of the next. New scenes for the scores. Patches of 6 "
    "pixels and equal weights, then one rate for all blocks, then a first teacher at 0.5 had failed (decision 8)."
)


def _mean(scores: Scores, arm: str) -> float:
    return statistics.fmean(scores[arm])


def _beats_in_most(better: str, worse: str, scores: Scores) -> bool:
    wins = sum(a > b for a, b in zip(scores[better], scores[worse], strict=True))
    return _mean(scores, better) > _mean(scores, worse) and 2 * wins > len(scores[better])


def _beats_in_all(better: str, worse: str, scores: Scores) -> bool:
    return all(a > b for a, b in zip(scores[better], scores[worse], strict=True))


def _moves_to_the_end(scores: Scores) -> bool:
    return _mean(scores, "aligned") <= 1 and _mean(scores, "aligned") <= _mean(scores, "core")


def _little_is_lost(scores: Scores) -> bool:
    return max(scores["aligned"]) <= 1.0 and _beats_in_all("core", "aligned", scores)


_MIDDLE = "After contrastive training the best dense features are in a layer before the last (section 3)."
_MOST = "The mean over seeds is higher, and more than half of the seeds are."
_ALIGN = "Spatial alignment brings dense features to the last layer (section 5)."


_ALIGN_ARMS = ("aligned", "core", "semantic_only", "locality_only")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="middle_layer_tracking",
        statement=_MIDDLE,
        setting=f"{_CORE} {_DENSE} The middle layer is chosen on clips of another seed.",
        metric="J&F of propagated masks",
        unit="%",
        arms=("middle_layer", "last_layer"),
        run=run.middle_against_last_tracking,
        holds=lambda scores: _beats_in_most("middle_layer", "last_layer", scores),
        gate=_MOST,
        seeds=_DENSE_SEEDS,
        minutes=3.0,
    ),
    Claim(
        name="middle_layer_segmentation",
        statement=_MIDDLE,
        setting=f"{_CORE} {_DENSE} The middle layer is chosen on scenes of another seed.",
        metric="mIoU of a linear probe",
        unit="%",
        arms=("middle_layer", "last_layer"),
        run=run.middle_against_last_segmentation,
        holds=lambda scores: _beats_in_most("middle_layer", "last_layer", scores),
        gate=_MOST,
        seeds=_DENSE_SEEDS,
        minutes=3.0,
    ),
    Claim(
        name="spatial_alignment_tracking",
        statement=_ALIGN,
        setting=f"{_CORE} {_DENSE} {_ALIGNED} Last layer of every arm; one arm per term left out.",
        metric="J&F of propagated masks, last layer",
        unit="%",
        arms=_ALIGN_ARMS,
        run=run.alignment_tracking,
        holds=lambda scores: _beats_in_all("aligned", "core", scores),
        gate="Aligned beats the core's last layer in every seed; the ablations are reported and not judged.",
        seeds=_DENSE_SEEDS,
        minutes=15.0,
    ),
    Claim(
        name="spatial_alignment_segmentation",
        statement=_ALIGN,
        setting=f"{_CORE} {_DENSE} {_ALIGNED} Last layer of every arm; one arm per term left out.",
        metric="mIoU of a linear probe, last layer",
        unit="%",
        arms=_ALIGN_ARMS,
        run=run.alignment_segmentation,
        holds=lambda scores: _beats_in_all("aligned", "core", scores),
        gate="Aligned beats the core's last layer in every seed; the ablations are reported and not judged.",
        seeds=_DENSE_SEEDS,
        minutes=15.0,
    ),
    Claim(
        name="spatial_alignment_end",
        statement="After spatial alignment the last layer is as good as the best one (section 5).",
        setting=f"{_CORE} {_DENSE} {_ALIGNED} Points between the best and the last layer, mean over both tasks.",
        metric="points lost from the best layer to the last",
        unit="points",
        arms=("aligned", "core"),
        run=run.alignment_lost_at_the_end,
        holds=_little_is_lost,
        gate="At most one point in every seed, and less than in the core.",
        higher_is_better=False,
        seeds=_DENSE_SEEDS,
        minutes=10.0,
    ),
    Claim(
        name="spatial_alignment_best_layer",
        statement="After spatial alignment the best layer is the last or next to it (section 5).",
        setting=f"{_CORE} {_DENSE} {_ALIGNED} Layers between the best and the last, mean over both tasks.",
        metric="layers from the best to the last",
        unit="layers",
        arms=("aligned", "core"),
        run=run.alignment_best_layer,
        holds=_moves_to_the_end,
        gate="At most one layer in the mean over seeds, and no farther than in the core.",
        higher_is_better=False,
        seeds=_DENSE_SEEDS,
        minutes=10.0,
    ),
    Claim(
        name="progressive_resolution_flops",
        statement="Training at growing sizes halves the work of training (section 2).",
        setting="Multiplications of the L trunk's blocks at 98, 154 and 224 pixels, a third of the run each; exact.",
        metric="trunk work as a part of training at 224 pixels",
        unit="ratio",
        arms=("growing", "native"),
        run=run.progressive_flops,
        holds=lambda scores: _mean(scores, "growing") <= 0.6,
        gate="At most 0.6 of the work.",
        higher_is_better=False,
        minutes=0.1,
    ),
    Claim(
        name="progressive_resolution_accuracy",
        statement="Training at growing sizes keeps accuracy (section 2).",
        setting=f"{_CORE} The other arm sees 48 pixels all along, for the same samples.",
        metric="recall at 5, text to picture",
        unit="%",
        arms=("growing", "native"),
        run=run.progressive_accuracy,
        holds=lambda scores: _mean(scores, "growing") >= _mean(scores, "native") - 2.0,
        gate="At most 2 points below in the mean over seeds.",
        seeds=_SEEDS,
        minutes=6.0,
    ),
    Claim(
        name="rotary_positions_at_larger_sizes",
        statement="Two-dimensional rotary positions help at sizes that training did not have (section 2).",
        setting=f"{_CORE} Evaluated on the same scenes drawn at 72 pixels; the other arm has the position table alone.",
        metric="points of recall at 5, text to picture, lost from 48 to 72 pixels",
        unit="points",
        arms=("rotary", "absolute_only"),
        run=run.rotary_at_larger_sizes,
        holds=lambda scores: _mean(scores, "rotary") < _mean(scores, "absolute_only"),
        gate="Less is lost in the mean over seeds.",
        higher_is_better=False,
        seeds=_SEEDS,
        minutes=6.0,
    ),
    Claim(
        name="eight_frames_against_one",
        statement="The mean of eight frames is a better vector of a clip than one frame (section 2).",
        setting=(
            f"{_CORE} Linear probe on vectors of 8 frames of one object each; in four random ones it has the colour, "
            "one of four, that is the class, else one of three others; the other arm has the middle frame."
        ),
        metric="top-1 of a linear probe",
        unit="%",
        arms=("eight_frames", "one_frame"),
        run=run.eight_frames_against_one,
        holds=lambda scores: _beats_in_all("eight_frames", "one_frame", scores),
        gate="Better in every seed.",
        seeds=_SEEDS,
        minutes=3.0,
    ),
    Claim(
        name="language_alignment_captions",
        statement="Language alignment makes the encoder's last layer easier to read for a language model (section 4).",
        setting=(
            f"{_CORE} Encoder cut after 5 of 6 layers and trained with a small Llama for {run.CAPTION_STEPS} steps of "
            f"{run.CAPTION_BATCH}; then it is frozen, and a new projector and Llama learn captions as long. The other "
            "arm reads the frozen core's last layer."
        ),
        metric="loss on captions of new scenes",
        unit="nats per word",
        arms=("aligned", "core_last_layer"),
        run=run.captions_from_frozen_encoders,
        holds=lambda scores: _mean(scores, "aligned") < _mean(scores, "core_last_layer"),
        gate="Lower in the mean over seeds.",
        higher_is_better=False,
        seeds=_SEEDS,
        minutes=5.0,
    ),
)
