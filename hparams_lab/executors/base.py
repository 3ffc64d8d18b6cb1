"""The contract of an executor: it calls one function on many arguments, somewhere.

An executor knows nothing of experiments. It is given two functions: `setup` is called
once wherever work is to be done (that is where TensorFlow and the data are loaded),
and `work(state, argument, ask)` for each job. Both are importable by name, or partials
of such, as they may be called in another process. By `ask` a job says something to the
executor's owner before it ends, and has an answer.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any

from hparams_lab.catalog.registry import Spec

Setup = Callable[[], Any]

# Sends a message to the executor's owner and returns the answer, waiting for it; both
# travel by pickle and are small. Any thread of the job's own process may call it.
Ask = Callable[[Any], Any]

# Called with setup's state, the job's argument and its ask.
Work = Callable[[Any, Any, Ask], Any]

# The owner's side of ask: called with the job's id and its message.
Answer = Callable[[int, Any], Any]


class JobEnd(Enum):
    """Why a job did not return."""

    ERROR = "error"
    """`work` raised."""

    INTERRUPTED = "interrupted"
    """KeyboardInterrupt, whoever raised it, or `stop`."""

    CRASHED = "crashed"
    """Its process exited, or was killed by a signal that was not the executor's."""

    TIMED_OUT = "timed out"
    """It was stopped after its time limit."""

    OUT_OF_MEMORY = "out of memory"
    """It was killed above its memory limit."""

    LOST = "lost"
    """What it ran on is gone: a node, or the process that all jobs come from."""


@dataclass(frozen=True)
class Job:
    """One call of `work`."""

    id: int  # by which its end is known
    argument: Any  # handed to `work`; travels by pickle
    output_file: Path  # takes what the job prints, where it has streams of its own
    # variables that the job's process is to have besides its executor's
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """How a job ended."""

    job_id: int  # of the job
    result: Any = None  # what `work` returned, None if it did not return
    # why it did not, in words for the user: `was killed by SIGKILL`; empty if it did
    reason: str = ""
    end: JobEnd | None = None  # the same for programs; None if it did


def conclude_interrupted(job_id: int) -> Finished:
    """Return the end of a job that was interrupted."""
    return Finished(job_id, reason="was interrupted", end=JobEnd.INTERRUPTED)


def conclude_raised(job_id: int, error: BaseException) -> Finished:
    """Return the end of a job whose work raised."""
    reason = f"failed outside train: {type(error).__name__}: {error}"
    return Finished(job_id, reason=reason, end=JobEnd.ERROR)


class Executor(ABC):
    """Runs jobs. Used by one thread: `start`, `ready`, then jobs, then `close`.

    Attributes:
        num_workers: how many jobs run at a time.
        notice: what the user should know of how they run; empty if nothing.
    """

    notice = ""

    def __init__(self, num_workers: int) -> None:
        self.num_workers = num_workers

    @abstractmethod
    def start(self) -> None:
        """Begin to set up, in the background where that is possible."""

    @abstractmethod
    def ready(self) -> None:
        """Return once `setup` is done.

        Raises:
            HParamsLabError: what `setup` raised, if it was one of these.
            ExecutorError: if it failed otherwise, or no process could be had. Inline, the
                error itself, for the debugger.
        """

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Begin a job. At most `num_workers` may be unfinished.

        Raises:
            HParamsLabError: as `ready`, where what was set up had died.
        """

    @abstractmethod
    def wait(self, answer: Answer, timeout_secs: float = math.inf) -> Finished | None:
        """Return the next job to end, waiting for it; each is returned once.

        Args:
            answer: called in this thread with what unfinished jobs ask meanwhile, one
                message at a time; what it returns is sent to the job that asked.
            timeout_secs: after so long None is returned. Inline, jobs are not timed.

        Raises:
            KeyboardInterrupt: on Ctrl-C; call `stop` then.
            Exception: whatever `answer` raises; call `stop` then, as the job that asked
                has no answer.
        """

    @abstractmethod
    def stop(self, grace_secs: float) -> list[Finished]:
        """End the unfinished jobs and return them; no process is left.

        Each is first sent KeyboardInterrupt and, after the grace, killed. What they ask
        is not answered any more.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back what `start` took. Unfinished jobs are killed."""

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What an executor is made for."""

    setup: Setup  # as described above
    work: Work  # likewise
    # how many jobs the user wants at a time; None: as many as there is room for
    num_workers: int | None = None
    # how many there will be at most; None if that is not known. Without `num_workers` there are
    # no more workers than that, so that a lone job has all the threads.
    max_jobs: int | None = None
    # makes what is entered while another machine calls `setup`
    setting_up: Callable[[], AbstractContextManager[object]] = nullcontext


@dataclass(frozen=True, kw_only=True)
class ExecutorSpec(Spec):
    """What a name of `--executor` stands for."""

    # given the workload and the options object, returns an executor that has not been started
    make: Callable[[Workload, Any], Executor]
    # whether jobs run on other machines, which must all be able to write to the log directory
    is_distributed: bool = False
    # given the name of an option that a sweep was launched with, says whether it makes sense on
    # this machine
    still_holds: Callable[[str], bool] = lambda name: True
