"""Significance of blocks, folds and splits, held against scipy's tests and against chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hparams_lab.analysis.compare.significance import (
    ALPHA,
    Significance,
    corrected_paired_t,
    permutation_test,
    pooled_t,
)
from hparams_lab.stats.permutation import Block, permute

FEW = settings(max_examples=30, deadline=None)
# Eighths, whose sums are exact, so that ties are ties for scipy, too.
EIGHTHS = st.integers(-40, 40).map(lambda number: number / 8)
DIFFERENCES = st.lists(EIGHTHS, min_size=2, max_size=8)
BLOCK = st.builds(
    Block, st.lists(EIGHTHS, min_size=1, max_size=3), st.lists(EIGHTHS, min_size=1, max_size=3)
)
SIDE_OF_SEVERAL = st.lists(EIGHTHS, min_size=2, max_size=4)  # scipy takes no fewer
BLOCKS = st.lists(BLOCK, min_size=1, max_size=3)  # 8,000 ways at most: none are drawn


def weigh_pairs(differences: Sequence[float]) -> Significance:
    """Return the evidence of pairs that differ by so much."""
    return permutation_test([Block([1.0], [1.0 + difference]) for difference in differences])


@FEW
@given(DIFFERENCES)
def test_pairs_have_the_sign_flip_test(differences: list[float]) -> None:
    """Of pairs, the p-value is that of scipy's exact permutation test of their mean."""
    expected = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    )

    assert expected.pvalue == pytest.approx(weigh_pairs(differences).p_value)


@FEW
@given(SIDE_OF_SEVERAL, SIDE_OF_SEVERAL)
def test_one_block_has_the_two_sample_test(before: list[float], after: list[float]) -> None:
    """Of one block, it is that of scipy's exact permutation test of two samples."""
    expected = stats.permutation_test(
        (after, before),
        lambda one, other, axis: one.mean(axis) - other.mean(axis),
        vectorized=True,
        n_resamples=np.inf,
    )

    assert expected.pvalue == pytest.approx(permutation_test([Block(before, after)]).p_value)


@FEW
@given(BLOCKS)
def test_the_interval_holds_what_is_not_rejected(blocks: list[Block]) -> None:
    """The interval leaves out zero where the p-value is at most 0.05, and only there."""
    evidence = permutation_test(blocks)

    assert (evidence.p_value <= ALPHA) == (not evidence.low <= 0 <= evidence.high)


@FEW
@given(BLOCKS, EIGHTHS)
def test_the_interval_goes_with_the_values(blocks: list[Block], shift: float) -> None:
    """All values after raised by as much raise difference and interval by as much."""
    one = permutation_test(blocks)
    raised = [Block(each.before, [value + shift for value in each.after]) for each in blocks]
    other = permutation_test(raised)

    assert other.difference == pytest.approx(one.difference + shift)
    assert (other.low, other.high) == pytest.approx((one.low + shift, one.high + shift))


@FEW
@given(BLOCKS)
def test_the_sides_are_equal_before_the_test(blocks: list[Block]) -> None:
    """The other way round, the difference has the other sign, and is as sure."""
    one = permutation_test(blocks)
    other = permutation_test([Block(block.after, block.before) for block in blocks])

    assert one.difference == pytest.approx(-other.difference)
    assert one.p_value == pytest.approx(other.p_value)


@pytest.mark.parametrize("num_after", [1, 3], ids=["pairs", "unequal"])
def test_drawn_ways_agree_with_all_ways(num_after: int) -> None:
    """Where there are too many ways to look at all, those that are drawn tell the same."""
    rng = np.random.default_rng(1)
    blocks = [
        Block([rng.normal()], [*rng.normal(0.4, 1, num_after)]) for _ in range(40 // num_after)
    ]
    gains, moved = permute(blocks)
    expected = stats.ttest_1samp([block.difference for block in blocks], 0)

    assert 10_000 == len(gains) == len(moved)
    assert (0.0, 0.0) == (gains[0], moved[0])
    assert expected.pvalue == pytest.approx(permutation_test(blocks).p_value, abs=0.02)


def test_drawn_ways_are_always_the_same() -> None:
    """The same values have the same evidence, whenever it is asked."""
    blocks = [Block([0.0], [value]) for value in np.random.default_rng(0).normal(size=30)]

    assert permutation_test(blocks) == permutation_test(blocks)


def test_five_pairs_bound_nothing() -> None:
    """Five pairs that agree may be chance in one of sixteen, so there is no interval."""
    evidence = weigh_pairs([1.0, 2.0, 3.0, 4.0, 5.0])

    assert 1 / 16 == evidence.p_value
    assert (-math.inf, math.inf) == (evidence.low, evidence.high)


def test_the_effect_is_in_deviations_of_a_pair() -> None:
    """Of pairs, the effect size is their mean in their standard deviations."""
    differences = [0.5, 1.0, 0.25, 2.0]

    assert np.mean(differences) / np.std(differences, ddof=1) == pytest.approx(
        weigh_pairs(differences).effect_size
    )


def test_a_constant_difference_has_no_measure() -> None:
    """Differences that do not vary are infinitely many deviations, or none if there are none."""
    assert math.inf == weigh_pairs([0.125] * 6).effect_size
    assert -math.inf == corrected_paired_t([-0.1] * 5, num_folds=5).effect_size
    assert 0.0 == weigh_pairs([0.0] * 6).effect_size


def test_folds_have_the_corrected_test() -> None:
    """Of folds, p is that of the corrected resampled t-test, on both sides."""
    differences = [0.1, 0.3, 0.2, 0.4, 0.1, 0.2]
    error = np.std(differences, ddof=1) * math.sqrt(1 / 6 + 1 / 2)
    expected = 2 * stats.t.sf(np.mean(differences) / error, 5)
    evidence = corrected_paired_t(differences, num_folds=3)

    assert expected == pytest.approx(evidence.p_value)
    assert stats.t.interval(0.95, 5, np.mean(differences), error) == pytest.approx(
        (evidence.low, evidence.high)
    )


def test_equal_folds_are_no_certainty() -> None:
    """Two folds that differ by the same may be chance, though t were infinite."""
    two, ten = (
        corrected_paired_t([0.25] * 2, num_folds=2),
        corrected_paired_t([0.25] * 10, num_folds=5),
    )

    assert (0.5, -math.inf, math.inf) == (two.p_value, two.low, two.high)
    assert (0.5**9, 0.25, 0.25) == (ten.p_value, ten.low, ten.high)
    assert 1.0 == corrected_paired_t([0.0, 0.0], num_folds=2).p_value


def test_splits_have_the_two_sample_test() -> None:
    """Of splits that differ, p and interval are those of Student's t-test."""
    before, after = [0.5, 0.7, 0.6], [0.8, 0.9]
    expected = stats.ttest_ind(after, before)
    evidence = pooled_t(before, after)

    assert expected.pvalue == pytest.approx(evidence.p_value)
    assert tuple(expected.confidence_interval()) == pytest.approx((evidence.low, evidence.high))


def test_one_split_may_stand_against_several() -> None:
    """One split against two leaves a degree of freedom, and no warning."""
    assert 0 < pooled_t([0.5], [0.6, 0.7]).p_value < 1


def test_equal_splits_are_no_certainty() -> None:
    """Of two equal splits a side, two of six ways to deal them out are as far apart."""
    assert 2 / 6 == pooled_t([0.5, 0.5], [0.75, 0.75]).p_value
    assert 1.0 == pooled_t([0.5, 0.5], [0.5, 0.5]).p_value


def test_folds_of_other_splits_are_careful() -> None:
    """Folds share training rows on each side, so they tell less than as many hold-outs."""
    before, after = [0.1, 0.2, 0.3, 0.2], [0.4, 0.5, 0.3, 0.4]
    plain, folds = pooled_t(before, after), pooled_t(before, after, num_folds=4)

    assert plain.difference == folds.difference
    assert folds.low < plain.low
    assert plain.p_value < folds.p_value
