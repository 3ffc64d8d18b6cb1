"""A view of a log directory: what TensorBoard shows of it, kept right while it changes.

log directory ── Finder ──▶ runs ── names, columns ──▶ Tree ──▶ TensorBoard
     (read only)                                   (temporary directory)
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hparams_lab.dashboard.view.finder import (
    Choose,
    Finder,
    ShownRun,
    Warn,
    choose_all,
    keep_newest,
)
from hparams_lab.dashboard.view.names import name_runs
from hparams_lab.dashboard.view.tree import Leaf, Snapshot, Tree
from hparams_lab.errors import HParamsLabError, LogdirError
from hparams_lab.events.write.union import Columns, unite
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.sweep import Sweep

DEFAULT_MAX_RUNS = 500
"""With more runs, TensorBoard starts with none selected and the charts of Time Series empty.

Source: tensorboard/webapp/runs, MAX_NUM_RUNS_TO_ENABLE_BY_DEFAULT. The columns are a run, too.
"""

# A look takes a twentieth of the time at most, and is not more often than this.
_MIN_PAUSE_SECS = 1.0
_PAUSE_PER_LOOK = 20.0

_REPORTS = "reports"


class View:
    """What is shown of a log directory. Make one with `open_view`.

    Args:
        root: an empty directory.
        finder: finds the runs.
        max_runs: how many runs are shown, that of the columns included; 0 for all.

    Attributes:
        path: what TensorBoard is pointed at.
        runs: that are shown, by experiment, sweep, trial and run.
        num_left_out: how many more there would be without the limit.
        state: equal as long as the runs, their files' sizes and the columns are.
    """

    def __init__(self, root: Path, finder: Finder, *, max_runs: int) -> None:
        self.runs: Sequence[ShownRun] = ()
        self.num_left_out = 0
        self.state = 0
        self._finder = finder
        self._max_runs = max_runs
        self._stamps = Snapshot((), read_at_ns=0)
        self._tree = Tree(root)
        self.path = self._tree.path
        self._lock = threading.Lock()

    @property
    def num_event_files(self) -> int:
        """How many files TensorBoard keeps open."""
        return sum(len(run.event_files) for run in self.runs) + 1

    def look(self) -> None:
        """Make the view what the log directory is now. Thread-safe.

        Raises:
            LogdirError: if links cannot be made.
        """
        with self._lock:
            self._look()

    def follow(self, stop: threading.Event) -> None:
        """Look again whenever something changes, until it is to stop.

        What goes wrong is warned of once.
        """
        pause_secs = _MIN_PAUSE_SECS
        while not stop.wait(pause_secs):
            began = time.monotonic()
            try:
                if not self._stamps.is_current():
                    self.look()
            except (HParamsLabError, OSError) as error:
                self._finder.warn_once(str(error))
            pause_secs = max(_MIN_PAUSE_SECS, _PAUSE_PER_LOOK * (time.monotonic() - began))

    def _look(self) -> None:
        began_ns = time.time_ns()
        found = self._finder.find()
        self._stamps = Snapshot(self._finder.watched, read_at_ns=began_ns)
        reports = _find_reports({run.home for run in found})
        runs = found
        if self._max_runs:
            num_reports = sum(len([*folder.iterdir()]) for folder in reports.values())
            runs = keep_newest(found, max(0, self._max_runs - 1 - num_reports))
        try:
            self._show(runs, reports)
        except OSError as error:
            raise LogdirError(
                f"cannot link the runs to {self.path}: {error}. Make room there, or set TMPDIR to "
                "another directory."
            ) from error
        self.num_left_out = len(found) - len(runs)
        self.runs = runs
        sizes = tuple((run.dir.path, run.num_bytes) for run in runs)
        self.state = hash((self._tree.columns_name, sizes))

    def _show(self, runs: Sequence[ShownRun], reports: Mapping[str, Path]) -> None:
        if not runs:
            self._tree.show(_link_all(reports))
            self._tree.show_columns(None)
            return
        columns = unite(_group_sweeps(runs))
        named = name_runs(runs, columns.as_text, experiment_column=columns.experiment_column)
        leaves = {name: _make_leaf(run, columns) for name, run in named.items()}
        # Columns without rows are harmless, rows without their columns are not.
        self._tree.show_columns(columns.config)
        self._tree.show(leaves | _link_all(reports))


def _find_reports(homes: set[ExperimentDir]) -> dict[str, Path]:
    """Return the experiments' directories of reports by their names in the view."""
    there = [home for home in homes if home.reports_dir.is_dir()]
    several = len(homes) > 1
    return {f"{home.name}/{_REPORTS}" if several else _REPORTS: home.reports_dir for home in there}


def _link_all(targets: Mapping[str, Path]) -> dict[str, Leaf]:
    return {name: Leaf(target.parent, target.name) for name, target in targets.items()}


def _group_sweeps(runs: Sequence[ShownRun]) -> dict[str, list[Sweep]]:
    """Return the sweeps that have runs, oldest first, by experiment."""
    sweeps: dict[str, dict[str, Sweep]] = {}
    for run in runs:
        sweeps.setdefault(run.home.name, {})[run.dir.sweep_id] = run.sweep
    return {name: [*found.values()] for name, found in sweeps.items()}


def _make_leaf(run: ShownRun, columns: Columns) -> Leaf:
    group_name = f"{run.dir.trial_id}@{run.dir.sweep_id}"
    start = columns.fit(run.start, run.sweep, experiment=run.home.name, group_name=group_name)
    inside = f"{run.dir.sweep_id}/{run.dir.trial_id}/{run.dir.path.name}"
    if start == run.start:
        return Leaf(run.home.path, inside)
    return Leaf(run.home.path, inside, start, tuple(file.name for file in run.event_files))


@contextlib.contextmanager
def open_view(
    logdir: Path | str,
    names: Sequence[str] = (),
    *,
    choose: Choose = choose_all,
    max_runs: int = DEFAULT_MAX_RUNS,
    warn: Warn = lambda sentence: None,
) -> Iterator[View]:
    """Make a view, keep it right in the background, and remove it at the end.

    Its `path` is for TensorBoard: `tensorboard --logdir PATH`, or in a notebook
    `%tensorboard --logdir {view.path}`. Nothing in the log directory is changed.

    Args:
        logdir: of the experiments.
        names: of the experiments that are shown; none stands for all there are, then too.
        choose: sweeps and trials of each experiment; asked anew at every look.
        max_runs: how many runs are shown at most, of the newest trials, that of the columns
            included; 0 for all.
        warn: is called, once each, with what cannot be shown.

    Raises:
        LogdirError: if links cannot be made.
    """
    finder = Finder(Path(logdir).absolute(), names, choose=choose, warn=warn)
    stop = threading.Event()
    with scratch_dir() as folder:
        view = View(folder, finder, max_runs=max_runs)
        view.look()
        follower = threading.Thread(target=view.follow, args=(stop,), name="view", daemon=True)
        follower.start()
        try:
            yield view
        finally:
            stop.set()
            follower.join()


_PREFIX = "hparams_lab-"

# Held by the process that made the directory, as long as it lives.
_LOCK_NAME = "lock"

# A directory so young may be about to be locked.
_MIN_AGE_SECS = 60.0


@contextlib.contextmanager
def scratch_dir() -> Iterator[Path]:
    """Make a directory, and remove it at the end; and those of processes that were killed.

    Raises:
        OSError: if it cannot be made.
    """
    from filelock import FileLock  # not needed by the commands that only read

    with contextlib.suppress(OSError):
        _remove_orphans(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with FileLock(folder / _LOCK_NAME):
            yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:  # once more, if somebody was too impatient to wait for it
            shutil.rmtree(folder, ignore_errors=True)


def _remove_orphans(parent: Path) -> None:
    from filelock import FileLock, Timeout

    for lock_file in parent.glob(f"{_PREFIX}*/{_LOCK_NAME}"):
        # Of another user, or gone in the meantime; or held.
        with contextlib.suppress(OSError, Timeout):
            if time.time() - lock_file.stat().st_mtime > _MIN_AGE_SECS:
                with FileLock(lock_file).acquire(timeout=0):
                    shutil.rmtree(lock_file.parent)
