"""Resume a sweep: finish, retry or extend it."""

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
from hparams_lab.executors.catalog import EXECUTORS
from hparams_lab.logdir.atomic import require_writable
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.logdir.lock import sweep_lock
from hparams_lab.logdir.mounts import take_over
from hparams_lab.runs.provenance import (
    Provenance,
    collect_provenance,
    find_root,
    save_sources,
)
from hparams_lab.runs.sources import find_sources
from hparams_lab.runs.sweep import Resumption, Sweep, read_sweeps
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import STRATEGIES, make_strategy
from hparams_lab.sweeps.history import read_history
from hparams_lab.sweeps.launch import run_started
from hparams_lab.sweeps.listeners import Listeners, Started
from hparams_lab.sweeps.loop import SweepResult
from hparams_lab.sweeps.options import ResumeOptions
from hparams_lab.sweeps.placement import make_executor
from hparams_lab.sweeps.plan import check_that_it_ends, count_trials
from hparams_lab.sweeps.reuse import Reuse, find_reusable
from hparams_lab.sweeps.schedule import Schedule
from hparams_lab.sweeps.settings import parse_settings, split_settings
from hparams_lab.tf_noise import quiet_stderr

# A run that was interrupted did not fail by itself: it is run again without being asked.
_REDONE = {Ending.INTERRUPTED}
_FAILED = {Ending.FAILED, Ending.CRASHED, Ending.TIMED_OUT, Ending.OUT_OF_MEMORY}


def resume(
    source: ExperimentSource,
    home: ExperimentDir,
    sweep_dir: SweepDir,
    options: ResumeOptions,
    listeners: Listeners = Listeners(),  # noqa: B008 - frozen
    *,
    now: Callable[[], datetime] = datetime.now,
) -> SweepResult:
    """Run what a sweep lacks, and return what came of that.

    Args:
        source: of the experiment.
        home: directory of the experiment.
        sweep_dir: of the sweep.
        options: how to go on.
        listeners: are called as it goes.
        now: the local time.

    Raises:
        HParamsLabError: if something is wrong with the declaration, the data, the options
            or the log directory, or another process is running the sweep.
        KeyboardInterrupt: on Ctrl-C, once all running runs have a true end.
    """
    recorded = Sweep.read(sweep_dir)
    check_resumable(recorded)
    options = _complete(options, recorded)
    if options.take_over:
        take_over(home.path)
    with make_executor(source, options, logdir=home.path.parent) as executor, sweep_lock(sweep_dir):
        require_writable(sweep_dir.path)
        recorded = Sweep.read(sweep_dir)  # as whoever held it left it
        executor.start()
        with quiet_stderr():
            experiment = source.load()
        _check_same(recorded, experiment)
        sources = find_sources(source.path, find_root(source.path))
        provenance = collect_provenance(options.command, sources)
        space = _widen_space(recorded, experiment, options)
        past = read_history(replace(recorded, space=space), sweep_dir)
        make = _prepare_strategy(recorded, space)
        limit = _limit_trials(recorded, options, len(past))
        sweep = replace(
            recorded,
            executor=options.executor or recorded.executor,
            workers=executor.num_workers,
            execution_options={**recorded.execution_options, **options.kept},
            space=space,
            trial_limit=limit,
            max_trials=count_trials(make, recorded.tries, limit),
            resumptions=(
                *recorded.resumptions,
                Resumption(now().astimezone().isoformat(), provenance),
            ),
        )
        check_that_it_ends(sweep.strategy, sweep.max_trials, options)
        others = [each for each in read_sweeps(home) if each.id != sweep.id]
        schema.encode_config([*others, sweep])  # before anything is written
        executor.ready()
        schedule = Schedule(sweep, sweep_dir, make())
        schedule.replay(past, redo=_REDONE | (_FAILED if options.failed else set()))
        has_new_code = recorded.code_digests.isdisjoint({"", provenance.code_digest})
        _write(sweep, home, sweep_dir, sources=sources if has_new_code else [])
        notices = [
            executor.notice,
            _compare_code(recorded, provenance) if has_new_code else "",
            _count_archived(home, sweep_dir),
        ]
        started = Started(sweep, sweep_dir, "; ".join(filter(None, notices)), schedule.num_ended)
        reuse = find_reusable(sweep, home) if sweep.reuse else Reuse()
        return run_started(started, schedule, executor, options, listeners, reuse=reuse)


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
    """Return the options, completed by those that the sweep was run with before."""
    executor = options.executor or recorded.executor
    holds = EXECUTORS.find(executor).still_holds
    before = {name: v for name, v in recorded.execution_options.items() if holds(name)}
    return replace(
        options,
        executor=executor,
        workers=options.workers or before.get("workers"),
        max_failures=options.max_failures or before.get("max_failures"),
        executor_options={
            **EXECUTORS.keep_suitable(executor, before),
            **options.executor_options,
        },
    )


def _prepare_strategy(recorded: Sweep, space: SearchSpace) -> Callable[[], Strategy]:
    """Return what makes the sweep's strategy anew."""
    return partial(
        make_strategy,
        recorded.strategy,
        space,
        goal=recorded.objective.goal,
        seed=recorded.seed,
        options=STRATEGIES.keep_suitable(recorded.strategy, recorded.search_options),
    )


def _limit_trials(recorded: Sweep, options: ResumeOptions, num_begun: int) -> int | None:
    """Return the user's limit, which cannot undo trials.

    Raises:
        UsageError: if it leaves nothing for what the sweep is to be extended by.
    """
    limit = options.trials or recorded.trial_limit
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
    walks = recorded.traits.walks_levels
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
    change = "" if len(set(commits)) == 1 else f" (commit {commits[0]} before, {commits[1]} now)"
    return (
        f"the code has changed since the sweep began{change}: what runs from now on is of the new"
    )


def _write(
    sweep: Sweep, home: ExperimentDir, sweep_dir: SweepDir, *, sources: Sequence[Path]
) -> None:
    if sources:
        stage = len(sweep.resumptions)
        save_sources(sweep_dir, sources, sweep.resumptions[-1].provenance.git, stage=stage)
    sweep.write(sweep_dir)
    write_config(home)
