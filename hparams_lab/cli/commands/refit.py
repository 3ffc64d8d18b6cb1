"""`hparams_lab refit`: train the best trial on all data and save the model."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from absl import flags

from hparams_lab.analysis.trials.pick import Pick, pick_trial
from hparams_lab.cli.inputs.find import find_logged
from hparams_lab.cli.logdir import define_logdir, format_command, logdir_of
from hparams_lab.cli.output.tables import format_number, make_console
from hparams_lab.declare.domains import format_value
from hparams_lab.declare.source import ExperimentSource, find_source
from hparams_lab.errors import UnknownExperimentError
from hparams_lab.logdir.layout import RefitDir
from hparams_lab.refit.refit import Refit, RefitOptions, refit
from hparams_lab.text import count

_EXIT_FAILURE = 1


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    flags.DEFINE_string(
        "output", None, "folder for the model (default: refit, in the trial's)", flag_values=values
    )
    flags.DEFINE_bool("overwrite", False, "replace an earlier refit there", flag_values=values)
    flags.DEFINE_integer(
        "seed", None, "of the training (default: of the trial's first run)", flag_values=values
    )


def run(values: flags.FlagValues, words: list[str]) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # as for run
    home = find_logged(logdir_of(values, writes=True, removes=True), words[0])
    pick = pick_trial(home, words[1] if len(words) > 1 else None)
    seed = _find_seed(pick) if values.seed is None else values.seed
    options = RefitOptions(
        output=_find_output(values.output, pick),
        overwrite=values.overwrite,
        seed=seed,
        command=tuple(sys.argv),
        repeating=format_command(
            ["refit", words[0], f"{pick.row.sweep_id}/{pick.row.trial_id}", f"--seed={seed}"],
            logdir_of(values),
        ),
    )
    console = make_console()
    done = refit(
        _find_source(words[0], pick),
        pick,
        options,
        on_notice=lambda notice: console.print(f"note: {notice}"),
    )
    return _print_failure(done) if done.failure else _print_saved(done, pick, seed)


def _find_seed(pick: Pick) -> int:
    """Return the seed of the trial's first run; files that are not ours have none."""
    return pick.row.runs[0].seed or 0


def _find_output(output: str | None, pick: Pick) -> RefitDir:
    if output is None:
        return pick.sweep_dir.refit_dir(pick.row.trial_id)
    return RefitDir(Path(output).expanduser().absolute())


def _find_source(name: str, pick: Pick) -> ExperimentSource:
    """Return the experiment of a name, or else the one that the sweep was launched from."""
    if not pick.sweep.source:
        return ExperimentSource(Path())  # refused by refit, which says why
    with contextlib.suppress(UnknownExperimentError):
        return find_source(name)
    try:
        return find_source(pick.sweep.source)
    except UnknownExperimentError as error:
        raise UnknownExperimentError(
            f"the sweep's experiment is not where it was: {error}"
        ) from None


def _print_saved(done: Refit, pick: Pick, seed: int) -> int:
    assert done.saved is not None
    console = make_console()
    row = pick.row
    place = f"{pick.place} of {count(pick.num_trials, 'trial')}"
    console.print(
        f"{pick.sweep.experiment} {row.sweep_id}, trial {row.trial_id} ({place}), trained on all "
        f"rows in {done.wall_secs:.1f} s with seed {seed}"
    )
    values = [(key, format_number(done.values.get(key))) for key in pick.sweep.metric_keys]
    facts = [
        *((name, format_value(value)) for name, value in row.assignment.items()),
        *((f"{key} (refit)", text) for key, text in values),
        ("directory", str(done.output.path)),
    ]
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        console.print(f"  {name:<{width}}  {text}")
    console.print("What is measured of rows that run.split held out is of rows it was trained on.")
    for line in (*done.saved.left_out, done.saved.check):
        console.print(line)
    return 0


def _print_failure(done: Refit) -> int:
    console = make_console()
    console.print(f"the refit failed: {done.failure}")
    console.print(f"  {done.output.failure_file}")
    return _EXIT_FAILURE
