"""What each hyperparameter did to the objective, and how sure that is.

In: the trials of one or more sweeps. Out: for each axis that varied its importance
(`importance`), the mean of each of its levels (`additive`), and the best that was
reached with each. Trials that were not run to their end are left out. Trials that ran on
other code, other data or another hold-out are blocks: compared within, never between.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hparams_lab.analysis.effects import factors
from hparams_lab.analysis.effects.additive import AdditiveModel, LevelMean
from hparams_lab.analysis.effects.factors import Factor
from hparams_lab.analysis.effects.importance import Importance, check_evaluator, estimate_importance
from hparams_lab.analysis.effects.sample import EffectSample, draw_sample
from hparams_lab.analysis.trials.goal import MetricGoal, list_numbers
from hparams_lab.analysis.trials.rows import LOST_RACE, PRUNED, TrialRow
from hparams_lab.declare.domains import format_value
from hparams_lab.runs.sweep import Sweep
from hparams_lab.stats import holm

SIGNIFICANT = 0.05
"""Below it a corrected p-value is evidence."""


@dataclass(frozen=True)
class LevelEffect:
    """One level of an axis: a value, or a range of values."""

    label: str  # the value, or `LOW to HIGH`
    mean: float  # of the metric, freed of what the other axes did; NaN if that is not known
    low: float  # lower end of the 95 % interval of the mean; NaN if there is none
    high: float  # upper end of it
    count: int  # number of trials
    best: float  # the best that a trial with this level reached, the other axes free


@dataclass(frozen=True)
class AxisEffect:
    """What one hyperparameter did."""

    name: str  # the axis's
    # share of what sets the trials apart, noise included, in [0, 1]; NaN if the trials are too
    # few, or do not separate it from something else
    importance: float
    importance_low: float  # lower end of its range over resamples of the trials
    importance_high: float  # upper end of it
    # of all levels being alike, corrected for the number of axes; NaN as `importance`
    p_value: float
    levels: Sequence[LevelEffect]  # numbers in increasing order, words in declared order
    best_level: str  # label of the level with the best trial
    best_mean_level: str  # label of the level with the best mean; empty without means
    count: int  # number of trials that have the axis

    @property
    def is_evident(self) -> bool:
        """Whether there is evidence that the axis matters by itself."""
        return self.p_value < SIGNIFICANT


@dataclass(frozen=True)
class Effects:
    """What the hyperparameters did."""

    metric: MetricGoal  # to what, and which way it is better
    evaluator: str  # by which the importance is estimated
    # that varied, the most important first; in declared order if it is not known
    axes: Sequence[AxisEffect]
    winner: TrialRow  # the best trial
    num_trials: int  # that count
    left_out: dict[str, int]  # how many trials do not count, by the reason
    is_enough: bool  # whether the trials are enough to say what mattered
    notes: Sequence[str]  # what to bear in mind, a sentence each


def describe_effects(
    rows: Sequence[TrialRow],
    sweeps: Sequence[Sweep],
    metric: str | None = None,
    *,
    evaluator: str = "fanova",
) -> Effects:
    """Return what each hyperparameter did to a metric.

    Args:
        rows: trials in any order.
        sweeps: that they are of, oldest first.
        metric: `TAG`, `TAG:min` or `TAG:max`; None is the newest sweep's objective.
        evaluator: of `importance.EVALUATORS`.

    Raises:
        UnknownExperimentError: if no trial that was run to its end has the metric.
        UsageError: if there is no such metric or evaluator, or it is not known which way the
            metric is better.
    """
    check_evaluator(evaluator)
    complete = [row for row in rows if row.is_complete]
    aim = (
        MetricGoal.of_objective(sweeps[-1].objective)
        if metric is None
        else MetricGoal.parse(metric, sweeps, list_numbers(complete))
    )
    sample = draw_sample(rows, sweeps, aim)
    model = AdditiveModel(sample.factors, sample.values, sample.blocks, sample.points)
    is_enough = bool(sample.factors) and model.num_observations >= count_needed(sample, model)
    axes = _describe_axes(sample, model, evaluator if is_enough else None)
    return Effects(
        metric=aim,
        evaluator=evaluator,
        axes=sorted(axes, key=_rank) if is_enough else axes,
        winner=min(sample.rows, key=lambda row: aim.rank(aim.value_of(row))),
        num_trials=len(sample.rows),
        left_out=sample.left_out,
        is_enough=is_enough,
        notes=list_caveats(sample, model, sweeps, evaluator),
    )


def _rank(axis: AxisEffect) -> tuple[bool, bool, float]:
    return not axis.is_evident, math.isnan(axis.importance), -axis.importance


def _describe_axes(
    sample: EffectSample, model: AdditiveModel, evaluator: str | None
) -> list[AxisEffect]:
    """Return the effects of the factors, in their order; nothing is judged without evaluator."""
    factors = sample.factors
    p_values = [math.nan] * len(factors)
    importances = [Importance()] * len(factors)
    if evaluator is not None:
        p_values = holm.correct([model.test_effect(index) for index in range(len(factors))])
        importances = estimate_importance(
            factors,
            model.without_blocks,
            sample.aim.goal,
            noise_std=model.noise_std,
            evaluator=evaluator,
        )
    return [
        _describe_axis(
            sample,
            factor,
            model.estimate_means(index),
            # What is tied to something else has no importance of its own.
            Importance() if math.isnan(p_values[index]) else importances[index],
            p_values[index],
        )
        for index, factor in enumerate(factors)
    ]


def _describe_axis(
    sample: EffectSample,
    factor: Factor,
    means: Sequence[LevelMean],
    importance: Importance,
    p_value: float,
) -> AxisEffect:
    aim = sample.aim
    levels = []
    for code, (label, mean) in enumerate(zip(factor.labels, means, strict=True)):
        reached = sample.values[factor.codes == code]
        best = float(min(reached, key=aim.rank))
        levels.append(LevelEffect(label, mean.mean, mean.low, mean.high, len(reached), best))
    best_mean = min(levels, key=lambda level: aim.rank(level.mean))
    return AxisEffect(
        name=factor.name,
        importance=importance.share,
        importance_low=importance.low,
        importance_high=importance.high,
        p_value=p_value,
        levels=levels,
        best_level=min(levels, key=lambda level: aim.rank(level.best)).label,
        best_mean_level="" if math.isnan(best_mean.mean) else best_mean.label,
        count=int(factor.active.sum()),
    )


# docs/design/effects.md has the simulations behind it.
_MIN_SPARE = 4
_MIN_FOR_PED_ANOVA = 50  # five trials in the best tenth, as its authors ask for


def count_needed(sample: EffectSample, model: AdditiveModel) -> int:
    """Return how many trials it takes to say what mattered.

    Four more than there are means to estimate, and enough for axes of many values to have
    three bins each: fewer miss most effects that are there.
    """
    to_spare = model.num_observations - model.num_spare + _MIN_SPARE
    return max(to_spare, factors.count_needed_of_factors(sample.factors, sample.num_blocks))


def list_caveats(
    sample: EffectSample, model: AdditiveModel, sweeps: Sequence[Sweep], evaluator: str
) -> list[str]:
    """Return what to bear in mind about the effects in a sample, the gravest first.

    Args:
        sample: of trials.
        model: of its values.
        sweeps: that its trials are of.
        evaluator: by which importance is estimated.
    """
    return [
        *_tell_size(sample, model),
        *_tell_ties(sample, model),
        *_tell_blocks(sample),
        *_tell_stopped(sample),
        *_tell_conditions(sample),
        *_tell_design(sample, model, sweeps),
        *_tell_evaluator(sample, evaluator),
        *_tell_fixed(sample),
    ]


def _tell_size(sample: EffectSample, model: AdditiveModel) -> Iterator[str]:
    num_trials = model.num_observations
    if not sample.factors:
        yield "No hyperparameter varied among these trials."
    elif num_trials < (needed := count_needed(sample, model)):
        yield (
            f"{num_trials} trials are too few to say what mattered among "
            f"{len(sample.factors)} hyperparameters; it takes {needed} or more."
        )


def _tell_ties(sample: EffectSample, model: AdditiveModel) -> Iterator[str]:
    tied = [
        factor.name
        for index, factor in enumerate(sample.factors)
        if any(math.isnan(level.mean) for level in model.estimate_means(index))
    ]
    if tied:
        others = ", the code, data or hold-out" if sample.num_blocks > 1 else ""
        yield (
            f"{', '.join(tied)}: varied only together with another hyperparameter{others}, so "
            "that the effects cannot be separated."
        )


def _tell_blocks(sample: EffectSample) -> Iterator[str]:
    if sample.num_blocks > 1:
        yield (
            f"The trials ran on {sample.num_blocks} versions of code, data or hold-out, and are "
            "compared within each."
        )


def _tell_stopped(sample: EffectSample) -> Iterator[str]:
    stopped = sum(sample.left_out.get(label, 0) for label in (PRUNED, LOST_RACE))
    if stopped:
        yield (
            f"{stopped} trials that were stopped early do not count: values that lost many look "
            "better than they are."
        )


def _tell_conditions(sample: EffectSample) -> Iterator[str]:
    for factor in sample.factors:
        if not factor.active.all():
            yield f"{factor.name}: of the {factor.active.sum()} trials that have it."


def _tell_design(
    sample: EffectSample, model: AdditiveModel, sweeps: Sequence[Sweep]
) -> Iterator[str]:
    if not all(
        _is_plain(sample, factor, [level.mean for level in model.estimate_means(index)])
        for index, factor in enumerate(sample.factors)
    ):
        yield (
            "The trials are no balanced grid: each mean is adjusted for the other "
            "hyperparameters, as if their effects added up."
        )
    names = {row.sweep_id for row in sample.rows}
    adaptive = {sweep.strategy for sweep in sweeps if sweep.id in names and sweep.traits.learns}
    if adaptive:
        yield (
            f"{', '.join(sorted(adaptive))} went where results were good: the intervals are rough."
        )


def _is_plain(sample: EffectSample, factor: Factor, means: Sequence[float]) -> bool:
    """Return whether the means are those of each level's trials."""
    plain = [sample.values[factor.codes == code].mean() for code in range(len(means))]
    room = 1e-6 * float(np.ptp(sample.values))
    return all(
        math.isnan(mean) or abs(mean - raw) <= room for mean, raw in zip(means, plain, strict=True)
    )


def _tell_evaluator(sample: EffectSample, evaluator: str) -> Iterator[str]:
    num_trials = len(sample.rows)
    if evaluator == "ped_anova" and num_trials < _MIN_FOR_PED_ANOVA:
        yield (
            f"ped_anova asks what leads to the best tenth, {math.ceil(num_trials / 10)} of "
            f"{num_trials} trials: trust it from {_MIN_FOR_PED_ANOVA} trials on."
        )


def _tell_fixed(sample: EffectSample) -> Iterator[str]:
    if sample.fixed:
        values = (f"{name}={format_value(value)}" for name, value in sample.fixed.items())
        yield f"Not varied: {', '.join(values)}."
