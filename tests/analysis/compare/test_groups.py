"""Groups of trials: what makes one, and what its trials came to."""

from __future__ import annotations

import math

import pytest

from hparams_lab.analysis.compare.groups import By, Group, describe_group, form_groups
from hparams_lab.analysis.trials.selection import Logged
from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.errors import UsageError
from hparams_lab.events.schema import Ending
from hparams_lab.stats.interval import summarize
from tests.support.day_sweeps import log_sweep, put_together
from tests.support.factories import FRIDAY, SATURDAY

LATE_FRIDAY = "2026-11-20_22-00-00"


def form(logged: Logged, by: By) -> list[Group]:
    """Return the groups as they are described."""
    objective = logged.sweeps[-1].objective
    groups = form_groups(logged.rows, logged.sweeps, by)
    return [describe_group(group, objective) for group in groups]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (By.DAY, {"2026-11-20": 2, "2026-11-21": 1}),
        (By.SWEEP, {FRIDAY: 1, LATE_FRIDAY: 1, SATURDAY: 1}),
        (By.COMMIT, {"aa": 1, "bb+": 2}),
    ],
    ids=["day", "sweep", "commit"],
)
def test_groups_are_formed(by: By, expected: dict[str, int]) -> None:
    """Trials of one day, sweep or commit are one group; the oldest comes first."""
    logged = put_together(
        log_sweep(FRIDAY, [[0.5]], commit="aa"),
        log_sweep(LATE_FRIDAY, [[0.5]], commit="bb+"),
        log_sweep(SATURDAY, [[0.5]], commit="bb+"),
    )

    assert list(expected.items()) == [(each.label, each.num_trials) for each in form(logged, by)]


def test_a_group_says_what_its_trials_came_to() -> None:
    """Best, median and mean are of the trials that succeeded in full, and others are counted."""
    endings = {2: Ending.FAILED, 3: Ending.PRUNED, 4: None}
    values = [[0.5], [0.75], [0.9], [0.9], [0.9], [math.nan], [0.25], [0.25]]
    (group,) = form(put_together(log_sweep(FRIDAY, values, endings=endings)), By.DAY)
    spread = summarize([0.5, 0.75, 0.25, 0.25])

    assert {"SUCCESS": 5, "FAILURE": 1, "PRUNED": 1, "RUNNING": 1} == group.statuses
    assert (8, 4, 0.375) == (group.num_trials, group.num_values, group.median)
    assert (spread.mean, spread.low, spread.high) == (group.mean, group.low, group.high)
    assert group.best is not None
    assert (0.75, {"units": 1}) == (group.best.value, dict(group.best.assignment))


def test_the_best_is_best_by_the_objective() -> None:
    """Where less is better, the least is best."""
    (group,) = form(
        put_together(log_sweep(FRIDAY, [[2.0], [1.0]], objective=minimize("loss"))), By.DAY
    )

    assert group.best is not None
    assert 1.0 == group.best.value


def test_a_group_without_a_success_has_no_best() -> None:
    """Where all failed, there is no best and no median, and no error either."""
    (group,) = form(put_together(log_sweep(FRIDAY, [[0.5]], endings={0: Ending.FAILED})), By.DAY)

    assert (None, 0) == (group.best, group.num_values)
    assert math.isnan(group.median)


def test_a_group_without_an_end_still_runs() -> None:
    """Where no run has ended, neither has the group."""
    (group,) = form(put_together(log_sweep(FRIDAY, [[0.5]], endings={0: None})), By.DAY)

    assert group.ended is None


def test_another_objective_is_said() -> None:
    """A group whose sweep was after something else says so."""
    logged = put_together(
        log_sweep(FRIDAY, [[0.5]], objective=minimize("accuracy")), log_sweep(SATURDAY, [[0.5]])
    )
    friday, saturday = form(logged, By.DAY)

    assert str(minimize("accuracy")) in friday.notes[0]
    assert str(maximize("accuracy")) in friday.notes[0]
    assert [] == saturday.notes


def test_a_trial_of_several_commits_is_in_no_group() -> None:
    """A trial that was resumed by other code belongs to neither commit."""
    sweep, old = log_sweep(FRIDAY, [[0.5, 0.5], [0.5, 0.5]], commit="aa")
    _, new = log_sweep(FRIDAY, [[0.5, 0.5], [0.5, 0.5]], commit="bb")
    groups = form(put_together((sweep, [*old[:1], *new[1:]])), By.COMMIT)

    assert [("bb", 1)] == [(group.label, group.num_trials) for group in groups]


def test_what_makes_a_group_must_be_known() -> None:
    """Another word than day, sweep and commit is refused."""
    with pytest.raises(UsageError, match="Did you mean 'commit'"):
        By.parse("comit")
