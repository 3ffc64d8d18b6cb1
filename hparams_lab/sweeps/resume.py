"""Going on with a sweep that was interrupted, failed in parts, or is to be wider."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.declare.space import SearchSpace
from hparams_lab.declare.widen import extend, widen
from hparams_lab.errors import AssignmentError, UsageError
from hparams_lab.events import schema
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import write_config
from hparams_lab.executors.base import Executor
from hparams_lab.executors.gpus import find_gpus
from hparams_lab.logdir.atomic import require_writable
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.logdir.lock import hold
from hparams_lab.runs.provenance import (
    Provenance,
    collect_provenance,
    find_root,
    save_sources,
)
from hparams_lab.runs.sources import find_sources
from hparams_lab.runs.sweep import Resumption, Sweep, read_sweeps
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import WALK_LEVELS, make_strategy
from hparams_lab.search.options import SearchOptions
from hparams_lab.sweeps.history import read_history
from hparams_lab.sweeps.launch import (
    Started,
    check_that_it_ends,
    count_trials,
    make_executor,
    make_limits,
)
from hparams_lab.sweeps.loop import OnRetry, RunResult, SweepResult, ignore_retry, run_sweep
from hparams_lab.sweeps.options import ResumeOptions, keep_suitable, parse_settings, split_settings
from hparams_lab.sweeps.retry import Retries
from hparams_lab.sweeps.reuse import Reuse, find_reusable
from hparams_lab.sweeps.schedule import Schedule
from hparams_lab.sweeps.summary import keeping_account
from hparams_lab.tf_noise import quiet_stderr

# What a sweep was told of its execution holds on, unless something else is said.
_KEPT = (
    "run_timeout_secs",
    "memory_limit_mb",
    "retries",
    "runs_per_process",
    "runs_per_gpu",
    "ray_address",
    "cpus_per_run",
    "gpus_per_run",
    "max_failures",
)

# A run that was interrupted did not fail by itself: it is run again without being asked.
_REDONE = {Ending.INTERRUPTED}
_FAILED = {Ending.FAILED, Ending.CRASHED, Ending.TIMED_OUT, Ending.OUT_OF_MEMORY}


def resume(
    source: ExperimentSource,
    home: ExperimentDir,
    sweep_dir: SweepDir,
    options: ResumeOptions,
    *,
    on_start: Callable[[Started], None],
    on_result: Callable[[RunResult], None],
    on_retry: OnRetry = ignore_retry,
    now: Callable[[], datetime] = datetime.now,
) -> SweepResult:
    """Run what a sweep lacks, and return what came of that.

    Args:
        source: of the experiment.
        home: directory of the experiment.
        sweep_dir: of the sweep.
        options: how to go on.
        on_start: called once, before the first run.
        on_result: called with each run as it ends.
        on_retry: called as an attempt at a run ends that is to be made again.
        now: the local time.

    Raises:
        HParamsLabError: if something is wrong with the declaration, the data, the options
            or the log directory, or another process is running the sweep.
        KeyboardInterrupt: on Ctrl-C, once all running runs have a true end.
    """
    recorded = Sweep.read(sweep_dir)
    check_resumable(recorded)
    options = _complete(options, recorded)
    with make_executor(source, options, logdir=home.path.parent) as executor, hold(sweep_dir):
        require_writable(sweep_dir.path)
        recorded = Sweep.read(sweep_dir)  # as whoever held it left it
        executor.start()
        with quiet_stderr():
            experiment = source.load()
        _check_same(recorded, experiment)
        space = _widen_space(recorded, experiment, options)
        past = read_history(replace(recorded, space=space), sweep_dir)
        make = _prepare_strategy(recorded, space)
        sources = find_sources(source.path, find_root(source.path))
        provenance = collect_provenance(options.command, sources)
        resumption = Resumption(now().astimezone().isoformat(), provenance)
        limit = _limit_trials(recorded, options, len(past))
        sweep = replace(
            _note_execution(recorded, options, executor),
            space=space,
            trial_limit=limit,
            max_trials=count_trials(make, recorded.tries, limit),
            resumptions=(*recorded.resumptions, resumption),
        )
        check_that_it_ends(sweep.strategy, sweep.max_trials, options)
        others = [each for each in read_sweeps(home) if each.id != sweep.id]
        schema.encode_config([*others, sweep])  # before anything is written
        executor.ready()
        schedule = Schedule(sweep, sweep_dir, make())
        schedule.replay(past, redo=_REDONE | (_FAILED if options.failed else set()))
        has_new_code = recorded.code_digests.isdisjoint({"", provenance.code_digest})
        _write(sweep, home, sweep_dir, sources=sources if has_new_code else [])
        told = [
            executor.notice,
            _compare_code(recorded, provenance) if has_new_code else "",
            _count_archived(home, sweep_dir),
        ]
        reuse = find_reusable(sweep, home) if sweep.reuse else Reuse()
        notice = "; ".join(filter(None, told))
        with keeping_account(sweep_dir):
            on_start(Started(sweep, sweep_dir, notice, schedule.num_ended))
            return run_sweep(
                schedule,
                executor,
                limits=make_limits(options),
                reuse=reuse,
                retries=Retries(options.retries or 0),
                on_result=on_result,
                on_retry=on_retry,
            )


def check_resumable(sweep: Sweep) -> None:
    """Refuse a sweep of no experiment's file: one that was imported, or run from memory.

    Raises:
        UsageError: if it is one.
    """
    if not sweep.source:
        raise UsageError(
            f"a sweep goes on by its experiment's file; {sweep.id} has none, as it was imported "
            f"or run from memory ({sweep.executor}, {sweep.strategy}). Name a sweep that was "
            "launched with run."
        )


def _complete(options: ResumeOptions, recorded: Sweep) -> ResumeOptions:
    """Return the options with what the sweep was told before where nothing else is said."""
    executor = options.executor or recorded.executor
    told = keep_suitable(executor, {name: getattr(recorded, name) for name in _KEPT})
    if executor != "inline":
        told["num_workers"] = recorded.worker_limit
    if told.get("runs_per_gpu") and not find_gpus():
        del told["runs_per_gpu"]  # this machine has none, unlike the one before
    unsaid = {name: value for name, value in told.items() if getattr(options, name) is None}
    return replace(options, executor=executor, **unsaid)


def _note_execution(recorded: Sweep, options: ResumeOptions, executor: Executor) -> Sweep:
    """Return the sweep as it is executed from now on."""
    said = {name: getattr(options, name) for name in _KEPT}
    return replace(
        recorded,
        executor=options.executor or recorded.executor,
        workers=executor.num_workers,
        worker_limit=options.num_workers or recorded.worker_limit,
        **{name: value for name, value in said.items() if value is not None},
    )


def _prepare_strategy(recorded: Sweep, space: SearchSpace) -> Callable[[], Strategy]:
    """Return what makes the sweep's strategy anew."""
    return partial(
        make_strategy,
        recorded.strategy,
        space,
        goal=recorded.objective.goal,
        seed=recorded.seed,
        options=SearchOptions.decode_json(recorded.search_options),
    )


def _limit_trials(recorded: Sweep, options: ResumeOptions, num_begun: int) -> int | None:
    """Return the user's limit, which cannot undo trials.

    Raises:
        UsageError: if it leaves nothing for what the sweep is to be extended by.
    """
    limit = options.max_trials or recorded.trial_limit
    if limit is None:
        return None
    if options.extensions and limit <= num_begun:
        raise UsageError(
            f"--extend adds points, but the sweep's limit of {limit} trials is used up. Add "
            "--trials=N."
        )
    return max(limit, num_begun)


def _check_same(recorded: Sweep, experiment: Experiment) -> None:
    """Refuse to mix results that would not be comparable.

    Raises:
        UsageError: if the declaration measures or seeks something else now.
    """
    now = (experiment.name, str(experiment.objective), sorted(experiment.metric_keys))
    then = (recorded.experiment, str(recorded.objective), sorted(recorded.metric_keys))
    for noun, this, that in zip(("name", "objective", "metrics"), now, then, strict=True):
        if this != that:
            raise UsageError(
                f"a sweep can only go on with the {noun} it began with; got {this} after "
                f"{that}. Begin another sweep with run."
            )


def _widen_space(recorded: Sweep, experiment: Experiment, options: ResumeOptions) -> SearchSpace:
    walks = recorded.strategy in WALK_LEVELS
    space = recorded.space
    if recorded.settings is not None:
        # Where --set names what is no longer declared, nothing is wider than it was.
        with contextlib.suppress(AssignmentError):
            declared = experiment.space.narrow(parse_settings(experiment.space, recorded.settings))
            space = widen(space, declared, walks_levels=walks)
    if options.extensions:
        values = split_settings("--extend", options.extensions)
        space = extend(space, values, walks_levels=walks)
    return space


def _count_archived(home: ExperimentDir, sweep_dir: SweepDir) -> str:
    """Return what the user should know of trials that are out of sight."""
    archived = len(SweepDir(home.archive.path / sweep_dir.id).trial_dirs)
    if not archived:
        return ""
    command = ["hparams_lab", "restore", home.name, sweep_dir.id, f"--logdir={home.path.parent}"]
    return (
        f"archived trials ({archived}) are run again where the search comes to them; to keep "
        f"them, stop this, and before you resume again: {shlex.join(command)}"
    )


def _compare_code(recorded: Sweep, provenance: Provenance) -> str:
    """Return what the user should know of other code than before."""
    commits = (recorded.commit_label, provenance.commit_label)
    told = "" if len(set(commits)) == 1 else f" (commit {commits[0]} before, {commits[1]} now)"
    return f"the code has changed since the sweep began{told}: what runs from now on is of the new"


def _write(
    sweep: Sweep, home: ExperimentDir, sweep_dir: SweepDir, *, sources: Sequence[Path]
) -> None:
    if sources:
        stage = len(sweep.resumptions)
        save_sources(sweep_dir, sources, sweep.resumptions[-1].provenance.git, stage=stage)
    sweep.write(sweep_dir)
    write_config(home)
