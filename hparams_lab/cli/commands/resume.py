"""`hparams_lab resume`: finish what a sweep lacks."""

from __future__ import annotations

import os
import sys

from absl import flags

from hparams_lab.catalog.option import Option, list_options
from hparams_lab.cli.flags.formats import define_format
from hparams_lab.cli.flags.options import define_options, options_given
from hparams_lab.cli.inputs.find import find_logged, find_sweeps
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.watch import watch
from hparams_lab.declare.source import ExperimentSource, find_source
from hparams_lab.errors import UnknownExperimentError, UsageError
from hparams_lab.executors.catalog import EXECUTORS
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.sweeps.options import ResumeOptions, make_options
from hparams_lab.sweeps.resume import check_resumable, resume


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_format(values)
    define_options(values, _list_options(), resuming=True)


def _list_options() -> list[Option]:
    return [*list_options(ResumeOptions), *EXECUTORS.options.values()]


def run(values: flags.FlagValues, words: list[str]) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # as for run
    logdir = logdir_of(values, writes=True)
    home = find_logged(logdir, words[0])
    sweep_dirs = find_sweeps(home, words[1] if len(words) > 1 else None)
    if len(sweep_dirs) > 1:
        raise UsageError(f"resume takes one sweep; got {words[1]!r}. Name one.")
    (sweep_dir,) = sweep_dirs
    check_resumable(Sweep.read(sweep_dir))  # before another file of its name is taken for its own
    source = _find_source(words[0], sweep_dir)
    options = make_options(
        ResumeOptions, command=tuple(sys.argv), **options_given(values, _list_options())
    )
    return watch(
        words[0], values, lambda listeners: resume(source, home, sweep_dir, options, listeners)
    )


def _find_source(name: str, sweep_dir: SweepDir) -> ExperimentSource:
    """Return the experiment of a name, or else the one that the sweep was launched from."""
    try:
        return find_source(name)
    except UnknownExperimentError:
        try:
            return find_source(Sweep.read(sweep_dir).source)
        except UnknownExperimentError as error:
            raise UnknownExperimentError(
                f"the sweep's experiment is not where it was: {error}"
            ) from None
