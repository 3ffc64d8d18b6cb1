"""How one search space differs from another, axis by axis, in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hparams_lab.analysis.changes.change import Change, Topic
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError

_MAX_SHOWN = 8
# Of a longer list the ends stand for the rest.
_MAX_COMPARED = 1000


def compare_spaces(before: SearchSpace, after: SearchSpace) -> list[Change]:
    """Return the axes that differ, in the order of the later space, removed ones last.

    Display names and descriptions do not count, nor does the order of the axes.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> old = SearchSpace([HParam("units", Discrete([8, 16]))])
        >>> new = SearchSpace([HParam("units", Discrete([8, 16, 32]))])
        >>> [str(change) for change in compare_spaces(old, new)]
        ['units: 8, 16 -> 8, 16, 32 (wider)']
    """
    return [*_compare(before, after)]


def describe_axis(axis: Axis) -> str:
    """Return which values an axis takes, and how: `[0.001, 0.1], log scale, 3 grid points`.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import HParam, RealInterval
        >>> describe_axis(Axis(HParam("rate", RealInterval(0.1, 0.5)), grid_points=3))
        '[0.1, 0.5], 3 grid points'
    """
    if axis.is_listed:
        text = _list_values(axis)
    else:
        text = f"[{_say(axis.domain.min_value)}, {_say(axis.domain.max_value)}]"
        text += ", log scale" if axis.scale == "log" else ""
        text += f", {axis.grid_points} grid points" if axis.grid_points is not None else ""
    conditions = [
        f"{parent} is {' or '.join(map(_say, values))}"
        for parent, values in axis.conditions.items()
    ]
    return text + (f" when {' and '.join(conditions)}" if conditions else "")


def _compare(before: SearchSpace, after: SearchSpace) -> Iterator[Change]:
    earlier = {axis.name: axis for axis in before}
    for axis in after:
        was = earlier.pop(axis.name, None)
        if was is None:
            yield Change(Topic.SPACE, axis.name, None, describe_axis(axis))
            continue
        kind = _classify(was, axis)
        texts = [describe_axis(was), describe_axis(axis)]
        types = [each.domain.dtype.__name__ for each in (was, axis)]
        if texts[0] == texts[1] and types[0] != types[1]:
            texts = [f"{text} as {type_}" for text, type_ in zip(texts, types, strict=True)]
        if texts[0] != texts[1] or kind:
            yield Change(Topic.SPACE, axis.name, texts[0], texts[1], note=kind)
    for axis in earlier.values():
        yield Change(Topic.SPACE, axis.name, describe_axis(axis), None)


def _classify(before: Axis, after: Axis) -> str:
    keeps_all, has_nothing_new = _holds(after, before), _holds(before, after)
    if keeps_all:
        return "" if has_nothing_new else "wider"
    return "narrower" if has_nothing_new else "other values"


def _holds(outer: Axis, inner: Axis) -> bool:
    """Return whether one axis allows every value of the other."""
    if inner.is_listed:
        ends = itertools.islice(inner.levels, _MAX_COMPARED)
        return all(_allows(outer, value) for value in (*ends, inner.levels[-1]))
    return not outer.is_listed and all(
        _allows(outer, bound) for bound in (inner.domain.min_value, inner.domain.max_value)
    )


def _allows(axis: Axis, value: Value) -> bool:
    try:
        axis.cast(value)
    except AssignmentError:
        return False
    return True


def _list_values(axis: Axis) -> str:
    count = len(axis.levels)
    if count <= _MAX_SHOWN:
        return ", ".join(map(_say, axis.levels))
    shown = ", ".join(map(_say, axis.levels[: _MAX_SHOWN - 2]))
    return f"{shown}, ... {_say(axis.levels[-1])} ({count} values)"


def _say(value: Value) -> str:
    """Return a value as it is told apart in a list: quoted where it is not one bare word."""
    is_bare = not isinstance(value, str) or (value.isprintable() and value.split() == [value])
    return format_value(value) if is_bare and "," not in str(value) else repr(value)
