"""What is drawn is there, in its colour and inside the picture."""

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.media.draw import DrawnTrack, Note, colour_of, draw_masks, draw_tracks, text_colour_on

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


def test_masks_alone_fill_and_outline_and_the_later_one_lies_above():
    first, second = np.zeros((2, 240, 320), bool)
    first[10:40, 10:40] = second[30:60, 30:60] = True
    before = GREY.copy()
    out = draw_masks(GREY, {1: first, 2: second, 3: np.zeros((240, 320), bool)})
    assert np.array_equal(GREY, before)
    assert is_colour(out[20, 20], 0.55 * 90 + 0.45 * np.array(colour_of(1)), 2)
    assert is_colour(out[10, 20], colour_of(1), 0)
    assert is_colour(out[30, 35], colour_of(2), 0)
    assert out[5, 5].tolist() == [90, 90, 90]
    one_pixel = np.zeros((240, 320), bool)
    one_pixel[0, 0] = True
    assert is_colour(draw_masks(GREY, {7: one_pixel})[0, 0], colour_of(7), 0)
    with pytest.raises(ShapeError, match=r"mask of 5 is \(2, 2\)"):
        draw_masks(GREY, {5: np.ones((2, 2), bool)})


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
    assert len({colour_of(n) for n in range(1, 37)}) == 36
    for n in range(1, 40):
        for m in (n + 1, n + 2, n + 12):
            assert np.abs(np.subtract(colour_of(n), colour_of(m))).max() > 40
    assert text_colour_on((255, 255, 0)) != text_colour_on((20, 20, 120))


def label_width(out, number):
    """Columns that carry the filled label of an object whose box starts 40 px below the top."""
    return int((np.abs(out[10:36].astype(int) - colour_of(number)).max(axis=2) < 30).any(axis=0).sum())


def test_a_label_tells_less_over_a_narrow_box():
    widths = [
        label_width(draw_tracks(GREY, [DrawnTrack(1, (60, 40, 60 + w, 200), "bicycle", "dark red")]), 1)
        for w in (12, 60, 200)
    ]
    assert widths[0] < 20 < widths[1] - 20 < widths[2] - 40


def test_notes_lie_in_their_places_and_labels_keep_clear_of_them():
    notes = [Note("2.00 s", "top right"), Note("so long " * 80, "bottom")]
    out = draw_tracks(GREY, [], notes)
    changed = (out != 90).any(axis=2)
    assert changed[2:20, 280:].any()
    assert changed[215:, 30:290].any()
    assert not changed[30:200].any()
    assert (out[:, :8] == 90).all()  # however long, the note stays inside the picture
    clear = draw_tracks(GREY, [DrawnTrack(3, (250, 14, 318, 120), "car")], notes)
    assert np.array_equal(clear[6:12, 290:310], out[6:12, 290:310])


def test_names_in_any_script_leave_no_error_and_no_empty_label():
    for name in ("Zoë", "車", "سيارة", "\u200d", "a\nb"):
        out = draw_tracks(GREY, [DrawnTrack(1, (60, 60, 260, 200), name)])
        assert out.shape == GREY.shape
        assert label_width(np.roll(out, -20, axis=0), 1) > 8
