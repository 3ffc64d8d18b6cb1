"""Pause the garbage collector while reading."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """Keep Python from looking for circular garbage, of which reading makes none.

    It looks whenever so many objects have been made, through all there are: with a thousand
    runs that is half of the time that reading them from the cache takes.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
