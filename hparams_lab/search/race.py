"""Racing: no more runs for a trial whose mean can no longer reach the best one's."""

from __future__ import annotations

from collections.abc import Mapping

from hparams_lab.declare.objective import Goal, Objective
from hparams_lab.stats.interval import worse_p_value

# With two runs the test has one degree of freedom, and says nothing.
MIN_RUNS = 3

# In all, over the runs after which a trial is looked at.
_ALPHA = 0.05

Values = Mapping[tuple[int, int | None], float]
"""The objective's value of each run of a trial, by repeat and fold."""


class Race:
    """Compares trials run by run with the best complete trial so far.

    The runs of two trials that have the same repeat and fold have the same split of the
    data, so their differences are tested, by the paired t-test of `spread`. It is asked
    again after each run, so each time with the share of 5 % that makes 5 % in all
    (Bonferroni). The best trial is one that was lucky too, so of trials as good as the
    best a few more than one in twenty are lost: docs/design/repeats.md has the figures.

    Args:
        objective: which way is better.
        num_runs: of a trial that is not given up.
        num_folds: of which the runs hold one out each; None without.
    """

    def __init__(self, objective: Objective, num_runs: int, num_folds: int | None) -> None:
        self._sign = -1.0 if objective.goal is Goal.MAXIMIZE else 1.0
        self._alpha = _ALPHA / max(1, num_runs - MIN_RUNS)  # none is looked at after its last
        self._num_folds = num_folds
        self._best: Values | None = None

    def enter(self, values: Values) -> None:
        """Take note of a trial that has all its runs."""
        if self._best is None or self._loss(values) < self._loss(self._best):
            self._best = dict(values)

    def is_lost(self, values: Values) -> bool:
        """Return whether a trial with these runs so far is worse than the best one."""
        if self._best is None:
            return False
        common = [key for key in values if key in self._best]
        if len(common) < MIN_RUNS:
            return False
        losses = [self._sign * values[key] for key in common]
        reference = [self._sign * self._best[key] for key in common]
        return worse_p_value(losses, reference, num_folds=self._num_folds) < self._alpha

    def _loss(self, values: Values) -> float:
        return self._sign * sum(values.values()) / len(values)
