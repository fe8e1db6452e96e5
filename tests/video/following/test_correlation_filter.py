"""The filter that says where a thing is in a patch."""

import numpy as np
import pytest
from follow_worlds import GROUND, SIZE, THING, picture, speckled
from PIL import Image as Pil

from onlooker.errors import ConfigError
from onlooker.video.following.correlation import CorrelationFilter, FilterConfig
from onlooker.video.following.features import (
    CELL,
    cell_features,
    colour_numbers,
    cut_patch,
    likeness,
    shared_colours,
    view_of,
)

BOX = (60.0, 50.0, 96.0, 78.0)
CENTRE = np.array([78.0, 64.0])


def filter_of(image=None, box=BOX):
    return CorrelationFilter(picture({(60, 50): THING}) if image is None else image, box, FilterConfig())


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (7, 0), (-5, 9), (12, -8)])
def test_a_shifted_thing_is_found_within_two_pixels(dx, dy):
    answer = filter_of().find(picture({(60 + dx, 50 + dy): THING}), CENTRE, 1.0)
    assert answer.centre == pytest.approx(CENTRE + np.array([dx, dy]), abs=2.0)
    assert answer.peak > 0.5


def test_a_thing_that_is_not_there_gives_a_low_peak():
    known = filter_of()
    assert known.find(GROUND, CENTRE, 1.0).peak < 0.2
    other = speckled(9, 36, 28)
    assert known.find(picture({(60, 50): other}), CENTRE, 1.0).peak < 0.3


def test_a_growing_thing_makes_the_box_grow_step_by_step():
    known, centre, scale = filter_of(), CENTRE, 1.0
    for k in range(1, 9):
        width, height = round(36 * 1.03**k), round(28 * 1.03**k)
        grown = np.asarray(Pil.fromarray(THING).resize((width, height), Pil.Resampling.BICUBIC))
        image = picture({(78 - width // 2, 64 - height // 2): grown})
        answer = known.find(image, centre, scale)
        centre, scale = answer.centre, answer.scale
        known.learn(image, centre, scale)
    assert scale == pytest.approx(1.03**8, rel=0.1)


def test_learning_moves_what_is_known_towards_the_new_view():
    known, changed = filter_of(), picture({(60, 50): np.rot90(THING, 2)})
    before = known.find(changed, CENTRE, 1.0).peak
    for _ in range(40):
        known.learn(changed, CENTRE, 1.0)
    assert known.find(changed, CENTRE, 1.0).peak > before + 0.2


@pytest.mark.parametrize(
    "box", [(10, 10, 11, 11), (0, 0, 200, 140), (-20, -20, 15, 15), (0, 70, 200, 70.5), (199, 139, 200, 140)]
)
@pytest.mark.parametrize("shade", [None, 0])
def test_boxes_of_any_shape_and_black_pictures_give_finite_answers(box, shade):
    image = GROUND if shade is None else np.full((SIZE[1], SIZE[0], 3), shade, np.uint8)
    known = filter_of(image, box)
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    known.learn(image, centre, 1.0)
    answer = known.find(image, centre, 1.0)
    assert np.isfinite([*answer.centre, answer.scale, answer.peak, answer.worth]).all()


def test_pictures_are_not_changed():
    image = picture({(60, 50): THING})
    copy = image.copy()
    known = filter_of(image)
    known.find(image, CENTRE, 1.0)
    known.learn(image, CENTRE, 1.0)
    assert (image == copy).all()


def test_settings_out_of_range_are_refused():
    for wrong in ({"rate": 1.5}, {"patch_px": 8}, {"context": 0.0}):
        with pytest.raises(ConfigError):
            FilterConfig(**wrong)


def test_an_edge_fills_the_bin_of_its_direction_and_colours_are_means():
    patch = np.zeros((16, 16, 3), np.uint8)
    patch[:, 10:] = 255  # brightness rises to the right: direction 0, at columns 9 and 10, in the third cell
    features = cell_features(patch)
    assert features.shape == (30, 4, 4)
    assert features[0, 1, 2] == pytest.approx(0.3)  # cut at the largest
    assert features[9, 1, 2] == 0.0  # the opposite direction
    assert features[18, 1, 2] == pytest.approx(0.3)  # without sign
    assert (features[:27, :, 0] == 0).all()
    assert features[27:, 0, 0] == pytest.approx([-0.5] * 3)
    assert features[27:, 0, 3] == pytest.approx([0.5] * 3)
    assert features[27:, 0, 2] == pytest.approx([0.0] * 3)  # two of four columns are white


def test_a_patch_repeats_the_border_outside_the_picture():
    image = np.zeros((10, 10, 3), np.uint8)
    image[:, 9] = 200
    patch = cut_patch(image, np.array([12.0, 5.0]), np.array([8.0, 8.0]), (8, 8))
    assert (patch[:, 1:] == 200).all()
    assert (patch[:, 0] == 0).all()


def test_colours_are_numbered_by_their_upper_four_bits():
    patch = np.array([[[255, 0, 16], [15, 15, 15]]], np.uint8)
    assert colour_numbers(patch).tolist() == [[15 * 256 + 1, 0]]
    assert CELL == 4


def view(colour):
    return view_of(np.full((40, 40, 3), colour, np.uint8), np.array([20.0, 20.0]), np.array([16.0, 16.0]))


def test_colours_in_common_by_hand():
    red = view((255, 0, 0))
    assert shared_colours(red, red) == pytest.approx(1.0)
    assert shared_colours(red, view((0, 0, 255))) == 0.0
    # 18 is 0.494 of the way from the darkest level to the next.
    assert shared_colours(view((0, 0, 0)), view((0, 18, 0))) == pytest.approx(np.sqrt(1 - 18 * 7 / 255), abs=1e-4)


def test_views_say_where_colours_are_by_shape_and_which_by_shares():
    image = picture({(60, 50): THING})
    centre, size = CENTRE, np.array([36.0, 28.0])
    first, turned = view_of(image, centre, size), view_of(np.ascontiguousarray(image[::-1]), centre, size)
    assert likeness(first, first) == pytest.approx(1.0, abs=1e-5)
    upside_down = view_of(np.ascontiguousarray(image[:, ::-1][::-1]), np.array(SIZE) - centre, size)
    assert shared_colours(first, upside_down) == pytest.approx(1.0, abs=0.03)
    assert likeness(first, upside_down) < 0.5
    assert likeness(first, turned) < 0.5
    # A box of one colour has no shape: nothing speaks against anything, and nothing for it.
    assert likeness(view((9, 9, 9)), first) == 1.0
    assert likeness(first, view((9, 9, 9))) == 0.0
