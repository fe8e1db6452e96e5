"""Annotated video, contact sheet, timeline and what `show` writes where."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from onlooker.errors import ConfigError, MediaError, NothingFoundError, UnknownNameError
from onlooker.formats.run_lengths import encode_mask
from onlooker.media.decode import VideoReader
from onlooker.media.draw import colour_of
from onlooker.media.images import read_picture
from onlooker.media.probe import probe
from onlooker.video.report.annotated import FramePainter, _trail, annotate_video
from onlooker.video.report.data import load_video
from onlooker.video.report.masks import best_view_masks, masks_on
from onlooker.video.report.sheet import write_sheet
from onlooker.video.report.show import ShowRequest, file_stem, kind_named, show
from onlooker.video.report.timeline import write_timeline
from onlooker.video.store import add_video, set_status
from onlooker.video.store.masks import StoredMask, add_masks
from onlooker.video.store.schema import BOXES, TRACKLETS


def _run(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _near(pixels: np.ndarray, colour: tuple[int, int, int], slack: int = 60) -> np.ndarray:
    return (np.abs(pixels.astype(int) - np.array(colour)) < slack).all(axis=-1)


def test_annotated_video_draws_boxes_where_and_when_they_are(scene, tmp_path):
    output = tmp_path / "annotated.mp4"
    _run(annotate_video(scene.store, scene.video_id, output))
    with VideoReader(output) as reader:
        shown = [(frame.time_s, frame.image) for frame in reader]
    assert [t for t, _ in shown] == pytest.approx([k * 0.1 for k in range(30)], abs=1e-3)
    # The left edge of the car's box: drawn at 0.5 s, absent in the gap at 1.2 s.
    edge = [_near(image[84:106, 99:102], colour_of(2)).any() for _, image in shown]
    assert edge[5]
    assert not any(edge[11:14])
    assert edge[20]


def test_annotating_a_moved_file_says_how_to_point_to_it(scene, tmp_path):
    moved = tmp_path / "elsewhere.mp4"
    shutil.move(scene.clip, moved)
    with pytest.raises(MediaError, match=r"no longer at .*--source"):
        _run(annotate_video(scene.store, scene.video_id, tmp_path / "a.mp4"))
    assert _run(annotate_video(scene.store, scene.video_id, tmp_path / "a.mp4", source=moved)).is_file()


def test_annotating_a_changed_file_is_refused(scene, tmp_path):
    with scene.clip.open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(MediaError, match="content differs"):
        _run(annotate_video(scene.store, scene.video_id, tmp_path / "a.mp4"))
    assert not (tmp_path / "a.mp4").exists()


def test_sheet_has_a_cell_in_the_colour_of_each_tracklet(scene, tmp_path):
    with scene.store.read() as connection:
        data = load_video(connection, scene.video_id)
    picture = read_picture(write_sheet(data, tmp_path / "sheet.png"))
    for number in (1, 2):
        assert _near(picture, colour_of(number), 3).sum() > 500
    with pytest.raises(NothingFoundError):
        write_sheet(dataclasses.replace(data, tracklets=()), tmp_path / "none.png")


def test_timeline_leaves_the_gap_of_a_tracklet_open(scene, tmp_path):
    with scene.store.read() as connection:
        data = load_video(connection, scene.video_id)
    picture = read_picture(write_timeline(data, tmp_path / "timeline.png"))
    # The car is the last lane; the person of the lane above is there all the time, absent is the car from 1.0 to 1.5 s.
    person, car = (_near(picture[-height:-1], colour_of(n), 3)[:, 40:].any(axis=0) for n, height in ((1, 60), (2, 36)))
    start, end = np.flatnonzero(person)[[0, -1]]
    at = [bool(car[start + int(t / 3.0 * (end - start))]) for t in (0.5, 1.25, 2.0)]
    assert at == [True, False, True]


def _painted(scene, frame_index, **changes):
    with scene.store.read() as connection:
        data = dataclasses.replace(load_video(connection, scene.video_id), **changes)
        masks = masks_on(connection, scene.video_id, frame_index)
    with VideoReader(scene.clip) as reader:
        frame = next(frame for frame in reader if frame.index == frame_index)
    return data, frame, FramePainter(data).paint(frame, masks)


def test_carried_boxes_are_dashed_and_detected_ones_are_not(scene):
    with scene.store.write() as connection:
        connection.execute(update(BOXES).where(BOXES.c.frame == 20).values(detected=0))
    left_edge = slice(84, 109), slice(100, 102)
    for index, least, most in ((19, 0.95, 1.0), (20, 0.2, 0.8)):
        _, _, painted = _painted(scene, index)
        assert least <= _near(painted[left_edge], colour_of(2), 20).mean() <= most


def test_the_trail_leads_along_where_the_tracklet_was_and_not_across_a_gap(scene):
    # The person's centre moves from (20, 40) by 3 px a frame: at frame 15 (1.5 s) it has come to (65, 40).
    with scene.store.read() as connection:
        person, car = load_video(connection, scene.video_id).tracklets
    trail = np.array(_trail(person, 1.5, 0.05))
    assert trail[-1] == pytest.approx((65, 40))
    assert trail[0][0] == pytest.approx(20, abs=3)
    assert (np.diff(trail[:, 0]) > 0).all()
    assert len(_trail(car, 1.5, 0.05)) == 1
    assert _trail(car, 1.2, 0.05) == ()


def test_stored_masks_tint_their_pixels_on_their_frame_only(scene):
    mask = np.zeros((120, 160), bool)
    mask[85:105, 110:140] = True
    with scene.store.write() as connection:
        car = connection.execute(select(TRACKLETS.c.id).where(TRACKLETS.c.number == 2)).scalar_one()
        add_masks(connection, [StoredMask(car, 20, 2.0, encode_mask(mask))])
    _, frame, painted = _painted(scene, 20)
    expected = 0.55 * frame.image[98, 130].astype(float) + 0.45 * np.array(colour_of(2))
    assert np.abs(painted[98, 130] - expected).max() < 3
    _, frame, painted = _painted(scene, 21)
    assert np.array_equal(painted[98, 130], frame.image[98, 130])


def test_an_annotated_video_and_a_frame_wear_masks_unless_told_not_to(scene, tmp_path):
    mask = np.zeros((120, 160), bool)
    mask[40:70, 120:150] = True  # outside the box of the car: nothing else is drawn there
    with scene.store.write() as connection:
        car = connection.execute(select(TRACKLETS.c.id).where(TRACKLETS.c.number == 2)).scalar_one()
        add_masks(connection, [StoredMask(car, 20, 2.0, encode_mask(mask))])
    for masks in (True, False):
        _run(show(scene.store, ShowRequest("video", output=tmp_path / "a.mp4", masks=masks)))
        with VideoReader(tmp_path / "a.mp4") as reader:
            shades = [frame.image[50:60, 130:140].mean(axis=(0, 1)) for frame in reader]
        tinted = np.flatnonzero(np.abs(np.array(shades) - shades[0]).max(axis=1) > 30).tolist()
        assert tinted == ([20] if masks else [])
        _run(show(scene.store, ShowRequest("crop", output=tmp_path / "f.png", at_s=2.0, masks=masks)))
        edge = _near(read_picture(tmp_path / "f.png")[40, 122:148], colour_of(2), 3)
        assert (edge.all(), edge.any()) == (masks, masks)


def test_a_sheet_wears_the_mask_of_its_best_view_unless_told_not_to(scene, tmp_path):
    with scene.store.write() as connection:
        best = connection.exec_driver_sql(
            "SELECT tracklet_id, frame, t, x1, y1, x2, y2, width, height FROM base_pictures WHERE kind = 'crop' "
            "ORDER BY quality DESC, id LIMIT 1"
        ).one()
        mask = np.zeros((120, 160), bool)
        x1, y1, x2, y2 = (round(edge) for edge in best[3:7])
        mask[y1:y2, x1 : (x1 + x2) // 2] = True  # its left half
        add_masks(connection, [StoredMask(best[0], best[1], best[2], encode_mask(mask))])
    with scene.store.read() as connection:
        ((number, under),) = best_view_masks(connection, scene.video_id).items()
    assert under.shape == (best[8], best[7])
    assert 0.2 < under.mean() < 0.6
    assert under[:, : under.shape[1] // 2].mean() > under[:, under.shape[1] // 2 :].mean()
    found = []
    for masks in (True, False):
        _run(show(scene.store, ShowRequest("sheet", output=tmp_path / "sheet.png", masks=masks)))
        found.append(read_picture(tmp_path / "sheet.png").astype(int))
    changed = np.abs(found[0] - found[1]).max(axis=2) > 20
    before, after = (np.abs(sheet[changed] - colour_of(number)).mean() for sheet in found[::-1])
    assert changed.sum() > 300
    assert after < 0.7 * before  # towards the colour of the tracklet


def test_show_names_files_after_videos_and_keeps_several_apart(scene, tmp_path):
    (made,) = _run(show(scene.store, ShowRequest("timeline", output=tmp_path)))
    assert Path(made.path) == tmp_path / "street.timeline.png"
    assert Path(made.path).is_file()
    assert file_stem("clip.mp4 (2)") == "clip (2)"
    assert file_stem("../evil/na:me.mp4") == "_evil_na_me"


def test_show_never_writes_over_the_video_itself(scene):
    with pytest.raises(ConfigError, match="the video itself"):
        _run(show(scene.store, ShowRequest("video", output=scene.clip)))
    assert scene.clip.stat().st_size > 500


def test_crop_at_a_moment_is_cut_from_that_frame(scene, tmp_path):
    request = ShowRequest("crop", output=tmp_path / "crop.png", track=1, at_s=2.0)
    _run(show(scene.store, request))
    crop = read_picture(tmp_path / "crop.png")
    assert crop.shape == (40, 20, 3)
    assert _near(crop, (200, 30, 30), 40).mean() > 0.9


def test_a_frame_late_in_the_video_is_sought_and_wears_its_own_mask(scene, tmp_path, monkeypatch):
    with scene.store.write() as connection:
        car = connection.execute(select(TRACKLETS.c.id).where(TRACKLETS.c.number == 2)).scalar_one()
        for index, rows in ((0, slice(50, 60)), (25, slice(90, 100))):  # a seek does not tell which frame it came to
            mask = np.zeros((120, 160), bool)
            mask[rows, 112:130] = True
            add_masks(connection, [StoredMask(car, index, index / 10, encode_mask(mask))])
    monkeypatch.setattr(VideoReader, "__iter__", lambda reader: pytest.fail("decoded from the start"))
    request = ShowRequest("crop", output=tmp_path / "frame.png", at_s=2.5)
    _run(show(scene.store, request))
    monkeypatch.undo()
    frame = next(f for f in VideoReader(scene.clip) if abs(f.time_s - 2.5) < 1e-3)
    shown = read_picture(tmp_path / "frame.png")
    tinted = 0.55 * frame.image[95, 120].astype(float) + 0.45 * np.array(colour_of(2))
    assert np.abs(shown[95, 120] - tinted).max() < 4
    assert np.abs(shown[55, 120].astype(int) - frame.image[55, 120]).max() < 4


def test_crop_without_a_moment_is_the_kept_best_view(scene, tmp_path):
    scene.clip.unlink()
    _run(show(scene.store, ShowRequest("crop", output=tmp_path / "best.jpg", track=1)))
    assert read_picture(tmp_path / "best.jpg").shape == (40, 20, 3)


def test_crop_of_a_tracklet_that_is_out_of_sight_says_when_it_is_seen(scene, tmp_path):
    with pytest.raises(NothingFoundError, match=r"0\.00 to 0\.90 s, 1\.50 to 2\.90 s"):
        _run(show(scene.store, ShowRequest("crop", output=tmp_path / "c.png", track=2, at_s=1.2)))


def test_requests_that_make_no_sense_are_refused(scene, tmp_path):
    with pytest.raises(ConfigError, match="--kind crop"):
        ShowRequest("sheet", at_s=1.0)
    with pytest.raises(UnknownNameError, match="timeline"):
        kind_named("timelin")
    with pytest.raises(UnknownNameError, match="tracklet"):
        _run(show(scene.store, ShowRequest("crop", output=tmp_path, track=9)))
    with pytest.raises(ConfigError, match="does not exist"):
        _run(show(scene.store, ShowRequest("sheet", output=tmp_path / "no" / "where.png")))


def test_a_page_of_very_many_videos_must_be_asked_for_by_name(scene, tmp_path):
    info = dataclasses.replace(probe(scene.clip), path="x.mp4")
    with scene.store.write() as connection:
        for number in range(40):
            set_status(connection, add_video(connection, info, f"{number}", f"{number}.mp4", "video"), "ready")
    with pytest.raises(ConfigError, match="41 videos; name those"):
        _run(show(scene.store, ShowRequest("report", output=tmp_path)))
    (made,) = _run(show(scene.store, ShowRequest("report", ("street.mp4", "7.mp4"), tmp_path)))
    assert Path(made.path) == tmp_path / "report.html"
