"""Executing runs that report on the way, and what is made of that at their end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from hparams_lab.errors import Pruned
from hparams_lab.events.schema import Ending, Status
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.sweeps.worker import Loaded, execute
from tests.support.worker_runs import GOOD, declare, execute_and_read, refuse


def test_pruned_run_is_a_success(spec: RunSpec) -> None:
    """A run that the strategy ended early keeps what it had, and has not failed."""

    def train(run: Run) -> None:
        run.report(0.5, 0)
        raise Pruned

    outcome, record = execute_and_read(train, spec)

    assert (Ending.PRUNED, {"report/loss": 0.5}) == (outcome.ending, outcome.metrics)
    assert math.isnan(outcome.objective_value)
    assert (Ending.PRUNED, Status.SUCCESS) == (record.ending, record.status)


def test_objective_is_what_the_file_says(spec: RunSpec) -> None:
    """Where the last value counts, it is the last of the metric, not of what was reported."""

    def train(run: Run) -> Mapping[str, float]:
        run.scalar("loss", 0.5, 0)
        run.report(0.75, 0)
        return GOOD

    outcome, record = execute_and_read(train, spec)

    assert 0.5 == outcome.objective_value == record.last_values["loss"]


def test_reported_value_stands_for_the_objective(spec: RunSpec) -> None:
    """Where train neither logs nor returns the objective, it is the last reported value."""

    def train(run: Run) -> Mapping[str, float]:
        for step, loss in enumerate([0.75, 0.5]):
            run.report(loss, step)
        return {"accuracy": 0.75}

    outcome, record = execute_and_read(train, spec)

    assert (Status.SUCCESS, 0.5) == (outcome.status, outcome.objective_value)
    assert ([1], [0.5]) == (record.curves["loss"].steps, record.curves["loss"].values)


def test_pruned_run_has_no_value_of_the_objective(spec: RunSpec) -> None:
    """What a pruned run logged as its objective does not look like a full run's result."""

    def train(run: Run) -> None:
        run.scalar("loss", 0.01, 3)
        raise Pruned

    outcome, record = execute_and_read(train, spec)

    assert math.isnan(outcome.objective_value)
    assert math.isnan(record.last_values["loss"])


def test_strategy_is_asked_about_each_report(spec: RunSpec) -> None:
    """A judged run tells its reports with their number, and ends when it is told to stop."""
    told: list[tuple[float, int]] = []

    def ask(message: tuple[float, int]) -> tuple[bool, int | None]:
        told.append(message)
        return len(told) == 2, None

    def train(run: Run) -> None:
        for step in range(9):
            run.report(step / 2, step)

    judged = replace(spec, prunes=True)
    outcome = execute(Loaded(declare(train), None), judged, ask)

    assert [(0.0, 1), (0.5, 2)] == told
    assert (Ending.PRUNED, 2.0) == (outcome.ending, outcome.metrics["epochs_run"])


def test_neglected_option_is_a_failure(spec: RunSpec) -> None:
    """A train that pays no heed to the folds ends as FAILURE, with what to do."""
    folded = replace(spec, num_folds=3)
    outcome = execute(Loaded(declare(lambda run: GOOD), None), folded, refuse)

    assert "with --folds train must call run.split or run.use_fold. Do so." == outcome.reason
