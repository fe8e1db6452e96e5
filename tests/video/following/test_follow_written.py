"""What was followed, as files."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from onlooker.formats import davis, mot, single_object, ytvis
from onlooker.formats.run_lengths import decode_mask, encode_mask
from onlooker.media.decode import VideoReader
from onlooker.synth.clips import make_clip, moving_squares
from onlooker.types import VideoInfo
from onlooker.video.following.pictures import draw_result
from onlooker.video.following.request import FollowRequest
from onlooker.video.following.values import FollowResult, Sighting, TrackBuilder
from onlooker.video.following.write import missing_masks, picture_limit, write_masks, write_tracks

SIZE = (64, 48)


def rectangle(x1, y1, x2, y2):
    mask = np.zeros((SIZE[1], SIZE[0]), np.bool_)
    mask[y1:y2, x1:x2] = True
    return encode_mask(mask)


def result_of(path, *, masks=True, n=4):
    """Track 1 is a box, seen on frames 2, 3 and 5, lost on 4; track 2 is a car on all of them, half hidden by 1."""
    first, second = TrackBuilder(), TrackBuilder()
    for frame in range(2, 2 + n):
        seen = frame != 4
        mask = rectangle(10, 10, 20, 20) if masks and seen else None
        first.add(frame, frame * 0.04, Sighting((10.0, 10.0, 20.0, 20.0), 0.75, mask=mask) if seen else _UNSEEN)
        second.add(frame, frame * 0.04, Sighting((15, 10, 40.5, 30), None, mask=rectangle(15, 10, 40, 30)))
    info = VideoInfo(str(path), *SIZE, 25.0, 0.4, 10, False, "h264", "mp4", "yuv420p")
    return FollowResult(
        info=info,
        frames=[(k, k * 0.04) for k in range(2, 2 + n)],
        tracks=(first.build(1, "box", None), second.build(2, "class", "car")),
        cuts_s=(0.12,),
        models={"detector": "red@1"},
        end_s=0.24,
        gives_masks=masks,
    )


_UNSEEN = Sighting(None, None)
REQUEST = FollowRequest("clip.mp4", ((10.0, 10.0, 20.0, 20.0),), 0.08, ("car",), from_s=0.08)


def test_tracks_json_says_where_each_thing_is_and_where_it_is_not(tmp_path):
    result = result_of("clip.mp4")
    told = json.loads(write_tracks(tmp_path, REQUEST, result)[0].read_text())
    assert told["video"] == {
        "path": "clip.mp4",
        "width": 64,
        "height": 48,
        "rotation_deg": 0,
        "fps": 25.0,
        "from_s": 0.08,
        "to_s": 0.24,
        "n_frames": 4,
        "cuts_s": [0.12],
        "problem": None,
    }
    assert told["asked"] == {"boxes": [[10, 10, 20, 20]], "at_s": 0.08, "classes": ["car"]}
    assert told["models"] == {"detector": "red@1"}
    box, car = told["tracks"]
    assert {k: box[k] for k in ("id", "source", "label", "same_as", "first_s", "last_s")} == {
        "id": 1,
        "source": "box",
        "label": None,
        "same_as": [],
        "first_s": 0.08,
        "last_s": 0.2,
    }
    assert box["boxes"][2] == {
        "time_s": 0.16,
        "frame": 4,
        "seen": False,
        "box_xyxy": None,
        "score": None,
        "measured": False,
    }
    seen = box["boxes"][0]
    assert (seen["box_xyxy"], seen["score"], seen["seen"]) == ([10, 10, 20, 20], 0.75, True)
    assert decode_mask(seen["mask"]["counts"].encode(), *seen["mask"]["size"]).sum() == 100
    assert car["boxes"][0]["score"] is None


def test_a_video_whose_name_is_not_utf_8_is_named_in_json_that_reads_back_as_it(tmp_path):
    name = os.fsdecode(b"caf\xe9.mp4")
    written = write_tracks(tmp_path, REQUEST, result_of(name))[0]
    assert json.loads(written.read_text(encoding="utf-8"))["video"]["path"] == name


def test_mot_rows_count_frames_of_the_file_from_one_and_leave_out_the_unseen(tmp_path):
    rows = list(mot.iterate_rows(write_tracks(tmp_path, REQUEST, result_of("clip.mp4"))[1]))
    assert [(row.frame, row.number) for row in rows] == [(3, 1), (3, 2), (4, 1), (4, 2), (5, 2), (6, 1), (6, 2)]
    assert rows[0].box_xyxy == (10, 10, 20, 20)
    assert (rows[0].confidence, rows[1].confidence) == (0.75, 1.0)


def test_boxes_that_were_given_are_a_file_each_with_a_line_per_frame_that_was_looked_at(tmp_path):
    result = result_of("clip.mp4")
    late = replace(result, frames=[(1, 0.04), *result.frames])  # the box is of the second frame
    (tmp_path / "boxes").mkdir()
    for name in ("9.txt", "mine.txt"):
        (tmp_path / "boxes" / name).touch()
    assert write_tracks(tmp_path, REQUEST, late)[2] == tmp_path / "boxes"
    assert sorted(file.name for file in (tmp_path / "boxes").iterdir()) == ["1.txt", "mine.txt"]
    read = single_object.read_boxes(tmp_path / "boxes" / "1.txt")
    assert read.visible.tolist() == [False, True, True, False, True]
    assert read.boxes_xyxy[1].tolist() == [10, 10, 20, 20]


def test_mask_pictures_and_tubes_hold_the_masks_and_leave_no_picture_of_an_earlier_run(tmp_path):
    write_masks(tmp_path, result_of("clip.mp4", n=6))
    (tmp_path / "masks" / "mine.png").write_bytes(b"kept")
    write_masks(tmp_path, result_of("clip.mp4"))
    (tmp_path / "masks" / "mine.png").unlink()
    read = davis.read_sequence(tmp_path / "masks")
    assert read.stems == ("00002", "00003", "00004", "00005")
    assert (read.labels[0, 10:20, 10:20] == 1).all()  # the lower number lies in front
    assert (read.labels[2] == 1).sum() == 0
    assert (read.labels[2] == 2).sum() == 25 * 20
    tubes = ytvis.read_truth(tmp_path / "youtube_vis.json")
    assert [tubes.categories[tube.category] for tube in tubes.tubes] == ["thing", "car"]
    assert [counts is None for counts in tubes.tubes[0].counts] == [False, False, True, False]


def test_more_things_than_a_mask_picture_numbers_are_in_the_tubes_alone(tmp_path):
    result = result_of("clip.mp4")
    write_masks(tmp_path, result)
    _, car = result.tracks
    many = replace(result, tracks=tuple(replace(car, number=number) for number in range(1, 256)))
    assert write_masks(tmp_path, many) == (tmp_path / "youtube_vis.json",)
    assert len(ytvis.read_truth(tmp_path / "youtube_vis.json").tubes) == 255
    assert not list((tmp_path / "masks").glob("*.png"))  # none of the run before
    assert "there are 255" in picture_limit(many)
    assert picture_limit(replace(many, tracks=many.tracks[:254])) is None


def test_boxes_without_a_mask_are_counted(tmp_path):
    result = result_of("clip.mp4")
    assert missing_masks(result) is None
    box, car = result.tracks
    half = replace(car, masks={frame: car.masks[frame] for frame in (2, 4)})
    assert missing_masks(replace(result, tracks=(box, half))).startswith("2 of 7 boxes")
    assert missing_masks(replace(result, tracks=(replace(box, masks={}),))) is None  # nobody makes any of it


def test_a_tube_has_the_mean_score_of_its_thing_and_none_where_nobody_said_one(tmp_path):
    write_masks(tmp_path, result_of("clip.mp4"))
    truth = ytvis.read_truth(tmp_path / "youtube_vis.json")
    assert [tube.score for tube in ytvis.read_results(tmp_path / "youtube_vis.json", truth)] == [0.75, 1.0]


def test_a_box_thinner_than_two_decimals_is_in_the_mot_file_as_a_box(tmp_path):
    thin = TrackBuilder()
    thin.add(2, 0.08, Sighting((10.0, 10.0, 10.001, 20.0), 1.0))
    result = replace(result_of("clip.mp4"), tracks=(thin.build(1, "box", None),))
    (row,) = mot.iterate_rows(write_tracks(tmp_path, REQUEST, result)[1])
    assert row.box_xyxy == pytest.approx((10, 10, 10, 20), abs=0.01)


def test_frames_between_two_looks_are_on_the_line_between_them_only_when_both_saw_the_thing():
    built = TrackBuilder()
    looks = {
        0: Sighting((0, 0, 10, 10), 0.9),
        4: Sighting((8, 0, 18, 10), 0.5),
        6: _UNSEEN,
        8: Sighting((0, 0, 9, 9), 1),
    }
    for frame in range(10):
        built.add(frame, frame * 0.1, looks.get(frame))
    track = built.build(1, "box", None)
    assert track.boxes_xyxy_px[1].tolist() == [2, 0, 12, 10]
    assert track.scores[1:4] == pytest.approx([0.5] * 3)
    assert track.seen.tolist() == [True] * 5 + [False] * 3 + [True] * 2
    assert track.measured.tolist() == [True, False, False, False, True, False, False, False, True, False]
    assert track.stretches() == [(0, 5), (8, 10)]


def test_the_annotated_video_shows_the_stretch_and_the_sheet_a_view_of_every_track(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", moving_squares(10, size=SIZE))
    steps = draw_result(tmp_path, result_of(path))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            drawn = end.value
            break
    with VideoReader(drawn.video) as reader:
        frames = [(frame.time_s, frame.image) for frame in reader]
    assert [t for t, _ in frames] == pytest.approx([0, 0.04, 0.08, 0.12], abs=1e-3)
    with Image.open(drawn.sheet) as sheet:
        assert sheet.width > 3 * 190
        assert sheet.height > 2 * 236  # three views of the first and four of the second: two rows


def test_a_track_without_a_sighting_has_a_grey_field_on_the_sheet(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", moving_squares(10, size=SIZE))
    whole = result_of(path)
    lost = TrackBuilder()
    for frame, time_s in whole.frames:
        lost.add(frame, time_s, _UNSEEN)
    result = FollowResult(whole.info, whole.frames, (lost.build(1, "box", None),), (), {}, 0.24, False)
    for _ in draw_result(tmp_path, result):
        pass
    assert (tmp_path / "sheet.png").is_file()
