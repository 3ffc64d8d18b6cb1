from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.analysis.changes.run_diff import Difference, diff_runs, read_failure
from hparams_lab.analysis.trials.pick_run import LoggedRun, pick_run
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import ExperimentDir, RunDir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

CURVES = {"accuracy": [0.5, 0.75, 0.9375], "loss": [1.0, 0.5, 0.25]}

Log = Callable[..., LoggedRun]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Write a run into a sweep of its own and return it as it is read."""

    def write(
        sweep_id: str = FRIDAY,
        *,
        values: Mapping[str, Any] | None = None,
        scalars: Mapping[str, Sequence[float]] | None = None,
        ending: Ending | None = Ending.COMPLETE,
        seed: int = 1,
        failure: str = "",
        **of_sweep: Any,
    ) -> LoggedRun:
        sweep = make_sweep(sweep_id, **of_sweep)
        sweep_dir = add_sweep(ExperimentDir(tmp_path / sweep.experiment), sweep)
        spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1, **(values or {})})
        write_run(replace(spec, seed=seed), CURVES if scalars is None else scalars, ending=ending)
        if failure:
            spec.dir.failure_file.write_text(failure)
        return pick_run(tmp_path, str(spec.dir.path))

    return write


def test_a_replayed_run_is_identical(log: Log) -> None:
    """Two runs that came out alike differ in the sweep's name and the times alone."""
    diff = diff_runs(log(FRIDAY), log(SATURDAY))

    assert ["values", "seed", "status", "metrics", "curves"] == diff.identical
    assert [] == diff.differing
    assert {"day", "sweep"} == {fact.name for fact in diff.facts}


def test_values_that_differ_are_reported(log: Log) -> None:
    """Each hyperparameter of another value is told with both; others are not."""
    diff = diff_runs(log(FRIDAY), log(SATURDAY, values={"units": 16}))

    assert [Difference("units", 8, 16)] == diff.values
    assert "values" in diff.differing


def test_a_seed_that_differs_is_reported(log: Log) -> None:
    """Two seeds are a fact of the runs."""
    diff = diff_runs(log(FRIDAY, seed=1), log(SATURDAY, seed=2))

    assert Difference("seed", 1, 2) in diff.facts
    assert "seed" in diff.differing


def test_a_failure_is_told_with_its_reason(log: Log) -> None:
    """Status, ending and the reason of the failure stand beside those of the other run."""
    failed = log(SATURDAY, ending=Ending.FAILED, failure="ValueError: too wide\n")
    diff = diff_runs(log(FRIDAY), failed)

    told = {fact.name: (fact.first, fact.second) for fact in diff.facts}
    assert ("SUCCESS", "FAILURE") == told["status"]
    assert ("complete", "failed") == told["ending"]
    assert (None, "ValueError: too wide") == told["failure"]


def test_metrics_are_compared_by_last_and_extremes(log: Log) -> None:
    """A peak that one run had and the other had not shows in its maximum."""
    peak = CURVES | {"accuracy": [0.5, 1.0, 0.9375]}
    diff = diff_runs(log(FRIDAY), log(SATURDAY, scalars=peak))

    accuracy, loss = diff.metrics
    assert (["max"], []) == (accuracy.differing, loss.differing)
    assert {"last": 0.0, "min": 0.0, "max": 0.0625} == accuracy.differences


def test_the_objective_is_the_first_metric(log: Log) -> None:
    """Tags stand in the order of objective, declared metrics, others."""
    scalars = {"grad": [1.0], "loss": [1.0], "accuracy": [0.5]}
    diff = diff_runs(log(FRIDAY, scalars=scalars), log(SATURDAY, scalars=scalars))

    assert ["accuracy", "loss", "grad"] == [metric.tag for metric in diff.metrics]
    assert ["accuracy", "loss", "grad"] == [curve.tag for curve in diff.curves]


def test_a_tag_of_one_run_alone_differs(log: Log) -> None:
    """A metric that only one run logged has no difference, but is one."""
    diff = diff_runs(log(FRIDAY), log(SATURDAY, scalars={**CURVES, "auc": [0.5]}))

    auc = diff.metrics[-1]
    assert (None, ["last"], {}) == (auc.first, auc.differing, auc.differences)
    assert {"metrics", "curves"} == {*diff.differing}


def test_curves_say_where_they_part(log: Log) -> None:
    """The first step of another value is found, though the last values agree."""
    other = CURVES | {"loss": [1.0, 0.625, 0.25]}
    diff = diff_runs(log(FRIDAY), log(SATURDAY, scalars=other))

    assert [None, 1] == [curve.parts_at for curve in diff.curves]
    assert ["curves"] == diff.differing


def test_metrics_that_are_nan_in_both_agree(log: Log) -> None:
    """Two runs that diverged alike do not differ."""
    scalars = {"accuracy": [math.nan], "loss": [math.inf]}

    assert [] == diff_runs(log(FRIDAY, scalars=scalars), log(SATURDAY, scalars=scalars)).differing


def test_runs_of_two_experiments_are_compared(log: Log) -> None:
    """Another experiment is a fact of the runs and a change between their sweeps."""
    diff = diff_runs(log(FRIDAY), log(SATURDAY, experiment="mnist"))

    assert Difference("experiment", "toy", "mnist") == diff.facts[0]
    assert "experiment: toy -> mnist" == diff.changes.lines()[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the run was killed by SIGKILL\nWhat it printed is in output.log.\n", "the run was kil"),
        (
            "Traceback (most recent call last):\n  File 'x.py', line 1, in train\n    f()\n"
            "ValueError: no such hill\nor dale\n",
            "ValueError: no such hill",
        ),
        (
            "Traceback (most recent call last):\n  f()\nKeyError: 1\n\nDuring handling of the "
            "above exception, another exception occurred:\n\n"
            "Traceback (most recent call last):\n  g()\nOSError: full\n",
            "OSError: full",
        ),
        ("", ""),
        (None, ""),
    ],
    ids=["a sentence", "traceback", "chained", "empty", "none"],
)
def test_the_reason_of_a_failure_is_one_line(tmp_path: Path, text: str | None, reason: str) -> None:
    """Of a traceback it is the error that ended the run."""
    run_dir = RunDir(tmp_path)
    if text is not None:
        run_dir.failure_file.write_text(text)

    assert read_failure(run_dir).startswith(reason)
    assert bool(reason) == bool(read_failure(run_dir))
