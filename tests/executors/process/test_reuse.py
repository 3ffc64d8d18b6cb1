"""Processes that do several jobs, one after the other: what they share, and what not."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.errors import AssignmentError
from hparams_lab.executors.base import Executor, Finished, Job, JobEnd, Setup, Work
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.testing.executors import (
    answer_none,
    echo,
    is_alive,
    refuse,
    run_jobs,
    wait_until,
)
from hparams_lab.testing.processes import ProcessExecutorContract
from tests.support.process_jobs import DEATHS, perform, ready_executor

PID = ("get_pid",)


@pytest.mark.slow
class TestProcessExecutorThatKeepsProcesses(ProcessExecutorContract):
    """The process executor keeps the contract where processes do three jobs each."""

    def make_executor(
        self, setup: Setup, work: Work, num_workers: int, *, timeout_secs: float | None = None
    ) -> Executor:
        return ProcessExecutor(
            setup,
            work,
            num_workers=num_workers,
            timeout_secs=timeout_secs,
            jobs_per_process=3,
        )


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessExecutor]:
    """An executor of one job at a time, as many in a process as may be."""
    with ready_executor(num_workers=1, jobs_per_process=10_000) as ready:
        yield ready


def results(executor: Executor, tmp_path: Path, *steps: tuple[Any, ...]) -> list[Any]:
    """Return what jobs returned, one after the other."""
    return [end.result for end in perform(executor, tmp_path, *steps)]


def test_a_process_does_so_many_jobs(tmp_path: Path) -> None:
    """Three jobs share a process, which then ends; the next three have another."""
    with ready_executor(num_workers=1, jobs_per_process=3) as three:
        pids = results(three, tmp_path, *[PID] * 7)

    assert [pids[0]] * 3 + [pids[3]] * 3 == pids[:6]
    assert 3 == len({*pids})


def test_workers_share_no_process(tmp_path: Path) -> None:
    """Jobs at the same time are in different processes, and no more of these than workers."""
    with ready_executor(jobs_per_process=100) as two:
        pids = results(two, tmp_path, *[PID] * 20)

    assert 1 <= len({*pids}) <= 2


def test_close_ends_processes_that_wait(tmp_path: Path) -> None:
    """A process that waits for another job ends with its executor."""
    with ready_executor(num_workers=1, jobs_per_process=100) as kept:
        (pid,) = results(kept, tmp_path, PID)

    wait_until(lambda: not is_alive(pid))


@pytest.mark.parametrize("name", DEATHS)
def test_a_death_takes_its_own_job_alone(name: str, executor: Executor, tmp_path: Path) -> None:
    """However a job dies, the one before has its result, and the next a new process."""
    step, death = DEATHS[name]
    before, dead, after = perform(executor, tmp_path, PID, step, PID)

    assert ("", death, "") == (before.reason, dead.reason, after.reason)
    assert before.result != after.result


LITTER = {
    "thread": ("leave_running_thread",),
    "child": ("leave_grandchild",),
    "closed_streams": ("close_streams",),
    "closed_stdout": ("close_fd", 1),
    "closed_stderr": ("close_fd", 2),
}


@pytest.mark.parametrize("step", LITTER.values(), ids=LITTER)
def test_what_cannot_be_undone_ends_a_process(
    step: tuple[Any, ...], executor: Executor, tmp_path: Path
) -> None:
    """A job that leaves a thread, a child or a closed stream has its result, and no successor."""
    before, litter, after = perform(executor, tmp_path, PID, step, PID)

    assert "" == litter.reason
    assert before.result != after.result


def test_what_a_job_started_ends_with_it(executor: Executor, tmp_path: Path) -> None:
    """A process that a job leaves running is ended though its own process might do more."""
    (pid,) = results(executor, tmp_path, ("leave_grandchild",))

    wait_until(lambda: not is_alive(pid))


def test_place_is_put_back(executor: Executor, tmp_path: Path) -> None:
    """A job finds directory, environment and umask as the one before it found them."""
    place = ("describe_place",)
    first, _, last = results(executor, tmp_path, place, ("leave_place", tmp_path), place)

    assert first == last


def test_a_directory_that_is_gone_is_left(executor: Executor, tmp_path: Path) -> None:
    """A job whose directory is removed is followed by one in the old directory."""
    gone = tmp_path / "gone"
    gone.mkdir()
    results(executor, tmp_path, ("change_directory", gone))
    gone.rmdir()

    assert [os.getcwd()] == results(executor, tmp_path, ("get_directory",))


def test_alarms_and_handlers_are_put_back(executor: Executor, tmp_path: Path) -> None:
    """A job's alarm does not go off in the next job, nor is that deaf as the first was."""
    assert [None, False] == results(executor, tmp_path, ("set_alarm",), ("is_deaf_to_sigterm",))


def test_blocked_signals_are_put_back(executor: Executor, tmp_path: Path) -> None:
    """A job takes the signals that the one before it has blocked in the same process."""
    before, _, after = results(
        executor, tmp_path, PID, ("block_sigterm",), ("be_interrupted_by_sigterm",)
    )

    assert after == before


def test_output_goes_to_each_job_s_file(executor: Executor, tmp_path: Path) -> None:
    """What a job prints, in Python or in C, is in its own file, whatever it made of stdout."""
    steps = [("print_in_c", "one"), ("replace_stdout",), ("print_word", "three"), PID]
    before, *_, after = results(executor, tmp_path, PID, *steps)
    texts = [(tmp_path / f"{job_id}.log").read_text() for job_id in range(1, 4)]

    assert before == after
    assert ["one", "before ", "three\n"] == texts


def test_answers_are_the_asking_job_s(executor: Executor, tmp_path: Path) -> None:
    """Each job of a process is answered what it tells."""
    ends = run_jobs(executor, [("tell_until_true",), ("tell_pid",)], tmp_path, answer=echo)

    assert [Finished(0, "answered"), 1] == [ends[0], ends[1].result[0]]


def test_a_job_that_ended_cannot_tell(executor: Executor, tmp_path: Path) -> None:
    """What a job keeps to tell by is of no use to the next."""
    ends = run_jobs(executor, [("keep_tell",), ("tell_by_kept",)], tmp_path, answer=echo)

    assert (0, "own") == ends[0].result
    assert "a run may not report after its end" in ends[1].result


def test_an_interrupted_telling_ends_a_process(executor: Executor, tmp_path: Path) -> None:
    """An answer that comes too late is not taken for the next job."""
    ends = run_jobs(
        executor,
        [("tell_again_after_alarm",), ("get_pid",)],
        tmp_path,
        answer=lambda _, pid: os.kill(pid, signal.SIGALRM),
    )

    assert "once a report of it was interrupted" in ends[0].result
    assert isinstance(ends[1].result, int)


def test_a_forked_child_takes_no_job(executor: Executor, tmp_path: Path) -> None:
    """Where a child returns from a job as well, it does not go on as its parent does."""
    child, after = results(executor, tmp_path, ("fork_and_return_twice",), PID)

    assert child != after
    wait_until(lambda: not is_alive(child))


@pytest.mark.slow
def test_each_job_has_its_own_time(tmp_path: Path) -> None:
    """The time limit is of a job, not of its process, and ends no other job."""
    with ready_executor(num_workers=1, jobs_per_process=9, timeout_secs=1.0) as timed:
        nap, sleep = ("load_slowly", 0.6), ("sleep_noted", tmp_path / "pid")
        ends = perform(timed, tmp_path, nap, nap, sleep, PID)

    assert [False, False, True, False] == [end.end is JobEnd.TIMED_OUT for end in ends]
    assert int((tmp_path / "pid").read_text()) != ends[3].result


@pytest.mark.slow
def test_a_process_that_was_signalled_gets_no_job(tmp_path: Path) -> None:
    """A job that returns when it is stopped after its time has no successor, and is gone."""
    with ready_executor(num_workers=1, jobs_per_process=9, timeout_secs=1.0) as timed:
        step = ("sleep_until_terminated", OSError)
        before, stopped, after = results(timed, tmp_path, PID, step, PID)

        assert "cleaned up" == stopped
        assert before != after
        wait_until(lambda: not is_alive(before))


def test_jobs_go_on_after_stop(executor: Executor, tmp_path: Path) -> None:
    """After stop the next job has a new process, though the old ones wait for jobs."""
    (before,) = results(executor, tmp_path, PID)
    assert [] == executor.stop(30.0)
    (after,) = results(executor, tmp_path, PID)

    assert before != after
    wait_until(lambda: not is_alive(before))


def test_stop_ends_the_second_job(executor: Executor, tmp_path: Path) -> None:
    """A job that follows another in its process is interrupted as any other."""
    results(executor, tmp_path, PID)
    executor.submit(Job(1, ("tell_pid",), tmp_path / "1.log"))
    with pytest.raises(AssignmentError, match="cannot answer"):
        executor.wait(refuse)

    assert [Finished(1, reason="was interrupted", end=JobEnd.INTERRUPTED)] == executor.stop(30.0)


def test_who_dies_waiting_is_replaced(executor: Executor, tmp_path: Path) -> None:
    """A process that is killed between two jobs takes neither."""
    (before,) = results(executor, tmp_path, PID)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{before}").exists())
    executor.submit(Job(1, PID, tmp_path / "1.log"))

    assert "" == executor.wait(answer_none).reason
