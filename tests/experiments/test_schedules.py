"""Learning-rate schedules: their curves in TensorBoard, and what they reach."""

from __future__ import annotations

import pytest

from tests.experiments.conftest import Sweep

pytestmark = pytest.mark.slow

NUM_EPOCHS = 60
STEPS = 45  # batches of 32 in 1,437 images


def test_schedules_end_alike_at_a_good_rate(sweep: Sweep) -> None:
    """From a rate of 0.1 time-based decay and warm restarts reach 0.95 alike."""
    results = sweep("schedules", "schedule=time_based,warm_restarts", "learning_rate=0.1")
    time_based = results.mean(schedule="time_based")
    restarts = results.mean(schedule="warm_restarts")

    assert min(time_based, restarts) >= 0.95
    assert pytest.approx(time_based, abs=0.025) == restarts


def test_quick_decay_from_a_low_rate_stops_too_early(sweep: Sweep) -> None:
    """From a rate of 0.01 a tenth every twenty epochs is worse than no decay."""
    results = sweep("schedules", "schedule=constant,exponential", "learning_rate=0.01")

    assert results.mean(schedule="constant") >= 0.94
    assert results.mean(schedule="exponential") < results.mean(schedule="constant") - 0.01


def test_rate_is_a_curve_in_tensorboard(sweep: Sweep) -> None:
    """Time-based decay divides the rate by 1 + 0.0016 a batch, which the curve shows."""
    (record,) = sweep("schedules", "schedule=time_based", "learning_rate=0.1").records
    curve = record.curves["learning_rate"]
    rates = [0.1 / (1 + 0.0016 * STEPS * (epoch + 1)) for epoch in range(NUM_EPOCHS)]

    assert [*range(NUM_EPOCHS)] == [*curve.steps]
    assert pytest.approx(rates, rel=1e-4) == [*curve.values]


def test_warm_restarts_raise_the_rate_again(sweep: Sweep) -> None:
    """After 4, 12 and 28 epochs the rate is that of the start again."""
    (record,) = sweep("schedules", "schedule=warm_restarts", "learning_rate=0.1").records
    rates = record.curves["learning_rate"].values

    assert pytest.approx([0.1] * 3) == [rates[epoch - 1] for epoch in (4, 12, 28)]
    assert rates[26] < 0.01
