"""Quasi-random search: points that spread more evenly than random ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import StrategySpec
from hparams_lab.search.options import PrunerOptions
from hparams_lab.search.points import PointSearch, distinct_points

if TYPE_CHECKING:
    from scipy.stats import qmc


def halton_search(space: SearchSpace, seed: int) -> PointSearch:
    """Return a search of a scrambled Halton sequence, each axis on its own scale.

    Any number of its first points fills the space evenly, so that it can be stopped at
    any time. In a finite space it goes on until there are no more.

    Args:
        space: the space that is searched.
        seed: at least 0; scrambles the sequence.

    Source:
        Owen, A randomized Halton algorithm in R, arXiv:1706.02808.
    """
    from scipy.stats import qmc  # takes half a second

    rng = np.random.default_rng(seed)
    sequence = qmc.Halton(len(space), scramble=True, rng=rng)
    points = distinct_points(space, _fractions(sequence), rng)
    return PointSearch(points, space.num_points)


def _fractions(sequence: qmc.Halton) -> Iterator[Sequence[float]]:
    while True:
        yield sequence.random(1)[0].tolist()


HALTON = StrategySpec(
    options=PrunerOptions, make=lambda space, goal, seed, options: halton_search(space, seed)
)
