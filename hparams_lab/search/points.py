"""Searches that learn nothing: points of a space one after the other, whatever comes of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterator, Sequence

import numpy as np

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy, Traits, Verdict

# So many draws in a row that give known points show that few others are left to draw.
_MAX_DRAWS = 100
# Where points cannot be numbered, drawing is the only way to find the next.
_MAX_DRAWS_OF_INFINITE = 100_000


class PointSearch(Strategy):
    """Proposes points in their order, those that were taken left out.

    So the order is the same whatever is observed, and a resumed sweep goes on with what
    is left of it. It remembers what was taken.

    Args:
        points: distinct, canonical.
        num_points: how many they are; None if they never end.
        is_point: whether an assignment of the space is one of them; by default each is.
        traits: of the search.
    """

    def __init__(
        self,
        points: Iterator[Assignment],
        num_points: int | None,
        *,
        is_point: Callable[[Assignment], bool] = lambda assignment: True,
        traits: Traits = Traits(),  # noqa: B008 - frozen
    ) -> None:
        self.traits = traits
        self._points = points
        self._num_points = num_points
        self._is_point = is_point
        self._taken: set[Assignment] = set()
        self._num_extra = 0

    @property
    def max_trials(self) -> int | None:
        """How many points there are, and those that were taken beside them."""
        return None if self._num_points is None else self._num_points + self._num_extra

    def propose(self) -> Assignment | None:
        return next((point for point in self._points if point not in self._taken), None)

    def take(self, assignment: Assignment) -> None:
        self._taken.add(assignment)
        self._num_extra += not self._is_point(assignment)

    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        """Let every run go on to its end."""
        return Verdict()

    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        """Learn nothing: the points are the same whatever their results."""


def distinct_points(
    space: SearchSpace, fractions: Iterator[Sequence[float]], rng: np.random.Generator
) -> Iterator[Assignment]:
    """Yield the points at fractions of the axes, each once, and in the end every one there is.

    Args:
        space: the space whose points are drawn, on the grid or not.
        fractions: one for each axis of the space in each draw; they never end.
        rng: chooses where to look for points that are hardly ever drawn.
    """
    met: set[Assignment] = set()
    while len(met) != space.num_points:
        point = find_new_point(space, fractions, rng, met)
        if point is None:
            return
        met.add(point)
        yield point


def find_new_point(
    space: SearchSpace,
    fractions: Iterator[Sequence[float]],
    rng: np.random.Generator,
    known: Container[Assignment],
) -> Assignment | None:
    """Return the next drawn point that is not known, or any where drawing meets none.

    Args:
        space: the space.
        fractions: one for each axis of the space in each draw.
        rng: chooses the point from which others are looked for.
        known: points that were met before.

    Returns:
        None if all points of a finite space are known, or no draw meets another in an
        infinite one.
    """
    points = space.all_points
    limit = _MAX_DRAWS_OF_INFINITE if points is None else _MAX_DRAWS
    drawn = map(space.at_fractions, itertools.islice(fractions, limit))
    new = next((point for point in drawn if point not in known), None)
    if new is not None or points is None:
        return new
    start = int.from_bytes(rng.bytes(points.size.bit_length() // 8 + 8), "little")
    others = (Assignment(points.at((start + i) % points.size)) for i in range(points.size))
    return next((point for point in others if point not in known), None)
