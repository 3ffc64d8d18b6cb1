"""The trials of a sweep, ranked: what the terminal's tables are made of."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from hparams_lab.analysis.trials.facts import OF_TRIAL, list_facts
from hparams_lab.declare import tags
from hparams_lab.declare.assignment import Assignment
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.schema import Ending, Status
from hparams_lab.runs.sweep import Sweep
from hparams_lab.stats.interval import Spread, summarize

PRUNED = "PRUNED"
LOST_RACE = "LOST RACE"


@dataclass(frozen=True)
class TrialRow:
    """One trial and what its runs came to."""

    trial_id: str  # within its sweep
    sweep_id: str  # of the sweep
    assignment: Assignment  # its hyperparameters
    status: Status  # SUCCESS if all runs succeeded, FAILURE if one failed, else RUNNING
    # whether it succeeded, but was stopped early: a run was pruned, or it has fewer runs than
    # the others, as it lost a race
    is_partial: bool
    # mean over the runs of each tag's last value, as the dashboard has it
    metrics: dict[str, float]
    spreads: Mapping[str, Spread]  # how sure the mean of each metric of more than one run is
    objective_value: float  # the mean of the objective; NaN if the trial did not succeed
    wall_secs: float  # of all ended runs together, in seconds
    runs: Sequence[RunRecord]  # by repeat and fold

    @cached_property
    def facts(self) -> dict[str, Any]:
        """All that can be asked of it by name, as `--where` and `--sort` do.

        Its hyperparameters; its metrics by tag; what `analysis.trials.facts` lists, and the
        seed of its first run.
        A name that several have means the first of them, in this trial; `metric/NAME` and
        `trial/NAME` mean the same in all trials.
        """
        own = {**list_facts(OF_TRIAL, self), "seed": self.runs[0].seed}
        facts: dict[str, Any] = dict(self.assignment)
        for kind, named in (("metric", self.metrics), ("trial", own)):
            facts = {**{f"{kind}/{name}": named[name] for name in named}, **named, **facts}
        return facts

    @cached_property
    def label(self) -> str:
        """The dashboard's status, or in which way a successful trial was stopped early."""
        if not self.is_partial:
            return self.status.value
        return PRUNED if any(run.ending is Ending.PRUNED for run in self.runs) else LOST_RACE

    @property
    def is_complete(self) -> bool:
        """Whether all its runs succeeded, and none was stopped early."""
        return self.status is Status.SUCCESS and not self.is_partial

    @property
    def has_result(self) -> bool:
        """Whether it is complete, with a finite value of the objective."""
        return self.is_complete and math.isfinite(self.objective_value)

    @cached_property
    def ending(self) -> str | None:
        """How the runs ended that make it what it is: `timed out`; None while one runs.

        Where several of its runs failed, in different ways, all of these: `failed, crashed`.
        """
        if self.status is Status.RUNNING:
            return None
        endings = [run.ending for run in self.runs if run.ending is not None]
        if self.status is Status.FAILURE:
            endings = [ending for ending in endings if ending.status is Status.FAILURE]
        elif Ending.PRUNED in endings:
            endings = [Ending.PRUNED]
        return ", ".join(dict.fromkeys(ending.value for ending in endings))

    @property
    def told_label(self) -> str:
        """The label for the reader: a failure that was not train's own says its way."""
        if self.status is not Status.FAILURE or self.ending == Ending.FAILED.value:
            return self.label
        return f"{self.label} ({self.ending})"

    @property
    def attempts(self) -> int:
        """How many attempts the run took that took most; those before the last do not count."""
        return 1 + max(run.dir.attempt for run in self.runs)


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
    keys = {sweep.id: (objective.tag, *sweep.metric_keys) for sweep in sweeps}
    rows = []
    # Text, as paths take several times as long to sort and to take the parents of.
    in_order = sorted(
        ((str(record.dir.path), record) for record in records), key=lambda each: each[0]
    )
    for trial_path, members in groupby(in_order, key=lambda each: each[0].rpartition(os.sep)[0]):
        sweep_id, trial_id = trial_path.rsplit(os.sep, 2)[1:]
        runs = [run for _, run in members]
        row = _summarize(trial_id, runs, sweep_by_id[sweep_id], objective.tag, keys[sweep_id])
        rows.append(row)
    return sorted(
        rows,
        key=lambda row: (
            row.status is not Status.SUCCESS,
            row.is_partial,
            *objective.rank(row.objective_value),
            row.trial_id,
        ),
    )


def _summarize(
    trial_id: str, runs: list[RunRecord], sweep: Sweep, objective: str, keys: Iterable[str]
) -> TrialRow:
    """Return the row of a trial.

    Args:
        trial_id: of the trial.
        runs: its runs, by repeat and fold.
        sweep: that it belongs to.
        objective: tag by which it is ranked.
        keys: of the metrics that are to have a spread.
    """
    is_pruned = any(run.ending is Ending.PRUNED for run in runs)
    has_all_runs = len(runs) >= sweep.runs_per_trial
    status = _combine({run.status for run in runs})
    if status is Status.SUCCESS and not (has_all_runs or is_pruned or _has_lost(runs, sweep)):
        status = Status.RUNNING
    series: dict[str, list[float]] = {}
    for run in runs:
        for tag, value in run.last_values.items():
            series.setdefault(tag, []).append(value)
    metrics = {tag: _mean(values) for tag, values in series.items()}
    spreads = {
        key: summarize(series[key], num_folds=sweep.folds)
        for key in keys
        if len(series.get(key, ())) > 1
    }
    succeeded = status is Status.SUCCESS
    return TrialRow(
        trial_id=trial_id,
        sweep_id=sweep.id,
        assignment=runs[0].assignment,
        status=status,
        is_partial=succeeded and (is_pruned or not has_all_runs),
        metrics=metrics,
        spreads=spreads,
        objective_value=metrics.get(objective, math.nan) if succeeded else math.nan,
        wall_secs=sum(run.wall_secs or 0.0 for run in runs),
        runs=runs,
    )


def _has_lost(runs: Iterable[RunRecord], sweep: Sweep) -> bool:
    """Return whether the trial is over though it has fewer runs than others."""
    return any(tags.count(sweep.objective.tag) in run.metrics for run in runs)


def _combine(statuses: set[Status]) -> Status:
    if Status.FAILURE in statuses:
        return Status.FAILURE
    return Status.RUNNING if Status.RUNNING in statuses else Status.SUCCESS


def _mean(values: list[float]) -> float:
    # Not statistics.fmean, which raises where infinities of both signs meet.
    return sum(values) / len(values)
