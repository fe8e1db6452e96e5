"""No text of a video is drawn as empty boxes."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from onlooker.media.lettering import Lettering, lettering


def drawn(letters, text):
    canvas = Image.new("L", (300, 40))
    letters.write(ImageDraw.Draw(canvas), (5, 5), text, 255)
    return np.asarray(canvas)


def installed(name):
    try:
        ImageFont.truetype(name, 12)
    except OSError:
        return False
    return True


needs_dejavu = pytest.mark.skipif(not installed("DejaVuSans.ttf"), reason="no DejaVu Sans among the system's fonts")


def test_without_system_fonts_accents_fall_off_and_other_scripts_become_question_marks():
    letters = Lettering(16, fallbacks=())
    assert letters.readable("3 Zoë Straße, Ａ") == "3 Zoe Strasse, A"
    assert letters.readable("3 車両") == "3 ??"
    assert letters.readable("سيارة 🚗") == "????? ?"
    assert letters.readable("Zoe\u0308") == "Zoe"  # the same name written with a mark of its own


def test_what_is_written_is_what_readable_says():
    letters = Lettering(16, fallbacks=("no-such-font.ttf",))
    assert np.array_equal(drawn(letters, "3 車"), drawn(letters, "3 ?"))
    assert letters.width("3 車") == letters.width("3 ?")
    assert letters.readable("3 車\u200d\ufe0f\x07") == "3 ?"


def test_text_is_one_line_of_plain_spaces():
    assert lettering(14).readable(" a\n b\t\u00a0c ") == "a b c"


@needs_dejavu
def test_scripts_a_system_font_has_are_written_in_it():
    letters = Lettering(16, fallbacks=("no-such-font.ttf", "DejaVuSans.ttf"))
    for text in ("Zoë", "машина", "αβγ", "שלום", "2 سيارة"):
        assert letters.readable(text) == text
        assert not np.array_equal(drawn(letters, text), drawn(letters, "?" * len(text)))
    assert letters.readable("машина 車") == "машина ?"
    # Plain text keeps its look whatever was written before.
    assert np.array_equal(drawn(letters, "car"), drawn(Lettering(16, ()), "car"))


def test_fitted_text_is_cut_with_dots_and_never_wider_than_asked():
    letters = lettering(14)
    text = "a rather long title of a tracklet"
    whole = letters.width(text)
    assert letters.fitted(text, whole) == text
    for width in np.linspace(5, whole - 1, 23):
        cut = letters.fitted(text, float(width))
        assert letters.width(cut) <= width
        assert not cut or text.startswith(cut.removesuffix("..."))
    assert letters.fitted(text, 3) == ""
    assert letters.fitted(text, whole - 1).endswith("...")


def test_sizes_below_reading_are_raised():
    assert Lettering(1).size_px == 6
