"""Process executors that are ready, and jobs that die in every way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hparams_lab.executors.base import Executor, Finished, Setup
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.testing.executors import (
    run_jobs,
)
from tests.support import jobs


@contextmanager
def ready_executor(
    setup: Setup = int, *, num_workers: int = 2, **options: Any
) -> Iterator[ProcessExecutor]:
    """Yield an executor of `jobs.perform` that is ready, and close it."""
    with ProcessExecutor(setup, jobs.perform, num_workers=num_workers, **options) as executor:
        executor.start()
        executor.ready()
        yield executor


def perform(executor: Executor, tmp_path: Path, *steps: tuple[Any, ...]) -> list[Finished]:
    """Perform each step in a job of its own and return how they ended, in order."""
    ends = run_jobs(executor, steps, tmp_path)
    return [ends[job_id] for job_id in sorted(ends)]


DEATHS = {
    "killed": (("die_of", "SIGKILL"), "was killed by SIGKILL"),
    "terminated": (("die_of", "SIGTERM"), "was killed by SIGTERM"),
    "aborted": (("die_of", "SIGABRT"), "was killed by SIGABRT"),
    "segfault": (("segfault",), "was killed by SIGSEGV"),
    "os_exit": (("exit_at_once", 3), "exited with code 3 before train returned"),
    "os_exit_0": (("exit_at_once", 0), "exited with code 0 before train returned"),
    "sys_exit": (("raise_system_exit", 3), "failed outside train: SystemExit: 3"),
    "unpicklable_result": (
        ("return_unpicklable",),
        "returned what cannot be sent: TypeError: cannot pickle '_thread.lock' object",
    ),
    "silent_exception": (
        ("close_stderr_and_raise",),
        "failed outside train: ValueError: said in silence",
    ),
}
