"""What every search strategy must do, as tests that its own test class inherits."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy

# A strategy that never runs out is judged by its first proposals.
_MAX_PROPOSALS = 50

_SPACES = {
    "one_point": SearchSpace([HParam("only", Discrete(["value"]))]),
    "every_type": SearchSpace(
        [
            HParam("flag", Discrete([False, True])),
            HParam("count", IntInterval(1, 3)),
            HParam("name", Discrete(["adam", "sgd"])),
            Axis(HParam("rate", RealInterval(1e-3, 1e-1)), scale="log", grid_points=3),
        ]
    ),
    "conditional": SearchSpace(
        [
            HParam("layers", Discrete([1, 2, 3])),
            Axis(HParam("second", Discrete([8, 16])), when={"layers": [2, 3]}),
            Axis(HParam("third", IntInterval(4, 5)), when={"layers": 3, "second": 16}),
        ]
    ),
    "listed": SearchSpace(
        [
            Axis(HParam("batch", IntInterval(1, 64)), grid=[32, 1, 8]),
            Axis(HParam("dropout", RealInterval(0.0, 0.5)), step=0.25),
        ]
    ),
}


class StrategyContract(ABC):
    """The contract of `search.base.Strategy`, over spaces of every kind.

    A new strategy is tested by a subclass named `Test...` with one method.

    Attributes:
        learns: whether what it proposes depends on what it has observed.

    Example:
        >>> from hparams_lab.search.grid import GridSearch
        >>> class TestGridSearch(StrategyContract):
        ...     def make_strategy(self, space: SearchSpace) -> Strategy:
        ...         return GridSearch(space)
    """

    learns: ClassVar[bool] = False

    @abstractmethod
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a new strategy over `space`; equal arguments, equal strategies."""

    @pytest.fixture(params=list(_SPACES.values()), ids=list(_SPACES))
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        """Each of the contract's spaces."""
        found: SearchSpace = request.param
        return found

    def test_it_proposes_canonical_points_of_the_space(self, space: SearchSpace) -> None:
        """Each proposal is an assignment just as `validate` returns it."""
        proposals = list(_search(self.make_strategy(space)))

        assert proposals
        for proposal in proposals:
            assert isinstance(proposal, Assignment)
            assert proposal.canonical_json == space.validate(proposal).canonical_json
            assert list(proposal) == list(space.validate(proposal))

    def test_it_proposes_no_point_twice(self, space: SearchSpace) -> None:
        """A point that was proposed is not proposed again."""
        proposals = [proposal.canonical_json for proposal in _search(self.make_strategy(space))]

        assert sorted(set(proposals)) == sorted(proposals)

    def test_it_stays_over_once_it_is_over(self, space: SearchSpace) -> None:
        """A search that is over proposes nothing, however often it is asked."""
        strategy = self.make_strategy(space)
        proposals = list(_search(strategy))
        if strategy.max_trials is None and len(proposals) == _MAX_PROPOSALS:
            pytest.skip("it never runs out")

        assert [strategy.propose() for _ in range(3)] == [None] * 3

    def test_it_proposes_no_more_than_max_trials(self, space: SearchSpace) -> None:
        """`max_trials` is an upper limit from the start, and does not move."""
        strategy = self.make_strategy(space)
        limit = strategy.max_trials
        num_proposals = len(list(_search(strategy)))

        assert limit is None or 1 <= num_proposals <= limit
        assert limit == strategy.max_trials

    def test_equal_strategies_propose_equal_points(self, space: SearchSpace) -> None:
        """Equal arguments and equal results give equal proposals in equal order."""
        first, second = self.make_strategy(space), self.make_strategy(space)

        assert list(_search(first)) == list(_search(second))

    def test_it_proposes_while_trials_are_running(self, space: SearchSpace) -> None:
        """Proposals do not wait for results, which may come late and in any order."""
        strategy = self.make_strategy(space)
        first_round = list(itertools.islice(iter(strategy.propose, None), _MAX_PROPOSALS))
        for position, proposal in enumerate(reversed(first_round)):
            strategy.observe(proposal, float(position))
        proposals = [*first_round, *_search(strategy)]

        assert first_round
        assert len(set(proposals)) == len(proposals)
        assert [space.validate(proposal) for proposal in proposals] == proposals

    def test_it_goes_on_after_failures(self, space: SearchSpace) -> None:
        """A trial that failed has no value, and the search goes on without it."""
        strategy = self.make_strategy(space)
        proposals = list(_search(strategy, failing=True))

        assert [space.validate(proposal) for proposal in proposals] == proposals
        assert self.learns or proposals == list(_search(self.make_strategy(space)))

    def test_it_takes_note_of_an_interrupted_sweep(self, space: SearchSpace) -> None:
        """Trials of an interrupted sweep may be observed before anything is proposed."""
        earlier = self.make_strategy(space).propose()
        assert earlier is not None
        strategy = self.make_strategy(space)
        strategy.observe(earlier, 0.5)
        proposals = list(_search(strategy))

        assert [space.validate(proposal) for proposal in proposals] == proposals

    def test_a_strategy_that_learns_nothing_ignores_results(self, space: SearchSpace) -> None:
        """The proposals of a strategy that does not learn are the same without results."""
        if self.learns:
            pytest.skip("it learns")
        strategy = self.make_strategy(space)
        unobserved = list(itertools.islice(iter(strategy.propose, None), _MAX_PROPOSALS))

        assert list(_search(self.make_strategy(space))) == unobserved


def _search(strategy: Strategy, *, failing: bool = False) -> Iterator[Assignment]:
    """Yield proposals, each observed before the next, until the search is over."""
    proposals = iter(strategy.propose, None)
    for position, proposal in enumerate(itertools.islice(proposals, _MAX_PROPOSALS)):
        yield proposal
        strategy.observe(proposal, None if failing else float(position % 7))
