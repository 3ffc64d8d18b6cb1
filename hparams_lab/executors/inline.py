"""Runs jobs in this very process, one after the other: for debuggers and short tracebacks."""

from __future__ import annotations

import traceback
from typing import Any

from hparams_lab.executors.base import Executor, Finished, Job, Setup, Work, describe_error


class InlineExecutor(Executor):
    """Calls `work` in `wait`. What a job prints is seen at once; what kills it kills all.

    Args:
        setup: called once, in `ready`; what it raises is passed on as it is.
        work: called for each job.
    """

    def __init__(self, setup: Setup, work: Work) -> None:
        super().__init__(num_workers=1)
        self._setup = setup
        self._work = work
        self._state: Any = None
        self._pending: list[Job] = []

    def start(self) -> None:
        """Do nothing yet: there is no background here."""

    def ready(self) -> None:
        self._state = self._setup()

    def submit(self, job: Job) -> None:
        self._pending.append(job)

    def wait(self) -> Finished:
        job = self._pending[0]
        try:
            finished = Finished(job.id, result=self._work(self._state, job.argument))
        except Exception as error:
            traceback.print_exc()
            finished = Finished(job.id, death=describe_error(error))
        self._pending.pop(0)
        return finished

    def stop(self, grace_secs: float) -> list[Finished]:
        stopped = [Finished(job.id, death="was interrupted") for job in self._pending]
        self._pending.clear()
        return stopped

    def close(self) -> None:
        self._state = None
        self._pending.clear()
