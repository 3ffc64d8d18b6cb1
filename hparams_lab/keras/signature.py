"""Whether two models would be traced to the same program.

A trace depends on data types, on variables, and on everything that Python knows of a
model: its configuration, and what Keras leaves out of that. It can be told for layers,
losses, metrics and optimizers of Keras itself; what users write may depend on anything.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import keras

_PLAIN = (bool, int, float, str, type(None))


def describe(model: keras.Model) -> str | None:
    """Return all that a trace depends on but data and the values of variables.

    Args:
        model: compiled and built.

    Returns:
        Text that is equal for models with equal traces; None if it cannot be told.
    """
    layers = list(model._flatten_layers())
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
