"""`hparams_lab run`: launch a sweep."""

from __future__ import annotations

import os
import sys

from absl import flags

from hparams_lab.chatter import quiet_stderr
from hparams_lab.cli.command import Command, define_logdir, format_command, logdir_of
from hparams_lab.cli.list import format_axes
from hparams_lab.cli.progress import make_progress
from hparams_lab.cli.show import read_ranked
from hparams_lab.cli.tables import make_console, print_table, trial_columns
from hparams_lab.declare.domains import format_value
from hparams_lab.declare.source import ExperimentSource, find_source
from hparams_lab.events.schema import Status
from hparams_lab.launch import EXECUTORS, Options, launch, make_executor, make_plan
from hparams_lab.runner import RunResult
from hparams_lab.runs.logdir import SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.search.catalog import STRATEGIES

_NUM_BEST = 10
_NUM_FAILURES = 5
_NUM_PREVIEW = 3
_EXIT_FAILURES = 1


def _define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    flags.DEFINE_string(
        "search", "grid", f"how to search: {', '.join(STRATEGIES)}", flag_values=values
    )
    flags.DEFINE_integer("trials", None, "run at most so many trials", flag_values=values)
    flags.DEFINE_integer(
        "seed", 0, "of the sweep; each run's seed follows from it", flag_values=values
    )
    flags.DEFINE_multi_string(
        "set", [], "AXIS=V1,V2: narrow an axis to these values", flag_values=values
    )
    flags.DEFINE_integer(
        "workers", None, "runs at a time (default: one a usable processor)", flag_values=values
    )
    flags.DEFINE_string(
        "executor", "process", f"where to run: {', '.join(EXECUTORS)}", flag_values=values
    )
    flags.DEFINE_bool(
        "dry_run", False, "print what would be run, and write nothing", flag_values=values
    )


def _run(values: flags.FlagValues, words: list[str]) -> int:
    # TensorFlow reads it as it is imported, here and in the processes started from here.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    source = find_source(words[0])
    options = Options(
        logdir=logdir_of(values),
        search=values.search,
        max_trials=values.trials,
        seed=values.seed,
        settings=values.set,
        executor=values.executor,
        num_workers=values.workers,
        command=tuple(sys.argv),
    )
    return _preview(source, options) if values.dry_run else _launch(words[0], source, options)


def _preview(source: ExperimentSource, options: Options) -> int:
    console = make_console()
    with quiet_stderr():
        experiment = source.load()
    plan = make_plan(experiment, options)
    make_executor(source, options).close()
    console.print(f"{experiment.name}: {options.search}, seed {options.seed}")
    for line in format_axes(plan.space):
        console.print(f"  {line}")
    total = "no limit of" if plan.max_trials is None else str(plan.max_trials)
    console.print(f"{total} trials, the first of them:")
    for _ in range(_NUM_PREVIEW if plan.max_trials is None else min(_NUM_PREVIEW, plan.max_trials)):
        if assignment := plan.strategy.propose():
            pairs = (f"{name}={format_value(value)}" for name, value in assignment.items())
            console.print(f"  {' '.join(pairs)}")
    console.print("nothing was run or written")
    return 0


def _launch(name: str, source: ExperimentSource, options: Options) -> int:
    started: list[tuple[Sweep, SweepDir]] = []
    progress = make_progress(make_console())

    def on_start(sweep: Sweep, sweep_dir: SweepDir, notice: str) -> None:
        started.append((sweep, sweep_dir))
        progress.start(sweep, sweep_dir, notice)

    progress.load(name)
    try:
        results = launch(source, options, on_start=on_start, on_result=progress.add)
    except KeyboardInterrupt:
        progress.stop()
        if started:
            make_console().print("\ninterrupted; every run that had begun has a true end")
            _print_next_steps(*started[0], options)
        raise
    finally:
        progress.stop()
    sweep, sweep_dir = started[0]
    _print_results(sweep, sweep_dir, results)
    _print_next_steps(sweep, sweep_dir, options)
    failed = any(result.outcome.status is Status.FAILURE for result in results)
    return _EXIT_FAILURES if failed else 0


def _print_results(sweep: Sweep, sweep_dir: SweepDir, results: list[RunResult]) -> None:
    console = make_console()
    _, rows = read_ranked([sweep_dir])
    console.print()
    if rows:
        print_table(console, trial_columns(rows[:_NUM_BEST], [sweep]))
    if len(rows) > _NUM_BEST:
        console.print(f"{len(rows) - _NUM_BEST} more trials")
    failures = [result for result in results if result.outcome.status is Status.FAILURE]
    if failures:
        console.print(f"\n{len(failures)} of {len(results)} runs failed:")
    for result in failures[:_NUM_FAILURES]:
        console.print(f"  {result.trial.id}: {result.outcome.failure}")
        console.print(f"    {result.spec.dir.failure_file}")
    if len(failures) > _NUM_FAILURES:
        console.print(f"  and {len(failures) - _NUM_FAILURES} more")


def _print_next_steps(sweep: Sweep, sweep_dir: SweepDir, options: Options) -> None:
    console = make_console()
    console.print(f"\nlogged in {sweep_dir.path}; next:")
    name = sweep.experiment
    for words in (["show", name, sweep.id], ["best", name, sweep.id], ["dashboard", name]):
        console.print(f"  {format_command(words, options.logdir)}")


COMMAND = Command(
    name="run",
    arguments="NAME",
    summary="launch a sweep over an experiment",
    define_flags=_define_flags,
    run=_run,
)
