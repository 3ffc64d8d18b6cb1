"""Which hyperparameters mattered, and which of their values were good."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, RealInterval

from hparams_lab.analysis.effects.effects import Effects
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import minimize
from hparams_lab.errors import UnknownExperimentError, UsageError
from hparams_lab.events.schema import Ending
from tests.support.effect_trials import (
    FLAG,
    GRID,
    UNITS,
    by_name,
    effects_of,
    only_units,
)
from tests.support.factories import FRIDAY, SATURDAY
from tests.support.trials import sweep_trials


@pytest.fixture(scope="module")
def effects() -> Effects:
    """The effects in a grid of 18 trials, of which `units` alone had one."""
    return effects_of(sweep_trials(GRID, only_units()))


def test_what_mattered_comes_first(effects: Effects) -> None:
    """The axis that the objective follows is first, and the only one with evidence."""
    assert ["units"] == [axis.name for axis in effects.axes if axis.is_evident]
    assert "units" == effects.axes[0].name
    assert effects.axes[0].importance > 0.9


def test_what_did_nothing_has_no_importance(effects: Effects) -> None:
    """An axis without an effect has an importance near nothing, from nothing on."""
    idle = [axis for axis in effects.axes if axis.name != "units"]

    assert all(axis.importance < 0.05 and axis.importance_low == 0 for axis in idle)


def test_levels_have_means_and_bests(effects: Effects) -> None:
    """Each level has the mean of its trials, within its interval, their number, and the best."""
    levels = effects.axes[0].levels

    assert ["8", "16", "32"] == [level.label for level in levels]
    assert [6, 6, 6] == [level.count for level in levels]
    assert pytest.approx([0.1, 0.9, 0.5], abs=0.02) == [level.mean for level in levels]
    assert all(level.low < level.mean < level.high for level in levels)
    assert all(level.mean < level.best for level in levels)


def test_best_levels_follow_the_goal() -> None:
    """The best mean is the highest or the lowest, as the metric's goal has it."""
    swept = sweep_trials(GRID, only_units())
    best = {metric: effects_of(swept, metric=metric).axes[0] for metric in ("loss:min", "loss:max")}

    assert ("16", "16") == (best["loss:min"].best_mean_level, best["loss:min"].best_level)
    assert "8" == best["loss:max"].best_mean_level


def test_the_best_level_has_the_others_free() -> None:
    """A level with a bad mean is the best one if it has the best trial."""
    swept = sweep_trials(
        GRID,
        lambda p: {
            "accuracy": 50.0 if p == {"units": 8, "word": "x", "flag": True} else p["units"]
        },
    )
    units = by_name(effects_of(swept))["units"]

    assert ("8", "32") == (units.best_level, units.best_mean_level)


def test_the_winner_is_the_best_trial(effects: Effects) -> None:
    """The winner has the highest value of all trials."""
    best = max(level.best for level in effects.axes[0].levels)

    assert best == effects.metric.value_of(effects.winner)


def test_unfinished_trials_are_counted() -> None:
    """Trials that failed, were pruned, still run or have NaN are left out, and counted."""
    endings = {0: Ending.FAILED, 1: Ending.PRUNED, 2: None}
    effects = effects_of(
        sweep_trials(
            GRID,
            lambda p: {"accuracy": math.nan if p["units"] == 32 else float(p["flag"])},
            endings=endings,
        )
    )

    reasons = {"FAILURE": 1, "PRUNED": 1, "RUNNING": 1, "without a finite value": 6}
    assert (9, reasons) == (effects.num_trials, effects.left_out)
    assert any("stopped early" in note for note in effects.notes)


def test_the_same_run_counts_once() -> None:
    """A sweep that was run again with equal results and seeds, or taken over, adds no trials."""
    again = [sweep_trials(GRID, only_units(), sweep_id=day) for day in (FRIDAY, SATURDAY)]
    effects = effects_of(*again)

    assert (18, {"the same run again": 18}) == (effects.num_trials, effects.left_out)


def test_few_trials_say_so() -> None:
    """With too few trials nothing is said to matter, and how many it takes is reported."""
    effects = effects_of(sweep_trials([UNITS, FLAG], only_units()))

    assert not effects.is_enough
    assert all(math.isnan(axis.importance) and not axis.is_evident for axis in effects.axes)
    assert "6 trials are too few" in effects.notes[0]
    assert "takes 8 or more" in effects.notes[0]


def test_few_trials_still_have_means() -> None:
    """Where too few trials say nothing of what mattered, each level has its mean."""
    effects = effects_of(sweep_trials([UNITS, FLAG], only_units()))

    assert pytest.approx([0.1, 0.9, 0.5], abs=0.03) == [
        level.mean for level in effects.axes[0].levels
    ]


def test_one_trial_is_described() -> None:
    """A single trial is the winner, and nothing varied."""
    effects = effects_of(sweep_trials([HParam("units", Discrete([8]))], only_units()))

    assert (1, ()) == (effects.num_trials, tuple(effects.axes))
    assert any("No hyperparameter varied" in note for note in effects.notes)
    assert any("Not varied: units=8" in note for note in effects.notes)


def test_log_axes_keep_their_scale() -> None:
    """The bins of a log axis are judged and named by its values."""
    rate = Axis(HParam("rate", RealInterval(1e-4, 1.0)), scale="log")
    values = 10.0 ** np.random.default_rng(0).uniform(-4, 0, 16)
    effects = effects_of(
        sweep_trials(
            [rate],
            lambda p: {"accuracy": -abs(math.log10(p["rate"]) + 2)},
            points=[{"rate": float(value)} for value in values],
        )
    )

    assert 4 == len(effects.axes[0].levels)
    assert all(" to " in level.label for level in effects.axes[0].levels)
    assert effects.axes[0].best_mean_level in [level.label for level in effects.axes[0].levels[1:3]]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metric": "acuracy"}, UsageError, "Did you mean 'accuracy'"),
        ({"metric": "loss"}, UsageError, "Write loss:min or loss:max"),
        ({"evaluator": "shap"}, UsageError, "Choose of fanova, ped_anova, mdi"),
    ],
    ids=["metric", "goal", "evaluator"],
)
def test_what_is_asked_must_be_known(
    options: Mapping[str, str], error: type[Exception], message: str
) -> None:
    """A metric or evaluator that there is not is one clear sentence."""
    with pytest.raises(error, match=message):
        effects_of(sweep_trials([FLAG], lambda _: {"accuracy": 1.0, "loss": 1.0}), **options)


def test_no_complete_trial_has_no_effects() -> None:
    """Where no trial was run to its end, that is said, with how they ended."""
    failed = sweep_trials([FLAG], lambda _: {}, endings={0: Ending.FAILED, 1: Ending.PRUNED})

    with pytest.raises(UnknownExperimentError, match="got 1 PRUNED, 1 FAILURE"):
        effects_of(failed)


def test_the_newest_sweep_says_what_is_judged() -> None:
    """The objective of the last sweep is what effects are on, with its goal."""
    old = sweep_trials(GRID, only_units(1), sweep_id=FRIDAY)
    effects = effects_of(old, sweep_trials(GRID, only_units(2), objective=minimize("loss")))

    assert "loss (minimize)" == str(effects.metric)
    assert "16" == effects.axes[0].best_mean_level
