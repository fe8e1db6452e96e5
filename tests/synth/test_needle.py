"""Needle clips: the class is told in the signal frames and regions, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.evaluation.probe import ProbeConfig, probe_accuracy_percent
from onlooker.synth.needle import NeedleConfig, NeedleWorld
from onlooker.synth.pictures import NuisanceConfig

CONFIG = NeedleConfig()


def clips(config, n):
    world = NeedleWorld(config, 1)
    return [world[i] for i in range(n)]


def test_only_the_signal_frames_show_the_needle():
    times = np.zeros(CONFIG.n_frames)
    for clip in clips(CONFIG, 80):
        shown = (clip.instance_masks == clip.main_id).any(axis=(1, 2))
        assert (shown == clip.signal_frames).all()
        assert shown.sum() == CONFIG.n_signal
        times += shown
    assert (times > 5).all(), "any frame may be a signal frame"


def test_every_frame_shows_as_many_sprites():
    # One without overlap: a fixed distractor count must not tell signal frames from others.
    for clip in clips(replace(CONFIG, n_distractors=(1, 1)), 30):
        assert (clip.instance_masks > 0).any(axis=(1, 2)).all()
        assert all(len(np.unique(mask)) == 2 for mask in clip.instance_masks)


def test_distractors_are_of_other_shapes_and_colours_do_not_tell():
    agree = 0
    for clip in clips(CONFIG, 80):
        assert clip.label in CONFIG.classes
        assert all(t.shape in CONFIG.distractors for t in clip.tracks if t is not clip.main)
        agree += any(t.colour == clip.main.colour for t in clip.tracks if t is not clip.main)
    assert agree > 8, "needle and distractors share their colours"


@pytest.mark.parametrize(("places", "stays"), [("fixed", True), ("jumping", False)])
def test_sprites_stay_or_jump_as_asked(places, stays):
    for clip in clips(replace(CONFIG, places=places), 10):
        assert all((np.ptp(track.poses.x) == 0) == stays for track in clip.tracks)


def test_sprites_hardly_ever_overlap():
    gaps = []
    for clip in clips(replace(CONFIG, n_distractors=(3, 3)), 30):
        a, b = clip.tracks[0].poses, clip.tracks[1].poses
        gaps.extend(np.hypot(a.x - b.x, a.y - b.y) / (a.radius + b.radius))
    assert np.mean(np.array(gaps) > 0.9) > 0.95


def test_a_shortcut_on_mean_colour_stays_near_chance():
    sample = clips(CONFIG, 450)
    thin = [c.frames[:, ::2, ::2].astype(np.float32) for c in sample]
    x = torch.tensor(np.stack([np.r_[f.mean((0, 1, 2)), f.std((0, 1, 2))] for f in thin]))
    y = torch.tensor([CONFIG.classes.index(c.label) for c in sample])
    score = probe_accuracy_percent((x[:300], y[:300]), (x[300:], y[300:]), 5, ProbeConfig("ridge", 1e-2))
    assert score < 31  # chance 20 %, a standard deviation of 150 tests is 3.3 points


def test_needles_are_deterministic_and_splits_differ():
    first, again = (NeedleWorld(CONFIG, 3)[4].frames.tobytes() for _ in range(2))
    assert first == again
    assert NeedleWorld(CONFIG, 3, "test")[4].frames.tobytes() != first
    assert NeedleWorld(CONFIG, 4)[4].frames.tobytes() != first


def test_settings_that_make_no_needle_are_refused():
    for changes in (
        {"n_signal": 0},
        {"n_signal": 9},
        {"classes": ("ring", "star")},
        {"classes": ("star",)},
        {"n_distractors": (0, 2)},
    ):
        with pytest.raises(ConfigError):
            replace(CONFIG, **changes)
    with pytest.raises(UnknownNameError, match="square"):
        replace(CONFIG, classes=("sqare", "star"))
    with pytest.raises(UnknownNameError):
        NeedleWorld(CONFIG, 0, "held_out")
    with pytest.raises(IndexError):
        NeedleWorld(CONFIG, 0)[-1]


def test_many_nuisances_do_not_disturb_the_needle():
    config = replace(CONFIG, nuisance=NuisanceConfig(n_specks=(4, 8), noise_std=20))
    assert all(clip.signal_frames.sum() == CONFIG.n_signal for clip in clips(config, 10))
