"""Search by a model of what was observed: Optuna's samplers, through ask and tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import Value
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy, Traits, Verdict
from hparams_lab.search.optuna_study import derive_seed, hush, make_study, report_once, tell
from hparams_lab.search.params import Param
from hparams_lab.search.points import find_new_point
from hparams_lab.search.random import draw_fractions
from hparams_lab.search.samplers import find_sampler

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
        with hush():
            trial = self.study.ask()
            assignment = self._draw_new(trial)
            if assignment is not None:
                self._enter(trial, assignment)
        return assignment

    def take(self, assignment: Assignment) -> None:
        with hush():
            trial = self.study.ask()
            if self._draws_for_taken:
                self._draw(trial, attempt=0)
            self._enter(trial, assignment)

    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        """Let every run go on; if it is pruned, its values are what is known of it."""
        report_once(self._trials[assignment], value, budget)
        return Verdict()

    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        tell(self._trials[assignment], value, goal=self._goal, pruned=pruned)

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
    """Gives the parameters of a trial the values that it is told."""

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
