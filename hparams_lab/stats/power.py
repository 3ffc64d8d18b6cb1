"""How many repeats it takes to see a difference of the observed size.

By the power of the paired t-test, which the sign-flip test has within a percent or two.

Source: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, chapter 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable

MAX_REPEATS = 100

_POWER = 0.8
_MAX_SHIFT = 30.0  # in standard errors; beyond, power is 1, and the noncentral t overflows


def count_repeats(effect_size: float, num_trials: int, *, num_pairs: int, alpha: float) -> int:
    """Return how many repeats of each trial would show a difference, with 80 % power.

    Args:
        effect_size: the difference in standard deviations of the difference of two runs.
        num_trials: that are repeated, at least one.
        num_pairs: that there are already, and did not show it.
        alpha: two-sided, in (0, 1).

    Returns:
        More repeats than there are, so many that a test can find anything at all;
        `MAX_REPEATS` + 1 if it takes more than `MAX_REPEATS`.

    Example:
        >>> count_repeats(0.5, 10, num_pairs=10, alpha=0.05)
        4
    """
    fewest = 1 + math.ceil(-math.log2(alpha))  # as p of n pairs is never below 2 ** (1 - n)
    at_least = max(num_pairs // num_trials + 1, math.ceil(fewest / num_trials))
    return _find_first(
        at_least, lambda repeats: _power_of(effect_size, repeats * num_trials, alpha)
    )


def count_fold_repeats(effect_size: float, num_folds: int, *, num_pairs: int, alpha: float) -> int:
    """Return how many repeats of the folds would; see `count_repeats`.

    Folds share training rows, so that each repeat adds less.

    Args:
        effect_size: the difference in standard deviations of the difference of a fold.
        num_folds: of a repeat, at least two.
        num_pairs: folds of all repeats that there are already.
        alpha: two-sided, in (0, 1).

    Example:
        >>> count_fold_repeats(0.5, 5, num_pairs=5, alpha=0.05) > MAX_REPEATS
        True
        >>> count_fold_repeats(2.0, 5, num_pairs=5, alpha=0.05)
        2
    """
    return _find_first(
        num_pairs // num_folds + 1,
        lambda repeats: _power_of(
            effect_size, repeats * num_folds, alpha, shared=1 / (num_folds - 1)
        ),
    )


def _power_of(effect_size: float, num_pairs: int, alpha: float, *, shared: float = 0.0) -> float:
    from scipy.special import nctdtr, stdtrit  # a fifth of a second to import

    shift = abs(effect_size) / math.sqrt(1 / num_pairs + shared)
    if shift > _MAX_SHIFT:
        return 1.0
    limit = float(stdtrit(num_pairs - 1, 1 - alpha / 2))
    # Significant with the wrong sign is neither likely nor what is meant.
    return 1.0 - float(nctdtr(num_pairs - 1, shift, limit))


def _find_first(at_least: int, power: Callable[[int], float]) -> int:
    for repeats in range(at_least, MAX_REPEATS + 1):
        if power(repeats) >= _POWER:
            return repeats
    return MAX_REPEATS + 1
