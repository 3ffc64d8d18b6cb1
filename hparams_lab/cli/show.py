"""`hparams_lab show`: the trials of a sweep, best first."""

from __future__ import annotations

from collections import Counter

from absl import flags

from hparams_lab.analysis.table import TrialRow, rank_trials
from hparams_lab.cli.command import Command, define_logdir, logdir_of
from hparams_lab.cli.find import find_logged, find_sweeps
from hparams_lab.cli.tables import format_size, make_console, print_table, trial_columns
from hparams_lab.errors import UsageError
from hparams_lab.events.reader import read_runs
from hparams_lab.runs.logdir import SweepDir
from hparams_lab.runs.sweep import Sweep


def _define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    flags.DEFINE_integer("top", None, "how many trials to show, best first", flag_values=values)


def _run(values: flags.FlagValues, words: list[str]) -> int:
    if values.top is not None and values.top < 1:
        raise UsageError(f"--top must be at least 1; got {values.top}. Raise it.")
    experiment = find_logged(logdir_of(values), words[0])
    sweep_dirs = find_sweeps(experiment, words[1] if len(words) > 1 else None)
    sweeps, rows = read_ranked(sweep_dirs)
    console = make_console()
    title = f"{experiment.name} {', '.join(sweep.id for sweep in sweep_dirs)}"
    console.print(f"{title}: {_count_statuses(rows, sweeps)}")
    others = len(experiment.find_sweeps()) - len(sweep_dirs)
    if others:
        console.print(f"{others} more sweep(s): name one, or say 'all'")
    if rows:
        console.print()
        print_table(console, trial_columns(rows[: values.top], sweeps))
        if values.top is not None and values.top < len(rows):
            console.print(f"{len(rows) - values.top} more trials")
    for run in (run for row in rows for run in row.runs if run.damage):
        console.print(f"damaged: {run.dir.path}: {run.damage}")
    return 0


def read_ranked(sweep_dirs: list[SweepDir]) -> tuple[list[Sweep], list[TrialRow]]:
    """Return the sweeps, oldest first, and their trials, best first by the newest's objective.

    Raises:
        LogdirError: if a sweep is unreadable.
    """
    sweeps = [Sweep.read(sweep_dir) for sweep_dir in sweep_dirs]
    records = [
        record
        for sweep, sweep_dir in zip(sweeps, sweep_dirs, strict=True)
        for record in read_runs(sweep_dir, sweep.space)
    ]
    return sweeps, rank_trials(records, sweeps)


def _count_statuses(rows: list[TrialRow], sweeps: list[Sweep]) -> str:
    counts = [f"{count} {label}" for label, count in Counter(row.label for row in rows).items()]
    planned = [sweep.max_trials for sweep in sweeps if sweep.max_trials is not None]
    total = f" of {sum(planned)}" if planned else ""
    told = f"{len(rows)}{total} trials"
    if len(sweeps) == 1 and planned:
        told = f"{len(rows)} of {format_size(sweeps[0])}"
    return ", ".join([told, *counts])


COMMAND = Command(
    name="show",
    arguments="NAME [SWEEP]",
    summary="the trials of the newest sweep, best first",
    define_flags=_define_flags,
    run=_run,
)
