"""A directory of event files that anyone may have written: what it is to HParams.

It is a session, holds the experiment's config, both, or neither. Each file is read once
for what every run has, by `scan`, and once for what only foreign ones need.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.hparams import api_pb2, error, metadata

from hparams_lab.errors import EventFormatError
from hparams_lab.events import schema
from hparams_lab.events.read.scan import Scan, scan_files
from hparams_lab.events.records import unframe

_CONFIG_TAG = schema.CONFIG_TAG.encode()
_WALL_TIME_KEY = 0x09  # Event.wall_time, a double, which every writer puts first
_WALL_TIME = struct.Struct("<d")


@dataclass(frozen=True)
class Folder:
    """A directory with event files."""

    path: Path  # absolute
    files: Sequence[Path]  # in the order in which TensorBoard reads them: by name
    scan: Scan  # what they come to
    config: api_pb2.Experiment | None  # the first experiment tag; None if there is none
    first_secs: float  # time of the first event, since the epoch; 0 without one
    last_secs: float  # time of the last one

    @property
    def is_session(self) -> bool:
        """Whether it has a session start."""
        return self.scan.hparams is not None

    @property
    def is_ours(self) -> bool:
        """Whether it is a run that this package wrote."""
        return bool(self.scan.identity)


def scan_folder(path: Path, names: Sequence[str]) -> Folder:
    """Return what the event files of a directory are.

    Args:
        path: of the directory.
        names: of its event files, sorted.
    """
    files = [path / name for name in names]
    config, times = None, [0.0, 0.0]
    for file in files:
        for payload in _read_payloads(file):
            if len(payload) > _WALL_TIME.size and payload[0] == _WALL_TIME_KEY:
                (secs,) = _WALL_TIME.unpack_from(payload, 1)
                times = [times[0] or secs, secs]
            if config is None and _CONFIG_TAG in payload:
                config = _decode_config(payload)
    return Folder(path, files, scan_files(files), config, *times)


def _read_payloads(file: Path) -> Iterator[bytes]:
    """Yield the whole records of a file; what is wrong with the others, the scan says."""
    with contextlib.suppress(OSError, EventFormatError):
        yield from unframe(file.read_bytes())


def _decode_config(payload: bytes) -> api_pb2.Experiment | None:
    with contextlib.suppress(DecodeError, error.HParamsError):
        for value in event_pb2.Event.FromString(payload).summary.value:
            if value.tag == schema.CONFIG_TAG:
                content = value.metadata.plugin_data.content
                return metadata.parse_experiment_plugin_data(content)
    return None
