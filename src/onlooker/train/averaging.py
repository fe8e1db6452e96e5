"""An exponential moving average of a network's parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from onlooker.errors import TrainingError


class MovingAverage:
    """average <- decay * average + (1 - decay) * parameter, after every step, starting at the first weights.

    Buffers (running statistics) are not averaged: the network's own stay in use.

    Args:
        network: whose parameters are averaged, the frozen ones too.
        decay: in (0, 1).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._parameters: dict[str, Tensor] = dict(network.named_parameters())
        self._averages = {name: parameter.detach().clone() for name, parameter in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """One step of the average."""
        torch._foreach_lerp_(list(self._averages.values()), list(self._parameters.values()), 1 - self._decay)

    def state(self) -> dict[str, Tensor]:
        """The averages, by parameter name."""
        return dict(self._averages)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from stored averages.

        Raises:
            TrainingError: they belong to another network.
        """
        if set(state) != set(self._averages):
            raise TrainingError("the stored averages do not belong to this network; start in a new folder")
        for name, average in self._averages.items():
            average.copy_(state[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the block the network holds the averages; afterwards its own parameters again, bit by bit."""
        kept = {name: parameter.detach().clone() for name, parameter in self._parameters.items()}
        self.write()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in self._parameters.items():
                    parameter.copy_(kept[name])

    @torch.no_grad()
    def write(self) -> None:
        """Puts the averages into the network for good."""
        for name, parameter in self._parameters.items():
            parameter.copy_(self._averages[name])
