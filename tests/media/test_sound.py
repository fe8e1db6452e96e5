"""Sound on the video's clock."""

import numpy as np
import pytest

from onlooker.errors import ConfigError
from onlooker.media.audio import iter_audio, levels, read_audio
from onlooker.synth.clips import Sound, make_clip, make_sound, moving_squares, tone


def test_silent_film_has_no_sound(tmp_path):
    path = make_clip(tmp_path / "mute.mp4", moving_squares(5))
    assert read_audio(path) is None
    assert list(iter_audio(path)) == []


@pytest.mark.parametrize("name", ["with.mkv", "with.mp4"])
def test_sound_keeps_its_length_and_level(tmp_path, name):
    path = make_clip(tmp_path / name, moving_squares(50), sound=Sound(tone(2.0, level=0.5)))
    wave = read_audio(path)
    assert wave.dtype == np.float32
    assert len(wave) == pytest.approx(32_000, abs=1100)
    # A sine of amplitude 0.5 is 20 log10(0.5 / sqrt 2) = -9.03 dB.
    assert levels(wave, 0.5)[1] == pytest.approx(-9.03, abs=0.3)


def test_late_sound_is_led_in_by_silence(tmp_path):
    path = make_clip(tmp_path / "late.mkv", moving_squares(50), sound=Sound(tone(1.0), start_s=0.7))
    wave = read_audio(path)
    assert len(wave) == pytest.approx(1.7 * 16_000, abs=32)
    assert np.abs(wave[: round(0.69 * 16_000)]).max() == 0
    assert levels(wave[round(0.71 * 16_000) :], 0.9)[0] == pytest.approx(-9.03, abs=0.1)


def test_sound_before_the_first_picture_is_cut(tmp_path):
    wave = np.concatenate([tone(0.5, level=0.9), np.zeros(8000, np.float32)])
    times = [0.5 + k / 25 for k in range(20)]
    path = make_clip(tmp_path / "early.mkv", moving_squares(20), times, sound=Sound(wave))
    found = read_audio(path)
    assert len(found) == pytest.approx(8000, abs=32)
    assert np.abs(found[100:]).max() < 0.01


def test_pieces_join_to_the_whole(tmp_path):
    path = make_sound(tmp_path / "s.wav", Sound(tone(2.5)))
    pieces = list(iter_audio(path, 1.0))
    assert [len(p) for p in pieces] == [16_000, 16_000, 8_000]
    assert np.array_equal(np.concatenate(pieces), read_audio(path))
    assert np.abs(np.concatenate(pieces) - tone(2.5)).max() < 1e-3
    with pytest.raises(ConfigError, match="chunk_s"):
        next(iter_audio(path, 0))


def test_damaged_tail_keeps_the_sound_before_it(tmp_path):
    whole = make_sound(tmp_path / "whole.mp3", Sound(tone(4.0))).read_bytes()
    path = tmp_path / "cut.mp3"
    path.write_bytes(whole[: len(whole) // 2] + b"\x13\x37" * 500)
    found = read_audio(path)
    assert len(found) > 1.5 * 16_000
    assert levels(found[8000:24_000], 1.0)[0] == pytest.approx(-9.03, abs=0.5)


def test_levels_by_hand():
    square = np.concatenate([np.ones(1600), np.zeros(1600), np.full(800, 0.1)]).astype(np.float32)
    assert levels(square, 0.1).tolist() == pytest.approx([0.0, -100.0, -20.0], abs=1e-4)
    assert levels(np.zeros(0, np.float32)).shape == (0,)
    with pytest.raises(ConfigError, match="step_s"):
        levels(square, 0)
