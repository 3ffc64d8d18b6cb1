"""What the dashboard's table shows of a sweep, asked of TensorBoard's own backend."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hparams_lab.analysis.trials.rows import rank_trials
from hparams_lab.events.read.reader import read_runs
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.sweep import Sweep
from tests.conftest import PARABOLA, InlineLauncher
from tests.support.dashboard_modules import SEVEN
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run
from tests.support.oracle import count_configs, read_board

SERIES = """
    def train(run):
        for step, value in enumerate({series}):
            run.scalar("{tag}", value, step)
        return {returned}

    EXPERIMENT = lab.Experiment(
        name="series",
        hparams=[HParam("x", Discrete([1]))],
        metrics=[Metric("accuracy"{group})],
        objective=lab.maximize("{tag}", reduction="{reduction}"),
        train=train,
    )
"""


def write_series(
    launch: InlineLauncher,
    series: str,
    *,
    returned: str = "{}",
    reduction: str = "last",
    group: str = "",
) -> ExperimentDir:
    """Launch a run whose `accuracy` has a series and a returned value, both as code."""
    return launch(
        SERIES.format(
            series=series,
            tag=f"{group}/accuracy" if group else "accuracy",
            returned=returned,
            reduction=reduction,
            group=f', group="{group}"' if group else "",
        )
    )


def only(column: dict[str, float]) -> float:
    """Return the value of a column of one row."""
    (value,) = column.values()
    return value


def test_swept_columns_come_first(launch_inline: InlineLauncher) -> None:
    """What was varied comes first, by name; constants and labels come after."""
    board = read_board(launch_inline(SEVEN).path)

    assert ["kappa", "mu", "nu", "omega", "zeta"] == board.differing == board.hparams[:5]
    assert ["alpha", "beta", "commit", "day", "sweep"] == board.hparams[5:]


def test_narrowed_axis_is_a_constant(launch_inline: InlineLauncher) -> None:
    """An axis that `--set` fixed has its value in the table but is not marked as varied."""
    board = read_board(launch_inline(SEVEN, settings=["mu=b"]).path)

    assert "mu" not in board.differing
    assert {"b"} == {board.values(trial)["mu"] for trial in board.trial_ids}


def test_row_has_all_values(launch_inline: InlineLauncher) -> None:
    """A row shows each hparam and where the run comes from."""
    board = read_board(launch_inline(SEVEN).path)
    values = board.values(board.trial_ids[0])
    labels = {name: values.pop(name) for name in ("day", "sweep", "commit")}

    assert {"day": "2026-11-21", "sweep": "2026-11-21_07-00-01", "commit": "none"} == labels
    assert values == {
        **{"zeta": 1.0, "mu": "a", "kappa": False, "beta": 0.5, "alpha": 5.0, "omega": 1.0},
        "nu": 0.1,
    }


def test_objective_is_the_first_metric(launch_inline: InlineLauncher) -> None:
    """The metric that ranks trials is the first metric column."""
    assert ["accuracy", "loss"] == read_board(launch_inline(SEVEN).path).metrics


def test_trial_ids_are_trial_and_sweep(finished_sweep: SweepDir) -> None:
    """A Trial ID is readable: the trial's directory and the sweep's time."""
    board = read_board(finished_sweep.path.parent)
    trials = sorted(path.name for path in finished_sweep.path.iterdir() if path.is_dir())

    assert [f"{trial}@2026-11-21_07-00-01" for trial in trials] == board.trial_ids
    assert len(trials) == 5


def test_there_is_one_config(launch_inline: InlineLauncher) -> None:
    """After two sweeps with different spaces there is one config for TensorBoard to pick."""
    launch_inline(PARABOLA, settings=["x=0"])
    home = launch_inline(PARABOLA)

    assert count_configs(home.path) == 1


def test_two_sweeps_are_two_sets_of_rows(launch_inline: InlineLauncher) -> None:
    """The same grid twice is twice the rows, of one run each, not the mean of both."""
    launch_inline(PARABOLA)
    board = read_board(launch_inline(PARABOLA).path)

    assert len(board.session_groups) == 10
    assert {len(group.sessions) for group in board.session_groups} == {1}
    assert ["x"] == board.differing


def test_table_equals_ours(launch_inline: InlineLauncher) -> None:
    """Each metric of each trial is the same number in the dashboard and in our table."""
    home = launch_inline(SEVEN)
    (sweep_dir,) = home.find_sweeps()
    sweep = Sweep.read(sweep_dir)
    rows = rank_trials(read_runs(sweep_dir, sweep.space), [sweep])
    board = read_board(home.path)

    assert len(rows) == 32
    for tag in sweep.metric_keys:
        assert board.column(tag) == {r.runs[0].group_name: r.metrics[tag] for r in rows}


def test_returned_value_is_shown(launch_inline: InlineLauncher) -> None:
    """The table shows what train returned, though epochs were logged under the same tag."""
    home = write_series(launch_inline, "[0.25, 0.75]", returned='{"accuracy": 0.5}')

    assert only(read_board(home.path).column("accuracy")) == 0.5


def test_last_value_is_shown(launch_inline: InlineLauncher) -> None:
    """Where train returns nothing, the table shows the last value that it logged."""
    home = write_series(launch_inline, "[0.25, 0.75, 0.5]")

    assert only(read_board(home.path).column("accuracy")) == 0.5


def test_best_value_is_shown(launch_inline: InlineLauncher) -> None:
    """Where the best value counts it has a column, the first; the last value keeps its own."""
    home = write_series(launch_inline, "[0.25, 0.75, 0.5]", reduction="best")
    board = read_board(home.path)

    assert ["best/accuracy", "accuracy"] == board.metrics
    assert [0.75, 0.5] == [only(board.column(tag)) for tag in board.metrics]


@pytest.mark.parametrize("reduction", ["last", "best"])
def test_metric_of_a_group_is_shown(reduction: str, launch_inline: InlineLauncher) -> None:
    """A metric of a group has its column filled, also for its best value."""
    home = write_series(launch_inline, "[0.5]", group="validation", reduction=reduction)
    board = read_board(home.path)

    assert board.metrics[-1] == "validation/accuracy"
    assert {tag: only(board.column(tag)) for tag in board.metrics} == dict.fromkeys(
        board.metrics, 0.5
    )


def test_nan_is_shown_as_a_failure(launch_inline: InlineLauncher) -> None:
    """A metric that is not a number does not break the table: the row says FAILURE."""
    home = write_series(launch_inline, '[0.5, float("nan")]')
    board = read_board(home.path)

    assert ["STATUS_FAILURE"] == board.statuses
    assert math.isnan(only(board.column("accuracy")))


def test_run_that_raises_is_shown_as_a_failure(launch_inline: InlineLauncher) -> None:
    """A run that raised is FAILURE with the values it logged; the others are SUCCESS."""
    home = launch_inline(
        PARABOLA.replace("return {", "assert run.hparams['x'] < 2\n        return {")
    )
    board = read_board(home.path)

    assert [*["STATUS_SUCCESS"] * 3, *["STATUS_FAILURE"] * 2] == board.statuses
    assert [8.0, 8.0] == [board.column("loss")[trial] for trial in board.trial_ids[3:]]


def test_running_run_is_shown(tmp_path: Path) -> None:
    """A run that has not ended is in the table, with the values it has logged so far."""
    home = ExperimentDir(tmp_path / "toy")
    spec = make_spec(add_sweep(home, make_sweep()), {"units": 8, "rate": 0.1})
    write_run(spec, {"accuracy": [0.25, 0.5]}, ending=None)
    board = read_board(home.path)

    assert ["STATUS_UNKNOWN"] == board.statuses
    assert {spec.group_name: 0.5} == board.column("accuracy")


def test_run_that_has_logged_nothing_is_shown(tmp_path: Path) -> None:
    """A run that has only begun is a row with empty metrics, and breaks nothing."""
    home = ExperimentDir(tmp_path / "toy")
    spec = make_spec(add_sweep(home, make_sweep()), {"units": 8, "rate": 0.1})
    write_run(spec, {}, ending=None)
    board = read_board(home.path)

    assert [spec.group_name] == board.trial_ids
    assert {} == board.column("accuracy")


def test_condition_leaves_a_cell_empty(launch_inline: InlineLauncher) -> None:
    """An hparam that a trial does not have is an empty cell of its row."""
    home = launch_inline(
        PARABOLA.replace(
            "grid_points=5)",
            'grid=[0.0, 1.0]), lab.Axis(HParam("y", Discrete([7])), when={"x": 1.0})',
        )
    )
    board = read_board(home.path)

    assert [None, 7.0] == [board.values(trial).get("y") for trial in board.trial_ids]
