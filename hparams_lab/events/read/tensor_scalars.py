"""Scalars that are kept as tensors: what TensorFlow 2, and others after it, write.

    summary.value { tag: "loss"  metadata { plugin_name: "scalars" }  tensor { 0.25 } }

TensorFlow is not imported, nor TensorBoard's `tensor_util`, which without TensorFlow knows
neither bfloat16 nor unsigned integers of 32 and 64 bits.

Source: tensorflow/core/framework/{summary,tensor,types}.proto.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from tensorboard.compat.proto import summary_pb2, tensor_pb2, types_pb2

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
