"""Grid search: every point of the grid once, in the order of the space."""

from __future__ import annotations

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy


class GridSearch(Strategy):
    """Proposes `space.at(0)`, `space.at(1)`, ... up to the last point.

    That is the order of `itertools.product`: the first axis varies slowest. It holds
    one number, so a grid of 10**9 points costs what one of ten does.

    Args:
        space: the space whose grid is searched.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._next_index = 0

    @property
    def max_trials(self) -> int:
        return self._space.size

    def propose(self) -> Assignment | None:
        if self._next_index >= self._space.size:
            return None
        assignment = self._space.at(self._next_index)
        self._next_index += 1
        return assignment

    def observe(self, assignment: Assignment, value: float | None) -> None:
        """Learn nothing: the grid is the same whatever its results."""
