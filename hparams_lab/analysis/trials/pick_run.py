"""The run that a word of the command line names: a path, or ids and the beginnings of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hparams_lab.errors import UnknownExperimentError, UsageError
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, find_experiments, is_run_name
from hparams_lab.logdir.resolve import hint_at, match, refuse_ambiguous
from hparams_lab.runs.sweep import Sweep

_FORM = "[EXPERIMENT/]SWEEP/TRIAL[/RUN]"


@dataclass(frozen=True)
class LoggedRun:
    """A run and the sweep that it is of."""

    record: RunRecord  # of the run
    sweep: Sweep  # that it belongs to
    sweep_dir: SweepDir  # of that sweep
    others: Sequence[str] = ()  # names of the trial's other runs, if the word named the trial alone

    @property
    def name(self) -> str:
        """The words that name it in full: `digits/2026-11-21_07-34-05/0007-3f2a9c1b/r00`."""
        return _name(self.record.dir.path)


def pick_run(logdir: Path, word: str) -> LoggedRun:
    """Return the run of a path or of ids.

    Args:
        logdir: folder of the experiments' log directories.
        word: the path of a run's directory, or `[EXPERIMENT/]SWEEP/TRIAL[/RUN]`, where
            each part may be the beginning of a name. A trial stands for its first run.

    Raises:
        LogdirError: if the sweep is unreadable.
        UnknownExperimentError: if there is no such run, or more than one.
        UsageError: if the word is neither a path nor ids.
    """
    path = Path(word)
    if path.is_dir():
        # Not resolved: a link in the logdir is a directory of it.
        return _pick_at(Path(os.path.abspath(path)), word)  # noqa: PTH100
    *above, sweep_word, trial_word, run_word = _split(word)
    experiments = _find_experiments(logdir, above, word)
    trials = _find_trials(experiments, sweep_word, trial_word, word)
    refuse_ambiguous("trial", word, [_name(path) for path in trials])
    trial_dir = trials[0]
    return _read(SweepDir(trial_dir.parent), trial_dir, run_word or None, word)


def _split(word: str) -> list[str]:
    """Return experiment, if any, sweep, trial and run of a word; the run may be empty."""
    parts = word.rstrip("/").split("/")
    # A trial's id begins with a digit, the name of a run with an r.
    if not parts[-1].startswith("r"):
        parts.append("")
    if len(parts) not in (3, 4) or not all(parts[:-1]):
        raise UsageError(
            f"a run is named by the path of its directory, or as {_FORM}; got {word!r}. See the "
            "ids of an experiment's trials: hparams_lab show NAME"
        )
    return parts


def _find_experiments(logdir: Path, above: Sequence[str], word: str) -> list[ExperimentDir]:
    """Return the experiments of the logdir that the first part may mean; all without one."""
    experiments = find_experiments(logdir)
    names = [experiment.name for experiment in experiments]
    for beginning in above:
        matches = match(beginning, names)
        if not matches:
            hint = hint_at(beginning, names)
            raise UnknownExperimentError(
                f"there is no experiment {beginning!r} in {logdir}, as {word!r} says.{hint}"
            )
        experiments = [each for each in experiments if each.name in matches]
    if not experiments:
        raise UnknownExperimentError(
            f"there is no run {word!r}, as nothing is logged in {logdir}. Name another with "
            "--logdir."
        )
    return experiments


def _find_trials(
    experiments: Sequence[ExperimentDir], sweep_word: str, trial_word: str, word: str
) -> list[Path]:
    sweep_dirs = [sweep_dir for each in experiments for sweep_dir in each.find_sweeps()]
    ids = [sweep_dir.id for sweep_dir in sweep_dirs]
    matches = match(sweep_word, ids)
    if not matches:
        hint = hint_at(sweep_word, ids)
        raise UnknownExperimentError(
            f"there is no sweep {sweep_word!r}, as {word!r} says.{hint} A run is named as {_FORM}."
        )
    trial_dirs = [
        path for sweep_dir in sweep_dirs if sweep_dir.id in matches for path in sweep_dir.trial_dirs
    ]
    names = [path.name for path in trial_dirs]
    found = match(trial_word, names)
    if not found:
        hint = hint_at(trial_word, names)
        where = matches[0] if len(set(matches)) == 1 else f"the sweeps {sweep_word!r}"
        raise UnknownExperimentError(f"there is no trial {trial_word!r} in {where}.{hint}")
    return [path for path in trial_dirs if path.name in found]


def _pick_at(path: Path, word: str) -> LoggedRun:
    """Return the run whose directory, or whose trial's, this is."""
    for trial_dir, run_name in ((path.parent, path.name), (path, None)):
        sweep_dir = SweepDir(trial_dir.parent)
        if sweep_dir.sweep_file.exists() and trial_dir in sweep_dir.trial_dirs:
            return _read(sweep_dir, trial_dir, run_name, word)
    raise UnknownExperimentError(
        f"{word} is the directory of no run of a sweep. Name one like "
        "logs/EXPERIMENT/SWEEP/TRIAL/RUN."
    )


def _read(sweep_dir: SweepDir, trial_dir: Path, run_word: str | None, word: str) -> LoggedRun:
    sweep = Sweep.read(sweep_dir)
    records = {
        record.dir.path.name: record
        for record in read_runs(sweep_dir, sweep.space)
        if record.dir.path.parent == trial_dir
    }
    if not records:
        raise UnknownExperimentError(
            f"trial {trial_dir.name!r} of {sweep_dir.id} has no readable run. Name another."
        )
    if run_word is None:
        first, *others = records
        return LoggedRun(records[first], sweep, sweep_dir, others)
    matches = match(run_word, records)
    refuse_ambiguous("run", word, matches)
    if not matches:
        raise UnknownExperimentError(
            f"trial {trial_dir.name!r} has no run {run_word!r} that can be read."
            f"{hint_at(run_word, records)}"
        )
    return LoggedRun(records[matches[0]], sweep, sweep_dir)


def _name(path: Path) -> str:
    """Return a path's part below the logdir: of a trial, or of a run."""
    depth = 4 if is_run_name(path.name) else 3
    return "/".join(path.parts[-depth:])
