"""What a picture file says of itself: how it is stored, who wrote it and when, signs of editors and generators."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping

from PIL import ExifTags
from PIL import Image as Pil
from PIL.TiffImagePlugin import IFDRational

from onlooker.errors import OnlookerError
from onlooker.media.marks import Mark, read_mark
from onlooker.video.authenticity.opening import OpenedPicture, known_formats
from onlooker.video.authenticity.verdict import Fact, MarkFact

EDITORS = (
    *("photoshop", "gimp", "lightroom", "affinity", "pixelmator", "paint.net", "snapseed", "faceapp", "picsart"),
    *("facetune", "canva", "luminar", "capture one", "darktable", "rawtherapee", "imagemagick", "premiere"),
    *("after effects", "davinci", "final cut", "imovie", "capcut", "kdenlive", "shotcut", "avidemux", "handbrake"),
)
"""Names in a software tag that mean an editor or converter; to name one is no crime."""
_GENERATORS = (
    *("stable diffusion", "midjourney", "dall-e", "dall·e", "firefly", "comfyui", "novelai", "invokeai", "imagen"),
    *("flux", "automatic1111", "leonardo.ai", "ideogram", "gpt-image"),
)
# Keys of PNG text that programs which generate pictures write their settings under.
_SETTINGS_KEYS = frozenset({"parameters", "prompt", "workflow", "sd-metadata", "invokeai_metadata", "dream"})
_SOFTWARE, _CHANGED, _MAKE, _MODEL = 0x0131, 0x0132, 0x010F, 0x0110
_EXIF, _GPS, _THUMBNAIL = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.IFD1
_TAKEN, _DIGITISED = 0x9003, 0x9004
_MOST_TEXT = 200


def picture_facts(picture: OpenedPicture, jpeg_quality: int | None) -> tuple[Fact, ...]:
    """Facts of a picture file, in the order a reader wants them.

    Args:
        picture: the opened file.
        jpeg_quality: of the last save, where it is a JPEG (libjpeg's scale).
    """
    height, width = picture.image.shape[:2]
    facts = [
        Fact("format", picture.file_format),
        Fact("size", f"{width}x{height}", "" if picture.orientation == 1 else "as stored; it is shown turned"),
        Fact("colours", picture.mode),
        Fact("bytes", len(picture.data)),
    ]
    if picture.n_frames > 1:
        what, one = ("pages", "page") if picture.file_format == "TIFF" else ("frames", "frame")
        facts.append(Fact(what, picture.n_frames, f"only the first {one} was judged", True))
    if jpeg_quality is not None:
        facts.append(Fact("jpeg_quality", jpeg_quality, _quality_note(jpeg_quality), jpeg_quality < 70))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Pil.open(io.BytesIO(picture.data), formats=known_formats()) as opened:
            facts += [*_exif_facts(opened), *_text_facts(opened)]
    return tuple(facts)


def picture_mark(picture: OpenedPicture) -> MarkFact | None:
    """The mark of generated or restored media, Onlooker's or another tool's; `None` where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return mark_fact(read_mark(picture.path))
    except OnlookerError:
        return None


def mark_fact(mark: Mark | None) -> MarkFact | None:
    """A mark with its text made fit to be shown."""
    return None if mark is None else MarkFact(mark.kind, shown(mark.by), shown(mark.detail))


def software_note(text: str) -> str:
    """What a software tag means: an editor, a generator, or nothing known."""
    low = text.lower()
    if any(name in low for name in _GENERATORS):
        return "names a generator of pictures"
    return "names an editor: the file was saved by it" if any(name in low for name in EDITORS) else ""


def shown(value: object) -> str:
    """Text of a file on one line, cut to a readable length, without what a terminal would obey."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _MOST_TEXT else line[: _MOST_TEXT - 3] + "..."


def _quality_note(quality: int) -> str:
    return "strongly compressed: traces of earlier work may be gone" if quality < 70 else "of the last save"


def _exif_facts(opened: Pil.Image) -> list[Fact]:
    try:
        exif = opened.getexif()
        taken_ifd, place_ifd, thumbnail = exif.get_ifd(_EXIF), exif.get_ifd(_GPS), exif.get_ifd(_THUMBNAIL)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError) as error:
        return [Fact("exif", None, f"damaged: {shown(error)}", True)]
    if not len(exif):
        return [Fact("exif", None, "no EXIF: removed, or never there; most platforms remove it")]
    facts = []
    camera = " ".join(shown(exif[tag]) for tag in (_MAKE, _MODEL) if exif.get(tag))
    facts.append(Fact("camera", camera or None, "" if camera else "no camera is named"))
    software = shown(exif.get(_SOFTWARE, ""))
    if software:
        note = software_note(software)
        facts.append(Fact("software", software, note, bool(note)))
    facts += _date_facts(exif, taken_ifd)
    facts.append(Fact("gps", bool(place_ifd)))
    if thumbnail:
        facts.append(Fact("thumbnail", True, "compared with the picture by the rule `metadata`"))
    exposure = taken_ifd.get(0x829A)
    if isinstance(exposure, IFDRational):
        facts.append(Fact("exposure_s", float(exposure) if exposure.denominator else None))
    return facts


def _date_facts(exif: Pil.Exif, taken_ifd: Mapping[int, object]) -> list[Fact]:
    taken, digitised, changed = taken_ifd.get(_TAKEN), taken_ifd.get(_DIGITISED), exif.get(_CHANGED)
    found = (("taken", taken), ("digitised", digitised), ("changed", changed))
    facts = [Fact(name, shown(value)) for name, value in found if value]
    if taken and changed and shown(taken) != shown(changed):
        facts.append(Fact("dates_differ", True, "changed at another time than taken: saved again since", True))
    return facts


def _text_facts(opened: Pil.Image) -> list[Fact]:
    facts = []
    info = {str(key): value for key, value in opened.info.items()}
    for key in sorted(_SETTINGS_KEYS & {name.lower() for name in info}):
        value = next(value for name, value in info.items() if name.lower() == key)
        facts.append(Fact(f"text_{key}", shown(value), "settings of a program that generates pictures", True))
    software = shown(info.get("Software", ""))
    if software:
        note = software_note(software)
        facts.append(Fact("software", software, note, bool(note)))
    if "photoshop" in info:
        facts.append(Fact("photoshop_segment", True, "holds a segment that Photoshop and a few others write", True))
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if packet:
        facts += _xmp_facts(packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet))
    if "icc_profile" in info:
        facts.append(Fact("icc_profile", True))
    return facts


def _xmp_facts(packet: str) -> list[Fact]:
    facts = []
    tool = re.search(r':CreatorTool\s*(?:=\s*"([^"]*)"|>\s*([^<]*)<)', packet)
    if tool:
        name = shown(tool[1] or tool[2])
        facts.append(Fact("xmp_tool", name, software_note(name), bool(software_note(name))))
    steps = len(re.findall(r"stEvt:action", packet))
    if steps:
        facts.append(Fact("xmp_history_steps", steps, "an editor wrote down what was done", True))
    return facts
