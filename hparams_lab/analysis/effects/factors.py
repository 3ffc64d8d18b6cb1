"""The axes of some trials as factors: of a few levels each, on which trials are compared.

Words and booleans are levels as they are, and so are numbers where they are few. Many
numbers are put into bins that hold equally many distinct values each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.runs.sweep import Sweep

_MAX_LEVELS = 8
_NUM_BINS = (4, 3, 2)
# For bins to be fine; levels as they are may leave as few trials to spare as _MIN_SPARE.
_TRIALS_PER_MEAN = 2
_MIN_SPARE = 2


@dataclass(frozen=True, eq=False)
class Factor:
    """One axis over some trials."""

    name: str  # the axis's
    values: Sequence[Value | None]  # of the trials, None where the axis does not exist
    # the values of each level; disjoint, in increasing order for numbers
    groups: Sequence[Sequence[Value]]
    is_log: bool = False  # whether the axis is spaced by its logarithm
    # the least and the greatest legal value if all between them are legal, else None
    bounds: tuple[float, float] | None = None

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """`[num_trials]`, 0-based level of each trial; -1 where the axis does not exist."""
        code_of = {value: code for code, group in enumerate(self.groups) for value in group}
        return np.array([code_of.get(value, -1) for value in self.values], dtype=np.intp)  # type: ignore[arg-type]

    @property
    def active(self) -> NDArray[np.bool_]:
        """`[num_trials]`, whether the axis exists in each trial."""
        return self.codes >= 0

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers."""
        return all(_is_number(value) for group in self.groups for value in group)

    @property
    def is_halved(self) -> bool:
        """Whether it has two bins: no optimum between the ends can show."""
        return len(self.groups) == 2 < sum(map(len, self.groups))

    @property
    def labels(self) -> list[str]:
        """What each level is called: its value, or the range of its values."""
        short = [_name_group(group, _format_short) for group in self.groups]
        if len(set(short)) == len(short):
            return short
        return [_name_group(group, format_value) for group in self.groups]

    def merged(self, num_bins: int) -> Factor:
        """Return the factor with its numbers in fewer levels; as it is if they are words."""
        distinct = [value for group in self.groups for value in group]
        if not self.is_numeric or len(distinct) <= num_bins:
            return self
        parts = [list(part) for part in np.array_split(np.array(distinct, object), num_bins)]
        return Factor(self.name, self.values, parts, self.is_log, self.bounds)


def find_factors(
    assignments: Sequence[Any], sweeps: Sequence[Sweep], *, num_blocks: int = 1
) -> tuple[list[Factor], dict[str, Value]]:
    """Return the axes that vary over some trials, and the values of those that do not.

    Numbers are levels as they are if they are at most eight, each has two trials on
    average, and as many levels can be separated; else they are binned, the coarser, the
    fewer trials there are.

    Args:
        assignments: of the trials, at least one.
        sweeps: that they are of, oldest first; the newest says how an axis is spaced.
        num_blocks: how many groups of trials a comparison is to be made within.
    """
    axes = {axis.name: axis for sweep in sweeps for axis in sweep.space}
    order = dict.fromkeys(axis.name for sweep in reversed(sweeps) for axis in sweep.space)
    factors, fixed = [], {}
    for name in order:
        values = [assignment.get(name) for assignment in assignments]
        distinct = _order(axes[name], {value for value in values if value is not None})
        if len(distinct) > 1:
            groups = [[value] for value in distinct]
            bounds = _find_bounds([s.space[name] for s in sweeps if _has(s, name)])
            is_log = axes[name].scale == "log" and _are_positive([*distinct, *(bounds or ())])
            factors.append(Factor(name, values, groups, is_log, bounds))
        elif distinct:
            fixed[name] = distinct[0]
    return _coarsen(factors, num_blocks), fixed


def count_needed_of_factors(factors: Sequence[Factor], num_blocks: int) -> int:
    """Return how many trials it takes for no factor to be halved; 0 if none is."""
    if not any(factor.is_halved for factor in factors):
        return 0
    thirds = sum(1 for factor in factors if factor.is_halved)
    return _TRIALS_PER_MEAN * (_count_means(factors, num_blocks) + thirds)


def _coarsen(factors: Sequence[Factor], num_blocks: int) -> list[Factor]:
    """Return the factors with no more levels than there are trials for."""
    num_trials = len(factors[0].values) if factors else 0
    coarse: list[Factor] = []
    for num_bins in _NUM_BINS:
        coarse = [factor.merged(num_bins) if _is_long(factor) else factor for factor in factors]
        if num_trials >= _TRIALS_PER_MEAN * _count_means(coarse, num_blocks):
            return coarse
    if num_trials >= _count_means(coarse, num_blocks) + _MIN_SPARE:
        return coarse
    return [factor.merged(_NUM_BINS[-1]) for factor in factors]


def _is_long(factor: Factor) -> bool:
    return len(factor.groups) > min(_MAX_LEVELS, int(factor.active.sum()) // 2)


def _count_means(factors: Sequence[Factor], num_blocks: int) -> int:
    return num_blocks + sum(len(factor.groups) - 1 for factor in factors)


def _order(axis: Axis, values: set[Value]) -> list[Value]:
    """Return numbers in increasing order, and words as the axis lists them, others last."""
    if all(_is_number(value) for value in values):
        return sorted(values)
    listed = axis.levels if axis.is_listed else ()
    place = {value: number for number, value in enumerate(listed)}
    return sorted(values, key=lambda value: (place.get(value, len(place)), str(value)))


def _find_bounds(axes: Sequence[Axis]) -> tuple[float, float] | None:
    if any(axis.is_listed for axis in axes):
        return None
    lows, highs = zip(
        *((axis.domain.min_value, axis.domain.max_value) for axis in axes), strict=True
    )
    return float(min(lows)), float(max(highs))


def _has(sweep: Sweep, name: str) -> bool:
    return any(axis.name == name for axis in sweep.space)


def _are_positive(values: Sequence[Value]) -> bool:
    return all(_is_number(value) and value > 0 for value in values)  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _name_group(group: Sequence[Value], write: Callable[[Value], str]) -> str:
    return " to ".join(dict.fromkeys([write(group[0]), write(group[-1])]))


def _format_short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else format_value(value)
