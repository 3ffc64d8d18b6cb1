"""Runs that die as processes do, without a process: for tests of what the runner makes of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.executors.base import Answer, Executor, Finished, JobEnd
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.search.base import Strategy
from hparams_lab.sweeps.listeners import Listeners, RunResult
from hparams_lab.sweeps.loop import Attempt, SweepResult, run_sweep
from hparams_lab.sweeps.retry import Retries
from hparams_lab.sweeps.schedule import Schedule
from hparams_lab.sweeps.stopping import StopConditions
from hparams_lab.sweeps.worker import execute
from tests.support.loop_runs import SWEEP, NotingStrategy, load

Train = Callable[[Run], Any]


class Death(BaseException):
    """Ends a run at once, with nothing written: no `except Exception` sees it.

    Args:
        cause: that the executor tells.
    """

    def __init__(self, cause: JobEnd = JobEnd.CRASHED) -> None:
        super().__init__()
        self.end = cause


class MortalExecutor(InlineExecutor):
    """Runs jobs here; one that raises `Death` has died of its cause."""

    def wait(self, answer: Answer, timeout_secs: float = math.inf) -> Finished | None:
        if not self._pending:
            assert timeout_secs < math.inf, "waits for ever"
            return None
        job = self._pending[0]
        try:
            return super().wait(answer, timeout_secs)
        except Death as death:
            self._pending.remove(job)
            return Finished(job.id, reason=f"died: {death.end.value}", end=death.end)


class Sweeping:
    """Runs the sweep of `test_runner` with retries.

    Args:
        sweep_dir: where.
        strategy: that is told of the trials.
        error_on_retry: raised when a run is to be tried again.
        changes: fields of the sweep.

    Attributes:
        sweep: what.
        ended: runs that ended for good, in order.
        retried: causes of attempts that were made again, and their waits.
    """

    def __init__(
        self,
        sweep_dir: SweepDir,
        *,
        strategy: Strategy | None = None,
        error_on_retry: type[BaseException] | None = None,
        **changes: Any,
    ) -> None:
        self.sweep = replace(SWEEP, **changes)
        self.strategy = strategy or NotingStrategy()
        self.ended: list[RunResult] = []
        self.retried: list[tuple[JobEnd, float]] = []
        self._dir = sweep_dir
        self._error_on_retry = error_on_retry

    def run(
        self,
        train: Train,
        retries: int = 0,
        *,
        limits: StopConditions | None = None,
        step_secs: float = 1e4,
    ) -> SweepResult:
        """Run it here; each time that the clock is read it is so much later."""
        clock = itertools.count(0.0, step_secs).__next__
        executor = MortalExecutor(partial(load, train), execute)
        return self.run_on(executor, Retries(retries, clock=clock), limits or StopConditions())

    def run_on(
        self, executor: Executor, retries: Retries[Attempt], limits: StopConditions
    ) -> SweepResult:
        """Run it on an executor, which is closed afterwards."""
        with executor:
            executor.start()
            executor.ready()
            return run_sweep(
                Schedule(self.sweep, self._dir, self.strategy),
                executor,
                stop=limits,
                listeners=Listeners(on_result=self.ended.append, on_retry=self._note_retry),
                retries=retries,
            )

    def _note_retry(self, result: RunResult, cause: JobEnd, wait_secs: float) -> None:
        self.retried.append((cause, wait_secs))
        if self._error_on_retry is not None:
            raise self._error_on_retry

    def read(self) -> list[RunRecord]:
        """Return the runs as their event files have them."""
        return read_runs(self._dir, self.sweep.space)


def attempt_of(run: Run) -> int:
    """Return which attempt at a run this is, by its directory."""
    return int(run.dir.name.partition("a")[2] or 0)
