"""Reading runs back from their event files, straight from the records.

Nothing here imports TensorFlow, nor TensorBoard's own loader, which keeps samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tensorboard.compat.proto import event_pb2

from hparams_lab.declare import domains
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import Value
from hparams_lab.declare.rules import RESERVED_NAMES
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError, EventFormatError
from hparams_lab.events import records, schema
from hparams_lab.events.schema import Ending, Status
from hparams_lab.runs.logdir import RunDir, SweepDir

# Files of other writers, and older ones of ours, do not say why.
_ENDING_OF_FOREIGN = {Status.SUCCESS: Ending.COMPLETE, Status.FAILURE: Ending.FAILED}


@dataclass
class Series:
    """The points of one scalar tag, in the order written.

    Attributes:
        steps: `[num_points]`.
        wall_times: `[num_points]`, seconds since the epoch.
        values: `[num_points]`, of 32-bit precision.
    """

    steps: list[int] = field(default_factory=list)
    wall_times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class RunRecord:
    """One run as its event file tells it.

    Attributes:
        dir: where it lies.
        assignment: its hyperparameters, of their domains' types.
        labels: day, sweep and commit.
        group_name: TensorBoard's Trial ID.
        seed: of the run; None in files that are not ours.
        ending: why it ended; None if it has not, or its process is gone.
        start_time_secs: since the epoch.
        end_time_secs: since the epoch, None without an end.
        scalars: series by tag, in order of first appearance.
        damage: what is wrong with the files; empty if nothing is. What is whole is read.
        reused_from: path of the run, relative to the experiment's directory, whose results
            these are; empty if it was executed.
    """

    dir: RunDir
    assignment: Assignment
    labels: Mapping[str, str]
    group_name: str
    seed: int | None
    ending: Ending | None
    start_time_secs: float
    end_time_secs: float | None
    scalars: Mapping[str, Series]
    damage: str = ""
    reused_from: str = ""

    @property
    def status(self) -> Status:
        """How it ended, as the dashboard has it; `RUNNING` without an end."""
        return Status.RUNNING if self.ending is None else self.ending.status

    @property
    def wall_secs(self) -> float | None:
        """How long it took, in seconds; None without an end."""
        return None if self.end_time_secs is None else self.end_time_secs - self.start_time_secs

    @property
    def last_values(self) -> dict[str, float]:
        """The last value of each tag: what TensorBoard's table shows."""
        return {tag: series.values[-1] for tag, series in self.scalars.items()}


def read_runs(sweep_dir: SweepDir, space: SearchSpace) -> list[RunRecord]:
    """Return the runs of a sweep that have begun, by trial id, repeat and fold.

    Args:
        sweep_dir: of the sweep.
        space: of the sweep, whose domains give the values their types.
    """
    found = (read_run(run_dir, space) for run_dir in sweep_dir.find_run_dirs())
    return [record for record in found if record is not None]


def read_run(run_dir: RunDir, space: SearchSpace) -> RunRecord | None:
    """Return the run of a directory; None if it holds no session start.

    Args:
        run_dir: of the run.
        space: whose domains give the values their types.
    """
    gathered = _Gathered()
    for path in run_dir.event_files:
        try:
            gathered.add(read_events(path))
        except EventFormatError as error:
            gathered.damage.append(f"{path.name}: {error}")
    if gathered.start is None:
        return None
    values, group_name, start_time_secs = schema.decode_start(gathered.start)
    ending, end_time_secs = None, None
    if gathered.end is not None:
        status, end_time_secs = schema.decode_end(gathered.end)
        ending = gathered.ending or _ENDING_OF_FOREIGN.get(status)
    return RunRecord(
        dir=run_dir,
        assignment=_cast(values, space),
        labels={name: str(values[name]) for name in RESERVED_NAMES if name in values},
        group_name=group_name,
        seed=gathered.identity.get("seed"),
        ending=ending,
        start_time_secs=start_time_secs,
        end_time_secs=end_time_secs,
        scalars=gathered.scalars,
        damage="; ".join(gathered.damage),
        reused_from=gathered.identity.get("reused_from", ""),
    )


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
    gathered = _Gathered()
    for path in run_dir.event_files:
        try:
            gathered.add(read_events(path))
        except EventFormatError:
            continue
    return gathered.start is not None, gathered.end is not None


class _Gathered:
    """What the events of one run add up to. As in TensorBoard, the first metadata counts."""

    def __init__(self) -> None:
        self.start: bytes | None = None
        self.end: bytes | None = None
        self.ending: Ending | None = None
        self.identity: dict[str, Any] = {}
        self.scalars: dict[str, Series] = {}
        self.damage: list[str] = []

    def add(self, events: Iterable[event_pb2.Event]) -> None:
        for event in events:
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    self._add_point(value.tag, event, value.simple_value)
                elif value.tag == schema.START_TAG:
                    self.start = self.start or value.metadata.plugin_data.content
                elif value.tag == schema.END_TAG:
                    self.end = self.end or value.metadata.plugin_data.content
                elif identity := schema.decode_identity(value):
                    self.identity = self.identity or identity
                elif ending := schema.decode_ending(value):
                    self.ending = self.ending or ending

    def _add_point(self, tag: str, event: event_pb2.Event, number: float) -> None:
        series = self.scalars.get(tag)
        if series is None:
            series = self.scalars[tag] = Series()
        series.steps.append(event.step)
        series.wall_times.append(event.wall_time)
        series.values.append(number)


def _cast(values: Mapping[str, Value], space: SearchSpace) -> Assignment:
    """Give numbers back the types that TensorBoard's doubles lost."""
    cast: dict[str, Value] = {}
    for axis in space:
        if axis.name in values:
            try:
                cast[axis.name] = axis.cast(values[axis.name])
            except AssignmentError:  # as in a space that was narrower, or is foreign
                typed = domains.as_type(axis.domain.dtype, values[axis.name])
                cast[axis.name] = values[axis.name] if typed is None else typed
    return Assignment(cast)
