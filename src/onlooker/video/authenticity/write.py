"""What `onlooker verify --output` leaves behind, and the words it prints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from PIL import Image as Pil

from onlooker.errors import ConfigError
from onlooker.video.authenticity.heat import draw_curves, draw_overlay, duration_of
from onlooker.video.authenticity.verdict import Evidence, Fact, Verdict, verdict_as_dict

_HEAT, _CURVE, _JSON = "heat_map.png", "curve.png", "verdict.json"
_HEADS = {
    "manipulation_suspected": "MANIPULATION SUSPECTED",
    "nothing_found": "nothing found by these detectors",
    "not_judged": "not judged",
}
_FAINT = 0.3  # ours: strength of a map in which nothing was found
_MOST_RULES = 3


def check_output(folder: Path) -> None:
    """Refuses a place that cannot be a folder.

    Raises:
        ConfigError: it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"`{folder}` is a file, expected a folder for the results")


def write_verdict(verdict: Verdict, folder: Path) -> Verdict:
    """Writes pictures and `verdict.json` into a folder, made where it is not there; returns the verdict with the names
    of its pictures."""
    check_output(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if verdict.sight is not None:
        name = folder / _HEAT
        overlay = draw_overlay(verdict.sight, _caption(verdict), _strength(verdict))
        Pil.fromarray(overlay).save(name, "PNG")
        verdict = replace(verdict, heat_map_file=str(name))
    if verdict.curves:
        name = folder / _CURVE
        duration_s = duration_of(verdict.curves, _length_s(verdict))
        Pil.fromarray(draw_curves(verdict, duration_s)).save(name, "PNG")
        verdict = replace(verdict, curve_file=str(name))
    text = json.dumps(verdict_as_dict(verdict), ensure_ascii=False, indent=1)
    (folder / _JSON).write_text(text + "\n", encoding="utf-8")
    return verdict


def _length_s(verdict: Verdict) -> float | None:
    found = next((fact.value for fact in verdict.facts if fact.name == "duration_s"), None)
    return found if isinstance(found, float) else None


def describe(verdict: Verdict) -> list[str]:
    """The verdict in lines for a person; the first says the most."""
    lines = [f"{verdict.file}: {_HEADS[verdict.status]}"]
    lines += _probability_lines(verdict)
    lines += _credential_lines(verdict)
    if verdict.problem is not None:
        lines.append(f"  damaged: {verdict.problem}")
    lines += [f"  outside the tested domain: {reason}" for reason in verdict.outside_reasons]
    for one in _told(verdict):
        lines += _evidence_lines(one)
    silent = [one for one in verdict.evidence if one.refusal not in (None, verdict.reason) and not one.is_rule]
    lines += [f"  could not judge: {one.name} ({one.refusal})" for one in silent]
    return lines + [f"  file: {_fact(fact)}" for fact in verdict.facts if fact.notable]


def _probability_lines(verdict: Verdict) -> list[str]:
    if verdict.probability is None or verdict.threshold is None or verdict.false_alarm_rate is None:
        return [f"  {verdict.reason}"]
    lines = [
        f"  probability {verdict.probability:.2f}, suspected from {verdict.threshold:.2f}; of untouched files of the "
        f"tested kind about {100 * verdict.false_alarm_rate:.0f} in 100 reach that, too"
    ]
    if verdict.found_share is not None:
        lines.append(
            f"  of forgeries made for the test it finds {100 * verdict.found_share:.0f} in 100: "
            "that nothing is found does not mean that nothing was done"
        )
    if verdict.tested_on is not None:
        lines.append(f"  tested on: {verdict.tested_on}")
    return lines


def _credential_lines(verdict: Verdict) -> list[str]:
    lines = []
    found = verdict.provenance
    if found.state != "absent":
        who = f" by {found.signer}" if found.signer else ""
        done = f"; says: {', '.join(found.actions)}" if found.actions else ""
        kind = f" ({found.source_type})" if found.source_type else ""
        head = "INVALID" if found.state == "invalid" else found.state.replace("_", " ")
        lines.append(f"  content credentials: {head}{who}{done}{kind}: {found.note}")
    if verdict.mark is not None:
        by = f" by {verdict.mark.by}" if verdict.mark.by else ""
        detail = f": {verdict.mark.detail}" if verdict.mark.detail else ""
        lines.append(f"  marked as {verdict.mark.kind}{by}{detail}")
    return lines


def _told(verdict: Verdict) -> list[Evidence]:
    """What judges said, and of the rules all together; single rules only where manipulation is suspected, the loudest
    first: by themselves they are loud on many an untouched picture."""
    told = [one for one in verdict.evidence if one.refusal is None and not one.is_rule]
    if verdict.status == "manipulation_suspected":
        rules = [one for one in verdict.evidence if one.is_rule and (one.score or 0.0) > 0]
        ranked = sorted(rules, key=lambda one: (one.probability or 0.0, one.score or 0.0), reverse=True)
        told += ranked[:_MOST_RULES]
    return told


def _evidence_lines(one: Evidence) -> list[str]:
    """What one rule or judge says; of a judge that does not count also why, and on what it was tested."""
    number = f"probability {one.probability:.2f}" if one.probability is not None else ""
    if one.probability is None and one.score is not None:
        number = f"score {one.score:.2f}"
    lines = [f"  evidence: {one.name}: {', '.join(part for part in (number, one.sentence) if part)}"]
    if one.is_rule:
        return lines
    if not one.counts and one.tested_on is not None:
        lines.append(f"    tested on: {one.tested_on}")
    return lines + [f"    mind: {caveat}" for caveat in one.caveats]


def _fact(fact: Fact) -> str:
    name = fact.name.replace("_", " ")
    value = "" if fact.value is None or fact.value is True else f" {fact.value}"
    return f"{name}{value}" + (f": {fact.note}" if fact.note else "")


def _caption(verdict: Verdict) -> str:
    time_s = "" if verdict.sight is None or verdict.sight.time_s is None else f" at {verdict.sight.time_s:.2f} s"
    told = "" if verdict.probability is None else f", probability {verdict.probability:.2f}"
    name = Path(verdict.file).name
    suspected = verdict.status == "manipulation_suspected"
    meant = "bright: where the detectors look first" if suspected else "the faint map shows where they vary, no finding"
    return f"{name}{time_s}: {_HEADS[verdict.status].lower()}{told}; {meant}"


def _strength(verdict: Verdict) -> float:
    """How loud a heat map may be: that of a file in which nothing was found must not look like a finding."""
    return 1.0 if verdict.status == "manipulation_suspected" else _FAINT
