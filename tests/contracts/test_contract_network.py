"""What the network of every method does: shapes, gradients, determinism, independence of samples."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest
import torch
from contract_tools import BATCHES, Tiny, assert_near, generator
from torch import Tensor, nn

from onlooker.methods.definition import Method


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("batch", [1, *BATCHES])
def test_outputs_have_the_documented_shapes_and_are_finite(tiny: Tiny, batch: int, training: bool) -> None:
    found = tiny.run(tiny.copied_network().train(training), tiny.inputs(batch))
    documented = tiny.method.output_shapes(tiny.config, batch)
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == dict(documented)
    for name, tensor in found.items():
        assert tensor.isfinite().all(), f"output `{name}` is not finite"


def test_outputs_follow_the_batch_unless_listed(tiny: Tiny) -> None:
    documented = {batch: tiny.method.output_shapes(tiny.config, batch) for batch in BATCHES}
    assert tiny.method.not_batched <= set(documented[BATCHES[0]]), "`not_batched` names outputs that do not exist"
    for batch, shapes in documented.items():
        for name, shape in shapes.items():
            if name not in tiny.method.not_batched:
                assert shape, f"output `{name}` has no batch dimension"
                assert shape[0] == batch, f"output `{name}`: {shape} at batch size {batch}"


def test_every_parameter_gets_a_gradient_or_is_excused(tiny: Tiny) -> None:
    network = _shaken(tiny.copied_network())
    outputs = tiny.run(network, tiny.inputs(2))
    _weighted_sum(outputs).backward()
    patterns = tiny.method.no_gradient
    names = [name for name, _ in network.named_parameters()]
    unused = [pattern for pattern in patterns if not fnmatch.filter(names, pattern)]
    assert not unused, f"`no_gradient` names parameters that do not exist: {unused}"
    assert all(patterns.values()), "`no_gradient` gives a reason for each pattern"
    without = []
    for name, parameter in network.named_parameters():
        has_gradient = parameter.grad is not None and bool(parameter.grad.abs().max() > 0)
        assert parameter.grad is None or parameter.grad.isfinite().all(), f"gradient of `{name}` is not finite"
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            assert not has_gradient, f"`{name}` is listed in `no_gradient` and gets one"
        elif not has_gradient:
            without.append(name)
    assert not without, f"{len(without)} parameters get no gradient: {without[:8]}"


def _shaken(network: nn.Module) -> nn.Module:
    """Random weights everywhere: a layer that starts at zero hides the gradients of all before it."""
    noise = generator("shake")
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.is_floating_point():
                parameter.add_(torch.randn(parameter.shape, generator=noise).to(parameter), alpha=0.02)
    return network.train()


def _weighted_sum(outputs: dict[str, Tensor]) -> Tensor:
    """A scalar to which every element contributes differently, so that normalised outputs do not cancel."""
    noise = generator("weights")
    terms = [
        (tensor.double() * torch.randn(tensor.shape, generator=noise)).sum()
        for tensor in outputs.values()
        if tensor.requires_grad
    ]
    assert terms, "no output depends on a parameter"
    return torch.stack(terms).sum()


def test_same_seed_gives_the_same_network_and_another_seed_another(method: Method[Any]) -> None:
    tiny = Tiny(method, method.configs["tiny"])
    first, second, other = tiny.network(3).state_dict(), tiny.network(3).state_dict(), tiny.network(4).state_dict()
    assert all(first[name].equal(second[name]) for name in first)
    assert any(not first[name].equal(other[name]) for name in first)


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_same_seed_gives_the_same_outputs(tiny: Tiny, training: bool) -> None:
    first, second = (tiny.run(tiny.network().train(training), tiny.inputs(2), noise_seed=5) for _ in range(2))
    for name in first:
        assert first[name].equal(second[name]), f"output `{name}` differs between two runs from one seed"


def test_the_global_generator_is_left_alone(tiny: Tiny) -> None:
    before = torch.random.get_rng_state()
    network = tiny.copied_network().eval()
    inputs = tiny.inputs(2)
    with torch.no_grad():
        tiny.method.run(network, inputs)
    assert torch.random.get_rng_state().equal(before)


def test_examples_depend_on_their_generator_alone(tiny: Tiny) -> None:
    first, second = tiny.inputs(2, seed=1), tiny.inputs(2, seed=1)
    assert all(first[name].equal(second[name]) for name in first)
    floats = [name for name in first if first[name].is_floating_point()]
    other = tiny.inputs(2, seed=2)
    assert any(not first[name].equal(other[name]) for name in floats or first)


def test_inputs_are_left_as_they_were(tiny: Tiny) -> None:
    inputs = tiny.inputs(2)
    kept = {name: tensor.clone() for name, tensor in inputs.items()}
    tiny.run(tiny.copied_network().train(), inputs)
    assert list(inputs) == list(kept)
    for name, tensor in inputs.items():
        assert tensor.equal(kept[name]), f"input `{name}` was changed"


def test_a_batch_of_two_equals_two_batches_of_one(tiny: Tiny) -> None:
    network, inputs = tiny.copied_network().eval(), tiny.inputs(2)
    with torch.no_grad():
        together = tiny.run(network, inputs)
        alone = [tiny.run(network, tiny.take(inputs, [sample])) for sample in range(2)]
    for name in set(together) - tiny.method.not_batched:
        assert_near(torch.cat([outputs[name] for outputs in alone]), together[name], f"output `{name}`")


def test_a_permuted_batch_gives_permuted_outputs(tiny: Tiny) -> None:
    order = [2, 0, 1]
    network, inputs = tiny.copied_network().eval(), tiny.inputs(3)
    with torch.no_grad():
        straight = tiny.run(network, inputs)
        permuted = tiny.run(network, tiny.take(inputs, order))
    for name in set(straight) - tiny.method.not_batched:
        assert_near(permuted[name], straight[name][order], f"output `{name}`")


def test_two_networks_in_one_process_do_not_meet(tiny: Tiny) -> None:
    inputs = tiny.inputs(2)
    first = tiny.network(0).eval()
    with torch.no_grad():
        before = tiny.run(first, inputs)
        tiny.run(_shaken(tiny.network(1)).eval(), tiny.inputs(3, seed=9))
        after = tiny.run(first, inputs)
    for name in before:
        assert before[name].equal(after[name]), f"output `{name}` changed because another network ran"
