"""Trials of equal assignments in two groups."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.compare.groups import By, form_groups
from hparams_lab.analysis.compare.pairs import Matches, match_trials
from hparams_lab.events.schema import Ending
from tests.support.day_sweeps import Logs, log_sweep, put_together
from tests.support.factories import FRIDAY, SATURDAY

UNITS = st.sets(st.integers(0, 9), min_size=1)


def match(before: Logs, after: Logs) -> Matches:
    """Return the matches of two sweeps."""
    logged = put_together(before, after)
    one, other = form_groups(logged.rows, logged.sweeps, By.SWEEP)
    return match_trials(one.rows, other.rows)


@settings(max_examples=30, deadline=None)
@given(UNITS, UNITS)
def test_common_points_match(before: set[int], after: set[int]) -> None:
    """As many match as points are in both, and the others are counted where they are."""
    found = match(
        log_sweep(FRIDAY, {units: [0.5] for units in before}),
        log_sweep(SATURDAY, {units: [0.5] for units in after}),
    )
    units = {trial.before[0].assignment["units"] for trial in found.matches}

    assert before & after == units
    assert (len(before - after), len(after - before)) == (
        found.num_only_before,
        found.num_only_after,
    )


def test_what_cannot_be_compared_is_counted() -> None:
    """Trials that failed, were pruned, still run or came to nothing are left out, by label."""
    endings: dict[int, Any] = {0: Ending.FAILED, 1: Ending.PRUNED, 2: None}
    found = match(
        log_sweep(FRIDAY, [[0.5]] * 5, endings=endings),
        log_sweep(SATURDAY, [[0.5], [0.5], [0.5], [math.inf], [0.5]]),
    )

    assert 1 == len(found.matches)
    assert {"FAILURE": 1, "PRUNED": 1, "RUNNING": 1, "not finite": 1} == found.left_out
    assert (0, 0) == (found.num_only_before, found.num_only_after)


def test_trials_come_oldest_first_and_not_best_first() -> None:
    """Of several trials of a point, the oldest sweep's comes first, whatever it came to."""
    later = "2026-11-20_22-00-00"
    logged = put_together(
        log_sweep(FRIDAY, [[0.5]]), log_sweep(later, [[0.9]]), log_sweep(SATURDAY, [[0.5]])
    )
    friday, saturday = form_groups(logged.rows, logged.sweeps, By.DAY)
    (found,) = match_trials(friday.rows, saturday.rows).matches

    assert [FRIDAY, later] == [row.sweep_id for row in found.before]
