"""Whether and when a run is tried again.

A run that crashed or timed out may have been unlucky, so it is tried again as often as the
user allows, each time after a longer wait. A run that was lost, as its node was, did
nothing wrong: it is tried again at once, whatever is allowed. An error of train would come
again, and what was pruned, interrupted or too large for its memory ended as it should.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

from hparams_lab.executors.base import JobEnd
from hparams_lab.logdir.layout import RunDir

MAX_WAIT_SECS = 60.0

# Bound node losses, so that a run that kills its node is not rescheduled endlessly.
MAX_LOSSES = 3

_RETRIED = (JobEnd.CRASHED, JobEnd.TIMED_OUT)

_Place = tuple[str, int, int | None]
"""Trial, repeat and fold: what all attempts at a run have in common."""

_Run = TypeVar("_Run")


class Retries(Generic[_Run]):
    """Runs that wait to be tried again, by whatever the owner knows them.

    Args:
        limit: how often a run is tried again that crashed or timed out, at least 0.
        clock: monotonic seconds.
    """

    def __init__(self, limit: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._waiting: list[tuple[float, int, _Run]] = []
        self._order = count()
        self._num_tries: dict[_Place, int] = {}
        self._num_losses: dict[_Place, int] = {}

    def wait_for(self, run_dir: RunDir, cause: JobEnd | None) -> float | None:
        """Return after how many seconds a run that ended is to be tried again; None: never.

        Args:
            run_dir: of the attempt that ended.
            cause: why it did not return; None if it did.
        """
        place = (run_dir.trial_id, run_dir.repeat, run_dir.fold)
        if cause is JobEnd.LOST:
            losses = self._num_losses[place] = self._num_losses.get(place, 0) + 1
            if losses <= MAX_LOSSES:
                return 0.0
            cause = JobEnd.CRASHED
        tries = self._num_tries.get(place, 0)
        if cause not in _RETRIED or tries >= self._limit:
            self._num_losses.pop(place, None)
            self._num_tries.pop(place, None)
            return None
        self._num_tries[place] = tries + 1
        # A power of two that is beyond the wait anyway may be beyond a float.
        return min(2.0 ** min(tries, 10), MAX_WAIT_SECS)

    def add(self, run: _Run, wait_secs: float) -> None:
        """Have a run wait."""
        due = self._clock() + wait_secs
        heapq.heappush(self._waiting, (due, next(self._order), run))

    def take_due(self) -> _Run | None:
        """Return a run whose wait is over, the earliest; None if there is none."""
        if not self._waiting or self.next_wait_secs > 0:
            return None
        return heapq.heappop(self._waiting)[2]

    def give_up(self) -> list[_Run]:
        """Return the runs that wait, the earliest first; they wait no more."""
        given_up = [run for _, _, run in sorted(self._waiting)]
        self._waiting.clear()
        return given_up

    @property
    def next_wait_secs(self) -> float:
        """How long until the next run is due, at least 0; infinite if none waits."""
        return max(0.0, self._waiting[0][0] - self._clock()) if self._waiting else math.inf
