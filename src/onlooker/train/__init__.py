"""Training: a `Task` says what, a `TrainConfig` says how, `train` does it. Knows no method.

The names below load when they are first used, so that a method can import `onlooker.train.task` alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
    from onlooker.train.loop import train
    from onlooker.train.record import LogEvent, TrainResult
    from onlooker.train.task import Metric, Moment, ParameterGroup, Task

_HOMES = {
    "LogEvent": "onlooker.train.record",
    "Metric": "onlooker.train.task",
    "Moment": "onlooker.train.task",
    "OptimiserConfig": "onlooker.train.config",
    "ParameterGroup": "onlooker.train.task",
    "ScheduleConfig": "onlooker.train.config",
    "Task": "onlooker.train.task",
    "TrainConfig": "onlooker.train.config",
    "TrainResult": "onlooker.train.record",
    "train": "onlooker.train.loop",
}
__all__ = [
    "LogEvent",
    "Metric",
    "Moment",
    "OptimiserConfig",
    "ParameterGroup",
    "ScheduleConfig",
    "Task",
    "TrainConfig",
    "TrainResult",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module `onlooker.train` has no attribute `{name}`")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
