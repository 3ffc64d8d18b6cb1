"""The grid of a product of axes, numbered: counted and decoded, never listed.

10**9 points cost what ten do. A conditional axis exists only under its condition, so a
point is a path through a tree: at each axis the sizes of the subtrees say on which
value the point's number falls.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from hparams_lab.declare import domains
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.errors import AssignmentError

# How many subtree sizes are remembered; more cost time again, not memory.
_MAX_COUNTS = 10_000


class _Stretch(NamedTuple):
    """Neighbouring levels of an axis that lead to equal subtrees."""

    num_levels: int
    start: int
    absent: frozenset[int]
    """Positions of the later axes that do not exist after one of these levels."""


class Grid:
    """The points of a product of axes in the order of `itertools.product`.

    The first axis varies slowest, the last fastest, each in the order of its levels.

    Args:
        axes: valid; conditions name axes that come earlier.
    """

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._axes = axes
        self._children = [
            [later for later, child in enumerate(axes) if axis.name in child.conditions]
            for axis in axes
        ]
        # Bound here, so that each grid has a memory of its own that is freed with it.
        self._count = lru_cache(_MAX_COUNTS)(self._count_points)

    @property
    def size(self) -> int:
        """Number of points."""
        return self._count_from(0, frozenset())

    def at(self, index: int) -> dict[str, Value]:
        """Return the values of point `index`, which is 0-based and below `size`."""
        values: dict[str, Value] = {}
        absent: frozenset[int] = frozenset()
        for position, axis in enumerate(self._axes):
            if position in absent:
                absent = self._absent_after(position, absent)
                continue
            for stretch in self._stretches(position, absent):
                subtree = self._count_from(position + 1, stretch.absent)
                if index < subtree * stretch.num_levels:
                    level, index = divmod(index, subtree)
                    values[axis.name] = axis.levels[stretch.start + level]
                    absent = stretch.absent
                    break
                index -= subtree * stretch.num_levels
        return values

    def index_of(self, values: Mapping[str, Value]) -> int:
        """Return the number of a point, the inverse of `at`.

        Args:
            values: canonical, one for each axis that exists.

        Raises:
            AssignmentError: if a value is between the levels of its axis.
        """
        index = 0
        absent: frozenset[int] = frozenset()
        for position, axis in enumerate(self._axes):
            if position in absent:
                absent = self._absent_after(position, absent)
                continue
            level = _level_of(axis, values[axis.name])
            for stretch in self._stretches(position, absent):
                subtree = self._count_from(position + 1, stretch.absent)
                index += subtree * min(stretch.num_levels, level - stretch.start)
                if level < stretch.start + stretch.num_levels:
                    absent = stretch.absent
                    break
        return index

    def _count_from(self, position: int, absent: frozenset[int]) -> int:
        """Number of ways to go on from axis `position`, without the `absent` axes."""
        return self._count(tuple(range(position, len(self._axes))), absent)

    def _count_points(self, positions: tuple[int, ...], absent: frozenset[int]) -> int:
        """Number of ways to give values to some axes, without the `absent` ones.

        Axes that no condition ties together are counted apart and multiplied: counted
        in one go, each parent would double what is to be remembered.
        """
        if not positions:
            return 1
        groups = self._split_by_conditions(positions)
        if len(groups) > 1:
            return math.prod(self._count(group, absent & {*group}) for group in groups)
        first, rest = positions[0], positions[1:]
        if first in absent:
            return self._count(rest, self._absent_after(first, absent))
        return sum(
            stretch.num_levels * self._count(rest, stretch.absent)
            for stretch in self._stretches(first, absent)
        )

    def _split_by_conditions(self, positions: tuple[int, ...]) -> list[tuple[int, ...]]:
        groups: list[set[int]] = []
        for position in positions:
            tied = {position, *self._children[position]} & {*positions}
            for group in [group for group in groups if group & tied]:
                groups.remove(group)
                tied |= group
            groups.append(tied)
        return [tuple(sorted(group)) for group in groups]

    def _stretches(self, position: int, absent: frozenset[int]) -> Iterator[_Stretch]:
        """Yield the stretches of an axis, in grid order.

        Only levels that a condition names are stretches of one; those between them are
        alike, so that a parent with a million levels costs no more.
        """
        axis = self._axes[position]
        start = 0
        for named in self._named_levels(position):
            if start < named:
                yield _Stretch(named - start, start, self._absent_after(position, absent))
            value = axis.levels[named]
            yield _Stretch(1, named, self._absent_after(position, absent, value))
            start = named + 1
        if start < len(axis.levels):
            rest = len(axis.levels) - start
            yield _Stretch(rest, start, self._absent_after(position, absent))

    def _named_levels(self, position: int) -> list[int]:
        levels = self._axes[position].levels
        allowed = (self._allowed(child, position) for child in self._children[position])
        return sorted(levels.index(value) for value in set().union(*allowed) if value in levels)

    def _allowed(self, child: int, parent: int) -> set[Value]:
        axis = self._axes[parent]
        values = self._axes[child].conditions[axis.name]
        return {domains.cast(axis.domain, value) for value in values}

    def _absent_after(
        self, position: int, absent: frozenset[int], value: Value | None = None
    ) -> frozenset[int]:
        """Return which later axes are absent once this one has `value`.

        Args:
            position: of the axis.
            absent: axes that are absent so far.
            value: None if the axis is absent itself, or has a value no condition names.
        """
        gone = {
            child
            for child in self._children[position]
            if value is None or value not in self._allowed(child, position)
        }
        return frozenset(later for later in absent | gone if later > position)


def _level_of(axis: Axis, value: Value) -> int:
    try:
        return axis.levels.index(value)
    except ValueError:
        raise AssignmentError(
            f"hparam {axis.name!r} has no grid point at {value!r}. Add it to the grid."
        ) from None
