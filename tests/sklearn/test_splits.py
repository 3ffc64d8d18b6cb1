from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from hparams_lab.sklearn.splits import count_folds

Y = np.tile([0, 1], 12)


def _count(splitter: Any) -> tuple[int, int]:
    splits = count_folds(list(splitter.split(np.zeros((24, 1)), Y)), 24)
    return splits.repeats, splits.num_folds


@pytest.mark.parametrize(
    ("splitter", "shape"),
    [
        (KFold(4), (1, 4)),
        (RepeatedKFold(n_splits=4, n_repeats=3, random_state=0), (3, 4)),
        (RepeatedStratifiedKFold(n_splits=2, n_repeats=5, random_state=0), (5, 2)),
        (ShuffleSplit(6, random_state=0), (1, 6)),
        (TimeSeriesSplit(3), (1, 3)),
        (PredefinedSplit([-1] * 12 + [0] * 12), (1, 1)),
    ],
    ids=repr,
)
def test_splits_are_repeats_of_folds(splitter: Any, shape: tuple[int, int]) -> None:
    """Folds that hold every row out once are a repeat; other splits are folds of one."""
    assert shape == _count(splitter)


def test_a_split_that_holds_all_rows_out_is_no_fold() -> None:
    """Splits that each hold all rows out are repeats without folds."""
    rows = np.arange(4)
    splits = count_folds([(rows, rows)] * 3, 4)

    assert (3, 1) == (splits.repeats, splits.num_folds)


def test_uneven_repeats_count_as_folds_of_one() -> None:
    """Repeats of different numbers of folds cannot be separated by repeat and fold."""
    rows = np.arange(4)
    uneven = [*KFold(2).split(rows), *KFold(4).split(rows)]

    assert 6 == count_folds(uneven, 4).num_folds


def test_too_many_folds_are_refused() -> None:
    """More folds than a run's name has digits for are refused."""
    rows = np.zeros((101, 1))

    with pytest.raises(ValueError, match=r"at most 100 folds .* got 1 x 101"):
        count_folds(list(LeaveOneOut().split(rows)), 101)


def test_no_splits_are_refused() -> None:
    """A splitter that gives nothing is refused."""
    with pytest.raises(ValueError, match="cv must give a split; got none"):
        count_folds([], 4)
