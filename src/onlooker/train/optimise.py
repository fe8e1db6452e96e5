"""Parameter groups, optimisers and learning rates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.optim import Optimizer

from onlooker.errors import ConfigError
from onlooker.train.config import OptimiserConfig, ScheduleConfig
from onlooker.train.task import ParameterGroup, Task

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT

_BETAS = (0.9, 0.999)
_MOMENTUM = 0.9


def rate_factor(schedule: ScheduleConfig, step: int, total: int) -> float:
    """Factor of the learning rate for optimiser step `step` (0 first) of `total`."""
    if step < schedule.warmup_steps:
        return (step + 1) / schedule.warmup_steps
    if schedule.name == "constant":
        return 1.0
    if schedule.name == "step":
        return schedule.milestone_factor ** sum(step >= milestone for milestone in schedule.milestones)
    done = (step - schedule.warmup_steps) / max(1, total - schedule.warmup_steps)
    left = 1 - done if schedule.name == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return schedule.final_fraction + (1 - schedule.final_fraction) * left


def checked_groups(task: Task) -> tuple[ParameterGroup, ...]:
    """The task's parameter groups that hold something.

    Raises:
        ConfigError: a parameter is in two groups, or is trained and in none; a group holds a parameter that is frozen
            or not the task's; two groups share a name; nothing is trained at all.
    """
    groups = tuple(group for group in task.parameter_groups() if group.parameters)
    names = {id(parameter): name for name, parameter in task.named_parameters()}
    if len({group.name for group in groups}) != len(groups):
        raise ConfigError(f"parameter groups need different names, got {[group.name for group in groups]}")
    owner: dict[int, str] = {}
    for group in groups:
        for parameter in group.parameters:
            name = names.get(id(parameter))
            if name is None:
                raise ConfigError(f"parameter group `{group.name}` holds a parameter that is not part of the task")
            if id(parameter) in owner:
                raise ConfigError(f"`{name}` is in the parameter groups `{owner[id(parameter)]}` and `{group.name}`")
            if not parameter.requires_grad:
                raise ConfigError(f"`{name}` is in parameter group `{group.name}` but has `requires_grad` off")
            owner[id(parameter)] = group.name
    for name, parameter in task.named_parameters():
        if parameter.requires_grad and id(parameter) not in owner:
            raise ConfigError(f"`{name}` is in no parameter group; add it to one, or switch `requires_grad` off")
    if not owner:
        raise ConfigError(f"`{type(task).__name__}` has no parameter to train")
    return groups


def make_optimiser(config: OptimiserConfig, groups: tuple[ParameterGroup, ...], device: torch.device) -> Optimizer:
    """The optimiser over `groups`, in their order."""
    params: ParamsT = [
        {
            "params": list(group.parameters),
            "weight_decay": config.weight_decay if group.weight_decay is None else group.weight_decay,
        }
        for group in groups
    ]
    if config.name == "sgd":
        momentum = _MOMENTUM if config.momentum is None else config.momentum
        return torch.optim.SGD(params, lr=config.learning_rate, momentum=momentum)
    betas = config.betas or _BETAS
    if config.name == "adamw":
        # The fused kernel is several times quicker for networks of many small tensors.
        fused = device.type in ("cpu", "cuda")
        epsilon = 1e-8 if config.epsilon is None else config.epsilon
        return torch.optim.AdamW(params, lr=config.learning_rate, betas=betas, eps=epsilon, fused=fused)
    from timm.optim.lamb import Lamb  # timm takes a second to import and only this branch needs it

    epsilon = 1e-6 if config.epsilon is None else config.epsilon
    # Clipping is the loop's, over all groups and in sight of the recipe.
    lamb: Optimizer = Lamb(params, lr=config.learning_rate, betas=betas, eps=epsilon, max_grad_norm=None)
    return lamb


class Rates:
    """Learning rates of every group at every step.

    Args:
        learning_rate: the recipe's.
        schedule: of groups without their own.
        groups: in the optimiser's order.
        total: steps of the run.
    """

    def __init__(
        self, learning_rate: float, schedule: ScheduleConfig, groups: tuple[ParameterGroup, ...], total: int
    ) -> None:
        self._learning_rate, self._schedule, self._groups, self._total = learning_rate, schedule, groups, total

    def at(self, step: int) -> dict[str, float]:
        """Group name -> learning rate."""
        shared = rate_factor(self._schedule, step, self._total)
        return {
            group.name: self._learning_rate
            * group.rate
            * (shared if group.schedule is None else group.schedule(step, self._total))
            for group in self._groups
        }

    def set(self, optimiser: Optimizer, step: int) -> None:
        """Writes the rates of a step into the optimiser."""
        for group, rate in zip(optimiser.param_groups, self.at(step).values(), strict=True):
            group["lr"] = rate
