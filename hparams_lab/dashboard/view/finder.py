"""Which runs of a log directory a dashboard shows.

Read anew at every look, as the log directory goes on changing; what cannot change, a run's
session start, is read once. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hparams_lab.errors import EventFormatError, LogdirError
from hparams_lab.events.read.cache import recall_sweep
from hparams_lab.events.read.start import Start, read_start
from hparams_lab.logdir.layout import (
    ExperimentDir,
    RunDir,
    SweepDir,
    experiment_dir,
    find_experiments,
)
from hparams_lab.runs.sweep import Sweep

Choose = Callable[[ExperimentDir, Sequence[SweepDir]], Mapping[SweepDir, Collection[str] | None]]
"""Given an experiment and its readable sweeps, oldest first, returns those that are shown, and
the ids of the trials of each that are; None is all of them."""

Warn = Callable[[str], None]
"""Takes a sentence that the user should see."""

# Where event files of other tools lie, as a rule; a folder may hold a million other files.
_EVENT_FILES = ("*tfevents*", "*/*tfevents*", "*/*/*tfevents*")


@dataclass(frozen=True)
class ShownRun:
    """A run that is shown."""

    home: ExperimentDir  # its experiment's directory
    sweep: Sweep  # its sweep
    dir: RunDir  # where it lies
    start: Start  # who it is
    event_files: tuple[Path, ...]  # in the order in which TensorBoard reads them
    num_bytes: int  # of all of them


def choose_all(
    home: ExperimentDir, sweep_dirs: Sequence[SweepDir]
) -> Mapping[SweepDir, Collection[str] | None]:
    """Choose every trial of every sweep."""
    return dict.fromkeys(sweep_dirs)


class Finder:
    """Finds the runs to show, again and again.

    Args:
        logdir: of the experiments.
        names: of the experiments; none stands for all that there are.
        choose: of each experiment.
        warn: is called, once each, with what cannot be shown.

    Attributes:
        watched: files and directories on which it depends what was found the last time.
    """

    def __init__(self, logdir: Path, names: Sequence[str], *, choose: Choose, warn: Warn) -> None:
        self._logdir = logdir
        self._names = names
        self._choose = choose
        self._warn = warn
        self.watched: set[str] = set()
        self._warned: set[str] = set()
        self._noted: set[Path] = set()
        self._sweeps: dict[SweepDir, tuple[int, Sweep | None]] = {}
        self._starts: dict[Path, Start] = {}

    @property
    def homes(self) -> list[ExperimentDir]:
        """The directories of the experiments, which need not hold anything now."""
        if self._names:
            return [experiment_dir(self._logdir, name) for name in dict.fromkeys(self._names)]
        return find_experiments(self._logdir)

    def find(self) -> list[ShownRun]:
        """Return the runs to show: by experiment, sweep, trial and run, each in its order.

        A run that has not begun is none, and of the attempts at a run only the last is one.
        """
        self.watched = {str(self._logdir)}
        homes = self.homes
        if not self._names:
            self._note_foreign(self._logdir, {home.path for home in homes})
        return [run for home in homes for run in self._find_in(home)]

    def warn_once(self, sentence: str) -> None:
        """Pass a warning on, the first time it is given."""
        if sentence not in self._warned:
            self._warned.add(sentence)
            self._warn(sentence)

    def _find_in(self, home: ExperimentDir) -> Iterator[ShownRun]:
        there = home.find_sweeps()
        self.watched |= {str(home.path), str(home.reports_dir)}
        self.watched.update(str(path) for each in there for path in (each.path, each.sweep_file))
        self._note_foreign(home.path, {home.reports_dir, *(each.path for each in there)})
        sweeps = {
            sweep_dir: sweep
            for sweep_dir in there
            if (sweep := self._read_sweep(sweep_dir)) is not None
        }
        for sweep_dir, trial_ids in self._choose(home, list(sweeps)).items():
            attempts: dict[tuple[Path, int, int | None], ShownRun] = {}
            recalled = recall_sweep(sweep_dir)
            self.watched.update(recalled.folders)
            for run_dir, files, scan in recalled.runs:
                self.watched.update(files)
                if scan is not None and scan.hparams is not None:
                    start = Start(scan.hparams, scan.group_name, scan.start_time_secs)
                    self._starts.setdefault(run_dir.path, start)
                if trial_ids is not None and run_dir.trial_id not in trial_ids:
                    continue
                key = (run_dir.path.parent, run_dir.repeat, run_dir.fold)
                if key in attempts and run_dir.attempt < attempts[key].dir.attempt:
                    continue
                if run := self._read_run(
                    home, sweeps[sweep_dir], run_dir, [Path(file) for file in files]
                ):
                    attempts[key] = run
            yield from attempts.values()

    def _note_foreign(self, folder: Path, own: Collection[Path]) -> None:
        """Warn of what TensorBoard would show of a folder, but is not ours."""
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path in own or path in self._noted or path.name.startswith("."):
                continue
            self._noted.add(path)
            if path.is_dir() and any(any(path.glob(pattern)) for pattern in _EVENT_FILES):
                self.warn_once(
                    f"not shown, as no sweep wrote it: {path}. tensorboard --logdir={path} does."
                )

    def _read_sweep(self, sweep_dir: SweepDir) -> Sweep | None:
        try:
            modified_ns = sweep_dir.sweep_file.stat().st_mtime_ns
        except OSError:  # gone since it was found
            return None
        known = self._sweeps.get(sweep_dir)
        if known is None or known[0] != modified_ns:
            try:
                known = modified_ns, Sweep.read(sweep_dir)
            except LogdirError as error:
                self.warn_once(str(error))
                known = modified_ns, None
            self._sweeps[sweep_dir] = known
        return known[1]

    def _read_run(
        self, home: ExperimentDir, sweep: Sweep, run_dir: RunDir, files: Sequence[Path]
    ) -> ShownRun | None:
        try:
            num_bytes = sum(file.stat().st_size for file in files)
            start = self._starts.get(run_dir.path) or self._read_start(files)
        except EventFormatError as error:
            self.warn_once(f"not shown, as it is damaged: {error}")
            return None
        except FileNotFoundError:  # gone since it was found
            return None
        except OSError as error:
            self.warn_once(f"not shown: {error.filename}: {error.strerror}. Allow it to be read.")
            return None
        if not files or start is None:
            return None
        self._starts[run_dir.path] = start
        return ShownRun(home, sweep, run_dir, start, tuple(files), num_bytes)

    def _read_start(self, files: Sequence[Path]) -> Start | None:
        starts = (read_start(file) for file in files)
        return next((start for start in starts if start is not None), None)


def keep_newest(runs: Sequence[ShownRun], max_runs: int) -> list[ShownRun]:
    """Return the runs of the newest trials, as many as there is room for, in their order.

    A trial is kept whole or not at all, the newest one in any case.

    Args:
        runs: as found.
        max_runs: how many, at least 0.
    """
    by_trial: dict[tuple[str, str, Path], list[ShownRun]] = {}
    for run in runs:
        trial_dir = run.dir.path.parent
        by_trial.setdefault((run.sweep.id, trial_dir.name, trial_dir), []).append(run)
    kept: set[Path] = set()
    for key in sorted(by_trial, reverse=True):
        if kept and len(kept) + len(by_trial[key]) > max_runs:
            break
        kept.update(run.dir.path for run in by_trial[key])
    return [run for run in runs if run.dir.path in kept]
