"""Reading runs back from their event files, straight from the records.

Nothing here imports TensorFlow, nor TensorBoard's own loader, which keeps samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tensorboard.compat.proto import event_pb2

from hparams_lab.declare import domains
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.rules import RESERVED_NAMES
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError, EventFormatError
from hparams_lab.events import records, schema
from hparams_lab.events.read.cache import scan_sweep
from hparams_lab.events.read.gc_pause import paused_collector
from hparams_lab.events.read.scalars import decode_times, decode_values
from hparams_lab.events.read.scan import Scan, Summary, read_tracks, scan_files
from hparams_lab.events.read.torn import note_torn, tell_of_runs
from hparams_lab.events.schema import Ending, Status
from hparams_lab.logdir.layout import RunDir, SweepDir


@dataclass
class Series:
    """The points of one scalar tag, in the order written.

    Attributes:
        steps: `[num_points]`.
        wall_times: `[num_points]`, seconds since the epoch.
        values: `[num_points]`, of 32-bit precision.
    """

    steps: list[int]
    wall_times: list[float]
    values: list[float]


class Types:
    """The types of a space's values, which TensorBoard's doubles have lost.

    Args:
        space: whose domains have them.
    """

    def __init__(self, space: SearchSpace) -> None:
        # The runs of a sweep have few values on each axis.
        self._known: list[tuple[str, Axis, dict[tuple[type, Value], Value]]]
        self._known = [(axis.name, axis, {}) for axis in space]

    def restore(self, values: Mapping[str, Value]) -> Assignment:
        """Return the values of the space's axes with their types, in the order of the axes."""
        restored: dict[str, Value] = {}
        for name, axis, known in self._known:
            if name in values:
                value = values[name]
                key = (type(value), value)
                if key not in known:
                    known[key] = _cast(value, axis)
                restored[name] = known[key]
        return Assignment(restored)


def _cast(value: Value, axis: Axis) -> Value:
    try:
        return axis.cast(value)
    except AssignmentError:  # as in a space that was narrower, or is foreign
        typed = domains.as_type(axis.domain.dtype, value)
        return value if typed is None else typed


class RunRecord:
    """One run, as read from its event files.

    Args:
        run_dir: where it lies.
        scan: what the files come to; it has a session start.
        types: of the values of its sweep.

    Attributes:
        dir: where it lies.
    """

    def __init__(self, run_dir: RunDir, scan: Scan, types: Types) -> None:
        self.dir = run_dir
        self._scan = scan
        self._types = types

    @cached_property
    def assignment(self) -> Assignment:
        """Its hyperparameters, of their domains' types."""
        return self._types.restore(self._scan.hparams or {})

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Day, sweep and commit."""
        values = self._scan.hparams or {}
        return {name: str(values[name]) for name in RESERVED_NAMES if name in values}

    @property
    def group_name(self) -> str:
        """TensorBoard's Trial ID."""
        return self._scan.group_name

    @property
    def seed(self) -> int | None:
        """Of the run; None in files that are not ours."""
        return self._scan.identity.get("seed")

    @property
    def data_digest(self) -> str:
        """Of what `load_data` returned; empty where it is not known."""
        return str(self._scan.identity.get("data_digest", ""))

    @property
    def reused_from(self) -> str:
        """Path, relative to the experiment's directory, of the run whose results these are.

        Empty if it was executed.
        """
        return str(self._scan.identity.get("reused_from", ""))

    @property
    def split_seed(self) -> int | None:
        """By which it chose rows to train on or to hold out.

        None if it chose none, has not ended, or was written by a version that did not record it.
        """
        return self._scan.outcome.get("split_seed")

    @cached_property
    def ending(self) -> Ending | None:
        """Why it ended; None if it has not, or its process is gone."""
        status = Status(self._scan.status) if self._scan.status else Status.RUNNING
        return schema.ending_of(self._scan.outcome, status)

    @property
    def reason(self) -> str:
        """Why it ended so, in one line; empty where no more is known."""
        return str(self._scan.outcome.get("why", ""))

    @property
    def status(self) -> Status:
        """How it ended, as the dashboard has it; `RUNNING` without an end."""
        return Status.RUNNING if self.ending is None else self.ending.status

    @property
    def start_time_secs(self) -> float:
        """When it started, since the epoch."""
        return self._scan.start_time_secs

    @property
    def end_time_secs(self) -> float | None:
        """When it ended, since the epoch; None without an end."""
        return self._scan.end_time_secs

    @property
    def wall_secs(self) -> float | None:
        """How long it took, in seconds; None without an end."""
        return None if self.end_time_secs is None else self.end_time_secs - self.start_time_secs

    @property
    def damage(self) -> str:
        """What is wrong with the files; empty if nothing is. What is whole is read."""
        return "; ".join(f"{name}: {problem}" for name, problem in self._scan.damage.items())

    @cached_property
    def metrics(self) -> Mapping[str, Summary]:
        """What the points of each scalar tag come to, in order of first appearance."""
        return {tag: Summary(*summary) for tag, summary in self._scan.summaries.items()}

    @cached_property
    def last_values(self) -> dict[str, float]:
        """The last value of each tag: what TensorBoard's table shows."""
        return {tag: summary[1] for tag, summary in self._scan.summaries.items()}

    @cached_property
    def curves(self) -> Mapping[str, Series]:
        """Every point by scalar tag, in order of first appearance; read when first asked for."""
        tracks = read_tracks([self.dir.path / state.name for state in self._scan.files])
        return {
            tag: Series(
                track.steps,
                [*decode_times(track.wall_times)],
                [*decode_values(track.values)],
            )
            for tag, track in tracks.items()
        }

    def __repr__(self) -> str:
        return f"RunRecord({str(self.dir.path)!r}, {self.status.value})"


def read_runs(sweep_dir: SweepDir, space: SearchSpace) -> list[RunRecord]:
    """Return the runs of a sweep that have begun, by trial id, repeat and fold.

    What was read before is taken from a cache where its files are as they were then. Of
    damaged files what is whole is read, with a warning.

    Args:
        sweep_dir: of the sweep.
        space: of the sweep, whose domains give the values their types.
    """
    types = Types(space)
    with paused_collector():
        found = scan_sweep(sweep_dir)
        tell_of_runs(sweep_dir, found)
        return [
            RunRecord(run_dir, scan, types) for run_dir, scan in found if scan.hparams is not None
        ]


def read_run(run_dir: RunDir, space: SearchSpace) -> RunRecord | None:
    """Return the run of a directory; None if it holds no session start.

    Args:
        run_dir: of the run.
        space: whose domains give the values their types.
    """
    scan = scan_files(run_dir.event_files)
    if scan.status:
        note_torn(scan)
    return None if scan.hparams is None else RunRecord(run_dir, scan, Types(space))


def read_superseded(run_dir: RunDir, space: SearchSpace) -> RunRecord | None:
    """Return an attempt at a run that was made again; None if it left no session start.

    Args:
        run_dir: of the attempt.
        space: as for `read_run`.
    """
    scan = scan_files(run_dir.superseded_files)
    return None if scan.hparams is None else RunRecord(run_dir, scan, Types(space))


def read_events(path: Path) -> Iterator[event_pb2.Event]:
    """Yield the events of a file in order, without one that is still being written.

    Raises:
        EventFormatError: if the file is damaged; what came before was yielded.
    """
    for payload in records.unframe(path.read_bytes()):
        yield event_pb2.Event.FromString(payload)


def is_whole(path: Path) -> bool:
    """Return whether the file ends with a whole, undamaged record."""
    content = path.read_bytes()
    try:
        return records.whole_bytes(content) == len(content)
    except EventFormatError:
        return False


def read_progress(run_dir: RunDir) -> tuple[bool, bool]:
    """Return whether a run has a session start, and whether it has a session end."""
    scan = scan_files(run_dir.event_files)
    return scan.hparams is not None, bool(scan.status)
