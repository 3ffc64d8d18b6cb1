"""Every search of the catalog keeps the contract of a strategy."""

from __future__ import annotations

from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import make_strategy
from hparams_lab.testing import StrategyContract


class TestGrid(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a grid search."""
        return make_strategy("grid", space, goal=Goal.MINIMIZE, seed=0)


class TestRandom(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a random search."""
        return make_strategy("random", space, goal=Goal.MINIMIZE, seed=0)


class TestHalton(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a quasi-random search."""
        return make_strategy("halton", space, goal=Goal.MINIMIZE, seed=0)


class TestOneAtATime(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a search of one axis at a time."""
        return make_strategy("one_at_a_time", space, goal=Goal.MINIMIZE, seed=0)


class TestBayes(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a search by a tree-structured Parzen estimator."""
        return make_strategy("bayes", space, goal=Goal.MINIMIZE, seed=0)


class TestBayesByCmaEs(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a search by CMA-ES."""
        options = {"sampler": "cmaes"}
        return make_strategy("bayes", space, goal=Goal.MINIMIZE, seed=0, options=options)


class TestBayesAtRandom(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a search without a model, for comparison."""
        options = {"sampler": "random"}
        return make_strategy("bayes", space, goal=Goal.MINIMIZE, seed=0, options=options)


class TestHyperband(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return Hyperband over a model."""
        return make_strategy("hyperband", space, goal=Goal.MAXIMIZE, seed=0)


class TestAsha(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return asynchronous successive halving over a model."""
        return make_strategy("asha", space, goal=Goal.MAXIMIZE, seed=0)


class TestPrunedGrid(StrategyContract):
    def make_strategy(self, space: SearchSpace) -> Strategy:
        """Return a grid search whose bad runs are stopped."""
        options = {"pruner": "median"}
        return make_strategy("grid", space, goal=Goal.MINIMIZE, seed=0, options=options)
