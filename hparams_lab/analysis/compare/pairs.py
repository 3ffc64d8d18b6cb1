"""Matched trials: the points that two groups have both tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.domains import Value
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import split_seed

NOT_FINITE = "not finite"

_Point = frozenset[tuple[str, Value]]
"""An assignment, of which two are quickly compared."""


@dataclass(frozen=True)
class Match:
    """One point of the space that both groups have tried in full."""

    before: Sequence[TrialRow]  # trials of one group, at least one, oldest sweep first
    after: Sequence[TrialRow]  # of the other one


@dataclass(frozen=True)
class Matches:
    """What two groups have in common."""

    matches: Sequence[Match]  # points that both have tried in full
    num_only_before: int  # points that only one group has tried, in whatever way
    num_only_after: int  # that only the other one has
    # number of trials of both, by label, that cannot be compared, as they failed, were stopped
    # early, still run, or have no finite value
    left_out: Mapping[str, int]


def match_trials(before: Sequence[TrialRow], after: Sequence[TrialRow]) -> Matches:
    """Return the trials of equal assignments.

    Args:
        before: of one group.
        after: of the other one.
    """
    tried = _by_point(before), _by_point(after)
    complete = [
        {
            point: found
            for point, rows in side.items()
            if (found := [row for row in rows if row.has_result])
        }
        for side in tried
    ]
    matches = [
        Match(rows, complete[1][point])
        for point, rows in complete[0].items()
        if point in complete[1]
    ]
    left_out = Counter(
        NOT_FINITE if row.is_complete else row.label
        for row in (*before, *after)
        if not row.has_result
    )
    return Matches(
        matches=matches,
        num_only_before=len(tried[0].keys() - tried[1].keys()),
        num_only_after=len(tried[1].keys() - tried[0].keys()),
        left_out=dict(left_out),
    )


def _by_point(rows: Sequence[TrialRow]) -> dict[_Point, list[TrialRow]]:
    found: dict[_Point, list[TrialRow]] = {}
    # Oldest first, not best first: no pairing may favour the lucky ones.
    for row in sorted(rows, key=lambda row: (row.sweep_id, row.trial_id)):
        found.setdefault(frozenset(row.assignment.items()), []).append(row)
    return found


Split = tuple[Hashable, ...]
"""What says which rows a run was judged on: seed of the split, data, and with folds which.

The seed is None where the run took its rows from no split of ours.
"""


@dataclass(frozen=True)
class Observation:
    """What counts of one run."""

    trial: int  # index of its match
    value: float  # of the objective
    split: Split  # which rows it was judged on, as far as that is known
    num_folds: int | None  # one of which it held out; None without folds
    run_seed: Hashable  # by which runs of one split differ
    sweep_seed: int  # of its sweep
    origin: str  # the run that was executed: its path below the experiment's directory


def observe(
    matches: Sequence[Match], sweeps: Mapping[str, Sweep], tag: str
) -> tuple[list[Observation], list[Observation]]:
    """Return what counts of the runs of both groups, each oldest sweep first.

    Args:
        matches: their matched trials.
        sweeps: that these are of, by id.
        tag: of the objective; a run without it is passed over.
    """
    sides = ([match.before for match in matches], [match.after for match in matches])
    digests = {run.data_digest for side in sides for rows in side for run in _runs_of(rows)}
    tells_data = "" not in digests  # else data that is not known may be the same
    before, after = (
        [
            _observe(run, trial, sweeps[run.dir.sweep_id], tag, tells_data)
            for trial, rows in enumerate(side)
            for run in _runs_of(rows)
            if tag in run.metrics
        ]
        for side in sides
    )
    return before, after


def _runs_of(rows: Sequence[TrialRow]) -> list[RunRecord]:
    return [run for row in rows for run in row.runs]


def _observe(run: RunRecord, trial: int, sweep: Sweep, tag: str, tells_data: bool) -> Observation:
    data = run.data_digest if tells_data else ""
    split: Split = (None, data)  # who splits other data by himself may judge by other rows
    if sweep.folds is not None:
        # Older files do not say by which seed, but folds are always those of the sweep's.
        seed = split_seed(sweep.seed, run.dir.repeat) if run.split_seed is None else run.split_seed
        split = (seed, data, run.dir.fold)
    elif run.split_seed is not None:
        split = (run.split_seed, data)
    return Observation(
        trial=trial,
        value=run.metrics[tag].last,
        split=split,
        num_folds=sweep.folds,
        run_seed=("repeat", run.dir.repeat) if run.seed is None else run.seed,
        sweep_seed=sweep.seed,
        origin=run.reused_from or "/".join(run.dir.path.parts[-3:]),
    )
