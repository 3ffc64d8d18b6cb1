from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from hparams_lab.runs.digest import data_digest

ARRAYS = hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, min_side=0, max_side=4))


@dataclass
class Pair:
    x: Any
    y: Any


@settings(deadline=None, max_examples=100)
@given(ARRAYS)
def test_copies_have_one_digest(array: np.ndarray) -> None:
    """What counts is an array's content, not how it lies in memory."""
    assert len(data_digest(array)) == 64
    assert data_digest(array) == data_digest(array.copy(order="F"))


@settings(deadline=None, max_examples=100)
@given(hnp.arrays("i2", st.integers(1, 9)), st.data())
def test_one_other_number_is_seen(array: np.ndarray, data: st.DataObject) -> None:
    """Any one element counts."""
    changed = array.copy()
    changed[data.draw(st.integers(0, len(array) - 1))] ^= 1

    assert data_digest(array) != data_digest(changed)


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: (x, y),
        lambda x, y: [x, {"y": y}],
        lambda x, y: Pair(x, y),
        lambda x, y: (sparse.csr_matrix(x), y.tolist()),
        lambda x, y: {"object": np.array([*x.ravel(), *y], dtype=object)},
    ],
    ids=["tuple", "nested", "dataclass", "sparse", "objects"],
)
def test_nested_data_counts(make: Callable[[Any, Any], Any]) -> None:
    """The digest covers every array, however it is packed."""
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6)
    changed = y.copy()
    changed[-1] = 7

    assert data_digest(make(x, y)) == data_digest(make(x.copy(), y.copy())) != ""
    assert data_digest(make(x, y)) != data_digest(make(x, changed))
    assert data_digest(make(x, y)) != data_digest(make(x + 1, y))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2, "i4"), np.zeros(2, "f4")),
        ((np.zeros(1), np.zeros(1)), np.zeros(2)),
        ([1, [2]], [[1], 2]),
        ("1", 1),
        ({"a": 1}, {"b": 1}),
    ],
    ids=["shape", "dtype", "packing", "nesting", "type", "key"],
)
def test_form_counts(one: Any, other: Any) -> None:
    """Equal bytes in another form are other data."""
    assert data_digest(one) != data_digest(other)


def test_pandas_objects_count() -> None:
    """Of pandas objects the values, the index, the columns and the types count."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    others = [frame.rename(columns={"a": "c"}), frame.astype({"a": float}), frame.iloc[::-1]]
    others.append(frame.assign(a=[1, 3]))

    assert data_digest(frame) == data_digest(frame.copy()) != ""
    assert 5 == len({data_digest(it) for it in [frame, *others]})


def test_another_process_agrees() -> None:
    """The digest holds beyond the process, whatever its hash seed."""
    program = (
        "import numpy as np; from hparams_lab.runs.digest import data_digest;"
        "print(data_digest({'x': np.arange(5), 'y': ('a', None, 2.5)}))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert (
        data_digest({"y": ("a", None, 2.5), "x": np.arange(5)}) == printed.stdout.decode().strip()
    )


@pytest.mark.parametrize(
    "data", [object(), {"x": io.StringIO()}, [{1, 2}]], ids=["object", "stream", "set"]
)
def test_what_has_no_bytes_has_no_digest(data: Any) -> None:
    """Data that cannot be covered whole gets no digest, instead of one that overlooks it."""
    assert "" == data_digest(data)
