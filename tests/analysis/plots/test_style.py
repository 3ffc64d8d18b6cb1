from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.plots.style import (
    line_colours,
    robust_limits,
    shorten,
)
from hparams_lab.declare.objective import Goal

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)
GOALS = st.sampled_from(Goal)


@settings(deadline=None, max_examples=60)
@given(st.lists(NUMBERS, min_size=1), GOALS)
def test_the_best_is_never_beyond_the_scale(values: list[float], goal: Goal) -> None:
    """A scale has a width, and shows the best value of all."""
    low, high = robust_limits(values, goal)
    best = max(values) if goal is Goal.MAXIMIZE else min(values)

    assert low < high
    assert low <= best <= high


def test_one_wild_value_does_not_stretch_the_scale() -> None:
    """A loss of a billion among ones leaves the scale as it would be without."""
    assert (1.0, 3.0) == robust_limits([1.0, 2.0, 2.0, 3.0, 1e9], Goal.MINIMIZE)


def test_what_is_not_finite_has_no_place_on_a_scale() -> None:
    """NaN and infinities are passed over; without any number the scale is the unit."""
    assert (1.0, 2.0) == robust_limits([math.nan, 1.0, math.inf, 2.0], Goal.MAXIMIZE)
    assert (0.0, 1.0) == robust_limits([math.nan], Goal.MAXIMIZE)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60), st.integers(3, 40))
def test_a_text_is_shortened_to_one_line_of_the_width(text: str, width: int) -> None:
    """However long a name is and whatever is in it, it takes one line of at most the width."""
    short = shorten(text, width)

    assert 0 < len(short) <= width
    assert "\n" not in short


@pytest.mark.parametrize("count", [1, 7, 8, 40])
def test_each_line_has_a_colour_of_its_own(count: int) -> None:
    """No two lines of a picture share a colour, be they few or many."""
    assert count == len(set(line_colours(count)))
