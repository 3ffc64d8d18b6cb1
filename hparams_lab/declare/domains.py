"""What a TensorBoard domain allows: membership, the canonical cast, text and JSON forms.

The classes are TensorBoard's own (`hp.Discrete`, `hp.IntInterval`,
`hp.RealInterval`). Nothing here knows of grids or scales: those belong to `axis`.

`summary_v2` holds the classes of `tensorboard.plugins.hparams.api` without
importing TensorFlow (0.1 s instead of 2.6 s).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import Discrete, Domain, IntInterval, RealInterval

from hparams_lab.errors import AssignmentError

Value: TypeAlias = bool | int | float | str
"""A hyperparameter value: what TensorBoard's `SessionStartInfo` can hold."""

# tf-hparams-query-pane.ts: from ten values on, a discrete filter is a regular
# expression box, and the backend answers HTTP 400 to a regular expression on numbers.
MAX_NUMERIC_DISCRETE = 9


def cast(domain: Domain, value: Any) -> Value:
    """Return `value` as the domain's Python type, whatever equal type it came in.

    TensorBoard gives back 3 as 3.0 and NumPy gives `np.int64(3)`: all become 3 in an
    integer domain and 3.0 in a real one, so that equal values have equal ids.

    Raises:
        AssignmentError: if the value is of another type or outside the domain.

    Example:
        >>> cast(IntInterval(1, 8), 3.0), cast(RealInterval(0.0, 8.0), np.int64(3))
        (3, 3.0)
    """
    if isinstance(value, np.generic):
        value = value.item()
    typed = as_type(domain.dtype, value)
    if typed is None or not _is_member(domain, typed):
        raise AssignmentError(f"must be {describe_domain(domain)}; got {value!r}")
    return typed


def as_type(dtype: type, value: Any) -> Value | None:
    """Return an equal value of a domain's type, None if there is none."""
    if isinstance(value, bool) or dtype is bool:
        return value if isinstance(value, bool) and dtype is bool else None
    if dtype is str:
        return value if isinstance(value, str) else None
    if not isinstance(value, int | float) or not _is_finite(value):
        return None
    if dtype is int:
        return int(value) if value == int(value) else None
    return float(value) + 0.0  # -0.0 + 0.0 is 0.0: one zero, one id


def _is_finite(number: int | float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond all floats
        return False


def _is_member(domain: Domain, value: Value) -> bool:
    if isinstance(domain, Discrete):
        return value in domain.values
    return bool(domain.min_value <= value <= domain.max_value)


def parse(domain: Domain, text: str) -> Value:
    """Return the domain's value that `text` spells.

    Raises:
        AssignmentError: if it spells none.

    Example:
        >>> parse(Discrete([False, True]), "true"), parse(IntInterval(1, 8), "3")
        (True, 3)
    """
    spelled: Any = text
    if domain.dtype is bool:
        spelled = {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    elif domain.dtype in (int, float):
        try:
            spelled = int(text) if domain.dtype is int else float(text)
        except ValueError:
            raise AssignmentError(f"must be {describe_domain(domain)}; got {text!r}") from None
    return cast(domain, spelled)


def describe_domain(domain: Domain) -> str:
    """Return what the domain allows, in words: `an integer in [1, 8]`."""
    if isinstance(domain, Discrete):
        values = list(domain.values)
        shown = ", ".join(format_value(value) for value in values)
        return f"one of {shown}" if len(values) > 1 else f"{shown}, the only value"
    noun = "an integer" if domain.dtype is int else "a number"
    bounds = f"[{format_value(domain.min_value)}, {format_value(domain.max_value)}]"
    return f"{noun} in {bounds}"


def format_value(value: Value) -> str:
    """Return a value as people write it: no quotes round strings, `0.001`, `True`."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, str) else repr(value)


def encode_json(domain: Domain) -> dict[str, Any]:
    """Return the domain as JSON data, the inverse of `decode_json`."""
    if isinstance(domain, Discrete):
        return {"discrete": list(domain.values), "type": domain.dtype.__name__}
    kind = "int_interval" if domain.dtype is int else "real_interval"
    return {kind: [domain.min_value, domain.max_value]}


def decode_json(data: dict[str, Any]) -> Domain:
    """Return the domain that `encode_json` wrote."""
    if "discrete" in data:
        dtype = {"bool": bool, "int": int, "float": float, "str": str}[data["type"]]
        return Discrete([dtype(value) for value in data["discrete"]], dtype=dtype)
    if "int_interval" in data:
        return IntInterval(*data["int_interval"])
    return RealInterval(*(float(bound) for bound in data["real_interval"]))


def is_compatible(one: Domain, other: Domain) -> bool:
    """Return whether both domains fit one dashboard column: numbers, strings or bools."""
    return _column_type(one) == _column_type(other)


def _column_type(domain: Domain) -> type:
    return float if domain.dtype in (int, float) else domain.dtype


def merge(domains: Sequence[Domain]) -> Domain:
    """Return the smallest domain that holds all of the (compatible, non-empty) domains.

    Discrete domains merge into a discrete one; numbers that are ten or more, or that
    meet an interval, become the interval that spans them.
    """
    first = domains[0]
    if all(isinstance(domain, Discrete) for domain in domains):
        values = {value for domain in domains for value in domain.values}
        if _column_type(first) is not float or len(values) <= MAX_NUMERIC_DISCRETE:
            dtype = _merged_dtype(domains)
            return Discrete(dict.fromkeys(dtype(value) for value in values), dtype=dtype)
    low = min(_bounds(domain)[0] for domain in domains)
    high = max(_bounds(domain)[1] for domain in domains)
    if _merged_dtype(domains) is int:
        return IntInterval(low, high)
    return RealInterval(float(low), float(high))


def _merged_dtype(domains: Sequence[Domain]) -> type:
    dtypes = {domain.dtype for domain in domains}
    return float if dtypes == {int, float} else next(iter(dtypes))


def _bounds(domain: Domain) -> tuple[Any, Any]:
    if isinstance(domain, Discrete):
        return min(domain.values), max(domain.values)
    return domain.min_value, domain.max_value
