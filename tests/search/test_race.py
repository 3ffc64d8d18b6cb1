"""Racing: which trials can no longer reach the best one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hparams_lab.declare.objective import Objective, maximize, minimize
from hparams_lab.search.race import MIN_RUNS, Race, Values

BEST = [0.1, 0.2, 0.15, 0.12, 0.18]
EITHER_GOAL = pytest.mark.parametrize(
    ("objective", "sign"), [(minimize("x"), 1.0), (maximize("x"), -1.0)], ids=["min", "max"]
)


def repeats(values: list[float], sign: float = 1.0) -> Values:
    """Return values as those of repeats, so that higher is worse where the sign is 1."""
    return {(repeat, None): sign * value for repeat, value in enumerate(values)}


def make_race(objective: Objective, *entered: Values, num_folds: int | None = None) -> Race:
    """Return a race with complete trials."""
    race = Race(objective, 4, num_folds)
    for values in entered:
        race.enter(values)
    return race


@EITHER_GOAL
def test_a_trial_that_is_clearly_worse_is_lost(objective: Objective, sign: float) -> None:
    """As soon as enough runs are worse than the best trial's, a trial is out."""
    race = make_race(objective, repeats(BEST, sign))
    worse = [value + 0.5 + 0.01 * i for i, value in enumerate(BEST)]

    assert [False, False, True, True] == [
        race.is_lost(repeats(worse[:count], sign)) for count in range(1, 5)
    ]


@EITHER_GOAL
@pytest.mark.parametrize("shift", [-0.5, 0.0], ids=["better", "equal"])
def test_a_trial_that_is_not_worse_goes_on(objective: Objective, sign: float, shift: float) -> None:
    """A trial that is better than the best, or just as good, is not lost."""
    race = make_race(objective, repeats(BEST, sign))

    assert not race.is_lost(repeats([value + shift for value in BEST], sign))


def test_a_doubtful_trial_goes_on() -> None:
    """A trial that is worse on the mean, but not in every run, may still reach the best."""
    race = make_race(minimize("x"), repeats(BEST))

    assert not race.is_lost(repeats([0.3, 0.15, 0.16, 0.1, 0.3]))


def test_nobody_loses_before_a_trial_is_complete() -> None:
    """The first trial has nothing to lose against."""
    assert not make_race(minimize("x")).is_lost(repeats([9.0] * 5))


@EITHER_GOAL
def test_the_race_is_against_the_best(objective: Objective, sign: float) -> None:
    """Of several complete trials the best one counts, whenever it was entered."""
    good, bad = repeats(BEST, sign), repeats([value + 1.0 for value in BEST], sign)
    between = repeats([value + 0.5 for value in BEST], sign)

    assert make_race(objective, good, bad).is_lost(between)
    assert make_race(objective, bad, good).is_lost(between)
    assert not make_race(objective, bad).is_lost(between)


def test_runs_are_compared_with_their_own_kind() -> None:
    """Only runs of one repeat and fold are compared: they have the same split."""
    race = make_race(minimize("x"), repeats(BEST))
    elsewhere = {(repeat + 5, None): 9.0 for repeat in range(5)}

    assert not race.is_lost(elsewhere)
    assert race.is_lost({**elsewhere, **repeats([9.0] * MIN_RUNS)})


def test_common_rows_make_folds_less_telling() -> None:
    """Folds share their training rows, so that it takes a clearer difference to lose."""
    best: Values = {(0, fold): 0.1 * fold for fold in range(4)}
    worse: Values = {(0, fold): 0.1 * fold + 0.1 + 0.05 * (-1) ** fold for fold in range(4)}

    assert make_race(minimize("x"), best).is_lost(worse)
    assert not make_race(minimize("x"), best, num_folds=4).is_lost(worse)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinities_do_not_decide(value: float) -> None:
    """A difference that is no number says nothing."""
    race = make_race(minimize("x"), repeats([value, *BEST[1:]]))

    assert not race.is_lost(repeats([value, 9.0, 9.0, 9.0, 9.0]))


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=MIN_RUNS, max_size=6),
    st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=6),
)
def test_goals_are_mirror_images(values: list[float], best: list[float]) -> None:
    """What is lost when minimizing is lost when maximizing the negated values."""
    low = make_race(minimize("x"), repeats(best)).is_lost(repeats(values))
    high = make_race(maximize("x"), repeats(best, -1.0)).is_lost(repeats(values, -1.0))

    assert low == high


@given(st.lists(st.floats(-1e3, 1e3), min_size=MIN_RUNS, max_size=6))
def test_the_best_does_not_lose_against_itself(values: list[float]) -> None:
    """A trial is not worse than itself."""
    assert not make_race(minimize("x"), repeats(values)).is_lost(repeats(values))


def test_few_trials_as_good_as_the_best_are_lost() -> None:
    """Of twelve equal trials less than one in ten is lost, although each is looked at often."""
    rng = np.random.default_rng(0)
    num_lost = num_entered = 0
    for _ in range(100):
        race = Race(minimize("loss"), 10, None)
        for _ in range(12):
            measured = repeats(rng.normal(size=10).tolist())
            looks = [dict(list(measured.items())[:count]) for count in range(1, 10)]
            num_entered += 1
            if any(race.is_lost(look) for look in looks):
                num_lost += 1
            else:
                race.enter(measured)

    assert 0.01 < num_lost / num_entered < 0.1
