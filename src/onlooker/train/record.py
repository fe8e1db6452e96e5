"""What a run reports: events while it goes, a result at its end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from onlooker.train.task import Metric


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line of the log.

    Attributes:
        step: optimiser steps done, 1 after the first; `total` is the whole run.
        dataset: what fed the step.
        losses: parts of this step's loss, mean over the global batch.
        learning_rates: by parameter group.
        gradient_norm: of all gradients together, before clipping.
        seconds: since the run began, time before a stop included.
        samples_per_s: since the event before, without evaluations.
        evaluation: scores, where the step was followed by an evaluation.
    """

    step: int
    total: int
    dataset: str
    losses: Mapping[str, float]
    learning_rates: Mapping[str, float]
    gradient_norm: float
    seconds: float
    samples_per_s: float
    evaluation: Mapping[str, float] | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain data, ready for JSON; a number that is not finite becomes `None`."""
        plain: dict[str, object] = {
            "step": self.step,
            "total": self.total,
            "dataset": self.dataset,
            "losses": finite_or_none(self.losses),
            "learning_rates": dict(self.learning_rates),
            "gradient_norm": self.gradient_norm if math.isfinite(self.gradient_norm) else None,
            "seconds": round(self.seconds, 4),
            "samples_per_s": round(self.samples_per_s, 2),
        }
        return plain if self.evaluation is None else {**plain, "evaluation": finite_or_none(self.evaluation)}


@dataclass(frozen=True)
class TrainResult:
    """How a run ended.

    Attributes:
        status: "finished", or "interrupted" by a signal with a checkpoint written.
        step: optimiser steps done.
        metric: what the run is judged by.
        metrics: scores of the last evaluation, `metric.name` among them; empty where the run was interrupted.
        weights: what `task.network` now holds: the moving average, or the weights of the last step.
        seconds: of training, time before a stop included.
        history: the events of this process's part of the run.
        folder: where the run was written, if it was.
    """

    status: Literal["finished", "interrupted"]
    step: int
    metric: Metric
    metrics: Mapping[str, float]
    weights: Literal["average", "last step"]
    seconds: float
    history: tuple[LogEvent, ...] = ()
    folder: Path | None = None

    @property
    def value(self) -> float:
        """The score the run is judged by.

        Raises:
            KeyError: the run was interrupted before it was evaluated.
        """
        return self.metrics[self.metric.name]

    def to_dict(self) -> dict[str, object]:
        """Plain data, ready for JSON, without the history."""
        value = self.metrics.get(self.metric.name)
        return {
            "status": self.status,
            "metric": {
                "name": self.metric.name,
                "unit": self.metric.unit,
                "higher_is_better": self.metric.higher_is_better,
                "value": value if value is None or math.isfinite(value) else None,
            },
            "metrics": finite_or_none(self.metrics),
            "step": self.step,
            "seconds": round(self.seconds, 3),
            "weights": self.weights,
        }


@dataclass(frozen=True)
class RunIdentity:
    """What a run folder needs to know of a run beyond its task object, which does not know its own name.

    Attributes:
        method: catalogue name, stored beside the final weights so that `onlooker.build` knows what they are.
        config: of the network, plain data.
        recipe: everything the run was made from, plain data; kept as `recipe.toml`.
    """

    method: str
    config: Mapping[str, object]
    recipe: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def finite_or_none(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
