import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.errors import ExecutorError, HParamsLabError
from hparams_lab.executors.base import Executor, Finished, Setup, Work
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.testing.executors import (
    is_alive,
    note_call,
    wait_until,
)
from hparams_lab.testing.processes import ProcessExecutorContract
from tests.support import jobs
from tests.support.process_jobs import DEATHS, perform, ready_executor


class TestProcessExecutor(ProcessExecutorContract):
    """The process executor keeps the contract."""

    def make_executor(
        self, setup: Setup, work: Work, num_workers: int, *, timeout_secs: float | None = None
    ) -> Executor:
        return ProcessExecutor(setup, work, num_workers=num_workers, timeout_secs=timeout_secs)


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessExecutor]:
    """An executor for all tests here: no job leaves a trace for the next."""
    with ready_executor() as ready:
        yield ready


def test_every_job_has_a_fresh_process(executor: Executor, tmp_path: Path) -> None:
    """No two jobs share a process, and none runs here."""
    pids = [end.result for end in perform(executor, tmp_path, *[("get_pid",)] * 4)]

    assert 5 == len({os.getpid(), *pids})


def test_setup_is_called_once_for_all_jobs(tmp_path: Path) -> None:
    """Jobs are forked from a process that has been set up; none sets up again."""
    with ready_executor(partial(note_call, tmp_path / "calls", 0)) as counted:
        perform(counted, tmp_path, *[("get_pid",)] * 4)

    assert ["called"] == (tmp_path / "calls").read_text().splitlines()


def test_a_fork_is_nothing_to_tell(executor: Executor) -> None:
    """Where jobs are forked there is no notice."""
    assert "" == executor.notice


@pytest.fixture(scope="module")
def ends(executor: Executor, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """How jobs ended that died in each of these ways, one after the other."""
    steps = [step for step, _ in DEATHS.values()]
    return dict(
        zip(DEATHS, perform(executor, tmp_path_factory.mktemp("deaths"), *steps), strict=True)
    )


@pytest.mark.parametrize("name", DEATHS)
def test_death_is_told_in_words(name: str, ends: dict[str, Finished]) -> None:
    """How a job's process ended is said as a user would say it."""
    assert (None, DEATHS[name][1]) == (ends[name].result, ends[name].reason)


def test_segfault_leaves_its_traceback(executor: Executor, tmp_path: Path) -> None:
    """What Python was doing when a job crashed is in the job's output."""
    perform(executor, tmp_path, ("segfault",))

    assert "in segfault" in (tmp_path / "0.log").read_text()


def test_output_of_both_streams_goes_to_the_file(executor: Executor, tmp_path: Path) -> None:
    """What a job writes to stdout or stderr, even past Python, is in its output file."""
    perform(executor, tmp_path, ("write_to", 1, "out "), ("write_to", 2, "err"))

    assert "out err" == (tmp_path / "0.log").read_text() + (tmp_path / "1.log").read_text()


def test_much_output_does_not_block(executor: Executor, tmp_path: Path) -> None:
    """A job may print 20 MB."""
    (end,) = perform(executor, tmp_path, ("print_megabytes", 20))

    assert "printed" == end.result
    assert 20 << 20 == (tmp_path / "0.log").stat().st_size


@pytest.mark.parametrize("step", [("close_streams",), ("close_fd", 1), ("close_fd", 2)], ids=str)
def test_streams_may_be_closed(executor: Executor, step: tuple[Any, ...], tmp_path: Path) -> None:
    """A job that closes what it prints to still returns its result."""
    assert [Finished(0, "closed")] == perform(executor, tmp_path, step)


def test_stdin_of_a_job_is_empty(executor: Executor, tmp_path: Path) -> None:
    """A job that reads stdin waits for nobody and takes no message."""
    assert ["", ""] == [end.result for end in perform(executor, tmp_path, *[("read_stdin",)] * 2)]


def test_change_of_directory_is_a_job_s_own(executor: Executor, tmp_path: Path) -> None:
    """The job after one that changes directory is where the first one was."""
    _, second = perform(executor, tmp_path, ("change_directory", tmp_path), ("get_directory",))

    assert os.getcwd() == second.result


def test_threads_left_running_do_not_hold_a_job(executor: Executor, tmp_path: Path) -> None:
    """A job ends though it leaves a thread running."""
    assert [Finished(0, "left")] == perform(executor, tmp_path, ("leave_running_thread",))


def test_processes_left_running_are_ended(executor: Executor, tmp_path: Path) -> None:
    """What a job started ends with it."""
    (end,) = perform(executor, tmp_path, ("leave_grandchild",))

    wait_until(lambda: not is_alive(end.result))


SETUP_FAILURES: dict[str, tuple[Callable[[], Any], str]] = {
    "killed": (jobs.kill_this_process, "was killed by SIGKILL. Run with --executor=inline"),
    "sys_exit": (jobs.exit_process, "SystemExit: 3"),
    "exception": (jobs.raise_key_error, "KeyError: 'no such column'"),
}


@pytest.mark.parametrize(("setup", "message"), SETUP_FAILURES.values(), ids=SETUP_FAILURES)
def test_failed_setup_is_reported(setup: Setup, message: str) -> None:
    """A setup that is no error of ours, or kills its process, is one that ready raises."""
    with pytest.raises(ExecutorError, match=message), ready_executor(setup):
        pass


def test_error_that_cannot_travel_is_reported() -> None:
    """An error of setup that cannot be unpickled here is told in words."""
    with (
        pytest.raises(HParamsLabError, match="the number must be even; got 3"),
        ready_executor(jobs.raise_two_part_error),
    ):
        pass
