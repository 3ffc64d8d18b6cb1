"""The types of other tools' hyperparameters, which event files keep but in part.

TensorBoard stores every number as a double, and no experiment tag says which were
integers. So a column is of integers where all its values, and all that experiment tags
declare of it, are whole numbers: `3.0` is 3 then, an equal value, only printed better.
PyTorch's `add_hparams` makes a number of a bool, too: where the config says bool, 0 and 1
become False and True again.

A number that is not finite becomes the text that prints it, as NaN equals nothing, not even
itself, and could tell no points apart. A column of several types keeps each value's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import struct_pb2
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    Domain,
    HParam,
    IntInterval,
    RealInterval,
)

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.rules import MAX_EXACT_INT, RESERVED_NAMES
from hparams_lab.declare.space import SearchSpace

_BOOL_OF_NUMBER = {0.0: False, 1.0: True}


def type_values(
    runs: Sequence[Mapping[str, Value]], configs: Sequence[api_pb2.Experiment | None]
) -> tuple[list[dict[str, Value]], SearchSpace]:
    """Return the values of each run, and a space whose domains give them their types.

    The space is no more than that: its bounds are those of the values.

    Args:
        runs: `[num_runs]` values by name, as the session starts have them.
        configs: `[num_runs]` the experiment tag nearest to each; None without one.
    """
    infos = [_index(config) for config in configs]
    typed = [
        {_rename(name): _simplify(value, own.get(name)) for name, value in values.items()}
        for values, own in zip(runs, infos, strict=True)
    ]
    # A session start has its values in any order: that of an experiment tag, else the alphabet's.
    declared = dict.fromkeys(name for own in infos for name in own)
    found = sorted({name for values in runs for name in values} - {*declared})
    columns = {
        name: [values[_rename(name)] for values in typed if _rename(name) in values]
        for name in (*declared, *found)
    }
    axes = [
        Axis(HParam(_rename(name), _domain_of(column, [*_list_declared(infos, name)])))
        for name, column in columns.items()
        if column
    ]
    # By way of JSON, as only that is not held to the rules of a declaration.
    return typed, SearchSpace.decode_json([axis.encode_json() for axis in axes])


def _index(config: api_pb2.Experiment | None) -> dict[str, api_pb2.HParamInfo]:
    return {} if config is None else {info.name: info for info in config.hparam_infos}


def _rename(name: str) -> str:
    """Return a name, with `_` behind one that every run of ours carries by itself."""
    return f"{name}_" if name in RESERVED_NAMES else name


def _simplify(value: Any, info: api_pb2.HParamInfo | None) -> Value:
    if isinstance(value, float):
        if info is not None and info.type == api_pb2.DATA_TYPE_BOOL:
            return _BOOL_OF_NUMBER.get(value, value)
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool) else str(value)


def _list_declared(infos: Iterable[Mapping[str, api_pb2.HParamInfo]], name: str) -> Iterable[float]:
    """Yield the numbers that experiment tags say of an hparam: its values, or their bounds."""
    for info in {id(own[name]): own[name] for own in infos if name in own}.values():
        yield from _numbers_of(info.domain_discrete)
        if info.HasField("domain_interval"):
            yield from (info.domain_interval.min_value, info.domain_interval.max_value)


def _numbers_of(values: struct_pb2.ListValue) -> Iterable[float]:
    return (
        value.number_value for value in values.values if value.WhichOneof("kind") == "number_value"
    )


def _domain_of(values: Sequence[Value], declared: Iterable[float]) -> Domain:
    """Return a domain of the values' type; of strings where they have several."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return Discrete([False, True])
    if kinds == {float}:
        numbers = [float(value) for value in values]
        low, high = min(numbers), max(numbers)
        is_whole = all(number.is_integer() for number in (*numbers, *declared))
        if is_whole and max(-low, high) <= MAX_EXACT_INT:
            return IntInterval(int(low), int(high))
        return RealInterval(low, high)
    return Discrete(sorted({str(value) for value in values}), dtype=str)
