"""Grid search: the whole grid, in the order of the space."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.grid import grid_search
from tests.support.spaces import EXAMPLES, HUGE, small_spaces


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_proposes_the_grid_in_the_order_of_the_space(name: str) -> None:
    """Proposal i of a grid search is grid point i."""
    space = EXAMPLES[name]

    assert [space.at(i) for i in range(space.size)] == list(iter(grid_search(space).propose, None))


@given(small_spaces())
def test_max_trials_is_the_number_of_proposals(space: SearchSpace) -> None:
    """A grid search announces exactly as many trials as it proposes."""
    strategy = grid_search(space)

    assert strategy.max_trials == len(list(iter(strategy.propose, None)))


def test_a_point_beside_the_grid_is_one_trial_more() -> None:
    """A point between the grid's that the user asks for does not cost a point of the grid."""
    strategy = grid_search(EXAMPLES["tutorial"])
    strategy.take(Assignment({"num_units": 16, "dropout": 0.15, "optimizer": "sgd"}))

    assert 9 == strategy.max_trials
    assert 8 == len(list(iter(strategy.propose, None)))


def test_a_huge_grid_costs_no_memory() -> None:
    """The first proposals out of a billion take less than a megabyte."""
    tracemalloc.start()
    try:
        strategy = grid_search(HUGE)
        proposals = [strategy.propose() for _ in range(3)]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [HUGE.at(0), HUGE.at(1), HUGE.at(2)] == proposals
    assert peak_bytes < 2**20
