"""Every path in a log directory; no other module joins names.

<logdir>/<experiment>/
  events.out.tfevents...            the union hparams_config, one file
  reports/<time>/events...          pictures and texts about the runs, for TensorBoard's tabs
  <sweep>/                          2026-11-21_07-34-05: sorts by time
    sweep.json  source.zip  diff.patch  sweep.lock
    source-1.zip                    where the first resumption had other code
    <trial>/                        0007-3f2a9c1b
      <run>/                        r00, r00f03 for fold 3, r00a1 for a second attempt
        events.out.tfevents...      one event file
        events.out.superseded...    that of an attempt that was made again
        output.log  failure.txt     only where there is something to say
      refit/                        a product of the trial, no result: TensorBoard sees none of it
        model.keras                 the model
        model.json                  its architecture, and
        model.weights.h5            its weights
        model_card.md               what it is and how it came about
<logdir>/.archive/<experiment>/     what was put out of sight, laid out as above
<logdir>/.trash/                    what is being deleted
"""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from hparams_lab.errors import LogdirError, UnknownExperimentError
from hparams_lab.logdir.atomic import storing
from hparams_lab.logdir.mounts import mount_of
from hparams_lab.logdir.resolve import hint_at, match, refuse_ambiguous
from hparams_lab.logdir.unreadable import warn_unreadable

_SWEEP_FORMAT = "%Y-%m-%d_%H-%M-%S"
_SWEEP_ID = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(?:-[0-9a-f]{4})?")
_TRIAL_ID = re.compile(r"\d{4,}-[0-9a-f]{8}")
_RUN_NAME = re.compile(r"r(\d\d+)(?:f(\d\d+))?(?:a(\d+))?")

# TensorBoard takes any file with "tfevents" in its name for an event file
# (io_wrapper.IsTensorFlowEventsFile; EVENT_FILE_BASENAME_INFIX in logdir.rs).
_EVENT_INFIX = "tfevents"

# No experiment's, as they begin with a dot.
_ARCHIVE_NAME = ".archive"
_TRASH_NAME = ".trash"
_SUPERSEDED_INFIX = "superseded"


@dataclass(frozen=True, order=True)
class RunDir:
    """The directory of one run."""

    path: Path  # absolute
    repeat: int = 0  # 0-based
    fold: int | None = None  # 0-based, None without folds
    attempt: int = 0  # 0-based; a later one stands for those before it

    @property
    def trial_id(self) -> str:
        """The id of the run's trial."""
        return self.path.parent.name

    @property
    def sweep_id(self) -> str:
        """The id of the run's sweep."""
        return self.path.parent.parent.name

    @property
    def experiment(self) -> str:
        """The name of the run's experiment."""
        return self.path.parent.parent.parent.name

    @property
    def event_files(self) -> list[Path]:
        """The run's event files in the order in which TensorBoard reads them: by name."""
        return _list_paths(self.path, is_event_file)

    def make(self) -> None:
        """Make the directory, and its trial's, where they are not there.

        Not the sweep's: what is gone is not begun anew in the middle, where half of it would
        pass for the whole.

        Raises:
            StorageError: if it cannot be made, or the sweep's directory is gone.
        """
        with storing(self.path):
            self.path.parent.mkdir(exist_ok=True)
            self.path.mkdir(exist_ok=True)

    def next_attempt(self) -> RunDir:
        """Return the directory of the attempt at this run that follows this one."""
        attempt = self.attempt + 1
        name = _name_run(self.repeat, self.fold, attempt)
        return RunDir(self.path.with_name(name), self.repeat, self.fold, attempt)

    @property
    def superseded_files(self) -> list[Path]:
        """The event files of an attempt that was made again, by name."""
        return _list_paths(self.path, lambda name: _SUPERSEDED_INFIX in name)

    def supersede(self) -> None:
        """Take the run's event files out of all readers' sight, as it is made again.

        They are kept under another name: TensorBoard would average what a half-run
        reached with what its trial came to.
        """
        for path in self.event_files:
            path.rename(path.with_name(path.name.replace(_EVENT_INFIX, _SUPERSEDED_INFIX)))

    @property
    def earlier_attempts(self) -> list[RunDir]:
        """The directories of the attempts at this run before this one, earliest first."""
        return [
            RunDir(
                self.path.with_name(_name_run(self.repeat, self.fold, attempt)),
                self.repeat,
                self.fold,
                attempt,
            )
            for attempt in range(self.attempt)
        ]

    def checkpoint_dir(self, number: int = 0) -> Path:
        """Where training saves models and how far it has come; 0 is the first training."""
        return self.path / (f"checkpoint-{number}" if number else "checkpoint")

    @property
    def checkpoint_dirs(self) -> list[Path]:
        """Those directories that exist."""
        return sorted(self.path.glob("checkpoint*/"))

    def forget_training(self) -> None:
        """Keep a later attempt from going on with what this one has saved."""
        for folder in self.checkpoint_dirs:
            (folder / "training.json").unlink(missing_ok=True)

    @property
    def failure_file(self) -> Path:
        """Why the run failed: traceback or signal."""
        return self.path / "failure.txt"

    @property
    def output_file(self) -> Path:
        """What the run printed, on either stream."""
        return self.path / "output.log"


@dataclass(frozen=True, order=True)
class RefitDir:
    """The directory of a model that was trained again and saved."""

    path: Path  # absolute

    @property
    def model_file(self) -> Path:
        """The whole model."""
        return self.path / "model.keras"

    @property
    def architecture_file(self) -> Path:
        """The model's architecture."""
        return self.path / "model.json"

    @property
    def weights_file(self) -> Path:
        """The weights for that architecture."""
        return self.path / "model.weights.h5"  # Keras insists on this suffix

    @property
    def card_file(self) -> Path:
        """What the model is and how it came about: the last file to be written."""
        return self.path / "model_card.md"

    @property
    def is_complete(self) -> bool:
        """Whether a refit is there: a card, and the model or at least its weights."""
        has_model = self.model_file.exists() or self.weights_file.exists()
        return has_model and self.card_file.exists()

    @property
    def failure_file(self) -> Path:
        """Why the latest attempt failed; beside the directory, which an earlier one may fill."""
        return self.path.with_name(f"{self.path.name}-failure.txt")


@dataclass(frozen=True, order=True)
class SweepDir:
    """The directory of one sweep."""

    path: Path  # absolute

    @property
    def id(self) -> str:
        """The sweep's id: its local start time, to the second."""
        return self.path.name

    @property
    def start_time(self) -> datetime:
        """When it started: local time, with its offset.

        Raises:
            LogdirError: if the directory's name is no time.
        """
        try:
            return datetime.strptime(self.id[:19], _SWEEP_FORMAT).astimezone()
        except ValueError as error:
            raise LogdirError(
                f"{self.path} must be named by a time, as sweeps are. Rename it, or move it away."
            ) from error

    @property
    def sweep_file(self) -> Path:
        """What was intended: space, strategy, seed, versions."""
        return self.path / "sweep.json"

    def source_file(self, stage: int = 0) -> Path:
        """The code as it ran, from the nth resumption on if that changed it."""
        return self.path / f"source{_stage_suffix(stage)}.zip"

    @property
    def lock_file(self) -> Path:
        """Held by the process that runs the sweep."""
        return self.path / "sweep.lock"

    def diff_file(self, stage: int = 0) -> Path:
        """How that code differs from its commit."""
        return self.path / f"diff{_stage_suffix(stage)}.patch"

    def run_dir(
        self, trial_id: str, *, repeat: int = 0, fold: int | None = None, attempt: int = 0
    ) -> RunDir:
        """Return the directory of a run, which need not exist."""
        name = _name_run(repeat, fold, attempt)
        return RunDir(self.path / trial_id / name, repeat, fold, attempt)

    def refit_dir(self, trial_id: str) -> RefitDir:
        """Return the directory of a trial's refit, which need not exist."""
        return RefitDir(self.path / trial_id / "refit")

    @property
    def description_files(self) -> list[Path]:
        """What says how the sweep came about, `sweep.json` last."""
        patterns = ("source*.zip", "diff*.patch", self.sweep_file.name)
        return [path for pattern in patterns for path in sorted(self.path.glob(pattern))]

    def remove_description(self) -> None:
        """Remove what describes a sweep that has no trial; where that fails, leave it."""
        with contextlib.suppress(OSError):
            for path in (*reversed(self.description_files), self.lock_file):
                path.unlink(missing_ok=True)
            self.path.rmdir()

    @property
    def trial_dirs(self) -> list[Path]:
        """The directories of its trials, by id."""
        return _list_readable(self.path, _TRIAL_ID)

    def find_run_dirs(self) -> Iterator[RunDir]:
        """Yield the runs that exist, superseded attempts too, by trial, then by run name."""
        for trial in self.trial_dirs:
            for run in _list_readable(trial, _RUN_NAME):
                yield RunDir(run, *parse_run_name(run.name))


@dataclass(frozen=True, order=True)
class ExperimentDir:
    """The directory of one experiment: what TensorBoard is pointed at."""

    path: Path  # absolute; its name is the experiment's

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.path.name

    @property
    def config_file(self) -> Path:
        """The one event file with the union `hparams_config`.

        A fixed name, so that a wider config replaces the narrower one at one stroke.
        """
        return self.path / "events.out.tfevents.0000000000.hparams_config"

    @property
    def reports_dir(self) -> Path:
        """Where pictures and texts about the runs go, a directory by time each."""
        return self.path / "reports"

    @property
    def archive(self) -> ExperimentDir:
        """What was archived of it, laid out as it is itself; need not exist."""
        return ExperimentDir(archive_of(self.path.parent) / self.name)

    @property
    def origin(self) -> ExperimentDir:
        """What this archive was archived of; need not exist any more."""
        return ExperimentDir(self.path.parent.parent / self.name)

    @property
    def is_archive(self) -> bool:
        """Whether this is what was archived of an experiment."""
        return self.path.parent.name == _ARCHIVE_NAME

    @property
    def trash_dir(self) -> Path:
        """Where things are that are being deleted, out of TensorBoard's sight."""
        return self.path.parent / _TRASH_NAME

    def find_sweeps(self) -> list[SweepDir]:
        """Return the sweeps, oldest first; empty if there are none.

        A directory without `sweep.json` is one that is being made, or never was.
        """
        return [sweep for sweep in self.sweep_dirs if _may_exist(sweep.sweep_file)]

    @property
    def sweep_dirs(self) -> list[SweepDir]:
        """All directories with the name of a sweep, by that."""
        return [SweepDir(path) for path in _list_readable(self.path, _SWEEP_ID)]

    def find_sweep(self, prefix: str) -> SweepDir:
        """Return the sweep whose id begins with `prefix`.

        Raises:
            UnknownExperimentError: if there is none, or more than one.
        """
        ids = [sweep.id for sweep in self.find_sweeps()]
        matches = match(prefix, ids)
        refuse_ambiguous("sweep", prefix, matches)
        if not matches:
            raise UnknownExperimentError(
                f"experiment {self.name!r} has no sweep {prefix!r}.{hint_at(prefix, ids)}"
            )
        return SweepDir(self.path / matches[0])

    def create_sweep(self, now: Callable[[], datetime] = datetime.now) -> SweepDir:
        """Make and return the directory of a sweep that starts now.

        Two sweeps of one second would share an id; the later one waits for the next. Where the
        directory stands for a URL, which machines share that share no disk, the id ends in four
        random hex digits instead.

        Raises:
            LogdirError: if the directory cannot be made.
        """
        while True:
            mark = f"-{uuid.uuid4().hex[:4]}" if mount_of(self.path) else ""
            path = self.path / f"{now().strftime(_SWEEP_FORMAT)}{mark}"
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                if not path.is_dir():
                    raise LogdirError(f"{path} must be a directory. Move it away.") from None
                time.sleep(0.05)
            except OSError as error:
                raise LogdirError(
                    f"cannot write to the log directory: {error}. Choose another with --logdir."
                ) from error
            else:
                return SweepDir(path)


def is_sweep_id(name: str) -> bool:
    """Return whether a directory of this name, in an experiment's, is that of a sweep."""
    return _SWEEP_ID.fullmatch(name) is not None


def is_trial_id(name: str) -> bool:
    """Return whether a directory of this name, in a sweep's, is that of a trial."""
    return _TRIAL_ID.fullmatch(name) is not None


def is_run_name(name: str) -> bool:
    """Return whether a directory of this name, in a trial's, is that of a run."""
    return _RUN_NAME.fullmatch(name) is not None


def is_event_file(name: str) -> bool:
    """Return whether TensorBoard takes a file of this name for an event file."""
    return _EVENT_INFIX in name


@cache
def parse_run_name(name: str) -> tuple[int, int | None, int]:
    """Return the repeat, the fold and the attempt that a run's name says.

    Example:
        >>> parse_run_name("r00f03"), parse_run_name("r01a2")
        ((0, 3, 0), (1, None, 2))
    """
    repeat, fold, attempt = _RUN_NAME.fullmatch(name).groups()  # type: ignore[union-attr]
    return int(repeat), None if fold is None else int(fold), int(attempt or 0)


def archive_of(logdir: Path | str) -> Path:
    """Return the archive of a log directory: a log directory itself, which need not exist."""
    return Path(logdir).absolute() / _ARCHIVE_NAME


def experiment_dir(logdir: Path | str, name: str) -> ExperimentDir:
    """Return the directory of an experiment, which need not exist."""
    return ExperimentDir(Path(logdir).absolute() / name)


def find_experiments(logdir: Path | str) -> list[ExperimentDir]:
    """Return the experiments that have a sweep, by name."""
    found = map(ExperimentDir, list_folders(logdir))
    return [experiment for experiment in found if experiment.find_sweeps()]


def list_folders(logdir: Path | str) -> list[Path]:
    """Return the directories in a log directory, by name, without hidden ones."""
    return _list_dirs(Path(logdir).absolute(), re.compile(r"[^.].*"))


def _name_run(repeat: int, fold: int | None, attempt: int) -> str:
    fold_part = "" if fold is None else f"f{fold:02d}"
    attempt_part = f"a{attempt}" if attempt else ""
    return f"r{repeat:02d}{fold_part}{attempt_part}"


def _stage_suffix(stage: int) -> str:
    return f"-{stage}" if stage else ""


def _list_paths(parent: Path, is_wanted: Callable[[str], bool]) -> list[Path]:
    """Return what a directory holds under the wanted names, by name; nothing if it is gone."""
    try:
        return sorted(path for path in parent.iterdir() if is_wanted(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _list_readable(parent: Path, name: re.Pattern[str]) -> list[Path]:
    """Return the directories in another; none, with a warning, if that cannot be read."""
    try:
        return _list_dirs(parent, name)
    except OSError as error:
        warn_unreadable({parent: f"cannot be read: {error.strerror}."})
        return []


def _may_exist(path: Path) -> bool:
    """Return whether a file is there; where that cannot be seen, reading it says why."""
    try:
        return path.exists()
    except OSError:
        return True


def _list_dirs(parent: Path, name: re.Pattern[str]) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if name.fullmatch(path.name) and path.is_dir())
