"""Scalar events decoded by hand are what protobuf makes of them, or are left to it."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, summary_pb2

from hparams_lab.events.read.scalars import RawSeries, add_point, decode_times, decode_values

TAGS = st.text(min_size=1, max_size=200)
VALUES = st.floats(width=32)
TIMES = st.floats(min_value=0.1, max_value=2e9)


def encode(tag: str, value: float, step: int, wall_time: float) -> bytes:
    """Return an event as protobuf writes it."""
    point = summary_pb2.Summary.Value(tag=tag, simple_value=value)
    summary = summary_pb2.Summary(value=[point])
    return event_pb2.Event(wall_time=wall_time, step=step, summary=summary).SerializeToString()


@settings(deadline=None)
@given(TAGS, VALUES, st.integers(-(2**63), 2**63 - 1), TIMES)
def test_a_point_is_what_protobuf_wrote(
    tag: str, value: float, step: int, wall_time: float
) -> None:
    """Tag, step, wall time and value come back to the bit."""
    tracks: dict[str, RawSeries] = {}

    assert add_point(encode(tag, value, step, wall_time), tracks)

    track = tracks[tag]
    assert ([step], (wall_time,)) == (track.steps, decode_times(track.wall_times))
    assert struct.pack("<f", value) == struct.pack("<f", *decode_values(track.values))


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_bytes_are_a_point_only_if_protobuf_says_so(payload: bytes) -> None:
    """Whatever the bytes, nothing is taken for a point that protobuf does not read as that."""
    tracks: dict[str, RawSeries] = {}
    if not add_point(payload, tracks):
        return

    event = event_pb2.Event.FromString(payload)

    (tag,) = tracks
    assert [tag] == [value.tag for value in event.summary.value]


@settings(deadline=None)
@given(TAGS, st.integers(0, 2**31), st.integers(0, 200), st.integers(0, 255))
def test_a_changed_byte_is_read_as_protobuf_reads_it(
    tag: str, step: int, place: int, byte: int
) -> None:
    """An event with any one byte changed is a point with protobuf's tag and step, or is none."""
    payload = bytearray(encode(tag, 0.5, step, 1e9))
    payload[place % len(payload)] = byte
    tracks: dict[str, RawSeries] = {}
    if not add_point(bytes(payload), tracks):
        return

    event = event_pb2.Event.FromString(bytes(payload))

    (found,) = tracks
    assert [(found, tracks[found].steps[0])] == [(v.tag, event.step) for v in event.summary.value]


@pytest.mark.parametrize(
    "event",
    [
        event_pb2.Event(wall_time=1.0, file_version="brain.Event:2"),
        event_pb2.Event(step=3, summary=summary_pb2.Summary()),
        event_pb2.Event(
            wall_time=1.0,
            summary=summary_pb2.Summary(
                value=[summary_pb2.Summary.Value(tag=tag, simple_value=1.0) for tag in ("a", "b")]
            ),
        ),
        event_pb2.Event(
            wall_time=1.0,
            summary=summary_pb2.Summary(
                value=[
                    summary_pb2.Summary.Value(
                        tag="a",
                        simple_value=1.0,
                        metadata=summary_pb2.SummaryMetadata(display_name="A"),
                    )
                ]
            ),
        ),
    ],
    ids=["version", "empty summary", "two values", "metadata"],
)
def test_other_events_are_left_to_protobuf(event: event_pb2.Event) -> None:
    """What is not laid out as one bare point is none."""
    tracks: dict[str, RawSeries] = {}

    assert not add_point(event.SerializeToString(), tracks)
    assert {} == tracks


@pytest.mark.parametrize("value", [1e300, -1e300], ids=["large", "small"])
def test_a_value_beyond_32_bits_is_infinite(value: float) -> None:
    """A 64-bit value that 32 bits cannot hold becomes infinite, as in TensorBoard."""
    track = RawSeries()
    track.add(0, 1.0, value)

    assert (math.copysign(math.inf, value),) == decode_values(track.values)
