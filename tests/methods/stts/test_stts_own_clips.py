"""Videos of one's own: where clips are cut, that a run learns from them, that the application serves its weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import ConfigError, FormatError
from onlooker.media.encode import VideoWriter
from onlooker.methods.encoders.stts.config import MViTConfig, SelectionConfig, SttsConfig
from onlooker.methods.encoders.stts.data import ClipsConfig, make_clips
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.own_clips import CuttingConfig, OwnClips, clip_times, random_crop
from onlooker.methods.encoders.stts.task import ClassifyOptions, ClassifyTask
from onlooker.train import OptimiserConfig, TrainConfig, train

SMALL = SttsConfig(
    frames=4,
    image_size=(32, 32),
    num_classes=2,
    mvit=MViTConfig(embed_dim=16, depth=2, grow_at=(1,), kv_stride=(1, 4, 4), drop_path=0.0, head_dropout=0.0),
    selection=SelectionConfig(time_at=0, time_ratio=0.5, space_at=1, space_ratio=0.5, num_samples=20),
)
MIDDLE = CuttingConfig(stride_s=0.1, draws=1, least_area=1, mirror=0)


def write_clip(path: Path, picture: Callable[[int], np.ndarray], n_frames: int = 12, step_s: float = 0.1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, (48, 40), crf=4) as writer:
        for number in range(n_frames):
            writer.write(picture(number), number * step_s)


def plain(colour: tuple[int, int, int]) -> Callable[[int], np.ndarray]:
    return lambda number: np.broadcast_to(np.array(colour, np.uint8), (40, 48, 3)).copy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Bright and dark videos of brightness that rises with time, five of each."""
    for number in range(5):
        for label, base in (("bright", 150), ("dark", 10)):
            write_clip(tmp_path / "own" / label / f"{number}.mp4", lambda t, base=base: plain((base + 5 * t,) * 3)(t))
    return tmp_path / "own"


def levels(clip: np.ndarray) -> list[int]:
    """Brightness of a clip's frames, 0 to 255."""
    mean, std = SMALL.mean[0], SMALL.std[0]
    return [round(float(value)) for value in (clip[0].mean(axis=(1, 2)) * std + mean) * 255]


def test_times_of_a_clip_lie_in_the_video_and_a_short_one_is_stretched() -> None:
    assert clip_times(10.0, 4, 0.5, 0.0) == [0.0, 0.5, 1.0, 1.5]
    assert clip_times(10.0, 4, 0.5, 1.0) == [8.0, 8.5, 9.0, 9.5]
    assert clip_times(1.0, 4, 0.5, 0.7) == [0.0, 0.25, 0.5, 0.75]


def test_the_test_sees_the_middle_and_training_a_moment_of_its_own(folder: Path) -> None:
    test = OwnClips(SMALL, str(folder), MIDDLE, "test", 0)
    assert (len(test), test.class_names) == (2, ("bright", "dark"))
    found = {int(test[i]["label"]): levels(test[i]["clip"].numpy()) for i in range(2)}
    # 1.2 s long, 0.4 s are cut: from 0.4 s on. The encoder may miss a level by two.
    assert found[0] == pytest.approx([170, 175, 180, 185], abs=2)
    assert found[1] == pytest.approx([30, 35, 40, 45], abs=2)
    training = OwnClips(SMALL, str(folder), replace(MIDDLE, draws=8), "train", 0)
    assert len(training) == 8 * 8
    starts = {levels(training[i]["clip"].numpy())[0] // 5 for i in range(0, 64, 8)}  # eight draws of one video
    assert len(starts) > 2
    assert training[9]["clip"].equal(OwnClips(SMALL, str(folder), replace(MIDDLE, draws=8), "train", 0)[9]["clip"])


def test_pace_is_that_of_the_clock_not_of_the_rate(tmp_path: Path) -> None:
    for label in ("slow", "fast"):
        for number in range(2):
            step_s = 0.2 if label == "slow" else 0.05
            rise = round(step_s * 100)  # 100 levels a second in both
            count = round(1.2 / step_s)
            write_clip(tmp_path / label / f"{number}.mp4", lambda t, r=rise: plain((20 + r * t,) * 3)(t), count, step_s)
    test = OwnClips(SMALL, str(tmp_path), replace(MIDDLE, stride_s=0.2), "test", 0)
    slow, fast = (levels(next(s["clip"] for s in test if s["label"] == label).numpy()) for label in (1, 0))
    assert np.diff(slow).tolist() == pytest.approx([20, 20, 20], abs=3)
    assert np.diff(fast).tolist() == pytest.approx([20, 20, 20], abs=6)


def test_mirror_and_crops_change_what_is_seen(tmp_path: Path) -> None:
    half = np.zeros((40, 48, 3), np.uint8)
    half[:, 24:] = 200  # bright on the right
    for label in ("a", "b"):
        for number in range(2):
            write_clip(tmp_path / label / f"{number}.mp4", lambda t: half)
    seen = OwnClips(SMALL, str(tmp_path), replace(MIDDLE, mirror=1), "train", 0)[0]["clip"]
    assert seen[..., :10].mean() > seen[..., 22:].mean()
    seen = OwnClips(SMALL, str(tmp_path), MIDDLE, "train", 0)[0]["clip"]
    assert seen[..., :10].mean() < seen[..., 22:].mean()
    varied = OwnClips(SMALL, str(tmp_path), replace(MIDDLE, draws=6, least_area=0.1), "train", 0)
    assert len({round(float(varied[i]["clip"].mean()), 3) for i in range(0, 12, 2)}) > 3
    rng = np.random.default_rng(0)
    for _ in range(200):
        top, left, height, width = random_crop((40, 48), 0.2, rng)
        assert 0 <= top <= 40 - height
        assert 0 <= left <= 48 - width
        assert height * width >= 0.15 * 40 * 48
        assert 0.65 <= width / height <= 1.45
    assert random_crop((4, 400), 0.9, rng) == (0, 198, 4, 4)  # none of that aspect fits


@pytest.mark.slow
def test_a_run_learns_from_a_folder_and_the_application_names_its_classes(folder: Path, tmp_path: Path) -> None:
    from onlooker.models.own.stts import SttsActions
    from onlooker.train.recipe import load_recipe
    from onlooker.training import train_recipe

    recipe = tmp_path / "own.toml"
    recipe.write_text(
        f'method = "stts"\nconfig = "tiny"\ntask = "classify"\n'
        "[model]\nframes = 4\nimage_size = [32, 32]\nnum_classes = 2\n"
        "[model.mvit]\ndepth = 2\ngrow_at = [1]\nkv_stride = [1, 4, 4]\n"
        "[model.selection]\nspace_at = 1\nnum_samples = 20\n"
        "[task_options]\nbackbone_waits = 0.0\nbackbone_rate = 1.0\n"
        f'[task_options.clips]\ntable = "{folder}"\n'
        "[task_options.clips.cutting]\nstride_s = 0.1\n"
        "[train]\nsteps = 8\nbatch_size = 8\n[train.optimiser]\nlearning_rate = 3e-3\n",
        encoding="utf-8",
    )
    result = train_recipe(load_recipe(str(recipe)), tmp_path / "run", device="cpu")
    assert result.metrics["top1"] == 100
    assert (tmp_path / "run" / "labels.txt").read_text(encoding="utf-8") == "bright\ndark\n"
    actions = SttsActions(str(tmp_path / "run"))
    found = actions.recognise([[plain((level,) * 3)(0)] * 6 for level in (180, 30)], top_k=1)
    assert [tags[0].label for tags in found] == ["bright", "dark"]


def test_tables_that_do_not_fit_are_refused_before_the_first_step(folder: Path) -> None:
    def clips(config: SttsConfig = SMALL, **options: object) -> object:
        return make_clips(config, ClipsConfig(table=str(folder), **options), "train")  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match=r"has 2 classes, the network 5; set `model.num_classes = 2`"):
        clips(replace(SMALL, num_classes=5))
    (folder / "bright" / "note.png").write_bytes(b"x")
    with pytest.raises(FormatError, match=r"note.png`: a clip to classify is a video with a class, got a picture"):
        clips()
    for options, message in (
        ({"draws": 1.5}, "`draws` is a whole number"),
        ({"mirror": 2}, "`mirror` is 0 to 1"),
        ({"stride_s": 0}, "`stride_s` is above 0"),
        ({"least_area": 1.2}, "`least_area` at most 1"),
    ):
        with pytest.raises(ConfigError, match=message):
            CuttingConfig(**options)  # type: ignore[arg-type]


def test_a_file_that_is_no_video_stops_the_run_with_its_name(folder: Path) -> None:
    for number in range(5):
        (folder / "dark" / f"{number}.mp4").write_text("no video")
    options = ClassifyOptions(ClipsConfig(table=str(folder), cutting=MIDDLE))
    config = TrainConfig(steps=4, batch_size=4, optimiser=OptimiserConfig(learning_rate=1e-3))
    with pytest.raises(FormatError, match=r"dark.*\.mp4"):
        train(ClassifyTask(Stts(SMALL), options), config, device="cpu")


def test_the_fingerprint_names_the_data(folder: Path) -> None:
    task = ClassifyTask(Stts(SMALL), ClassifyOptions(ClipsConfig(table=str(folder), cutting=MIDDLE)))
    assert task.data_fingerprint().startswith("train 8 videos")
    again = ClassifyTask(Stts(SMALL), ClassifyOptions(ClipsConfig(table=str(folder), cutting=MIDDLE, seed=1)))
    assert task.data_fingerprint() != again.data_fingerprint()
    assert "world='needle'" in ClassifyTask(Stts(SMALL), ClassifyOptions()).data_fingerprint()
