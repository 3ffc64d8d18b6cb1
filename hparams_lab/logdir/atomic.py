"""Writing what a sweep records: whole files, and one error where the system refuses.

What a train function writes for itself goes another way: an `OSError` of its own is the
failure of that run, a `StorageError` stops the sweep. docs/design/storage_faults.md has the
rule.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from hparams_lab.errors import LogdirError, StorageError

_ADVICE = {
    errno.ENOSPC: "Make room",
    errno.EDQUOT: "Make room",
    errno.EFBIG: "Allow larger files (ulimit -f)",
    errno.EACCES: "Allow it",
    errno.EPERM: "Allow it",
    errno.EROFS: "Make it writable",
    errno.ENOENT: "Put it back",
    errno.ENOTDIR: "Put it back",
    errno.ESTALE: "Mount it again",
}


def storage_error(error: OSError, path: Path | str) -> LogdirError:
    """Return the error to raise where the system refused to write what a sweep records.

    Args:
        error: of the system; one of ours is returned as it is.
        path: what was being written, where the system does not say.
    """
    if isinstance(error, LogdirError):
        return error
    place = Path(os.fsdecode(error.filename or path))
    if error.errno == errno.ENOENT:
        place = _find_missing(place)
    advice = _ADVICE.get(error.errno or 0, "Look after the disk")
    return StorageError(
        f"cannot write to the log directory: {place}: {error.strerror or error}. {advice}, or "
        "choose another with --logdir."
    )


def _find_missing(path: Path) -> Path:
    """Return the first part of a path that is not there; itself if it is."""
    with contextlib.suppress(OSError):
        while not path.parent.exists():
            path = path.parent
    return path


@contextlib.contextmanager
def storing(path: Path | str) -> Iterator[None]:
    """Take any `OSError` inside for the log directory's.

    Args:
        path: what is written inside.

    Raises:
        StorageError: if the system refuses.
    """
    try:
        yield
    except OSError as error:
        if (fault := storage_error(error, path)) is error:
            raise
        raise fault from error


@contextlib.contextmanager
def replacing(path: Path, *, aside: Path | None = None) -> Iterator[Path]:
    """Give a file beside another one, which takes its place at one stroke if all goes well.

    Args:
        path: of the file, which need not be there; its directory exists.
        aside: the file beside; by default one that nobody else writes.

    Raises:
        OSError: if the system refuses; what was there is as it was.
    """
    aside = aside or path.with_name(f".{path.name}-{uuid.uuid4().hex}.tmp")
    try:
        yield aside
        aside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)  # it would fill a full disk further


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, and on the disk when this returns.

    Args:
        path: of the file, which is replaced if it is there; its directory exists, and nobody
            else writes it.
        content: of the file.

    Raises:
        StorageError: if it cannot be written; what was there is as it was.
    """
    with storing(path), replacing(path) as aside, aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # the disk of a server says that it is full here, or never


def require_writable(folder: Path) -> None:
    """Refuse a directory in which nothing can be made; one that is not there yet may be.

    Raises:
        StorageError: if it, or the first one above it that exists, is read-only, belongs to
            somebody else, or is no directory.
    """
    with storing(folder):
        while not folder.exists():
            folder = folder.parent
    try:
        # Tried, as what a system allows is more than the permissions that it shows. Linux
        # gives such a file no name.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise storage_error(OSError(error.errno, error.strerror), folder) from error
