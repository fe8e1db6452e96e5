"""Objects are followed, shown anew when they left their box, dropped when they are gone, and never too many at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from mask_worlds import COLOURS, ColourSegmenter, ColourSession, SleepingSession, picture

import onlooker
from onlooker.errors import ConfigError
from onlooker.methods.trackers.isvos.infer import IsvosSegmenter
from onlooker.types import BoxXYXY
from onlooker.video.masks.config import MaskConfig
from onlooker.video.masks.follow import MaskFollower, SeenBox, box_overlap
from onlooker.video.protocols import Segmenter


def block(box: BoxXYXY, shape: tuple[int, int] = (96, 160)) -> np.ndarray:
    mask = np.zeros(shape, np.bool_)
    mask[max(0, int(box[1])) : int(box[3]), max(0, int(box[0])) : int(box[2])] = True
    return mask


def run(
    follower: MaskFollower, frames: list[dict[int, BoxXYXY]], seen: list[list[SeenBox]] | None = None
) -> list[dict[int, np.ndarray]]:
    """Frames at 10 a second with the objects where they are; `seen` is what the tracker says, by default the truth."""
    told = seen or [[SeenBox(n, box) for n, box in boxes.items()] for boxes in frames]
    steps = enumerate(zip(frames, told, strict=True))
    return [follower.update(picture(boxes), k / 10, here) for k, (boxes, here) in steps]


def test_objects_are_shown_once_and_their_masks_are_their_pixels() -> None:
    segmenter = ColourSegmenter()
    frames = [{1: (10.0 + k, 10.0, 40.0 + k, 50.0), 2: (80.0, 20.0, 100.0, 40.0)} for k in range(4)]
    found = run(MaskFollower(segmenter, MaskConfig()), frames)
    for masks, boxes in zip(found, frames, strict=True):
        assert set(masks) == {1, 2}
        assert all(np.array_equal(masks[n], block(boxes[n])) for n in boxes)
    assert segmenter.log == [("start", 1, 2), ("step", 1, 2), ("step", 1, 2), ("step", 1, 2)]


def test_a_mask_that_left_its_box_is_shown_anew_from_detected_boxes_only() -> None:
    frames = [{1: (10.0 + 12 * k, 10.0, 40.0 + 12 * k, 50.0)} for k in range(5)]
    seen = [[SeenBox(1, boxes[1], detected=k != 2)] for k, boxes in enumerate(frames)]
    segmenter = ColourSegmenter(session=SleepingSession)
    found = run(MaskFollower(segmenter, MaskConfig()), frames, seen)
    # 12 px on of 30 is an overlap of 18/42 = 0.43 < 0.5: shown anew, but not where the box was only carried.
    again = [("step", 1), ("remove", 1), ("add", 1)]
    assert segmenter.log == [("start", 1), *again, ("step", 1), *again, *again]
    expected = [frames[0], frames[1], frames[1], frames[3], frames[4]]
    for masks, boxes in zip(found, expected, strict=True):
        assert np.array_equal(masks[1], block(boxes[1]))
    never = ColourSegmenter(session=SleepingSession)
    run(MaskFollower(never, MaskConfig(least_overlap=0.0)), frames)
    assert {call[0] for call in never.log} == {"start", "step"}


def test_more_objects_than_may_be_followed_still_have_masks_and_the_largest_are_followed() -> None:
    segmenter = ColourSegmenter()
    boxes = {n: (2.0 + 30 * (n - 1), 10.0, 8.0 + 30 * (n - 1) + 3 * n, 40.0) for n in COLOURS}
    follower = MaskFollower(segmenter, MaskConfig(max_objects=2))
    found = run(follower, [boxes] * 3)
    for masks in found:
        assert {n: int(mask.sum()) for n, mask in masks.items()} == {n: 30 * (6 + 3 * n) for n in COLOURS}
    assert follower.n_followed == 2
    starts = [call for call in segmenter.log if call[0] == "start"]
    assert starts[0] == ("start", 5, 4)
    assert starts[1:] == [("start", 3, 2), ("start", 1)] * 3
    assert max(len(call) - 1 for call in segmenter.log) == 2


class FilledSession(ColourSession):
    """Every mask is the box it was shown by."""

    @property
    def masks(self) -> dict[int, np.ndarray]:
        return {number: block(box) for number, box in self._boxes.items() if number in self._colours}

    def _learn(self, prompts: Mapping[int, BoxXYXY]) -> None:
        super()._learn(prompts)
        self._boxes = {**getattr(self, "_boxes", {}), **prompts}


def test_two_hundred_objects_all_have_masks_with_no_more_than_a_few_in_memory() -> None:
    segmenter = ColourSegmenter(session=FilledSession)
    boxes = {n: (n % 20 * 8.0, n // 20 * 8.0, n % 20 * 8.0 + 7, n // 20 * 8.0 + 7) for n in range(1, 201)}
    follower = MaskFollower(segmenter, MaskConfig())
    seen = [SeenBox(n, box) for n, box in boxes.items()]
    for k in range(2):
        masks = follower.update(np.zeros((96, 160, 3), np.uint8), k / 10, seen)
        assert all(np.array_equal(masks[n], block(box)) for n, box in boxes.items())
    assert follower.n_followed == 32
    assert max(len(call) - 1 for call in segmenter.log) == 32


def test_an_object_that_waited_is_followed_as_soon_as_there_is_room() -> None:
    segmenter = ColourSegmenter()
    frames = [{1: (10.0, 10.0, 50.0, 50.0), 2: (80.0, 20.0, 100.0, 40.0)}] * 3
    seen = [[SeenBox(1, f[1], is_last=k == 1), SeenBox(2, f[2])][k == 2 :] for k, f in enumerate(frames)]
    run(MaskFollower(segmenter, MaskConfig(max_objects=1)), frames, seen)
    assert segmenter.log == [("start", 1), ("start", 2), ("step", 1), ("start", 2), ("remove", 1), ("start", 2)]


def test_an_absent_object_is_kept_for_a_while_and_starts_anew_after_that() -> None:
    box = (10.0, 10.0, 40.0, 50.0)
    for absent, expected in ((5, []), (15, [("remove", 1), ("add", 1)])):
        segmenter = ColourSegmenter()
        follower = MaskFollower(segmenter, MaskConfig(hold_s=1.0))
        other = {2: (80.0, 20.0, 100.0, 40.0)}
        frames = [{1: box} | other] + [other] * absent + [{1: box} | other]
        found = run(follower, frames)
        assert [call for call in segmenter.log if call[0] in ("add", "remove")] == expected
        assert set(found[0]) == set(found[-1]) == {1, 2}
        assert set(found[1]) == {2}


def test_nobody_left_ends_the_session_and_the_next_object_begins_another() -> None:
    segmenter = ColourSegmenter()
    follower = MaskFollower(segmenter, MaskConfig())
    follower.cut()
    one, two = {1: (10.0, 10.0, 40.0, 50.0)}, {2: (80.0, 20.0, 100.0, 40.0)}
    run(follower, [one, one], [[SeenBox(1, one[1])], [SeenBox(1, one[1], is_last=True)]])
    assert follower.n_followed == 0
    follower.update(picture(two), 0.3, [SeenBox(2, two[2])])
    follower.cut()
    assert segmenter.log == [("start", 1), ("step", 1), ("remove", 1), ("start", 2), ("cut",)]


def test_what_cannot_be_seen_has_no_mask() -> None:
    follower = MaskFollower(ColourSegmenter(), MaskConfig())
    outside, partly, gone = (-30.0, 5.0, -2.0, 20.0), (150.0, 80.0, 190.0, 120.0), (60.0, 10.0, 90.0, 40.0)
    found = run(follower, [{1: outside, 2: partly, 3: gone}])
    assert np.array_equal(found[0][2], block(partly))
    assert set(found[0]) == {2, 3}
    # 3 has left: the tracker still carries its box there, the segmenter finds nothing.
    found = [follower.update(picture({2: partly}), 0.1, [SeenBox(2, partly), SeenBox(3, gone, detected=False)])]
    assert set(found[0]) == {2}
    assert follower.update(picture({}), 0.2, []) == {}


def test_overlap_is_that_of_the_box_around_the_mask() -> None:
    mask = block((10.0, 10.0, 30.0, 30.0))
    mask[12:28, 12:28] = False  # a ring has the box of a disk
    assert box_overlap(mask, (10.0, 10.0, 30.0, 30.0)) == 1.0
    assert box_overlap(mask, (20.0, 10.0, 40.0, 30.0)) == pytest.approx(1 / 3)
    assert box_overlap(mask, (40.0, 40.0, 50.0, 50.0)) == 0.0
    assert box_overlap(np.zeros((4, 4), np.bool_), (0.0, 0.0, 4.0, 4.0)) == 0.0


@pytest.mark.parametrize(
    "wrong", [{"least_overlap": 1.5}, {"max_objects": 0}, {"hold_s": -1.0}, {"hold_s": float("inf")}]
)
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        MaskConfig(**wrong)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def isvos() -> IsvosSegmenter:
    return IsvosSegmenter.from_network(onlooker.build("isvos", config="tiny", seed=0), short_side=64)


def test_the_network_of_the_paper_plays_the_role(isvos: IsvosSegmenter) -> None:
    assert isinstance(isvos, Segmenter)
    frames = [{1: (10.0, 10.0, 40.0, 50.0), 2: (80.0 + k, 20.0, 81.0 + k, 21.0)} for k in range(4)]  # 2 is one pixel
    follower = MaskFollower(isvos, MaskConfig())
    found = run(follower, frames)
    assert set(found[0]) == {1, 2}
    assert all(mask.shape == (96, 160) and mask.dtype == np.bool_ for masks in found for mask in masks.values())
    assert not any((masks[1] & masks[2]).any() for masks in found if {1, 2} <= set(masks))
    nothing = follower.update(np.zeros((96, 160, 3), np.uint8), 0.5, [])
    assert nothing == {}
    small = follower.update(picture({1: (5.0, 5.0, 20.0, 25.0)}, (80, 48)), 0.6, [SeenBox(1, (5.0, 5.0, 20.0, 25.0))])
    assert small[1].shape == (48, 80)
