"""Linear probes on data with a known answer; labels that travel along known features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from onlooker.errors import ConfigError, ShapeError
from onlooker.evaluation.probe import ProbeConfig, fit_probe, probe_accuracy_percent
from onlooker.evaluation.propagation import PropagationConfig, propagate_labels
from onlooker.evaluation.segmentation import video_scores


def blobs(n: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    centres = torch.tensor([[4.0, 0.0, 100.0], [0.0, 4.0, 100.0], [-4.0, -4.0, 100.0]])
    return centres[labels] + torch.randn(n, 3, generator=generator), labels


@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_separable_classes_are_separated_whatever_the_scale(kind):
    train, test = blobs(90, 0), blobs(90, 1)
    config = ProbeConfig(kind)
    assert probe_accuracy_percent(train, test, 3, config) > 97
    scaled = tuple((x * torch.tensor([1e-3, 1e3, 1.0]), y) for x, y in (train, test))
    assert probe_accuracy_percent(*scaled, 3, config) == probe_accuracy_percent(train, test, 3, config)


@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_noise_gives_chance_and_the_same_every_time(kind):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(600, 8, generator=generator), torch.arange(600) % 4
    runs = [probe_accuracy_percent((x[:300], y[:300]), (x[300:], y[300:]), 4, ProbeConfig(kind)) for _ in range(2)]
    assert runs[0] == runs[1]
    assert 15 < runs[0] < 35


def test_ridge_solves_its_equation():
    """One feature of values -1 and 1, two balanced classes: slope 0.5 / (1 + penalty), worked out by hand."""
    x, y = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]]), torch.tensor([0, 0, 1, 1])
    probe = fit_probe(x, y, 2, ProbeConfig("ridge", penalty=0.25))
    assert probe.weight.tolist() == [pytest.approx([-0.4, 0.4])]
    assert probe.bias.tolist() == pytest.approx([0.5, 0.5])


def test_logistic_stands_at_a_minimum():
    x, y = blobs(60, 0)
    x = torch.nn.functional.layer_norm(x.T, (60,)).T  # unit variance, so that penalties agree
    probe = fit_probe(x, y, 3, ProbeConfig("logistic", penalty=0.1))
    weight, bias = (v.clone().requires_grad_() for v in (probe.weight, probe.bias))
    loss = torch.nn.functional.cross_entropy(x.double() @ weight + bias, y) + 0.1 * weight.square().sum()
    loss.backward()
    assert max(weight.grad.abs().max(), bias.grad.abs().max()) < 1e-4


def test_a_feature_that_never_changes_is_harmless_and_bad_input_is_refused():
    x, y = blobs(30, 0)
    constant = torch.cat([x, torch.ones(30, 1)], dim=1)
    torch.testing.assert_close(fit_probe(constant, y, 3).scores(constant), fit_probe(x, y, 3).scores(x))
    for features, labels in ((x, y[:5]), (x * torch.nan, y), (x, y + 1), (x[:0], y[:0])):
        with pytest.raises(ShapeError):
            fit_probe(features, labels, 3)
    with pytest.raises(ConfigError):
        ProbeConfig(penalty=0)


# --- propagation ---


def moving_square(n_frames: int = 6, size: int = 12):
    """(T, H, W) labels of a 4x4 square that moves one column a frame, and features that tell it from the ground."""
    masks = torch.zeros(n_frames, size, size, dtype=torch.int64)
    for t in range(n_frames):
        masks[t, 4:8, 1 + t : 5 + t] = 7
    return masks, torch.nn.functional.one_hot(masks // 7, 2).float()


def test_labels_follow_perfect_features():
    masks, features = moving_square()
    found = propagate_labels(features, masks[0])
    assert torch.equal(found, masks)
    assert video_scores(found.numpy(), masks.numpy()) == (100.0, 100.0)


def test_mute_features_leave_the_labels_where_they_were():
    masks, _ = moving_square()
    generator = torch.Generator().manual_seed(0)
    places = torch.randn(12, 12, 64, generator=generator).expand(6, -1, -1, -1)
    found = propagate_labels(places, masks[0])
    assert torch.equal(found, masks[:1].expand(6, -1, -1))


def test_labels_do_not_travel_beyond_the_radius():
    masks = torch.zeros(2, 12, 12, dtype=torch.int64)
    masks[0, 4:8, 0:3] = 1
    masks[1, 4:8, 9:12] = 1  # nine columns away
    features = torch.nn.functional.one_hot(masks, 2).float()
    assert (propagate_labels(features, masks[0], PropagationConfig(radius=3))[1, 4:8, 9:] == 0).all()
    assert torch.equal(propagate_labels(features, masks[0], PropagationConfig(radius=None)), masks)


def test_frames_are_not_read_before_their_time():
    masks, features = moving_square()
    changed = features.clone()
    changed[4:] = torch.rand(changed[4:].shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(propagate_labels(features, masks[0])[:4], propagate_labels(changed, masks[0])[:4])


def test_recent_frames_carry_what_the_first_no_longer_shows():
    """Features turn a little every frame: the last one is nearer to its neighbour than to the first frame's object."""
    masks, _ = moving_square(8, 16)
    angle = torch.where(masks == 7, 0.0, 1.4) + 0.35 * torch.arange(8)[:, None, None]
    features = torch.stack([angle.cos(), angle.sin()], dim=-1)
    score = {
        n: video_scores(propagate_labels(features, masks[0], PropagationConfig(n)).numpy(), masks.numpy()).j_percent
        for n in (0, 2)
    }
    assert score[2] > score[0] + 10


def test_masks_return_at_their_own_size_with_their_own_ids():
    masks, features = moving_square()
    full = masks.repeat_interleave(4, 1).repeat_interleave(4, 2)
    found = propagate_labels(features, full[0])
    assert found.shape == (6, 48, 48)
    assert found.unique().tolist() == [0, 7]
    assert video_scores(found.numpy(), full.numpy()).j_percent > 85
    assert torch.equal(propagate_labels(features[:1], full[0]), full[:1])


def test_features_and_masks_that_do_not_fit_are_refused():
    masks, features = moving_square()
    for bad_features, bad_mask in (
        (features[0], masks[0]),
        (features * np.nan, masks[0]),
        (features, masks),
        (features, masks[0].float()),
        (features, masks[0] - 1),
    ):
        with pytest.raises(ShapeError):
            propagate_labels(bad_features, bad_mask)
    for changes in ({"top_k": 0}, {"temperature": 0.0}, {"radius": -1}, {"recent_frames": -1}):
        with pytest.raises(ConfigError):
            PropagationConfig(**changes)
