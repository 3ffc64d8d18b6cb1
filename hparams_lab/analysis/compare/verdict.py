"""Better, worse, or no evidence: what two groups' matched trials come to.

Who runs yesterday's ten best again sees them get worse, whatever was changed: they were the
best with yesterday's luck. Who stops poor runs early today sees the others get better: they
are those that today's luck spared. What goes against such a pull is a verdict all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from statistics import fmean

from hparams_lab.analysis.compare.design import Design, Unit
from hparams_lab.analysis.compare.groups import RunGroup
from hparams_lab.analysis.compare.pairs import Match
from hparams_lab.analysis.compare.significance import ALPHA, Significance
from hparams_lab.analysis.trials.rows import LOST_RACE, PRUNED, TrialRow
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Goal, Objective
from hparams_lab.stats import holm
from hparams_lab.stats.power import count_fold_repeats, count_repeats


class Conclusion(Enum):
    """What can be said of one group against another."""

    BETTER = "better"
    WORSE = "worse"
    NO_EVIDENCE = "no evidence"


@dataclass(frozen=True)
class Finding:
    """A verdict and what it rests on."""

    verdict: Conclusion  # at a level of 5 % for all comparisons made together
    unit: Unit  # what counted as one value
    num_trials: int  # matched trials that were compared
    num_folds: int | None  # of each repeat; None without folds
    evidence: Significance | None  # None where nothing could be tested
    corrected_p_value: float | None  # for the number of comparisons; None as `evidence`
    # with no evidence, by how many repeats of each trial a difference of the observed size
    # would show, four times out of five; more than `MAX_REPEATS` where it takes more; None
    # where that is not known
    repeats_needed: int | None = None
    is_identical: bool = False  # whether all values were the same on both sides
    problem: str = ""  # why nothing could be tested, or the test says nothing; else empty


def decide(samples: Sequence[Design], goal: Goal) -> list[Finding]:
    """Return the finding of each comparison, corrected for the number of all that test.

    Args:
        samples: of each comparison.
        goal: of the objective.
    """
    weighed = [sample.weigh() for sample in samples]
    # Equal values could not have got a verdict, so they are no test that another pays for.
    tested = [
        each.p_value
        for sample, each in zip(samples, weighed, strict=True)
        if each is not None and not sample.is_identical
    ]
    corrected = iter(holm.correct(tested))
    num_tests = len(tested)
    return [
        Finding(
            verdict=Conclusion.NO_EVIDENCE,
            unit=sample.unit,
            num_trials=sample.num_trials,
            num_folds=sample.num_folds,
            evidence=None,
            corrected_p_value=None,
            problem=sample.problem,
        )
        if evidence is None
        else _find(
            sample,
            evidence,
            evidence.p_value if sample.is_identical else next(corrected),
            ALPHA / max(1, num_tests),
            goal,
        )
        for sample, evidence in zip(samples, weighed, strict=True)
    ]


def _find(
    samples: Design, evidence: Significance, p_value: float, alpha: float, goal: Goal
) -> Finding:
    finding = Finding(
        verdict=Conclusion.NO_EVIDENCE,
        unit=samples.unit,
        num_trials=samples.num_trials,
        num_folds=samples.num_folds,
        evidence=evidence,
        corrected_p_value=p_value,
        is_identical=samples.is_identical,
    )
    if p_value <= ALPHA:
        is_gain = (evidence.difference > 0) == (goal is Goal.MAXIMIZE)
        return replace(finding, verdict=Conclusion.BETTER if is_gain else Conclusion.WORSE)
    if finding.is_identical:
        return finding
    return replace(finding, repeats_needed=_count_repeats(samples, evidence, alpha))


def _count_repeats(samples: Design, evidence: Significance, alpha: float) -> int | None:
    """Return how many repeats would settle it; None where the rows differ, not the runs."""
    effect, num_pairs = evidence.effect_size, samples.num_pairs
    if samples.unit is Unit.SPLIT or math.isnan(effect):
        return None
    if samples.num_folds is not None:
        return count_fold_repeats(effect, samples.num_folds, num_pairs=num_pairs, alpha=alpha)
    return count_repeats(effect, samples.num_trials, num_pairs=num_pairs, alpha=alpha)


@dataclass(frozen=True)
class SelectionBias:
    """How matched trials were picked by their results."""

    towards: Conclusion  # the verdict that comes of it by itself
    reason: str  # what is to be said in its place

    def correct(self, finding: Finding) -> Finding:
        """Return the finding without a verdict that would come of the picking by itself."""
        if finding.verdict is not self.towards:
            return finding
        return replace(finding, verdict=Conclusion.NO_EVIDENCE, problem=self.reason)


def find_selection_bias(
    before: RunGroup, after: RunGroup, matches: Sequence[Match], objective: Objective
) -> SelectionBias | None:
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
        (before, lost[0], lost[1], Conclusion.WORSE),
        (after, lost[1], lost[0], Conclusion.BETTER),
    ):
        if stopped and not others:
            return SelectionBias(
                towards,
                f"{len(stopped)} of the points that both tried were stopped early in {side.label} "
                "alone, and those that are left had the better luck there; run both without "
                "--pruner and --racing",
            )
    matched = {match.before[0].assignment for match in matches}
    ranked = sorted(complete[0], key=lambda point: objective.rank(complete[0][point]))
    is_by_chance = ALPHA < 1 / math.comb(len(ranked), len(matched))
    if not is_by_chance and matched == {*ranked[: len(matched)]}:
        return SelectionBias(
            Conclusion.WORSE,
            f"the {len(matched)} points that both tried are the best of {len(ranked)} in "
            f"{before.label}, picked with their luck, and would do worse anyway; run some that "
            "were not picked by their results, too",
        )
    return None


def _values(rows: Iterable[TrialRow]) -> dict[Assignment, float]:
    """Return the mean value of each point that was tried in full."""
    found: dict[Assignment, list[float]] = {}
    for row in (row for row in rows if row.has_result):
        found.setdefault(row.assignment, []).append(row.objective_value)
    return {point: fmean(values) for point, values in found.items()}


def _stopped(rows: Iterable[TrialRow]) -> set[Assignment]:
    rows = list(rows)
    complete = {row.assignment for row in rows if row.has_result}
    return {row.assignment for row in rows if row.label in (PRUNED, LOST_RACE)} - complete
