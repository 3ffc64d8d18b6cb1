"""What ends a sweep before its search is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hparams_lab.events.schema import Ending, Status


@dataclass(frozen=True)
class Limits:
    """What ends a sweep before its search is over.

    Attributes:
        is_time_up: whether no more runs are to begin.
        max_failures: how many runs may fail in a row before no more begin; None: any.
    """

    is_time_up: Callable[[], bool] = lambda: False
    max_failures: int | None = None


class Sentry:
    """Says why no more runs may begin, from when on that is so.

    Args:
        limits: of the sweep.

    Attributes:
        reason: why no more may; empty while they may.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures_in_a_row = 0
        self.reason = ""

    def note(self, ending: Ending) -> None:
        """Take note of how a run ended for good."""
        failed = ending.status is Status.FAILURE
        self._failures_in_a_row = self._failures_in_a_row + 1 if failed else 0

    def may_begin(self) -> bool:
        """Return whether another run may begin; once none may, none may any more."""
        if not self.reason and self._failures_in_a_row == self._limits.max_failures:
            runs = "run" if self._failures_in_a_row == 1 else "runs in a row"
            self.reason = f"{self._failures_in_a_row} {runs} failed"
        elif not self.reason and self._limits.is_time_up():
            self.reason = "the time budget is used up"
        return not self.reason
