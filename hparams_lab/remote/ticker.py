"""Run a function periodically in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hparams_lab.errors import LogdirError


class Ticker:
    """Calls a function at an interval until it is stopped.

    A failure is reported once, and tried again with ever longer pauses.

    Args:
        action: may raise LogdirError.
        secs: from the end of one call to the next.
        warn: is called with what failed, once for each row of failures.
        name: of the thread.
        max_pause: in intervals, after many failures.

    Attributes:
        is_failing: whether the last call failed.
    """

    def __init__(
        self,
        action: Callable[[], None],
        secs: float,
        *,
        warn: Callable[[str], None],
        name: str,
        max_pause: int = 8,
    ) -> None:
        self._action = action
        self._secs = secs
        self._warn = warn
        self._max_pause = max_pause
        self.is_failing = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._tick, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Call it no more, and wait for a call that goes on."""
        self._stopped.set()
        self._thread.join()

    def _tick(self) -> None:
        pause = 1
        while not self._stopped.wait(pause * self._secs):
            try:
                self._action()
                self.is_failing, pause = False, 1
            except (LogdirError, OSError) as error:
                if not self.is_failing:
                    self._warn(f"{error} It is tried again.")
                self.is_failing, pause = True, min(2 * pause, self._max_pause)
