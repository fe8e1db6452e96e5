"""Traces of JPEG: error level, ghosts of an earlier quality, double quantisation, the grid of blocks.

All but the grid refuse what is not the JPEG it was saved as: after a resize or a save without loss they would print
noise. They see a region whose history differs from the rest; a last save stronger than the first hides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.methods.forensics.media_forensics.rules import blocks
from onlooker.methods.forensics.media_forensics.samples import Finding, Need, Refusal, Sample, squash, to_unit_map
from onlooker.types import FloatArray

_JPEG = frozenset({Need.RGB, Need.JPEG})
_LEAST_PX = 48
_SMALL = Refusal(f"pictures below {_LEAST_PX} pixels a side have too few blocks")
_HIDDEN = "a last save stronger than the first hides it; so does any resize; sharp edges and writing look suspicious"


def _luma(sample: Sample) -> blocks.StoredJpeg | Refusal:
    if min(sample.image.shape[:2]) < _LEAST_PX:
        return _SMALL
    if sample.stored is not None:
        return sample.stored
    return Refusal("only pixels are at hand") if sample.data is None else blocks.read_jpeg(sample.data)


@dataclass(frozen=True, slots=True)
class ErrorLevel:
    """Error level analysis: how much every place changes when saved again. What was saved less often changes more.
    Krawetz 2007. `quality` of the second save; `window_px` of the mean."""

    quality: int = 90
    window_px: int = 9
    name: str = "error_level"
    requires: frozenset[Need] = _JPEG
    known_failures: str = _HIDDEN

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if min(sample.image.shape[:2]) < _LEAST_PX:
            return _SMALL
        again = blocks.save_again(sample.image, self.quality)
        error = np.abs(sample.image.astype(np.float32) - again).mean(axis=2)
        local = blocks.box_mean(error, self.window_px)
        typical = float(np.median(local)) + 0.25
        ratio = local / np.float32(typical)
        high = float(np.quantile(ratio, 0.98))
        return Finding(
            squash(high, 3.0),
            to_unit_map(ratio, 0.5, 4.0),
            f"saved again at {self.quality}, the most changed places change {high:.1f} times as much as typical ones",
            {"ratio": high, "typical_error": typical},
        )


@dataclass(frozen=True, slots=True)
class JpegGhost:
    """Ghosts: saved again at the quality it once had, a picture changes less than at the qualities beside it. Farid
    2009, with the dip against the neighbouring qualities measured instead of the scaled error (ours: it needs no scale,
    and finds the quality by itself).

    The quality with the deepest mean dip is shown, dark where the dip is and bright where it is missing.

    Attributes:
        step: of the qualities tried, from 40 to below the last save's.
        reach: a dip is measured against the qualities this many steps away.
        least_dip: mean dip, in natural logarithms of the squared error, below which there is no ghost.
    """

    step: int = 2
    reach: int = 2
    least_dip: float = 0.04
    name: str = "jpeg_ghost"
    requires: frozenset[Need] = _JPEG
    known_failures: str = _HIDDEN + "; flat places never show a ghost"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        stored = _luma(sample)
        if isinstance(stored, Refusal):
            return stored
        # At and above the last quality everything is a ghost of the last save.
        tried = range(40, stored.quality - 3, self.step)
        if len(tried) < 2 * self.reach + 1:
            return Refusal(f"saved last at quality {stored.quality}: too few lower qualities can have left a ghost")
        window = int(np.clip(min(sample.image.shape[:2]) // 8, 9, 33)) | 1
        # Luminance alone: its steps do not depend on how colours were sampled.
        luma = np.asarray(np.rint(stored.luma), np.uint8)
        errors = [(stored.luma - blocks.save_luma_again(luma, quality)) ** 2 for quality in tried]
        curve = np.log(np.stack([blocks.box_mean(error, window) for error in errors]) + np.float32(0.5))  # (Q, H, W)
        far = 2 * self.reach
        dips = (curve[:-far] + curve[far:]) / 2 - curve[self.reach : -self.reach]
        means = dips.mean(axis=(1, 2))
        best = int(np.argmax(means))
        quality, depth = tried[best + self.reach], float(means[best])
        typical = float(np.quantile(dips[best], 0.75))
        values = {"quality": float(quality), "depth": depth, "last_quality": float(stored.quality)}
        if depth < self.least_dip or typical <= 0:
            still = np.zeros(sample.image.shape[:2], np.float32)
            return Finding(0.0, still, "no ghost of an earlier save: nothing to compare places by", values)
        missing = to_unit_map(1 - dips[best] / np.float32(typical), 0.0, 1.5)
        part = float((missing > 0.5).mean())
        return Finding(
            squash(part, 0.25, 12.0),
            missing,
            f"a ghost of quality {quality} is missing in {100 * part:.0f} percent of the picture",
            {**values, "part": part},
        )


class _Frequency(NamedTuple):
    """One DCT frequency: its first step, the share of double quantised blocks, and the log odds of single over double
    quantisation of every block."""

    first_step: int
    share: float
    log_odds: FloatArray


@dataclass(frozen=True, slots=True)
class DoubleQuantisation:
    """Blocks whose coefficients do not show the double quantisation of the rest.

    A coefficient rounded to steps of q1 and then of q2 misses some values periodically. What single rounding would give
    is estimated from the picture moved by half a block; the step q1 is the likeliest. After Bianchi, De Rosa and Piva
    2011 ("improved DCT coefficient analysis"). `n_frequencies` low frequencies are used, `most_step` tried for q1.
    """

    n_frequencies: int = 12
    most_step: int = 32
    name: str = "double_quantisation"
    requires: frozenset[Need] = _JPEG
    known_failures: str = _HIDDEN

    def inspect(self, sample: Sample) -> Finding | Refusal:
        stored = _luma(sample)
        if isinstance(stored, Refusal):
            return stored
        found, free = blocks.block_dct(stored.luma), blocks.block_dct(stored.luma, (4, 4))
        used = [
            frequency
            for u, v in _ZIGZAG[1 : 1 + self.n_frequencies]
            if (frequency := self._frequency(found[..., u, v], free[..., u, v], int(stored.table[u, v]))) is not None
        ]
        if not used:
            return Finding(
                0.0,
                np.zeros(sample.image.shape[:2], np.float32),
                "no frequency shows an earlier, coarser quantisation",
                {"frequencies": 0.0},
            )
        odds = np.sum([frequency.log_odds for frequency in used], axis=0)
        smooth = cv2.blur(odds.astype(np.float32), (3, 3), borderType=cv2.BORDER_REFLECT_101)
        likely = 1 / (1 + np.exp(-np.clip(smooth, -30, 30)))
        part = float((likely > 0.5).mean())
        return Finding(
            # One or two odd blocks are no region, and "everything" means one save only.
            float(np.clip(min(part, 1 - part) * 8, 0, 1)),
            blocks.spread_blocks(likely.astype(np.float32), (sample.image.shape[0], sample.image.shape[1])),
            f"an earlier save shows in {len(used)} of the frequencies; {100 * part:.0f} percent of the blocks lack its "
            "trace",
            {"frequencies": float(len(used)), "part": part, "first_step": float(used[0].first_step)},
        )

    def _frequency(self, found: FloatArray, free: FloatArray, step: int) -> _Frequency | None:
        """`None` where no first step explains the values better than single rounding."""
        levels = np.rint(found / step).astype(int)
        reach = min(40, int(np.abs(levels).max()))
        if reach < 2:
            return None
        values = free.ravel()
        single = _distribution(np.rint(values / step), reach)
        counts = _counts(levels.ravel(), reach)
        best, best_gain, best_share = 0, 0.0, 0.0
        alone = float(counts @ np.log(single))
        for first in range(step + 1, self.most_step + 1):
            double = _distribution(np.rint(np.rint(values / first) * first / step), reach)
            for share in (0.5, 0.75, 0.95):
                gain = float(counts @ np.log(share * double + (1 - share) * single)) - alone
                if gain > best_gain:
                    best, best_gain, best_share = first, gain, share
        # Nats: the best of a hundred guesses gains some by chance, and an estimated histogram fits a little worse.
        if best_gain < 8.0 + 0.03 * levels.size:
            return None
        double = _distribution(np.rint(np.rint(values / best) * best / step), reach)
        place = np.clip(levels, -reach, reach) + reach
        prior = np.log((1 - best_share) / best_share) / self.n_frequencies
        log_odds = np.log(single[place]) - np.log(double[place]) + prior
        return _Frequency(best, best_share, np.clip(log_odds, -4, 4).astype(np.float32))


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """Places where the picture's grid of 8x8 blocks is missing or lies elsewhere. After Li, Yuan and Yu 2009 ("grid
    extraction"). Looks at pixels alone, so that a copy saved without loss still shows it; needs a grid to begin with.
    """

    window_px: int = 33
    least_contrast: float = 0.06
    name: str = "block_grid"
    requires: frozenset[Need] = frozenset({Need.RGB})
    known_failures: str = "a strong last save lays a whole grid over everything; flat and very busy places have none"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if min(sample.image.shape[:2]) < _LEAST_PX:
            return _SMALL
        luma = cv2.cvtColor(sample.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        across, down = self._contrast(luma), self._contrast(np.ascontiguousarray(luma.T))
        strength = min(across.strength, down.strength)
        if strength < self.least_contrast:
            return Refusal(f"no grid of blocks in this picture (contrast {strength:.3f}, least {self.least_contrast})")
        local = (across.local + down.local.T) / 2
        typical = float(np.median(local))
        missing = to_unit_map(1 - local / np.float32(max(typical, 1e-3)), 0.0, 1.5)
        part = float((missing > 0.6).mean())
        return Finding(
            squash(part, 0.12, 20.0),
            missing,
            f"a grid begins at column {across.phase} and row {down.phase}; it is missing in {100 * part:.0f} percent",
            {"phase_x": float(across.phase), "phase_y": float(down.phase), "part": part},
        )

    def _contrast(self, luma: FloatArray) -> _Grid:
        """How much columns at the block borders differ from the others, on the whole and around every pixel."""
        bend = np.abs(luma[:, 1:-2] - luma[:, :-3] + luma[:, 2:-1] - luma[:, 3:])  # jump less the slope on either side
        jump = np.minimum(np.abs(luma[:, 2:-1] - luma[:, 1:-2]) - np.float32(0.25) * bend, 24)
        columns = np.pad(jump, ((0, 0), (2, 1)), mode="edge")  # column x: the jump from x-1 to x
        mean = [float(columns[:, k::8].mean()) for k in range(8)]
        phase = int(np.argmax(mean))
        others = (sum(mean) - mean[phase]) / 7
        indicator = np.zeros(luma.shape[1], np.float32)
        indicator[phase::8] = 1
        at = blocks.box_mean(columns * indicator, self.window_px) / blocks.box_mean(
            np.broadcast_to(indicator, luma.shape).copy(), self.window_px
        )
        off = blocks.box_mean(columns * (1 - indicator), self.window_px) / blocks.box_mean(
            np.broadcast_to(1 - indicator, luma.shape).copy(), self.window_px
        )
        scale = np.abs(off) + np.float32(1)
        return _Grid(phase, (mean[phase] - others) / (abs(others) + 1), ((at - off) / scale).astype(np.float32))


class _Grid(NamedTuple):
    phase: int
    strength: float
    local: FloatArray


_ZIGZAG = sorted(((u, v) for u in range(8) for v in range(8)), key=lambda p: (p[0] + p[1], p[0]))


def _counts(levels: NDArray[np.integer], reach: int) -> NDArray[np.float64]:
    return np.bincount(np.clip(levels, -reach, reach) + reach, minlength=2 * reach + 1).astype(np.float64)


def _distribution(levels: NDArray[np.floating], reach: int) -> NDArray[np.float64]:
    """Smoothed shares of the levels -reach .. reach; none is 0."""
    counts = _counts(levels.astype(int), reach) + 0.2
    return np.asarray(counts / counts.sum(), np.float64)
