"""Runs that other tools wrote, found by their session starts wherever they lie.

    root/**/ a directory with a session start        a session: one run
             the directories below it without one    its groups: their tags become `group/tag`

A group is how TensorBoard looks for a metric: `train/` and `validation/` of Keras's
callback, `test/` of PyTorch's `add_scalars`. `add_hparams` writes the session into a
sub-run of its own; where that is the only one of its parent, which has scalars and no
session, they are the run's too, and so are the parent's groups.

What a file does not say is not made up. A run without a session end, as the plain API
leaves all its own, is RUNNING. Where a time is missing, or 0, the events' own times stand
for it. Runs of ours are passed over: `reader` knows more of them.

TensorBoard stores every number as a double, and no experiment tag says which were
integers. So a column is of integers where all its values, and all that experiment tags
declare of it, are whole numbers: `3.0` is 3 then, an equal value, only printed better.
PyTorch's `add_hparams` makes a number of a bool, too: where the config says bool, 0 and 1
become False and True again.

A number that is not finite becomes the text that prints it, as NaN equals nothing, not even
itself, and could not distinguish points. A column of several types keeps each value's own.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from google.protobuf import struct_pb2
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    Domain,
    HParam,
    IntInterval,
    RealInterval,
)

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.rules import MAX_EXACT_INT, RESERVED_NAMES
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import LogdirError
from hparams_lab.events.read.folder import Folder, scan_folder
from hparams_lab.events.read.reader import RunRecord, Series, Types
from hparams_lab.events.read.scalars import RawSeries, decode_times, decode_values
from hparams_lab.events.read.scan import Scan, Summary, read_tracks
from hparams_lab.events.read.torn import tell_of_folders, tell_unreadable
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import RunDir, is_event_file


@dataclass(frozen=True)
class ForeignRun:
    """A session that another tool wrote, and where its scalars lie."""

    root: Path  # that was searched
    session: Folder  # the directory of the session start
    # the directory of the training: the session's own, or the one above that `add_hparams` was
    # called in
    home: Path
    # the directories of its scalars and what stands before their tags, the session's own last
    parts: Sequence[tuple[Folder, str]]
    # the nearest directory with an experiment tag, the session's own or one above; None if
    # there is none up to the root
    config: Folder | None

    @property
    def path(self) -> Path:
        """The directory of the session start."""
        return self.session.path

    @property
    def name(self) -> str:
        """What TensorBoard, pointed at the root, calls it."""
        return os.path.relpath(self.path, self.root)

    @property
    def layout(self) -> str:
        """Which way of writing runs it is of, in words."""
        if self.home != self.path:
            return "add_hparams: a sub-run of its training run"
        if self.config is self.session:
            return "add_hparams or Ray Tune: a config in every run"
        if any(prefix for _, prefix in self.parts):
            return "Keras callback or Keras Tuner: metrics in sub-runs"
        return "the hp.hparams API"

    @property
    def start_time_secs(self) -> float:
        """When it began, since the epoch; 0 where there is not even an event's time."""
        firsts = (folder.first_secs for folder, _ in self.parts if folder.first_secs)
        return self.session.scan.start_time_secs or min(firsts, default=0.0)

    @property
    def end_time_secs(self) -> float | None:
        """When it ended, since the epoch; None without a session end."""
        if self.session.scan.status in ("", Status.RUNNING.value):
            return None
        return self.session.scan.end_time_secs or max(folder.last_secs for folder, _ in self.parts)

    @property
    def labels(self) -> dict[str, str]:
        """The day it began, local time, and the directory of the runs it lies among."""
        holder = self.home.parent
        if holder.name == self.session.scan.group_name:  # Keras Tuner has one a trial
            holder = holder.parent
        is_inside = holder.is_relative_to(self.root) and holder != self.root
        labels = {"sweep": os.path.relpath(holder, self.root) if is_inside else self.root.name}
        with contextlib.suppress(ValueError, OverflowError, OSError):  # no time of this world
            labels["day"] = datetime.fromtimestamp(self.start_time_secs).date().isoformat()
        return labels


class ForeignRecord(RunRecord):
    """A run of another tool, as read from its event files.

    Attributes:
        dir: of the session start.
        name: what TensorBoard, pointed at the directory that was searched, calls it.
    """

    def __init__(self, run: ForeignRun, values: Mapping[str, object], types: Types) -> None:
        super().__init__(RunDir(run.path), _combine(run, values), types)
        self.name = run.name
        self._parts = run.parts

    @cached_property
    def curves(self) -> Mapping[str, Series]:
        """Every point by scalar tag, those of groups as `group/tag`; read when first asked for."""
        curves: dict[str, Series] = {}
        for folder, prefix in self._parts:
            for tag, track in read_tracks(folder.files).items():
                _extend(curves.setdefault(prefix + tag, Series([], [], [])), track)
        return curves


def read_foreign(root: Path) -> list[ForeignRecord]:
    """Return the runs that other tools wrote below a directory, by path.

    Args:
        root: to search; it may be a run itself.

    Raises:
        LogdirError: if it is no directory.
    """
    runs = find_foreign(root)
    values, space = type_values(
        [run.session.scan.hparams or {} for run in runs],
        [None if run.config is None else run.config.config for run in runs],
    )
    types = Types(space)
    return [ForeignRecord(run, own, types) for run, own in zip(runs, values, strict=True)]


def find_foreign(root: Path) -> list[ForeignRun]:
    """Return where the runs that other tools wrote lie below a directory, by path.

    Args:
        root: to search; it may be a run itself.

    Raises:
        LogdirError: if it is no directory.
    """
    if not root.is_dir():
        raise LogdirError(f"{root} must be a directory with event files. Name one that is there.")
    folders = {folder.path: folder for folder in _walk(root.absolute())}
    tell_of_folders(folders.values())
    sessions = [folder for folder in folders.values() if folder.is_session]
    trainings = _find_trainings(sessions, folders)
    parts = _share_out(folders, sessions, trainings)
    return [
        ForeignRun(
            root=root.absolute(),
            session=session,
            home=trainings.get(session.path, session.path),
            parts=[*parts[session.path], (session, "")],
            config=_find_config(session.path, folders),
        )
        for session in sessions
        if not session.is_ours
    ]


def _walk(root: Path) -> Iterator[Folder]:
    """Yield the directories with event files, by path; links are followed, but not in circles."""
    seen = set()
    for path, names, files in os.walk(root, onerror=tell_unreadable, followlinks=True):
        if (real := os.path.realpath(path)) in seen:
            names.clear()
            continue
        seen.add(real)
        names.sort()
        if events := sorted(name for name in files if is_event_file(name)):
            yield scan_folder(Path(path), events)


def _find_trainings(sessions: Sequence[Folder], folders: Mapping[Path, Folder]) -> dict[Path, Path]:
    """Return the run that each session of `add_hparams` speaks of, where it has scalars."""
    children: dict[Path, list[Folder]] = {}
    for session in sessions:
        children.setdefault(session.path.parent, []).append(session)
    return {
        only.path: parent
        for parent, (only, *others) in children.items()
        if not others
        and only.config is not None
        and parent in folders
        and folders[parent].scan.summaries
        and not folders[parent].is_session
    }


def _share_out(
    folders: Mapping[Path, Folder], sessions: Sequence[Folder], trainings: Mapping[Path, Path]
) -> dict[Path, list[tuple[Folder, str]]]:
    """Return the directories of each session's scalars, and what stands before their tags."""
    owners = {session.path: session.path for session in sessions}
    owners |= {training: path for path, training in trainings.items()}
    parts: dict[Path, list[tuple[Folder, str]]] = {session.path: [] for session in sessions}
    for folder in folders.values():
        above = (folder.path, *folder.path.parents)
        home = next((path for path in above if path in owners), None)
        if home is not None and not folder.is_session:
            group = os.path.relpath(folder.path, home)
            parts[owners[home]].append((folder, "" if group == "." else f"{group}/"))
    return parts


def _find_config(path: Path, folders: Mapping[Path, Folder]) -> Folder | None:
    above = (folders[each] for each in (path, *path.parents) if each in folders)
    return next((folder for folder in above if folder.config is not None), None)


def _combine(run: ForeignRun, values: Mapping[str, object]) -> Scan:
    """Return a scan of all the run's parts, as if they were one file."""
    combined = Scan(
        hparams={**values, **run.labels},  # type: ignore[dict-item]  # values of a start
        group_name=run.session.scan.group_name or run.name,
        start_time_secs=run.start_time_secs,
        status=run.session.scan.status,
        end_time_secs=run.end_time_secs,
    )
    for folder, prefix in run.parts:
        for tag, fields in folder.scan.summaries.items():
            earlier = combined.summaries.get(prefix + tag)
            summary = Summary(*fields)
            combined.summaries[prefix + tag] = (
                summary if earlier is None else Summary(*earlier).followed_by(summary)
            )
        where = os.path.relpath(folder.path, run.path)
        combined.damage |= {
            os.path.normpath(f"{where}/{name}"): text for name, text in folder.scan.damage.items()
        }
    return combined


def _extend(series: Series, track: RawSeries) -> None:
    series.steps += track.steps
    series.wall_times += decode_times(track.wall_times)
    series.values += decode_values(track.values)


_BOOL_OF_NUMBER = {0.0: False, 1.0: True}


def type_values(
    runs: Sequence[Mapping[str, Value]], configs: Sequence[api_pb2.Experiment | None]
) -> tuple[list[dict[str, Value]], SearchSpace]:
    """Return the values of each run, and a space whose domains give them their types.

    The space is no more than that: its bounds are those of the values.

    Args:
        runs: `[num_runs]` values by name, as the session starts have them.
        configs: `[num_runs]` the experiment tag nearest to each; None without one.
    """
    infos = [_index(config) for config in configs]
    typed = [
        {_rename(name): _simplify(value, own.get(name)) for name, value in values.items()}
        for values, own in zip(runs, infos, strict=True)
    ]
    # A session start has its values in any order: that of an experiment tag, else the alphabet's.
    declared = dict.fromkeys(name for own in infos for name in own)
    found = sorted({name for values in runs for name in values} - {*declared})
    columns = {
        name: [values[_rename(name)] for values in typed if _rename(name) in values]
        for name in (*declared, *found)
    }
    axes = [
        Axis(HParam(_rename(name), _domain_of(column, [*_list_declared(infos, name)])))
        for name, column in columns.items()
        if column
    ]
    # By way of JSON, as only that is not held to the rules of a declaration.
    return typed, SearchSpace.decode_json([axis.encode_json() for axis in axes])


def _index(config: api_pb2.Experiment | None) -> dict[str, api_pb2.HParamInfo]:
    return {} if config is None else {info.name: info for info in config.hparam_infos}


def _rename(name: str) -> str:
    """Return a name, with `_` behind one that every run of ours carries by itself."""
    return f"{name}_" if name in RESERVED_NAMES else name


def _simplify(value: Any, info: api_pb2.HParamInfo | None) -> Value:
    if isinstance(value, float):
        if info is not None and info.type == api_pb2.DATA_TYPE_BOOL:
            return _BOOL_OF_NUMBER.get(value, value)
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool) else str(value)


def _list_declared(infos: Iterable[Mapping[str, api_pb2.HParamInfo]], name: str) -> Iterable[float]:
    """Yield the numbers that experiment tags say of an hparam: its values, or their bounds."""
    for info in {id(own[name]): own[name] for own in infos if name in own}.values():
        yield from _numbers_of(info.domain_discrete)
        if info.HasField("domain_interval"):
            yield from (info.domain_interval.min_value, info.domain_interval.max_value)


def _numbers_of(values: struct_pb2.ListValue) -> Iterable[float]:
    return (
        value.number_value for value in values.values if value.WhichOneof("kind") == "number_value"
    )


def _domain_of(values: Sequence[Value], declared: Iterable[float]) -> Domain:
    """Return a domain of the values' type; of strings where they have several."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return Discrete([False, True])
    if kinds == {float}:
        numbers = [float(value) for value in values]
        low, high = min(numbers), max(numbers)
        is_whole = all(number.is_integer() for number in (*numbers, *declared))
        if is_whole and max(-low, high) <= MAX_EXACT_INT:
            return IntInterval(int(low), int(high))
        return RealInterval(low, high)
    return Discrete(sorted({str(value) for value in values}), dtype=str)
