"""Matched trials: the points that two groups have both tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hparams_lab.analysis.compare.groups import is_complete
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.domains import Value
from hparams_lab.events.schema import Status

NOT_FINITE = "not finite"

_Point = frozenset[tuple[str, Value]]
"""An assignment, of which two are quickly told apart."""


@dataclass(frozen=True)
class Match:
    """One point of the space that both groups have tried in full.

    Attributes:
        before: trials of one group, at least one, oldest sweep first.
        after: of the other one.
    """

    before: Sequence[TrialRow]
    after: Sequence[TrialRow]


@dataclass(frozen=True)
class Matches:
    """What two groups have in common.

    Attributes:
        matches: points that both have tried in full.
        num_only_before: points that only one group has tried, in whatever way.
        num_only_after: that only the other one has.
        left_out: number of trials of both, by label, that cannot be compared, as they
            failed, were stopped early, still run, or have no finite value.
    """

    matches: Sequence[Match]
    num_only_before: int
    num_only_after: int
    left_out: Mapping[str, int]


def match_trials(before: Sequence[TrialRow], after: Sequence[TrialRow]) -> Matches:
    """Return the trials of equal assignments.

    Args:
        before: of one group.
        after: of the other one.
    """
    tried = _by_point(before), _by_point(after)
    complete = [
        {point: found for point, rows in side.items() if (found := [*filter(is_complete, rows)])}
        for side in tried
    ]
    matches = [
        Match(rows, complete[1][point])
        for point, rows in complete[0].items()
        if point in complete[1]
    ]
    left_out = Counter(
        NOT_FINITE if row.label == Status.SUCCESS.value else row.label
        for row in (*before, *after)
        if not is_complete(row)
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
