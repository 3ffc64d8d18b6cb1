"""Are today's results other than yesterday's? The groups, and each against another.

Logged ─▶ form_groups ─▶ Group, one each
              │
              └─▶ match_trials ─▶ observe ─▶ choose_design ─▶ decide ─▶ Finding, one a pair
              └─▶ describe_changes ─▶ Changes, one a pair
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hparams_lab.analysis.changes.changes import Changes, Side, describe_changes
from hparams_lab.analysis.compare.design import Design, choose_design
from hparams_lab.analysis.compare.groups import By, Group, RunGroup, describe_group, form_groups
from hparams_lab.analysis.compare.pairs import Matches, match_trials, observe
from hparams_lab.analysis.compare.verdict import Finding, decide, find_selection_bias
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.trials.selection import Logged
from hparams_lab.declare.objective import Objective
from hparams_lab.errors import UsageError, did_you_mean
from hparams_lab.logdir.layout import SweepDir


@dataclass(frozen=True)
class GroupPair:
    """One group against another."""

    before: str  # label of the group that it is compared with
    after: str  # label of the group that is compared
    num_matched: int  # points of the space that both have tried in full
    num_only_before: int  # points that only the one before has tried
    num_only_after: int  # points that only the one after has
    left_out: Mapping[str, int]  # trials of both that cannot be compared, by label
    num_unused: int  # runs of matched trials that have no counterpart on the other side
    finding: Finding  # what the matched trials come to
    changes: Changes  # what was changed from one to the other


@dataclass(frozen=True)
class Comparison:
    """The groups of an experiment's trials, and some of them against others."""

    experiment: str  # name
    objective: Objective  # of the newest sweep, by which all are compared
    by: By  # what the trials of a group have in common
    groups: Sequence[Group]  # oldest first
    pairs: Sequence[GroupPair]  # each group against the one before it, or against the baseline
    num_left_out: int  # trials in no group, as their runs are of several commits


def compare(
    logged: Logged,
    *,
    by: By | str = By.DAY,
    baseline: str | None = None,
    rows: Sequence[TrialRow] | None = None,
) -> Comparison:
    """Return the groups of what is logged, and how they compare.

    Args:
        logged: sweeps of an experiment and their runs.
        by: `"day"`, `"sweep"` or `"commit"`.
        baseline: label of the group that all others are compared with, or the beginning of
            it; None to compare each with the one before it.
        rows: some of the trials of `logged`; None for all.

    Raises:
        UsageError: if `by` names nothing, or `baseline` not one group.
    """
    by = By.parse(by) if isinstance(by, str) else by
    chosen = logged.rows if rows is None else rows
    objective = logged.sweeps[-1].objective
    groups = form_groups(chosen, logged.sweeps, by)
    pairs = [_draw(logged, *pair) for pair in _pair_up(groups, baseline)]
    findings = decide([pair.samples for pair in pairs], objective.goal)
    return Comparison(
        experiment=logged.home.name,
        objective=objective,
        by=by,
        groups=[describe_group(group, objective) for group in groups],
        pairs=[
            _describe_pair(logged, pair, finding)
            for pair, finding in zip(pairs, findings, strict=True)
        ],
        num_left_out=len(chosen) - sum(len(group.rows) for group in groups),
    )


def _pair_up(groups: Sequence[RunGroup], baseline: str | None) -> list[tuple[RunGroup, RunGroup]]:
    """Return pairs of before and after.

    Raises:
        UsageError: if `baseline` names no group, or several.
    """
    if baseline is None:
        return list(pairwise(groups))
    labels = [group.label for group in groups]
    found = [group for group in groups if group.label.startswith(baseline)]
    exact = [group for group in groups if group.label == baseline]
    if len(exact or found) != 1:
        hint = did_you_mean(baseline, labels) or f" There are {', '.join(labels) or 'none'}."
        raise UsageError(f"--baseline must name one of the groups; got {baseline!r}.{hint}")
    (base,) = exact or found
    return [(base, group) for group in groups if group is not base]


@dataclass(frozen=True)
class _Pair:
    """Two groups, their matched trials, and the values drawn of `num_runs` runs of those."""

    before: RunGroup
    after: RunGroup
    matched: Matches
    num_runs: int
    samples: Design


def _draw(logged: Logged, before: RunGroup, after: RunGroup) -> _Pair:
    matched = match_trials(before.rows, after.rows)
    sweeps = {sweep.id: sweep for sweep in logged.sweeps}
    sides = observe(matched.matches, sweeps, logged.sweeps[-1].objective.tag)
    return _Pair(before, after, matched, sum(map(len, sides)), choose_design(*sides))


def _describe_pair(logged: Logged, pair: _Pair, finding: Finding) -> GroupPair:
    objective = logged.sweeps[-1].objective
    picking = find_selection_bias(pair.before, pair.after, pair.matched.matches, objective)
    return GroupPair(
        before=pair.before.label,
        after=pair.after.label,
        num_matched=len(pair.matched.matches),
        num_only_before=pair.matched.num_only_before,
        num_only_after=pair.matched.num_only_after,
        left_out=pair.matched.left_out,
        num_unused=pair.num_runs - pair.samples.num_used,
        finding=finding if picking is None else picking.correct(finding),
        changes=describe_changes(_side(pair.before, logged), _side(pair.after, logged)),
    )


def _side(members: RunGroup, logged: Logged) -> Side:
    return Side(
        sweeps=members.sweeps,
        sweep_dirs=[SweepDir(logged.home.path / sweep.id) for sweep in members.sweeps],
        records=[run for row in members.rows for run in row.runs],
    )
