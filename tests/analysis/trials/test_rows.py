"""Trials ranked: best first, what failed last, with means over the runs of a trial."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hparams_lab.analysis.trials.rows import TrialRow, rank_trials
from hparams_lab.declare.objective import Objective, maximize, minimize
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.schema import Ending, Status
from hparams_lab.logdir.layout import SweepDir
from tests.support import factories
from tests.support.factories import FRIDAY, SATURDAY, make_sweep

EITHER_GOAL = pytest.mark.parametrize(
    "objective", [maximize("accuracy"), minimize("accuracy")], ids=["maximize", "minimize"]
)


ENDINGS = {
    Status.SUCCESS: Ending.COMPLETE,
    Status.FAILURE: Ending.FAILED,
    Status.RUNNING: None,
}


def make_record(
    trial: int,
    accuracy: float | None,
    *,
    repeat: int = 0,
    status: Status = Status.SUCCESS,
    sweep_id: str = SATURDAY,
) -> RunRecord:
    """Return the record of a run that took two seconds, with an accuracy unless it is None."""
    run_dir = SweepDir(Path("/logs/toy") / sweep_id).run_dir(f"{trial:04d}-abcdef01", repeat=repeat)
    return factories.make_record(
        run_dir,
        {"x": float(trial)},
        {} if accuracy is None else {"accuracy": accuracy},
        ending=ENDINGS[status],
    )


def rank(records: Iterable[RunRecord], objective: Objective, *, repeats: int = 1) -> list[TrialRow]:
    """Rank the runs of two sweeps with an objective and so many repeats."""
    sweeps = [make_sweep(day, objective=objective, repeats=repeats) for day in (FRIDAY, SATURDAY)]
    return rank_trials(records, sweeps)


def order(rows: Sequence[TrialRow]) -> list[int]:
    """Return the trials' numbers, first to last."""
    return [int(row.trial_id[:4]) for row in rows]


def test_best_is_first() -> None:
    """The direction of the objective says what is best."""
    records = [make_record(trial, value) for trial, value in enumerate([0.5, 0.9, 0.1])]

    assert [1, 0, 2] == order(rank(records, maximize("accuracy")))
    assert [2, 0, 1] == order(rank(records, minimize("accuracy")))


@EITHER_GOAL
@given(st.lists(st.floats(), max_size=6), st.randoms(use_true_random=False))
def test_ranking_ignores_the_order_of_records(
    objective: Objective, values: list[float], shuffler: Random
) -> None:
    """However the records are shuffled, the trials come in one order, NaN last."""
    records = [make_record(trial, value) for trial, value in enumerate(values)]
    rows = rank(records, objective)
    shuffler.shuffle(records)
    ranked = [row.objective_value for row in rows if not math.isnan(row.objective_value)]

    assert order(rows) == order(rank(records, objective))
    assert sorted(ranked, key=objective.rank) == ranked
    assert all(math.isnan(row.objective_value) for row in rows[len(ranked) :])


def test_equal_values_come_by_trial() -> None:
    """Trials of one value come in the order in which they were proposed."""
    records = [make_record(trial, 0.5) for trial in (3, 1, 2)]

    assert [1, 2, 3] == order(rank(records, maximize("accuracy")))


@EITHER_GOAL
@pytest.mark.parametrize("status", [Status.FAILURE, Status.RUNNING])
def test_what_did_not_succeed_is_last(status: Status, objective: Objective) -> None:
    """A trial that failed or still runs is not ranked by what it logged so far."""
    records = [make_record(0, 0.9, status=status), make_record(1, 0.1), make_record(2, 0.99)]
    last = rank(records, objective)[-1]

    assert (0, status) == (int(last.trial_id[:4]), last.status)
    assert math.isnan(last.objective_value)
    assert {"accuracy": 0.9} == last.metrics


def test_metric_is_the_mean_of_the_last_values() -> None:
    """Several runs of a trial have the mean of their last values, as on the dashboard."""
    (row,) = rank(
        [make_record(0, 0.25, repeat=0), make_record(0, 0.75, repeat=1)], maximize("accuracy")
    )

    assert (0.5, {"accuracy": 0.5}) == (row.objective_value, row.metrics)
    assert [0, 1] == [run.dir.repeat for run in row.runs]


def test_mean_of_infinities_is_nan() -> None:
    """Runs that went off to either infinity have no mean, and break no table."""
    (row,) = rank(
        [make_record(0, math.inf), make_record(0, -math.inf, repeat=1)], maximize("accuracy")
    )

    assert math.isnan(row.metrics["accuracy"])


def test_run_without_the_metric_is_left_out_of_its_mean() -> None:
    """A run that has not logged a metric yet does not count in its mean."""
    (row,) = rank(
        [make_record(0, 0.25), make_record(0, None, repeat=1, status=Status.RUNNING)],
        maximize("accuracy"),
    )

    assert {"accuracy": 0.25} == row.metrics


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([Status.SUCCESS, Status.SUCCESS], Status.SUCCESS),
        ([Status.SUCCESS, Status.RUNNING], Status.RUNNING),
        ([Status.SUCCESS, Status.FAILURE], Status.FAILURE),
        ([Status.RUNNING, Status.FAILURE], Status.FAILURE),
    ],
    ids=["all", "one_runs", "one_failed", "none"],
)
def test_status_is_that_of_all_runs(statuses: Sequence[Status], expected: Status) -> None:
    """A trial succeeded if all its runs did, and failed if one did."""
    records = [make_record(0, 0.5, repeat=i, status=status) for i, status in enumerate(statuses)]
    (row,) = rank(records, maximize("accuracy"))

    assert expected is row.status


def test_time_is_that_of_the_ended_runs() -> None:
    """A trial took the time of its ended runs together."""
    records = [
        make_record(0, 0.5),
        make_record(0, 0.5, repeat=1, status=Status.FAILURE),
        make_record(0, 0.5, repeat=2, status=Status.RUNNING),
    ]
    (row,) = rank(records, maximize("accuracy"))

    assert row.wall_secs == 4.0


def test_same_trial_of_two_sweeps_is_two_rows() -> None:
    """The same point of two sweeps is two rows, not the mean of both."""
    records = [make_record(0, 0.5, sweep_id=FRIDAY), make_record(0, 0.75)]
    rows = rank(records, maximize("accuracy"))

    assert [(SATURDAY, 0.75), (FRIDAY, 0.5)] == [(r.sweep_id, r.objective_value) for r in rows]


def test_objective_nobody_logged_is_nan() -> None:
    """Where the objective has no value the trials are there all the same, by id."""
    records = [make_record(1, 0.5), make_record(0, 0.5)]
    rows = rank(records, maximize("loss"))

    assert [0, 1] == order(rows)
    assert all(math.isnan(row.objective_value) for row in rows)


def test_nothing_is_no_rows() -> None:
    """Without runs there are no trials."""
    assert rank([], maximize("accuracy")) == []


def test_names_that_are_taken_get_another() -> None:
    """An hparam keeps its name; a metric and a fact of that name are asked for with a prefix."""
    run_dir = SweepDir(Path("/logs/toy") / SATURDAY).run_dir("0000-abcdef01")
    values = {"accuracy": 0.5, "loss": 0.25}
    record = factories.make_record(run_dir, {"loss": "mse", "secs": 9.0}, values)
    (row,) = rank([record], maximize("accuracy"))

    assert ("mse", 0.25) == (row.facts["loss"], row.facts["metric/loss"])
    assert (9.0, 2.0) == (row.facts["secs"], row.facts["trial/secs"])
    assert (0.5, SATURDAY) == (row.facts["accuracy"], row.facts["sweep"])
