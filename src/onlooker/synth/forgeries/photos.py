"""Real photos for hosts and donors: from installed packages and from folders, cleaned, each in one split for good.

Pictures are read where they are and never copied: their licences differ. Every photo is downscaled once by a factor
that is no ratio of small numbers, which destroys the 8x8 grid of whatever saved it before: all traces of compression in
an experiment are then of our making (sheet `forgery_data.md`, section B). Which split a photo is in depends on its name
alone, on every machine and with every seed. Views of one scene (stereo pairs, frames of one video) are ONE photo.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as PILImage
from PIL import UnidentifiedImageError

from onlooker.errors import MediaError, MissingExtraError, UnknownNameError
from onlooker.synth.forgeries.values import SPLITS, Split
from onlooker.types import FloatArray, Image

_CLEAN_FACTOR = (0.7, 0.85)
_VIEWS_OF_A_VIDEO = 3
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})
_CHECKOUT = Path(__file__).parents[4]
_VIDEO_FOLDERS = ("davis2016-val-240p", "davis2016-val-480p-3seq")
INSTALL_HINT = "install scikit-image, scikit-learn and matplotlib: pip install 'onlooker[forensics]'"
FACES_HINT = "more faces come with: pip install --no-deps insightface"

Points = tuple[tuple[float, float], ...]


class Face(NamedTuple):
    """A face in a photo: the `view` it is in, and `points_px` (5, 2) float32, x and y of the eye on the left, the eye
    on the right, the nose, and the mouth's left and right corner as the picture shows them."""

    view: int
    points_px: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Photo:
    """A cleaned photo.

    Attributes:
        id: its name, for good: "skimage/astronaut", "davis/camel".
        views: (H, W, 3) uint8 each; more than one for stereo pairs and videos.
        split: where all of its tiles belong.
        faces: with five points each, in pixels of the cleaned view.
    """

    id: str
    views: tuple[Image, ...]
    split: Split
    faces: tuple[Face, ...] = ()

    @property
    def is_grey(self) -> bool:
        """No view has colour. Grey photos are left out of splices: greyness would betray what is pasted."""
        return all(bool((view[..., :1] == view).all()) for view in self.views)


class _Packaged(NamedTuple):
    id: str
    package: str
    files: tuple[str, ...]
    split: Split
    faces: tuple[Points, ...] = ()


# Points were found by MTCNN (facenet-pytorch 2.6), in pixels of the file.
_ASTRONAUT = ((205, 102), (247, 104), (225, 129), (202, 139), (245, 142))
_HOPPER = ((222, 192), (310, 186), (269, 239), (233, 280), (307, 276))
_GROUP = (
    ((493, 319), (543, 332), (511, 363), (483, 370), (530, 380)),
    ((84, 330), (128, 303), (118, 338), (115, 373), (150, 349)),
    ((919, 119), (955, 112), (926, 151), (933, 177), (962, 170)),
    ((293, 209), (323, 187), (311, 224), (315, 244), (344, 228)),
    ((761, 397), (803, 401), (774, 432), (762, 439), (809, 442)),
    ((1150, 326), (1194, 325), (1164, 349), (1155, 368), (1196, 365)),
)
_ALIGNED = ((34, 51), (72, 50), (61, 79), (33, 92), (66, 91))
_SAMPLE_DATA = "mpl-data/sample_data/"
_PACKAGED = (
    _Packaged("skimage/astronaut", "skimage", ("data/astronaut.png",), "test", (_ASTRONAUT,)),
    _Packaged("skimage/chelsea", "skimage", ("data/chelsea.png",), "train"),
    _Packaged("skimage/coffee", "skimage", ("data/coffee.png",), "train"),
    _Packaged("skimage/rocket", "skimage", ("data/rocket.jpg",), "test"),
    _Packaged("skimage/motorcycle", "skimage", ("data/motorcycle_left.png", "data/motorcycle_right.png"), "train"),
    _Packaged("skimage/retina", "skimage", ("data/retina.jpg",), "train"),
    _Packaged("skimage/hubble", "skimage", ("data/hubble_deep_field.jpg",), "validation"),
    _Packaged("skimage/ihc", "skimage", ("data/ihc.png",), "validation"),
    _Packaged("skimage/brick", "skimage", ("data/brick.png",), "train"),
    _Packaged("skimage/grass", "skimage", ("data/grass.png",), "train"),
    _Packaged("skimage/gravel", "skimage", ("data/gravel.png",), "test"),
    _Packaged("skimage/camera", "skimage", ("data/camera.png",), "test"),
    _Packaged("sklearn/china", "sklearn", ("datasets/images/china.jpg",), "train"),
    _Packaged("sklearn/flower", "sklearn", ("datasets/images/flower.jpg",), "test"),
    _Packaged("matplotlib/hopper", "matplotlib", (_SAMPLE_DATA + "grace_hopper.jpg",), "test", (_HOPPER,)),
    _Packaged("insightface/group", "insightface", ("data/images/t1.jpg",), "train", _GROUP),
    _Packaged("insightface/aligned", "insightface", ("data/images/Tom_Hanks_54745.png",), "validation", (_ALIGNED,)),
)
# The split proposed with the videos; three of its training videos serve as validation.
_VIDEO_SPLITS: dict[str, Split] = {
    **dict.fromkeys(
        ("blackswan", "car-shadow", "dog", "goat", "kite-surf", "libby", "parkour", "scooter-black"), "test"
    ),
    **dict.fromkeys(("bmx-trees", "cows", "soapbox"), "validation"),
    **dict.fromkeys(
        ("breakdance", "camel", "car-roundabout", "dance-twirl", "drift-chicane", "drift-straight", "horsejump-high",
         "motocross-jump", "paragliding-launch"),
        "train",
    ),
}  # fmt: skip


def photo_sources(folders: Sequence[str | Path] | None = None, *, least: int = 4) -> tuple[Photo, ...]:
    """Every photo at hand, cleaned, in a fixed order.

    Args:
        folders: more photos: folders of pictures (one photo per file), or of videos in the layout of DAVIS (one photo
            per sequence). `None` looks for the shared videos beside a checkout; `()` takes packages alone.
        least: photos with colour that are needed.

    Raises:
        MissingExtraError: fewer than `least`; the message names what to install.
        MediaError: a picture in `folders` cannot be read.
    """
    found = [photo for row in _PACKAGED if (photo := _read_packaged(row)) is not None]
    for folder in shared_folders() if folders is None else [Path(one) for one in folders]:
        found.extend(_read_folder(folder))
    unique = {photo.id: photo for photo in reversed(found)}
    photos = tuple(unique[name] for name in sorted(unique))
    coloured = sum(not photo.is_grey for photo in photos)
    if coloured < least:
        raise MissingExtraError(f"forgeries need {least} photos with colour, found {coloured}; {INSTALL_HINT}")
    return photos


def photos_of(photos: Sequence[Photo], split: Split) -> tuple[Photo, ...]:
    """Those of a split."""
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    return tuple(photo for photo in photos if photo.split == split)


def shared_folders() -> list[Path]:
    """Videos in `../shared/data` beside the checkout this package runs from; empty where there are none."""
    data = _CHECKOUT.parent / "shared" / "data"
    return [data / name for name in _VIDEO_FOLDERS if (data / name / "JPEGImages").is_dir()]


def small_faces(split: Split) -> tuple[Photo, ...]:
    """The 100 grey faces of 25x25 pixels in `skimage/data/lfw_subset.npy`: 60 train, 15 validation, 25 test, by their
    place in the file. Who is on them is not recorded: two may show one person.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    place = _package_folder("skimage")
    if place is None or not (place / "data" / "lfw_subset.npy").is_file():
        raise MissingExtraError(f"the small faces are in scikit-image; {INSTALL_HINT}")
    faces = np.load(place / "data" / "lfw_subset.npy")[:100]  # the second half shows no faces
    ranges = {"train": range(60), "validation": range(60, 75), "test": range(75, 100)}
    made = []
    for k in ranges[split]:
        grey = np.rint(faces[k] * 255).astype(np.uint8)
        made.append(Photo(f"lfw/{k:03d}", (np.repeat(grey[..., None], 3, axis=2),), split))
    return tuple(made)


def split_of(name: str) -> Split:
    """The split of a photo nobody listed, by the hash of its name: 60 percent train, 15 validation, 25 test."""
    drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 100
    return "train" if drawn < 60 else "validation" if drawn < 75 else "test"


def clean(image: Image, name: str) -> tuple[Image, float]:
    """`image` downscaled by the factor that belongs to `name`, and the factor.

    The factor is drawn from [0.7, 0.85] by the hash of the name: no ratio that maps an 8x8 grid on another.
    """
    drawn = int.from_bytes(hashlib.sha256(b"factor " + name.encode()).digest()[:4], "big") / 2**32
    factor = _CLEAN_FACTOR[0] + drawn * (_CLEAN_FACTOR[1] - _CLEAN_FACTOR[0])
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    resized = PILImage.fromarray(image).resize(size, PILImage.Resampling.LANCZOS)
    return np.asarray(resized), factor


# Read once for a process: every split of every dataset asks for all of them. They are some ten megabytes, read-only.
@cache
def _read_packaged(row: _Packaged) -> Photo | None:
    place = _package_folder(row.package)
    if place is None or not all((place / file).is_file() for file in row.files):
        return None
    cleaned = [clean(_read(place / file), row.id) for file in row.files]
    points = [np.array(face, np.float32) * np.float32(cleaned[0][1]) for face in row.faces]
    return Photo(row.id, tuple(image for image, _ in cleaned), row.split, tuple(Face(0, p) for p in points))


def _package_folder(name: str) -> Path | None:
    """Where a package is installed, without importing it."""
    found = importlib.util.find_spec(name)
    return None if found is None or not found.submodule_search_locations else Path(found.submodule_search_locations[0])


def _read_folder(folder: Path) -> list[Photo]:
    videos = folder / "JPEGImages"
    if videos.is_dir():
        places = [place for place in sorted(videos.iterdir()) if place.is_dir()]
        return [_read_video(place, place.stat().st_mtime_ns) for place in places]
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES]
    made = []
    for path in files:
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        made.append(Photo(name, (clean(_read(path), name)[0],), split_of(name)))
    return made


@cache
def _read_video(place: Path, changed_ns: int) -> Photo:
    """Frames of a folder; read anew when files came or went there since."""
    name = f"davis/{place.name}"
    files = sorted(path for path in place.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise MediaError(f"`{place}` holds no frames")
    picked = np.unique(np.linspace(0, len(files) - 1, _VIEWS_OF_A_VIDEO).round().astype(int))
    views = tuple(clean(_read(files[k]), name)[0] for k in picked)
    return Photo(name, views, _VIDEO_SPLITS.get(place.name) or split_of(name))


def _read(path: Path) -> Image:
    try:
        with PILImage.open(path) as opened:
            return np.array(opened.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise MediaError(f"`{path}` is no picture that can be read: {error}") from error


def enlarge(image: Image, size_px: int) -> Image:
    """`image` at `size_px` squared, cubic."""
    larger: Image = cv2.resize(image, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    return larger
