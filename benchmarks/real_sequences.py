"""Real sequences with truth that no network here was trained on, opened one at a time.

Masks: the test sequences of DAVIS 2016 (`onlooker.synth.masked_clips`), at 240 lines, else at 480. One object: OTB and
VOT. Crowds: the twelve full-HD frames of MOT17 with their public detections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from onlooker.evaluation.tracking import FrameBoxes, Sequence2D, rows_to_frames
from onlooker.evaluation.tracking_rules import apply_mot17_rules
from onlooker.formats import davis, single_object
from onlooker.formats.single_object import BoxTrack
from onlooker.synth.masked_clips import TEST_SEQUENCES
from onlooker.types import Detections, Image
from tracking_common import DATA, read_rows

MASKED_PACKS = ("davis2016-val-240p", "davis2016-val-480p-3seq")
SINGLE_PACK, CROWD_PACK = "sot-otb-vot", "mot17-mini"
CROWD_FPS = 30.0
LEAST_SCORE = 0.7  # of a public detection of people, where nothing but the boxes is linked


@dataclass(frozen=True, eq=False)
class MaskedVideo:
    """Frames and (T, H, W) labels of one sequence of DAVIS 2016; all foreground is object 1."""

    name: str
    frames: tuple[Image, ...]
    labels: NDArray[np.uint8]

    @property
    def held_out(self) -> bool:
        """Whether composed training clips leave it out."""
        return self.name in TEST_SEQUENCES


@dataclass(frozen=True, eq=False)
class FollowedVideo:
    """Frames of one sequence with the box of one object on each."""

    name: str
    frames: tuple[Image, ...]
    truth: BoxTrack


@dataclass(frozen=True, eq=False)
class Crowd:
    """A sequence of MOT17 with rows of its truth and its public detections, a value per frame."""

    name: str
    frames: tuple[Image, ...]
    rows: NDArray[np.float64]
    public: tuple[Detections, ...]

    def scored(self, tracked: Sequence[FrameBoxes]) -> Sequence2D:
        """Pedestrians after the rules of MOT17: boxes on distractors are forgiven."""
        truth, kept = [], []
        everything = rows_to_frames(self.rows, len(self.frames))
        for t, (all_truth, found) in enumerate(zip(everything, tracked, strict=True), start=1):
            here = self.rows[self.rows[:, 0] == t]
            a, b = apply_mot17_rules(all_truth, here[:, 7].astype(np.int64), here[:, 6] > 0, found)
            truth.append(a)
            kept.append(b)
        return Sequence2D(self.name, tuple(truth), tuple(kept), 1 / CROWD_FPS)


def masked_videos(*, held_out_only: bool = False) -> Iterator[MaskedVideo]:
    """Every sequence of DAVIS 2016 at hand, once, in order of names."""
    folders = {name: DATA / pack for pack in reversed(MASKED_PACKS) for name in _sequences(DATA / pack)}
    for name, root in sorted(folders.items()):
        if held_out_only and name not in TEST_SEQUENCES:
            continue
        truth = davis.read_sequence(davis.sequence_folders(root)[name]).labels
        frames = pictures(sorted((root / "JPEGImages" / name).glob("*.jpg")))
        yield MaskedVideo(name, frames, (truth != 0).astype(np.uint8))


def followed_videos() -> Iterator[FollowedVideo]:
    """The sequences of OTB and VOT at hand; frames behind the last annotated one are left out."""
    for name, file in single_object.sequence_files(DATA / SINGLE_PACK).items():
        if file.name not in single_object.TRUTH_NAMES:
            continue
        # OTB counts pixels from 1, as MATLAB does.
        truth = single_object.read_boxes(file, origin=1 if name.startswith("OTB") else 0)
        frames = pictures(sorted(file.parent.glob("img*/*.jpg"))[: len(truth)])
        yield FollowedVideo(name, frames, BoxTrack(truth.boxes_xyxy[: len(frames)], truth.visible[: len(frames)]))


def crowds() -> Iterator[Crowd]:
    """The clips of MOT17 at hand."""
    for folder in sorted((DATA / CROWD_PACK / "train").iterdir()):
        frames = pictures(sorted((folder / "img1").glob("*.jpg")))
        rows, found = read_rows(folder / "gt" / "gt.txt"), read_rows(folder / "det" / "det.txt")
        public = []
        for t in range(1, len(frames) + 1):
            here = found[found[:, 0] == t]
            corners = np.concatenate([here[:, 2:4], here[:, 2:4] + here[:, 4:6]], axis=1)
            scores = np.clip(here[:, 6], 0.0, 1.0).astype(np.float32)
            public.append(Detections(corners.astype(np.float32), scores, ("person",) * len(here)))
        yield Crowd(folder.name, frames, rows, tuple(public))


def masked_files() -> list[Path]:
    """Masks that scores depend on, for a fingerprint."""
    return [file for pack in MASKED_PACKS for file in (DATA / pack).glob("Annotations/*/*.png")]


def followed_files() -> list[Path]:
    """Boxes that scores depend on, for a fingerprint."""
    return list((DATA / SINGLE_PACK).glob("*/groundtruth*.txt"))


def crowd_files() -> list[Path]:
    """Truth and detections that scores depend on, for a fingerprint."""
    return [f for name in ("gt/gt.txt", "det/det.txt") for f in (DATA / CROWD_PACK).glob(f"train/*/{name}")]


def pictures(files: Sequence[Path]) -> tuple[Image, ...]:
    """RGB pictures of files."""
    return tuple(np.array(PillowImage.open(file).convert("RGB")) for file in files)


def _sequences(root: Path) -> list[str]:
    return list(davis.sequence_folders(root)) if (root / "Annotations").is_dir() else []
