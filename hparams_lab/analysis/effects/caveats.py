"""What to bear in mind about effects, a sentence each: the sample's and the method's limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from hparams_lab.analysis.effects import factors
from hparams_lab.analysis.effects.additive import AdditiveModel
from hparams_lab.analysis.effects.factors import Factor
from hparams_lab.analysis.effects.sample import EffectSample
from hparams_lab.analysis.trials.rows import LOST_RACE, PRUNED
from hparams_lab.declare.domains import format_value
from hparams_lab.runs.sweep import Sweep

# docs/design/effects.md has the simulations behind it.
_MIN_SPARE = 4
_MIN_FOR_PED_ANOVA = 50  # five trials in the best tenth, as its authors ask for


def count_needed(sample: EffectSample, model: AdditiveModel) -> int:
    """Return how many trials it takes to tell what mattered.

    Four more than there are means to be told, and enough for axes of many values to have
    three bins each: fewer miss most effects that are there.
    """
    to_spare = model.num_observations - model.num_spare + _MIN_SPARE
    return max(to_spare, factors.count_needed(sample.factors, sample.num_blocks))


def list_caveats(
    sample: EffectSample, model: AdditiveModel, sweeps: Sequence[Sweep], evaluator: str
) -> list[str]:
    """Return what to bear in mind about the effects in a sample, the gravest first.

    Args:
        sample: of trials.
        model: of its values.
        sweeps: that its trials are of.
        evaluator: by which importance is told.
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
            f"{num_trials} trials are too few to tell what mattered among "
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
            "that the effects cannot be told apart."
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
