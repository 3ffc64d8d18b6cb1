"""Which rows each fold holds out."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.runs.split import fold_out

ROWS = np.arange(100)

SEEDS = st.integers(0, 2**31 - 1)
FOLDS = st.integers(2, 6)
CLASSES = st.lists(st.integers(0, 3), min_size=6, max_size=60)
FEW = settings(deadline=None, max_examples=50)


def _held_out(y: Any, *, seed: int, num_folds: int, groups: Any = None) -> list[list[int]]:
    """Return the rows that each fold holds out."""
    rows = np.arange(len(y))
    return [
        fold_out(rows, y, seed=seed, fold=fold, num_folds=num_folds, groups=groups)[2].tolist()
        for fold in range(num_folds)
    ]


@FEW
@given(CLASSES, SEEDS, FOLDS)
def test_each_row_is_held_out_once(labels: list[int], seed: int, num_folds: int) -> None:
    """Over all folds each row is held out once, whatever the labels."""
    held_out = _held_out(labels, seed=seed, num_folds=num_folds)

    assert list(range(len(labels))) == sorted(chain(*held_out))


@FEW
@given(CLASSES, SEEDS, FOLDS)
def test_folds_are_of_one_size(labels: list[int], seed: int, num_folds: int) -> None:
    """No fold has two rows more than another."""
    sizes = [len(rows) for rows in _held_out(labels, seed=seed, num_folds=num_folds)]

    assert max(sizes) - min(sizes) <= 1


@FEW
@given(CLASSES, SEEDS, FOLDS)
def test_folds_keep_the_shares_of_classes(labels: list[int], seed: int, num_folds: int) -> None:
    """No fold has two rows more of a class than another, however rare the class."""
    labels = [*labels, *range(4), *range(4), *[0] * num_folds]  # so that they are classes
    folds = _held_out(labels, seed=seed, num_folds=num_folds)
    counts = [Counter(labels[row] for row in rows) for rows in folds]

    for label in range(4):
        assert max(c[label] for c in counts) - min(c[label] for c in counts) <= 1


@pytest.mark.parametrize(
    "labels",
    [np.eye(2)[ROWS % 2], (ROWS % 2).astype(str), (ROWS % 2)[:, None]],
    ids=["one_hot", "strings", "one_column"],
)
def test_all_kinds_of_classes_are_stratified(labels: Any) -> None:
    """Half of one class in the data is half of it in each fold."""
    folds = _held_out(labels, seed=0, num_folds=5)

    assert [10] * 5 == [sum(row % 2 for row in rows) for rows in folds]


def test_the_rest_is_trained_on() -> None:
    """What a fold does not hold out is trained on, each row beside its label, in order."""
    x_train, y_train, x_held_out, y_held_out = fold_out(
        ROWS, ROWS / 10, seed=0, fold=2, num_folds=3
    )

    assert ROWS.tolist() == sorted([*x_train, *x_held_out])
    assert sorted(x_train) == x_train.tolist()
    assert (x_train / 10).tolist() == y_train.tolist()
    assert (x_held_out / 10).tolist() == y_held_out.tolist()


@settings(deadline=None, max_examples=10)
@given(SEEDS, st.booleans())
def test_the_folds_are_a_function_of_the_seed(seed: int, grouped: bool) -> None:
    """Equal seeds give equal folds, the next seed gives others."""
    groups = ROWS // 2 if grouped else None
    first, again, other = (
        _held_out(ROWS % 3, seed=s, num_folds=3, groups=groups) for s in (seed, seed, seed + 1)
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (None, [2, 3, 7, 13, 15, 16, 18]),
        ([str(row // 2) for row in range(20)], [4, 5, 12, 13, 16, 17]),
    ],
    ids=["rows", "groups"],
)
def test_another_process_has_the_same_folds(groups: Any, expected: list[int]) -> None:
    """The folds depend on no hash seed, process or version: these rows were noted once."""
    assert expected == _held_out([0, 1] * 10, seed=7, num_folds=3, groups=groups)[1]


@FEW
@given(st.lists(st.integers(0, 9), min_size=6, max_size=60), SEEDS, st.data(), st.booleans())
def test_groups_are_in_one_fold_each(
    groups: list[int], seed: int, data: st.DataObject, with_classes: bool
) -> None:
    """No group is in two folds, no fold is empty, and no row is lost."""
    groups = [*groups, *range(6)]
    num_folds = data.draw(st.integers(2, len(set(groups))))
    labels = data.draw(st.lists(st.integers(0, 2), min_size=len(groups), max_size=len(groups)))
    y = labels if with_classes else [label / 7 for label in labels]
    folds = _held_out(y, seed=seed, num_folds=num_folds, groups=groups)

    assert list(range(len(groups))) == sorted(chain(*folds))
    assert all(folds)
    assert len(set(groups)) == sum(len({groups[row] for row in rows}) for rows in folds)


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_groups_of_one_class_are_stratified(seed: int) -> None:
    """Where each group is of one class, each fold has a fair number of either's groups."""
    groups = ROWS // 5
    folds = _held_out(groups % 2, seed=seed, num_folds=5, groups=groups)

    assert [10] * 5 == [sum(groups[row] % 2 for row in rows) for rows in folds]


@pytest.mark.parametrize(
    ("num_rows", "num_folds", "groups", "message"),
    [
        (3, 4, None, r"rows to hold out; got 4 folds of 3 rows\. Ask for fewer folds"),
        (4, 3, [0, 0, 1, 1], r"groups to hold out; got 3 folds of 2 groups\. Ask"),
        (4, 2, [0, 1, 1], r"one label for each row; got 3 for 4 rows\. Give"),
    ],
    ids=["rows", "groups", "short_groups"],
)
def test_impossible_folds_are_reported(
    num_rows: int, num_folds: int, groups: Any, message: str
) -> None:
    """More folds than there are rows or groups are told in a sentence."""
    with pytest.raises(ValueError, match=message):
        _held_out([0] * num_rows, seed=0, num_folds=num_folds, groups=groups)
