from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hparams_lab.analysis.plots.curves import average_runs, draw_curves, find_curve_tag
from hparams_lab.errors import UsageError
from hparams_lab.logdir.layout import experiment_dir
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run
from tests.support.plot_trials import GRID, log_points, show

CURVE = (0.1, 0.2, 0.3)


def log_repeats(logdir: Path, *curves: list[float]) -> None:
    """Write a trial with a repeat for each curve."""
    home = experiment_dir(logdir, "toy")
    sweep_dir = add_sweep(home, make_sweep(repeats=len(curves)))
    spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1})
    for repeat, curve in enumerate(curves):
        run_dir = sweep_dir.run_dir(spec.dir.trial_id, repeat=repeat)
        write_run(replace(spec, dir=run_dir), {"report/accuracy": curve, "accuracy": curve[-1:]})


def test_the_best_trials_have_curves_best_first(tmp_path: Path) -> None:
    """The legend lists as many trials as are asked for, the best first."""
    trials = show(log_points(tmp_path, curve=CURVE))
    (panel,) = draw_curves(trials, top=3).axes
    legend = panel.get_legend()

    assert legend is not None
    assert [row.trial_id for row in trials.rows[:3]] == [
        text.get_text().split()[0] for text in legend.get_texts()
    ]


def test_repeats_are_averaged_with_their_range(tmp_path: Path) -> None:
    """At each step stand the mean, the lowest and the highest of the runs that came so far."""
    log_repeats(tmp_path, [0.1, 0.2, 0.5], [0.3, 0.4])
    (row,) = show(experiment_dir(tmp_path, "toy")).rows
    curve = [
        tuple(round(number, 6) for number in point)
        for point in average_runs(row, "report/accuracy")
    ]

    assert [(0, 0.2, 0.1, 0.3), (1, 0.3, 0.2, 0.4), (2, 0.5, 0.5, 0.5)] == curve


def test_what_is_not_finite_is_passed_over(tmp_path: Path) -> None:
    """A step at which a run had no number is left to the others, or out."""
    log_repeats(tmp_path, [0.5, float("nan"), 0.75], [0.25, float("inf"), 0.25])
    (row,) = show(experiment_dir(tmp_path, "toy")).rows

    assert [0, 2] == [step for step, *_ in average_runs(row, "report/accuracy")]


@pytest.mark.parametrize(
    ("metric", "tag"),
    [(None, "report/accuracy"), ("report/accuracy:max", "report/accuracy")],
    ids=["objective", "named"],
)
def test_the_reported_curve_stands_for_the_objective(
    tmp_path: Path, metric: str | None, tag: str
) -> None:
    """Where the metric itself has a single value, what was reported on the way is drawn."""
    trials = show(log_points(tmp_path, curve=CURVE), metric)

    assert tag == find_curve_tag(trials.rows, trials.measure)


def test_a_curve_of_the_metric_itself_comes_first(tmp_path: Path) -> None:
    """A metric that was written step by step is drawn as it is."""
    home = log_points(tmp_path, GRID[:2])
    (sweep_dir,) = home.find_sweeps()
    write_run(make_spec(sweep_dir, GRID[3], index=3), {"accuracy": CURVE, "report/accuracy": CURVE})
    trials = show(home)

    assert "accuracy" == find_curve_tag(trials.rows, trials.measure)


def test_without_curves_the_sentence_says_what_to_call(tmp_path: Path) -> None:
    """Runs that wrote each tag once have no curve; the way to one is reported."""
    with pytest.raises(UsageError, match=r"Call run\.report or run\.scalar"):
        draw_curves(show(log_points(tmp_path)))
