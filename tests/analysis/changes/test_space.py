from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.analysis.changes.intent import compare_spaces
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from tests.support.spaces import small_spaces

PARENT = HParam("layers", Discrete([1, 2, 3]))


def axis(domain: Any, **given: Any) -> Axis:
    """Return the axis x."""
    return Axis(HParam("x", domain), **given)


def compare(before: list[Any], after: list[Any]) -> list[str]:
    """Return in words how the space of some axes differs from that of others."""
    return [str(change) for change in compare_spaces(SearchSpace(before), SearchSpace(after))]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (axis(Discrete([16, 32])), axis(Discrete([16, 32, 64])), "16, 32 -> 16, 32, 64 (wider)"),
        (axis(Discrete(["a", "b"])), axis(Discrete(["a"])), "a, b -> a (narrower)"),
        (axis(Discrete([1, 2])), axis(Discrete([2, 3])), "1, 2 -> 2, 3 (other values)"),
        (axis(Discrete([1, 2])), axis(Discrete([1.0, 2.0])), "1, 2 -> 1.0, 2.0"),
        (axis(Discrete([1, 2])), axis(IntInterval(1, 4)), "1, 2 -> [1, 4] (wider)"),
        (
            axis(RealInterval(0.1, 0.5)),
            axis(RealInterval(0.1, 0.9)),
            "[0.1, 0.5] -> [0.1, 0.9] (wider)",
        ),
        (
            axis(RealInterval(0.1, 0.5)),
            axis(RealInterval(0.1, 0.5), scale="log"),
            "[0.1, 0.5] -> [0.1, 0.5], log scale",
        ),
        (
            axis(RealInterval(0.0, 1.0), grid_points=3),
            axis(RealInterval(0.0, 1.0), grid_points=5),
            "[0.0, 1.0], 3 grid points -> [0.0, 1.0], 5 grid points",
        ),
        (
            axis(IntInterval(0, 99), step=1),
            axis(IntInterval(0, 2), step=1),
            "0, 1, 2, 3, 4, 5, ... 99 (100 values) -> 0, 1, 2 (narrower)",
        ),
        (
            axis(Discrete(["16"])),
            axis(Discrete([16])),
            "16 as str -> 16 as int (other values)",
        ),
        (axis(Discrete(["a,b"])), axis(Discrete(["a", "b"])), "'a,b' -> a, b (other values)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_axis_is_compared_in_words(before: Axis, after: Axis, text: str) -> None:
    """Both forms of an axis are told, and which of them allows more."""
    assert [f"x: {text}"] == compare([before], [after])


def test_conditions_are_part_of_an_axis() -> None:
    """An axis that exists under other conditions has changed."""
    before, after = (
        [PARENT, axis(Discrete([8]), when={"layers": values})] for values in (2, [2, 3])
    )

    assert ["x: 8 when layers is 2 -> 8 when layers is 2 or 3"] == compare(before, after)


def test_axes_come_and_go() -> None:
    """What is new is told before what is gone, each with its values."""
    assert ["x: added, 8", "layers: removed, was 1, 2, 3"] == compare(
        [PARENT], [axis(Discrete([8]))]
    )


def test_names_for_the_eye_do_not_count() -> None:
    """Another display name or description is no other space."""
    named = HParam("layers", Discrete([1, 2, 3]), display_name="Depth", description="how deep")

    assert [] == compare([PARENT], [named])


def test_a_long_list_is_compared_as_far_as_it_differs() -> None:
    """Two lists that look alike when they are cut short are not taken for one."""
    lists = [[float(number) for number in range(20) if number != gap] for gap in (10, 11)]
    before, after = (SearchSpace([axis(RealInterval(0.0, 20.0), grid=values)]) for values in lists)
    (change,) = compare_spaces(before, after)

    assert change.note == "other values"


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(small_spaces())
def test_what_was_logged_is_what_was_declared(space: SearchSpace) -> None:
    """A space has not changed by being written down and read again."""
    assert [] == compare_spaces(space, SearchSpace.decode_json(space.encode_json()))


@settings(max_examples=50, deadline=None)
@given(one=small_spaces(), other=small_spaces())
def test_looking_from_the_other_side_swaps_the_sides(one: SearchSpace, other: SearchSpace) -> None:
    """Whatever is added one way is removed the other way, and what is wider is narrower."""
    swapped = {"wider": "narrower", "narrower": "wider"}
    there = {(c.name, c.before, c.after, c.note) for c in compare_spaces(one, other)}
    back = {
        (c.name, c.after, c.before, swapped.get(c.note, c.note)) for c in compare_spaces(other, one)
    }

    assert there == back


@settings(max_examples=50, deadline=None)
@given(small_spaces(conditional=False), st.data())
def test_a_narrowed_axis_is_narrower(space: SearchSpace, data: st.DataObject) -> None:
    """An axis of which one level of several is left is narrower than it was."""
    several = [axis for axis in space if len(axis.levels) > 1]
    changes = compare_spaces(space, space.narrow({axis.name: axis.levels[:1] for axis in several}))

    assert ["narrower"] * len(several) == [change.note for change in changes]
