"""Parameters of other tools as axes of ours: domains that obey our rules, readable values.

TensorBoard knows numbers, strings and bools, one of them a column. Other tools try None,
estimators, tuples and mixtures as well: such columns become text.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    Domain,
    HParam,
    IntInterval,
    RealInterval,
)

from hparams_lab.declare import domains
from hparams_lab.declare.axis import MAX_LISTED, Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.rules import MAX_EXACT_INT, RESERVED_NAMES, find_space_problems
from hparams_lab.errors import AssignmentError

_MAX_CHARS = 80
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class HParamColumn:
    """A parameter's axis, and its values as the axis has them."""

    axis: Axis  # obeys the rules of a declaration
    # texts that stand for values that are no strings, so that a string that reads the same is
    # written in quotes
    quoted: frozenset[str] = frozenset()

    def encode(self, value: Any) -> Value:
        """Return a value that the column was made with as the axis has it.

        Raises:
            AssignmentError: if it is none of the axis's.
        """
        plain = simplify(value)
        if self.axis.domain.dtype is not str:
            return self.axis.cast(plain)
        text = domains.format_value(plain)
        return repr(text) if isinstance(value, str) and text in self.quoted else text


def rename_columns(name: str) -> str:
    """Return a parameter's name, with `_` behind one that every run carries by itself.

    Example:
        >>> rename_columns("clf__C"), rename_columns("day")
        ('clf__C', 'day_')
    """
    return f"{name}_" if name in RESERVED_NAMES else name


def list_values(name: str, values: Iterable[Any], *, is_sampled: bool = False) -> HParamColumn:
    """Return the column of a parameter of which only values are known.

    Numbers, of which there are ten or more or which are sampled, get the interval that
    they span. Numbers beside anything else, bools beside numbers and all that is neither
    number, bool nor string become text.

    Args:
        name: of the parameter.
        values: at least one, in any order, also twice.
        is_sampled: whether they were drawn from a distribution, so that there could be
            others between them.

    Example:
        >>> column = list_values("max_depth", [3, None])
        >>> column.axis.levels, column.encode(None)
        (('3', 'None'), 'None')
        >>> list_values("C", [0.1, 1, 10]).axis.levels
        (0.1, 1.0, 10.0)
    """
    values = list(values)
    plain = [simplify(value) for value in values]
    kinds = {type(value) for value in plain}
    hparam = rename_columns(name)
    if kinds <= {int, float}:
        return HParamColumn(_list_numbers(hparam, plain, kinds, is_sampled=is_sampled))
    if kinds == {bool}:
        return HParamColumn(Axis(HParam(hparam, Discrete(dict.fromkeys(plain), dtype=bool))))
    pairs = list(zip(values, plain, strict=True))
    quoted = frozenset(domains.format_value(p) for v, p in pairs if not isinstance(v, str))
    # Its encode knows what is quoted, whatever the domain.
    draft = HParamColumn(Axis(HParam(hparam, Discrete([""], dtype=str))), quoted)
    texts = dict.fromkeys(draft.encode(value) for value in values)
    return HParamColumn(Axis(HParam(hparam, Discrete(texts, dtype=str))), quoted)


def keep_axis(axis: Axis, values: Iterable[Any]) -> HParamColumn:
    """Return the column of a parameter whose axis is known, if that holds all its values.

    If it does not, or breaks our rules, the values alone make the column.

    Args:
        axis: as the other tool declares it.
        values: that were tried.
    """
    values = list(values)
    column = HParamColumn(axis)
    if not find_space_problems([axis]):
        try:
            for value in values:
                column.encode(value)
            return column
        except AssignmentError:
            pass
    return list_values(axis.name, values, is_sampled=not isinstance(axis.domain, Discrete))


def simplify(value: Any) -> Value:
    """Return a value as what TensorBoard can hold, as text if it must be.

    The text is the same in every process: it names no addresses.

    Example:
        >>> simplify(np.int64(3)), simplify(None), simplify((8, 16)), simplify(float("nan"))
        (3, 'None', '(8, 16)', 'nan')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value) if abs(value) <= MAX_EXACT_INT else str(value)
    if isinstance(value, float):
        return float(value) + 0.0 if math.isfinite(value) else str(value)
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    return _shorten(_ADDRESS.sub("", " ".join(repr(value).split())))


def _list_numbers(name: str, plain: list[Any], kinds: set[type], *, is_sampled: bool) -> Axis:
    dtype: type = int if kinds == {int} else float
    numbers = sorted({dtype(value) for value in plain})
    if len(numbers) <= domains.MAX_NUMERIC_DISCRETE and not is_sampled:
        return Axis(HParam(name, Discrete(numbers, dtype=dtype)))
    interval: Domain = (IntInterval if dtype is int else RealInterval)(numbers[0], numbers[-1])
    is_listed = not is_sampled and len(numbers) <= MAX_LISTED
    return Axis(HParam(name, interval), grid=numbers if is_listed else None)


def _shorten(text: str) -> str:
    if len(text) <= _MAX_CHARS:
        return text
    # Two that differ only in what was cut off stay different.
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: _MAX_CHARS - 10]}… {digest}"
