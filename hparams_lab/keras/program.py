"""A pass over data as one compiled program: a loop over batches that calls a Keras step.

`model.fit` and `model.evaluate` enter the program once a batch, or once in
`steps_per_execution`, and feed it by an input pipeline. For a small net both cost several
times what the arithmetic does. Here a pass is one call: the loop is a part of the graph,
and batches are gathered from tensors.

    order ─┐                 ┌───────────── while ─────────────┐
    data ──┴▶ rows of a batch ──▶ model.train_step or test_step ──▶ metrics

A program is bound to the variables that it reads and writes, not to a model: another
model with equal configuration lends it its own, so that only what differs in kind is
traced again. A trace depends on data types, variables and all that Python knows of a model:
its configuration, and what Keras leaves out of that. For what is Keras's own that can be
compared; what users write may depend on anything.
"""

from __future__ import annotations

import json
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context  # no public name for the executor's type

from hparams_lab.keras import keras_internals
from hparams_lab.keras.arrays import Arrays

# Each holds the graph and the variables of the model that it was traced with.
MAX_PROGRAMS = 16
_programs: OrderedDict[str, Program] = OrderedDict()


@dataclass(frozen=True)
class Program:
    """A compiled pass over data, which begins with blank metrics."""

    function: Any  # takes the order of the rows, the batch size, then the tensors
    # for each variable it captured, its place among those of the model; None if it captured
    # anything else, so that it can run on its own variables only
    slots: Sequence[int] | None
    # whether the model has parts of Keras alone; then the function blanks the metrics, and may
    # be run the lean way
    is_plain: bool
    is_small: bool  # whether its ops are best run one after the other

    def run(
        self, model: keras.Model, order: tf.Tensor, batch_size: int, arrays: Arrays
    ) -> dict[str, Any]:
        """Pass over rows in an order, with the variables of a model, and return the logs.

        Args:
            model: which the program was found for.
            order: `[num_rows]`, int32: the rows in the order of the pass.
            batch_size: rows in a batch.
            arrays: what is passed over.
        """
        inputs = [order, tf.constant(batch_size), *arrays.tensors]
        if not self.is_plain:
            model.reset_metrics()
            return _to_numbers(keras_internals.collect_metrics(model, self.function(*inputs)))
        with _lean(in_one_thread=self.is_small):
            if self.slots is None:
                return _to_numbers(self.function(*inputs))
            handles = [variable.value.handle for variable in list_variables(model)]
            captures = [handles[slot] for slot in self.slots]
            return _to_numbers(keras_internals.call_flat(self.function, inputs, captures))


def find_train_program(model: keras.Model, arrays: Arrays, batch_size: int) -> Program:
    """Return a program that trains a compiled model in batches.

    Args:
        model: compiled; built here if it is not.
        arrays: like those it will be run on, but for the number of rows.
        batch_size: rows in a batch; the last may have fewer.
    """
    return _find(model, "train_step", arrays, batch_size)


def find_test_program(model: keras.Model, arrays: Arrays, batch_size: int) -> Program:
    """Return a program that judges a compiled model in batches; otherwise as for training."""
    return _find(model, "test_step", arrays, batch_size)


def clear() -> None:
    """Forget all programs, as a new process would have none."""
    _programs.clear()


@contextmanager
def _lean(*, in_one_thread: bool) -> Iterator[None]:
    """Do not optimize the graphs of functions, and run their ops one after the other if asked.

    A step of a small net is some two hundred ops of a microsecond: handing them to other
    threads doubles its time, and optimizing the graph costs as much as tracing it.
    """
    options = tf.config.optimizer.get_experimental_options()
    kept = options.get("disable_meta_optimizer", False)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    one = context.function_executor_type("SINGLE_THREADED_EXECUTOR")
    try:
        with one if in_one_thread else nullcontext():
            yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": kept})


def _is_small(model: keras.Model) -> bool:
    """Return whether layers hand on vectors alone; convolutions gain by running side by side."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    try:
        return all(len(layer.output.shape) <= 2 for layer in layers)
    except AttributeError:  # not called yet, called more than once, or of several outputs
        return False


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
            # Others may make variables when they first see a batch.
            metrics.built = all(
                isinstance(metric, keras.metrics.Mean) for metric in metrics.metrics
            )
    # A model may be of a kind that only a real step can build. So does the trace then, at the
    # price of a second one; and where something is wrong it says what.
    with suppress(Exception):
        keras_internals.build_from_batch(model, arrays.nest([one[:2] for one in arrays.tensors]))


def _find(model: keras.Model, step_name: str, arrays: Arrays, batch_size: int) -> Program:
    build(model, arrays)
    signature = describe_program(model)
    static_size = None
    if arrays.num_rows % batch_size == 0 and (signature is None or _is_static(model)):
        static_size = batch_size
    key = json.dumps(
        [step_name, static_size, repr(arrays.structure), repr(arrays.specs), signature]
    )
    if signature is not None and key in _programs:
        _programs.move_to_end(key)
        return _programs[key]
    is_plain = signature is not None
    is_small = _is_small(model)
    with _lean(in_one_thread=is_small) if is_plain else nullcontext():
        function = _trace(model, step_name, arrays, static_size, blanks_metrics=is_plain)
    slots = _find_slots(function, model) if is_plain else None
    program = Program(function, slots, is_plain, is_small)
    if slots is not None and signature == describe_program(
        model
    ):  # else the trace has made variables
        _programs[key] = program
        if len(_programs) > MAX_PROGRAMS:
            _programs.popitem(last=False)
    return program


def _is_static(model: keras.Model) -> bool:
    """Return whether a model asks for batches of one size, as stateful layers do."""
    return any(one.shape[0] is not None for one in getattr(model, "inputs", None) or ())


def _trace(
    model: keras.Model,
    step_name: str,
    arrays: Arrays,
    static_size: int | None,
    *,
    blanks_metrics: bool,
) -> Any:
    """Return the concrete function of a pass."""
    step = getattr(model, step_name)
    if model.jit_compile:
        step = tf.function(step, jit_compile=True, reduce_retracing=True)
    # Keras reads the metrics after a pass. Only a step of the user's may return what is no
    # metric; then the first batch shows the shapes of it, at the price of a second trace.
    carries_logs = is_customised(model, step_name, "compute_metrics")

    def run_pass(order: tf.Tensor, batch_size: tf.Tensor, *tensors: tf.Tensor) -> Any:
        num_rows = tf.shape(order)[0]
        if blanks_metrics:
            model.reset_metrics()

        def run_batch(start: tf.Tensor) -> Any:
            rows = order[start : start + batch_size]
            rows.set_shape([static_size])
            logs = step(arrays.nest([tf.gather(tensor, rows) for tensor in tensors]))
            return tf.nest.map_structure(tf.convert_to_tensor, logs) if carries_logs else ()

        start = tf.constant(0)
        logs: Any = ()
        if carries_logs:
            logs = run_batch(start)
            start = start + batch_size
        _, logs = tf.while_loop(
            lambda start, _: start < num_rows,
            lambda start, _: (start + batch_size, run_batch(start)),
            [start, logs],
            parallel_iterations=1,
        )
        return logs if carries_logs else model.get_metrics_result()

    rows, size = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)
    compiled = tf.function(run_pass, autograph=False)
    return compiled.get_concrete_function(rows, size, *arrays.specs)


def _to_numbers(logs: Any) -> dict[str, Any]:
    """Return logs as Keras hands them to callbacks: flat, sorted, no tensors."""
    numbers: dict[str, Any] = {}
    for name, value in sorted(logs.items()):
        if isinstance(value, dict):
            numbers |= _to_numbers(value)
        else:
            array = np.asarray(value)
            numbers[name] = float(array) if array.ndim == 0 else array
    return numbers


def _find_slots(function: Any, model: keras.Model) -> list[int] | None:
    places = {id(variable.value.handle): i for i, variable in enumerate(list_variables(model))}
    slots = [places.get(id(capture)) for capture in function.captured_inputs]
    return None if None in slots else slots  # type: ignore[return-value]


_PLAIN = (bool, int, float, str, type(None))


def describe_program(model: keras.Model) -> str | None:
    """Return all that a trace depends on but data and the values of variables.

    Args:
        model: compiled and built.

    Returns:
        Text that is equal for models with equal traces; None if that is not known.
    """
    layers = keras_internals.list_layers(model)
    if any(hasattr(layer, "adapt") or isinstance(layer, keras.layers.Lambda) for layer in layers):
        return None  # their state is a constant of the trace
    if hasattr(model.optimizer, "_exclude_from_weight_decay"):
        return None  # refers to variables by patterns and ids
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of functions that could not be loaded again
            # The optimizer may have been set since the model was compiled.
            configs = [keras.saving.serialize_keras_object(it) for it in (model, model.optimizer)]
            variables = [_describe_variable(variable) for variable in list_variables(model)]
        if not _is_of_keras(configs):
            return None
        _forget_rates(configs)
        parts = [_list_plain(vars(part)) for part in (*layers, *_list_measures(model))]
        return json.dumps([configs, variables, parts], sort_keys=True)
    except (TypeError, ValueError, NotImplementedError):
        return None


def list_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the variables of model, optimizer and metrics, in the same order for equal models."""
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    optimizer = model.optimizer.variables if model.optimizer is not None else []
    return [*model.variables, *optimizer, *metrics]


def _describe_variable(variable: keras.Variable) -> list[Any]:
    """Return what a step may ask of a variable but its value."""
    rules = [getattr(variable, name, None) for name in ("regularizer", "constraint")]
    shape = [None if size is None else int(size) for size in variable.shape]
    return [shape, str(variable.dtype), bool(variable.trainable), *map(_serialize, rules)]


def _serialize(rule: Any) -> Any:
    return None if rule is None else keras.saving.serialize_keras_object(rule)


def _list_measures(model: keras.Model) -> Iterator[Any]:
    """Yield the losses and metrics of a model that are objects, some of which hide arguments."""
    yield from (loss for loss in keras.tree.flatten(model.loss) if hasattr(loss, "__dict__"))
    for metric in model.metrics:
        yield from getattr(metric, "metrics", [metric])


def _list_plain(attributes: Any) -> Any:
    """Return what of an object's attributes is numbers and text, nested or not."""
    if isinstance(attributes, _PLAIN):
        return attributes
    if isinstance(attributes, dict):
        return {
            str(name): _list_plain(value)
            for name, value in attributes.items()
            if isinstance(value, (*_PLAIN, dict, list, tuple))
        }
    if isinstance(attributes, (list, tuple)):
        return [_list_plain(value) for value in attributes]
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
