"""UniVLC, hard negatives and the queues, worked out by hand."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from onlooker.errors import ShapeError
from onlooker.methods.encoders.omnivl import losses
from onlooker.methods.encoders.omnivl.config import ContrastConfig, OmniVLConfig, TextConfig, VisualConfig
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.queues import KeyQueue, StepKeys

SMALL = OmniVLConfig(
    visual=VisualConfig(
        image_size=16, patch_size=8, width=24, depth=1, heads=2, num_frames=4, time_stride=2, drop_path=0.0
    ),
    text=TextConfig(
        vocab_size=32, width=24, layers=1, heads=2, ffn=32, max_positions=32, dropout=0.0, cls_id=2, sep_id=3
    ),
    embed_dim=8,
    contrast=ContrastConfig(queue_size=12, momentum=0.5),
)


def unit(*shape: int, seed: int) -> torch.Tensor:
    return functional.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def model(**contrast: object) -> OmniVLPretrain:
    torch.manual_seed(0)
    return OmniVLPretrain(replace(SMALL, contrast=replace(SMALL.contrast, **contrast))).eval()  # type: ignore[arg-type]


def batch(size: int = 4, clip: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(1)
    shape = (size, 3, 4, 16, 16) if clip else (size, 3, 16, 16)
    ids = torch.randint(5, 30, (size, 6), generator=made)
    ids[:, 0], ids[:, -1] = 2, 3
    return torch.randn(shape, generator=made), ids


def test_captions_alone_give_plain_contrast_of_pairs() -> None:
    v, keys = unit(5, 8, seed=1), unit(12, 8, seed=2)
    logits = v @ keys.T / 0.07
    same = losses.same_class(torch.zeros(5, dtype=torch.int64), torch.zeros(7, dtype=torch.int64))
    assert torch.equal(same, torch.eye(5, 12, dtype=torch.bool))
    ours = losses.contrast(logits, losses.univlc_targets(same, logits, 0.0))
    torch.testing.assert_close(ours, functional.cross_entropy(logits, torch.arange(5)))


def test_labels_give_supervised_contrast_in_sum_form() -> None:
    target, queue = torch.tensor([3, 5, 3]), torch.tensor([5, 3, 0, 7])
    logits = torch.randn(3, 7, generator=torch.Generator().manual_seed(3))
    log_p = logits.log_softmax(1)
    positives = [[0, 2, 4], [1, 3], [0, 2, 4]]  # sample -> columns of its class, by hand
    expected = -sum(log_p[row, columns].sum() for row, columns in enumerate(positives)) / 3
    same = losses.same_class(target, queue)
    torch.testing.assert_close(losses.contrast(logits, losses.univlc_targets(same, logits, 0.0)), expected)
    divided = -sum(log_p[row, columns].mean() for row, columns in enumerate(positives)) / 3
    targets = losses.univlc_targets(same, logits, 0.0, normalise_positives=True)
    torch.testing.assert_close(losses.contrast(logits, targets), divided)


def test_two_captions_are_never_each_others_positives_but_equal_classes_are() -> None:
    same = losses.same_class(torch.tensor([0, 0, 4]), torch.tensor([0, 4]))
    assert same.tolist() == [
        [True, False, False, False, False],
        [False, True, False, False, False],
        [False, False, True, False, True],
    ]


def test_soft_targets_mix_the_momentum_copies_opinion() -> None:
    same = torch.tensor([[True, False]])
    targets = losses.univlc_targets(same, torch.tensor([[0.0, 0.0]]), 0.4)
    torch.testing.assert_close(targets, torch.tensor([[0.8, 0.2]]))


def test_hard_negatives_are_never_of_the_same_class_and_likelier_when_alike() -> None:
    logits = torch.tensor([[9.0, 2.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 9.0]])
    same = losses.same_class(torch.tensor([1, 0, 1]), torch.zeros(0, dtype=torch.int64))
    weights = losses.sampling_weights(logits, logits, same)
    assert weights.vision_to_text[0, 0] == weights.vision_to_text[0, 2] == 0
    drawn = losses.draw_negatives(weights, torch.Generator().manual_seed(0))
    assert drawn is not None
    assert drawn.text_for_image[0] == drawn.image_for_text[0] == 1
    assert drawn.text_for_image[1] in (0, 2)


def test_a_batch_of_one_class_goes_without_matching_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    network = model()
    vision, ids = batch(3)
    with caplog.at_level(logging.WARNING):
        output = network(vision, ids, torch.tensor([2, 2, 2]))
    assert output.loss_itm == 0
    assert output.match_logits is None
    assert "single class" in caplog.text
    output.loss.backward()
    assert network.itm_head.weight.grad is None
    assert network(*batch(1)).negatives is None


def test_negative_class_ids_are_refused() -> None:
    with pytest.raises(ShapeError, match="class ids start at 1"):
        losses.same_class(torch.tensor([0, -1]), torch.zeros(2, dtype=torch.int64))


def test_matching_labels_the_first_third_as_fitting() -> None:
    logits = torch.tensor([[0.0, 20.0], [20.0, 0.0], [20.0, 0.0]])
    assert losses.matching_loss(logits) < 1e-6
    assert losses.matching_loss(logits.flip(1)) > 19


def test_queue_is_a_ring_that_keeps_ids_and_refuses_batches_that_do_not_divide_it() -> None:
    queue = KeyQueue(4, 3, labelled=True)
    for step in range(3):
        keys = StepKeys(
            torch.full((2, 3), float(step)), torch.full((2, 3), -float(step)), torch.tensor([step, 9]), True
        )
        queue.enqueue(keys)
    assert queue.vision[0].tolist() == [2.0, 2.0, 1.0, 1.0]
    assert queue.text[0].tolist() == [-2.0, -2.0, -1.0, -1.0]
    assert queue.class_ids().tolist() == [2, 9, 1, 9]
    assert int(queue.pointer) == 2
    with pytest.raises(ShapeError, match="must divide the queue size"):
        queue.enqueue(StepKeys(torch.ones(3, 3), torch.ones(3, 3), torch.zeros(3, dtype=torch.int64), True))


def test_clips_and_images_fill_their_own_queue_and_a_forward_fills_none() -> None:
    network = model()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    output = network(*batch(4, clip=True))
    assert all(tensor.equal(before[name]) for name, tensor in network.state_dict().items())
    network.finish_step(output)
    assert network.clip_step_keys.vision[:, :4].T.equal(output.keys.vision)
    assert network.image_step_keys.vision.equal(before["image_step_keys.vision"])
    network.finish_step(network(*batch(4)))
    assert int(network.image_step_keys.pointer) == 4


@pytest.mark.parametrize("own", [False, True])
def test_clips_read_the_queue_of_images_unless_the_flag_says_otherwise(own: bool) -> None:
    network = model(per_modality_queue=own)
    vision, ids = batch(4, clip=True)
    before = network(vision, ids).loss_ita
    network.image_step_keys.vision.copy_(unit(12, 8, seed=4).T)
    changed_images = network(vision, ids).loss_ita
    assert changed_images.equal(before) is own
    network.clip_step_keys.vision.copy_(unit(12, 8, seed=5).T)
    assert network(vision, ids).loss_ita.equal(changed_images) is not own


def test_prepare_step_moves_the_copies_and_bounds_the_temperature() -> None:
    network = model()
    with torch.no_grad():
        network.temp.fill_(3.0)
        network.vision_proj.weight.add_(1.0)
        kept = network.vision_proj_m.weight.clone()
    network.prepare_step()
    assert network.temp.item() == 0.5
    torch.testing.assert_close(network.vision_proj_m.weight, kept + 0.5)


def test_plain_pairs_ignore_the_class_ids() -> None:
    network = model(kind="pairs")
    vision, ids = batch(4)
    assert network.image_step_keys.ids is None
    negatives = losses.HardNegatives(torch.tensor([1, 2, 3, 0]), torch.tensor([1, 2, 3, 0]))
    labelled = network(vision, ids, torch.tensor([1, 1, 1, 1]), 0.0, negatives)
    assert labelled.loss_ita.equal(network(vision, ids, None, 0.0, negatives).loss_ita)


def test_image_steps_leave_temporal_gradients_empty() -> None:
    network = model()
    network(*batch(4)).loss.backward()
    temporal = [p.grad for name, p in network.visual_encoder.named_parameters() if ".temporal_" in name]
    assert temporal
    assert all(grad is None for grad in temporal)
    assert network.visual_encoder.time_embed.grad is not None  # slot 0 is on images, too


def test_decoder_shares_all_but_its_self_attention_and_head() -> None:
    network = model()
    encoder = {id(p) for p in network.text_encoder.parameters()}
    own = [name for name, p in network.text_decoder.named_parameters() if id(p) not in encoder]
    assert own
    assert all(".attention." in name or "cls.predictions" in name for name in own)
    assert not any("text_decoder.bert.embeddings" in name for name in network.state_dict())
    apart = OmniVLPretrain(replace(SMALL, share_weights=False))
    shared = {id(p) for p in apart.text_encoder.parameters()} & {id(p) for p in apart.text_decoder.parameters()}
    assert not shared


def test_retrieval_head_has_no_decoder_and_no_generation_loss() -> None:
    network = OmniVLPretrain(replace(SMALL, head="retrieval")).eval()
    assert network.text_decoder is None
    assert network(*batch(4)).loss_lm == 0
