"""The page of a scored judge: tables, ROC curves, and the pictures it got most wrong."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pil

from onlooker.errors import DecodeError, MediaError
from onlooker.evaluation.forgery import roc_curve
from onlooker.formats.files import write_text
from onlooker.methods.forensics.media_forensics.report import overlay
from onlooker.types import Image
from onlooker.video.authenticity.pictures import Tools
from onlooker.video.authenticity.scoring.asking import Look, look_at
from onlooker.video.authenticity.scoring.labelled import Item
from onlooker.video.authenticity.scoring.predictions import Prediction
from onlooker.video.authenticity.scoring.summary import ScoreRow, Truth
from onlooker.video.authenticity.scoring.tables import image_table, interval_text, pixel_table
from onlooker.video.ingest.job import Progress

if TYPE_CHECKING:
    from onlooker.video.authenticity.scoring.run import ScoringReport

PAGE_FILE, PANELS = "report.html", "panels"
_MOST_SHOWN = 6  # of either class
_PANEL_PX = 170
_SIDE, _LEFT, _TOP = 300, 44, 12  # of the curve's square and the room beside it
_INKS = ("#0a6ebd", "#c7421a", "#2c8a3c", "#8a3ab9", "#b8860b", "#00808a", "#7a4b2a", "#d0417e", "#555555", "#3b3bd6")
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;"
    "background:#fff}table{border-collapse:collapse;margin:.6rem 0 1.4rem;display:block;overflow-x:auto}"
    "td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:right}td{white-space:nowrap}"
    "td:first-child,th:first-child,td:nth-child(2),th:nth-child(2){text-align:left}"
    "small{color:#555}.warning{border-left:4px solid #c7421a;padding-left:.7rem}"
    "figure{display:inline-block;margin:.4rem .8rem .8rem 0;vertical-align:top;max-width:100%}"
    "figcaption{font-size:13px;max-width:34rem;overflow-wrap:anywhere}img{max-width:100%}"
    ".roc{display:flex;flex-wrap:wrap;gap:1rem;align-items:center}"
)


def write_page(
    folder: Path,
    report: ScoringReport,
    predictions: Sequence[Prediction],
    items: Sequence[Item],
    tools: Tools,
) -> Generator[Progress, None, Path]:
    """Writes the page and the panels it shows; yields progress.

    Args:
        folder: it goes into.
        report: what it tells.
        predictions: all of them; the worst of files as they are get a panel.
        items: the set.
        tools: asked once more about the pictures that are shown, for their maps.
    """
    plain = [one for one in predictions if one.change == "" and one.probability is not None]
    real = sorted((one for one in plain if one.label == 0), key=lambda one: -(one.probability or 0))[:_MOST_SHOWN]
    forged = sorted((one for one in plain if one.label == 1), key=lambda one: one.probability or 0)[:_MOST_SHOWN]
    known = {item.name: item for item in items}
    panels: dict[str, str | None] = {}
    shown = [*real, *forged]
    for n, one in enumerate(shown):
        yield Progress(report.data, "page", n, len(shown), "pictures", one.image)
        panels[one.image] = _panel(folder, one, known[one.image], tools)
    for file in (folder / PANELS).glob("*.png"):
        if f"{PANELS}/{file.name}" not in panels.values():
            file.unlink()
    title = f"{report.judge['name']} on {report.data}"
    body = [
        f"<h1>{html.escape(title)}</h1>",
        _about(report),
        *(f"<p class='warning'><b>Warning:</b> {html.escape(one)}</p>" for one in report.warnings),
        "<h2>Forged or not</h2>",
        _table(*image_table(report.rows)),
        _curves(report.rows),
        "<h2>Where</h2>",
        _where(report),
        _mistakes("Real pictures it suspects most", real, panels),
        _mistakes("Forged pictures it suspects least", forged, panels),
        _notes(report.notes),
    ]
    head = (
        f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{html.escape(title)}</title>"
    )
    text = (
        f"<!doctype html><html lang='en'><head>{head}<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )
    return write_text(folder / PAGE_FILE, text.encode("utf-8", "backslashreplace").decode())


def _about(report: ScoringReport) -> str:
    judge: Mapping[str, object] = report.judge
    tested = judge.get("tested_on")
    told = f"Judge <b>{html.escape(str(judge['name']))}</b>, version {html.escape(str(judge['version']))}"
    if judge.get("weights_sha256"):
        told += f", weights {html.escape(str(judge['weights_sha256'])[:12])}"
    if judge.get("options"):
        told += f", options {html.escape(str(judge['options']))}"
    told += "." if tested is None else f". Its own numbers: tested on {html.escape(str(tested))}."
    return (
        f"<p>{told} Brackets are 95 percent intervals: whole videos, or pictures of one name, are drawn anew. "
        "Thresholds called best were chosen on these very pictures and are bounds.</p>"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    lines = ("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _where(report: ScoringReport) -> str:
    columns, rows = pixel_table(report.rows)
    if not rows:
        why = "; ".join(f"{n} pictures: {reason}" for reason, n in report.without_pixels.items())
        return f"<p>No score of places. {html.escape(why)}</p>"
    return _table(columns, rows)


def _curves(rows: Sequence[ScoreRow]) -> str:
    """ROC curves of all rows that have one, without those of single kinds."""
    drawn = [row for row in rows if row.kind is None and row.auc is not None]
    if not drawn:
        return "<p>No curve: it needs judged pictures of both classes.</p>"
    bottom = _TOP + _SIDE
    parts = [
        f"<rect x='{_LEFT}' y='{_TOP}' width='{_SIDE}' height='{_SIDE}' fill='#fafafa' stroke='#ccc'/>",
        f"<line x1='{_LEFT}' y1='{bottom}' x2='{_LEFT + _SIDE}' y2='{_TOP}' stroke='#bbb' stroke-dasharray='4 4'/>",
        *_ticks(),
    ]
    legend = []
    for k, row in enumerate(drawn):
        ink, dashes = _INKS[k % len(_INKS)], "6 3" if row.level == "videos" else "none"
        points = " ".join(f"{_LEFT + x * _SIDE:.1f},{bottom - y * _SIDE:.1f}" for x, y in _corners(row.truths))
        parts.append(
            f"<polyline points='{points}' fill='none' stroke='{ink}' stroke-width='2' stroke-dasharray='{dashes}'/>"
        )
        named = html.escape(f"{row.change}, {row.level}: AUC {interval_text(row.auc)}")
        legend.append(f"<div><b style='color:{ink}'>{'- -' if row.level == 'videos' else '—'}</b> {named}</div>")
    size = f"width='{_LEFT + _SIDE + 12}' height='{bottom + 40}'"
    picture = f"<svg {size} role='img' aria-label='ROC curves'>{''.join(parts)}</svg>"
    return f"<div class='roc'>{picture}<div>{''.join(legend)}</div></div>"


def _ticks() -> list[str]:
    bottom, texts = _TOP + _SIDE, []
    for value in (0.0, 0.5, 1.0):
        x, y = _LEFT + value * _SIDE, bottom - value * _SIDE
        texts.append(f"<text x='{x}' y='{bottom + 16}' font-size='12' text-anchor='middle'>{value:g}</text>")
        texts.append(f"<text x='{_LEFT - 6}' y='{y + 4}' font-size='12' text-anchor='end'>{value:g}</text>")
    middle = _TOP + _SIDE / 2
    texts.append(
        f"<text x='{_LEFT + _SIDE / 2}' y='{bottom + 34}' font-size='12' text-anchor='middle'>"
        "part of the real that is accused</text>"
    )
    texts.append(
        f"<text x='12' y='{middle}' font-size='12' text-anchor='middle' transform='rotate(-90 12 {middle})'>"
        "part of the forged that is found</text>"
    )
    return texts


def _corners(truths: Sequence[Truth]) -> list[tuple[float, float]]:
    """Points of a curve; those on a straight line between others are left out."""
    false_rate, true_rate = roc_curve(
        np.array([one.probability for one in truths]), np.array([one.label for one in truths])
    )
    points = np.stack([false_rate, true_rate], axis=1)
    steps = np.diff(points, axis=0)
    turns = np.abs(steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]) > 1e-15
    kept = points[np.concatenate([[True], turns, [True]])]
    return [(float(x), float(y)) for x, y in kept]


def _mistakes(title: str, worst: Sequence[Prediction], panels: Mapping[str, str | None]) -> str:
    if not worst:
        return ""
    figures = "".join(_figure(one, panels[one.image]) for one in worst)
    legend = "picture, truth where there is one, the judge's map"
    return f"<h2>{html.escape(title)}</h2><p><small>{legend}</small></p>{figures}"


def _figure(one: Prediction, panel: str | None) -> str:
    suspected = one.threshold is not None and (one.probability or 0) >= one.threshold
    right = suspected == bool(one.label)
    said = f"probability {one.probability:.3f}"
    if one.threshold is not None:
        said += f", suspected from {one.threshold:.3f}: {'right' if right else 'wrong'}"
    kind = "" if one.manipulation is None else f" ({one.manipulation})"
    caption = html.escape(f"{one.image}{kind}: {said}")
    picture = "" if panel is None else f"<img src='{panel}' alt='{html.escape(one.image, quote=True)}'>"
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _notes(notes: Sequence[str]) -> str:
    lines = "".join(f"<li>{html.escape(one)}</li>" for one in notes)
    return f"<h2>Notes</h2><ul>{lines}</ul>" if lines else ""


def _panel(folder: Path, one: Prediction, item: Item, tools: Tools) -> str | None:
    """Path of the panel below the folder; one of an earlier run is kept. `None` if the picture went meanwhile."""
    text = f"{one.image} {one.stamp} {one.probability}".encode("utf-8", "surrogateescape")
    name = f"{PANELS}/{hashlib.sha256(text).hexdigest()[:16]}.png"
    if not (folder / name).is_file():
        try:
            look = look_at(item, None, tools)
        except (MediaError, DecodeError, OSError):
            return None
        (folder / PANELS).mkdir(exist_ok=True)
        Pil.fromarray(draw_look(look)).save(folder / name)
    return name


def draw_look(look: Look) -> Image:
    """The picture, beside it what is manipulated in white where something is, and the map over the picture."""
    tiles = [_tile(look.image)]
    if look.mask is not None and look.mask.any():
        tiles.append(_tile(np.repeat((look.mask * np.uint8(255))[..., None], 3, axis=2)))
    if look.heat_map is not None:
        tiles.append(_tile(overlay(look.image, look.heat_map)))
    gap = np.full((_PANEL_PX, 4, 3), 255, np.uint8)
    return np.concatenate([part for tile in tiles for part in (tile, gap)][:-1], axis=1)


def _tile(image: Image) -> Image:
    """At the panels' height, and no wider than three of these."""
    height, width = image.shape[:2]
    size = min(max(round(width * _PANEL_PX / height), 1), 3 * _PANEL_PX), _PANEL_PX
    return np.asarray(Pil.fromarray(image).resize(size, Pil.Resampling.LANCZOS))
