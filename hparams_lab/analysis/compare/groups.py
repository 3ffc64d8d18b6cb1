"""The groups that are compared: the trials of a day, of a sweep, or of a commit."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Objective
from hparams_lab.errors import UsageError, did_you_mean
from hparams_lab.runs.sweep import Sweep
from hparams_lab.stats.interval import summarize


class By(Enum):
    """What the trials of a group have in common."""

    DAY = "day"
    SWEEP = "sweep"
    COMMIT = "commit"

    @staticmethod
    def parse(word: str) -> By:
        """Return the one that a word names.

        Raises:
            UsageError: if it names none.
        """
        known = [by.value for by in By]
        if word not in known:
            hint = did_you_mean(word, known) or f" Choose of {', '.join(known)}."
            raise UsageError(f"--by must be a day, a sweep or a commit; got {word!r}.{hint}")
        return By(word)


@dataclass(frozen=True)
class RunGroup:
    """The trials of a group."""

    label: str  # of the group
    sweeps: Sequence[Sweep]  # that the trials are of, oldest first
    rows: Sequence[TrialRow]  # the trials, best first


@dataclass(frozen=True)
class BestTrial:
    """The best trial of a group."""

    trial: str  # id
    sweep: str  # id
    dir: Path  # where its runs lie
    value: float  # of the objective
    assignment: Assignment  # its hyperparameters


@dataclass(frozen=True)
class Group:
    """What the trials of a group came to, by the objective of the newest sweep of all."""

    label: str  # a day, a sweep's id, or a commit
    started: str  # its first run, local time with its offset, ISO 8601
    ended: str | None  # its last run, likewise; None if none has ended
    sweeps: Sequence[str]  # ids, oldest first
    # short ones, `+` behind those with changes, in order of first appearance
    commits: Sequence[str]
    num_trials: int  # that have begun
    num_runs: int  # of them
    statuses: Mapping[str, int]  # number of trials by label: SUCCESS, FAILURE, PRUNED and so on
    num_values: int  # trials that succeeded in full, with a finite value of the objective
    best: BestTrial | None  # of those; None if there are none
    median: float  # of their values, NaN if there are none
    mean: float  # of their values, likewise
    low: float  # lower end of the 95 % interval of the mean, after Student's t; NaN below two
    high: float  # upper end of it
    wall_secs: float  # of all ended runs together
    notes: Sequence[str]  # what else there is to know, one sentence each


def form_groups(rows: Iterable[TrialRow], sweeps: Sequence[Sweep], by: By) -> list[RunGroup]:
    """Return the groups that have a trial, oldest first.

    A commit is as old as the first of its runs. A trial whose runs are of several commits,
    as its sweep was resumed, belongs to none of them.

    Args:
        rows: best first.
        sweeps: that they are of, oldest first.
        by: what the trials of a group have in common.
    """
    label_of = _LABELS[by]
    by_label: dict[str, list[TrialRow]] = {}
    for row in rows:
        by_label.setdefault(label_of(row), []).append(row)
    by_label.pop("", None)
    groups = [
        RunGroup(label, [sweep for sweep in sweeps if sweep.id in ids], members)
        for label, members in by_label.items()
        for ids in [{row.sweep_id for row in members}]
    ]
    return sorted(groups, key=lambda group: (group.sweeps[0].id, _first_start(group)))


def describe_group(members: RunGroup, objective: Objective) -> Group:
    """Return what the trials of a group came to.

    Args:
        members: at least one trial.
        objective: of the newest sweep of all groups.
    """
    rows = members.rows
    valued = [row for row in rows if row.has_result]
    values = [row.objective_value for row in valued]
    spread = summarize(values)
    runs = [run for row in rows for run in row.runs]
    ends = [run.end_time_secs for run in runs if run.end_time_secs is not None]
    return Group(
        label=members.label,
        started=_format_time(_first_start(members)),
        ended=_format_time(max(ends)) if ends else None,
        sweeps=[sweep.id for sweep in members.sweeps],
        commits=_list_commits(members),
        num_trials=len(rows),
        num_runs=len(runs),
        statuses=dict(Counter(row.label for row in rows)),
        num_values=len(values),
        best=_find_best(valued, objective),
        median=statistics.median(values) if values else math.nan,
        mean=spread.mean,
        low=spread.low,
        high=spread.high,
        wall_secs=sum(row.wall_secs for row in rows),
        notes=[*_list_notes(members, objective)],
    )


def _commit_of(row: TrialRow) -> str:
    """Return the commit of a trial's runs; empty if there are several."""
    commits = {run.labels.get("commit", "none") for run in row.runs}
    return commits.pop() if len(commits) == 1 else ""


_LABELS: dict[By, Callable[[TrialRow], str]] = {
    By.DAY: lambda row: row.sweep_id[:10],
    By.SWEEP: lambda row: row.sweep_id,
    By.COMMIT: _commit_of,
}


def _first_start(members: RunGroup) -> float:
    return min(run.start_time_secs for row in members.rows for run in row.runs)


def _format_time(secs: float) -> str:
    return datetime.fromtimestamp(secs).astimezone().isoformat(timespec="seconds")


def _list_commits(members: RunGroup) -> list[str]:
    by_start = sorted(
        (run.start_time_secs, run.labels.get("commit", "none"))
        for row in members.rows
        for run in row.runs
    )
    return list(dict.fromkeys(commit for _, commit in by_start))


def _find_best(rows: Sequence[TrialRow], objective: Objective) -> BestTrial | None:
    if not rows:
        return None
    best = min(rows, key=lambda row: objective.rank(row.objective_value))
    return BestTrial(
        trial=best.trial_id,
        sweep=best.sweep_id,
        dir=best.runs[0].dir.path.parent,
        value=best.objective_value,
        assignment=best.assignment,
    )


def _list_notes(members: RunGroup, objective: Objective) -> Iterable[str]:
    """Yield what may make the group another than it seems."""
    others = {
        str(sweep.objective): sweep.id for sweep in members.sweeps if sweep.objective != objective
    }
    for other, sweep_id in others.items():
        yield f"the objective of {sweep_id} was {other}, not {objective}"
    num_states = len({digest for sweep in members.sweeps for digest in sweep.code_digests} - {""})
    if num_states > len(_list_commits(members)):
        advice = ": compare them by sweep" if len(members.sweeps) > 1 else ""
        yield f"its runs are of {num_states} states of the code{advice}"
