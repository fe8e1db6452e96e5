"""What a judge said of every picture of a set, one JSON object a line: a run that was cut off goes on from there, and
scores can be computed again without judging again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError
from onlooker.evaluation.forgery_histograms import N_BINS, MapHistogram
from onlooker.formats.files import read_text, write_text

PREDICTIONS_FILE, JUDGE_FILE = "predictions.jsonl", "judge.json"
Key = tuple[str, str]


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """What a judge said of one picture under one change.

    Attributes:
        image: its name in the set.
        change: what was done to it first, like "jpeg:50"; "" where nothing was.
        stamp: sizes and times of the picture's file and its mask's: with others it is judged anew.
        label: 1 forged, 0 real.
        video, unit, manipulation: as in the set.
        probability: `None` where the judge could not judge; `refused` then says why.
        threshold: the judge's own, from which a manipulation is suspected; `None` where it has none.
        file_format, jpeg_quality, size_px: of the file; width and height.
        pixels: of its heat map against its mask; `None` where there is none of either, `no_pixels` says why.
    """

    image: str
    change: str
    stamp: str
    label: int
    video: str | None
    unit: str
    manipulation: str | None
    probability: float | None
    refused: str | None
    threshold: float | None
    file_format: str
    jpeg_quality: int | None
    size_px: tuple[int, int]
    pixels: MapHistogram | None
    no_pixels: str | None

    @property
    def key(self) -> Key:
        """What it is of."""
        return self.image, self.change

    def renamed(self, video: str | None, unit: str, manipulation: str | None) -> Prediction:
        """The same, of a picture that is listed otherwise now."""
        return replace(self, video=video, unit=unit, manipulation=manipulation)


def to_line(one: Prediction) -> str:
    """As a line of JSON. Pixels are counted by the bins of `forgery_histograms`: bin k ends at the value k / 200."""
    values: dict[str, object] = {name: getattr(one, name) for name in Prediction.__slots__ if name != "pixels"}
    if one.pixels is not None:
        values["pixels"] = {"forged": _sparse(one.pixels.true), "other": _sparse(one.pixels.other)}
    return json.dumps(values, ensure_ascii=False)


def from_line(line: str) -> Prediction | None:
    """`None` of what no finished run wrote: a cut-off line, or one of another version."""
    try:
        values = json.loads(line)
        pixels = values.pop("pixels", None)
        counted = None if pixels is None else MapHistogram(_dense(pixels["forged"]), _dense(pixels["other"]))
        width, height = values.pop("size_px")
        made = Prediction(**values, size_px=(int(width), int(height)), pixels=counted)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, ShapeError):
        return None
    right = made.label in (0, 1) and (made.probability is None or 0 <= made.probability <= 1)
    return made if right else None


class Store:
    """Predictions of one judge in a folder, or in memory alone.

    Args:
        folder: made if absent; `None` keeps nothing.
        judge: what identifies the judge; a folder holds predictions of one.

    Raises:
        ConfigError: the folder is a file, or holds predictions of another judge.
    """

    def __init__(self, folder: Path | None, judge: Mapping[str, object]) -> None:
        self._file = None if folder is None else folder / PREDICTIONS_FILE
        self._known: dict[Key, Prediction] = {}
        self.n_unreadable = 0
        if folder is None or self._file is None:
            return
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"`{folder}` is a file; `--output` is a folder")
        folder.mkdir(parents=True, exist_ok=True)
        _check_judge(folder / JUDGE_FILE, judge, has_predictions=self._file.exists())
        for line in read_text(self._file).splitlines() if self._file.exists() else ():
            one = from_line(line)
            if one is None:
                self.n_unreadable += 1
            else:
                self._known[one.key] = one
        self.tidy()  # nothing is appended behind half a line

    def find(self, key: Key, stamp: str, label: int) -> Prediction | None:
        """What is known already, if the files and the truth are those it was made with."""
        one = self._known.get(key)
        return one if one is not None and (one.stamp, one.label) == (stamp, label) else None

    def add(self, one: Prediction) -> None:
        """Keeps a prediction at once: what follows may be cut off."""
        self._known[one.key] = one
        if self._file is not None:
            with self._file.open("a", encoding="utf-8", newline="\n") as file:
                file.write(to_line(one) + "\n")

    def replace(self, one: Prediction) -> None:
        """Keeps another wording of what is known; `tidy` writes it."""
        self._known[one.key] = one

    def tidy(self) -> None:
        """Writes the file anew, a line for every prediction."""
        if self._file is not None and (self._known or self._file.exists()):
            write_text(self._file, "".join(to_line(one) + "\n" for one in self._known.values()))


def stamp_of(paths: Iterable[Path | None]) -> str:
    """Sizes and times of files, as text."""
    told = [path.stat() for path in paths if path is not None]
    return " ".join(f"{one.st_size}:{one.st_mtime_ns}" for one in told)


def _check_judge(file: Path, judge: Mapping[str, object], *, has_predictions: bool) -> None:
    text = json.dumps(dict(judge), indent=1, ensure_ascii=False) + "\n"
    if has_predictions and file.exists():
        try:
            before = json.loads(read_text(file))
        except ValueError:
            before = None
        if before != json.loads(text):
            known = before.get("name") if isinstance(before, dict) else "what nobody can read"
            raise ConfigError(
                f"`{file.parent}` holds predictions of another judge, or of `{known}` with other weights or options; "
                "name another folder with `--output`, or delete that one"
            )
    write_text(file, text)


def _sparse(counts: NDArray[np.int64]) -> dict[str, int]:
    return {str(k): int(counts[k]) for k in np.flatnonzero(counts)}


def _dense(counts: Mapping[str, int]) -> NDArray[np.int64]:
    made = np.zeros(N_BINS, np.int64)
    for k, count in counts.items():
        made[int(k)] = count
    return made
