"""Better, worse, or no evidence: what two groups' matched trials come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from hparams_lab.analysis.compare.design import Samples, Unit
from hparams_lab.analysis.compare.significance import ALPHA, Evidence, correct
from hparams_lab.declare.objective import Goal
from hparams_lab.stats.power import count_fold_repeats, count_repeats


class Verdict(Enum):
    """What can be said of one group against another."""

    BETTER = "better"
    WORSE = "worse"
    NO_EVIDENCE = "no evidence"


@dataclass(frozen=True)
class Finding:
    """A verdict and what it rests on.

    Attributes:
        verdict: at a level of 5 % for all comparisons made together.
        unit: what counted as one value.
        num_trials: matched trials that were compared.
        num_folds: of each repeat; None without folds.
        evidence: None where nothing could be tested.
        corrected_p_value: for the number of comparisons; None as `evidence`.
        repeats_needed: with no evidence, by how many repeats of each trial a difference of
            the observed size would show, four times out of five; more than `MAX_REPEATS`
            where it takes more; None where that is not known.
        is_identical: whether all values were the same on both sides.
        problem: why nothing could be tested, or the test says nothing; else empty.
    """

    verdict: Verdict
    unit: Unit
    num_trials: int
    num_folds: int | None
    evidence: Evidence | None
    corrected_p_value: float | None
    repeats_needed: int | None = None
    is_identical: bool = False
    problem: str = ""


def judge(samples: Sequence[Samples], goal: Goal) -> list[Finding]:
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
    corrected = iter(correct(tested))
    num_tests = len(tested)
    return [
        Finding(
            verdict=Verdict.NO_EVIDENCE,
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
    samples: Samples, evidence: Evidence, p_value: float, alpha: float, goal: Goal
) -> Finding:
    finding = Finding(
        verdict=Verdict.NO_EVIDENCE,
        unit=samples.unit,
        num_trials=samples.num_trials,
        num_folds=samples.num_folds,
        evidence=evidence,
        corrected_p_value=p_value,
        is_identical=samples.is_identical,
    )
    if p_value <= ALPHA:
        is_gain = (evidence.difference > 0) == (goal is Goal.MAXIMIZE)
        return replace(finding, verdict=Verdict.BETTER if is_gain else Verdict.WORSE)
    if finding.is_identical:
        return finding
    return replace(finding, repeats_needed=_count_repeats(samples, evidence, alpha))


def _count_repeats(samples: Samples, evidence: Evidence, alpha: float) -> int | None:
    """Return how many repeats would settle it; None where the rows differ, not the runs."""
    effect, num_pairs = evidence.effect_size, samples.num_pairs
    if samples.unit is Unit.SPLIT or math.isnan(effect):
        return None
    if samples.num_folds is not None:
        return count_fold_repeats(effect, samples.num_folds, num_pairs=num_pairs, alpha=alpha)
    return count_repeats(effect, samples.num_trials, num_pairs=num_pairs, alpha=alpha)
