"""Splitting data into what a run trains on and what it is judged by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hparams_lab.runs.split import hold_out

ROWS = np.arange(100)


def test_rows_stay_together_and_none_is_lost() -> None:
    """Each row is in just one part, beside its label."""
    labels = ROWS * 10.0
    x_train, y_train, x_held_out, y_held_out = hold_out(ROWS, labels, seed=0, share=0.2)

    assert ROWS.tolist() == sorted([*x_train, *x_held_out])
    assert (len(x_train), len(x_held_out)) == (80, 20)
    assert (x_train * 10.0).tolist() == y_train.tolist()
    assert (x_held_out * 10.0).tolist() == y_held_out.tolist()


@pytest.mark.parametrize("dtype", [int, bool, str, "uint8"])
def test_classes_keep_their_shares(dtype: Any) -> None:
    """A tenth of one class in the data is a tenth of it in both parts."""
    labels = (ROWS % 10 == 0).astype(int).astype(dtype)
    _, y_train, _, y_held_out = hold_out(ROWS, labels, seed=0, share=0.2)
    rare = labels[0]

    assert (8, 2) == ((y_train == rare).sum(), (y_held_out == rare).sum())


@given(st.integers(0, 2**31 - 1))
def test_equal_seeds_give_equal_splits(seed: int) -> None:
    """The split is a function of the seed, another one for the next seed."""
    first, again, other = (
        hold_out(ROWS, ROWS % 3, seed=s, share=0.2)[2].tolist() for s in (seed, seed, seed + 1)
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    "labels",
    [
        ROWS / 7.0,
        np.stack([ROWS % 2, ROWS % 3], axis=1),
        np.where(ROWS == 0, 1, 0),
        ROWS // 2,
        np.repeat([0, 1], [98, 2]),
    ],
    ids=["real", "two_columns", "a_class_of_one", "many_classes_of_two", "a_rare_class"],
)
def test_any_labels_can_be_split(labels: Any) -> None:
    """Labels that cannot be stratified, as counts or a class of one row, are split plainly."""
    x_train, _, x_held_out, _ = hold_out(ROWS, labels, seed=0, share=0.2)

    assert (80, 20) == (len(x_train), len(x_held_out))


@pytest.mark.parametrize(
    ("share", "expected"), [(0.1, 10), (0.5, 50), (0.9, 90)], ids=["tenth", "half", "most"]
)
def test_the_share_is_held_out(share: float, expected: int) -> None:
    """As many rows are held out as was asked for."""
    assert expected == len(hold_out(ROWS, ROWS % 2, seed=0, share=share)[2])


def test_the_parts_are_copies() -> None:
    """What a run does to its part does not reach the shared data."""
    x = np.zeros((10, 2))
    parts = hold_out(x, np.arange(10) % 2, seed=0, share=0.2)
    for part in parts:
        part += 1

    assert not x.any()


def test_lists_are_split_as_lists() -> None:
    """Data need not be arrays."""
    x_train, y_train, x_held_out, _ = hold_out(list("abcdefghij"), [0, 1] * 5, seed=0, share=0.2)

    assert sorted("abcdefghij") == sorted([*x_train, *x_held_out])
    assert [0] * 4 + [1] * 4 == sorted(y_train)
