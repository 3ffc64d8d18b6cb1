"""Checks of what lies in the log directory that is no whole sweep of ours."""

from __future__ import annotations

import contextlib
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from hparams_lab.doctor.finding import Fault, format_remedy, name_some
from hparams_lab.doctor.survey import Survey
from hparams_lab.events.foreign.reader import ForeignRun, find_foreign
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.logdir.lock import sweep_lock
from hparams_lab.logdir.trash import empty
from hparams_lab.text import count

_MIN_AGE_SECS = 60.0  # of what nobody is writing any more
# What our own writers put beside a file and then into its place; others' are not ours to remove.
_ASIDE = re.compile(
    r"\.config-\w+\.tmp|\.(sweep\.json|source(-\d+)?\.zip|diff(-\d+)?\.patch)(-\w+)?\.tmp|sweep\.tmp"
)
_EXECUTION = re.compile(r"execution\d+")
# What Ray Tune puts beside a trial's event file.
_RAY_FILES = ("result.json", "params.json")
_OTHER_FILES = 64  # that TensorBoard itself has open


def find_broken_sweeps(survey: Survey) -> Iterator[Fault]:
    """Find sweeps without a readable `sweep.json`."""
    home = survey.home
    for sweep_dir, problem in survey.unreadable.items():
        yield Fault(
            kind="unreadable sweep",
            problem=problem.rpartition(". ")[0] + ".",
            effect="Its runs are left out of whatever is read, and its columns of the dashboard.",
            advice=f"Move it away: {format_remedy(home, 'archive', sweep_dir.id)}",
            paths=[sweep_dir.sweep_file],
        )
    for path, problem in survey.unreadable_folders.items():
        yield Fault(
            kind="unreadable directory",
            problem=f"{survey.name(path)} cannot be read: {problem}.",
            effect="What lies in it is left out of whatever is read.",
            advice=f"Allow it: {shlex.join(['chmod', 'u+rwx', str(path)])}",
            paths=[path],
        )
    described = {*survey.sweeps, *survey.unreadable, *survey.running}
    for sweep_dir in home.sweep_dirs:
        if sweep_dir in described or not _is_old(sweep_dir.path):
            continue
        is_empty = not any(path != sweep_dir.lock_file for path in _list(sweep_dir.path))
        yield Fault(
            kind="sweep without sweep.json",
            problem=f"{sweep_dir.path} has no sweep.json"
            + (", nor anything else." * is_empty or "."),
            effect="TensorBoard shows its runs, if it has any, but no command knows of them.",
            advice=(
                "It is removed by --fix."
                if is_empty
                else f"Move it away: {format_remedy(home, 'archive', sweep_dir.id)}"
            ),
            paths=[sweep_dir.path],
            mend=partial(_remove_empty, sweep_dir) if is_empty else None,
        )


def find_leftovers(survey: Survey) -> Iterator[Fault]:
    """Find temporary files, and things half deleted, of processes that are gone."""
    home = survey.home
    folders = [home.path, *(sweep_dir.path for sweep_dir in home.sweep_dirs)]
    found = [path for each in folders for path in _list(each) if _ASIDE.fullmatch(path.name)]
    found += [path for path in _list(home.trash_dir) if path.is_dir()]
    old = [path for path in found if _is_old(path)]
    if old:
        yield Fault(
            kind="leftover",
            problem=(
                f"{count(len(old), 'leftover')} of a process that died: "
                f"{name_some([*map(str, old)])}."
            ),
            effect="It takes room, and the dashboard shows none of it.",
            advice="It is removed by --fix.",
            paths=old,
            mend=partial(_remove_leftovers, old),
        )


def find_foreign_runs(root: Path, home: ExperimentDir | None = None) -> Iterator[Fault]:
    """Find runs that other tools wrote.

    Args:
        root: to search.
        home: of the experiment whose directory that is; None if it is of none.
    """
    layouts: dict[str, list[ForeignRun]] = {}
    for run in find_foreign(root):
        layouts.setdefault(_name_layout(run), []).append(run)
    for layout, runs in layouts.items():
        names = [run.name for run in runs]
        export = shlex.join(["hparams_lab", "export", str(root)])
        if home is None:
            effect = "No command but export knows of them; plain TensorBoard shows them."
            advice = f"To read them: {export}"
        else:
            effect = "Their rows stand among the experiment's, where its columns fit them."
            command = format_remedy(home, "archive", names[0])
            advice = f"To read them: {export}  To move such runs away: {command}"
        yield Fault(
            kind="foreign runs",
            problem=(
                f"{count(len(runs), 'run')} in {root} of another tool, {layout}: "
                f"{name_some(names)}."
            ),
            effect=effect,
            advice=advice,
            paths=[run.path for run in runs],
        )


def find_too_many_files(survey: Survey, limit: int | None) -> Iterator[Fault]:
    """Find more event files than a process may have open.

    Args:
        survey: of the experiment.
        limit: how many files a process may have open; None for any number.
    """
    number = sum(len(folder.files) for folder in survey.folders) + len(survey.loose) + 1
    if limit is not None and number + _OTHER_FILES > limit:
        yield Fault(
            kind="too many event files",
            problem=(
                f"{survey.home.name} has {number} event files, and a process may have {limit} "
                "files open."
            ),
            effect="TensorBoard keeps each open; the runs it comes to last stay empty.",
            advice=(
                f"Type ulimit -n {number + _OTHER_FILES} before tensorboard, or use what does "
                f"that by itself: {format_remedy(survey.home, 'dashboard')}"
            ),
            paths=[survey.home.path],
        )


def _name_layout(run: ForeignRun) -> str:
    if any((run.path / name).exists() for name in _RAY_FILES):
        return "Ray Tune's logger"
    if _EXECUTION.fullmatch(run.path.name):
        return "Keras Tuner's TensorBoard callback"
    return run.layout


def _list(folder: Path) -> list[Path]:
    with contextlib.suppress(PermissionError):  # a finding of its own
        return sorted(folder.iterdir()) if folder.is_dir() else []
    return []


def _is_old(path: Path) -> bool:
    with contextlib.suppress(OSError):  # gone meanwhile
        return time.time() - path.lstat().st_mtime > _MIN_AGE_SECS
    return False


def _remove_empty(sweep_dir: SweepDir) -> str:
    with sweep_lock(sweep_dir):
        sweep_dir.lock_file.unlink()
        sweep_dir.path.rmdir()  # fails, and rightly so, if it is not empty any more
    return f"removed the empty {sweep_dir.path}"


def _remove_leftovers(paths: Sequence[Path]) -> str:
    for path in paths:
        if path.is_dir():
            empty(path)
        else:
            path.unlink(missing_ok=True)
    return f"removed {count(len(paths), 'leftover')}: {name_some([*map(str, paths)])}"
