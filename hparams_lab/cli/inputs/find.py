"""Finding what the words of a command line name, among experiments and logged sweeps."""

from __future__ import annotations

from pathlib import Path

from hparams_lab.declare.source import find_source
from hparams_lab.errors import UnknownExperimentError, did_you_mean
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, experiment_dir, find_experiments

ALL_SWEEPS = "all"


def find_logged(logdir: Path, name: str) -> ExperimentDir:
    """Return the log directory of an experiment that has sweeps.

    Its module need not be there any more; where the name is a path or a module, it is
    read, but not imported.

    Raises:
        UnknownExperimentError: if nothing is logged under that name.
    """
    found = experiment_dir(logdir, name)
    if Path(name).name == name and found.find_sweeps():
        return found
    logged = [experiment.name for experiment in find_experiments(logdir)]
    try:
        found = experiment_dir(logdir, find_source(name).read_outline().name)
    except UnknownExperimentError:
        hint = did_you_mean(name, logged) or (
            f" Logged there: {', '.join(logged)}." if logged else " Nothing is logged there yet."
        )
        raise UnknownExperimentError(
            f"there is no experiment {name!r} in {logdir}.{hint}"
        ) from None
    if not found.find_sweeps():
        raise UnknownExperimentError(
            f"experiment {found.name!r} has no sweep in {logdir}. Run: hparams_lab run {name}"
        )
    return found


def find_sweeps(experiment: ExperimentDir, word: str | None) -> list[SweepDir]:
    """Return the sweeps that a word names.

    Args:
        experiment: that has sweeps.
        word: the beginning of a sweep's id; `all`; None for the newest.

    Raises:
        UnknownExperimentError: if no sweep begins so, or several do.
    """
    if word is None:
        return experiment.find_sweeps()[-1:]
    return experiment.find_sweeps() if word == ALL_SWEEPS else [experiment.find_sweep(word)]
