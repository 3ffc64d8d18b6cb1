"""The ordered product of axes: which assignments are legal, and its grid by number.

A grid is counted and decoded, never listed: 10**9 points cost what ten do. A conditional
axis exists only under its condition, so a point is a path through a tree: at each axis the
sizes of the subtrees say on which value the point's number falls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval

from hparams_lab.declare import domains, rules
from hparams_lab.declare.assignment import Assignment, name_of
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.errors import AssignmentError, DeclarationError, did_you_mean


class SearchSpace:
    """An ordered product of axes with random access to its grid.

    The order of the grid is that of `itertools.product`: the first axis varies
    slowest, the last fastest, each in the order of `Axis.levels` (a `Discrete` domain
    is sorted by TensorBoard, whatever order it was written in).

    Args:
        axes: axes, or bare hparams; conditions name axes that come earlier.

    Raises:
        DeclarationError: if axes break rules; it names all of them at once.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, IntInterval
        >>> layers = HParam("layers", Discrete([1, 2]))
        >>> second = Axis(HParam("second", Discrete([8, 16])), when={layers: 2})
        >>> space = SearchSpace([layers, second])
        >>> space.size, [dict(space.at(i)) for i in range(2)]
        (3, [{'layers': 1}, {'layers': 2, 'second': 8}])
    """

    def __init__(self, axes: Iterable[Axis | HParam]) -> None:
        self.axes = tuple(axis if isinstance(axis, Axis) else Axis(axis) for axis in axes)
        problems = rules.find_space_problems(self.axes)
        if problems:
            raise DeclarationError(problems)
        self._index_axes()

    def _index_axes(self) -> None:
        self._axis_by_name = {axis.name: axis for axis in self.axes}
        self._grid = Grid(self.axes)

    def __getitem__(self, key: HParam | str) -> Axis:
        """Return the axis of an hparam, given as itself or by name.

        Raises:
            AssignmentError: if there is none.
        """
        name = name_of(key)
        if name not in self._axis_by_name:
            raise AssignmentError(self._unknown(name))
        return self._axis_by_name[name]

    @property
    def size(self) -> int:
        """Number of points in the grid."""
        return self._grid.size

    def at(self, index: int) -> Assignment:
        """Return grid point `index`.

        Args:
            index: 0-based, below `size`.

        Raises:
            IndexError: if it is not.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"grid point {index} of {self.size}")
        return Assignment(self._grid.at(index))

    def index_of(self, assignment: Mapping[Any, Any]) -> int:
        """Return the number of a grid point, the inverse of `at`.

        Raises:
            AssignmentError: if the assignment is not valid, or is between grid points.
        """
        return self._grid.index_of(self.validate(assignment))

    @cached_property
    def all_points(self) -> Grid | None:
        """Every legal point, numbered, on the grid or not; None if infinitely many."""
        infinite = {axis.name for axis in self.axes if axis.num_values is None}
        listed = [_list_integers(axis) for axis in self.axes]
        pinned = [
            axis.narrow([axis.levels[0]]) if axis.name in infinite else axis for axis in listed
        ]
        # An infinite axis counts only where its condition can hold: where another level
        # of it makes another point.
        points = Grid(pinned)
        return points if not infinite or points.size == Grid(listed).size else None

    @property
    def num_points(self) -> int | None:
        """Number of legal points, on the grid or not; None if infinitely many."""
        return None if self.all_points is None else self.all_points.size

    def at_fractions(self, fractions: Sequence[float]) -> Assignment:
        """Return the assignment at a fraction of the way along each axis.

        Args:
            fractions: in [0, 1), one an axis; those of axes that do not exist are
                passed over.
        """
        values: dict[str, Value] = {}
        for axis, fraction in zip(self.axes, fractions, strict=True):
            if axis.is_active(values):
                values[axis.name] = axis.at_fraction(fraction)
        return Assignment(values)

    def sample(self, rng: np.random.Generator) -> Assignment:
        """Return an assignment drawn from the domains, each axis on its own scale."""
        return self.at_fractions(rng.random(len(self.axes)).tolist())

    def validate(self, values: Mapping[Any, Any]) -> Assignment:
        """Return `values` as a canonical assignment in axis order.

        Args:
            values: a value for each axis that exists, by `hp.HParam` or name.

        Raises:
            AssignmentError: if a name is unknown, a value is missing, superfluous or
                outside its domain; it names all of them at once.
        """
        given = {name_of(key): value for key, value in values.items()}
        problems = [self._unknown(name) for name in given if name not in self._axis_by_name]
        valid: dict[str, Value] = {}
        for axis in self.axes:
            if not axis.is_active(valid):
                if axis.name in given:
                    problems.append(
                        f"hparam {axis.name!r} exists only when {_describe_condition(axis)}; got "
                        f"{given[axis.name]!r}. Drop it here."
                    )
            elif axis.name not in given:
                problems.append(f"hparam {axis.name!r} has no value. Give it one.")
            else:
                try:
                    valid[axis.name] = axis.cast(given[axis.name])
                except AssignmentError as error:
                    problems.append(str(error))
        if problems:
            raise AssignmentError("\n".join(problems))
        return Assignment(valid)

    def narrow(self, choices: Mapping[str, Sequence[Any]]) -> SearchSpace:
        """Return this space with the named axes narrowed to the given values.

        Raises:
            AssignmentError: if a name is unknown or a value outside its domain.
        """
        narrowed = dict(self._axis_by_name)
        for name, values in choices.items():
            narrowed[name] = self[name].narrow(values)
        # A condition may never hold any more, which would be refused in a declaration.
        return SearchSpace._trust(narrowed.values())

    def __iter__(self) -> Iterator[Axis]:
        return iter(self.axes)

    def __len__(self) -> int:
        return len(self.axes)

    def encode_json(self) -> list[dict[str, Any]]:
        """Return the axes as JSON data, the inverse of `decode_json`."""
        return [axis.encode_json() for axis in self.axes]

    @staticmethod
    def decode_json(data: Sequence[Mapping[str, Any]]) -> SearchSpace:
        """Return the space that `encode_json` wrote.

        The rules of a declaration are not asked: what was logged stays readable when
        they are tightened.
        """
        return SearchSpace._trust(Axis.decode_json(axis) for axis in data)

    @staticmethod
    def of_changed_axes(axes: Iterable[Axis]) -> SearchSpace:
        """Return the space of axes that were narrowed or widened after their declaration.

        It is held to the rules, save that conditions may never hold in it.

        Raises:
            DeclarationError: if axes break rules; it names all of them at once.
        """
        changed = tuple(axes)
        if problems := rules.find_space_problems(changed, narrowed=True):
            raise DeclarationError(problems)
        return SearchSpace._trust(changed)

    @staticmethod
    def _trust(axes: Iterable[Axis]) -> SearchSpace:
        """Return the space of axes that have been through the rules."""
        space = SearchSpace.__new__(SearchSpace)
        space.axes = tuple(axes)
        space._index_axes()
        return space

    def _unknown(self, name: str) -> str:
        known = ", ".join(self._axis_by_name)
        hint = did_you_mean(name, self._axis_by_name)
        return f"hparam {name!r} is not declared; the space has {known}.{hint or ' Declare it.'}"


def _list_integers(axis: Axis) -> Axis:
    """Return the axis with every integer of its interval as a level."""
    if isinstance(axis.domain, IntInterval) and axis.grid is None and axis.step is None:
        return replace(axis, step=1, grid_points=None, scale="linear")
    return axis


def _describe_condition(axis: Axis) -> str:
    return " and ".join(
        f"{parent} is {' or '.join(domains.format_value(value) for value in values)}"
        for parent, values in axis.conditions.items()
    )


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
