"""Lists of data sets that users bring along, in the layouts they are published in, with their counts checked.

A reader names what it found and warns, through the log, where that is not what the survey counts. Files are opened when
a sample is asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image as PILImage
from PIL import UnidentifiedImageError

from onlooker.errors import FormatError, MediaError
from onlooker.methods.forensics.media_forensics.samples import Mask, Sample, open_sample
from onlooker.methods.forensics.media_forensics.taxonomy import DatasetCard, find_dataset

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: picture, mask if there is one, label, kind, video and split if they are named."""

    image: Path
    label: int
    mask: Path | None = None
    manipulation: str | None = None
    video_id: str | None = None
    split: str | None = None

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
            source_id=self.video_id or self.image.name,
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
            videos = {(entry.label, entry.video_id or entry.image.stem) for entry in self.entries}
            real = sum(label == 0 for label, _ in videos)
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
        place = Path(root) / fields[0]
        entries.append(Entry(place, _label(fields[1], path, number), video_id=place.parent.name or None))
    return ListedDataset(name, tuple(entries))


def read_json_lines(path: str | Path, root: str | Path, name: str) -> ListedDataset:
    """One object a line: `image` and `label`, and perhaps `mask`, `manipulation`, `video_id`, `split`."""
    entries = []
    for number, line in _lines(path):
        try:
            found = json.loads(line)
        except ValueError as error:
            raise FormatError(f"`{path}` line {number} is no JSON: {error}") from error
        if not isinstance(found, dict) or not isinstance(found.get("image"), str) or "label" not in found:
            raise FormatError(f"`{path}` line {number}: expected an object with `image` and `label`")
        texts = {key: _text(found, key) for key in ("mask", "manipulation", "video_id", "split")}
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
            )
        )
    return ListedDataset(name, tuple(entries))


def read_folder_pairs(forged: str | Path, masks: str | Path, real: str | Path | None, name: str) -> ListedDataset:
    """Folders of forged pictures, of their masks by the same stem (or stem + `_gt`, `_mask`), and of real ones."""
    known = {path.stem: path for path in sorted(Path(masks).iterdir()) if path.is_file()}
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
        found = json.loads(Path(path).read_text(encoding="utf-8"))
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
    """(video, frames), whether or not a level of compressions lies between."""
    made: list[tuple[str, Sequence[str]]] = []
    for name, value in found.items():
        inner = _mapping(value, path)
        frames = inner.get("frames")
        if isinstance(frames, list):
            made.append((name, [str(frame) for frame in frames]))
        else:
            made += _videos(inner, path)
    return made


def _mapping(value: object, path: str | Path) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise FormatError(f"`{path}`: expected nested objects down to `frames`, got {type(value).__name__}")
    return value


def _lines(path: str | Path) -> list[tuple[int, str]]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"`{path}` cannot be read: {error}") from error
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _label(text: str, path: str | Path, number: int) -> int:
    """Anything but 0 is forged, as the official lists have it for several kinds."""
    try:
        return int(int(text.strip()) != 0)
    except ValueError as error:
        raise FormatError(f"`{path}` line {number}: a label is a whole number, got {text!r}") from error


def _text(found: Mapping[str, object], key: str) -> str | None:
    value = found.get(key)
    return None if value is None else str(value)


def _files(folder: str | Path) -> list[Path]:
    return [path for path in sorted(Path(folder).iterdir()) if path.is_file() and not path.name.startswith(".")]


def _read_mask(path: Path) -> Mask:
    try:
        with PILImage.open(path) as opened:
            return np.asarray(opened.convert("L")) > 127
    except (OSError, UnidentifiedImageError) as error:
        raise MediaError(f"`{path}` is no mask that can be read: {error}") from error
