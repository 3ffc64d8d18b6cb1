"""The session start of a run, read from the head of its file: who the run is, and no more.

A start is written first and stays as it is, so reading it costs the same however long the
run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tensorboard.compat.proto import event_pb2, summary_pb2

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import Value
from hparams_lab.errors import EventFormatError
from hparams_lab.events import schema
from hparams_lab.events.records import unframe

# Our writer's second event is the start; thousands of hparams would fit.
_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Start:
    """A run's session start."""

    hparams: Mapping[str, Value]  # by name, day, sweep and commit among them; numbers are floats
    group_name: str  # TensorBoard's Trial ID
    time_secs: float  # since the epoch

    def encode(self) -> summary_pb2.Summary:
        """Return the session start that says this."""
        return schema.encode_start(
            Assignment(self.hparams),
            labels={},
            group_name=self.group_name,
            start_time_secs=self.time_secs,
        )


def read_start(event_file: Path) -> Start | None:
    """Return the session start at the head of an event file; None if there is none.

    Raises:
        EventFormatError: if the file is damaged before it.
        OSError: if it cannot be read.
    """
    with event_file.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    try:
        for payload in unframe(head):
            for value in event_pb2.Event.FromString(payload).summary.value:
                if value.tag == schema.START_TAG:
                    return Start(*schema.decode_start(value.metadata.plugin_data.content))
    except EventFormatError as error:
        raise EventFormatError(f"{event_file}: {error}") from error
    return None
