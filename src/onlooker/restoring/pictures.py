"""One picture file restored into another, with its mask and a picture for looking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pil

from onlooker.errors import ShapeError
from onlooker.media.marks import Mark, read_mark, save_marked
from onlooker.methods.forensics.fttdr import FtTdrRestorer, Restored, read_pixels
from onlooker.methods.forensics.fttdr.files import ReadPicture, write_restored
from onlooker.restoring.drawing import draw_comparison
from onlooker.restoring.request import RestoreRequest, kind_of
from onlooker.restoring.values import Mask, OutputFiles, Region, Restoration, regions_of, with_history


def restore_picture(restorer: FtTdrRestorer, request: RestoreRequest, files: OutputFiles) -> Restoration:
    """Restores a picture file; where nothing is found, nothing is written.

    Raises:
        DecodeError: the picture or the mask cannot be read.
        ShapeError: the mask has another size.
        ConfigError: a label on, or a file type for, a picture that cannot have it.
    """
    source = Path(request.source)
    read, before = read_pixels(source), read_mark(source)
    size = read.pixels.shape[1], read.pixels.shape[0]
    mask = None if request.mask is None else read_mask(request.mask, size)
    restored = restorer.restore(read.pixels, mask)
    count, regions = regions_of(restored.mask)
    mark = with_history(restored.mark, before) if restored.is_changed else None
    if mark is not None:
        _write(read, restored, mark, request, files)
    notes = read.notes
    if request.label and mark is not None and read.pixels.shape[2:] == (4,):
        notes = (*notes, "transparency was dropped: a label is written on RGB")
    return _told(request, size, (restored, count, regions), (mark, before), notes, files)


def read_mask(path: str | Path, size: tuple[int, int]) -> Mask:
    """(H, W) bool of a picture: true where it is bright, by its brightest channel, and not transparent.

    Args:
        path: a picture file.
        size: (width, height) it must have, upright.

    Raises:
        DecodeError: not readable as a picture.
        ShapeError: another size.
    """
    if kind_of(Path(path)) == "video":
        raise ShapeError(
            f"the mask `{path}` is no picture; expected one of {size[0]}x{size[1]}, white where to restore"
        )
    pixels = read_pixels(path).pixels
    if pixels.shape[:2] != (size[1], size[0]):
        raise ShapeError(
            f"the mask `{path}` is {pixels.shape[1]}x{pixels.shape[0]}, what to restore {size[0]}x{size[1]}; "
            "a mask has the same size, upright"
        )
    half = np.iinfo(pixels.dtype).max // 2
    if pixels.ndim == 2:
        return np.asarray(pixels > half)
    bright = (pixels[..., :3] > half).any(axis=2)
    return np.asarray(bright & (pixels[..., 3] > half) if pixels.shape[2] == 4 else bright)


def write_mask(path: Path, mask: Mask) -> None:
    """White where the picture was filled in, black elsewhere: what `read_mask` reads back."""
    Pil.fromarray(mask.astype(np.uint8) * 255).save(path)


def _write(read: ReadPicture, restored: Restored, mark: Mark, request: RestoreRequest, files: OutputFiles) -> None:
    write_restored(restored.image, files.restored, mark, icc_profile=read.icc_profile, label=request.label)
    write_mask(files.mask, restored.mask)
    way = "found" if request.mask is None else "given"
    titles = ("input", f"{way}: {restored.mask.mean():.2%}", "restored")
    save_marked(draw_comparison(read.pixels, restored.mask, restored.image, titles), files.compare, mark)


def _told(
    request: RestoreRequest,
    size: tuple[int, int],
    found: tuple[Restored, int, tuple[Region, ...]],
    marks: tuple[Mark | None, Mark | None],
    notes: tuple[str, ...],
    files: OutputFiles,
) -> Restoration:
    restored, n_regions, regions = found
    changed = restored.is_changed
    return Restoration(
        source=str(request.source),
        kind="picture",
        size=size,
        share=float(restored.mask.mean()),
        n_regions=n_regions,
        regions=regions,
        n_frames=1,
        n_restored_frames=int(changed),
        mark=marks[0],
        before=marks[1],
        notes=(*notes, *restored.notes),
        restored=str(files.restored) if changed else None,
        mask=str(files.mask) if changed else None,
        compare=str(files.compare) if changed else None,
    )
