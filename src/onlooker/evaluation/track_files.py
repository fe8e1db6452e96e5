"""Scores of tracks in files: predictions and truth of one format in, one table out.

Sequences pair up by name, or as the only ones of both sides, of which a note tells. A sequence or frame that one side
has and the other lacks is an error, never a silent zero: a tracker that found nothing writes an empty file.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar, get_args

import numpy as np

from onlooker.errors import ConfigError, FormatError, NothingFoundError, ShapeError, UnknownNameError
from onlooker.evaluation.mask_tracking import MaskFrame, combine_masks, mask_overlaps
from onlooker.evaluation.single_object import SingleObjectScores, mean_single_object, score_single_object
from onlooker.evaluation.tracking import (
    FrameBoxes,
    OverlapSequence,
    Sequence2D,
    TrackingScores,
    score_overlaps,
    score_sequences,
)
from onlooker.evaluation.tracking_rules import MOT17_DISTRACTORS, MOT17_PEDESTRIAN, apply_mot17_rules
from onlooker.evaluation.tubes import TubeScores, score_tubes
from onlooker.evaluation.video_objects import ObjectScores, mean_objects, score_video_objects
from onlooker.formats import davis, mot, mots, single_object, ytvis
from onlooker.formats.files import visible
from onlooker.formats.run_lengths import decode_mask

TrackFormat: TypeAlias = Literal["mot", "mots", "davis", "ytvis", "sot"]
Rules: TypeAlias = Literal["none", "mot17"]
Row: TypeAlias = dict[str, float | int | None]
_LEAST_FRAMES = 3  # of masks as DAVIS judges them: the first and the last do not count
_Row = TypeVar("_Row", mot.MotRow, mots.MotsRow)


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """What the files do not say.

    Attributes:
        fps: frames a second of the sequences, for switches per object-minute; a `seqinfo.ini` is believed first.
        rules: "mot17" forgives distractors and counts pedestrians only; "none" counts every row not marked 0.
        one_object: DAVIS masks hold one object, whatever their ids (DAVIS 2016).
        first_pixel: number of the first pixel in the truth of single objects, 1 in OTB. Predictions count from 0 then,
            as what `onlooker track` writes does; with 0 both count alike.

    Raises:
        ConfigError: a rate that is not above 0, or another first pixel.
        UnknownNameError: there are no such rules.
    """

    fps: float | None = None
    rules: Rules = "none"
    one_object: bool = False
    first_pixel: single_object.Origin = 0

    def __post_init__(self) -> None:
        if self.fps is not None and not (math.isfinite(self.fps) and self.fps > 0):
            raise ConfigError(f"`fps` is a number of frames a second above 0, got {self.fps:g}")
        if self.rules not in get_args(Rules):
            raise UnknownNameError("set of rules", self.rules, get_args(Rules))
        if self.first_pixel not in (0, 1):
            raise ConfigError(f"`first_pixel` is 0 or 1, got {self.first_pixel}")

    def check_for(self, format_: TrackFormat) -> None:
        """Whether a format has a use for what was said.

        Raises:
            ConfigError: it has none: the numbers would not be those that were asked for.
        """
        plain = TrackOptions()
        for field in dataclasses.fields(self):
            formats = _FORMATS_OF[field.name]
            if format_ not in formats and getattr(self, field.name) != getattr(plain, field.name):
                name = field.name.replace("_", "-")
                raise ConfigError(f"`--{name}` belongs to {' and '.join(formats)}; leave it out for {format_}")


_FORMATS_OF: Mapping[str, tuple[TrackFormat, ...]] = {
    "fps": ("mot", "mots"),
    "rules": ("mot",),
    "one_object": ("davis",),
    "first_pixel": ("sot",),
}


@dataclass(frozen=True, slots=True)
class TrackReport:
    """Scores by sequence and over all; percentages unless a name says otherwise. `notes` say what to know of them."""

    format: TrackFormat
    overall: Row
    sequences: Mapping[str, Row]
    notes: tuple[str, ...] = ()


def evaluate_tracks(
    predictions: str | Path, truth: str | Path, format_: TrackFormat, options: TrackOptions | None = None
) -> TrackReport:
    """Score files of predictions against files of truth.

    Args:
        predictions, truth: "mot", "mots", "sot": a file, a folder of files `SEQUENCE.txt`, or folders of sequences;
            "davis": a folder of folders of masks; "ytvis": JSON files.

    Raises:
        FormatError: a file is malformed, or sequences or frames do not pair up.
        NothingFoundError: a path holds no such file, or the truth no object to find: there is nothing to score.
        ConfigError: an option that the format has no use for.
        UnknownNameError: there is no such format.
        MissingExtraError: "mot" and "mots" without the `trackeval` package.
    """
    scorers: dict[TrackFormat, Callable[[Path, Path, TrackOptions], TrackReport]] = {
        "mot": _evaluate_mot,
        "mots": _evaluate_mots,
        "davis": _evaluate_davis,
        "ytvis": _evaluate_ytvis,
        "sot": _evaluate_sot,
    }
    if format_ not in scorers:
        raise UnknownNameError("format of tracks", format_, scorers)
    options = options or TrackOptions()
    options.check_for(format_)
    for path in (Path(predictions), Path(truth)):
        if not path.exists():
            raise NothingFoundError(f"`{path}` does not exist")
    return scorers[format_](Path(predictions), Path(truth), options)


# -- boxes of many objects --------------------------------------------------------------------------------------


def _evaluate_mot(predictions: Path, truth: Path, options: TrackOptions) -> TrackReport:
    notes: list[str] = []
    pairs = _paired(_mot_files(predictions), _mot_files(truth), (predictions, truth), notes)
    _check_mot_truth([true for _, _, true in pairs], truth, options.rules)
    rates: list[float | None] = []
    sequences = []
    for name, found, true in pairs:
        header = mot.read_header(true.parent.parent / "seqinfo.ini") if true.parent.name == "gt" else {}
        rate = mot.header_number(header, "frameRate", true.parent.parent) or options.fps
        rates.append(rate)
        sequences.append(_mot_sequence((name, found, true), _length(true), rate, options.rules, notes))
    overall, each = score_sequences(sequences)
    rows = {s.name: _tracking_row(each[s.name], rate) for s, rate in zip(sequences, rates, strict=True)}
    rated = options.fps if None in rates else rates[0]
    return TrackReport("mot", _tracking_row(overall, rated), rows, tuple(notes))


def _mot_files(root: Path) -> dict[str, Path]:
    if root.is_file():
        return {root.stem: root}
    if mot.is_sequence(root):
        return {root.resolve().name: root / "gt" / "gt.txt"}
    found = {f.name: f / "gt" / "gt.txt" for f in visible(root.iterdir()) if f.is_dir() and mot.is_sequence(f)}
    found |= {f.stem: f for f in visible(root.glob("*.txt"))}
    if not found:
        raise NothingFoundError(f"`{root}`: holds neither `SEQUENCE.txt` nor `SEQUENCE/gt/gt.txt`")
    return found


def _check_mot_truth(files: Sequence[Path], truth: Path, rules: Rules) -> None:
    """Raises NothingFoundError where no row counts: all scores would be zeros that mean nothing."""
    rows = (row for file in files for row in mot.iterate_rows(file))
    if not any(row.considered and (rules == "none" or row.class_number in (None, MOT17_PEDESTRIAN)) for row in rows):
        wanted = "row whose seventh number is not 0"
        if rules == "mot17":
            wanted += f" and whose class is {MOT17_PEDESTRIAN}, a pedestrian"
        raise NothingFoundError(f"`{truth}`: holds no object to find; looked for a {wanted}")


def _mot_sequence(
    files: tuple[str, Path, Path], length: int, fps: float | None, rules: Rules, notes: list[str]
) -> Sequence2D:
    name, found, true = files
    true_rows, found_rows = list(mot.iterate_rows(true)), list(mot.iterate_rows(found))
    n_frames = max([length, *(row.frame for row in true_rows)], default=0)
    late = next((row for row in found_rows if row.frame > n_frames), None)
    if late is not None:
        raise FormatError(
            f"{found}:{late.line}: frame {late.frame}, but the truth `{true}` ends at {n_frames}; "
            "if the sequence is longer, say so by `seqLength` in its `seqinfo.ini`"
        )
    true_at, found_at = _by_frame(true_rows), _by_frame(found_rows)
    # A frame without any box changes no score; a file may number frames in millions.
    frames = sorted(true_at.keys() | found_at.keys())
    truth_frames, tracked = ([at.get(t, []) for t in frames] for at in (true_at, found_at))
    if rules == "none":
        if any(row.class_number in MOT17_DISTRACTORS and row.considered for row in true_rows):
            notes.append(f"{true}: has rows of classes that MOT17 forgives; `mot17` rules would leave them out")
        counted = [[row for row in rows if row.considered] for rows in truth_frames]
        pairs = [(_boxes(a, true), _boxes(b, found)) for a, b in zip(counted, tracked, strict=True)]
    else:
        if any(row.class_number is None for row in true_rows):
            raise FormatError(f"{true}: the rules of MOT17 need the class of every row (nine numbers)")
        pairs = [
            apply_mot17_rules(
                _boxes(a, true),
                np.array([row.class_number for row in a], np.int64),
                np.array([row.considered for row in a], np.bool_),
                _boxes(b, found),
            )
            for a, b in zip(truth_frames, tracked, strict=True)
        ]
    return Sequence2D(name, tuple(a for a, _ in pairs), tuple(b for _, b in pairs), 1 / fps if fps else 1.0)


def _by_frame(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    frames: defaultdict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        frames[row.frame].append(row)
    return dict(frames)


def _boxes(rows: Sequence[mot.MotRow], file: Path) -> FrameBoxes:
    try:
        return FrameBoxes(
            np.array([row.number for row in rows], np.int64),
            np.array([row.box_xyxy for row in rows], np.float64).reshape(-1, 4),
        )
    except ShapeError as error:
        raise FormatError(f"{file}: frame {rows[0].frame}: {error}") from error


def _tracking_row(scores: TrackingScores, fps: float | None) -> Row:
    return {
        "HOTA": scores.hota,
        "DetA": scores.deta,
        "AssA": scores.assa,
        "MOTA": scores.mota,
        "IDF1": scores.idf1,
        "id_switches": scores.id_switches,
        "id_switches_per_object_minute": scores.id_switches_per_object_minute if fps else None,
        "count_error": scores.count_error,
        "true_tracks": scores.n_truths,
        "tracks": scores.n_tracks,
    }


# -- masks of many objects --------------------------------------------------------------------------------------


def _evaluate_mots(predictions: Path, truth: Path, options: TrackOptions) -> TrackReport:
    notes: list[str] = []
    pairs = _paired(_mot_files(predictions), _mot_files(truth), (predictions, truth), notes)
    if not any(row.class_number != mots.IGNORED for _, _, true in pairs for row in mots.read_rows(true)):
        raise NothingFoundError(f"`{truth}`: holds no object to find; looked for a class other than {mots.IGNORED}")
    sequences = []
    for name, found, true in pairs:
        sequences += list(_mots_sequences(name, found, true, options.fps))
    overall, each = score_overlaps(sequences)
    rows = {name: _mots_row(scores, options.fps) for name, scores in each.items()}
    return TrackReport("mots", _mots_row(overall, options.fps), rows, tuple(notes))


def _mots_sequences(name: str, found: Path, true: Path, fps: float | None) -> Iterator[OverlapSequence]:
    """One sequence for each class: a car is never a found pedestrian."""
    truths, tracked = mots.read_rows(true), mots.read_rows(found)
    if truths and tracked and (truths[0].height, truths[0].width) != (tracked[0].height, tracked[0].width):
        raise FormatError(f"{found}: masks of {_size(tracked[0])}, the truth has {_size(truths[0])}")
    frames = [row.frame for row in truths]
    # The format counts frames from 1, KITTI's files from 0; where objects come late, the frames before count too.
    first, last = min([1, *frames]), max([0, *frames, _length(true)])
    outside = next((r.frame for r in tracked if not first <= r.frame <= last), None)
    if outside is not None:
        covered = f"has frames {first} to {last}" if last >= first else "is empty"
        raise FormatError(
            f"{found}: frame {outside}, but the truth `{true}` {covered}; "
            "if the sequence is longer, say so by `seqLength` in its `seqinfo.ini`"
        )
    true_at, found_at = _by_frame(truths), _by_frame(tracked)
    kinds = sorted({r.class_number for r in (*truths, *tracked)} - {mots.IGNORED})
    for kind in kinds or (mots.PEDESTRIAN,):
        # A frame without a mask of the class changes no score.
        used = sorted({r.frame for r in (*truths, *tracked) if r.class_number == kind})
        pairs = ((true_at.get(t, []), found_at.get(t, [])) for t in used)
        label = name if len(kinds) < 2 else f"{name} class {kind}"
        yield mask_overlaps(label, (_mots_frame(*pair, kind, (true, found)) for pair in pairs), 1 / fps if fps else 1.0)


def _length(true: Path) -> int:
    """`seqLength` of a truth file in a sequence folder; 0 where nothing says it."""
    if true.parent.name != "gt":
        return 0
    folder = true.parent.parent
    return int(mot.header_number(mot.read_header(folder / "seqinfo.ini"), "seqLength", folder) or 0)


def _mots_frame(
    truths: Sequence[mots.MotsRow], tracked: Sequence[mots.MotsRow], kind: int, files: tuple[Path, Path]
) -> MaskFrame:
    """The rows of one frame, of which there is one at least."""
    sized = (*truths, *tracked)[0]
    shape = (sized.height, sized.width)
    maps = []
    for rows, file in zip((truths, tracked), files, strict=True):
        chosen = [row for row in rows if row.class_number == kind]
        masks = [decode_mask(row.counts, *shape) for row in chosen]
        try:
            maps.append(combine_masks(masks, [row.number for row in chosen], shape))
        except ShapeError as error:
            raise FormatError(f"{file}: frame {sized.frame}: {error}") from error
    regions = [row for row in truths if row.class_number == mots.IGNORED]
    ignore = np.zeros(shape, np.bool_)
    for row in regions:
        ignore |= decode_mask(row.counts, *shape)
    return MaskFrame(maps[0], maps[1], ignore if regions else None)


def _mots_row(scores: TrackingScores, fps: float | None) -> Row:
    row = _tracking_row(scores, fps)
    motsa = row.pop("MOTA")
    return {"HOTA": row.pop("HOTA"), "sMOTSA": scores.smota, "MOTSA": motsa, **row}


def _size(row: mots.MotsRow) -> str:
    return f"{row.width}x{row.height}"


# -- masks of given objects -------------------------------------------------------------------------------------


def _evaluate_davis(predictions: Path, truth: Path, options: TrackOptions) -> TrackReport:
    notes: list[str] = []
    found_in, true_in = davis.sequence_folders(predictions), davis.sequence_folders(truth)
    pairs = _paired(found_in, true_in, (predictions, truth), notes)
    every: list[ObjectScores] = []
    rows: dict[str, Row] = {}
    for name, found, true in pairs:
        a, b = davis.read_sequence(found, name), davis.read_sequence(true, name)
        if not b.labels.any():
            raise NothingFoundError(f"`{true}`: holds no object to find; looked for pixels that are not ground")
        if len(b.stems) < _LEAST_FRAMES:
            raise FormatError(
                f"{true}: has {len(b.stems)} masks; the first and the last are not scored, give 3 or more"
            )
        if not set(np.unique(b.labels[0]).tolist()) - {0, davis.VOID}:
            raise FormatError(
                f"{true}: the first mask shows no object to follow; begin the sequence where there is one"
            )
        missing, surplus = set(b.stems) - set(a.stems), set(a.stems) - set(b.stems)
        if missing or surplus:
            what = f"lacks `{min(missing)}.png`" if missing else f"has `{min(surplus)}.png`, which the truth lacks"
            raise FormatError(f"{found}: {what} ({len(a.stems)} masks predicted, {len(b.stems)} in the truth)")
        if a.labels.shape != b.labels.shape:
            raise FormatError(f"{found}: masks are {a.labels.shape[1:]}, those of the truth {b.labels.shape[1:]}")
        try:
            scores = score_video_objects(a.labels, b.labels, one_object=options.one_object)
        except ShapeError as error:
            raise FormatError(f"{found}: {error}") from error
        late = sorted(set(np.unique(b.labels).tolist()) - {0, davis.VOID} - set(np.unique(b.labels[0]).tolist()))
        if late and not options.one_object:
            notes.append(
                f"{true}: objects {late[:5]} come after the first frame; DAVIS judges those of the first alone"
            )
        every += scores.values()
        rows[name] = _object_row(mean_objects(scores.values()), len(scores))
    return TrackReport("davis", _object_row(mean_objects(every), len(every)), rows, tuple(notes))


def _object_row(scores: ObjectScores, n_objects: int) -> Row:
    return {
        "J&F": scores.j_and_f,
        "J": scores.j.mean,
        "J_recall": scores.j.recall,
        "J_decay": scores.j.decay,
        "F": scores.f.mean,
        "F_recall": scores.f.recall,
        "F_decay": scores.f.decay,
        "objects": n_objects,
    }


# -- tubes and single objects -----------------------------------------------------------------------------------


def _evaluate_ytvis(predictions: Path, truth: Path, options: TrackOptions) -> TrackReport:
    del options  # tubes say all there is
    true = ytvis.read_truth(truth)
    found = ytvis.read_results(predictions, true)
    if all(tube.crowd for tube in true.tubes):
        raise NothingFoundError(f"`{truth}`: has no annotations to score against; looked for one that is no crowd")
    rows = {_video_name(v): _tube_row(score_tubes(found, true, [v.number])) for v in true.videos.values()}
    overall = score_tubes(found, true)
    return TrackReport("ytvis", _tube_row(overall), rows)


def _video_name(video: ytvis.TubeVideo) -> str:
    folder = video.file_names[0].rpartition("/")[0] if video.file_names else ""
    return f"{video.number} {folder}".strip()


def _tube_row(scores: TubeScores) -> Row:
    values: Row = {"AP": scores.ap, "AP50": scores.ap50, "AP75": scores.ap75, "AR1": scores.ar1, "AR10": scores.ar10}
    return {**values, "true_tubes": scores.n_truths, "tubes": scores.n_tubes}


def _evaluate_sot(predictions: Path, truth: Path, options: TrackOptions) -> TrackReport:
    found, true = single_object.sequence_files(predictions), single_object.sequence_files(truth)
    each: dict[str, SingleObjectScores] = {}
    notes: list[str] = []
    for name, mine, theirs in _paired(found, true, (predictions, truth), notes):
        try:
            boxes = single_object.read_boxes(theirs, origin=options.first_pixel)
            if not boxes.visible.any():
                raise NothingFoundError(f"`{theirs}`: shows the object on no frame; looked for a box with an area")
            each[name] = score_single_object(single_object.read_boxes(mine), boxes)
        except ShapeError as error:
            raise FormatError(f"{mine}: {error}") from error
    rows = {name: _single_row(scores) for name, scores in each.items()}
    return TrackReport("sot", _single_row(mean_single_object(each)), rows, tuple(notes))


def _single_row(scores: SingleObjectScores) -> Row:
    return {
        "success_AUC": scores.success_auc,
        "success_50": scores.success_50,
        "precision_20px": scores.precision_20px,
        "normalised_precision_AUC": scores.normalised_precision_auc,
        "absence_recall": scores.absence_recall,
        "frames": scores.n_frames,
    }


def _paired(
    found: Mapping[str, Path], true: Mapping[str, Path], roots: tuple[Path, Path], notes: list[str]
) -> list[tuple[str, Path, Path]]:
    """(name, prediction, truth) of every sequence; `notes` gets a remark where two of unlike names are paired.

    Args:
        roots: where the predictions and the truths are from, for the message.

    Raises:
        FormatError: one side has a sequence that the other lacks.
    """
    if len(found) == len(true) == 1:
        (name, theirs), (own, mine) = next(iter(true.items())), next(iter(found.items()))
        if own != name:
            notes.append(
                f"the only sequence of the predictions, `{own}`, is scored against the only one of the truth, "
                f"`{name}`, whatever their names"
            )
        return [(name, mine, theirs)]
    missing, surplus = sorted(set(true) - set(found)), sorted(set(found) - set(true))
    if missing or surplus:
        (where, other), names = (roots, missing) if missing else (roots[::-1], surplus)
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise FormatError(f"`{where}` lacks {len(names)} of the sequences in `{other}`: {shown}")
    return [(name, found[name], true[name]) for name in sorted(true)]
