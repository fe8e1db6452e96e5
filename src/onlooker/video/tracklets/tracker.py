"""The tracker of the application: decoded frames in, tracklets out, with as few detector runs as the rate allows.

Per frame: a small grey picture decides whether the detector runs. Between runs the live boxes are carried along with
the motion of the grey picture, so that the next run finds each object near its box, and the frames between get boxes.
Everything about identity over longer absences is decided at the end, when all pieces of track are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.types import Detections, FloatArray, Frame, Image, TrackingResult
from onlooker.video.protocols import AppearanceEmbedder, Detector
from onlooker.video.tracklets.adaptive import DetectorSchedule, changed_share
from onlooker.video.tracklets.assemble import assemble
from onlooker.video.tracklets.association import Associator, Fragment
from onlooker.video.tracklets.boxes import xyxy_to_cxcywh
from onlooker.video.tracklets.camera import camera_motion
from onlooker.video.tracklets.carry import carried_motion, smooth
from onlooker.video.tracklets.config import TrackletConfig
from onlooker.video.tracklets.crops import CropKeeper
from onlooker.video.tracklets.paths import Clock
from onlooker.video.tracklets.relink import pieces_with_partners

# Ours: how many crops are embedded at once, and how many of one piece of track.
_BATCH = 32
_LOOKS_PER_PIECE = 2


@dataclass(slots=True)
class _ShotClock:
    size: tuple[int, int]
    frames: list[int] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    runs_s: list[float] = field(default_factory=list)
    held_s: list[float] = field(default_factory=list)

    def freeze(self) -> Clock:
        return Clock(
            np.array(self.frames, np.int64),
            np.array(self.times_s),
            np.array(self.runs_s),
            np.array(self.held_s),
            self.size,
        )


class TrackletTracker:
    """Tracker of one video; make a new one for the next.

    Args:
        detector: finds objects in single images.
        embedder: appearance model for joining pieces of track over absences and cuts, or None to go by motion alone.
        config: settings; the defaults when None.
    """

    name = "onlooker-tracklets"
    version = "1"

    def __init__(
        self, detector: Detector, embedder: AppearanceEmbedder | None = None, config: TrackletConfig | None = None
    ) -> None:
        self._detector, self._embedder = detector, embedder
        self._config = config or TrackletConfig()
        self._schedule = DetectorSchedule(self._config.sampling)
        self._associator = Associator(self._config)
        self._keeper = CropKeeper(self._config.crops)
        self._clocks: list[_ShotClock] = []
        self._last: tuple[float, Image, NDArray[np.float32]] | None = None
        self._n_runs = 0

    def update(self, frame: Frame, new_shot: bool) -> None:
        """Take the next decoded frame.

        Args:
            frame: its index and time are greater than those of all frames before.
            new_shot: True on the first frame after a cut.

        Raises:
            ShapeError: if index or time do not increase.
        """
        self._check_order(frame)
        size = (frame.width, frame.height)
        # A stream that changes its size has no common pixels: treated as a cut.
        cut = not self._clocks or new_shot or self._clocks[-1].size != size
        if cut:
            if self._clocks:
                self._associator.cut()
            self._clocks.append(_ShotClock(size))
            self._last = None
        clock = self._clocks[-1]
        clock.frames.append(frame.index)
        clock.times_s.append(frame.time_s)
        grey = frame.grey(self._config.sampling.grey_width)
        run = self._schedule.wants_run(frame.time_s, grey, cut)
        self._carry(frame.time_s, grey, size, now=run)
        if run:
            clock.runs_s.append(frame.time_s)
            clock.held_s.append(frame.time_s)
            self._detect(frame)
        clock.held_s[-1] = self._schedule.held_s

    def finish(self) -> TrackingResult:
        """Close the video. A video without frames has no tracklets."""
        fragments = self._with_appearance(self._associator.finish())
        done = assemble(fragments, [clock.freeze() for clock in self._clocks], self._config)
        crops = self._keeper.collect(done.number_of)
        return TrackingResult(done.tracklets, done.links, crops, self._n_runs)

    def _check_order(self, frame: Frame) -> None:
        if not self._clocks:
            return
        clock = self._clocks[-1]
        if frame.index <= clock.frames[-1] or frame.time_s <= clock.times_s[-1]:
            raise ShapeError(
                f"frames must come in order: got index {frame.index} at {frame.time_s} s after index "
                f"{clock.frames[-1]} at {clock.times_s[-1]} s"
            )

    def _carry(self, time_s: float, grey: Image, size: tuple[int, int], *, now: bool) -> None:
        """Move the live boxes to this frame, if it is time to, or `now` because the detector is about to run."""
        hz = self._config.sampling.carry_hz
        if hz == 0:
            return
        if self._last is None:
            self._last = (time_s, grey, smooth(grey))
            return
        before_s, before, before_smooth = self._last
        if not now and time_s - before_s < 0.75 / hz:
            return
        sampling = self._config.sampling
        if changed_share(before, grey, sampling.grey_noise) < sampling.change_level:
            # The older picture stays the reference, so that slow changes add up until they are seen.
            return
        after_smooth = smooth(grey)
        self._last = (time_s, grey, after_smooth)
        boxes = xyxy_to_cxcywh(self._associator.live_boxes_xyxy)
        if not len(boxes):
            return
        scale = np.array([grey.shape[1] / size[0], grey.shape[0] / size[1]])
        small = boxes * np.concatenate([scale, scale])
        seen = camera_motion(before, grey).at(small[:, :2], (grey.shape[1], grey.shape[0]))
        kept_speed = self._associator.live_speeds * (time_s - before_s) * scale
        guesses = np.stack([kept_speed, seen, np.zeros_like(seen)])
        shift, log_zoom = carried_motion(before_smooth, after_smooth, small, guesses)
        self._associator.carry(time_s, shift / scale, log_zoom)

    def _detect(self, frame: Frame) -> None:
        self._n_runs += 1
        found = self._detector.detect([frame.image])[0]
        features = self._features(frame, found)
        uids = self._associator.step(frame.time_s, found, features)
        for row, uid in sorted(uids.items(), key=lambda item: item[1]):
            box = np.asarray(found.boxes_xyxy_px[row], np.float64)
            self._keeper.offer(uid, frame, box, float(found.scores[row]))

    def _features(self, frame: Frame, found: Detections) -> FloatArray | None:
        if self._embedder is None or self._config.match.appearance != "matches" or not len(found):
            return None
        corners = np.clip(found.boxes_xyxy_px, 0, [frame.width - 1, frame.height - 1] * 2).astype(int)
        return self._embedder.embed_images([frame.image[b : d + 1, a : c + 1] for a, b, c, d in corners.tolist()])

    def _with_appearance(self, fragments: Sequence[Fragment]) -> list[Fragment]:
        """Fragments with the mean appearance of their best crops, where it could decide about a join."""
        if self._embedder is None or self._config.match.appearance != "joins":
            return list(fragments)
        wanted = pieces_with_partners(fragments, self._config.relink)
        views = [(i, crop) for i in wanted for crop in self._keeper.best(fragments[i].uid)[:_LOOKS_PER_PIECE]]
        result = list(fragments)
        sums: dict[int, FloatArray] = {}
        for at in range(0, len(views), _BATCH):
            batch = views[at : at + _BATCH]
            looks = self._embedder.embed_images([crop.image for _, crop in batch])
            for (i, _), look in zip(batch, looks, strict=True):
                sums[i] = sums[i] + look if i in sums else look
        for i, total in sums.items():
            look = (total / max(float(np.linalg.norm(total)), 1e-9)).astype(np.float32)
            result[i] = replace(fragments[i], appearance=look)
        return result
