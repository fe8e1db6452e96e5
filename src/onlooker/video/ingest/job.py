"""Progress of long work, and the handle a caller iterates."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

IngestStatus = Literal["ready", "partial", "unchanged"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of work done. `done` and `total` count `unit`s; `total` is None when nobody knows."""

    video: str
    stage: str
    done: float
    total: float | None
    unit: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one file became.

    `status` is "partial" when the file broke off: `problem` then says where. "unchanged" means that everything was
    already there and nothing was computed. `outdated` means that the video was read with other settings before and was
    kept as it is. `seconds` is wall time by stage.
    """

    path: str
    video: str
    status: IngestStatus
    n_tracklets: int
    n_frames: int
    n_detector_runs: int
    seconds: dict[str, float]
    problem: str | None = None
    outdated: bool = False


class Job:
    """Work under way: iterate it for `Progress`, then read `result()`. Dropping it half-way keeps finished stages."""

    def __init__(self, steps: Generator[Progress, None, IngestReport]) -> None:
        self._steps = steps
        self._report: IngestReport | None = None

    def __iter__(self) -> Iterator[Progress]:
        self._report = yield from self._steps

    def result(self) -> IngestReport:
        """Runs whatever is left and returns the report."""
        if self._report is None:  # a finished generator would give nothing a second time
            for _ in self:
                pass
        if self._report is None:
            raise RuntimeError("the job was abandoned or failed: there is no result")
        return self._report
