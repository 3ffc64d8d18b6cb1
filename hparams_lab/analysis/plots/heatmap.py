"""Heat map: a metric over two hyperparameters, the others fixed or averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hparams_lab.analysis.plots.base import PictureSpec
from hparams_lab.analysis.plots.style import (
    INK,
    house_style,
    label_metric,
    make_figure,
    robust_limits,
    set_texts,
    shorten,
)
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.analysis.trials.goal import MetricGoal
from hparams_lab.catalog.option import Options, option
from hparams_lab.declare.objective import Goal
from hparams_lab.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
import itertools
from collections.abc import Sequence

from numpy.typing import NDArray

from hparams_lab.analysis.plots.style import format_short
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.errors import AssignmentError, did_you_mean
from hparams_lab.runs.sweep import Sweep

_MAX_WRITTEN = 100  # cells; in more of them no value could be read
_DARK = 0.5  # of luminance, below which text is white


@house_style()
def draw_heatmap(
    trials: Trials,
    *,
    x: str | None = None,
    y: str | None = None,
    fixed: Mapping[str, str] | None = None,
) -> Figure:
    """Return a heat map, where brighter is better; cells without trials are hatched.

    Args:
        trials: of which each cell shows the mean.
        x: the hyperparameter across; by default the one that matters most.
        y: the hyperparameter upwards; by default the one that matters next.
        fixed: name to value, as typed: other trials are left out.

    Raises:
        UsageError: if there are no two hyperparameters with several values, a name or
            value is not there, or no trial has a value.
    """
    fixed = fixed or {}
    chosen = keep_fixed(trials, fixed)
    x, y = _pick_axes(chosen, x, y)
    inside = [row for row in chosen.rows if x in row.assignment and y in row.assignment]
    chosen = Trials(inside, trials.sweeps, trials.measure)
    if not any(map(math.isfinite, chosen.values)):
        raise UsageError(
            f"no trial with values of {x!r} and {y!r} was run in full and has a value of "
            f"{trials.measure.name!r}. Choose other hyperparameters."
        )
    cells = fill_cells(chosen, x=x, y=y)
    num_y, num_x = cells.means.shape
    figure = make_figure(min(3.8 + 0.85 * num_x, 16.0), min(max(3.8, 2.2 + 0.5 * num_y), 14.0))
    _paint(figure, figure.subplots(), cells, trials.measure)
    title = f"{shorten(trials.measure.name)} by {shorten(x, 20)} and {shorten(y, 20)}"
    notes = _list_notes(chosen, cells, fixed)
    if left_out := len(trials.rows) - len(chosen.rows):
        notes.append(f"{left_out} trials with other values or without these left out")
    set_texts(figure, f"{trials.experiment}: {title}", notes)
    return figure


def _pick_axes(trials: Trials, x: str | None, y: str | None) -> tuple[str, str]:
    named = [name for name in (x, y) if name is not None]
    check_names(named, trials)
    if len(set(named)) < len(named):
        raise UsageError(f"a heat map needs two hyperparameters; got {x!r} twice. Name another.")
    if x is not None and y is not None:
        return x, y
    varied = Trials(trials.full, trials.sweeps, trials.measure).varied
    free = [name for name in varied if name not in named]
    if len(free) + len(named) < 2:
        shown = ", ".join(varied) or "none"
        raise UsageError(
            f"a heat map needs two hyperparameters with several values; there are: {shown}. Sweep "
            "another."
        )
    if len(free) + len(named) > 2:
        ranked = [axis.name for axis in trials.effects.axes]  # in declared order if none is known
        free = [name for name in ranked if name in free] or free
    picked = iter(free)
    return x or next(picked), y or next(picked)


def _paint(figure: Figure, axes: Axes, cells: Cells, measure: MetricGoal) -> None:
    from matplotlib import colormaps

    finite = cells.means[np.isfinite(cells.means)]
    low, high = robust_limits(list(finite), measure.goal)
    reverse = measure.goal is Goal.MINIMIZE  # the bright end is the better one
    colours = colormaps["viridis_r" if reverse else "viridis"]
    axes.patch.set(facecolor="white", hatch="////")
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(cells.means),
        cmap=colours,
        vmin=low,
        vmax=high,
        edgecolors="white",
        linewidth=1.0,
    )
    extend = "min" if finite.min() < low else "max" if finite.max() > high else "neither"
    bar = figure.colorbar(mesh, ax=axes, extend=extend, pad=0.02)
    bar.set_label(label_metric(measure.name, measure.goal))
    bar.outline.set_visible(False)
    _label(axes, cells)
    _write_values(axes, cells, mesh)


def _label(axes: Axes, cells: Cells) -> None:
    for division, axis in ((cells.x, axes.xaxis), (cells.y, axes.yaxis)):
        axis.set_ticks(np.arange(len(division.labels)) + 0.5, labels=list(division.labels))
        axis.set_label_text(_name(division))
    if max(len(label) for label in cells.x.labels) > 8:
        axes.tick_params(axis="x", labelrotation=30)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _name(division: Division) -> str:
    return shorten(division.name) + (", log scale" if division.log else "")


def _write_values(axes: Axes, cells: Cells, mesh: Any) -> None:
    if cells.means.size > _MAX_WRITTEN:
        return
    for (line, column), value in np.ndenumerate(cells.means):
        text = format_mean(value) if math.isfinite(value) else ""
        if cells.failed[line, column]:
            text = "failed"
        red, green, blue, _ = mesh.cmap(mesh.norm(value)) if math.isfinite(value) else (1,) * 4
        is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < _DARK
        axes.text(
            column + 0.5,
            line + 0.5,
            text,
            ha="center",
            va="center",
            fontsize=8.5,
            color="white" if is_dark else INK,
        )


def _list_notes(trials: Trials, cells: Cells, fixed: Mapping[str, str]) -> list[str]:
    names = (cells.x.name, cells.y.name, *fixed)
    notes = trials.describe()
    if others := [name for name in trials.varied if name not in names]:
        shown = ", ".join(shorten(name) for name in others[:4])
        more = f" and {len(others) - 4} more" if len(others) > 4 else ""
        notes.append(f"averaged over {shown}{more}")
    if fixed:
        notes.append(f"fixed: {format_fixed(fixed)}")
    if cells.counts.max() > 1:
        filled = cells.counts[cells.counts > 0]
        fewest, most = int(filled.min()), int(filled.max())
        notes.append(f"{fewest} to {most} trials a cell" if fewest < most else f"{most} a cell")
    if (cells.counts == 0).any():
        notes.append("hatched: no value")
    return [*notes, "brighter is better"]


@dataclass(frozen=True, kw_only=True)
class HeatmapOptions(Options):
    """Options of the heat map.

    Raises:
        UsageError: if `fix` is of another form, or names an axis twice or one of the map's.
    """

    x: str | None = option("the heat map's hyperparameter across")
    y: str | None = option("the heat map's hyperparameter upwards")
    fix: tuple[str, ...] = option(
        "the heat map's trials have this value, as AXIS=VALUE; others are averaged",
        default=(),
        is_repeated=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if both := {self.x, self.y} & self.fixed.keys():
            raise UsageError(
                f"an axis of the heat map cannot be fixed; got {both.pop()!r} as both. Drop one."
            )

    @property
    def fixed(self) -> dict[str, str]:
        """Name to value, as typed.

        Raises:
            UsageError: as the class.
        """
        fixed: dict[str, str] = {}
        for text in self.fix:
            name, equals, value = text.partition("=")
            if not (name and equals):
                raise UsageError(f"--fix must be AXIS=VALUE; got {text!r}. Write it so.")
            if name in fixed:
                raise UsageError(f"--fix must name an axis once; got {name!r} twice. Drop one.")
            fixed[name] = value
        return fixed


HEATMAP = PictureSpec(
    options=HeatmapOptions,
    draw=lambda trials, options: draw_heatmap(
        trials, x=options.x, y=options.y, fixed=options.fixed
    ),
)


_MAX_LEVELS = 12  # of numbers; more of them are sorted into bins
_NUM_BINS = 8


@dataclass(frozen=True)
class Division:
    """One hyperparameter's values, divided into a heat map's columns or rows."""

    name: str  # of the hyperparameter
    labels: Sequence[str]  # one a part, in order
    levels: Sequence[Value]  # the values themselves; empty where they are binned
    edges: Sequence[float]  # `[num_bins + 1]`, of the bins; empty where they are not
    log: bool  # whether its scale is logarithmic

    def index_of(self, value: Value) -> int:
        """Return which part a value is in, 0-based."""
        if not self.edges:
            return self.levels.index(value)
        found = int(np.searchsorted(self.edges, float(value), side="right")) - 1
        return min(max(found, 0), len(self.labels) - 1)


@dataclass(frozen=True)
class Cells:
    """The cells of a heat map."""

    x: Division  # the columns
    y: Division  # the rows, from below
    means: NDArray[np.float64]  # `[num_y, num_x]`, NaN where no trial has a value
    counts: NDArray[np.int64]  # `[num_y, num_x]`, trials behind each mean
    failed: NDArray[np.bool_]  # `[num_y, num_x]`, whether trials were there, but none has a value


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
