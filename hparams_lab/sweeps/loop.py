"""The loop of a sweep: propose, submit, observe.

    strategy ──assignment──▶ schedule ──run──▶ runner ──job──▶ executor ──▶ worker
        ▲                      │  ▲             │ ▲ │                          │
        └─────value, report────┘  └───outcome───┘ │ └──────outcome, report─────┘
                                              retries

It decides nothing itself: what to run is the schedule's, where the executor's, how a run
went the worker's, whether it is tried again the retries'. It only sees to it that every
run it started has a true end. It does not print, and reads no clock.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hparams_lab.errors import StorageError
from hparams_lab.events.schema import Ending, Status
from hparams_lab.executors.base import Executor, Finished, Job, JobEnd, conclude_interrupted
from hparams_lab.logdir.atomic import storing
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.trial import Trial
from hparams_lab.sweeps.attempt import conclude, make_room
from hparams_lab.sweeps.listeners import Listeners, RunResult
from hparams_lab.sweeps.retry import Retries
from hparams_lab.sweeps.reuse import Reuse
from hparams_lab.sweeps.schedule import Schedule
from hparams_lab.sweeps.stopping import StopConditions

# How long an interrupted run may take to clean up before it is killed.
GRACE_SECS = 5.0

# Of a long sweep whose every run fails not all are kept in memory.
MAX_FAILURES_KEPT = 100


Attempt = tuple[RunResult, JobEnd]
"""One that has ended and is to be made again, and why."""


@dataclass
class SweepResult:
    """What came of launching or resuming a sweep; its runs are in their event files."""

    # how many runs ended in each way, each by its last attempt
    endings: Counter[Ending] = field(default_factory=Counter)
    # the first of the runs that failed, at most `MAX_FAILURES_KEPT`
    failures: list[RunResult] = field(default_factory=list)
    # how many attempts were made again, by how they had ended
    retries: Counter[JobEnd] = field(default_factory=Counter)
    num_reused: int = 0  # runs that were taken over from other sweeps
    stopped: str = ""  # why it ended before its search was over; empty if it did not

    @property
    def num_runs(self) -> int:
        """How many runs have ended."""
        return self.endings.total()

    @property
    def num_failed(self) -> int:
        """How many of them failed."""
        return sum(n for ending, n in self.endings.items() if ending.status is Status.FAILURE)

    def add(self, result: RunResult) -> None:
        """Take note of a run that has ended."""
        self.endings[result.outcome.ending] += 1
        self.num_reused += bool(result.spec.reused_from)
        if result.outcome.status is Status.FAILURE and len(self.failures) < MAX_FAILURES_KEPT:
            self.failures.append(result)


def run_sweep(
    schedule: Schedule,
    executor: Executor,
    *,
    listeners: Listeners = Listeners(),  # noqa: B008 - frozen
    stop: StopConditions | None = None,
    reuse: Reuse | None = None,
    retries: Retries[Attempt] | None = None,
) -> SweepResult:
    """Run what the schedule hands out, until it has no more.

    Args:
        schedule: says which run comes next.
        executor: ready; says where to run it.
        listeners: are called as runs end; `on_start` is not.
        stop: what ends it earlier; None: nothing.
        reuse: copies runs of other sweeps instead of executing them; None: none.
        retries: says which runs are tried again; None: those that were lost.

    Raises:
        KeyboardInterrupt: on Ctrl-C, once all running runs have a true end; as does
            whatever the strategy or a listener raises.
        StorageError: likewise, if what is to be recorded cannot be written.
    """
    loop = _Loop(
        schedule,
        executor,
        listeners=listeners,
        stop=stop or StopConditions(),
        reuse=reuse or Reuse(),
        retries=retries or Retries(),
    )
    try:
        loop.run()
    except BaseException as error:
        for result in loop.abandon():
            if isinstance(error, KeyboardInterrupt):
                listeners.on_result(result)
        raise
    return loop.result


class _Loop:
    """A sweep that runs; the arguments are those of `run_sweep`."""

    def __init__(
        self,
        schedule: Schedule,
        executor: Executor,
        *,
        listeners: Listeners,
        stop: StopConditions,
        reuse: Reuse,
        retries: Retries[Attempt],
    ) -> None:
        self.result = SweepResult()
        self._schedule = schedule
        self._sweep = schedule.sweep
        self._executor = executor
        self._listeners = listeners
        self._stop = stop
        self._reuse = reuse
        self._retries = retries
        self._running: dict[int, tuple[Trial, RunSpec]] = {}
        self._job_ids = count()

    def run(self) -> None:
        has_given_up = False
        while True:
            self._begin_all()
            if self._stop.reason:
                for result, _ in self._retries.give_up():
                    has_given_up = True
                    self._settle(result)
            next_retry_secs = self._retries.next_wait_secs
            if not self._running and next_retry_secs == math.inf:
                break
            has_room = len(self._running) < self._executor.num_workers
            timeout_secs = next_retry_secs if has_room else math.inf
            if finished := self._executor.wait(self._answer, timeout_secs):
                self._take(finished)
        # Peek: did the schedule have more to run?
        if self._stop.reason and (has_given_up or self._schedule.next_run()):
            self.result.stopped = self._stop.reason

    def abandon(self) -> list[RunResult]:
        """Give what is running a true end, however often Ctrl-C is pressed, and return it.

        What waited to be tried again has its end, and comes first.
        """
        abandoned = [result for result, _ in self._retries.give_up()]
        grace_secs = GRACE_SECS
        while self._running:
            try:
                stopped = {each.job_id: each for each in self._executor.stop(grace_secs)}
                for job_id, (trial, spec) in list(self._running.items()):
                    finished = stopped.get(job_id, conclude_interrupted(job_id))
                    with contextlib.suppress(StorageError):  # the others may be written
                        outcome = conclude(spec, finished, sweep=self._sweep, interrupted=True)
                        abandoned.append(RunResult(trial, spec, outcome))
                    del self._running[job_id]
            except KeyboardInterrupt:
                grace_secs = 0.0
        return abandoned

    def _begin_all(self) -> None:
        """Begin runs as long as there are some, and workers for them."""
        while len(self._running) < self._executor.num_workers and self._stop.may_begin():
            if due := self._retries.take_due():
                again, cause = due
                self.result.retries[cause] += 1  # not before: it may yet be given up
                self._begin(again.trial, again.spec)
            elif handed_out := self._schedule.next_run():
                self._begin(*handed_out)
            else:
                return

    def _begin(self, trial: Trial, spec: RunSpec) -> None:
        spec = make_room(spec)
        if taken := self._reuse.take_over(spec):
            for budget, value in enumerate(taken.reports if spec.prunes else (), start=1):
                self._schedule.report(taken.spec, value, budget)
            self._settle(RunResult(trial, taken.spec, taken.outcome))
            return
        job_id = next(self._job_ids)
        self._running[job_id] = trial, spec
        self._executor.submit(Job(job_id, spec, spec.dir.output_file))

    def _answer(self, job_id: int, message: Any) -> tuple[bool, int | None]:
        value, budget = message
        return self._schedule.report(self._running[job_id][1], value, budget)

    def _take(self, finished: Finished) -> None:
        """Have a run that ended be tried again, or settle it."""
        trial, spec = self._running[finished.job_id]
        result = RunResult(trial, spec, conclude(spec, finished, sweep=self._sweep))
        # Not earlier: whatever comes in between, it is to have its true end.
        del self._running[finished.job_id]
        has_died = result.outcome.ending in (Ending.CRASHED, Ending.TIMED_OUT)
        cause = finished.end if has_died else None
        wait_secs = self._retries.wait_for(spec.dir, cause)
        if cause is None or wait_secs is None:
            self._settle(result)
            return
        self._retries.add((result, cause), wait_secs)
        self._listeners.on_retry(result, cause, wait_secs)

    def _settle(self, result: RunResult) -> None:
        """Take note of a run that ended for good."""
        self.result.add(result)
        with storing(result.spec.dir.path):
            outcome = result.outcome
            self._schedule.finish(result.spec, outcome.ending, outcome.objective_value)
        self._stop.record(result.outcome.ending)
        self._listeners.on_result(result)
