"""All that lies in an experiment's directory, as TensorBoard would walk through it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hparams_lab.errors import LogdirError
from hparams_lab.events.read.folder import Folder, scan_folder
from hparams_lab.events.read.reader import RunRecord, Types
from hparams_lab.logdir.layout import (
    ExperimentDir,
    RunDir,
    SweepDir,
    is_event_file,
    is_run_name,
    is_trial_id,
    parse_run_name,
)
from hparams_lab.logdir.lock import is_held
from hparams_lab.runs.sweep import Sweep


@dataclass(frozen=True)
class FoundRun:
    """A run of ours that has begun."""

    record: RunRecord  # as it was read
    folder: Folder  # where it lies, with what foreign writers may have put there
    sweep_dir: SweepDir  # of its sweep
    sweep: Sweep  # its sweep


@dataclass(frozen=True)
class Survey:
    """What lies in an experiment's directory."""

    home: ExperimentDir  # the directory
    sweeps: Mapping[SweepDir, Sweep]  # readable ones by directory, oldest first
    unreadable: Mapping[SweepDir, str]  # what is wrong with the others that have a `sweep.json`
    # directories with event files, by path, the experiment's own not among them
    folders: Sequence[Folder]
    # event files right in the experiment's directory, but for the config; one each
    loose: Sequence[Folder]
    running: frozenset[SweepDir]  # sweeps that a process is running
    # directories that cannot be looked into, and why
    unreadable_folders: Mapping[Path, str] = field(default_factory=dict)

    @property
    def sessions(self) -> list[Folder]:
        """The directories with a session start: the rows' runs."""
        return [folder for folder in self.folders if folder.is_session]

    @cached_property
    def runs(self) -> list[FoundRun]:
        """The runs of readable sweeps that have begun, by path."""
        return [run for folder in self.sessions if (run := self._recognize(folder)) is not None]

    def name(self, path: Path) -> str:
        """Return how a path is named below the experiment's directory: as TensorBoard does."""
        return os.path.relpath(path, self.home.path)

    def _recognize(self, folder: Folder) -> FoundRun | None:
        trial_dir = folder.path.parent
        sweep_dir = SweepDir(trial_dir.parent)
        if sweep_dir not in self.sweeps or not is_trial_id(trial_dir.name):
            return None
        if not is_run_name(folder.path.name):
            return None
        sweep = self.sweeps[sweep_dir]
        run_dir = RunDir(folder.path, *parse_run_name(folder.path.name))
        return FoundRun(
            RunRecord(run_dir, folder.scan, Types(sweep.space)), folder, sweep_dir, sweep
        )


def survey(home: ExperimentDir) -> Survey:
    """Return what lies in an experiment's directory; nothing is changed."""
    sweeps: dict[SweepDir, Sweep] = {}
    unreadable: dict[SweepDir, str] = {}
    for sweep_dir in home.find_sweeps():
        try:
            sweeps[sweep_dir] = Sweep.read(sweep_dir)
        except LogdirError as error:
            unreadable[sweep_dir] = str(error)
    hidden: dict[Path, str] = {}
    folders = list(_walk(home, hidden))
    loose = [
        scan_folder(home.path, [path.name])
        for path in sorted(home.path.iterdir())
        if is_event_file(path.name) and path.is_file() and path != home.config_file
    ]
    running = frozenset(sweep_dir for sweep_dir in home.sweep_dirs if is_held(sweep_dir))
    return Survey(home, sweeps, unreadable, folders, loose, running, hidden)


def _walk(home: ExperimentDir, hidden: dict[Path, str]) -> Iterator[Folder]:
    """Yield the directories below with event files; links are followed, but not in circles.

    Args:
        home: where to begin.
        hidden: takes what cannot be read, and why, but for what is gone meanwhile.
    """

    def hide(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            hidden[Path(error.filename)] = str(error.strerror)

    seen = set()
    for path, names, files in os.walk(home.path, onerror=hide, followlinks=True):
        if (real := os.path.realpath(path)) in seen or Path(path) == home.reports_dir:
            names.clear()
            continue
        seen.add(real)
        names.sort()
        events = sorted(name for name in files if is_event_file(name))
        if events and Path(path) != home.path:
            yield scan_folder(Path(path), events)
