"""Perturbations, calibration, the control, lists of data sets, and a benchmark small enough to run here."""

from __future__ import annotations

import csv
import io
import json
import logging
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from PIL import Image as PILImage

from onlooker.errors import ConfigError, FormatError, MediaError, UnknownNameError
from onlooker.evaluation.forgery import calibration_error, image_auc
from onlooker.methods.forensics.media_forensics import BenchmarkPlan, Finding, Refusal, Sample, find_rule, run_benchmark
from onlooker.methods.forensics.media_forensics.attacks import projected_gradient
from onlooker.methods.forensics.media_forensics.benchmark import area_under_sweep
from onlooker.methods.forensics.media_forensics.calibration import Calibration, fit_isotonic, fit_logistic, fit_platt
from onlooker.methods.forensics.media_forensics.claims import CLAIMS
from onlooker.methods.forensics.media_forensics.controls import control_samples, run_control
from onlooker.methods.forensics.media_forensics.detectors import RULES
from onlooker.methods.forensics.media_forensics.learned import FEATURES, average_over_frames, fit_detector
from onlooker.methods.forensics.media_forensics.perturbations import PERTURBATIONS, find_perturbation, mixed, perturb
from onlooker.methods.forensics.media_forensics.protocols import (
    Contestant,
    Outcome,
    calibrate,
    draw_samples,
    evaluate,
    rule,
    run_detector,
)
from onlooker.methods.forensics.media_forensics.readers import checked as checked_dataset
from onlooker.methods.forensics.media_forensics.readers import (
    read_deepfakebench,
    read_folder_pairs,
    read_json_lines,
    read_space_separated,
    read_tab_separated,
)
from onlooker.methods.forensics.media_forensics.report import write_report
from onlooker.methods.forensics.media_forensics.rules.blocks import StoredJpeg
from onlooker.methods.forensics.media_forensics.samples import Need
from onlooker.methods.forensics.media_forensics.taxonomy import (
    DATASETS,
    DETECTOR_CLASSES,
    Field,
    Manipulation,
    Standing,
    family_of,
    find_dataset,
)
from onlooker.synth.forgeries import CompressionConfig, ForgeryConfig, Photo, photo_sources
from onlooker.synth.forgeries.config import DOUBLE_JPEG


@dataclass(frozen=True)
class Told:
    """A detector that reads its score from the sample's own record."""

    key: str = "score"
    name: str = "told"
    requires: frozenset[Need] = frozenset({Need.RGB})
    known_failures: str = "none: it is told"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        score = sample.meta.get(self.key)
        return Finding(score, None, "told") if isinstance(score, float) else Refusal("nothing was told")


def picture(seed: int, size: int = 48) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def told(score: float | None, label: int, source: str = "a") -> Sample:
    return Sample(picture(0, 8), None, label, np.zeros((8, 8), bool), source, meta={"score": score})


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_perturbations_keep_shapes_repeat_and_grow(name):
    one = PERTURBATIONS[name]
    mask = np.zeros((48, 48), bool)
    mask[10:20, 12:30] = True
    sample = Sample(picture(1), None, 1, mask)
    before = sample.image.copy()
    off = []
    for level in one.levels:
        made = perturb(sample, one, level, 3)
        assert made.mask is not None
        assert made.image.shape[:2] == made.mask.shape
        np.testing.assert_array_equal(made.image, perturb(sample, one, level, 3).image)
        if made.data is not None:
            assert made.is_jpeg
            np.testing.assert_array_equal(np.array(PILImage.open(io.BytesIO(made.data))), made.image)
        if made.image.shape == sample.image.shape:
            off.append(float(np.abs(made.image.astype(int) - sample.image).mean()))
    np.testing.assert_array_equal(sample.image, before)
    if name in ("jpeg", "blur", "noise_sigma", "noise_variance", "resize", "webp", "h264"):
        assert off == sorted(off)
    with pytest.raises(ConfigError, match=name):
        perturb(sample, one, 1234.0, 0)


def test_sigma_and_variance_are_not_mixed_up():
    flat = Sample(np.full((64, 64, 3), 128, np.uint8))
    sigma = perturb(flat, find_perturbation("noise_sigma"), 15, 0).image.std()
    variance = perturb(flat, find_perturbation("noise_variance"), 15, 0).image.std()
    assert sigma == pytest.approx(15, rel=0.05)
    assert variance == pytest.approx(np.sqrt(15), rel=0.05)


def test_what_was_stored_does_not_outlive_the_pixels_it_was_of():
    image = np.zeros((32, 32, 3), np.uint8)
    stored = StoredJpeg(np.zeros((32, 32), np.float32), np.ones((8, 8), np.int64), 90)
    for one in (find_perturbation("blur"), find_perturbation("crop"), mixed(("crop", "jpeg"))):
        assert perturb(Sample(image, stored=stored), one, one.levels[-1], 1).stored is None


def test_masks_go_where_pixels_go():
    mask = np.zeros((48, 48), bool)
    mask[8:24, 20:40] = True
    image = np.where(mask[..., None], np.uint8(255), np.uint8(0)) * np.ones(3, np.uint8)
    for name in ("crop", "rotate"):
        one = find_perturbation(name)
        made = perturb(Sample(image, None, 1, mask), one, one.levels[-1], 1)
        agree = (made.image[..., 0] > 127) == made.mask
        assert agree.mean() > 0.98
    with pytest.raises(UnknownNameError, match="blur"):
        find_perturbation("blurr")


def test_a_mix_applies_one_after_another():
    one = mixed(("blur", "jpeg"))
    sample = Sample(picture(1))
    by_hand = perturb(perturb(sample, find_perturbation("blur"), 3, 0), find_perturbation("jpeg"), 90, 0)
    np.testing.assert_array_equal(perturb(sample, one, 2.0, 0).image, by_hand.image)
    with pytest.raises(ConfigError, match="two"):
        mixed(("blur",))


def test_a_logistic_fit_agrees_with_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)) * (1, 5, 0.1)
    labels = (x[:, 0] + 0.1 * x[:, 1] + rng.normal(0, 0.5, 200) > 0.3).astype(int)
    found = fit_logistic(x, labels, penalty=2.0)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    known = linear.LogisticRegression(C=0.5, class_weight="balanced", tol=1e-8).fit(scaled, labels)
    np.testing.assert_allclose(found.weights, known.coef_[0], rtol=1e-3)
    np.testing.assert_allclose(found.probability(x), known.predict_proba(scaled)[:, 1], atol=1e-3)


def test_calibration_makes_probabilities_and_keeps_the_order():
    rng = np.random.default_rng(0)
    truth = rng.random(2000)
    labels = (rng.random(2000) < truth).astype(int)
    scores = truth**3  # right order, wrong numbers
    for fit in (fit_platt, fit_isotonic):
        made = fit(scores[:1000], labels[:1000])
        after = made(scores[1000:])
        assert (
            calibration_error(after, labels[1000:]).value < 0.5 * calibration_error(scores[1000:], labels[1000:]).value
        )
        assert (np.diff(made(np.sort(scores))) >= 0).all()
    upside_down = fit_platt(-truth, labels)
    assert np.ptp(upside_down(-truth)) < 0.05  # a detector is never turned round
    with pytest.raises(ConfigError, match="10 pictures"):
        fit_platt(scores[:5], labels[:5])


def test_refused_samples_are_counted_and_in_no_score():
    samples = [told(0.9, 1), told(0.8, 1, "b"), told(0.3, 0, "c"), told(None, 0, "d")]
    found = evaluate([Outcome(s, Told().inspect(s)) for s in samples])
    assert found.images["auc"].value == 1.0
    assert (found.n_samples, found.n_refused) == (4, 1)
    assert dict(found.reasons) == {"nothing was told": 1}
    assert found.pixels is None
    assert found.auc is not None
    assert found.auc.n_units == 3
    assert calibrate([Outcome(s, Told().inspect(s)) for s in samples]) is None
    nobody = evaluate([Outcome(told(None, 1), Refusal("no"))])
    assert np.isnan(nobody.images["auc"].value)


def control_sets(matched: float, history: float) -> tuple[list[Sample], list[Sample]]:
    """Samples of 20 photos whose told scores part the classes by these many spreads."""
    rng = np.random.default_rng(0)

    def made(gap: float, label: int, k: int) -> Sample:
        return told(float(1 / (1 + np.exp(-rng.normal(gap * label, 1)))), label, f"photo {k % 20}")

    return [made(matched, k % 2, k // 2) for k in range(200)], [made(history, k % 2, k // 2) for k in range(200)]


def test_the_control_tells_what_a_detector_sees():
    honest = run_control(Told(), *control_sets(1.5, 0.0))
    assert not honest.only_compression
    blind = run_control(Told(), *control_sets(0.0, 0.0))
    assert blind.only_compression
    assert "equal histories" in blind.reason
    historian = run_control(Told(), *control_sets(1.5, 3.0))
    assert historian.only_compression
    assert "once from twice" in historian.reason


def test_a_detector_of_double_compression_fails_the_control():
    """It finds splices of another history well, and nothing when histories are equal: compression is all it sees."""
    photos, detector = photo_sources(()), find_rule("double_quantisation")
    samples = draw_samples(DOUBLE_JPEG, 0, "test", 30, photos)
    found = evaluate(run_detector(detector, samples), n_resamples=10)
    assert found.images["auc"].value > 0.85
    report = run_control(detector, *control_samples(64, 40, 0, photos))
    assert report.only_compression
    assert abs(report.matched.value - 0.5) < 0.2


def test_a_detector_that_learned_compression_alone_fails_the_control():
    """Trained on authentic pictures that were saved once or twice: it knows that well, and nothing of forgeries."""
    photos = photo_sources(())
    learned = [
        replace(sample, label=int(share))
        for share in (0.0, 1.0)
        for sample in draw_samples(
            ForgeryConfig(64, 1.0, compression=CompressionConfig(camera_share=share)), 5, "train", 150, photos
        )
    ]
    detector = fit_detector("dct_statistics", learned)
    report = run_control(detector, *control_samples(64, 120, 0, photos))
    assert report.history.value > 0.65  # it did learn what it was taught
    assert report.only_compression
    assert report.matched.low < 0.5  # and cannot tell forged from authentic


def made_photos() -> list[Photo]:
    rng = np.random.default_rng(0)
    made = []
    for split in ("train", "validation", "test"):
        for name in "abc":
            rough = rng.normal(128, 60, (40, 40, 3))
            view = cv2.resize(np.clip(rough, 0, 255).astype(np.uint8), (160, 160), interpolation=cv2.INTER_CUBIC)
            noise = rng.normal(0, 6, view.shape)
            made.append(Photo(f"{split}/{name}", (np.clip(view + noise, 0, 255).astype(np.uint8),), split))
    return made


def test_a_whole_benchmark_is_reported_in_files(tmp_path):
    pytest.importorskip("sklearn")
    tiles = ForgeryConfig(48, kinds={"splice": 1.0, "copy_move": 1.0})
    plan = BenchmarkPlan(
        "tiny <plan>", tiles, 24, 24, 16, n_swept=6, sweep={"jpeg": (90,), "blur": (3,)}, n_resamples=10
    )
    linear = Contestant("colour_statistics", lambda s, seed: fit_detector("colour_statistics", s), is_trained=True)
    report = run_benchmark(plan, [rule(find_rule("error_level")), linear], made_photos(), n_shown=2)
    protocols = {(row.detector, row.protocol) for row in report.rows}
    assert ("colour_statistics", "cross-manipulation") in protocols
    assert ("error_level", "cross-manipulation") not in protocols  # the same for what is not trained
    blurred = [r for r in report.rows if (r.detector, r.perturbation) == ("error_level", "blur")]
    assert {row.refused for row in blurred} == {6}  # a blurred picture is no JPEG any more
    assert area_under_sweep(report.rows, "error_level", "blur") is None
    page = write_report([report], tmp_path / "out")
    text = page.read_text()
    assert "tiny &lt;plan&gt;" in text
    assert "robustness" in text.lower()
    assert text.count("<img") == 2
    assert len(list((tmp_path / "out" / "panels").glob("*.png"))) == 2
    stored = json.loads((tmp_path / "out" / "report.json").read_text())
    assert len(stored[0]["rows"]) == len(report.rows)
    assert stored[0]["controls"]["error_level"]["only_compression"] in (True, False)
    with (tmp_path / "out" / "rows.csv").open() as file:
        assert len(list(csv.reader(file))) == len(report.rows) + 1
    with pytest.raises(ConfigError, match="names of their own"):
        run_benchmark(plan, [linear, linear], made_photos())


class Brightness:
    """Says that bright pictures are manipulated, and hands out its gradient."""

    name, requires, known_failures = "brightness", frozenset({Need.RGB}), "everything"

    def suspicion(self, pixels):
        return pixels.mean(dim=(1, 2, 3)) - 128

    def inspect(self, sample):
        return Finding(float(sample.image.mean() / 255), None, "bright")


@pytest.mark.parametrize("strength", [1, 4])
def test_an_attack_stays_in_its_bound_and_moves_every_verdict_the_wrong_way(strength):
    rng = np.random.default_rng(0)
    samples = [Sample(rng.integers(0, 256, (9, 7, 3), np.uint8), label=k % 2, data=b"x") for k in range(40)]
    hit = projected_gradient(Brightness(), samples, strength)
    for before, after in zip(samples, hit, strict=True):
        step = after.image.astype(int) - before.image
        assert abs(step).max() == strength
        assert (step.mean() < 0) == (before.label == 1)
        assert (after.label, after.data, after.meta["perturbation"]) == (before.label, None, f"pgd {strength}")
    with pytest.raises(ConfigError, match="labels"):
        projected_gradient(Brightness(), [Sample(samples[0].image)], strength)


def _fit_brightness(samples, seed):
    return Brightness()


def brightness_benchmark(jobs):
    plan = BenchmarkPlan("shared", ForgeryConfig(48), 4, 12, 12, n_swept=4, sweep={"blur": (3,)}, n_resamples=5)
    both = [rule(find_rule("noise_level")), Contestant("brightness", _fit_brightness, is_trained=False)]
    return run_benchmark(plan, both, made_photos(), n_shown=2, jobs=jobs)


def test_a_flat_calibration_takes_nothing_from_the_order_of_scores():
    outcomes = [told(0.1 * k, int(k > 4)) for k in range(10)]
    flat = Calibration(np.array([0.0, 1.0]), np.array([0.4, 0.4]), 10)
    found = evaluate([Outcome(sample, Told().inspect(sample)) for sample in outcomes], flat, n_resamples=5)
    assert found.images["auc"].value == found.auc.value == 1.0
    assert found.images["accuracy"].value == 0.5


def test_what_hands_out_gradients_is_attacked_and_nothing_else():
    rows = brightness_benchmark(1).rows
    attacked = [row for row in rows if row.perturbation == "pgd" and row.metric == "image auc"]
    assert [(row.detector, row.level) for row in attacked] == [("brightness", 1), ("brightness", 2), ("brightness", 4)]


@pytest.mark.slow
def test_processes_that_share_a_benchmark_measure_what_one_measures():
    alone, shared = brightness_benchmark(1), brightness_benchmark(2)
    assert str(alone.rows) == str(shared.rows)  # undefined numbers differ from themselves
    assert str(alone.controls) == str(shared.controls)
    assert [str(said) for _, said in alone.shown] == [str(said) for _, said in shared.shown]


def test_features_do_not_depend_on_what_is_around_and_are_finite():
    for name, features in FEATURES.items():
        for image in (picture(1, 64), np.zeros((64, 64, 3), np.uint8), picture(2, 65)[:63]):
            found = features(image)
            assert np.isfinite(found).all(), name
        assert len(features(picture(1, 64))) == {"colour_statistics": 30, "dct_statistics": 49, "spectrum": 26}[name]


def test_the_spectrum_tells_nearest_neighbours():
    def made(k: int) -> Sample:
        image = picture(k, 64)
        if k % 2:
            image = cv2.resize(image[::2, ::2], (64, 64), interpolation=cv2.INTER_NEAREST)
        return Sample(image, label=k % 2)

    detector = fit_detector("spectrum", [made(k) for k in range(30)])
    scores = np.array([detector.inspect(made(k)).score for k in range(30, 60)])
    assert image_auc(scores, np.arange(30) % 2).value > 0.95


def test_a_video_is_the_mean_of_frames_spread_over_it():
    frames = [replace(told(0.1 * k, 1), video_id="v") for k in range(9)]
    found = average_over_frames(Told(), [*frames, replace(told(None, 0), video_id="w")], most_frames=3)
    assert found["v"].score == pytest.approx(np.mean([0.0, 0.4, 0.8]))
    assert "w" not in found  # every frame was refused


def test_lists_of_every_layout_are_read(tmp_path, caplog):
    for name in ("a.png", "b.png", "b_gt.png"):
        PILImage.fromarray(picture(1, 16)).save(tmp_path / name)
    (tmp_path / "tab.txt").write_text("a.png\t\t0\nb.png\tb_gt.png\t1\n")
    tab = read_tab_separated(tmp_path / "tab.txt", tmp_path, "CASIA v1")
    assert (tab.n_real, tab.n_forged) == (1, 1)
    sample = tab.entries[1].load()
    assert sample.mask is not None
    np.testing.assert_array_equal(sample.mask, np.array(PILImage.open(tmp_path / "b_gt.png").convert("L")) > 127)
    assert not tab.entries[0].load().mask.any()
    with caplog.at_level(logging.INFO):
        checked_dataset(tab)
    assert "1 real, 1 forged" in caplog.text
    assert "the survey counts 921" in caplog.text
    (tmp_path / "space.txt").write_text("v1/0.png 0\nDF\\v2/0.png 13 2\nF2F/v2/0.png fake\n")
    space = read_space_separated(tmp_path / "space.txt", tmp_path, "ForgeryNet")
    assert [(entry.label, entry.video_id) for entry in space.entries] == [(0, "v1"), (1, "DF/v2"), (1, "F2F/v2")]
    (tmp_path / "lines.jsonl").write_text(
        '\ufeff{"image": "b.png", "label": true, "mask": "b_gt.png", "manipulation": "splice", "source": "photo 1"}\n'
    )
    read = read_json_lines(tmp_path / "lines.jsonl", tmp_path, "x").entries[0].load()
    assert (read.manipulation, read.source_id, read.label) == ("splice", "photo 1", 1)
    forged_video = {"000_003": {"frames": ["f/0.png", "f/1.png"]}}
    bench = {"FF++": {"FF-DF": {"test": {"c23": forged_video, "c40": {"000_003": {"frames": ["g/0.png"]}}}}}}
    bench["FF++"]["FF-real"] = {"test": {"c23": {"000": {"frames": ["r/0.png"]}}}}
    (tmp_path / "bench.json").write_text(json.dumps(bench))
    found = read_deepfakebench(tmp_path / "bench.json", tmp_path, "FaceForensics++")
    videos = [(entry.label, entry.video_id) for entry in found.entries]
    assert videos == [(1, "c23/000_003"), (1, "c23/000_003"), (1, "c40/000_003"), (0, "c23/000")]
    assert "real 1, the survey counts 1000; forged 1, " in (found.mismatch() or "")
    forged, masks = tmp_path / "forged", tmp_path / "masks"
    forged.mkdir(), masks.mkdir()
    PILImage.fromarray(picture(1, 16)).save(forged / "c.png")
    PILImage.fromarray(picture(1, 8)).save(masks / "c_mask.png")
    pairs = read_folder_pairs(forged, masks, None, "x")
    with pytest.raises(MediaError, match="c_mask"):
        pairs.entries[0].load()  # another size
    PILImage.fromarray((picture(1, 16)[..., 0] > 127).astype(np.uint8)).save(masks / "c_mask.png")  # in 0 and 1
    mask = pairs.entries[0].load().mask
    assert mask is not None
    assert 0 < mask.mean() < 1
    with pytest.raises(FormatError, match="no folder"):
        read_folder_pairs(forged, tmp_path / "none", None, "x")


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (read_tab_separated, "a.png 1"),
        (read_space_separated, "a.png"),
        (read_json_lines, "[1]"),
        (read_deepfakebench, "[]"),
    ],
)
def test_malformed_lists_say_where(tmp_path, reader, text):
    (tmp_path / "list").write_text(text)
    with pytest.raises(FormatError, match="list"):
        reader(tmp_path / "list", tmp_path, "x")


def test_the_tables_of_the_survey_name_what_exists():
    assert find_dataset("casia V2").forged == 5123
    with pytest.raises(UnknownNameError):
        find_dataset("CASIA v3")
    assert len({card.name for card in DATASETS}) == len(DATASETS) == 30
    built = {item for row in DETECTOR_CLASSES if row.standing is Standing.BUILT for item in row.items}
    assert set(RULES) | set(FEATURES) <= built
    assert built <= set(RULES) | set(FEATURES) | {"prnu", "frame_average"}
    assert family_of(Manipulation.SPLICE) is Field.TAMPERING
    assert family_of(Manipulation.FACE_SWAP) is Field.DEEPFAKE


def test_gates_can_be_missed():
    for claim in CLAIMS:
        assert not claim.holds(dict.fromkeys(claim.arms, (0.7, 0.7, 0.7))) or claim.name in ("ghosts_localise",)
    ghosts = next(claim for claim in CLAIMS if claim.name == "ghosts_localise")
    assert ghosts.holds({"first save stronger": (0.9,) * 3, "last save stronger": (0.5,) * 3})
    assert not ghosts.holds({"first save stronger": (0.9,) * 3, "last save stronger": (0.8,) * 3})
