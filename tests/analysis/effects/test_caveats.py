"""What effects are told of, and what to bear in mind about them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.search.base import Traits
from tests.support.effect_trials import (
    FLAG,
    GRID,
    UNITS,
    WORD,
    adding_noise,
    by_name,
    effects_of,
    only_units,
)
from tests.support.factories import FRIDAY
from tests.support.trials import Metrics, sweep_trials


def test_an_unbalanced_design_is_adjusted() -> None:
    """Where good words came with small units, the words' means are freed of the units'."""
    points = [
        {"units": u, "word": w, "flag": f}
        for f in (False, True)
        for u in (8, 16, 32)
        for w in "xyz"
    ]
    chosen = [p for p in points if (p["word"] == "x") == (p["units"] == 16) or p["flag"]]
    effects = effects_of(sweep_trials(GRID, only_units(), points=chosen))

    word = by_name(effects)["word"]
    assert (
        max(level.mean for level in word.levels) - min(level.mean for level in word.levels) < 0.03
    )
    assert any("no balanced grid" in note for note in effects.notes)


def test_an_axis_of_one_sweep_is_judged_there() -> None:
    """An axis that only the newer sweep has is judged by its trials, and a note says so."""
    old = sweep_trials([UNITS, WORD], only_units(1), sweep_id=FRIDAY)
    effects = effects_of(old, sweep_trials(GRID, only_units(2)))

    assert (18, 27) == (by_name(effects)["flag"].count, by_name(effects)["units"].count)
    assert "flag: of the 18 trials that have it." in effects.notes


def test_a_conditional_axis_is_judged_where_it_exists() -> None:
    """What an axis does under its condition is told from the trials that have it."""
    momentum = Axis(HParam("momentum", RealInterval(0.0, 0.8)), grid_points=3, when={"word": "x"})
    add_noise = adding_noise()
    effects = effects_of(
        sweep_trials(
            [UNITS, WORD, momentum],
            lambda p: {"accuracy": add_noise(p.get("momentum", 0.4))},
        )
    )

    assert {"momentum"} == {axis.name for axis in effects.axes if axis.is_evident}
    assert pytest.approx([0.0, 0.4, 0.8], abs=0.02) == [
        level.mean for level in by_name(effects)["momentum"].levels
    ]


def test_other_hold_outs_are_other_blocks() -> None:
    """What sets sweeps apart that held out other rows is put down to no axis."""
    add_noise = adding_noise(3)

    narrow = sweep_trials([UNITS, FLAG], only_units(1), sweep_id=FRIDAY, split_seed=1)
    effects = effects_of(
        narrow, sweep_trials(GRID, lambda _: {"accuracy": add_noise(5.0)}, split_seed=2)
    )

    assert any("2 versions of code, data or hold-out" in note for note in effects.notes)
    assert not by_name(effects)["word"].is_evident


def test_what_changed_with_the_code_is_not_judged() -> None:
    """An axis that changed only together with the code has neither means nor importance."""
    old, new = (HParam("word", Discrete([word])) for word in "xy")
    swept = [
        sweep_trials([UNITS, FLAG, old], only_units(1), sweep_id=FRIDAY, split_seed=1),
        sweep_trials([UNITS, FLAG, new], only_units(2), split_seed=2),
    ]
    effects = effects_of(*swept)

    assert math.isnan(by_name(effects)["word"].importance)
    assert any(note.startswith("word: varied only together") for note in effects.notes)


def test_equal_sweeps_are_pooled() -> None:
    """Sweeps of equal code and data are one sample: an axis fixed in each is told from both."""
    old, new = (HParam("word", Discrete([word])) for word in "xy")
    metrics: Metrics = lambda p: {"accuracy": float(p["word"] == "y")}  # noqa: E731
    effects = effects_of(
        sweep_trials([UNITS, FLAG, old], metrics, sweep_id=FRIDAY),
        sweep_trials([UNITS, FLAG, new], metrics),
    )

    assert by_name(effects)["word"].is_evident


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"traits": Traits(learns=True)}, True), ({"traits": Traits()}, False)],
    ids=["bayes", "random"],
)
def test_a_search_that_adapts_is_reported(changes: Mapping[str, Any], told: bool) -> None:
    """Where the search went where results were good, the intervals are called rough."""
    effects = effects_of(sweep_trials([UNITS, FLAG], only_units(), **changes))

    assert told == any("the intervals are rough" in note for note in effects.notes)


def test_a_balanced_grid_needs_no_caveat() -> None:
    """A whole grid on one version of the code has nothing to be borne in mind."""
    assert [] == effects_of(sweep_trials(GRID, only_units())).notes


def test_ped_anova_asks_for_many_trials() -> None:
    """With 18 trials PED-ANOVA says of how few the best tenth is."""
    effects = effects_of(sweep_trials(GRID, only_units()), evaluator="ped_anova")

    assert any("2 of 18 trials: trust it from 50" in note for note in effects.notes)


def test_halved_axes_are_too_little() -> None:
    """Where trials leave two bins an axis, no optimum between would show: they are too few."""
    axes = [HParam(name, RealInterval(0.0, 1.0)) for name in "abcd"]
    drawn = np.random.default_rng(0).random((18, 4)).tolist()
    points = [dict(zip("abcd", row, strict=True)) for row in drawn]
    few, enough = (
        effects_of(sweep_trials(axes, lambda p: {"accuracy": p["a"]}, points=points[:count]))
        for count in (17, 18)
    )

    assert not few.is_enough and "it takes 18 or more" in few.notes[0]
    assert enough.is_enough and "a" == enough.axes[0].name
