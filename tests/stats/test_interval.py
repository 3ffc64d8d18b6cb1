"""How sure the mean over runs is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hparams_lab.stats.interval import Spread, summarize, worse_p_value

VALUES = st.lists(st.integers(-1000, 1000).map(lambda n: n / 7), min_size=2, max_size=20)
FEW = settings(deadline=None, max_examples=50)

NAN = math.nan
INF = math.inf


@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_the_mean_is_the_dashboards(values: list[float]) -> None:
    """The mean is the plain one, bit for bit, also of values that are not finite."""
    expected = sum(values) / len(values)

    np.testing.assert_equal(summarize(values).mean, expected)


@FEW
@given(VALUES)
def test_the_interval_is_students(values: list[float]) -> None:
    """Without folds, the interval is the textbook one."""
    spread = summarize([*values, 1000.0])
    expected = stats.t.interval(
        0.95, spread.count - 1, loc=spread.mean, scale=spread.std / math.sqrt(spread.count)
    )

    assert expected == pytest.approx((spread.low, spread.high), rel=1e-9)
    assert np.std([*values, 1000.0], ddof=1) == pytest.approx(spread.std)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 2000 intervals from five normal values each, 95 % have the true mean in them."""
    samples = np.random.default_rng(0).normal(size=(2000, 5)).tolist()
    spreads = [summarize(values) for values in samples]

    assert 0.93 < np.mean([spread.low <= 0 <= spread.high for spread in spreads]) < 0.97


def test_the_interval_of_folds_covers_correlated_values() -> None:
    """The corrected interval is right for values that share 1 / num_folds of their variance."""
    random = np.random.default_rng(0)
    shared, own = random.normal(size=(2000, 1)), random.normal(size=(2000, 5))
    samples = (math.sqrt(1 / 5) * shared + math.sqrt(4 / 5) * own).tolist()

    def coverage(num_folds: int | None) -> float:
        spreads = [summarize(values, num_folds=num_folds) for values in samples]
        return float(np.mean([spread.low <= 0 <= spread.high for spread in spreads]))

    assert 0.93 < coverage(5) < 0.97
    assert coverage(None) < 0.9


def test_folds_widen_the_interval_as_published() -> None:
    """With folds the variance of the mean is std² (1 / n + 1 / (num_folds - 1))."""
    values = [0.1, 0.2, 0.4, 0.5, 0.5, 0.7]
    plain, folds = summarize(values), summarize(values, num_folds=3)
    growth = (folds.high - folds.mean) / (plain.high - plain.mean)

    assert (plain.mean, plain.std) == (folds.mean, folds.std)
    assert math.sqrt((1 / 6 + 1 / 2) / (1 / 6)) == pytest.approx(growth)


def list_parts(spread: Spread) -> tuple[float, ...]:
    """Return all that is told of some runs."""
    return spread.mean, spread.std, spread.count, spread.low, spread.high


def test_one_run_says_nothing_of_its_spread() -> None:
    """A single run has a mean, and neither a deviation nor an interval."""
    np.testing.assert_equal(list_parts(summarize([0.5])), (0.5, NAN, 1, NAN, NAN))


def test_no_runs_have_no_mean() -> None:
    """A trial without a run that counts is described by NaN."""
    np.testing.assert_equal(list_parts(summarize([])), (NAN, NAN, 0, NAN, NAN))


@pytest.mark.parametrize("value", [0.1, 0.0, 1e300])
def test_equal_values_have_no_spread(value: float) -> None:
    """The deviation of equal values is 0, not what rounding makes of it."""
    spread = summarize([value] * 3)

    assert 0.0 == spread.std
    assert spread.mean == spread.low == spread.high


@pytest.mark.parametrize(
    "values", [[NAN, 1.0], [INF, 1.0], [INF, -INF], [1e308, -1e308, 1e308]], ids=str
)
def test_values_that_are_not_finite_have_no_finite_interval(values: list[float]) -> None:
    """A run that diverged leaves no interval, and no warning either."""
    spread = summarize(values)

    assert not math.isfinite(spread.low)
    assert not math.isfinite(spread.high)


@FEW
@given(VALUES)
def test_the_test_is_the_paired_one(values: list[float]) -> None:
    """Without folds, the p-value is that of the paired one-sided t-test."""
    values = [*values, 5000.0]
    reference = [value / 3 for value in reversed(values)]
    expected = stats.ttest_rel(values, reference, alternative="greater").pvalue

    assert expected == pytest.approx(worse_p_value(values, reference), rel=1e-6, abs=1e-12)


@FEW
@given(VALUES)
def test_a_test_and_its_reverse_add_up(values: list[float]) -> None:
    """Being worse and being better are one question, whatever the number of folds."""
    values, reference = [*values, 1.0], [*values[::-1], 0.0]
    worse = worse_p_value(values, reference, num_folds=3)
    better = worse_p_value(reference, values, num_folds=3)

    assert 1.0 == pytest.approx(worse + better)


def test_folds_make_the_test_careful() -> None:
    """The corrected test takes sqrt((1 / n + 1 / (num_folds - 1)) n) more to be as sure."""
    differences = [0.1, 0.3, 0.2, 0.4]
    t = np.mean(differences) / (np.std(differences, ddof=1) * math.sqrt(1 / 4 + 1 / 3))

    assert stats.t.sf(t, 3) == pytest.approx(worse_p_value(differences, [0.0] * 4, num_folds=4))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.75, 1.0], 0.0), ([0.5, 0.75], 1.0), ([0.25, 0.5], 1.0)],
    ids=["higher", "equal", "lower"],
)
def test_equal_differences_are_certain(values: list[float], expected: float) -> None:
    """Where each run differs by the same, only a higher one is worse, and surely so."""
    assert expected == worse_p_value(values, [0.5, 0.75])


@pytest.mark.parametrize(
    ("values", "reference"),
    [
        ([NAN, 1.0], [0.0, 0.0]),
        ([INF, 1.0], [0.0, 0.0]),
        ([INF, INF], [INF, INF]),
        ([1.0], [0.0]),
    ],
    ids=["nan", "infinite", "inf_minus_inf", "one_run"],
)
def test_no_answer_is_nan(values: list[float], reference: list[float]) -> None:
    """Where the test has no answer, it is NaN, which is below no threshold."""
    assert math.isnan(worse_p_value(values, reference))


def test_unpaired_values_are_refused() -> None:
    """Values of other runs than the reference's cannot be compared in pairs."""
    with pytest.raises(ValueError, match="zip"):
        worse_p_value([0.1, 0.2, 0.3], [0.1, 0.2])
