"""Conditional axes: a dead branch is counted once and never multiplied."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError
from tests.support.spaces import EXAMPLES, small_spaces

CONDITION = EXAMPLES["condition"]
CHAIN = EXAMPLES["condition_on_condition"]


def list_paths(space: SearchSpace) -> list[dict[str, Any]]:
    """Return all points by brute force: walk the axes, branch at each that exists."""
    paths: list[dict[str, Any]] = [{}]
    for axis in space:
        paths = [
            {**path, axis.name: level} if exists else path
            for path in paths
            for exists in [
                all(path.get(name) in values for name, values in axis.conditions.items())
            ]
            for level in (axis.levels if exists else [None])
        ]
    return paths


@given(small_spaces())
def test_the_grid_is_the_walk_over_the_axes(space: SearchSpace) -> None:
    """The grid has the points of a brute-force walk, no more, in its order."""
    assert list_paths(space) == [dict(space.at(i)) for i in range(space.size)]


def test_a_dead_branch_is_not_multiplied() -> None:
    """Where the second layer does not exist, its levels do not count."""
    expected = [
        {"layers": 1, "seed": 0},
        {"layers": 1, "seed": 1},
        *({"layers": 2, "second": n, "seed": s} for n, s in itertools.product([8, 16], [0, 1])),
    ]

    assert expected == [dict(CONDITION.at(i)) for i in range(CONDITION.size)]


def test_a_condition_on_a_conditional_axis_needs_both() -> None:
    """An axis whose parent does not exist does not exist either."""
    points = [dict(CHAIN.at(i)) for i in range(CHAIN.size)]
    expected = [
        {"model": "linear"},
        {"model": "net", "layers": 1},
        *(
            {"model": "net", "layers": layers, "second": second}
            for layers, second in itertools.product([2, 3], [8, 16])
        ),
        *({"model": "tree", "depth": depth} for depth in (2, 4, 6)),
    ]

    assert expected == points


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"layers": 1, "second": 8, "seed": 0},
            "'second' exists only when layers is 2; got 8. Drop it here",
        ),
        ({"layers": 2, "seed": 0}, "'second' has no value"),
    ],
    ids=["superfluous", "missing"],
)
def test_a_value_belongs_to_an_axis_that_exists(values: dict[str, Any], message: str) -> None:
    """A value for an absent axis is refused, and so is none for a present one."""
    with pytest.raises(AssignmentError, match=message):
        CONDITION.validate(values)


def test_all_conditions_are_reported() -> None:
    """The message on a superfluous value lists each condition with all its values."""
    space = SearchSpace(
        [
            HParam("a", Discrete([1, 2, 3])),
            HParam("b", Discrete(["x", "y"])),
            Axis(HParam("c", Discrete([0])), when={"a": [2, 3], "b": "y"}),
        ]
    )
    with pytest.raises(AssignmentError, match=r"'c' exists only when a is 2 or 3 and b is y; got"):
        space.validate({"a": 1, "b": "y", "c": 0})


def test_samples_reach_each_branch() -> None:
    """Sampling gives a value to a conditional axis just where it exists."""
    rng = np.random.default_rng(0)
    keys = {tuple(CHAIN.sample(rng)) for _ in range(200)}
    expected = {
        ("model",),
        ("model", "layers"),
        ("model", "layers", "second"),
        ("model", "depth"),
    }

    assert expected == keys


def test_narrowing_a_parent_drops_the_dead_axis_from_the_points() -> None:
    """A parent narrowed to another value leaves a condition that never holds, which is fine."""
    narrowed = CONDITION.narrow({"layers": [1]})

    assert [{"layers": 1, "seed": 0}, {"layers": 1, "seed": 1}] == [
        dict(narrowed.at(i)) for i in range(narrowed.size)
    ]


@pytest.mark.parametrize("value", [2, 2.0, np.int64(2), [2], (2.0,), np.array([2])], ids=repr)
def test_a_condition_takes_equal_values_of_any_type(value: Any) -> None:
    """The value of a condition is compared after the cast to its parent's type."""
    layers = HParam("layers", Discrete([1, 2]))
    space = SearchSpace([layers, Axis(HParam("x", Discrete([8])), when={layers: value})])

    assert [{"layers": 1}, {"layers": 2, "x": 8}] == [dict(space.at(i)) for i in range(space.size)]
    assert json.dumps(space.encode_json())


def test_a_parent_with_a_million_levels_costs_no_more() -> None:
    """Only the levels that a condition names are looked at one by one."""
    count = HParam("count", IntInterval(1, 10**6))
    space = SearchSpace(
        [
            Axis(count, step=1),
            Axis(HParam("x", RealInterval(0.0, 1.0)), when={count: [5, 10**6]}, grid_points=1000),
        ]
    )

    assert space.size == 10**6 - 2 + 2 * 1000
    assert {"count": 5, "x": 1.0} == space.at(4 + 999)
    assert {"count": 6} == space.at(4 + 1000)
    assert space.size - 1 == space.index_of({"count": 10**6, "x": 1.0})


def test_conditions_on_many_parents_are_counted() -> None:
    """Forty conditional axes, each after its parent, are counted exactly."""
    axes: list[Axis] = []
    for i in range(40):
        axes.append(Axis(HParam(f"flag{i}", Discrete([False, True]))))
        axes.append(Axis(HParam(f"value{i}", Discrete([1, 2])), when={f"flag{i}": True}))

    assert SearchSpace(axes).size == 3**40


def test_parents_that_come_first_are_counted() -> None:
    """Forty parents before their forty children are counted without trying all combinations."""
    flags = [Axis(HParam(f"flag{i}", Discrete([False, True]))) for i in range(40)]
    values = [
        Axis(HParam(f"value{i}", Discrete([1, 2])), when={f"flag{i}": True}) for i in range(40)
    ]
    space = SearchSpace([*flags, *values])

    assert 3**40 == space.size
    assert 3**39 == space.index_of(space.at(3**39))
