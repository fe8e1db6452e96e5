"""Following given boxes without trained weights of their own: a correlation filter, put right by a detector's boxes.

The filter knows any thing, and drifts; a detector knows some categories, and is looked at a few times a second. Where a
detection belonged to the given box from the start, later ones keep the box in place and in size. When the filter no
longer knows what it sees the thing is lost: nothing is learnt and nothing is told until it is recognised again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.types import BoxXYXY, Detections, Frame, Image
from onlooker.video.following.correlation import CorrelationFilter, FilterConfig
from onlooker.video.following.features import View, likeness, shared_colours, view_of
from onlooker.video.following.values import FollowedTrack, Sighting, TrackBuilder
from onlooker.video.tracklets.boxes import area, clip_boxes, cxcywh_to_xyxy, iou_matrix, xyxy_to_cxcywh

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PointedConfig:
    """How a thing is lost, found again, and kept in place by detections. All values are ours.

    Attributes:
        filter: of the correlation filter.
        lost_peak: a frame whose peak is lower does not show the thing.
        lost_s: after as long without it, the thing is lost; before, it is looked for where it was.
        learn_peak: views below are not remembered.
        found_peak: a lost thing is found again near where it was lost, or where a detection of its category is.
        found_far_peak: the same anywhere else in the picture.
        search_s: how often the whole picture is searched for a lost thing.
        search_windows: the most places that are looked at in one such search.
        least_inside: a thing of whose box less than this share is in the picture has left it.
        detection_score: weaker detections are not looked at.
        bind_overlap: a detection that overlaps the given box at least so much is of the same thing.
        bind_s: how long after the start such a detection may still come.
        keep_overlap: a later detection that overlaps less is of another thing.
        same_label_worth: overlap with a detection of a label seen before counts so much more.
        near_s: as long after it was last seen, a lost thing is found by a detection in its place, whatever it looks
            like: things turn and bend.
        held_s: for as long after a detection, a frame shows the thing unless its peak is below `held_peak`.
        usual_share: a frame whose peak falls below this share of what is usual for the thing does not show it either:
            a sharp thing that becomes a dull one is another one.
        usual_rate: share of a new peak in what is usual.
        likeness: correlation with the given view, or with the last that a detection confirmed, below which a box is not
            of the thing: what is learnt along the way may have become the ground. A thing that turns its other side
            is lost by this unless a detector knows it; told wrongly would be worse.
        found_likeness: the same for a lost thing to be found again without a detector.
        colours: share of colours in common with the same view, below which a box is not of the thing. The filter sees
            what is around a thing as well, and shapes are told without their mean colour: bare road between two lines
            is like many things of another colour.
        found_colours: the same for a lost thing to be found again without a detector.
        confirm_s: found again for a shorter time than this, it was not found.
    """

    filter: FilterConfig = field(default_factory=FilterConfig)
    lost_peak: float = 0.2
    lost_s: float = 0.12
    learn_peak: float = 0.25
    found_peak: float = 0.33
    found_far_peak: float = 0.45
    search_s: float = 0.25
    search_windows: int = 24
    least_inside: float = 0.15
    detection_score: float = 0.25
    bind_overlap: float = 0.55
    bind_s: float = 0.7
    keep_overlap: float = 0.4
    same_label_worth: float = 1.3
    near_s: float = 1.0
    held_s: float = 0.5
    held_peak: float = 0.1
    usual_share: float = 0.4
    usual_rate: float = 0.1
    likeness: float = 0.33
    found_likeness: float = 0.5
    colours: float = 0.5
    found_colours: float = 0.75
    confirm_s: float = 0.12

    def __post_init__(self) -> None:
        if not self.lost_peak <= self.learn_peak <= self.found_peak <= self.found_far_peak:
            raise ConfigError(f"peaks must not fall from lost to learn, found and found far: {self}")


@dataclass(slots=True)
class _Thing:
    """One followed thing: its look, where it is, how it relates to a detector's boxes.

    `views` are the given one and the last a detection confirmed. `relation` is (4,): where the given box lay in the
    detection it belongs to (offset of centres in sides of the detection, logarithms of the ratio of sides).
    """

    look: CorrelationFilter
    views: list[View]
    centre: Array
    size: Array
    begun_s: float
    seen_s: float
    searched_s: float
    held_s: float = -np.inf
    usual_peak: float = 0.7
    lost: bool = False
    relation: Array | None = None
    votes: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    built: TrackBuilder = field(default_factory=TrackBuilder)

    @property
    def box(self) -> Array:
        """(1, 4)"""
        return cxcywh_to_xyxy(np.concatenate([self.centre, self.size])[None])

    @property
    def scale(self) -> float:
        return float(np.sqrt(np.prod(self.size) / np.prod(self.look.first_size)))

    def label(self) -> str | None:
        """The name that most of its detections had; the alphabet decides between equals."""
        return max(sorted(self.votes), key=lambda name: self.votes[name], default=None)

    def put(self, box_cxcywh: Array) -> None:
        self.centre, self.size = box_cxcywh[:2], np.maximum(box_cxcywh[2:], 1.0)

    def boxes_from(self, detections_cxcywh: Array) -> Array:
        """(N, 4) cxcywh: where the thing is if a detection is of it."""
        if self.relation is None:
            return detections_cxcywh
        sides = detections_cxcywh[:, 2:]
        centres = detections_cxcywh[:, :2] + self.relation[:2] * sides
        return np.concatenate([centres, sides * np.exp(self.relation[2:])], axis=1)


class PointedFollower:
    """Follows given boxes through one video; make a new one for the next.

    Args:
        config: settings; the defaults when `None`.
    """

    name = "onlooker-pointed"
    version = "1"
    gives_masks = False

    def __init__(self, config: PointedConfig | None = None) -> None:
        self._config = config or PointedConfig()
        self._things: dict[int, _Thing] = {}

    def start(self, frame: Frame, boxes: Mapping[int, BoxXYXY], found: Detections | None) -> None:
        """The frame on which the things are shown; each box is at least partly inside it."""
        for number, box in boxes.items():
            x, y, width, height = xyxy_to_cxcywh(np.array([box]))[0].tolist()
            look = CorrelationFilter(frame.image, box, self._config.filter)
            at_s = frame.time_s
            centre, size = np.array([x, y]), np.array([width, height])
            views = [view_of(frame.image, centre, size)]
            thing = _Thing(look, views, centre, size, at_s, at_s, at_s)
            self._things[number] = thing
            if found is not None:
                self._bind(thing, self._counted(found))
            thing.built.add(frame.index, at_s, Sighting(box, 1.0))

    def update(self, frame: Frame, new_shot: bool, found: Detections | None) -> None:
        """The next frame."""
        counted = None if found is None else self._counted(found)
        for thing in self._things.values():
            # In another shot nothing is where it was.
            thing.lost = thing.lost or new_shot
            told = self._follow(thing, frame, counted)
            thing.built.add(frame.index, frame.time_s, told)

    def finish(self) -> Mapping[int, FollowedTrack]:
        """Number -> track."""
        built = {number: thing.built.build(number, "box", thing.label()) for number, thing in self._things.items()}
        return {number: _confirmed(track, self._config.confirm_s) for number, track in built.items()}

    def _follow(self, thing: _Thing, frame: Frame, found: Detections | None) -> Sighting:
        image, config = frame.image, self._config
        answer = thing.look.find(image, thing.centre, thing.scale, sizes=not thing.lost)
        peak = answer.peak
        usual = config.usual_share * thing.usual_peak
        least = config.held_peak if frame.time_s - thing.held_s <= config.held_s else max(config.lost_peak, usual)
        if not thing.lost and peak >= least:
            thing.put(np.concatenate([answer.centre, thing.size * answer.scale / thing.scale]))
        elif thing.lost and peak >= max(config.found_peak, usual):
            self._find_again(thing, image, answer.centre)
        sure = None if found is None else self._hold_to(thing, image, found, frame.time_s)
        if thing.lost and sure is None:
            peak = self._search(thing, frame)
        if sure is not None:
            thing.lost, thing.held_s, least = False, frame.time_s, 0.0
            thing.views[1:] = [view_of(image, thing.centre, thing.size)]
        here = peak >= least and self._share_inside(thing, frame) >= config.least_inside
        if thing.lost or not here or not self._is_alike(thing, frame):
            thing.lost = thing.lost or frame.time_s - thing.seen_s >= config.lost_s
            return Sighting(None, None)
        thing.seen_s = frame.time_s
        thing.usual_peak += config.usual_rate * (min(peak, 1.0) - thing.usual_peak)
        if sure is not None or peak >= config.learn_peak:
            thing.look.learn(image, thing.centre, thing.scale)
        x1, y1, x2, y2 = clip_boxes(thing.box, frame.width, frame.height)[0].tolist()
        return Sighting((x1, y1, x2, y2), float(np.clip(max(peak, sure or 0.0), 0.0, 1.0)))

    def _hold_to(self, thing: _Thing, image: Image, found: Detections, time_s: float) -> float | None:
        """Puts the thing where a detection of it is. Returns the score of that, `None` where there is none."""
        if thing.relation is None:
            # What has driven into a box in which nothing stood is detected there, too, and is not what was given.
            early = not thing.lost and time_s - thing.begun_s <= self._config.bind_s
            if early and _is_like_a_view(thing, image, thing.centre, self._config.likeness, self._config.colours):
                self._bind(thing, found)
            return None
        if not len(found):
            return None
        places = thing.boxes_from(xyxy_to_cxcywh(found.boxes_xyxy_px))
        chosen = None
        if not thing.lost or time_s - thing.seen_s <= self._config.near_s:
            chosen = self._nearest(thing, found, places)
        if chosen is None and thing.lost:
            chosen = self._recognised(thing, image, found, places)
        if chosen is None:
            return None
        thing.put(places[chosen])
        thing.votes[found.labels[chosen]] += float(found.scores[chosen])
        return float(found.scores[chosen])

    def _nearest(self, thing: _Thing, found: Detections, places: Array) -> int | None:
        overlap = iou_matrix(thing.box, cxcywh_to_xyxy(places))[0]
        known = np.array([label in thing.votes for label in found.labels])
        worth = overlap * np.where(known, self._config.same_label_worth, 1.0) + 0.1 * found.scores
        worth[overlap < self._config.keep_overlap] = -1.0
        best = int(worth.argmax())
        return best if worth[best] >= 0 else None

    def _recognised(self, thing: _Thing, image: Image, found: Detections, places: Array) -> int | None:
        """The detection, anywhere, that looks most like a lost thing, if it looks enough like it."""
        peaks = np.full(len(found), -np.inf)
        for row, label in enumerate(found.labels):
            if label in thing.votes:
                scale = float(np.sqrt(np.prod(places[row, 2:]) / np.prod(thing.look.first_size)))
                peaks[row] = thing.look.find(image, places[row, :2], scale, sizes=False).peak
        best = int(peaks.argmax())
        return best if peaks[best] >= self._config.found_peak else None

    def _search(self, thing: _Thing, frame: Frame) -> float:
        """Looks for a lost thing in the whole picture, when it is time to. Returns the highest peak."""
        config = self._config
        if frame.time_s - thing.searched_s < config.search_s:
            return 0.0
        thing.searched_s = frame.time_s
        reach = thing.look.reach(thing.scale)
        centres = _grid((frame.width, frame.height), reach / 2)
        order = np.argsort(np.linalg.norm(centres - thing.centre, axis=1), kind="stable")[: config.search_windows]
        answers = [thing.look.find(frame.image, centres[row], thing.scale, sizes=False) for row in order]
        rough = max(answers, key=lambda answer: answer.peak)
        # The window fades a thing near its border: looked at in the middle, the true one gains.
        best = thing.look.find(frame.image, rough.centre, thing.scale, sizes=False)
        if best.peak >= max(config.found_far_peak, config.usual_share * thing.usual_peak):
            self._find_again(thing, frame.image, best.centre)
        return best.peak

    def _bind(self, thing: _Thing, found: Detections) -> None:
        """Remembers how the box lies in the detection that is of the same thing."""
        if not len(found):
            return
        overlap = iou_matrix(thing.box, found.boxes_xyxy_px)[0]
        best = int(overlap.argmax())
        if overlap[best] < self._config.bind_overlap:
            return
        detection = xyxy_to_cxcywh(found.boxes_xyxy_px[best : best + 1])[0]
        offset = (thing.centre - detection[:2]) / detection[2:]
        thing.relation = np.concatenate([offset, np.log(thing.size / detection[2:])])
        thing.votes[found.labels[best]] += float(found.scores[best])

    def _counted(self, found: Detections) -> Detections:
        sides = found.boxes_xyxy_px[:, 2:] - found.boxes_xyxy_px[:, :2]
        return found.select(np.flatnonzero((found.scores >= self._config.detection_score) & (sides > 0).all(axis=1)))

    def _find_again(self, thing: _Thing, image: Image, centre: Array) -> None:
        """A lost thing is where the filter says if it looks like what was shown, too."""
        if _is_like_a_view(thing, image, centre, self._config.found_likeness, self._config.found_colours):
            thing.put(np.concatenate([centre, thing.size]))
            thing.lost = False

    def _is_alike(self, thing: _Thing, frame: Frame) -> bool:
        """Whether the box shows something like the given thing, or a detection has just said so."""
        if frame.time_s - thing.held_s <= self._config.held_s:
            return True
        return _is_like_a_view(thing, frame.image, thing.centre, self._config.likeness, self._config.colours)

    @staticmethod
    def _share_inside(thing: _Thing, frame: Frame) -> float:
        inside = area(clip_boxes(thing.box, frame.width, frame.height))
        return float(inside[0] / max(float(area(thing.box)[0]), 1e-9))


def _is_like_a_view(thing: _Thing, image: Image, centre: Array, least_likeness: float, least_colours: float) -> bool:
    """Whether a box of the thing's size shows what one of its views shows, in shape and in colours."""
    now = view_of(image, centre, thing.size)
    return any(
        likeness(view, now) >= least_likeness and shared_colours(view, now) >= least_colours for view in thing.views
    )


def _confirmed(track: FollowedTrack, least_s: float) -> FollowedTrack:
    """Without the moments for which a lost thing seemed to be found again."""
    seen = track.seen.copy()
    for first, end in track.stretches():
        if first > 0 and track.times_s[end - 1] - track.times_s[first] < least_s:
            seen[first:end] = False
    scores = None if track.scores is None else np.where(seen, track.scores, 0).astype(np.float32)
    boxes = np.where(seen[:, None], track.boxes_xyxy_px, 0).astype(np.float32)
    return replace(track, seen=seen, measured=track.measured & seen, scores=scores, boxes_xyxy_px=boxes)


def _grid(size: tuple[int, int], step: Array) -> Array:
    """(N, 2) places (x, y) that cover a picture of (width, height), at most `step` apart."""
    axes = []
    for side, apart in zip(size, step.tolist(), strict=True):
        n = max(1, int(np.ceil(side / max(apart, 1.0))))
        axes.append((np.arange(n) + 0.5) * side / n)
    x, y = np.meshgrid(*axes)
    return np.stack([x.ravel(), y.ravel()], axis=1)
