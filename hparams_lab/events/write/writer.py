"""Writing a run's event file: one file, one writer, one write call an event.

An event reaches the file as it is written: TensorBoard sees it at its next poll, and
a killed process loses none. There is no buffer to flush and no thread to flush it;
docs/design/event_file.md has the figures.
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import os
import socket
import time
import uuid
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Protocol

from tensorboard.compat.proto import event_pb2, summary_pb2

from hparams_lab.declare import tags
from hparams_lab.errors import StorageError
from hparams_lab.events import schema
from hparams_lab.events.read.reader import RunRecord, Series, is_whole, read_progress
from hparams_lab.events.read.torn import CONTINUATION
from hparams_lab.events.records import frame
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.atomic import storage_error, storing
from hparams_lab.logdir.layout import RunDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.stats.interval import summarize
from hparams_lab.text import escape_cell, markdown_table

Clock = Callable[[], float]

# Without this first event TensorBoard drops points whose step goes back
# (event_file_loader; "brain.Event:2" is what every current writer says).
_FILE_VERSION = "brain.Event:2"


class RunWriter:
    """Writes one run's events. Not thread-safe: a run has one thread that reports.

    After an event that could not be written none is, and each attempt says why: a train
    function may let one such error go, but the run does not end as if nothing were missing.

    Args:
        file: where the records go.
        clock: seconds since the epoch, for wall times.
    """

    def __init__(self, file: AppendOnly, *, clock: Clock = time.time) -> None:
        self._file = file
        self._clock = clock
        self._ended = False
        self._fault = ""

    @staticmethod
    def create(run_dir: RunDir, *, clock: Clock = time.time) -> RunWriter:
        """Make the run's directory and event file, and return its writer.

        Raises:
            StorageError: if it cannot be made, or its sweep's directory is gone.
            FileExistsError: if the run has an event file.
        """
        run_dir.make()  # what it prints may be there already
        if run_dir.event_files:
            raise FileExistsError(f"{run_dir.path} has an event file of another execution")
        return open_writer(run_dir.path / _file_name(clock()), clock=clock)

    def write_start(
        self,
        spec: RunSpec,
        *,
        data_digest: str = "",
        is_seed_known: bool = True,
        notes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write who this run is: session start, our own record of it, and its run card.

        Args:
            spec: of the run.
            data_digest: of what it is given as data; empty where it is not known.
            is_seed_known: whether it was seeded by `spec.seed`; an imported run was not.
            notes: what else its run card says.
        """
        now = self._clock()
        start = schema.encode_start(
            spec.assignment, labels=_labels(spec), group_name=spec.group_name, start_time_secs=now
        )
        seed = {"seed": spec.seed} if is_seed_known else {}
        identity: dict[str, Any] = {**seed, "repeat": spec.dir.repeat, "fold": spec.dir.fold}
        if data_digest:
            identity["data_digest"] = data_digest
        if spec.reused_from:
            identity["reused_from"] = spec.reused_from
        self.write_summary(start)
        self.write_summary(schema.encode_identity(identity))
        card = _format_run_card(spec, {**seed, **notes})
        self.write_summary(schema.encode_text(schema.RUN_CARD_TAG, card))

    def write_scalar(self, tag: str, value: float, step: int) -> None:
        """Write one point of a series."""
        self.write_summary(schema.encode_scalar(tag, value), step)

    def write_end(self, ending: Ending, *, split_seed: int | None = None, reason: str = "") -> None:
        """Write how the run ended. Call it once, last; a second call does nothing.

        Args:
            ending: why it ended.
            split_seed: by which the run chose rows to train on or to hold out; None if it
                chose none.
            reason: the same for the user, in one line; empty where there is no more to say.
        """
        if not self._ended:
            self._ended = True
            end = schema.encode_outcome(ending, split_seed=split_seed, reason=reason)
            end.MergeFrom(schema.encode_end(ending.status, self._clock()))
            self.write_summary(end)  # as one event: a run has both or neither

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._file.close()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write_summary(self, summary: summary_pb2.Summary, step: int = 0) -> None:
        """Write any summary, at a step."""
        self._append(event_pb2.Event(wall_time=self._clock(), step=step, summary=summary))

    def write_file_version(self) -> None:
        """Write what the first event of every file is."""
        self._append(event_pb2.Event(wall_time=self._clock(), file_version=_FILE_VERSION))

    def _append(self, event: event_pb2.Event) -> None:
        if self._fault:
            raise StorageError(self._fault)
        try:
            self._file.append(frame(event.SerializeToString()))
        except StorageError as error:
            self._fault = str(error)
            raise


def open_writer(path: Path, *, clock: Clock = time.time) -> RunWriter:
    """Return a writer on a new, or empty, local event file.

    Raises:
        StorageError: if it cannot be made.
    """
    writer = RunWriter(LocalFile(path), clock=clock)
    try:
        writer.write_file_version()
    except BaseException:
        writer.close()
        raise
    return writer


def end_run(
    run_dir: RunDir,
    spec: RunSpec,
    ending: Ending,
    *,
    reason: str = "",
    clock: Clock = time.time,
) -> None:
    """Write the end of a run whose own process could not.

    Does nothing to a run that has ended. The end goes to the run's event file; if that
    was cut short in mid-record, to a second one, as readers pass over nothing that
    follows a torn record. A run that died before its start was written gets that too.

    Args:
        run_dir: of the run.
        spec: of the run.
        ending: how it ended.
        reason: the same for the user, in one line.
        clock: seconds since the epoch.

    Raises:
        StorageError: if it cannot be written.
    """
    has_begun, has_ended = read_progress(run_dir)
    if has_ended:
        return
    with _go_on(run_dir, clock) as writer:
        if not has_begun:
            writer.write_start(spec)
        writer.write_end(ending, reason=reason)


def add_scalars(run_dir: RunDir, scalars: Mapping[str, float], *, clock: Clock = time.time) -> None:
    """Add to a run that has ended what is known only once its trial is over.

    Args:
        run_dir: of the run.
        scalars: tag to value, of tags that it does not have.
        clock: seconds since the epoch.

    Raises:
        StorageError: if it cannot be written.
    """
    together = summary_pb2.Summary()  # one event: all are there, or none
    for tag, value in scalars.items():
        together.MergeFrom(schema.encode_scalar(tag, value))
    with _go_on(run_dir, clock) as writer:
        writer.write_summary(together)


def write_spread(
    run_dir: RunDir, metric: str, values: Sequence[float], *, num_folds: int | None
) -> None:
    """Add to a trial's last run how sure its mean is, as the dashboard itself can only average.

    Args:
        run_dir: of the run that ended last.
        metric: the objective's tag.
        values: of all runs of the trial.
        num_folds: that the runs hold one out of each; None without folds.

    Raises:
        StorageError: if it cannot be written.
    """
    spread = summarize(values, num_folds=num_folds)
    numbers = (spread.std, spread.count, spread.low, spread.high)
    add_scalars(run_dir, dict(zip(tags.spread(metric), numbers, strict=True)))


def copy_run(record: RunRecord, spec: RunSpec, *, without: Container[str] = ()) -> None:
    """Write a complete run again as a run of another sweep, at its own times.

    Args:
        record: as it was read.
        spec: what it is to be.
        without: tags that are left out.

    Raises:
        StorageError: if it cannot be written.
    """
    times = [record.start_time_secs]
    # By time, but never out of order within a tag, whatever the clock did.
    points = heapq.merge(
        *(_list_points(tag, series) for tag, series in record.curves.items() if tag not in without)
    )
    with RunWriter.create(spec.dir, clock=lambda: times[-1]) as writer:
        writer.write_start(spec, data_digest=record.data_digest)
        for wall_time, _, tag, step, value in points:
            times.append(wall_time)
            writer.write_scalar(tag, value, step)
        times.append(record.end_time_secs or times[-1])
        writer.write_end(Ending.COMPLETE, split_seed=record.split_seed)


def _list_points(tag: str, series: Series) -> Iterator[tuple[float, int, str, int, float]]:
    """Yield time, place, tag, step and value of each point, sorted."""
    latest = 0.0
    in_order = zip(series.steps, series.wall_times, series.values, strict=True)
    for place, (step, wall_time, value) in enumerate(in_order):
        latest = max(latest, wall_time)
        yield latest, place, tag, step, value


def _go_on(run_dir: RunDir, clock: Clock) -> RunWriter:
    files = run_dir.event_files
    if not files:
        return RunWriter.create(run_dir, clock=clock)
    last = files[-1]
    with storing(last):
        if last.stat().st_size == 0:
            return open_writer(last, clock=clock)
        if is_whole(last):
            return RunWriter(LocalFile(last), clock=clock)
        # Sorts behind the torn file, of which loaders read no more.
        return open_writer(last.with_name(f"{last.name}{CONTINUATION}"), clock=clock)


def _labels(spec: RunSpec) -> dict[str, str]:
    sweep_id = spec.dir.sweep_id
    return {"day": sweep_id[:10], "sweep": sweep_id, "commit": spec.commit}


def _format_run_card(spec: RunSpec, notes: Mapping[str, Any]) -> str:
    rows = {
        **spec.assignment,
        "trial": spec.group_name,
        "run": spec.dir.path.name,
        **notes,
        "commit": spec.commit,
        **({"reused from": spec.reused_from} if spec.reused_from else {}),
        "directory": spec.dir.path,
    }
    return markdown_table(["", ""], (map(escape_cell, row) for row in rows.items()))


def _file_name(now: float) -> str:
    # As TensorFlow names them, so that files of one run sort by time.
    host = socket.gethostname().replace("/", "_")
    return f"events.out.tfevents.{int(now):010d}.{host}.{os.getpid()}.{uuid.uuid4().hex[:8]}"


class AppendOnly(Protocol):
    """Where a writer's bytes go: the seam for filesystems that are not local."""

    def append(self, content: bytes) -> None:
        """Add whole records to the end; readers see them from now on.

        Raises:
            StorageError: if they cannot be written; the file then ends as it did before,
                where that can be brought about.
        """

    def close(self) -> None:
        """Close."""


class LocalFile:
    """A file of a local or mounted filesystem, opened for appending.

    Args:
        path: its directory exists.

    Raises:
        StorageError: if it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with storing(path):
            self._fd = self._open()

    def append(self, content: bytes) -> None:
        """Write all of it, also where the system takes it in parts; if not, nothing of it.

        Raises:
            StorageError: if the system refuses.
        """
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[self._write(rest) :]
        except BaseException as error:
            self._cut_back(len(content) - len(rest))
            if isinstance(error, OSError):
                raise storage_error(error, self._path) from error
            raise

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def _write(self, content: memoryview) -> int:
        try:
            return os.write(self._fd, content)
        except OSError as error:
            if error.errno != errno.EBADF or self._fd < 0:
                raise
        # Train closes what it has not opened, as programs that become daemons do. The disk is
        # well, and no other run is to stop for it.
        self._fd = self._open()
        return os.write(self._fd, content)

    def _cut_back(self, num_bytes: int) -> None:
        """Take a part of a record back, behind which no reader would read on."""
        if num_bytes:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - num_bytes)

    def close(self) -> None:
        """Close the file; a second time does nothing.

        Raises:
            StorageError: if what was written is lost, as a server may say only now.
        """
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with storing(self._path):
                os.close(fd)
