"""Runs jobs in this very process, one after the other: for debuggers and short tracebacks."""

from __future__ import annotations

import math
import threading
import time
import traceback
from typing import Any

from hparams_lab.catalog.option import Options
from hparams_lab.errors import UsageError
from hparams_lab.executors.base import (
    Answer,
    Executor,
    ExecutorSpec,
    Finished,
    Job,
    Setup,
    Work,
    Workload,
    conclude_interrupted,
    conclude_raised,
)


class InlineExecutor(Executor):
    """Calls `work` in `wait`. What a job prints is seen at once; what kills it kills all.

    Args:
        setup: called once, in `ready`; what it raises is passed on as it is.
        work: called for each job. Where a message of it cannot be answered it is sent
            KeyboardInterrupt, as by `stop`.
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

    def wait(self, answer: Answer, timeout_secs: float = math.inf) -> Finished | None:
        if not self._pending:
            time.sleep(timeout_secs)
            return None
        job = self._pending[0]
        errors: list[BaseException] = []
        lock = threading.Lock()  # the job may ask from several threads

        def ask(message: Any) -> Any:
            with lock:
                try:
                    return answer(job.id, message)
                except BaseException as error:
                    errors.append(error)
                    # Not the error itself, which train may take for one of its own.
                    raise KeyboardInterrupt from error

        try:
            finished = Finished(job.id, result=self._work(self._state, job.argument, ask))
        except Exception as error:
            traceback.print_exc()
            finished = conclude_raised(job.id, error)
        except KeyboardInterrupt:
            if not errors:
                raise
        if errors:
            raise errors[0]
        self._pending.pop(0)
        return finished

    def stop(self, grace_secs: float) -> list[Finished]:
        stopped = [conclude_interrupted(job.id) for job in self._pending]
        self._pending.clear()
        return stopped

    def close(self) -> None:
        self._state = None
        self._pending.clear()


def _make(workload: Workload, options: Options) -> Executor:
    if (workload.num_workers or 1) > 1:
        raise UsageError(
            f"--executor=inline runs one run at a time; got --workers={workload.num_workers}. "
            "Drop one of the two."
        )
    return InlineExecutor(workload.setup, workload.work)


INLINE = ExecutorSpec(make=_make, still_holds=lambda name: name != "workers")
