"""The three truth values of SQL: true, false, and None where what is missing leaves it open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Evaluate: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""From values by name to a value; None is what is missing."""


def all_of(parts: Sequence[Evaluate]) -> Evaluate:
    """Return the `and` of three truth values: false if one is, else None if one is."""

    def evaluate(values: Mapping[str, Any]) -> bool | None:
        found = [part(values) for part in parts]
        return False if False in found else None if None in found else True

    return evaluate


def any_of(parts: Sequence[Evaluate]) -> Evaluate:
    """Return the `or` of three truth values: true if one is, else None if one is."""
    return negate(all_of([negate(part) for part in parts]))


def negate(part: Evaluate) -> Evaluate:
    """Return the `not` of a truth value; None stays None."""
    return lambda values: None if (value := part(values)) is None else not value


def strict(arguments: Callable[[Mapping[str, Any]], Sequence[Any]], function: Any) -> Evaluate:
    """Return a function that is missing where an argument or its result is."""

    def evaluate(values: Mapping[str, Any]) -> Any:
        given = arguments(values)
        if any(value is None for value in given):
            return None
        try:
            result = function(*given)
        except ArithmeticError:  # as a division by zero
            return None
        return None if result != result else result

    return evaluate
