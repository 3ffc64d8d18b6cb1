"""The strategies by the name that `--search` takes, and the options each of them has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import UsageError, did_you_mean
from hparams_lab.search.base import Strategy
from hparams_lab.search.grid import grid_search
from hparams_lab.search.one_at_a_time import DEFAULT_PASSES, OneAtATime
from hparams_lab.search.options import SearchOptions
from hparams_lab.search.random import random_search

SAMPLERS = ("tpe", "gp", "cmaes", "random")
PRUNERS = ("median", "asha", "hyperband")

# Searches that are a pruner before a sampler.
_PRUNING = ("hyperband", "asha")
_SAMPLING = ("bayes", *_PRUNING)
_MINIMA = {"min_budget": 1, "reduction_factor": 2, "passes": 1}


def make_strategy(
    name: str,
    space: SearchSpace,
    *,
    goal: Goal,
    seed: int,
    options: SearchOptions = SearchOptions(),  # noqa: B008 - frozen
) -> Strategy:
    """Return a new strategy over `space`.

    Args:
        name: a key of `STRATEGIES`.
        space: the space that is searched.
        goal: which way is better.
        seed: at least 0; equal seeds and equal results give equal proposals.
        options: those that the search has.

    Raises:
        UsageError: if there is none of that name, or it does not have one of the
            options, or an option is out of range, or a package is missing.
    """
    _check_choice("search", name, STRATEGIES)
    _check_options(name, space, options)
    search = STRATEGIES[name](space, goal, seed, options)
    pruner = name if name in _PRUNING else options.pruner
    return search if pruner is None else _prune(search, goal, pruner, options)


def _make_grid(space: SearchSpace, goal: Goal, seed: int, options: SearchOptions) -> Strategy:
    return grid_search(space)


def _make_random(space: SearchSpace, goal: Goal, seed: int, options: SearchOptions) -> Strategy:
    return random_search(space, seed)


def _make_halton(space: SearchSpace, goal: Goal, seed: int, options: SearchOptions) -> Strategy:
    from hparams_lab.search.halton import halton_search  # SciPy takes half a second

    return halton_search(space, seed)


def _make_one_at_a_time(
    space: SearchSpace, goal: Goal, seed: int, options: SearchOptions
) -> Strategy:
    passes = options.passes or DEFAULT_PASSES
    return OneAtATime(space, goal, order=options.order, passes=passes)


def _make_sampling(space: SearchSpace, goal: Goal, seed: int, options: SearchOptions) -> Strategy:
    if options.sampler == "random":
        return random_search(space, seed)
    from hparams_lab.search.study import StudySearch  # Optuna takes a quarter of a second

    return StudySearch(space, goal, seed=seed, sampler=options.sampler or "tpe")


def _prune(search: Strategy, goal: Goal, pruner: str, options: SearchOptions) -> Strategy:
    from hparams_lab.search import pruning  # Optuna again

    made = pruning.make_pruner(
        pruner,
        min_budget=options.min_budget or 1,
        reduction_factor=options.reduction_factor or pruning.DEFAULT_REDUCTION_FACTOR,
    )
    return pruning.PrunedSearch(search, goal, made)


STRATEGIES: dict[str, Callable[[SearchSpace, Goal, int, SearchOptions], Strategy]] = {
    "grid": _make_grid,
    "random": _make_random,
    "halton": _make_halton,
    "one_at_a_time": _make_one_at_a_time,
    "bayes": _make_sampling,
    "hyperband": _make_sampling,
    "asha": _make_sampling,
}


# Those to which a new level of an axis is a new point, within its bounds too.
WALK_LEVELS = ("grid", "one_at_a_time")


def _check_choice(flag: str, choice: str, choices: Collection[str]) -> None:
    if choice not in choices:
        hint = did_you_mean(choice, choices) or f" Choose one of: {', '.join(choices)}."
        kind = "strategy" if flag == "search" else flag
        raise UsageError(f"--{flag} must name a {kind}; got {choice!r}.{hint}")


def _check_options(name: str, space: SearchSpace, options: SearchOptions) -> None:
    for key, value in options.given.items():
        _check_applies(name, key, value, options)
        if key in _MINIMA and value < _MINIMA[key]:
            raise UsageError(f"--{key} must be at least {_MINIMA[key]}; got {value}. Raise it.")
    if options.sampler is not None:
        _check_choice("sampler", options.sampler, SAMPLERS)
    if options.pruner is not None:
        _check_choice("pruner", options.pruner, PRUNERS)
    _check_order(space, options.order)


def _check_applies(name: str, key: str, value: Any, options: SearchOptions) -> None:
    laddered = name in _PRUNING or options.pruner in _PRUNING
    applies = {
        "sampler": (name in _SAMPLING, "with --search=" + " or ".join(_SAMPLING)),
        "pruner": (name not in _PRUNING, "with a search that is not a pruner itself"),
        "min_budget": (
            name in _PRUNING or options.pruner is not None,
            "where runs are stopped early, by --pruner or with --search=hyperband or asha",
        ),
        "reduction_factor": (laddered, "with the pruners hyperband and asha"),
        "order": (name == "one_at_a_time", "with --search=one_at_a_time"),
        "passes": (name == "one_at_a_time", "with --search=one_at_a_time"),
    }
    holds, where = applies[key]
    if not holds:
        spelt = ",".join(value) if key == "order" else value
        raise UsageError(
            f"--{key} is for use {where}; got --{key}={spelt} with --search={name}. Drop it."
        )


def _check_order(space: SearchSpace, order: Iterable[str]) -> None:
    names = [axis.name for axis in space]
    seen: set[str] = set()
    for name in order:
        if name not in names:
            hint = did_you_mean(name, names) or f" Choose from: {', '.join(names)}."
            raise UsageError(f"--order must name hparams; got {name!r}.{hint}")
        if name in seen:
            raise UsageError(f"--order must name an hparam once; got {name!r} again. Drop one.")
        seen.add(name)
