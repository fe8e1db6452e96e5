"""Detections become pieces of track, one detector run at a time, without looking at pictures.

`Associator` keeps the live tracks in arrays (motion) and small records (history). Pictures may help from outside:
`carry` moves the live tracks along with measured picture motion between two runs. What comes out are `Fragment`s; gaps
longer than the patience are not bridged here but in `relink`, where the join gets a probability.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from onlooker.types import Detections, FloatArray
from onlooker.video.tracklets.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh
from onlooker.video.tracklets.config import TrackletConfig
from onlooker.video.tracklets.matching import Candidates, Predicted, births, clean_detections, match
from onlooker.video.tracklets.motion import MotionModel, MotionState

Array = NDArray[np.float64]

# Ours: how fast the remembered appearance follows new views; slow, so that an occluder does not take it over.
_APPEARANCE_KEEP = 0.9
# Ours: error of one carried step, as a share of the object's size.
_CARRY_ERROR = 0.03


@dataclass(frozen=True, slots=True)
class Fragment:
    """One unbroken piece of track.

    Attributes:
        uid: order of birth, unique in the video.
        shot: number of the shot it lies in.
        times_s: (N,) times of the detector runs that saw it, increasing.
        boxes_xyxy: (N, 4) float64.
        scores: (N,) float64.
        votes: label -> summed score.
        carried: (K, 4) rows (time, dx, dy, log zoom): where picture motion alone would have moved the object, summed
            from its birth on; K may be 0.
        appearance: unit vector, or None.
    """

    uid: int
    shot: int
    times_s: Array
    boxes_xyxy: Array
    scores: Array
    votes: Mapping[str, float]
    carried: Array
    appearance: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def category(self) -> str:
        """The label with most votes; the alphabet decides between equals."""
        return max(sorted(self.votes), key=lambda name: self.votes[name])


@dataclass(slots=True)
class _Record:
    uid: int
    times_s: list[float] = field(default_factory=list)
    boxes: list[Array] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    votes: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    carried: list[tuple[float, float, float, float]] = field(default_factory=list)
    appearance: Array | None = None
    missed: int = 0

    def label(self) -> str:
        return max(sorted(self.votes), key=lambda name: self.votes[name])


class Associator:
    """Matches the detections of each run to the live tracks of the current shot."""

    def __init__(self, config: TrackletConfig) -> None:
        self._config = config
        self._model = MotionModel(config.motion)
        self._state: MotionState = self._model.start(np.zeros((0, 4)))
        self._live: list[_Record] = []
        self._done: list[Fragment] = []
        self._time_s: float | None = None
        self._shot = 0
        self._born = 0

    @property
    def live_boxes_xyxy(self) -> Array:
        """(N, 4) where the live tracks are believed to be now."""
        return cxcywh_to_xyxy(self._state.position)

    @property
    def live_speeds(self) -> Array:
        """(N, 2) speeds of their centres in px/s."""
        return self._state.speed[:, :2]

    def carry(self, time_s: float, shift_px: Array, log_zoom: Array) -> None:
        """Move the live tracks along with the picture up to `time_s`.

        Args:
            time_s: time of the picture that was compared with that of the last call to `carry` or `step`.
            shift_px: (N, 2) motion of each live track's centre.
            log_zoom: (N,) logarithm of each live track's growth.
        """
        elapsed = 0.0 if self._time_s is None else time_s - self._time_s
        self._time_s = time_s
        if not self._live:
            return
        error = _CARRY_ERROR * np.sqrt(max(elapsed, 0.0) * 25.0)
        self._state = self._model.move(self._state, shift_px, log_zoom, max(elapsed, 1e-3), error)
        for record, (dx, dy), zoom in zip(self._live, shift_px, log_zoom, strict=True):
            _, x, y, z = record.carried[-1]
            record.carried.append((time_s, x + float(dx), y + float(dy), z + float(zoom)))

    def step(self, time_s: float, detections: Detections, features: FloatArray | None = None) -> dict[int, int]:
        """Take the detections of one run.

        Args:
            time_s: later than all before.
            detections: what the detector found; order does not matter.
            features: (N, D) unit appearance vectors of these detections, or None.

        Returns:
            uid of the track each used detection went to, by its row in `detections`.
        """
        if self._time_s is not None and self._live:
            self._state = self._model.predict(self._state, max(time_s - self._time_s, 0.0))
        self._time_s = time_s
        candidates = clean_detections(detections, self._config.match)
        looks = None if features is None else np.asarray(features, np.float64)[candidates.source]
        pairs = match(self._predicted(candidates, looks), candidates, self._config.match)
        self._continue(pairs, candidates, looks, time_s)
        uids = {int(candidates.source[c]): self._live[t].uid for t, c in pairs}
        self._end_missed(np.array([t for t, _ in pairs], np.intp), time_s)
        fresh = births(candidates, [c for _, c in pairs], self._config.match)
        for c in fresh:
            uids[int(candidates.source[c])] = self._born
            self._start(c, candidates, looks, time_s)
        if fresh:
            self._state = self._state.join(self._model.start(xyxy_to_cxcywh(candidates.boxes_xyxy[fresh])))
        return uids

    def cut(self) -> None:
        """A new shot begins: no track goes on over the cut."""
        for record in self._live:
            self._done.append(self._fragment(record))
        self._live, self._state = [], self._model.start(np.zeros((0, 4)))
        self._shot += 1
        self._time_s = None

    def finish(self) -> list[Fragment]:
        """All fragments in order of birth. The associator is empty afterwards."""
        self.cut()
        fragments, self._done = sorted(self._done, key=lambda f: f.uid), []
        return fragments

    def _predicted(self, candidates: Candidates, looks: Array | None) -> Predicted:
        centres = xyxy_to_cxcywh(candidates.boxes_xyxy)
        return Predicted(
            self.live_boxes_xyxy,
            tuple(record.label() for record in self._live),
            self._model.centre_distance(self._state, centres),
            self._similarity(looks),
        )

    def _similarity(self, looks: Array | None) -> Array | None:
        known = [record.appearance for record in self._live]
        if looks is None or not known:
            return None
        zero = np.zeros(looks.shape[1])
        result: Array = np.stack([zero if a is None else a for a in known]) @ looks.T
        return result

    def _continue(
        self, pairs: list[tuple[int, int]], candidates: Candidates, looks: Array | None, time_s: float
    ) -> None:
        if not pairs:
            return
        rows = np.array([t for t, _ in pairs], np.intp)
        columns = np.array([c for _, c in pairs], np.intp)
        seen = xyxy_to_cxcywh(candidates.boxes_xyxy[columns])
        trust = np.clip(candidates.scores[columns], 0.3, 1.0)
        self._state = self._state.with_rows(rows, self._model.correct(self._state.select(rows), seen, trust))
        for t, c in pairs:
            self._see(self._live[t], c, candidates, looks, time_s)

    def _start(self, c: int, candidates: Candidates, looks: Array | None, time_s: float) -> None:
        record = _Record(self._born, carried=[(time_s, 0.0, 0.0, 0.0)])
        self._born += 1
        self._see(record, c, candidates, looks, time_s)
        self._live.append(record)

    @staticmethod
    def _see(record: _Record, c: int, candidates: Candidates, looks: Array | None, time_s: float) -> None:
        record.times_s.append(time_s)
        record.boxes.append(candidates.boxes_xyxy[c])
        record.scores.append(float(candidates.scores[c]))
        record.missed = 0
        for name, score in candidates.votes[c].items():
            record.votes[name] += score
        if looks is not None:
            old = looks[c] if record.appearance is None else record.appearance
            mixed = _APPEARANCE_KEEP * old + (1 - _APPEARANCE_KEEP) * looks[c]
            record.appearance = mixed / max(float(np.linalg.norm(mixed)), 1e-9)

    def _end_missed(self, matched: NDArray[np.intp], time_s: float) -> None:
        life = self._config.life
        stays = np.ones(len(self._live), bool)
        for t in np.setdiff1d(np.arange(len(self._live)), matched):
            record = self._live[t]
            record.missed += 1
            late = time_s - record.times_s[-1] > life.patience_s
            if late and record.missed >= life.patience_runs:
                stays[t] = False
                self._done.append(self._fragment(record))
        if not stays.all():
            self._live = [record for record, stay in zip(self._live, stays, strict=True) if stay]
            self._state = self._state.select(stays)

    def _fragment(self, record: _Record) -> Fragment:
        look = None if record.appearance is None else record.appearance.astype(np.float32)
        return Fragment(
            record.uid,
            self._shot,
            np.array(record.times_s),
            np.array(record.boxes),
            np.array(record.scores),
            dict(record.votes),
            np.array(record.carried) if len(record.carried) > 1 else np.zeros((0, 4)),
            look,
        )
