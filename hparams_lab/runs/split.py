"""Splitting data into what a run trains on and what it is judged by."""

from __future__ import annotations

import math
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
    if labels.dtype == object and all(isinstance(label, str) for label in labels.flat):
        labels = labels.astype(str)  # as pandas has strings
    classes = labels if labels.ndim == 1 and labels.dtype.kind in "biuSU" else None
    if classes is not None and not _can_stratify(classes, share):
        classes = None
    x_train, x_held_out, y_train, y_held_out = train_test_split(
        x, y, test_size=share, random_state=seed, stratify=classes
    )
    return x_train, y_train, x_held_out, y_held_out


def _can_stratify(classes: Any, share: float) -> bool:
    """Return whether each class can have a row in both parts, as scikit-learn asks."""
    counts = np.unique(classes, return_counts=True)[1]
    num_held_out = math.ceil(len(classes) * share)
    smaller_part = min(num_held_out, len(classes) - num_held_out)
    return len(counts) > 0 and counts.min() >= 2 and len(counts) <= smaller_part
