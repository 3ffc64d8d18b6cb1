"""Whether matched trials were picked by their results, so that a change of luck looks like one.

Who runs yesterday's ten best again sees them get worse, whatever was changed: they were the
best with yesterday's luck. Who stops poor runs early today sees the others get better: they
are those that today's luck spared. What goes against such a pull is a verdict all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from hparams_lab.analysis.compare.groups import Members, is_complete
from hparams_lab.analysis.compare.pairs import Match
from hparams_lab.analysis.compare.significance import ALPHA
from hparams_lab.analysis.compare.verdict import Finding, Verdict
from hparams_lab.analysis.trials.rows import LOST_RACE, PRUNED, TrialRow
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Objective


@dataclass(frozen=True)
class Picking:
    """How matched trials were picked by their results.

    Attributes:
        towards: the verdict that comes of it by itself.
        reason: what is to be said in its place.
    """

    towards: Verdict
    reason: str

    def restrain(self, finding: Finding) -> Finding:
        """Return the finding without a verdict that would come of the picking by itself."""
        if finding.verdict is not self.towards:
            return finding
        return replace(finding, verdict=Verdict.NO_EVIDENCE, problem=self.reason)


def find_picking(
    before: Members, after: Members, matches: Sequence[Match], objective: Objective
) -> Picking | None:
    """Return how the matched trials were picked by their results; None if they were not.

    Args:
        before: one group.
        after: the other one.
        matches: points that both have tried in full.
        objective: by which they are compared.
    """
    complete = _values(before.rows), _values(after.rows)
    lost = _stopped(before.rows) & complete[1].keys(), _stopped(after.rows) & complete[0].keys()
    for side, stopped, others, towards in (
        (before, lost[0], lost[1], Verdict.WORSE),
        (after, lost[1], lost[0], Verdict.BETTER),
    ):
        if stopped and not others:
            return Picking(
                towards,
                f"{len(stopped)} of the points that both tried were stopped early in {side.label} "
                "alone, and those that are left had the better luck there; run both without "
                "--pruner and --racing",
            )
    matched = {match.before[0].assignment for match in matches}
    ranked = sorted(complete[0], key=lambda point: objective.rank(complete[0][point]))
    is_by_chance = ALPHA < 1 / math.comb(len(ranked), len(matched))
    if not is_by_chance and matched == {*ranked[: len(matched)]}:
        return Picking(
            Verdict.WORSE,
            f"the {len(matched)} points that both tried are the best of {len(ranked)} in "
            f"{before.label}, picked with their luck, and would do worse anyway; run some that "
            "were not picked by their results, too",
        )
    return None


def _values(rows: Iterable[TrialRow]) -> dict[Assignment, float]:
    """Return the mean value of each point that was tried in full."""
    found: dict[Assignment, list[float]] = {}
    for row in filter(is_complete, rows):
        found.setdefault(row.assignment, []).append(row.objective_value)
    return {point: fmean(values) for point, values in found.items()}


def _stopped(rows: Iterable[TrialRow]) -> set[Assignment]:
    rows = list(rows)
    complete = {row.assignment for row in rows if is_complete(row)}
    return {row.assignment for row in rows if row.label in (PRUNED, LOST_RACE)} - complete
