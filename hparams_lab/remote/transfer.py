"""Moving many files, several at a time: what takes long is the way there and back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

_NUM_TRANSFERS = 16


def transfer_all(move: Callable[[str], None], names: Sequence[str]) -> None:
    """Move files; begin with no more after one has failed.

    Args:
        move: one file, by name, in another thread; what it raises is raised here.
        names: of the files.
    """
    has_failed = threading.Event()

    def attempt(name: str) -> None:
        if has_failed.is_set():
            return
        try:
            move(name)
        except BaseException:
            has_failed.set()
            raise

    with ThreadPoolExecutor(_NUM_TRANSFERS) as pool:
        try:
            for done in [pool.submit(attempt, name) for name in names]:
                done.result()
        finally:
            has_failed.set()  # as on Ctrl-C
