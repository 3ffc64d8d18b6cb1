"""No test of an executor may hang: what never returns is the very thing they look for."""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

HANG_SECS = 60


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """Fail a test that hangs."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"the test did not end within {HANG_SECS} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HANG_SECS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
