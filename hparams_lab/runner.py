"""The loop of a sweep: propose, submit, observe.

    strategy ──assignment──▶ schedule ──run──▶ runner ──job──▶ executor ──▶ worker
        ▲                      │  ▲              │  ▲                          │
        └─────value, report────┘  └───outcome────┘  └──────outcome, report─────┘

It decides nothing itself: what to run is the schedule's, where to run the executor's,
how a run went the worker's. It only sees to it that every run it started has a true
end. It does not print, and reads no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hparams_lab.chatter import remove_if_only_chatter
from hparams_lab.events.schema import Ending, Status
from hparams_lab.events.writer import end_run
from hparams_lab.executors.base import Cause, Executor, Finished, Job, conclude_interrupted
from hparams_lab.reuse import Reuse
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.trial import Trial
from hparams_lab.schedule import Schedule
from hparams_lab.worker import Outcome

# How long an interrupted run may take to clean up before it is killed.
GRACE_SECS = 5.0

_ENDING_OF = {
    None: Ending.FAILED,  # it returned something else
    Cause.ERROR: Ending.FAILED,
    Cause.INTERRUPTED: Ending.INTERRUPTED,
    Cause.CRASHED: Ending.CRASHED,
    Cause.LOST: Ending.CRASHED,
    Cause.TIMED_OUT: Ending.TIMED_OUT,
    Cause.OUT_OF_MEMORY: Ending.OUT_OF_MEMORY,
}


@dataclass(frozen=True)
class RunResult:
    """A run of this sweep that has ended.

    Attributes:
        trial: that it belongs to.
        spec: what was run.
        outcome: how it ended.
    """

    trial: Trial
    spec: RunSpec
    outcome: Outcome


@dataclass(frozen=True)
class Limits:
    """What ends a sweep before its search is over.

    Attributes:
        is_time_up: whether no more runs are to begin.
        max_failures: how many runs may fail in a row before no more begin; None: any.
    """

    is_time_up: Callable[[], bool] = lambda: False
    max_failures: int | None = None


class _Sentry:
    """Says why no more runs may begin, from when on that is so."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures_in_a_row = 0
        self.reason = ""

    def note(self, outcome: Outcome) -> None:
        failed = outcome.status is Status.FAILURE
        self._failures_in_a_row = self._failures_in_a_row + 1 if failed else 0

    def may_begin(self) -> bool:
        if self._failures_in_a_row == self._limits.max_failures:
            runs = "run" if self._failures_in_a_row == 1 else "runs in a row"
            self.reason = f"{self._failures_in_a_row} {runs} failed"
        elif not self.reason and self._limits.is_time_up():
            self.reason = "the time budget is used up"
        return not self.reason


@dataclass(frozen=True)
class SweepResult:
    """What came of launching or resuming a sweep.

    Attributes:
        runs: in the order in which they ended.
        stopped: why it ended before its search was over; empty if it did not.
    """

    runs: list[RunResult] = field(default_factory=list)
    stopped: str = ""


def run_sweep(
    schedule: Schedule,
    executor: Executor,
    *,
    limits: Limits,
    reuse: Reuse,
    on_result: Callable[[RunResult], None],
) -> SweepResult:
    """Run what the schedule hands out, until it has no more.

    Args:
        schedule: says which run comes next.
        executor: ready; says where to run it.
        limits: what ends it earlier.
        reuse: takes runs of other sweeps over instead of executing them.
        on_result: called with each run as it ends.

    Raises:
        KeyboardInterrupt: on Ctrl-C, once all running runs have a true end; as does
            whatever the strategy or `on_result` raises.
    """
    results: list[RunResult] = []
    running: dict[int, tuple[Trial, RunSpec]] = {}
    job_ids = count()
    sentry = _Sentry(limits)

    def conclude(finished: Finished, *, interrupted: bool = False) -> RunResult:
        trial, spec = running[finished.job_id]
        result = RunResult(trial, spec, _conclude(spec, finished, interrupted=interrupted))
        del running[finished.job_id]
        results.append(result)
        return result

    def settle(result: RunResult) -> None:
        schedule.finish(result.spec, result.outcome.ending, result.outcome.objective_value)
        sentry.note(result.outcome)
        on_result(result)

    def answer(job_id: int, message: Any) -> tuple[bool, int | None]:
        value, budget = message
        return schedule.report(running[job_id][1], value, budget)

    try:
        while True:
            while (
                len(running) < executor.num_workers
                and sentry.may_begin()
                and (handed_out := schedule.next_run())
            ):
                trial, spec = handed_out[0], _make_room(handed_out[1])
                if taken := reuse.take_over(spec):
                    for budget, value in enumerate(taken.reports if spec.prunes else (), start=1):
                        schedule.report(taken.spec, value, budget)
                    results.append(RunResult(trial, taken.spec, taken.outcome))
                    settle(results[-1])
                    continue
                job_id = next(job_ids)
                running[job_id] = trial, spec
                executor.submit(Job(job_id, spec, spec.dir.output_file))
            if not running:
                # Asked for, but not begun: only whether there is one is of interest.
                was_stopped = sentry.reason and schedule.next_run()
                return SweepResult(results, sentry.reason if was_stopped else "")
            if finished := executor.wait(answer):
                settle(conclude(finished))
    except BaseException as error:
        for result in _abandon(running, executor, conclude):
            if isinstance(error, KeyboardInterrupt):
                on_result(result)
        raise


def _abandon(
    running: Mapping[int, tuple[Trial, RunSpec]],
    executor: Executor,
    conclude: Callable[..., RunResult],
) -> list[RunResult]:
    """Stop what is running and give it a true end, however often Ctrl-C is pressed."""
    abandoned = []
    grace_secs = GRACE_SECS
    while running:
        try:
            stopped = {finished.job_id: finished for finished in executor.stop(grace_secs)}
            for job_id in list(running):
                lost = conclude_interrupted(job_id)
                abandoned.append(conclude(stopped.get(job_id, lost), interrupted=True))
        except KeyboardInterrupt:
            grace_secs = 0.0
    return abandoned


def _make_room(spec: RunSpec) -> RunSpec:
    """Return the run with a directory of its own, and take earlier attempts out of sight."""
    run_dir = spec.dir
    while run_dir.path.exists():
        if run_dir.event_files:
            end_run(run_dir, replace(spec, dir=run_dir), Ending.INTERRUPTED)
            run_dir.supersede()
        run_dir = run_dir.next_attempt()
    return replace(spec, dir=run_dir)


def _conclude(spec: RunSpec, finished: Finished, *, interrupted: bool) -> Outcome:
    """Return a run's outcome, having written the end that a dead run could not."""
    remove_if_only_chatter(spec.dir.output_file)
    outcome = finished.result
    if not isinstance(outcome, Outcome):
        ending = Ending.INTERRUPTED if interrupted else _ENDING_OF[finished.cause]
        outcome = Outcome(ending, failure=f"the run {finished.death}")
        end_run(spec.dir, spec, ending)
    elif not spec.dir.event_files:
        failure = outcome.failure or "the run's directory was removed while it ran"
        outcome = replace(outcome, ending=Ending.FAILED, failure=failure)
        end_run(spec.dir, spec, Ending.FAILED)
    if outcome.failure and not spec.dir.failure_file.exists():
        has_output = spec.dir.output_file.exists()
        hint = f"What it printed is in {spec.dir.output_file.name}.\n" if has_output else ""
        spec.dir.failure_file.write_text(f"{outcome.failure}\n{hint}", encoding="utf-8")
    return outcome
