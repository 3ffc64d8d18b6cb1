"""One process at a time runs a sweep; a dead one holds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from hparams_lab.errors import LogdirError
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.logdir.mounts import mount_of


@contextmanager
def sweep_lock(sweep_dir: SweepDir) -> Iterator[None]:
    """Keep other processes from running a sweep.

    The system gives the lock back when this process ends, however it does. The file
    stays, and says nothing.

    Raises:
        LogdirError: if another process holds it, or it cannot be made.
    """
    # Needed by the commands that run, not by those that read.
    from filelock import FileLock, Timeout

    lock = FileLock(sweep_dir.lock_file)
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        raise LogdirError(
            f"a sweep is run by one process at a time, and another is running {sweep_dir.id}. "
            "Wait for it to end, or stop it."
        ) from None
    except OSError as error:
        raise LogdirError(
            f"cannot write to the log directory: {error}. Choose another with --logdir."
        ) from error
    mount = mount_of(sweep_dir.path)
    with held, mount.hold(sweep_dir.path) if mount else nullcontext():
        yield


def is_held(sweep_dir: SweepDir) -> bool:
    """Return whether a process is running a sweep; nothing is made or changed by asking."""
    mount = mount_of(sweep_dir.path)
    if mount is not None and mount.is_held(sweep_dir.path):
        return True
    try:
        if not sweep_dir.lock_file.exists():
            return False
    except PermissionError:  # as below
        return True
    from filelock import FileLock, Timeout

    lock = FileLock(sweep_dir.lock_file)
    try:
        with lock.acquire(timeout=0):
            return False
    except (Timeout, PermissionError):  # of another user, who may be running it
        return True
    except OSError:  # on a filesystem to read from only
        return False
