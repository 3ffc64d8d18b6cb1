"""Axes as factors of a few levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.analysis.effects.factors import Factor, find_factors
from hparams_lab.declare.axis import Axis
from tests.support.factories import FRIDAY, make_sweep

RATE = Axis(HParam("rate", RealInterval(1e-4, 1.0)), scale="log")


def factor_of(axis: Any, values: Sequence[Any]) -> Factor:
    """Return the one factor of trials with those values."""
    (factor,), _ = find_factors([{"x": value} for value in values], [make_sweep(hparams=[axis])])
    return factor


@pytest.mark.parametrize(
    ("domain", "values", "labels"),
    [
        (Discrete(["small", "large"]), ["small", "large", "small"], ["large", "small"]),
        (Discrete([False, True]), [True, False], ["False", "True"]),
        (Discrete([64, 8, 16]), [64, 8, 16] * 2, ["8", "16", "64"]),
        (RealInterval(0.0, 1.0), [0.1, 1.0 / 3.0] * 4, ["0.1", "0.3333"]),
        (RealInterval(0.0, 1.0), [0.33333, 0.333334] * 4, ["0.33333", "0.333334"]),
        (IntInterval(0, 99), range(0, 40, 2), ["0 to 8", "10 to 18", "20 to 28", "30 to 38"]),
        (RealInterval(0.0, 1.0), [0.1, 0.2, 0.3, 0.9], ["0.1 to 0.2", "0.3 to 0.9"]),
    ],
    ids=["words", "bools", "few numbers", "floats", "close floats", "many", "few trials"],
)
def test_levels_are_named(domain: Any, values: Sequence[Any], labels: list[str]) -> None:
    """A level is a value, in the order of the axis, or a range where there are many."""
    assert labels == factor_of(HParam("x", domain), values).labels


@given(st.lists(st.integers(0, 60), min_size=2, max_size=60).filter(lambda v: len(set(v)) > 1))
@settings(deadline=None, max_examples=60)
def test_every_value_has_one_level(values: list[int]) -> None:
    """Levels are disjoint and in order, none is empty, and there are few of them."""
    factor = factor_of(HParam("x", IntInterval(0, 60)), values)
    flat = [value for group in factor.groups for value in group]

    assert sorted(set(values)) == flat
    assert set(range(len(factor.groups))) == set(factor.codes)
    assert 2 <= len(factor.groups) <= 8


def test_a_grid_keeps_its_levels() -> None:
    """The nine trials of a grid of three by three have three levels each way."""
    sweep = make_sweep(hparams=[HParam(name, Discrete([1, 2, 3])) for name in "ab"])
    factors, _ = find_factors([sweep.space.at(i) for i in range(9)], [sweep])

    assert [3, 3] == [len(factor.groups) for factor in factors]


def test_numbers_are_binned_where_trials_are_few() -> None:
    """Nine trials that walk along two axes of five levels could not tell ten means apart."""
    points = [{"a": a, "b": 3} for a in range(1, 6)] + [{"a": 3, "b": b} for b in (1, 2, 4, 5)]
    sweep = make_sweep(hparams=[HParam(name, Discrete([*range(1, 6)])) for name in "ab"])
    factors, _ = find_factors(points, [sweep])

    assert [["1 to 3", "4 to 5"]] * 2 == [factor.labels for factor in factors]


def test_axes_that_do_not_vary_are_apart() -> None:
    """An axis with one value is no factor, and its value is reported."""
    sweep = make_sweep(hparams=[HParam("a", Discrete([1, 2])), HParam("b", Discrete(["x", "y"]))])
    factors, fixed = find_factors([{"a": 1, "b": "x"}, {"a": 2, "b": "x"}], [sweep])

    assert ["a"] == [factor.name for factor in factors]
    assert {"b": "x"} == fixed


def test_axes_of_all_sweeps_are_united() -> None:
    """An axis that only one sweep has is absent from the trials of the other."""
    old = make_sweep(FRIDAY, hparams=[HParam("a", Discrete([1, 2]))])
    new = make_sweep(hparams=[HParam("b", Discrete([3, 4])), HParam("a", Discrete([1, 2]))])
    points = [{"a": 1}, {"a": 2}, {"a": 1, "b": 3}, {"a": 2, "b": 4}]
    factors, _ = find_factors(points, [old, new])

    assert ["b", "a"] == [factor.name for factor in factors]
    assert [-1, -1, 0, 1] == list(factors[0].codes)


@pytest.mark.parametrize(
    ("axis", "is_log", "bounds"),
    [
        (RATE, True, (1e-4, 1.0)),
        (Axis(RATE.hparam), False, (1e-4, 1.0)),
        (RATE.narrow([0.01, 0.1]), True, None),
    ],
    ids=["log", "linear", "listed"],
)
def test_scale_and_bounds_are_kept(
    axis: Axis, is_log: bool, bounds: tuple[float, float] | None
) -> None:
    """A factor knows how its axis is spaced, and between which bounds all is legal."""
    sweep = make_sweep(hparams=[axis])
    (factor,), _ = find_factors([{"rate": 0.01}, {"rate": 0.1}], [sweep])

    assert (is_log, bounds) == (factor.is_log, factor.bounds)


def test_codes_are_integers() -> None:
    """Codes index arrays."""
    assert np.intp == factor_of(HParam("x", Discrete([1, 2])), [1, 2]).codes.dtype
