"""The bundled finder of faces on real pictures with and without them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pil

from onlooker.errors import ConfigError, ShapeError
from onlooker.models.boxes import pairwise_iou
from onlooker.models.bundled.faces import MtcnnFaces
from onlooker.types import Image
from onlooker.weights.verify import package_folder

pytestmark = pytest.mark.models
data = pytest.importorskip("skimage.data")
# Eyes, nose, corners of the mouth, set by hand, in pixels of the file.
ASTRONAUT = ((205, 102), (247, 104), (225, 129), (202, 139), (245, 142))
HOPPER = ((222, 192), (310, 186), (269, 239), (233, 280), (307, 276))


@pytest.fixture(scope="module")
def finder() -> MtcnnFaces:
    return MtcnnFaces()


def hopper() -> Image:
    folder = package_folder("matplotlib")
    assert folder is not None
    with Pil.open(folder / "mpl-data" / "sample_data" / "grace_hopper.jpg") as opened:
        return np.array(opened.convert("RGB"))


def test_one_face_with_its_points(finder: MtcnnFaces) -> None:
    for image, points in ((data.astronaut(), ASTRONAUT), (hopper(), HOPPER)):
        faces = finder.find_faces(image)
        assert len(faces) == 1
        x1, y1, x2, y2 = faces[0].box_xyxy_px
        width = x2 - x1
        np.testing.assert_allclose(faces[0].points_px, points, atol=0.06 * width)
        assert all(x1 < x < x2 and y1 < y < y2 for x, y in points)


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "retina", "brick", "grass", "gravel"])
def test_pictures_without_faces_have_none(finder: MtcnnFaces, name: str) -> None:
    image = getattr(data, name)()
    assert finder.find_faces(image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)) == ()


def test_a_larger_picture_gives_the_same_face_larger(finder: MtcnnFaces) -> None:
    image = data.astronaut()
    large = np.asarray(Pil.fromarray(image).resize((1536, 1536), Pil.Resampling.BICUBIC))
    one, other = (finder.find([picture])[0].boxes_xyxy_px for picture in (image, large))
    assert pairwise_iou(one, other / 3)[0, 0] > 0.8


def test_several_faces_are_found_once_each(finder: MtcnnFaces) -> None:
    face = data.astronaut()[:256, 96:352]
    row = np.concatenate([face, face[:, ::-1], face], axis=1)
    found = finder.find([row])[0]
    assert found.labels == ("face",) * 3
    assert list(found.scores) == sorted(found.scores, reverse=True)
    middles = sorted((found.boxes_xyxy_px[:, 0] + found.boxes_xyxy_px[:, 2]) / 2)
    np.testing.assert_allclose(middles, [127, 384, 639], atol=16)


@pytest.mark.parametrize("shape", [(1, 1, 3), (11, 300, 3), (24, 24, 3)])
def test_tiny_pictures_have_no_faces(finder: MtcnnFaces, shape: tuple[int, int, int]) -> None:
    assert finder.find_faces(np.zeros(shape, np.uint8)) == ()
    assert len(finder.find([np.zeros(shape, np.uint8)])[0]) == 0


def test_an_argument_is_not_changed_and_results_repeat(finder: MtcnnFaces) -> None:
    image = data.astronaut()
    kept = image.copy()
    assert finder.find_faces(image) == finder.find_faces(image)
    np.testing.assert_array_equal(image, kept)


def test_what_is_no_picture_and_odd_settings_are_refused(finder: MtcnnFaces) -> None:
    with pytest.raises(ShapeError):
        finder.find_faces(np.zeros((10, 10), np.uint8))
    with pytest.raises(ConfigError, match="smallest_px"):
        MtcnnFaces(smallest_px=3)
    assert MtcnnFaces(score_floor=0.5).version != finder.version
