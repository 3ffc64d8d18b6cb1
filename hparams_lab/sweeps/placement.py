"""Where the runs of a sweep execute: the executor that its options ask for.

A path may name another disk on another machine. So while machines are set up, a file with
a name that nobody else knows lies in the log directory: who finds it is in the right one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.errors import LogdirError
from hparams_lab.executors.base import Executor, Workload
from hparams_lab.executors.catalog import EXECUTORS
from hparams_lab.logdir.atomic import storing
from hparams_lab.logdir.mounts import mount_of
from hparams_lab.sweeps import worker
from hparams_lab.sweeps.options import ExecutionOptions
from hparams_lab.sweeps.spool import SpoolingExecutor


def make_executor(
    source: ExperimentSource,
    options: ExecutionOptions,
    *,
    logdir: Path | None = None,
    max_runs: int | None = None,
) -> Executor:
    """Return an executor for the runs of an experiment; it has not begun.

    Args:
        source: of the experiment.
        options: which executor, and how.
        logdir: that runs are to be logged in, absolute; None if nothing is to be run.
        max_runs: how many runs there are to be at most, None if that is not known.

    Raises:
        UsageError: if an option cannot be obeyed, or there are too few GPUs.
        ExecutorError: if GPUs are to be shared and nvidia-smi fails.
    """
    assert options.executor is not None  # `resume` has completed it
    spec = EXECUTORS.find(options.executor)
    own_options = EXECUTORS.make_options(options.executor, options.executor_options)

    def make(workload: Workload) -> Executor:
        return spec.make(workload, own_options)

    workload = Workload(
        setup=partial(worker.load, source),
        work=worker.execute,
        num_workers=options.workers,
        max_jobs=max_runs,
    )
    if logdir is None or not spec.is_distributed:
        return make(workload)
    if mount := mount_of(logdir):
        return SpoolingExecutor(make, workload, mount)
    shared = SharedLogdir(logdir)
    setup = partial(shared.set_up, workload.setup)
    return make(replace(workload, setup=setup, setting_up=shared.marked))


State = TypeVar("State")


@dataclass(frozen=True)
class SharedLogdir:
    """A log directory that other machines are to write to."""

    path: Path  # absolute
    # what no other file is called
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
