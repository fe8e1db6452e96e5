"""Times, sizes and pixels of decoded frames, on clips whose truth is known."""

from itertools import pairwise

import numpy as np
import pytest

from onlooker.media.clock import FrameClock
from onlooker.media.decode import VideoReader
from onlooker.media.probe import probe
from onlooker.media.seek import decode_at
from onlooker.synth.clips import make_clip, moving_squares

VFR = [k / 30 for k in range(30)] + [1 + k / 10 for k in range(30)]


def times(path):
    with VideoReader(path) as reader:
        return [f.time_s for f in reader], reader


@pytest.mark.parametrize("name", ["vfr.mp4", "vfr.mkv"])
def test_variable_rate_times_are_stamps_not_index_over_rate(tmp_path, name):
    path = make_clip(tmp_path / name, moving_squares(60), VFR)
    found, reader = times(path)
    assert found == pytest.approx(VFR, abs=1e-3)
    assert found[45] == pytest.approx(2.5, abs=1e-3)
    assert reader.n_frames == 60
    assert reader.problem is None
    assert reader.n_repaired_times == 0
    assert reader.end_s == pytest.approx(4.0, abs=0.11)


def test_clock_starts_at_stream_start_not_at_zero_stamp(tmp_path):
    path = make_clip(tmp_path / "late.ts", moving_squares(10), [3 + k / 25 for k in range(10)])
    found, _ = times(path)
    assert found == pytest.approx([k / 25 for k in range(10)], abs=1e-3)


@pytest.mark.parametrize("name", ["late.ts", "late.mkv", "late.mp4"])
def test_a_stream_that_starts_late_is_as_long_as_it_is_shown_and_not_damaged(tmp_path, name):
    path = make_clip(tmp_path / name, moving_squares(10), [3 + k / 25 for k in range(10)])
    found, reader = times(path)
    assert found == pytest.approx([k / 25 for k in range(10)], abs=1e-3)
    assert probe(path).duration_s == pytest.approx(0.4, abs=0.05)
    assert reader.problem is None


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_rotation_turns_rgb_and_grey_and_size(tmp_path, turn):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:16, :16] = (255, 255, 255)  # top left as stored
    path = make_clip(tmp_path / "turned.mp4", [image] * 3, rotation_deg=turn)
    info = probe(path)
    assert info.rotation_deg == turn
    assert (info.width, info.height) == ((64, 48) if turn in (0, 180) else (48, 64))
    with VideoReader(path) as reader:
        frame = next(iter(reader))
        assert (frame.width, frame.height) == (info.width, info.height) == reader.size
        assert frame.image.shape == (info.height, info.width, 3)
        grey = frame.grey(info.width // 2)
        assert grey.shape == (info.height // 2, info.width // 2)
    # A clockwise quarter turn carries the top left corner to the top right, and so on round.
    corner = {0: (4, 4), 90: (4, -5), 180: (-5, -5), 270: (-5, 4)}[turn]
    assert frame.image[corner].min() > 200
    assert grey[corner[0] // 2, corner[1] // 2] > 200
    assert frame.image.mean() < 60


def test_mirrored_display_matrix_is_followed(tmp_path):
    from onlooker.media.orientation import Orientation

    unit = 1 << 16
    hflip = np.array([-unit, 0, 0, 0, unit, 0, 0, 0, 1 << 30], np.int32).tobytes()
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert Orientation.from_display_matrix(hflip).apply(pixels).tolist() == [[2, 1, 0], [5, 4, 3]]
    assert Orientation.from_display_matrix(b"short") == Orientation()


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "size"),
    [
        ("ten.mp4", "libx265", "yuv420p10le", (64, 48)),
        ("ten.mkv", "libx264", "yuv420p10le", (64, 48)),
        ("odd.mkv", "libx264", "yuv444p", (63, 37)),
        ("grey.mkv", "ffv1", "gray", (64, 48)),
        ("vp9.webm", "libvpx-vp9", "yuv420p", (64, 48)),
        ("loop.gif", "gif", "rgb8", (64, 48)),
        ("motion.avi", "mjpeg", "yuvj420p", (64, 48)),
        ("tiny.mkv", "ffv1", "bgr0", (3, 2)),
        ("fünf Räder 五.mp4", "libx264", "yuv420p", (64, 48)),
        ("100%d:a b#?.mp4", "libx264", "yuv420p", (64, 48)),
    ],
)
def test_pixels_survive_every_format(tmp_path, name, codec, pixel_format, size):
    images = moving_squares(6, size=size, seed=3)
    path = make_clip(tmp_path / name, images, codec=codec, pixel_format=pixel_format)
    info = probe(path)
    assert (info.width, info.height, info.codec in codec or "lib" in codec) == (*size, True)
    with VideoReader(path) as reader:
        frames = list(reader)
    assert len(frames) == 6
    assert [f.time_s for f in frames] == pytest.approx([k / 25 for k in range(6)], abs=6e-3)
    for frame, truth in zip(frames, images, strict=True):
        truth_grey = truth @ np.array([0.299, 0.587, 0.114])
        found_grey = frame.image @ np.array([0.299, 0.587, 0.114])
        assert np.abs(found_grey - truth_grey).mean() < 16, "colour or range conversion is off"
        assert np.abs(frame.grey(size[0]).astype(float) - found_grey).mean() < 6


def test_one_frame_is_a_whole_video(tmp_path):
    path = make_clip(tmp_path / "one.mp4", moving_squares(1))
    found, reader = times(path)
    assert found == [0.0]
    assert reader.end_s > 0
    assert reader.problem is None


def test_size_change_midway_keeps_first_size_and_letterboxes(tmp_path):
    white = np.full((48, 64, 3), 255, np.uint8)
    tall = np.full((128, 64, 3), 255, np.uint8)
    first = make_clip(tmp_path / "a.ts", [white] * 8).read_bytes()
    second = make_clip(tmp_path / "b.ts", [tall] * 8).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(first + second)
    with VideoReader(path) as reader:
        frames = list(reader)
    assert len(frames) == 16
    assert {(f.width, f.height) for f in frames} == {(64, 48)}
    # 64x128 fits into 64x48 as 24x48, centred: columns 20 to 43.
    last = frames[-1].image
    assert last.shape == (48, 64, 3)
    assert last[:, 21:43].min() > 240
    assert last[:, :19].max() == 0
    assert last[:, 45:].max() == 0
    assert frames[-1].grey(32).shape == (24, 32)
    # The second recording starts its clock over; time goes on.
    stamps = [f.time_s for f in frames]
    assert all(b > a for a, b in pairwise(stamps))


def test_grey_is_never_enlarged_and_cached_per_width(tmp_path):
    path = make_clip(tmp_path / "small.mp4", moving_squares(2))
    with VideoReader(path) as reader:
        frame = next(iter(reader))
    assert frame.grey(160).shape == (48, 64)
    assert frame.grey(16).shape == (12, 16)
    assert frame.grey(16) is frame.grey(16)
    assert frame.image is frame.image


def test_frames_outlive_the_reader(tmp_path):
    path = make_clip(tmp_path / "c.mp4", moving_squares(5))
    with VideoReader(path) as reader:
        frames = list(reader)
    assert np.abs(frames[0].image.astype(int) - moving_squares(5)[0]).mean() < 16


def test_clock_repairs_missing_doubled_and_restarted_stamps():
    from fractions import Fraction

    clock = FrameClock(Fraction(1, 100), 0, 0.04)
    stamps = [0, 4, 4, 8, None, 16, 3, 20, 24, 500, 504, 0, 4]
    found = [clock.next(s) for s in stamps]
    assert all(b > a for a, b in pairwise(found))
    assert found[3] == pytest.approx(0.08)  # good stamps hold again after a doubled one
    assert found[5] == pytest.approx(0.16)  # and after a missing one
    assert found[7:11] == pytest.approx([0.20, 0.24, 5.0, 5.04])
    assert found[11:] == pytest.approx([5.08, 5.12])  # a clock that starts over is carried on
    assert clock.n_repaired == 4


@pytest.mark.parametrize("name", ["long.mp4", "long.mkv", "long.ts", "long.webm"])
def test_decode_at_gives_the_nearest_frames_in_the_order_asked(tmp_path, name):
    images = [np.full((32, 32, 3), 16 + (k * 37) % 224, np.uint8) for k in range(200)]
    codec = "libvpx" if name.endswith("webm") else "libx264"
    path = make_clip(tmp_path / name, images, [k / 20 for k in range(200)], codec=codec)
    asked = [9.31, 0.0, 5.02, 5.02, 4.96, 100.0, 7.5]
    frames = decode_at(path, asked)
    assert [f.time_s for f in frames] == pytest.approx([9.3, 0.0, 5.0, 5.0, 4.95, 9.95, 7.5], abs=2e-3)
    assert [f.index for f in frames] == list(range(7))
    for frame in frames:
        k = round(frame.time_s * 20)
        assert abs(float(frame.image.mean()) - (16 + (k * 37) % 224)) < 8, "pixels are of another moment"
    assert decode_at(path, []) == []


def test_memory_stays_flat_over_a_long_clip(tmp_path):
    import resource

    path = make_clip(tmp_path / "long.mp4", moving_squares(30, size=(640, 360)) * 20)

    def peak_kb():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with VideoReader(path) as reader:
        for frame in reader:
            frame.grey()
            if frame.index == 100:
                before = peak_kb()
    # 500 kept frames would be 170 MB.
    assert peak_kb() - before < 60_000


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), "ITU709"), ((640, 360), "ITU601")])
def test_untagged_colours_are_read_as_players_do(tmp_path, size, matrix):
    import av

    red = np.full((size[1], size[0], 3), (200, 40, 40), np.uint8)
    path = tmp_path / "untagged.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        picture = av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format="yuv420p", dst_colorspace=matrix)
        picture.colorspace, picture.pts = 2, 0
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with VideoReader(path) as reader:
        (frame,) = reader
    assert np.abs(frame.image[5, 5].astype(int) - (200, 40, 40)).max() <= 4
