"""The mark on pictures that a network made or changed: in the file's metadata, and as a label in a corner if wanted.

The metadata is XMP with IPTC's digital source type, which editors, search engines and news systems read: "composite
with trained algorithmic media" where a network changed part of a picture, "trained algorithmic media" where it made all
of it. Metadata does not survive every upload; the label does.
"""

from __future__ import annotations

import html
import io
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageDraw, UnidentifiedImageError

from onlooker.errors import ConfigError, DecodeError, ShapeError
from onlooker.media.lettering import lettering

Kind = Literal["restored", "generated"]
Pixels = NDArray[np.uint8] | NDArray[np.uint16]

SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")
"""Files a mark can be written to. JPEG alone changes pixels when it is written."""

_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_SOURCE_TYPES: dict[Kind, str] = {
    "restored": "compositeWithTrainedAlgorithmicMedia",
    "generated": "trainedAlgorithmicMedia",
}
_XMP_KEYWORD = "XML:com.adobe.xmp"  # of the PNG chunk
_XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 Iptc4xmpExt:DigitalSourceType="{source}" xmp:CreatorTool="{by}" photoshop:Instructions="{detail}"/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class Mark:
    """What a picture says of itself.

    Attributes:
        kind: "restored" where part of a picture was changed, "generated" where all of it was made.
        by: the tool that did it.
        detail: what was done, in a sentence.
    """

    kind: Kind
    by: str
    detail: str = ""

    @property
    def xmp(self) -> str:
        """The packet that is written."""
        return _XMP.format(source=_IPTC + _SOURCE_TYPES[self.kind], by=_escaped(self.by), detail=_escaped(self.detail))


def save_marked(image: Pixels, path: str | Path, mark: Mark, *, icc_profile: bytes | None = None) -> None:
    """Writes a picture with its mark. PNG and WebP keep every pixel; JPEG is written at quality 95.

    Args:
        image: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, or uint16 as PNG.
        path: ends in one of `SUFFIXES`; replaced where it exists.
        mark: what it says.
        icc_profile: colours of the picture it comes from, if that had any.

    Raises:
        ConfigError: a file type that cannot hold the mark or the picture.
        ShapeError: no picture.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"a marked picture is written as one of {', '.join(SUFFIXES)}, got `{path.name}`")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (3, 4)) or 0 in image.shape:
        raise ShapeError(f"expected a picture (H, W), (H, W, 3) or (H, W, 4), got {image.shape}")
    if image.dtype == np.uint16 and suffix != ".png":
        raise ConfigError(f"16 bits per channel are kept in PNG alone, got `{path.name}`")
    if suffix == ".png":
        data = _png(image, mark, icc_profile)
    else:
        data = _webp_or_jpeg(image, mark, suffix, icc_profile)
    path.write_bytes(data)


def read_mark(path: str | Path) -> Mark | None:
    """The mark of a picture file, ours or another tool's; `None` where it has none, which says nothing.

    Raises:
        DecodeError: the file is missing or no picture.
    """
    try:
        with Pil.open(path) as picture:
            picture.load()
            packet = picture.info.get("xmp") or picture.info.get(_XMP_KEYWORD)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pil.DecompressionBombError) as error:
        raise DecodeError(f"`{path}` cannot be read as a picture ({error})") from error
    if packet is None:
        return None
    return mark_of_packet(packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet))


def mark_of_packet(text: str) -> Mark | None:
    """The mark in an XMP packet; `None` where it says nothing of where the picture is from."""
    source = _value(text, "DigitalSourceType").removeprefix(_IPTC)
    for kind, name in _SOURCE_TYPES.items():
        if source == name:
            return Mark(kind, _value(text, "CreatorTool"), _value(text, "Instructions"))
    return None


def with_label(image: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """A copy of an RGB picture (H, W, 3) with `text` in its lower right corner, on a dark ground; covers those pixels.

    Raises:
        ShapeError: not RGB uint8.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ShapeError(f"a label is written on RGB uint8 (H, W, 3), got {image.dtype} of {image.shape}")
    height, width = image.shape[:2]
    letters = lettering(max(8, min(height, width) // 24))
    line, margin = letters.readable(text), max(2, letters.size_px // 3)
    wide, high = int(letters.width(line)) + 2 * margin, letters.size_px + 2 * margin
    patch = Pil.new("RGB", (wide, high), (16, 18, 22))
    letters.write(ImageDraw.Draw(patch), (margin, margin), line, (255, 255, 255))
    if wide > width or high > height:  # smaller than its own label: the label is made to fit
        scale = min(width / wide, height / high)
        patch = patch.resize((max(1, int(wide * scale)), max(1, int(high * scale))), Pil.Resampling.BILINEAR)
    labelled = Pil.fromarray(image)
    labelled.paste(patch, (width - patch.width, height - patch.height))
    return np.array(labelled)


def _png(image: Pixels, mark: Mark, icc_profile: bytes | None) -> bytes:
    """Encoded by OpenCV, as Pillow has no colour of 16 bits; the chunks are put in behind the header."""
    ordered = image if image.ndim == 2 else cv2.cvtColor(image, _TO_BGR[image.shape[2]])
    done, encoded = cv2.imencode(".png", ordered)
    if not done:
        raise ConfigError(f"a picture of shape {image.shape} cannot be written as PNG")
    data = encoded.tobytes()
    header = 8 + 25  # signature, then length, name, 13 bytes and checksum of IHDR
    chunks = _chunk(b"iTXt", _XMP_KEYWORD.encode() + b"\0\0\0\0\0" + mark.xmp.encode())
    if icc_profile:
        chunks = _chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc_profile)) + chunks
    return data[:header] + chunks + data[header:]


def _webp_or_jpeg(image: Pixels, mark: Mark, suffix: str, icc_profile: bytes | None) -> bytes:
    picture = Pil.fromarray(image)
    if suffix != ".webp" and picture.mode == "RGBA":
        raise ConfigError("JPEG has no transparency; write `.png` or `.webp`")
    buffer = io.BytesIO()
    if suffix == ".webp":
        picture.save(buffer, "WEBP", lossless=True, exact=True, xmp=mark.xmp.encode(), icc_profile=icc_profile)
    else:
        picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, xmp=mark.xmp.encode(), icc_profile=icc_profile)
    return buffer.getvalue()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _escaped(text: str) -> str:
    return html.escape(" ".join(text.split()))


def _value(packet: str, name: str) -> str:
    """What a property holds, written as an attribute or as an element; "" where it is not there."""
    found = re.search(rf':{name}\s*(?:=\s*"([^"]*)"|>\s*([^<]*)<)', packet)
    return html.unescape((found[1] or found[2] or "").strip()) if found else ""


_TO_BGR = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
