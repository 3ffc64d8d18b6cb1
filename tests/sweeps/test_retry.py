"""Which runs are tried again, how often, and when: by a clock that the tests turn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hparams_lab.executors.base import JobEnd
from hparams_lab.logdir.layout import RunDir, SweepDir
from hparams_lab.sweeps.retry import MAX_LOSSES, MAX_WAIT_SECS, Retries

OWN_CAUSES = [JobEnd.CRASHED, JobEnd.TIMED_OUT]
FINAL_CAUSES = [None, JobEnd.ERROR, JobEnd.INTERRUPTED, JobEnd.OUT_OF_MEMORY]


def run_dir(trial: int = 0, *, repeat: int = 0) -> RunDir:
    return SweepDir(Path("/logs/toy/2026-11-21_07-34-05")).run_dir(
        f"{trial:04d}-abcdef01", repeat=repeat
    )


def attempts() -> Iterator[RunDir]:
    """Yield the directories of one run's attempts."""
    attempt = run_dir()
    while True:
        yield attempt
        attempt = attempt.next_attempt()


class Clock:
    """Stands still until it is set.

    Attributes:
        now: seconds.
    """

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("cause", OWN_CAUSES)
def test_a_run_is_tried_again_as_often_as_allowed(cause: JobEnd) -> None:
    """A run that crashes or times out each time is tried so often again, and no more."""
    retries: Retries[str] = Retries(3)
    waits = [retries.wait_for(attempt, cause) for attempt, _ in zip(attempts(), range(4))]  # noqa: B905

    assert [1.0, 2.0, 4.0, None] == waits


@pytest.mark.parametrize("cause", FINAL_CAUSES)
def test_other_ends_are_final(cause: JobEnd | None) -> None:
    """What train raised, what was interrupted or too large is not tried again."""
    assert Retries[str](9).wait_for(run_dir(), cause) is None


@pytest.mark.parametrize("cause", OWN_CAUSES)
def test_nothing_is_tried_again_unasked(cause: JobEnd) -> None:
    """By default a crash is final."""
    assert Retries[str]().wait_for(run_dir(), cause) is None


def test_a_lost_run_is_tried_again_at_once() -> None:
    """A run whose node died is tried again without a wait and unasked, but not for ever."""
    retries: Retries[str] = Retries()
    waits = [retries.wait_for(run_dir(), JobEnd.LOST) for _ in range(MAX_LOSSES + 1)]

    assert [0.0] * MAX_LOSSES + [None] == waits


def test_losses_are_not_counted_as_crashes() -> None:
    """A run that was lost has all its retries left; one loss too many uses them up."""
    retries: Retries[str] = Retries(1)
    causes = [JobEnd.LOST, JobEnd.CRASHED, JobEnd.LOST, JobEnd.LOST, JobEnd.LOST]
    waits = [retries.wait_for(run_dir(), cause) for cause in causes]

    assert [0.0, 1.0, 0.0, 0.0, None] == waits


@given(st.integers(0, 5_000))
def test_waits_are_bounded(num_tries: int) -> None:
    """However often a run is tried, it waits at least one second, and at most a minute."""
    retries: Retries[str] = Retries(num_tries + 1)
    retries._num_tries[run_dir().trial_id, 0, None] = num_tries
    wait_secs = retries.wait_for(run_dir(), JobEnd.CRASHED)

    assert wait_secs is not None
    assert 1.0 <= wait_secs <= MAX_WAIT_SECS


def test_runs_are_counted_apart() -> None:
    """Each run of a trial has its own retries."""
    retries: Retries[str] = Retries(1)
    runs = [run_dir(), run_dir(repeat=1), run_dir(1)]

    assert [1.0] * 3 == [retries.wait_for(each, JobEnd.CRASHED) for each in runs]
    assert [None] * 3 == [retries.wait_for(each, JobEnd.CRASHED) for each in runs]


def test_a_run_is_taken_when_it_is_due() -> None:
    """A run that waits is handed out once, when its time has come, and the earliest first."""
    clock = Clock()
    retries: Retries[str] = Retries(1, clock=clock)
    retries.add("late", 4.0)
    retries.add("early", 2.0)

    assert (None, 2.0) == (retries.take_due(), retries.next_wait_secs)
    clock.now = 3.0
    assert ("early", None, 1.0) == (
        retries.take_due(),
        retries.take_due(),
        retries.next_wait_secs,
    )


def test_nothing_waits_at_first() -> None:
    """Where no run waits there is nothing to wait for."""
    assert (None, math.inf) == (Retries[str]().take_due(), Retries[str]().next_wait_secs)


def test_what_waits_can_be_given_up() -> None:
    """Runs that are given up wait no more, and come back in the order of their times."""
    retries: Retries[str] = Retries(1)
    for name, wait_secs in [("c", 9.0), ("a", 1.0), ("b", 1.0)]:
        retries.add(name, wait_secs)

    assert ["a", "b", "c"] == retries.give_up()
    assert (math.inf, []) == (retries.next_wait_secs, retries.give_up())
