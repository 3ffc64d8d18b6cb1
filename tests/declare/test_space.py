"""The laws of a search space: counting, decoding, validating, narrowing."""

from __future__ import annotations

import itertools
import json
import re
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError, DeclarationError
from tests.support.spaces import EXAMPLES, HUGE, small_spaces

TUTORIAL = EXAMPLES["tutorial"]
CONDITION = EXAMPLES["condition"]


@given(small_spaces(), st.data())
def test_index_of_is_the_inverse_of_at(space: SearchSpace, data: st.DataObject) -> None:
    """The number of a point is the number by which it was reached."""
    index = data.draw(st.integers(0, space.size - 1))

    assert index == space.index_of(space.at(index))


@given(small_spaces())
def test_a_grid_has_size_many_distinct_points(space: SearchSpace) -> None:
    """No point of a grid occurs twice."""
    points = {space.at(index).canonical_json for index in range(space.size)}

    assert space.size == len(points)


@given(small_spaces(conditional=False))
def test_the_order_is_that_of_itertools_product(space: SearchSpace) -> None:
    """Without conditions the first axis varies slowest and the last one fastest."""
    expected = list(itertools.product(*(axis.levels for axis in space)))

    assert expected == [tuple(space.at(i).values()) for i in range(space.size)]


@given(small_spaces(), st.data())
def test_grid_points_are_canonical(space: SearchSpace, data: st.DataObject) -> None:
    """A grid point is valid as it is, bit for bit, and in axis order."""
    point = space.at(data.draw(st.integers(0, space.size - 1)))

    assert repr(point) == repr(space.validate(point))


@given(small_spaces(), st.integers(0, 2**32 - 1))
def test_samples_are_canonical(space: SearchSpace, seed: int) -> None:
    """A sample is valid as it is, bit for bit, and equal generators give equal samples."""
    sample = space.sample(np.random.default_rng(seed))

    assert repr(sample) == repr(space.validate(sample))
    assert repr(sample) == repr(space.sample(np.random.default_rng(seed)))


@given(small_spaces())
def test_a_space_survives_json(space: SearchSpace) -> None:
    """A space read back from JSON text has the same points in the same order."""
    again = SearchSpace.decode_json(json.loads(json.dumps(space.encode_json())))

    assert [repr(space.at(i)) for i in range(space.size)] == [
        repr(again.at(i)) for i in range(again.size)
    ]


@pytest.mark.parametrize("index", [0, 123_456_789, 10**9 - 1])
def test_a_huge_grid_is_decoded_without_being_built(index: int) -> None:
    """A point of a grid of 10**9 is reached both ways within a megabyte."""
    tracemalloc.start()
    try:
        size, found = HUGE.size, HUGE.index_of(HUGE.at(index))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size == 10**9
    assert index == found
    assert peak_bytes < 2**20


@pytest.mark.parametrize("index", [-1, 8, 10**9])
def test_a_grid_does_not_wrap_round(index: int) -> None:
    """A number past either end is an error that tells the size."""
    with pytest.raises(IndexError, match=f"grid point {index} of 8"):
        TUTORIAL.at(index)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"num_unit": 16, "num_units": 16, "dropout": 0.1, "optimizer": "sgd"},
            "hparam 'num_unit' is not declared; the space has num_units, dropout, optimizer. "
            "Did you mean 'num_units'?",
        ),
        ({"num_units": 16, "dropout": 0.1}, "hparam 'optimizer' has no value. Give it one."),
        (
            {"num_units": 8, "dropout": 0.1, "optimizer": "sgd"},
            "hparam 'num_units' must be one of 16, 32; got 8.",
        ),
    ],
    ids=["unknown", "missing", "illegal"],
)
def test_an_invalid_assignment_is_told_why(values: dict[str, Any], message: str) -> None:
    """An unknown name, a missing and an illegal value are named."""
    with pytest.raises(AssignmentError, match=re.escape(message)):
        TUTORIAL.validate(values)


def test_all_mistakes_of_an_assignment_are_told_at_once() -> None:
    """Validation does not stop at the first problem."""
    with pytest.raises(AssignmentError) as caught:
        TUTORIAL.validate({"zzz": 1, "num_units": 1, "dropout": 2.0})

    assert len(str(caught.value).splitlines()) == 4


def test_a_valid_point_between_grid_points_has_no_number() -> None:
    """A legal value that is no level is distinguished from an illegal one."""
    point = {"num_units": 16, "dropout": 0.15, "optimizer": "sgd"}

    assert point == TUTORIAL.validate(point)
    with pytest.raises(AssignmentError, match=r"'dropout' has no grid point at 0\.15\. Add it"):
        TUTORIAL.index_of(point)


@given(small_spaces(), st.data())
def test_narrowing_keeps_the_points_that_are_left(space: SearchSpace, data: st.DataObject) -> None:
    """A narrowed space has just those points whose value was chosen or is absent."""
    axis = data.draw(st.sampled_from(space.axes))
    chosen = data.draw(st.lists(st.sampled_from(list(axis.levels)), min_size=1, max_size=3))
    narrowed = space.narrow({axis.name: chosen})
    points = [space.at(i) for i in range(space.size)]
    expected = {p for p in points if p.get(axis.name, chosen[0]) in chosen}

    assert expected == {narrowed.at(i) for i in range(narrowed.size)}


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"droput": [0.1]}, r"'droput' is not declared.*Did you mean 'dropout'\?"),
        ({"dropout": [0.3]}, r"'dropout' must be a number in \[0\.1, 0\.2\]; got 0\.3\. Choose"),
    ],
    ids=["name", "value"],
)
def test_an_impossible_choice_is_told_why(choices: dict[str, list[Any]], message: str) -> None:
    """Narrowing to an unknown axis or an illegal value is refused."""
    with pytest.raises(AssignmentError, match=message):
        TUTORIAL.narrow(choices)


def test_axes_are_found_by_hparam_or_name() -> None:
    """A space is looked up, counted and iterated by its axes."""
    first = TUTORIAL.axes[0]

    assert first is TUTORIAL["num_units"] is TUTORIAL[first.hparam]
    assert len(TUTORIAL) == 3
    assert list(TUTORIAL.axes) == list(TUTORIAL)
    with pytest.raises(AssignmentError, match=r"'zzz' is not declared; .* Declare it"):
        TUTORIAL["zzz"]


@pytest.mark.parametrize(
    "axis",
    [
        Axis(HParam("x", RealInterval(0.0, 1.0)), grid_points=10**20),
        Axis(HParam("x", RealInterval(0.0, 1.0)), step=1e-20),
        Axis(HParam("x", RealInterval(0.0, 1e300)), step=1e-300),
        Axis(HParam("x", RealInterval(1.0, 1.0 + 1e-12)), grid_points=50),
        Axis(HParam("x", RealInterval(1.0, 1.0 + 1e-11)), step=1e-12),
    ],
    ids=["points", "steps", "overflow", "close_points", "close_steps"],
)
def test_a_grid_too_fine_for_its_numbers_is_refused(axis: Axis) -> None:
    """Levels that floats cannot tell apart, or too many to count, break a rule."""
    with pytest.raises(DeclarationError, match="hparam 'x'"):
        SearchSpace([axis])


@pytest.mark.parametrize(
    "axis",
    [
        Axis(HParam("x", RealInterval(-1.7e308, 1.7e308))),
        Axis(HParam("x", RealInterval(1e-200, 1e200)), scale="log", grid_points=5),
    ],
    ids=["difference", "ratio"],
)
def test_an_interval_too_wide_for_floats_is_refused(axis: Axis) -> None:
    """Bounds whose distance on their scale is no float could not be spaced or sampled."""
    with pytest.raises(DeclarationError, match="hparam 'x'"):
        SearchSpace([axis])


@pytest.mark.parametrize("domain", [Discrete([-0.0]), RealInterval(-0.0, 0.0)], ids=repr)
def test_a_grid_has_one_zero(domain: Any) -> None:
    """Minus zero in a domain is the point, and the trial id, of zero."""
    space = SearchSpace([HParam("x", domain)])

    assert space.validate({"x": 0.0}).digest == space.at(0).digest


def test_discrete_values_are_sorted() -> None:
    """TensorBoard sorts a Discrete domain, so its grid is in that order."""
    space = SearchSpace([HParam("x", Discrete(["sgd", "adam"]))])

    assert ["adam", "sgd"] == [space.at(i)["x"] for i in range(2)]
