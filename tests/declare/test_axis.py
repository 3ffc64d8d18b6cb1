"""An hparam plus scale, step, grid and condition."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.errors import AssignmentError
from tests.support.spaces import axes


def make_axis(domain: Any, **options: Any) -> Axis:
    """Return an axis named `x`."""
    return Axis(HParam("x", domain), **options)


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (make_axis(Discrete(["sgd", "adam"])), ["adam", "sgd"]),
        (make_axis(RealInterval(0.1, 0.2)), [0.1, 0.2]),
        (make_axis(IntInterval(2, 8)), [2, 8]),
        (make_axis(IntInterval(2, 2)), [2]),
        (make_axis(IntInterval(2, 8), step=3), [2, 5, 8]),
        (make_axis(IntInterval(2, 8), step=3.0), [2, 5, 8]),
        (make_axis(RealInterval(0.0, 0.5), step=0.2), [0.0, 0.2, 0.4]),
        (make_axis(RealInterval(0.0, 1.0), grid_points=5), [0.0, 0.25, 0.5, 0.75, 1.0]),
        (make_axis(RealInterval(1e-3, 1e-1), scale="log", grid_points=3), [0.001, 0.01, 0.1]),
        (make_axis(IntInterval(1, 64), grid=[32, 1, 8.0]), [32, 1, 8]),
        (make_axis(RealInterval(0.0, 9.0), grid=range(3)), [0.0, 1.0, 2.0]),
        (make_axis(Discrete(["a", "b"]), grid="b"), ["b"]),
        (make_axis(IntInterval(0, 9), grid=np.arange(3)), [0, 1, 2]),
        (make_axis(IntInterval(0, 9), grid=(i for i in (3, 1))), [3, 1]),
    ],
    ids=lambda argument: repr(argument) if isinstance(argument, list) else "",
)
def test_an_axis_contributes_these_levels(axis: Axis, expected: list[Any]) -> None:
    """The levels of an axis are in grid order and of the domain's type."""
    levels = list(axis.levels)

    assert expected == levels
    assert [type(level) for level in expected] == [type(level) for level in levels]


def test_an_endless_grid_is_not_read_to_its_end() -> None:
    """Declaring an axis with an endless grid comes back, so that a rule can refuse it."""
    axis = make_axis(IntInterval(0, 9), grid=itertools.count())

    assert isinstance(axis.grid, tuple)


@given(axes("x"), st.data())
def test_levels_are_legal_values(axis: Axis, data: st.DataObject) -> None:
    """Each level is cast to itself, bit for bit."""
    level = data.draw(st.sampled_from(list(axis.levels)))

    assert repr(level) == repr(axis.cast(level))


@given(axes("x"), st.integers(0, 2**32 - 1))
def test_samples_are_legal_values(axis: Axis, seed: int) -> None:
    """Each sample is cast to itself, and equal generators give equal samples."""
    sample = axis.sample(np.random.default_rng(seed))

    assert repr(sample) == repr(axis.cast(sample))
    assert repr(sample) == repr(axis.sample(np.random.default_rng(seed)))


def test_a_log_axis_is_sampled_by_its_logarithm() -> None:
    """Half of the samples of four decades lie in the lower two."""
    axis = make_axis(RealInterval(1e-4, 1.0), scale="log")
    rng = np.random.default_rng(0)
    samples = [axis.sample(rng) for _ in range(1000)]

    assert sum(sample < 1e-2 for sample in samples) == pytest.approx(500, abs=60)


def test_an_integer_axis_gives_its_ends_their_share() -> None:
    """Each integer of an interval is drawn as often as the others, the ends too."""
    axis = make_axis(IntInterval(1, 4))
    rng = np.random.default_rng(0)
    samples = [axis.sample(rng) for _ in range(4000)]

    for value in (1, 2, 3, 4):
        assert samples.count(value) == pytest.approx(1000, abs=120)


def test_a_log_integer_axis_gives_its_ends_their_share() -> None:
    """On a log scale integer k has the share of log((k + ½) / (k - ½))."""
    axis = make_axis(IntInterval(1, 3), scale="log")
    rng = np.random.default_rng(0)
    samples = [axis.sample(rng) for _ in range(4000)]

    for value in (1, 2, 3):
        share = math.log((value + 0.5) / (value - 0.5)) / math.log(3.5 / 0.5)
        assert samples.count(value) == pytest.approx(4000 * share, abs=150)


@pytest.mark.parametrize(
    ("axis", "value", "message"),
    [
        (make_axis(IntInterval(0, 9), step=3), 4, "must be 0 plus a multiple of 3; got 4"),
        (
            make_axis(RealInterval(0.0, 1.0), step=0.4),
            1.0,
            "0.0 plus a multiple of 0.4; got 1.0",
        ),
        (make_axis(IntInterval(0, 9), grid=[1, 8]), 2, "must be one of 1, 8; got 2"),
        (make_axis(IntInterval(0, 9)), 10, r"an integer in \[0, 9\]; got 10"),
    ],
    ids=["integer_step", "real_step", "grid", "domain"],
)
def test_other_values_are_refused(axis: Axis, value: Any, message: str) -> None:
    """A value off the steps, the grid or the domain is told what is legal."""
    with pytest.raises(AssignmentError, match=message):
        axis.cast(value)


@pytest.mark.parametrize("value", [0.1 + 0.2, 0.3, np.float64(0.1) * 3], ids=repr)
def test_a_step_is_met_in_spite_of_rounding(value: float) -> None:
    """A value that misses a step by rounding only becomes that step."""
    axis = make_axis(RealInterval(0.0, 1.0), step=0.1)

    assert repr(0.3) == repr(axis.cast(value))


def test_a_narrowed_axis_allows_only_the_choice() -> None:
    """Narrowing keeps the order of the choice, drops repeats, and casts."""
    axis = make_axis(IntInterval(0, 9), step=3, when={"y": 1}).narrow([6.0, 0, 6])

    assert [6, 0] == list(axis.levels)
    assert {"y": (1,)} == dict(axis.conditions)
    with pytest.raises(AssignmentError, match="must be one of 6, 0; got 3"):
        axis.cast(3)


def test_an_axis_is_not_narrowed_beyond_its_domain() -> None:
    """Narrowing refuses a value that the axis does not allow."""
    with pytest.raises(AssignmentError, match="must be 0 plus a multiple of 3; got 1"):
        make_axis(IntInterval(0, 9), step=3).narrow([0, 1])


@given(axes("x", when={"y": [1, 2]}))
def test_an_axis_survives_json(axis: Axis) -> None:
    """An axis read back from JSON text has the same levels, scale and condition."""
    again = Axis.decode_json(json.loads(json.dumps(axis.encode_json())))

    assert repr(list(axis.levels)) == repr(list(again.levels))
    assert (axis.scale, axis.conditions) == (again.scale, again.conditions)


def test_what_tensorboard_shows_survives_json() -> None:
    """Display name and description are kept."""
    hparam = HParam("x", Discrete([1]), display_name="X", description="How *much*.")
    again = Axis.decode_json(json.loads(json.dumps(Axis(hparam).encode_json())))

    assert ("X", "How *much*.") == (again.hparam.display_name, again.hparam.description)
