"""The additive model: means freed of other factors, their intervals, and the F-test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.effects.additive import AdditiveModel
from hparams_lab.analysis.effects.factors import Factor
from hparams_lab.stats import holm

EFFECTS = {"a": {1: 0.0, 2: 1.0, 3: 5.0}, "b": {"x": 0.0, "y": -2.0}}
VALUES = st.lists(st.floats(-100, 100), min_size=12, max_size=12)


def factor(name: str, values: Sequence[Any]) -> Factor:
    """Return the factor of some trials' values, None where the axis does not exist."""
    return Factor(name, values, [[value] for value in sorted({*values} - {None})])


def fit(factors: Sequence[Factor], values: Sequence[float], blocks: Any = None) -> AdditiveModel:
    """Return the model of some values, in one block if none are given."""
    zeros = np.zeros(len(values), np.intp)
    return AdditiveModel(
        factors,
        np.array(values, float),
        zeros if blocks is None else np.array(blocks),
        np.arange(len(values)),
    )


def grid(copies: int = 2) -> list[Factor]:
    """Return the two factors of a balanced grid of six points."""
    points = [(a, b) for a in (1, 2, 3) for b in "xy"] * copies
    return [factor("a", [a for a, _ in points]), factor("b", [b for _, b in points])]


def add_up(factors: Sequence[Factor]) -> list[float]:
    """Return what the effects of the factors' values add up to, for each trial."""
    columns = zip(*(each.values for each in factors), strict=True)
    names = [each.name for each in factors]
    return [
        sum(EFFECTS[name].get(value, 0.0) for name, value in zip(names, row, strict=True))  # type: ignore[attr-defined]
        for row in columns
    ]


@given(VALUES)
@settings(deadline=None, max_examples=40)
def test_a_balanced_grid_has_plain_means(values: list[float]) -> None:
    """On a balanced grid the mean of a level is that of its trials."""
    factors = grid()
    model = fit(factors, values)

    for index, each in enumerate(factors):
        plain = [np.array(values)[each.codes == code].mean() for code in range(len(each.groups))]
        means = [level.mean for level in model.estimate_means(index)]
        assert pytest.approx(plain, abs=1e-6) == means


@given(st.lists(st.integers(0, 5), min_size=4, max_size=30))
@settings(deadline=None, max_examples=40)
def test_effects_are_freed_of_one_another(drawn: list[int]) -> None:
    """Whatever points an unbalanced design has, differences of levels are the true ones."""
    points = [0, 1, 2, 3, 4, 5, *drawn]
    whole = grid(copies=1)
    factors = [factor(each.name, [each.values[point] for point in points]) for each in whole]
    model = fit(factors, add_up(factors))

    for index, each in enumerate(factors):
        means = [level.mean for level in model.estimate_means(index)]
        true = [EFFECTS[each.name][group[0]] for group in each.groups]  # type: ignore[index]
        assert pytest.approx(np.subtract(true, true[0]), abs=1e-6) == np.subtract(means, means[0])


def test_intervals_are_those_of_a_textbook() -> None:
    """With one factor the interval is Student's, of the pooled variance within the levels."""
    model = fit([factor("a", [1, 1, 1, 2, 2, 2])], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    half = 2.7764451 * math.sqrt(1.0 / 3)  # t of 4 degrees of freedom

    assert pytest.approx([(2 - half), (2 + half)]) == [
        getattr(model.estimate_means(0)[0], end) for end in ("low", "high")
    ]


def test_one_factor_is_tested_as_by_anova() -> None:
    """With one factor the test is scipy's one-way analysis of variance."""
    from scipy.stats import f_oneway

    groups = [[1.0, 2.0, 3.5], [2.0, 4.0, 4.5], [6.0, 5.0, 9.0]]
    model = fit([factor("a", [1, 1, 1, 2, 2, 2, 3, 3, 3])], [v for group in groups for v in group])

    assert pytest.approx(f_oneway(*groups).pvalue) == model.test_effect(0)


@pytest.mark.parametrize("scale", [1e-250, 1.0, 1e250], ids=["tiny", "one", "huge"])
def test_units_do_not_matter(scale: float) -> None:
    """A p-value is the same whatever unit the values are in."""
    values = np.array([1.0, 2.0, 3.0, 5.0, 4.0, 9.0])
    factors = [factor("a", [1, 1, 1, 2, 2, 2])]

    assert pytest.approx(fit(factors, values).test_effect(0)) == fit(
        factors, values * scale
    ).test_effect(0)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300], ids=["0", "0.1", "huge"])
def test_equal_values_are_no_evidence(value: float) -> None:
    """Where all trials came to the same, no factor has an effect."""
    model = fit(grid(), [value] * 12)

    assert [1.0, 1.0] == [model.test_effect(index) for index in range(2)]
    assert {value} == {level.mean for level in model.estimate_means(0)}


def test_a_perfect_fit_is_evidence_of_what_acts_alone() -> None:
    """Without noise a factor with an effect has a p-value of 0, another one 1."""
    factors = grid()
    model = fit(factors, [EFFECTS["a"][a] for a in factors[0].values])  # type: ignore[index]

    assert (0.0, 1.0) == (model.test_effect(0), model.test_effect(1))


def test_blocks_are_compared_within() -> None:
    """What sets two blocks apart is no effect of an axis that has another share in each."""
    values = [1, 1, 1, 2, 1, 2, 2, 2]
    model = fit([factor("a", values)], [0.0] * 4 + [10.0] * 4, [0] * 4 + [1] * 4)

    assert 1.0 == model.test_effect(0)
    assert pytest.approx([5.0] * 8) == model.without_blocks


def test_what_varies_with_a_block_cannot_be_told() -> None:
    """A factor that changed only together with the block has neither means nor a test."""
    model = fit([factor("a", [1, 1, 2, 2])], [1.0, 2.0, 3.0, 5.0], [0, 0, 1, 1])

    assert all(math.isnan(level.mean) for level in model.estimate_means(0))
    assert math.isnan(model.test_effect(0))


def test_factors_that_vary_together_cannot_be_told_apart() -> None:
    """Of two factors that are one and the same neither has a mean; a third has."""
    copies = [1, 1, 2, 2, 1, 1, 2, 2]
    third = [1, 2] * 4
    model = fit([factor(n, v) for n, v in zip("abc", (copies, copies, third), strict=True)], third)

    assert [True, True, False] == [
        math.isnan(model.estimate_means(index)[0].mean) for index in range(3)
    ]


def test_a_conditional_factor_adds_to_its_parent() -> None:
    """A factor that exists with one value of another has means beside that value's."""
    parents, children = ["sgd"] * 4 + ["adam"] * 4, [1, 1, 2, 2, None, None, None, None]
    model = fit([factor("a", parents), factor("b", children)], [1, 1, 3, 3, 5, 5, 5, 5])

    assert pytest.approx([5.0, 2.0]) == [level.mean for level in model.estimate_means(0)]
    assert pytest.approx([1.0, 3.0]) == [level.mean for level in model.estimate_means(1)]


def test_no_trial_to_spare_leaves_no_interval() -> None:
    """With as many means as trials there are means, but neither intervals nor tests."""
    model = fit([factor("a", [1, 2])], [1.0, 2.0])

    assert [1.0, 2.0] == pytest.approx([level.mean for level in model.estimate_means(0)])
    assert math.isnan(model.estimate_means(0)[0].low)
    assert math.isnan(model.test_effect(0))


def test_no_effect_is_rarely_evident() -> None:
    """In at most 7 % of 300 sweeps of pure noise does any of two axes pass for evident."""
    rng = np.random.default_rng(0)
    factors = grid()
    models = (fit(factors, [*rng.normal(size=12)]) for _ in range(300))
    evident = sum(min(holm.correct([m.test_effect(0), m.test_effect(1)])) < 0.05 for m in models)

    assert 0.07 >= evident / 300


@pytest.mark.parametrize("is_blocked", [False, True], ids=["one block", "a block a sweep"])
def test_a_point_run_again_in_other_sweeps_is_one_observation(is_blocked: bool) -> None:
    """What came of a grid is the same evidence when it comes of it three times."""
    grid = [(a, b) for a in (1, 2, 3) for b in "xyz"]
    cells = np.random.default_rng(0).normal(size=len(grid))

    def test(copies: int) -> list[float]:
        factors = [
            Factor(
                name,
                [point[place] for point in grid] * copies,
                [[level] for level in levels],
            )
            for place, (name, levels) in enumerate({"a": [1, 2, 3], "b": [*"xyz"]}.items())
        ]
        sweeps, points = np.divmod(np.arange(copies * len(grid)), len(grid))
        model = AdditiveModel(factors, np.tile(cells, copies), sweeps * is_blocked, points)
        return [model.test_effect(0), model.test_effect(1)]

    assert pytest.approx(test(1)) == test(3)
