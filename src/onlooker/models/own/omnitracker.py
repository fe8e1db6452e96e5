"""Tracklets from an OmniTracker network of one's own: detector and association in one.

OmniTracker: Wang et al., arXiv 2303.12079; see `onlooker.methods.trackers.omnitracker`. The network looks at the
video a few times a second; boxes between two looks are drawn in a straight line.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onlooker.errors import ConfigError, ShapeError, WeightsError
from onlooker.formats.files import read_text
from onlooker.formats.run_lengths import encode_mask
from onlooker.methods.trackers.omnitracker import CONFIGS, OmniTracker
from onlooker.models.own.omnitracker_boxes import OmniBoxes
from onlooker.types import Frame, Gap, TrackingResult, Tracklet
from onlooker.video.tracklets.config import CropConfig
from onlooker.video.tracklets.crops import CropKeeper
from onlooker.weights.load import locate_weights
from onlooker.weights.verify import sha256_of

LABELS_FILE = "labels.txt"
_LEAST_LOOKS = 2  # an object seen by one look among many is a mistake more often than not (ours)


@dataclass(frozen=True, slots=True)
class _Look:
    """A frame the network saw: position among the frames, shot, and its number among the looks."""

    frame: int
    shot: int
    number: int


@dataclass(frozen=True, slots=True)
class _Sighting:
    """An object on a look."""

    look: _Look
    box: tuple[float, float, float, float]
    score: float
    category: str


class OmniTracklets:
    """Tracker of one video; make a new one for the next.

    Args:
        weights: a folder that `save_pretrained` or training wrote, or a checkpoint in a layout the method knows.
        config: name of a configuration; left out, the one beside the weights.
        classes: names of the classes to follow, separated by `;`; left out, all.
        labels: path of a text file with one class a line; left out, `labels.txt` beside the weights, else "class 0"...
        hz: looks per second of video; every frame where that is more than there are.
        device: torch device.
        offline: refuse the network when `weights` is a hub name.

    Raises:
        ConfigError: no weights, a configuration that does not exist, or a rate out of range.
        WeightsError: weights cannot be read or do not fit, or labels are not where they should be.
        FormatError: labels that are not text.
        UnknownNameError: a class that the labels do not have.
    """

    name = "omnitracker"

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        classes: str | None = None,
        labels: str | None = None,
        hz: float = 5.0,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        if weights is None:
            raise ConfigError(
                "there are no public OmniTracker weights to fetch: train some and give their folder as `weights`"
            )
        if not 0.05 <= hz <= 240:
            raise ConfigError(f"`hz` must be between 0.05 and 240, got {hz}")
        found = locate_weights(weights, offline=offline)
        if config is None and found.config is None:
            raise ConfigError(f"no configuration lies beside `{found.path}`; name one with `config=`")
        path = Path(labels) if labels is not None else found.path.parent / LABELS_FILE
        names = _read_labels(path, required=labels is not None)
        self._tracker = OmniTracker(found.path, _config(config), labels=names, device=device, offline=offline)
        self._tracker.begin(None if classes is None else [name.strip() for name in classes.split(";")])
        self._version = sha256_of(found.path)[:8]
        self._period_s = 1 / hz
        self._keeps_masks = False
        self._numbers: dict[int, int] = {}
        self._masks: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
        self._keeper = CropKeeper(CropConfig())
        self._frames: list[tuple[int, float]] = []
        self._looks: list[_Look] = []
        self._seen: defaultdict[int, list[_Sighting]] = defaultdict(list)
        self._size: tuple[int, int] | None = None
        self._due_s, self._shot = 0.0, 0

    @property
    def version(self) -> str:
        """First digits of the weights' digest."""
        return self._version

    @property
    def categories(self) -> tuple[str, ...]:
        """Classes it can name."""
        return self._tracker.labels

    def box_follower(self) -> OmniBoxes:
        """A follower of given boxes with the same network, for the same video."""
        return OmniBoxes(self._tracker, self._version, 1 / self._period_s)

    @property
    def gives_masks(self) -> bool:
        """Whether the network has a mask head."""
        return self._tracker.config.mask is not None

    def keep_masks(self) -> None:
        """Call before the first frame: masks are kept, as run lengths, where the network makes any."""
        self._keeps_masks = self.gives_masks

    def masks(self) -> Mapping[int, Mapping[int, bytes]]:
        """After `finish`: number of a tracklet -> index of a frame that was looked at -> compressed run lengths."""
        return {number: self._masks[uid] for uid, number in self._numbers.items() if uid in self._masks}

    def update(self, frame: Frame, new_shot: bool) -> None:
        """Take the next decoded frame.

        Raises:
            ShapeError: index or time do not increase.
        """
        if self._frames and (frame.index <= self._frames[-1][0] or frame.time_s <= self._frames[-1][1]):
            raise ShapeError(
                f"frames must come in order: got {frame.index} at {frame.time_s} s after {self._frames[-1]}"
            )
        size = (frame.width, frame.height)
        cut = bool(self._frames) and (new_shot or self._size != size)
        interval_s = frame.time_s - self._frames[-1][1] if self._frames else 0.0
        # Half a frame early is nearer to the wanted time than half a frame late.
        due = not self._frames or cut or frame.time_s + interval_s / 2 >= self._due_s
        self._shot += cut
        self._size = size
        self._frames.append((frame.index, frame.time_s))
        if due:
            self._due_s = frame.time_s + self._period_s
            self._look(frame, cut)

    def finish(self) -> TrackingResult:
        """Close the video. A video without frames has no tracklets."""
        least = min(_LEAST_LOOKS, len(self._looks))
        kept = {uid: seen for uid, seen in self._seen.items() if len(seen) >= least}
        order = sorted(kept, key=lambda uid: (kept[uid][0].look.frame, uid))
        self._numbers = numbers = {uid: number for number, uid in enumerate(order, 1)}
        tracklets = tuple(self._tracklet(numbers[uid], kept[uid]) for uid in order)
        return TrackingResult(tracklets, (), self._keeper.collect(numbers), len(self._looks))

    def _look(self, frame: Frame, cut: bool) -> None:
        look = _Look(len(self._frames) - 1, self._shot, len(self._looks))
        self._looks.append(look)
        tracks = self._tracker.update(frame.image, frame.time_s, cut)
        for place, uid in enumerate(tracks.ids.tolist()):
            category = tracks.categories[place]
            box = np.asarray(tracks.boxes_xyxy_px[place], np.float64)
            if category is None or not (box[2:] > box[:2]).all():
                continue
            x1, y1, x2, y2 = box.tolist()
            score = float(tracks.scores[place])
            self._seen[uid].append(_Sighting(look, (x1, y1, x2, y2), score, self._tracker.labels[category]))
            self._keeper.offer(uid, frame, box, score)
            mask = tracks.mask(place) if self._keeps_masks else None
            if mask is not None and mask.any():
                self._masks[uid][frame.index] = encode_mask(mask)

    def _tracklet(self, number: int, seen: list[_Sighting]) -> Tracklet:
        """All sightings, with boxes on the frames between neighbouring looks, and gaps where looks saw nothing."""
        rows, gaps = [seen[0].look.frame], []
        for before, after in itertools.pairwise(seen):
            if after.look.shot == before.look.shot and after.look.number == before.look.number + 1:
                rows += range(before.look.frame + 1, after.look.frame)
            else:
                same = after.look.shot == before.look.shot
                start_s, end_s = self._frames[before.look.frame][1], self._frames[after.look.frame][1]
                gaps.append(Gap(start_s, end_s, "occlusion" if same else "shot", min(before.score, after.score)))
            rows.append(after.look.frame)
        times = np.array([self._frames[row][1] for row in rows])
        known = np.array([self._frames[s.look.frame][1] for s in seen])
        boxes = np.stack([np.interp(times, known, [s.box[side] for s in seen]) for side in range(4)], axis=1)
        votes: defaultdict[str, float] = defaultdict(float)
        for sighting in seen:
            votes[sighting.category] += sighting.score
        category = max(sorted(votes), key=lambda name: votes[name])
        scores = np.interp(times, known, [s.score for s in seen])
        return Tracklet(
            number=number,
            category=category,
            category_score=float(votes[category] / len(seen)),
            frames=np.array([self._frames[row][0] for row in rows], np.int64),
            times_s=times,
            boxes_xyxy_px=boxes.astype(np.float32),
            scores=scores.astype(np.float32),
            detected=np.isin(rows, [s.look.frame for s in seen]),
            gaps=tuple(gaps),
        )


def _config(name: str | None) -> str | None:
    if name is not None and name not in CONFIGS:
        raise ConfigError(f"`omnitracker` has no configuration `{name}`; known: {', '.join(CONFIGS)}")
    return name


def _read_labels(path: Path, required: bool) -> list[str] | None:
    if not path.is_file():
        if required:
            raise WeightsError(f"there are no labels at `{path}`; give a text file with one class a line")
        return None
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]
