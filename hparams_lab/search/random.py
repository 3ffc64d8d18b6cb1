"""Random search: each axis drawn uniformly on its own scale, no point twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import StrategySpec
from hparams_lab.search.options import PrunerOptions
from hparams_lab.search.points import PointSearch, distinct_points


def random_search(space: SearchSpace, seed: int) -> PointSearch:
    """Return a search of random points, on the grid or not, until there are no more.

    Args:
        space: the space that is searched.
        seed: at least 0; equal seeds propose equal points.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> search = random_search(SearchSpace([HParam("units", Discrete([8, 16]))]), seed=0)
        >>> sorted(point["units"] for point in iter(search.propose, None))
        [8, 16]
    """
    rng = np.random.default_rng(seed)
    points = distinct_points(space, draw_fractions(space, rng), rng)
    return PointSearch(points, space.num_points)


def draw_fractions(space: SearchSpace, rng: np.random.Generator) -> Iterator[Sequence[float]]:
    """Yield fractions of the axes of `space`, drawn uniformly, without an end."""
    while True:
        yield rng.random(len(space)).tolist()


RANDOM = StrategySpec(
    options=PrunerOptions, make=lambda space, goal, seed, options: random_search(space, seed)
)
