"""Training and judging Keras models on data in memory, with a fraction of the overhead.

`fit` does what `model.fit` does, and `evaluate` what `model.evaluate` does, by Keras's
own train step, metrics and callbacks; but a pass over the data is one call of a compiled
program. Where that cannot be, Keras's own loop is used, and it is said once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from hparams_lab.keras import keras_internals
from hparams_lab.keras.arrays import Arrays, pack, split_off
from hparams_lab.keras.callbacks import EpochLogger
from hparams_lab.keras.program import Program, find_test_program, find_train_program
from hparams_lab.keras.suited import (
    Unsuited,
    check_batch_size,
    check_callbacks,
    check_model,
    check_steps,
)

Logs = dict[str, Any]


class SeededRun(Protocol):
    """What a model is trained for: a `lab.Run`, which stands below this module."""

    @property
    def seed(self) -> int:
        """Seeds the order of the rows."""

    def callbacks(self) -> list[Any]:
        """Return callbacks that log to the run."""


def fit(
    run: SeededRun,
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    batch_size: int | None = None,
    epochs: int = 1,
    verbose: Any = 0,
    callbacks: Sequence[Any] | Any = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool | str = True,
    class_weight: Mapping[int, float] | None = None,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: int | list[int] = 1,
) -> keras.callbacks.History:
    """Train a compiled model as `model.fit` does, several times faster if it is small.

    Logs, checkpoints and reports are those of `run.callbacks()`, which are added unless
    `callbacks` has them. Shuffling is a function of the run's seed and of the number of
    updates so far. What is said of no argument here is as for `model.fit`.

    Args:
        run: that the model is trained for.
        model: compiled.
        x: fast for arrays and tensors, dicts and tuples of them.
        y: as x.
        batch_size: rows in a batch, 32 by default; the last may have fewer.
        epochs: the last epoch, counted from 1.
        verbose: silent by default.
        callbacks: one that acts on batches is called for each, by `model.fit` itself.
        validation_split: share of the rows, the last ones, that is validated on.
        validation_data: `(x, y)` or `(x, y, sample_weight)`.
        shuffle: True, False or `"batch"`.
        class_weight: weight of each class.
        sample_weight: weight of each row.
        initial_epoch: the first epoch, counted from 0.
        steps_per_epoch: counts batches, and so leaves training to `model.fit`.
        validation_steps: likewise.
        validation_batch_size: rows in a batch of validation, by default `batch_size`.
        validation_freq: every how many epochs to validate, or after which, counted from 1.

    Returns:
        The history, as of `model.fit`.
    """
    callbacks = _add_logger(run, callbacks)
    try:
        check_model(model)
        check_callbacks(callbacks)
        check_steps(steps_per_epoch, validation_steps)
        num_rows = check_batch_size(batch_size)
        num_test_rows = check_batch_size(validation_batch_size or batch_size)
        trained_on, validated_on = (x, y, sample_weight), validation_data
        if validation_split and validation_data is None:
            trained_on, validated_on = split_off(trained_on, validation_split)
        arrays = pack(*trained_on, class_weight)
    except Unsuited as reason:
        _say_once(f"model.fit trains this model batch by batch, as {reason}")
        return model.fit(
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = keras.callbacks.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=epochs,
            steps=-(-arrays.num_rows // num_rows),
            model=model,
        )
    validate = _choose_validation(model, validated_on, num_test_rows, callbacks)
    _train_epochs(
        model,
        range(initial_epoch, epochs),
        callbacks,
        train=_TrainPass(run, model, arrays, num_rows, shuffle),
        validate=validate,
        is_validated=lambda epoch: keras_internals.is_validated(model, epoch, validation_freq),
    )
    return model.history


def _train_epochs(
    model: keras.Model,
    epochs: range,
    callbacks: keras.callbacks.CallbackList,
    *,
    train: Callable[[], Logs],
    validate: Callable[[], Logs] | None,
    is_validated: Callable[[int], bool],
) -> None:
    """Train as `TensorFlowTrainer.fit` of Keras does, a pass at a time."""
    model.stop_training = False
    logs: Logs | None = None
    callbacks.on_train_begin()
    # A callback that goes on with earlier training says so there, as Keras's own does.
    for epoch in range(keras_internals.first_epoch(model, epochs.start), epochs.stop):
        callbacks.on_epoch_begin(epoch)
        callbacks.on_train_batch_begin(0)
        logs = train()
        callbacks.on_train_batch_end(((callbacks.params or {}).get("steps") or 1) - 1, logs)
        if validate is not None and is_validated(epoch):
            logs |= {f"val_{name}": value for name, value in validate().items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    if isinstance(model.optimizer, keras.Optimizer) and epochs.stop > 0:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs=logs)


def _choose_validation(
    model: keras.Model, data: Any, batch_size: int, callbacks: keras.callbacks.CallbackList
) -> Callable[[], Logs] | None:
    """Return what validates the model; None if nothing is to."""
    if data is None:
        return None
    x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
    try:
        test = _TestPass(model, pack(x, y, weights), batch_size)
    except Unsuited:
        return lambda: model.evaluate(
            x,
            y,
            sample_weight=weights,
            batch_size=batch_size if y is not None else None,
            callbacks=callbacks,
            return_dict=True,
        )

    def validate() -> Logs:
        callbacks.on_test_begin()
        logs = test()
        callbacks.on_test_end(logs)
        return logs

    return validate


def evaluate(
    model: keras.Model,
    x: Any,
    y: Any = None,
    batch_size: int | None = None,
    sample_weight: Any = None,
    *,
    return_dict: bool = False,
) -> Any:
    """Judge a compiled model as `model.evaluate` does, silently.

    Args:
        model: compiled.
        x: as for `model.evaluate`; fast for arrays and tensors, dicts and tuples of them.
        y: as for `model.evaluate`.
        batch_size: rows in a batch, 32 by default; the last may have fewer.
        sample_weight: as for `model.evaluate`.
        return_dict: whether to return the values by name.

    Returns:
        Loss and metrics, as from `model.evaluate`.
    """
    try:
        check_model(model)
        size = check_batch_size(batch_size)
        arrays = pack(x, y, sample_weight)
    except Unsuited as reason:
        _say_once(f"model.evaluate judges this model batch by batch, as {reason}")
        return model.evaluate(
            x,
            y,
            batch_size=batch_size,
            sample_weight=sample_weight,
            verbose=0,
            return_dict=return_dict,
        )
    logs = _TestPass(model, arrays, size)()
    return logs if return_dict else keras_internals.list_metrics(model, logs)


class _TrainPass:
    """An epoch of training; the program is found at the first."""

    def __init__(
        self,
        run: SeededRun,
        model: keras.Model,
        arrays: Arrays,
        batch_size: int,
        shuffle: bool | str,
    ) -> None:
        self._run = run
        self._model = model
        self._arrays = arrays
        self._batch_size = batch_size
        self._shuffle = shuffle
        self._program: Program | None = None
        self._num_updates = -1
        self._num_idle_passes = 0

    def __call__(self) -> Logs:
        if self._program is None:  # not before, as a callback may change the model yet
            self._program = find_train_program(self._model, self._arrays, self._batch_size)
        order = self._draw_order()
        if self._model.stop_training:  # as Keras, which looks behind each batch
            order = order[: self._batch_size]
        rows = tf.convert_to_tensor(order)
        return self._program.run(self._model, rows, self._batch_size, self._arrays)

    def _draw_order(self) -> np.ndarray:
        """Return the rows in the order of this epoch."""
        rows = np.arange(self._arrays.num_rows, dtype="int32")
        if not self._shuffle:
            return rows
        # The updates distinguish epochs, also where fit is called for each, or a run is
        # resumed; but for a model that counts none.
        optimizer = self._model.optimizer
        num_updates = 0 if optimizer is None else int(optimizer.iterations)
        self._num_idle_passes += 1 if num_updates == self._num_updates else 0
        self._num_updates = num_updates
        random = np.random.default_rng([self._run.seed, num_updates, self._num_idle_passes])
        if self._shuffle == "batch":
            starts = range(0, len(rows), self._batch_size)
            batches = [rows[start : start + self._batch_size] for start in starts]
            return np.concatenate([random.permutation(batch) for batch in batches])
        return random.permutation(rows)


class _TestPass:
    """A pass over data that the model is judged by."""

    def __init__(self, model: keras.Model, arrays: Arrays, batch_size: int) -> None:
        self._model = model
        self._arrays = arrays
        self._batch_size = batch_size
        self._program: Program | None = None
        self._order = tf.range(arrays.num_rows, dtype=tf.int32)

    def __call__(self) -> Logs:
        if self._program is None:
            self._program = find_test_program(self._model, self._arrays, self._batch_size)
        return self._program.run(self._model, self._order, self._batch_size, self._arrays)


def _add_logger(run: SeededRun, callbacks: Any) -> Any:
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    given = keras.tree.flatten(callbacks) if callbacks else []
    if any(isinstance(callback, EpochLogger) for callback in given):
        return given
    return [*run.callbacks(), *given]


def _say_once(sentence: str) -> None:
    warnings.warn(f"{sentence}.", stacklevel=3)
