"""The strategies by the name that `--search` takes."""

from __future__ import annotations

from collections.abc import Callable

from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import UsageError, did_you_mean
from hparams_lab.search.base import Strategy
from hparams_lab.search.grid import GridSearch

STRATEGIES: dict[str, Callable[[SearchSpace], Strategy]] = {"grid": GridSearch}


def make_strategy(name: str, space: SearchSpace) -> Strategy:
    """Return a new strategy over `space`.

    Raises:
        UsageError: if there is none of that name.
    """
    if name not in STRATEGIES:
        hint = did_you_mean(name, STRATEGIES) or f" Choose one of: {', '.join(STRATEGIES)}."
        raise UsageError(f"--search must name a strategy; got {name!r}.{hint}")
    return STRATEGIES[name](space)
