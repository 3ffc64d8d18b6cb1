"""The trial that is meant: the best of a sweep, or the one that a word names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hparams_lab.analysis.trials.rows import TrialRow, rank_trials
from hparams_lab.errors import UnknownExperimentError
from hparams_lab.events.read.reader import read_runs
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.logdir.resolve import hint_at, refuse_ambiguous
from hparams_lab.runs.sweep import Sweep, find_newest


@dataclass(frozen=True)
class Pick:
    """A trial that was picked out of a sweep."""

    sweep: Sweep  # that it belongs to
    sweep_dir: SweepDir  # of that sweep
    row: TrialRow  # the trial, and what its runs came to
    place: int  # among the trials of the sweep, 1-based, best first
    num_trials: int  # that have begun in the sweep


def pick_trial(home: ExperimentDir, word: str | None = None) -> Pick:
    """Return the best trial of a sweep, or the one of an id.

    The best has all its runs and the best mean of the objective.

    Args:
        home: directory of an experiment that has sweeps.
        word: `TRIAL`, `SWEEP/TRIAL`, or `SWEEP` for the best of it, ids or the beginning
            of them; None for the best of the newest sweep. A trial that the newest sweep
            has not is looked for in the others.

    Raises:
        LogdirError: if the sweep is unreadable.
        UnknownExperimentError: if there is no such trial, or more than one, or none to be
            the best.
    """
    if word is None:
        return _pick_best(home, find_newest(home))
    sweep_word, slash, trial_word = word.rpartition("/")
    if slash:
        sweep_dir = home.find_sweep(sweep_word)
        matches = _find_trials([sweep_dir], trial_word)
        return _pick_only(matches, word, _list_trials([sweep_dir]), f"sweep {sweep_dir.id!r}")
    *older, newest = home.find_sweeps()
    matches = _find_trials([newest], word) or _find_trials(older, word)
    if not matches and any(sweep_dir.id.startswith(word) for sweep_dir in [*older, newest]):
        return _pick_best(home, home.find_sweep(word))
    known = _list_trials([*older, newest])
    return _pick_only(matches, word, known, f"experiment {home.name!r}")


def _pick_best(home: ExperimentDir, sweep_dir: SweepDir) -> Pick:
    sweep, rows = _read(sweep_dir)
    if not rows or not rows[0].is_complete:
        raise UnknownExperimentError(
            f"experiment {home.name!r} has no successful trial, run in full, in {sweep_dir.id}. "
            "Name a trial, or another sweep."
        )
    return Pick(sweep, sweep_dir, rows[0], 1, len(rows))


def _pick_only(
    matches: Sequence[tuple[SweepDir, str]],
    word: str,
    known: Sequence[tuple[SweepDir, str]],
    where: str,
) -> Pick:
    names = [f"{sweep_dir.id}/{trial}" for sweep_dir, trial in matches]
    refuse_ambiguous("trial", word, names)
    if not matches:
        hint = hint_at(word.rpartition("/")[2], [trial for _, trial in known])
        raise UnknownExperimentError(f"{where} has no trial {word!r}.{hint}")
    ((sweep_dir, trial_id),) = matches
    sweep, rows = _read(sweep_dir)
    for place, row in enumerate(rows, start=1):
        if row.trial_id == trial_id:
            return Pick(sweep, sweep_dir, row, place, len(rows))
    raise UnknownExperimentError(f"trial {trial_id!r} of {sweep_dir.id} has no readable run.")


def _read(sweep_dir: SweepDir) -> tuple[Sweep, list[TrialRow]]:
    sweep = Sweep.read(sweep_dir)
    return sweep, rank_trials(read_runs(sweep_dir, sweep.space), [sweep])


def _find_trials(sweep_dirs: Sequence[SweepDir], prefix: str) -> list[tuple[SweepDir, str]]:
    return [found for found in _list_trials(sweep_dirs) if found[1].startswith(prefix)]


def _list_trials(sweep_dirs: Sequence[SweepDir]) -> list[tuple[SweepDir, str]]:
    """Return the trials that have begun, by sweep and id."""
    return [
        (sweep_dir, trial_id)
        for sweep_dir in sweep_dirs
        for trial_id in dict.fromkeys(run.trial_id for run in sweep_dir.find_run_dirs())
    ]
