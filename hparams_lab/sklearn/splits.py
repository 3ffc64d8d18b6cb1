"""How the splits of a cross-validation are numbered as runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hparams_lab.runs.run import Run

# Two digits in a run's name, so that none begins with another's whole name.
_MAX_FOLDS = 100

Split = tuple[NDArray[Any], NDArray[Any]]
"""Indices of the training rows, and of those held out."""


@dataclass(frozen=True)
class Splits:
    """The splits of a search, the same for all its candidates."""

    pairs: Sequence[Split]  # in the splitter's order
    repeats: int  # how often all folds come
    num_folds: int  # of each repeat

    def index_of(self, run: Run) -> int:
        """Return the 0-based number of the split that a run is of."""
        return run.repeat * self.num_folds + (run.use_fold() or 0)


def count_folds(pairs: Sequence[Split], num_rows: int) -> Splits:
    """Return splits as repeats of folds, where those of a repeat hold each row out once.

    Splits of another kind count as the folds of one repeat.

    Args:
        pairs: in the splitter's order.
        num_rows: of the data.

    Raises:
        ValueError: if there are none, or more than runs can be named for.

    Example:
        >>> rows = [np.array([0]), np.array([1])]
        >>> splits = count_folds([(rows[0], rows[1]), (rows[1], rows[0])] * 3, num_rows=2)
        >>> splits.repeats, splits.num_folds
        (3, 2)
    """
    if not pairs:
        raise ValueError("cv must give a split; got none. Choose another.")
    times_held_out = np.zeros(num_rows, dtype=int)
    ends: list[int] = []  # of repeats
    for number, (_, held_out) in enumerate(pairs, start=1):
        times_held_out[held_out] += 1
        if np.all(times_held_out == len(ends) + 1):
            ends.append(number)
    num_folds = ends[0] if ends else len(pairs)
    if ends != list(range(num_folds, len(pairs) + 1, num_folds)):
        num_folds = len(pairs)
    repeats = len(pairs) // num_folds
    if max(repeats, num_folds) > _MAX_FOLDS:
        raise ValueError(
            f"cv must have at most {_MAX_FOLDS} folds and as many repeats, as each split is a run "
            f"in the dashboard; got {repeats} x {num_folds}. Take fewer."
        )
    return Splits(pairs, repeats, num_folds)
