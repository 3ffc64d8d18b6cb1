"""Data in memory as Keras's `fit` takes it, as flat lists of tensors.

    x, y, weights ──▶ pack ──▶ Arrays(structure, tensors) ──batch of tensors──▶ x, y, weights

What `model.fit` has an error for is left to `model.fit`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework.ops import EagerTensor

from hparams_lab.keras.suited import Unsuited

_NUMERIC_KINDS = "biuf"


@dataclass(frozen=True)
class Arrays:
    """What a model is trained on or judged by."""

    # `x`, `(x, y)` or `(x, y, sample_weight)` as Keras packs them, with True where an array
    # stands
    structure: Any
    # those arrays, each `[num_rows, ...]`, in the order of the structure
    tensors: Sequence[tf.Tensor]

    @property
    def num_rows(self) -> int:
        """How many rows there are, at least one."""
        return int(self.tensors[0].shape[0])

    def nest(self, tensors: Sequence[tf.Tensor]) -> Any:
        """Return tensors, as many as there are here, in the structure of the arrays."""
        remaining = iter(tensors)
        return keras.tree.map_structure(
            lambda is_array: next(remaining) if is_array else None, self.structure
        )

    @property
    def specs(self) -> tuple[tf.TensorSpec, ...]:
        """Shapes and types of the tensors, with any number of rows."""
        return tuple(tf.TensorSpec([None, *one.shape[1:]], one.dtype) for one in self.tensors)


def pack(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
) -> Arrays:
    """Return data as tensors, with class weights made sample weights.

    Floats become `keras.config.floatx()`, as in Keras; other types are kept. Arrays of
    those types may share their memory with the tensors, and are not to be changed.

    Args:
        x: array or tensor `[num_rows, ...]`, pandas object, or dict, tuple or list of them.
        y: the same.
        sample_weight: the same, or `[num_rows]` for all outputs.
        class_weight: weight of each class; 1 for those that are not named.

    Raises:
        Unsuited: if any of it is no array of numbers, or the parts do not go together.
    """
    x, y, sample_weight = (_map(_to_array, data) for data in (x, y, sample_weight))
    if class_weight is not None:
        if sample_weight is not None or y is None or keras.tree.is_nested(y):
            raise Unsuited("class_weight takes one output and no sample_weight")
        sample_weight = weigh_classes(y, class_weight)
    elif sample_weight is not None and keras.tree.is_nested(y):
        sample_weight = _weigh_outputs(y, sample_weight)
    packed = keras.tree.lists_to_tuples(keras.utils.pack_x_y_sample_weight(x, y, sample_weight))
    tensors = [_to_tensor(leaf) for leaf in keras.tree.flatten(packed) if leaf is not None]
    if len({tensor.shape[0] for tensor in tensors}) != 1 or tensors[0].shape[0] == 0:
        raise Unsuited("the arrays do not have equally many rows, one or more")
    return Arrays(_map(lambda _: True, packed), tensors)


def split_off(arrays: tuple[Any, Any, Any], share: float) -> tuple[Any, Any]:
    """Return the first rows and the last, as `validation_split` does.

    Args:
        arrays: x, y and sample weights, each as for `pack`.
        share: of the rows that are split off, in (0, 1).

    Raises:
        Unsuited: if they are no arrays, or one part would be empty.
    """
    arrays = _map(_to_array, arrays)
    num_rows = next(leaf for leaf in keras.tree.flatten(arrays) if leaf is not None).shape[0]
    first = math.floor(num_rows * (1.0 - share))
    if not 0 < first < num_rows:
        raise Unsuited("validation_split leaves no rows on one side")
    return _map(lambda leaf: leaf[:first], arrays), _map(lambda leaf: leaf[first:], arrays)


def weigh_classes(y: Any, class_weight: Mapping[int, float]) -> np.ndarray:
    """Return each row's weight, `[num_rows]`, by its class.

    Args:
        y: labels `[num_rows]` or `[num_rows, 1]`, or scores `[num_rows, num_classes]`.
        class_weight: weight of each class; 1 for those that are not named.

    Raises:
        Unsuited: if there is more than one label a row.
    """
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(axis=-1)
    if labels.ndim != 1:
        raise Unsuited("class_weight takes one label a row")
    weights = np.ones(len(labels), keras.config.floatx())
    rounded = np.round(labels).astype("int32")
    for label, weight in class_weight.items():
        weights[rounded == label] = weight
    return weights


def _weigh_outputs(y: Any, sample_weight: Any) -> Any:
    """Return weights in the structure of the outputs."""
    if keras.tree.is_nested(sample_weight):
        try:
            keras.tree.assert_same_structure(y, sample_weight)
        except ValueError as error:
            raise Unsuited("sample_weight has not the structure of y") from error
        return sample_weight
    if len(sample_weight.shape) > 1 and tuple(sample_weight.shape[1:]) != (1,):
        raise Unsuited("one sample_weight for several outputs must be one number a row")
    return keras.tree.map_structure(lambda _: sample_weight, y)


def _map(function: Any, structure: Any) -> Any:
    """Return the structure with each leaf mapped, and None where there is None."""
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else function(leaf), structure
    )


def _to_array(leaf: Any) -> Any:
    """Return an array of NumPy or an eager dense tensor."""
    if hasattr(leaf, "iloc"):
        leaf = leaf.to_numpy()[:, None] if leaf.ndim == 1 else leaf.to_numpy()  # as Keras does
    if isinstance(leaf, np.ndarray) and leaf.ndim > 0 and leaf.dtype.kind in _NUMERIC_KINDS:
        return leaf
    if isinstance(leaf, tf.Tensor) and hasattr(leaf, "numpy") and leaf.shape.rank:
        return leaf
    raise Unsuited(f"the data is {type(leaf).__name__}, not arrays of numbers in memory")


def _to_tensor(leaf: Any) -> tf.Tensor:
    floatx = keras.config.floatx()
    if not isinstance(leaf, np.ndarray):
        return tf.cast(leaf, floatx) if leaf.dtype.is_floating else leaf
    array = np.ascontiguousarray(leaf, floatx if leaf.dtype.kind == "f" else None)
    # tf.constant would copy it once more, against later changes: 0.2 s of a run on MNIST,
    # which in each run's new process has its memory to fetch first.
    return EagerTensor(array, context.context().device_name, None)
