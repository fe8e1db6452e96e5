"""Settings of the tracker, grouped by the part that reads them. Every length in time is in seconds, never in frames,
since frame rates vary inside one file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from onlooker.errors import ConfigError
from onlooker.kalman import MotionConfig


def _require(ok: bool, message: str) -> None:
    if not ok:
        raise ConfigError(message)


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """When the detector runs.

    Attributes:
        detector_hz: wanted detector runs per second of video. Higher is more accurate and slower.
        minimum_hz: rate kept up where the picture does not change at all.
        change_level: share of the grey picture that must have changed since the last run for a run to be worth it.
        grey_noise: change of one grey level (0..255) that is still camera noise.
        carry_hz: how often boxes are carried along by picture motion between detector runs; 0 switches it off.
        grey_width: width in px of the grey pictures used for change, camera motion and carrying.
    """

    detector_hz: float = 3.0
    minimum_hz: float = 1.0
    change_level: float = 0.004
    grey_noise: float = 12.0
    carry_hz: float = 12.5
    grey_width: int = 160

    def __post_init__(self) -> None:
        _require(self.detector_hz > 0, f"`detector_hz` must be positive, got {self.detector_hz}")
        _require(
            0 < self.minimum_hz <= self.detector_hz,
            f"`minimum_hz` must be in (0, detector_hz={self.detector_hz}], got {self.minimum_hz}",
        )
        _require(0 <= self.change_level < 1, f"`change_level` is a share in [0, 1), got {self.change_level}")
        _require(self.carry_hz >= 0, f"`carry_hz` must not be negative, got {self.carry_hz}")
        _require(self.grey_width >= 16, f"`grey_width` must be at least 16 px, got {self.grey_width}")


@dataclass(frozen=True, slots=True)
class MatchConfig:
    """Which detection continues which track.

    Attributes:
        high_score: detections at least this sure are matched first and may start tracks.
        low_score: detections below this are ignored altogether.
        start_score: an unmatched detection at least this sure starts a track.
        minimum_iou: overlap with the predicted box that makes a pair possible.
        gate: squared Mahalanobis distance of the centre within which a pair without overlap is possible as well.
        appearance: "joins" uses the embedder only to join pieces of track over gaps (one look per piece), "matches"
            on every detection as well, which costs an embedding per detection.
        appearance_weight: share of the appearance in what a pair is worth.
        label_penalty: share of a pair's worth that is lost when the labels differ.
        birth_iou: a detection that overlaps an already matched one of its label more than this starts no track.
        duplicate_iou: two boxes of different label overlapping more than this are one object seen twice.
    """

    high_score: float = 0.6
    low_score: float = 0.2
    start_score: float = 0.5
    minimum_iou: float = 0.2
    gate: float = 3.0
    appearance: Literal["joins", "matches"] = "joins"
    appearance_weight: float = 0.3
    label_penalty: float = 0.25
    birth_iou: float = 0.5
    duplicate_iou: float = 0.75

    def __post_init__(self) -> None:
        _require(
            0 <= self.low_score <= self.high_score <= 1,
            f"scores must satisfy 0 <= low <= high <= 1, got {self.low_score}, {self.high_score}",
        )
        _require(self.low_score <= self.start_score, "`start_score` must not be below `low_score`")
        _require(self.gate > 0, f"`gate` must be positive, got {self.gate}")


@dataclass(frozen=True, slots=True)
class LifeConfig:
    """How long tracks live, how much evidence they need.

    Attributes:
        patience_s: a track unseen for longer than this ends (it may still be joined again afterwards, with a stored
            probability); shorter absences are filled with carried boxes.
        patience_runs: but a track never ends before it was missed by this many detector runs.
        minimum_evidence: tracks whose scores sum up to less are dropped, unless one reaches `sure_score`;
            detections less than 0.2 s apart count in part, and a shot of very few detector runs asks for less.
        minimum_best_score: tracks whose best detection is below this are dropped.
        sure_score: a single detection this sure is enough.
    """

    patience_s: float = 0.8
    patience_runs: int = 3
    minimum_evidence: float = 1.7
    minimum_best_score: float = 0.4
    sure_score: float = 0.8

    def __post_init__(self) -> None:
        _require(self.patience_s >= 0, f"`patience_s` must not be negative, got {self.patience_s}")
        _require(self.patience_runs >= 1, f"`patience_runs` must be at least 1, got {self.patience_runs}")
        _require(self.minimum_evidence >= 0, f"`minimum_evidence` must not be negative, got {self.minimum_evidence}")


@dataclass(frozen=True, slots=True)
class RelinkConfig:
    """When two pieces of track are one object.

    Attributes:
        join_probability: at or above, the pieces become one tracklet with a `Gap`.
        link_probability: at or above, and below the former, they become a `Link`.
        maximum_gap_s: pieces further apart in time inside one shot are not compared.
        maximum_shot_gap_s: the same across shots.
        neutral_cosine: cosine of two appearance vectors that is as likely for one object as for two of one category;
            a property of the embedder, the default is that of the bundled one.
    """

    join_probability: float = 0.5
    link_probability: float = 0.15
    maximum_gap_s: float = 10.0
    maximum_shot_gap_s: float = 60.0
    neutral_cosine: float = 0.53

    def __post_init__(self) -> None:
        _require(
            0 <= self.link_probability <= self.join_probability <= 1,
            f"need 0 <= link <= join <= 1, got {self.link_probability}, {self.join_probability}",
        )


@dataclass(frozen=True, slots=True)
class CropConfig:
    """Which views of an object are kept for the attribute models.

    Attributes:
        per_tracklet: views kept of one tracklet.
        longest_side_px: views are shrunk to this.
        context: border around the box, as a share of its width and height.
        minimum_apart_s: two kept views are at least this far apart in time.
        budget_mb: memory for all views of a video, which are held as JPEG; over it the weaker views go first, then
            resolution. The default holds some two thousand views.
    """

    per_tracklet: int = 4
    longest_side_px: int = 256
    context: float = 0.1
    minimum_apart_s: float = 0.5
    budget_mb: float = 16.0

    def __post_init__(self) -> None:
        _require(self.per_tracklet >= 0, f"`per_tracklet` must not be negative, got {self.per_tracklet}")
        _require(self.longest_side_px >= 8, f"`longest_side_px` must be at least 8, got {self.longest_side_px}")


@dataclass(frozen=True, slots=True)
class TrackletConfig:
    """All settings of the tracker. The defaults are made for street-like footage and a detector with noisy scores."""

    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    match: MatchConfig = field(default_factory=MatchConfig)
    life: LifeConfig = field(default_factory=LifeConfig)
    relink: RelinkConfig = field(default_factory=RelinkConfig)
    crops: CropConfig = field(default_factory=CropConfig)

    def at_detector_hz(self, detector_hz: float) -> TrackletConfig:
        """The same settings at another detector rate; the minimum rate keeps its ratio.

        Raises:
            ConfigError: if `detector_hz` is not positive.
        """
        _require(detector_hz > 0, f"`detector_hz` must be positive, got {detector_hz}")
        ratio = self.sampling.minimum_hz / self.sampling.detector_hz
        sampling = replace(self.sampling, detector_hz=detector_hz, minimum_hz=detector_hz * ratio)
        return replace(self, sampling=sampling)


PRESETS: dict[str, TrackletConfig] = {
    "fast": TrackletConfig().at_detector_hz(2.0),
    "balanced": TrackletConfig(),
    "accurate": TrackletConfig().at_detector_hz(10.0),
}
