"""The contract of a search strategy: propose assignments, learn what became of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hparams_lab.catalog.registry import Spec
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace


@dataclass(frozen=True)
class Verdict:
    """What a strategy says to a value that a run reports."""

    stop: bool = False  # whether the run is to end now
    # how many rungs of the pruner's ladder the run has completed; None if it has no ladder
    rung: int | None = None


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What a strategy is like; kept in `sweep.json` for whoever reads its sweep."""

    prunes: bool = False  # it may stop runs before their ends
    has_rungs: bool = False  # it does so rung by rung, as of a ladder of budgets
    learns: bool = False  # what it proposes depends on what it has observed
    # it proposes the grid levels of axes, so that a new level is new points
    walks_levels: bool = False
    may_end_early: bool = False  # fewer trials than `max_trials` may suffice


class Strategy(ABC):
    """Proposes the assignments of a sweep, one at a time.

    A strategy holds no clock, writes nothing and never stops the runner: it runs out.
    The runner calls it from one thread. What it proposes may depend on what it has
    observed; a strategy that learns nothing proposes the same whatever the order in
    which its trials end, and so whatever the number of workers.

    A sweep that is resumed gives a new strategy its history through the same methods:
    each trial that had begun is taken, what its run reported is reported again, and if
    it had ended it is observed, in the order of the trials. After that the strategy
    goes on as one that was never interrupted.

    Attributes:
        traits: which of its verdicts and proposals are to be expected.
    """

    traits: Traits = Traits()

    @property
    @abstractmethod
    def max_trials(self) -> int | None:
        """How many assignments there are to propose or take; None if it never runs out."""

    @abstractmethod
    def propose(self) -> Assignment | None:
        """Return the next assignment, canonical and within the space.

        It is none that was proposed or taken before, where that can be known: a point of
        a space with infinitely many is never met again.

        None means: nothing until a trial that is still running has been observed. With
        no trial running, None means that the search is over, and every later call
        returns None too.
        """

    @abstractmethod
    def take(self, assignment: Assignment) -> None:
        """Take note that an assignment is being run which this strategy did not propose.

        The user asked for it by name, or it is a trial of an interrupted sweep. It will
        not be proposed any more.

        Args:
            assignment: canonical, within the space, neither proposed nor taken before.
        """

    @abstractmethod
    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        """Say whether a run is to go on.

        Args:
            assignment: proposed or taken, and not yet observed.
            value: the objective's so far; may be NaN.
            budget: how many values the run has reported, this one included: usually
                its epochs, counted from 1. A run that is tried again, as it crashed,
                begins at 1 again; what counts is the first value at each budget.
        """

    @abstractmethod
    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        """Take note of how a trial ended.

        Called once for each assignment proposed or taken, in the order in which trials
        end.

        Args:
            assignment: as it was proposed or taken.
            value: the objective's value, the mean over the trial's runs; None if a run
                failed, or the trial was pruned.
            pruned: whether it was stopped early, and has only the values it reported.
        """


@dataclass(frozen=True, kw_only=True)
class StrategySpec(Spec):
    """What a name of `--search` stands for."""

    # given the space, which way is better, a seed of at least 0 and the options object, returns
    # a new strategy. Equal arguments give equal proposals.
    make: Callable[[SearchSpace, Goal, int, Any], Strategy]
