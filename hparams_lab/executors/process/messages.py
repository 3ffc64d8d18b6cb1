"""What the process executor and its server say to each other, besides `Job` and `Finished`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hparams_lab.errors import HParamsLabError


@dataclass(frozen=True)
class Begin:
    """The first message.

    Attributes:
        sys_path: the executor's, so that the same names are importable.
        functions: pickled pair of setup and work, unpickled only once the path is set.
        jobs_per_process: how many jobs a forked process does at most, one after the other.
    """

    sys_path: Sequence[str]
    functions: bytes
    jobs_per_process: int = 1


@dataclass(frozen=True)
class Ready:
    """Setup is done.

    Attributes:
        fork_hazard: why this process must not fork; empty if it may.
    """

    fork_hazard: str


@dataclass(frozen=True)
class SetupFailed:
    """Setup raised.

    Attributes:
        error: what is to be raised in the executor's process.
    """

    error: HParamsLabError


@dataclass(frozen=True)
class Began:
    """A job has a process.

    Attributes:
        job_id: of the job.
        pid: its process, leader of a process group of its own.
    """

    job_id: int
    pid: int


@dataclass(frozen=True)
class JobReport:
    """What a job tells before it ends. It waits for the reply.

    Attributes:
        job_id: of the job.
        message: for the executor's owner.
    """

    job_id: int
    message: Any


@dataclass(frozen=True)
class Reply:
    """What a job is answered.

    Attributes:
        job_id: of the job.
        answer: pickled, as the server only passes it on.
    """

    job_id: int
    answer: bytes


@dataclass(frozen=True)
class Signal:
    """Send a signal to the process groups of jobs.

    Attributes:
        number: e.g. `signal.SIGINT`.
        job_id: of the job; None for all jobs.
    """

    number: int
    job_id: int | None = None
