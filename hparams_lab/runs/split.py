"""Splitting data into what a run trains on and what it is judged by.

`x` and `y` may be arrays, lists, pandas objects or sparse matrices; the parts are of the
same kind, and copies. Every choice is a function of the seed and of the labels alone.

Rows are stratified, so that each part has the classes in their shares, where `y` holds
classes: integers, bools or strings in one dimension or one column, or one-hot rows, each
class at least twice. Whole numbers kept as floats are a quantity.

A bad argument is a `ValueError`, as it is met inside a train function, whose run it fails.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def hold_out(
    x: Any, y: Any, *, seed: int, share: float, groups: Iterable[Hashable] | None = None
) -> tuple[Any, Any, Any, Any]:
    """Return `x_train, y_train, x_held_out, y_held_out`.

    Stratified where `y` holds classes and each can have a row in both parts, unless
    there are groups.

    Args:
        x: `[num_rows, ...]`.
        y: `[num_rows, ...]`.
        seed: equal seeds, equal splits.
        share: of the rows that are held out, in (0, 1); with groups, of the groups.
        groups: `[num_rows]` labels; rows of equal ones stay on one side.

    Raises:
        ValueError: if the lengths differ, or either part would be empty.

    Example:
        >>> x_train, y_train, x_held_out, y_held_out = hold_out(
        ...     list("abcdef"), [0, 0, 0, 1, 1, 1], seed=0, share=1 / 3
        ... )
        >>> sorted(y_train), sorted(y_held_out)
        ([0, 0, 1, 1], [0, 1])
    """
    # Takes half a second; only experiments that split their data pay for it.
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    _check_rows(x, y)
    rows = np.arange(_num_rows(x))
    if groups is None:
        _check_share(share, len(rows), "rows")
        train, held_out = train_test_split(
            rows, test_size=share, random_state=seed, stratify=_strata(_classes_of(y), share)
        )
    else:
        codes = _group_codes(groups, len(rows))
        _check_share(share, codes.max() + 1, "groups")
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
        train, held_out = next(splitter.split(rows, groups=codes))
    return *_take(x, y, train), *_take(x, y, held_out)


def fold_out(
    x: Any,
    y: Any,
    *,
    seed: int,
    fold: int,
    num_folds: int,
    groups: Iterable[Hashable] | None = None,
) -> tuple[Any, Any, Any, Any]:
    """Return `x_train, y_train, x_held_out, y_held_out`, with one fold held out.

    Over all folds each row is held out exactly once. The rows keep their order.

    Folds have the classes in their shares, and as many rows as each other, to within one
    row; with groups, as nearly as groups can be dealt out. A class of fewer rows than
    folds is in as many folds as it has rows; if every class is that rare, none counts.

    Args:
        x: `[num_rows, ...]`.
        y: `[num_rows, ...]`.
        seed: equal seeds, equal folds.
        fold: the one held out, in [0, num_folds).
        num_folds: at least two.
        groups: `[num_rows]` labels; rows of equal ones are in one fold.

    Raises:
        ValueError: if the lengths differ, or there are fewer rows or groups than folds.

    Example:
        >>> [fold_out(list("abcd"), [0, 0, 1, 1], seed=1, fold=f, num_folds=2)[2] for f in (0, 1)]
        [['a', 'c'], ['b', 'd']]
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    _check_rows(x, y)
    num_rows = _num_rows(x)
    codes = None if groups is None else _group_codes(groups, num_rows)
    if codes is None:
        _check_folds(num_folds, num_rows, "rows")
        splitter = StratifiedKFold(num_folds, shuffle=True, random_state=seed)
    else:
        num_groups = codes.max() + 1
        _check_folds(num_folds, num_groups, "groups")
        # Until scikit-learn 1.8 its own shuffling lost the shares; the order of the
        # codes decides where groups are alike.
        codes = np.random.default_rng(seed).permutation(num_groups)[codes]
        splitter = StratifiedGroupKFold(num_folds)
    classes = _classes_of(y)
    if np.bincount(classes).max() < num_folds:  # which scikit-learn does not stratify
        classes = np.zeros_like(classes)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        train, held_out = list(splitter.split(classes, classes, codes))[fold]
    return *_take(x, y, train), *_take(x, y, held_out)


def take_subset(x: Any, y: Any, *, seed: int, share: float) -> tuple[Any, Any]:
    """Return `x, y` of a share of the rows, in their order.

    Of each class its share, to within one row, and at least one row.

    Args:
        x: `[num_rows, ...]`.
        y: `[num_rows, ...]`.
        seed: equal seeds, equal subsets.
        share: of the rows that are taken, in (0, 1].

    Raises:
        ValueError: if the lengths differ, or the share is out of range.

    Example:
        >>> take_subset(list("abcdefgh"), [0, 0, 0, 0, 0, 0, 1, 1], seed=0, share=0.5)[1]
        [0, 0, 0, 1]
    """
    _check_rows(x, y)
    if not 0 < share <= 1:
        raise ValueError(f"the share of a subset must lie in (0, 1]; got {share}. Try 0.1.")
    classes = _classes_of(y)
    sizes = _subset_sizes(np.bincount(classes), share)
    random = np.random.default_rng(seed)
    chosen = [
        random.choice(np.flatnonzero(classes == label), size, replace=False)
        for label, size in enumerate(sizes)
    ]
    return _take(x, y, np.sort(np.concatenate(chosen)))


def _subset_sizes(counts: NDArray[Any], share: float) -> NDArray[Any]:
    """Return how many rows to take of each class: largest remainders, at least one."""
    sizes = np.maximum(np.floor(counts * share), 1).astype(int)
    num_missing = max(0, round(counts.sum() * share) - sizes.sum())
    sizes[np.argsort(sizes - counts * share, kind="stable")[:num_missing]] += 1
    return sizes


def _classes_of(y: Any) -> NDArray[Any]:
    """Return each row's class as a number from 0; all 0 if `y` holds no classes."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype == object and all(isinstance(label, str) for label in labels.flat):
        labels = labels.astype(str)  # as pandas has strings
    if _is_one_hot(labels):
        labels = labels.argmax(axis=1)
    if labels.ndim == 1 and labels.dtype.kind in "biuSU":
        _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        if counts.min() >= 2:
            return classes
    return np.zeros(_num_rows(y), int)


def _is_one_hot(labels: NDArray[Any]) -> bool:
    """Return whether each row is a single 1 among zeros."""
    if labels.ndim != 2 or labels.dtype.kind not in "biuf":
        return False
    is_binary = bool(np.isin(labels, (0, 1)).all())
    return is_binary and bool((labels.sum(axis=1) == 1).all())


def _strata(classes: NDArray[Any], share: float) -> NDArray[Any] | None:
    """Return the classes if each can have a row in both parts, as scikit-learn asks."""
    num_classes = classes.max() + 1
    num_held_out = math.ceil(len(classes) * share)
    smaller_part = min(num_held_out, len(classes) - num_held_out)
    return classes if 1 < num_classes <= smaller_part else None


def _group_codes(groups: Iterable[Hashable], num_rows: int) -> NDArray[Any]:
    """Return each row's group as a number from 0, in order of appearance."""
    labels = list(groups)
    if len(labels) != num_rows:
        raise ValueError(
            f"groups must have one label for each row; got {len(labels)} for {num_rows} rows. "
            "Give the group of each row."
        )
    if any(isinstance(label, float) and math.isnan(label) for label in labels):
        raise ValueError(
            "each row must have a group; got nan, which equals no other. "
            "Name a group for such rows."
        )
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels])


def _check_rows(x: Any, y: Any) -> None:
    if _num_rows(x) != _num_rows(y) or _num_rows(x) == 0:
        raise ValueError(
            f"x and y must have equally many rows, one or more; got {_num_rows(x)} and "
            f"{_num_rows(y)}. Give one row of x for each of y."
        )


def _check_share(share: float, count: int, unit: str) -> None:
    if not 0 < share < 1 or math.ceil(count * share) == count:
        raise ValueError(
            f"the share held out must leave {unit} on both sides; got {share} of {count} {unit}. "
            f"Give a share in (0, 1), or more {unit}."
        )


def _check_folds(num_folds: int, count: int, unit: str) -> None:
    if num_folds > count:
        raise ValueError(
            f"each fold must have {unit} to hold out; got {num_folds} folds of {count} {unit}. "
            "Ask for fewer folds."
        )


def _num_rows(data: Any) -> int:
    return data.shape[0] if hasattr(data, "shape") else len(data)  # matrices have no `len`


def _take(x: Any, y: Any, rows: NDArray[Any]) -> tuple[Any, Any]:
    """Return copies of some rows."""
    from sklearn.utils import indexable

    x, y = (_rows_of(data, rows) for data in indexable(x, y))
    return x, y


def _rows_of(data: Any, rows: NDArray[Any]) -> Any:
    if hasattr(data, "iloc"):
        return data.take(rows)
    if hasattr(data, "shape"):
        return data[rows]
    return [data[row] for row in rows]
