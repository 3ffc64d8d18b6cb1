"""Whether what is asked for can be a compiled pass; if not, Keras's own loop takes over."""

from __future__ import annotations

import operator
from typing import Any

import keras
import tensorflow as tf

_DEFAULT_BATCH_SIZE = 32  # as in Keras

# Have the hooks of batches, and use them if they are to save every few of them.
_SAVERS = (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)

# Settings of Keras that cut training short.
_LIMITS = ("max_epochs", "max_steps_per_epoch")


class Unsuited(Exception):  # noqa: N818 - a finding, not an error
    """What is asked for cannot be a compiled pass; says why, as a clause."""


def check_model(model: keras.Model) -> None:
    """Refuse a model that only Keras's own loop can train.

    Raises:
        Unsuited: if it is one.
    """
    if keras.backend.backend() != "tensorflow":
        raise Unsuited(f"the backend is {keras.backend.backend()}, not tensorflow")
    if not model.compiled:
        raise Unsuited("it is not compiled")
    if model.run_eagerly:
        raise Unsuited("it is to be run eagerly")
    if (
        model.distribute_strategy is not tf.distribute.get_strategy()
        or tf.distribute.has_strategy()
    ):
        raise Unsuited("it has a distribution strategy")
    for name in _LIMITS:  # which older versions have not
        if getattr(keras.config, name, lambda: None)():
            raise Unsuited(f"keras.config.{name} limits it")


def check_batch_size(batch_size: Any) -> int:
    """Return how many rows a batch has, by default as many as in Keras.

    Raises:
        Unsuited: if it is no whole number above 0.
    """
    if batch_size is None:
        return _DEFAULT_BATCH_SIZE
    try:
        number = operator.index(batch_size)
    except TypeError:
        raise Unsuited(f"the batch size is {batch_size!r}") from None
    if number < 1:
        raise Unsuited(f"the batch size is {number}")
    return number


def check_steps(*numbers: int | None) -> None:
    """Refuse to count steps.

    Raises:
        Unsuited: if one of the numbers is given.
    """
    if any(number is not None for number in numbers):
        raise Unsuited("steps are counted")


def check_callbacks(callbacks: Any) -> None:
    """Refuse callbacks that act on batches.

    Args:
        callbacks: a list of them, or Keras's own list.

    Raises:
        Unsuited: if one does.
    """
    for callback in getattr(callbacks, "callbacks", callbacks):
        if any(not _is_default(callback, hook) for hook in _BATCH_HOOKS):
            raise Unsuited(f"the callback {type(callback).__name__} acts on batches")


def _is_default(callback: keras.callbacks.Callback, hook: str) -> bool:
    """Return whether a callback leaves a hook as it is, or needs it with other options only."""
    own = getattr(getattr(callback, hook), "__func__", None)
    save_freq = getattr(callback, "save_freq", getattr(callback, "_save_freq", "epoch"))
    library = _SAVERS if save_freq == "epoch" else ()
    return own in [getattr(kind, hook) for kind in (keras.callbacks.Callback, *library)]
