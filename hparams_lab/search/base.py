"""The contract of a search strategy: propose assignments, observe what became of them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from hparams_lab.declare.assignment import Assignment


class Strategy(ABC):
    """Proposes the assignments of a sweep, one at a time.

    A strategy holds no clock, writes nothing and never stops the runner: it runs out.
    The runner calls it from one thread. What it proposes may depend on what it has
    observed; a strategy that learns nothing proposes the same whatever the order in
    which its trials end, and so whatever the number of workers.
    """

    @property
    @abstractmethod
    def max_trials(self) -> int | None:
        """How many assignments it proposes at most; None if it never runs out."""

    @abstractmethod
    def propose(self) -> Assignment | None:
        """Return the next assignment, canonical and within the space.

        None means: nothing until a trial that is still running has been observed. With
        no trial running, None means that the search is over, and every later call
        returns None too.
        """

    @abstractmethod
    def observe(self, assignment: Assignment, value: float | None) -> None:
        """Take note of how a proposed trial ended.

        Called once for each proposal, in the order in which trials end, and for
        trials of an interrupted sweep before any proposal.

        Args:
            assignment: as it was proposed.
            value: the objective's value, or None if the trial failed.
        """
