"""Search by a model of what was observed: Optuna's samplers, by its ask and tell."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import UsageError
from hparams_lab.search.base import Strategy, Traits, Verdict
from hparams_lab.search.optuna_study import (
    derive_seed,
    make_study,
    report_end,
    report_once,
    silence_optuna,
)
from hparams_lab.search.points import find_new_point
from hparams_lab.search.random import draw_fractions

# A sampler that has found its optimum among few values proposes it again and again.
_MAX_DRAWS = 10


class StudySearch(Strategy):
    """Proposes what a sampler of Optuna makes of a study of all trials so far.

    Each proposal has a sampler of its own, seeded with the number of trials before it:
    so it follows from the contents of the study, and a resumed sweep, which has refilled
    its study, goes on as one that was never interrupted. To TPE, trials that
    are running count as bad ones, so that parallel proposals differ by more than chance.

    Args:
        space: the space that is searched; conditional axes are sampled where they exist.
        goal: which way is better.
        seed: equal seeds and equal results give equal proposals.
        sampler: a name of `samplers.SAMPLERS`.

    Attributes:
        study: the trials so far.

    Raises:
        UsageError: if the sampler needs a package that is not installed.
    """

    traits = Traits(learns=True)

    def __init__(self, space: SearchSpace, goal: Goal, *, seed: int, sampler: str = "tpe") -> None:
        self._space = space
        self._goal = goal
        self._seed = seed
        self._make_sampler = find_sampler(sampler)
        # CMA-ES numbers its generations as it draws; the others keep no such books.
        self._draws_for_taken = sampler == "cmaes"
        self._params = {axis.name: Param(axis) for axis in space if axis.num_values != 1}
        self._trials: dict[Assignment, Trial] = {}
        self.study: Study = make_study(goal)

    @property
    def max_trials(self) -> int | None:
        return self._space.num_points

    def propose(self) -> Assignment | None:
        if len(self._trials) == self.max_trials:
            return None
        with silence_optuna():
            trial = self.study.ask()
            assignment = self._draw_new(trial)
            if assignment is not None:
                self._enter(trial, assignment)
        return assignment

    def take(self, assignment: Assignment) -> None:
        with silence_optuna():
            trial = self.study.ask()
            if self._draws_for_taken:
                self._draw(trial, attempt=0)
            self._enter(trial, assignment)

    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        """Let every run go on; if it is pruned, its values are what is known of it."""
        report_once(self._trials[assignment], value, budget)
        return Verdict()

    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        report_end(self._trials[assignment], value, goal=self._goal, pruned=pruned)

    def _draw_new(self, trial: Trial) -> Assignment | None:
        for attempt in range(_MAX_DRAWS):
            assignment = self._draw(trial, attempt=attempt)
            if assignment not in self._trials:
                return assignment
        rng = np.random.default_rng(derive_seed(self._seed, trial.number, _MAX_DRAWS))
        return find_new_point(self._space, draw_fractions(self._space, rng), rng, self._trials)

    def _draw(self, trial: Trial, *, attempt: int) -> Assignment:
        """Return a point that the sampler draws for a trial; it may be a known one.

        The trial is left without values: a trial of Optuna cannot change or be taken
        back, and must not be wasted on a point that is known.
        """
        sampler = self._make_sampler(derive_seed(self._seed, trial.number, attempt))
        frozen = self.study.get_trials(deepcopy=False)[trial.number]
        joint = sampler.infer_relative_search_space(self.study, frozen)
        drawn = sampler.sample_relative(self.study, frozen, joint)
        values: dict[str, Value] = {}
        for axis in self._space:
            if not axis.is_active(values):
                continue
            param = self._params.get(axis.name)
            if param is None:
                values[axis.name] = axis.levels[0]
            elif axis.name in drawn:
                values[axis.name] = param.decode(drawn[axis.name])
            else:
                values[axis.name] = param.decode(
                    sampler.sample_independent(self.study, frozen, axis.name, param.distribution)
                )
        return Assignment(values)

    def _enter(self, trial: Trial, assignment: Assignment) -> None:
        """Give the trial its values."""
        params = [self._params[name] for name in assignment if name in self._params]
        self.study.sampler = _Given(
            {param.name: param.encode(assignment[param.name]) for param in params}
        )
        for param in params:
            param.suggest(trial)
        self._trials[assignment] = trial


class _Given(BaseSampler):
    """Gives the parameters of a trial the values of an assignment."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._values[param_name]


class Param:
    """One axis as a parameter of a study.

    Numbers that are listed, or lie on steps, become their positions in increasing
    order: so samplers know which are neighbours, and rounding plays no part.

    Args:
        axis: has at least two legal values.

    Attributes:
        name: the axis's.
        distribution: what a sampler draws from.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval
        >>> param = Param(Axis(HParam("units", IntInterval(1, 64)), grid=[64, 8, 16]))
        >>> param.encode(64), param.decode(0)
        (2, 8)
    """

    def __init__(self, axis: Axis) -> None:
        self.name = axis.name
        self._axis = axis
        self._ordered = _order_numbers(axis)
        self.distribution = self._make_distribution()

    def _make_distribution(self) -> BaseDistribution:
        if self._ordered is not None:
            return IntDistribution(0, len(self._ordered) - 1)
        if self._axis.is_listed:
            return CategoricalDistribution(tuple(self._axis.levels))
        domain, log = self._axis.domain, self._axis.scale == "log"
        interval = IntDistribution if domain.dtype is int else FloatDistribution
        return interval(domain.min_value, domain.max_value, log=log)

    def encode(self, value: Value) -> Any:
        """Return the parameter's value for a value of the axis."""
        return value if self._ordered is None else self._ordered.index(value)

    def decode(self, drawn: Any) -> Value:
        """Return the axis's value for what a sampler drew."""
        return self._axis.cast(drawn if self._ordered is None else self._ordered[int(drawn)])

    def suggest(self, trial: Trial) -> None:
        """Have the study's sampler give the trial a value of this parameter."""
        match self.distribution:
            case CategoricalDistribution() as words:
                trial.suggest_categorical(self.name, words.choices)
            case IntDistribution() as integers:
                trial.suggest_int(self.name, integers.low, integers.high, log=integers.log)
            case FloatDistribution() as reals:
                trial.suggest_float(self.name, reals.low, reals.high, log=reals.log)


def _order_numbers(axis: Axis) -> Sequence[Value] | None:
    """Return the levels in increasing order if only they are legal, and numbers."""
    if not axis.is_listed or axis.domain.dtype in (bool, str):
        return None
    # Steps are in order as they are, and may be too many to hold.
    return axis.levels if axis.grid is None else sorted(axis.levels)


def make_tpe(seed: int) -> BaseSampler:
    """Return a tree-structured Parzen estimator; for every kind of axis and condition."""
    # benchmarks/search.py: one model of all axes together is better than one for each.
    return TPESampler(seed=seed, multivariate=True, constant_liar=True)


def make_gp(seed: int) -> BaseSampler:
    """Return a Gaussian process; conditional axes are drawn at random."""
    return GPSampler(seed=seed, warn_independent_sampling=False)


def make_cmaes(seed: int) -> BaseSampler:
    """Return CMA-ES over numeric axes; words and conditional axes are drawn at random."""
    return CmaEsSampler(seed=seed, warn_independent_sampling=False)


SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": make_tpe,
    "gp": make_gp,
    "cmaes": make_cmaes,
}

# What each sampler needs beside Optuna, and what installs it.
_NEEDS = {
    "gp": ("torch", "pip install 'hparams_lab[gp]'"),
    "cmaes": ("cmaes", "pip install cmaes"),
}


def find_sampler(name: str) -> Callable[[int], BaseSampler]:
    """Return what makes a sampler from a seed.

    Args:
        name: a key of `SAMPLERS`.

    Raises:
        UsageError: if it needs a package that is not installed.
    """
    package, command = _NEEDS.get(name, ("optuna", ""))
    if importlib.util.find_spec(package) is None:
        raise UsageError(
            f"--sampler={name} needs the package {package!r}, which is not installed. "
            f"Run: {command}"
        )
    return SAMPLERS[name]


# A median of fewer trials says little.
_MIN_TRIALS_OF_MEDIAN = 5
_RUNG_PREFIX = "completed_rung_"


def make_pruner(name: str, *, min_budget: int, reduction_factor: int) -> BasePruner:
    """Return a new pruner.

    `median` stops a run whose best value is worse than the median of the full trials at
    the same budget, once there are five. `asha` lets the best of each rung go on:
    1/reduction_factor of the runs that came so far. `hyperband` does so from several
    first rungs, and stops nothing before a full trial has shown how long they are.

    Args:
        name: `"median"`, `"asha"` or `"hyperband"`.
        min_budget: no run is stopped before it has reported so many values, at least 1.
        reduction_factor: budget of a rung over that of the one before, at least 2.
    """
    if name == "median":
        return MedianPruner(n_startup_trials=_MIN_TRIALS_OF_MEDIAN, n_warmup_steps=min_budget)
    if name == "asha":
        return SuccessiveHalvingPruner(min_resource=min_budget, reduction_factor=reduction_factor)
    return HyperbandPruner(min_resource=min_budget, reduction_factor=reduction_factor)


class PrunedSearch(Strategy):
    """Stops the runs of another search early where a pruner says so.

    Args:
        search: proposes; learns of reports and of pruned trials too.
        goal: which way is better.
        pruner: sees what the runs report, and which trials ran to their ends.
    """

    def __init__(self, search: Strategy, goal: Goal, pruner: BasePruner) -> None:
        self._search = search
        self._goal = goal
        has_rungs = not isinstance(pruner, MedianPruner)
        self.traits: Traits = replace(search.traits, prunes=True, has_rungs=has_rungs)
        self._trials: dict[Assignment, Trial] = {}
        # The search may have a study of its own. Here trials have no parameters.
        self._study = make_study(goal, pruner)

    @property
    def max_trials(self) -> int | None:
        return self._search.max_trials

    def propose(self) -> Assignment | None:
        assignment = self._search.propose()
        if assignment is not None:
            self._trials[assignment] = self._study.ask()
        return assignment

    def take(self, assignment: Assignment) -> None:
        self._search.take(assignment)
        self._trials[assignment] = self._study.ask()

    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        self._search.report(assignment, value, budget)
        trial = self._trials[assignment]
        with silence_optuna():
            stop = report_once(trial, value, budget) and trial.should_prune()
        return Verdict(stop, self._count_rungs(trial) if self.traits.has_rungs else None)

    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        self._search.observe(assignment, value, pruned=pruned)
        report_end(self._trials[assignment], value, goal=self._goal, pruned=pruned)

    def _count_rungs(self, trial: Trial) -> int:
        attributes = self._study.get_trials(deepcopy=False)[trial.number].system_attrs
        return sum(name.startswith(_RUNG_PREFIX) for name in attributes)
