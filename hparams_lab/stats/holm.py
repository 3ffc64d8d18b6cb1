"""Correction of p-values for many tests at once.

Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal
of Statistics 6 (1979), 65-70.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def correct(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the same order; NaNs are no tests.

    Whatever is true, one of those at most 0.05 is a false alarm with a chance of 5 % at most,
    in all of them together.

    Example:
        >>> correct([0.01, 0.04, float("nan"), 0.03])
        [0.03, 0.06, nan, 0.06]
    """
    corrected = [math.nan] * len(p_values)
    tests = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    largest = 0.0
    for place, (p_value, index) in enumerate(tests):
        largest = max(largest, min(1.0, (len(tests) - place) * p_value))
        corrected[index] = largest
    return corrected
