"""What is drawn is there, in its colour and inside the picture."""

import numpy as np
import pytest

from onlooker.errors import ConfigError, ShapeError
from onlooker.media.draw import DrawnTrack, colour_of, draw_tracks, text_colour_on
from onlooker.media.panels import Lane, Span, clock_text, contact_sheet, nice_step_s, timeline

GREY = np.full((240, 320, 3), 90, np.uint8)


def is_colour(pixel, colour, tolerance=12):
    return bool((np.abs(np.asarray(pixel, int) - colour) <= tolerance).all())


def test_box_is_drawn_on_its_border_and_the_input_is_untouched():
    before = GREY.copy()
    out = draw_tracks(GREY, [DrawnTrack(3, (50, 60, 150, 200), "car")])
    assert np.array_equal(GREY, before)
    for y, x in ((60, 100), (199, 100), (130, 50), (130, 149)):
        assert is_colour(out[y, x], colour_of(3))
    assert out[130, 100].tolist() == [90, 90, 90]
    assert out[220, 20].tolist() == [90, 90, 90]


def test_carried_box_is_dashed():
    out = draw_tracks(GREY, [DrawnTrack(3, (50, 60, 250, 200), carried=True)])
    edge = [is_colour(out[199, x], colour_of(3)) for x in range(60, 240)]
    assert 0.3 < np.mean(edge) < 0.7


def test_mask_tints_and_trail_leads_to_the_box():
    mask = np.zeros((240, 320), bool)
    mask[100:140, 100:140] = True
    out = draw_tracks(GREY, [DrawnTrack(5, (90, 90, 150, 150), mask=mask, trail_px=((10.0, 200.0), (80.0, 200.0)))])
    expected = 0.55 * 90 + 0.45 * np.array(colour_of(5))
    assert is_colour(out[120, 120], expected, 2)
    assert out[200, 45].tolist() != [90, 90, 90]
    with pytest.raises(ShapeError, match=r"mask of 5 is \(2, 2\)"):
        draw_tracks(GREY, [DrawnTrack(5, (0, 0, 9, 9), mask=np.ones((2, 2), bool))])


@pytest.mark.parametrize("size", [(16, 16), (48, 64), (240, 320), (1080, 1920)])
def test_labels_stay_inside_and_apart_at_any_resolution(size):
    h, w = size
    ground = np.zeros((h, w, 3), np.uint8)
    items = [DrawnTrack(1, (0, 0, w / 4, h / 4), "a"), DrawnTrack(2, (w * 0.9, h * 0.9, w + 50, h + 50), "b")]
    items += [DrawnTrack(3, (5, 5, 5, 5), ""), DrawnTrack(4, (-40, -40, -20, -20), "outside")]
    out = draw_tracks(ground, items)
    assert out.shape == ground.shape
    assert out.dtype == np.uint8
    # Labels are filled: far more pixels carry the colour than the box line has.
    assert sum(is_colour(p, colour_of(1), 30) for p in out.reshape(-1, 3)[:: max(1, h * w // 20000)]) > 3


def test_two_objects_at_one_place_have_two_labels():
    items = [DrawnTrack(n, (100, 100, 200, 200), "person") for n in (1, 2, 3)]
    out = draw_tracks(GREY, items).reshape(-1, 3).astype(int)
    for n in (1, 2, 3):
        assert (np.abs(out - colour_of(n)).max(axis=1) < 25).sum() > 250


def test_colours_are_stable_and_neighbours_differ():
    assert colour_of(7) == colour_of(7)
    for n in range(1, 40):
        for m in (n + 1, n + 2):
            assert np.abs(np.subtract(colour_of(n), colour_of(m))).max() > 40
    assert text_colour_on((255, 255, 0)) != text_colour_on((20, 20, 120))


def test_contact_sheet_holds_every_picture_whole():
    red, blue = np.zeros((20, 80, 3), np.uint8), np.zeros((90, 30, 3), np.uint8)
    red[..., 0], blue[..., 2] = 220, 220
    sheet = contact_sheet([(red, "1 car"), (blue, "2 person " * 20), (red, "ü\n1.0 to 2.0 s")], columns=2, cell_px=120)
    flat = sheet.reshape(-1, 3).astype(int)
    # Fitted into 120x120: 120x30 each for red (twice), 40x120 for blue.
    assert (np.abs(flat - (220, 0, 0)).max(axis=1) < 8).sum() == pytest.approx(2 * 120 * 30, rel=0.05)
    assert (np.abs(flat - (0, 0, 220)).max(axis=1) < 8).sum() == pytest.approx(40 * 120, rel=0.05)
    assert contact_sheet([(red, "")], columns=9, cell_px=100).shape[1] < 130
    with pytest.raises(ConfigError, match="needs pictures"):
        contact_sheet([])


def test_timeline_puts_spans_where_their_seconds_are():
    lanes = [
        Lane("1 car", (Span(0, 5), Span(5, 7.5, kind="gap"), Span(7.5, 99)), (200, 30, 30)),
        Lane("sound", levels_db=(-100.0, 0.0), level_step_s=5.0, colour=(30, 30, 200)),
    ]
    out = timeline(lanes, 10.0, width_px=800).astype(int)
    bar = np.abs(out - (200, 30, 30)).max(axis=2) < 40
    row = bar[30 + 13 - 6]  # above the dotted line of the gap
    left, right = np.flatnonzero(row)[[0, -1]]
    middle = (left + right) / 2
    assert row[left + 2 : int(middle) - 3].all()
    assert not row[int(middle) + 3 : int(middle + (right - left) / 4) - 3].any()
    assert row[int(middle + (right - left) / 4) + 4 : right - 3].all()
    assert bar[30 + 13, int(middle) : int(middle + (right - left) / 4)].any()  # the dots
    loud = (np.abs(out - (30, 30, 200)).max(axis=2) < 60).sum(axis=0)
    assert loud[int(middle) + 10] > 15
    assert loud[int(left) + 10] <= 2


def test_timeline_with_many_lanes_and_long_titles_stays_bounded():
    lanes = [Lane(f"{n} " + "long title " * 20, (Span(0, 1, "x"),)) for n in range(300)]
    assert timeline(lanes, 1.0, max_lanes=50).shape[0] < 1500
    assert timeline([], 1.0).shape[1] == 1200
    with pytest.raises(ConfigError, match="needs a duration"):
        timeline(lanes, 0.0)


def test_ticks_are_round_and_read_as_clock_times():
    assert [nice_step_s(v) for v in (0.003, 0.07, 1.0, 3.1, 40, 700, 9000)] == [0.01, 0.1, 1, 5, 60, 900, 10800]
    assert clock_text(0.5, 0.5) == "0.5 s"
    assert clock_text(59, 1) == "59 s"
    assert [clock_text(t, 5) for t in (60, 65, 3600, 3661)] == ["1:00", "1:05", "1:00:00", "1:01:01"]
