"""What the commands that draw have in common: which trials, and the way into TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from hparams_lab.analysis.compare.comparison import Comparison
from hparams_lab.analysis.compare.text import format_markdown
from hparams_lab.analysis.plots.pictures import Picture
from hparams_lab.analysis.plots.saving import PNG, encode_figure
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.analysis.report.board import write_board
from hparams_lab.analysis.trials.goal import pick_measure
from hparams_lab.analysis.trials.selection import Logged, read_logged
from hparams_lab.cli.flags.selection import keep_rows, select_sweeps
from hparams_lab.cli.inputs.find import find_logged
from hparams_lab.cli.logdir import logdir_of
from hparams_lab.errors import UsageError


def define_to_tensorboard(values: flags.FlagValues) -> None:
    """Add `--to_tensorboard`."""
    flags.DEFINE_bool(
        "to_tensorboard",
        False,
        "write the pictures and the comparison of days into the logdir as well, for "
        "TensorBoard's Images and Text tabs",
        flag_values=values,
    )


def read_trials(
    values: flags.FlagValues, words: Sequence[str], metric: str | None = None
) -> tuple[Logged, Trials]:
    """Return what is logged and the trials of it that are meant.

    Args:
        values: the flags, with those of `define_selection`.
        words: NAME, and perhaps SWEEP.
        metric: by which they are shown, as `--metric` says it; None for the objective.

    Raises:
        LogdirError: if a sweep is unreadable.
        UnknownExperimentError: if there is no such experiment or sweep.
        UsageError: if a flag cannot be obeyed, or no trial is left.
    """
    home = find_logged(logdir_of(values, writes=values.to_tensorboard), words[0])
    word = words[1] if len(words) > 1 else None
    logged = read_logged(home, select_sweeps(values, home, word, default="all"))
    rows = keep_rows(values, logged.rows)
    if not rows:
        asked = " and ".join(values.where) or "nothing"
        raise UsageError(
            f"{home.name!r} has no trial to show of {len(logged.rows)} that have begun; asked for "
            f"{asked}. Run some, or widen --where."
        )
    # The sweeps of trials that --where leaves, and no others, are what is spoken of.
    kept = {row.sweep_id for row in rows}
    sweeps = [sweep for sweep in logged.sweeps if sweep.id in kept]
    return logged, Trials(rows, sweeps, pick_measure(rows, logged.sweeps, metric))


def check_outside(path: Path, logdir: Path, flag: str) -> None:
    """Check that what is written does not land among the runs, where readers look.

    Raises:
        UsageError: if it does.
    """
    if path.resolve().is_relative_to(logdir.resolve()):
        raise UsageError(
            f"{flag} must lie outside of the log directory {logdir}; got {path}. Choose another, "
            "or say --to_tensorboard."
        )


def write_to_tensorboard(
    logged: Logged, pictures: Sequence[Picture], comparison: Comparison
) -> Path:
    """Write pictures and a comparison into the logdir, and return their new directory.

    Raises:
        LogdirError: if they cannot be written.
    """
    return write_board(
        logged.home,
        {each.kind: (each.title, encode_figure(each.figure, PNG)) for each in pictures},
        {"comparison": format_markdown(comparison)},
    )
