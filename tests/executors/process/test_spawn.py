"""The process executor where it must not fork: a new interpreter a job."""

from functools import partial
from pathlib import Path

import pytest

from hparams_lab.executors.base import Executor, Setup, Work
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.testing.executors import (
    is_alive,
    note_call,
    run_jobs,
    wait_until,
)
from hparams_lab.testing.processes import ProcessExecutorContract
from tests.support import jobs
from tests.support.process_jobs import DEATHS, perform, ready_executor

pytestmark = pytest.mark.slow

UNSAFE_SETUP = partial(jobs.leave_thread, int)


@pytest.mark.soak  # each of fifty jobs starts an interpreter
class TestProcessExecutorThatMustNotFork(ProcessExecutorContract):
    """The process executor keeps the contract where it must not fork."""

    def make_executor(
        self, setup: Setup, work: Work, num_workers: int, *, timeout_secs: float | None = None
    ) -> Executor:
        return ProcessExecutor(
            partial(jobs.leave_thread, setup),
            work,
            num_workers=num_workers,
            timeout_secs=timeout_secs,
        )


def test_notice_says_why() -> None:
    """The user is told that jobs are slow to begin, and why."""
    with ready_executor(UNSAFE_SETUP) as executor:
        assert executor.notice == (
            "each run starts a new interpreter, which takes seconds, as 1 thread(s) were left "
            "running when the experiment or its data was loaded"
        )


def test_tensorflow_that_has_run_is_not_forked(tmp_path: Path) -> None:
    """After a TensorFlow operation in setup each job sets up for itself, and computes."""
    with ready_executor(jobs.run_tensorflow_op, num_workers=1) as executor:
        ends = run_jobs(executor, [("multiply_in_tensorflow",)], tmp_path)

    assert "a TensorFlow operation was run" in executor.notice
    assert 512.0 == ends[0].result[0]


def test_every_job_sets_up(tmp_path: Path) -> None:
    """Setup is called for each job, beside the once that found out."""
    setup = partial(jobs.leave_thread, partial(note_call, tmp_path / "calls", 0))
    with ready_executor(setup) as executor:
        perform(executor, tmp_path, ("get_pid",), ("get_pid",))

    assert ["called"] * 3 == (tmp_path / "calls").read_text().splitlines()


def test_nothing_is_printed_to_the_user(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The server that is not needed goes without a word."""
    with ready_executor(UNSAFE_SETUP) as executor:
        perform(executor, tmp_path, ("get_pid",))

    assert ("", "") == tuple(capfd.readouterr())


@pytest.mark.parametrize("name", ["killed", "segfault", "sys_exit"])
def test_death_is_told_in_words(name: str, tmp_path: Path) -> None:
    """How a job's process ended is said as where jobs are forked."""
    step, death = DEATHS[name]
    with ready_executor(UNSAFE_SETUP) as executor:
        assert [death] == [end.reason for end in perform(executor, tmp_path, step)]


def test_threads_left_running_do_not_hold_a_process(tmp_path: Path) -> None:
    """A job that leaves a thread running ends, and so does its process."""
    with ready_executor(UNSAFE_SETUP) as executor:
        ends = run_jobs(executor, [("leave_thread_and_return_pid",)], tmp_path)

        wait_until(lambda: not is_alive(ends[0].result))


def test_processes_left_running_are_ended(tmp_path: Path) -> None:
    """What a job started ends with it, also where it is not forked."""
    with ready_executor(UNSAFE_SETUP) as executor:
        ends = run_jobs(executor, [("leave_grandchild",)], tmp_path)

    wait_until(lambda: not is_alive(ends[0].result))


def test_forked_children_do_not_hide_a_death(tmp_path: Path) -> None:
    """A job that is killed is known to be dead, though a child of it lives on."""
    file = tmp_path / "child.pid"
    with ready_executor(UNSAFE_SETUP) as executor:
        (end,) = perform(executor, tmp_path, ("fork_then_die", file))

    assert "was killed by SIGKILL" == end.reason
    wait_until(lambda: not is_alive(int(file.read_text())))
