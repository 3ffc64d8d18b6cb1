"""The strategies by the name that `--search` takes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hparams_lab.catalog.registry import Registry
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy, StrategySpec
from hparams_lab.search.bayes import prune
from hparams_lab.search.options import PrunerOptions

DEFAULT_SEARCH = "grid"

STRATEGIES = Registry(
    "search",
    "strategy",
    StrategySpec,
    group="hparams_lab.strategies",
    builtin={
        "grid": "hparams_lab.search.grid:GRID",
        "random": "hparams_lab.search.random:RANDOM",
        "halton": "hparams_lab.search.halton:HALTON",
        "one_at_a_time": "hparams_lab.search.one_at_a_time:ONE_AT_A_TIME",
        "bayes": "hparams_lab.search.bayes:BAYES",
        "hyperband": "hparams_lab.search.bayes:HYPERBAND",
        "asha": "hparams_lab.search.bayes:ASHA",
    },
)


def make_strategy(
    name: str,
    space: SearchSpace,
    *,
    goal: Goal,
    seed: int,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Strategy:
    """Return a new strategy over `space`.

    Args:
        name: one of `STRATEGIES`.
        space: the space that is searched.
        goal: which way is better.
        seed: at least 0; equal seeds and equal results give equal proposals.
        options: of the strategy, by name; None is not given.

    Raises:
        UsageError: if there is none of that name, or it does not have one of the
            options, or an option is out of range, or a package is missing.
    """
    made = STRATEGIES.make_options(name, options)
    search = STRATEGIES.find(name).make(space, goal, seed, made)
    if isinstance(made, PrunerOptions) and made.pruner is not None:
        return prune(search, goal, made.pruner, made)
    return search
