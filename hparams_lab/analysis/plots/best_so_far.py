"""Best so far: how far the search had come after each trial, and by each day."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hparams_lab.analysis.plots.base import PictureSpec
from hparams_lab.analysis.plots.style import (
    BLUE,
    GREY,
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
from hparams_lab.declare.objective import Goal
from hparams_lab.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_LEGEND = 12  # sweeps
_MAX_DAYS = 7  # that are written at the axis


@house_style()
def draw_best_so_far(trials: Trials) -> Figure:
    """Return the best value so far, a line a sweep, and with several days also day by day.

    Args:
        trials: of which the best is followed.

    Raises:
        UsageError: if there are no two trials with a value.
    """
    if len(trials.full) < 2:
        raise UsageError("the best so far needs two trials that were run in full. Run more.")
    measure = trials.measure
    by_sweep = _group(trials.rows, lambda row: row.sweep_id)
    by_day = _group(trials.full, lambda row: row.sweep_id[:10])
    has_days = len(by_day) > 1
    figure = make_figure(11.5 if has_days else 7.5, 4.2)
    panels = figure.subplots(
        1, 1 + has_days, sharey=True, squeeze=False, width_ratios=[3, 2][: 1 + has_days]
    )[0]
    _draw_trials(panels[0], by_sweep, measure)
    if has_days:
        _draw_days(panels[1], by_day, measure)
    low, high, beyond = limit_axis(trials.values, measure.goal)
    panels[0].set_ylim(low, high)
    panels[0].set_ylabel(label_metric(measure.name, measure.goal))
    notes = [*trials.describe(), "dots: trials, in the order in which they ended", *beyond]
    set_texts(figure, f"{trials.experiment}: best {shorten(measure.name)} so far", notes)
    return figure


def list_bests(values: Iterable[float], goal: Goal) -> list[float]:
    """Return the best of the values up to each; NaNs are passed over.

    Example:
        >>> list_bests([0.3, 0.5, float("nan"), 0.4], Goal.MAXIMIZE)
        [0.3, 0.5, 0.5, 0.5]
    """
    better = max if goal is Goal.MAXIMIZE else min

    def combine(best: float, value: float) -> float:
        if math.isnan(value) or math.isnan(best):
            return best if math.isnan(value) else value
        return better(best, value)

    return list(itertools.accumulate(values, combine))


def _group(rows: Sequence[TrialRow], key: Any) -> dict[str, list[TrialRow]]:
    """Return trials by sweep or day, oldest first, each in the order in which they ended."""
    groups: dict[str, list[TrialRow]] = defaultdict(list)
    for row in sorted(rows, key=_end_time):
        groups[key(row)].append(row)
    return dict(sorted(groups.items()))


def _end_time(row: TrialRow) -> tuple[float, str]:
    ends = [run.end_time_secs for run in row.runs]
    return max((math.inf if end is None else end for end in ends), default=math.inf), row.trial_id


def _draw_trials(panel: Axes, by_sweep: dict[str, list[TrialRow]], measure: MetricGoal) -> None:
    from matplotlib.ticker import MaxNLocator

    colours = line_colours(len(by_sweep))
    for place, (colour, (sweep_id, rows)) in enumerate(zip(colours, by_sweep.items(), strict=True)):
        numbers = range(1, len(rows) + 1)
        values = [measure.read(row) for row in rows]
        panel.plot(numbers, values, "o", color=colour, alpha=0.55, ms=4, mew=0)
        is_named = len(by_sweep) <= _MAX_LEGEND or place in (0, len(by_sweep) - 1)
        panel.step(
            numbers,
            list_bests(values, measure.goal),
            where="post",
            color=colour,
            lw=2,
            marker="o",
            markevery=[len(rows) - 1],
            label=sweep_id if is_named else None,
        )
    panel.set_xlim(0.5, max(len(rows) for rows in by_sweep.values()) + 0.5)
    panel.set_xlabel("trial of its sweep")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(axis="y")
    panel.tick_params(length=0)
    if len(by_sweep) > 1:
        few = len(by_sweep) <= _MAX_LEGEND
        panel.legend(
            title="sweep" if few else f"sweep (first and last of {len(by_sweep)})",
            alignment="left",
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=3,
            borderaxespad=0.2,
        )


def _draw_days(panel: Axes, by_day: dict[str, list[TrialRow]], measure: MetricGoal) -> None:
    better = max if measure.goal is Goal.MAXIMIZE else min
    bests = [better(measure.read(row) for row in rows) for rows in by_day.values()]
    places = range(len(bests))
    panel.step(
        places, list_bests(bests, measure.goal), where="post", color=BLUE, lw=2, label="so far"
    )
    panel.plot(places, bests, "o", color=GREY, ms=6, label="of the day")
    days = list(by_day)
    every = math.ceil(len(days) / _MAX_DAYS)
    panel.set_xticks(list(places)[::every], labels=[day[5:] for day in days[::every]])
    panel.set_xlim(-0.3, len(days) - 0.7)
    panel.set_xlabel(f"day, {days[0]} to {days[-1]}")
    panel.grid(axis="y")
    panel.tick_params(length=0)
    panel.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=2,
        title="best",
        alignment="left",
        borderaxespad=0.2,
    )


BEST_SO_FAR = PictureSpec(draw=lambda trials, options: draw_best_so_far(trials))
