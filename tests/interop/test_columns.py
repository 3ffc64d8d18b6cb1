from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.interop.columns import keep_axis, list_values, rename_columns, simplify

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just(math.inf),
    st.sampled_from(["1", "None", "True", "nan"]), st.tuples(st.integers(0, 9)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        pytest.param([16, 8], (8, 16), id="integers"),
        pytest.param([np.int64(16), np.int32(8)], (8, 16), id="numpy integers"),
        pytest.param([1, 0.5], (0.5, 1.0), id="integers among floats"),
        pytest.param([True, False], (False, True), id="bools"),
        pytest.param(["rbf", "linear"], ("linear", "rbf"), id="strings"),
        pytest.param([True, 2], ("2", "True"), id="bools among integers"),
        pytest.param([None, 3], ("3", "None"), id="None among integers"),
        pytest.param([0.1, "scale"], ("0.1", "scale"), id="strings among floats"),
        pytest.param([0.1, math.nan], ("0.1", "nan"), id="NaN"),
        pytest.param([2**60, 1], ("1", "1152921504606846976"), id="integers beyond doubles"),
        pytest.param([(8, 16), [4]], ("(8, 16)", "[4]"), id="tuples and lists"),
        pytest.param([math.sqrt, dict], ("dict", "sqrt"), id="functions and classes"),
        pytest.param([MinMaxScaler((0, 2))], ("MinMaxScaler(feature_range=(0, 2))",), id="object"),
    ],
)
def test_values_become_levels(values: Sequence[Any], levels: tuple[Any, ...]) -> None:
    """Numbers, bools and strings stay what they are; all else is text."""
    column = list_values("p", values)

    assert levels == tuple(sorted(column.axis.levels))
    assert [type(level) for level in levels] == [type(level) for level in column.axis.levels]


def test_ten_numbers_become_an_interval_with_a_grid() -> None:
    """A list of ten numbers keeps its values, but is filtered as an interval."""
    axis = list_values("p", range(10)).axis

    assert isinstance(axis.domain, IntInterval)
    assert tuple(range(10)) == axis.levels


def test_sampled_numbers_become_an_interval() -> None:
    """Numbers drawn from a distribution span an interval, however few they are."""
    axis = list_values("p", [0.5, 0.1], is_sampled=True).axis

    assert isinstance(axis.domain, RealInterval)
    assert (0.1, 0.5) == (axis.domain.min_value, axis.domain.max_value)
    assert axis.grid is None


def test_a_string_that_looks_like_another_value_is_quoted() -> None:
    """The string '1' and the number 1 of one column stay apart."""
    column = list_values("p", ["1", 1, None, "None"])

    assert ["'1'", "1", "None", "'None'"] == [column.encode(v) for v in ("1", 1, None, "None")]


def test_addresses_are_left_out() -> None:
    """The text of an object is the same in every process."""
    assert "<object object>" == simplify(object())
    assert "0x" not in str(simplify(partial(print, object())))


def test_long_texts_are_cut_and_stay_apart() -> None:
    """Two long values with one beginning get two readable texts."""
    one, other = simplify(list(range(100))), simplify(list(range(101)))

    assert len(str(one)) <= 80
    assert one != other


@pytest.mark.parametrize("name", ["day", "sweep", "commit"])
def test_names_that_every_run_carries_are_changed(name: str) -> None:
    """A parameter that is named like one of our labels gets an underscore."""
    assert f"{name}_" == rename_columns(name)
    assert f"{name}_" == list_values(name, [1]).axis.name


@given(st.lists(VALUES, min_size=1, max_size=12), st.booleans())
def test_every_column_obeys_the_rules(values: list[Any], is_sampled: bool) -> None:
    """Whatever was tried makes an axis of a legal space, which has each value."""
    column = list_values("p", values, is_sampled=is_sampled)
    space = SearchSpace([column.axis])

    for value in values:
        assert column.encode(value) == space.validate({"p": column.encode(value)})["p"]


@given(st.lists(st.sampled_from([None, 1, 2.5, "1", "2.5", "None", (1,), "(1,)"]), min_size=1))
def test_different_values_stay_apart(values: list[Any]) -> None:
    """Two values of a column are equal in it only if they were."""
    column = list_values("p", values)

    assert len({repr(value) for value in values}) == len({column.encode(v) for v in values})


@pytest.mark.parametrize(
    "axis",
    [
        pytest.param(Axis(HParam("p", RealInterval(0.0, 1.0)), scale="log"), id="breaks a rule"),
        pytest.param(Axis(HParam("p", RealInterval(0.0, 0.2))), id="is too narrow"),
    ],
)
def test_an_axis_that_does_not_fit_gives_way_to_the_values(axis: Axis) -> None:
    """A declared axis that breaks our rules or lacks a value is made of the values instead."""
    column = keep_axis(axis, [0.1, 0.5])

    assert "linear" == column.axis.scale
    assert (0.1, 0.5) == (column.axis.domain.min_value, column.axis.domain.max_value)


def test_an_axis_that_fits_is_kept() -> None:
    """A declared axis that holds what was tried stays as it is."""
    axis = Axis(HParam("p", Discrete([1, 2, 3])))

    assert axis is keep_axis(axis, [3, np.int64(1)]).axis
