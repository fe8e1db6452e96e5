"""Picture files in and out: read as deep as they are, written with the mark of what was done to them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image as Pil
from PIL import ImageOps, UnidentifiedImageError

from onlooker.errors import ConfigError, DecodeError
from onlooker.media.marks import SUFFIXES, save_marked, with_label
from onlooker.methods.forensics.fttdr.framing import Pixels
from onlooker.methods.forensics.fttdr.infer import FtTdrRestorer, Restored

LABEL = "restored by AI"
_KEPT = ("L", "RGB", "RGBA")  # modes whose pixels are taken as they are


class ReadPicture(NamedTuple):
    """`pixels`, upright, (H, W) or (H, W, C), uint8 or uint16; `icc_profile` where the file has one that holds."""

    pixels: Pixels
    icc_profile: bytes | None


def read_pixels(path: str | Path) -> ReadPicture:
    """A picture file as deep as it is. The first frame of an animation; turned as its EXIF says.

    Grey of 16 bits stays; colour of 16 bits is read with the upper 8, which is all Pillow takes. CMYK and other inks
    become RGB without their profile, palettes become RGB, or RGBA where they hold transparency.

    Raises:
        DecodeError: missing, broken, or no picture.
    """
    try:
        with Pil.open(path) as opened:
            profile = opened.info.get("icc_profile")
            upright = ImageOps.exif_transpose(opened)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pil.DecompressionBombError) as error:
        raise DecodeError(f"`{path}` cannot be read as a picture ({error})") from error
    if upright.mode.startswith("I") or upright.mode == "F":
        return ReadPicture(_deep(upright, path), None)
    if upright.mode in _KEPT:
        return ReadPicture(np.array(upright), profile)
    mode = "RGBA" if upright.has_transparency_data else "RGB"
    return ReadPicture(np.array(upright.convert(mode)), None)


def restore_file(restorer: FtTdrRestorer, source: str | Path, target: str | Path, *, label: bool = False) -> Restored:
    """Restores a picture file into a new one that says so in its metadata.

    Args:
        restorer: see there.
        source: any picture file.
        target: `.png` and `.webp` keep what was not restored bit for bit; `.jpg` writes everything anew.
        label: also write "restored by AI" into the lower right corner, over what is there (8-bit RGB only).

    Raises:
        ConfigError: a target of another type, or the source itself.
        DecodeError: the source cannot be read.
    """
    source, target = Path(source), Path(target)
    if target.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"a restored picture is written as one of {', '.join(SUFFIXES)}, got `{target.name}`")
    if target.exists() and target.samefile(source):
        raise ConfigError(f"`{target}` is the picture to restore; name another file, so that the original stays")
    read = read_pixels(source)
    restored = restorer.restore(read.pixels)
    image = restored.image
    if label:
        if image.dtype != np.uint8:
            raise ConfigError(f"a label is written on pictures of 8 bits, `{source.name}` has 16; leave `label` out")
        image = with_label(np.asarray(Pil.fromarray(image).convert("RGB")), LABEL)
    save_marked(image, target, restored.mark, icc_profile=read.icc_profile)
    return restored


def _deep(picture: Pil.Image, path: str | Path) -> Pixels:
    """(H, W) uint16 of modes with more than 8 bits."""
    values = np.array(picture)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DecodeError(f"`{path}` holds NaN or infinity; no picture does")
    if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
        raise DecodeError(f"`{path}` holds values from {values.min()} to {values.max()}; expected 0 to 65535")
    return values.astype(np.uint16)
