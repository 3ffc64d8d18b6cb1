from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto import summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.plugins.scalar.summary import scalar_pb

from hparams_lab.events.read.scalars import decode_number, scalar_of

_SIZE_1 = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])


def _tensor(dtype: int, **fields: Any) -> tensor_pb2.TensorProto:
    return tensor_pb2.TensorProto(dtype=dtype, **fields)


@pytest.mark.parametrize(
    ("dtype", "field", "number"),
    [
        pytest.param(types_pb2.DT_FLOAT, "float_val", 0.25, id="float32"),
        pytest.param(types_pb2.DT_DOUBLE, "double_val", 0.1, id="float64"),
        pytest.param(types_pb2.DT_INT8, "int_val", -3, id="int8"),
        pytest.param(types_pb2.DT_INT32, "int_val", -3, id="int32"),
        pytest.param(types_pb2.DT_INT64, "int64_val", 2**40, id="int64"),
        pytest.param(types_pb2.DT_UINT16, "int_val", 3, id="uint16"),
        pytest.param(types_pb2.DT_UINT32, "uint32_val", 2**31, id="uint32"),
        pytest.param(types_pb2.DT_UINT64, "uint64_val", 2**63, id="uint64"),
        pytest.param(types_pb2.DT_BOOL, "bool_val", True, id="bool"),
    ],
)
def test_numbers_of_every_type_are_read(dtype: int, field: str, number: float) -> None:
    """A number is read from the field of its type."""
    assert float(number) == decode_number(_tensor(dtype, **{field: [number]}))


@pytest.mark.parametrize(
    ("dtype", "numpy_type"),
    [
        (types_pb2.DT_HALF, "<f2"),
        (types_pb2.DT_FLOAT, "<f4"),
        (types_pb2.DT_DOUBLE, "<f8"),
        (types_pb2.DT_INT16, "<i2"),
        (types_pb2.DT_INT64, "<i8"),
        (types_pb2.DT_UINT8, "<u1"),
        (types_pb2.DT_UINT64, "<u8"),
        (types_pb2.DT_BOOL, "?"),
    ],
)
def test_numbers_are_read_from_bytes(dtype: int, numpy_type: str) -> None:
    """A number that is kept as bytes is read, little end first."""
    content = np.array(1, numpy_type).tobytes()

    assert 1.0 == decode_number(_tensor(dtype, tensor_content=content))


@pytest.mark.parametrize("shape", [None, _SIZE_1], ids=["rank 0", "size 1"])
@pytest.mark.parametrize("is_packed", [True, False], ids=["bytes", "half_val"])
def test_bfloat16_is_the_upper_half_of_a_float(is_packed: bool, shape: Any) -> None:
    """0xBFC0 is -1.5 in bfloat16, in either field and in either shape of one number."""
    fields: dict[str, Any] = (
        {"tensor_content": b"\xc0\xbf"} if is_packed else {"half_val": [0xBFC0]}
    )

    assert -1.5 == decode_number(_tensor(types_pb2.DT_BFLOAT16, tensor_shape=shape, **fields))


def test_float16_bits_are_no_integers() -> None:
    """The integer field of a half holds the bits of a float."""
    assert 1.5 == decode_number(_tensor(types_pb2.DT_HALF, half_val=[0x3E00]))


def test_a_number_that_was_left_out_is_zero() -> None:
    """TensorFlow reads a scalar without a number as zero."""
    assert 0.0 == decode_number(_tensor(types_pb2.DT_FLOAT))


@pytest.mark.parametrize(
    "tensor",
    [
        _tensor(types_pb2.DT_STRING, string_val=[b"text"]),
        _tensor(types_pb2.DT_COMPLEX64, scomplex_val=[1.0, 0.0]),
        _tensor(types_pb2.DT_FLOAT, float_val=[1.0, 2.0]),
        _tensor(types_pb2.DT_DOUBLE, tensor_content=b"\0" * 4),
        _tensor(
            types_pb2.DT_FLOAT,
            tensor_shape={"dim": [{"size": 0}]},
        ),
    ],
    ids=["text", "complex", "two numbers", "too few bytes", "empty"],
)
def test_what_is_not_one_number_is_none(tensor: tensor_pb2.TensorProto) -> None:
    """A tensor of anything but one real number is no scalar."""
    assert decode_number(tensor) is None


def test_other_plugins_tensors_are_no_scalars() -> None:
    """A number that a plugin keeps for itself is no point of a curve."""
    value = scalar_pb("loss", 0.5).value[0]
    value.metadata.plugin_data.plugin_name = "projector"
    value.metadata.data_class = summary_pb2.DATA_CLASS_UNKNOWN

    assert scalar_of(value) is None


def test_the_data_class_is_enough() -> None:
    """A scalar of any plugin is one, as TensorBoard goes by its class."""
    value = scalar_pb("loss", 0.5).value[0]
    value.metadata.plugin_data.plugin_name = "mine"
    value.metadata.data_class = summary_pb2.DATA_CLASS_SCALAR

    assert 0.5 == scalar_of(value)


def test_a_series_need_say_only_once_what_it_is() -> None:
    """Later points without metadata are of the series that has begun."""
    value = scalar_pb("loss", 0.5).value[0]
    value.ClearField("metadata")

    assert (None, 0.5) == (scalar_of(value), scalar_of(value, has_begun=True))


def test_plain_values_are_not_tensors() -> None:
    """A `simple_value` is not for this module."""
    assert scalar_of(summary_pb2.Summary.Value(tag="loss", simple_value=0.5)) is None
