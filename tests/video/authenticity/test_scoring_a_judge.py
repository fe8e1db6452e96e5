"""A judge scored on labelled pictures: every layout, numbers against scikit-learn, cut runs, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from authenticity_doubles import scene
from PIL import Image as Pil
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score

from onlooker.errors import (
    ConfigError,
    FormatError,
    MediaError,
    NothingFoundError,
    OnlookerError,
    UnknownNameError,
)
from onlooker.types import Image, Judgement
from onlooker.video.authenticity.own_files import _NoRules
from onlooker.video.authenticity.pictures import Tools
from onlooker.video.authenticity.scoring import run as scoring
from onlooker.video.authenticity.scoring import summary
from onlooker.video.authenticity.scoring.labelled import Source
from onlooker.video.authenticity.scoring.run import ScoringReport, ScoringRequest, score_judge
from onlooker.video.authenticity.tools import JudgeChoice

HEIGHT, WIDTH = 40, 56


@dataclass
class Brightness:
    """The brighter, the more forged, pixel by pixel; gives up after so many pictures."""

    name: str = "brightness"
    version: str = "1"
    threshold: float | None = 0.5
    has_map: bool = True
    most: int | None = None
    n_asked: int = 0
    tested_on: str | None = field(default=None)

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        if self.n_asked == self.most:
            raise KeyboardInterrupt
        self.n_asked += 1
        maps = [(image.mean(axis=2) / 255).astype(np.float32) for image in images]
        return [Judgement(float(one.mean()), one if self.has_map else None) for one in maps]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Brightness:
    asked = Brightness()
    monkeypatch.setattr(summary, "_RESAMPLES", 40)
    monkeypatch.setattr(scoring, "make_tools", lambda choices, device: Tools(_NoRules(), (asked,)))
    return asked


def save(path: Path, image: Image, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pil.fromarray(image).save(path, **options)


def picture(seed: int, extra: int) -> tuple[Image, np.ndarray]:
    """A scene with a brighter patch, and where the patch is."""
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[5 : 5 + 10, 4 * (seed % 8) : 4 * (seed % 8) + 20] = True
    image = scene(HEIGHT, WIDTH, seed).astype(np.int16) - 30 + 4 * (seed % 5) + mask[..., None] * extra
    return np.clip(image, 0, 255).astype(np.uint8), mask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six real and seven forged pictures, frames of videos named by their folders, in every layout."""
    place = tmp_path / "set"
    rows = []
    for k in range(13):
        label, method = int(k >= 6), ("swap", "swap", "paste")[k % 3]
        video = f"{method}/v{k // 3}" if label else f"real/v{k // 2}"
        image, mask = picture(k, 90 if label else 0)
        name = f"{'forged' if label else 'real'}/{video.replace('/', '_')}/{k:02}.png"
        save(place / name, image)
        row = {"image": name, "label": label, "video_id": video.split("/")[1], "split": "test" if k % 2 else "val"}
        if label:
            save(place / "masks" / f"{k:02}.png", mask.astype(np.uint8) * 255)
            row |= {"mask": f"masks/{k:02}.png", "manipulation": method}
        rows.append(row)
    (place / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tabs = "".join(f"{row['image']}\t{row.get('mask', '')}\t{row['label']}\n" for row in rows)
    (place / "list.tsv").write_text("\ufeff" + tabs.replace("/", "\\"), encoding="utf-8")  # as Windows writes it
    (place / "list.txt").write_text("".join(f"{row['image']} {row['label']} more\n" for row in rows))
    tree: dict = {}
    for row in rows:
        kind = row.get("manipulation", "FF-real")
        videos = tree.setdefault(kind, {}).setdefault(row["split"], {}).setdefault("c23", {})
        videos.setdefault(row["video_id"], {"frames": []})["frames"].append(row["image"])
    (place / "list.json").write_text(json.dumps({"FF": tree}))
    return place


def score(source: Source | Path, **options: object) -> ScoringReport:
    source = source if isinstance(source, Source) else Source(source)
    return score_judge(ScoringRequest(source, JudgeChoice("brightness", {}), **options))


def lines(output: Path) -> list[dict]:
    return [json.loads(line) for line in (output / "predictions.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", ["list.jsonl", "list.tsv", "list.txt", "list.json"])
def test_every_layout_is_recognised_and_scored_alike(judge, folder: Path, name: str):
    report = score(folder / name)
    row = report.rows[0]
    assert (row.n_real, row.n_forged, row.n_refused) == (6, 7, 0)
    known = score(folder / "list.jsonl").rows[0]
    assert row.images["auc"] == known.images["auc"]
    if name == "list.tsv":
        assert row.pixels.tampered == known.pixels.tampered
    if name in ("list.txt", "list.json"):  # they name no masks: only false alarms can be told
        assert report.without_pixels == {"no mask is listed": 7}
        assert row.pixels.authentic == known.pixels.authentic
        assert row.pixels.tampered["f1"].note == "no manipulated picture"


def test_folders_are_scored_by_name_or_as_parts_of_one(judge, tmp_path: Path):
    for k in range(4):
        image, mask = picture(k, 60 * (k % 2))
        save(tmp_path / ("forged" if k % 2 else "real") / f"{k}.png", image)
        if k % 2:
            save(tmp_path / "masks" / f"{k}_mask.png", mask.astype(np.uint8) * 255)
    whole = score(tmp_path)
    parts = [tmp_path / name for name in ("forged", "masks", "real")]
    named = score(Source(forged=parts[0], masks=parts[1], real=parts[2]))
    assert whole.rows[0].images == named.rows[0].images
    assert whole.rows[0].pixels == named.rows[0].pixels
    assert named.data == "forged and real"
    assert score(Source(forged=parts[0], real=parts[2])).without_pixels == {"no mask is listed": 2}


def test_numbers_are_those_of_scikit_learn_on_the_written_predictions(judge, folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    rows = score(folder / "list.jsonl", output=out).rows
    told = lines(out)
    labels, scores = [one["label"] for one in told], [one["probability"] for one in told]
    images = rows[0].images
    assert images["auc"].value == pytest.approx(roc_auc_score(labels, scores))
    assert images["average_precision"].value == pytest.approx(average_precision_score(labels, scores))
    assert images["accuracy"].value == pytest.approx(accuracy_score(labels, np.array(scores) > 0.5))
    assert rows[0].auc.low <= images["auc"].value <= rows[0].auc.high
    every = [
        f1_score(np.repeat([1, 0], [len(true), len(other)]), [*(k > 100 for k in true), *(k > 100 for k in other)])
        for true, other in (bins(one) for one in told if one["label"])
    ]
    assert rows[0].pixels.tampered["f1"].value == pytest.approx(np.mean(every))
    saved = json.loads((out / "scores.json").read_text())
    assert saved["rows"][0]["images"]["auc"] == images["auc"].value


def bins(one: dict) -> tuple[np.ndarray, np.ndarray]:
    """The bin of every forged and of every other pixel of a written prediction."""
    counted = (one["pixels"]["forged"], one["pixels"]["other"])
    return tuple(np.repeat([int(k) for k in part], list(part.values())) for part in counted)


def test_videos_are_scored_by_the_mean_of_their_frames(judge, folder: Path, tmp_path: Path):
    rows = {(row.level, row.kind): row for row in score(folder / "list.json", output=tmp_path / "out").rows}
    told = lines(tmp_path / "out")
    names = sorted({one["video"] for one in told})
    means = [np.mean([one["probability"] for one in told if one["video"] == name]) for name in names]
    labels = [int(name.startswith("forged/")) for name in names]
    videos = rows["videos", None]
    assert (videos.n_real, videos.n_forged) == (labels.count(0), labels.count(1))
    assert videos.images["auc"].value == pytest.approx(roc_auc_score(labels, means))
    assert rows["pictures", "paste"].n_forged == sum("paste" in one["image"] for one in told)


def test_fakes_of_two_methods_with_one_number_are_two_videos_and_a_folder_per_class_is_none(judge, folder: Path):
    assert [row.level for row in score(folder / "list.txt").rows] == ["pictures", "videos"]
    flat = folder / "flat.txt"
    for k in range(4):
        save(folder / ("a" if k % 2 else "b") / f"{k}.png", picture(k, 0)[0])
    flat.write_text("".join(f"{'a' if k % 2 else 'b'}/{k}.png {k % 2}\n" for k in range(4)))
    assert [row.level for row in score(flat).rows] == ["pictures"]
    rows = [json.loads(line) for line in (folder / "list.jsonl").read_text().splitlines()]
    forged = {(row["manipulation"], row["video_id"]) for row in rows if row["label"]}
    videos = next(row for row in score(folder / "list.jsonl").rows if row.level == "videos" and row.kind is None)
    assert videos.n_forged == len(forged) > len({video for _, video in forged})


def test_a_cut_run_goes_on_where_it_was(judge, folder: Path, tmp_path: Path):
    out, whole = tmp_path / "out", score(folder / "list.jsonl")
    judge.n_asked, judge.most = 0, 5
    with pytest.raises(KeyboardInterrupt):
        score(folder / "list.jsonl", output=out)
    with (out / "predictions.jsonl").open("a") as file:
        file.write('{"image": "real/v')  # the disk was full
    judge.n_asked, judge.most = 0, None
    report = score(folder / "list.jsonl", output=out)
    assert report.n_judged_before == 5
    assert any("cut off" in one for one in report.notes)
    assert report.rows[0].images == whole.rows[0].images
    judge.n_asked = 0
    again = score(folder / "list.jsonl", output=out)
    assert (again.n_judged_before, judge.n_asked) == (13, 0)  # not even for the page
    assert again.to_dict()["rows"] == report.to_dict()["rows"]


def test_files_and_labels_that_changed_are_judged_again_and_another_judge_is_refused(
    judge, folder: Path, tmp_path: Path
):
    out, listed = tmp_path / "out", folder / "list.jsonl"
    score(listed, output=out)
    rows = [json.loads(line) for line in listed.read_text().splitlines()]
    save(folder / rows[0]["image"], picture(50, 0)[0])
    rows[7] |= {"label": 0, "mask": None, "manipulation": None}
    rows[8] |= {"manipulation": "other"}
    listed.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert score(listed, output=out).n_judged_before == 11
    assert next(one for one in lines(out) if one["image"] == rows[8]["image"])["manipulation"] == "other"
    judge.threshold = 0.7
    with pytest.raises(ConfigError, match=r"holds predictions of another judge.*`--output`"):
        score(listed, output=out)


def test_changes_get_rows_of_their_own_with_masks_that_follow(judge, folder: Path, tmp_path: Path):
    report = score(folder / "list.jsonl", perturb="jpeg:50, crop:0.2", output=tmp_path / "out")
    rows = {row.change: row for row in report.rows if row.level == "pictures" and row.kind is None}
    assert list(rows) == ["as it is", "jpeg:50", "crop:0.2"]
    told = {(one["image"], one["change"]): one for one in lines(tmp_path / "out")}
    name = next(one["image"] for one in told.values() if one["label"])
    cut = told[name, "crop:0.2"]["pixels"]
    assert sum(cut["forged"].values()) + sum(cut["other"].values()) == round(HEIGHT * 0.8) * round(WIDTH * 0.8)
    with pytest.raises(ConfigError, match=r"`blur:2`: .* strengths 0, 3, 7"):
        score(folder / "list.jsonl", perturb="blur:2")
    with pytest.raises(UnknownNameError, match="jpeg"):
        score(folder / "list.jsonl", perturb="jpg:50")


def test_a_part_of_the_set_keeps_both_classes(judge, folder: Path):
    report = score(folder / "list.jsonl", limit=4)
    assert (report.rows[0].n_real, report.rows[0].n_forged) == (2, 2)
    assert any("4 of 13 pictures" in note for note in report.notes)
    only = score(folder / "list.jsonl", split="val")
    assert only.rows[0].n_real + only.rows[0].n_forged == 7
    assert any("all splits together: test, val" in note for note in report.notes)
    assert not any("splits" in note for note in only.notes)


def test_all_missing_and_unfit_files_are_told_together_and_may_be_left_out(judge, folder: Path, tmp_path: Path):
    rows = [json.loads(line) for line in (folder / "list.jsonl").read_text().splitlines()]
    (folder / rows[0]["image"]).unlink()
    (folder / rows[1]["image"]).write_text("no picture")
    (folder / rows[7]["mask"]).unlink()
    save(folder / rows[8]["mask"], np.zeros((9, 7), np.uint8))
    whole = (folder / rows[2]["image"]).read_bytes()
    (folder / rows[2]["image"]).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError) as caught:
        score(folder / "list.jsonl", output=tmp_path / "out")
    told = str(caught.value)
    for words in ("4 of 13", "00.png` is not there", "01.png` is no picture", "the mask of", "7x9 pixels", "--root"):
        assert words in told
    assert len((tmp_path / "out" / "missing.txt").read_text().splitlines()) == 4
    report = score(folder / "list.jsonl", skip_missing=True)
    assert report.rows[0].n_real + report.rows[0].n_forged == 8  # the one cut off is found while judging
    assert sum("left out" in note for note in report.notes) == 2


def test_one_class_says_what_can_be_said(judge, folder: Path, tmp_path: Path):
    report = score(Source(real=folder / "real"), output=tmp_path / "out")
    row = report.to_dict()["rows"][0]
    assert row["images"]["auc"] is None
    assert row["notes"]["auc"] == "one class only"
    assert row["images"]["accuracy"] is not None
    assert row["pixels"]["authentic"]["false_alarm_pixels"] is not None
    assert any("all pictures are real" in note for note in report.notes)
    assert "No curve" in (tmp_path / "out" / "report.html").read_text()


def test_masks_that_mark_nothing_do_not_pass_for_authentic_pictures(judge, folder: Path):
    rows = [json.loads(line) for line in (folder / "list.jsonl").read_text().splitlines()]
    save(folder / rows[7]["mask"], np.zeros((HEIGHT, WIDTH), np.uint8))
    report = score(folder / "list.jsonl")
    assert report.without_pixels == {"the mask marks nothing": 1}


def test_a_judge_without_maps_has_no_scores_of_pixels(judge, folder: Path, tmp_path: Path):
    judge.has_map = False
    report = score(folder / "list.jsonl", output=tmp_path / "out")
    assert report.rows[0].pixels is None
    assert report.without_pixels == {"the judge gave no map": 13}
    assert "No score of places" in (tmp_path / "out" / "report.html").read_text()


def test_classes_that_are_saved_differently_are_warned_of(judge, tmp_path: Path):
    for k in range(24):
        image, _ = picture(k, 0)
        label = k % 2
        save(tmp_path / "quality" / ("forged" if label else "real") / f"{k}.jpg", image, quality=60 if label else 92)
        save(tmp_path / "format" / ("forged" if label else "real") / f"{k}.{'png' if label else 'jpg'}", image)
        save(tmp_path / "alike" / ("forged" if label else "real") / f"{k}.jpg", image, quality=70 + k % 3)
    assert score(tmp_path / "alike").warnings == ()
    (quality,) = score(tmp_path / "quality").warnings
    assert "JPEG quality: it alone tells them apart with AUC 1.00 (a median of 92 in real, 60 in forged" in quality
    (format_,) = score(tmp_path / "format").warnings
    assert "12 JPEG among the real, 12 PNG among the forged" in format_


def test_the_page_shows_the_worst_mistakes_and_trusts_no_name(judge, folder: Path, tmp_path: Path):
    odd = "real/<b onload='x'>.png"
    save(folder / odd, np.full((HEIGHT, WIDTH, 3), 250, np.uint8))
    with (folder / "list.jsonl").open("a") as file:
        file.write(json.dumps({"image": odd, "label": 0}) + "\n")
    score(folder / "list.jsonl", output=tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<b onload" not in page
    assert "real/&lt;b onload" in page.split("Real pictures it suspects most")[1].split("</figure>")[0]
    panels = re.findall(r"src='(panels/\w+\.png)'", page)
    assert len(panels) == 12
    assert {f"panels/{file.name}" for file in (tmp_path / "out" / "panels").iterdir()} == set(panels)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", NothingFoundError, "is empty, expected a list of pictures"),
        ("a.png,1\n", FormatError, "expected picture and label.*read as `space`, `--layout` names another: tsv"),
        ("real/x.png 0\nreal/x.png 1\n", FormatError, "listed as real and as forged"),
        ("\xff".encode("latin-1").decode("latin-1") + " maybe\n", FormatError, "a label is a whole number"),
        ("{}", NothingFoundError, "lists no pictures"),
        ("[1]", FormatError, "expected nested objects"),
    ],
)
def test_lists_that_are_none_say_what_was_expected(
    judge, folder: Path, text: str, error: type[OnlookerError], words: str
):
    (folder / "bad.list").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=words):
        score(folder / "bad.list")


def test_wrong_places_say_what_to_do(judge, folder: Path, tmp_path: Path):
    with pytest.raises(FormatError, match="does not exist"):
        score(folder / "nowhere.txt")
    with pytest.raises(FormatError, match="neither a folder `forged` nor `real`"):
        score(folder / "masks")
    with pytest.raises(ConfigError, match="both came"):
        Source(folder / "list.txt", real=folder)
    with pytest.raises(ConfigError, match="neither came"):
        Source()
    with pytest.raises(MediaError, match="is not there"):
        score(Source(forged=folder / "no", real=folder / "real"))
    with pytest.raises(ConfigError, match="names no splits"):
        score(folder / "list.txt", split="test")
    with pytest.raises(UnknownNameError, match="val"):
        score(folder / "list.jsonl", split="vall")
    with pytest.raises(ConfigError, match="`--output` is a folder"):
        score(folder / "list.txt", output=folder / "list.tsv")
    with pytest.raises(ConfigError, match=r"is inside of .* whose files are judged"):
        score(Source(real=folder / "real"), output=folder / "real" / "out")
    with pytest.raises(FormatError, match="not a text file"):
        score(folder / "masks" / "06.png")
    with pytest.raises(MediaError, match=r"13 of 13 .*name the folder that paths are below with `--root`"):
        score(Source(folder / "list.txt", tmp_path))


def test_rules_that_can_judge_nothing_are_told_with_their_reason(monkeypatch, folder: Path):
    monkeypatch.setattr(scoring, "make_tools", lambda choices, device: Tools(_NoRules()))
    request = ScoringRequest(Source(folder / "list.txt"))
    with pytest.raises(NothingFoundError, match=r"`rules` could judge none of 13 pictures .*no rule was asked"):
        score_judge(replace(request, perturb="jpeg:50"))
