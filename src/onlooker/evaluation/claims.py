"""A statement of a paper that is checked here: what is compared, in which setting, and when it counts as held."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onlooker.errors import ConfigError

Scores = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Claim:
    """One statement and the experiment for it.

    Attributes:
        name: lower-case words joined by `_`; names the result file.
        statement: what the paper says, in our words, with its place there.
        setting: what is run here: data, sizes, steps, what is held equal between the arms.
        metric, unit: what `run` returns.
        arms: what is compared, the paper's own way first.
        run: seed -> arm -> score. Deterministic in the seed.
        holds: (arm -> scores over seeds) -> whether the statement held. Fixed before the runs.
        gate: the same in words.
        higher_is_better: which way the metric points.
        seeds: at least three.
        minutes: about how long one seed takes on two cores.
    """

    name: str
    statement: str
    setting: str
    metric: str
    unit: str
    arms: tuple[str, ...]
    run: Callable[[int], Mapping[str, float]]
    holds: Callable[[Scores], bool]
    gate: str
    higher_is_better: bool = True
    seeds: tuple[int, ...] = (0, 1, 2)
    minutes: float = 1.0

    def __post_init__(self) -> None:
        if len(self.seeds) < 3:
            raise ConfigError(f"claim `{self.name}` needs at least three seeds, got {self.seeds}")
        if not self.name.replace("_", "").isalnum() or self.name != self.name.lower():
            raise ConfigError(f"a claim's name is lower-case words joined by `_`, got `{self.name}`")
