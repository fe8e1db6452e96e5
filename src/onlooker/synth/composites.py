"""Clips with several objects, put together on the fly from real pictures with masks; every mask is exact.

One sequence gives the scene (its own object is part of the truth); objects of other sequences are cut out by their
masks and move over it on smooth paths, in a fixed order of depth, so that they hide one another. Objects leave and come
back, a passing board hides others, and two of a pair may look alike. Ours throughout; the idea of pasting cut-outs for
training is that of Ghiasi et al. 2021, "Simple Copy-Paste".

Clip `i` depends on (`seed`, `i`) alone. A data set for `torch.utils.data.DataLoader` without knowing torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.synth import paste
from onlooker.synth.cut_outs import CutOut, Invented, Motion, invent, paint, smooth_step, textured_board
from onlooker.synth.masked_clips import (
    CATEGORY_OF,
    CLEAN_SCENES,
    BoolArray,
    LabelMap,
    MaskedClip,
    MaskedPictures,
    box_of,
)
from onlooker.types import Image

Twins = Literal["sequence", "category"]
INVENTED = "invented"
"""Category of objects that are none of the sequences'."""
_OUT_RAMP = 3  # frames in which an object runs out of the picture or back in
_LARGEST_SCALE = 1.5  # of source pixels: beyond that the steps of a small mask are seen
_WIDEST_BOARD = 0.35  # of the clip
_LONGEST_TRAVEL = 100.0  # widths: anything is far out of the picture by then
_BOARD = 255  # label of the passing board while a clip is painted


@dataclass(frozen=True, slots=True)
class CompositeConfig:
    """What clips are like. Shares are in [0, 1], lengths in parts of the clip's height unless said.

    Attributes:
        size: (height, width) in pixels.
        n_frames: frames of a clip.
        n_pasted: fewest and most objects on top of the scene's own.
        heights: smallest and largest pasted object on its first frame.
        travel: longest way of a pasted object's centre over the clip, in parts of the width.
        source_gap: largest step between frames of the source sequences; the step of a clip is drawn from 1 to it.
        twin_share: share of clips in which two pasted objects look alike.
        twins: the two are cut from one sequence at different moments, or from two of one category.
        exit_share: share of pasted objects that run out of the picture and come back.
        board_share: share of clips in which a board passes in front and hides what is behind it.
        absence: fewest and most frames that such an absence lasts.
        late_share: share of pasted objects that enter after the first frame. With 0 (and no twin or exit at the start)
            every object can be named on frame 0, as in video object segmentation.
        scenes: "clean" are those in which nothing of the categories goes without a mask; "all" for tasks in which only
            given objects count.
        colour_gain: each object's channels are multiplied by up to 1 plus or minus this.
        invented_share: share of pasted objects that are invented and none of the sequences': random outlines filled
            with pieces of the pictures, for networks that should learn from few sequences what an object is.
        smallest_px: an object seen with fewer pixels on a frame is ground there.
    """

    size: tuple[int, int] = (160, 288)
    n_frames: int = 8
    n_pasted: tuple[int, int] = (1, 3)
    heights: tuple[float, float] = (0.25, 0.6)
    travel: float = 0.5
    source_gap: int = 3
    twin_share: float = 0.5
    twins: Twins = "sequence"
    exit_share: float = 0.2
    board_share: float = 0.2
    absence: tuple[int, int] = (3, 6)
    late_share: float = 0.0
    scenes: Literal["clean", "all"] = "clean"
    colour_gain: float = 0.2
    invented_share: float = 0.0
    smallest_px: int = 12

    def __post_init__(self) -> None:
        shares = (
            self.twin_share,
            self.exit_share,
            self.board_share,
            self.late_share,
            self.colour_gain,
            self.invented_share,
        )
        if any(not 0 <= share <= 1 for share in shares):
            raise ConfigError(f"shares and gains are in [0, 1], got {shares}")
        ranges = {"n_pasted": (*self.n_pasted, 0), "absence": (*self.absence, 1), "heights": (*self.heights, 0.02)}
        for name, (low, high, least) in ranges.items():
            if not least <= low <= high:
                raise ConfigError(f"`{name}` goes from at least {least} up, got {low}..{high}")
        if min(self.size) < 16 or self.n_frames < 1 or self.source_gap < 1:
            raise ConfigError(f"a size, a number of frames or a step is out of range: {self}")
        if not 0 <= self.travel <= _LONGEST_TRAVEL:
            raise ConfigError(f"`travel` is 0 to {_LONGEST_TRAVEL:g} widths, got {self.travel}")
        if self.n_pasted[1] > 200 or self.heights[1] > 1:
            raise ConfigError("at most 200 objects are pasted, none higher than the clip")


@dataclass(frozen=True, slots=True)
class _Object:
    """A pasted object: which cut-out, how it moves, and in which colours."""

    cut: CutOut | Invented
    motion: Motion
    gain: NDArray[np.float32]


class CompositeClips:
    """Composed clips by number. Any number from 0 gives a clip; `len` is a convenience for samplers.

    Args:
        folder: root of a data set in the layout of DAVIS.
        sequences: those to use as scenes and objects, such as `TRAIN_SEQUENCES`; missing ones are left out.
        config: what clips are like.
        seed: another seed, other clips.
        length: what `len` says.
        cache_mb: decoded pictures kept in memory.

    Raises:
        NothingFoundError: the folder holds none of the sequences.
        ConfigError: none of the sequences is a clean scene, and clean scenes are wanted.
    """

    def __init__(
        self,
        folder: str | Path,
        sequences: tuple[str, ...],
        config: CompositeConfig | None = None,
        seed: int = 0,
        *,
        length: int = 1000,
        cache_mb: float = 200.0,
    ) -> None:
        self.config, self.seed = config or CompositeConfig(), seed
        self.pictures = MaskedPictures(folder, sequences, height_px=self.config.size[0], cache_mb=cache_mb)
        names = self.pictures.sequences
        self._scenes = [n for n in names if self.config.scenes == "all" or n in CLEAN_SCENES]
        self._length = length
        if not self._scenes:
            raise ConfigError(f'none of {", ".join(names)} is a clean scene; set `scenes="all"`')

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, i: int) -> MaskedClip:
        if not 0 <= i < self._length:
            raise IndexError(f"clip {i} of {self._length}")
        rng = np.random.default_rng([self.seed, i])
        step = int(rng.integers(1, self.config.source_gap + 1))
        scene = self._scenes[int(rng.integers(len(self._scenes)))]
        frames, labels = self._scene(scene, step, rng)
        sources, twins = self._sources(scene, rng)
        slots = rng.permutation(len(sources))
        objects = [self._object(name, step, (int(slots[k]), len(slots)), rng) for k, name in enumerate(sources)]
        if twins:
            objects[:2] = _alike(objects[0], objects[1])
        first = 1 if labels.any() else 0  # the scene's own object takes the lowest place
        for t in range(self.config.n_frames):
            for place, item in enumerate(objects):
                paint(item.cut, frames[t], labels[t], t, item.motion, item.gain, first + place + 1)
        if rng.random() < self.config.board_share:
            self._pass_board(frames, labels, rng)
        kinds = [
            INVENTED if isinstance(item.cut, Invented) else name for item, name in zip(objects, sources, strict=True)
        ]
        names = [scene] * first + kinds
        return self._finish(frames, labels, names, (first + 1, first + 2) if twins else None)

    def _scene(self, name: str, step: int, rng: np.random.Generator) -> tuple[Image, LabelMap]:
        """Frames (T, H, W, 3) and labels (T, H, W) of a scene: one crop of the sequence, perhaps mirrored."""
        height, width = self.config.size
        order = _walk(self.pictures.n_frames(name), self.config.n_frames, step, rng)
        mirrored, zoom, place = bool(rng.random() < 0.5), float(rng.uniform(1.0, 1.25)), rng.random(2)
        frames = np.empty((len(order), height, width, 3), np.uint8)
        labels = np.empty((len(order), height, width), np.uint8)
        for t, index in enumerate(order):
            image, mask = self.pictures.read(name, index)
            window = _window(image.shape[:2], (height, width), zoom, place)
            frames[t], labels[t] = paste.crop_resized(image, mask, window, (height, width))
            if mirrored:
                frames[t], labels[t] = frames[t][:, ::-1], labels[t][:, ::-1]
        return frames, np.where(labels > 0, np.uint8(1), np.uint8(0))

    def _sources(self, scene: str, rng: np.random.Generator) -> tuple[list[str], bool]:
        """Sequences to cut objects from; with twins the first two are the pair."""
        config = self.config
        n = int(rng.integers(config.n_pasted[0], config.n_pasted[1] + 1))
        others = [name for name in self.pictures.sequences if name != scene] or [scene]
        chosen = [others[int(rng.integers(len(others)))] for _ in range(n)]
        if config.twins == "sequence" or n < 2:
            # Only a drawn pair may look alike: others are of different sequences while these last.
            chosen = [others[int(k)] for k in rng.permutation(len(others))][:n] + chosen[len(others) :]
        twins = n >= 2 and bool(rng.random() < config.twin_share)
        if twins:
            kin = [o for o in others if CATEGORY_OF.get(o, o) == CATEGORY_OF.get(chosen[0], chosen[0])]
            kin = [o for o in kin if o != chosen[0]] if config.twins == "category" and len(kin) > 1 else [chosen[0]]
            chosen[1] = kin[int(rng.integers(len(kin)))]
        return chosen, twins

    def _object(self, name: str, step: int, slot: tuple[int, int], rng: np.random.Generator) -> _Object:
        """An object that starts in one of some slots side by side, so that it can be seen at the start."""
        config = self.config
        order = _walk(self.pictures.n_frames(name), config.n_frames, step, rng)
        cut: CutOut | Invented = CutOut(self.pictures, name, tuple(order), mirrored=bool(rng.random() < 0.5))
        if config.invented_share and rng.random() < config.invented_share:  # without, no number is drawn
            cut = invent(self.pictures, rng)
        first_px = cut.first_height_px()
        scale = float(rng.uniform(*config.heights)) * config.size[0] / max(first_px, 1)
        gain = rng.uniform(1 - config.colour_gain, 1 + config.colour_gain, 3).astype(np.float32)
        start_x = (slot[0] + float(rng.uniform(0.2, 0.8))) / slot[1]
        return _Object(cut, _draw_motion(config, min(scale, _LARGEST_SCALE), start_x, rng), gain)

    def _pass_board(self, frames: Image, labels: LabelMap, rng: np.random.Generator) -> None:
        """Paint a board that crosses some object's place and covers it for as long as the absence lasts."""
        config = self.config
        n, (height, width) = config.n_frames, config.size
        middle = int(rng.integers(n // 4, max(3 * n // 4, n // 4 + 1)))
        box = box_of(labels[middle] > 0)
        centre = width / 2 if box is None else float(rng.uniform(box[0], box[2]))
        # Wide enough to hide an object of the usual size while it moves on by its speed in every hidden frame.
        speed = float(rng.uniform(0.04, 0.07)) * width * (1 if rng.random() < 0.5 else -1)
        hidden = int(rng.integers(config.absence[0], config.absence[1] + 1))
        board = textured_board(
            (height, max(4, int(min(0.1 * width + abs(speed) * hidden, _WIDEST_BOARD * width)))), rng
        )
        for t in range(n):
            left = round(centre + speed * (t - middle) - board.shape[1] / 2)
            paste.cover_(frames[t], labels[t], board, left, _BOARD)

    def _finish(self, frames: Image, labels: LabelMap, names: list[str], twins: tuple[int, int] | None) -> MaskedClip:
        """Drop the board and specks from the labels, and number what is left from 1."""
        labels[labels == _BOARD] = 0
        for frame in labels:
            area = np.bincount(frame.ravel(), minlength=256)
            small: BoolArray = (area > 0) & (area < self.config.smallest_px)
            frame[small[frame]] = 0
        seen = [number for number in np.unique(labels).tolist() if number]
        renumber = np.zeros(256, np.uint8)
        renumber[seen] = np.arange(1, len(seen) + 1)
        categories = tuple(CATEGORY_OF.get(names[number - 1], names[number - 1]) for number in seen)
        pair = ((int(renumber[twins[0]]), int(renumber[twins[1]])),) if twins and set(twins) <= set(seen) else ()
        return MaskedClip(frames, renumber[labels], np.arange(1, len(seen) + 1, dtype=np.int64), categories, pair)


def _alike(one: _Object, other: _Object) -> tuple[_Object, _Object]:
    """A pair in the same colours, or they would not look alike; and where one is invented, so is the other."""
    invented = next((item.cut for item in (one, other) if isinstance(item.cut, Invented)), None)
    return (
        _Object(invented or one.cut, one.motion, one.gain),
        _Object(invented or other.cut, other.motion, one.gain),
    )


def _walk(n_source: int, n_frames: int, step: int, rng: np.random.Generator) -> list[int]:
    """`n_frames` indices from a random start, to and fro so that any length is possible."""
    around = max(2 * n_source - 2, 1)
    positions = (int(rng.integers(n_source)) + step * np.arange(n_frames)) % around
    return [int(p) if p < n_source else around - int(p) for p in positions]


def _window(
    source: tuple[int, ...], target: tuple[int, int], zoom: float, place: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the part of a source picture with the shape of the target."""
    height = min(source[0], source[1] * target[0] / target[1]) / zoom
    width = height * target[1] / target[0]
    left, top = place[1] * (source[1] - width), place[0] * (source[0] - height)
    return float(left), float(top), float(left + width), float(top + height)


def _draw_motion(config: CompositeConfig, scale: float, start_x: float, rng: np.random.Generator) -> Motion:
    """A path over the clip: a straight way, a sway, a slow change of size, and perhaps a way out and back."""
    n, (height, width) = config.n_frames, config.size
    start = np.array([(0.1 + 0.8 * start_x) * width, rng.uniform(0.25, 0.8) * height])
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0, config.travel) * width
    end = start + length * np.array([np.cos(angle), 0.5 * np.sin(angle)])
    u = np.linspace(0, 1, n) if n > 1 else np.zeros(1)
    sway = rng.uniform(0, 0.04) * height * np.sin(2 * np.pi * (rng.uniform(0.3, 1.2) * u))
    centres = start + u[:, None] * (end - start) + np.stack([np.zeros(n), sway], axis=1)
    # Ends stay in view, so that a way out is always a drawn one.
    centres = np.clip(centres, [0.05 * width, 0.1 * height], [0.95 * width, 0.95 * height])
    if rng.random() < config.exit_share and n > 2 * _OUT_RAMP:
        centres[:, 0] += _way_out(config, centres[n // 2, 0], rng)
    late = int(rng.integers(1, max(2, n // 2))) if rng.random() < config.late_share and n > 1 else 0
    scales = scale * np.exp(u * rng.uniform(-0.25, 0.25))
    return Motion(centres, scales, late)


def _way_out(config: CompositeConfig, middle_x: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T,) pixels to the side: 0, then beyond the nearer border, then 0 again."""
    n, width = config.n_frames, config.size[1]
    hidden = int(rng.integers(config.absence[0], config.absence[1] + 1))
    # At least the first and the last frame show it.
    hidden = min(hidden, n - 2)
    gone = int(rng.integers(1, n - hidden))
    t = np.arange(n)
    away = smooth_step((t - (gone - _OUT_RAMP)) / _OUT_RAMP) * (1 - smooth_step((t - (gone + hidden - 1)) / _OUT_RAMP))
    # On frame 0 it is where it starts, even when it leaves at once.
    away[0] = 0.0
    side = -1.0 if middle_x < width / 2 else 1.0
    return np.asarray(side * 1.6 * width * away)
