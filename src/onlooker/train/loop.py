"""The training loop, for every method: `train`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from onlooker.errors import ConfigError, TrainingError
from onlooker.nn.device import check_device
from onlooker.train.averaging import MovingAverage
from onlooker.train.config import Device, TrainConfig
from onlooker.train.feed import Feed
from onlooker.train.folder import Progress, RunFolder
from onlooker.train.optimise import Rates, checked_groups, make_optimiser
from onlooker.train.order import Share, seed_from
from onlooker.train.record import LogEvent, RunIdentity, TrainResult
from onlooker.train.stopping import StopRequest
from onlooker.train.task import Batch, Moment, Task

if TYPE_CHECKING:
    from accelerate import Accelerator


def train(
    task: Task,
    config: TrainConfig,
    folder: Path | None = None,
    *,
    resume: bool = True,
    progress: Callable[[LogEvent], None] | None = None,
    device: Device = "auto",
    identity: RunIdentity | None = None,
) -> TrainResult:
    """Trains `task` in place and evaluates it.

    Afterwards the task is in evaluation mode and `task.network` holds the weights that were evaluated: the moving
    average where `ema_decay` is set. The numbers depend on the task's first weights, `config` and the number of
    processes alone; torch's global generator on the CPU is left as it was.

    Args:
        task: what is trained. Moved to the device.
        config: how.
        folder: where log, checkpoints, weights and result go; without it nothing is written.
        resume: go on from the newest checkpoint in `folder`, if there is one; otherwise what the same recipe left
            there is deleted.
        progress: called on the main process with every event of the log.
        device: "auto" takes what accelerate finds. Several processes come from `accelerate launch`.
        identity: what the folder says the run is; without it, final weights are kept without a method's name.

    Raises:
        ConfigError: the folder holds something else, the batch cannot be shared out, or the device is not there.
        TrainingError: a loss or gradient is not finite, the task's losses are malformed, or a checkpoint does not fit.
        StorageFullError: the disk is full; the last good checkpoint stays.
    """
    accelerator = _make_accelerator(config, device)
    store = None
    if folder is not None:
        store = RunFolder(folder, config, identity, type(task), main=accelerator.is_main_process)
        store.claim(resume)
        accelerator.wait_for_everyone()
    with torch.random.fork_rng(devices=[]), StopRequest(active=folder is not None) as stop:
        run = _Run(task, config, accelerator, store, progress)
        try:
            return run.to_the_end(stop)
        finally:
            run.close()


def _make_accelerator(config: TrainConfig, device: Device) -> Accelerator:
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import DistributedDataParallelKwargs

    # accelerate keeps precision and device for the whole process; a second run may well want others.
    AcceleratorState._reset_state(reset_partial_state=not torch.distributed.is_initialized())
    if device != "auto":
        check_device(device)
    has_card = torch.cuda.is_available() or torch.backends.mps.is_available()
    if config.precision == "fp16" and (device == "cpu" or not has_card):
        raise ConfigError("`train.precision` fp16 needs a graphics card; use `bf16` or `no` on a CPU")
    # Heads that a step's dataset does not use get no gradient; without this, processes would wait for it for ever.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(mixed_precision=config.precision, cpu=device == "cpu", kwargs_handlers=[unused])


class _Run:
    """The state of one run between its steps."""

    def __init__(
        self,
        task: Task,
        config: TrainConfig,
        accelerator: Accelerator,
        store: RunFolder | None,
        progress: Callable[[LogEvent], None] | None,
    ) -> None:
        self._task, self._config, self._accelerator = task, config, accelerator
        self._store, self._report = store, progress
        self._several = accelerator.num_processes > 1
        task.train().to(accelerator.device)
        self._groups = checked_groups(task)
        self._trained = [parameter for group in self._groups for parameter in group.parameters]
        self._rates = Rates(config.optimiser.learning_rate, config.schedule, self._groups, config.steps)
        share = Share(accelerator.process_index, accelerator.num_processes, config.micro_batches)
        self._feed = Feed(task, config, share)
        self._average = None if config.ema_decay is None else MovingAverage(task.network, config.ema_decay)
        # accelerate's own wrapper of an optimiser searches the disk for packages at every step.
        self._optimiser = make_optimiser(config.optimiser, self._groups, accelerator.device)
        self._module = accelerator.prepare(task)
        self._scaler = accelerator.scaler
        self._step, self._seconds_before = 0, 0.0
        self._started = time.perf_counter()
        self._last_event = (0, self._started)
        self._history: list[LogEvent] = []

    def to_the_end(self, stop: StopRequest) -> TrainResult:
        """Every step that is left, then evaluation and weights."""
        config = self._config
        if self._store is not None:
            if (finished := self._store.finished(self._task, self._average is not None)) is not None:
                return finished
            self._go_on()
        scores: dict[str, float] | None = None
        while self._step < config.steps:
            losses, norm, stopped = self._advance(stop)
            done, last, now = self._step, self._step == config.steps, time.perf_counter()
            stopped = stopped and not last
            # Before the evaluation: should that fail, no step is lost.
            if stopped or _due(done, config.checkpoint_every) or (last and config.checkpoint_every is not None):
                self._save()
            scores = self._evaluate() if last or (_due(done, config.eval_every) and not stopped) else None
            if last or stopped or done == 1 or _due(done, config.log_every) or scores is not None:
                self._log(losses, norm, scores, now)
            if stopped:
                return self._result("interrupted", {})
        return self._finish(scores if scores is not None else self._evaluate())

    def close(self) -> None:
        """Ends loader processes, and takes off what accelerate put around the task."""
        self._feed.close()
        self._accelerator.unwrap_model(self._module, keep_fp32_wrapper=False)
        # What is left of the wrapping would tie copies of the task to this one.
        vars(self._task).pop("forward", None)
        self._task.eval()

    def _advance(self, stop: StopRequest) -> tuple[dict[str, float], float, bool]:
        """One optimiser step: loss parts, gradient norm, and whether any process was asked to stop."""
        step = self._step
        self._rates.set(self._optimiser, step)
        batches = self._feed.take(step)
        self._task.before_step(self._moment("before"))
        names, sums = self._gradients(batches)
        losses, stopped = self._agree(names, sums, stop)
        if not math.isfinite(losses["loss"]):
            raise TrainingError(f"the loss of step {step + 1} is not finite: {_shown(losses)}; {_ADVICE}")
        norm = self._clip(losses)
        self._apply()
        self._task.after_step(self._moment("after"))
        if self._average is not None:
            self._average.update()
        self._step = step + 1
        return losses, norm, stopped

    def _gradients(self, batches: list[Batch]) -> tuple[tuple[str, ...], Tensor]:
        """Accumulates the gradient of every micro-batch: names of the loss parts, and their means."""
        names: tuple[str, ...] | None = None
        sums: Tensor | None = None
        device = self._accelerator.device
        for micro, batch in enumerate(batches):
            # Processes exchange gradients once a step, with the last micro-batch.
            apart = self._several and micro + 1 < len(batches)
            with self._accelerator.no_sync(self._module) if apart else nullcontext():
                if device.type != "cpu":
                    batch = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
                parts = self._module(batch, self._moment(self._accelerator.process_index, micro))
                names, values = _checked_parts(parts, names, type(self._task).__name__)
                loss = parts["loss"] / len(batches)
                (loss if self._scaler is None else self._scaler.scale(loss)).backward()
                sums = values if sums is None else sums + values
        assert names is not None  # there is at least one micro-batch
        assert sums is not None
        return names, sums / len(batches)

    def _agree(self, names: tuple[str, ...], means: Tensor, stop: StopRequest) -> tuple[dict[str, float], bool]:
        """Loss parts over all processes. A wish to stop travels along, so that all stop after the same step."""
        stopped = stop.asked
        if self._several:
            asked = torch.tensor([float(stopped)], device=means.device)
            together = self._accelerator.reduce(torch.cat([means, asked]), "mean")
            means, stopped = together[:-1], bool(together[-1] > 0)
        return dict(zip(names, means.tolist(), strict=True)), stopped

    def _clip(self, losses: dict[str, float]) -> float:
        """The norm of all gradients, after which none is longer than the recipe allows."""
        if self._scaler is not None:
            self._scaler.unscale_(self._optimiser)
        gradients = [parameter.grad for parameter in self._trained if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if self._config.clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(self._trained, self._config.clip_norm, norm)
        value = norm.item()
        # With fp16 the scaler leaves out such a step by itself and lowers its scale.
        if not math.isfinite(value) and self._config.precision != "fp16":
            raise TrainingError(
                f"the gradient of step {self._step + 1} is not finite though the loss is: {_shown(losses)}; {_ADVICE}"
            )
        return value

    def _apply(self) -> None:
        if self._scaler is None:
            self._optimiser.step()
        else:
            self._scaler.step(self._optimiser)
            self._scaler.update()
        self._optimiser.zero_grad(set_to_none=True)

    def _moment(self, *place: int | str) -> Moment:
        """Step, and generators seeded for this place in it."""
        seed = seed_from(self._config.seed, self._step, *place)
        # `torch.manual_seed` would notify every kind of device at each call, for longer than a tiny forward takes.
        torch.default_generator.manual_seed(seed)
        if self._accelerator.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif self._accelerator.device.type == "mps":
            torch.mps.manual_seed(seed)
        return Moment(self._step, self._config.steps, torch.Generator().manual_seed(seed))

    def _evaluate(self) -> dict[str, float]:
        """Scores from the main process, known to all; the moving average is what is scored, where there is one."""
        scores: list[dict[str, float]] = [{}]
        if self._accelerator.is_main_process:
            torch.default_generator.manual_seed(seed_from(self._config.seed, "evaluation"))
            self._task.eval()
            with torch.no_grad(), self._average.in_place() if self._average is not None else nullcontext():
                scores = [{name: float(value) for name, value in self._task.evaluate().items()}]
            self._task.train()
            wanted = self._task.metric.name
            if wanted not in scores[0]:
                raise TrainingError(f"`evaluate` gave {sorted(scores[0])}, without the task's own metric `{wanted}`")
        if self._several:
            from accelerate.utils import broadcast_object_list

            broadcast_object_list(scores)
        return scores[0]

    def _log(self, losses: dict[str, float], norm: float, scores: dict[str, float] | None, now: float) -> None:
        if not self._accelerator.is_main_process:
            return
        since_step, since = self._last_event
        event = LogEvent(
            step=self._step,
            total=self._config.steps,
            dataset=self._feed.name_at(self._step - 1),
            losses=losses,
            learning_rates=self._rates.at(self._step - 1),
            gradient_norm=norm,
            seconds=self._seconds(),
            samples_per_s=(self._step - since_step) * self._config.batch_size / max(now - since, 1e-9),
            evaluation=scores,
        )
        self._last_event = (self._step, time.perf_counter())
        self._history.append(event)
        if self._store is not None:
            self._store.append(event)
        if self._report is not None:
            self._report(event)

    def _seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._started

    def _go_on(self) -> None:
        """From the newest checkpoint, where there is one."""
        assert self._store is not None
        found = self._store.restore(self._task, self._optimiser, self._average, self._scaler)
        if found is None:
            return
        if set(found.counters) != set(self._feed.counters):
            raise TrainingError(
                f"the checkpoint was fed by {sorted(found.counters)}, the task now has {sorted(self._feed.counters)}"
            )
        self._feed.counters.update(found.counters)
        self._step, self._seconds_before = found.step, found.seconds
        self._last_event = (found.step, self._started)

    def _save(self) -> None:
        if self._store is None:
            return
        position = Progress(self._step, self._seconds(), dict(self._feed.counters))
        self._store.save(position, self._task, self._optimiser, self._average, self._scaler)
        self._accelerator.wait_for_everyone()

    def _finish(self, scores: dict[str, float]) -> TrainResult:
        if self._average is not None:
            self._average.write()
        result = self._result("finished", scores)
        if self._store is not None:
            self._store.finish(result, self._task, self._accelerator.num_processes)
            self._accelerator.wait_for_everyone()
        return result

    def _result(self, status: Literal["finished", "interrupted"], scores: dict[str, float]) -> TrainResult:
        averaged = self._average is not None and status == "finished"
        return TrainResult(
            status=status,
            step=self._step,
            metric=self._task.metric,
            metrics=scores,
            weights="average" if averaged else "last step",
            seconds=self._seconds(),
            history=tuple(self._history),
            folder=None if self._store is None else self._store.folder,
        )


_ADVICE = "nothing was stepped; try a lower `train.optimiser.learning_rate`, `train.clip_norm` or a longer warm-up"


def _due(done: int, every: int | None) -> bool:
    return every is not None and done % every == 0


def _shown(losses: dict[str, float]) -> str:
    return ", ".join(f"`{name}` {value:.6g}" for name, value in losses.items())


def _checked_parts(
    parts: dict[str, Tensor], names: tuple[str, ...] | None, task: str
) -> tuple[tuple[str, ...], Tensor]:
    """Names of the loss parts in order, and their values (K,) in float32, cut off from the graph.

    Raises:
        TrainingError: there is no "loss", a part is no scalar, or the parts changed between micro-batches.
    """
    found = tuple(sorted(parts))
    if "loss" not in parts:
        raise TrainingError(f"`{task}.forward` must return a part named `loss`, got {list(found)}")
    if names is not None and found != names:
        raise TrainingError(
            f"`{task}.forward` returned {list(names)} for one micro-batch and {list(found)} for the next"
        )
    for name in found:
        if parts[name].numel() != 1:
            raise TrainingError(f"part `{name}` of `{task}.forward` is {tuple(parts[name].shape)}, expected a scalar")
    if not parts["loss"].requires_grad:
        raise TrainingError(f"`loss` of `{task}.forward` depends on no trained parameter; is the network frozen?")
    return found, torch.stack([parts[name].detach().float().reshape(()) for name in found])
