"""Checks of an experiment's directory: its columns, foreign runs, what is left of the dead."""

from __future__ import annotations

import contextlib
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import metadata

from hparams_lab.doctor.finding import Fault, format_remedy, name_some
from hparams_lab.doctor.survey import Survey
from hparams_lab.errors import LogdirError
from hparams_lab.events import schema
from hparams_lab.events.foreign.reader import ForeignRun, find_foreign
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import read_config, write_config
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


def find_other_configs(survey: Survey) -> Iterator[Fault]:
    """Find experiment tags beside the experiment's own config."""
    folders = [folder for folder in (*survey.loose, *survey.folders) if folder.config is not None]
    if not folders:
        return
    paths = [folder.files[0] if folder in survey.loose else folder.path for folder in folders]
    names = [survey.name(path) for path in paths]
    yield Fault(
        kind="several configs",
        problem=(
            f"{survey.home.name} has {count(len(names), 'hparams_config')} too many: "
            f"{name_some(names)}."
        ),
        effect="TensorBoard takes its columns from any one of them, anew at each start.",
        advice=f"Move each out of sight: {format_remedy(survey.home, 'archive', names[0])}",
        paths=paths,
    )


def find_stale_config(survey: Survey) -> Iterator[Fault]:
    """Find a config that is not there, damaged, or not that of the sweeps there are."""
    if not survey.sweeps or survey.unreadable:
        return  # nothing to say of columns, or nothing sure
    home = survey.home
    try:
        wanted = schema.encode_config(list(survey.sweeps.values()))
    except LogdirError as error:
        yield Fault(
            kind="contradictory sweeps",
            problem=f"The sweeps of {home.name} fit no one set of columns.",
            effect=str(error),
            advice=f"Move one of them away: {format_remedy(home, 'archive', 'SWEEP')}",
            paths=[sweep_dir.path for sweep_dir in survey.sweeps],
        )
        return
    present = read_config(home)
    if present == wanted:
        return
    if present is None:
        state = "is damaged" if home.config_file.exists() else "is missing"
        effect = "TensorBoard guesses the columns: every tag is a metric, in order of the alphabet."
    else:
        state, effect = "is not that of its sweeps", _compare_columns(present, wanted)
    yield Fault(
        kind="stale config",
        problem=f"The hparams_config of {home.name} {state}.",
        effect=effect,
        advice="It is rewritten from the sweep.json files by --fix.",
        paths=[home.config_file],
        mend=partial(_rewrite, home),
    )


def find_unknown_hparams(survey: Survey) -> Iterator[Fault]:
    """Find hparams of runs that no sweep declares."""
    if not survey.sweeps or survey.unreadable:
        return
    try:
        known = set(_list_columns(schema.encode_config(list(survey.sweeps.values()))))
    except LogdirError:
        return  # said by another check
    unknown: dict[str, list[Path]] = {}
    for run in survey.runs:
        for name in run.folder.scan.hparams or ():
            if name not in known:
                unknown.setdefault(name, []).append(run.folder.path)
    for name, paths in sorted(unknown.items()):
        names = [survey.name(path) for path in paths]
        command = format_remedy(survey.home, "archive", names[0])
        yield Fault(
            kind="unknown hparam",
            problem=(
                f"The hparam {name!r} of {count(len(paths), 'run')} is declared by no sweep: "
                f"{name_some(names)}."
            ),
            effect="TensorBoard shows no column for it.",
            advice=f"See which program wrote these, and move them away: {command}",
            paths=paths,
        )


def find_unwritten_metrics(survey: Survey) -> Iterator[Fault]:
    """Find metrics that a sweep declares and none of its complete runs has written."""
    missing: dict[str, list[str]] = {}
    for sweep_dir, sweep in survey.sweeps.items():
        runs = [run for run in survey.runs if run.sweep_dir == sweep_dir]
        written = [run.record.metrics for run in runs if run.record.ending is Ending.COMPLETE]
        if not written or sweep_dir in survey.running:
            continue
        for tag in dict.fromkeys([sweep.objective.tag, *sweep.metric_keys]):
            if not any(tag in metrics for metrics in written):
                missing.setdefault(tag, []).append(sweep_dir.id)
    for tag, sweep_ids in missing.items():
        yield Fault(
            kind="unwritten metric",
            problem=(
                f"The metric {tag!r} is declared, but no complete run has written it, in "
                f"{name_some(sweep_ids)}."
            ),
            effect="Its column is empty.",
            advice="Return it from train, or leave it out of the experiment's metrics.",
            paths=[survey.home.path / sweep_id for sweep_id in sweep_ids],
        )


def _compare_columns(present: summary_pb2.Summary, wanted: summary_pb2.Summary) -> str:
    lacking = sorted({*_list_columns(wanted)} - {*_list_columns(present)})
    surplus = sorted({*_list_columns(present)} - {*_list_columns(wanted)})
    if lacking:
        return f"TensorBoard shows no column for {name_some(lacking)}."
    if surplus:
        return f"TensorBoard shows an empty column for {name_some(surplus)}."
    return "TensorBoard shows its columns with other domains, types or texts."


def _list_columns(config: summary_pb2.Summary) -> list[str]:
    content = config.value[0].metadata.plugin_data.content
    experiment = metadata.parse_experiment_plugin_data(content)
    hparams = [info.name for info in experiment.hparam_infos]
    return [*hparams, *(info.name.tag for info in experiment.metric_infos)]


def _rewrite(home: ExperimentDir) -> str:
    write_config(home)
    return f"wrote the hparams_config of {home.name} anew"
