"""What a run leaves is what the application needs: nothing has to be put beside it by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onlooker.train.recipe import load_recipe
from onlooker.training import train_recipe

_SHORT = ("train.steps=2", "train.batch_size=4", "train.schedule.warmup_steps=0")


def _run(recipe: str, folder: Path, *more: str) -> Path:
    train_recipe(load_recipe(recipe, (*_SHORT, *more)), folder, device="cpu")
    return folder


def test_a_run_of_omnivl_describes_pictures_without_a_vocabulary_from_elsewhere(tmp_path: Path) -> None:
    from onlooker.methods.encoders.omnivl.infer import OmniVLDescriber

    few = [
        f"task_options.sources.{name}=8"
        for name in ("image_text", "video_text", "image_label", "video_label", "n_test")
    ]
    describer = OmniVLDescriber(weights=str(_run("omnivl/tiny", tmp_path / "run", *few)))
    vectors = describer.embed_texts(["a red circle"])
    assert vectors.shape == (1, describer.dim)
    assert np.isfinite(vectors).all()


def test_a_run_of_stts_names_its_classes(tmp_path: Path) -> None:
    from onlooker.models.own.stts import SttsActions

    folder = _run("stts/tiny", tmp_path / "run", "task_options.clips.n_test=4")
    names = (folder / "labels.txt").read_text(encoding="utf-8").split("\n")[:-1]
    clip = [np.zeros((64, 64, 3), np.uint8)] * 8
    (tags,) = SttsActions(weights=str(folder)).recognise([clip], top_k=2)
    assert {tag.label for tag in tags} <= set(names)


@pytest.mark.parametrize("recipe", ["omnivl/tiny", "stts/tiny"])
def test_companions_are_named_by_the_task_and_plain_text(recipe: str) -> None:
    from onlooker.training import resolve_recipe

    files = resolve_recipe(load_recipe(recipe, _SHORT)).task.companions()
    assert all("/" not in name and text.endswith("\n") for name, text in files.items())
    assert files
