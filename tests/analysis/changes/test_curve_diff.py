from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.changes.curve_diff import CurveDiff, compare_curves, is_close
from hparams_lab.events.read.reader import Series


def make_series(values: list[float], steps: list[int] | None = None) -> Series:
    """Return the points of some values, by default of steps from 0 on."""
    return Series(steps or [*range(len(values))], [0.0] * len(values), values)


def compare(first: Series, second: Series) -> CurveDiff:
    """Return how two curves of one tag differ."""
    (diff,) = compare_curves({"loss": first}, {"loss": second})
    return diff


def test_curves_part_at_the_first_step_that_differs() -> None:
    """The first step with another value, and the step of the largest difference, are reported."""
    diff = compare(make_series([1.0, 2.0, 3.0, 4.0]), make_series([1.0, 2.5, 7.0, 4.0]))

    assert CurveDiff("loss", 4, 4, 4, parts_at=1, largest=4.0, largest_at=2) == diff
    assert not diff.is_same


def test_a_curve_that_ends_early_does_not_part() -> None:
    """Where one run has more points, the shared ones are compared, and it is not the same."""
    diff = compare(make_series([1.0, 2.0]), make_series([1.0, 2.0, 3.0]))

    assert (2, 3, 2, None) == (diff.num_first, diff.num_second, diff.num_shared, diff.parts_at)
    assert not diff.is_same


def test_points_are_matched_by_their_steps() -> None:
    """A run that logs every other step is compared where both have a point."""
    diff = compare(make_series([1.0, 3.0], [0, 2]), make_series([1.0, 2.0, 3.0]))

    assert (None, 2) == (diff.parts_at, diff.num_shared)


def test_points_of_one_step_are_matched_in_order() -> None:
    """The second point of a step is compared with the other run's second one."""
    diff = compare(make_series([1.0, 2.0], [5, 5]), make_series([1.0, 4.0], [5, 5]))

    assert (5, 2.0, 5) == (diff.parts_at, diff.largest, diff.largest_at)


def test_other_steps_of_the_same_number_are_not_the_same() -> None:
    """Two curves of no shared step are not taken for one."""
    assert not compare(make_series([1.0], [0]), make_series([1.0], [1])).is_same


def test_a_tag_of_one_run_alone_has_no_points_in_the_other() -> None:
    """A curve that only one run has is told with its number of points."""
    diffs = compare_curves({"a": make_series([1.0])}, {"b": make_series([1.0, 2.0])})

    assert [("a", 1, 0), ("b", 0, 2)] == [(d.tag, d.num_first, d.num_second) for d in diffs]


def test_a_run_that_diverged_parts_where_it_did() -> None:
    """A value that is not finite differs from a number, but is no largest difference."""
    diff = compare(make_series([1.0, 2.0, 3.0]), make_series([1.0, math.nan, 5.0]))

    assert (1, 2.0, 2) == (diff.parts_at, diff.largest, diff.largest_at)


def test_runs_that_diverged_alike_are_the_same() -> None:
    """NaN at the same steps is no difference."""
    assert compare(make_series([math.nan, math.inf]), make_series([math.nan, math.inf])).is_same


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_neighbours_of_32_bits_are_one_number(scale: float) -> None:
    """The last bit of a 32-bit float is rounding; a few bits more are a difference."""
    (bits,) = struct.unpack("<i", struct.pack("<f", scale))
    one, near, far = struct.unpack("<3f", struct.pack("<3i", bits, bits + 1, bits + 8))

    assert is_close(one, near)
    assert not is_close(one, far)


CURVES = st.lists(st.floats(width=32), max_size=6).map(make_series)


@settings(max_examples=50, deadline=None)
@given(CURVES)
def test_a_curve_is_the_same_as_itself(curve: Series) -> None:
    """Whatever its values are, a curve does not part from itself."""
    assert compare(curve, curve).is_same


@settings(max_examples=50, deadline=None)
@given(first=CURVES, second=CURVES)
def test_the_order_of_the_runs_does_not_matter(first: Series, second: Series) -> None:
    """Curves part at the same step, by as much, from either side."""
    there, back = compare(first, second), compare(second, first)

    assert (there.parts_at, there.largest_at) == (back.parts_at, back.largest_at)
    assert there.is_same == back.is_same
