"""Two experiments and three sweeps whose spaces drift, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.logdir.layout import ExperimentDir, RunDir, SweepDir
from tests.support.factories import (
    FRIDAY,
    HPARAMS,
    SATURDAY,
    add_sweep,
    make_spec,
    make_sweep,
    write_run,
)

OPTIMIZER = HParam("optimizer", Discrete(["adam", "sgd"]))
ACCURACY = Metric("accuracy")
COST = Metric("cost")

Point = Mapping[str, Any]

FRIDAY_POINTS: Sequence[Point] = [{"units": 8, "rate": 0.1}, {"units": 16, "rate": 0.5}]
SATURDAY_POINTS: Sequence[Point] = [
    {"units": 8, "rate": 0.1, "optimizer": "adam"},
    {"units": 32, "rate": 0.1, "optimizer": "sgd"},
]
# In `other`, the rate is a word: one column of a dashboard cannot show both as they are.
OTHER_POINTS: Sequence[Point] = [{"rate": "high"}, {"rate": "low"}]

NUM_RUNS = len(FRIDAY_POINTS) + len(SATURDAY_POINTS) + len(OTHER_POINTS)

HPARAM_COLUMNS = ["experiment", "optimizer", "rate", "units", "commit", "day", "sweep"]
METRIC_COLUMNS = ["accuracy", "cost", "loss"]


def write_friday(logdir: Path) -> SweepDir:
    """Write the first sweep of `toy`."""
    sweep = make_sweep(FRIDAY, hparams=HPARAMS)
    return write_sweep(logdir / "toy", sweep, FRIDAY_POINTS)


def write_saturday(logdir: Path) -> SweepDir:
    """Write the second sweep of `toy`, with an axis and a value that are new."""
    hparams = [HParam("units", Discrete([8, 32])), HPARAMS[1], OPTIMIZER]
    sweep = make_sweep(SATURDAY, hparams=hparams, objective=maximize(ACCURACY))
    return write_sweep(logdir / "toy", sweep, SATURDAY_POINTS)


def write_other(logdir: Path) -> SweepDir:
    """Write the sweep of `other`, of the same second as the second one of `toy`."""
    hparams = [HParam("rate", Discrete(["high", "low"]))]
    sweep = make_sweep(
        SATURDAY, hparams=hparams, metrics=[COST], objective=minimize(COST), experiment="other"
    )
    return write_sweep(logdir / "other", sweep, OTHER_POINTS)


def write_story(logdir: Path) -> None:
    """Write all three sweeps."""
    write_friday(logdir)
    write_saturday(logdir)
    write_other(logdir)


def write_sweep(home: Path, sweep: Any, points: Sequence[Point]) -> SweepDir:
    """Write a sweep with a run for each point; its metrics are the point's index."""
    sweep_dir = add_sweep(ExperimentDir(home), sweep)
    for index, point in enumerate(points):
        add_run(sweep_dir, point, index, sweep.metric_keys)
    return sweep_dir


def add_run(
    sweep_dir: SweepDir, point: Point, index: int, metrics: Sequence[str] = ("accuracy", "loss")
) -> RunDir:
    """Write a complete run of a sweep, with a curve for each metric."""
    spec = make_spec(sweep_dir, point, index=index)
    write_run(spec, {metric: [0.0, float(index)] for metric in metrics})
    return spec.dir


def all_trial_ids(logdir: Path) -> list[str]:
    """Return the Trial IDs of a dashboard on all experiments, sorted."""
    runs = [path.parent.parent for path in logdir.glob("*/*/*/*/events*")]
    return sorted(f"{trial.name}@{trial.parent.name}@{trial.parent.parent.name}" for trial in runs)
