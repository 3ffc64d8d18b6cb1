"""What becomes of jobs that run for longer than they may."""

import math
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.executors.base import Finished, Job, JobEnd
from hparams_lab.executors.process.limits import GRACE_SECS, JobLimits, LimitMonitor
from hparams_lab.testing.executors import answer_none, is_alive, run_jobs, wait_until
from tests.support import jobs
from tests.support.process_jobs import perform, ready_executor

SETUPS = {
    "fork": int,
    "spawn": pytest.param(partial(jobs.leave_thread, int), marks=pytest.mark.slow),
}
either_way = pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)

Setup = Callable[[], Any]


def timed_out(job_id: int, secs: float = 1.0) -> Finished:
    """Return the end of a job that took too long."""
    death = f"was stopped after its time limit of {secs:g} s"
    return Finished(job_id, reason=death, end=JobEnd.TIMED_OUT)


@pytest.mark.slow
@either_way
def test_job_that_takes_too_long_is_stopped(setup: Setup, tmp_path: Path) -> None:
    """A job that sleeps beyond its time limit is told stopped for that, and is gone."""
    file = tmp_path / "job.pid"
    with ready_executor(setup, timeout_secs=1.0) as executor:
        assert [timed_out(0)] == perform(executor, tmp_path, ("sleep_noted", file))

    wait_until(lambda: not is_alive(int(file.read_text())))


@pytest.mark.slow
@either_way
def test_what_a_stopped_job_started_is_gone(setup: Setup, tmp_path: Path) -> None:
    """No process that a stopped job had started outlives it."""
    file = tmp_path / "grandchild.pid"
    with ready_executor(setup, timeout_secs=1.0) as executor:
        assert [timed_out(0)] == perform(executor, tmp_path, ("sleep_with_grandchild", file))

    wait_until(lambda: not is_alive(int(file.read_text())))


@pytest.mark.slow
@either_way
def test_result_in_the_grace_counts(setup: Setup, tmp_path: Path) -> None:
    """A job that returns after all when it is sent SIGTERM has its result."""
    with ready_executor(setup, timeout_secs=1.0) as executor:
        (end,) = perform(executor, tmp_path, ("sleep_until_terminated", OSError))

    assert Finished(0, "cleaned up") == end


@pytest.mark.slow
@either_way
def test_death_in_the_grace_is_the_limit_s(setup: Setup, tmp_path: Path) -> None:
    """A job that makes an exception of SIGTERM is told stopped after its time limit."""
    with ready_executor(setup, timeout_secs=1.0) as executor:
        (end,) = perform(executor, tmp_path, ("sleep_until_terminated", SystemExit))

    assert timed_out(0) == end


@pytest.mark.slow
def test_job_deaf_to_sigterm_is_killed(tmp_path: Path) -> None:
    """A job that ignores SIGTERM is killed after the grace."""
    file = tmp_path / "job.pid"
    with ready_executor(timeout_secs=1.0) as executor:
        (end,) = perform(executor, tmp_path, ("sleep_deaf_to_sigterm", file))

    assert timed_out(0) == end
    wait_until(lambda: not is_alive(int(file.read_text())))


@pytest.mark.slow
@either_way
def test_other_jobs_go_on(setup: Setup, tmp_path: Path) -> None:
    """A job that has time left goes on when another is stopped."""
    file = tmp_path / "first.pid"
    with ready_executor(setup, timeout_secs=3.0) as executor:
        executor.submit(Job(0, ("sleep_noted", file), tmp_path / "0.log"))
        executor.submit(Job(1, ("load_slowly", 1.5), tmp_path / "1.log"))
        assert Finished(1) == executor.wait(answer_none)
        executor.submit(Job(2, ("wait_for_end_of", file), tmp_path / "2.log"))
        ends = [executor.wait(answer_none) for _ in range(2)]

    # Which is told first is chance: they come from two processes.
    assert [timed_out(0, 3.0), Finished(2, "went on")] == sorted(ends, key=lambda end: end.job_id)


@pytest.mark.slow
def test_next_job_has_its_own_time(tmp_path: Path) -> None:
    """The job after a stopped one is not stopped, even if it has the same id."""
    with ready_executor(timeout_secs=1.0) as executor:
        perform(executor, tmp_path, ("sleep_noted", tmp_path / "job.pid"))
        (end,) = perform(executor, tmp_path, ("get_directory",))

    assert "" == end.reason


def test_incessant_telling_does_not_put_off_the_limit(tmp_path: Path) -> None:
    """Jobs that tell without a pause are stopped when their time is over."""
    with ready_executor(timeout_secs=1.0) as executor:
        ends = run_jobs(executor, [("tell_until_true",)] * 2, tmp_path)

    assert {0: timed_out(0), 1: timed_out(1)} == ends


@pytest.mark.slow
def test_death_within_the_limit_is_told_as_it_was(tmp_path: Path) -> None:
    """A job that died in time is not told stopped, however late its end is looked at."""
    file = tmp_path / "sleeper.pid"

    def kill_sleeper(job_id: int, pid: int) -> None:
        wait_until(file.exists)
        os.kill(int(file.read_text()), signal.SIGKILL)
        time.sleep(1.5)  # until its time is over

    with ready_executor(timeout_secs=1.0) as executor:
        steps = [("sleep_noted", file), ("tell_pid",)]
        ends = run_jobs(executor, steps, tmp_path, answer=kill_sleeper)

    assert Finished(0, reason="was killed by SIGKILL", end=JobEnd.CRASHED) == ends[0]


@pytest.mark.slow
def test_loading_takes_none_of_the_time(tmp_path: Path) -> None:
    """The time that a new interpreter takes to load is not the job's."""
    setup = partial(jobs.leave_thread, partial(jobs.load_slowly, 1.0))
    with ready_executor(setup, timeout_secs=0.7) as executor:
        (end,) = perform(executor, tmp_path, ("get_directory",))

    assert "" == end.reason


@pytest.mark.slow
@either_way
def test_stopped_job_is_ended(setup: Setup, tmp_path: Path) -> None:
    """A job that has stopped itself, as by Ctrl-Z, is ended when its time is over."""
    with ready_executor(setup, timeout_secs=1.0) as executor:
        assert [timed_out(0)] == perform(executor, tmp_path, ("die_of", "SIGSTOP"))


@pytest.mark.slow
def test_process_is_not_kept(tmp_path: Path) -> None:
    """A job that returned in the grace has its result, and the next has another process."""
    with ready_executor(num_workers=1, timeout_secs=1.0, jobs_per_process=100) as executor:
        steps = [("get_pid",), ("sleep_until_terminated", OSError), ("get_pid",)]
        first, second, third = perform(executor, tmp_path, *steps)

    assert "cleaned up" == second.result
    assert first.result != third.result


def test_grace_begins_with_the_signal() -> None:
    """A job is given its grace from when it was told, however long that took."""
    watch = LimitMonitor(JobLimits(timeout_secs=0.0))
    watch.begin(os.getpid())
    violation = watch.check()

    assert violation is not None
    assert (None, math.inf) == (watch.check(), watch.next_look)
    assert signal.SIGTERM in watch.signals(violation)
    assert watch.next_look > time.monotonic() + GRACE_SECS - 1.0
    assert (signal.SIGKILL,) == watch.signals(violation)
