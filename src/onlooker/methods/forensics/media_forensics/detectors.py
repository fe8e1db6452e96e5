"""The table of detectors that need neither training nor a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from onlooker.errors import UnknownNameError
from onlooker.methods.forensics.media_forensics.rules import compression, copies, metadata, noise
from onlooker.methods.forensics.media_forensics.samples import Detector

RULES: Mapping[str, Callable[[], Detector]] = MappingProxyType(
    {
        "error_level": compression.ErrorLevel,
        "jpeg_ghost": compression.JpegGhost,
        "double_quantisation": compression.DoubleQuantisation,
        "block_grid": compression.BlockGrid,
        "noise_level": noise.NoiseLevel,
        "srm_residual": noise.SrmResidual,
        "cfa": noise.ColourFilterArray,
        "copy_move_keypoints": copies.CopyMoveKeypoints,
        "metadata": metadata.Metadata,
    }
)


def find_rule(name: str) -> Detector:
    """A rule with its usual settings.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in RULES:
        raise UnknownNameError("rule", name, RULES)
    return RULES[name]()
