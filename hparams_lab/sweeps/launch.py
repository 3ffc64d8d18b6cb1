"""Launch a sweep: everything that can be wrong is found before anything is written."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.errors import LogdirError
from hparams_lab.events import schema
from hparams_lab.events.read.reader import RunRecord, read_runs, read_superseded
from hparams_lab.events.schema import Status
from hparams_lab.events.write.config import write_config
from hparams_lab.executors.base import Executor
from hparams_lab.logdir.atomic import require_writable
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, experiment_dir
from hparams_lab.logdir.lock import sweep_lock
from hparams_lab.runs.provenance import collect_provenance, find_root, save_sources
from hparams_lab.runs.sources import find_sources
from hparams_lab.runs.sweep import Sweep, read_sweeps
from hparams_lab.sweeps.listeners import Listeners, Started
from hparams_lab.sweeps.loop import SweepResult, run_sweep
from hparams_lab.sweeps.options import ExecutionOptions, LaunchOptions
from hparams_lab.sweeps.placement import make_executor
from hparams_lab.sweeps.plan import Plan, make_plan
from hparams_lab.sweeps.retry import Retries
from hparams_lab.sweeps.reuse import Reuse, find_reusable
from hparams_lab.sweeps.schedule import Schedule
from hparams_lab.sweeps.stopping import StopConditions, time_budget
from hparams_lab.text import truncate
from hparams_lab.tf_noise import quiet_stderr


def launch(
    source: ExperimentSource,
    options: LaunchOptions,
    listeners: Listeners = Listeners(),  # noqa: B008 - frozen
    *,
    now: Callable[[], datetime] = datetime.now,
) -> SweepResult:
    """Launch a sweep and return what came of it.

    Args:
        source: of the experiment.
        options: how to run it.
        listeners: are called as it goes.
        now: the local time.

    Raises:
        HParamsLabError: if something is wrong with the declaration, the data, the
            options or the log directory; nothing was written then, unless the log
            directory failed at just that.
        KeyboardInterrupt: on Ctrl-C, once all running runs have a true end.
    """
    require_writable(options.logdir)
    max_runs = None if options.trials is None else options.trials * options.runs_per_trial
    logdir = options.logdir.absolute()
    with make_executor(source, options, logdir=logdir, max_runs=max_runs) as executor:
        executor.start()  # its server loads while this process does
        with quiet_stderr():
            experiment = source.load()
        return launch_loaded(
            experiment,
            options,
            executor,
            listeners,
            source=str(source),
            sources=find_sources(source.path, find_root(source.path)),
            now=now,
        )


def launch_loaded(
    experiment: Experiment,
    options: LaunchOptions,
    executor: Executor,
    listeners: Listeners = Listeners(),  # noqa: B008 - frozen
    *,
    source: str = "",
    sources: Sequence[Path] = (),
    now: Callable[[], datetime] = datetime.now,
) -> SweepResult:
    """Launch a sweep of an experiment that is in memory, and return what came of it.

    Args:
        experiment: to launch.
        options: how to run it.
        executor: of the experiment's runs; it has been started.
        listeners: are called as it goes.
        source: where the experiment was loaded from; empty if it is in no file, and so
            cannot be resumed.
        sources: the experiment's file first, then what it imports; empty likewise.
        now: the local time.

    Raises:
        HParamsLabError: as `launch`.
        KeyboardInterrupt: as `launch`.
    """
    plan = make_plan(experiment, options)
    intended = _describe(experiment, source, options, plan, executor, sources)
    home = experiment_dir(options.logdir, experiment.name)
    require_writable(home.path)  # of `launch_loaded` too, which may be called by itself
    # Would contradict the sweeps that are there? Better now than with a directory made.
    schema.encode_config([*read_sweeps(home), intended])
    reuse = find_reusable(intended, home) if options.reuse else Reuse()
    executor.ready()
    sweep_dir = home.create_sweep(now)
    with sweep_lock(sweep_dir):
        sweep = _begin(intended, home, sweep_dir, sources)
        schedule = Schedule(sweep, sweep_dir, plan.strategy)
        started = Started(sweep, sweep_dir, executor.notice)
        return run_started(started, schedule, executor, options, listeners, reuse=reuse)


def run_started(
    started: Started,
    schedule: Schedule,
    executor: Executor,
    options: ExecutionOptions,
    listeners: Listeners,
    *,
    reuse: Reuse,
) -> SweepResult:
    """Run a sweep that is described on disk and held, and record how its runs ended.

    Args:
        started: the sweep.
        schedule: of its runs.
        executor: ready.
        options: limits and retries.
        listeners: are called as it goes.
        reuse: runs of other sweeps to copy.

    Raises:
        HParamsLabError: as `launch`.
        KeyboardInterrupt: as `launch`.
    """
    with recording_summary(started.sweep_dir):
        listeners.on_start(started)
        return run_sweep(
            schedule,
            executor,
            listeners=listeners,
            stop=StopConditions(time_budget(options.time_budget_secs), options.max_failures),
            reuse=reuse,
            retries=Retries(options.executor_options.get("retries") or 0),
        )


def _describe(
    experiment: Experiment,
    source: str,
    options: LaunchOptions,
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
        executor=options.executor,
        workers=executor.num_workers,
        provenance=collect_provenance(options.command, sources),
        trial_limit=options.trials,
        execution_options=options.kept,
        settings=tuple(options.settings),
        tries=plan.tries,
        search_options=options.search_options,
        traits=plan.strategy.traits,
        repeats=options.repeats,
        folds=options.folds,
        subset=options.subset,
        racing=options.racing,
        reuse=options.reuse,
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


MAX_LISTED = 100
_MAX_REASON = 200

_NO_END = "no end"


@contextlib.contextmanager
def recording_summary(sweep_dir: SweepDir) -> Iterator[None]:
    """Note in `sweep.json` how runs ended, when what is done inside has ended or failed.

    Where that cannot be written it is left out: it says nothing that is not elsewhere.
    """
    try:
        yield
    finally:
        with contextlib.suppress(LogdirError, OSError):
            sweep = Sweep.read(sweep_dir)
            sweep.write(sweep_dir, ended=describe_endings(sweep, sweep_dir))


def describe_endings(sweep: Sweep, sweep_dir: SweepDir) -> dict[str, Any]:
    """Return how the runs of a sweep ended, as JSON data.

    `runs` counts them by ending, and `earlier_attempts` those that were made again.
    `failures` has the first `MAX_LISTED` of both that did not succeed, by directory; where
    there are more, `num_failures` says how many.
    """
    earlier = list(_read_earlier(sweep, sweep_dir))
    runs = read_runs(sweep_dir, sweep.space)
    failed = [record for record in (*runs, *earlier) if record.status is not Status.SUCCESS]
    failed.sort(key=lambda record: record.dir)
    return {
        "runs": _count_endings(runs),
        "earlier_attempts": _count_endings(earlier),
        "failures": [_describe_failure(record) for record in failed[:MAX_LISTED]],
        "num_failures": len(failed),
    }


def _read_earlier(sweep: Sweep, sweep_dir: SweepDir) -> Iterator[RunRecord]:
    """Yield the attempts that others stand for, as far as they left an event file."""
    for run_dir in sweep_dir.find_run_dirs():
        if run_dir.attempt:
            record = read_superseded(run_dir.earlier_attempts[-1], sweep.space)
            if record is not None:
                yield record


def _count_endings(records: list[RunRecord]) -> dict[str, int]:
    """Return how many there are of each ending, the most frequent first."""
    return dict(Counter(_name_ending(record) for record in records).most_common())


def _name_ending(record: RunRecord) -> str:
    return record.ending.value if record.ending else _NO_END


def _describe_failure(record: RunRecord) -> dict[str, str]:
    return {
        "run": f"{record.dir.trial_id}/{record.dir.path.name}",
        "ending": _name_ending(record),
        "why": truncate(record.reason, _MAX_REASON),
    }
