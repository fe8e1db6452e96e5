"""What detectors of compression share: luminance and tables as stored, block transforms, saving again."""

from __future__ import annotations

import io
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL.JpegImagePlugin import JpegImageFile

from onlooker.errors import MediaError
from onlooker.types import FloatArray, Image

_CHROMA = {
    0: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    1: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    2: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}


class StoredJpeg(NamedTuple):
    """`luma` (H, W) float32 as decoded, without conversion of colours; `table` (8, 8) steps of luminance; `quality`
    whose standard table is nearest."""

    luma: FloatArray
    table: NDArray[np.int64]
    quality: int


class StoredLuma(NamedTuple):
    """As `StoredJpeg`, its luminance still (H, W) uint8: a quarter of the memory, for large pictures."""

    luma: NDArray[np.uint8]
    table: NDArray[np.int64]
    quality: int


def read_jpeg(data: bytes) -> StoredJpeg:
    """Raises MediaError for what is no JPEG."""
    stored = read_luma(data)
    return StoredJpeg(stored.luma.astype(np.float32), stored.table, stored.quality)


def read_luma(data: bytes) -> StoredLuma:
    """Raises MediaError for what is no JPEG."""
    try:
        with PILImage.open(io.BytesIO(data)) as opened:
            if not isinstance(opened, JpegImageFile):
                raise MediaError(f"expected a JPEG, got {opened.format}")
            tables = opened.quantization
            opened.draft("L", opened.size)
            luma = np.array(opened if opened.mode == "L" else opened.convert("L"))
    except (OSError, SyntaxError) as error:
        raise MediaError(f"no JPEG that can be read: {error}") from error
    table = np.array(tables[0], np.int64).reshape(8, 8)
    return StoredLuma(luma, table, nearest_quality(table))


def nearest_quality(table: NDArray[np.int64]) -> int:
    """Quality in libjpeg's scale whose luminance table is nearest in the mean."""
    sums = [int(np.abs(standard_table(quality) - table).sum()) for quality in range(1, 101)]
    return int(np.argmin(sums)) + 1


def standard_table(quality: int) -> NDArray[np.int64]:
    """(8, 8) steps of luminance at a quality, as libjpeg scales Annex K of the standard."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((_ANNEX_K * scale + 50) // 100, 1, 255)


_ANNEX_K = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.int64,
)


def block_dct(luma: FloatArray, offset: tuple[int, int] = (0, 0)) -> FloatArray:
    """(h, w, 8, 8) orthonormal DCT-II of whole 8x8 blocks; the first begins at `offset` (y, x)."""
    top, left = offset
    height, width = (luma.shape[0] - top) // 8 * 8, (luma.shape[1] - left) // 8 * 8
    blocks = luma[top : top + height, left : left + width].reshape(height // 8, 8, width // 8, 8).swapaxes(1, 2)
    return np.asarray(_DCT @ (blocks - np.float32(128)) @ _DCT.T, np.float32)


def _dct_matrix() -> FloatArray:
    k, n = np.mgrid[:8, :8]
    matrix = np.sqrt(2 / 8) * np.cos(np.pi * (2 * n + 1) * k / 16)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


_DCT = _dct_matrix()


def save_again(image: Image, quality: int, chroma: int = 2) -> Image:
    """What is read after saving at a quality; `chroma` in Pillow's numbers."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _CHROMA[chroma]]
    done, data = cv2.imencode(".jpg", image[..., ::-1], options)
    read = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
    if read is None:
        raise MediaError(f"a picture {image.shape} could not be saved as JPEG and read again")
    return np.ascontiguousarray(read[..., ::-1])


def save_luma_again(luma: NDArray[np.uint8], quality: int) -> FloatArray:
    """(H, W) luminance after a save as a grey JPEG."""
    done, data = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if done else None
    if read is None:
        raise MediaError(f"a picture {luma.shape} could not be saved as JPEG and read again")
    return np.asarray(read, np.float32)


def box_mean(values: FloatArray, side_px: int) -> FloatArray:
    """Mean over a square around every pixel."""
    made: FloatArray = cv2.boxFilter(values, -1, (side_px, side_px), borderType=cv2.BORDER_REFLECT_101)
    return made


def spread_blocks(values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """(h, w) values of 8x8 blocks to pixels (H, W); a rest at the right and below takes the last block's."""
    large = np.repeat(np.repeat(values, 8, axis=0), 8, axis=1)
    padded = np.pad(large, ((0, shape[0] - large.shape[0]), (0, shape[1] - large.shape[1])), mode="edge")
    return np.ascontiguousarray(padded, np.float32)
