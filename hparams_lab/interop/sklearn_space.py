"""The search space of a scikit-learn search as columns: grids, distributions, what was tried."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.interop.columns import Column, keep_axis, list_values, rename

# scipy.stats.loguniform is reciprocal under another name.
_LOG_DISTRIBUTIONS = ("loguniform", "reciprocal")


def flatten(candidates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the candidates' parameters, those that are dicts throughout taken apart.

    So are the arguments of a Keras model's builder, which are all in one parameter.

    Example:
        >>> flatten([{"model_kwargs": {"units": 8}}, {"model_kwargs": {"units": 16}}])
        [{'model_kwargs__units': 8}, {'model_kwargs__units': 16}]
    """
    nested = _find_nested(candidates)
    return [_take_apart(candidate, nested) for candidate in candidates]


def _find_nested(candidates: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the parameters that are never anything but a dict with words as keys."""
    names = {name for candidate in candidates for name in candidate}
    return {
        name
        for name in names
        if all(_is_nested(candidate[name]) for candidate in candidates if name in candidate)
    }


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(key, str) for key in value)


def _take_apart(candidate: Mapping[str, Any], nested: set[str]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in candidate.items():
        items = {f"{name}__{key}": item for key, item in value.items()} if name in nested else {}
        flat |= items or {name: value}
    return flat


def list_columns(search: Any, candidates: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Return the columns of what was searched, those that every candidate has first.

    Args:
        search: may say what its grids or distributions are.
        candidates: the parameters of each, flat.
    """
    spaces = _list_spaces(search)
    names = dict.fromkeys(name for values in candidates for name in values)
    columns: dict[str, Column] = {}
    for name in sorted(names, key=lambda name: not all(name in values for values in candidates)):
        tried = [values[name] for values in candidates if name in values]
        column = _make_column(name, [space[name] for space in spaces if name in space], tried)
        when = _find_condition(name, columns, spaces)
        columns[name] = replace(column, axis=replace(column.axis, when=when))
    return list(columns.values())


def _list_spaces(search: Any) -> list[Mapping[str, Any]]:
    """Return the grids or distributions that were asked for, flat; empty if there are none."""
    for attribute in ("param_grid", "param_distributions"):
        if given := getattr(search, attribute, None):
            return [
                _flatten_space(each) for each in ([given] if isinstance(given, Mapping) else given)
            ]
    return []


def _flatten_space(space: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grid whose lists of dicts are lists of each of their items."""
    flat: dict[str, Any] = {}
    for name, spec in space.items():
        if hasattr(spec, "rvs") or not all(map(_is_nested, spec)):
            flat[name] = spec
            continue
        for choice in spec:
            for key, item in choice.items():
                flat.setdefault(f"{name}__{key}", []).append(item)
    return flat


def _make_column(name: str, specs: Sequence[Any], tried: Sequence[Any]) -> Column:
    """Return the column of a parameter.

    Args:
        name: of the parameter.
        specs: lists of values and distributions, one for each grid that has it.
        tried: its values.
    """
    distributions = [spec for spec in specs if hasattr(spec, "rvs")]
    if len(specs) == 1 and (axis := _describe_distribution(name, specs[0])):
        return keep_axis(axis, tried)
    listed = [] if distributions else [value for spec in specs for value in spec]
    return list_values(name, [*listed, *tried], is_sampled=bool(distributions))


def _describe_distribution(name: str, spec: Any) -> Axis | None:
    """Return the axis of a frozen distribution of SciPy; None where it has no bounds."""
    if not hasattr(spec, "support"):
        return None
    low, high = (float(bound) for bound in spec.support())
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    kind = spec.dist
    if hasattr(kind, "pmf"):
        return Axis(HParam(rename(name), IntInterval(int(low), int(high))))
    scale = "log" if kind.name in _LOG_DISTRIBUTIONS else "linear"
    return Axis(HParam(rename(name), RealInterval(low, high)), scale=scale)


def _find_condition(
    name: str, earlier: Mapping[str, Column], spaces: Sequence[Mapping[str, Any]]
) -> dict[str, list[Any]] | None:
    """Return the parameter whose values say which of the grids have another; None if none.

    Args:
        name: of the other parameter.
        earlier: columns that it may depend on, by name.
        spaces: the grids.
    """
    having = [space for space in spaces if name in space]
    lacking = [space for space in spaces if name not in space]
    if not having or not lacking:
        return None
    for parent, column in earlier.items():
        values, others = (_list_levels(parent, column, side) for side in (having, lacking))
        if values and others and not {*values} & {*others}:
            return {column.axis.name: values}
    return None


def _list_levels(name: str, column: Column, spaces: Sequence[Mapping[str, Any]]) -> list[Value]:
    """Return the values of a parameter; empty unless each of the grids lists some."""
    specs = [space.get(name, ()) for space in spaces]
    if any(hasattr(spec, "rvs") or not len(spec) for spec in specs):
        return []
    return list(dict.fromkeys(column.encode(value) for spec in specs for value in spec))
