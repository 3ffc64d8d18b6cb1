"""What the dashboard's table shows of trials of several runs, and of those stopped early."""

from __future__ import annotations

import math

import pytest

from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.trials.selection import read_logged
from hparams_lab.logdir.layout import ExperimentDir
from tests.conftest import InlineLauncher
from tests.support.oracle import Board, read_board

NOISY = """
    def train(run):
        noise = run.seed % 1000 / 7000 + (run.use_fold() or 0) / 3
        return {"loss": run.hparams["x"] + noise, "size": 0.1 * run.repeat}

    EXPERIMENT = lab.Experiment(
        name="noisy",
        hparams=[HParam("x", Discrete([1.0, 2.0, 3.0]))],
        metrics=[Metric("size"), Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""

# Every run but the best one's is worse from its second report on.
CURVES = """
    def train(run):
        for epoch in range(9):
            run.scalar("accuracy", 0.9 - epoch * run.hparams["x"], epoch)
            run.report(0.9 - epoch * run.hparams["x"], epoch)
        return {}

    EXPERIMENT = lab.Experiment(
        name="curves",
        hparams=[HParam("x", Discrete([0.0, 0.01, 0.02, 0.03]))],
        metrics=[Metric("accuracy")],
        objective=lab.maximize("accuracy"),
        train=train,
    )
"""


def read(home: ExperimentDir) -> tuple[Board, dict[str, TrialRow]]:
    """Return what the dashboard shows and our rows, by Trial ID."""
    return read_board(home.path), {row.runs[0].group_name: row for row in read_logged(home).rows}


@pytest.fixture
def noisy(launch_inline: InlineLauncher) -> ExperimentDir:
    """A sweep of three trials of two repeats of three folds."""
    return launch_inline(NOISY, repeats=2, folds=3)


@pytest.fixture
def pruned(launch_inline: InlineLauncher) -> ExperimentDir:
    """A sweep of four trials of two repeats, three of which are stopped early."""
    options = {"pruner": "asha", "min_budget": 2}
    return launch_inline(CURVES, search_options=options, repeats=2)


def test_a_trial_is_one_row(noisy: ExperimentDir) -> None:
    """The six runs of each trial are the sessions of one row."""
    board, rows = read(noisy)

    assert sorted(rows) == board.trial_ids
    assert [6, 6, 6] == [len(group.sessions) for group in board.session_groups]


def test_a_row_s_metric_is_our_mean(noisy: ExperimentDir) -> None:
    """The dashboard's mean over the runs is ours to a millionth, for each metric."""
    board, rows = read(noisy)
    for tag in ("loss", "size"):
        ours = {trial: row.metrics[tag] for trial, row in rows.items()}

        assert ours == pytest.approx(board.column(tag), abs=1e-6)


def test_a_row_says_how_sure_its_mean_is(noisy: ExperimentDir) -> None:
    """Std, number of runs and 95 % interval are columns, with the values that we show."""
    board, rows = read(noisy)
    for trial, row in rows.items():
        spread = row.spreads["loss"]
        shown = [board.column(f"{name}/loss")[trial] for name in ("std", "n", "ci95_low")]

        assert [spread.std, 6, spread.low] == pytest.approx(shown, abs=1e-6)
        assert pytest.approx(spread.high, abs=1e-6) == board.column("ci95_high/loss")[trial]


def test_the_spread_s_columns_come_behind_the_metrics(noisy: ExperimentDir) -> None:
    """The objective is the first metric column, then the others, then our own."""
    spread = ["std/loss", "n/loss", "ci95_low/loss", "ci95_high/loss"]

    assert ["loss", "size", *spread] == read_board(noisy.path).metrics


def test_the_best_is_the_best_on_average(noisy: ExperimentDir) -> None:
    """Our first row is the one with the dashboard's lowest mean."""
    board, rows = read(noisy)
    column = board.column("loss")

    assert next(iter(rows)) == min(column, key=lambda trial: column[trial])


def test_lone_runs_have_no_such_columns(launch_inline: InlineLauncher) -> None:
    """Where each trial is one run the dashboard has the user's metrics alone."""
    assert ["loss", "size"] == read_board(launch_inline(NOISY).path).metrics


def test_a_pruned_run_is_a_success_without_a_result(pruned: ExperimentDir) -> None:
    """A pruned run did what it should, and its row shows no number for the objective."""
    board, rows = read(pruned)
    column = board.column("accuracy")
    partial = [trial for trial, row in rows.items() if row.is_partial]

    assert {"STATUS_SUCCESS"} == set(board.statuses)
    assert 3 == len(partial)
    assert all(math.isnan(column.get(trial, math.nan)) for trial in partial)


def test_a_pruned_run_says_how_far_it_came(pruned: ExperimentDir) -> None:
    """Epochs and rung are columns, which tell a pruned run from a full one."""
    board, rows = read(pruned)
    epochs = {trial: board.column("epochs_run")[trial] for trial in rows}
    rungs = {trial: board.column("rung")[trial] for trial in rows}

    assert ["epochs_run", "rung"] == board.metrics[-2:]
    assert [9.0, 2.0, 2.0, 2.0] == list(epochs.values())
    assert [2.0, 1.0, 1.0, 1.0] == list(rungs.values())


def test_a_pruned_trial_is_one_session(pruned: ExperimentDir) -> None:
    """The repeats of a pruned trial are not run; the full one has both."""
    board, rows = read(pruned)
    sessions = {group.name: len(group.sessions) for group in board.session_groups}

    assert [2, 1, 1, 1] == [sessions[trial] for trial in rows]
