"""One point of a search space."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.assignment import Assignment, name_of
from hparams_lab.declare.space import SearchSpace
from tests.support.spaces import small_spaces

UNITS = HParam("units", IntInterval(1, 64))
RATE = HParam("rate", RealInterval(0.0, 1.0))
SPACE = SearchSpace([UNITS, RATE])
POINT = Assignment({UNITS: 16, "rate": 0.5})

VALUES = st.dictionaries(
    st.text(max_size=5),
    st.one_of(
        st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
)


def test_values_are_found_by_hparam_or_name() -> None:
    """A value is looked up by its `hp.HParam`, by another of that name, or by the name."""
    again = HParam("units", Discrete([1]))

    assert [16] * 3 == [POINT[UNITS], POINT[again], POINT["units"]]
    assert RATE in POINT
    assert "rate" in POINT


def test_a_misspelt_name_is_told_the_closest() -> None:
    """A lookup that fails names the hparam, the closest name and how to allow for it."""
    with pytest.raises(
        KeyError, match=r"'unit' has no value .*Did you mean 'units'\?.*get\('unit'"
    ):
        POINT["unit"]


@pytest.mark.parametrize("key", ["momentum", HParam("momentum")], ids=["name", "hparam"])
def test_an_absent_hparam_has_a_default(key: Any) -> None:
    """`get` gives the default for an hparam whose condition does not hold."""
    assert key not in POINT
    assert POINT.get(key) is None
    assert POINT.get(key, 0.9) == 0.9
    assert POINT.get(UNITS, 0) == 16


@pytest.mark.parametrize("key", [None, 3, ("units",)], ids=repr)
def test_other_keys_are_not_contained(key: object) -> None:
    """What is neither an hparam nor a name is in no assignment."""
    assert key not in POINT


@given(VALUES, st.randoms())
def test_key_order_does_not_matter(values: dict[str, Any], random: Any) -> None:
    """Assignments of equal values in another order are equal, of one hash and one digest."""
    keys = list(values)
    random.shuffle(keys)
    one, other = Assignment(values), Assignment({key: values[key] for key in keys})

    assert one == other
    assert hash(one) == hash(other)
    assert one.digest == other.digest
    assert one.canonical_json == other.canonical_json


@given(VALUES, st.text(max_size=5), st.integers())
def test_another_value_is_another_point(values: dict[str, Any], name: str, value: int) -> None:
    """Assignments that differ in one value differ in JSON and are not equal."""
    one, other = Assignment({**values, name: value}), Assignment({**values, name: value + 1})

    assert one != other
    assert one.canonical_json != other.canonical_json


@given(VALUES)
def test_an_assignment_crosses_processes(values: dict[str, Any]) -> None:
    """An unpickled assignment is equal, of one hash, with its values in the same order."""
    point = Assignment(values)
    again = pickle.loads(pickle.dumps(point))

    assert point == again
    assert hash(point) == hash(again)
    assert list(point.items()) == list(again.items())


@pytest.mark.parametrize("units", [16, 16.0, np.int64(16), np.uint8(16), np.float32(16)], ids=repr)
def test_the_digest_does_not_depend_on_the_number_type(units: Any) -> None:
    """Equal numbers of other types give the same point, so the same trial id."""
    valid = SPACE.validate({"rate": np.float64(0.5), UNITS: units})

    assert POINT.digest == valid.digest
    assert POINT == valid


@given(small_spaces(), st.data())
def test_the_points_of_a_grid_have_their_own_json(space: SearchSpace, data: st.DataObject) -> None:
    """Two points of a grid have equal JSON only if they are one."""
    first, second = (data.draw(st.integers(0, space.size - 1)) for _ in range(2))

    assert (first == second) == (space.at(first).canonical_json == space.at(second).canonical_json)


def test_the_digest_is_the_same_for_ever() -> None:
    """The digest of a point is part of directory names: it must never change."""
    point = Assignment({"lernråte": 0.001, "layers": 2, "flag": True, "name": 'a "b"'})
    expected = '{"flag":true,"layers":2,"lernråte":0.001,"name":"a \\"b\\""}'

    assert expected == point.canonical_json
    assert point.digest == "abb327b6"


def test_an_assignment_cannot_be_changed() -> None:
    """There is no way to set a value."""
    with pytest.raises(TypeError, match="does not support item assignment"):
        POINT["units"] = 8  # type: ignore[index]


def test_keys_are_named_once() -> None:
    """An hparam and its name are one key."""
    assert name_of(UNITS) == name_of("units") == "units"
