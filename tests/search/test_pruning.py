"""Early stopping: when runs are stopped, and when not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
from tensorboard.plugins.hparams.summary_v2 import HParam, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.base import Strategy, Verdict
from hparams_lab.search.catalog import make_strategy

SPACE = SearchSpace([HParam("x", RealInterval(0.0, 1.0))])
NUM_EPOCHS = 27
PRUNERS = ["median", "asha", "hyperband"]


def make(pruner: str, *, goal: Goal = Goal.MINIMIZE, min_budget: int | None = None) -> Strategy:
    """Return a random search before a pruner."""
    options = {"pruner": pruner, "min_budget": min_budget}
    return make_strategy("random", SPACE, goal=goal, seed=0, options=options)


def run(search: Strategy, values: Sequence[float]) -> list[Verdict]:
    """Run a trial that reports these values, until it is stopped, and return the verdicts."""
    point = search.propose()
    assert point is not None
    verdicts: list[Verdict] = []
    for budget, value in enumerate(values, start=1):
        verdicts.append(search.report(point, value, budget))
        if verdicts[-1].stop:
            search.observe(point, None, pruned=True)
            return verdicts
    search.observe(point, values[-1])
    return verdicts


def list_points(num_points: int) -> list[Assignment]:
    """Return the first points that `make` proposes."""
    return list(itertools.islice(iter(make("median").propose, None), num_points))


@pytest.mark.parametrize("pruner", PRUNERS)
@pytest.mark.parametrize(("goal", "sign"), [(Goal.MINIMIZE, 1.0), (Goal.MAXIMIZE, -1.0)])
def test_bad_runs_are_stopped_and_the_best_are_not(pruner: str, goal: Goal, sign: float) -> None:
    """After good runs, most of the worse ones end early, and a better one runs to its end."""
    search = make(pruner, goal=goal)
    for _ in range(15):
        run(search, [sign] * NUM_EPOCHS)
    worse = [len(run(search, [(2 + i) * sign] * NUM_EPOCHS)) for i in range(20)]
    better = len(run(search, [0.5 * sign] * NUM_EPOCHS))

    assert sum(length < NUM_EPOCHS for length in worse) >= 15
    assert NUM_EPOCHS == better


@pytest.mark.parametrize("pruner", PRUNERS)
def test_no_run_is_stopped_before_the_minimum_budget(pruner: str) -> None:
    """A bad run reports `min_budget` values at least, and soon no more."""
    search = make(pruner, min_budget=4)
    for _ in range(5):
        run(search, [1.0] * NUM_EPOCHS)
    lengths = [len(run(search, [2.0] * NUM_EPOCHS)) for _ in range(20)]

    assert 4 == min(lengths)


@pytest.mark.parametrize("pruner", PRUNERS)
def test_runs_shorter_than_the_minimum_budget_are_never_stopped(pruner: str) -> None:
    """Each of them runs to its end, as none reports enough values."""
    search = make(pruner, min_budget=100)
    lengths = [len(run(search, [float(i)] * NUM_EPOCHS)) for i in range(20)]

    assert {NUM_EPOCHS} == set(lengths)


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_nothing_is_stopped_before_the_first_full_trial(pruner: str) -> None:
    """Until a trial has run to its end, each of many side by side goes on, however bad."""
    search = make(pruner)
    points = [search.propose() for _ in range(12)]
    verdicts = [
        search.report(point, float(number), budget)
        for budget in range(1, NUM_EPOCHS + 1)
        for number, point in enumerate(points)
        if point is not None
    ]

    assert 12 * NUM_EPOCHS == len(verdicts)
    assert not any(verdict.stop for verdict in verdicts)


@pytest.mark.parametrize("pruner", ["asha", "hyperband"])
def test_rungs_grow_with_the_budget(pruner: str) -> None:
    """A run that is never stopped climbs the ladder, one rung for each multiple of three."""
    search = make(pruner)
    run(search, [1.0] * NUM_EPOCHS)
    ladders = [[v.rung for v in run(search, [0.1] * NUM_EPOCHS)] for _ in range(5)]

    for rungs in ladders:
        assert rungs == sorted(rungs, key=lambda rung: rung or 0)
    assert 4 == max(ladder[-1] or 0 for ladder in ladders)


def test_asha_climbs_at_powers_of_the_reduction_factor() -> None:
    """With a minimum of two epochs and a factor of three, rungs end at 2, 6 and 18."""
    verdicts = run(make("asha", min_budget=2), [1.0] * 20)
    climbed = [budget for budget in range(2, 21) if verdicts[budget - 1] != verdicts[budget - 2]]

    assert [2, 6, 18] == climbed


def test_the_median_has_no_rungs() -> None:
    """A pruner without a ladder says nothing of rungs."""
    assert all(verdict.rung is None for verdict in run(make("median"), [1.0] * 3))


@pytest.mark.parametrize("pruner", PRUNERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_values_that_are_no_numbers_do_not_end_the_search(pruner: str, value: float) -> None:
    """Runs that report NaNs or infinities, alone or among others, raise nothing."""
    search = make(pruner)
    for _ in range(6):
        run(search, [value] * NUM_EPOCHS)
        run(search, [1.0, value, 1.0])

    assert search.propose() is not None


@pytest.mark.parametrize("pruner", PRUNERS)
def test_a_nan_is_never_better(pruner: str) -> None:
    """A run that diverges is stopped like a bad one."""
    search = make(pruner)
    for _ in range(6):
        run(search, [1.0] * NUM_EPOCHS)
    lengths = [len(run(search, [math.nan] * NUM_EPOCHS)) for _ in range(10)]

    assert max(lengths) <= NUM_EPOCHS
    assert sum(length < NUM_EPOCHS for length in lengths) >= 7


@pytest.mark.parametrize("pruner", PRUNERS)
def test_a_value_that_is_reported_again_stops_nothing(pruner: str) -> None:
    """The first run of a trial decides: the budgets of its other folds are known already."""
    search = make(pruner)
    for _ in range(5):
        run(search, [1.0] * NUM_EPOCHS)
    point = search.propose()
    assert point is not None
    verdicts = [search.report(point, value, 1) for value in (0.5, 9.0)]

    assert [False, False] == [verdict.stop for verdict in verdicts]


@pytest.mark.parametrize("pruner", PRUNERS)
def test_a_resumed_search_stops_what_an_uninterrupted_one_does(pruner: str) -> None:
    """Told the history again, a new search gives the next run the same verdicts."""
    search = make(pruner)
    lengths = [len(run(search, [1.0 + number % 3] * NUM_EPOCHS)) for number in range(20)]
    resumed = make(pruner)
    for number, (point, length) in enumerate(zip(list_points(20), lengths, strict=True)):
        resumed.take(point)
        for budget in range(1, length + 1):
            resumed.report(point, 1.0 + number % 3, budget)
        pruned = length < NUM_EPOCHS
        resumed.observe(point, None if pruned else 1.0 + number % 3, pruned=pruned)

    for value in (1.5, 0.5, 2.5, 1.0):
        assert run(search, [value] * NUM_EPOCHS) == run(resumed, [value] * NUM_EPOCHS)
