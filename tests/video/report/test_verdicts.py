"""What a judge said is on the annotated video, the sheet and the page, each in the words that fit."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import insert

from onlooker.media.decode import VideoReader
from onlooker.media.draw import DrawnTrack, draw_tracks
from onlooker.video.reasons import NO_FACE, NOT_A_PERSON
from onlooker.video.report.annotated import FramePainter
from onlooker.video.report.data import load_video
from onlooker.video.report.page import write_page
from onlooker.video.report.sheet import write_sheet
from onlooker.video.report.verdicts import ShownVerdict
from onlooker.video.store.schema import JUDGEMENTS, JUDGES


@pytest.fixture
def judged(scene):
    """The person looks manipulated from 1.5 s on, 0.55 in the mean; the car has no face."""
    with scene.store.write() as connection:
        keys = {row[0]: row[1] for row in connection.exec_driver_sql("SELECT number, id FROM base_tracklets")}
        judge = {"judge": "j@1", "need": "face", "threshold": 0.5, "tested_on": "drawings", "finder": None}
        connection.execute(insert(JUDGES).values(video_id=scene.video_id, **judge))
        for frame, number, probability, reason in (
            (5, 1, 0.2, None),
            (20, 1, 0.9, None),
            (25, 1, None, NO_FACE),
            (0, 2, None, NOT_A_PERSON),
        ):
            box = {"x1": 10.0 + 3 * frame, "y1": 20.0, "x2": 30.0 + 3 * frame, "y2": 40.0}
            row = {"video_id": scene.video_id, "tracklet_id": keys[number], "frame": frame, "t": frame / 10}
            connection.execute(insert(JUDGEMENTS).values(**row, probability=probability, reason=reason, **box))
    return scene


def data_of(scene):
    with scene.store.read() as connection:
        return load_video(connection, scene.video_id)


def test_a_verdict_is_the_mean_of_what_was_judged_and_the_label_that_of_the_nearest_moment(judged):
    person, car = (one.verdict for one in data_of(judged).tracklets)
    assert person == ShownVerdict("j@1", 0.5, "drawings", ((0.5, 0.2), (2.0, 0.9)), NO_FACE)
    assert person.summary == "looks manipulated, 0.55"
    assert [person.label_at(t) for t in (0.0, 1.2, 1.3, 2.9)] == ["", "", "manipulated? 0.90", "manipulated? 0.90"]
    assert car is None
    assert ShownVerdict("j@1", 0.5, "drawings", ((0.0, 0.25),), None).summary == "below the threshold, 0.25"
    assert ShownVerdict("j@1", 0.5, "drawings", (), NO_FACE).summary == "not judged: no face found"
    assert ShownVerdict("j@1", 0.5, "drawings", (), NO_FACE).whole == "not judged: no face found (j@1)"
    below = ShownVerdict("j@1", 0.5, "drawings", ((0.0, 0.25),), None)
    assert below.whole == "below the threshold, 0.25, suspected from 0.50 (j@1)"


def test_the_label_wears_the_verdict_while_the_curve_is_high(judged):
    data = data_of(judged)
    plain = replace(data, tracklets=tuple(replace(one, verdict=None) for one in data.tracklets))
    with VideoReader(judged.clip) as reader:
        frames = {frame.index: frame for frame in reader if frame.index in (3, 22)}
    for index, differs in ((3, False), (22, True)):
        pictures = [FramePainter(one).paint(frames[index], {}) for one in (data, plain)]
        assert bool(np.any(pictures[0] != pictures[1])) is differs


def test_a_verdict_is_written_over_a_narrow_box_too():
    image = np.zeros((120, 400, 3), np.uint8)
    narrow = (100.0, 40.0, 112.0, 100.0)
    bare, told = (draw_tracks(image, [DrawnTrack(1, narrow, "person", "red", v)]) for v in ("", "manipulated? 0.90"))
    widths = [int(np.flatnonzero((one[:38] > 60).any(axis=(0, 2))).size) for one in (bare, told)]
    assert widths[1] > 4 * widths[0]


def test_sheet_and_page_say_what_the_judge_said(judged, tmp_path):
    data = data_of(judged)
    assert write_sheet(data, tmp_path / "sheet.png").is_file()
    text = write_page([data], [], tmp_path / "page.html").read_text(encoding="utf-8")
    told = json.loads(text.split('type="application/json"')[1].split(">", 1)[1].split("</script>")[0])
    assert [one["verdict"] for one in told["videos"][0]["tracklets"]] == [
        "looks manipulated, 0.55, suspected from 0.50 (j@1; tested on drawings)",
        None,
    ]
