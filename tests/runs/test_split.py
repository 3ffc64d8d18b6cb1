"""Splitting data into what a run trains on and what it is judged by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_array, csr_matrix

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


@pytest.mark.parametrize(
    "labels",
    [
        np.eye(2)[(ROWS % 10 == 0).astype(int)],
        np.eye(2, dtype=bool)[(ROWS % 10 == 0).astype(int)],
        (ROWS % 10 == 0).astype(int)[:, None],
    ],
    ids=["one_hot", "one_hot_of_bools", "one_column"],
)
def test_classes_in_two_dimensions_keep_their_shares(labels: Any) -> None:
    """One-hot rows and a column of classes are stratified as the classes they stand for."""
    _, y_train, _, y_held_out = hold_out(ROWS, labels, seed=0, share=0.2)

    assert (8, 2) == (y_train[:, -1].sum(), y_held_out[:, -1].sum())


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
        np.zeros((100, 2, 2)),
    ],
    ids=["real", "two_columns", "a_class_of_one", "many_classes_of_two", "a_rare_class", "images"],
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


def test_columns_are_split_as_columns() -> None:
    """Pandas objects stay pandas objects, rows and labels side by side."""
    pandas = pytest.importorskip("pandas")  # none of our own dependencies needs it
    frame = pandas.DataFrame({"x": ROWS, "y": ROWS % 2})
    x_train, y_train, _, y_held_out = hold_out(frame[["x"]], frame["y"], seed=0, share=0.2)

    assert (y_train == x_train["x"] % 2).all()
    assert 10 == y_held_out.sum()


@pytest.mark.parametrize("to_sparse", [csr_array, coo_array, csr_matrix])
def test_sparse_rows_are_split_as_sparse_rows(to_sparse: Any) -> None:
    """Sparse rows stay sparse, of every format."""
    x_train, y_train, _, _ = hold_out(to_sparse(np.eye(10)), np.arange(10), seed=0, share=0.2)

    assert (8, 10) == x_train.shape
    assert y_train.tolist() == x_train.toarray().argmax(axis=1).tolist()


@given(
    labels=st.lists(st.integers(0, 9), min_size=2, max_size=40).filter(lambda g: len(set(g)) > 1),
    seed=st.integers(0, 2**31 - 1),
)
def test_groups_are_never_on_both_sides(labels: list[int], seed: int) -> None:
    """Rows of one group are all trained on or all held out, whatever names the group."""
    groups = [("patient", label) if label % 2 else None for label in labels]
    groups[:2] = "a", "b"
    train, _, held_out, _ = hold_out(groups, labels, seed=seed, share=0.3, groups=groups)

    assert set(groups) == {*train, *held_out}
    assert set() == set(train) & set(held_out)


def test_the_share_of_the_groups_is_held_out() -> None:
    """With groups, the share counts groups and not rows."""
    groups = np.repeat(np.arange(10), 10)
    held_out = hold_out(groups, ROWS, seed=0, share=0.25, groups=groups)[2]

    assert 3 == len(set(held_out.tolist()))


@pytest.mark.parametrize(
    ("x", "y", "share", "groups", "message"),
    [
        (ROWS, ROWS[:-1], 0.2, None, r"equally many rows, one or more; got 100 and 99\. "),
        ([], [], 0.2, None, r"got 0 and 0\. Give"),
        (ROWS, ROWS, 0.0, None, r"rows on both sides; got 0\.0 of 100 rows\. Give a share"),
        (ROWS, ROWS, 0.999, None, r"rows on both sides; got 0\.999 of 100 rows"),
        (ROWS, ROWS, float("nan"), None, r"rows on both sides; got nan of"),
        (ROWS, ROWS, 0.2, ROWS[1:], r"one label for each row; got 99 for 100 rows\. Give"),
        (ROWS, ROWS, 0.2, ROWS * 0, r"groups on both sides; got 0\.2 of 1 groups\. "),
        (ROWS, ROWS, 0.2, ROWS * float("nan"), r"must have a group; got nan, "),
    ],
    ids=["lengths", "empty", "none", "all", "nan", "short_groups", "one_group", "no_group"],
)
def test_what_cannot_be_split_is_said(
    x: Any, y: Any, share: float, groups: Any, message: str
) -> None:
    """Data, shares and groups that leave nothing to split are told in a sentence."""
    with pytest.raises(ValueError, match=message):
        hold_out(x, y, seed=0, share=share, groups=groups)
