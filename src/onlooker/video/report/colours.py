"""One colour per tracklet, the same in every picture, video and page."""

from __future__ import annotations

RGB = tuple[int, int, int]

# Chosen by us: neighbours in the list differ in hue and lightness, all stand out on dark and on light pictures.
_PALETTE: tuple[RGB, ...] = (
    (255, 176, 0),
    (76, 154, 255),
    (224, 62, 112),
    (47, 191, 113),
    (161, 108, 240),
    (255, 111, 60),
    (0, 184, 196),
    (240, 222, 70),
    (232, 120, 214),
    (138, 196, 58),
    (92, 108, 226),
    (214, 150, 104),
)


def tracklet_colour(number: int) -> RGB:
    """Red, green and blue, 0..255, of the tracklet with this number."""
    return _PALETTE[(number - 1) % len(_PALETTE)]


def to_hex(colour: RGB) -> str:
    """`#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def ink_on(colour: RGB) -> RGB:
    """Black or white, whichever is read better on a colour."""
    red, green, blue = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else (255, 255, 255)
