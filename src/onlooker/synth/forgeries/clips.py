"""Videos of one manipulated face or region: every frame is forged by itself, with numbers that drift or jump.

"steady" clips let the numbers drift slowly; "flickering" ones jitter them from frame to frame, so that a detector that
looks at time must gain on them (sheet `forgery_data.md`, section C). The camera moves a little over a still photo; each
frame has the saves of the clip. Ours.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.synth.forgeries import chain, faces
from onlooker.synth.forgeries.config import ForgeryConfig
from onlooker.synth.forgeries.face_shape import turn_points
from onlooker.synth.forgeries.hosts import Host, HostPool, Window
from onlooker.synth.forgeries.photos import Photo
from onlooker.synth.forgeries.values import Mask, Split
from onlooker.types import FloatArray, Image

Steadiness = Literal["steady", "flickering"]
ClipKind = Literal["authentic", "self_blended", "face_swap", "reenactment"]
Numbers = TypeVar("Numbers", faces.SelfBlend, faces.Swap, faces.Expression)
Frame = tuple[Image, Mask]
_DRIFT, _JITTER = 0.15, 0.6  # parts of the way to another draw
_TRAVEL_PX = 4.0
_TRAVEL_TURN = math.radians(2.0)


@dataclass(frozen=True, slots=True)
class ClipConfig:
    """Clips of T frames.

    Attributes:
        tiles: size, hosts, saves, post-processing and kinds; kinds other than those of faces are refused.
        n_frames: T.
        flickering_share: part of the manipulated clips that flicker.
    """

    tiles: ForgeryConfig
    n_frames: int = 8
    flickering_share: float = 0.5

    def __post_init__(self) -> None:
        if self.n_frames < 1 or not 0 <= self.flickering_share <= 1:
            raise ConfigError(f"clips have frames and a share in [0, 1], got {self.n_frames}, {self.flickering_share}")
        for name in self.tiles.kinds:
            if name not in get_args(ClipKind)[1:]:
                raise UnknownNameError("kind of forged clip", name, get_args(ClipKind)[1:])


@dataclass(frozen=True, eq=False)
class ForgedClip:
    """`frames` (T, H, W, 3) uint8, `masks` (T, H, W) bool, `originals`: the frames without the manipulation; the rest
    as in `ForgedImage`. `steadiness` is `None` for authentic clips."""

    frames: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    originals: NDArray[np.uint8]
    kind: str
    steadiness: Steadiness | None
    source_ids: tuple[str, ...]
    provenance: Mapping[str, object]

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.masks.shape != self.frames.shape[:3]:
            raise ShapeError(f"expected frames (T, H, W, 3) and masks, got {self.frames.shape}, {self.masks.shape}")

    @property
    def label(self) -> int:
        return int(self.kind != "authentic")


class ForgedClips:
    """Random access to clips; item i depends on the configuration, the seed, the split and i alone."""

    def __init__(
        self, config: ClipConfig, seed: int, split: Split = "train", photos: Sequence[Photo] | None = None
    ) -> None:
        self.config, self.seed, self.split = config, seed, split
        self._pool = HostPool(config.tiles, split, photos)
        if "face_swap" in config.tiles.kinds and self._pool.n_hosts < 2:
            raise ConfigError(f"`face_swap` needs two hosts in the split `{split}`")

    def __getitem__(self, index: int) -> ForgedClip:
        if index < 0:
            raise IndexError(f"clips are counted from 0, got {index}")
        rng = np.random.default_rng((self.seed, 100 + get_args(Split).index(self.split), index))
        tiles = self.config.tiles
        names, weights = list(tiles.kinds), np.array(list(tiles.kinds.values()), np.float64)
        authentic = rng.random() < tiles.authentic_share
        kind = "authentic" if authentic else names[int(rng.choice(len(names), p=weights / weights.sum()))]
        steadiness: Steadiness = "flickering" if rng.random() < self.config.flickering_share else "steady"
        return self.make(kind, None if authentic else steadiness, rng)

    def make(self, kind: str, steadiness: Steadiness | None, rng: np.random.Generator) -> ForgedClip:
        """One clip of a kind."""
        config = self.config.tiles
        first = self._pool.draw(rng)
        post, final = chain.draw_post(config.post, rng), chain.draw_final(config.compression, rng)
        hosts = [_moved(first, matrix, config.size_px) for matrix in _travel(config.size_px, self.config.n_frames, rng)]
        donors: tuple[str, ...] = ()
        if kind == "authentic":
            made = [(host.pixels, np.zeros(host.pixels.shape[:2], np.bool_)) for host in hosts]
        else:
            forge, donors = self._forger(kind, first, steadiness or "steady", rng)
            made = [forge(host, t) for t, host in enumerate(hosts)]

        def saved(image: Image) -> Image:
            return chain.last_save(chain.apply_post(image, post), final)[0]

        provenance = {
            "camera_quality": first.camera.quality,
            "final_quality": final.quality,
            "final_chroma": final.chroma,
            "who": first.who,
        }
        return ForgedClip(
            np.stack([saved(image) for image, _ in made]),
            np.stack([mask for _, mask in made]),
            np.stack([saved(host.pixels) for host in hosts]),
            kind,
            steadiness,
            (first.photo_id, *donors),
            provenance,
        )

    def _forger(
        self, kind: str, first: Host, steadiness: Steadiness, rng: np.random.Generator
    ) -> tuple[Callable[[Host, int], Frame], tuple[str, ...]]:
        """(host of a frame and its number -> image and mask, other photos used)."""
        n = self.config.n_frames
        if kind == "self_blended":
            size = self.config.tiles.size_px
            blends = _over_time(lambda: faces.draw_self_blend(size, rng), n, steadiness)
            return (lambda host, t: faces.apply_self_blend(host.pixels, host.points_px, blends[t])), ()
        if kind == "reenactment":
            moves = _over_time(lambda: faces.draw_expression(rng), n, steadiness)
            return (lambda host, t: faces.apply_expression(host.pixels, host.points_px, moves[t])), ()
        donor = self._pool.draw_other(first, rng)
        if donor is None:
            raise ConfigError("a face swap needs a second face")
        other = donor.pixels, donor.points_px
        swaps = _over_time(lambda: faces.draw_swap(self.config.tiles.blend.feather_px, rng), n, steadiness)
        return (lambda host, t: faces.apply_swap(host.pixels, host.points_px, other, swaps[t])), (donor.photo_id,)


def _over_time(draw: Callable[[], Numbers], n_frames: int, steadiness: Steadiness) -> list[Numbers]:
    """Numbers of every frame: a slow swing towards a second draw, or a jump towards a new one on every frame."""
    start = draw()
    if steadiness == "flickering":
        return [blend_numbers(start, draw(), _JITTER, new_seeds=True) for _ in range(n_frames)]
    end = draw()
    swing = [_DRIFT * math.sin(2 * math.pi * t / max(n_frames, 16)) for t in range(n_frames)]
    return [blend_numbers(start, end, part, new_seeds=False) for part in swing]


def blend_numbers(start: Numbers, end: Numbers, part: float, *, new_seeds: bool) -> Numbers:
    """`start` with every real number moved by `part` of the way to `end`; choices stay, seeds are `end`'s if asked."""
    changes: dict[str, object] = {}
    for field in dataclasses.fields(start):
        a, b = getattr(start, field.name), getattr(end, field.name)
        if field.name.endswith("_seed"):
            changes[field.name] = b if new_seeds else a
        elif isinstance(a, float):
            changes[field.name] = a + part * (b - a)
        elif isinstance(a, tuple):
            changes[field.name] = tuple(x + part * (y - x) for x, y in zip(a, b, strict=True))
    return dataclasses.replace(start, **changes)  # type: ignore[arg-type]


def _travel(size_px: int, n_frames: int, rng: np.random.Generator) -> list[FloatArray]:
    """(2, 3) per frame: the camera sways by some pixels and a little turn, smoothly."""
    window = size_px + 2 * chain.MARGIN_PX
    speed, phase = rng.uniform(0.2, 0.5, 3), rng.uniform(0, 2 * math.pi, 3)
    made = []
    for t in range(n_frames):
        x, y, turn = np.sin(speed * t + phase) * (_TRAVEL_PX, _TRAVEL_PX, _TRAVEL_TURN)
        cosine, sine = math.cos(turn), math.sin(turn)
        linear = np.array([[cosine, -sine], [sine, cosine]])
        centre = np.full(2, window / 2)
        shift = centre - linear @ centre + (x, y)
        made.append(np.hstack([linear, shift[:, None]]).astype(np.float32))
    return made


def _moved(first: Host, matrix: FloatArray, size_px: int) -> Host:
    """The host as a moved camera sees it, saved as the clip's first frame was."""
    window = first.window
    pixels: Image = cv2.warpAffine(
        window.pixels, matrix, window.pixels.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    tile = chain.first_save(pixels, first.camera, size_px)
    corner = np.float32(chain.MARGIN_PX)  # the phase moves it by less than a unit of the grid
    points = turn_points(first.points_px + corner, matrix) - corner
    return Host(first.photo_id, first.who, tile, first.camera, points, Window(window.photo, pixels, None, window.who))
