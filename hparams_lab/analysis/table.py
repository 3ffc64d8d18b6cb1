"""The trials of a sweep, ranked: what the terminal's tables are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Objective
from hparams_lab.events.reader import RunRecord
from hparams_lab.events.schema import Status


@dataclass(frozen=True)
class TrialRow:
    """One trial and what its runs came to.

    Attributes:
        trial_id: within its sweep.
        sweep_id: of the sweep.
        assignment: its hyperparameters.
        status: SUCCESS if all runs succeeded, FAILURE if one failed, else RUNNING.
        metrics: mean over the runs of each tag's last value, as the dashboard has it.
        objective_value: the mean of the objective; NaN if the trial did not succeed.
        wall_secs: of all ended runs together, in seconds.
        runs: by repeat and fold.
    """

    trial_id: str
    sweep_id: str
    assignment: Assignment
    status: Status
    metrics: dict[str, float]
    objective_value: float
    wall_secs: float
    runs: Sequence[RunRecord]


def rank_trials(records: Iterable[RunRecord], objective: Objective) -> list[TrialRow]:
    """Return the trials of the runs, best first, those that did not succeed last.

    Args:
        records: runs in any order, of one sweep or several.
        objective: by which trials are ranked.
    """
    in_order = sorted(records, key=lambda record: record.dir)
    groups = groupby(in_order, key=lambda record: record.dir.path.parent)
    rows = [_summarize(list(runs), objective) for _, runs in groups]
    return sorted(rows, key=lambda row: (*objective.rank(row.objective_value), row.trial_id))


def _summarize(runs: list[RunRecord], objective: Objective) -> TrialRow:
    statuses = {run.status for run in runs}
    status = Status.SUCCESS if statuses == {Status.SUCCESS} else Status.RUNNING
    if Status.FAILURE in statuses:
        status = Status.FAILURE
    last_values = [run.last_values for run in runs]
    tags = dict.fromkeys(tag for values in last_values for tag in values)
    metrics = {tag: _mean([values[tag] for values in last_values if tag in values]) for tag in tags}
    succeeded = status is Status.SUCCESS
    return TrialRow(
        trial_id=runs[0].dir.trial_id,
        sweep_id=runs[0].dir.sweep_id,
        assignment=runs[0].assignment,
        status=status,
        metrics=metrics,
        objective_value=metrics.get(objective.tag, math.nan) if succeeded else math.nan,
        wall_secs=sum(run.wall_secs or 0.0 for run in runs),
        runs=runs,
    )


def _mean(values: list[float]) -> float:
    # Not statistics.fmean, which raises where infinities of both signs meet.
    return sum(values) / len(values)
