"""Early stopping: Optuna's pruners, before any search."""

from __future__ import annotations

from dataclasses import replace

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.trial import Trial

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Goal
from hparams_lab.search.base import Strategy, Traits, Verdict
from hparams_lab.search.optuna_study import hush, make_study, report_once, tell

# A median of fewer trials says little.
_MIN_TRIALS_OF_MEDIAN = 5
_RUNG_PREFIX = "completed_rung_"


def make_pruner(name: str, *, min_budget: int, reduction_factor: int) -> BasePruner:
    """Return a new pruner.

    `median` stops a run whose best value is worse than the median of the full trials at
    the same budget, once there are five. `asha` lets the best of each rung go on:
    1/reduction_factor of the runs that came so far. `hyperband` does so from several
    first rungs, and stops nothing before a full trial has shown how long they are.

    Args:
        name: `"median"`, `"asha"` or `"hyperband"`.
        min_budget: no run is stopped before it has reported so many values, at least 1.
        reduction_factor: budget of a rung over that of the one before, at least 2.
    """
    if name == "median":
        return MedianPruner(n_startup_trials=_MIN_TRIALS_OF_MEDIAN, n_warmup_steps=min_budget)
    if name == "asha":
        return SuccessiveHalvingPruner(min_resource=min_budget, reduction_factor=reduction_factor)
    return HyperbandPruner(min_resource=min_budget, reduction_factor=reduction_factor)


class PrunedSearch(Strategy):
    """Stops the runs of another search early where a pruner says so.

    Args:
        search: proposes; learns of reports and of pruned trials too.
        goal: which way is better.
        pruner: sees what the runs report, and which trials ran to their ends.
    """

    def __init__(self, search: Strategy, goal: Goal, pruner: BasePruner) -> None:
        self._search = search
        self._goal = goal
        has_rungs = not isinstance(pruner, MedianPruner)
        self.traits: Traits = replace(search.traits, prunes=True, has_rungs=has_rungs)
        self._trials: dict[Assignment, Trial] = {}
        # The search may have a study of its own. Here trials have no parameters.
        self._study = make_study(goal, pruner)

    @property
    def max_trials(self) -> int | None:
        return self._search.max_trials

    def propose(self) -> Assignment | None:
        assignment = self._search.propose()
        if assignment is not None:
            self._trials[assignment] = self._study.ask()
        return assignment

    def take(self, assignment: Assignment) -> None:
        self._search.take(assignment)
        self._trials[assignment] = self._study.ask()

    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        self._search.report(assignment, value, budget)
        trial = self._trials[assignment]
        with hush():
            stop = report_once(trial, value, budget) and trial.should_prune()
        return Verdict(stop, self._count_rungs(trial) if self.traits.has_rungs else None)

    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        self._search.observe(assignment, value, pruned=pruned)
        tell(self._trials[assignment], value, goal=self._goal, pruned=pruned)

    def _count_rungs(self, trial: Trial) -> int:
        attributes = self._study.get_trials(deepcopy=False)[trial.number].system_attrs
        return sum(name.startswith(_RUNG_PREFIX) for name in attributes)
