"""Grid search: the whole grid, in the order of the space."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given

from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy
from hparams_lab.search.grid import GridSearch
from hparams_lab.testing import StrategyContract
from tests.spaces import EXAMPLES, HUGE, small_spaces


class TestGridSearch(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a grid search."""
        return GridSearch(space)


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_proposes_the_grid_in_the_order_of_the_space(name: str) -> None:
    """Proposal i of a grid search is grid point i."""
    space = EXAMPLES[name]

    assert [space.at(i) for i in range(space.size)] == list(iter(GridSearch(space).propose, None))


@given(small_spaces())
def test_max_trials_is_the_number_of_proposals(space: SearchSpace) -> None:
    """A grid search announces exactly as many trials as it proposes."""
    strategy = GridSearch(space)

    assert strategy.max_trials == len(list(iter(strategy.propose, None)))


def test_a_huge_grid_costs_no_memory() -> None:
    """The first proposals out of a billion take less than a megabyte."""
    tracemalloc.start()
    try:
        strategy = GridSearch(HUGE)
        proposals = [strategy.propose() for _ in range(3)]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [HUGE.at(0), HUGE.at(1), HUGE.at(2)] == proposals
    assert peak_bytes < 2**20
