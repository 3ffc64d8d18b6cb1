"""How sure the mean over a trial's runs is: its interval, and a test against another's.

Runs on the folds of one data set share most of their training rows, so their values are
not independent, and the textbook variance of their mean, `std**2 / n`, is too small.
With folds it is taken as `std**2 * (1 / n + n_test / n_train)`, where
`n_test / n_train` is `1 / (num_folds - 1)`, also where `--subset` trains on fewer rows:
what is asked is how trials compare on as little data.

Without folds the runs differ by their seeds alone: the interval is of the mean
on this split of the data, not on another one.

Source: Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52
(2003), 239-281, the corrected resampled t-test; for repeated folds Bouckaert and Frank,
"Evaluating the Replicability of Significance Tests for Comparing Learning Algorithms",
PAKDD 2004, 3-12.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_UPPER_TAIL = 0.975  # of the two-sided 95 % interval


@dataclass(frozen=True)
class Spread:
    """The mean of some runs, and how far to trust it."""

    mean: float  # NaN if there are none
    std: float  # of one run, with n - 1; NaN below two runs
    count: int  # number of runs
    num_folds: int | None = None  # that the runs hold one out of each; None without folds

    @property
    def low(self) -> float:
        """The lower end of the two-sided 95 % interval of the mean; NaN as `std`."""
        return self.mean - self._half_width

    @property
    def high(self) -> float:
        """The upper end of that interval."""
        return self.mean + self._half_width

    @cached_property
    def _half_width(self) -> float:
        if math.isnan(self.std):
            return math.nan
        from scipy.special import stdtrit  # a fifth of a second to import

        error = self.std * _error_factor(self.count, self.num_folds)
        return float(stdtrit(self.count - 1, _UPPER_TAIL)) * error


def summarize(values: Sequence[float], *, num_folds: int | None = None) -> Spread:
    """Return the mean, as the dashboard has it, and its 95 % interval after Student's t.

    Args:
        values: `[num_runs]`; one that is not finite leaves neither std nor interval.
        num_folds: of the trial, at least two; None without folds.

    Example:
        >>> summarize([0.8, 0.9, 1.0]).mean
        0.9
        >>> plain, folds = summarize([0.8, 0.9, 1.0]), summarize([0.8, 0.9, 1.0], num_folds=3)
        >>> round(plain.low, 3), round(folds.low, 3)
        (0.652, 0.507)
    """
    count = len(values)
    mean = sum(values) / count if count else math.nan
    return Spread(mean, _std(values) if count > 1 else math.nan, count, num_folds)


def worse_p_value(
    values: Sequence[float], reference: Sequence[float], *, num_folds: int | None = None
) -> float:
    """Return the p-value of the paired t-test that `values` are the higher ones.

    Where all differences are equal, t is infinite: 0 if they are positive, 1 if they are
    negative; and 1 if there are none at all, which is no sign of being worse.

    Args:
        values: `[num_runs]`, where higher is worse.
        reference: `[num_runs]`, of the same repeats and folds.
        num_folds: of both trials, at least two; None without folds.

    Returns:
        In [0, 1]; NaN, which is below no threshold, for fewer than two runs or where a
        difference is not finite.

    Raises:
        ValueError: if the lengths differ.

    Example:
        >>> round(worse_p_value([0.3, 0.5, 0.4], [0.2, 0.2, 0.2]), 3)
        0.037
    """
    from scipy.special import stdtr

    differences = [value - other for value, other in zip(values, reference, strict=True)]
    count = len(differences)
    if count < 2 or not all(map(math.isfinite, differences)):
        return math.nan
    mean = sum(differences) / count
    error = _std(differences) * _error_factor(count, num_folds)
    if error == 0:
        return 0.0 if mean > 0 else 1.0
    return float(stdtr(count - 1, -mean / error))


def _std(values: Sequence[float]) -> float:
    """Return the standard deviation with n - 1; exactly 0 if all values are equal."""
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.std(np.subtract(values, values[0]), ddof=1))


def _error_factor(count: int, num_folds: int | None) -> float:
    """Return the standard error of a mean as a multiple of the standard deviation."""
    shared = 0.0 if num_folds is None else 1 / (num_folds - 1)
    return math.sqrt(1 / count + shared)
