"""Scalar events, decoded by hand where they look as nearly all of them do.

    09 <wall time: 8 bytes> [10 <step: varint>] 2a <len> 0a <len> 0a <len> <tag> 15 <value: 4 bytes>

Source: tensorflow/core/util/event.proto, summary.proto and the protobuf encoding. It is
how every writer of `simple_value` has its events, with the fields in ascending order. What
is laid out in another way is left to protobuf.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

_WALL_TIME: Final = 0x09
_STEP: Final = 0x10
_SUMMARY: Final = 0x2A
_FIRST_FIELD: Final = 0x0A  # `Summary.value`, `Value.tag`
_SIMPLE_VALUE: Final = 0x15

_STEP_START = 9
_VALUE_BYTES = 4

# Tags and steps by the bytes between wall time and value, of which the runs of a sweep
# have all the same.
_known: dict[bytes, tuple[str, int]] = {}
_MAX_KNOWN = 100_000


@dataclass(slots=True)
class Track:
    """The points of one scalar tag as they lie in the file, in the order written.

    Attributes:
        steps: `[num_points]`.
        wall_times: `[num_points]`, 64-bit floats as bytes, seconds since the epoch.
        values: `[num_points]`, 32-bit floats as bytes.
    """

    steps: list[int] = field(default_factory=list)
    wall_times: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)

    def add(self, step: int, wall_time: float, value: float) -> None:
        """Add a point that was decoded by other means."""
        self.steps.append(step)
        self.wall_times.append(struct.pack("<d", wall_time))
        try:
            self.values.append(struct.pack("<f", value))
        except OverflowError:  # a 64-bit one beyond the 32-bit ones
            self.values.append(struct.pack("<f", float("inf") if value > 0 else float("-inf")))


def add_point(payload: bytes, tracks: dict[str, Track]) -> bool:
    """Add the point that an event holds to its tag's track; return whether it holds one.

    Args:
        payload: of a record.
        tracks: by tag.
    """
    if not payload or payload[0] != _WALL_TIME:
        return False
    middle = payload[_STEP_START:-_VALUE_BYTES]
    point = _known.get(middle) or _remember(middle)
    if point is None:
        return False
    tag, step = point
    track = tracks.get(tag)
    if track is None:
        track = tracks[tag] = Track()
    track.steps.append(step)
    track.wall_times.append(payload[1:_STEP_START])
    track.values.append(payload[-_VALUE_BYTES:])
    return True


def decode_values(values: list[bytes]) -> tuple[float, ...]:
    """Return 32-bit floats."""
    return struct.unpack(f"<{len(values)}f", b"".join(values))


def decode_times(wall_times: list[bytes]) -> tuple[float, ...]:
    """Return 64-bit floats."""
    return struct.unpack(f"<{len(wall_times)}d", b"".join(wall_times))


def _remember(middle: bytes) -> tuple[str, int] | None:
    point = _decode(middle)
    if point is not None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        _known[middle] = point
    return point


def _decode(middle: bytes) -> tuple[str, int] | None:
    """Return tag and step of what lies between wall time and value, None if it is no point."""
    try:
        step, position = 0, 0
        if middle[0] == _STEP:
            step, position = _read_varint(middle, 1)
        # Each of the three lengths must lead exactly to the end, so that nothing is passed over.
        for key, behind in ((_SUMMARY, _VALUE_BYTES), (_FIRST_FIELD, _VALUE_BYTES)):
            if middle[position] != key:
                return None
            length, position = _read_varint(middle, position + 1)
            if position + length != len(middle) + behind:
                return None
        if middle[position] != _FIRST_FIELD:
            return None
        length, position = _read_varint(middle, position + 1)
        tag = middle[position : position + length]
        if position + length != len(middle) - 1 or middle[-1] != _SIMPLE_VALUE:
            return None
        return tag.decode(), step
    except (IndexError, UnicodeDecodeError):
        return None


def _read_varint(content: bytes, position: int) -> tuple[int, int]:
    """Return a number and the position behind it. Negative ones have ten bytes."""
    number = shift = 0
    while True:
        byte = content[position]
        number |= (byte & 0x7F) << shift
        position += 1
        shift += 7
        if byte < 0x80:
            return number - (1 << 64) if number >> 63 else number, position
