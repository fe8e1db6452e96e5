"""Tiles cut from photos, before anything is done to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np

from onlooker.errors import MissingExtraError, UnknownNameError
from onlooker.synth.forgeries import chain
from onlooker.synth.forgeries.config import ForgeryConfig, Hosts
from onlooker.synth.forgeries.face_shape import align_matrix, five_to_68, place_shape, turn_points
from onlooker.synth.forgeries.photos import (
    FACES_HINT,
    INSTALL_HINT,
    Face,
    Photo,
    enlarge,
    photo_sources,
    photos_of,
    small_faces,
)
from onlooker.synth.forgeries.values import Split
from onlooker.types import FloatArray, Image

_FLAT_STD = 6.0  # grey levels; a tile with less shows sky or a wall and nothing to find
_TRIES = 20
_FACE_SCALE = (1.2, 1.5)
_FACE_TURN_DEG = 8.0
_FACE_SHIFT = 0.05


@dataclass(frozen=True, eq=False, slots=True)
class Window:
    """A part of a photo with room around the tile: `pixels` (S + 32, S + 32, 3), and `points_px` (68, 2) of the face in
    the window's pixels where the host is a face. `who` tells faces of one photo apart."""

    photo: Photo
    pixels: Image
    points_px: FloatArray | None
    who: str


@dataclass(frozen=True, eq=False, slots=True)
class Host:
    """A tile after its first save.

    Attributes:
        photo_id, who: the photo, and the face in it (the photo's id where it is none).
        pixels: (S, S, 3) uint8.
        camera: the first save.
        points_px: (68, 2) float32 in the tile's pixels: the face's; on other pictures a face's outline laid anywhere.
        window: where the tile was cut from.
    """

    photo_id: str
    who: str
    pixels: Image
    camera: chain.Save
    points_px: FloatArray
    window: Window


class HostPool:
    """Hosts and donors of one split.

    Args:
        config: what tiles are.
        split: whose photos are used.
        photos: `None` reads `photo_sources()`.

    Raises:
        MissingExtraError: the split has fewer than two hosts; says what to install.
        UnknownNameError: the split.
    """

    def __init__(self, config: ForgeryConfig, split: Split, photos: Sequence[Photo] | None = None) -> None:
        self.config, self.split = config, split
        self._window_px = config.size_px + 2 * chain.MARGIN_PX
        self._entries = self._find(config.hosts, photos)
        least = 1 if config.hosts == "portraits" else 2
        if len(self._entries) < least:
            raise MissingExtraError(
                f"tiles of {config.size_px} px need {least} {config.hosts} in the split `{split}`, found "
                f"{len(self._entries)}; {FACES_HINT if config.hosts == 'portraits' else INSTALL_HINT}, "
                "or give folders of photos to `photo_sources`"
            )

    @property
    def photo_ids(self) -> tuple[str, ...]:
        """Photos tiles are cut from, each once."""
        return tuple(dict.fromkeys(photo.id for photo, _ in self._entries))

    @property
    def n_hosts(self) -> int:
        """Photos, or faces where hosts are portraits."""
        return len(self._entries)

    def draw(self, rng: np.random.Generator, camera: chain.Save | None = None) -> Host:
        """A tile of any photo. `camera`: the first save, instead of one of its own."""
        return self._cut(self._entries[int(rng.integers(len(self._entries)))], rng, camera)

    def draw_other(self, host: Host, rng: np.random.Generator, camera: chain.Save | None = None) -> Host | None:
        """A tile of another photo or another face than the host's; `None` where there is no other."""
        of_faces = self.config.hosts == "portraits"
        others = [
            entry for entry in self._entries if (_who(*entry) != host.who if of_faces else entry[0].id != host.photo_id)
        ]
        return None if not others else self._cut(others[int(rng.integers(len(others)))], rng, camera)

    def _find(self, hosts: Hosts, photos: Sequence[Photo] | None) -> list[tuple[Photo, Face | None]]:
        if hosts not in get_args(Hosts):
            raise UnknownNameError("kind of hosts", hosts, get_args(Hosts))
        if hosts == "small_faces":
            return [(photo, None) for photo in small_faces(self.split)]
        own = photos_of(photo_sources() if photos is None else photos, self.split)
        if hosts == "portraits":
            return [(photo, face) for photo in own for face in photo.faces]
        return [(p, None) for p in own if not p.is_grey and all(min(v.shape[:2]) >= self._window_px for v in p.views)]

    def _cut(self, entry: tuple[Photo, Face | None], rng: np.random.Generator, camera: chain.Save | None) -> Host:
        photo, face = entry
        if face is not None:
            window = _cut_face(photo, face, self._window_px, rng)
        elif self.config.hosts == "small_faces":
            window = _cut_small(photo, self._window_px, rng)
        else:
            window = _cut_photo(photo, self._window_px, rng)
        save = camera or chain.draw_camera(self.config.compression, rng)
        return develop(window, save, self.config.size_px, rng)


def develop(window: Window, save: chain.Save, size_px: int, rng: np.random.Generator) -> Host:
    """The tile of a window after a first save."""
    pixels = chain.first_save(window.pixels, save, size_px)
    if window.points_px is None:
        points = place_shape(size_px, rng)
    else:
        top, left = chain.tile_corner(save.phase)
        points = window.points_px - np.array([left, top], np.float32)
    return Host(window.photo.id, window.who, pixels, save, points, window)


def _who(photo: Photo, face: Face | None) -> str:
    return photo.id if face is None else f"{photo.id}#{[f is face for f in photo.faces].index(True)}"


def _cut_photo(photo: Photo, window_px: int, rng: np.random.Generator) -> Window:
    view = photo.views[int(rng.integers(len(photo.views)))]
    for _ in range(_TRIES):
        top = int(rng.integers(view.shape[0] - window_px + 1))
        left = int(rng.integers(view.shape[1] - window_px + 1))
        part = view[top : top + window_px, left : left + window_px]
        if _is_busy(part[chain.MARGIN_PX : -chain.MARGIN_PX, chain.MARGIN_PX : -chain.MARGIN_PX]):
            break
    return Window(photo, _perhaps_mirrored(part, rng), None, photo.id)


def _is_busy(part: Image) -> bool:
    _, spread = cv2.meanStdDev(part)
    return float(spread.mean()) >= _FLAT_STD


def _perhaps_mirrored(part: Image, rng: np.random.Generator) -> Image:
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def _cut_face(photo: Photo, face: Face, window_px: int, rng: np.random.Generator) -> Window:
    """A face upright in the middle of the window, by its five points; scale, turn and place vary a little."""
    size_px = window_px - 2 * chain.MARGIN_PX
    scale = size_px / float(rng.uniform(*_FACE_SCALE))
    shift = rng.uniform(-_FACE_SHIFT, _FACE_SHIFT, 2) * size_px
    matrix = align_matrix(face.points_px, scale, np.deg2rad(rng.uniform(-_FACE_TURN_DEG, _FACE_TURN_DEG)))
    matrix[:, 2] += window_px / 2 + shift
    interpolation = cv2.INTER_AREA if abs(np.linalg.det(matrix[:, :2])) < 0.5 else cv2.INTER_CUBIC
    pixels = cv2.warpAffine(
        photo.views[face.view], matrix, (window_px, window_px), flags=interpolation, borderMode=cv2.BORDER_REFLECT_101
    )
    points = turn_points(five_to_68(face.points_px), matrix)
    if rng.random() < 0.5:
        pixels, points = np.ascontiguousarray(pixels[:, ::-1]), mirror_points(points, window_px)
    return Window(photo, pixels, points, _who(photo, face))


def _cut_small(photo: Photo, window_px: int, rng: np.random.Generator) -> Window:
    size_px = window_px - 2 * chain.MARGIN_PX
    large = enlarge(photo.views[0], size_px)
    padded = np.pad(large, ((chain.MARGIN_PX,) * 2, (chain.MARGIN_PX,) * 2, (0, 0)), mode="symmetric")
    return Window(photo, _perhaps_mirrored(padded, rng), None, photo.id)


def mirror_points(points: FloatArray, width_px: int) -> FloatArray:
    """Points of a mirrored picture. The order stays: outlines are used as shapes, left and right alike."""
    return np.stack([np.float32(width_px - 1) - points[:, 0], points[:, 1]], axis=1)
