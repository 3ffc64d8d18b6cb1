from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hparams_lab.declare.objective import maximize
from hparams_lab.errors import AssignmentError, ExperimentLoadError
from hparams_lab.events.read.reader import read_run
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.sweeps.worker import Loaded, execute, load_data
from tests.conftest import WriteModule
from tests.support.factories import SATURDAY, make_spec
from tests.support.worker_runs import (
    GOOD,
    METRICS,
    SOURCE,
    declare,
    execute_and_read,
    fail_with,
    refuse,
)


def test_good_run_is_a_success(spec: RunSpec) -> None:
    """What train returns is the outcome and the event file's last values."""
    outcome, record = execute_and_read(lambda run: GOOD, spec)

    assert (Status.SUCCESS, GOOD, 0.5, "") == (
        outcome.status,
        outcome.metrics,
        outcome.objective_value,
        outcome.reason,
    )
    assert (Status.SUCCESS, GOOD) == (record.status, record.last_values)


def test_metrics_may_be_named_by_themselves(spec: RunSpec) -> None:
    """Train may return `hp.Metric` to NumPy number."""
    returned = {METRICS[0]: np.float32(0.5), METRICS[1]: np.array(0.75)}
    outcome, _ = execute_and_read(lambda run: returned, spec)

    assert GOOD == outcome.metrics


def test_logged_metric_need_not_be_returned(spec: RunSpec) -> None:
    """A metric that train has logged is there, whether it is returned or not."""

    def train(run: Run) -> None:
        for step, loss in enumerate([2.0, 0.5]):
            run.scalar("loss", loss, step)
        run.scalar("accuracy", 0.75, 1)

    outcome, record = execute_and_read(train, spec)

    assert (Status.SUCCESS, GOOD) == (outcome.status, outcome.metrics)
    assert [2.0, 0.5] == record.curves["loss"].values


def test_final_value_stands_at_the_last_step(spec: RunSpec) -> None:
    """A returned value that differs from the last one logged follows it at its step."""

    def train(run: Run) -> Mapping[str, float]:
        run.scalar("loss", 2.0, 7)
        return GOOD

    _, record = execute_and_read(train, spec)

    assert ([7, 7], [2.0, 0.5]) == (record.curves["loss"].steps, record.curves["loss"].values)


def test_returned_value_that_was_logged_is_written_once(spec: RunSpec) -> None:
    """A returned value equal to the last one logged is no second point."""

    def train(run: Run) -> Mapping[str, float]:
        run.scalar("loss", 0.5, 7)
        return GOOD

    _, record = execute_and_read(train, spec)

    assert [0.5] == record.curves["loss"].values


def test_best_value_has_its_own_tag(spec: RunSpec) -> None:
    """Where the best value counts it is the outcome's and is written last, as its own tag."""

    def train(run: Run) -> Mapping[str, float]:
        for step, accuracy in enumerate([0.5, 0.9, 0.75]):
            run.report(accuracy, step)
        return GOOD

    objective = maximize("accuracy", reduction="best")
    outcome, record = execute_and_read(train, spec, objective=objective)

    assert 0.9 == outcome.objective_value
    assert pytest.approx([0.9]) == record.curves["best/accuracy"].values


def test_traceback_begins_in_train(spec: RunSpec) -> None:
    """failure.txt has the traceback of the user's own code, not of ours."""
    execute_and_read(fail_with(ValueError("no such file")), spec)
    lines = spec.dir.failure_file.read_text().splitlines()

    assert ", in train" in lines[1]
    assert "ValueError: no such file" == lines[-1]


def test_interruption_ends_the_run_and_goes_on_up(spec: RunSpec) -> None:
    """Ctrl-C writes the run's end and is raised again."""
    experiment = declare(fail_with(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        execute(Loaded(experiment, None), spec, refuse)
    record = read_run(spec.dir, experiment.space)

    assert record is not None
    assert Status.FAILURE is record.status


def draw(run: Run) -> Mapping[str, float]:
    """Return numbers of Python's and NumPy's own generators."""
    return {"loss": random.random(), "accuracy": np.random.random()}


def test_generators_follow_the_run_s_seed(tmp_path: Path) -> None:
    """Python's and NumPy's generators give equal numbers for equal seeds, and others else."""
    specs = [make_spec(SweepDir(tmp_path / name), {"x": 1}, index=index) for name, index in DRAWS]
    first, again, other = (execute_and_read(draw, spec)[0].metrics for spec in specs)

    assert first == again
    assert not set(first.values()) & set(other.values())


# Sweep and trial index, which `make_spec` makes the seed of.
DRAWS = [(SATURDAY, 0), ("2026-11-22_07-34-05", 0), (SATURDAY, 1)]


def test_failed_load_data_is_reported(write_module: WriteModule) -> None:
    """What load_data raises is told with its place in the module."""
    source = write_module("def load_data():\n    return {}['column']\n")
    namespace: dict[str, Any] = {}
    exec(compile(source.path.read_text(), str(source.path), "exec"), namespace)
    experiment = declare(draw, load_data=namespace["load_data"])

    match = r"cannot load the data of experiment 'toy': KeyError: 'column' \(module\.py:\d+\)"
    with pytest.raises(ExperimentLoadError, match=match):
        load_data(experiment, source)


def test_error_of_ours_in_load_data_is_kept() -> None:
    """An error that says what to do is passed on as it is."""

    def fail() -> None:
        raise AssignmentError("share must be below 1; got 2. Lower it.")

    with pytest.raises(AssignmentError, match="Lower it"):
        load_data(declare(draw, load_data=fail), SOURCE)


def test_data_reach_train(spec: RunSpec) -> None:
    """`run.data` is what load_data returned."""
    experiment = declare(lambda run: {**GOOD, "loss": run.data}, load_data=lambda: 0.125)

    assert 0.125 == execute(load_data(experiment, SOURCE), spec, refuse).objective_value
