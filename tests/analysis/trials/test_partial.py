"""Trials that were stopped early, and those of several runs, in our tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.analysis.trials.rows import TrialRow, rank_trials
from hparams_lab.cli.output.tables import Column, format_metric, trial_columns
from hparams_lab.declare.objective import maximize
from hparams_lab.events.read.reader import read_runs
from hparams_lab.events.schema import Ending, Status
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import make_trial
from hparams_lab.search.base import Traits
from hparams_lab.stats.interval import summarize
from tests.support.factories import SATURDAY, make_sweep, write_run

Written = Sequence[tuple[Mapping[str, Sequence[float]], Ending | None]]
"""The scalars and endings of a trial's runs."""


def rank(folder: Path, trials: Sequence[Written], **changes: Any) -> tuple[list[TrialRow], Sweep]:
    """Write trials of a sweep and return them ranked, with the sweep."""
    sweep = make_sweep(objective=maximize("accuracy"), **changes)
    sweep_dir = SweepDir(folder / "toy" / SATURDAY)
    for index, runs in enumerate(trials):
        trial = make_trial(index, sweep.space.at(index))
        specs = sweep.specify_runs(trial, sweep_dir)
        for spec, (scalars, ending) in zip(specs, runs, strict=False):
            write_run(spec, scalars, ending=ending)
    return rank_trials(read_runs(sweep_dir, sweep.space), [sweep]), sweep


def column(rows: Sequence[TrialRow], sweep: Sweep, header: str) -> list[str]:
    """Return the cells of a column, empty if it is not there."""
    found: list[Column] = [each for each in trial_columns(rows, [sweep]) if each.header == header]
    return list(found[0].cells) if found else []


def full(*values: float) -> Written:
    """Return complete runs with accuracies."""
    return [({"accuracy": [value]}, Ending.COMPLETE) for value in values]


PRUNED: Written = [({"report/accuracy": [0.99], "epochs_run": [1.0]}, Ending.PRUNED)]
LOST: Written = [
    ({"accuracy": [0.95]}, Ending.COMPLETE),
    ({"accuracy": [0.97], "n/accuracy": [2.0]}, Ending.COMPLETE),
]
FAILED: Written = [({"accuracy": [0.99]}, Ending.FAILED)]


def test_what_was_stopped_early_is_behind_full_trials(tmp_path: Path) -> None:
    """Full trials come first, then what lost a race or was pruned, then what failed."""
    trials = [FAILED, PRUNED, LOST, full(0.1, 0.3, 0.2)]
    rows, _ = rank(tmp_path, trials, repeats=3, racing=True, traits=Traits(prunes=True))

    assert ["0003", "0002", "0001", "0000"] == [row.trial_id[:4] for row in rows]
    assert [False, True, True, False] == [row.is_partial for row in rows]


def test_a_status_says_how_a_trial_was_stopped(tmp_path: Path) -> None:
    """The status column tells pruned trials and lost races from successes."""
    trials = [full(0.1, 0.3, 0.2), LOST, PRUNED, FAILED]
    rows, sweep = rank(tmp_path, trials, repeats=3, racing=True, traits=Traits(prunes=True))

    assert ["SUCCESS", "LOST RACE", "PRUNED", "FAILURE"] == column(rows, sweep, "status")


def test_a_status_column_is_for_what_is_not_plain(tmp_path: Path) -> None:
    """Where all trials came through, no column says so."""
    rows, sweep = rank(tmp_path, [full(0.1), full(0.2)])

    assert [] == column(rows, sweep, "status")


def test_a_pruned_trial_has_no_value(tmp_path: Path) -> None:
    """A pruned trial is a success without an objective, with its budget."""
    (row,), _ = rank(tmp_path, [PRUNED], traits=Traits(prunes=True))

    assert Status.SUCCESS is row.status
    assert math.isnan(row.objective_value)
    assert (0.99, 1.0) == (pytest.approx(row.metrics["report/accuracy"]), row.metrics["epochs_run"])


def test_a_pruned_trial_of_repeats_is_over(tmp_path: Path) -> None:
    """A pruned trial lacks no runs: its siblings are never to be run."""
    (row,), _ = rank(tmp_path, [PRUNED], traits=Traits(prunes=True), repeats=5)

    assert (Status.SUCCESS, True) == (row.status, row.is_partial)


def test_a_trial_that_lacks_runs_is_running(tmp_path: Path) -> None:
    """A trial whose repeats are not all there is not ranked by those that are."""
    (row,), _ = rank(tmp_path, [full(0.5, 0.7)], repeats=3)

    assert (Status.RUNNING, False) == (row.status, row.is_partial)
    assert math.isnan(row.objective_value)


@pytest.mark.parametrize("folds", [None, 2])
def test_a_metric_of_several_runs_has_its_spread(folds: int | None, tmp_path: Path) -> None:
    """Mean, std and number of runs are of the last values, with the folds in mind."""
    values = [0.5, 0.75, 0.25, 0.625]
    repeats = 4 if folds is None else 2
    (row,), _ = rank(tmp_path, [full(*values)], repeats=repeats, folds=folds)

    assert {"accuracy": summarize(values, num_folds=folds)} == row.spreads
    assert row.spreads["accuracy"].mean == row.metrics["accuracy"] == row.objective_value


def test_a_mean_is_shown_with_its_spread(tmp_path: Path) -> None:
    """A cell of several runs reads mean ± std (n); of one run it is the value alone."""
    (row,), sweep = rank(tmp_path / "three", [full(0.5, 0.75, 0.25)], repeats=3)
    (lone,), _ = rank(tmp_path / "one", [full(0.5)])

    assert ["0.5 ± 0.25 (3)"] == column([row], sweep, "accuracy")
    assert ("0.5", "-") == (format_metric(lone, "accuracy"), format_metric(lone, "loss"))


def test_a_metric_of_one_run_among_several_is_alone(tmp_path: Path) -> None:
    """A metric that only one of the runs has logged has no spread."""
    runs: Written = [({"accuracy": [0.5], "loss": [2.0]}, Ending.COMPLETE), *full(0.25)]
    (row,), _ = rank(tmp_path, [runs], repeats=2)

    assert ["accuracy"] == list(row.spreads)
    assert "2" == format_metric(row, "loss")
