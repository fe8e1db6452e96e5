"""What a judge is worth on a labelled set of the user's: every picture is judged once, all scores are reckoned from
that, and a page shows them."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onlooker import __version__
from onlooker.errors import DecodeError, MediaError, NothingFoundError
from onlooker.evaluation.forgery import Interval, Score
from onlooker.formats.files import write_text
from onlooker.steps import run_out
from onlooker.video.authenticity.judging import PictureJudge, traits_of
from onlooker.video.authenticity.pictures import Tools
from onlooker.video.authenticity.scoring.asking import Change, parse_changes, predict
from onlooker.video.authenticity.scoring.give_aways import give_aways
from onlooker.video.authenticity.scoring.labelled import Item, LabelledSet, Source, read_labelled
from onlooker.video.authenticity.scoring.page import write_page
from onlooker.video.authenticity.scoring.predictions import PREDICTIONS_FILE, Prediction, Store, stamp_of
from onlooker.video.authenticity.scoring.summary import ScoreRow, number, pixel_gaps, refusals, score_rows
from onlooker.video.authenticity.tools import JudgeChoice, make_tools
from onlooker.video.ingest.job import Progress
from onlooker.weights.measured import MeasurableJudge

RULES = "rules"
SCORES_FILE = "scores.json"


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """What to score.

    Attributes:
        source: the labelled set.
        judge: who is asked; `None` asks the rules, as `verify` does by itself.
        split: of the set; `None` takes all.
        perturb: changes, each scored by itself, like "jpeg:50,blur:3".
        limit: at most so many pictures of the set.
        skip_missing: go on without files that are missing, broken, or do not fit their masks.
        output: folder for predictions, scores and the page.
        device: where the judge runs.
    """

    source: Source
    judge: JudgeChoice | None = None
    split: str | None = None
    perturb: str | None = None
    limit: int | None = None
    skip_missing: bool = False
    output: Path | None = None
    device: str = "cpu"


@dataclass(frozen=True, eq=False, slots=True)
class ScoringReport:
    """What came out.

    Attributes:
        data: name of the set.
        judge: its name, version, weights, options and threshold.
        rows: the scores.
        refused: why pictures were not judged, with how often, over all changes.
        without_pixels: why judged pictures are in no score of pixels, with how often.
        warnings: what lets a judge cheat on this set.
        notes: what else a reader must know.
        n_judged_before: predictions that an earlier run had left in the folder.
        written: files, if a folder was given.
    """

    data: str
    judge: Mapping[str, object]
    rows: tuple[ScoreRow, ...]
    refused: Mapping[str, int]
    without_pixels: Mapping[str, int]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    n_judged_before: int
    written: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON; what is not defined is `None`, and `notes` of its row say why."""
        return {
            "data": self.data,
            "judge": dict(self.judge),
            "rows": [_row_dict(row) for row in self.rows],
            "refused": dict(self.refused),
            "without_pixels": dict(self.without_pixels),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "judged_before": self.n_judged_before,
            "written": [str(one) for one in self.written],
        }


def score_steps(request: ScoringRequest) -> Generator[Progress, None, ScoringReport]:
    """Judges what was not judged yet and scores it; yields progress.

    Raises:
        ConfigError: an option out of range, or a folder with predictions of another judge.
        UnknownNameError: no such judge, split or change.
        FormatError, MediaError, DecodeError: the list or its files; the message says what to do.
        NothingFoundError: nothing is listed, or the judge could judge nothing of it.
        WeightsError: weights are missing or do not fit.
    """
    changes = (None, *parse_changes(request.perturb))
    tools = make_tools([] if request.judge is None else [request.judge], request.device)
    identity = identity_of(tools, request.judge)
    labelled = yield from read_labelled(
        request.source,
        request.split,
        request.limit,
        skip_missing=request.skip_missing,
        report_to=request.output,
    )
    store = Store(request.output, identity)
    run = _Run(tools, store, skips=request.skip_missing)
    predictions = yield from run.judge(labelled, changes)
    report = _report(labelled, identity, predictions, run)
    if request.output is None:
        return report
    page = yield from write_page(request.output, report, predictions, labelled.items, tools)
    files = (request.output / PREDICTIONS_FILE, request.output / SCORES_FILE, page)
    report = replace(report, written=files)
    write_text(files[1], json.dumps(report.to_dict(), indent=1, ensure_ascii=False) + "\n")
    return report


def score_judge(request: ScoringRequest) -> ScoringReport:
    """The same from end to end, for who needs no progress."""
    return run_out(score_steps(request))


def identity_of(tools: Tools, choice: JudgeChoice | None) -> dict[str, object]:
    """What predictions belong to: the judge with its weights, options and threshold. Not where its weights lie."""
    if not tools.judges:
        return {"name": RULES, "version": tools.rules.version, "package": __version__}  # which ships their calibration
    judge = tools.judges[0]
    traits = traits_of(judge)
    digest = _digest_of(judge)
    options = {} if choice is None else {key: str(value) for key, value in choice.options.items()}
    if digest is not None:
        options.pop("weights", None)
    return {
        "name": judge.name,
        "version": judge.version,
        "weights_sha256": digest,
        "options": options,
        "threshold": traits.threshold,
        "tested_on": traits.tested_on,
    }


def _digest_of(judge: PictureJudge) -> str | None:
    return judge.standing.judge.weights_sha256 if isinstance(judge, MeasurableJudge) else None


class _Run:
    """Judges what a store does not know yet. `left_out` pictures could not be read; `n_known` were known."""

    def __init__(self, tools: Tools, store: Store, *, skips: bool) -> None:
        self._tools, self.store, self._skips = tools, store, skips
        self.left_out: dict[str, str] = {}
        self.n_known = 0

    def judge(
        self, labelled: LabelledSet, changes: Sequence[Change | None]
    ) -> Generator[Progress, None, list[Prediction]]:
        """One prediction per picture and change that can be read."""
        made = []
        for change in changes:
            what = labelled.name if change is None else f"{labelled.name} {change.text}"
            for n, item in enumerate(labelled.items):
                yield Progress(what, "judge", n, len(labelled.items), "pictures", item.name)
                if item.name not in self.left_out:
                    one = self._one(item, change)
                    made += [] if one is None else [one]
            yield Progress(what, "judge", len(labelled.items), len(labelled.items), "pictures")
        self.store.tidy()
        return [one for one in made if one.image not in self.left_out]

    def _one(self, item: Item, change: Change | None) -> Prediction | None:
        text = "" if change is None else change.text
        try:
            stamp = stamp_of((item.entry.image, item.entry.mask))
            known = self.store.find((item.name, text), stamp, item.entry.label)
            if known is None:
                known, _ = predict(item, change, self._tools)
                self.store.add(known)
                return known
        except (MediaError, DecodeError, OSError) as error:
            if not self._skips:
                raise MediaError(f"{error}; mend it, or go on without such files with `--skip-missing`") from error
            self.left_out[item.name] = str(error)
            return None
        self.n_known += 1
        told = known.renamed(item.video, item.unit, item.entry.manipulation)
        self.store.replace(told)
        return told


def _report(
    labelled: LabelledSet, identity: Mapping[str, object], predictions: Sequence[Prediction], run: _Run
) -> ScoringReport:
    refused = refusals(predictions)
    name = identity["name"]
    if all(one.probability is None for one in predictions):
        why = "; ".join(f"{n}: {reason}" for reason, n in refused.most_common(3)) or "none could be read"
        raise NothingFoundError(f"the judge `{name}` could judge none of {len(labelled.items)} pictures ({why})")
    notes = [*labelled.notes]
    if run.left_out:
        notes.append(
            f"{len(run.left_out)} pictures could not be read and are left out: {'; '.join(run.left_out.values())}"
        )
    if run.store.n_unreadable:
        notes.append(f"{run.store.n_unreadable} lines of earlier predictions were cut off and are judged again")
    plain = [one for one in predictions if one.change == ""]
    labels = {one.label for one in plain}
    if len(labels) == 1:
        only = "forged" if labels == {1} else "real"
        notes.append(f"all pictures are {only}: AUC and equal error rate are not defined with one class")
    gaps = pixel_gaps(predictions)
    notes += [f"{n} not judged: {reason}" for reason, n in refused.most_common()]
    notes += [f"{n} in no score of pixels: {reason}" for reason, n in gaps.most_common()]
    return ScoringReport(
        data=labelled.name,
        judge=identity,
        rows=tuple(score_rows(predictions)),
        refused=refused,
        without_pixels=gaps,
        warnings=tuple(give_aways(plain)),
        notes=tuple(notes),
        n_judged_before=run.n_known,
    )


def _row_dict(row: ScoreRow) -> dict[str, object]:
    scores = {**row.images}
    made: dict[str, object] = {
        "change": row.change,
        "level": row.level,
        "kind": row.kind,
        "real": row.n_real,
        "forged": row.n_forged,
        "not_judged": row.n_refused,
        "images": {name: number(score.value) for name, score in scores.items()},
        "auc_interval": _interval_dict(row.auc),
        "pixels": None,
        "pixel_f1_interval": _interval_dict(row.pixel_f1),
    }
    if row.pixels is not None:
        groups = {"tampered": row.pixels.tampered, "pooled": row.pixels.pooled, "authentic": row.pixels.authentic}
        made["pixels"] = {
            group: {name: number(score.value) for name, score in found.items()} for group, found in groups.items()
        }
        for group, found in groups.items():
            scores |= {f"pixels {group} {name}": score for name, score in found.items()}
    made["notes"] = _notes_of(scores)
    return made


def _notes_of(scores: Mapping[str, Score]) -> dict[str, str]:
    return {name: score.note for name, score in scores.items() if score.note is not None}


def _interval_dict(interval: Interval | None) -> dict[str, object] | None:
    if interval is None:
        return None
    return {
        "low": number(interval.low),
        "high": number(interval.high),
        "level": 0.95,
        "units": interval.n_units,
    }
