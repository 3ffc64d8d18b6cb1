"""Which processes of this machine write into a mirror now."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path
from typing import Any


class Sessions:
    """Those who write into a mirror; a dead process writes no more, however it died.

    Args:
        folder: of the mirror.

    Attributes:
        mirror_id: what no other mirror is called, on this machine or another.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "writers"
        self._folder.mkdir(exist_ok=True)
        self._own: tuple[Path, Any] | None = None
        self.mirror_id = _read_id(folder / "id")

    def enter(self) -> None:
        """Register this process as a writer."""
        from filelock import FileLock

        path = self._folder / f"{uuid.uuid4().hex}.lock"
        lock = FileLock(path, thread_local=False)
        lock.acquire()
        while not path.exists():  # another took it for a dead one's before it was locked
            lock.release()
            lock.acquire()
        self._own = (path, lock)

    def leave(self) -> None:
        """Unregister it."""
        if self._own is not None:
            path, lock = self._own
            self._own = None
            path.unlink(missing_ok=True)
            lock.release()

    @property
    def others_write(self) -> bool:
        """Whether another process does."""
        own = None if self._own is None else self._own[0]
        return any(_is_held(path) for path in self._folder.glob("*.lock") if path != own)


def is_free(folder: Path) -> bool:
    """Return whether nobody writes into a mirror, of which there may be none.

    Args:
        folder: of the mirror.
    """
    locks = [*(folder / "writers").glob("*.lock")]
    return bool(locks) and not any(map(_is_held, locks))


def _is_held(path: Path) -> bool:
    from filelock import FileLock, Timeout

    try:
        with FileLock(path).acquire(timeout=0):
            path.unlink(missing_ok=True)
    except Timeout:
        return True
    return False


def _read_id(path: Path) -> str:
    aside = path.with_name(f".{uuid.uuid4().hex}.tmp")
    aside.write_text(uuid.uuid4().hex, encoding="utf-8")
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)  # whole, and the first one's
    aside.unlink()
    return path.read_text(encoding="utf-8")
