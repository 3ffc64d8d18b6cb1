"""Splitting data into what a run trains on and what it is judged by."""

from __future__ import annotations

from typing import Any

import numpy as np


def hold_out(x: Any, y: Any, *, seed: int, share: float) -> tuple[Any, Any, Any, Any]:
    """Return `x_train, y_train, x_held_out, y_held_out`, each a copy.

    Stratified where `y` holds classes: integers, bools or strings in one dimension, of
    which each occurs at least twice. Else plain.

    Args:
        x: `[num_rows, ...]`.
        y: `[num_rows, ...]`.
        seed: equal seeds, equal splits.
        share: of the rows that are held out, in (0, 1).
    """
    # Takes half a second; only experiments that split their data pay for it.
    from sklearn.model_selection import train_test_split

    labels = np.asarray(y)
    classes = labels if labels.ndim == 1 and labels.dtype.kind in "biuSU" else None
    if classes is not None and np.unique(classes, return_counts=True)[1].min() < 2:
        classes = None
    x_train, x_held_out, y_train, y_held_out = train_test_split(
        x, y, test_size=share, random_state=seed, stratify=classes
    )
    return x_train, y_train, x_held_out, y_held_out
