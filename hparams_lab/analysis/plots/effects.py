"""Effects: the mean at each value of each hyperparameter, with its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hparams_lab.analysis.plots.base import PictureSpec
from hparams_lab.analysis.plots.style import (
    BLUE,
    GREY,
    VERMILION,
    house_style,
    label_metric,
    limit_axis,
    make_figure,
    set_texts,
    shorten,
)
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hparams_lab.analysis.effects.effects import AxisEffect

_MAX_AXES = 10
_INCHES_A_LEVEL = 0.27


@house_style()
def draw_effects(trials: Trials) -> Figure:
    """Return a panel for each hyperparameter, the most important first.

    A dot is the mean with that value, its line the 95 % interval, the ring the best
    trial; the values stand below each other, so that long ones can be read.

    Args:
        trials: of which the effects are shown.

    Raises:
        UsageError: if no hyperparameter has several values, or no trial has a value.
    """
    described = trials.effects if trials.full else None
    if described is None or not described.axes:
        raise UsageError(
            "effects need a hyperparameter of which trials have several values; there is none. "
            "Sweep one."
        )
    shown = described.axes[:_MAX_AXES]
    sizes = [len(axis.levels) + 1.6 for axis in shown]
    figure = make_figure(7.5, 1.3 + _INCHES_A_LEVEL * sum(sizes))
    panels = figure.subplots(
        len(shown), sharex=True, squeeze=False, gridspec_kw={"height_ratios": sizes}
    )[:, 0]
    for panel, axis in zip(panels, shown, strict=True):
        _draw_axis(panel, axis)
    ends = [
        value
        for axis in shown
        for level in axis.levels
        for value in (level.mean, level.low, level.high, level.best)
    ]
    low, high, _ = limit_axis(ends, trials.measure.goal)
    panels[-1].set_xlim(low, high)
    panels[-1].set_xlabel(label_metric(trials.measure.name, trials.measure.goal).replace("\n", " "))
    title = f"{trials.experiment}: mean {shorten(trials.measure.name)} at each value"
    notes = [*trials.describe(), "dot and line: mean, 95 % interval; ring: best trial"]
    if more := len(described.axes) - len(shown):
        notes.append(f"{more} less important hyperparameters left out")
    set_texts(figure, title, [*notes, *described.notes])
    return figure


def _draw_axis(panel: Axes, axis: AxisEffect) -> None:
    places = range(len(axis.levels))
    means = [level.mean for level in axis.levels]
    for place, level in zip(places, axis.levels, strict=True):
        if math.isfinite(level.low) and math.isfinite(level.high):
            panel.plot([level.low, level.high], [place, place], color=BLUE, lw=2, alpha=0.5)
    panel.plot(means, places, "o", color=BLUE, ms=6)
    bests = [level.best for level in axis.levels]
    panel.plot(bests, places, "o", mfc="none", mec=VERMILION, ms=7)
    labels = [f"{shorten(level.label, 24)}  ({level.count})" for level in axis.levels]
    panel.set_yticks(list(places), labels=labels)
    panel.set_ylim(len(axis.levels) - 0.4, -0.6)
    panel.grid(axis="x")
    panel.tick_params(length=0)
    panel.spines["left"].set_visible(False)
    panel.set_title(shorten(axis.name, 48) + _say_importance(axis), color=GREY)


def _say_importance(axis: AxisEffect) -> str:
    return f", importance {axis.importance:.2f}" if math.isfinite(axis.importance) else ""


EFFECTS = PictureSpec(draw=lambda trials, options: draw_effects(trials))
