"""Asks a judge about one picture of a set, as `verify` asks it, perhaps after a change of the picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL.JpegImagePlugin import JpegImageFile

from onlooker.errors import ConfigError
from onlooker.evaluation.forgery_histograms import MapHistogram, histogram_of
from onlooker.methods.forensics.media_forensics.perturbations import (
    Perturbation,
    find_perturbation,
    mixed,
    perturb,
)
from onlooker.methods.forensics.media_forensics.rules.blocks import nearest_quality
from onlooker.types import FloatArray, Image
from onlooker.video.authenticity.heat import fit_map
from onlooker.video.authenticity.judging import traits_of
from onlooker.video.authenticity.opening import open_picture, upright
from onlooker.video.authenticity.pictures import NOTHING_CALIBRATED, Tools, ask, find_faces
from onlooker.video.authenticity.scoring.labelled import Item
from onlooker.video.authenticity.scoring.predictions import Prediction, stamp_of

Mask = NDArray[np.bool_]
NO_MAP, NO_MASK, EMPTY_MASK = "the judge gave no map", "no mask is listed", "the mask marks nothing"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of pictures at one strength; `text` is how it was asked for, "jpeg:50"."""

    text: str
    perturbation: Perturbation
    level: float


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """A picture as the judge saw it, upright, with its true mask and what the judge said.

    Attributes:
        image: (H, W, 3) uint8.
        mask: (H, W); `None` where nobody says where.
        heat_map: (H, W); `None` where the judge does not say where.
        probability, refused, threshold: as in `Prediction`.
    """

    image: Image
    mask: Mask | None
    heat_map: FloatArray | None
    probability: float | None
    refused: str | None
    threshold: float | None


def parse_changes(text: str | None) -> tuple[Change, ...]:
    """`jpeg:50,blur:3` as changes; a name without strength stands for all of its own, `jpeg+blur:1` for a mix.

    Raises:
        ConfigError: a strength that the change has not.
        UnknownNameError: no such change.
    """
    found: dict[str, Change] = {}
    for part in filter(None, (one.strip() for one in (text or "").split(","))):
        name, colon, strength = part.partition(":")
        known = mixed(tuple(name.split("+"))) if "+" in name else find_perturbation(name)
        levels = [f"{level:g}" for level in known.levels]
        if colon and (strength not in levels):
            raise ConfigError(
                f"`{part}`: `{name}` ({known.unit}) has the strengths {', '.join(levels)}, got `{strength}`"
            )
        for level, shown in zip(known.levels, levels, strict=True):
            if not colon or shown == strength:
                found[f"{name}:{shown}"] = Change(f"{name}:{shown}", known, level)
    return tuple(found.values())


def look_at(item: Item, change: Change | None, tools: Tools) -> Look:
    """Opens, perhaps changes, and judges one picture.

    Args:
        item: of the set.
        change: `None` judges the file as it is, with the traces it has.
        tools: the one judge to ask, or rules alone.

    Raises:
        MediaError, DecodeError: a file is missing, damaged, or no picture.
        ShapeError: a map of another kind than judges promise.
    """
    opened = open_picture(item.entry.image)
    sample = item.entry.load()
    if change is None:
        stored, data, orientation = opened.image, opened.file_bytes, opened.orientation
        mask = sample.mask
    else:
        made = perturb(sample, change.perturbation, change.level, _seed(item, change))
        stored, data, orientation, mask = made.image, made.data, 1, made.mask
    seen = upright(stored, orientation)
    if not tools.judges:
        report = tools.rules.report_file(stored, data, None, None)
        heat = None if report.heat_map is None else upright(report.heat_map, orientation)
        refused = None if report.probability is not None else report.reason or NOTHING_CALIBRATED
        return Look(seen, mask, _fit(heat, seen), report.probability, refused, report.threshold)
    judge = tools.judges[0]
    asked = ask(judge, seen, find_faces(tools, seen), "image")
    return Look(
        seen,
        mask,
        _fit(asked.heat_map, seen),
        asked.evidence.probability,
        asked.evidence.refusal,
        traits_of(judge).threshold,
    )


def predict(item: Item, change: Change | None, tools: Tools) -> tuple[Prediction, Look]:
    """What is kept of a look at a picture, and the look itself. Raises as `look_at`."""
    stamp = stamp_of((item.entry.image, item.entry.mask))
    look = look_at(item, change, tools)
    pixels, no_pixels = _pixels(look, item)
    file_format, quality, size = file_traits(item.entry.image)
    made = Prediction(
        image=item.name,
        change="" if change is None else change.text,
        stamp=stamp,
        label=item.entry.label,
        video=item.video,
        unit=item.unit,
        manipulation=item.entry.manipulation,
        probability=look.probability,
        refused=look.refused,
        threshold=look.threshold,
        file_format=file_format,
        jpeg_quality=quality,
        size_px=size,
        pixels=pixels,
        no_pixels=no_pixels,
    )
    return made, look


def file_traits(path: Path) -> tuple[str, int | None, tuple[int, int]]:
    """Format, quality of the last save where it is a JPEG, width and height: from the head of a picture file."""
    with Pil.open(path) as opened:
        quality = None
        tables = opened.quantization if isinstance(opened, JpegImageFile) else {}
        table: Sequence[int] = tables.get(0, ())
        if len(table) == 64:
            quality = nearest_quality(np.array(table, np.int64).reshape(8, 8))
        return str(opened.format), quality, opened.size


def _pixels(look: Look, item: Item) -> tuple[MapHistogram | None, str | None]:
    if look.refused is not None or look.heat_map is None:
        return None, look.refused or NO_MAP
    if look.mask is None:
        return None, NO_MASK
    if item.entry.label == 1 and not look.mask.any():
        return None, EMPTY_MASK  # cut away by the change, or left blank; an authentic picture it is not
    mask = look.mask if item.entry.label == 1 else np.zeros_like(look.mask)
    return histogram_of(look.heat_map, mask), None


def _fit(heat: FloatArray | None, image: Image) -> FloatArray | None:
    return None if heat is None else fit_map(heat, (image.shape[0], image.shape[1]))


def _seed(item: Item, change: Change) -> int:
    """The same draw for a picture in every run, whatever else is in the set."""
    return int.from_bytes(hashlib.sha256(f"{item.name} {change.text}".encode("utf-8", "surrogateescape")).digest()[:4])
