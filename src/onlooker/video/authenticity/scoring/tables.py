"""Rows of scores as tables that the terminal and the page show alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onlooker.evaluation.forgery import Interval, Score
from onlooker.video.authenticity.scoring.summary import ScoreRow

NOT_DEFINED = "not defined"
_IMAGES = {
    "EER": "equal_error_rate",
    "AP": "average_precision",
    "accuracy at 0.5": "accuracy",
    "best accuracy": "best_accuracy",
    "suspected of real": "suspected_of_real",
    "of forged": "suspected_of_forged",
}
_PIXELS = {"F1 at 0.5": "f1", "best F1": "best_f1", "IoU at 0.5": "iou", "best IoU": "best_iou", "AUC": "auc"}

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def image_table(rows: Sequence[ScoreRow]) -> Table:
    """Columns and cells of scores of pictures and videos."""
    kinds = any(row.kind is not None for row in rows)
    columns = (
        "change",
        "scored",
        *(("forged by",) if kinds else ()),
        "real",
        "forged",
        "not judged",
        "AUC",
        *_IMAGES,
    )
    cells = [
        (
            row.change,
            row.level,
            *((row.kind or "all",) if kinds else ()),
            str(row.n_real),
            str(row.n_forged),
            str(row.n_refused),
            interval_text(row.auc),
            *(_cell(row.images, name) for name in _IMAGES.values()),
        )
        for row in rows
    ]
    return columns, cells


def pixel_table(rows: Sequence[ScoreRow]) -> Table:
    """Columns and cells of scores of pixels; no cells where there are none."""
    cells = []
    for row in rows:
        if row.pixels is None:
            continue
        alarms = _cell(row.pixels.authentic, "false_alarm_pixels")
        spread = "" if row.pixel_f1 is None else f" [{row.pixel_f1.low:.3f}, {row.pixel_f1.high:.3f}]"
        for what, found in (("mean over forged pictures", row.pixels.tampered), ("all pixels", row.pixels.pooled)):
            scores = [_cell(found, name) for name in _PIXELS.values()]
            if found is row.pixels.tampered:
                scores[0] += spread
                cells.append((row.change, what, *scores, ""))
            else:
                cells.append((row.change, what, *scores, alarms))
    return ("change", "pixels of", *_PIXELS, "accused of real"), cells


def interval_text(interval: Interval | None) -> str:
    """A score with its interval."""
    if interval is None:
        return NOT_DEFINED
    if interval.n_units < 2 or interval.n_defined == 0:
        return f"{interval.value:.3f}"
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _cell(scores: Mapping[str, Score], name: str) -> str:
    score = scores.get(name)
    return f"{score.value:.3f}" if score is not None and score.is_defined else NOT_DEFINED
