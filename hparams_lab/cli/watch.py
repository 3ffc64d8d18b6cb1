"""Watching a sweep that runs: its progress, then its results and what to type next."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags
from rich.console import Console

from hparams_lab.analysis.selection import read_logged
from hparams_lab.analysis.table import LOST_RACE, PRUNED, TrialRow
from hparams_lab.cli.command import format_command, logdir_of
from hparams_lab.cli.documents import encode_sweep, encode_trial
from hparams_lab.cli.formats import JSON, define_format, format_of, print_json
from hparams_lab.cli.progress import make_progress
from hparams_lab.cli.tables import count, format_size, make_console, print_table, trial_columns
from hparams_lab.events.schema import Status
from hparams_lab.launch import Started
from hparams_lab.options import EXECUTORS
from hparams_lab.runner import RunResult, SweepResult
from hparams_lab.runs.logdir import ExperimentDir
from hparams_lab.runs.sweep import Sweep

_NUM_BEST = 10
_NUM_FAILURES = 5
_EXIT_FAILURES = 1

Start = Callable[[Callable[[Started], None], Callable[[RunResult], None]], SweepResult]
"""Runs a sweep, given what is to be called as it starts and with each result."""


def define_execution(values: flags.FlagValues) -> None:
    """Add the flags that say how runs are executed, save for what a resumed sweep knows."""
    flags.DEFINE_integer(
        "trials", None, "run at most so many trials, those done included", flag_values=values
    )
    flags.DEFINE_integer(
        "workers",
        None,
        "runs at a time (default: one a usable processor; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_string(
        "executor",
        None,
        f"where to run: {', '.join(EXECUTORS)} (default process; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_float(
        "run_timeout_secs", None, "stop a run that takes longer, as a failure", flag_values=values
    )
    flags.DEFINE_float(
        "memory_limit_mb",
        None,
        "kill a run that has more resident memory, with all that it starts",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "retries",
        None,
        "try a run that crashed or timed out so often again (default 0; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "runs_per_process",
        None,
        "keep a process for so many runs (default 1; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "runs_per_gpu",
        None,
        "let so many runs share a GPU (default 1; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_string(
        "ray_address", None, "of the Ray cluster (default: as Ray finds it)", flag_values=values
    )
    flags.DEFINE_float(
        "cpus_per_run", None, "of the Ray cluster, for each run (default 1)", flag_values=values
    )
    flags.DEFINE_float(
        "gpus_per_run", None, "of the Ray cluster, for each run (default 0)", flag_values=values
    )
    flags.DEFINE_float(
        "time_budget_secs", None, "begin no more runs after so long", flag_values=values
    )
    flags.DEFINE_integer(
        "max_failures",
        None,
        "begin no more runs after so many failures in a row",
        flag_values=values,
    )
    define_format(values)


def execution_of(values: flags.FlagValues) -> dict[str, Any]:
    """Return the fields of `ExecutionOptions` that the flags give."""
    return {
        "max_trials": values.trials,
        "executor": values.executor,
        "num_workers": values.workers,
        "run_timeout_secs": values.run_timeout_secs,
        "memory_limit_mb": values.memory_limit_mb,
        "retries": values.retries,
        "runs_per_process": values.runs_per_process,
        "runs_per_gpu": values.runs_per_gpu,
        "ray_address": values.ray_address,
        "cpus_per_run": values.cpus_per_run,
        "gpus_per_run": values.gpus_per_run,
        "time_budget_secs": values.time_budget_secs,
        "max_failures": values.max_failures,
        "command": tuple(sys.argv),
    }


def watch(name: str, values: flags.FlagValues, start: Start) -> int:
    """Run a sweep, and return the exit code.

    Args:
        name: of the experiment, as the user wrote it.
        values: the flags that were given.
        start: runs it.

    Raises:
        KeyboardInterrupt: on Ctrl-C, once it is told how things stand.
    """
    wants_json = format_of(values) == JSON
    console = make_console(stderr=wants_json)
    begun: list[Started] = []
    progress = make_progress(console)

    def on_start(started: Started) -> None:
        begun.append(started)
        progress.start(started)

    progress.load(name)
    try:
        result = start(on_start, progress.add)
    except KeyboardInterrupt:
        progress.stop()
        if begun:
            console.print("\ninterrupted; every run that had begun has a true end")
            _print_next_steps(console, begun[0], name, values, resume_flags=[])
        raise
    finally:
        progress.stop()
    home = ExperimentDir(begun[0].sweep_dir.path.parent)
    rows = read_logged(home, [begun[0].sweep_dir]).rows
    if wants_json:
        _print_document(home, begun[0].sweep, rows, result)
    else:
        _print_results(console, begun[0].sweep, rows, result)
        has_failures = any(row.status is Status.FAILURE for row in rows)
        resume_flags = ["--failed"] if has_failures else []
        is_over = not result.stopped and not has_failures
        _print_next_steps(
            console, begun[0], name, values, resume_flags=None if is_over else resume_flags
        )
    failed = any(run.outcome.status is Status.FAILURE for run in result.runs)
    return _EXIT_FAILURES if failed else 0


def _print_document(
    home: ExperimentDir, sweep: Sweep, rows: Sequence[TrialRow], result: SweepResult
) -> None:
    print_json(
        {
            "experiment": home.name,
            "path": home.path,
            "sweep": encode_sweep(sweep, home),
            "stopped": result.stopped,
            "trials": [encode_trial(row) for row in rows],
        }
    )


def _print_results(
    console: Console, sweep: Sweep, rows: Sequence[TrialRow], result: SweepResult
) -> None:
    console.print()
    if rows:
        print_table(console, trial_columns(rows[:_NUM_BEST], [sweep]))
    if len(rows) > _NUM_BEST:
        console.print(f"{count(len(rows) - _NUM_BEST, 'more trial')}")
    failures = [run for run in result.runs if run.outcome.status is Status.FAILURE]
    if failures:
        console.print(f"\n{len(failures)} of {count(len(result.runs), 'run')} failed:")
    for run in failures[:_NUM_FAILURES]:
        console.print(f"  {run.trial.id}: {run.outcome.failure}")
        console.print(f"    {run.spec.dir.failure_file}")
    if len(failures) > _NUM_FAILURES:
        console.print(f"  and {len(failures) - _NUM_FAILURES} more")
    if told := _describe_savings(rows, result):
        console.print(f"\n{told}")
    if result.stopped:
        console.print(f"\nstopped, as {result.stopped}; {_count_ended(sweep, rows)}")
    elif not result.runs:
        console.print("\nnothing was left to run")


def _describe_savings(rows: Sequence[TrialRow], result: SweepResult) -> str:
    """Return what was not executed, or not in full; empty if nothing was."""
    pruned = sum(row.label == PRUNED for row in rows)
    lost = sum(row.label == LOST_RACE for row in rows)
    reused = sum(bool(run.spec.reused_from) for run in result.runs)
    told = [f"{count(reused, 'run')} taken over from earlier sweeps"] if reused else []
    told += [f"{count(pruned, 'trial')} pruned"] if pruned else []
    told += [f"{count(lost, 'trial')} lost the race"] if lost else []
    return ", ".join(told)


def _count_ended(sweep: Sweep, rows: Sequence[TrialRow]) -> str:
    if sweep.runs_per_trial > 1:
        return f"{count(sum(len(row.runs) for row in rows), 'run')} ended"
    ended = sum(row.status is not Status.RUNNING for row in rows)
    if sweep.max_trials is None:
        return f"{count(ended, 'trial')} ended"
    return f"{ended} of {format_size(sweep)} ended"


def _print_next_steps(
    console: Console,
    started: Started,
    typed: str,
    values: flags.FlagValues,
    *,
    resume_flags: list[str] | None,
) -> None:
    """Print what to type next, `resume` with its flags first unless there are none."""
    sweep = started.sweep
    console.print(f"\nlogged in {started.sweep_dir.path}; next:")
    steps = [["show", sweep.experiment, sweep.id], ["best", sweep.experiment, sweep.id]]
    steps.append(["dashboard", sweep.experiment])
    if resume_flags is not None:
        # A search without an end needs its limit again.
        secs = values.time_budget_secs
        limit = [f"--time_budget_secs={secs:g}"] if secs and sweep.max_trials is None else []
        steps.insert(0, ["resume", typed, sweep.id, *limit, *resume_flags])
    for words in steps:
        console.print(f"  {format_command(words, logdir_of(values))}")
