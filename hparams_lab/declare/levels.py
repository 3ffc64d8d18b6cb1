"""The values an axis contributes to a grid: finite, ordered, never built as a list."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, overload

from hparams_lab.declare.domains import Value

# 0.30000000000000004 is the 0.3 that its author meant, so that ids and the commands we
# print stay readable; a number that needs more digits keeps them.
_SIGNIFICANT_DIGITS = 12
_MAX_NOISE_ULPS = 8


class Levels(Sequence[Value]):
    """A strictly increasing sequence computed on demand.

    Args:
        count: number of values, at least 1.
        value_at: the value at a 0-based index below `count`; strictly increasing.
    """

    def __init__(self, count: int, value_at: Callable[[int], Value]) -> None:
        self._count = count
        self._value_at = value_at

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> list[Value]: ...
    def __getitem__(self, index: int | slice) -> Value | list[Value]:
        if isinstance(index, slice):
            return [self._value_at(i) for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(f"level {index} of {self._count}")
        return self._value_at(index % self._count)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the index of `value` by bisection.

        Raises:
            ValueError: if no level equals it.
        """
        found = bisect_left(self, value, start, self._count if stop is None else stop)
        if found < self._count and self[found] == value:
            return found
        raise ValueError(f"{value!r} is not a level")

    def __contains__(self, value: object) -> bool:
        try:
            self.index(value)
        except (ValueError, TypeError):
            return False
        return True


def step_levels(low: float, high: float, step: float, *, integer: bool) -> Sequence[Value]:
    """Return low, low + step, ... up to the last value at or below `high`."""
    if integer:
        return range(int(low), int(high) + 1, int(step))
    low += 0  # -0.0 + 0 is 0.0: one zero, one id
    # The last step counts if it misses the end by rounding only: (0.3 - 0) / 0.1 is 2.99...
    count = math.floor((high - low) / step * (1 + 1e-12) + 1e-9) + 1
    return Levels(count, lambda i: min(_tidy(low + i * step), high) if i else low)


def spaced_levels(
    low: float, high: float, count: int, *, log: bool, integer: bool
) -> Sequence[Value]:
    """Return `count` values from `low` to `high`, both included, evenly spaced.

    With `log` the logarithms are evenly spaced. Integers are rounded half up; where two
    would fall on one integer, it is given once.
    """
    low, high = low + 0, high + 0  # -0.0 + 0 is 0.0: one zero, one id
    if low == high or count == 1:
        return (int(low) if integer else float(low),)
    if integer and not log and count > high - low:
        return range(int(low), int(high) + 1)

    def value_at(index: int) -> float:
        if index in (0, count - 1):
            return low if index == 0 else high
        fraction = index / (count - 1)
        value = low * (high / low) ** fraction if log else low + (high - low) * fraction
        return min(max(_tidy(value), low), high)

    if not integer:
        return Levels(count, lambda i: float(value_at(i)))
    if log:
        return tuple(dict.fromkeys(math.floor(value_at(i) + 0.5) for i in range(count)))
    # In integers, as floats could not tell neighbours above 2**53 apart once rounded.
    steps = count - 1
    return Levels(count, lambda i: low + ((high - low) * i * 2 + steps) // (2 * steps))


def _tidy(value: float) -> float:
    short = float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
    return short if abs(short - value) <= _MAX_NOISE_ULPS * math.ulp(value) else value
