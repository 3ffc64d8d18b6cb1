"""What ends a sweep before its search is over: time, and failures in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.sweeps.stopping import StopConditions
from tests.support.loop_runs import NUM_TRIALS, fail_at_1, inline, processes, read, run_all, square


def after(num_calls: int) -> Callable[[], bool]:
    """Return a clock on which time is up at the call after so many."""
    calls = iter([False] * num_calls)
    return lambda: next(calls, True)


def fail(run: Run) -> dict[str, float]:
    raise ValueError("always")


def fail_but_at_2(run: Run) -> dict[str, float]:
    return square(run) if run.hparams["x"] == 2 else fail(run)


def test_no_run_begins_when_the_time_is_up(sweep_dir: SweepDir) -> None:
    """After the time budget no more runs begin, and the result says why."""
    result = run_all(inline(square), sweep_dir, limits=StopConditions(after(2)))

    assert 2 == result.num_runs == len(read(sweep_dir))
    assert "the time budget is used up" == result.stopped


def test_running_runs_finish_when_the_time_is_up(sweep_dir: SweepDir) -> None:
    """What had begun when the time was up ends as it would."""
    result = run_all(processes(square), sweep_dir, limits=StopConditions(after(2)))

    assert {Ending.COMPLETE: 2} == result.endings


def test_no_time_at_all_is_no_run(sweep_dir: SweepDir) -> None:
    """A budget that is used up at once runs nothing."""
    result = run_all(inline(square), sweep_dir, limits=StopConditions(after(0)))

    assert (0, "the time budget is used up") == (result.num_runs, result.stopped)


@pytest.mark.parametrize(
    ("train", "max_failures", "num_runs", "stopped"),
    [
        (fail, 1, 1, "1 run failed"),
        (fail, 3, 3, "3 runs in a row failed"),
        (fail_but_at_2, 2, 2, "2 runs in a row failed"),
        (fail_but_at_2, 3, NUM_TRIALS, ""),
        (fail_at_1, 2, NUM_TRIALS, ""),
        (fail, None, NUM_TRIALS, ""),
    ],
    ids=["first", "third", "before", "between", "lone", "no_limit"],
)
def test_failures_in_a_row_end_a_sweep(
    train: Any, max_failures: int | None, num_runs: int, stopped: str, sweep_dir: SweepDir
) -> None:
    """So many failures in a row end a sweep, saying why; a success between them starts anew."""
    result = run_all(inline(train), sweep_dir, limits=StopConditions(max_failures=max_failures))

    assert (num_runs, stopped) == (result.num_runs, result.stopped)


def test_a_sweep_that_is_over_was_not_stopped(sweep_dir: SweepDir) -> None:
    """Time that is up as the last run ends has cost nothing, and nothing is said."""
    result = run_all(inline(square), sweep_dir, limits=StopConditions(after(NUM_TRIALS)))

    assert (NUM_TRIALS, "") == (result.num_runs, result.stopped)
