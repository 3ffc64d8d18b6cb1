"""What the event files of one run come to, without the points themselves.

A scan is plain data, so that it can be kept in a cache and sent between processes. It can
go on where it had stopped: event files only ever grow.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.hparams.error import HParamsError

from hparams_lab.declare.domains import Value
from hparams_lab.errors import EventFormatError
from hparams_lab.events import schema
from hparams_lab.events.read.scalars import RawSeries, add_point, decode_values, scalar_of
from hparams_lab.events.records import OVERHEAD_BYTES, unframe

UNREADABLE = (EventFormatError, DecodeError, HParamsError)
"""What is raised where a record is damaged, is no event, or is of a later version's HParams."""


class Summary(NamedTuple):
    """What the points of a tag come to.

    Attributes:
        num_points: at least one.
        last: value of the last one written, which TensorBoard's table shows.
        last_step: its step.
        min: of the finite values; NaN if there are none.
        max: of the finite values; NaN if there are none.
    """

    num_points: int
    last: float
    last_step: int
    min: float
    max: float

    def followed_by(self, later: Summary) -> Summary:
        """Return what these points and later ones come to together."""
        return Summary(
            self.num_points + later.num_points,
            later.last,
            later.last_step,
            _choose(min, self.min, later.min),
            _choose(max, self.max, later.max),
        )


class FileState(NamedTuple):
    """An event file as it was when it was read."""

    name: str  # of the file
    inode: int  # its number
    size_bytes: int  # of the file
    modified_ns: int  # since the epoch
    # whole records, from the beginning; fewer than all if the last is cut short, or one is
    # damaged
    read_bytes: int


@dataclass(slots=True)
class Scan:
    """What the event files of one run come to."""

    # that were read, in order of their names, as they were then
    files: list[FileState] = field(default_factory=list)
    # by name, numbers as floats; None without a session start
    hparams: dict[str, Value] | None = None
    group_name: str = ""  # TensorBoard's Trial ID
    start_time_secs: float = 0.0  # since the epoch
    # our own record of the run: seed and such
    identity: dict[str, Any] = field(default_factory=dict)
    status: str = ""  # name of the dashboard's status; empty without a session end
    end_time_secs: float | None = None  # since the epoch; None without a session end
    outcome: dict[str, Any] = field(default_factory=dict)  # our own record of how it ended
    # fields of a `Summary` by tag, in order of first appearance
    summaries: dict[str, Sequence[Any]] = field(default_factory=dict)
    damage: dict[str, str] = field(default_factory=dict)  # by file name, what is wrong with it

    def encode_json(self) -> tuple[Any, ...]:
        """Return the scan as JSON data, the inverse of `decode_json`."""
        # In plain tuples, which Python does not keep looking through for garbage.
        plain = {
            "files": tuple(tuple(state) for state in self.files),
            "summaries": {tag: tuple(each) for tag, each in self.summaries.items()},
        }
        return tuple(plain.get(name, getattr(self, name)) for name in _FIELDS)

    @staticmethod
    def decode_json(data: Sequence[Any]) -> Scan:
        """Return the scan that `encode_json` wrote."""
        scan = Scan(*data)
        scan.files = [FileState(*state) for state in scan.files]
        return scan

    def add_file(self, path: Path | str, position: int = 0) -> None:
        """Read an event file, from a record on, and take note of its state.

        Args:
            path: of the file.
            position: in bytes, up to where it was read before.

        Raises:
            OSError: if it cannot be read.
        """
        with open(path, "rb", buffering=0) as file:
            state = os.fstat(file.fileno())
            file.seek(position)
            content = file.read()
        name = os.path.basename(path)
        tracks: dict[str, RawSeries] = {}
        read_bytes = position
        try:
            for payload in unframe(content):
                if not add_point(payload, tracks):
                    self._add_event(payload, tracks)
                read_bytes += OVERHEAD_BYTES + len(payload)
        except UNREADABLE as error:
            self.damage[name] = str(error)
        for tag, track in tracks.items():
            self._add_track(tag, track)
        self.files.append(
            FileState(name, state.st_ino, state.st_size, state.st_mtime_ns, read_bytes)
        )

    def _add_event(self, payload: bytes, tracks: dict[str, RawSeries]) -> None:
        event = event_pb2.Event.FromString(payload)
        for value in event.summary.value:
            if value.HasField("simple_value"):
                tracks.setdefault(value.tag, RawSeries()).add(
                    event.step, event.wall_time, value.simple_value
                )
            elif not self._add_metadata(value):
                has_begun = value.tag in tracks or value.tag in self.summaries
                number = scalar_of(value, has_begun=has_begun)
                if number is not None:
                    tracks.setdefault(value.tag, RawSeries()).add(
                        event.step, event.wall_time, number
                    )

    def _add_metadata(self, value: summary_pb2.Summary.Value) -> bool:
        """Take note of a summary that is no point. As in TensorBoard, the first one counts."""
        content = value.metadata.plugin_data.content
        if value.tag == schema.START_TAG:
            if self.hparams is None:
                start = schema.decode_start(content)
                self.hparams, self.group_name, self.start_time_secs = start
        elif value.tag == schema.END_TAG:
            if not self.status:
                status, self.end_time_secs = schema.decode_end(content)
                self.status = status.value
        elif identity := schema.decode_identity(value):
            self.identity = self.identity or identity
        elif outcome := schema.decode_outcome(value):
            self.outcome = self.outcome or outcome
        else:
            return False
        return True

    def _add_track(self, tag: str, track: RawSeries) -> None:
        values = decode_values(track.values)
        finite = values if math.isfinite(sum(values)) else [*filter(math.isfinite, values)]
        low, high = (min(finite), max(finite)) if finite else (math.nan, math.nan)
        summary = Summary(len(values), values[-1], track.steps[-1], low, high)
        earlier = self.summaries.get(tag)
        self.summaries[tag] = summary if earlier is None else Summary(*earlier).followed_by(summary)


_FIELDS = tuple(field.name for field in fields(Scan))


def _choose(which: Callable[[float, float], float], first: float, second: float) -> float:
    """Return one of two numbers; the other one where one is NaN."""
    if math.isnan(first):
        return second
    return first if math.isnan(second) else which(first, second)


def scan_files(paths: Sequence[Path | str]) -> Scan:
    """Return what event files come to, in the order given; one that is gone is passed over."""
    scan = Scan()
    for path in paths:
        _try_adding(scan, path)
    return scan


def extend_scan(scan: Scan, path: Path | str) -> Scan | None:
    """Return a scan of one file with what was appended to that; None if it was not just that.

    Args:
        scan: as it was; it is changed.
        path: of the file.
    """
    (state,) = scan.files
    scan.files = []
    _try_adding(scan, path, state.read_bytes)
    has_grown = (
        scan.files
        and not scan.damage  # which is said by its place in the whole file
        and scan.files[0].inode == state.inode
        and scan.files[0].size_bytes >= state.size_bytes
    )
    return scan if has_grown else None


def read_tracks(paths: Sequence[Path | str]) -> Mapping[str, RawSeries]:
    """Return every point of event files by tag, as far as they are whole."""
    tracks: dict[str, RawSeries] = {}
    for path in paths:
        try:
            content = Path(path).read_bytes()
            for payload in unframe(content):
                if not add_point(payload, tracks):
                    Scan()._add_event(payload, tracks)
        except (OSError, *UNREADABLE):
            continue  # said in the scan's damage
    return tracks


def _try_adding(scan: Scan, path: Path | str, position: int = 0) -> None:
    try:
        scan.add_file(path, position)
    except FileNotFoundError:
        pass  # superseded, archived or deleted in between
    except OSError as error:
        scan.damage[os.path.basename(path)] = f"cannot be read: {error.strerror}."
