"""`hparams_lab report`: all about an experiment on one HTML page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from absl import flags

from hparams_lab.analysis.compare.comparison import compare
from hparams_lab.analysis.plots.pictures import draw_possible
from hparams_lab.analysis.plots.saving import write_file
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.analysis.report.report import find_best, format_page, gather_report
from hparams_lab.cli.commands.best import list_replay_words
from hparams_lab.cli.flags.selection import define_selection
from hparams_lab.cli.logdir import define_logdir, format_command, logdir_of
from hparams_lab.cli.output.pictures import (
    check_outside,
    define_to_tensorboard,
    read_trials,
    write_to_tensorboard,
)
from hparams_lab.cli.output.tables import make_console
from hparams_lab.errors import UsageError


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    define_to_tensorboard(values)
    flags.DEFINE_string("html", None, "the page's file (default ./NAME.html)", flag_values=values)


def run(values: flags.FlagValues, words: list[str]) -> int:
    logged, trials = read_trials(values, words)
    path = _parse_path(values, logged.home.name)
    comparison = compare(logged, rows=trials.rows)
    pictures, skipped = draw_possible(trials)
    report = gather_report(
        logged,
        trials,
        comparison,
        pictures,
        skipped,
        replay=_format_replay(values, words[0], trials),
        made=datetime.now().astimezone().isoformat(" ", "seconds"),
    )
    write_file(path, format_page(report).encode())
    console = make_console()
    console.print(f"wrote {path}")
    if values.to_tensorboard:
        written = write_to_tensorboard(logged, pictures, comparison)
        console.print(f"wrote {written}, for TensorBoard's Images and Text tabs")
    return 0


def _parse_path(values: flags.FlagValues, name: str) -> Path:
    path = Path(values.html or f"{name}.html").expanduser().absolute()
    if path.is_dir():
        raise UsageError(f"--html must name a file; got the folder {path}. Add a name.")
    check_outside(path, logdir_of(values), "--html")
    return path


def _format_replay(values: flags.FlagValues, name: str, trials: Trials) -> str:
    """Return the command that runs the best trial again; empty if none can."""
    best = find_best(trials)
    if best is None:
        return ""
    sweep = next(sweep for sweep in trials.sweeps if sweep.id == best.sweep_id)
    if not sweep.source:
        return ""
    return format_command(list_replay_words(name, best, sweep), logdir_of(values))
