"""Verdicts as values, as JSON, as words and as pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from authenticity_doubles import scene
from PIL import Image as Pil

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.video.authenticity.heat import draw_overlay
from onlooker.video.authenticity.judging import Vote, loudest, status_of
from onlooker.video.authenticity.tools import JudgeChoice, make_tools
from onlooker.video.authenticity.verdict import Curve, Evidence, Fact, Provenance, Sight, Verdict, verdict_as_dict
from onlooker.video.authenticity.write import describe, write_verdict

_SIGHT = Sight(scene(60, 80), np.linspace(0, 1, 4800, dtype=np.float32).reshape(60, 80), 1.25)


def verdict(**changes: object) -> Verdict:
    values: dict[str, object] = {
        "file": "clip.mp4",
        "kind": "video",
        "status": "nothing_found",
        "probability": 0.31,
        "threshold": 0.8,
        "false_alarm_rate": 0.05,
        "found_share": 0.4,
        "tested_on": "tiles",
        "evidence": (
            Evidence("media_forensics", "1", 0.1, 0.31, "tiles", "all rules together", None, True),
            Evidence("noise_level", "1", 0.9, None, None, "odd noise", None, False, (), True),
            Evidence("m2tr", "1", None, None, None, "", "no face was found"),
        ),
        "facts": (Fact("encoder", "Lavf61", "written by FFmpeg", True), Fact("codec", "h264")),
        "curves": (
            Curve("frames", "media_forensics@1", (0.0, 1.0, 2.0), (0.1, 0.4, 0.3)),
            Curve("tracklet 3 (person)", "m2tr@1", (1.0, 2.0), (0.9, 0.85), 3),
        ),
        "sight": _SIGHT,
    }
    return Verdict(**{**values, **changes})  # type: ignore[arg-type]


def test_a_verdict_that_contradicts_itself_cannot_be_made() -> None:
    with pytest.raises(ShapeError, match="unless it is `not_judged`"):
        verdict(probability=None)
    with pytest.raises(ShapeError, match="are not nothing_found"):
        verdict(probability=0.8)
    with pytest.raises(ShapeError, match="are not manipulation_suspected"):
        verdict(status="manipulation_suspected")
    with pytest.raises(ShapeError, match="probability per time"):
        Curve("frames", "a@1", (0.0,), ())
    with pytest.raises(ShapeError, match="in \\[0, 1\\]"):
        Evidence("a", "1", None, 1.2, None, "")


def test_words_are_short_and_say_what_nothing_found_is_worth() -> None:
    lines = describe(verdict(outside_reasons=("codec: vp9 was not among the tested ones",)))
    text = "\n".join(lines)
    assert lines[0] == "clip.mp4: nothing found by these detectors"
    assert "about 5 in 100" in text
    assert "finds 40 in 100" in text
    assert "does not mean that nothing was done" in text
    assert "outside the tested domain: codec" in text
    assert "could not judge: m2tr (no face was found)" in text
    assert "encoder Lavf61" in text
    assert "odd noise" not in text  # single rules are loud on untouched pictures, too
    assert "authentic" not in text.lower()


def test_suspicion_names_the_rules_behind_it() -> None:
    lines = describe(verdict(status="manipulation_suspected", probability=0.9))
    assert lines[0].endswith("MANIPULATION SUSPECTED")
    assert any("odd noise" in line for line in lines)


def test_a_judge_that_does_not_count_says_so_and_what_it_was_tested_on() -> None:
    """Its probability above its threshold must not read like a finding."""
    why = "it takes no part in the verdict: nobody measured it"
    m2tr = Evidence(
        "m2tr", "1", None, 0.93, "40 faces (experimental)", "the network's answer on a face", None, False, (why,)
    )
    lines = describe(verdict(evidence=(m2tr,)))
    place = lines.index("  evidence: m2tr: probability 0.93, the network's answer on a face")
    assert lines[place + 1 : place + 3] == ["    tested on: 40 faces (experimental)", f"    mind: {why}"]
    assert "  tested on: tiles" in lines  # of the verdict


def test_facts_are_sentences() -> None:
    facts = (
        Fact("photoshop_segment", True, "holds a segment", True),
        Fact("exif", None, "damaged: cut", True),
        Fact("repeated_frames", 3, "frozen", True),
    )
    lines = describe(verdict(facts=facts))
    assert lines[-3:] == [
        "  file: photoshop segment: holds a segment",
        "  file: exif: damaged: cut",
        "  file: repeated frames 3: frozen",
    ]


def test_the_line_below_a_small_heat_map_is_not_cut() -> None:
    """It ends with what the map means."""
    sight = Sight(scene(40, 60), np.ones((40, 60), np.float32))
    short, long = draw_overlay(sight, "short"), draw_overlay(sight, "a long line " * 12 + "an end")
    assert long.shape[0] > short.shape[0] + 30
    last = long[-18:].astype(int)
    assert (last.min(axis=2) < 100).any()  # letters in the last line, too


def test_broken_credentials_come_before_evidence() -> None:
    found = verdict(provenance=Provenance("invalid", "A camera", note="it was changed after it was signed"))
    text = "\n".join(describe(found))
    assert "content credentials: INVALID by A camera" in text
    assert text.index("INVALID") < text.index("evidence:")


def test_not_judged_says_why() -> None:
    lines = describe(verdict(status="not_judged", probability=None, reason="the picture is of one colour"))
    assert lines[0] == "clip.mp4: not judged"
    assert "of one colour" in lines[1]


def test_json_is_plain_and_complete() -> None:
    plain = json.loads(json.dumps(verdict_as_dict(verdict())))
    assert plain["status"] == "nothing_found"
    assert plain["outside_tested_domain"] is False
    assert plain["heat_map_time_s"] == 1.25
    assert plain["curves"][1]["tracklet"] == 3
    assert plain["evidence"][2]["refusal"] == "no face was found"
    assert plain["provenance"]["state"] == "absent"
    assert "sight" not in plain


def test_pictures_and_json_are_written(tmp_path: Path) -> None:
    suspected = verdict(status="manipulation_suspected", probability=0.9)
    written = write_verdict(suspected, tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert sorted(p.name for p in folder.iterdir()) == ["curve.png", "heat_map.png", "verdict.json"]
    plain = json.loads((folder / "verdict.json").read_text())
    assert plain["heat_map_file"] == written.heat_map_file == str(folder / "heat_map.png")
    with Pil.open(folder / "heat_map.png") as drawn:
        pixels = np.array(drawn)
    right = pixels[:60, 86:166].astype(int)
    saturation = right.max(axis=2) - right.min(axis=2)
    assert saturation[-5:].mean() > 100  # bright where the map is
    assert saturation[:3].mean() < 20  # grey where it is not


def test_a_curve_is_drawn_over_the_length_of_the_video(tmp_path: Path) -> None:
    """A face that was seen in the first seconds only must not be drawn as if the video ended there."""
    short = verdict(facts=())
    whole = verdict(facts=(Fact("duration_s", 20.0),))
    drawn = [np.array(Pil.open(write_verdict(one, tmp_path).curve_file or "")) for one in (short, whole)]
    assert drawn[0].shape == drawn[1].shape
    blue = [np.flatnonzero((one == (47, 96, 160)).all(axis=2).any(axis=0)) for one in drawn]
    assert blue[1].max() < blue[0].max() / 2


def test_without_map_and_curve_only_json_is_written(tmp_path: Path) -> None:
    write_verdict(verdict(sight=None, curves=()), tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["verdict.json"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        write_verdict(verdict(), tmp_path / "taken")


def test_the_loudest_vote_is_the_one_farthest_over_its_threshold() -> None:
    calm, loud = Vote(0.6, 0.9, 0.05, 0.4, "a"), Vote(0.5, 0.4, 0.02, None, "b")
    found = loudest([calm, loud])
    assert found is not None
    assert (found.probability, found.threshold, found.tested_on) == (0.5, 0.4, "a; b")
    assert found.false_alarm_rate == pytest.approx(0.07)
    assert status_of(found) == "manipulation_suspected"
    assert loudest([]) is None
    assert status_of(None) == "not_judged"
    assert status_of(replace(calm, probability=0.9)) == "manipulation_suspected"


def test_judges_are_named_with_weights_of_ones_own() -> None:
    with pytest.raises(UnknownNameError, match="did you mean `m2tr`"):
        make_tools([JudgeChoice("m2rt", {"weights": "x"})])
    with pytest.raises(ConfigError, match="needs weights"):
        make_tools([JudgeChoice("m2tr", {})])
    with pytest.raises(ConfigError, match="speed"):
        make_tools([JudgeChoice("objectformer", {"weights": "x", "speed": 3})])
    assert make_tools().faces is None


def test_a_trained_judge_of_faces_is_built_with_a_finder(tmp_path: Path) -> None:
    from onlooker.methods.forensics.m2tr import CONFIGS, METHOD

    METHOD.create(CONFIGS["tiny"], 0).save_pretrained(tmp_path)  # type: ignore[operator]
    tools = make_tools([JudgeChoice("m2tr", {"weights": str(tmp_path)})])
    assert tools.wants_faces
    assert tools.faces is not None
    assert tools.judges[0].name == "m2tr"
    said = tools.judges[0].judge([scene(80, 80)])[0]
    assert 0.0 <= said.probability <= 1.0


def test_a_map_in_which_nothing_was_found_is_drawn_faintly() -> None:
    sight = Sight(np.full((40, 60, 3), 128, np.uint8), np.ones((40, 60), np.float32))
    loud, faint = (draw_overlay(sight, "x", strength)[10, 100].astype(int) for strength in (1.0, 0.3))
    assert np.ptp(loud) > 2 * np.ptp(faint) > 0
