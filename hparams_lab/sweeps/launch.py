"""Setting a sweep up: everything that can be wrong is found before anything is written."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import UsageError
from hparams_lab.events import schema
from hparams_lab.events.write.config import write_config
from hparams_lab.executors.base import Executor, Setup
from hparams_lab.executors.capacity import find_room
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.executors.ray.executor import RayExecutor
from hparams_lab.logdir.atomic import require_writable
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, experiment_dir
from hparams_lab.logdir.lock import hold
from hparams_lab.logdir.mounts import mount_of
from hparams_lab.runs.provenance import collect_provenance, find_root, save_sources
from hparams_lab.runs.sources import find_sources
from hparams_lab.runs.sweep import Sweep, read_sweeps
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import make_strategy
from hparams_lab.sweeps import worker
from hparams_lab.sweeps.loop import OnRetry, RunResult, SweepResult, ignore_retry, run_sweep
from hparams_lab.sweeps.options import (
    DEFAULT_EXECUTOR,
    ExecutionOptions,
    Options,
    parse_settings,
    parse_tries,
)
from hparams_lab.sweeps.retry import Retries
from hparams_lab.sweeps.reuse import Reuse, find_reusable
from hparams_lab.sweeps.schedule import Schedule
from hparams_lab.sweeps.shared_disk import SharedLogdir
from hparams_lab.sweeps.spool import SpoolingExecutor
from hparams_lab.sweeps.stopping import Limits
from hparams_lab.sweeps.summary import keeping_account
from hparams_lab.tf_noise import quiet_stderr


@dataclass(frozen=True)
class Plan:
    """A sweep that is ready to be launched; nothing is written yet.

    Attributes:
        space: narrowed to the options' choices.
        strategy: over that space.
        tries: points to run first.
        max_trials: how many trials there are to be, None if open.
    """

    space: SearchSpace
    strategy: Strategy
    tries: Sequence[Assignment]
    max_trials: int | None


@dataclass(frozen=True)
class Started:
    """A sweep whose first run is about to begin.

    Attributes:
        sweep: as it is written down.
        sweep_dir: where.
        notice: what the user should know; empty if nothing.
        num_done: runs that had ended before.
    """

    sweep: Sweep
    sweep_dir: SweepDir
    notice: str = ""
    num_done: int = 0

    @property
    def max_runs(self) -> int | None:
        """How many runs there are to be at most, those done included; None if open."""
        trials = self.sweep.max_trials
        return None if trials is None else trials * self.sweep.runs_per_trial


def make_plan(experiment: Experiment, options: Options) -> Plan:
    """Return what would be run.

    Raises:
        AssignmentError: if a setting names no axis, or a value outside its domain.
        UsageError: if an option is out of range, or nothing would ever end the sweep.
    """
    options.check()
    space = experiment.space.narrow(parse_settings(experiment.space, options.settings))
    tries = parse_tries(space, options.tries)
    make = partial(
        make_strategy,
        options.search,
        space,
        goal=experiment.objective.goal,
        seed=options.seed,
        options=options.search_options,
    )
    max_trials = count_trials(make, tries, options.max_trials)
    check_that_it_ends(options.search, max_trials, options)
    return Plan(space, make(), tries, max_trials)


def check_that_it_ends(search: str, max_trials: int | None, options: ExecutionOptions) -> None:
    """Refuse a sweep that nothing would ever end.

    Raises:
        UsageError: if nothing would.
    """
    if max_trials is None and options.time_budget_secs is None:
        raise UsageError(
            f"--search={search} never runs out of points here. Add --trials=N or "
            "--time_budget_secs=S."
        )


def count_trials(
    make: Callable[[], Strategy], tries: Sequence[Assignment], limit: int | None
) -> int | None:
    """Return how many trials a sweep has at most, None if there is no end to them.

    Args:
        make: returns a new strategy.
        tries: points that are run first, also where it would not propose them.
        limit: the user's.
    """
    scout = make()
    for point in tries:
        scout.take(point)
    limits = [number for number in (limit, scout.max_trials) if number is not None]
    return min(limits, default=None)


def make_executor(
    source: ExperimentSource,
    options: ExecutionOptions,
    *,
    logdir: Path | None = None,
    max_runs: int | None = None,
) -> Executor:
    """Return an executor for the runs of an experiment; it has not begun.

    Args:
        source: of the experiment.
        options: which executor, and how.
        logdir: that runs are to be logged in, absolute; None if nothing is to be run.
        max_runs: how many runs there are to be at most, None if that is not known. There
            are no more workers by default, so that a lone run has all the threads.

    Raises:
        UsageError: if an option is out of range, or there are too few GPUs for what is asked.
        ExecutorError: if GPUs are to be shared and nvidia-smi fails.
    """
    options.check()
    setup = partial(worker.load, source)
    if options.executor == "inline":
        return InlineExecutor(setup, worker.execute)
    if options.executor == "ray":
        return _make_ray_executor(setup, options, logdir, max_runs)
    room = find_room(
        num_workers=options.num_workers, runs_per_gpu=options.runs_per_gpu, max_runs=max_runs
    )
    return ProcessExecutor(
        setup,
        worker.execute,
        num_workers=room.num_workers,
        timeout_secs=options.run_timeout_secs,
        memory_limit_mb=options.memory_limit_mb,
        jobs_per_process=options.runs_per_process or 1,
        gpus=room.gpus,
        notice=room.notice,
    )


def _make_ray_executor(
    setup: Setup, options: ExecutionOptions, logdir: Path | None, max_runs: int | None
) -> Executor:
    """Return an executor whose nodes must all have the log directory, or send to its URL."""
    make = partial(
        RayExecutor,
        num_workers=options.num_workers,
        max_workers=max_runs,
        address=options.ray_address,
        cpus_per_run=options.cpus_per_run or 1.0,
        gpus_per_run=options.gpus_per_run or 0.0,
        timeout_secs=options.run_timeout_secs,
        memory_limit_mb=options.memory_limit_mb,
        jobs_per_process=options.runs_per_process or 1,
    )
    if logdir is None:
        return make(setup, worker.execute)
    if mount := mount_of(logdir):
        return SpoolingExecutor(make, setup, mount)
    shared = SharedLogdir(logdir)
    return make(partial(shared.set_up, setup), worker.execute, setting_up=shared.marked)


def launch(
    source: ExperimentSource,
    options: Options,
    *,
    on_start: Callable[[Started], None],
    on_result: Callable[[RunResult], None],
    on_retry: OnRetry = ignore_retry,
    now: Callable[[], datetime] = datetime.now,
) -> SweepResult:
    """Launch a sweep and return what came of it.

    Args:
        source: of the experiment.
        options: how to run it.
        on_start: called once, before the first run.
        on_result: called with each run as it ends.
        on_retry: called as an attempt at a run ends that is to be made again.
        now: the local time.

    Raises:
        HParamsLabError: if something is wrong with the declaration, the data, the
            options or the log directory; nothing was written then, unless the log
            directory failed at just that.
        KeyboardInterrupt: on Ctrl-C, once all running runs have a true end.
    """
    options.check()
    require_writable(options.logdir)
    max_runs = None
    if options.max_trials is not None:
        max_runs = options.max_trials * options.runs_per_trial
    logdir = options.logdir.absolute()
    with make_executor(source, options, logdir=logdir, max_runs=max_runs) as executor:
        executor.start()  # its server loads while this process does
        with quiet_stderr():
            experiment = source.load()
        return launch_loaded(
            experiment,
            options,
            executor,
            source=str(source),
            sources=find_sources(source.path, find_root(source.path)),
            on_start=on_start,
            on_result=on_result,
            on_retry=on_retry,
            now=now,
        )


def launch_loaded(
    experiment: Experiment,
    options: Options,
    executor: Executor,
    *,
    source: str = "",
    sources: Sequence[Path] = (),
    on_start: Callable[[Started], None],
    on_result: Callable[[RunResult], None],
    on_retry: OnRetry = ignore_retry,
    now: Callable[[], datetime] = datetime.now,
) -> SweepResult:
    """Launch a sweep of an experiment that is in memory, and return what came of it.

    Args:
        experiment: to launch.
        options: how to run it.
        executor: of the experiment's runs; it has been started.
        source: where the experiment was loaded from; empty if it is in no file, and so
            cannot be resumed.
        sources: the experiment's file first, then what it imports; empty likewise.
        on_start: called once, before the first run.
        on_result: called with each run as it ends.
        on_retry: as for `launch`.
        now: the local time.

    Raises:
        HParamsLabError: as `launch`.
        KeyboardInterrupt: as `launch`.
    """
    plan = make_plan(experiment, options)
    intended = _describe(experiment, source, options, plan, executor, sources)
    home = experiment_dir(options.logdir, experiment.name)
    require_writable(home.path)  # here too, as this is what `lab.launch` may begin with
    # Would contradict the sweeps that are there? Better now than with a directory made.
    schema.encode_config([*read_sweeps(home), intended])
    reuse = find_reusable(intended, home) if options.reuse else Reuse()
    executor.ready()
    sweep_dir = home.create_sweep(now)
    with hold(sweep_dir):
        sweep = _begin(intended, home, sweep_dir, sources)
        with keeping_account(sweep_dir):
            on_start(Started(sweep, sweep_dir, executor.notice))
            return run_sweep(
                Schedule(sweep, sweep_dir, plan.strategy),
                executor,
                limits=make_limits(options),
                reuse=reuse,
                retries=Retries(options.retries or 0),
                on_result=on_result,
                on_retry=on_retry,
            )


def make_limits(options: ExecutionOptions) -> Limits:
    """Return what ends a sweep that begins now."""
    budget = options.time_budget_secs
    deadline = sys.float_info.max if budget is None else time.monotonic() + budget
    return Limits(lambda: time.monotonic() >= deadline, options.max_failures)


def _describe(
    experiment: Experiment,
    source: str,
    options: Options,
    plan: Plan,
    executor: Executor,
    sources: Sequence[Path],
) -> Sweep:
    """Return the sweep as it is intended; it has no id and no time yet."""
    return Sweep(
        experiment=experiment.name,
        id="",
        started="",
        source=source,
        description=experiment.description,
        space=plan.space,
        metrics=experiment.metrics,
        objective=experiment.objective,
        strategy=options.search,
        max_trials=plan.max_trials,
        seed=options.seed,
        executor=options.executor or DEFAULT_EXECUTOR,
        workers=executor.num_workers,
        provenance=collect_provenance(options.command, sources),
        trial_limit=options.max_trials,
        settings=tuple(options.settings),
        tries=plan.tries,
        search_options=options.search_options.encode_json(),
        prunes=plan.strategy.prunes,
        repeats=options.repeats,
        folds=options.folds,
        subset=options.subset,
        racing=options.racing,
        reuse=options.reuse,
        worker_limit=options.num_workers,
        run_timeout_secs=options.run_timeout_secs,
        memory_limit_mb=options.memory_limit_mb,
        retries=options.retries,
        runs_per_process=options.runs_per_process,
        runs_per_gpu=options.runs_per_gpu,
        ray_address=options.ray_address,
        cpus_per_run=options.cpus_per_run,
        gpus_per_run=options.gpus_per_run,
        max_failures=options.max_failures,
    )


def _begin(
    intended: Sweep, home: ExperimentDir, sweep_dir: SweepDir, sources: Sequence[Path]
) -> Sweep:
    """Fill the directory of a sweep with all that is known before its first run."""
    sweep = replace(intended, id=sweep_dir.id, started=sweep_dir.start_time.isoformat())
    try:
        if sources:
            save_sources(sweep_dir, sources, sweep.provenance.git)
        sweep.write(sweep_dir)  # what makes it a sweep, so that one that is there is whole
        write_config(home)
    except BaseException:
        sweep_dir.remove_description()  # of a sweep that will not be
        raise
    return sweep
