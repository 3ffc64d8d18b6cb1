"""Retry with exponential backoff."""

from __future__ import annotations

import time
from collections.abc import Callable

from hparams_lab.errors import LogdirError

_FIRST_PAUSE_SECS = 1.0


def patiently(action: Callable[[], object], secs: float) -> None:
    """Do something, and again with ever longer pauses as long as it fails.

    Args:
        action: may raise LogdirError.
        secs: after which there is no other try; 0 for one only.

    Raises:
        LogdirError: of the last try.
    """
    deadline = time.monotonic() + secs
    pause_secs = _FIRST_PAUSE_SECS
    while True:
        try:
            action()
        except LogdirError:
            if time.monotonic() + pause_secs > deadline:
                raise
        else:
            return
        time.sleep(pause_secs)
        pause_secs *= 2
