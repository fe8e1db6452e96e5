"""Verdicts on picture files: what counts, what is refused, where the map lies, what odd files end in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from authenticity_doubles import BrightnessJudge, FixedFaces, combination, jpeg, scene
from PIL import Image as Pil

from onlooker.errors import MediaError
from onlooker.media.marks import Mark, save_marked
from onlooker.methods.forensics.media_forensics.rule_judge import RuleJudge
from onlooker.types import Image, Judgement
from onlooker.video.attributes.looks import cut, widened
from onlooker.video.authenticity.pictures import Tools, verify_picture
from onlooker.video.authenticity.verdict import Fact, Verdict, verdict_as_dict


def pasted_jpeg(path: Path, height: int = 256, width: int = 256) -> Image:
    """A picture saved at 60, a never saved part put in at the right, saved again at 95: what double quantisation sees.
    Returns where."""
    host = np.array(Pil.open(io.BytesIO(jpeg(scene(height, width, 3), 60, subsampling=0))))
    host[96:192, 144:224] = scene(96, 80, 9)
    path.write_bytes(jpeg(host, 95, subsampling=0))
    where = np.zeros((height, width), np.uint8)
    where[96:192, 144:224] = 1
    return where


def fact(verdict: Verdict, name: str) -> Fact:
    return next(one for one in verdict.facts if one.name == name)


def test_a_pasted_part_is_suspected_and_the_map_shows_it(tmp_path: Path, tools: Tools) -> None:
    where = pasted_jpeg(tmp_path / "pasted.jpg").astype(bool)
    verdict = verify_picture(tmp_path / "pasted.jpg", tools)
    assert verdict.status == "manipulation_suspected"
    assert verdict.probability is not None
    assert verdict.probability >= 0.5
    assert verdict.false_alarm_rate == 0.05
    assert verdict.found_share == 0.4
    assert verdict.sight is not None
    heat = verdict.sight.heat_map
    assert heat.shape == (256, 256)
    assert heat[where].mean() > 2 * heat[~where].mean()
    assert fact(verdict, "jpeg_quality").value == 95


def test_a_picture_saved_once_is_nothing_found_never_authentic(tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "once.jpg").write_bytes(jpeg(scene(256, 256), 92, subsampling=0))
    verdict = verify_picture(tmp_path / "once.jpg", tools)
    assert verdict.status == "nothing_found"
    assert "authentic" not in str(verdict_as_dict(verdict)).lower()


def test_a_turned_phone_picture_is_judged_as_stored_and_shown_upright(tmp_path: Path, tools: Tools) -> None:
    where = pasted_jpeg(tmp_path / "plain.jpg", 256, 320)
    exif = Pil.Exif()
    exif[0x0112] = 6
    data = (tmp_path / "plain.jpg").read_bytes()
    block = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    turned = data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]
    (tmp_path / "turned.jpg").write_bytes(turned)
    plain, verdict = (verify_picture(tmp_path / name, tools) for name in ("plain.jpg", "turned.jpg"))
    assert verdict.probability == plain.probability
    assert verdict.sight is not None
    assert verdict.sight.heat_map.shape == (320, 256)
    upright = np.rot90(where, -1).astype(bool)
    heat = verdict.sight.heat_map
    assert heat[upright].mean() > 2 * heat[~upright].mean()


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (30, 200)])
def test_tiny_pictures_are_not_judged_and_the_reason_names_their_size(
    tmp_path: Path, tools: Tools, size: tuple[int, int]
) -> None:
    Pil.fromarray(scene(*size)).save(tmp_path / "tiny.png")
    verdict = verify_picture(tmp_path / "tiny.png", tools)
    assert verdict.status == "not_judged"
    assert verdict.probability is None
    assert f"{size[1]}x{size[0]}" in (verdict.reason or "")


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_of_one_colour_is_not_judged(tmp_path: Path, tools: Tools, value: int) -> None:
    Pil.new("RGB", (300, 200), (value,) * 3).save(tmp_path / "flat.jpg")
    verdict = verify_picture(tmp_path / "flat.jpg", tools)
    assert verdict.status == "not_judged"
    assert "one colour" in (verdict.reason or "")


@pytest.mark.parametrize(
    ("mode", "name"), [("L", "grey.png"), ("RGBA", "alpha.png"), ("CMYK", "print.jpg"), ("P", "palette.gif")]
)
def test_odd_modes_are_judged_outside_the_tested_domain(tmp_path: Path, tools: Tools, mode: str, name: str) -> None:
    Pil.fromarray(scene(200, 200)).convert(mode).save(tmp_path / name)
    verdict = verify_picture(tmp_path / name, tools)
    assert verdict.status != "not_judged"
    assert verdict.outside_tested_domain


def test_rules_of_jpeg_blocks_do_not_read_inks(tmp_path: Path, tools: Tools) -> None:
    """A JPEG in CMYK has blocks of inks; luminance worked out from them was never in a block."""
    Pil.fromarray(scene(192, 256)).convert("CMYK").save(tmp_path / "print.jpg", quality=92)
    verdict = verify_picture(tmp_path / "print.jpg", tools)
    said = {one.name: one for one in verdict.evidence}
    for name in ("error_level", "jpeg_ghost", "double_quantisation"):
        assert said[name].refusal is not None


def test_a_large_picture_is_judged_in_steps_with_a_coarser_map(tmp_path: Path) -> None:
    tools = Tools(RuleJudge({"jpeg": combination()}, most_windows=5))
    large = np.tile(scene(128, 128), (20, 24, 1))  # 2560 x 3072
    Pil.fromarray(large).save(tmp_path / "large.jpg", quality=95)
    verdict = verify_picture(tmp_path / "large.jpg", tools)
    assert any("percent of the picture were looked at" in reason for reason in verdict.outside_reasons)
    assert verdict.sight is not None
    assert verdict.sight.heat_map.shape == (1280, 1536)
    assert verdict.sight.image.shape == (1280, 1536, 3)


def test_rules_that_were_of_no_use_in_their_test_do_not_count(tmp_path: Path, deaf_rules: RuleJudge) -> None:
    pasted_jpeg(tmp_path / "pasted.jpg")
    verdict = verify_picture(tmp_path / "pasted.jpg", Tools(deaf_rules))
    assert verdict.status == "not_judged"
    assert "do not tell forged from untouched pictures of this kind" in (verdict.reason or "")
    assert any(one.name == "double_quantisation" and one.score for one in verdict.evidence)


def test_a_judge_nobody_measured_is_shown_and_does_not_count(tmp_path: Path, deaf_rules: RuleJudge) -> None:
    Pil.fromarray(np.full((100, 100, 3), 250, np.uint8) - scene(100, 100) % 9).save(tmp_path / "bright.png")
    verdict = verify_picture(tmp_path / "bright.png", Tools(deaf_rules, (BrightnessJudge(),)))
    said = next(one for one in verdict.evidence if one.name == "brightness")
    assert verdict.status == "not_judged"
    assert said.probability is not None
    assert said.probability > 0.9
    assert not said.counts
    assert any("takes no part" in caveat for caveat in said.caveats)
    assert verdict.sight is not None  # its map is shown all the same, as there is no other


def test_a_measured_judge_counts_and_the_rates_of_all_add_up(tmp_path: Path, rules: RuleJudge) -> None:
    Pil.fromarray(np.full((200, 200, 3), 250, np.uint8) - scene(200, 200) % 9).save(tmp_path / "bright.png")
    judge = BrightnessJudge(tested_on="bright things", threshold=0.9, false_alarm_rate=0.02)
    verdict = verify_picture(tmp_path / "bright.png", Tools(rules, (judge,)))
    assert verdict.status == "manipulation_suspected"
    assert verdict.threshold == 0.9
    assert verdict.false_alarm_rate == pytest.approx(0.07)
    assert "bright things" in (verdict.tested_on or "")


def test_a_judge_measured_on_videos_does_not_count_on_pictures(tmp_path: Path, deaf_rules: RuleJudge) -> None:
    """The answer on a video is a mean of looks: its rate says nothing of single pictures."""
    Pil.fromarray(np.full((200, 200, 3), 250, np.uint8) - scene(200, 200) % 9).save(tmp_path / "bright.png")
    judge = BrightnessJudge(tested_on="clips", threshold=0.9, false_alarm_rate=0.02, tested_kinds=("video",))
    verdict = verify_picture(tmp_path / "bright.png", Tools(deaf_rules, (judge,)))
    said = next(one for one in verdict.evidence if one.name == "brightness")
    assert (verdict.status, said.counts) == ("not_judged", False)
    assert any("was measured on videos only" in caveat for caveat in said.caveats)


def test_a_judge_of_faces_sees_every_face_with_a_margin_and_the_likeliest_counts(
    tmp_path: Path, rules: RuleJudge
) -> None:
    image = scene(200, 300) // 4
    image[20:80, 20:80], image[100:160, 200:260] = 240, 120
    Pil.fromarray(image).save(tmp_path / "two.png")
    judge = BrightnessJudge("face", 40, "faces", 0.6, 0.01)
    faces = FixedFaces([(20, 20, 80, 80), (200, 100, 260, 160), (5, 5, 20, 20)])
    verdict = verify_picture(tmp_path / "two.png", Tools(rules, (judge,), faces))
    assert len(judge.sizes) == 2  # the third is too small
    assert min(judge.sizes[0][:2]) > 60
    said = next(one for one in verdict.evidence if one.name == "brightness")
    assert "the likeliest of 2 faces" in said.sentence
    assert fact(verdict, "faces").value == 3


def test_verify_shows_a_judge_the_same_pixels_of_a_face_as_ingest(tmp_path: Path, deaf_rules: RuleJudge) -> None:
    """Both cut by rules of their own, which were a pixel apart: one face, two probabilities."""
    Pil.fromarray(scene(200, 200)).save(tmp_path / "face.png")
    judge, box = BrightnessJudge(need="face"), (60.4, 60.4, 139.6, 139.7)
    verify_picture(tmp_path / "face.png", Tools(deaf_rules, (judge,), FixedFaces([box])))
    stored = np.float32(box).tolist()  # a finder's boxes are float32
    assert judge.sizes == [
        cut(scene(200, 200), widened((stored[0], stored[1], stored[2], stored[3]), 1.3, True))[0].shape
    ]


def test_the_map_of_a_face_lies_where_the_judge_put_it(tmp_path: Path, deaf_rules: RuleJudge) -> None:
    """A judge with a mask head shows where in the face; all of the face was painted alike."""

    class UpperHalf(BrightnessJudge):
        def judge(self, images: Sequence[Image]) -> list[Judgement]:
            maps = [np.zeros(image.shape[:2], np.float32) for image in images]
            for one in maps:
                one[: len(one) // 2] = 1.0
            return [Judgement(0.8, one, None, ()) for one in maps]

    Pil.fromarray(scene(200, 200)).save(tmp_path / "face.png")
    tools = Tools(deaf_rules, (UpperHalf(need="face"),), FixedFaces([(60.0, 60.0, 140.0, 140.0)]))
    verdict = verify_picture(tmp_path / "face.png", tools)
    assert verdict.sight is not None
    heat = verdict.sight.heat_map
    assert heat[70:95, 70:130] == pytest.approx(0.8)
    assert heat[105:130, 70:130] == pytest.approx(0.4)
    assert heat[:59].max() == heat[:, 141:].max() == 0.0


@pytest.mark.parametrize("boxes", [[], [(5.0, 5.0, 15.0, 15.0)]])
def test_a_judge_of_faces_refuses_where_there_is_none_to_judge(
    tmp_path: Path, rules: RuleJudge, boxes: list[tuple[float, float, float, float]]
) -> None:
    Pil.fromarray(scene(200, 200)).save(tmp_path / "nobody.png")
    verdict = verify_picture(tmp_path / "nobody.png", Tools(rules, (BrightnessJudge("face", 40),), FixedFaces(boxes)))
    said = next(one for one in verdict.evidence if one.name == "brightness")
    assert said.probability is None
    assert "face" in (said.refusal or "")


def test_faces_are_not_looked_for_when_nobody_asks(tmp_path: Path, rules: RuleJudge) -> None:
    class Never(FixedFaces):
        def find(self, images):
            raise AssertionError("nobody asked")

    Pil.fromarray(scene(100, 100)).save(tmp_path / "a.png")
    assert verify_picture(tmp_path / "a.png", Tools(rules, (BrightnessJudge(),), Never([]))).kind == "image"


def test_the_mark_of_made_pictures_is_told(tmp_path: Path, tools: Tools) -> None:
    save_marked(scene(100, 100), tmp_path / "made.png", Mark("generated", "onlooker 0.1", "a test"))
    mark = verify_picture(tmp_path / "made.png", tools).mark
    assert mark is not None
    assert (mark.kind, mark.by) == ("generated", "onlooker 0.1")


def test_editors_dates_and_generators_are_among_the_facts(tmp_path: Path, tools: Tools) -> None:
    from PIL.PngImagePlugin import PngInfo

    exif = Pil.Exif()
    exif[0x0131], exif[0x0132] = "Adobe Photoshop 25.0\x1b[31m", "2026:02:02 10:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2026:01:01 10:00:00"
    (tmp_path / "edited.jpg").write_bytes(jpeg(scene(100, 100), exif=exif))
    verdict = verify_picture(tmp_path / "edited.jpg", tools)
    assert fact(verdict, "software").notable
    assert "\x1b" not in str(fact(verdict, "software").value)
    assert fact(verdict, "dates_differ").notable
    text = PngInfo()
    text.add_text("parameters", "a castle, steps: 20")
    Pil.fromarray(scene(100, 100)).save(tmp_path / "made.png", pnginfo=text)
    assert "generates pictures" in fact(verify_picture(tmp_path / "made.png", tools), "text_parameters").note


def test_a_thumbnail_of_another_picture_is_found(tmp_path: Path, tools: Tools) -> None:
    other = jpeg(np.full((40, 60, 3), 250, np.uint8))
    exif = Pil.Exif()
    exif[0x010F] = "Maker"
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    # A second directory behind the first: compression 6 (JPEG), place and length of the thumbnail.
    first = int.from_bytes(block[4:8], "little" if block[:2] == b"II" else "big")
    order = "little" if block[:2] == b"II" else "big"
    count = int.from_bytes(block[first : first + 2], order)
    link = first + 2 + 12 * count
    second = len(block)
    rows = [(0x0103, 3, 1, 6), (0x0201, 4, 1, second + 2 + 36 + 4), (0x0202, 4, 1, len(other))]
    directory = len(rows).to_bytes(2, order)
    for tag, kind, number, value in rows:
        width = 2 if kind == 3 else 4
        directory += tag.to_bytes(2, order) + kind.to_bytes(2, order) + number.to_bytes(4, order)
        directory += value.to_bytes(width, order).ljust(4, b"\0")
    whole = block[:link] + second.to_bytes(4, order) + block[link + 4 :] + directory + b"\0\0\0\0" + other
    (tmp_path / "swapped.jpg").write_bytes(jpeg(scene(100, 150) // 3, exif=b"Exif\0\0" + whole))
    verdict = verify_picture(tmp_path / "swapped.jpg", tools)
    said = next(one for one in verdict.evidence if one.name == "metadata")
    assert "another picture" in said.sentence


def test_broken_metadata_is_a_fact_not_a_failure(tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "odd.jpg").write_bytes(jpeg(scene(100, 100), exif=b"Exif\0\0II*\0\xff\xff\xff\xff"))
    assert verify_picture(tmp_path / "odd.jpg", tools).status != "not_judged"


def test_a_text_file_is_refused(tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "words.jpg").write_text("words")
    with pytest.raises(MediaError, match="no picture"):
        verify_picture(tmp_path / "words.jpg", tools)


def test_the_threshold_is_met_not_passed(tmp_path: Path) -> None:
    """A probability equal to the threshold is suspected: that is what the stated rate was measured with."""
    Pil.fromarray(scene(100, 100)).save(tmp_path / "a.png")
    untouched = combination(weights=(0.0, 0.0), bias=0.0)
    verdict = verify_picture(tmp_path / "a.png", Tools(RuleJudge({"pixels": untouched})))
    assert verdict.probability == 0.5
    assert verdict.status == "manipulation_suspected"
