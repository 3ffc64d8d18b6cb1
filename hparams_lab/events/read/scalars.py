"""Scalar events, decoded by hand where they look as nearly all of them do.

    09 <wall time: 8 bytes> [10 <step: varint>] 2a <len> 0a <len> 0a <len> <tag> 15 <value: 4 bytes>

Source: tensorflow/core/util/event.proto, summary.proto and the protobuf encoding. It is
how every writer of `simple_value` has its events, with the fields in ascending order. What
is laid out in another way is left to protobuf.

    summary.value { tag: "loss"  metadata { plugin_name: "scalars" }  tensor { 0.25 } }

TensorFlow is not imported, nor TensorBoard's `tensor_util`, which without TensorFlow knows
neither bfloat16 nor unsigned integers of 32 and 64 bits.

Source: tensorflow/core/framework/{summary,tensor,types}.proto.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from tensorboard.compat.proto import summary_pb2, tensor_pb2, types_pb2

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
class RawSeries:
    """The points of one scalar tag as they lie in the file, in the order written."""

    steps: list[int] = field(default_factory=list)  # `[num_points]`
    # `[num_points]`, 64-bit floats as bytes, seconds since the epoch
    wall_times: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)  # `[num_points]`, 32-bit floats as bytes

    def add(self, step: int, wall_time: float, value: float) -> None:
        """Add a point that was decoded by other means."""
        self.steps.append(step)
        self.wall_times.append(struct.pack("<d", wall_time))
        try:
            self.values.append(struct.pack("<f", value))
        except OverflowError:  # a 64-bit one beyond the 32-bit ones
            self.values.append(struct.pack("<f", float("inf") if value > 0 else float("-inf")))


def add_point(payload: bytes, tracks: dict[str, RawSeries]) -> bool:
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
        track = tracks[tag] = RawSeries()
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


_SCALARS_PLUGIN = "scalars"

# Of each type: how its bytes are to be read, and the field that holds single numbers.
_LAYOUTS: Final = {
    types_pb2.DT_FLOAT: ("<f4", "float_val"),
    types_pb2.DT_DOUBLE: ("<f8", "double_val"),
    types_pb2.DT_HALF: ("<f2", "half_val"),
    types_pb2.DT_BFLOAT16: ("<u2", "half_val"),
    types_pb2.DT_INT8: ("<i1", "int_val"),
    types_pb2.DT_INT16: ("<i2", "int_val"),
    types_pb2.DT_INT32: ("<i4", "int_val"),
    types_pb2.DT_INT64: ("<i8", "int64_val"),
    types_pb2.DT_UINT8: ("<u1", "int_val"),
    types_pb2.DT_UINT16: ("<u2", "int_val"),
    types_pb2.DT_UINT32: ("<u4", "uint32_val"),
    types_pb2.DT_UINT64: ("<u8", "uint64_val"),
    types_pb2.DT_BOOL: ("?", "bool_val"),
}


def scalar_of(value: summary_pb2.Summary.Value, *, has_begun: bool = False) -> float | None:
    """Return the number that a summary holds as a tensor; None if it is no scalar.

    Args:
        value: a summary, of any kind.
        has_begun: whether a scalar of its tag came before in the run: some writers,
            TensorFlow 1's among them, say only with the first of a series what it is.

    Example:
        >>> tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[0.25])
        >>> bare = summary_pb2.Summary.Value(tag="loss", tensor=tensor)
        >>> scalar_of(bare), scalar_of(bare, has_begun=True)
        (None, 0.25)
    """
    if value.WhichOneof("value") != "tensor":
        return None
    if not (is_scalar(value.metadata) or (has_begun and not value.HasField("metadata"))):
        return None
    return decode_number(value.tensor)


def is_scalar(metadata: summary_pb2.SummaryMetadata) -> bool:
    """Return whether a summary's metadata says that it is a scalar."""
    if metadata.data_class != summary_pb2.DATA_CLASS_UNKNOWN:
        return bool(metadata.data_class == summary_pb2.DATA_CLASS_SCALAR)
    return bool(metadata.plugin_data.plugin_name == _SCALARS_PLUGIN)


def decode_number(tensor: tensor_pb2.TensorProto) -> float | None:
    """Return the one number of a tensor; None if it has several, none, or no real ones."""
    layout = _LAYOUTS.get(tensor.dtype)
    if layout is None or any(dim.size != 1 for dim in tensor.tensor_shape.dim):
        return None
    type_code, field = layout
    numbers = getattr(tensor, field)
    if tensor.tensor_content:
        bits = np.frombuffer(tensor.tensor_content, np.uint8)
    elif len(numbers) > 1:
        return None
    elif field == "half_val":  # the 16 bits of a float, as an integer
        bits = np.array([*numbers] or [0], "<u2").view(np.uint8)
    else:  # as TensorFlow reads it, a scalar without a number is zero
        return float(numbers[0]) if numbers else 0.0
    if bits.size != np.dtype(type_code).itemsize:
        return None
    if tensor.dtype == types_pb2.DT_BFLOAT16:  # the upper half of a 32-bit float
        bits, type_code = np.concatenate([np.zeros(2, np.uint8), bits]), "<f4"
    return float(bits.view(type_code)[0])
