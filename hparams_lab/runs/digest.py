"""A digest of data, which says whether two sweeps saw the same: equal data, equal digest."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What Python writes the same way in every process.
_PLAIN = (type(None), bool, int, float, complex, str, bytes)


def data_digest(data: Any) -> str:
    """Return the SHA-256 of what `load_data` returned, in hexadecimal.

    It covers the type, shape and bytes of every array, and everything plain, in tuples,
    lists, mappings of any order, dataclasses, pandas objects, sparse matrices and tensors.

    Args:
        data: nested to any depth.

    Returns:
        Empty if something in it is none of these, such as an open file: a digest that did
        not cover it would take different data for equal.

    Example:
        >>> data_digest({"x": np.arange(3), "y": 1}) == data_digest({"y": 1, "x": np.arange(3)})
        True
        >>> data_digest([object()])
        ''
    """
    digest = hashlib.sha256()
    try:
        _add(digest, data)
    except Exception:  # an object of another library raises what that likes
        return ""
    return digest.hexdigest()


def _add(digest: hashlib._Hash, data: Any) -> None:
    if isinstance(data, _PLAIN):
        _note(digest, type(data).__name__, repr(data))
    elif isinstance(data, np.ndarray | np.generic):
        _add_array(digest, np.asarray(data))
    elif isinstance(data, Mapping):
        _note(digest, "mapping", len(data))
        for key in sorted(data, key=repr):
            _add(digest, key)
            _add(digest, data[key])
    elif isinstance(data, tuple | list):
        _note(digest, type(data).__name__, len(data))
        for item in data:
            _add(digest, item)
    elif is_dataclass(data) and not isinstance(data, type):
        _note(digest, type(data).__name__, len(fields(data)))
        for field in fields(data):
            _add(digest, getattr(data, field.name))
    elif hasattr(data, "iloc") or type(data).__module__.startswith("pandas."):
        _add_pandas(digest, data)
    elif hasattr(data, "tocoo"):
        matrix = data.tocoo()
        _note(digest, "sparse", data.shape)
        for part in (matrix.row, matrix.col, matrix.data):
            _add_array(digest, part)
    elif hasattr(data, "__array__"):
        _add_array(digest, np.asarray(data))
    else:
        raise TypeError(f"a {type(data).__name__} has no bytes to take a digest of")


def _add_array(digest: hashlib._Hash, array: NDArray[Any]) -> None:
    _note(digest, array.dtype.descr, array.shape)
    if array.dtype.hasobject:
        _add(digest, array.tolist())
    else:
        flat = np.ascontiguousarray(array).reshape(-1)
        digest.update(flat.view(np.uint8).data if flat.nbytes else b"")


def _add_pandas(digest: hashlib._Hash, data: Any) -> None:
    pandas = sys.modules["pandas"]  # the data is of it, so it is there
    rows = pandas.util.hash_pandas_object(data).to_numpy()
    columns = list(getattr(data, "columns", [getattr(data, "name", None)]))
    dtypes = [str(dtype) for dtype in np.atleast_1d(np.asarray(data.dtypes, dtype=object))]
    _note(digest, type(data).__name__, columns, dtypes)
    _add_array(digest, rows)


def _note(digest: hashlib._Hash, *facts: object) -> None:
    digest.update(f"{facts!r}\n".encode(errors="surrogateescape"))
