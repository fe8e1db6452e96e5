"""Label maps as palette pictures, one per frame, in the layout of DAVIS: `Annotations/SEQUENCE/00000.png`.

A pixel's number is the object's id, 0 is ground, 255 "not to be judged". Written files carry the palette of DAVIS, that
of PASCAL VOC. Grey masks of 0 and 255 and coloured masks, as people paint them, are read too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from onlooker.errors import FormatError, NothingFoundError, ShapeError
from onlooker.formats.files import atomic_path, visible

LabelMap = NDArray[np.uint8]
VOID = 255
# Sizes of pictures in which DAVIS comes; its masks lie in folders of these names.
_RESOLUTIONS = ("480p", "Full-Resolution")


@dataclass(frozen=True, eq=False, slots=True)
class LabelSequence:
    """The masks of one sequence: `labels` (T, H, W) uint8 and the T file names without ending."""

    name: str
    stems: tuple[str, ...]
    labels: LabelMap

    def __post_init__(self) -> None:
        if self.labels.ndim != 3 or self.labels.dtype != np.uint8 or len(self.labels) != len(self.stems):
            raise ShapeError(f"expected ({len(self.stems)}, H, W) uint8, got {self.labels.shape} {self.labels.dtype}")


def davis_palette() -> NDArray[np.uint8]:
    """(256, 3) colours: the bits of a number, from the lowest, go to red, green, blue, and fill each from the top."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.int64)
    for place in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * place + channel)) & 1) << (7 - place)
    return colours.astype(np.uint8)


def sequence_folders(root: Path) -> dict[str, Path]:
    """Folder of masks by sequence: below `root/Annotations/480p`, `root/Annotations` or `root`, or `root` itself.

    Raises:
        NothingFoundError: no folder there holds a PNG.
    """
    base = root / "Annotations" if (root / "Annotations").is_dir() else root
    base = next((base / name for name in _RESOLUTIONS if (base / name).is_dir()), base)
    if not base.is_dir():
        raise NothingFoundError(f"`{root}`: is no folder; expected masks as DAVIS lays them out")
    folders = {f.name: f for f in visible(base.iterdir()) if f.is_dir() and visible(f.glob("*.png"))}
    if not folders and visible(base.glob("*.png")):
        folders = {base.resolve().name: base}
    if not folders:
        raise NothingFoundError(f"`{base}`: holds no folder with masks (`SEQUENCE/00000.png`)")
    return folders


def read_sequence(folder: Path, name: str | None = None) -> LabelSequence:
    """All masks of a folder, in the order of their names.

    Raises:
        FormatError: no mask, one that cannot be read, masks of several sizes, or colours that are no objects.
    """
    files = visible(folder.glob("*.png"))
    if not files:
        raise FormatError(f"{folder}: expected masks `00000.png`, ...; there is no PNG")
    colours = ColourNumbers()
    maps: list[LabelMap] = []
    for file in files:
        labels = colours.read(file)
        if maps and labels.shape != maps[0].shape:
            raise FormatError(f"{file}: is {_size(labels)}, {files[0].name} is {_size(maps[0])}")
        maps.append(labels)
    stacked = np.stack(maps)
    for place in colours.lone_objects():
        stacked[place][stacked[place] == VOID] = 1
    return LabelSequence(name or folder.resolve().name, tuple(f.stem for f in files), stacked)


def write_sequence(folder: Path, labels: NDArray[np.integer], stems: Sequence[str] | None = None) -> tuple[Path, ...]:
    """Write (T, H, W) ids as palette pictures `00000.png`, ... or under the given names; each file whole or not at all.

    Raises:
        ShapeError: another rank, ids outside 0..255, or as many names as frames are missing.
    """
    if labels.ndim != 3 or (labels.size and (labels.min() < 0 or labels.max() > VOID)):
        raise ShapeError(f"expected (T, H, W) ids from 0 to 255, got {labels.shape}")
    names = [f"{t:05d}" for t in range(len(labels))] if stems is None else list(stems)
    if len(names) != len(labels):
        raise ShapeError(f"{len(labels)} masks and {len(names)} names")
    palette = davis_palette().tobytes()
    files = []
    for name, frame in zip(names, labels, strict=True):
        picture = PILImage.fromarray(frame.astype(np.uint8))
        picture.putpalette(palette)
        with atomic_path(folder / f"{name}.png") as part:
            picture.save(part, "PNG")
        files.append(folder / f"{name}.png")
    return tuple(files)


class ColourNumbers:
    """Reads masks as ids. Colours keep their number over all files that one reader reads.

    Palette pictures and grey ones hold ids already. Where all the grey ones hold nothing but 0 and 255, that is one
    object and not void, see `lone_objects`: a picture alone cannot tell. In a colour picture the colours of the DAVIS
    palette stand for their places there, and other colours get the number after the highest so far, in the order of
    their red, green and blue.
    """

    def __init__(self) -> None:
        self._n_read = 0
        self._grey: list[int] = []
        self._grey_values: set[int] = set()
        self._numbers: dict[tuple[int, ...], int] = {(0, 0, 0): 0}
        self._of_palette = {tuple(c): n for n, c in enumerate(davis_palette().tolist())}

    def read(self, file: Path) -> LabelMap:
        """(H, W) uint8.

        Raises:
            FormatError: no readable picture, of another kind, or with more colours than there are ids.
        """
        try:
            with PILImage.open(file) as picture:
                mode = picture.mode
                pixels = np.asarray(picture)
        except (OSError, PILImage.DecompressionBombError, SyntaxError) as error:
            raise FormatError(f"{file}: not a readable mask ({error})") from error
        self._n_read += 1
        if mode == "P":
            return pixels
        if mode == "1":
            return pixels.astype(np.uint8)
        if mode in ("RGB", "RGBA"):
            return self._coloured(pixels[..., :3], file)
        if mode == "L" or mode.startswith("I"):
            return self._as_grey(pixels, file)
        raise FormatError(f"{file}: expected a mask with a palette, in grey or in colour, got mode `{mode}`")

    def lone_objects(self) -> Sequence[int]:
        """Which of the pictures read so far, from 0, show one object by the value 255."""
        return self._grey if self._grey_values <= {0, VOID} else ()

    def _as_grey(self, pixels: NDArray[np.integer], file: Path) -> LabelMap:
        values = set(np.unique(pixels).tolist())
        if not values <= set(range(VOID + 1)):
            raise FormatError(f"{file}: holds the number {max(values)}; the ids of a mask go from 0 to {VOID}")
        self._grey.append(self._n_read - 1)
        self._grey_values |= values
        return pixels.astype(np.uint8)

    def _coloured(self, pixels: LabelMap, file: Path) -> LabelMap:
        packed = pixels.astype(np.int64) @ np.array([65536, 256, 1])
        values, places = np.unique(packed, return_inverse=True)
        if len(values) > VOID:
            raise FormatError(f"{file}: has {len(values)} colours; an object has one, without soft edges")
        colours = [(int(v) >> 16, int(v) >> 8 & 255, int(v) & 255) for v in values]
        # Those of the palette first: their numbers are fixed.
        for colour in sorted(colours, key=lambda c: c not in self._of_palette):
            if colour not in self._numbers:
                self._numbers[colour] = self._next(colour, file)
        return np.array([self._numbers[c] for c in colours], np.uint8)[places].reshape(packed.shape)

    def _next(self, colour: tuple[int, int, int], file: Path) -> int:
        taken = set(self._numbers.values())
        number = self._of_palette.get(colour, max(taken - {VOID}) + 1)
        if number in taken:
            raise FormatError(f"{file}: mixes colours of the DAVIS palette with others; object {number} would be two")
        if number >= VOID and colour not in self._of_palette:
            raise FormatError(f"{file}: the sequence has more than {VOID - 1} colours; an object has one")
        return number


def _size(labels: LabelMap) -> str:
    return f"{labels.shape[1]}x{labels.shape[0]}"
