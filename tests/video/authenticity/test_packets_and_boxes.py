"""What packets and boxes of a video tell, on clips made to have just that."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from authenticity_doubles import moving

from onlooker.errors import NotAVideoError
from onlooker.media.decode import VideoReader
from onlooker.media.samples import sample_video
from onlooker.types import Frame, Image
from onlooker.video.authenticity.boxes import Edit, read_boxes
from onlooker.video.authenticity.packets import (
    PacketScan,
    find_gaps,
    find_rhythm,
    group_lengths,
    key_period,
    rate_varies,
    scan_packets,
)
from onlooker.video.authenticity.verdict import Fact
from onlooker.video.authenticity.video_facts import Repeats, RepeatWatch, container_facts, repeat_facts


def facts_of(path: Path) -> dict[str, Fact]:
    return {one.name: one for one in container_facts(path)}


def scan_of(sizes: np.ndarray, keys: np.ndarray) -> PacketScan:
    n = len(sizes)
    return PacketScan(np.arange(n) / 25, sizes.astype(np.int64), keys, np.zeros(n, np.bool_), 0, True)


def decoded(path: Path, most: int) -> list[Image]:
    with av.open(str(path)) as container:
        frames = []
        for frame in container.decode(video=0):
            frames.append(frame.to_ndarray(format="rgb24"))
            if len(frames) == most:
                break
        return frames


def test_a_second_encoding_shows_where_key_frames_of_the_first_were(write_clip) -> None:
    frames = [frame[:128, :192] for frame in decoded(sample_video("bikes"), 160)]
    keys = {"sc_threshold": "0", "bf": "0"}
    once = write_clip(frames, "once.mp4", g="12", crf="28", **keys)
    twice = write_clip(decoded(once, 160), "twice.mp4", g="250", crf="20", **keys)
    fresh = write_clip(frames, "fresh.mp4", g="250", crf="20", **keys)
    found = find_rhythm(scan_packets(twice))
    assert found is not None
    assert found.period == 12
    assert find_rhythm(scan_packets(fresh)) is None
    assert find_rhythm(scan_packets(once)) is None  # its own key frames are no sign
    assert facts_of(twice)["earlier_encoding"].notable
    assert "earlier_encoding" not in facts_of(fresh)


@pytest.mark.parametrize("seed", range(5))
def test_sizes_that_vary_by_chance_have_no_rhythm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    keys = np.zeros(300, np.bool_)
    keys[0] = True
    assert find_rhythm(scan_of(1000 * np.exp(rng.normal(0, 0.4, 300)), keys)) is None


def test_one_large_frame_is_no_rhythm() -> None:
    sizes = 1000 + 50 * np.random.default_rng(0).normal(size=200)
    sizes[[50, 51]] = 9000
    assert find_rhythm(scan_of(sizes, np.arange(200) == 0)) is None


def test_a_clip_too_short_for_a_rhythm_has_none() -> None:
    assert find_rhythm(scan_of(np.full(10, 100.0), np.zeros(10, np.bool_))) is None


def test_missing_frames_of_a_steady_rate_are_gaps_and_a_varying_rate_has_none(write_clip) -> None:
    steady = [4 * k for k in range(20)] + [4 * k for k in range(28, 40)]
    found = facts_of(write_clip(moving(32), "gap.mp4", steady))
    assert str(found["gaps"].value) == "0.76 to 1.12 s"
    assert not found["variable_frame_rate"].value
    wild = np.cumsum(np.random.default_rng(0).integers(2, 12, 32)).tolist()
    found = facts_of(write_clip(moving(32), "wild.mp4", wild))
    assert found["variable_frame_rate"].value
    assert "gaps" not in found


def test_gaps_and_rates_by_hand() -> None:
    times = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15], np.float64)
    assert find_gaps(times) == (1.0, ((10.0, 13.0),))
    assert find_gaps(times[:4]) == (None, ())
    assert not rate_varies(times)
    assert rate_varies(np.array([0, 1, 3, 4, 6, 7, 9, 10, 12], np.float64))


def test_groups_are_told_as_they_are(write_clip) -> None:
    path = write_clip(moving(30), g="10", sc_threshold="0")
    scan = scan_packets(path)
    assert key_period(scan.keys) == 10
    assert list(group_lengths(scan.keys)) == [10, 10]
    assert str(facts_of(path)["groups"].value).startswith("every 10 frames")


def test_the_writer_is_named(write_clip) -> None:
    found = facts_of(write_clip(moving(8)))
    assert "FFmpeg" in found["encoder"].note
    assert "crf=20" in str(found["x264"].value)
    assert found["created"].value is None


def test_frames_repeated_by_a_rule_tell_of_a_raised_rate() -> None:
    watch = RepeatWatch()
    frames = moving(20)
    shown = [frame for k, frame in enumerate(frames) for _ in range(2 if k % 4 == 3 else 1)]
    for k, image in enumerate(shown):
        watch.look(Frame.from_image(k, k / 25, image))
    found = watch.result()
    assert (found.n_frames, found.n_repeated, found.period) == (25, 5, 5)
    assert "raised" in repeat_facts(found)[0].note


def test_a_frozen_stretch_is_told_with_its_length() -> None:
    watch = RepeatWatch()
    frames = moving(10)
    for k, image in enumerate([*frames[:5], *[frames[5]] * 10, *frames[6:]]):
        watch.look(Frame.from_image(k, k / 10, image))
    found = watch.result()
    assert (found.n_repeated, found.period) == (9, None)
    assert found.longest_s == pytest.approx(0.9)


def repeats_of(path: Path) -> Repeats:
    watch = RepeatWatch()
    with VideoReader(path) as reader:
        for frame in reader:
            watch.look(frame)
    return watch.result()


@pytest.mark.parametrize(("crf", "bf"), [("18", "3"), ("23", "2"), ("30", "0"), ("35", "3")])
def test_repeated_frames_are_found_behind_another_encoding(write_clip, crf: str, bf: str) -> None:
    """An encoder changes repeated frames a little: few of them are equal to the one before."""
    frames = [frame[:128, :176] for frame in decoded(sample_video("carphone"), 40)]
    found = repeats_of(write_clip([*frames[:20], *[frames[19]] * 10, *frames[20:]], crf=crf, bf=bf))
    assert 8 <= found.n_repeated <= 10
    assert found.period is None
    assert 0.3 <= found.longest_s <= 0.41
    assert repeats_of(write_clip(frames, "plain.mp4", crf=crf, bf=bf)).n_repeated == 0


def test_a_raised_rate_is_found_behind_another_encoding(write_clip) -> None:
    frames = [frame[:128, :176] for frame in decoded(sample_video("carphone"), 40)]
    raised = [frame for k, frame in enumerate(frames) for _ in range(2 if k % 4 == 3 else 1)]
    assert repeats_of(write_clip(raised, crf="18")).period == 5


def test_a_scene_that_comes_to_rest_repeats_nothing() -> None:
    """It slows down and speeds up: frames nearly alike are no frozen ones."""
    slope = np.broadcast_to(np.linspace(0, 100, 96)[:, None, None], (96, 96, 3))
    watch, level = RepeatWatch(), 50.0
    for k, step in enumerate([2.0, 1.0, 0.4, 0.3, 0.2, 0.05, 0.05, 0.05, 0.05, 0.2, 0.3, 0.4, 1.0, 2.0]):
        level += step
        watch.look(Frame.from_image(k, k / 25, np.floor(level + slope).astype(np.uint8)))
    assert watch.result().n_repeated == 0


def test_sound_that_ends_elsewhere_than_the_picture_is_told(tmp_path: Path) -> None:
    path = tmp_path / "apart.mp4"
    with av.open(str(path), "w") as out:
        video, sound = out.add_stream("libx264", rate=25), out.add_stream("aac", rate=16000)
        video.height, video.width, video.pix_fmt = 96, 128, "yuv420p"
        for image in moving(10):
            out.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        for _ in range(20):
            piece = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.float32), format="fltp", layout="mono")
            piece.sample_rate = 16000
            out.mux(sound.encode(piece))
        out.mux([*video.encode(None), *sound.encode(None)])
    found = facts_of(path)["sound_minus_picture_s"]
    assert isinstance(found.value, float)
    assert found.value == pytest.approx(1.6, abs=0.1)
    assert found.notable


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def test_edit_lists_of_either_version_are_read(tmp_path: Path) -> None:
    old = box(
        b"elst", struct.pack(">II", 0, 2) + struct.pack(">Iii", 100, -1, 1 << 16) + struct.pack(">Iii", 50, 7, 1 << 16)
    )
    new = box(b"elst", struct.pack(">II", 1 << 24, 1) + struct.pack(">Qqi", 1 << 40, 9, 1 << 16))
    tracks = b"".join(box(b"trak", box(b"edts", edits)) for edits in (old, new))
    (tmp_path / "a.mp4").write_bytes(box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", tracks))
    found = read_boxes(tmp_path / "a.mp4")
    assert found is not None
    assert found.top == ("ftyp", "moov")
    assert found.brand == "isom"
    assert found.edits == ((Edit(100, -1), Edit(50, 7)), (Edit(1 << 40, 9),))
    assert not found.damaged


def test_boxes_that_do_not_fit_are_damage_and_never_a_loop(tmp_path: Path) -> None:
    head = box(b"ftyp", b"isom\0\0\0\0")
    for k, rest in enumerate(
        (struct.pack(">I4s", 500, b"moov"), struct.pack(">I4sQ", 1, b"mdat", 3), box(b"moov", b"")[:6])
    ):
        (tmp_path / f"{k}.mp4").write_bytes(head + rest)
        found = read_boxes(tmp_path / f"{k}.mp4")
        assert found is not None
        assert found.damaged is (k < 2)


def test_what_has_no_boxes_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"nothing of the kind")
    assert read_boxes(tmp_path / "a.bin") is None
    with pytest.raises(NotAVideoError):
        container_facts(tmp_path / "a.bin")
