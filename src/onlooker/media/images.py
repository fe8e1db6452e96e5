"""Pictures: JPEG to and from bytes, and a folder of pictures read as if it were a video."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image as Pil
from PIL import ImageOps, UnidentifiedImageError

from onlooker.errors import ConfigError, DecodeError, NotAVideoError
from onlooker.types import Frame, Image

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})


def to_jpeg(image: Image, quality: int = 90) -> bytes:
    """(H, W, 3) uint8 RGB as JPEG bytes; `quality` 1 to 95."""
    if not 1 <= quality <= 95:
        raise ConfigError(f"JPEG `quality` is 1 to 95, got {quality}")
    buffer = io.BytesIO()
    Pil.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def from_jpeg(data: bytes) -> Image:
    """(H, W, 3) uint8 RGB of a picture in bytes (JPEG, or anything else Pillow reads), turned upright.

    Raises:
        DecodeError: the bytes are no picture.
    """
    return _decode(io.BytesIO(data), f"{len(data)} bytes")


def read_picture(path: str | Path) -> Image:
    """(H, W, 3) uint8 RGB of a picture file, turned upright.

    Raises:
        DecodeError: the file is missing or no picture.
    """
    return _decode(Path(path), f"`{path}`")


def list_pictures(folder: str | Path) -> list[Path]:
    """The pictures directly inside a folder in the order of the numbers in their names (2.jpg before 10.jpg).

    Raises:
        NotAVideoError: not a folder, or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotAVideoError(f"`{folder}` is not a folder; expected a folder of pictures")
    paths = [p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and not p.name.startswith(".")]
    if not paths:
        raise NotAVideoError(f"the folder `{folder}` holds no pictures (jpg, png, bmp, webp, tif)")
    return sorted(paths, key=natural_key)


class ImageSequenceReader:
    """Iterates over picture files as the frames of a video; same use and attributes as `VideoReader`.

    Frame k is at k / fps seconds. A picture is opened only when its pixels are asked for. The first picture gives the
    size; others are fitted into it, aspect kept, on black.

    Args:
        pictures: a folder, or picture files in order.
        fps: pictures per second.

    Attributes:
        n_frames, end_s, problem, size: as in `VideoReader`; `problem` names pictures that could not be opened.

    Raises:
        NotAVideoError: on opening, when there is no picture.
        DecodeError: on opening, when the first picture is broken.
        ConfigError: `fps` is not positive.
    """

    def __init__(self, pictures: str | Path | Sequence[str | Path], fps: float) -> None:
        if not fps > 0:
            raise ConfigError(f"`fps` must be positive, got {fps}")
        paths = list_pictures(pictures) if isinstance(pictures, str | Path) else [Path(p) for p in pictures]
        if not paths:
            raise NotAVideoError("a sequence of pictures needs at least one picture, got none")
        self.paths, self.fps = paths, fps
        first = read_picture(paths[0])
        self.size: tuple[int, int] = (first.shape[1], first.shape[0])
        self.n_frames = 0
        self.end_s = 0.0
        self.problem: str | None = None

    def __enter__(self) -> ImageSequenceReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self.paths):
            self.n_frames = index + 1
            self.end_s = self.n_frames / self.fps
            yield self._lazy_frame(index, path)

    def _lazy_frame(self, index: int, path: Path) -> Frame:
        kept: list[Image] = []

        def pixels() -> Image:
            if not kept:
                kept.append(self._fitted(path))
            return kept[0]

        return Frame(index, index / self.fps, self.size, pixels, lambda width: _grey(pixels(), width))

    def _fitted(self, path: Path) -> Image:
        try:
            image = read_picture(path)
        except DecodeError as error:
            # One broken picture in the middle does not end the sequence: it shows black, and is told.
            self.problem = f"{self.problem}; {error}" if self.problem else str(error)
            return np.zeros((self.size[1], self.size[0], 3), np.uint8)
        if (image.shape[1], image.shape[0]) == self.size:
            return image
        return np.asarray(ImageOps.pad(Pil.fromarray(image), self.size, Pil.Resampling.BILINEAR, color=(0, 0, 0)))


def _grey(image: Image, width: int) -> Image:
    height = max(1, round(image.shape[0] * min(1.0, width / image.shape[1])))
    small = Pil.fromarray(image).convert("L")
    if width < image.shape[1]:
        small = small.resize((width, height), Pil.Resampling.BOX)
    return np.asarray(small)


def _decode(source: io.BytesIO | Path, name: str) -> Image:
    try:
        with Pil.open(source) as picture:
            return np.asarray(_eight_bits(ImageOps.exif_transpose(picture)).convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pil.DecompressionBombError) as error:
        raise DecodeError(f"{name} cannot be read as a picture ({error})") from error


def _eight_bits(picture: Pil.Image) -> Pil.Image:
    """Grey of sixteen bits as grey of eight; Pillow would make everything above 255 white."""
    if picture.mode not in ("I", "I;16", "I;16B", "I;16L"):
        return picture
    values = np.asarray(picture)
    if picture.mode == "I" and int(values.max(initial=0)) <= 255:
        return picture
    return Pil.fromarray(np.clip(np.rint(values / 257), 0, 255).astype(np.uint8))


def natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """What to sort pictures by so that 2.jpg comes before 10.jpg."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts], path.name
