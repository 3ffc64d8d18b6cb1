"""Conditions that stop a sweep before its search is over."""

from __future__ import annotations

import time
from collections.abc import Callable

from hparams_lab.events.schema import Ending, Status


class StopConditions:
    """Says whether another run may begin; once none may, none may any more.

    Args:
        is_time_up: asked before each run.
        max_failures: how many runs may fail in a row before no more begin; None: any.

    Attributes:
        reason: why no more runs may begin; empty while they may.
    """

    def __init__(
        self,
        is_time_up: Callable[[], bool] = lambda: False,
        max_failures: int | None = None,
    ) -> None:
        self.reason = ""
        self._is_time_up = is_time_up
        self._max_failures = max_failures
        self._failures_in_a_row = 0

    def record(self, ending: Ending) -> None:
        """Count how a run ended for good."""
        failed = ending.status is Status.FAILURE
        self._failures_in_a_row = self._failures_in_a_row + 1 if failed else 0

    def may_begin(self) -> bool:
        """Return whether another run may begin."""
        if not self.reason and self._failures_in_a_row == self._max_failures:
            runs = "run" if self._failures_in_a_row == 1 else "runs in a row"
            self.reason = f"{self._failures_in_a_row} {runs} failed"
        elif not self.reason and self._is_time_up():
            self.reason = "the time budget is used up"
        return not self.reason


def time_budget(secs: float | None) -> Callable[[], bool]:
    """Return a function that says whether so many seconds have passed since; None: never."""
    if secs is None:
        return lambda: False
    deadline = time.monotonic() + secs
    return lambda: time.monotonic() >= deadline
