"""Seeded manipulations of real photos, with masks, and with what keeps a detector from cheating.

Recipes and the leaks they close follow the project's sheet on forgery data; photos are read from installed packages and
folders at run time and are never part of this package.
"""

from onlooker.synth.forgeries.config import (
    BlendConfig,
    CompressionConfig,
    CorruptionConfig,
    ForgeryConfig,
    PostConfig,
)
from onlooker.synth.forgeries.photos import Photo, photo_sources
from onlooker.synth.forgeries.tiles import ForgedTiles, TileCache
from onlooker.synth.forgeries.values import ForgedImage

__all__ = [
    "BlendConfig",
    "CompressionConfig",
    "CorruptionConfig",
    "ForgedImage",
    "ForgedTiles",
    "ForgeryConfig",
    "Photo",
    "PostConfig",
    "TileCache",
    "photo_sources",
]
