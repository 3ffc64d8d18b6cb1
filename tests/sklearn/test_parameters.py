from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    HParam,
    IntInterval,
    RealInterval,
)

import hparams_lab as lab
from hparams_lab.sklearn.parameters import ParameterSpace


def _decode_all(parameters: ParameterSpace) -> list[dict[str, Any]]:
    return [parameters.decode(parameters.space.at(i)) for i in range(parameters.space.size)]


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        pytest.param([3, 1, 2], [3, 1, 2], id="ints"),
        pytest.param([1, 0.5], [1.0, 0.5], id="ints among floats"),
        pytest.param(["l2", "l1"], ["l2", "l1"], id="strings"),
        pytest.param([True, False], [True, False], id="bools"),
        pytest.param([None, "sqrt", 3], ["None", "sqrt", "3"], id="mixed"),
        pytest.param([True, 2], ["True", "2"], id="bools among numbers"),
        pytest.param([(8,), (8, 4)], ["(8,)", "(8, 4)"], id="tuples"),
        pytest.param([1.0, float("inf")], ["1.0", "inf"], id="infinite"),
        pytest.param([2**60, 1], [str(2**60), "1"], id="beyond doubles"),
        pytest.param([1, 1.0], ["1", "1.0"], id="equal of two types"),
        pytest.param([np.mean, np.median], ["mean", "median"], id="functions"),
        pytest.param([{"a": 1}, {"a": 1}], ["{'a': 1}", "{'a': 1} (2)"], id="equal labels"),
        pytest.param(np.logspace(-1, 1, 3), [0.1, 1.0, 10.0], id="array"),
        pytest.param(range(3), [0, 1, 2], id="range"),
    ],
)
def test_listed_values_have_levels(values: Any, levels: list[Any]) -> None:
    """A list of values is an axis of one type, in the order written."""
    (axis,) = ParameterSpace({"p": values}).space

    assert levels == list(axis.levels)
    assert 1 == len({type(level) for level in axis.levels})


@pytest.mark.parametrize(
    "values",
    [[None, 3], [1, 0.5], [np.int64(3), np.int64(1)], [np.mean, SVC()], [(8,), (8, 4)]],
    ids=["none", "mixed", "numpy", "objects", "tuples"],
)
def test_the_estimator_is_given_the_objects_themselves(values: list[Any]) -> None:
    """What stands in the list reaches the estimator as that very object."""
    decoded = _decode_all(ParameterSpace({"p": values}))

    assert all(value is point["p"] for value, point in zip(values, decoded, strict=True))


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@settings(deadline=None, max_examples=100)
@given(values=st.lists(_PLAIN | st.tuples(_PLAIN), min_size=1, max_size=12))
def test_any_list_is_decoded_to_itself(values: list[Any]) -> None:
    """Whatever is listed, the points of its axis stand for its values, each once."""
    decoded = _decode_all(ParameterSpace({"p": values}))

    assert [id(value) for value in values] == [id(point["p"]) for point in decoded]


def test_many_numbers_are_an_interval() -> None:
    """Ten numbers are declared as an interval, as the dashboard cannot filter so many."""
    (axis,) = ParameterSpace({"p": list(range(10))}).space

    assert isinstance(axis.domain, IntInterval)
    assert list(range(10)) == list(axis.levels)


def test_long_labels_are_cut() -> None:
    """A value that takes a paragraph to write is shown by its beginning."""
    (axis,) = ParameterSpace({"p": [DecisionTreeClassifier(), "x " * 100]}).space

    assert 60 == len(axis.levels[1])
    assert axis.levels[1].endswith("...")


def test_a_mapping_is_taken_in_the_order_of_its_names() -> None:
    """As scikit-learn's grids, whose ties are broken by that order."""
    parameters = ParameterSpace({"b": [1, 2], "a": ["x"]})

    assert [{"a": "x", "b": 1}, {"a": "x", "b": 2}] == _decode_all(parameters)


def test_domains_are_searched_as_they_are() -> None:
    """A domain in the place of a list contributes what it does in an experiment."""
    space = ParameterSpace({"alpha": RealInterval(0.1, 1.0), "kind": Discrete(["b", "a"])}).space

    assert [(0.1, 1.0), ("a", "b")] == [tuple(axis.levels) for axis in space]


def test_axes_and_spaces_are_taken_over() -> None:
    """A list of hparams and axes, or a space, is searched in its own order."""
    axis = lab.Axis(HParam("C", RealInterval(0.1, 10.0)), scale="log", grid_points=3)
    listed = ParameterSpace([axis, HParam("a", Discrete([1]))])
    whole = ParameterSpace(listed.space)

    assert [0.1, 1.0, 10.0] == [point["C"] for point in _decode_all(whole)]
    assert listed.space is whole.space


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"C": []}, r"parameter 'C' must have a list of values or a domain; got \[\]"),
        ({"C": "l1"}, "parameter 'C' must have a list of values .* got 'l1'. Write"),
        ({"C": 1.0, "D": 2.0}, "(?s)'C'.*'D'"),
        ({}, "must have an hparam"),
        ([{"C": [1]}], "must be an hp.HParam"),
        (3, "a space must be a dict of parameter to values"),
        ({"day": [1]}, "'day' is one that every run carries"),
    ],
    ids=repr,
)
def test_impossible_spaces_are_refused(declared: Any, message: str) -> None:
    """A space that cannot be searched is refused in a sentence for each problem."""
    with pytest.raises(lab.DeclarationError, match=message):
        ParameterSpace(declared)
