"""Event files as other tools could write them, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import struct_pb2
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from hparams_lab.events.records import frame

NOON = 1_800_000_000.0


def _plugin_summary(tag: str, data: plugin_data_pb2.HParamsPluginData) -> summary_pb2.Summary:
    value = summary_pb2.Summary.Value(tag=tag, metadata=metadata.create_summary_metadata(data))
    return summary_pb2.Summary(value=[value])


def encode_start(values: Mapping[str, Any], **fields: Any) -> summary_pb2.Summary:
    """Return a session start, of whatever a `google.protobuf.Value` can be."""
    struct = struct_pb2.Struct()
    struct.update(values)
    info = plugin_data_pb2.SessionStartInfo(hparams=struct.fields, **fields)
    return _plugin_summary(
        metadata.SESSION_START_INFO_TAG,
        plugin_data_pb2.HParamsPluginData(session_start_info=info),
    )


def encode_end(status: int) -> summary_pb2.Summary:
    """Return a session end without a time."""
    info = plugin_data_pb2.SessionEndInfo(status=status)
    return _plugin_summary(
        metadata.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=info)
    )


def encode_point(tag: str, number: float) -> summary_pb2.Summary:
    """Return a point of a curve."""
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=number)])


def write_events(folder: Path, *summaries: summary_pb2.Summary) -> Path:
    """Write an event file of the summaries, a second apart, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    events = [
        event_pb2.Event(wall_time=NOON + secs, summary=summary)
        for secs, summary in enumerate(summaries)
    ]
    path = folder / "events.out.tfevents.1800000000.host"
    path.write_bytes(b"".join(frame(event.SerializeToString()) for event in events))
    return path
