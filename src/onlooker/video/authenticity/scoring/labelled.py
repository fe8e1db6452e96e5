"""A labelled set as users bring it: which list it is, which pictures are in it, and what is wrong with them.

Everything is looked at before a judge spends hours: files that are not there, that are no pictures, and masks of
another size are told together.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from PIL import Image as Pil
from PIL import UnidentifiedImageError

from onlooker.errors import ConfigError, FormatError, MediaError, NothingFoundError, UnknownNameError
from onlooker.formats.files import read_text, write_text
from onlooker.methods.forensics.media_forensics import readers
from onlooker.methods.forensics.media_forensics.readers import Entry
from onlooker.video.authenticity.own_files import list_files
from onlooker.video.ingest.job import Progress

Layout = Literal["auto", "tsv", "space", "jsonl", "pairs", "deepfakebench"]
_LISTS = {
    "tsv": readers.read_tab_separated,
    "space": readers.read_space_separated,
    "jsonl": readers.read_json_lines,
    "deepfakebench": readers.read_deepfakebench,
}
_ORIENTATION = 0x0112
_NAMED = 20  # problems that a message names; the rest are in a file
MISSING_FILE = "missing.txt"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the set is.

    Attributes:
        data: a list, or a folder with `forged`, `real` and perhaps `masks` in it.
        root: folder that a list's paths are below; left out, the list's own.
        layout: of the list.
        forged, masks, real: folders in the place of `data`; masks are found by the pictures' names.

    Raises:
        ConfigError: neither a list nor folders, or both.
    """

    data: Path | None = None
    root: Path | None = None
    layout: Layout = "auto"
    forged: Path | None = None
    masks: Path | None = None
    real: Path | None = None

    def __post_init__(self) -> None:
        folders = self.forged is not None or self.real is not None
        if folders == (self.data is not None):
            came = "both came" if folders else "neither came"
            raise ConfigError(f"expected `--data` or the folders `--forged` and `--real`, {came}")
        if self.data is not None and self.masks is not None:
            raise ConfigError("`--masks` goes with `--forged`; a list names its masks itself")
        if self.masks is not None and self.forged is None:
            raise ConfigError("`--masks` are of forged pictures: give their folder with `--forged`")
        if self.data is None and self.layout not in ("auto", "pairs"):
            raise ConfigError(f"folders have the layout `pairs`, got `{self.layout}`")


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a set.

    Attributes:
        name: its path below the root, which identifies it in results.
        entry: picture, mask and truth.
        video: the video it is a frame of, unlike that of any other; `None` for a picture by itself.
        unit: what intervals draw as one: a video, or the pictures of one name.
    """

    name: str
    entry: Entry
    video: str | None
    unit: str


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """What will be judged, and what a reader must know of it."""

    name: str
    items: tuple[Item, ...]
    notes: tuple[str, ...]


def read_labelled(
    source: Source,
    split: str | None = None,
    limit: int | None = None,
    *,
    skip_missing: bool = False,
    report_to: Path | None = None,
) -> Generator[Progress, None, LabelledSet]:
    """Reads a set and looks at the heads of its files; yields progress.

    Args:
        source: where it is.
        split: only this one, where the list names splits.
        limit: at most so many pictures, in even steps through the set, so that no class is cut off.
        skip_missing: leave out files that are missing, broken, or do not fit their masks.
        report_to: a folder for the full list of these, if there are any.

    Raises:
        ConfigError: results would go among the pictures.
        FormatError: the list does not follow its layout, or has a picture as real and as forged.
        UnknownNameError: the list has no such split.
        NothingFoundError: nothing is listed, or nothing is left.
        MediaError: files are missing or broken; the message names them and what to do.
    """
    _check_output(source, report_to)
    layout, entries, root = _read(source)
    place = source.data or source.forged or source.real
    entries, notes = _of_split(entries, split)
    entries, repeated = _without_repeats(entries)
    if not entries:
        raise NothingFoundError(f"`{place}` lists no pictures, expected at least one of either class")
    items = _items(entries, layout, root, source)
    picked = _even(items, limit)
    problems = yield from _problems(picked)
    if problems:
        notes += [_left_out(problems, len(picked), source, skip_missing=skip_missing, report_to=report_to)]
        picked = [item for item in picked if item.name not in problems]
    if not picked:
        raise NothingFoundError(f"no picture of `{place}` is left to judge")
    notes += [f"{repeated} pictures are listed more than once and are judged once"] if repeated else []
    if len(picked) < len(items) - len(problems):
        notes.append(f"{len(picked)} of {len(items)} pictures, in even steps through the set")
    name = (source.data or Path()).name or " and ".join(
        one.resolve().name for one in (source.forged, source.real) if one is not None
    )
    return LabelledSet(name, tuple(picked), tuple(notes))


def _check_output(source: Source, output: Path | None) -> None:
    """Pictures of the page must not be taken for pictures of the set in the next run."""
    folders = [source.forged, source.real]
    if source.data is not None and source.data.is_dir():
        folders = [source.data / "forged", source.data / "real"]
    for folder in folders:
        if output is not None and folder is not None and output.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(
                f"`--output {output}` is inside of `{folder}`, whose files are judged; name another folder"
            )


def _read(source: Source) -> tuple[str, list[Entry], Path | None]:
    """Layout, entries, and the root of their names."""
    if source.data is None:
        return "pairs", _of_folders(source.forged, source.masks, source.real), None
    data = source.data.expanduser()
    if data.is_dir():
        if source.layout not in ("auto", "pairs"):
            raise FormatError(f"`{data}` is a folder, expected a list of the layout `{source.layout}`")
        return "pairs", _of_parts(data), data
    layout = source.layout if source.layout != "auto" else _layout_of(data)
    if layout == "pairs":
        raise FormatError(f"`{data}` is no folder; the layout `pairs` is a folder with `forged` and `real` in it")
    root = (source.root or data.parent).expanduser()
    if not root.is_dir():
        raise MediaError(f"`{root}` is no folder; `--root` is the folder that paths in the list are below")
    try:
        found = _LISTS[layout](data, root, data.stem)
    except FormatError as error:
        if source.layout != "auto":
            raise
        others = ", ".join(name for name in _LISTS if name != layout)
        raise FormatError(f"{error}; it was read as `{layout}`, `--layout` names another: {others}") from error
    return layout, [_settled(entry) for entry in found.entries], root


def _layout_of(data: Path) -> Layout:
    text = read_text(data)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not first:
        raise NothingFoundError(f"`{data}` is empty, expected a list of pictures")
    if not first.startswith(("{", "[")):
        return "tsv" if first.count("\t") == 2 else "space"
    try:
        head = json.loads(first)
    except ValueError:
        return "deepfakebench" if data.suffix != ".jsonl" else "jsonl"
    return "jsonl" if isinstance(head, dict) and "image" in head else "deepfakebench"


def _of_parts(folder: Path) -> list[Entry]:
    parts = {name: folder / name if (folder / name).is_dir() else None for name in ("forged", "masks", "real")}
    if parts["forged"] is None and parts["real"] is None:
        raise FormatError(
            f"`{folder}` has neither a folder `forged` nor `real`; name yours with `--forged`, `--masks` and `--real`"
        )
    return _of_folders(parts["forged"], parts["masks"], parts["real"])


def _of_folders(forged: Path | None, masks: Path | None, real: Path | None) -> list[Entry]:
    real_files = () if real is None else list_files(real)
    if masks is not None and forged is not None:
        for one in (masks, forged):
            list_files(one)  # told in words if it is no folder or empty
        entries = list(readers.read_folder_pairs(forged, masks, None, forged.name).entries)
    else:
        entries = [Entry(path, 1) for path in (() if forged is None else list_files(forged))]
    return entries + [Entry(path, 0) for path in real_files]


def _settled(entry: Entry) -> Entry:
    """Lists that were made on Windows have backslashes between folders, DeepfakeBench's own among them."""
    if "\\" not in str(entry.image) or entry.image.exists():
        return entry
    image, mask = (None if path is None else Path(str(path).replace("\\", "/")) for path in (entry.image, entry.mask))
    return replace(entry, image=image or entry.image, mask=mask)


def _of_split(entries: list[Entry], split: str | None) -> tuple[list[Entry], list[str]]:
    known = sorted({entry.split for entry in entries if entry.split is not None})
    if split is None:
        told = (
            f"all splits together: {', '.join(known)}; `--split` picks one, and what a judge was trained on flatters it"
        )
        return entries, [told] if len(known) > 1 else []
    if not known:
        raise ConfigError(f"`--split {split}`: this set names no splits; leave `--split` out")
    if split not in known:
        raise UnknownNameError("split", split, known)
    return [entry for entry in entries if entry.split == split], []


def _without_repeats(entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    kept: dict[Path, Entry] = {}
    for entry in entries:
        before = kept.setdefault(entry.image, entry)
        if before.label != entry.label:
            raise FormatError(f"`{entry.image}` is listed as real and as forged; a picture has one label")
    return list(kept.values()), len(entries) - len(kept)


def _items(entries: Sequence[Entry], layout: str, root: Path | None, source: Source) -> list[Item]:
    videos = _videos(entries, layout)
    units = _units(entries, videos)
    return [
        Item(_name(entry, root, source), entry, video, unit)
        for entry, video, unit in zip(entries, videos, units, strict=True)
    ]


def _name(entry: Entry, root: Path | None, source: Source) -> str:
    for folder, prefix in (
        (root, ""),
        (source.forged if entry.label else source.real, "forged" if entry.label else "real"),
    ):
        if folder is not None and entry.image.is_relative_to(folder):
            return (Path(prefix) / entry.image.relative_to(folder)).as_posix()
    return entry.image.as_posix()


def _videos(entries: Sequence[Entry], layout: str) -> list[str | None]:
    """A name for the video of every entry that no other video has: published lists number the fakes of every method
    alike, in folders of their own."""
    named: list[str | None] = []
    for entry in entries:
        parts = ["forged" if entry.label else "real", entry.manipulation, entry.video_id]
        named.append(None if entry.video_id is None else "/".join(part for part in parts if part))
    if layout == "space":
        # There the folder is the video; a list with one folder per class has pictures in it, not videos.
        of_class = Counter(label for label, _ in {(e.label, v) for e, v in zip(entries, named, strict=True)})
        if any(of_class[entry.label] < 2 for entry in entries):
            return [None] * len(entries)
    return named


def _units(entries: Sequence[Entry], videos: Sequence[str | None]) -> list[str]:
    """What the list calls the source, else videos by their own names, whatever was done to them, else pictures by
    theirs: the forged `x.png` and the real `x.png` are drawn together. Where names repeat within a class they say
    nothing, and every picture is by itself."""
    stems = Counter((e.label, e.image.stem) for e, video in zip(entries, videos, strict=True) if video is None)
    repeats = any(count > 1 for count in stems.values())
    return [_unit(entry, video is not None, repeats) for entry, video in zip(entries, videos, strict=True)]


def _unit(entry: Entry, is_video: bool, repeats: bool) -> str:
    if entry.source_id is not None:
        return f"source {entry.source_id}"
    if is_video and entry.video_id is not None:
        return f"video {PurePosixPath(entry.video_id).name}"
    return entry.image.as_posix() if repeats else entry.image.stem


def _even(items: list[Item], limit: int | None) -> list[Item]:
    if limit is None or limit >= len(items):
        return items
    if limit < 1:
        raise ConfigError(f"`--limit` is at least 1, got {limit}")
    ordered = sorted(items, key=lambda item: item.entry.label)  # stable: even steps keep the classes' shares
    return [ordered[k] for k in np.unique(np.linspace(0, len(ordered) - 1, limit).round().astype(int))]


def _problems(items: Sequence[Item]) -> Generator[Progress, None, Mapping[str, str]]:
    """What is wrong, by the names of pictures."""
    found: dict[str, str] = {}
    for n, item in enumerate(items):
        yield Progress("labelled set", "check", n, len(items), "pictures", item.name)
        wrong = _problem(item.entry)
        if wrong is not None:
            found[item.name] = wrong
    return found


def _problem(entry: Entry) -> str | None:
    size, wrong = _size(entry.image)
    if size is None or entry.mask is None:
        return wrong
    mask_size, wrong = _size(entry.mask)
    if mask_size is not None and mask_size != size:
        return (
            f"`{entry.mask}` is {mask_size[0]}x{mask_size[1]} pixels, its picture `{entry.image}` {size[0]}x{size[1]}"
        )
    return None if wrong is None else f"{wrong}, the mask of `{entry.image.name}`"


def _size(path: Path) -> tuple[tuple[int, int] | None, str | None]:
    """Width and height as shown, or what is wrong."""
    if not path.exists():
        return None, f"`{path}` is not there"
    try:
        with Pil.open(path) as opened:
            has_exif = opened.format != "PNG" or "exif" in opened.info  # asking a PNG for it decodes all of it
            turned = has_exif and opened.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
            return (opened.size[::-1] if turned else opened.size), None
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Pil.DecompressionBombError):
        return None, f"`{path}` is no picture that can be read"


def _left_out(
    problems: Mapping[str, str], n_items: int, source: Source, *, skip_missing: bool, report_to: Path | None
) -> str:
    """The note about what is left out, or the error where nothing may be."""
    lines = list(problems.values())
    shown = "; ".join(lines[:_NAMED])
    if len(lines) > _NAMED:
        shown += f"; and {len(lines) - _NAMED} more"
    if report_to is not None:
        shown += f"; all in `{write_text(report_to / MISSING_FILE, chr(10).join(lines) + chr(10))}`"
    told = f"{len(lines)} of {n_items} pictures cannot be used: {shown}"
    if skip_missing:
        return f"{told}; they are left out"
    way = "mend the list or the files"
    if source.data is not None and not source.data.is_dir():
        way += f", name the folder that paths are below with `--root` (now `{source.root or source.data.parent}`)"
    raise MediaError(f"{told}; {way}, or go on without them with `--skip-missing`")
