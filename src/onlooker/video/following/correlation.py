"""A correlation filter that learns what one thing looks like, and says where in a patch it is and how sure that is.

The filter is trained to answer a patch around the thing with a peak in its middle (Bolme et al. 2010; several channels
as in Danelljan et al. 2014, DSST); colours of the thing and of what is around it vote beside it (Bertinetto et al.
2016, Staple). Nothing here was trained beforehand and nothing is downloaded. All constants are ours, chosen on
composites of DAVIS; `benchmarks/follow_boxes.py` measures them on other sequences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter

from onlooker.errors import ConfigError
from onlooker.types import BoxXYXY, Image
from onlooker.video.following.features import CELL, COLOURS, cell_features, colour_numbers, cut_patch

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

_LEAST_SIDE = 2.0  # pixels: a smaller box has nothing to learn from but what is around it
_LEAST_REGION = 12.0
_LEAST_CELLS = 8


@dataclass(frozen=True, slots=True)
class FilterConfig:
    """Settings of the filter.

    Attributes:
        patch_px: side of a square patch as the filter sees it; larger is finer and slower.
        context: how much of what is around is seen, in mean sides of the box, on both sides together.
        rate: share of a new view in what the filter remembers.
        ridge: regularisation, relative to the mean energy of the patch.
        peak_width: standard deviation of the wanted peak, in sides of the box.
        scale_step: sizes that are tried differ by this factor.
        scale_worth: an answer at another size must be better by this factor, or the box breathes.
        colour: share of colours in the answer.
        colour_rate: as `rate`, for colours.
    """

    patch_px: int = 128
    context: float = 1.5
    rate: float = 0.02
    ridge: float = 0.01
    peak_width: float = 0.1
    scale_step: float = 1.03
    scale_worth: float = 0.99
    colour: float = 0.3
    colour_rate: float = 0.04

    def __post_init__(self) -> None:
        shares = (self.rate, self.colour, self.colour_rate)
        if self.patch_px < _LEAST_CELLS * CELL or not all(0 <= share <= 1 for share in shares) or self.context <= 0:
            raise ConfigError(f"a setting of the correlation filter is out of range: {self}")


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the filter believes the thing to be.

    Attributes:
        centre: (x, y) in pixels of the picture.
        scale: size relative to the first box.
        peak: height of the edge filter's peak; 1 for the view it was trained on, about 0 for another thing.
        worth: height of the joint peak of edges and colours, to compare answers.
    """

    centre: Array
    scale: float
    peak: float
    worth: float


class CorrelationFilter:
    """What one thing looks like.

    Args:
        image: RGB uint8 (H, W, 3).
        box: where it is, at least partly inside; boxes below 2 px are taken as 2 px.
        config: settings.
    """

    def __init__(self, image: Image, box: BoxXYXY, config: FilterConfig) -> None:
        self._config = config
        corners = np.array(box, np.float64)
        self.first_size = np.maximum(corners[2:] - corners[:2], _LEAST_SIDE)
        self._region = np.maximum(self.first_size + config.context * self.first_size.mean(), _LEAST_REGION)
        shrink = config.patch_px / np.sqrt(np.prod(self._region))
        columns, rows = (max(_LEAST_CELLS, round(float(side) * shrink / CELL)) for side in self._region)
        self._cells, self._patch = (rows, columns), (columns * CELL, rows * CELL)
        self._window = (np.hanning(rows + 2)[1:-1, None] * np.hanning(columns + 2)[1:-1]).astype(np.float32)
        self._target_px = self.first_size / self._region * np.array(self._patch)
        self._wanted = fft.rfft2(self._wanted_peak())
        centre = (corners[:2] + corners[2:]) / 2
        self._numerator, self._energy, self._colours = self._view_of(image, centre, 1.0)

    def find(self, image: Image, centre: Array, scale: float, *, sizes: bool = True) -> Answer:
        """The best place near `centre`, at about `scale`.

        Args:
            sizes: whether one size smaller and one larger are tried as well.
        """
        step, worth = self._config.scale_step, self._config.scale_worth
        tries = ((1.0, 1.0), (1 / step, worth), (step, worth)) if sizes else ((1.0, 1.0),)
        answers = [(self._answer(image, centre, scale * factor), discount) for factor, discount in tries]
        return max(answers, key=lambda pair: pair[0].worth * pair[1])[0]

    def learn(self, image: Image, centre: Array, scale: float) -> None:
        """Remember a view of the thing; the caller is sure that it is one."""
        numerator, energy, colours = self._view_of(image, centre, scale)
        rate, colour_rate = self._config.rate, self._config.colour_rate
        self._numerator = (1 - rate) * self._numerator + rate * numerator
        self._energy = (1 - rate) * self._energy + rate * energy
        self._colours = (1 - colour_rate) * self._colours + colour_rate * colours

    def reach(self, scale: float) -> Array:
        """(width, height) of the part of the picture that one `find` looks at."""
        reach: Array = self._region * scale
        return reach

    def _wanted_peak(self) -> Floats:
        rows, columns = self._cells
        width = self._config.peak_width * float(np.sqrt(np.prod(self._target_px))) / CELL
        y, x = np.mgrid[:rows, :columns]
        distance = np.square(y - rows // 2) + np.square(x - columns // 2)
        peak: Floats = np.exp(-distance / (2 * max(width, 0.5) ** 2)).astype(np.float32)
        return peak

    def _spectrum(self, patch: Image) -> NDArray[np.complexfloating]:
        return np.asarray(fft.rfft2(cell_features(patch) * self._window))

    def _view_of(self, image: Image, centre: Array, scale: float) -> tuple[NDArray[np.complexfloating], Floats, Array]:
        """What is remembered of a view: numerator, energy, and the colours of thing and surroundings (2, COLOURS)."""
        patch = cut_patch(image, centre, self._region * scale, self._patch)
        spectrum = self._spectrum(patch)
        return self._wanted * spectrum.conj(), np.square(np.abs(spectrum)).sum(axis=0), self._colours_of(patch)

    def _answer(self, image: Image, centre: Array, scale: float) -> Answer:
        patch = cut_patch(image, centre, self._region * scale, self._patch)
        weights = self._energy + self._config.ridge * self._energy.mean()
        edges = fft.irfft2((self._numerator * self._spectrum(patch)).sum(axis=0) / weights, s=self._cells)
        both = (1 - self._config.colour) * edges + self._config.colour * self._colour_votes(patch)
        row, column = np.unravel_index(int(both.argmax()), both.shape)
        at = np.array([_between(both[row], int(column)), _between(both[:, column], int(row))])
        offset = (at - np.array([self._cells[1] // 2, self._cells[0] // 2])) * CELL / np.array(self._patch)
        moved = centre + offset * self._region * scale
        return Answer(moved, scale, float(edges.max()), float(both[row, column]))

    def _colours_of(self, patch: Image) -> Array:
        """(2, COLOURS) shares of colours inside the thing and around it."""
        numbers = colour_numbers(patch)
        inside, outside = self._part(0.8), self._part(1.1)
        around = np.ones(numbers.shape, np.bool_)
        around[outside] = False
        counts = [np.bincount(part.ravel(), minlength=COLOURS) for part in (numbers[inside], numbers[around])]
        return np.stack([count / max(int(count.sum()), 1) for count in counts])

    def _part(self, share: float) -> tuple[slice, slice]:
        """The middle of a patch, `share` of the thing along each side; one pixel at least."""
        half, middle = self._target_px * share / 2, np.array(self._patch) / 2
        low = np.maximum(np.floor(middle - half), 0).astype(int)
        high = np.maximum(np.ceil(middle + half).astype(int), low + 1)
        return slice(low[1], high[1]), slice(low[0], high[0])

    def _colour_votes(self, patch: Image) -> Floats:
        """One value per cell: the share of the thing's colours in a box around it."""
        inside, outside = self._colours
        likely = (inside / (inside + outside + 1e-4))[colour_numbers(patch)].astype(np.float32)
        wide, high = (max(1, round(float(side) * 0.9)) for side in self._target_px)
        votes: Floats = uniform_filter(likely, (high, wide), mode="constant")
        return votes[CELL // 2 :: CELL, CELL // 2 :: CELL]


def _between(line: Floats, place: int) -> float:
    """Where the peak at `place` lies between its neighbours, by a parabola through the three."""
    before, here, after = (float(line[(place + step) % len(line)]) for step in (-1, 0, 1))
    bend = before - 2 * here + after
    return place + (float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if abs(bend) > 1e-9 else 0.0)
