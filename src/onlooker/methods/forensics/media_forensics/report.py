"""The report of a benchmark as files: `report.json`, `rows.csv`, `report.html` and pictures in `panels/`."""

from __future__ import annotations

import csv
import dataclasses
import html
import json
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PILImage

from onlooker.configs import config_to_dict
from onlooker.methods.forensics.media_forensics.benchmark import BenchmarkReport, Row, area_under_sweep
from onlooker.methods.forensics.media_forensics.samples import Finding, Sample
from onlooker.types import Image

_TILE_PX = 160
_WIDTH, _HEIGHT, _PAD = 360, 200, 34
_INKS = ("#0a6ebd", "#c7421a", "#2c8a3c", "#8a3ab9", "#b8860b", "#00808a", "#7a4b2a", "#d0417e", "#555555", "#3b3bd6")
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:.6rem 0 1.4rem}td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;"
    "text-align:right}td:first-child,th:first-child{text-align:left}small{color:#666}img{max-width:100%}"
    "svg{background:#fafafa;margin:.3rem}.bad{color:#a30000}"
)
_CAUTION = (
    "No detector here says that a picture is authentic: the most it says is that it found nothing. All numbers are of "
    "manipulations this project made itself on a few dozen photos, split by photo; brackets are 95 percent intervals "
    "over photos. Probabilities hold where half of the pictures are manipulated."
)


def write_report(reports: Sequence[BenchmarkReport], folder: str | Path) -> Path:
    """Writes all files and returns the page.

    Args:
        reports: one per plan, in order.
        folder: made if absent; files of the same names are replaced.
    """
    place = Path(folder)
    (place / "panels").mkdir(parents=True, exist_ok=True)
    (place / "report.json").write_text(json.dumps([report_to_dict(one) for one in reports], indent=1), encoding="utf-8")
    with (place / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in dataclasses.fields(Row)])
        for report in reports:
            writer.writerows(dataclasses.astuple(row) for row in report.rows)
    parts = [f"<h1>Media forensics: the benchmark</h1><p>{_CAUTION}</p>"]
    for report in reports:
        parts.append(_section(report))
        for number, (sample, said) in enumerate(report.shown):
            name = f"panels/{_slug(report.plan.name)}-{number:02d}.png"
            findings = {key: one for key, one in said.items() if isinstance(one, Finding)}
            PILImage.fromarray(draw_panel(sample, findings)).save(place / name)
            parts.append(_evidence(name, sample, findings))
    page = place / "report.html"
    head = f"<meta charset='utf-8'><title>Media forensics</title><style>{_STYLE}</style>"
    page.write_text(f"<!doctype html><html><head>{head}</head><body>{''.join(parts)}</body></html>", encoding="utf-8")
    return page


def report_to_dict(report: BenchmarkReport) -> dict[str, object]:
    """Plain data; NaN becomes `None`, its reason is in `note`."""
    return {
        "plan": config_to_dict(report.plan),
        "leaks": {
            "file_auc": _number(report.leaks.file_auc.value),
            "colour_auc": _number(report.leaks.colour_auc.value),
            "centre_prior_auc": _number(report.leaks.centre_prior_auc.value),
            "all_ones_f1": _number(report.leaks.all_ones_f1.value),
            "shared_photos": list(report.leaks.shared_photos),
        },
        "controls": {
            name: {
                "matched_auc": [_number(v) for v in (one.matched.value, one.matched.low, one.matched.high)],
                "history_auc": _number(one.history.value),
                "only_compression": one.only_compression,
                "reason": one.reason,
            }
            for name, one in report.controls.items()
        },
        "refusals": {name: dict(reasons) for name, reasons in report.refusals.items()},
        "known_failures": dict(report.failures),
        "seconds": {name: round(value, 1) for name, value in report.seconds.items()},
        "rows": [{key: _plain(value) for key, value in dataclasses.asdict(row).items()} for row in report.rows],
    }


def draw_panel(sample: Sample, findings: dict[str, Finding]) -> Image:
    """(160, 160 * n, 3): the picture, its true mask, and every map laid over the picture."""
    tiles = [_shown(sample.image)]
    if sample.mask is not None:
        tiles.append(_shown(np.repeat((sample.mask * np.uint8(255))[..., None], 3, axis=2)))
    maps = [finding.heat_map for finding in findings.values() if finding.heat_map is not None]
    tiles += [_shown(overlay(sample.image, heat_map)) for heat_map in maps]
    return np.concatenate(tiles, axis=1)


def overlay(image: Image, heat_map: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Image:
    """The picture in grey under the map in colour; 0 leaves it grey."""
    colours = cv2.cvtColor(
        cv2.applyColorMap((heat_map * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB
    )
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    share = 0.75 * heat_map[..., None]
    return np.asarray(np.rint(grey * (1 - share) + colours * share), np.uint8)


def _shown(image: Image) -> Image:
    made: Image = cv2.resize(image, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_AREA)
    return made


def _section(report: BenchmarkReport) -> str:
    plan, leaks = report.plan, report.leaks
    took = ", ".join(f"{html.escape(name)} {value:.0f} s" for name, value in report.seconds.items())
    parts = [
        f"<h2>{html.escape(plan.name)}</h2>",
        f"<p>{plan.tiles.size_px} px; {plan.n_train} tiles to train, {plan.n_validation} to calibrate, "
        f"{plan.n_test} to test</p>",
        f"<p><small>{took}</small></p>",
        "<p>Without looking at the picture: file size and tables give AUC "
        f"{leaks.file_auc.value:.2f}, mean colours {leaks.colour_auc.value:.2f}, the mean mask a pixel AUC of "
        f"{leaks.centre_prior_auc.value:.2f}, calling everything manipulated a pixel F1 of "
        f"{leaks.all_ones_f1.value:.2f}.</p>",
        "<h3>Within: trained and tested on all kinds</h3>",
        _matrix(report, "within", "image auc"),
        "<h4>Where: pixel F1 on manipulated pictures at 0.5, and AUC</h4>",
        _matrix(report, "within", "pixel f1"),
        _matrix(report, "within", "pixel auc"),
    ]
    if any(row.protocol == "cross-manipulation" for row in report.rows):
        parts += [
            "<h3>Cross-manipulation: the kind was left out of training</h3>",
            _matrix(report, "cross-manipulation", "image auc"),
        ]
    parts += [
        "<h3>Cross-source</h3>",
        _matrix(report, "cross-source", "image auc"),
        "<h3>Robustness: image AUC</h3>",
        _sweeps(report),
    ]
    parts += [
        "<h3>Control: does it see more than compression?</h3>",
        _controls(report),
        "<h3>Refusals</h3>",
        _refusals(report),
    ]
    return "".join(parts)


def _matrix(report: BenchmarkReport, protocol: str, metric: str) -> str:
    """Detectors down, test sets across."""
    rows = [row for row in report.rows if row.protocol == protocol and row.metric == metric]
    columns = list(dict.fromkeys(row.tested_on for row in rows))
    lines = [
        "<tr><th>" + html.escape(metric) + "</th>" + "".join(f"<th>{html.escape(c)}</th>" for c in columns) + "</tr>"
    ]
    for name in dict.fromkeys(row.detector for row in rows):
        cells = {row.tested_on: row for row in rows if row.detector == name}
        shown = "".join(f"<td>{_cell(cells[c]) if c in cells else ''}</td>" for c in columns)
        lines.append(f"<tr><td>{html.escape(name)}</td>{shown}</tr>")
    return f"<table>{''.join(lines)}</table>" if rows else "<p>nothing measured</p>"


def _cell(row: Row) -> str:
    if math.isnan(row.value):
        return f"<small>{html.escape(row.note or 'undefined')}</small>"
    bounds = "" if row.low is None or row.high is None else f" <small>[{row.low:.2f}, {row.high:.2f}]</small>"
    refused = f" <small>{row.refused}/{row.n_samples} refused</small>" if row.refused else ""
    return f"{row.value:.3f}{bounds}{refused}"


def _sweeps(report: BenchmarkReport) -> str:
    rows = [row for row in report.rows if row.protocol == "robustness" and row.metric == "image auc"]
    names = list(dict.fromkeys(row.detector for row in rows))
    changes = list(dict.fromkeys(row.perturbation for row in rows if row.perturbation))
    legend = " ".join(f"<b style='color:{_INKS[k % len(_INKS)]}'>{html.escape(n)}</b>" for k, n in enumerate(names))
    drawn = "".join(_curves([row for row in rows if row.perturbation == change], change, names) for change in changes)
    head = "<tr><th>mean over levels</th>" + "".join(f"<th>{html.escape(change)}</th>" for change in changes) + "</tr>"
    lines = []
    for name in names:
        means = [area_under_sweep(rows, name, change) for change in changes]
        lines.append(
            f"<tr><td>{html.escape(name)}</td>"
            + "".join(f"<td>{'' if m is None else f'{m:.3f}'}</td>" for m in means)
            + "</tr>"
        )
    return f"<p>{legend}</p>{drawn}<table>{head}{''.join(lines)}</table>"


def _curves(rows: Sequence[Row], change: str, names: Sequence[str]) -> str:
    """AUC over the levels in their order of strength, from 0 to 1: attacks drive it below chance. An SVG picture."""
    levels = list(dict.fromkeys(row.level for row in rows))
    step = (_WIDTH - 2 * _PAD) / max(len(levels) - 1, 1)
    lines = [f"<text x='{_PAD}' y='16' font-size='12'>{html.escape(change)}</text>"]
    for value in (0.0, 0.5, 1.0):
        y = _ordinate(value)
        lines.append(f"<line x1='{_PAD}' x2='{_WIDTH - _PAD}' y1='{y:.0f}' y2='{y:.0f}' stroke='#ddd'/>")
        lines.append(f"<text x='4' y='{y + 4:.0f}' font-size='11'>{value:g}</text>")
    lines += [
        f"<text x='{_PAD + k * step:.0f}' y='{_HEIGHT - 8}' font-size='11' text-anchor='middle'>{level:g}</text>"
        for k, level in enumerate(levels)
        if level is not None
    ]
    for number, name in enumerate(names):
        found = {row.level: row.value for row in rows if row.detector == name}
        places = [
            (k, found[level]) for k, level in enumerate(levels) if level in found and not math.isnan(found[level])
        ]
        points = " ".join(f"{_PAD + k * step:.1f},{_ordinate(value):.1f}" for k, value in places)
        lines.append(
            f"<polyline points='{points}' fill='none' stroke='{_INKS[number % len(_INKS)]}' stroke-width='2'/>"
        )
    return f"<svg width='{_WIDTH}' height='{_HEIGHT}'>{''.join(lines)}</svg>"


def _ordinate(value: float) -> float:
    return _HEIGHT - _PAD - min(max(value, 0.0), 1.0) * (_HEIGHT - 2 * _PAD)


def _controls(report: BenchmarkReport) -> str:
    lines = ["<tr><th>detector</th><th>equal histories</th><th>once or twice compressed</th><th>verdict</th></tr>"]
    for name, one in report.controls.items():
        verdict = (
            f"<span class='bad'>fails: {html.escape(one.reason)}</span>"
            if one.only_compression
            else html.escape(one.reason)
        )
        bounds = f"{one.matched.value:.2f} [{one.matched.low:.2f}, {one.matched.high:.2f}]"
        lines.append(
            f"<tr><td>{html.escape(name)}</td><td>{bounds}</td><td>{one.history.value:.2f}</td><td>{verdict}</td></tr>"
        )
    return f"<table>{''.join(lines)}</table>"


def _refusals(report: BenchmarkReport) -> str:
    lines = [
        f"<tr><td>{html.escape(name)}</td><td>{count}</td><td>{html.escape(reason)}</td></tr>"
        for name, reasons in report.refusals.items()
        for reason, count in sorted(reasons.items(), key=lambda item: -item[1])[:3]
    ]
    return f"<table>{''.join(lines)}</table>" if lines else "<p>none</p>"


def _evidence(picture: str, sample: Sample, findings: dict[str, Finding]) -> str:
    """A panel with what each detector has to say for itself."""
    said = "".join(
        f"<li>{html.escape(name)}: {'' if one.score is None else f'{one.score:.2f}, '}{html.escape(one.evidence)}</li>"
        for name, one in findings.items()
    )
    mapped = [name for name, one in findings.items() if one.heat_map is not None]
    order = html.escape(", ".join(["picture", "truth", *mapped]))
    truth = html.escape(sample.manipulation or "unknown")
    return f"<h4>{truth} <small>{order}</small></h4><img src='{picture}' alt='{order}'><ul>{said}</ul>"


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _plain(value: object) -> object:
    return _number(value) if isinstance(value, float) else value
