"""What one step does, against numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from small_task import SmallTask
from torch import nn

from onlooker.errors import ConfigError, TrainingError, UnknownNameError
from onlooker.train import (
    Metric,
    OptimiserConfig,
    ParameterGroup,
    ScheduleConfig,
    Task,
    TrainConfig,
    train,
)
from onlooker.train.averaging import MovingAverage
from onlooker.train.optimise import Rates, rate_factor


class Scalar(Task):
    """loss = slope * w, so that the gradient of w is known; w starts at 1."""

    def __init__(self, slope=2.0, second=0.0):
        super().__init__(nn.ParameterDict({"w": torch.ones(1), "v": torch.full((1,), 5.0)}))
        self.slope, self.second, self.tried = slope, second, []

    metric = Metric("w", "1")

    def datasets(self):
        return {"train": torch.utils.data.StackDataset(x=torch.zeros(4))}

    def forward(self, batch, moment):
        loss = self.slope * self.network["w"].sum() + self.second * self.network["v"].sum()
        return {"loss": loss, "part": torch.tensor(float(moment.step))}

    def parameter_groups(self):
        return (
            ParameterGroup("fast", (self.network["w"],)),
            ParameterGroup("slow", (self.network["v"],), schedule=lambda step, total: 0.25 * step),
        )

    def evaluate(self):
        self.tried.append(self.network["w"].item())
        return {"w": self.network["w"].item(), "v": self.network["v"].item()}


def plain_sgd(rate=0.1):
    return OptimiserConfig("sgd", learning_rate=rate, momentum=0.0)


FLAT = ScheduleConfig("constant")


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (ScheduleConfig("constant", warmup_steps=4), {0: 0.25, 3: 1.0, 4: 1.0, 99: 1.0}),
        (ScheduleConfig("cosine"), {0: 1.0, 25: 0.5 + math.sqrt(0.5) / 2, 50: 0.5, 75: 0.5 - math.sqrt(0.5) / 2}),
        (ScheduleConfig("cosine", warmup_steps=20, final_fraction=0.1), {19: 1.0, 20: 1.0, 60: 0.55}),
        (ScheduleConfig("linear", final_fraction=0.2), {0: 1.0, 50: 0.6, 75: 0.4}),
        (ScheduleConfig("linear", warmup_steps=100), {49: 0.5, 99: 1.0}),
        (ScheduleConfig("step", milestones=(10, 20), milestone_factor=0.5), {9: 1.0, 10: 0.5, 19: 0.5, 20: 0.25}),
    ],
)
def test_schedules_pass_through_the_points_worked_out_by_hand(schedule, expected):
    assert {step: rate_factor(schedule, step, 100) for step in expected} == pytest.approx(expected)


def test_groups_follow_their_own_schedule():
    task = Scalar(slope=2.0, second=1.0)
    result = train(task, TrainConfig(steps=3, batch_size=4, log_every=1, optimiser=plain_sgd(), schedule=FLAT))
    assert result.metrics == pytest.approx({"w": 1 - 3 * 0.1 * 2.0, "v": 5 - (0 + 0.025 + 0.05)})
    rates = [event.learning_rates for event in result.history]
    assert rates == [pytest.approx({"fast": 0.1, "slow": 0.025 * step}) for step in range(3)]


def test_a_group_with_a_rate_learns_by_that_part_of_the_recipes_schedule():
    groups = (ParameterGroup("whole", ()), ParameterGroup("tenth", (), rate=0.1))
    rates = Rates(0.5, ScheduleConfig("cosine", warmup_steps=20), groups, 100)
    for step, whole in {0: 0.025, 19: 0.5, 60: 0.25}.items():
        assert rates.at(step) == pytest.approx({"whole": whole, "tenth": 0.1 * whole})


def test_weight_decay_leaves_gains_and_biases_alone_and_scales_matrices():
    class Still(SmallTask):
        def forward(self, batch, moment):
            return {"loss": 0.0 * sum(parameter.sum() for parameter in self.parameters())}

    task, start = Still(), Still()
    config = OptimiserConfig("adamw", learning_rate=0.1, weight_decay=0.5)
    train(task, TrainConfig(steps=1, batch_size=2, optimiser=config, schedule=FLAT))
    for (name, after), before in zip(task.network.named_parameters(), start.network.parameters(), strict=True):
        torch.testing.assert_close(after, before * (0.95 if name.endswith("weight") else 1.0))


def test_average_is_evaluated_and_handed_out_and_training_goes_on_from_its_own_weights():
    task = Scalar()
    config = TrainConfig(steps=2, batch_size=4, optimiser=plain_sgd(), schedule=FLAT, ema_decay=0.75, eval_every=1)
    result = train(task, config)
    # w: 1, 0.8, 0.6; average: 1, 0.75 * 1 + 0.25 * 0.8 = 0.95, 0.75 * 0.95 + 0.25 * 0.6 = 0.8625
    assert task.tried == pytest.approx([0.95, 0.8625])
    assert task.network["w"].item() == pytest.approx(0.8625)
    assert (result.weights, result.value) == ("average", pytest.approx(0.8625))


def test_average_comes_off_without_a_trace():
    network = nn.Linear(2, 1)
    average = MovingAverage(network, 0.9)
    with torch.no_grad():
        network.weight.add_(1 / 3)
    before = network.weight.clone()
    average.update()
    with average.in_place():
        assert not torch.equal(network.weight, before)
    assert torch.equal(network.weight, before)


def test_clipping_shortens_the_gradient_of_all_groups_together():
    task = Scalar(slope=3.0, second=4.0)
    config = TrainConfig(steps=2, batch_size=4, optimiser=plain_sgd(), schedule=FLAT, clip_norm=1.0, log_every=1)
    result = train(task, config)
    assert [event.gradient_norm for event in result.history] == pytest.approx([5.0, 5.0])
    # Both are divided by 5; the second group has rates 0 and 0.025.
    assert result.metrics == pytest.approx({"w": 1 - 2 * 0.1 * 0.6, "v": 5 - 0.025 * 0.8}, abs=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_run_before_it_reaches_the_weights(value):
    class Breaks(Scalar):
        def forward(self, batch, moment):
            parts = super().forward(batch, moment)
            return {**parts, "loss": parts["loss"] * (value if moment.step == 2 else 1.0), "fine": torch.tensor(0.5)}

    task = Breaks()
    with pytest.raises(TrainingError, match=r"loss of step 3 is not finite: `fine` 0\.5, `loss` (nan|inf), `part` 2"):
        train(task, TrainConfig(steps=5, batch_size=4, optimiser=plain_sgd(), schedule=FLAT))
    assert task.network["w"].item() == pytest.approx(1 - 2 * 0.1 * 2.0)


def test_a_gradient_that_is_no_number_ends_the_run_too():
    class Root(Scalar):
        def forward(self, batch, moment):
            return {"loss": (self.network["w"] * 0).sqrt().sum() + self.network["v"].sum() * 0}

    with pytest.raises(TrainingError, match="gradient of step 1 is not finite though the loss is"):
        train(Root(), TrainConfig(steps=2, batch_size=4))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"total": torch.zeros(1)}, "must return a part named `loss`, got \\['total'\\]"),
        ({"loss": torch.zeros(1)}, "depends on no trained parameter"),
        ({"loss": torch.zeros(2, requires_grad=True)}, "part `loss` of `Odd.forward` is \\(2,\\), expected a scalar"),
    ],
)
def test_malformed_losses_are_named(parts, said):
    class Odd(Scalar):
        def forward(self, batch, moment):
            return parts

    with pytest.raises(TrainingError, match=said):
        train(Odd(), TrainConfig(steps=1, batch_size=4))


def test_parameters_in_two_groups_or_in_none_are_named():
    class Twice(Scalar):
        def parameter_groups(self):
            return (ParameterGroup("a", tuple(self.parameters())), ParameterGroup("b", (self.network["w"],)))

    class Missing(Scalar):
        def parameter_groups(self):
            return (ParameterGroup("a", (self.network["w"],)),)

    for task, said in (
        (Twice(), "`network.w` is in the parameter groups `a` and `b`"),
        (Missing(), "`network.v` is in no"),
    ):
        with pytest.raises(ConfigError, match=said):
            train(task, TrainConfig(steps=1, batch_size=4))


def test_a_metric_that_evaluation_leaves_out_is_an_error():
    class Silent(Scalar):
        def evaluate(self):
            return {"other": 1.0}

    with pytest.raises(TrainingError, match=r"gave \['other'\], without the task's own metric `w`"):
        train(Silent(), TrainConfig(steps=1, batch_size=4))


def test_a_dataset_that_is_not_there_is_named():
    class Lost(SmallTask):
        def dataset_at(self, step):
            return "trian"

    with pytest.raises(UnknownNameError, match="`trian`; did you mean `train`"):
        train(Lost(alternate=True), TrainConfig(steps=1, batch_size=4))


def test_settings_without_meaning_are_refused():
    for make in (
        lambda: OptimiserConfig("sgd", betas=(0.9, 0.9)),
        lambda: OptimiserConfig("adamw", momentum=0.9),
        lambda: OptimiserConfig(learning_rate=0.0),
        lambda: ScheduleConfig("constant", final_fraction=0.1),
        lambda: ScheduleConfig("step"),
        lambda: ScheduleConfig("cosine", milestones=(3,)),
        lambda: TrainConfig(steps=5, schedule=ScheduleConfig(warmup_steps=6)),
        lambda: TrainConfig(ema_decay=1.0),
        lambda: TrainConfig(checkpoint_every=0),
    ):
        with pytest.raises(ConfigError, match=r"`(train|optimiser|schedule)\."):
            make()
    with pytest.raises(
        ConfigError, match=r"`train\.schedule\.warmup_steps` must be at most the 5 `train\.steps`, got `6`"
    ):
        TrainConfig(steps=5, schedule=ScheduleConfig(warmup_steps=6))
    with pytest.raises(ConfigError, match="fp16 needs a graphics card"):
        train(Scalar(), TrainConfig(steps=1, batch_size=4, precision="fp16"), device="cpu")


def test_half_precision_stays_close_and_leaves_the_task_as_it_was():
    config = TrainConfig(steps=10, batch_size=8, optimiser=OptimiserConfig(learning_rate=1e-2))
    task = SmallTask()
    half, full = train(task, replace(config, precision="bf16")), train(SmallTask(), config)
    assert half.value == pytest.approx(full.value, rel=0.05)
    assert half.value != full.value
    assert "forward" not in vars(task)
    assert all(parameter.dtype == torch.float32 for parameter in task.parameters())


def test_a_failing_evaluation_costs_no_step(tmp_path):
    class Fails(Scalar):
        broken = True

        def evaluate(self):
            if self.broken:
                raise RuntimeError("no data")
            return super().evaluate()

    task = Fails()
    config = TrainConfig(steps=5, batch_size=4, optimiser=plain_sgd(), schedule=FLAT, checkpoint_every=2)
    with pytest.raises(RuntimeError, match="no data"):
        train(task, config, tmp_path)
    task.broken = False
    result = train(task, config, tmp_path)
    assert (result.step, result.history, result.value) == (5, (), pytest.approx(0.0, abs=1e-6))


def test_loss_falls_on_eight_samples():
    class Eight(SmallTask):
        def datasets(self):
            return {"train": torch.utils.data.Subset(self.points["train"], range(8))}

    config = TrainConfig(steps=150, batch_size=8, optimiser=OptimiserConfig(learning_rate=2e-2))
    losses = [event.losses["loss"] for event in train(Eight(), config).history]
    assert losses[-1] < 0.01 * losses[0]
