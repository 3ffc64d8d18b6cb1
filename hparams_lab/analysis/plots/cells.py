"""Trials sorted into the cells that two hyperparameters make, the others fixed or averaged."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hparams_lab.analysis.plots.style import format_short, shorten
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.errors import AssignmentError, UsageError, did_you_mean
from hparams_lab.runs.sweep import Sweep

_MAX_LEVELS = 12  # of numbers; more of them are sorted into bins
_NUM_BINS = 8


@dataclass(frozen=True)
class Division:
    """One hyperparameter's values, divided into a heat map's columns or rows.

    Attributes:
        name: of the hyperparameter.
        labels: one a part, in order.
        levels: the values themselves; empty where they are binned.
        edges: `[num_bins + 1]`, of the bins; empty where they are not.
        log: whether its scale is logarithmic.
    """

    name: str
    labels: Sequence[str]
    levels: Sequence[Value]
    edges: Sequence[float]
    log: bool

    def index_of(self, value: Value) -> int:
        """Return which part a value is in, 0-based."""
        if not self.edges:
            return self.levels.index(value)
        found = int(np.searchsorted(self.edges, float(value), side="right")) - 1
        return min(max(found, 0), len(self.labels) - 1)


@dataclass(frozen=True)
class Cells:
    """The cells of a heat map.

    Attributes:
        x: the columns.
        y: the rows, from below.
        means: `[num_y, num_x]`, NaN where no trial has a value.
        counts: `[num_y, num_x]`, trials behind each mean.
        failed: `[num_y, num_x]`, whether trials were there, but none has a value.
    """

    x: Division
    y: Division
    means: NDArray[np.float64]
    counts: NDArray[np.int64]
    failed: NDArray[np.bool_]


def fill_cells(trials: Trials, *, x: str, y: str) -> Cells:
    """Return the cells of two hyperparameters; trials without one of them are left out.

    Args:
        trials: whose measure is averaged.
        x: name of the hyperparameter whose values are the columns.
        y: of the rows.
    """
    inside = [row for row in trials.rows if x in row.assignment and y in row.assignment]
    columns, lines = (_divide(name, inside, trials.sweeps) for name in (x, y))
    shape = (len(lines.labels), len(columns.labels))
    sums, counts, tried = np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row in inside:
        cell = (lines.index_of(row.assignment[y]), columns.index_of(row.assignment[x]))
        value = trials.measure.read(row)
        tried[cell] += 1
        if math.isfinite(value):
            sums[cell] += value
            counts[cell] += 1
    means = np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
    return Cells(columns, lines, means, counts, (tried > 0) & (counts == 0))


def _divide(name: str, rows: Sequence[TrialRow], sweeps: Sequence[Sweep]) -> Division:
    axes = [axis for sweep in reversed(sweeps) for axis in sweep.space if axis.name == name]
    values = {row.assignment[name] for row in rows}
    numbers = sorted(float(value) for value in values if _is_number(value))
    are_numbers = len(numbers) == len(values)
    log = are_numbers and numbers[0] > 0 and any(axis.scale == "log" for axis in axes)
    if are_numbers and len(numbers) > _MAX_LEVELS:
        return _make_bins(name, numbers[0], numbers[-1], log=log)
    listed = [level for axis in axes if not _is_numeric(axis) for level in axis.levels]
    levels = [level for level in dict.fromkeys(listed) if level in values]
    levels += sorted(values - set(levels), key=lambda value: (isinstance(value, str), value))
    return Division(name, [shorten(format_value(v), 18) for v in levels], levels, (), log)


def _is_numeric(axis: Axis) -> bool:
    """Return whether its values have an order of their own, and need none as declared."""
    return axis.domain.dtype in (int, float)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _make_bins(name: str, low: float, high: float, *, log: bool) -> Division:
    make = np.geomspace if log else np.linspace
    edges = [float(edge) for edge in make(low, high, _NUM_BINS + 1)]
    ends = [f"{edge:.0f}" if 100 <= abs(edge) < 1e5 else f"{edge:.2g}" for edge in edges]
    labels = [" to ".join(pair) for pair in itertools.pairwise(ends)]
    return Division(name, labels, (), edges, log)


def keep_fixed(trials: Trials, fixed: Mapping[str, str]) -> Trials:
    """Return the trials that have the given values.

    Args:
        trials: to choose from.
        fixed: name to value, as they are typed.

    Raises:
        UsageError: if there is no such hyperparameter, or no trial has the value.
    """
    kept = trials.rows
    for name, text in fixed.items():
        axis = _find_axis(name, trials.sweeps)
        found = [row for row in kept if _spells(axis, text, row.assignment.get(name))]
        if not found:
            there = {row.assignment[name] for row in kept if name in row.assignment}
            known = ", ".join(sorted(format_value(value) for value in there)) or "none"
            raise UsageError(
                f"--fix={name} must be a value that trials have; got {text!r}. They have {known}."
            )
        kept = found
    return Trials(kept, trials.sweeps, trials.measure)


def _find_axis(name: str, sweeps: Sequence[Sweep]) -> Axis:
    axes = {axis.name: axis for sweep in sweeps for axis in sweep.space}
    if name not in axes:
        hint = did_you_mean(name, axes) or f" There are {', '.join(axes)}."
        raise UsageError(f"there is no hyperparameter {name!r}.{hint}")
    return axes[name]


def _spells(axis: Axis, text: str, value: Value | None) -> bool:
    """Return whether a text is how somebody writes a value, also one the axis has no more."""
    if value is None:
        return False
    try:
        return axis.parse(text) == value
    except AssignmentError:
        return text == format_value(value)


def check_names(names: Sequence[str], trials: Trials) -> None:
    """Check that hyperparameters exist and that trials have values of them.

    Raises:
        UsageError: if not.
    """
    for name in names:
        _find_axis(name, trials.sweeps)
        if not any(name in row.assignment for row in trials.rows):
            raise UsageError(f"no trial has a value of {name!r}. Choose another hyperparameter.")


def format_fixed(fixed: Mapping[str, str]) -> str:
    """Return fixed values as notes say them."""
    return ", ".join(f"{name} {shorten(text)}" for name, text in fixed.items())


def format_mean(value: float) -> str:
    """Return a cell's value as short as cells are."""
    return format_short(value) if abs(value) < 1e4 else f"{value:.2g}"
