"""The trials that no other one beats in both of two metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval

from hparams_lab.analysis.effects.pareto import find_front
from hparams_lab.analysis.trials.goal import MetricGoal, list_numbers
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.objective import Goal, maximize
from hparams_lab.errors import UsageError
from hparams_lab.events.schema import Ending
from tests.support.factories import make_sweep
from tests.support.trials import rank_all, sweep_trials

HIGH = MetricGoal("accuracy", Goal.MAXIMIZE)
LOW = MetricGoal("loss", Goal.MINIMIZE)
PAIRS = st.lists(
    st.tuples(st.integers(0, 4), st.one_of(st.integers(0, 4), st.just(math.nan))), max_size=12
)


def make_rows(
    pairs: Sequence[tuple[float, float]], endings: dict[int, Ending | None] | None = None
) -> list[TrialRow]:
    """Return trials with an accuracy and a loss each, numbered by `n`."""
    axis = HParam("n", IntInterval(0, 100))
    return rank_all(
        sweep_trials(
            [axis],
            lambda point: dict(zip(("accuracy", "loss"), pairs[point["n"]], strict=True)),
            points=[{"n": number} for number in range(len(pairs))],
            endings=endings,
        )
    )[0]


def numbers(rows: Iterable[TrialRow]) -> list[int]:
    """Return the trials' numbers."""
    return [row.assignment["n"] for row in rows]


def beats(row: TrialRow, other: TrialRow) -> bool:
    """Return whether a trial is better than another in one metric and no worse in the other."""
    one, two = [(-HIGH.value_of(r), LOW.value_of(r)) for r in (row, other)]
    return one != two and all(a <= b for a, b in zip(one, two, strict=True))


def test_front_holds_what_none_beats() -> None:
    """A trial that another one beats in both metrics is not in the front."""
    rows = make_rows([(0.9, 3.0), (0.8, 1.0), (0.7, 2.0), (0.9, 4.0)])

    assert [0, 1] == numbers(find_front(rows, HIGH, LOW))


@given(PAIRS)
@settings(deadline=None, max_examples=60)
def test_front_is_exactly_the_unbeaten(pairs: list[tuple[float, float]]) -> None:
    """In any order and with ties, the front is the trials that none of the others beats."""
    rows = make_rows(pairs)
    known = [row for row in rows if not math.isnan(LOW.value_of(row))]
    unbeaten = {row.trial_id for row in known if not any(beats(other, row) for other in known)}

    assert unbeaten == {row.trial_id for row in find_front(rows, HIGH, LOW)}


@given(PAIRS)
@settings(deadline=None, max_examples=30)
def test_front_is_best_first(pairs: list[tuple[float, float]]) -> None:
    """The first metric gets worse along the front, and the second one better."""
    front = find_front(make_rows(pairs), HIGH, LOW)
    path = [(-HIGH.value_of(row), -LOW.value_of(row)) for row in front]

    assert sorted(path) == path


def test_equals_are_all_in_the_front() -> None:
    """Trials that are equal in both metrics are in the front together."""
    rows = make_rows([(0.9, 1.0), (0.9, 1.0), (0.8, 1.0)])

    assert [0, 1] == numbers(find_front(rows, HIGH, LOW))


def test_unfinished_trials_are_passed_over() -> None:
    """A trial that was stopped early, failed, or has NaN is in no front."""
    endings = {1: Ending.PRUNED, 2: Ending.FAILED}
    rows = make_rows([(0.5, 5.0), (0.9, 1.0), (0.9, 1.0), (math.nan, 1.0)], endings)

    assert [0] == numbers(find_front(rows, HIGH, LOW))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("accuracy", HIGH),
        ("loss:min", LOW),
        ("accuracy:min", MetricGoal("accuracy", Goal.MINIMIZE)),
        ("secs:min", MetricGoal("secs", Goal.MINIMIZE)),
        ("n:max", MetricGoal("n", Goal.MAXIMIZE)),
    ],
)
def test_metrics_are_named_with_their_goal(text: str, wanted: MetricGoal) -> None:
    """The objective brings its goal; metrics, times and hyperparameters need a suffix."""
    rows = make_rows([(0.9, 1.0)])
    sweeps = [make_sweep(objective=maximize("accuracy"))]

    assert wanted == MetricGoal.parse(text, sweeps, list_numbers(rows))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("loss", "Write loss:min or loss:max"),
        ("loss:low", "goal must be min or max; got 'loss:low'"),
        ("los:min", "Did you mean 'loss'"),
        ("zebra:min", "There are accuracy, attempts, loss"),
        ("day:min", "no complete trial has a number 'day'"),
    ],
)
def test_a_metric_must_be_known(text: str, message: str) -> None:
    """A metric that no trial has, or whose goal is not known, is one clear sentence."""
    with pytest.raises(UsageError, match=message):
        MetricGoal.parse(text, [make_sweep()], list_numbers(make_rows([(0.9, 1.0)])))
