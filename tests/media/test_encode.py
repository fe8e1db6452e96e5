"""Writing mp4: times, sound, whole files or none."""

import os
import resource
import signal

import av
import numpy as np
import pytest

from onlooker.errors import MediaError, ShapeError, StorageFullError
from onlooker.media.audio import levels, read_audio
from onlooker.media.decode import VideoReader
from onlooker.media.encode import VideoWriter
from onlooker.media.probe import probe
from onlooker.synth.clips import Sound, make_clip, moving_squares, tone


def write(path, images, times, audio_from=None):
    height, width = images[0].shape[:2]
    with VideoWriter(path, (width, height), audio_from=audio_from) as writer:
        for image, time_s in zip(images, times, strict=True):
            writer.write(image, time_s)


def test_variable_times_and_pixels_survive(tmp_path):
    times = [k / 30 for k in range(30)] + [1 + k / 10 for k in range(20)]
    images = moving_squares(50, size=(128, 96))
    write(tmp_path / "out.mp4", images, times)
    info = probe(tmp_path / "out.mp4")
    assert (info.codec, info.pixel_format) == ("h264", "yuv420p")
    with VideoReader(tmp_path / "out.mp4") as reader:
        frames = list(reader)
    assert [f.time_s for f in frames] == pytest.approx(times, abs=1e-4)
    assert reader.end_s == pytest.approx(3.0, abs=0.01)
    assert np.abs(frames[20].image.astype(int) - images[20]).mean() < 8
    assert os.listdir(tmp_path) == ["out.mp4"]


def test_index_is_in_front_so_browsers_start_at_once(tmp_path):
    write(tmp_path / "out.mp4", moving_squares(10), [k / 25 for k in range(10)])
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_odd_size_loses_one_pixel_and_no_more(tmp_path):
    write(tmp_path / "odd.mp4", moving_squares(3, size=(63, 37)), [0, 0.1, 0.2])
    info = probe(tmp_path / "odd.mp4")
    assert (info.width, info.height) == (62, 36)


def test_sound_is_carried_over_in_step(tmp_path):
    late = Sound(tone(1.0), start_s=0.5)
    source = make_clip(tmp_path / "in.mkv", moving_squares(50), sound=late)
    write(tmp_path / "out.mp4", moving_squares(40), [k / 25 for k in range(40)], audio_from=source)
    wave = read_audio(tmp_path / "out.mp4")
    assert len(wave) / 16_000 == pytest.approx(1.5, abs=0.1)
    assert levels(wave[: round(0.45 * 16_000)], 0.45)[0] < -50
    assert levels(wave[round(0.6 * 16_000) : round(1.4 * 16_000)], 0.8)[0] == pytest.approx(-9.03, abs=0.7)


def test_excerpt_takes_the_sound_from_its_own_start(tmp_path):
    source = make_clip(tmp_path / "in.mkv", moving_squares(50), sound=Sound(tone(0.5), start_s=1.0))
    with VideoWriter(tmp_path / "part.mp4", (64, 48), audio_from=source, audio_start_s=0.9) as writer:
        for k, image in enumerate(moving_squares(15)):
            writer.write(image, k / 25)
    wave = read_audio(tmp_path / "part.mp4")
    assert levels(wave[: round(0.08 * 16_000)], 0.08)[0] < -40
    assert levels(wave[round(0.15 * 16_000) : round(0.5 * 16_000)], 0.35)[0] == pytest.approx(-9.03, abs=0.7)


def test_sound_longer_than_the_pictures_is_cut_and_silent_sources_are_fine(tmp_path):
    source = make_clip(tmp_path / "in.mkv", moving_squares(100), sound=Sound(tone(4.0)))
    write(tmp_path / "short.mp4", moving_squares(25), [k / 25 for k in range(25)], audio_from=source)
    assert len(read_audio(tmp_path / "short.mp4")) / 16_000 == pytest.approx(1.0, abs=0.07)
    mute = make_clip(tmp_path / "mute.mp4", moving_squares(5))
    write(tmp_path / "still_mute.mp4", moving_squares(5), [0, 1, 2, 3, 4], audio_from=mute)
    with av.open(str(tmp_path / "still_mute.mp4")) as container:
        assert len(container.streams.audio) == 0


def test_error_inside_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    image = moving_squares(1)[0]
    with pytest.raises(ShapeError, match="increase"):
        write(path, [image, image], [1.0, 1.0])
    with pytest.raises(ShapeError, match=r"\(48, 64, 3\)"):
        write(path, [image, image[:10, :10]], [0.0, 1.0])
    with pytest.raises(MediaError, match="no frame"), VideoWriter(path, (64, 48)):
        pass
    with pytest.raises(MediaError, match="no file"):
        VideoWriter(path, (64, 48), audio_from=tmp_path / "missing.mp4")
    assert path.read_bytes() == b"older"
    assert os.listdir(tmp_path) == ["out.mp4"]


def test_missing_folder_is_a_media_error(tmp_path):
    with pytest.raises(MediaError, match="folder exists"):
        VideoWriter(tmp_path / "nowhere" / "out.mp4", (64, 48))


def test_full_disk_is_told_and_leaves_nothing(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(StorageFullError, match=r"out\.mp4"):
            write(
                tmp_path / "out.mp4", [np.roll(noise, k * 7, axis=1) for k in range(200)], [k / 25 for k in range(200)]
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert os.listdir(tmp_path) == []
