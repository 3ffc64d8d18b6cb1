"""Trials to draw pictures of, written by hand and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, RealInterval

from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.analysis.trials.goal import pick_measure
from hparams_lab.analysis.trials.selection import Logged, read_logged
from hparams_lab.declare.axis import Axis
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import write_config
from hparams_lab.logdir.layout import ExperimentDir, experiment_dir
from tests.support.factories import FRIDAY, add_sweep, make_spec, make_sweep, ticking, write_run

UNITS = HParam("units", Discrete([8, 16]))
RATE = Axis(HParam("rate", RealInterval(0.001, 0.1)), scale="log", grid_points=3)
KIND = HParam("kind", Discrete(["plain", "fancy"]))

GRID = [
    {"units": units, "rate": rate, "kind": kind}
    for units in (8, 16)
    for rate in (0.001, 0.01, 0.1)
    for kind in ("plain", "fancy")
]

Score = Callable[[Mapping[str, Any]], float]


def score_units(values: Mapping[str, Any]) -> float:
    """Return a score in which more units are better and a rate of 0.01 is best."""
    return float(values["units"]) / 100 + (0.1 if values["rate"] == 0.01 else 0.0)


def log_points(
    logdir: Path,
    points: Sequence[Mapping[str, Any]] = GRID,
    *,
    sweep_ids: Sequence[str] = (FRIDAY,),
    hparams: Sequence[Any] = (UNITS, RATE, KIND),
    score: Score = score_units,
    failed: Callable[[int], bool] = lambda index: False,
    curve: Sequence[float] = (),
    **changes: Any,
) -> ExperimentDir:
    """Write a sweep of a run for each point, and return the experiment's directory.

    Args:
        logdir: folder of the experiment.
        points: the assignments.
        sweep_ids: of the sweeps, each of which has all points.
        hparams: of the space.
        score: of an assignment: its accuracy.
        failed: whether the run of an index fails.
        curve: values of `report/accuracy` on the way.
        **changes: of the sweep.
    """
    home = experiment_dir(logdir, "toy")
    for day, sweep_id in enumerate(sweep_ids):
        sweep_dir = add_sweep(home, make_sweep(sweep_id, hparams=hparams, **changes))
        for index, values in enumerate(points):
            spec = make_spec(sweep_dir, values, index=index)
            clock = ticking(1_800_000_000.0 + 86_400 * day + 60 * index)
            if failed(index):
                write_run(spec, {}, ending=Ending.FAILED, clock=clock)
            else:
                scalars = {"accuracy": [score(values)], "loss": [1 - score(values)]}
                series = {"report/accuracy": list(curve), **scalars} if curve else scalars
                write_run(spec, series, clock=clock)
    write_config(home)
    return home


def show(home: ExperimentDir, metric: str | None = None) -> Trials:
    """Return all trials of an experiment, to be shown by a metric."""
    logged = read_logged(home)
    return show_logged(logged, metric)


def show_logged(logged: Logged, metric: str | None = None) -> Trials:
    """Return all trials that are logged, to be shown by a metric."""
    return Trials(logged.rows, logged.sweeps, pick_measure(logged.rows, logged.sweeps, metric))
