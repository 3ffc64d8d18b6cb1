"""Values at fractions of an axis, and the number of legal values and points."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from tests.support.spaces import EXAMPLES, axes, small_spaces

FRACTIONS = st.floats(0.0, 1.0, exclude_max=True)


def make_axis(domain: Any, **options: Any) -> Axis:
    """Return an axis named `x`."""
    return Axis(HParam("x", domain), **options)


@given(axes("x"), FRACTIONS)
def test_each_fraction_is_a_legal_value(axis: Axis, fraction: float) -> None:
    """The value at a fraction is one of the axis's, of its type, as `cast` returns it."""
    value = axis.at_fraction(fraction)

    assert repr(axis.cast(value)) == repr(value)


@given(axes("x"), FRACTIONS, FRACTIONS)
def test_numbers_grow_with_the_fraction(axis: Axis, one: float, other: float) -> None:
    """A larger fraction never lies before a smaller one in the order of the axis."""
    low, high = axis.at_fraction(min(one, other)), axis.at_fraction(max(one, other))

    if axis.is_listed:
        assert axis.levels.index(low) <= axis.levels.index(high)
    else:
        assert low <= high  # type: ignore[operator]


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (make_axis(Discrete(["a", "b"])), ["a", "a", "b", "b"]),
        (make_axis(IntInterval(1, 4)), [1, 2, 3, 4]),
        (make_axis(IntInterval(1, 64), grid=[64, 8]), [64, 64, 8, 8]),
        (make_axis(IntInterval(0, 9), step=3), [0, 3, 6, 9]),
        (make_axis(RealInterval(0.0, 4.0)), [0.0, 1.0, 2.0, 3.0]),
        (make_axis(RealInterval(-0.0, 4.0)), [0.0, 1.0, 2.0, 3.0]),
        (make_axis(RealInterval(2.0, 2.0)), [2.0, 2.0, 2.0, 2.0]),
    ],
    ids=["words", "integers", "listed", "steps", "reals", "minus zero", "one value"],
)
def test_fractions_lie_evenly(axis: Axis, expected: list[Any]) -> None:
    """Quarters of an axis lie as far apart as its values do."""
    values = [axis.at_fraction(fraction) for fraction in (0.0, 0.25, 0.5, 0.75)]

    assert list(map(repr, expected)) == list(map(repr, values))


def test_a_log_scale_is_even_in_its_logarithm() -> None:
    """Half of the way from 0.0001 to 1 is 0.01."""
    axis = make_axis(RealInterval(1e-4, 1.0), scale="log")

    assert pytest.approx(1e-2) == axis.at_fraction(0.5)


def test_the_ends_of_a_log_scale_have_their_full_share() -> None:
    """The integers 1 and 2 on a log scale are drawn by log(3) and by log(5/3)."""
    axis = make_axis(IntInterval(1, 2), scale="log")
    counts = Counter(axis.at_fraction(i / 1000) for i in range(1000))

    assert {1: 683, 2: 317} == counts


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (make_axis(Discrete([False, True])), 2),
        (make_axis(IntInterval(1, 8)), 8),
        (make_axis(IntInterval(1, 8), grid_points=2), 8),
        (make_axis(IntInterval(1, 8), scale="log"), 8),
        (make_axis(IntInterval(1, 8), step=3), 3),
        (make_axis(RealInterval(0.0, 1.0), step=0.25), 5),
        (make_axis(RealInterval(0.0, 1.0), grid=[0.1]), 1),
        (make_axis(RealInterval(1.0, 1.0)), 1),
        (make_axis(RealInterval(0.0, 1.0)), None),
        (make_axis(RealInterval(0.0, 1.0), grid_points=3), None),
    ],
    ids=lambda argument: "" if isinstance(argument, Axis) else str(argument),
)
def test_an_axis_counts_its_values(axis: Axis, expected: int | None) -> None:
    """All legal values count, on the grid or not; a real interval has no number of them."""
    assert expected == axis.num_values


@given(small_spaces())
def test_all_points_are_every_legal_assignment(space: SearchSpace) -> None:
    """All points of a finite space are distinct, legal and include the grid's."""
    points = space.all_points
    if points is None or points.size > 1000:
        return
    assignments = [Assignment(points.at(i)) for i in range(points.size)]

    assert len(set(assignments)) == len(assignments) == space.num_points
    assert [space.validate(point) for point in assignments] == assignments
    assert {space.at(i) for i in range(space.size)} <= set(assignments)


def test_all_points_are_the_product_of_all_values() -> None:
    """Integers between the grid's are points too."""
    space = SearchSpace([HParam("a", Discrete(["x", "y"])), HParam("b", IntInterval(1, 4))])
    expected = [{"a": a, "b": b} for a, b in itertools.product("xy", range(1, 5))]

    assert space.all_points is not None
    assert expected == [space.all_points.at(i) for i in range(space.all_points.size)]


def test_a_real_interval_makes_a_space_infinite() -> None:
    """A space with a real interval has no number of points."""
    assert EXAMPLES["tutorial"].num_points is None


def test_an_axis_that_cannot_exist_does_not_make_a_space_infinite() -> None:
    """A space whose conditions rule its real interval out is finite again."""
    rate = Axis(HParam("rate", RealInterval(0.0, 1.0)), when={"model": "net"})
    space = SearchSpace([HParam("model", Discrete(["linear", "net", "tree"])), rate])

    assert space.num_points is None
    assert 2 == space.narrow({"model": ["linear", "tree"]}).num_points


def test_an_assignment_passes_over_absent_axes() -> None:
    """The fraction of an axis whose condition does not hold is not used."""
    space = EXAMPLES["condition"]

    assert {"layers": 1, "seed": 1} == space.at_fractions([0.0, 0.9, 0.9])
    assert {"layers": 2, "second": 16, "seed": 0} == space.at_fractions([0.5, 0.9, 0.0])
