import os
from pathlib import Path

from hparams_lab.executors.base import Executor, Setup, Work
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.testing.executors import ExecutorContract, run_jobs
from tests.executors import jobs


class TestInlineExecutor(ExecutorContract):
    """The inline executor keeps the contract."""

    def make_executor(self, setup: Setup, work: Work, num_workers: int) -> Executor:
        return InlineExecutor(setup, work)


def test_jobs_run_here(tmp_path: Path) -> None:
    """A job runs in the process that waits for it, where a debugger sees it."""
    with InlineExecutor(int, jobs.perform) as executor:
        executor.start()
        executor.ready()
        ends = run_jobs(executor, [("get_pid",)], tmp_path)

    assert os.getpid() == ends[0].result


def test_one_worker_only() -> None:
    """It runs one job at a time."""
    assert 1 == InlineExecutor(int, jobs.perform).num_workers
