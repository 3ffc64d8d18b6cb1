"""How much of the objective each hyperparameter explains, by an evaluator of Optuna.

An evaluator finds importance in anything: a tree fits noise too, by whatever axes there
are, and one axis alone gets all of it. So the same is done with the values dealt to the
trials at random, which shows what each axis gets of noise, and as much of that as there
is noise among the trials is taken off: for an axis with no effect nothing is left, on
average. The range over resamples of the trials says how sure it is; each tree of a forest
is grown on a resample of its own.

Source: the evaluators: Hutter, Hoos and Leyton-Brown, "An Efficient Approach for Assessing
Hyperparameter Importance", ICML 2014; Watanabe, Bansal and Hutter, "PED-ANOVA", IJCAI
2023; dealing at random: Altmann et al., "Permutation importance: a corrected feature
importance measure", Bioinformatics 26 (2010), 1340-1347.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hparams_lab.analysis.effects.factors import Factor
from hparams_lab.declare.objective import Goal
from hparams_lab.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.importance import BaseImportanceEvaluator

EVALUATORS = ("fanova", "ped_anova", "mdi")

_NUM_RESAMPLES = 60
_NUM_DEALT = 30
# Trials of a resample: a tree's time grows with their square, its information does not.
_MAX_TRIALS = 100


@dataclass(frozen=True)
class Importance:
    """How much of a number an axis explains."""

    # of what sets the trials apart, in [0, 1]; all axes and noise share in it. NaN if it is not
    # known.
    share: float = math.nan
    low: float = math.nan  # lower end of the range of the middle 95 % of the resamples
    high: float = math.nan  # upper end of it


def check_evaluator(name: str) -> None:
    """Check that there is an evaluator of that name.

    Raises:
        UsageError: if there is none.
    """
    if name not in EVALUATORS:
        hint = did_you_mean(name, EVALUATORS) or f" Choose of {', '.join(EVALUATORS)}."
        raise UsageError(f"importance must be estimated by an evaluator; got {name!r}.{hint}")


def estimate_importance(
    factors: Sequence[Factor],
    values: NDArray[np.float64],
    goal: Goal,
    *,
    noise_std: float,
    evaluator: str = "fanova",
    seed: int = 0,
) -> list[Importance]:
    """Return the importance of each factor.

    Axes that exist in all trials are judged together. One that does not is judged
    on the trials in which it exists, with the other axes that exist in all of those.

    Args:
        factors: at least two levels each.
        values: `[num_trials]`, finite: what is explained.
        goal: which way is better, for `ped_anova`, which asks what leads to the best tenth.
        noise_std: the standard deviation of what no axis explains by itself.
        evaluator: of `EVALUATORS`.
        seed: equal seeds give equal importances.

    Raises:
        UsageError: if there is no such evaluator.
    """
    check_evaluator(evaluator)
    found: dict[str, Importance] = {}
    for trials in _list_scopes(factors):
        judged = [factor for factor in factors if factor.active[trials].all()]
        judge = _Judge(judged, values, trials, goal, evaluator)
        shares = judge.estimate(noise_std, np.random.default_rng(seed))
        for factor, importance in zip(judged, shares, strict=True):
            if int(factor.active.sum()) == len(trials):
                found[factor.name] = importance
    return [found[factor.name] for factor in factors]


def _list_scopes(factors: Sequence[Factor]) -> list[NDArray[np.intp]]:
    """Return the different sets of trials in which an axis exists."""
    scopes = {factor.active.tobytes(): np.flatnonzero(factor.active) for factor in factors}
    return list(scopes.values())


class _Judge:
    """Judges factors that exist in all of some trials."""

    def __init__(
        self,
        factors: Sequence[Factor],
        values: NDArray[np.float64],
        trials: NDArray[np.intp],
        goal: Goal,
        evaluator: str,
    ) -> None:
        self._params = {factor.name: _encode(factor, trials) for factor in factors}
        self._height = float(np.ptp(values[trials]))
        # In [0, 1], as their sizes may be beyond a tree.
        self._heights = (values[trials] - values[trials].min()) / (self._height or 1.0)
        self._goal = goal
        self._evaluator = evaluator

    def estimate(self, noise_std: float, rng: np.random.Generator) -> list[Importance]:
        """Return the importances, given the deviation of what no axis explains."""
        own = self._repeat(_NUM_RESAMPLES, lambda: self._heights, rng)
        dealt = self._repeat(_NUM_DEALT, lambda: rng.permutation(self._heights), rng)
        if not len(own) or not len(dealt):
            return [Importance(0.0, 0.0, 0.0)] * len(self._params)
        relative = (noise_std / self._height) ** 2
        beyond = own - dealt.mean(axis=0) * min(relative / self._heights.var(ddof=1), 1.0)
        ends = np.percentile(beyond, [2.5, 97.5], axis=0)
        table = np.clip([beyond.mean(axis=0), *ends], 0.0, 1.0)
        return [Importance(*map(float, column)) for column in table.T]

    def _repeat(
        self,
        times: int,
        get_heights: Callable[[], NDArray[np.float64]],
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Return the shares of the factors on resamples. `[num_told, num_factors]`."""
        found = []
        for number in range(times):
            heights = get_heights()
            trials = self._draw(rng)
            shares = self._evaluate(trials, heights[trials], seed=number)
            if shares is not None and not any(map(math.isnan, shares.values())):
                found.append([shares[name] for name in self._params])
        return np.array(found)

    def _draw(self, rng: np.random.Generator) -> NDArray[np.intp]:
        """Return a resample of the trials; a tree takes one of its own of what it is given."""
        count = len(self._heights)
        does_resample = self._evaluator != "ped_anova"
        return rng.choice(count, min(count, _MAX_TRIALS), replace=not does_resample)

    def _evaluate(
        self, trials: NDArray[np.intp], heights: NDArray[np.float64], *, seed: int
    ) -> dict[str, float] | None:
        """Return the shares that Optuna's evaluator gives the factors, together 1.

        Returns:
            None, or NaNs, if the trials are too much alike for a tree.
        """
        from optuna.importance import get_param_importances
        from optuna.trial import create_trial

        from hparams_lab.search.optuna_study import make_study, silence_optuna

        if np.ptp(heights) == 0:
            return None
        distributions = {name: param.distribution for name, param in self._params.items()}
        with silence_optuna():
            study = make_study(self._goal)
            study.add_trials(
                create_trial(
                    params={name: param.positions[trial] for name, param in self._params.items()},
                    distributions=distributions,
                    value=float(height),
                )
                for trial, height in zip(trials, heights, strict=True)
            )
            try:
                return get_param_importances(study, evaluator=_make(self._evaluator, seed))
            except RuntimeError:  # the tree of a fANOVA has drawn equal values only
                return None


@dataclass(frozen=True, eq=False)
class _Param:
    """An axis as a parameter of a study: its distribution, and some trials' values in that."""

    distribution: BaseDistribution
    positions: Sequence[Any]


def _encode(factor: Factor, trials: NDArray[np.intp]) -> _Param:
    """Return a factor as a parameter of a study, over trials in which it exists.

    Logarithms are taken here: fANOVA weighs a stretch of an axis by its length, whatever
    scale the study declares.
    """
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    distinct = [value for group in factor.groups for value in group]
    positions: dict[Any, Any] = {}
    distribution: BaseDistribution
    if not factor.is_numeric:
        positions |= {value: value for value in distinct}
        distribution = CategoricalDistribution(distinct)
    elif factor.bounds is None or len(distinct) == len(factor.groups):
        positions |= {value: rank for rank, value in enumerate(distinct)}
        distribution = IntDistribution(0, len(distinct) - 1)
    else:
        place = math.log if factor.is_log else float
        places = {value: place(value) for value in distinct}  # type: ignore[arg-type]
        positions |= places
        low, high = (place(bound) for bound in factor.bounds)
        distribution = FloatDistribution(min(low, *places.values()), max(high, *places.values()))
    return _Param(distribution, [positions[factor.values[trial]] for trial in trials])


def _make(name: str, seed: int) -> BaseImportanceEvaluator:
    from optuna import importance

    if name == "fanova":
        return importance.FanovaImportanceEvaluator(n_trees=1, seed=seed)
    if name == "mdi":
        return importance.MeanDecreaseImpurityImportanceEvaluator(n_trees=1, seed=seed)
    return importance.PedAnovaImportanceEvaluator()
