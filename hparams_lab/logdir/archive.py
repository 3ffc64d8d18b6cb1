"""Putting sweeps, trials and runs out of sight, back again, or away for good.

    <logdir>/<experiment>/<sweep>/<trial>/<run>
        ▲ move back        │ move                  by renames on one filesystem
    <logdir>/.archive/<experiment>/<sweep>/<trial>/<run>

The archive is laid out as the log directory, so what reads the one reads the other: `show
NAME --logdir=logs/.archive`. Each thing goes by a rename, so that a process which is killed
leaves it here or there, whole; the same words said again do the rest. What is deleted is
renamed out of sight first. Links are moved and removed themselves, never what they point
to. The `hparams_config`s are not rewritten here: `events.config` does that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from hparams_lab.errors import LogdirError
from hparams_lab.logdir.atomic import replacing
from hparams_lab.logdir.entry import Entry
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, is_event_file
from hparams_lab.logdir.lock import sweep_lock
from hparams_lab.logdir.trash import discard, rename

_NUM_SHOWN = 3


def move(entries: Iterable[Entry]) -> None:
    """Move things to the archive, or archived ones back to where they were.

    A sweep or trial of which parts are there already becomes one with them. Where only
    parts of a sweep go, what says how it came about is copied.

    Args:
        entries: none of them within another, of one experiment or its archive.

    Raises:
        LogdirError: before anything is moved, if a sweep is running, or a run is there
            already; or if the system refuses.
    """
    entries = list(entries)
    _refuse_links(entries)
    with _holding(_live(entries)):
        _refuse_conflicts(entries)
        for _, members in groupby(entries, key=lambda entry: entry.parts[0]):
            first, *others = members
            _describe(first)
            for entry in (first, *others):
                _merge(entry.path, entry.elsewhere.path, entry.depth, entry.home)
                _leave(entry)
            _drop_shell(first)


def delete(entries: Iterable[Entry]) -> None:
    """Delete things for good.

    Args:
        entries: none of them within another, of one experiment or its archive.

    Raises:
        LogdirError: if a sweep is running, before anything is deleted; or if the system
            refuses.
    """
    entries = list(entries)
    _refuse_links(entries)
    with _holding(_live(entries)):
        for entry in entries:
            discard(entry.home, entry.path)
            _leave(entry)
        for entry in {entry.parts[0]: entry for entry in entries}.values():
            _drop_shell(entry)


def check(entries: Iterable[Entry], *, moves: bool) -> None:
    """Raise what `move` or `delete` would raise before it changes anything; change nothing.

    Args:
        entries: as they would be given.
        moves: whether they are to be moved, and not deleted.

    Raises:
        LogdirError: as `move` or `delete`.
    """
    entries = list(entries)
    _refuse_links(entries)
    with _holding(_live(entries), makes_locks=False):
        if moves:
            _refuse_conflicts(entries)


def find_conflicts(source: Path, target: Path, depth: int) -> list[Path]:
    """Return what stands in the way of something's move, in order of the names.

    Directories may be in parts here and there, but a run's records must not be.

    Args:
        source: what is to be moved.
        target: where to.
        depth: of the entry: 1 for a sweep.
    """
    if not os.path.lexists(target):
        return []
    are_dirs = _is_real_dir(source) and _is_real_dir(target)
    if not are_dirs or (_has_events(source) and _has_events(target)):
        return [target]
    return [
        conflict
        for name in _list_parts(source, depth)
        for conflict in find_conflicts(source / name, target / name, depth + 1)
    ]


def _refuse_links(entries: Iterable[Entry]) -> None:
    for entry in entries:
        for end in range(1, len(entry.parts)):
            path = entry.home.path.joinpath(*entry.parts[:end])
            if path.is_symlink():
                raise LogdirError(
                    f"only what lies in the log directory itself is moved or deleted; {entry.id} "
                    f"lies behind the link {path}. Name the link, or go to where it points."
                )


def _refuse_conflicts(entries: Iterable[Entry]) -> None:
    conflicts = [
        path
        for entry in entries
        for path in find_conflicts(entry.path, entry.elsewhere.path, entry.depth)
    ]
    if conflicts:
        shown = ", ".join(str(path) for path in conflicts[:_NUM_SHOWN])
        more = ", ..." if len(conflicts) > _NUM_SHOWN else ""
        raise LogdirError(
            f"nothing is overwritten; {len(conflicts)} of what is to be moved is there already: "
            f"{shown}{more}. Leave that out, or delete one of the two."
        )


def _live(entries: Iterable[Entry]) -> list[Entry]:
    """Return the places of the entries in the experiment, where its sweeps may be running."""
    return [entry.elsewhere if entry.home.is_archive else entry for entry in entries]


@contextlib.contextmanager
def _holding(entries: Iterable[Entry], *, makes_locks: bool = True) -> Iterator[None]:
    """Keep others from running the sweeps meanwhile."""
    sweep_dirs = {entry.sweep_dir for entry in entries} - {None}
    with contextlib.ExitStack() as stack:
        for sweep_dir in sorted(filter(None, sweep_dirs)):
            # No lock is made behind a link, as nothing there is changed.
            if sweep_dir.lock_file.exists() or (makes_locks and _is_real_dir(sweep_dir.path)):
                stack.enter_context(sweep_lock(sweep_dir))
        yield


def _describe(entry: Entry) -> None:
    """Copy what says how a sweep came about, where only parts of it go or come together."""
    sweep_dir, there = entry.sweep_dir, entry.elsewhere.sweep_dir
    in_parts = len(entry.parts) > 1 or entry.elsewhere.path.exists()
    if sweep_dir is not None and there is not None and in_parts:
        # The experiment's own is never older than that in the archive.
        _copy_description(sweep_dir, there, replace=not entry.home.is_archive)


def _merge(source: Path, target: Path, depth: int, home: ExperimentDir) -> None:
    if not os.path.lexists(target):
        _free_links(source)
        rename(source, target)
        return
    for name in _list_parts(source, depth):
        _merge(source / name, target / name, depth + 1, home)
    discard(home, source)  # an empty shell: what it described is described there


def _leave(entry: Entry) -> None:
    """Remove what is left of directories that only held what is gone."""
    if len(entry.parts) > 1:
        with contextlib.suppress(OSError):  # as a rule it holds more
            entry.path.parent.rmdir()


def _drop_shell(entry: Entry) -> None:
    """Remove what describes an archived sweep of which nothing is left in the archive."""
    sweep_dir, there = entry.sweep_dir, entry.elsewhere.sweep_dir
    if (
        entry.home.is_archive
        and sweep_dir is not None
        and there is not None
        and sweep_dir.path.is_dir()
        and there.sweep_file.exists()
        and not _list_parts(sweep_dir.path, 1)
    ):
        discard(entry.home, sweep_dir.path)


def _copy_description(source: SweepDir, target: SweepDir, *, replace: bool) -> None:
    """Copy a sweep's own files, `sweep.json` last, as that makes it a sweep."""
    try:
        target.path.mkdir(parents=True, exist_ok=True)
        for path in source.description_files:
            copy = target.path / path.name
            if replace or not copy.exists():
                with replacing(copy) as aside:
                    shutil.copy2(path, aside)
    except OSError as error:
        raise LogdirError(f"cannot write to the log directory: {error}. Make room.") from error


def _list_parts(folder: Path, depth: int) -> list[str]:
    """Return the names of what a sweep or a trial holds, without a sweep's own files."""
    own: set[str] = set()
    if depth == 1:
        sweep_dir = SweepDir(folder)
        own = {path.name for path in (sweep_dir.lock_file, *sweep_dir.description_files)}
    return sorted({path.name for path in folder.iterdir()} - own)


def _free_links(path: Path) -> None:
    """Make the relative links at or below a path that lead out of it absolute."""
    found = [path] if path.is_symlink() else []
    for here, folders, names in os.walk(path) if not found else ():
        children = (Path(here, name) for name in (*folders, *names))
        found += [child for child in children if child.is_symlink()]
    for link in found:
        aim = Path(os.path.normpath(link.parent / link.readlink()))
        if not link.readlink().is_absolute() and (link == path or not aim.is_relative_to(path)):
            with replacing(link) as aside:
                aside.symlink_to(aim)


def _has_events(folder: Path) -> bool:
    return any(is_event_file(path.name) for path in folder.iterdir())


def _is_real_dir(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
