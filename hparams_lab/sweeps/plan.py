"""What a sweep would run, before anything is written or executed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import UsageError
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import make_strategy
from hparams_lab.sweeps.options import ExecutionOptions, LaunchOptions
from hparams_lab.sweeps.settings import parse_settings, parse_tries


@dataclass(frozen=True)
class Plan:
    """A sweep that is ready to be launched."""

    space: SearchSpace  # narrowed to the options' choices
    strategy: Strategy  # over that space
    tries: Sequence[Assignment]  # points to run first
    max_trials: int | None  # how many trials there are to be, None if open


def make_plan(experiment: Experiment, options: LaunchOptions) -> Plan:
    """Return what would be run.

    Raises:
        AssignmentError: if a setting names no axis, or a value outside its domain.
        UsageError: if an option cannot be obeyed, or nothing would ever end the sweep.
    """
    space = experiment.space.narrow(parse_settings(experiment.space, options.settings))
    tries = parse_tries(space, options.tries)
    make = partial(
        make_strategy,
        options.search,
        space,
        goal=experiment.objective.goal,
        seed=options.seed,
        options=options.search_options,
    )
    max_trials = count_trials(make, tries, options.trials)
    check_that_it_ends(options.search, max_trials, options)
    return Plan(space, make(), tries, max_trials)


def check_that_it_ends(search: str, max_trials: int | None, options: ExecutionOptions) -> None:
    """Refuse a sweep that nothing would ever end.

    Raises:
        UsageError: if nothing would.
    """
    if max_trials is None and options.time_budget_secs is None:
        raise UsageError(
            f"--search={search} never runs out of points here. Add --trials=N or "
            "--time_budget_secs=S."
        )


def count_trials(
    make: Callable[[], Strategy], tries: Sequence[Assignment], limit: int | None
) -> int | None:
    """Return how many trials a sweep has at most, None if there is no end to them.

    Args:
        make: returns a new strategy.
        tries: points that are run first, also where it would not propose them.
        limit: the user's.
    """
    scout = make()
    for point in tries:
        scout.take(point)
    limits = [number for number in (limit, scout.max_trials) if number is not None]
    return min(limits, default=None)
