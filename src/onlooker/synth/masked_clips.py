"""What the clip makers hand over: frames with an instance map, and everything that follows from the map.

`MaskedClip` is the value; `MaskedPictures` opens a folder in the layout of DAVIS, keeps a bounded number of decoded
pictures, and names the split of the sheets: networks are trained on some sequences and measured on others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from onlooker.errors import ConfigError, FormatError, NothingFoundError, ShapeError, UnknownNameError
from onlooker.types import FloatArray, Image

LabelMap = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

# The validation set of DAVIS 2016 with a broad category for the annotated object of each (ours: three that occur on
# both sides of the split).
CATEGORIES = ("animal", "person", "vehicle")
CATEGORY_OF = {
    "blackswan": "animal",
    "bmx-trees": "person",
    "breakdance": "person",
    "camel": "animal",
    "car-roundabout": "vehicle",
    "car-shadow": "vehicle",
    "cows": "animal",
    "dance-twirl": "person",
    "dog": "animal",
    "drift-chicane": "vehicle",
    "drift-straight": "vehicle",
    "goat": "animal",
    "horsejump-high": "animal",
    "kite-surf": "person",
    "libby": "animal",
    "motocross-jump": "vehicle",
    "paragliding-launch": "person",
    "parkour": "person",
    "scooter-black": "vehicle",
    "soapbox": "vehicle",
}
TEST_SEQUENCES = ("blackswan", "car-shadow", "dog", "goat", "kite-surf", "libby", "parkour", "scooter-black")
TRAIN_SEQUENCES = tuple(name for name in CATEGORY_OF if name not in TEST_SEQUENCES)
# Sequences in whose scene nothing of the categories goes without a mask (chosen by eye): crowds and parked cars would
# be objects that the truth does not know.
_CROWDED = frozenset(
    ("breakdance", "camel", "car-roundabout", "car-shadow", "dance-twirl", "drift-straight", "motocross-jump")
)
CLEAN_SCENES = frozenset(CATEGORY_OF) - _CROWDED - {"scooter-black", "soapbox"}
_IGNORED = 255  # "not to be judged" in the masks of DAVIS


@dataclass(frozen=True, eq=False)
class MaskedClip:
    """A clip with the truth about its objects.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        labels: (T, H, W) uint8, 0 for ground, else the id of the object that is seen there.
        ids: (K,) int64, ascending, every id that is seen on some frame.
        categories: K names.
        twins: pairs of ids that look alike on purpose.
    """

    frames: Image
    labels: LabelMap
    ids: NDArray[np.int64]
    categories: tuple[str, ...]
    twins: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.frames.shape[3] != 3 or self.frames.dtype != np.uint8:
            raise ShapeError(f"expected frames (T, H, W, 3) uint8, got {self.frames.shape} {self.frames.dtype}")
        if self.labels.shape != self.frames.shape[:3]:
            raise ShapeError(f"frames {self.frames.shape} and labels {self.labels.shape} differ")
        if len(self.categories) != len(self.ids):
            raise ShapeError(f"{len(self.ids)} ids and {len(self.categories)} categories")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def category_index(self) -> NDArray[np.int64]:
        """(K,) places in `CATEGORIES`."""
        return np.array([CATEGORIES.index(name) for name in self.categories], np.int64)

    def masks(self) -> BoolArray:
        """(T, K, H, W): where each object is seen."""
        return np.asarray(self.labels[:, None] == self.ids[None, :, None, None])

    def visible(self) -> BoolArray:
        """(T, K): whether each object is seen at all."""
        return np.stack([np.isin(self.ids, np.unique(frame)) for frame in self.labels])

    def boxes_xyxy_px(self) -> FloatArray:
        """(T, K, 4) boxes around what is seen, ends exclusive; zeros where `visible` is False."""
        boxes = np.zeros((len(self), len(self.ids), 4), np.float32)
        for t, frame in enumerate(self.labels):
            for place, number in enumerate(self.ids.tolist()):
                box = box_of(frame == number)
                if box is not None:
                    boxes[t, place] = box
        return boxes

    def from_frame(self, t: int) -> MaskedClip:
        """The clip with only the objects that are seen on frame `t`; the others become ground.

        Video object segmentation can be asked for nothing else.
        """
        kept = self.visible()[t]
        chosen = self.ids[kept]
        labels = np.where(np.isin(self.labels, chosen), self.labels, np.uint8(0))
        categories = tuple(name for name, keep in zip(self.categories, kept, strict=True) if keep)
        twins = tuple(pair for pair in self.twins if np.isin(pair, chosen).all())
        return MaskedClip(self.frames, labels, chosen, categories, twins)

    def gaps(self) -> BoolArray:
        """(T, K): the object is not seen now, but was before and will be again."""
        seen = self.visible()
        before = np.maximum.accumulate(seen, axis=0)
        after = np.maximum.accumulate(seen[::-1], axis=0)[::-1]
        return np.asarray(before & after & ~seen)


def box_of(mask: BoolArray) -> tuple[int, int, int, int] | None:
    """(x1, y1, x2, y2) around an (H, W) mask, ends exclusive; `None` for a mask of nothing."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


class MaskedPicture(NamedTuple):
    """`image` (H, W, 3) uint8 RGB and `labels` (H, W) uint8. Both belong to the cache: read, never write."""

    image: Image
    labels: LabelMap


class MaskedPictures:
    """Pictures with masks from `JPEGImages/NAME/*.jpg` and `Annotations/NAME/*.png`, decoded when asked for.

    Args:
        folder: root of the data set.
        sequences: names to use; those that the folder lacks are left out.
        height_px: pictures are made this high when they are read, aspect kept; `None` keeps them.
        cache_mb: decoded pictures kept; the ones not used for longest go first.

    Raises:
        NothingFoundError: the folder holds none of the sequences.
        FormatError: a sequence has no picture, or pictures and masks do not pair up.
    """

    def __init__(
        self, folder: str | Path, sequences: Sequence[str], *, height_px: int | None = None, cache_mb: float = 200.0
    ) -> None:
        if cache_mb < 0 or (height_px is not None and height_px < 1):
            raise ConfigError(f"a cache is 0 MB or more and a height 1 px or more, got {cache_mb} and {height_px}")
        root = Path(folder)
        self.sequences = tuple(name for name in sequences if (root / "JPEGImages" / name).is_dir())
        if not self.sequences:
            raise NothingFoundError(f"`{root / 'JPEGImages'}` holds none of the sequences {', '.join(sequences)}")
        self._files = {name: _pairs(root, name) for name in self.sequences}
        self._height_px, self._room = height_px, int(cache_mb * 2**20)
        self._kept: OrderedDict[tuple[str, int], MaskedPicture] = OrderedDict()
        self.cached_bytes = 0

    def n_frames(self, sequence: str) -> int:
        """Frames of a sequence."""
        return len(self._pairs_of(sequence))

    def read(self, sequence: str, frame: int) -> MaskedPicture:
        """One frame with its mask, ids as in the file.

        Raises:
            UnknownNameError: no such sequence.
            FormatError: a file is not a picture, or the mask has another size than the picture.
        """
        key = (sequence, frame)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        picture = _read(*self._pairs_of(sequence)[frame], self._height_px)
        size = picture.image.nbytes + picture.labels.nbytes
        if size <= self._room:
            self._kept[key] = picture
            self.cached_bytes += size
        while self.cached_bytes > self._room:
            _, old = self._kept.popitem(last=False)
            self.cached_bytes -= old.image.nbytes + old.labels.nbytes
        return picture

    def _pairs_of(self, sequence: str) -> list[tuple[Path, Path]]:
        if sequence not in self._files:
            raise UnknownNameError("sequence", sequence, self._files)
        return self._files[sequence]


def _pairs(root: Path, name: str) -> list[tuple[Path, Path]]:
    pictures = sorted((root / "JPEGImages" / name).glob("*.jpg"))
    masks = [root / "Annotations" / name / f"{picture.stem}.png" for picture in pictures]
    missing = [mask for mask in masks if not mask.is_file()]
    if not pictures or missing:
        raise FormatError(f"{root}: `{name}` has no pictures" if not pictures else f"{missing[0]}: does not exist")
    return list(zip(pictures, masks, strict=True))


def _read(picture: Path, mask: Path, height_px: int | None) -> MaskedPicture:
    try:
        with PILImage.open(picture) as opened:
            image = opened.convert("RGB")
        with PILImage.open(mask) as opened:
            labels = opened.copy()
    except OSError as error:  # Pillow's "not a picture" is one too
        raise FormatError(f"{picture}, {mask.name}: not readable as picture and mask ({error})") from error
    if labels.mode not in ("P", "L", "1") or labels.size != image.size:
        raise FormatError(f"{mask}: expected a mask of {image.size} numbers, got {labels.size} in mode `{labels.mode}`")
    if height_px is not None and height_px != image.height:
        size = (max(1, round(image.width * height_px / image.height)), height_px)
        image = image.resize(size, PILImage.Resampling.BOX if height_px < image.height else PILImage.Resampling.BICUBIC)
        labels = labels.resize(size, PILImage.Resampling.NEAREST)
    numbers = np.asarray(labels, np.uint8)
    # A grey mask of 0 and 255 is one object; in a palette picture 255 means "do not judge".
    lone = labels.mode == "L" and set(np.unique(numbers).tolist()) <= {0, _IGNORED}
    return MaskedPicture(np.asarray(image), np.where(numbers == _IGNORED, np.uint8(lone), numbers))
