"""Lists of data sets that users bring along, in the layouts they are published in, with their counts checked.

A reader names what it found and warns, through the log, where that is not what the survey counts. Files are opened when
a sample is asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import numpy as np
from PIL import Image as PILImage
from PIL import UnidentifiedImageError

from onlooker.errors import FormatError, MediaError
from onlooker.methods.forensics.media_forensics.samples import Mask, Sample, open_sample
from onlooker.methods.forensics.media_forensics.taxonomy import DatasetCard, find_dataset

_LOG = logging.getLogger(__name__)
_WORDS: Mapping[str, int] = MappingProxyType(
    {"real": 0, "false": 0, "authentic": 0, "fake": 1, "true": 1, "forged": 1, "manipulated": 1}
)
"""Labels in words; the values of JSON among them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: picture, mask if there is one, label, kind, video, split and source photo if they are named."""

    image: Path
    label: int
    mask: Path | None = None
    manipulation: str | None = None
    video_id: str | None = None
    split: str | None = None
    source_id: str | None = None

    def load(self) -> Sample:
        """Raises MediaError for files that cannot be read or do not fit each other."""
        sample = open_sample(self.image)
        mask = np.zeros(sample.image.shape[:2], np.bool_) if self.label == 0 else None
        if self.mask is not None:
            mask = _read_mask(self.mask)
            if mask.shape != sample.image.shape[:2]:
                raise MediaError(f"`{self.mask}` is {mask.shape}, its picture {sample.image.shape[:2]}")
        return replace(
            sample,
            label=self.label,
            mask=mask,
            video_id=self.video_id,
            source_id=self.source_id or self.video_id or self.image.name,
            manipulation=self.manipulation,
            split=self.split,
        )


@dataclass(frozen=True, slots=True)
class ListedDataset:
    """A list that was read."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def n_real(self) -> int:
        return sum(entry.label == 0 for entry in self.entries)

    @property
    def n_forged(self) -> int:
        return len(self.entries) - self.n_real

    def mismatch(self, card: DatasetCard | None = None) -> str | None:
        """How the counts differ from the survey's; `None` when they agree or it gives none.

        Raises:
            UnknownNameError: the survey has no data set of this name, and no card was given.
        """
        told = card or find_dataset(self.name)
        counts = (("real", self.n_real, told.real), ("forged", self.n_forged, told.forged))
        if told.unit == "video":
            videos = {(entry.label, entry.manipulation, _own_name(entry)) for entry in self.entries}
            real = sum(label == 0 for label, _, _ in videos)
            counts = (("real", real, told.real), ("forged", len(videos) - real, told.forged))
        off = [
            f"{what} {found}, the survey counts {known}" for what, found, known in counts if known not in (None, found)
        ]
        return f"`{told.name}`: " + "; ".join(off) if off else None


def checked(dataset: ListedDataset) -> ListedDataset:
    """Logs the counts, and a warning where they are not the survey's."""
    _LOG.info("%s: %d real, %d forged", dataset.name, dataset.n_real, dataset.n_forged)
    off = dataset.mismatch()
    if off is not None:
        _LOG.warning(off)
    return dataset


def read_tab_separated(path: str | Path, root: str | Path, name: str) -> ListedDataset:
    """ObjectFormer's lists: picture, mask and label with tabs between; a mask of authentic pictures may be empty."""
    entries = []
    for number, line in _lines(path):
        fields = line.split("\t")
        if len(fields) != 3:
            raise FormatError(f"`{path}` line {number}: expected picture, mask and label with tabs, got {line!r}")
        label = _label(fields[2], path, number)
        mask = Path(root) / fields[1] if fields[1] and label else None
        entries.append(Entry(Path(root) / fields[0], label, mask))
    return ListedDataset(name, tuple(entries))


def read_space_separated(path: str | Path, root: str | Path, name: str) -> ListedDataset:
    """M2TR's lists: picture and label; more columns (ForgeryNet's) are left alone. The folder is the video."""
    entries = []
    for number, line in _lines(path):
        fields = line.split()
        if len(fields) < 2:
            raise FormatError(f"`{path}` line {number}: expected picture and label, got {line!r}")
        folder = PurePosixPath(
            fields[0].replace("\\", "/")
        ).parent.as_posix()  # whole: one name of a video stands below several manipulations
        label = _label(fields[1], path, number)
        entries.append(Entry(Path(root) / fields[0], label, video_id=None if folder == "." else folder))
    return ListedDataset(name, tuple(entries))


def read_json_lines(path: str | Path, root: str | Path, name: str) -> ListedDataset:
    """One object a line: `image` and `label`, and perhaps `mask`, `manipulation`, `video_id`, `split`, `source` (the
    photo it was made from: pictures of one photo count as one in intervals)."""
    entries = []
    for number, line in _lines(path):
        try:
            found = json.loads(line)
        except ValueError as error:
            raise FormatError(f"`{path}` line {number} is no JSON: {error}") from error
        if not isinstance(found, dict) or not isinstance(found.get("image"), str) or "label" not in found:
            raise FormatError(f"`{path}` line {number}: expected an object with `image` and `label`")
        texts = {key: _text(found, key) for key in ("mask", "manipulation", "video_id", "split", "source")}
        mask = texts["mask"]
        label = _label(str(found["label"]), path, number)
        entries.append(
            Entry(
                Path(root) / found["image"],
                label,
                None if mask is None else Path(root) / mask,
                texts["manipulation"],
                texts["video_id"],
                texts["split"],
                texts["source"],
            )
        )
    return ListedDataset(name, tuple(entries))


def read_folder_pairs(forged: str | Path, masks: str | Path, real: str | Path | None, name: str) -> ListedDataset:
    """Folders of forged pictures, of their masks by the same stem (or stem + `_gt`, `_mask`), and of real ones.

    Raises:
        FormatError: no such folder.
    """
    known = {path.stem: path for path in _files(masks)}
    entries = []
    for path in _files(forged):
        mask = next(
            (known[stem] for stem in (path.stem, f"{path.stem}_gt", f"{path.stem}_mask") if stem in known), None
        )
        entries.append(Entry(path, 1, mask))
    entries += [Entry(path, 0) for path in (_files(real) if real is not None else [])]
    return ListedDataset(name, tuple(entries))


def read_deepfakebench(path: str | Path, root: str | Path, name: str) -> ListedDataset:
    """DeepfakeBench's JSON: {set: {label: {split: [{compression:] {video: {frames: [...]}}}}}. Labels with "real" in
    their name are real."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise FormatError(f"`{path}` is no JSON that can be read: {error}") from error
    entries: list[Entry] = []
    for labels in _mapping(found, path).values():
        for label, splits in _mapping(labels, path).items():
            for split, videos in _mapping(splits, path).items():
                for video, frames in _videos(_mapping(videos, path), path):
                    real = "real" in label.lower()
                    entries += [
                        Entry(Path(root) / frame, int(not real), None, None if real else label, video, split)
                        for frame in frames
                    ]
    return ListedDataset(name, tuple(entries))


def _videos(found: Mapping[str, object], path: str | Path) -> list[tuple[str, Sequence[str]]]:
    """(video, frames), whether or not a level of compressions lies between; it is part of the video's name then."""
    made: list[tuple[str, Sequence[str]]] = []
    for name, value in found.items():
        inner = _mapping(value, path)
        frames = inner.get("frames")
        if isinstance(frames, list):
            made.append((name, [str(frame) for frame in frames]))
        else:
            made += [(f"{name}/{video}", frames) for video, frames in _videos(inner, path)]
    return made


def _own_name(entry: Entry) -> str:
    """Of a video, at whatever compression."""
    return PurePosixPath(entry.video_id or entry.image.stem).name


def _mapping(value: object, path: str | Path) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise FormatError(f"`{path}`: expected nested objects down to `frames`, got {type(value).__name__}")
    return value


def _lines(path: str | Path) -> list[tuple[int, str]]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"`{path}` cannot be read: {error}") from error
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _label(text: str, path: str | Path, number: int) -> int:
    """Anything but 0 is forged, as the official lists have it for several kinds; words say it, too."""
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    try:
        return int(int(text.strip()) != 0)
    except ValueError as error:
        raise FormatError(f"`{path}` line {number}: a label is a whole number, real or fake, got {text!r}") from error


def _text(found: Mapping[str, object], key: str) -> str | None:
    value = found.get(key)
    return None if value is None else str(value)


def _files(folder: str | Path) -> list[Path]:
    try:
        return [path for path in sorted(Path(folder).iterdir()) if path.is_file() and not path.name.startswith(".")]
    except OSError as error:
        raise FormatError(f"`{folder}` is no folder that can be read: {error}") from error


def _read_mask(path: Path) -> Mask:
    try:
        with PILImage.open(path) as opened:
            values = np.asarray(opened.convert("L"))
        return values > (127 if values.max(initial=0) > 1 else 0)  # some are drawn in 0 and 1
    except (OSError, UnidentifiedImageError) as error:
        raise MediaError(f"`{path}` is no mask that can be read: {error}") from error
