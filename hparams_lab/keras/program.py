"""A pass over data as one compiled program: a loop over batches that calls a Keras step.

`model.fit` and `model.evaluate` enter the program once a batch, or once in
`steps_per_execution`, and feed it by an input pipeline. For a small net both cost several
times what the arithmetic does. Here a pass is one call: the loop is a part of the graph,
and batches are gathered from tensors.

    order ─┐                 ┌───────────── while ─────────────┐
    data ──┴▶ rows of a batch ──▶ model.train_step or test_step ──▶ metrics

A program is bound to the variables that it reads and writes, not to a model: another
model with equal configuration lends it its own, so that only what differs in kind is
traced again.
"""

from __future__ import annotations

import json
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from hparams_lab.keras.arrays import Arrays

# Each holds the graph and the variables of the model that it was traced with.
MAX_PROGRAMS = 16
_programs: OrderedDict[str, Program] = OrderedDict()

Step = Callable[[Any], Any]


@dataclass(frozen=True)
class Program:
    """A compiled pass over data.

    Attributes:
        function: takes the order of the rows, then the tensors.
        slots: for each variable it captured, its place among those of the model; None if
            it captured anything else, so that it can run on its own variables only.
    """

    function: Any
    slots: Sequence[int] | None

    def run(self, model: keras.Model, order: tf.Tensor, arrays: Arrays) -> dict[str, tf.Tensor]:
        """Pass over rows in an order, with the variables of a model, and return the logs."""
        inputs = [order, *arrays.tensors]
        if self.slots is None:
            return self.function(*inputs)  # type: ignore[no-any-return]
        handles = [variable.handle for variable in _list_variables(model)]
        captures = [handles[slot] for slot in self.slots]
        return self.function._call_flat(inputs, captures)  # type: ignore[no-any-return]


def find_train_program(model: keras.Model, arrays: Arrays, batch_size: int) -> Program:
    """Return a program that trains a compiled model in batches.

    Args:
        model: compiled; built here if it is not.
        arrays: like those it will be run on, but for the number of rows.
        batch_size: rows in a batch; the last may have fewer.
    """
    build(model, arrays)
    step = model.train_step
    if model.jit_compile:
        step = tf.function(step, jit_compile=True, reduce_retracing=True)
    carries_logs = is_customised(model, "train_step", "compute_metrics")
    return _find(model, step, "train", arrays, batch_size, carries_logs=carries_logs)


def find_test_program(model: keras.Model, arrays: Arrays, batch_size: int) -> Program:
    """Return a program that judges a compiled model in batches; otherwise as for training."""
    build(model, arrays)
    step = model.test_step
    if model.jit_compile:
        step = tf.function(step, jit_compile=True, reduce_retracing=True)
    carries_logs = is_customised(model, "test_step", "compute_metrics")
    return _find(model, step, "test", arrays, batch_size, carries_logs=carries_logs)


def is_customised(model: keras.Model, *names: str) -> bool:
    """Return whether a model has another method of any of these names than Keras gave it."""
    return any(
        name in vars(model) or getattr(type(model), name) is not getattr(keras.Model, name)
        for name in names
    )


def build(model: keras.Model, arrays: Arrays) -> None:
    """Create the variables of layers, metrics and optimizer that are not there yet.

    What is created while a function is traced has it traced a second time.
    """
    metrics = getattr(model, "_compile_metrics", None)  # Keras names it nowhere in public
    if metrics is not None and not metrics.built and model.built:
        # A twentieth of a second less than Keras's own way, which is next.
        is_chain = isinstance(model, keras.Sequential)
        output = model.outputs[0] if is_chain else getattr(model, "_outputs_struct", None)
        _, y, _ = keras.utils.unpack_x_y_sample_weight(arrays.nest(arrays.specs))
        if isinstance(y, tf.TensorSpec) and isinstance(output, keras.KerasTensor):
            metrics.build(keras.KerasTensor(y.shape, y.dtype.name), output)
    # A model may be of a kind that only a real step can build. So does the trace then, at the
    # price of a second one; and where something is wrong it says what.
    with suppress(Exception):
        model._symbolic_build(data_batch=arrays.nest([one[:2] for one in arrays.tensors]))


def _find(
    model: keras.Model,
    step: Step,
    kind: str,
    arrays: Arrays,
    batch_size: int,
    *,
    carries_logs: bool,
) -> Program:
    has_full_batches = arrays.num_rows % batch_size == 0
    signature = describe(model)
    key = json.dumps(
        [kind, batch_size, has_full_batches, repr(arrays.structure), repr(arrays.specs), signature]
    )
    if signature is not None and key in _programs:
        _programs.move_to_end(key)
        return _programs[key]
    function = _trace(
        model,
        step,
        arrays,
        batch_size,
        has_full_batches=has_full_batches,
        carries_logs=carries_logs,
    )
    slots = None if signature is None else _find_slots(function, model)
    program = Program(function, slots)
    if slots is not None:
        _programs[key] = program
        if len(_programs) > MAX_PROGRAMS:
            _programs.popitem(last=False)
    return program


def _trace(
    model: keras.Model,
    step: Step,
    arrays: Arrays,
    batch_size: int,
    *,
    has_full_batches: bool,
    carries_logs: bool,
) -> Any:
    """Return the concrete function of a pass."""

    def run_batch(start: tf.Tensor, order: tf.Tensor, tensors: Sequence[tf.Tensor]) -> Any:
        rows = order[start : start + batch_size]
        if has_full_batches:  # which stateful layers ask for
            rows.set_shape([batch_size])
        return step(arrays.nest([tf.gather(tensor, rows) for tensor in tensors]))

    def run_pass(order: tf.Tensor, *tensors: tf.Tensor) -> Any:
        num_rows = tf.shape(order)[0]

        def body(start: tf.Tensor, logs: Any) -> Any:
            new_logs = run_batch(start, order, tensors)
            return start + batch_size, _to_tensors(new_logs) if carries_logs else logs

        # Keras reads the metrics after a pass. Only a step of the user's may return what is
        # no metric; then the first batch shows the shapes of it, at the price of a trace.
        start = tf.constant(0)
        logs: Any = ()
        if carries_logs:
            logs = _to_tensors(run_batch(start, order, tensors))
            start = start + batch_size
        _, logs = tf.while_loop(
            lambda start, _: start < num_rows, body, [start, logs], parallel_iterations=1
        )
        return logs if carries_logs else model.get_metrics_result()

    compiled = tf.function(run_pass, autograph=False)
    return compiled.get_concrete_function(tf.TensorSpec([None], tf.int32), *arrays.specs)


def _to_tensors(logs: Any) -> Any:
    return tf.nest.map_structure(tf.convert_to_tensor, logs)


def describe(model: keras.Model) -> str | None:
    """Return all that a trace depends on but data and variables; None if it cannot be told.

    It can be told for models, layers, losses, metrics and optimizers of Keras itself.
    What users write may depend on anything.
    """
    layers = list(model._flatten_layers())
    if any(hasattr(layer, "adapt") or isinstance(layer, keras.layers.Lambda) for layer in layers):
        return None  # their state is a constant of the trace
    optimizer = model.optimizer
    if hasattr(optimizer, "_exclude_from_weight_decay"):
        return None  # not in its configuration
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of functions that could not be loaded again
            config = keras.saving.serialize_keras_object(model)
        if not _is_of_keras(config):
            return None
        _forget_rates(config)
        return json.dumps(config, sort_keys=True)
    except (TypeError, ValueError, NotImplementedError):
        return None


def _is_of_keras(config: Any) -> bool:
    if isinstance(config, dict):
        module = str(config.get("module") or "keras")
        is_lambda = config.get("class_name") == "__lambda__"
        if is_lambda or config.get("registered_name") or not module.startswith("keras"):
            return False
        return all(map(_is_of_keras, config.values()))
    return not isinstance(config, (list, tuple)) or all(map(_is_of_keras, config))


def _forget_rates(config: Any) -> None:
    """Take out learning rates that are numbers, which an optimizer holds in a variable."""
    if isinstance(config, dict):
        if isinstance(config.get("learning_rate"), float):
            del config["learning_rate"]
        for value in config.values():
            _forget_rates(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            _forget_rates(value)


def _find_slots(function: Any, model: keras.Model) -> list[int] | None:
    places = {id(variable.handle): i for i, variable in enumerate(_list_variables(model))}
    slots = [places.get(id(capture)) for capture in function.captured_inputs]
    return None if None in slots else slots  # type: ignore[return-value]


def _list_variables(model: keras.Model) -> list[tf.Variable]:
    """Return the variables of model, optimizer and metrics, in the same order for equal models."""
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    optimizer = model.optimizer.variables if model.optimizer is not None else []
    return [variable.value for variable in (*model.variables, *optimizer, *metrics)]
