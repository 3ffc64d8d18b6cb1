"""Search by a model: what Optuna is told, and that an interrupted study is refilled."""

from __future__ import annotations

import importlib.util
import itertools
import math
import warnings
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.study import Param, StudySearch

SPACE = SearchSpace(
    [
        HParam("optimizer", Discrete(["adam", "sgd"])),
        Axis(HParam("rate", RealInterval(1e-4, 1.0)), scale="log"),
        Axis(HParam("momentum", RealInterval(0.0, 0.99)), when={"optimizer": "sgd"}),
        Axis(HParam("batch", IntInterval(1, 64)), grid=[64, 8, 16]),
        HParam("seed", Discrete([7])),
    ]
)
SAMPLERS = pytest.mark.parametrize("sampler", ["tpe", "cmaes"])


def loss(point: Assignment) -> float:
    """Return a value that is least at a rate of 0.01 and a batch of 16."""
    distance = math.log10(point["rate"]) + 2
    return float(distance**2 + abs(point["batch"] - 16) / 16 + point.get("momentum", 0.5))


def make(sampler: str = "tpe", space: SearchSpace = SPACE) -> StudySearch:
    """Return a search for the least value."""
    return StudySearch(space, Goal.MINIMIZE, seed=5, sampler=sampler)


def finish(search: StudySearch, point: Assignment, number: int) -> None:
    """Run a trial to its end; each fifth fails and each seventh is pruned."""
    search.report(point, 2 * loss(point), 1)
    pruned = number % 7 == 3
    if not pruned:
        search.report(point, loss(point), 2)
    failed = number % 5 == 4
    search.observe(point, None if failed or pruned else loss(point), pruned=pruned)


def contents(search: StudySearch) -> list[tuple[Any, ...]]:
    """Return what the study knows of each trial."""
    return [
        (trial.params, trial.distributions, trial.values, trial.state, trial.intermediate_values)
        for trial in search.study.trials
    ]


@SAMPLERS
@pytest.mark.parametrize("num_trials", [1, 12, 30])
def test_a_resumed_study_is_that_of_an_uninterrupted_sweep(sampler: str, num_trials: int) -> None:
    """Refilled from its history, a study has equal contents and proposes equal points."""
    search, resumed = make(sampler), make(sampler)
    for number in range(num_trials):
        point = search.propose()
        assert point is not None
        finish(search, point, number)
        resumed.take(point)
        finish(resumed, point, number)

    assert contents(search) == contents(resumed)
    for number in range(num_trials, num_trials + 10):
        points = search.propose(), resumed.propose()
        assert points[0] == points[1]
        for strategy, point in zip((search, resumed), points, strict=True):
            assert point is not None
            finish(strategy, point, number)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_a_gaussian_process_keeps_the_contract_too() -> None:
    """`gp`, which is too slow for many tests, proposes new legal points, resumed or not."""
    search, resumed = make("gp"), make("gp")
    points = []
    for number in range(18):
        point = search.propose()
        assert point is not None
        finish(search, point, number)
        if number < 17:
            resumed.take(point)
            finish(resumed, point, number)
        points.append(point)

    assert 18 == len(set(points))
    assert points == [SPACE.validate(point) for point in points]
    assert points[-1] == resumed.propose()


@SAMPLERS
def test_it_goes_on_with_trials_that_were_running(sampler: str) -> None:
    """Trials that were running when the sweep stopped are taken, and run again."""
    search = make(sampler)
    history = [search.propose() for _ in range(20)]
    resumed = make(sampler)
    for number, point in enumerate(history):
        assert point is not None
        resumed.take(point)
        if number not in (3, 19):
            finish(resumed, point, number)
    proposals = [resumed.propose() for _ in range(5)]

    assert 25 == len({*history, *proposals})


def test_parallel_proposals_differ() -> None:
    """With a model of the past, eight proposals at once still lie apart."""
    space = SearchSpace([HParam("x", RealInterval(0.0, 1.0))])
    search = StudySearch(space, Goal.MINIMIZE, seed=0)
    for _ in range(20):
        point = search.propose()
        assert point is not None
        search.observe(point, (point["x"] - 0.3) ** 2)
    together = sorted(point["x"] for point in (search.propose() for _ in range(8)) if point)

    assert min(b - a for a, b in itertools.pairwise(together)) > 1e-4


@pytest.mark.parametrize(("goal", "side"), [(Goal.MAXIMIZE, 1), (Goal.MINIMIZE, 0)])
def test_it_learns_from_points_that_were_taken(goal: Goal, side: int) -> None:
    """After twenty points that the user asked for, proposals gather where the best ones were."""
    space = SearchSpace([HParam("x", RealInterval(0.0, 1.0))])
    search = StudySearch(space, goal, seed=0)
    for i in range(20):
        point = Assignment({"x": i / 20})
        search.take(point)
        search.observe(point, point["x"])
    proposals = [point["x"] for point in (search.propose() for _ in range(20)) if point]

    assert sum(abs(x - side) < 0.5 for x in proposals) >= 15


@pytest.mark.parametrize("goal", list(Goal), ids=lambda goal: goal.value)
def test_a_nan_is_worse_than_any_value(goal: Goal) -> None:
    """The study names another trial best than one that gave no number."""
    search = StudySearch(SPACE, goal, seed=0)
    values = [math.nan, 1e308, -1e308]
    for value in values:
        point = search.propose()
        assert point is not None
        search.observe(point, value)

    assert search.study.best_trial.number > 0


def test_a_budget_that_is_reported_again_keeps_its_first_value() -> None:
    """The folds of a trial report the same epochs; Optuna holds one value for each."""
    search = make()
    point = search.propose()
    assert point is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for value in (0.5, 0.7):
            search.report(point, value, 1)

    assert {1: 0.5} == search.study.trials[0].intermediate_values


def test_an_optimum_among_few_values_does_not_hold_the_search_up() -> None:
    """Where the model keeps proposing a known point, an unseen one is taken."""
    space = SearchSpace([HParam("units", IntInterval(1, 30)), HParam("b", Discrete([0, 1]))])
    search = StudySearch(space, Goal.MINIMIZE, seed=0)
    points = []
    for point in iter(search.propose, None):
        points.append(point)
        search.observe(point, abs(point["units"] - 15.0))

    assert 60 == len(set(points)) == len(points)
    assert 60 == len(search.study.trials)


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (HParam("x", Discrete(["b", "a"])), CategoricalDistribution(("a", "b"))),
        (HParam("x", Discrete([False, True])), CategoricalDistribution((False, True))),
        (HParam("x", Discrete([1, 10, 100])), IntDistribution(0, 2)),
        (HParam("x", IntInterval(2, 9)), IntDistribution(2, 9)),
        (Axis(HParam("x", IntInterval(1, 9)), scale="log"), IntDistribution(1, 9, log=True)),
        (Axis(HParam("x", IntInterval(1, 9)), step=2), IntDistribution(0, 4)),
        (Axis(HParam("x", RealInterval(0.0, 1.0)), step=0.1), IntDistribution(0, 10)),
        (Axis(HParam("x", RealInterval(0.0, 1.0)), grid=[1, 0.5]), IntDistribution(0, 1)),
        (HParam("x", RealInterval(0.0, 1.0)), FloatDistribution(0.0, 1.0)),
        (
            Axis(HParam("x", RealInterval(0.1, 1.0)), scale="log", grid_points=3),
            FloatDistribution(0.1, 1.0, log=True),
        ),
    ],
    ids=lambda argument: "" if isinstance(argument, HParam | Axis) else repr(argument),
)
def test_an_axis_is_this_parameter(axis: Axis | HParam, expected: object) -> None:
    """Intervals stay intervals, lists of numbers become positions, words are unordered."""
    axis = axis if isinstance(axis, Axis) else Axis(axis)
    param = Param(axis)

    assert expected == param.distribution
    assert list(axis.levels) == [param.decode(param.encode(level)) for level in axis.levels]
