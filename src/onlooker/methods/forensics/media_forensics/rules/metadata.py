"""What the file says about itself: software, thumbnail, tables, traces of an editor. Easily removed, hence only ever
evidence for, never against."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ExifTags
from PIL import Image as PILImage
from PIL.JpegImagePlugin import JpegImageFile

from onlooker.methods.forensics.media_forensics.rules.blocks import nearest_quality, standard_table
from onlooker.methods.forensics.media_forensics.samples import Finding, Need, Refusal, Sample
from onlooker.types import Image

_EDITORS = ("photoshop", "gimp", "lightroom", "affinity", "pixelmator", "paint.net", "snapseed", "faceapp", "picsart")
_SOFTWARE, _MAKE, _MODEL = 0x0131, 0x010F, 0x0110
_EXIF_IFD = 0x8769
_THUMBNAIL_OFF = 30.0  # grey levels between thumbnail and picture that saving alone does not make


@dataclass(frozen=True, slots=True)
class Metadata:
    """Signs add to the score: an editor's name 0.5, an editor's segment 0.3, a thumbnail of another picture 0.6."""

    name: str = "metadata"
    requires: frozenset[Need] = frozenset({Need.METADATA})
    known_failures: str = "everything here can be removed or invented; platforms remove it from every upload"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if sample.data is None:
            return Refusal("only pixels are at hand")
        with PILImage.open(io.BytesIO(sample.data)) as opened:
            signs = [*_software(opened), *_thumbnail(opened, sample.image)]
            facts = _facts(opened)
        score = min(1.0, sum(weight for weight, _ in signs))
        told = "; ".join([*(text for _, text in signs), *facts]) or "nothing remarkable in the file"
        return Finding(score, None, told, {"signs": float(len(signs))})


def _software(opened: PILImage.Image) -> list[tuple[float, str]]:
    exif = opened.getexif()
    signs = []
    software = str(exif.get(_SOFTWARE, "") or opened.info.get("Software", ""))
    if any(editor in software.lower() for editor in _EDITORS):
        signs.append((0.5, f"saved by `{software}`"))
    if "photoshop" in opened.info:
        signs.append((0.3, "holds a segment of Photoshop"))
    return signs


def _thumbnail(opened: PILImage.Image, image: Image) -> list[tuple[float, str]]:
    """The embedded thumbnail against the picture, both as small grey pictures."""
    exif = opened.getexif()
    inside = exif.get_ifd(ExifTags.IFD.IFD1)  # the second directory; its number there is no tag of EXIF
    place, length = inside.get(0x0201), inside.get(0x0202)
    data = opened.info.get("exif", b"")
    if not isinstance(place, int) or not isinstance(length, int) or not isinstance(data, bytes):
        return []
    start = 6 if data.startswith(b"Exif\x00\x00") else 0
    try:
        with PILImage.open(io.BytesIO(data[start + place : start + place + length])) as small:
            thumbnail = np.array(small.convert("RGB"))
    except (OSError, SyntaxError):
        return [(0.0, "its thumbnail cannot be read")]
    a, b = (
        cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32).mean(axis=2)
        for p in (thumbnail, image)
    )
    apart = float(np.abs(a - b).mean())
    return (
        [(0.6, f"its thumbnail shows another picture (off by {apart:.0f} grey levels)")]
        if apart > _THUMBNAIL_OFF
        else []
    )


def _facts(opened: PILImage.Image) -> list[str]:
    exif = opened.getexif()
    facts = []
    if isinstance(opened, JpegImageFile) and opened.quantization:
        table = np.array(opened.quantization[0], np.int64).reshape(8, 8)
        quality = nearest_quality(table)
        exact = "the standard table" if (table == standard_table(quality)).all() else "a table of its own, nearest"
        facts.append(f"{exact} of quality {quality}")
    camera = " ".join(str(exif[tag]) for tag in (_MAKE, _MODEL) if exif.get(tag))
    facts.append(f"camera `{camera}`" if camera else "no camera is named")
    if not exif.get_ifd(_EXIF_IFD):
        facts.append("no settings of a camera")
    return facts
