"""What is done in the background, again and again."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

from hparams_lab.errors import LogdirError
from hparams_lab.remote.ticker import Ticker

SECS = 0.001


def _run(fails: Callable[[int], bool], num_calls: int) -> list[str]:
    """Run a ticker for so many calls and return what it warned of."""
    told: list[str] = []
    done = threading.Event()
    numbers = itertools.count(1)

    def act() -> None:
        number = next(numbers)
        if number >= num_calls:
            done.set()
        if fails(number):
            raise LogdirError("unplugged.")

    ticker = Ticker(act, SECS, warn=told.append, name="test")
    assert done.wait(30)
    ticker.stop()
    return told


def test_it_goes_on() -> None:
    """What works is done again, and nothing is reported."""
    assert [] == _run(lambda number: False, 5)


def test_what_fails_is_told_once() -> None:
    """A row of failures is told once, and does not end it."""
    assert ["unplugged. It is tried again."] == _run(lambda number: number < 5, 5)


def test_another_row_of_failures_is_told_again() -> None:
    """What fails after it had worked again is news."""
    assert 2 == len(_run(lambda number: number in (1, 2, 4), 5))
