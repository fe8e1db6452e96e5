"""Bad input to the networks of the three encoders: every message is ours and says what to do."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import onlooker
from onlooker.catalogue import load_definition
from onlooker.errors import ShapeError
from onlooker.nn.inputs import check_pixels, check_token_ids

WEIGHT = torch.zeros(1)
PIXELS = {"perception_encoder": "image", "omnivl": "vision", "stts": "clip"}
WORDS = {"perception_encoder": "text", "omnivl": "text_ids"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_bad_value_among_good_ones_is_found(value: float) -> None:
    pixels = torch.rand(2, 3, 4, 4)
    check_pixels(pixels, WEIGHT, "a picture")
    pixels[1, 2, 3, 3] = value
    with pytest.raises(ShapeError, match="a picture holds NaN or infinity"):
        check_pixels(pixels, WEIGHT, "a picture")


def test_other_floats_pass_where_autocast_converts_them() -> None:
    pixels = torch.rand(1, 3, dtype=torch.bfloat16)
    with pytest.raises(ShapeError, match=r"is torch.bfloat16, weights are torch.float32; convert with"):
        check_pixels(pixels, WEIGHT, "a picture")
    with torch.autocast("cpu", torch.bfloat16):
        check_pixels(pixels, WEIGHT, "a picture")


def test_ids_end_before_the_vocabulary() -> None:
    check_token_ids(torch.tensor([[0, 9]]), 10)
    check_token_ids(torch.zeros(0, 3, dtype=torch.int64), 10)
    for ids, shown in (([0, 10], "10"), ([-1, 3], "-1")):
        with pytest.raises(ShapeError, match=f"from 0 to 9, got {shown}"):
            check_token_ids(torch.tensor([ids]), 10)


CHANGES: dict[str, Callable[[Tensor], object]] = {
    "NaN": lambda pixels: pixels * torch.nan,
    "double": lambda pixels: pixels.double(),
    "bytes": lambda pixels: pixels.byte(),
    "numpy": lambda pixels: np.asarray(pixels),
    "no sample": lambda pixels: pixels[:0],
    "grey": lambda pixels: pixels[:, :1],
    "one dimension less": lambda pixels: pixels[0],
}


def network_and_example(method: str) -> tuple[nn.Module, dict[str, Tensor]]:
    network, definition = onlooker.build(method, "tiny"), load_definition(method)
    return network, definition.example(definition.resolve("tiny"), 2, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("method", PIXELS)
@pytest.mark.parametrize("change", CHANGES)
def test_bad_pixels_are_refused_before_they_are_used(method: str, change: str) -> None:
    network, example = network_and_example(method)
    with pytest.raises(ShapeError):
        network(**{**example, PIXELS[method]: CHANGES[change](example[PIXELS[method]])})


@pytest.mark.parametrize("method", WORDS)
@pytest.mark.parametrize("wrong", [-1, 10**6])
def test_words_of_another_vocabulary_are_refused(method: str, wrong: int) -> None:
    network, example = network_and_example(method)
    ids = example[WORDS[method]].clone()
    ids[0, 1] = wrong
    with pytest.raises(ShapeError, match=f"got {wrong}; is it another model's tokenizer"):
        network(**{**example, WORDS[method]: ids})


@pytest.mark.parametrize("ids", [torch.zeros(2, 0, dtype=torch.int64), torch.ones(5, dtype=torch.int64)])
def test_a_caption_without_tokens_or_rows_is_refused(ids: Tensor) -> None:
    network = onlooker.build("omnivl", "tiny-caption")
    with pytest.raises(ShapeError):
        network(torch.rand(2, 3, 48, 48), ids)


def test_a_caption_for_every_picture() -> None:
    network = onlooker.build("omnivl", "tiny-caption")
    with pytest.raises(ShapeError, match="got 3 and 2"):
        network(torch.rand(2, 3, 48, 48), torch.full((3, 5), 5))


def test_a_class_for_every_picture() -> None:
    network, example = network_and_example("omnivl")
    with pytest.raises(ShapeError, match=r"`target` holds a class for each of the 2 items, got \(1,\)"):
        network(**{**example, "target": torch.zeros(1, dtype=torch.int64)})


@pytest.mark.parametrize("method", PIXELS)
def test_networks_can_be_sent_to_another_process(method: str) -> None:
    network, _ = network_and_example(method)
    again = pickle.loads(pickle.dumps(network)).state_dict()
    assert all(again[name].equal(tensor) for name, tensor in network.state_dict().items())
