import os
from pathlib import Path

import pytest

from hparams_lab.errors import AssignmentError
from hparams_lab.executors.base import Ask, Executor, Job, Setup, Work
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.testing.executors import ExecutorContract, refuse, run_jobs
from tests.support import jobs


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


def test_job_without_an_answer_is_interrupted(tmp_path: Path) -> None:
    """A job whose message cannot be answered is told Ctrl-C, not the owner's error."""
    seen = []

    def work(state: object, argument: object, ask: Ask) -> None:
        try:
            ask(argument)
        except BaseException as error:
            seen.append(type(error))
            raise

    with InlineExecutor(int, work) as executor:
        executor.submit(Job(0, "a", tmp_path / "0.log"))
        with pytest.raises(AssignmentError, match="cannot answer 'a'"):
            executor.wait(refuse)

    assert [KeyboardInterrupt] == seen
