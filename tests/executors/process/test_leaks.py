"""What thousands of jobs leave in their executor's process, and in the server: nothing."""

import operator
import signal
from functools import partial
from pathlib import Path

import psutil
import pytest

from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.testing.executors import run_jobs, wait_until
from tests.support import jobs
from tests.support.process_jobs import ready_executor

pytestmark = pytest.mark.soak

PID = ("get_pid",)

# The allocator keeps a little, and this test its results; thousands of leaks cost more.
MAX_GROWTH_BYTES = 4 << 20


@pytest.fixture(autouse=True)
def patience(watchdog: None) -> None:
    """Give these tests more time."""
    signal.alarm(300)


def count(process: psutil.Process) -> tuple[int, int, int]:
    """Return how many descriptors, threads and processes a process has."""
    return process.num_fds(), process.num_threads(), len(process.children(recursive=True))


def server_of(executor: ProcessExecutor, tmp_path: Path) -> psutil.Process:
    """Return the process that jobs are forked from."""
    return psutil.Process(run_jobs(executor, [("get_parent_pid",)], tmp_path)[0].result)


SETUPS = {
    "fresh": (int, 1, 200),
    "reused": (int, 50, 500),
    "new_interpreter": (partial(jobs.leave_thread, int), 1, 4),
}


@pytest.mark.parametrize(("setup", "jobs_per_process", "num_jobs"), SETUPS.values(), ids=SETUPS)
def test_an_executor_gives_everything_back(
    setup: partial[int], jobs_per_process: int, num_jobs: int, tmp_path: Path
) -> None:
    """After close there are as many descriptors, threads and processes as before start."""
    here = psutil.Process()
    before = count(here)
    with ready_executor(setup, jobs_per_process=jobs_per_process) as executor:
        run_jobs(executor, [PID] * num_jobs, tmp_path)

    # No more: what an earlier test has left may go meanwhile.
    wait_until(lambda: all(map(operator.le, count(here), before)))


@pytest.mark.parametrize(
    ("jobs_per_process", "num_jobs"), [(1, 1000), (50, 2000)], ids=["fresh", "reused"]
)
def test_jobs_leave_nothing(jobs_per_process: int, num_jobs: int, tmp_path: Path) -> None:
    """After thousands of jobs neither executor nor server has more of anything than before."""
    output = tmp_path / "output"
    with ready_executor(num_workers=1, jobs_per_process=jobs_per_process) as executor:
        processes = psutil.Process(), server_of(executor, output)
        run_jobs(executor, [PID] * 99, output)  # with that of the server: two processes' jobs
        wait_until(lambda: not processes[1].children())
        before = [count(each) for each in processes]
        sizes = [each.memory_info().rss for each in processes]
        run_jobs(executor, [PID] * num_jobs, output)

        wait_until(lambda: before == [count(each) for each in processes])
        grown = [each.memory_info().rss for each in processes]
    assert all(now - size < MAX_GROWTH_BYTES for now, size in zip(grown, sizes, strict=True))
