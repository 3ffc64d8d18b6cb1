"""What is wrong with runs' event files, and when a record that is cut short is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from hparams_lab.events.read.folder import Folder
from hparams_lab.events.read.scan import Scan
from hparams_lab.logdir.layout import RunDir, SweepDir
from hparams_lab.logdir.lock import is_held
from hparams_lab.logdir.unreadable import warn_unreadable

CONTINUATION = ".end"
"""Behind the name of a torn file: that of a second one, which has the end."""

_CUT_SHORT = "its last record is cut short."


def note_torn(scan: Scan) -> None:
    """Take a last record that is cut short for damage, as nobody is writing it any more.

    Where the end is in a second file it is none: that says that the run died over it.
    """
    names = {state.name for state in scan.files}
    for state in scan.files:
        is_torn = state.read_bytes < state.size_bytes
        if is_torn and f"{state.name}{CONTINUATION}" not in names:
            scan.damage.setdefault(state.name, _CUT_SHORT)


def tell_of_runs(sweep_dir: SweepDir, found: Sequence[tuple[RunDir, Scan]]) -> None:
    """Say which event files of a sweep are damaged, and take note of torn ones.

    A record that is cut short is being written if its run has not ended and a process is
    running the sweep.

    Args:
        sweep_dir: of the sweep.
        found: all its runs.
    """
    torn = [scan for _, scan in found if _is_torn(scan)]
    if not all(scan.status for scan in torn) and is_held(sweep_dir):
        torn = [scan for scan in torn if scan.status]
    for scan in torn:
        note_torn(scan)
    warn_unreadable(
        {
            run_dir.path / name: problem
            for run_dir, scan in found
            for name, problem in scan.damage.items()
        }
    )


def tell_of_folders(folders: Iterable[Folder]) -> None:
    """Say which event files of other tools are damaged; those of ended runs are written no more.

    Args:
        folders: with event files.
    """
    damage: dict[Path, str] = {}
    for folder in folders:
        if folder.scan.status:
            note_torn(folder.scan)
        damage |= {folder.path / name: text for name, text in folder.scan.damage.items()}
    warn_unreadable(damage)


def tell_unreadable(error: OSError) -> None:
    """Say which directory cannot be read; one that is gone meanwhile is passed over."""
    if not isinstance(error, FileNotFoundError):
        warn_unreadable({Path(error.filename): f"cannot be read: {error.strerror}."})


def _is_torn(scan: Scan) -> bool:
    return any(state.read_bytes < state.size_bytes for state in scan.files)
