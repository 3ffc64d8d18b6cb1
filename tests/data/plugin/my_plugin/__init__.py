"""A strategy, an executor and a picture that another package brings."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from matplotlib.figure import Figure

from hparams_lab.analysis.plots.base import PictureSpec
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.catalog.option import Options, option
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import UsageError
from hparams_lab.executors.base import Executor, ExecutorSpec, Job, Workload
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.search.base import Strategy, StrategySpec
from hparams_lab.search.points import PointSearch


@dataclass(frozen=True, kw_only=True)
class BackwardsOptions(Options):
    """Options of backwards."""

    stride: int | None = option("take each so-manieth point only", at_least=1, unset=1)


def _make_backwards(
    space: SearchSpace, goal: Goal, seed: int, options: BackwardsOptions
) -> Strategy:
    indices = range(space.size - 1, -1, -(options.stride or 1))
    return PointSearch(map(space.at, indices), len(indices))


BACKWARDS = StrategySpec(options=BackwardsOptions, make=_make_backwards)


@dataclass(frozen=True, kw_only=True)
class PacedOptions(Options):
    """Options of paced."""

    pace_secs: float | None = option(
        "wait so long before each run", above=0, unit="seconds", label="pace of runs, secs"
    )


class PacedExecutor(InlineExecutor):
    """Runs jobs here, with a pause before each."""

    def __init__(self, workload: Workload, pace_secs: float) -> None:
        super().__init__(workload.setup, workload.work)
        self._pace_secs = pace_secs

    def submit(self, job: Job) -> None:
        """Begin a job, a little later."""
        time.sleep(self._pace_secs)
        super().submit(job)


def _make_paced(workload: Workload, options: PacedOptions) -> Executor:
    return PacedExecutor(workload, options.pace_secs or 0.0)


PACED = ExecutorSpec(options=PacedOptions, make=_make_paced)


@dataclass(frozen=True, kw_only=True)
class HistogramOptions(Options):
    """Options of histogram."""

    bins: int | None = option("bars of the histogram", at_least=1, unset=10)


def _draw_histogram(trials: Trials, options: HistogramOptions) -> Figure:
    values = [value for value in trials.values if math.isfinite(value)]
    if not values:
        raise UsageError("a histogram takes a trial with a value; got none. Run some.")
    figure = Figure()
    figure.subplots().hist(values, bins=options.bins or 10)
    figure.suptitle(f"{len(values)} values")
    return figure


HISTOGRAM = PictureSpec(options=HistogramOptions, draw=_draw_histogram)
