"""The values an axis contributes to a grid."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hparams_lab.declare.axis import Levels, spaced_levels, step_levels

SQUARES = Levels(1000, lambda i: i * i)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (step_levels(0, 7, 3, integer=True), [0, 3, 6]),
        (step_levels(0.0, 0.3, 0.1, integer=False), [0.0, 0.1, 0.2, 0.3]),
        (step_levels(0.0, 1.0, 0.4, integer=False), [0.0, 0.4, 0.8]),
        (step_levels(0.5, 1.0, 3.0, integer=False), [0.5]),
        (spaced_levels(0.0, 1.0, 3, log=False, integer=False), [0.0, 0.5, 1.0]),
        (spaced_levels(1e-4, 1.0, 5, log=True, integer=False), [0.0001, 0.001, 0.01, 0.1, 1.0]),
        (spaced_levels(0, 10, 3, log=False, integer=True), [0, 5, 10]),
        (spaced_levels(0, 3, 9, log=False, integer=True), [0, 1, 2, 3]),
        (spaced_levels(1, 8, 4, log=True, integer=True), [1, 2, 4, 8]),
        (spaced_levels(1, 4, 9, log=True, integer=True), [1, 2, 3, 4]),
        (spaced_levels(2, 2, 5, log=False, integer=True), [2]),
    ],
    ids=lambda values: str(values) if isinstance(values, list) else "",
)
def test_levels_are_the_values_meant(levels: Sequence[float], expected: list[float]) -> None:
    """Levels are what a person would write, ends included where they are reached."""
    assert expected == list(levels)


@given(st.integers(0, 999))
def test_a_level_is_found_by_bisection(index: int) -> None:
    """`index` is the inverse of access by number."""
    assert index == SQUARES.index(SQUARES[index])


@pytest.mark.parametrize("value", [-1, 2, 1000**2, "x"], ids=repr)
def test_other_values_are_no_levels(value: object) -> None:
    """Values below, between and above the levels, or of another type, are not among them."""
    assert value not in SQUARES


def test_a_missing_level_is_named() -> None:
    """`index` of a value between levels says which."""
    with pytest.raises(ValueError, match="2 is not a level"):
        SQUARES.index(2)


@pytest.mark.parametrize("index", [1000, -1001])
def test_an_index_past_the_ends_is_an_error(index: int) -> None:
    """Levels do not wrap round."""
    with pytest.raises(IndexError, match=f"level {index} of 1000"):
        SQUARES[index]


def test_levels_are_sliced_like_a_list() -> None:
    """Slices and negative indices mean what they mean for a list."""
    expected = [i * i for i in range(1000)]

    assert expected[:3] == SQUARES[:3]
    assert expected[-1] == SQUARES[-1]
    assert expected[-2:] == SQUARES[-2:]


@given(low=st.floats(-1e9, 1e9), ratio=st.floats(1e-6, 1e6), share=st.floats(0.02, 1.5))
def test_steps_stay_within_the_interval(low: float, ratio: float, share: float) -> None:
    """Stepped levels begin at the lower bound, rise, and never leave the interval."""
    width = max(abs(low), 1.0) * ratio
    high = low + width
    levels = list(step_levels(low, high, width * share, integer=False))

    assert low == levels[0]
    assert levels == sorted(set(levels))
    assert levels[-1] <= high


@given(
    low=st.floats(1e-9, 1e9),
    ratio=st.floats(1.001, 1e9),
    count=st.integers(2, 50),
    log=st.booleans(),
)
def test_spaced_levels_span_the_interval(low: float, ratio: float, count: int, log: bool) -> None:
    """Spaced levels rise from one bound to the other, as many as were asked for."""
    levels = list(spaced_levels(low, low * ratio, count, log=log, integer=False))

    assert [low, low * ratio] == [levels[0], levels[-1]]
    assert levels == sorted(set(levels))
    assert count == len(levels)


@given(low=st.integers(1, 2**45), width=st.integers(0, 10**6), count=st.integers(2, 50))
def test_spaced_integers_rise(low: int, width: int, count: int) -> None:
    """Spaced integers rise from one bound to the other and are integers, on either scale."""
    for log in (False, True):
        levels = list(spaced_levels(low, low + width, count, log=log, integer=True))

        assert [low, low + width] == [levels[0], levels[-1]]
        assert levels == sorted(set(levels))
        assert {int} == {type(level) for level in levels}
