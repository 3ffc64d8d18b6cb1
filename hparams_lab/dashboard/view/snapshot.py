"""Whether files and directories are as they were: far cheaper to ask than to read them anew."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

# What changes twice within a tick of its filesystem's clock keeps the time of the first
# change. The coarsest tick is FAT's.
_TICK_NS = 2_000_000_000

# A filesystem of another machine may have another clock.
_MAX_AGE_NS = 60_000_000_000


class Stamps:
    """What the filesystem says of some paths, whether there is something or not.

    Args:
        paths: files and directories.
        read_at_ns: when one began to read them, in nanoseconds since the epoch.
    """

    def __init__(self, paths: Iterable[str], *, read_at_ns: int) -> None:
        self._stamps = {path: _stamp(path) for path in paths}
        self._read_at_ns = read_at_ns
        newest_ns = max((stamp[0] for stamp in self._stamps.values() if stamp), default=0)
        self._is_proof = newest_ns < read_at_ns - _TICK_NS

    def hold(self) -> bool:
        """Return whether nothing has changed since the paths were read, as far as one can say.

        Where one cannot, because the last change was only just then or long ago, it is False.
        """
        is_recent = 0 <= time.time_ns() - self._read_at_ns < _MAX_AGE_NS
        return (
            self._is_proof
            and is_recent
            and all(_stamp(path) == stamp for path, stamp in self._stamps.items())
        )


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each would cost more than this
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
