"""Sweeps of a one-axis experiment with given values, in memory, for tests of `compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval, Metric

from hparams_lab.analysis.trials.selection import Logged
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import Objective, maximize
from hparams_lab.declare.space import SearchSpace
from hparams_lab.events.read.reader import RunRecord, Types
from hparams_lab.events.read.scan import Scan, Summary
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs import trial as trials
from hparams_lab.runs.sweep import Sweep
from tests.support.factories import FRIDAY, SATURDAY, make_sweep

HOME = ExperimentDir(Path("/logs/toy"))
HPARAMS = (Axis(HParam("units", IntInterval(0, 999)), step=1),)
TYPES = Types(SearchSpace(HPARAMS))
Logs = tuple[Sweep, list[RunRecord]]


def log_sweep(
    sweep_id: str,
    values: Mapping[int, Sequence[float]] | Sequence[Sequence[float]] | np.ndarray[Any, Any],
    *,
    seed: int = 0,
    folds: int | None = None,
    splits: bool = False,
    data: str = "",
    commit: str = "0123abcd",
    objective: Objective | None = None,
    endings: Mapping[int, Ending | None] | None = None,
    reused_from: str = "",
    **changes: Any,
) -> Logs:
    """Return a sweep and its records.

    Args:
        sweep_id: of the sweep.
        values: of the objective, by `units`, of the runs repeat by repeat and fold by fold.
        seed: of the sweep.
        folds: of each repeat.
        splits: whether runs hold out rows, or have folds.
        data: digest of it.
        commit: of all runs.
        objective: by default the highest accuracy.
        endings: of all runs of a trial, by `units`; complete by default.
        reused_from: sweep whose runs of the same names these are; empty if executed.
        **changes: of fields of the sweep.
    """
    by_units = values if isinstance(values, Mapping) else dict(enumerate(values))
    objective = objective or maximize("accuracy")
    num_runs = max(map(len, by_units.values()))
    sweep = make_sweep(
        sweep_id,
        hparams=HPARAMS,
        metrics=[Metric(objective.metric)],
        objective=objective,
        commit=commit,
        seed=seed,
        folds=folds,
        repeats=num_runs // (folds or 1),
        **changes,
    )
    records = [
        _log_run(sweep, trial, number, value, endings or {}, splits, data, reused_from)
        for index, (units, own) in enumerate(by_units.items())
        for trial in [trials.make_trial(index, Assignment({"units": units}))]
        for number, value in enumerate(own)
    ]
    return sweep, records


def _log_run(
    sweep: Sweep,
    trial: trials.Trial,
    number: int,
    value: float,
    endings: Mapping[int, Ending | None],
    splits: bool,
    data: str,
    reused_from: str,
) -> RunRecord:
    repeat, fold = (number, None) if sweep.folds is None else divmod(number, sweep.folds)
    run_dir = SweepDir(HOME.path / sweep.id).run_dir(trial.id, repeat=repeat, fold=fold)
    ending = endings.get(trial.assignment["units"], Ending.COMPLETE)
    outcome: dict[str, Any] = {} if ending is None else {"ending": ending.value}
    if splits or sweep.folds:
        outcome["split_seed"] = trials.split_seed(sweep.seed, repeat if sweep.folds else 0)
    origin = f"{reused_from}/{trial.id}/{run_dir.path.name}" if reused_from else ""
    scan = Scan(
        hparams={
            "units": float(trial.assignment["units"]),
            "day": sweep.day,
            "sweep": sweep.id,
            "commit": sweep.commit_label,
        },
        group_name=f"{trial.id}@{sweep.id}",
        start_time_secs=1_800_000_000.0 + number,
        identity={
            "seed": trials.run_seed(sweep.seed, trial.assignment, repeat, fold),
            "data_digest": data,
            "reused_from": origin,
        },
        status="" if ending is None else ending.status.value,
        end_time_secs=None if ending is None else 1_800_000_002.0 + number,
        outcome=outcome,
        summaries={sweep.objective.tag: Summary(1, float(value), 0, float(value), float(value))},
    )
    return RunRecord(run_dir, scan, TYPES)


def put_together(*logs: Logs) -> Logged:
    """Return the sweeps, given oldest first, as they are read."""
    records = [record for _, records in logs for record in records]
    return Logged(HOME, [sweep for sweep, _ in logs], records)


def log_days(before: Any, after: Any, **options: Any) -> Logged:
    """Return a sweep of Friday and one of Saturday; the options are of both."""
    return put_together(log_sweep(FRIDAY, before, **options), log_sweep(SATURDAY, after, **options))
