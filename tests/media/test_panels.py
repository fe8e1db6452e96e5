"""Contact sheets hold every picture; timelines put spans where their seconds are."""

import numpy as np
import pytest

from onlooker.errors import ConfigError
from onlooker.media.panels import Lane, SheetCell, Span, clock_text, contact_sheet, nice_step_s, timeline

RED, BLUE, GREEN = (220, 0, 0), (0, 0, 220), (0, 160, 0)


def is_colour(pixels, colour, tolerance=8):
    return np.abs(np.asarray(pixels, int) - colour).max(axis=-1) <= tolerance


def plain(height, width, colour):
    return np.full((height, width, 3), colour, np.uint8)


def test_contact_sheet_holds_every_picture_whole():
    cells = [
        SheetCell(plain(300, 600, RED), "1 car", ("1.0 to 2.0 s", "red"), GREEN),
        SheetCell(plain(90, 30, BLUE), "2 person " * 20, (), GREEN),
        SheetCell(None, "3 nothing kept", ("0 s",), GREEN),
    ]
    sheet = contact_sheet("clip: 3 tracklets", cells)
    # Fitted into 170 x 160: the wide picture fills 170 x 85, the small one grows to its double, 60 x 180, cut by
    # the height to 160: 53 x 160.
    assert is_colour(sheet, RED).sum() == pytest.approx(170 * 85, rel=0.03)
    assert is_colour(sheet, BLUE).sum() == pytest.approx(53 * 160, rel=0.03)
    assert is_colour(sheet, GREEN).sum() == pytest.approx(3 * 182 * 7, rel=0.05)


def test_small_pictures_are_not_blown_up_beyond_their_double():
    sheet = contact_sheet("one", [SheetCell(plain(10, 20, RED), "1 car", (), GREEN)])
    assert is_colour(sheet, RED).sum() == 20 * 40


def test_contact_sheet_grows_by_rows_and_refuses_nothing():
    cell = SheetCell(None, "1", (), GREEN)
    one, two = contact_sheet("", [cell] * 6), contact_sheet("", [cell] * 7)
    assert one.shape[1] == two.shape[1]
    assert two.shape[0] - one.shape[0] == 236
    with pytest.raises(ConfigError, match="needs pictures"):
        contact_sheet("", [])


def bar_of(picture, colour, lane):
    """Columns that carry a colour in one lane, just above the middle."""
    return is_colour(picture[64 + 24 * lane + 9], colour, 3)


def test_timeline_puts_spans_where_their_seconds_are():
    spans = (Span(0, 5, RED), Span(5, 7.5, BLUE, kind="gap"), Span(7.5, 99, RED), Span(20, 30, GREEN))
    out = timeline("clip", [Lane("1 car", spans, RED)], 10.0, width_px=800)
    columns = bar_of(out, RED, 0)
    columns[:30] = False  # the dot before the title
    left, right = np.flatnonzero(columns)[[0, -1]]
    second = (right + 1.5 - left) / 10
    assert columns[left : left + int(5 * second) - 3].all()
    assert not columns[left + int(5 * second) + 1 : left + int(7.5 * second) - 1].any()
    assert columns[left + int(7.5 * second) + 2 : right].all()
    assert is_colour(out[64:88, left + int(5 * second) : left + int(7.5 * second)], BLUE).any()  # the hatching
    assert not is_colour(out, GREEN).any()  # wholly outside


def test_height_of_a_span_is_its_share_of_the_lane():
    out = timeline("", [Lane("sound", (Span(0, 5, RED, height=0.25), Span(5, 10, BLUE)))], 10.0)
    assert is_colour(out[64:88, 300], RED).sum() == pytest.approx(16 * 0.25, abs=1)
    assert is_colour(out[64:88, 1200], BLUE).sum() == pytest.approx(16, abs=1)


def test_timeline_with_long_titles_keeps_room_for_its_bars():
    lanes = [Lane(f"{n} " + "long title " * 20, (Span(0, 1, RED, "x" * 500),), RED) for n in range(40)]
    out = timeline("heading " * 100, lanes, 1.0)
    assert out.shape == (64 + 40 * 24 + 14, 1400, 3)
    assert bar_of(out, RED, 39)[400:].mean() > 0.5
    assert timeline("", [], 1.0).shape[1] == 1400


@pytest.mark.parametrize("duration_s", [0.0, float("inf"), float("nan")])
def test_timeline_without_a_length_is_refused(duration_s):
    with pytest.raises(ConfigError, match="needs a duration"):
        timeline("", [], duration_s)


def test_ticks_are_round_and_read_as_clock_times():
    assert [nice_step_s(v) for v in (0.003, 0.07, 1.0, 3.1, 40, 700, 9000)] == [0.01, 0.1, 1, 5, 60, 900, 10800]
    assert clock_text(0.5, 0.5) == "0.5 s"
    assert clock_text(59, 1) == "59 s"
    assert [clock_text(t, 5) for t in (60, 65, 3600, 3661)] == ["1:00", "1:05", "1:00:00", "1:01:01"]
