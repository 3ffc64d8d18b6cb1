"""Estimators' parameters as a search space, and points of that space as parameters again.

    {"max_depth": [None, 3]}  ──▶  axis of 'None', '3'  ──▶  {"max_depth": None}, ...

TensorBoard knows numbers, strings and bools; a parameter may be anything. A listed value
that has no place among the others in TensorBoard goes by a label there, and the estimator
is given the value itself, of its own type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    Domain,
    HParam,
    IntInterval,
    RealInterval,
)

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import MAX_NUMERIC_DISCRETE, Value
from hparams_lab.declare.rules import MAX_EXACT_INT
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import DeclarationError
from hparams_lab.text import truncate

_MAX_LABEL_LENGTH = 60


class ParameterSpace:
    """What a search may set of an estimator.

    Args:
        declared: a space; its axes or hparams; or a mapping of parameter to a domain or to a
            sequence of values. A mapping is taken in the order of its names, as
            scikit-learn's `ParameterGrid` does.

    Attributes:
        space: of one axis a parameter.

    Raises:
        DeclarationError: if it says something impossible; it names all of that at once.

    Example:
        >>> parameters = ParameterSpace({"max_depth": [None, 3]})
        >>> point = parameters.space.at(0)
        >>> dict(point), parameters.decode(point)
        ({'max_depth': 'None'}, {'max_depth': None})
    """

    def __init__(self, declared: Any) -> None:
        self._listed: dict[str, dict[Value, Any]] = {}
        if isinstance(declared, SearchSpace):
            self.space = declared
        elif isinstance(declared, Mapping):
            self.space = SearchSpace(self._list_axes(declared))
        elif isinstance(declared, Sequence) and not isinstance(declared, str):
            self.space = SearchSpace(declared)
        else:
            raise DeclarationError(
                [
                    "a space must be a dict of parameter to values, or a list of hparams; got "
                    f"{declared!r}. Write {{'alpha': [0.1, 1.0]}}."
                ]
            )

    def decode(self, point: Assignment) -> dict[str, Any]:
        """Return the parameters of a point: those listed as the objects they were."""
        return {name: self._listed.get(name, {}).get(value, value) for name, value in point.items()}

    def _list_axes(self, declared: Mapping[str, Any]) -> list[Axis]:
        axes = []
        problems = []
        for name in sorted(declared, key=str):
            values = declared[name]
            if isinstance(values, Domain):
                axes.append(Axis(HParam(name, values)))
            elif _is_list(values) and len(values) > 0:
                shown = _show(values)
                self._listed[name] = dict(zip(shown, values, strict=True))
                axes.append(Axis(HParam(name, _domain_of(shown)), grid=shown))
            else:
                problems.append(
                    f"parameter {name!r} must have a list of values or a domain; got {values!r}. "
                    "Write [...] or hp.RealInterval(low, high)."
                )
        if problems:
            raise DeclarationError(problems)
        return axes


def _is_list(values: Any) -> bool:
    return isinstance(values, Sequence | np.ndarray) and not isinstance(values, str | bytes)


def _show(values: Sequence[Any]) -> list[Any]:
    """Return what stands for each value in TensorBoard: all of one type, each once."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    types = {type(value) for value in plain}
    shown: list[Any] = []
    if types <= {int, float} and all(map(_is_exact, plain)):
        # -0.0 + 0.0 is 0.0: one zero, one id.
        shown = [float(value) + 0.0 for value in plain] if float in types else plain
    elif types in ({bool}, {str}):
        shown = plain
    return shown if shown and len(set(shown)) == len(shown) else _label(plain)


def _is_exact(number: float) -> bool:
    return math.isfinite(number) and (isinstance(number, float) or abs(number) <= MAX_EXACT_INT)


def _label(values: Sequence[Any]) -> list[str]:
    """Return a name for each value; those that share one are numbered."""
    labels: list[str] = []
    for value in values:
        text = value if isinstance(value, str) else getattr(value, "__name__", None) or repr(value)
        text = truncate(" ".join(text.split()), _MAX_LABEL_LENGTH)
        label, number = text, 1
        while label in labels:
            number += 1
            label = f"{text} ({number})"
        labels.append(label)
    return labels


def _domain_of(shown: Sequence[Any]) -> Domain:
    dtype = type(shown[0])
    if dtype in (bool, str) or len(shown) <= MAX_NUMERIC_DISCRETE:
        return Discrete(shown, dtype=dtype)
    return (IntInterval if dtype is int else RealInterval)(min(shown), max(shown))
