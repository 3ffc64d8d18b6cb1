"""The trials of a sweep, ranked: what the terminal's tables are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from hparams_lab.declare import tags
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Objective
from hparams_lab.events.reader import RunRecord
from hparams_lab.events.schema import Ending, Status
from hparams_lab.runs.sweep import Sweep
from hparams_lab.spread import Spread, describe

PRUNED = "PRUNED"
LOST_RACE = "LOST RACE"


@dataclass(frozen=True)
class TrialRow:
    """One trial and what its runs came to.

    Attributes:
        trial_id: within its sweep.
        sweep_id: of the sweep.
        assignment: its hyperparameters.
        status: SUCCESS if all runs succeeded, FAILURE if one failed, else RUNNING.
        is_partial: whether it succeeded, but was stopped early: a run was pruned, or it
            has fewer runs than the others, as it lost a race.
        metrics: mean over the runs of each tag's last value, as the dashboard has it.
        spreads: how sure the mean of each metric of more than one run is.
        objective_value: the mean of the objective; NaN if the trial did not succeed.
        wall_secs: of all ended runs together, in seconds.
        runs: by repeat and fold.
    """

    trial_id: str
    sweep_id: str
    assignment: Assignment
    status: Status
    is_partial: bool
    metrics: dict[str, float]
    spreads: Mapping[str, Spread]
    objective_value: float
    wall_secs: float
    runs: Sequence[RunRecord]

    @property
    def label(self) -> str:
        """The dashboard's status, or in which way a successful trial was stopped early."""
        if not self.is_partial:
            return self.status.value
        return PRUNED if any(run.ending is Ending.PRUNED for run in self.runs) else LOST_RACE


def rank_trials(records: Iterable[RunRecord], sweeps: Sequence[Sweep]) -> list[TrialRow]:
    """Return the trials of the runs, best first by the newest sweep's objective.

    After those that have all their runs come those that were stopped early, and last
    those that did not succeed.

    Args:
        records: runs in any order.
        sweeps: that the runs are of, oldest first.
    """
    objective = sweeps[-1].objective
    sweep_by_id = {sweep.id: sweep for sweep in sweeps}
    in_order = sorted(records, key=lambda record: record.dir)
    groups = groupby(in_order, key=lambda record: record.dir.path.parent)
    rows = [
        _summarize(list(runs), sweep_by_id[trial_dir.parent.name], objective)
        for trial_dir, runs in groups
    ]
    return sorted(
        rows,
        key=lambda row: (
            row.status is not Status.SUCCESS,
            row.is_partial,
            *objective.rank(row.objective_value),
            row.trial_id,
        ),
    )


def _summarize(runs: list[RunRecord], sweep: Sweep, objective: Objective) -> TrialRow:
    is_pruned = any(run.ending is Ending.PRUNED for run in runs)
    has_all_runs = len(runs) >= sweep.runs_per_trial
    has_lost = any(tags.count(sweep.objective.tag) in run.scalars for run in runs)
    status = _combine({run.status for run in runs})
    if status is Status.SUCCESS and not (has_all_runs or is_pruned or has_lost):
        status = Status.RUNNING
    last_values = [run.last_values for run in runs]
    series = {
        tag: [values[tag] for values in last_values if tag in values]
        for tag in dict.fromkeys(tag for values in last_values for tag in values)
    }
    metrics = {tag: _mean(values) for tag, values in series.items()}
    spreads = {
        key: describe(series[key], num_folds=sweep.folds)
        for key in (objective.tag, *sweep.metric_keys)
        if len(series.get(key, ())) > 1
    }
    succeeded = status is Status.SUCCESS
    return TrialRow(
        trial_id=runs[0].dir.trial_id,
        sweep_id=runs[0].dir.sweep_id,
        assignment=runs[0].assignment,
        status=status,
        is_partial=succeeded and (is_pruned or not has_all_runs),
        metrics=metrics,
        spreads=spreads,
        objective_value=metrics.get(objective.tag, math.nan) if succeeded else math.nan,
        wall_secs=sum(run.wall_secs or 0.0 for run in runs),
        runs=runs,
    )


def _combine(statuses: set[Status]) -> Status:
    if Status.FAILURE in statuses:
        return Status.FAILURE
    return Status.RUNNING if Status.RUNNING in statuses else Status.SUCCESS


def _mean(values: list[float]) -> float:
    # Not statistics.fmean, which raises where infinities of both signs meet.
    return sum(values) / len(values)
