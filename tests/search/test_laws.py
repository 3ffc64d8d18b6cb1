"""What holds for every search over random spaces, whatever the number of workers."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import STRATEGIES, make_strategy
from tests.support.spaces import small_spaces

# The default model, and the one that keeps books of its own.
SEARCHES = [(name, None) for name in STRATEGIES] + [("bayes", "cmaes")]
BLIND = ["grid", "random", "halton"]
SEEDS = st.integers(0, 2**32)


def make(name: str, space: SearchSpace, *, seed: int, sampler: str | None = None) -> Strategy:
    """Return a strategy to minimize."""
    options = {"sampler": sampler}
    return make_strategy(name, space, goal=Goal.MINIMIZE, seed=seed, options=options)


def search(
    strategy: Strategy, num_trials: int, num_workers: int, order: st.DataObject
) -> list[Assignment]:
    """Return the first trials of a sweep whose trials end in an order that is drawn."""
    trials: list[Assignment] = []
    running: list[Assignment] = []
    while len(trials) < num_trials and (proposal := strategy.propose()) is not None:
        trials.append(proposal)
        running.append(proposal)
        if len(running) == num_workers:
            ended = running.pop(order.draw(st.integers(0, num_workers - 1)))
            value = order.draw(st.sampled_from([0.5, 2.0, -1.0, 3.0, math.nan, math.inf, None]))
            strategy.observe(ended, value)
    return trials


@pytest.mark.parametrize(("name", "sampler"), SEARCHES)
@settings(deadline=None, max_examples=15)
@given(data=st.data(), space=small_spaces(), seed=SEEDS)
def test_proposals_are_distinct_points_of_the_space(
    name: str, sampler: str | None, data: st.DataObject, space: SearchSpace, seed: int
) -> None:
    """No search proposes outside a domain, violates a condition or repeats a point."""
    num_workers = data.draw(st.integers(1, 3))
    trials = search(make(name, space, seed=seed, sampler=sampler), 25, num_workers, data)

    assert trials
    assert len({point.canonical_json for point in trials}) == len(trials)
    for point in trials:
        assert space.validate(point).canonical_json == point.canonical_json


@pytest.mark.parametrize("name", BLIND)
@settings(deadline=None, max_examples=30)
@given(data=st.data(), space=small_spaces(), seed=SEEDS)
def test_workers_do_not_change_what_is_proposed(
    name: str, data: st.DataObject, space: SearchSpace, seed: int
) -> None:
    """A search that learns nothing proposes the same with one worker as with several."""
    alone = search(make(name, space, seed=seed), 20, 1, data)
    together = search(make(name, space, seed=seed), 20, data.draw(st.integers(2, 4)), data)

    assert alone == together


@pytest.mark.parametrize("name", BLIND)
@settings(deadline=None, max_examples=30)
@given(data=st.data(), space=small_spaces(), seed=SEEDS)
def test_taken_points_are_left_out_and_nothing_else(
    name: str, data: st.DataObject, space: SearchSpace, seed: int
) -> None:
    """Whatever part of its points is taken, a search goes on with the others in their order."""
    points = list(itertools.islice(iter(make(name, space, seed=seed).propose, None), 12))
    taken = data.draw(st.sets(st.sampled_from(points)))
    strategy = make(name, space, seed=seed)
    for point in data.draw(st.permutations(sorted(taken, key=repr))):
        strategy.take(point)
    others = [point for point in points if point not in taken]

    assert others == [strategy.propose() for _ in others]


@pytest.mark.parametrize(
    "name", [name for name in STRATEGIES if name not in ("grid", "one_at_a_time")]
)
@settings(deadline=None, max_examples=10)
@given(space=small_spaces(), seed=SEEDS)
def test_a_finite_space_is_searched_to_its_last_point(
    name: str, space: SearchSpace, seed: int
) -> None:
    """Where points can be counted, each of them is proposed in the end."""
    num_points = space.num_points
    if num_points is None or num_points > 60:
        return
    strategy = make(name, space, seed=seed)
    proposals = set(iter(strategy.propose, None))

    assert num_points == len(proposals) == strategy.max_trials
