"""How much each axis explains, by Optuna's evaluators, with what noise brings taken off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from hparams_lab.analysis.effects.factors import Factor
from hparams_lab.analysis.effects.importance import (
    EVALUATORS,
    Importance,
    check_evaluator,
    estimate_importance,
)
from hparams_lab.declare.objective import Goal
from hparams_lab.errors import UsageError

pytestmark = pytest.mark.slow  # a hundred trees each

NUM_TRIALS = 40


def uniform(name: str, seed: int) -> Factor:
    """Return an axis with values drawn from 0 to 1."""
    values = [*map(float, np.random.default_rng(seed).random(NUM_TRIALS))]
    return Factor(name, values, [[value] for value in sorted(values)], bounds=(0.0, 1.0))


def decide(
    factors: Sequence[Factor], values: Sequence[float], **options: Any
) -> Mapping[str, Importance]:
    """Return the importances by name, without noise if none is given."""
    options = {"noise_std": 0.0, "evaluator": "mdi"} | options
    found = estimate_importance(factors, np.array(values), Goal.MAXIMIZE, **options)
    return {factor.name: importance for factor, importance in zip(factors, found, strict=True)}


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_what_acts_is_important(evaluator: str) -> None:
    """Each evaluator finds the one axis of three that the values follow."""
    factors = [uniform(name, seed) for seed, name in enumerate("abc")]
    found = decide(factors, [value**2 for value in factors[1].values], evaluator=evaluator)  # type: ignore[operator,misc]

    assert "b" == max(found, key=lambda name: found[name].share)
    assert found["b"].low > max(found["a"].share, found["c"].share)


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_noise_is_nobodys(evaluator: str) -> None:
    """Where all is noise, the share of a lone axis is small, and may be nothing."""
    values = [*np.random.default_rng(7).normal(size=NUM_TRIALS)]
    lone = decide([uniform("a", 0)], values, noise_std=float(np.std(values, ddof=1)))["a"]

    assert (0.0, 0.0) == (lone.share, lone.low)


def test_importances_leave_room_for_noise() -> None:
    """The shares of the axes and of the noise are those of the variance."""
    factors = [uniform("a", 0), uniform("b", 1)]
    noise = np.random.default_rng(2).normal(scale=0.2, size=NUM_TRIALS)
    values = np.array(factors[0].values, float) + noise
    found = decide(factors, [*values], noise_std=0.2, evaluator="fanova")
    true_share = 1 - 0.04 / values.var(ddof=1)

    assert abs(true_share - found["a"].share) < 0.15
    assert 0.1 > found["b"].share


def test_equal_seeds_give_equal_importances() -> None:
    """Importances are the same each time, and others with another seed."""
    factors, values = [uniform("a", 0), uniform("b", 1)], [*range(NUM_TRIALS)]
    first, again, other = (decide(factors, values, seed=seed, noise_std=7.0) for seed in (0, 0, 1))

    assert first == again
    assert first != other


def test_the_goal_says_what_the_best_tenth_is() -> None:
    """To PED-ANOVA that axis matters on which the good trials differ, not the bad ones."""
    both = [uniform("a", 0), uniform("b", 1)]
    a, b = (np.array(factor.values, float) for factor in both)
    values = np.where(a > 0.8, 1.0 + a, np.where(b > 0.8, -1.0 - b, 0.0))
    high, low = (
        estimate_importance(both, values, goal, noise_std=0.0, evaluator="ped_anova")
        for goal in Goal
    )

    assert high[0].share > high[1].share
    assert low[0].share < low[1].share


def test_log_axes_are_weighed_by_their_logarithm() -> None:
    """What happens in one of four decades is a quarter of the axis, not a thousandth of it."""
    rng = np.random.default_rng(0)
    values = [*map(float, 10.0 ** rng.uniform(-4, 0, NUM_TRIALS))]
    other = uniform("b", 1)
    shares = [
        decide(
            [Factor("a", values, [sorted(values)], is_log, (1e-4, 1.0)), other],
            [
                float(value < 1e-3) + 0.3 * float(b)
                for value, b in zip(values, other.values, strict=True)
            ],  # type: ignore[arg-type]
            evaluator="fanova",
        )["a"].share
        for is_log in (True, False)
    ]

    assert shares[0] > 0.8 > 0.2 > shares[1]


def test_an_axis_is_judged_where_it_exists() -> None:
    """A conditional axis is judged among its own trials, its parent among all."""
    parent = Factor("a", ["x", "y"] * 20, [["x"], ["y"]])
    child = Factor("b", [number % 4 if number % 2 else None for number in range(40)], [[1], [3]])
    values = [0.0 if number % 2 == 0 else 10.0 + number % 4 for number in range(40)]
    found = decide([parent, child], values)

    assert (1.0, 1.0) == pytest.approx((found["a"].share, found["b"].share))


@pytest.mark.parametrize("values", [[1.0] * 40, [0.0] * 39 + [1e-300]], ids=["equal", "nearly"])
def test_values_that_are_alike_have_importances(values: list[float]) -> None:
    """Where trials hardly differ, every importance is still a number from 0 to 1."""
    found = decide([uniform("a", 0), uniform("b", 1)], values, evaluator="fanova")

    assert all(0 <= importance.share <= 1 for importance in found.values())


def test_an_evaluator_must_be_known() -> None:
    """An evaluator that there is not is one sentence with the closest name."""
    with pytest.raises(UsageError, match=r"got 'fanov'. Did you mean 'fanova'\?"):
        check_evaluator("fanov")


def test_unknown_importance_is_nan() -> None:
    """An importance that is not told is NaN, as are its ends."""
    unknown = Importance()

    assert all(map(math.isnan, (unknown.share, unknown.low, unknown.high)))
