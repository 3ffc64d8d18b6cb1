"""Setting a sweep up: everything that can be wrong is found before anything is written."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from hparams_lab import worker
from hparams_lab.chatter import quiet_stderr
from hparams_lab.declare.domains import Value
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import LogdirError, UsageError, did_you_mean
from hparams_lab.events import schema
from hparams_lab.events.config import write_config
from hparams_lab.executors.base import Executor
from hparams_lab.executors.cpus import count_usable_cpus
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.executors.process import ProcessExecutor
from hparams_lab.runner import RunResult, run_sweep
from hparams_lab.runs.logdir import ExperimentDir, SweepDir, experiment_dir
from hparams_lab.runs.provenance import collect_provenance, find_sources, save_sources
from hparams_lab.runs.sweep import Sweep, read_sweeps
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import make_strategy

EXECUTORS = ("process", "inline")


@dataclass(frozen=True)
class Options:
    """How a sweep is to be run.

    Attributes:
        logdir: folder of the experiments' log directories.
        search: name of the strategy.
        max_trials: upper limit of trials, None for no other than the strategy's.
        seed: of the sweep, at least 0.
        settings: `AXIS=VALUE,...`: axes narrowed to some of their values.
        executor: `process` or `inline`.
        num_workers: runs at a time, None for one a processor that may be used.
        command: the words of the command line, for the record.
    """

    logdir: Path = Path("logs")
    search: str = "grid"
    max_trials: int | None = None
    seed: int = 0
    settings: Sequence[str] = ()
    executor: str = "process"
    num_workers: int | None = None
    command: Sequence[str] = ()


@dataclass(frozen=True)
class Plan:
    """A sweep that is ready to be launched; nothing is written yet.

    Attributes:
        space: narrowed to the options' choices.
        strategy: over that space.
        max_trials: how many trials there are to be, None if open.
    """

    space: SearchSpace
    strategy: Strategy
    max_trials: int | None


def make_plan(experiment: Experiment, options: Options) -> Plan:
    """Return what would be run.

    Raises:
        AssignmentError: if a setting names no axis, or a value outside its domain.
        UsageError: if an option is out of range.
    """
    if options.max_trials is not None and options.max_trials < 1:
        raise UsageError(f"--trials must be at least 1; got {options.max_trials}. Raise it.")
    if options.seed < 0:
        raise UsageError(f"--seed must be at least 0; got {options.seed}. Raise it.")
    space = experiment.space.narrow(parse_settings(experiment.space, options.settings))
    strategy = make_strategy(options.search, space)
    limits = [limit for limit in (options.max_trials, strategy.max_trials) if limit is not None]
    return Plan(space, strategy, min(limits, default=None))


def parse_settings(space: SearchSpace, settings: Sequence[str]) -> dict[str, list[Value]]:
    """Return axis name to values, of the types of their domains.

    Args:
        space: that has the axes.
        settings: `AXIS=VALUE,...` each; a value with a comma stands in double quotes.

    Raises:
        AssignmentError: if an axis is unknown or a value outside its domain.
        UsageError: if a setting is of another form or names an axis again.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> parse_settings(SearchSpace([HParam("units", Discrete([8, 16]))]), ["units=8,16"])
        {'units': [8, 16]}
    """
    choices: dict[str, list[Value]] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not text:
            raise UsageError(f"--set takes AXIS=VALUE,...; got {setting!r}. Write it so.")
        if name in choices:
            raise UsageError(f"--set must name an axis once; got {name!r} again. Join its values.")
        axis = space[name]
        try:
            words = next(csv.reader([text], strict=True))
        except csv.Error as error:
            raise UsageError(
                f"--set takes AXIS=VALUE,... with double quotes in pairs; got {setting!r} "
                f"({error}). Quote the value."
            ) from None
        choices[name] = [axis.parse(word) for word in words]
    return choices


def make_executor(source: ExperimentSource, options: Options) -> Executor:
    """Return an executor for the runs of an experiment; it has not begun.

    Raises:
        UsageError: if an option is out of range.
    """
    if options.executor not in EXECUTORS:
        hint = did_you_mean(options.executor, EXECUTORS) or f" Choose of {', '.join(EXECUTORS)}."
        raise UsageError(f"--executor must name an executor; got {options.executor!r}.{hint}")
    if options.num_workers is not None and options.num_workers < 1:
        raise UsageError(f"--workers must be at least 1; got {options.num_workers}. Raise it.")
    setup = partial(worker.load, source)
    if options.executor == "inline":
        if (options.num_workers or 1) > 1:
            raise UsageError(
                f"--executor=inline runs one run at a time; got --workers={options.num_workers}. "
                "Drop one of the two."
            )
        return InlineExecutor(setup, worker.execute)
    # No more than there are trials, so that one trial has all the threads.
    num_workers = options.num_workers or min(count_usable_cpus(), options.max_trials or sys.maxsize)
    return ProcessExecutor(setup, worker.execute, num_workers=num_workers)


def launch(
    source: ExperimentSource,
    options: Options,
    *,
    on_start: Callable[[Sweep, SweepDir, str], None],
    on_result: Callable[[RunResult], None],
    now: Callable[[], datetime] = datetime.now,
) -> list[RunResult]:
    """Launch a sweep and return its runs in the order in which they ended.

    Args:
        source: of the experiment.
        options: how to run it.
        on_start: called once with the sweep, its directory and the executor's notice,
            before the first run.
        on_result: called with each run as it ends.
        now: the local time.

    Raises:
        HParamsLabError: if something is wrong with the declaration, the data, the
            options or the log directory; nothing was written then, unless the log
            directory failed at just that.
        KeyboardInterrupt: on Ctrl-C, once all running runs have a true end.
    """
    with make_executor(source, options) as executor:
        executor.start()  # its server loads while this process does
        with quiet_stderr():
            experiment = source.load()
        plan = make_plan(experiment, options)
        sources = find_sources(source.path)
        intended = Sweep(
            experiment=experiment.name,
            id="",
            started="",
            source=str(source),
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
        )
        home = experiment_dir(options.logdir, experiment.name)
        # Would contradict the sweeps that are there? Better now than with a directory made.
        schema.encode_config([*read_sweeps(home), intended])
        executor.ready()
        sweep, sweep_dir = _begin(intended, home, sources, now)
        on_start(sweep, sweep_dir, executor.notice)
        return run_sweep(sweep, sweep_dir, plan.strategy, executor, on_result=on_result)


def _begin(
    intended: Sweep, home: ExperimentDir, sources: Sequence[Path], now: Callable[[], datetime]
) -> tuple[Sweep, SweepDir]:
    """Make the directory of a sweep, with all that is known before its first run."""
    sweep_dir = home.create_sweep(now)
    sweep = replace(intended, id=sweep_dir.id, started=sweep_dir.start_time.isoformat())
    try:
        sweep.write(sweep_dir)
        save_sources(sweep_dir, sources, sweep.provenance.git)
        write_config(home)
    except LogdirError:
        raise
    except OSError as error:
        raise LogdirError(
            f"cannot write to the log directory: {error}. Choose another with --logdir."
        ) from error
    return sweep, sweep_dir
