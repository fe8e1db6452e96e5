"""Trackers with weights of one's own, and the bundled one, asked the same things: masks, one box, people in a crowd."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.evaluation.tracking import FrameBoxes, box_iou, tracklets_to_frames
from onlooker.formats.single_object import BoxTrack
from onlooker.methods.trackers.isvos import IsvosSegmenter
from onlooker.methods.trackers.omnitracker import OmniTracker, OmniTrackerConfig, OmniTrackerNetwork
from onlooker.synth.masked_clips import CATEGORIES, box_of
from onlooker.types import BoxXYXY, Detections, Frame, Image, TrackingResult
from onlooker.video.protocols import AppearanceEmbedder, Detector
from onlooker.video.tracklets import TrackletConfig, TrackletTracker
from real_sequences import Crowd, FollowedVideo, MaskedVideo
from tracking_speed_accuracy import RecordedDetector

LabelMap = NDArray[np.uint8]
PERSON = "person"
CROWD_LINES = 480  # crowds are looked at once more with so many lines, since people in full HD are small


@dataclasses.dataclass(frozen=True)
class Trained:
    """A folder of weights and what its recipe says of the training; nothing of it where there is no recipe.

    Attributes:
        lines: height of the frames it was trained on.
    """

    folder: Path
    lines: int | None
    described: dict[str, object]

    @property
    def finished(self) -> bool:
        """Whether a training run that came to its end left it."""
        return (self.folder / "result.json").is_file() and bool(self.described)

    @property
    def files(self) -> list[Path]:
        """What its results depend on."""
        return [self.folder / name for name in ("model.safetensors", "config.json")]

    @classmethod
    def read(cls, folder: Path) -> Trained:
        """What lies in a folder.

        Raises:
            ConfigError: no weights are there.
        """
        if not (folder / "model.safetensors").is_file():
            raise ConfigError(f"`{folder}` holds no `model.safetensors`; give the folder of a run")
        if not (folder / "recipe.toml").is_file():
            return cls(folder, None, {})
        recipe = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
        options, training = recipe.get("task_options", {}), recipe.get("train", {})
        clips = {key: value for key, value in options.get("clips", {}).items() if key != "folder"}
        described = {"config": recipe.get("config"), "clips": clips, "start": options.get("train_on")}
        described["tracking"] = recipe.get("model", {}).get("tracking")  # what differs from the method's own numbers
        described |= {key: training.get(key) for key in ("seed", "steps", "batch_size")}
        size = clips.get("size")
        return cls(folder, int(size[0]) if size else None, {k: v for k, v in described.items() if v is not None})


class OmniFollower:
    """OmniTracker in all three roles; frames are brought to the height of training.

    Args:
        lines: height of frames inside the network; left out, that of training, else the configuration's.
    """

    def __init__(self, trained: Trained, lines: int | None = None) -> None:
        network = OmniTrackerNetwork.from_pretrained(str(trained.folder))
        config: OmniTrackerConfig = network.config
        lines = lines or trained.lines or config.short_side
        # The network reads its size at inference from its configuration alone.
        network.config = dataclasses.replace(config, short_side=lines, long_side=max(4 * lines, config.long_side))
        labels, classes = trained.folder / "labels.txt", config.detector.classes
        names = labels.read_text(encoding="utf-8").split("\n") if labels.is_file() else []
        known = [name.strip() for name in names if name.strip()] or list(CATEGORIES)
        self.tracker = OmniTracker.from_network(network, labels=known if len(known) == classes else None)
        self.network = network
        self.has_masks = network.mask_head is not None

    def masks(self, video: MaskedVideo) -> LabelMap:
        """(T, H, W) 0 and 1 from the first frame's mask on."""
        first = video.labels[0]
        self.tracker.start(video.frames[0], masks=(first != 0)[None])
        told = [self.tracker.update(frame).mask(0) for frame in video.frames[1:]]
        found = [np.zeros(first.shape, np.uint8) if mask is None else mask.astype(np.uint8) for mask in told]
        return np.stack([first, *found])

    def boxes(self, video: FollowedVideo) -> BoxTrack:
        """The box on every frame from the first one on."""
        first = video.truth.boxes_xyxy[0]
        self.tracker.start(video.frames[0], boxes=first[None])
        rows: list[BoxXYXY | None] = [_corners(first)]
        for frame in video.frames[1:]:
            told = self.tracker.update(frame)
            rows.append(_corners(told.boxes_xyxy_px[0]) if told.present[0] else None)
        return boxes_to_track(rows)

    def people(self, crowd: Crowd) -> list[FrameBoxes]:
        """People on every frame; objects of every class where none is called so."""
        self.tracker.begin([PERSON] if PERSON in self.tracker.labels else None)
        told = [self.tracker.update(frame) for frame in crowd.frames]
        return [FrameBoxes(t.ids[t.present], t.boxes_xyxy_px[t.present].astype(np.float64)) for t in told]


class IsvosFollower:
    """ISVOS; frames are brought to the height that its configuration says, as in the application."""

    def __init__(self, trained: Trained) -> None:
        self.segmenter = IsvosSegmenter(str(trained.folder))

    def masks(self, video: MaskedVideo) -> LabelMap:
        """(T, H, W) 0 and 1 from the first frame's mask on."""
        return self.segmenter.follow(video.frames, video.labels[0])

    def boxes(self, video: FollowedVideo) -> BoxTrack:
        """The box around the mask on every frame, begun with the first box."""
        first = _corners(video.truth.boxes_xyxy[0])
        session = self.segmenter.start(video.frames[0], {1: first})
        found = [box_of(session.step(frame)[1]) for frame in video.frames[1:]]
        return boxes_to_track([first, *found])


class BundledFollower:
    """The application's tracker, its detector on every frame."""

    def __init__(self, detector: Detector, embedder: AppearanceEmbedder | None, fps: float) -> None:
        self._detector, self._embedder, self._fps = detector, embedder, fps

    def track(self, frames: Sequence[Image], public: Sequence[Detections] | None = None) -> TrackingResult:
        """Tracklets of a clip, of public detections where there are some."""
        replayed = None if public is None else RecordedDetector(public)
        config = TrackletConfig().at_detector_hz(self._fps)
        tracker = TrackletTracker(replayed or self._detector, self._embedder, config)
        for number, image in enumerate(frames):
            if replayed is not None:
                replayed.position = number
            tracker.update(Frame.from_image(number, number / self._fps, image), new_shot=number == 0)
        return tracker.finish()

    def boxes(self, video: FollowedVideo) -> BoxTrack:
        """The tracklet that overlaps the first box most on the first frame; nothing where none does."""
        first, n_frames = video.truth.boxes_xyxy[0], len(video.frames)
        tracklets = self.track(video.frames).tracklets
        rows: list[BoxXYXY | None] = [_corners(first), *[None] * (n_frames - 1)]
        there = [t for t in tracklets if t.frames[0] == 0]
        overlaps = [float(box_iou(t.boxes_xyxy_px[:1].astype(np.float64), first[None])[0, 0]) for t in there]
        if overlaps and max(overlaps) > 0:
            chosen = there[int(np.argmax(overlaps))]
            for frame, box in zip(chosen.frames.tolist(), chosen.boxes_xyxy_px, strict=True):
                rows[frame] = _corners(box) if frame else rows[0]
        return boxes_to_track(rows)

    def people(self, crowd: Crowd, public: Sequence[Detections] | None = None) -> list[FrameBoxes]:
        """People on every frame."""
        kept = [t for t in self.track(crowd.frames, public).tracklets if t.category == PERSON]
        return list(tracklets_to_frames(kept, len(crowd.frames)))


def boxes_to_track(rows: Sequence[BoxXYXY | None]) -> BoxTrack:
    """One object's boxes; `None`, and boxes without a size, are frames on which it is absent."""
    seen = np.array([box is not None and box[2] > box[0] and box[3] > box[1] for box in rows], np.bool_)
    boxes = [box if box is not None and here else (0.0,) * 4 for box, here in zip(rows, seen, strict=True)]
    return BoxTrack(np.array(boxes, np.float64).reshape(-1, 4), seen)


def save_random(folder: Path) -> dict[str, Path]:
    """Folders of tiny networks with random weights, to prove that a script works."""
    import torch

    from onlooker.methods.trackers.isvos import CONFIGS as ISVOS
    from onlooker.methods.trackers.isvos import Isvos
    from onlooker.methods.trackers.omnitracker import CONFIGS as OMNI

    torch.manual_seed(0)
    made = {"omnitracker": OmniTrackerNetwork(OMNI["tiny"]), "isvos": Isvos(ISVOS["tiny"])}
    for name, network in made.items():
        network.save_pretrained(str(folder / name))
    return {name: folder / name for name in made}


def trained_or_random(omnitracker: Path | None, isvos: Path | None, scratch: Path) -> tuple[dict[str, Trained], bool]:
    """Networks by name, and whether all were trained to the end; random ones where no folder is given.

    Raises:
        ConfigError: a folder without weights, or of a run that did not end.
    """
    given = {"omnitracker": omnitracker, "isvos": isvos}
    if not any(given.values()):
        return {name: Trained.read(path) for name, path in save_random(scratch).items()}, False
    found = {name: Trained.read(path) for name, path in given.items() if path is not None}
    unfinished = [str(trained.folder) for trained in found.values() if not trained.finished]
    if unfinished:
        raise ConfigError(f"{', '.join(unfinished)}: expected a finished run (`result.json`, `recipe.toml`)")
    return found, True


def described(found: dict[str, Trained]) -> dict[str, object]:
    """What a result file says of the networks."""
    from onlooker.weights.verify import sha256_of

    made: dict[str, object] = {}
    for name, trained in found.items():
        scores = json.loads((trained.folder / "result.json").read_text(encoding="utf-8")).get("metrics", {})
        digest = sha256_of(trained.folder / "model.safetensors")[:8]
        made[name] = {"weights": digest, **trained.described, "scores_of_training": scores}
    return made


def _corners(box: NDArray[np.floating]) -> BoxXYXY:
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, x2, y2
