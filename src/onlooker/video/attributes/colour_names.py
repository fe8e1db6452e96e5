"""Names of colours: sRGB pixels to CIELAB to one of thirteen words.

The eleven basic colour terms of English, and beige and turquoise, which people use as often. A pixel with little chroma
is black, grey or white by its lightness; any other takes the name of the nearest of several prototypes, with lightness
counting less than hue, since shade and sun change lightness most. Prototypes are ours, chosen among common colours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onlooker.types import Image

COLOUR_NAMES = (
    "black",
    "grey",
    "white",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "beige",
    "turquoise",
)
ACHROMATIC = frozenset({"black", "grey", "white"})

_PROTOTYPES: dict[str, str] = {
    "red": "ff0000 d01010 b22222 8b0000 600808 4a0d0d 3c0a0a dc143c e03c31 a52a2a ff4040 c04040 7c2020 cd5c5c e06060",
    "orange": "ff8c00 ffa500 ff7f27 e8751a f28c28 d2691e ff7f50 cc6600 e0904a",
    "yellow": "ffff00 ffd700 f4d03f e6c200 ffee66 c8b400 ffef9f a89a18 d8c850",
    "green": "00ff00 008000 228b22 32cd32 006400 556b2f 6b8e23 9acd32 2e8b57 90ee90 3a5f3a 1c3a1c 80a060 a8d08d 4c7a34",
    "blue": "0000ff 0000cd 000080 1e90ff 4169e1 87ceeb 4682b4 6495ed 191970 add8e6 2a52be 5b7fa6 3c5a80 1f3a5f 0078d7",
    "purple": "800080 6a0dad 9370db 8a2be2 4b0082 9932cc 663399 b57edc 5d3a6b 301934 845aa8",
    "pink": "ffc0cb ff69b4 ff1493 f4a6b8 e75480 db7093 ff99cc f7cac9 ee82ee ff00ff c08090",
    "brown": "8b4513 a0522d 654321 5c4033 7b3f00 964b00 3b2414 80604d a07850 6b5236 8b7355 a88878 b08868 9c7060 705048",
    "beige": "f5f5dc f5deb3 d2b48c e8d8b8 eee0c8 c8b088 faebd7 d8c8a8 e0c4b4 d8b4a0 c8a898 e8d0c4",
    "turquoise": "40e0d0 00ced1 008080 20b2aa 00ffff 5f9ea0 7fffd4 3a8f8f 005f5f",
}
_LIGHTNESS_WEIGHT = 0.55
_BLACK_BELOW_L = 30.0  # black things in the sun reach 30
_WHITE_FROM_L = 82.0
_BITS = 5  # colours are looked up with this many bits a channel
_COARSE_BITS = 3


def rgb_to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(..., 3) sRGB to (..., 3) CIELAB under D65: L 0..100, a and b about -110..110."""
    value = rgb.astype(np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def name_indices(lab: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Index into `COLOUR_NAMES` for each of (N, 3) CIELAB colours."""
    lightness = lab[:, 0]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    owner, prototypes = _prototypes()
    scale = np.array([_LIGHTNESS_WEIGHT, 1.0, 1.0])
    a, b = lab * scale, prototypes * scale
    distance = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)
    named = owner[np.argmin(distance, axis=1)]
    grey = np.where(lightness < _BLACK_BELOW_L, 0, np.where(lightness >= _WHITE_FROM_L, 2, 1))
    # Dark pixels carry colour noise and tinted reflections, so they need relatively more chroma to have a hue.
    plain = chroma < _chroma_limit(lightness)
    return np.where(plain, grey, named).astype(np.uint8)


def _chroma_limit(lightness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chroma below which a colour is seen as grey: highest in the dark, lowest for light tints (ours)."""
    return np.interp(lightness, [0, 10, 25, 60, 85, 100], [40, 22, 13, 11, 9, 5])


def _prototypes() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    pairs = [(COLOUR_NAMES.index(name), code) for name, codes in _PROTOTYPES.items() for code in codes.split()]
    rgb = np.array([list(bytes.fromhex(code)) for _, code in pairs], dtype=np.uint8)
    return np.array([owner for owner, _ in pairs], dtype=np.uint8), rgb_to_lab(rgb)


class ColourTable:
    """Names of all colours, worked out once (about 50 ms), then looked up per pixel.

    Attributes:
        size: number of colour cells.
        names: (size,) index into `COLOUR_NAMES` of each cell.
        coarse: (size,) index of the coarse cell (three bits a channel) that holds each cell.
    """

    def __init__(self) -> None:
        cells = np.arange(2 ** (3 * _BITS))
        mask = 2**_BITS - 1
        channels = np.stack([cells >> (2 * _BITS), (cells >> _BITS) & mask, cells & mask], axis=-1)
        centre = (channels << (8 - _BITS)) + (1 << (7 - _BITS))
        self.size = len(cells)
        self.names = name_indices(rgb_to_lab(centre.astype(np.uint8)))
        high = channels >> (_BITS - _COARSE_BITS)
        self.coarse = (high[:, 0] << (2 * _COARSE_BITS)) | (high[:, 1] << _COARSE_BITS) | high[:, 2]

    def bins(self, image: Image) -> NDArray[np.intp]:
        """(H, W) colour cell of each pixel of an (H, W, 3) RGB image."""
        high = image.astype(np.intp) >> (8 - _BITS)
        return np.asarray((high[..., 0] << (2 * _BITS)) | (high[..., 1] << _BITS) | high[..., 2])
