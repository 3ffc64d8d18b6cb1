"""The loop of a sweep: propose, submit, observe.

    strategy ──assignment──▶ runner ──job──▶ executor ──▶ worker ──▶ event files
        ▲                      │  ▲                          │
        └───────value──────────┘  └────────outcome───────────┘

It decides nothing itself: what to try is the strategy's, where to run the executor's,
how a run went the worker's. It only sees to it that every run it started has a true
end. It does not print, and reads no clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hparams_lab.chatter import remove_if_only_chatter
from hparams_lab.events.schema import Status
from hparams_lab.events.writer import end_run
from hparams_lab.executors.base import Executor, Finished, Job
from hparams_lab.runs.logdir import SweepDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import Trial, make_trial, run_seed, split_seed
from hparams_lab.search.base import Strategy
from hparams_lab.worker import Outcome

# How long an interrupted run may take to clean up before it is killed.
GRACE_SECS = 5.0


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


def run_sweep(
    sweep: Sweep,
    sweep_dir: SweepDir,
    strategy: Strategy,
    executor: Executor,
    *,
    on_result: Callable[[RunResult], None],
) -> list[RunResult]:
    """Run the trials that the strategy proposes, up to the sweep's `max_trials`.

    Args:
        sweep: what is intended.
        sweep_dir: where it goes.
        strategy: says what to try.
        executor: ready; says where to run it.
        on_result: called with each run as it ends.

    Returns:
        The runs in the order in which they ended.

    Raises:
        KeyboardInterrupt: on Ctrl-C, once all running runs have a true end; as does
            whatever the strategy or `on_result` raises.
    """
    results: list[RunResult] = []
    running: dict[int, tuple[Trial, RunSpec]] = {}

    def conclude(finished: Finished) -> RunResult:
        trial, spec = running[finished.job_id]
        result = RunResult(trial, spec, _conclude(spec, finished))
        del running[finished.job_id]
        results.append(result)
        return result

    try:
        index = 0
        while True:
            while len(running) < executor.num_workers and index != sweep.max_trials:
                if (assignment := strategy.propose()) is None:
                    break
                trial = make_trial(index, assignment, max_trials=sweep.max_trials)
                spec = _specify(trial, sweep, sweep_dir)
                running[index] = trial, spec
                executor.submit(Job(index, spec, spec.dir.output_file))
                index += 1
            if not running:
                return results
            result = conclude(executor.wait())
            strategy.observe(result.trial.assignment, _value_of(result.outcome))
            on_result(result)
    except BaseException as error:
        for result in _abandon(running, executor, conclude):
            if isinstance(error, KeyboardInterrupt):
                on_result(result)
        raise


def _abandon(
    running: Mapping[int, tuple[Trial, RunSpec]],
    executor: Executor,
    conclude: Callable[[Finished], RunResult],
) -> list[RunResult]:
    """Stop what is running and give it a true end, however often Ctrl-C is pressed."""
    abandoned = []
    grace_secs = GRACE_SECS
    while running:
        try:
            stopped = {finished.job_id: finished for finished in executor.stop(grace_secs)}
            for job_id in list(running):
                lost = Finished(job_id, death="was interrupted")
                abandoned.append(conclude(stopped.get(job_id, lost)))
        except KeyboardInterrupt:
            grace_secs = 0.0
    return abandoned


def _value_of(outcome: Outcome) -> float | None:
    succeeded = outcome.status is Status.SUCCESS and not math.isnan(outcome.objective_value)
    return outcome.objective_value if succeeded else None


def _specify(trial: Trial, sweep: Sweep, sweep_dir: SweepDir) -> RunSpec:
    return RunSpec(
        dir=sweep_dir.run_dir(trial.id),
        assignment=trial.assignment,
        seed=run_seed(sweep.seed, trial.assignment, repeat=0, fold=None),
        split_seed=split_seed(sweep.seed, repeat=0),
        commit=sweep.provenance.commit_label,
    )


def _conclude(spec: RunSpec, finished: Finished) -> Outcome:
    """Return a run's outcome, having written the end that a dead run could not."""
    remove_if_only_chatter(spec.dir.output_file)
    outcome = finished.result
    if not isinstance(outcome, Outcome):
        outcome = Outcome(Status.FAILURE, failure=f"the run {finished.death}")
        end_run(spec.dir, spec, Status.FAILURE)
    elif not spec.dir.event_files:
        failure = outcome.failure or "the run's directory was removed while it ran"
        outcome = replace(outcome, status=Status.FAILURE, failure=failure)
        end_run(spec.dir, spec, Status.FAILURE)
    if outcome.failure and not spec.dir.failure_file.exists():
        has_output = spec.dir.output_file.exists()
        hint = f"What it printed is in {spec.dir.output_file.name}.\n" if has_output else ""
        spec.dir.failure_file.write_text(f"{outcome.failure}\n{hint}", encoding="utf-8")
    return outcome
