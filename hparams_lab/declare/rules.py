"""What a declaration must not say: each broken rule as one sentence.

TensorBoard accepts most of these and fails later, in the dashboard, without a word.
Functions return sentences instead of raising, so that all problems of a declaration are
reported at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
from hparams_lab.errors import AssignmentError, did_you_mean

SCALES = ("linear", "log")

# Written into each run's hparams beside the user's own, so that rows can be filtered
# by them.
RESERVED_NAMES = ("commit", "day", "sweep")

# Relative to the numbers themselves: closer levels would be lost in rounding noise.
MIN_SPACING = 1e-11

# plugin_data.proto stores every number as a double, exact up to 2**53.
MAX_EXACT_INT = 2**53


def find_space_problems(axes: Sequence[Axis], *, narrowed: bool = False) -> list[str]:
    """Return the problems of each axis and of their names and conditions together.

    Args:
        axes: in declared order.
        narrowed: whether axes may have lost values, so that a condition may never hold.
    """
    if not axes:
        return ["a search space must have an hparam; got none. Declare at least one."]
    problems = []
    earlier: dict[str, Axis | None] = {}
    for axis in axes:
        if not isinstance(axis.hparam, HParam):
            problems.append(
                f"an axis must be an hp.HParam or a lab.Axis of one; got {axis.hparam!r}. "
                "Wrap the name and its domain in hp.HParam(name, domain)."
            )
            continue
        problems += find_hparam_name_problems("hparam", axis.hparam.name, earlier)
        own = _find_domain_problems(axis.name, axis.domain) or _find_axis_problems(axis)
        problems += own + _find_condition_problems(axis, earlier)
        if not narrowed:
            problems += _find_idle_conditions(axis, earlier)
        earlier[axis.name] = None if own else axis
    return problems


def find_hparam_name_problems(kind: str, name: Any, earlier: Mapping[str, Any]) -> list[str]:
    """Return the problems of an hparam's name, given those declared before it."""
    if not isinstance(name, str) or not name.strip():
        return [f"{kind} names must be words; got {name!r}. Name it."]
    if len(name.splitlines()) > 1 or "\t" in name:
        return [f"{kind} names must stand on one line; got {name!r}. Rename it."]
    if name in earlier:
        return [f"{kind} names must differ; got {name!r} twice. Rename one."]
    if name in RESERVED_NAMES:
        return [
            f"{kind} name {name!r} is one that every run carries by itself "
            f"({', '.join(RESERVED_NAMES)}). Rename it."
        ]
    if "=" in name or name != name.strip():
        return [
            f"{kind} names must not contain '=' nor begin or end with a space, as the command "
            f"line could not name them; got {name!r}. Rename it."
        ]
    return []


def _find_domain_problems(name: str, domain: Domain | None) -> list[str]:
    if isinstance(domain, Discrete):
        return _find_discrete_problems(f"the Discrete domain of hparam {name!r}", domain)
    if isinstance(domain, IntInterval | RealInterval):
        return _find_interval_problems(f"the {type(domain).__name__} of hparam {name!r}", domain)
    return [
        f"hparam {name!r} must have a domain, or TensorBoard shows no filter for it; got "
        f"{domain!r}. Give it an hp.Discrete, hp.IntInterval or hp.RealInterval."
    ]


def _find_discrete_problems(subject: str, domain: Discrete) -> list[str]:
    values = list(domain.values)
    problems = []
    if not values:
        problems.append(f"{subject} must not be empty; got []. List at least one value.")
    if domain.dtype is not bool and any(isinstance(value, bool) for value in values):
        problems.append(
            f"{subject} must not mix bools with numbers, as True equals 1; got {values}. "
            "Use only bools or only numbers."
        )
    problems += [
        f"{subject} must hold finite numbers, or the dashboard stays blank; got {value!r}. "
        "Remove it or use a string."
        for value in values
        if isinstance(value, float) and not math.isfinite(value)
    ]
    problems += _find_inexact_ints(subject, values)
    problems += [
        f"{subject} must list each value once; got {value!r} twice. Drop one."
        for value in dict.fromkeys(values)
        if values.count(value) > 1
    ]
    if domain.dtype in (int, float) and len(values) > domains.MAX_NUMERIC_DISCRETE:
        interval = "IntInterval" if domain.dtype is int else "RealInterval"
        problems.append(
            f"{subject} must have fewer than ten numbers, or its filter in the dashboard fails; "
            f"got {len(values)}. Declare hp.{interval}({min(values)!r}, {max(values)!r}) and list "
            "the values in lab.Axis(..., grid=[...])."
        )
    return problems


def _find_interval_problems(subject: str, domain: IntInterval | RealInterval) -> list[str]:
    bounds = (domain.min_value, domain.max_value)
    problems = []
    if any(isinstance(bound, bool) for bound in bounds):
        problems.append(
            f"{subject} must have numbers as bounds, not bools; got {bounds}. Write 0 or 1, "
            "or use hp.Discrete([False, True])."
        )
    if not all(math.isfinite(bound) for bound in bounds):
        problems.append(f"{subject} must have finite bounds; got {bounds}. Choose numbers.")
    elif not math.isfinite(bounds[1] - bounds[0]):
        problems.append(f"{subject} is wider than any number; got {bounds}. Narrow it.")
    return problems + _find_inexact_ints(subject, bounds)


def _find_inexact_ints(subject: str, values: Sequence[Value]) -> list[str]:
    return [
        f"{subject} must stay within ±2**53, as TensorBoard stores integers as doubles; "
        f"got {value!r}. Use a string."
        for value in values
        if isinstance(value, int) and abs(value) > MAX_EXACT_INT
    ]


def _find_axis_problems(axis: Axis) -> list[str]:
    subject = f"hparam {axis.name!r}"
    discrete = isinstance(axis.domain, Discrete)
    problems = []
    if axis.scale not in SCALES:
        problems.append(
            f"{subject} must have scale 'linear' or 'log'; got {axis.scale!r}. Choose one."
        )
    elif axis.scale == "log" and (discrete or axis.domain.min_value <= 0):
        problems.append(
            f"{subject} must have an interval above 0 for a log scale; got "
            f"{domains.describe_domain(axis.domain)}. Raise the lower bound or drop the scale."
        )
    given = [key for key in ("step", "grid_points", "grid") if getattr(axis, key) is not None]
    if len(given) > 1:
        problems.append(
            f"{subject} takes one of step, grid_points and grid; got {' and '.join(given)}. "
            "Keep one."
        )
    for key in given:
        if discrete and key != "grid":
            problems.append(
                f"{subject} has a Discrete domain, which is its own grid; got "
                f"{key}={getattr(axis, key)!r}. Drop it or use an interval."
            )
        else:
            problems += _FIND_GRID_PROBLEMS[key](subject, axis)
    return problems or _find_spacing_problems(subject, axis)


def _find_spacing_problems(subject: str, axis: Axis) -> list[str]:
    """Return the problem of levels that lie too close for floats, if they do."""
    if isinstance(axis.domain, Discrete) or axis.domain.dtype is int or axis.grid is not None:
        return []
    low, high = float(axis.domain.min_value), float(axis.domain.max_value)
    if axis.scale == "log":
        if not math.isfinite(high / low):
            return [f"{subject} spans too much for a log scale; got [{low}, {high}]. Narrow it."]
        spacing = math.log(high / low) / ((axis.grid_points or 2) - 1)
    else:
        span = axis.step or (high - low) / ((axis.grid_points or 2) - 1)
        spacing = span / (max(abs(low), abs(high)) or 1.0)
    if low == high or spacing > MIN_SPACING:
        return []
    return [
        f"{subject} must have grid points that differ in 11 digits; got a relative distance of "
        f"{spacing:.1g}. Take fewer of them or a longer step."
    ]


def _find_step_problems(subject: str, axis: Axis) -> list[str]:
    step: Any = axis.step
    number = isinstance(step, int | float) and not isinstance(step, bool)
    if not number or not math.isfinite(step) or step <= 0:
        return [f"{subject} must have a step above 0; got {step!r}. Give a positive number."]
    if axis.domain.dtype is int and step != int(step):
        return [f"{subject} is an integer, so its step must be one; got {step!r}. Round it."]
    if axis.scale == "log":
        return [f"{subject} cannot have a step on a log scale; got {step!r}. Use grid_points."]
    return []


def _find_grid_points_problems(subject: str, axis: Axis) -> list[str]:
    points: Any = axis.grid_points
    if isinstance(points, int) and not isinstance(points, bool) and points >= 2:
        if axis.scale == "log" and axis.domain.dtype is int and points > MAX_LISTED:
            return [
                f"{subject} must have at most {MAX_LISTED} grid_points for integers on a log "
                f"scale; got {points}. Lower it."
            ]
        return []
    infinite = isinstance(points, float) and math.isinf(points)
    rule = "a finite grid" if infinite else "a whole number of grid_points, at least 2"
    return [f"{subject} must have {rule}; got grid_points={points!r}. Give a whole number."]


def _find_listed_problems(subject: str, axis: Axis) -> list[str]:
    listed = tuple(axis.grid or ())
    if not listed:
        return [f"{subject} must have a value in its grid; got []. List one or drop the grid."]
    if len(listed) > MAX_LISTED:
        return [
            f"{subject} must have a finite grid of at most {MAX_LISTED} listed values; its grid is "
            "longer or never ends. Use step or grid_points."
        ]
    problems = []
    seen = set()
    for value in listed:
        try:
            typed = domains.cast(axis.domain, value)
        except AssignmentError as error:
            problems.append(f"the grid of {subject} {error}. Widen the domain or drop it.")
            continue
        if typed in seen:
            problems.append(f"the grid of {subject} lists {value!r} twice. Drop one.")
        seen.add(typed)
    return problems


_FIND_GRID_PROBLEMS: dict[str, Callable[[str, Axis], list[str]]] = {
    "step": _find_step_problems,
    "grid_points": _find_grid_points_problems,
    "grid": _find_listed_problems,
}


def _find_condition_problems(axis: Axis, earlier: Mapping[str, Axis | None]) -> list[str]:
    """Return the problems of a condition; `earlier` has None for axes that have their own."""
    if axis.when is not None and not isinstance(axis.when, Mapping):
        return [
            f"the condition of hparam {axis.name!r} must map hparams to values; got "
            f"{axis.when!r}. Write when={{HP_OTHER: value}}."
        ]
    problems = []
    for parent, values in axis.conditions.items():
        if parent not in earlier:
            problems.append(
                f"the condition of hparam {axis.name!r} must name an hparam declared before it; "
                f"got {parent!r}.{did_you_mean(parent, earlier) or ' Declare it first.'}"
            )
            continue
        if not values:
            problems.append(
                f"the condition of hparam {axis.name!r} asks for no value of {parent!r}, so it "
                "never holds; got []. List one."
            )
    return problems


def _find_idle_conditions(axis: Axis, earlier: Mapping[str, Axis | None]) -> list[str]:
    """Return the problems of a condition that never holds; `earlier` as above."""
    problems: list[str] = []
    if not isinstance(axis.conditions, Mapping):
        return problems
    for parent, values in axis.conditions.items():
        known = earlier.get(parent)
        for value in values if known is not None else ():
            try:
                known.cast(value)  # type: ignore[union-attr]
            except AssignmentError as error:
                problems.append(f"the condition of hparam {axis.name!r} never holds: {error}")
    return problems
