"""The release's index files: one picture per line, `image<TAB>mask<TAB>label`, with masks that mean what they show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import UnidentifiedImageError

from onlooker.errors import DecodeError, FormatError
from onlooker.media.images import read_picture
from onlooker.types import Image

_HALF = 127  # ours; the release takes 255 alone, so that masks saved as JPEG lose area
_ORIENTATION = 0x0112  # EXIF
_NO_MASK = frozenset({"", "none", "null", "-"})
_TURNS = {
    2: Pil.Transpose.FLIP_LEFT_RIGHT,
    3: Pil.Transpose.ROTATE_180,
    4: Pil.Transpose.FLIP_TOP_BOTTOM,
    5: Pil.Transpose.TRANSPOSE,
    6: Pil.Transpose.ROTATE_270,
    7: Pil.Transpose.TRANSVERSE,
    8: Pil.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class ListedPicture:
    """One line.

    Attributes:
        image: the picture.
        mask: its mask, white where manipulated; `None` for an authentic picture that has none.
        is_fake: the label was anything but "0".
        where: the line, for messages.
    """

    image: Path
    mask: Path | None
    is_fake: bool
    where: str


def read_list(path: str | Path) -> tuple[ListedPicture, ...]:
    """Every line; paths are relative to the file.

    Raises:
        FormatError: no such file, not three columns, a picture or mask that is not there, or a manipulated picture
            without a mask; the message names the line.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FormatError(f"there is no list at `{path}`; expected lines of image, mask and label with tabs between")
    rows = [
        _row(line.rstrip("\r\n"), f"line {number} of `{path.name}`", path.parent)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line.strip()
    ]
    if not rows:
        raise FormatError(f"the list `{path}` is empty; it needs a line per picture")
    return tuple(rows)


def load_pair(row: ListedPicture) -> tuple[Image, NDArray[np.bool_]]:
    """A picture, upright, and its mask in the same size: (H, W, 3) uint8 and (H, W).

    A mask of another size is resized without blending. A mask in the size that a turned picture is stored in is turned
    with it: it was drawn on the stored pixels.

    Raises:
        DecodeError: picture or mask cannot be read.
        FormatError: an authentic picture has a mask that is not empty, a manipulated one an empty one.
    """
    image = read_picture(row.image)
    height, width = image.shape[:2]
    if row.mask is None:
        return image, np.zeros((height, width), np.bool_)
    mask = _upright_mask(row.mask, row.image, (height, width))
    if mask.shape != (height, width):
        resized = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        mask = resized.astype(np.bool_)
    if mask.any() != row.is_fake:
        found, label = ("something", "authentic") if mask.any() else ("nothing", "manipulated")
        raise FormatError(f"{row.where} says {label}, its mask marks {found}; white is manipulated, black is not")
    return image, mask


def _row(line: str, where: str, folder: Path) -> ListedPicture:
    columns = line.split("\t")
    if len(columns) != 3:
        raise FormatError(f"{where} has {len(columns)} columns, expected image, mask and label with tabs between")
    image, mask, label = (column.strip() for column in columns)
    is_fake = label != "0"
    mask_path = None if mask.lower() in _NO_MASK else folder / mask
    if mask_path is None and is_fake:
        raise FormatError(f"{where} is manipulated (label `{label}`) and names no mask")
    for path in (folder / image, mask_path):
        if path is not None and not path.is_file():
            raise FormatError(f"{where}: there is no file `{path}`")
    return ListedPicture(folder / image, mask_path, is_fake, where)


def _upright_mask(path: Path, image: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    try:
        with Pil.open(path) as opened, Pil.open(image) as picture:
            mask = np.asarray(opened.convert("L")) > _HALF
            turn = _TURNS.get(int(picture.getexif().get(_ORIENTATION, 1)))
            stored = (picture.height, picture.width)
    except (UnidentifiedImageError, OSError, ValueError, Pil.DecompressionBombError) as error:
        raise DecodeError(f"`{path}` cannot be read as a mask ({error})") from error
    # A square picture, or one upside down, leaves open which pixels the mask was drawn on: taken as seen upright.
    if turn is None or mask.shape == size or mask.shape != stored:
        return mask
    return np.asarray(Pil.fromarray(mask).transpose(turn))
