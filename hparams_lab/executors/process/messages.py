"""What the process executor and its server say to each other, besides `Job` and `Finished`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hparams_lab.errors import HParamsLabError


@dataclass(frozen=True)
class Begin:
    """The first message."""

    sys_path: Sequence[str]  # the executor's, so that the same names are importable
    functions: bytes  # pickled pair of setup and work, unpickled only once the path is set
    jobs_per_process: int = 1  # how many jobs a forked process does at most, one after the other


@dataclass(frozen=True)
class Ready:
    """Setup is done."""

    fork_hazard: str  # why this process must not fork; empty if it may


@dataclass(frozen=True)
class SetupFailed:
    """Setup raised."""

    error: HParamsLabError  # what is to be raised in the executor's process


@dataclass(frozen=True)
class Began:
    """A job has a process."""

    job_id: int  # of the job
    pid: int  # its process, leader of a process group of its own


@dataclass(frozen=True)
class JobReport:
    """What a job asks before it ends. It waits for the reply."""

    job_id: int  # of the job
    message: Any  # for the executor's owner


@dataclass(frozen=True)
class Reply:
    """What a job is answered."""

    job_id: int  # of the job
    answer: bytes  # pickled, as the server only passes it on


@dataclass(frozen=True)
class Signal:
    """Send a signal to the process groups of jobs."""

    number: int  # e.g. `signal.SIGINT`.
    job_id: int | None = None  # of the job; None for all jobs
