"""What stands on a node of a Ray cluster: a process executor that is spoken to from afar.

    driver: RayExecutor ──submit, reply, stop──▶ Host ──▶ ProcessExecutor ──▶ jobs
                 ▲                                │
                 └───ends, reports: hear──────────┘

Ray calls its methods in threads of their own. The process executor has one thread, which
does whatever they ask for. This module does not know Ray: it is an actor from outside.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hparams_lab.errors import ExecutorError, HParamsLabError
from hparams_lab.executors.base import Finished, Job
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.executors.process.messages import JobReport

# How many methods run at a time: one hears, others come and go.
CONCURRENCY = 4

# How long the processes of a host may take to end.
CLOSE_SECS = 5.0


@dataclass(frozen=True)
class HostSpec:
    """What a host is to do."""

    functions: bytes  # pickled pair of setup and work
    sys_path: Sequence[str]  # the driver's, so that the same names are importable
    version: str  # of this package, the driver's
    # variables that all jobs of the host are to have
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)  # of its process executor


@dataclass(frozen=True)
class HostReady:
    """Setup is done."""

    notice: str  # what the user should know of how jobs run there; empty if nothing


@dataclass(frozen=True)
class HostFailed:
    """Setup, the first or a later one, has failed; nothing else follows."""

    error: HParamsLabError  # why


@dataclass(frozen=True)
class Stopped:
    """All jobs that were to be stopped have ended, and their ends were said before."""


Message = HostReady | HostFailed | Finished | JobReport | Stopped


def package_version() -> str:
    """Return the version of this package where this is called."""
    return importlib.metadata.version("hparams_lab")


class Host:
    """An actor that does jobs on its node. It is set up in the background.

    Args:
        spec: what to do.
    """

    def __init__(self, spec: HostSpec) -> None:
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._executor: ProcessExecutor | None = None
        self._thread = threading.Thread(target=self._serve, args=(spec,), daemon=True)
        self._thread.start()

    def hear(self) -> list[Message]:
        """Return what there is to say since the last call, in order, waiting for the first."""
        messages = [self._messages.get()]
        with contextlib.suppress(queue.Empty):
            while True:
                messages.append(self._messages.get_nowait())
        return messages

    def submit(self, job: Job) -> None:
        """Begin a job; the host is ready."""
        self._call(lambda executor: executor.submit(job))

    def reply(self, job_id: int, answer: Any) -> None:
        """Answer what a job asked."""
        self._call(lambda executor: executor.reply(job_id, answer))

    def stop(self, grace_secs: float) -> None:
        """Stop all jobs; `Stopped` is said once that is done."""

        def stop(executor: ProcessExecutor) -> None:
            for finished in executor.stop(grace_secs):
                self._messages.put(finished)
            self._messages.put(Stopped())

        self._call(stop)

    def close(self) -> None:
        """End all processes; returns once that is done, and must be the last call."""
        closed = threading.Event()

        def close(executor: ProcessExecutor) -> None:
            executor.close()
            closed.set()

        if self._executor is None:
            return
        if self._thread.is_alive():
            self._call(close)
            closed.wait(CLOSE_SECS)
        else:
            self._executor.close()

    def _call(self, function: Callable[[ProcessExecutor], None]) -> None:
        assert self._executor is not None
        self._executor.call_soon(partial(function, self._executor))

    def _serve(self, spec: HostSpec) -> None:
        """Do what is asked for, until the actor ends."""
        # Ray's processes have it blocked, and jobs would inherit that.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        try:
            self._executor = executor = _make_executor(spec)
            executor.start()
            executor.ready()
            self._messages.put(HostReady(executor.notice))
            while news := executor.listen():
                self._messages.put(news)
        except HParamsLabError as error:
            self._messages.put(HostFailed(error))
        except BaseException as error:
            trace = "".join(traceback.format_exception(error)).rstrip()
            self._messages.put(HostFailed(ExecutorError(trace)))


def _make_executor(spec: HostSpec) -> ProcessExecutor:
    """Return the node's process executor.

    Raises:
        ExecutorError: if the node has another version of this package, or cannot import
            what it is to do.
    """
    here = package_version()
    if here != spec.version:
        raise ExecutorError(
            f"all nodes must have the same hparams_lab; this one has {here}, the program "
            f"{spec.version}. Install the same."
        )
    sys.path[:] = [*spec.sys_path, *(path for path in sys.path if path not in spec.sys_path)]
    os.environ.update(spec.environment)
    try:
        setup, work = pickle.loads(spec.functions)
    except (ImportError, AttributeError) as error:
        raise ExecutorError(
            f"all nodes must have the same code at the same path: {error}. Share the filesystem, "
            "or use ray job submit --working-dir."
        ) from error
    return ProcessExecutor(setup, work, **spec.options)
