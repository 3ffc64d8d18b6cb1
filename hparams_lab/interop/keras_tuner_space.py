"""The search space of a Keras Tuner project as columns: what it declares, and what was tried.

A hyperparameter may stand in the space several times, each time under other conditions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Domain, HParam, IntInterval, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.interop.columns import Column, keep_axis, list_values, rename

Entry = Mapping[str, Any]
"""A hyperparameter of a space, decoded: its class's name and its config."""


def drop_inactive(space: Sequence[Entry], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the hyperparameters whose conditions hold, and of unknown ones."""
    entries = _group(space)
    return {
        name: value
        for name, value in values.items()
        if name not in entries or any(_is_active(entry, values) for entry in entries[name])
    }


def list_columns(space: Sequence[Entry], tried: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Return the columns of the hyperparameters that trials have, in the space's order.

    Args:
        space: of the project.
        tried: the values of each trial.
    """
    entries = _group(space)
    in_values = dict.fromkeys(name for values in tried for name in values)
    columns: dict[str, Column] = {}
    # What is not in the space is the tuner's own.
    for name in dict.fromkeys([*(name for name in entries if name in in_values), *in_values]):
        values = [given[name] for given in tried if name in given]
        own = entries.get(name, [])
        column = _make_column(name, own, values)
        axis = replace(column.axis, when=_find_condition(own, columns))
        columns[name] = replace(column, axis=axis)
    return list(columns.values())


def _group(space: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return the entries of a space by name: one may stand under several conditions."""
    entries: dict[str, list[Entry]] = {}
    for entry in space:
        entries.setdefault(entry["config"]["name"], []).append(entry)
    return entries


def _is_active(entry: Entry, values: Mapping[str, Any]) -> bool:
    return all(values.get(parent) in wanted for parent, wanted in _list_conditions(entry))


def _list_conditions(entry: Entry) -> Iterator[tuple[str, list[Any]]]:
    """Yield the parents of an entry and the values that they must have."""
    for condition in entry["config"].get("conditions") or ():
        yield condition["config"]["name"], condition["config"]["values"]


def _make_column(name: str, entries: Sequence[Entry], tried: Sequence[Any]) -> Column:
    """Return the column of a hyperparameter.

    Args:
        name: of the hyperparameter.
        entries: of the space, that have it.
        tried: its values.
    """
    axes = [axis for entry in entries if (axis := _describe_numbers(entry))]
    if axes and all(axis.encode_json() == axes[0].encode_json() for axis in axes):
        return keep_axis(axes[0], tried)
    listed = [value for entry in entries for value in _list_choices(entry)]
    return list_values(name, [*listed, *tried], is_sampled=bool(axes))


def _describe_numbers(entry: Entry) -> Axis | None:
    """Return the axis of an entry that is an interval; None of one that is none."""
    kind, config = entry["class_name"], entry["config"]
    if kind not in ("Int", "Float"):
        return None
    low, high = config["min_value"], config["max_value"]
    domain: Domain = (
        IntInterval(low, high) if kind == "Int" else RealInterval(float(low), float(high))
    )
    hparam = HParam(rename(config["name"]), domain)
    if config.get("sampling") == "log":  # whose step is a factor
        return Axis(hparam, scale="log")
    step = config.get("step")
    return Axis(hparam, step=None if kind == "Int" and step == 1 else step)


def _list_choices(entry: Entry) -> list[Any]:
    """Return the values of an entry that lists them."""
    kind, config = entry["class_name"], entry["config"]
    if kind == "Boolean":
        return [False, True]
    return [config["value"]] if kind == "Fixed" else list(config.get("values") or ())


def _find_condition(
    entries: Sequence[Entry], earlier: Mapping[str, Column]
) -> dict[str, list[Value]] | None:
    """Return when a hyperparameter exists; None if always, or if one condition cannot tell."""
    wanted = [dict(_list_conditions(entry)) for entry in entries]
    parents = {name for each in wanted for name in each}
    if not parents <= {*earlier} or any({*each} != parents for each in wanted):
        return None
    if len(wanted) > 1 and len(parents) > 1:
        return None
    return {
        earlier[name].axis.name: list(
            dict.fromkeys(earlier[name].encode(value) for each in wanted for value in each[name])
        )
        for name in parents
    } or None
