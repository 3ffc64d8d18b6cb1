"""A metric and which way is better, as a user names them: `accuracy`, `train_secs:min`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.objective import Goal, Objective
from hparams_lab.errors import UsageError, did_you_mean
from hparams_lab.runs.sweep import Sweep

_SUFFIXES = {"min": Goal.MINIMIZE, "max": Goal.MAXIMIZE}


@dataclass(frozen=True)
class MetricGoal:
    """A number that trials have, and which way it is better."""

    name: str  # of a metric's tag or another numeric fact of a trial, as `secs`
    goal: Goal  # which way is better
    # the metric's own tag, without the `best/` of an objective; empty of a fact
    metric: str = field(default="", compare=False)

    @staticmethod
    def parse(text: str, sweeps: Sequence[Sweep], known: Iterable[str]) -> MetricGoal:
        """Return what a text names: `NAME`, `NAME:min` or `NAME:max`.

        Without a suffix it must be the objective of a sweep, whose goal it is then; the
        newest sweep's counts first.

        Args:
            text: as the user wrote it.
            sweeps: oldest first.
            known: names of numbers that trials have.

        Raises:
            UsageError: if no trial has such a number, or its goal is not known.
        """
        known = set(known)
        name, colon, suffix = text.rpartition(":")
        if not colon or text in known:
            name, suffix = text, ""
        if suffix and suffix not in _SUFFIXES:
            raise UsageError(
                f"a metric's goal must be min or max; got {text!r}. Write {name}:min or {name}:max."
            )
        if name not in known:
            shown = ", ".join(sorted(known))
            hint = did_you_mean(name, known) or f" There are {shown or 'none'}."
            raise UsageError(f"no complete trial has a number {name!r}.{hint}")
        goal = _SUFFIXES.get(suffix) or _find_goal(name, sweeps)
        if goal is None:
            raise UsageError(
                f"which way {name!r} is better must be said, as it is no objective; got {text!r}. "
                f"Write {name}:min or {name}:max."
            )
        objective = sweeps[-1].objective
        return MetricGoal(name, goal, objective.metric if name == objective.tag else name)

    @staticmethod
    def of_objective(objective: Objective) -> MetricGoal:
        """Return an objective's, under the tag that the dashboard shows."""
        return MetricGoal(objective.tag, objective.goal, objective.metric)

    def value_of(self, row: TrialRow) -> float:
        """Return a trial's number, NaN where it has none."""
        value: Any = row.metrics.get(self.name, row.facts.get(self.name))
        return float(value) if _is_number(value) else math.nan

    def read(self, row: TrialRow) -> float:
        """Return a trial's number: NaN if it has none, or is not complete."""
        return self.value_of(row) if row.is_complete else math.nan

    def rank(self, value: float) -> tuple[bool, float]:
        """Return a sort key that puts the best value first and NaN last."""
        return Objective(self.name, self.goal).rank(value)

    @property
    def word(self) -> str:
        """It as `--metric` takes it: `loss:min`."""
        return f"{self.name}:{'max' if self.goal is Goal.MAXIMIZE else 'min'}"

    def __str__(self) -> str:
        """Return it for people: `loss (minimize)`."""
        return f"{self.name} ({self.goal.value})"


def pick_measure(
    rows: Sequence[TrialRow], sweeps: Sequence[Sweep], word: str | None = None
) -> MetricGoal:
    """Return what a word names: `TAG` of an objective, `TAG:min` or `TAG:max` of any number.

    Args:
        rows: the trials to be shown.
        sweeps: that they are of, oldest first.
        word: None for the newest sweep's objective.

    Raises:
        UsageError: if no trial has such a number, or which way it is better is not known.
    """
    if word is None:
        return MetricGoal.of_objective(sweeps[-1].objective)
    return MetricGoal.parse(word, sweeps, list_numbers(rows))


def list_numbers(rows: Iterable[TrialRow]) -> set[str]:
    """Return the names of the numbers that any of the trials has."""
    names: set[str] = set()
    for row in rows:
        names.update(row.metrics)
        names.update(name for name, value in row.facts.items() if _is_number(value))
    return names


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _find_goal(name: str, sweeps: Sequence[Sweep]) -> Goal | None:
    for sweep in reversed(sweeps):
        if name in (sweep.objective.tag, sweep.objective.metric):
            return sweep.objective.goal
    return None
