"""What a picture is about: one metric of the trials, and which way it is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hparams_lab.analysis.trials.goal import MetricGoal, list_numbers
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.objective import Goal
from hparams_lab.events.schema import Status
from hparams_lab.runs.sweep import Sweep


@dataclass(frozen=True)
class Measure:
    """A metric that pictures show.

    Attributes:
        tag: of its value in the table of trials.
        metric: the metric's own tag, without the `best/` of an objective.
        goal: which way is better.
    """

    tag: str
    metric: str
    goal: Goal

    def rank(self, value: float) -> tuple[bool, float]:
        """Return a sort key that puts the best value first and NaN last."""
        return MetricGoal(self.tag, self.goal).rank(value)

    def __str__(self) -> str:
        """Return it as `--metric` takes it."""
        return f"{self.tag}:{'max' if self.goal is Goal.MAXIMIZE else 'min'}"

    def read(self, row: TrialRow) -> float:
        """Return a trial's value: NaN if it has none, or the trial was not run in full."""
        is_full = row.label == Status.SUCCESS.value
        return MetricGoal(self.tag, self.goal).value_of(row) if is_full else math.nan


def pick_measure(
    rows: Sequence[TrialRow], sweeps: Sequence[Sweep], word: str | None = None
) -> Measure:
    """Return what a word names: `TAG` of an objective, `TAG:min` or `TAG:max` of any number.

    Args:
        rows: the trials to be shown.
        sweeps: that they are of, oldest first.
        word: None for the newest sweep's objective.

    Raises:
        UsageError: if no trial has such a number, or which way it is better is not known.
    """
    objective = sweeps[-1].objective
    if word is None:
        return Measure(objective.tag, objective.metric, objective.goal)
    number = MetricGoal.parse(word, sweeps, list_numbers(rows))
    is_objective = number.name == objective.tag
    return Measure(number.name, objective.metric if is_objective else number.name, number.goal)
