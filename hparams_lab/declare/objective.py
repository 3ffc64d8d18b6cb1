"""What a sweep is after: a metric, its direction, and which of a run's values counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare.metric import key_of
from hparams_lab.errors import DeclarationError


class Goal(Enum):
    """Which way is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


class Reduction(Enum):
    """Which value of a run's series stands for the run."""

    LAST = "last"
    BEST = "best"


@dataclass(frozen=True)
class Objective:
    """The metric by which trials are ranked. Make one with `maximize` or `minimize`.

    Attributes:
        metric: key of a declared metric.
        goal: which way is better.
        reduction: the last value that a run writes, or the best.
    """

    metric: str
    goal: Goal
    reduction: Reduction = Reduction.LAST

    @property
    def tag(self) -> str:
        """The scalar tag that shows the reduced value.

        TensorBoard's table shows the last value of a tag, so the best one needs a tag
        of its own; written into the series itself it would bend its curve.
        """
        return self.metric if self.reduction is Reduction.LAST else f"best/{self.metric}"

    def __str__(self) -> str:
        """Return it as it is declared."""
        return f"{self.goal.value}({self.metric!r}, reduction={self.reduction.value!r})"

    def reduce(self, values: Sequence[float]) -> float:
        """Return the value that stands for a run, NaN if there is none.

        NaNs are passed over where the best counts, and kept where the last does.

        Args:
            values: `[num_steps]` in the order written.

        Example:
            >>> maximize("accuracy", reduction="best").reduce([0.5, 0.9, float("nan")])
            0.9
        """
        if self.reduction is Reduction.LAST:
            return values[-1] if values else math.nan
        numbers = [value for value in values if not math.isnan(value)]
        return min(numbers, key=self.rank) if numbers else math.nan

    def rank(self, value: float) -> tuple[bool, float]:
        """Return a sort key that puts the best value first and NaN last.

        Example:
            >>> sorted([0.2, float("nan"), 0.9], key=maximize("accuracy").rank)
            [0.9, 0.2, nan]
        """
        missing = math.isnan(value)
        signed = -value if self.goal is Goal.MAXIMIZE else value
        return missing, 0.0 if missing else signed


def maximize(metric: Metric | str, *, reduction: str = "last") -> Objective:
    """Return the objective of a metric's highest value.

    Args:
        metric: a declared metric, or its key.
        reduction: `"last"` or `"best"`: which of a run's values counts.

    Raises:
        DeclarationError: if the reduction is neither.
    """
    return Objective(key_of(metric), Goal.MAXIMIZE, _parse_reduction(reduction))


def minimize(metric: Metric | str, *, reduction: str = "last") -> Objective:
    """Return the objective of a metric's lowest value; see `maximize`.

    Raises:
        DeclarationError: if the reduction is neither `"last"` nor `"best"`.
    """
    return Objective(key_of(metric), Goal.MINIMIZE, _parse_reduction(reduction))


def _parse_reduction(name: str) -> Reduction:
    try:
        return Reduction(name)
    except ValueError:
        raise DeclarationError(
            [f"the reduction of an objective must be 'last' or 'best'; got {name!r}. Choose one."]
        ) from None
