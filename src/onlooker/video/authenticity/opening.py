"""Opening a picture file for a close look: pixels as stored, the file's bytes, and what was lost on the way.

Pixels are NOT turned as the metadata asks: blocks of a JPEG lie where they were stored. `upright` turns them.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import UnidentifiedImageError

from onlooker.errors import DecodeError, MediaError
from onlooker.types import Image

# Formats that are let in; Pillow knows more, and some of them start other programs.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")
MOST_PIXELS = 150_000_000  # ours: under two gigabytes while it is judged
MOST_BYTES = 1 << 30
_ORIENTATION = 0x0112
_LOSSY = frozenset({"WEBP", "AVIF", "JPEG2000", "GIF"})

P = TypeVar("P", bound=np.generic)


@dataclass(frozen=True, eq=False, slots=True)
class OpenedPicture:
    """One picture file.

    Attributes:
        path: of the file.
        data: its bytes.
        image: (H, W, 3) uint8 RGB as stored; of an animation the first frame.
        file_format: Pillow's name, like "JPEG".
        mode: Pillow's name of how colours are stored, like "RGB" or "CMYK".
        orientation: EXIF's, 1 to 8; how `upright` turns.
        n_frames: of an animation or a file of several pages; 1 for others.
        changed: what opening changed, in words: depth, colours, transparency.
    """

    path: Path
    data: bytes
    image: Image
    file_format: str
    mode: str
    orientation: int
    n_frames: int
    changed: tuple[str, ...]

    @property
    def file_bytes(self) -> bytes | None:
        """What rules that read the file may read; `None` of a JPEG in CMYK, whose blocks hold inks and no luminance."""
        return None if self.mode == "CMYK" else self.data


def known_formats() -> tuple[str, ...]:
    """Formats that are let in and that the installed Pillow reads."""
    Pil.init()
    return tuple(name for name in _FORMATS if name in Pil.OPEN)


def is_picture(path: str | Path) -> bool:
    """Whether the file begins like a picture; nothing of it is decoded.

    Raises:
        MediaError: there is no such file, or it is a folder or empty.
    """
    place = _checked(Path(path))
    try:
        with _quiet(), Pil.open(place, formats=known_formats()):
            return True
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return False
    except Pil.DecompressionBombError:
        return True


def open_picture(path: str | Path) -> OpenedPicture:
    """Decodes a picture file.

    Raises:
        MediaError: missing, no picture, or one that declares more than 150 million pixels.
        DecodeError: damaged or cut off.
    """
    place = _checked(Path(path))
    if place.stat().st_size > MOST_BYTES:
        raise MediaError(f"`{place}` has {place.stat().st_size:,} bytes, more than {MOST_BYTES:,} for a picture")
    data = place.read_bytes()
    try:
        with _quiet(), Pil.open(io.BytesIO(data), formats=known_formats()) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise MediaError(
                    f"`{place}` declares {opened.width}x{opened.height} pixels, more than {MOST_PIXELS:,}; "
                    "cut or shrink it first, and mind that shrinking removes traces"
                )
            file_format, mode = str(opened.format), str(opened.mode)
            deep = any(";16" in str(part) for part in getattr(opened, "tile", ()))  # Pillow cuts such colours to 8 bits
            n_frames = 1 if file_format == "MPO" else int(getattr(opened, "n_frames", 1))
            orientation = int(opened.getexif().get(_ORIENTATION, 1))
            image, changed = _to_rgb(opened)
    except Pil.DecompressionBombError as error:
        raise MediaError(f"`{place}` declares more pixels than {MOST_PIXELS:,} ({error})") from error
    except UnidentifiedImageError as error:
        raise MediaError(f"`{place}` is no picture that can be read") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DecodeError(f"`{place}` is damaged or cut off: {error}; copy or download it again") from error
    orientation = orientation if 1 <= orientation <= 8 else 1
    changed = (_DEEP, *changed) if deep and _DEEP not in changed else changed
    return OpenedPicture(place, data, image, file_format, mode, orientation, n_frames, changed)


def upright(pixels: NDArray[P], orientation: int) -> NDArray[P]:
    """(H, W, ...) turned as EXIF's orientation 1 to 8 asks."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def unlike_tested(picture: OpenedPicture) -> tuple[str, ...]:
    """Why a picture file is unlike those the rules were measured on; empty where it is like them."""
    reasons = list(picture.changed)
    if picture.n_frames > 1:
        what, one = ("pages", "page") if picture.file_format == "TIFF" else ("animation", "frame")
        reasons.append(f"{what}: only the first of {picture.n_frames} {one}s was judged")
    if picture.file_format in _LOSSY:
        reasons.append(f"format: {picture.file_format} was not among the tested ones, and its compression hides traces")
    return tuple(reasons)


def _checked(path: Path) -> Path:
    if path.is_dir():
        raise MediaError(f"`{path}` is a folder, expected a picture or video file")
    if not path.exists():
        raise MediaError(f"there is no file `{path}`; check the name and the folder it is in")
    if not path.is_file():
        raise MediaError(f"`{path}` is not a regular file; copy what it gives to a file first")
    if path.stat().st_size == 0:
        raise MediaError(f"`{path}` is empty (0 bytes); copy or download it again")
    return path


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns of large pictures and odd metadata; sizes are checked here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _to_rgb(opened: Pil.Image) -> tuple[Image, tuple[str, ...]]:
    """(H, W, 3) uint8 and what was changed."""
    mode = opened.mode
    if mode.startswith("I") or mode == "F":
        grey = _to_bytes(np.asarray(opened, np.float64), mode)
        return np.repeat(grey[..., None], 3, axis=2), (_DEEP,)
    changed = () if mode == "RGB" else _CHANGED.get(mode, (f"colours: converted from {mode}",))
    return np.array(opened.convert("RGB")), changed


def _to_bytes(values: NDArray[np.float64], mode: str) -> NDArray[np.uint8]:
    """Grey values of any depth as bytes. What is white is not written down where a file holds fractions or 32 bits: it
    is the smallest of 1 (fractions alone), 255 and 65535 that no value exceeds, or the largest value."""
    finite = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    most = float(finite.max(initial=0))
    if mode.startswith("I;16"):
        white = 65535.0
    else:
        usual = (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0)
        white = next((one for one in usual if most <= one), most)
    return np.clip(finite * (255.0 / white), 0, 255).astype(np.uint8)


_DEEP = "depth: more than 8 bits, cut to 8"
_CHANGED: Mapping[str, tuple[str, ...]] = {
    "RGBA": ("transparency: dropped before judging",),
    "LA": ("transparency: dropped before judging", "colours: a grey picture"),
    "L": ("colours: a grey picture",),
    "1": ("colours: black and white only",),
    "P": ("colours: a palette, which hides traces",),
    "CMYK": ("colours: CMYK, made for print, converted",),
}
