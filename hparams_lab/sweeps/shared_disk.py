"""Making sure that a log directory is one and the same on all machines that write to it.

A path may name another disk on another machine. So while machines are set up, a file with
a name that nobody else knows lies in the log directory: who finds it is in the right one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hparams_lab.errors import LogdirError
from hparams_lab.logdir.atomic import storing

State = TypeVar("State")


@dataclass(frozen=True)
class SharedLogdir:
    """A log directory that other machines are to write to.

    Attributes:
        path: absolute.
        token: what no other file is called.
    """

    path: Path
    token: str = field(default_factory=lambda: f".probe-{uuid.uuid4().hex}")

    @contextlib.contextmanager
    def marked(self) -> Iterator[None]:
        """Have the file lie in the directory inside; afterwards all is as it was before.

        Raises:
            StorageError: if it cannot be made.
        """
        mark = self.path / self.token
        missing = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        with storing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            mark.touch()
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # something is in it by now
                for folder in missing:
                    folder.rmdir()

    def set_up(self, setup: Callable[[], State]) -> State:
        """On another machine: call setup, if the directory is the one that is marked.

        Raises:
            LogdirError: if it is another one, or cannot be written to.
        """
        here = socket.gethostname()
        if not (self.path / self.token).exists():
            what = "is another directory" if self.path.exists() else "does not exist"
            raise LogdirError(
                f"the log directory must be the same on all nodes; on {here} {self.path} {what}. "
                "Put it on a filesystem that they share, or in an object store by "
                "--logdir=s3://..."
            )
        own = self.path / f"{self.token}-{here}-{os.getpid()}"
        try:
            own.touch()
            own.unlink()
        except OSError as error:
            raise LogdirError(
                f"all nodes must be able to write to the log directory; {here} is not: {error}. "
                "Mend its permissions there."
            ) from error
        return setup()
