"""Curves: how the best trials learned, with the range over their repeats and folds."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hparams_lab.analysis.plots.base import PictureSpec
from hparams_lab.analysis.plots.style import (
    house_style,
    label_metric,
    limit_axis,
    line_colours,
    make_figure,
    set_texts,
    shorten,
)
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.analysis.trials.goal import MetricGoal
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.catalog.option import Options, option
from hparams_lab.declare import tags
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.declare.objective import Goal
from hparams_lab.errors import UsageError
from hparams_lab.runs.sweep import Sweep
from hparams_lab.text import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MAX_NAMED = 3  # hyperparameters in a legend's line


_DEFAULT_TOP = 5


@house_style()
def draw_curves(trials: Trials, *, top: int = _DEFAULT_TOP) -> Figure:
    """Return the learning curves of the best trials: the mean over their runs, and the range.

    What is drawn is the metric itself where runs wrote it step by step, else what they
    reported of it on the way, else its curve on validation or training data.

    Args:
        trials: of which the first are shown, by their measure.
        top: how many trials, at least 1.

    Raises:
        UsageError: if none of them has a curve.
    """
    from matplotlib.ticker import MaxNLocator

    measure = trials.measure
    ranked = sorted(trials.full, key=lambda row: measure.rank(measure.read(row)))
    best = ranked[:top]
    tag = find_curve_tag(best, measure)
    curves = [(row, average_runs(row, tag)) for row in best]
    curves = [(row, curve) for row, curve in curves if len(curve) > 1]
    is_own = tag.rpartition("/")[2] == measure.metric.rpartition("/")[2]
    goal = measure.goal if is_own else Goal.MINIMIZE  # else it is a loss
    figure = make_figure(9.5, 4.4)
    panel = figure.subplots()
    names = Trials([row for row, _ in curves], trials.sweeps, measure).varied
    # The best is drawn last, so that it lies on top.
    colours = line_colours(len(curves))
    for place in reversed(range(len(curves))):
        row, curve = curves[place]
        steps = [point[0] for point in curve]
        means, lows, highs = zip(*(point[1:] for point in curve), strict=True)
        panel.plot(
            steps,
            means,
            color=colours[place],
            lw=2,
            zorder=3,
            label=_name(row, names, trials.sweeps),
        )
        if lows != highs:
            panel.fill_between(steps, lows, highs, color=colours[place], alpha=0.15, lw=0)
    points = [value for _, curve in curves for point in curve for value in point[1:]]
    low, high, _ = limit_axis(points, goal)
    panel.set_ylim(low, high)
    panel.set_xlabel("step")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set_ylabel(label_metric(tag, goal))
    panel.grid()
    panel.tick_params(length=0)
    handles, labels = panel.get_legend_handles_labels()
    panel.legend(
        handles[::-1],
        labels[::-1],
        title="trial, best first",
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
    )
    which = "trial" if len(curves) == 1 else f"{len(curves)} trials"
    title = f"{trials.experiment}: {shorten(tag)} of the best {which}"
    set_texts(figure, title, _list_notes(curves, len(best)))
    return figure


def find_curve_tag(rows: Sequence[TrialRow], measure: MetricGoal) -> str:
    """Return the tag that shows how trials learned.

    Args:
        rows: the trials.
        measure: whose curve is sought.

    Raises:
        UsageError: if no run has two points of any.
    """
    last = measure.metric.rpartition("/")[2]
    wanted = (measure.metric, tags.reported(measure.metric), f"validation/{last}", f"train/{last}")
    there = {
        tag
        for row in rows
        for run in row.runs
        for tag, s in run.metrics.items()
        if s.num_points > 1
    }
    for tag in (*wanted, "validation/loss", "train/loss", "loss"):
        if tag in there:
            return tag
    raise UsageError(
        f"curves need a tag of two points or more; the best {count(len(rows), 'trial')} have none "
        f"of {measure.metric!r}. Call run.report or run.scalar in train as it goes"
        + (f", or name one by --metric: {', '.join(sorted(there))}." if there else ".")
    )


def average_runs(row: TrialRow, tag: str) -> list[tuple[int, float, float, float]]:
    """Return a trial's curve as step, mean, lowest and highest value over the runs there.

    Values that are not finite are passed over.

    Args:
        row: the trial.
        tag: of the curve.
    """
    values: dict[int, list[float]] = defaultdict(list)
    for run in row.runs:
        series = run.curves.get(tag)
        if series is not None:  # of two values at one step the later counts, as in TensorBoard
            for step, value in dict(zip(series.steps, series.values, strict=True)).items():
                if math.isfinite(value):
                    values[step].append(value)
    return [
        (step, sum(there) / len(there), min(there), max(there))
        for step, there in sorted(values.items())
    ]


def _name(row: TrialRow, names: Sequence[str], sweeps: Sequence[Sweep]) -> str:
    own = [(name, row.assignment[name]) for name in names if name in row.assignment]
    shown = [f"{shorten(name, 16)} {_shorten_value(value)}" for name, value in own[:_MAX_NAMED]]
    day = f"{row.sweep_id[:10]} " if len(sweeps) > 1 else ""
    # A label that begins with an underscore would be left out of the legend; this does not.
    return "\n  ".join([f"{day}{row.trial_id}", *([", ".join(shown)] if shown else [])])


def _shorten_value(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else shorten(format_value(value), 14)


def _list_notes(
    curves: Sequence[tuple[TrialRow, list[tuple[int, float, float, float]]]], num_best: int
) -> list[str]:
    runs = max(len(row.runs) for row, _ in curves)
    notes = [f"mean and range over up to {runs} runs of each trial"] if runs > 1 else []
    if without := num_best - len(curves):
        notes.append(f"{count(without, 'trial')} of the best without this curve")
    return notes


@dataclass(frozen=True, kw_only=True)
class CurvesOptions(Options):
    """Options of the learning curves."""

    top: int | None = option("of how many trials curves are shown", at_least=1, unset=_DEFAULT_TOP)


CURVES = PictureSpec(
    options=CurvesOptions,
    draw=lambda trials, options: draw_curves(trials, top=options.top or _DEFAULT_TOP),
)
