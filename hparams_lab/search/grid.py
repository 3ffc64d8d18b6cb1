"""Grid search: every point of the grid once, in the order of the space."""

from __future__ import annotations

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError
from hparams_lab.search.base import StrategySpec, Traits
from hparams_lab.search.options import PrunerOptions
from hparams_lab.search.points import PointSearch


def grid_search(space: SearchSpace) -> PointSearch:
    """Return a search of `space.at(0)`, `space.at(1)`, ... up to the last point.

    That is the order of `itertools.product`: the first axis varies slowest. A grid of
    10**9 points costs what one of ten does.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> search = grid_search(SearchSpace([HParam("units", Discrete([8, 16]))]))
        >>> search.propose(), search.propose(), search.propose()
        (Assignment({'units': 8}), Assignment({'units': 16}), None)
    """

    def is_on_grid(assignment: Assignment) -> bool:
        try:
            space.index_of(assignment)
        except AssignmentError:
            return False
        return True

    points = map(space.at, range(space.size))
    traits = Traits(walks_levels=True)
    return PointSearch(points, space.size, is_point=is_on_grid, traits=traits)


GRID = StrategySpec(
    options=PrunerOptions, make=lambda space, goal, seed, options: grid_search(space)
)
