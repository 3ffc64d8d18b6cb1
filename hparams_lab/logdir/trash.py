"""Delete atomically: rename into the trash, then remove."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from pathlib import Path

from hparams_lab.errors import LogdirError
from hparams_lab.logdir.layout import ExperimentDir


def discard(home: ExperimentDir, path: Path) -> None:
    """Take a file, link or directory out of sight and then remove it.

    Args:
        home: directory of an experiment, or of its archive, that it lies in.
        path: what goes.

    Raises:
        LogdirError: if the system refuses.
    """
    trash = home.trash_dir / uuid.uuid4().hex
    try:
        rename(path, trash / path.name)
        empty(trash)
    finally:
        for folder in (trash, home.trash_dir):
            with contextlib.suppress(OSError):  # gone, or others are deleting, too
                folder.rmdir()


def empty(trash: Path) -> None:
    """Remove a directory in the trash, also where somebody else is at it.

    Raises:
        LogdirError: if the system refuses.
    """
    try:
        shutil.rmtree(trash)
    except FileNotFoundError:
        if trash.exists():
            empty(trash)
    except OSError as error:
        raise LogdirError(
            f"cannot remove {trash}: {error.strerror}. It is out of sight; remove it by hand."
        ) from error


def rename(source: Path, target: Path) -> None:
    """Move something, at one stroke, to where nothing is.

    Raises:
        LogdirError: if the system refuses.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    except OSError as error:
        raise LogdirError(
            f"cannot move {source} to {target}: {error.strerror}. Both must lie on one filesystem "
            "that can be written to."
        ) from error
