"""Random and quasi-random search: even on the axes' scales, and complete in the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import kstest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.halton import halton_search
from hparams_lab.search.points import PointSearch
from hparams_lab.search.random import random_search

SEARCHES = pytest.mark.parametrize("make_search", [random_search, halton_search])
Maker = Callable[[SearchSpace, int], PointSearch]

LOG_AND_LINEAR = SearchSpace(
    [
        Axis(HParam("rate", RealInterval(1e-4, 1.0)), scale="log"),
        HParam("dropout", RealInterval(0.0, 0.5)),
    ]
)


@SEARCHES
def test_points_lie_evenly_on_the_scale_of_each_axis(make_search: Maker) -> None:
    """Logarithms of a log axis and values of a linear one are uniform."""
    points = list(itertools.islice(iter(make_search(LOG_AND_LINEAR, 1).propose, None), 500))
    rates = np.log10([point["rate"] for point in points]) / 4 + 1
    dropouts = np.array([point["dropout"] for point in points]) / 0.5

    assert kstest(rates, "uniform").pvalue > 1e-3
    assert kstest(dropouts, "uniform").pvalue > 1e-3


def test_quasi_random_points_are_more_even_than_random_ones() -> None:
    """The largest gap on an axis is smaller in a Halton sequence."""

    def largest_gap(search: PointSearch) -> float:
        points = itertools.islice(iter(search.propose, None), 64)
        return float(np.diff(sorted(point["dropout"] for point in points)).max())

    even, uneven = (make(LOG_AND_LINEAR, 0) for make in (halton_search, random_search))

    assert largest_gap(even) < largest_gap(uneven)


@SEARCHES
def test_points_that_are_hardly_ever_drawn_come_too(make_search: Maker) -> None:
    """A space where most points share a sliver of the volume is searched to its end."""
    space = SearchSpace([Axis(HParam("units", IntInterval(1, 2000)), scale="log")])
    proposals = set(iter(make_search(space, 1).propose, None))

    assert 2000 == len(proposals)


@SEARCHES
def test_a_space_with_a_rare_infinite_part_has_no_end(make_search: Maker) -> None:
    """Where the finite points are out, those of the infinite part go on."""
    rate = Axis(HParam("rate", RealInterval(0.0, 1.0)), when={"model": "i"})
    space = SearchSpace([HParam("model", Discrete(list("abcdefghi"))), rate])
    search = make_search(space, 0)
    proposals = [search.propose() for _ in range(200)]

    assert search.max_trials is None
    assert 200 == len(set(proposals))
    assert None not in proposals


@SEARCHES
def test_a_space_too_large_to_count_costs_nothing(make_search: Maker) -> None:
    """Ten thousand billion points and more are searched as fast as few."""
    space = SearchSpace(HParam(f"x{i}", IntInterval(0, 2**50)) for i in range(30))
    search = make_search(space, 0)

    assert (2**50 + 1) ** 30 == search.max_trials
    assert 20 == len({search.propose() for _ in range(20)})
