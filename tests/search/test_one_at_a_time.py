"""One axis at a time: each tuned beside the best of the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.one_at_a_time import OneAtATime

BOX = SearchSpace(
    [Axis(HParam(name, IntInterval(0, 4)), step=1) for name in ("x", "y")]
    + [Axis(HParam("z", RealInterval(0.0, 1.0)), grid_points=3)]
)


def bowl(point: Mapping[str, Any]) -> float:
    """Return a value that is least at x=3, y=1, z=0.5."""
    return float((point["x"] - 3) ** 2 + (point["y"] - 1) ** 2 + (point["z"] - 0.5) ** 2)


def run(search: OneAtATime, value_of: Callable[[Assignment], float | None]) -> list[Assignment]:
    """Return the trials of a sweep with one worker."""
    trials = []
    for point in iter(search.propose, None):
        trials.append(point)
        search.observe(point, value_of(point))
    return trials


def ask_all(search: OneAtATime) -> list[tuple[Any, ...]]:
    """Return what is proposed while nothing ends."""
    return [tuple(point.values()) for point in iter(search.propose, None)]


@pytest.mark.parametrize(("goal", "sign"), [(Goal.MINIMIZE, 1.0), (Goal.MAXIMIZE, -1.0)])
def test_it_finds_the_best_of_independent_axes(goal: Goal, sign: float) -> None:
    """Where axes do not depend on each other, the sum of their levels finds the best."""
    trials = run(OneAtATime(BOX, goal, passes=1), lambda point: sign * bowl(point))

    assert {"x": 3, "y": 1, "z": 0.5} == min(trials, key=bowl)
    assert 5 + 4 + 2 == len(trials)


def test_it_begins_with_the_first_axis_at_first_levels() -> None:
    """The levels of the first axis run first, side by side; the others stay at their first."""
    search = OneAtATime(BOX, Goal.MINIMIZE)

    assert [(x, 0, 0.0) for x in range(5)] == ask_all(search)


def test_the_next_axis_waits_for_the_best_of_the_last() -> None:
    """Once an axis's levels have values, the next is tuned beside the best of them."""
    search = OneAtATime(BOX, Goal.MINIMIZE)
    for point in list(iter(search.propose, None)):
        search.observe(point, bowl(point))

    assert [(3, y, 0.0) for y in range(1, 5)] == ask_all(search)


def test_axes_are_tuned_in_the_order_given() -> None:
    """`order` names what to tune first; the rest follows as declared."""
    search = OneAtATime(BOX, Goal.MINIMIZE, order=["z"])
    first = ask_all(search)
    for x, y, z in first:
        search.observe(Assignment({"x": x, "y": y, "z": z}), z)

    assert [(0, 0, 0.0), (0, 0, 0.5), (0, 0, 1.0)] == first
    assert (1, 0, 0.0) == ask_all(search)[0]


def test_a_second_pass_tunes_what_the_first_has_moved() -> None:
    """Axes that depend on each other are tuned again beside the new best."""

    def valley(point: Assignment) -> float:
        return float(0.3 * (point["x"] - point["y"]) ** 2 - point["y"] + point["z"])

    first = run(OneAtATime(BOX, Goal.MINIMIZE, passes=1), valley)
    second = run(OneAtATime(BOX, Goal.MINIMIZE, passes=9), valley)

    assert second[: len(first)] == first
    assert {"x": 0, "y": 2, "z": 0.0} == min(first, key=valley)
    assert {"x": 4, "y": 4, "z": 0.0} == min(second, key=valley)


def test_it_ends_with_a_pass_that_changes_nothing() -> None:
    """A hundred passes cost no more than those that find something."""
    few, many = (run(OneAtATime(BOX, Goal.MINIMIZE, passes=n), bowl) for n in (2, 100))

    assert few == many


def test_a_failed_trial_is_never_the_best() -> None:
    """Neither a failure nor a NaN nor a pruned run is gone on from."""
    search = OneAtATime(BOX, Goal.MAXIMIZE)
    values = iter([None, math.nan, -5.0, None, None])
    for point in list(iter(search.propose, None)):
        value = next(values)
        search.observe(point, value, pruned=value is None)

    assert (2, 1, 0.0) == ask_all(search)[0]


def test_it_starts_from_the_best_point_that_was_taken() -> None:
    """The user's points are run first, and the best of them is where the walk begins."""
    search = OneAtATime(BOX, Goal.MINIMIZE)
    values = [(4, 4, 1.0), (2, 2, 0.25), (0, 4, 0.0)]
    tried = [Assignment(dict(zip("xyz", point, strict=True))) for point in values]
    for point in tried:
        search.take(point)
    waiting = search.propose()
    for point in tried:
        search.observe(point, bowl(point))

    assert waiting is None
    assert [(x, 2, 0.25) for x in (0, 1, 3, 4)] == ask_all(search)


def test_a_resumed_walk_begins_where_the_first_one_did() -> None:
    """A new search that is told all trials in their order goes on with the same points."""
    search = OneAtATime(BOX, Goal.MINIMIZE)
    tried = [Assignment({"x": 4, "y": 4, "z": 1.0}), Assignment({"x": 2, "y": 2, "z": 0.5})]
    for point in tried:
        search.take(point)
        search.observe(point, bowl(point))
    trials = [*tried, *run(search, bowl)]

    for count in range(2, len(trials)):
        resumed = OneAtATime(BOX, Goal.MINIMIZE)
        for point in trials[:count]:
            resumed.take(point)
            resumed.observe(point, bowl(point))
        assert trials[count:] == run(resumed, bowl)
        assert search.max_trials == resumed.max_trials


def test_an_axis_that_comes_into_existence_has_its_first_level() -> None:
    """A parent's new value brings its children, which are tuned in their turn."""
    space = SearchSpace(
        [
            HParam("layers", Discrete([1, 2])),
            Axis(HParam("second", Discrete([8, 16, 32])), when={"layers": 2}),
        ]
    )
    trials = run(OneAtATime(space, Goal.MAXIMIZE), lambda point: sum(point.values()))

    assert [(1,), (2, 8), (2, 16), (2, 32)] == [tuple(point.values()) for point in trials]


def test_an_axis_that_does_not_exist_at_the_best_is_passed_over() -> None:
    """Children of a value that was not kept cost no trials."""
    space = SearchSpace(
        [
            HParam("layers", Discrete([1, 2])),
            Axis(HParam("second", Discrete([8, 16, 32])), when={"layers": 2}),
        ]
    )
    trials = run(OneAtATime(space, Goal.MINIMIZE), lambda point: sum(point.values()))

    assert 2 == len(trials)
