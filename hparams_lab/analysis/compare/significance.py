"""How sure a difference between two sides is: interval, p-value, effect size.

Three designs, by what is independent of what (docs/design/compare.md says why):

    permutation_test    runs of the same point on the same rows: a permutation test
    corrected_paired_t     folds that both sides were judged on: the corrected paired t-test
    pooled_t    splits that are not the same on both sides: a t-test of two samples

Numbers alone: which design fits what was logged is decided in `samples`.

Source: Fisher, "The Design of Experiments", 1935, chapter 3, for the permutation of pairs;
Hartigan, "Using Subsample Values as Typical Values", JASA 64 (1969), 1303-1317, for their
interval; `hparams_lab.stats.interval` for the correction for folds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hparams_lab.stats.interval import summarize, worse_p_value
from hparams_lab.stats.permutation import Block, permute

ALPHA = 0.05  # two-sided: of the verdicts, and what the intervals leave out


@dataclass(frozen=True)
class Significance:
    """A mean difference, in the units of the metric, and how sure it is."""

    difference: float  # mean of after minus before
    low: float  # lower end of its 95 % interval; -inf where there is too little to bound it
    high: float  # upper end of it
    p_value: float  # two-sided, of no difference; in (0, 1]
    # Cohen's d, the difference in standard deviations of the difference of two runs, of a
    # fold's difference, or of a split; infinite where these do not vary, NaN where there are
    # too few to decide
    effect_size: float
    num_before: int  # runs, folds or splits before
    num_after: int  # runs, folds or splits after


def permutation_test(blocks: Sequence[Block]) -> Significance:
    """Return the evidence of blocks of runs, by dealing their values out anew.

    If nothing was changed, each value of a block may as well have come on either side. So
    the difference is held against those of all ways to deal the values out within the
    blocks, or of many ways drawn with a fixed seed. Nothing is assumed of how values are
    spread, nor that they are spread alike in all blocks. The interval holds the
    differences that the same test does not reject, so it leaves out zero where p is at
    most 0.05, and there only.

    Args:
        blocks: at least one, of finite values.

    Example:
        >>> pairs = zip([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.5, 2.25, 3.75, 4.5, 6.0, 6.25])
        >>> evidence = permutation_test([Block([before], [after]) for before, after in pairs])
        >>> evidence.p_value, evidence.low, evidence.high
        (0.03125, 0.25, 1.0)
    """
    weights = [block.weight for block in blocks]
    steps = [weight * block.difference for weight, block in zip(weights, blocks, strict=True)]
    difference = sum(steps) / sum(weights)
    gains, moved = permute(blocks)
    # Had all values after been less by a shift, this way would give the same difference.
    shifts = np.sort(-gains[moved > 0] / moved[moved > 0])
    # So many ways may be as far out on one side, those that move no value among them.
    rank = math.floor(ALPHA / 2 * len(gains) + 1e-9) - np.count_nonzero(moved == 0)
    tail = min(int(np.count_nonzero(side >= 0)) for side in (gains, -gains))
    return Significance(
        difference=difference,
        low=float(shifts[rank]) if rank >= 0 else -math.inf,
        high=float(shifts[-1 - rank]) if rank >= 0 else math.inf,
        p_value=min(1.0, 2 * tail / len(gains)),
        effect_size=_standardize(difference, _std_of_pair(blocks, difference)),
        num_before=sum(len(block.before) for block in blocks),
        num_after=sum(len(block.after) for block in blocks),
    )


def corrected_paired_t(differences: Sequence[float], *, num_folds: int) -> Significance:
    """Return the evidence of folds that both sides were judged on.

    The paired t-test, with the variance corrected for the training rows that folds share.

    Args:
        differences: `[num_repeats * num_folds]`, after minus before, finite, at least two.
        num_folds: of each repeat, at least two.

    Example:
        >>> round(corrected_paired_t([0.1, 0.3, 0.2, 0.4], num_folds=4).p_value, 3)
        0.085
    """
    spread = summarize(differences, num_folds=num_folds)
    zeros = [0.0] * len(differences)
    low, high = spread.low, spread.high
    if spread.std > 0:
        worse = worse_p_value(differences, zeros, num_folds=num_folds)
        better = worse_p_value(zeros, differences, num_folds=num_folds)
        p_value = 2 * min(worse, better)
    else:  # t would be infinite; but of all ways to flip signs, two are as far from zero
        p_value, low, high = _weigh_equal(spread.mean, 2 ** len(differences))
    return Significance(
        difference=spread.mean,
        low=low,
        high=high,
        p_value=p_value,
        effect_size=_standardize(spread.mean, spread.std),
        num_before=len(differences),
        num_after=len(differences),
    )


def pooled_t(
    before: Sequence[float],
    after: Sequence[float],
    *,
    num_folds: int | None = None,
) -> Significance:
    """Return the evidence of splits that differ from side to side.

    Student's t-test of two samples. Their variances are pooled: if nothing was changed,
    they are equal, and so few values cannot spare the degrees of freedom of Welch's.

    Args:
        before: `[num_before]` means over the trials, finite, at least one.
        after: `[num_after]`, the same; three in all at least.
        num_folds: where the splits are folds of repeats, of each; None for hold-outs.

    Example:
        >>> round(pooled_t([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]).p_value, 3)
        0.021
    """
    from scipy.special import stdtr, stdtrit  # a fifth of a second to import

    num_before, num_after = len(before), len(after)
    freedom = num_before + num_after - 2
    variance = (_sum_squares(before) + _sum_squares(after)) / freedom
    shared = 0.0 if num_folds is None else 2 / (num_folds - 1)
    error = math.sqrt(variance * (1 / num_before + 1 / num_after + shared))
    difference = Block(before, after).difference
    half_width = float(stdtrit(freedom, 1 - ALPHA / 2)) * error
    low, high = difference - half_width, difference + half_width
    if error > 0:
        p_value = 2 * float(stdtr(freedom, -abs(difference) / error))
    else:  # as in corrected_paired_t, but of all ways to deal the values out
        p_value, low, high = _weigh_equal(difference, math.comb(num_before + num_after, num_after))
    return Significance(
        difference=difference,
        low=low,
        high=high,
        p_value=p_value,
        effect_size=_standardize(difference, math.sqrt(variance)),
        num_before=num_before,
        num_after=num_after,
    )


def _weigh_equal(difference: float, num_ways: int) -> tuple[float, float, float]:
    """Return p-value and interval of values that do not vary, of which there may be too few."""
    p_value = min(1.0, 2 / num_ways) if difference else 1.0
    is_bounded = difference == 0 or p_value <= ALPHA
    return (p_value, difference, difference) if is_bounded else (p_value, -math.inf, math.inf)


def _sum_squares(values: Sequence[float]) -> float:
    """Return the sum of the squared distances from the mean."""
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)


def _standardize(difference: float, std: float) -> float:
    if difference == 0:
        return 0.0
    if math.isnan(std):
        return math.nan  # of a single pair
    return math.copysign(math.inf, difference) if std == 0 else difference / std


def _std_of_pair(blocks: Sequence[Block], difference: float) -> float:
    """Return the standard deviation of the difference of two runs; NaN of a single pair.

    Of the residuals once each block and the difference between sides are accounted for.
    """
    values = [[*block.before, *block.after] for block in blocks]
    freedom = sum(map(len, values)) - len(blocks) - 1
    if freedom < 1:
        return math.nan
    within = sum(_sum_squares(each) for each in values)
    explained = difference**2 * sum(block.weight for block in blocks)
    residual = within - explained
    # What is left of rounding where the difference is the same in all blocks.
    return math.sqrt(2 * residual / freedom) if residual > 1e-12 * within else 0.0
