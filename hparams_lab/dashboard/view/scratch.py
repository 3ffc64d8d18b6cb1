"""A temporary directory that goes with the process that made it, however that ends."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "hparams_lab-"

# Held by the process that made the directory, as long as it lives.
_LOCK_NAME = "lock"

# A directory so young may be about to be locked.
_MIN_AGE_SECS = 60.0


@contextlib.contextmanager
def scratch_dir() -> Iterator[Path]:
    """Make a directory, and remove it at the end; and those of processes that were killed.

    Raises:
        OSError: if it cannot be made.
    """
    from filelock import FileLock  # not needed by the commands that only read

    with contextlib.suppress(OSError):
        _remove_orphans(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with FileLock(folder / _LOCK_NAME):
            yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:  # once more, if somebody was too impatient to wait for it
            shutil.rmtree(folder, ignore_errors=True)


def _remove_orphans(parent: Path) -> None:
    from filelock import FileLock, Timeout

    for lock_file in parent.glob(f"{_PREFIX}*/{_LOCK_NAME}"):
        # Of another user, or gone in the meantime; or held.
        with contextlib.suppress(OSError, Timeout):
            if time.time() - lock_file.stat().st_mtime > _MIN_AGE_SECS:
                with FileLock(lock_file).acquire(timeout=0):
                    shutil.rmtree(lock_file.parent)
