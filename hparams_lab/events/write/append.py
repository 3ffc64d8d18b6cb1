"""Where a writer's bytes go: whole records at the end of a file, or nothing of them."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Protocol

from hparams_lab.logdir.atomic import storage_error, storing


class AppendOnly(Protocol):
    """Where a writer's bytes go: the seam for filesystems that are not local."""

    def append(self, content: bytes) -> None:
        """Add whole records to the end; readers see them from now on.

        Raises:
            StorageError: if they cannot be written; the file then ends as it did before,
                where that can be brought about.
        """

    def close(self) -> None:
        """Take no more."""


class LocalFile:
    """A file of a local or mounted filesystem, opened for appending.

    Args:
        path: its directory exists.

    Raises:
        StorageError: if it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with storing(path):
            self._fd = self._open()

    def append(self, content: bytes) -> None:
        """Write all of it, also where the system takes it in parts; if not, nothing of it.

        Raises:
            StorageError: if the system refuses.
        """
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[self._write(rest) :]
        except BaseException as error:
            self._cut_back(len(content) - len(rest))
            if isinstance(error, OSError):
                raise storage_error(error, self._path) from error
            raise

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def _write(self, content: memoryview) -> int:
        try:
            return os.write(self._fd, content)
        except OSError as error:
            if error.errno != errno.EBADF or self._fd < 0:
                raise
        # Train closes what it has not opened, as programs that become daemons do. The disk is
        # well, and no other run is to stop for it.
        self._fd = self._open()
        return os.write(self._fd, content)

    def _cut_back(self, num_bytes: int) -> None:
        """Take a part of a record back, behind which no reader would read on."""
        if num_bytes:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - num_bytes)

    def close(self) -> None:
        """Close the file; a second time does nothing.

        Raises:
            StorageError: if what was written is lost, as a server may say only now.
        """
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with storing(self._path):
                os.close(fd)
