"""Training and judging Keras models on data in memory, with a fraction of the overhead.

`fit` is `model.fit`, and `evaluate` is `model.evaluate`: epochs, callbacks, history and
validation are Keras's own code. Only the function that Keras calls for each batch is
another, which it calls once a pass; see `program`. Where that cannot be, nothing is
replaced, which is said once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from hparams_lab.keras.arrays import Arrays, Unsuited, pack, split_off
from hparams_lab.keras.callbacks import EpochLogger
from hparams_lab.keras.program import Program, find_test_program, find_train_program

_DEFAULT_BATCH_SIZE = 32  # as in Keras

# Have the hooks of batches, and use them if they are to save every few of them.
_SAVERS = (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)

# Arguments that count batches.
_STEP_ARGUMENTS = ("steps_per_epoch", "validation_steps")

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


class SeededRun(Protocol):
    """What a model is trained for: a `lab.Run`, which stands below this module."""

    seed: int

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
    **arguments: Any,
) -> keras.callbacks.History:
    """Train a compiled model as `model.fit` does, several times faster if it is small.

    Logs, checkpoints and reports are those of `run.callbacks()`, which are added unless
    `callbacks` has them. Shuffling is a function of the run's seed and of the number of
    updates so far.

    Args:
        run: that the model is trained for.
        model: compiled.
        x: as for `model.fit`; fast for arrays and tensors, dicts and tuples of them.
        y: as for `model.fit`.
        batch_size: rows in a batch, 32 by default; the last may have fewer.
        epochs: the last epoch, counted from 1.
        verbose: as for `model.fit`; silent by default.
        callbacks: as for `model.fit`. One that acts on batches has them handed out
            one by one, by `model.fit` itself.
        validation_split: as for `model.fit`.
        validation_data: as for `model.fit`.
        shuffle: True, False or `"batch"`.
        class_weight: as for `model.fit`.
        sample_weight: as for `model.fit`.
        **arguments: other arguments of `model.fit`.

    Returns:
        The history, as of `model.fit`.
    """
    callbacks = _add_logger(run, callbacks)
    arguments |= {"epochs": epochs, "verbose": verbose}
    try:
        _check_model(model)
        _check_steps(arguments)
        _check_callbacks(callbacks)
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
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            **arguments,
        )
    batch_size = batch_size or _DEFAULT_BATCH_SIZE
    num_batches = -(-arrays.num_rows // batch_size)
    train_pass = _TrainPass(run, model, arrays, batch_size, shuffle)
    test_pass = None
    if isinstance(validated_on, (tuple, list)):
        with suppress(Unsuited):  # then Keras judges it in its own way
            test_batch_size = arguments.get("validation_batch_size") or batch_size
            test_pass = _TestPass(model, pack(*validated_on), test_batch_size)
            validated_on = tf.data.Dataset.range(1)
    with _replaced_steps(model, num_batches, train_pass, test_pass):
        return model.fit(
            tf.data.Dataset.range(num_batches),
            callbacks=callbacks,
            shuffle=False,
            validation_data=validated_on,
            **arguments,
        )


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
        _check_model(model)
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
    test_pass = _TestPass(model, arrays, batch_size or _DEFAULT_BATCH_SIZE)
    with _replaced_steps(model, 1, None, test_pass):
        return model.evaluate(tf.data.Dataset.range(1), verbose=0, return_dict=return_dict)


class _TrainPass:
    """What Keras calls instead of its own step on a batch: an epoch."""

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

    def __call__(self, iterator: Any) -> dict[str, tf.Tensor]:
        if self._program is None:  # here, as a callback may change the model before it begins
            self._program = find_train_program(self._model, self._arrays, self._batch_size)
        order = tf.convert_to_tensor(self._draw_order())
        return self._program.run(self._model, order, self._arrays)

    def _draw_order(self) -> np.ndarray:
        """Return the rows in the order of this epoch."""
        rows = np.arange(self._arrays.num_rows, dtype="int32")
        if not self._shuffle:
            return rows
        # The updates tell epochs apart, also where fit is called for each, or a run is
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
    """What Keras calls instead of its own step on a batch: a pass over the data."""

    def __init__(self, model: keras.Model, arrays: Arrays, batch_size: int) -> None:
        self._model = model
        self._arrays = arrays
        self._batch_size = batch_size
        self._program: Program | None = None
        self._order = tf.range(arrays.num_rows, dtype=tf.int32)

    def __call__(self, iterator: Any) -> dict[str, tf.Tensor]:
        if self._program is None:
            self._program = find_test_program(self._model, self._arrays, self._batch_size)
        return self._program.run(self._model, self._order, self._arrays)


@contextmanager
def _replaced_steps(
    model: keras.Model,
    num_batches: int,
    train_pass: Callable[[Any], Any] | None,
    test_pass: Callable[[Any], Any] | None,
) -> Iterator[None]:
    """Have Keras call passes instead of steps, and take them for all batches in one execution."""
    kept = model.train_function, model.test_function, model.steps_per_execution
    model.train_function, model.test_function = train_pass, test_pass
    model.steps_per_execution = num_batches
    try:
        yield
    finally:
        model.train_function, model.test_function, model.steps_per_execution = kept


def _add_logger(run: SeededRun, callbacks: Any) -> Any:
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    given = keras.tree.flatten(callbacks) if callbacks else []
    if any(isinstance(callback, EpochLogger) for callback in given):
        return given
    return [*run.callbacks(), *given]


def _check_model(model: keras.Model) -> None:
    """Refuse a model that only Keras's own loop can train."""
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


def _check_steps(arguments: Mapping[str, Any]) -> None:
    for name in _STEP_ARGUMENTS:
        if arguments.get(name) is not None:
            raise Unsuited(f"{name} is given")


def _check_callbacks(callbacks: Any) -> None:
    """Refuse callbacks that act on batches."""
    for callback in getattr(callbacks, "callbacks", callbacks):
        if any(not _is_default(callback, hook) for hook in _BATCH_HOOKS):
            raise Unsuited(f"the callback {type(callback).__name__} acts on batches")


def _is_default(callback: keras.callbacks.Callback, hook: str) -> bool:
    """Return whether a callback leaves a hook as it is, or needs it with other options only."""
    own = getattr(getattr(callback, hook), "__func__", None)
    save_freq = getattr(callback, "save_freq", getattr(callback, "_save_freq", "epoch"))
    library = _SAVERS if save_freq == "epoch" else ()
    return own in [getattr(kind, hook) for kind in (keras.callbacks.Callback, *library)]


def _say_once(sentence: str) -> None:
    warnings.warn(f"{sentence}.", stacklevel=3)
