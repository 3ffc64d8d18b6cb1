"""Making a space wider, so that every point a search had come to is still one of its points.

Only a point that was tried by name between the levels of a search that walks along them
may not be one any more.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tensorboard.plugins.hparams.summary_v2 import Discrete, Domain, HParam

from hparams_lab.declare import domains
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError, UsageError


def widen(space: SearchSpace, other: SearchSpace, *, walks_levels: bool) -> SearchSpace:
    """Return the space with what the other one allows beyond it.

    Args:
        space: whose points stay.
        other: of the same hparams.
        walks_levels: whether the search goes along the levels of the axes: then a new level
            is new, else only a new bound or value.

    Raises:
        DeclarationError: if the wider space breaks rules.
        UsageError: if the other one has other hparams or conditions.
    """
    for problem in (
        [name for name in _names(space) if name not in _names(other)],
        [name for name in _names(other) if name not in _names(space)],
        [a.name for a in space if a.name in _names(other) and other[a.name].when != a.when],
    ):
        if problem:
            raise UsageError(
                "a sweep can only go on with the hparams and conditions it began with; got a "
                f"change of {', '.join(problem)}. Begin another sweep with run, and --reuse."
            )
    return SearchSpace.of_changed_axes(
        _name_as(other[axis.name], _widen_axis(axis, other[axis.name], walks_levels))
        for axis in space
    )


def extend(
    space: SearchSpace, values: Mapping[str, Sequence[str]], *, walks_levels: bool
) -> SearchSpace:
    """Return the space with more values on some axes.

    Args:
        space: whose points stay.
        values: axis name to values as text, which need not be in its domain.
        walks_levels: as for `widen`.

    Raises:
        AssignmentError: if an axis is unknown, or a value of another type.
        DeclarationError: if the wider space breaks rules.
    """
    wider = {axis.name: axis for axis in space}
    for name, texts in values.items():
        axis = space[name]
        wider[name] = _add_values(axis, [_parse(axis, text) for text in texts], walks_levels)
    return SearchSpace.of_changed_axes(wider.values())


def _names(space: SearchSpace) -> list[str]:
    return [axis.name for axis in space]


def _widen_axis(axis: Axis, other: Axis, walks_levels: bool) -> Axis:
    if axis.domain.dtype is not other.domain.dtype:
        raise UsageError(
            f"hparam {axis.name!r} must keep its type while a sweep goes on; it is "
            f"{domains.describe_domain(other.domain)} and was "
            f"{domains.describe_domain(axis.domain)}. Begin another sweep with run."
        )
    domain = domains.merge([axis.domain, other.domain])
    if walks_levels or (axis.is_listed and other.is_listed):
        return _add_levels(axis, other.levels, domain)
    if not axis.is_listed and domains.encode_json(domain) == domains.encode_json(axis.domain):
        return axis
    # Between the bounds of an interval everything is legal, what was listed too.
    unlisted = axis if not axis.is_listed else other
    return replace(unlisted, hparam=_over(axis, domain))


def _add_values(axis: Axis, values: Sequence[Value], walks_levels: bool) -> Axis:
    domain = domains.merge([axis.domain, Discrete(values, dtype=axis.domain.dtype)])
    if walks_levels or axis.is_listed:
        return _add_levels(axis, values, domain)
    return replace(axis, hparam=_over(axis, domain))


def _add_levels(axis: Axis, levels: Sequence[Value], domain: Domain) -> Axis:
    """Return the axis with more levels behind its own, as the only ones it takes."""
    new = list(dict.fromkeys(level for level in levels if level not in axis.levels))
    if not new:
        return axis
    hparam = _over(axis, domain)
    if isinstance(domain, Discrete) and axis.grid is None:
        return replace(axis, hparam=hparam)
    return replace(axis, hparam=hparam, grid=(*axis.levels, *new), grid_points=None, step=None)


def _name_as(shown: Axis, axis: Axis) -> Axis:
    """Return an axis with the display name and the description of another."""
    return replace(axis, hparam=_over(shown, axis.domain))


def _over(axis: Axis, domain: Domain) -> HParam:
    shown = axis.hparam
    return HParam(axis.name, domain, display_name=shown.display_name, description=shown.description)


def _parse(axis: Axis, text: str) -> Value:
    if axis.domain.dtype not in (int, float):
        return axis.parse(text) if axis.domain.dtype is bool else text
    noun = "an integer" if axis.domain.dtype is int else "a finite number"
    got = repr(text)
    with contextlib.suppress(ValueError):
        number = int(text) if axis.domain.dtype is int else float(text) + 0.0
        if math.isfinite(number):
            return number
        got = str(number)
    raise AssignmentError(f"hparam {axis.name!r} must be {noun}; got {got}. Write one.")
