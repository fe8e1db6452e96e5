"""Files that are not videos, or not whole ones: a typed error that names the file, or what can be had of it."""

import os
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from onlooker.errors import DecodeError, MediaError, NotAVideoError
from onlooker.media.audio import read_audio
from onlooker.media.decode import VideoReader
from onlooker.media.probe import probe
from onlooker.media.seek import decode_at
from onlooker.synth.clips import Sound, make_clip, make_sound, moving_squares, tone


def refused(path, words):
    for use in (probe, VideoReader, lambda p: decode_at(p, [0.0])):
        with pytest.raises(NotAVideoError) as caught:
            use(path)
        assert str(path) in str(caught.value)
        assert words in str(caught.value)


def test_missing_folder_and_empty_files_are_refused_by_name(tmp_path):
    refused(tmp_path / "none.mp4", "no file")
    refused(tmp_path, "is a folder")
    (tmp_path / "zero.mp4").touch()
    refused(tmp_path / "zero.mp4", "empty")


def test_a_pipe_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    refused(tmp_path / "pipe.mp4", "not a regular file")


@pytest.mark.parametrize("name", ["text.mp4", "text.txt", "list.m3u8", "list.ffconcat", "noise.mkv"])
def test_text_play_lists_and_noise_are_refused(tmp_path, name):
    target = make_clip(tmp_path / "real.ts", moving_squares(5))
    text = {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
        "list.ffconcat": f"ffconcat version 1.0\nfile {target.name}\n",
        "noise.mkv": random.Random(0).randbytes(5000).decode("latin-1"),
    }.get(name, "hello, I am no video\n" * 50)
    (tmp_path / name).write_text(text)
    refused(tmp_path / name, "not a video")


def test_a_still_picture_is_not_a_video(tmp_path):
    Image.fromarray(moving_squares(1)[0]).save(tmp_path / "photo.jpg")
    Image.fromarray(moving_squares(1)[0]).save(tmp_path / "photo.png")
    refused(tmp_path / "photo.jpg", "not a video")
    refused(tmp_path / "photo.png", "not a video")


def test_sound_alone_is_refused_as_video_but_heard(tmp_path):
    for name in ("song.wav", "song.m4a", "song.mp3"):
        path = make_sound(tmp_path / name, Sound(tone(1.0)))
        refused(path, "only audio")
        assert len(read_audio(path)) == pytest.approx(16_000, abs=2500)


def test_cover_picture_of_a_song_is_not_a_video(tmp_path):
    import av

    path = tmp_path / "cover.mp3"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("libmp3lame", rate=16_000, layout="mono")
        cover = container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(moving_squares(1)[0], format="rgb24").reformat(format="yuvj420p")
        container.mux(cover.encode(picture))
        container.mux(cover.encode(None))
        frame = av.AudioFrame.from_ndarray((tone(0.5) * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    refused(path, "only audio")


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_truncated_file_gives_its_frames_and_says_how_far_it_got(tmp_path, name):
    whole = make_clip(tmp_path / f"whole{name}", moving_squares(100, seed=1)).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) * 6 // 10])
    assert probe(path).duration_s == pytest.approx(4.0, abs=0.1)
    with VideoReader(path) as reader:
        frames = list(reader)
    assert 10 < len(frames) < 95
    assert reader.n_frames == len(frames)
    assert reader.problem is not None
    assert "of the 4.0" in reader.problem
    assert reader.end_s < 3.9
    assert decode_at(path, [3.9])[0].time_s == pytest.approx(frames[-1].time_s, abs=0.2)


def test_damage_in_the_middle_is_stepped_over_and_told(tmp_path):
    data = bytearray(make_clip(tmp_path / "whole.ts", moving_squares(100, seed=1)).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = random.Random(0).randbytes(600)
    path = tmp_path / "scratched.ts"
    path.write_bytes(data)
    with VideoReader(path) as reader:
        found = [f.time_s for f in reader]
    assert len(found) > 60
    assert reader.problem is not None


def test_mp4_without_its_index_is_refused(tmp_path):
    whole = make_clip(tmp_path / "whole.mp4", moving_squares(50)).read_bytes()
    (tmp_path / "headless.mp4").write_bytes(whole[:300])
    refused(tmp_path / "headless.mp4", "no video stream")
    # A recorder that lost power: pictures are there, the index was never written.
    (tmp_path / "unfinished.mp4").write_bytes(whole.replace(b"moov", b"xxxx"))
    refused(tmp_path / "unfinished.mp4", "not a video")


def test_stream_without_one_good_frame_is_a_decode_error(tmp_path):
    import av

    path = tmp_path / "husk.mkv"
    make_clip(tmp_path / "whole.mkv", moving_squares(10))
    with av.open(str(tmp_path / "whole.mkv")) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                junk = av.Packet(b"\x00\x00\x01" + bytes(50))
                junk.pts, junk.dts, junk.time_base, junk.stream = packet.pts, packet.dts, packet.time_base, stream
                target.mux(junk)
    for use in (probe, lambda p: list(VideoReader(p)), lambda p: decode_at(p, [0.0])):
        with pytest.raises(DecodeError, match=r"husk\.mkv"):
            use(path)


def test_unreadable_file_says_permissions(tmp_path):
    path = make_clip(tmp_path / "locked.mp4", moving_squares(2))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    refused(path, "permissions")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    sound = Sound(tone(0.6))
    clips = [
        make_clip(folder / "s.mp4", moving_squares(12), sound=sound),
        make_clip(folder / "s.webm", moving_squares(8), sound=sound, codec="libvpx"),
        make_clip(folder / "s.ts", moving_squares(8)),
        make_clip(folder / "s.gif", moving_squares(5), codec="gif", pixel_format="rgb8"),
        make_clip(folder / "s.avi", moving_squares(6), codec="mjpeg", pixel_format="yuvj420p"),
    ]
    return folder, [(c.suffix, c.read_bytes()) for c in clips]


@settings(max_examples=150, deadline=10_000, suppress_health_check=list(HealthCheck))
@given(
    which=st.integers(0, 4),
    keep=st.floats(0.05, 1.0),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=30),
    head_only=st.booleans(),
)
def test_broken_bytes_never_hang_or_raise_another_error(seeds, which, keep, flips, head_only):
    folder, clips = seeds
    suffix, whole = clips[which]
    data = bytearray(whole[: max(1, int(len(whole) * keep))])
    reach = min(len(data), 1500) if head_only else len(data)
    for place, bits in flips:
        data[int(place * reach)] ^= bits
    path = folder / f"broken{suffix}"
    path.write_bytes(data)
    names_the_file = True
    try:
        info = probe(path)
        assert info.width > 0
        with VideoReader(path) as reader:
            last = -1.0
            for frame in reader:
                assert frame.time_s > last or frame.index == 0
                last = frame.time_s
                frame.grey(32)
                if frame.index < 2 and frame.width * frame.height < 1_000_000:
                    assert frame.image.shape == (frame.height, frame.width, 3)
            assert reader.end_s >= last
        decode_at(path, [0.2, 5.0])
    except MediaError as error:
        names_the_file = "broken" in str(error)
    assert names_the_file
    try:
        sound = read_audio(path)
    except MediaError:
        return
    assert sound is None or bool(np.isfinite(sound).all())
