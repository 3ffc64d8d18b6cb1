"""What is used of Keras and TensorFlow that is not public, so that a release breaks one file.

`tests/keras/test_keras_internals.py` names the versions that were tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras


def call_flat(function: Any, inputs: Sequence[Any], captures: Sequence[Any]) -> Any:
    """Call a TensorFlow concrete function with other captured tensors than its own."""
    return function._call_flat(inputs, captures)


def collect_metrics(model: keras.Model, logs: Any) -> Any:
    """Return the logs of a step with the results of the model's metrics."""
    return model._get_metrics_result_or_logs(logs)


def build_from_batch(model: keras.Model, batch: Any) -> None:
    """Build a model as a step on such a batch would, without running one."""
    model._symbolic_build(data_batch=batch)


def list_layers(model: keras.Model) -> list[keras.Layer]:
    """Return a model's layers, and all layers within these."""
    return list(model._flatten_layers())


def list_metrics(model: keras.Model, logs: Mapping[str, Any]) -> Any:
    """Return logs as `evaluate` does without `return_dict`."""
    return model._flatten_metrics_in_order(logs)


def is_validated(model: keras.Model, epoch: int, validation_freq: Any) -> bool:
    """Return whether an epoch, 0-based, ends with a validation."""
    return bool(model._should_eval(epoch, validation_freq))


def first_epoch(model: keras.Model, initial_epoch: int) -> int:
    """Return the epoch that fit begins with: what `set_first_epoch` has set, else the other."""
    return model._initial_epoch or initial_epoch


def set_first_epoch(model: keras.Model, epoch: int | None) -> None:
    """Have fit begin with an epoch, as Keras's own BackupAndRestore does; None: with its own."""
    model._initial_epoch = epoch
