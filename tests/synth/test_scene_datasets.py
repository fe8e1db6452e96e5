"""Tensors of scenes: shapes, values and what each sample says."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader

from onlooker.errors import ConfigError
from onlooker.synth.actions import ACTIONS
from onlooker.synth.datasets import Captioned, Labelled, Normalisation, SceneDataset, materialise
from onlooker.synth.needle import NeedleConfig, NeedleWorld
from onlooker.synth.sprites import SHAPES
from onlooker.synth.words import WordTokenizer, world_vocabulary
from onlooker.synth.worlds import CLIPS, STILLS, World

TOKENIZER = WordTokenizer(world_vocabulary())


def captioned(config, **changes):
    return SceneDataset(World(config, 0), 6, Captioned(TOKENIZER, 24, SHAPES, ACTIONS, **changes))


def test_samples_hold_the_scene_they_were_made_of():
    dataset, world = captioned(CLIPS, wordings=(0, 4)), World(CLIPS, 0)
    for i in range(3):
        sample, scene = dataset[i], world[i]
        assert sample["pixels"].shape == (8, 3, 48, 48)
        back = (sample["pixels"] * 0.5 + 0.5) * 255
        assert torch.equal(back.round().byte(), torch.from_numpy(scene.frames).permute(0, 3, 1, 2))
        assert TOKENIZER.decode(sample["tokens"].tolist()) == scene.captions[(0, 4)[i % 2]]
        assert SHAPES[int(sample["label"])] == scene.label
        assert ACTIONS[int(sample["action"])] == scene.action


def test_still_pictures_have_no_time_axis_and_normalisation_is_an_argument():
    plain = captioned(STILLS, normalise=Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))[0]["pixels"]
    shifted = captioned(STILLS, normalise=Normalisation((0.5, 0.0, 0.0), (1.0, 0.5, 1.0)))[0]["pixels"]
    assert plain.shape == (3, 48, 48)
    assert 0 <= plain.min() < plain.max() <= 1
    torch.testing.assert_close(shifted, torch.stack([plain[0] - 0.5, plain[1] * 2, plain[2]]))


def test_labelled_needles_carry_signal_and_masks():
    config = NeedleConfig()
    dataset = SceneDataset(NeedleWorld(config, 0), 4, Labelled(config.classes, lambda scene: scene.label))
    batch = next(iter(DataLoader(dataset, batch_size=4)))
    assert batch["pixels"].shape == (4, 8, 3, 48, 48)
    assert batch["signal"].sum(1).tolist() == [2] * 4
    assert batch["masks"].dtype == torch.int64
    assert batch["label"].max() < 5


def test_rendered_samples_equal_fresh_ones():
    dataset = captioned(STILLS)
    rendered = materialise(dataset, 3)
    assert len(rendered) == 3
    assert all(torch.equal(rendered[i]["pixels"], dataset[i]["pixels"]) for i in range(3))
    assert len(materialise(dataset)) == 6


def test_indices_and_counts_out_of_range_are_refused():
    dataset = captioned(STILLS)
    for index in (-1, 6):
        with pytest.raises(IndexError):
            dataset[index]
    for n in (0, 7):
        with pytest.raises(ConfigError):
            materialise(dataset, n)
    with pytest.raises(ConfigError):
        SceneDataset(World(STILLS, 0), 0, Captioned(TOKENIZER, 24, SHAPES, ACTIONS))
