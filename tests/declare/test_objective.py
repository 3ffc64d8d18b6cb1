"""What a sweep is after."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare.objective import Goal, Objective, Reduction, maximize, minimize
from hparams_lab.errors import DeclarationError

NAN = math.nan
SERIES = st.lists(st.floats(), max_size=8)
OBJECTIVES = {
    f"{make.__name__}_{reduction}": make("loss", reduction=reduction)
    for make in (maximize, minimize)
    for reduction in ("last", "best")
}


@pytest.mark.parametrize(
    ("objective", "values", "expected"),
    [
        (maximize("a"), [0.5, 0.9, 0.7], 0.7),
        (maximize("a"), [0.5, NAN], NAN),
        (maximize("a"), [], NAN),
        (maximize("a", reduction="best"), [0.5, 0.9, 0.7], 0.9),
        (minimize("a", reduction="best"), [0.5, 0.9, 0.7], 0.5),
        (minimize("a", reduction="best"), [NAN, 0.9, NAN], 0.9),
        (minimize("a", reduction="best"), [NAN, NAN], NAN),
        (minimize("a", reduction="best"), [], NAN),
        (minimize("a", reduction="best"), [0.0, -math.inf], -math.inf),
    ],
    ids=str,
)
def test_a_series_is_reduced_to_one_value(
    objective: Objective, values: Sequence[float], expected: float
) -> None:
    """The last value counts even if it is NaN; the best one passes NaN over."""
    assert objective.reduce(values) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
@given(values=SERIES)
def test_ranks_put_the_best_first_and_nan_last(objective: Objective, values: list[float]) -> None:
    """Sorted by rank, numbers fall or rise as the goal says and NaN come last."""
    ranked = sorted(values, key=objective.rank)
    numbers = [value for value in values if not math.isnan(value)]
    expected = sorted(numbers, reverse=objective.goal is Goal.MAXIMIZE)

    assert expected == ranked[: len(numbers)]
    assert all(math.isnan(value) for value in ranked[len(numbers) :])


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (maximize("accuracy"), "accuracy"),
        (maximize("accuracy", reduction="best"), "best/accuracy"),
        (minimize(Metric("loss", group="validation")), "validation/loss"),
        (minimize(Metric("loss", group="validation"), reduction="best"), "best/validation/loss"),
    ],
    ids=["last", "best", "group", "best_group"],
)
def test_the_best_value_has_a_tag_of_its_own(objective: Objective, expected: str) -> None:
    """The reduced value is shown under a tag that does not bend the series."""
    assert expected == objective.tag


def test_makers_say_goal_and_reduction() -> None:
    """`maximize` and `minimize` take a metric or its tag, and the last value by default."""
    assert Objective("loss", Goal.MINIMIZE, Reduction.LAST) == minimize(Metric("loss"))
    assert Objective("a", Goal.MAXIMIZE, Reduction.BEST) == maximize("a", reduction="best")


def test_a_misspelt_reduction_is_refused() -> None:
    """A reduction is `last` or `best`."""
    with pytest.raises(ValueError, match="'bset'"):
        maximize("a", reduction="bset")


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_an_objective_crosses_processes(objective: Objective) -> None:
    """An unpickled objective is equal."""
    assert objective == pickle.loads(pickle.dumps(objective))


def test_a_misspelt_reduction_is_reported() -> None:
    """A reduction that is neither last nor best is refused in a sentence."""
    with pytest.raises(DeclarationError, match="must be 'last' or 'best'; got 'bst'"):
        maximize("loss", reduction="bst")
