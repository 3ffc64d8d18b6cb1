"""Heat map: a metric over two hyperparameters, the others fixed or averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hparams_lab.analysis.plots.base import PictureSpec
from hparams_lab.analysis.plots.cells import (
    Cells,
    Division,
    check_names,
    fill_cells,
    format_fixed,
    format_mean,
    keep_fixed,
)
from hparams_lab.analysis.plots.measure import Measure
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
from hparams_lab.catalog.option import Options, option
from hparams_lab.declare.objective import Goal
from hparams_lab.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
            f"{trials.measure.tag!r}. Choose other hyperparameters."
        )
    cells = fill_cells(chosen, x=x, y=y)
    num_y, num_x = cells.means.shape
    figure = make_figure(min(3.8 + 0.85 * num_x, 16.0), min(max(3.8, 2.2 + 0.5 * num_y), 14.0))
    _paint(figure, figure.subplots(), cells, trials.measure)
    title = f"{shorten(trials.measure.tag)} by {shorten(x, 20)} and {shorten(y, 20)}"
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


def _paint(figure: Figure, axes: Axes, cells: Cells, measure: Measure) -> None:
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
    bar.set_label(label_metric(measure.tag, measure.goal))
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

    Attributes:
        x: the hyperparameter across; None: by importance.
        y: the one upwards; None: by importance.
        fix: `AXIS=VALUE` each: trials with other values are left out.

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
