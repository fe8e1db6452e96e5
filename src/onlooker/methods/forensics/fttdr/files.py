"""Picture files in and out: read as deep as they are, written with the mark of what was done to them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as Pil
from PIL import ImageOps, UnidentifiedImageError

from onlooker.errors import ConfigError, DecodeError
from onlooker.media.marks import SUFFIXES, Mark, save_marked, with_label
from onlooker.methods.forensics.fttdr.framing import Mask, Pixels
from onlooker.methods.forensics.fttdr.infer import FtTdrRestorer, Restored

LABEL = "restored by AI"
_KEPT = ("L", "RGB", "RGBA")  # modes whose pixels are taken as they are
_ORIENTATION = 0x0112  # of EXIF


class ReadPicture(NamedTuple):
    """What a file holds.

    Attributes:
        pixels: upright, (H, W) or (H, W, C), uint8 or uint16.
        icc_profile: where the file has one that holds for `pixels`.
        notes: what of the file is not in `pixels` ("the first of 12 pictures ...").
    """

    pixels: Pixels
    icc_profile: bytes | None
    notes: tuple[str, ...] = ()


def read_pixels(path: str | Path) -> ReadPicture:
    """A picture file as deep as it is. The first frame of an animation; turned as its EXIF says.

    CMYK and other inks become RGB without their profile, palettes become RGB, or RGBA where they hold transparency.

    Raises:
        DecodeError: missing, broken, or no picture.
    """
    try:
        with Pil.open(path) as opened:
            profile, notes = opened.info.get("icc_profile"), tuple(_notes(opened))
            if _is_deep_colour(opened):
                return ReadPicture(_deep_colour(path, opened.getexif().get(_ORIENTATION, 1)), profile, notes)
            upright = ImageOps.exif_transpose(opened)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pil.DecompressionBombError) as error:
        raise DecodeError(f"`{path}` cannot be read as a picture ({error})") from error
    if upright.mode.startswith("I") or upright.mode == "F":
        return ReadPicture(_deep(upright, path), None, notes)
    if upright.mode in _KEPT:
        return ReadPicture(np.array(upright), profile, notes)
    mode = "RGBA" if upright.has_transparency_data else "RGB"
    return ReadPicture(np.array(upright.convert(mode)), None, notes)


def restore_file(
    restorer: FtTdrRestorer,
    source: str | Path,
    target: str | Path,
    *,
    mask: Mask | None = None,
    label: bool = False,
) -> Restored:
    """Restores a picture file into a new one that says so in its metadata. Nothing to restore, nothing is written.

    Args:
        restorer: see there.
        source: any picture file.
        target: see `check_target` and `write_restored`.
        mask: restore exactly this instead of what is found; of the size of the upright picture.
        label: see `write_restored`.

    Raises:
        ConfigError: a target of another type, or the source itself.
        DecodeError: the source cannot be read.
        ShapeError: the mask is of another size.
    """
    check_target(source, target)
    read = read_pixels(source)
    restored = restorer.restore(read.pixels, mask)
    if restored.is_changed:
        write_restored(restored.image, target, restored.mark, icc_profile=read.icc_profile, label=label)
    return restored


def check_target(source: str | Path, target: str | Path) -> None:
    """Raises ConfigError unless `target` may be written: a type that holds a mark, and not the source."""
    source, target = Path(source), Path(target)
    if target.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"a restored picture is written as one of {', '.join(SUFFIXES)}, got `{target.name}`")
    if target.exists() and source.exists() and target.samefile(source):
        raise ConfigError(f"`{target}` is the picture to restore; name another file, so that the original stays")


def write_restored(
    image: Pixels, target: str | Path, mark: Mark, *, icc_profile: bytes | None = None, label: bool = False
) -> None:
    """Writes a restored picture with its mark.

    Args:
        image: as `Restored` holds it.
        target: `.png` and `.webp` keep what was not restored bit for bit; `.jpg` writes everything anew.
        mark: what it says.
        icc_profile: colours of the picture it comes from, if that had any.
        label: also write "restored by AI" into the lower right corner, over what is there (8 bits only, as RGB).

    Raises:
        ConfigError: a file type that cannot hold the mark or the picture, or a label on 16 bits.
    """
    if label:
        if image.dtype != np.uint8:
            raise ConfigError("a label is written on pictures of 8 bits, this one has 16; leave `label` out")
        image = with_label(np.asarray(Pil.fromarray(image).convert("RGB")), LABEL)
    save_marked(image, target, mark, icc_profile=icc_profile)


def _notes(opened: Pil.Image) -> list[str]:
    pictures = getattr(opened, "n_frames", 1)
    notes = [] if pictures == 1 else [f"the file holds {pictures} pictures: the first alone was looked at"]
    if opened.mode in ("CMYK", "LAB", "YCbCr"):
        notes.append(f"colours were brought from {opened.mode} to RGB, without a profile")
    return notes


def _is_deep_colour(opened: Pil.Image) -> bool:
    """Colour of 16 bits, of which Pillow reads 8: its decoder is told of the file's order of bytes."""
    told = str(opened.tile[0].args) if opened.tile else ""
    return opened.format in ("PNG", "TIFF") and ("RGB;16" in told or "RGBA;16" in told)


def _deep_colour(path: str | Path, orientation: int) -> Pixels:
    """(H, W, 3) or (H, W, 4) uint16, upright; read by OpenCV, which keeps all bits."""
    data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if read is None or read.dtype != np.uint16 or read.ndim != 3 or read.shape[2] not in (3, 4):
        raise DecodeError(f"`{path}` holds colour of 16 bits in a form that cannot be read; save it as PNG")
    pixels = cv2.cvtColor(read, cv2.COLOR_BGR2RGB if read.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    if orientation in (5, 6, 7, 8):  # lying: rows and columns change places
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _deep(picture: Pil.Image, path: str | Path) -> Pixels:
    """(H, W) uint16 of modes with more than 8 bits."""
    values = np.array(picture)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DecodeError(f"`{path}` holds NaN or infinity; no picture does")
    if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
        raise DecodeError(f"`{path}` holds values from {values.min()} to {values.max()}; expected 0 to 65535")
    return values.astype(np.uint16)
