"""What every search strategy must do, as tests that its own test class inherits."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy, Verdict

# A strategy that never runs out is judged by its first proposals.
_MAX_PROPOSALS = 25

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

    Example:
        >>> from hparams_lab.search.grid import grid_search
        >>> class TestGridSearch(StrategyContract):
        ...     def make_strategy(self, space: SearchSpace) -> Strategy:
        ...         return grid_search(space)
    """

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
        """`max_trials` is a limit from the start that does not move; most searches reach it."""
        strategy = self.make_strategy(space)
        limit = strategy.max_trials
        num_proposals = len(list(_search(strategy)))

        assert limit is None or 1 <= num_proposals <= limit
        assert limit == strategy.max_trials
        assert strategy.traits.may_end_early or num_proposals == min(
            limit or math.inf, _MAX_PROPOSALS
        )

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
        assert strategy.traits.learns or proposals == list(_search(self.make_strategy(space)))

    @pytest.mark.parametrize("num_proposed", [0, 1], ids=["before", "between"])
    def test_it_does_not_propose_what_was_taken(
        self, space: SearchSpace, num_proposed: int
    ) -> None:
        """A point that the user asked for is not proposed any more, and counts as a trial."""
        strategy = self.make_strategy(space)
        proposals = list(itertools.islice(_search(strategy), num_proposed))
        taken = [point for point in _pick_points(space) if point not in proposals]
        for point in taken:
            strategy.take(point)
        for value, point in enumerate(taken):
            strategy.observe(point, float(value))
        trials = [*proposals, *taken, *_search(strategy)]

        assert len(set(trials)) == len(trials)
        assert strategy.max_trials is None or len(trials) <= strategy.max_trials

    def test_it_goes_on_after_an_interrupted_sweep(self, space: SearchSpace) -> None:
        """A new strategy that is given the history goes on with points that are new."""
        history = list(itertools.islice(_search(self.make_strategy(space)), 3))
        strategy = self.make_strategy(space)
        for position, point in enumerate(history):
            strategy.take(point)
            strategy.report(point, float(position), 1)
            strategy.observe(point, float(position % 7))
        trials = [*history, *_search(strategy)]

        assert len(set(trials)) == len(trials)
        assert [space.validate(point) for point in trials] == trials
        assert strategy.max_trials == self.make_strategy(space).max_trials

    def test_a_resumed_sweep_proposes_what_an_uninterrupted_one_does(
        self, space: SearchSpace
    ) -> None:
        """What is proposed follows from the history, not from who proposed it."""
        undisturbed = list(_search(self.make_strategy(space)))
        for num_trials in range(min(len(undisturbed), 5)):
            strategy = self.make_strategy(space)
            for position, point in enumerate(undisturbed[:num_trials]):
                strategy.take(point)
                strategy.observe(point, float(position % 7))

            assert undisturbed[num_trials] == strategy.propose()

    @pytest.mark.parametrize("value", [0.5, math.nan, math.inf], ids=str)
    def test_it_answers_reports(self, space: SearchSpace, value: float) -> None:
        """Whatever a run reports, the answer is whether it goes on, and the search goes on."""
        strategy = self.make_strategy(space)
        first = strategy.propose()
        assert first is not None
        verdicts = [strategy.report(first, value, budget) for budget in (1, 2, 3)]
        strategy.observe(first, value)
        trials = [first, *_search(strategy)]

        assert all(isinstance(verdict, Verdict) for verdict in verdicts)
        assert strategy.traits.prunes or not any(verdict.stop for verdict in verdicts)
        assert len(set(trials)) == len(trials)

    def test_it_goes_on_after_a_pruned_trial(self, space: SearchSpace) -> None:
        """A trial that was stopped early has no value, and the search goes on."""
        strategy = self.make_strategy(space)
        first = strategy.propose()
        assert first is not None
        strategy.report(first, 0.5, 1)
        strategy.observe(first, None, pruned=True)
        trials = [first, *_search(strategy)]

        assert len(set(trials)) == len(trials)

    def test_a_strategy_that_learns_nothing_ignores_results(self, space: SearchSpace) -> None:
        """The proposals of a strategy that does not learn are the same without results."""
        strategy = self.make_strategy(space)
        if strategy.traits.learns:
            pytest.skip("it learns")
        unobserved = list(itertools.islice(iter(strategy.propose, None), _MAX_PROPOSALS))

        assert list(_search(self.make_strategy(space))) == unobserved


def _pick_points(space: SearchSpace) -> list[Assignment]:
    """Return the last point of the grid and one that may lie beside it."""
    return list(dict.fromkeys([space.at(space.size - 1), space.at_fractions([0.7] * len(space))]))


def _search(strategy: Strategy, *, failing: bool = False) -> Iterator[Assignment]:
    """Yield proposals, each observed before the next, until the search is over."""
    proposals = iter(strategy.propose, None)
    for position, proposal in enumerate(itertools.islice(proposals, _MAX_PROPOSALS)):
        yield proposal
        strategy.observe(proposal, None if failing else float(position % 7))
