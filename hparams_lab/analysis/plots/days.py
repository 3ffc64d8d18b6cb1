"""Days: a metric's values on each day, as boxes with the trials as points."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

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
    from matplotlib.figure import Figure

_MIN_BOXED = 5  # below so many trials, quartiles say less than the trials themselves
_MAX_POINTS = 2_000  # a day; beyond, drawn as pixels also in SVG
_JITTER = 0.16


@house_style()
def draw_days(trials: Trials) -> Figure:
    """Return each day's trials: median, quartiles where there are five or more, and points.

    Args:
        trials: whose values are shown.

    Raises:
        UsageError: if the trials with a value are all of one day.
    """
    by_day: dict[str, list[float]] = defaultdict(list)
    for row in trials.full:
        by_day[row.sweep_id[:10]].append(trials.measure.read(row))
    if len(by_day) < 2:
        raise UsageError(
            f"a picture of days needs trials of two of them; all are of {next(iter(by_day))}. Run "
            "again another day, or select more."
        )
    days = sorted(by_day)
    figure = make_figure(min(max(6.5, 1.6 + 1.05 * len(days)), 16.0), 4.2)
    panel = figure.subplots()
    rng = np.random.default_rng(0)  # the same points at each drawing
    for place, day in enumerate(days):
        values = by_day[day]
        if len(values) >= _MIN_BOXED:
            # Not by boxplot, which asks for a backend and so imports pyplot.
            first, third = np.percentile(values, [25, 75])
            panel.vlines(place, min(values), max(values), color=GREY, lw=1, zorder=1)
            panel.bar(
                place,
                third - first,
                0.55,
                bottom=first,
                facecolor="white",
                edgecolor=GREY,
                zorder=2,
            )
        panel.plot(
            place + rng.uniform(-_JITTER, _JITTER, len(values)) * (len(values) > 1),
            values,
            "o",
            color=BLUE,
            zorder=3,
            alpha=0.5,
            ms=4,
            mew=0,
            rasterized=len(values) > _MAX_POINTS,
        )
        median = float(np.median(values))
        panel.plot(
            [place - 0.275, place + 0.275], [median, median], color=VERMILION, lw=2, zorder=4
        )
    labels = [f"{day}\n{len(by_day[day])} trials" for day in days]
    panel.set_xticks(range(len(days)), labels=labels)
    low, high, beyond = limit_axis(trials.values, trials.measure.goal)
    panel.set_ylim(low, high)
    panel.set_xlim(-0.6, len(days) - 0.4)
    panel.set_ylabel(label_metric(trials.measure.name, trials.measure.goal))
    panel.grid(axis="y")
    panel.tick_params(length=0)
    notes = [*trials.describe(), "line: median; box: the middle half of the trials", *beyond]
    set_texts(figure, f"{trials.experiment}: {shorten(trials.measure.name)} by day", notes)
    return figure


DAYS = PictureSpec(draw=lambda trials, options: draw_days(trials))
