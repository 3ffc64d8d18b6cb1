"""The searches that learn from results, as `--search` names them: a sampler, and maybe a pruner.

Optuna is imported only where one is made: it takes a quarter of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy, StrategySpec
from hparams_lab.search.options import (
    DEFAULT_REDUCTION_FACTOR,
    PrunerOptions,
    RungOptions,
    SamplerOptions,
)
from hparams_lab.search.random import random_search


@dataclass(frozen=True, kw_only=True)
class BayesOptions(PrunerOptions, SamplerOptions):
    """Options of bayes."""


@dataclass(frozen=True, kw_only=True)
class LadderOptions(RungOptions, SamplerOptions):
    """Options of hyperband and asha, which are pruners with a sampler."""


def prune(search: Strategy, goal: Goal, pruner: str, options: RungOptions) -> Strategy:
    """Return a search whose runs are stopped early.

    Args:
        search: proposes.
        goal: which way is better.
        pruner: name of one.
        options: its budgets.
    """
    from hparams_lab.search.study import PrunedSearch, make_pruner

    made = make_pruner(
        pruner,
        min_budget=options.min_budget or 1,
        reduction_factor=options.reduction_factor or DEFAULT_REDUCTION_FACTOR,
    )
    return PrunedSearch(search, goal, made)


def _sample(space: SearchSpace, goal: Goal, seed: int, options: SamplerOptions) -> Strategy:
    if options.sampler == "random":
        return random_search(space, seed)
    from hparams_lab.search.study import StudySearch

    return StudySearch(space, goal, seed=seed, sampler=options.sampler or "tpe")


def _climb(
    pruner: str, space: SearchSpace, goal: Goal, seed: int, options: LadderOptions
) -> Strategy:
    return prune(_sample(space, goal, seed, options), goal, pruner, options)


BAYES = StrategySpec(options=BayesOptions, make=_sample)
HYPERBAND = StrategySpec(options=LadderOptions, make=partial(_climb, "hyperband"))
ASHA = StrategySpec(options=LadderOptions, make=partial(_climb, "asha"))
